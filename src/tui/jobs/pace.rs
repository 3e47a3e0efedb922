//! How often it is told how far a long reading has come.
//!
//! It must not know what is read. Invariant: a reading of any length, in any number of pieces, is told of no more than a
//! hundred and one times.

/// What was told last.
#[derive(Debug, Default)]
pub(super) struct Pace {
    percent: Option<u64>,
}

impl Pace {
    /// Whether so much more was done that it is worth telling.
    pub(super) fn is_due(&mut self, done: u64, total: u64) -> bool {
        let percent = u128::from(done.min(total)) * 100 / u128::from(total.max(1));
        let percent = u64::try_from(percent).unwrap_or(100);
        self.percent.replace(percent) != Some(percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_of_pieces_are_told_of_a_hundred_times() {
        let mut pace = Pace::default();
        assert!(pace.is_due(0, 0) && !pace.is_due(0, 5000));
        assert_eq!((0..=5000).filter(|done| pace.is_due(*done, 5000)).count(), 100);
        assert!(!pace.is_due(u64::MAX, 5000) && !pace.is_due(u64::MAX, u64::MAX));
    }
}
