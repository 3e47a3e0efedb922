//! Going along with what another process appends: whether it is done, paused, and how fast records come.
//!
//! Plain data.

/// Following.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Follow {
    /// The record list stays with the newest record.
    pub on: bool,
    /// Nothing is read on until that ends.
    pub paused: bool,
    /// Bytes that were appended during the pause.
    pub behind: u64,
    /// Records a second over time, oldest first.
    pub rates: Vec<u64>,
    /// Records that came since following began.
    pub records: u64,
}

/// Points of the rate that are kept.
const RATES: usize = 120;

impl Follow {
    /// Takes in that so many records came in so many microseconds.
    pub fn beat(&mut self, records: u64, micros: u128) {
        let rate = u128::from(records) * 1_000_000 / micros.max(1);
        self.records = self.records.saturating_add(records);
        self.rates.push(u64::try_from(rate).unwrap_or(u64::MAX));
        let surplus = self.rates.len().saturating_sub(RATES);
        self.rates.drain(..surplus);
    }

    /// Records a second, as measured last.
    pub fn rate(&self) -> u64 {
        self.rates.last().copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_a_second_s_worth_and_old_points_go() {
        let mut follow = Follow::default();
        (0..500).for_each(|n| follow.beat(n, 100_000));
        assert_eq!((follow.rate(), follow.rates.len(), follow.rates.first()), (4990, RATES, Some(&3800)));
        follow.beat(0, 1);
        assert_eq!(follow.rate(), 0);
    }
}
