//! Moments and durations, as people read and write them.
//!
//! Moments are microseconds since 1970, UTC, any `u64`: tstamps come from files, and no number in a file may panic. No
//! clock is read here; "now" is an argument.

use std::time::{Duration, UNIX_EPOCH};

use super::escape::escape_str;
use super::units::{UnitError, count};

/// The Gregorian calendar repeats after 400 years.
const CYCLE_YEARS: u64 = 400;
const CYCLE_MICROS: u64 = 146_097 * 86_400 * 1_000_000;

/// `2026-11-23 14:02:11.204113`, UTC. Years beyond 9999 have more digits.
pub fn timestamp(micros: u64) -> String {
    rfc3339(micros).replace('T', " ").replace('Z', "")
}

/// `2026-11-23T14:02:11.204113Z`. Years beyond 9999, which RFC 3339 does not know, have more digits.
pub fn rfc3339(micros: u64) -> String {
    // humantime stops at 9999, so it is shown the same day in the first cycle.
    let in_cycle = UNIX_EPOCH + Duration::from_micros(micros % CYCLE_MICROS);
    let text = humantime::format_rfc3339_micros(in_cycle).to_string();
    let year = text.get(..4).and_then(|year| year.parse::<u64>().ok()).unwrap_or_default();
    format!("{}{}", year + micros / CYCLE_MICROS * CYCLE_YEARS, text.get(4..).unwrap_or_default())
}

/// How long before `now` something was, in one unit: `now`, `3 m`, `12 d`. What lies ahead reads `in 3 m`.
pub fn age(now_micros: u64, then_micros: u64) -> String {
    let seconds = now_micros.abs_diff(then_micros) / 1_000_000;
    let (per, unit) = match seconds {
        0 => return "now".to_owned(),
        1..60 => (1, 's'),
        60..3_600 => (60, 'm'),
        3_600..86_400 => (3_600, 'h'),
        86_400..31_557_600 => (86_400, 'd'),
        _ => (31_557_600, 'y'),
    };
    let ahead = if then_micros > now_micros { "in " } else { "" };
    format!("{ahead}{} {unit}", count(seconds / per))
}

/// How long something took: `812 ns`, `1.1 ms`, `4.0 s`, `2 m 5 s`, `1 h 2 m`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match duration.as_nanos() {
        nanos @ 0..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => format!("{:.1} µs", seconds * 1e6),
        1_000_000..1_000_000_000 => format!("{:.1} ms", seconds * 1e3),
        1_000_000_000..60_000_000_000 => format!("{seconds:.1} s"),
        60_000_000_000..3_600_000_000_000 => format!("{} m {} s", duration.as_secs() / 60, duration.as_secs() % 60),
        _ => format!("{} h {} m", count(duration.as_secs() / 3_600), duration.as_secs() / 60 % 60),
    }
}

/// Reads `200ms`, `90s`, `1h 30m`.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    humantime::parse_duration(text.trim())
        .map_err(|_| UnitError::new(format!("{} is no duration; type 200ms, 90s, 1h 30m", escape_str(text))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_moment_is_shown_to_the_microsecond() {
        let micros = 1_795_442_531_204_113;
        assert_eq!(timestamp(micros), "2026-11-23 14:02:11.204113");
        assert_eq!(rfc3339(micros), "2026-11-23T14:02:11.204113Z");
        assert_eq!(timestamp(0), "1970-01-01 00:00:00.000000");
    }

    #[test]
    fn the_last_moment_of_all_has_a_date() {
        assert_eq!(timestamp(u64::MAX), "586524-01-19 08:01:49.551615");
        // 2000 and 2400 are leap years, 2100 is none: the day before March says whether the cycle was cut rightly.
        assert_eq!(timestamp(13_574_563_200_000_000), "2400-02-29 00:00:00.000000");
    }

    proptest! {
        #[test]
        fn cycles_change_nothing_before_the_year_10000(micros in 0..253_402_300_800_000_000_u64) {
            let moment = UNIX_EPOCH + Duration::from_micros(micros);
            prop_assert_eq!(rfc3339(micros), humantime::format_rfc3339_micros(moment).to_string());
        }

        #[test]
        fn any_duration_is_read_back(nanos: u64) {
            let given = Duration::from_nanos(nanos);
            let text = humantime::format_duration(given).to_string();
            prop_assert_eq!(parse_duration(&text).unwrap(), given);
        }
    }

    #[test]
    fn ages_have_one_unit() {
        let second = 1_000_000;
        let ages = [0, 59, 60, 3_599, 7_200, 86_400 * 12, 31_557_600 * 2].map(|s| age(s * second, 0));
        assert_eq!(ages, ["now", "59 s", "1 m", "59 m", "2 h", "12 d", "2 y"]);
        assert_eq!(age(0, 180 * second), "in 3 m");
        assert_eq!(age(u64::MAX, 0), "584,542 y");
    }

    #[test]
    fn a_duration_is_shown_in_the_unit_that_fits_it() {
        let shown = [812, 12_340, 1_100_000, 4_000_000_000, 125_000_000_000, 3_725_000_000_000]
            .map(|nanos| duration(Duration::from_nanos(nanos)));
        assert_eq!(shown, ["812 ns", "12.3 µs", "1.1 ms", "4.0 s", "2 m 5 s", "1 h 2 m"]);
        assert!(!duration(Duration::MAX).is_empty());
    }

    #[test]
    fn a_bad_duration_is_answered_with_good_ones() {
        let message = parse_duration("5 parsecs\x1b").unwrap_err().to_string();
        assert!(message.contains("200ms") && !message.contains('\x1b'), "{message}");
    }
}
