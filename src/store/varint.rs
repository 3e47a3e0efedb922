//! Numbers of seven bits a byte, lowest first; the highest bit says that more follow. Small numbers take little.
//!
//! Must not know what is counted. Keeps: what was pushed is what is taken.

/// Puts a number at the end.
pub(crate) fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes the first number; `None` where there is no whole one.
#[inline]
pub(crate) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (byte, rest) = bytes.split_first()?;
    *bytes = rest;
    if *byte < 0x80 { Some(u64::from(*byte)) } else { take_long(*byte, bytes) }
}

fn take_long(first: u8, bytes: &mut &[u8]) -> Option<u64> {
    let mut number = u64::from(first & 0x7f);
    for shift in (7..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed_is_taken_and_half_a_number_is_none() {
        for number in (0..u64::BITS).flat_map(|bit| [(1 << bit) - 1, 1 << bit]).chain([u64::MAX]) {
            let mut bytes = Vec::new();
            push(&mut bytes, number);
            assert_eq!(take(&mut &bytes[..]), Some(number));
            assert_eq!(take(&mut bytes.split_last().map_or(&[][..], |(_, rest)| rest)), None);
        }
        assert_eq!(take(&mut &[0x80; 20][..]), None);
    }
}
