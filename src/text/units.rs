//! Sizes, counts and shares, as people read and write them.
//!
//! Sizes are binary and say so (`MiB`). It must not know what is counted.

use std::fmt;

use humansize::{BINARY, FormatSizeOptions, format_size};

use super::escape::escape_str;

/// `214 B`, `8.0 MiB`.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        _ => format_size(bytes, FormatSizeOptions::from(BINARY).decimal_places(1).decimal_zeroes(1)),
    }
}

/// `12,431`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (done, digit) in digits.chars().enumerate() {
        if done > 0 && (digits.len() - done).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 segment`, `2 segments`.
pub fn several(number: u64, what: &str) -> String {
    format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A share between 0 and 1 as `41%`. Only nothing is `0%` and only everything is `100%`: what lies close is `<1%`,
/// `>99%`. A share of nothing (`0.0 / 0.0`) is `0%`.
pub fn percent(share: f64) -> String {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let rounded = (share * 100.0).round();
    if rounded < 1.0 && share > 0.0 {
        "<1%".to_owned()
    } else if rounded > 99.0 && share < 1.0 {
        ">99%".to_owned()
    } else {
        format!("{rounded}%")
    }
}

/// Reads a size: `4096`, `64K`, `64KiB`, `1.5 MiB`, `2GB`. A unit without `B` is binary, as in every other tool that
/// has both; only `kB`, `MB`, `GB`, `TB` are thousands. Case does not matter.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    let fault = || UnitError::new(format!("{} is no size; type 4096, 64KiB or 1.5 GiB", escape_str(text)));
    let trimmed = text.trim();
    let digits = trimmed.len() - trimmed.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let (number, unit) = trimmed.split_at_checked(digits).ok_or_else(fault)?;
    let unit = unit_bytes(unit.trim_start()).ok_or_else(fault)?;
    scaled(number, unit).ok_or_else(fault)
}

fn unit_bytes(unit: &str) -> Option<u64> {
    const UNITS: [(&[&str], u64); 9] = [
        (&["", "b"], 1),
        (&["k", "kib"], 1 << 10),
        (&["m", "mib"], 1 << 20),
        (&["g", "gib"], 1 << 30),
        (&["t", "tib"], 1 << 40),
        (&["kb"], 1_000),
        (&["mb"], 1_000_000),
        (&["gb"], 1_000_000_000),
        (&["tb"], 1_000_000_000_000),
    ];
    let unit = unit.to_ascii_lowercase();
    UNITS.iter().find(|(names, _)| names.contains(&unit.as_str())).map(|(_, bytes)| *bytes)
}

/// A decimal number times a unit, cut to whole bytes; exact, where a float would not be.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let denominator = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = fraction.parse::<u128>().ok()?.checked_mul(u128::from(unit))? / denominator;
    let bytes = u128::from(whole.parse::<u64>().ok()?) * u128::from(unit);
    u64::try_from(bytes.checked_add(part)?).ok()
}

/// A size or duration that cannot be read. Its text says what to type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitError(String);

impl UnitError {
    pub(super) fn new(message: String) -> Self {
        Self(message)
    }
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnitError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_have_one_decimal_and_bytes_none() {
        assert_eq!([0, 214, 1023].map(size), ["0 B", "214 B", "1023 B"]);
        assert_eq!([1024, 8 << 20, 1_677_722].map(size), ["1.0 KiB", "8.0 MiB", "1.6 MiB"]);
        assert_eq!(size(u64::MAX), "16.0 EiB");
    }

    #[test]
    fn counts_are_grouped_by_three() {
        let shown = [0, 999, 1_000, 12_431, 1_000_000].map(count);
        assert_eq!(shown, ["0", "999", "1,000", "12,431", "1,000,000"]);
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn only_nothing_is_zero_and_only_everything_is_a_hundred() {
        let shown = [0.0, 0.0001, 0.41, 0.994, 0.9999, 1.0].map(percent);
        assert_eq!(shown, ["0%", "<1%", "41%", "99%", ">99%", "100%"]);
        assert_eq!([f64::NAN, f64::INFINITY, -1.0, 7.0].map(percent), ["0%", "0%", "0%", "100%"]);
    }

    #[test]
    fn sizes_are_read_in_both_scales() {
        let read = ["4096", "64K", "64 KiB", "1.5 MiB", "2gb", " 1 t ", "1.25K", "0"].map(|text| parse_size(text).ok());
        let bytes = [4096, 65_536, 65_536, 1_572_864, 2_000_000_000, 1 << 40, 1_280, 0].map(Some);
        assert_eq!(read, bytes);
    }

    #[test]
    fn what_is_no_size_is_refused_with_an_example() {
        for text in
            ["", "K", "1.2.3K", "-1", "1 parsec", "1e3", "99999999999999999999", "16777216T", "1.K2", "\x1b", "."]
        {
            let message = parse_size(text).unwrap_err().to_string();
            assert!(message.contains("64KiB") && !message.contains('\x1b'), "{text:?}: {message}");
        }
    }

    proptest! {
        #[test]
        fn any_number_of_bytes_is_read_back(bytes: u64) {
            prop_assert_eq!(parse_size(&bytes.to_string()), Ok(bytes));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,20}") {
            let _ = parse_size(&text);
        }
    }
}
