//! Numbers as formats store them: whole ones of any length, floats of three widths, taken from the front of bytes.

use std::fmt;

use super::sink::Stop;

/// Digits of a whole number beyond which it is shown in hexadecimal: long division costs the square of its length.
const LONGEST: usize = 128;

/// Takes `len` bytes from the front.
pub(super) fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], Stop> {
    let (taken, left) = rest.split_at_checked(len).ok_or(Stop::Cut)?;
    *rest = left;
    Ok(taken)
}

/// Takes a big-endian number of up to eight bytes from the front.
pub(super) fn take_number(rest: &mut &[u8], len: usize) -> Result<u64, Stop> {
    take(rest, len).map(|bytes| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// Takes a length of so many bytes, and so many bytes after it.
pub(super) fn take_counted<'a>(rest: &mut &'a [u8], width: usize) -> Result<&'a [u8], Stop> {
    let len = usize::try_from(take_number(rest, width)?).map_err(|_| Stop::Cut)?;
    take(rest, len)
}

/// A whole number of any length, big-endian.
pub(super) struct Big<'a> {
    pub(super) negative: bool,
    /// One is added to the magnitude: how CBOR stores negative ones.
    pub(super) plus_one: bool,
    pub(super) bytes: &'a [u8],
}

impl fmt::Display for Big<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.negative { "-" } else { "" })?;
        if self.bytes.len() > LONGEST {
            f.write_str(if self.plus_one { "1-0x" } else { "0x" })?;
            return self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"));
        }
        f.write_str(&decimal(self.bytes, self.plus_one))
    }
}

/// Decimal digits, by groups of nine from the last to the first.
fn decimal(bytes: &[u8], plus_one: bool) -> String {
    const GROUP: u64 = 1_000_000_000;
    let mut groups = vec![0_u64];
    let mut feed = |factor: u64, add: u64| {
        let mut carry = add;
        for group in &mut groups {
            let sum = *group * factor + carry;
            (*group, carry) = (sum % GROUP, sum / GROUP);
        }
        if carry > 0 {
            groups.push(carry);
        }
    };
    bytes.iter().for_each(|byte| feed(256, u64::from(*byte)));
    feed(1, u64::from(plus_one));
    let mut groups = groups.iter().rev();
    let first = groups.next().map(u64::to_string).unwrap_or_default();
    groups.fold(first, |text, group| format!("{text}{group:09}"))
}

/// A float, always with a point or an exponent, so that it does not look like a whole number.
pub(super) struct Float(pub(super) f64);

impl fmt::Display for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            nan if nan.is_nan() => f.write_str("NaN"),
            f64::INFINITY => f.write_str("Infinity"),
            f64::NEG_INFINITY => f.write_str("-Infinity"),
            number => write!(f, "{number:?}"),
        }
    }
}

/// A float of four bytes: with its own digits, not those of the double that it becomes.
pub(super) struct Single(pub(super) f32);

impl fmt::Display for Single {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_finite() { write!(f, "{:?}", self.0) } else { Float(f64::from(self.0)).fmt(f) }
    }
}

/// A float of two bytes, as IEEE 754 has it.
pub(super) fn half(bits: u16) -> f64 {
    let magnitude = match (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff)) {
        (0, fraction) => fraction * 2_f64.powi(-24),
        (31, 0.0) => f64::INFINITY,
        (31, _) => f64::NAN,
        (exponent, fraction) => (fraction + 1024.0) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 0 { magnitude } else { -magnitude }
}
