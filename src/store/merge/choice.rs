//! Which segments a merge takes: by hand, or by a policy over what it would free.
//!
//! Must not know: how a merge is done.

use std::time::Duration;

use crate::format::SegmentId;

/// What to merge.
#[derive(Clone, Debug, PartialEq)]
pub enum MergeChoice {
    /// The sealed segments that a policy picks.
    Policy(MergePolicy),
    /// Everything: the active segment is sealed first.
    All,
    /// These sealed segments.
    Segments(Vec<SegmentId>),
}

impl Default for MergeChoice {
    fn default() -> Self {
        Self::Policy(MergePolicy::default())
    }
}

/// When a sealed segment is worth merging. Only bytes that the merge would really free count; a tombstone that must stay
/// frees nothing. The thresholds are those of Basho's Bitcask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MergePolicy {
    /// This share of its bytes would be freed, 0 to 1.
    pub fragmentation: f64,
    /// So many bytes would be freed.
    pub dead_bytes: u64,
    /// It is smaller than this, and so is another one: together they make one file of two.
    pub small_bytes: u64,
}

impl Default for MergePolicy {
    fn default() -> Self {
        Self { fragmentation: 0.6, dead_bytes: 512 << 20, small_bytes: 10 << 20 }
    }
}

impl MergePolicy {
    /// Whether a segment of so many bytes, of which so many would be freed, is worth it by itself.
    pub(super) fn wants(&self, bytes: u64, freed: u64) -> bool {
        freed > 0 && (freed as f64 >= self.fragmentation * bytes as f64 || freed >= self.dead_bytes)
    }

    /// Whether it is among the small ones.
    pub(super) fn is_small(&self, bytes: u64) -> bool {
        bytes < self.small_bytes
    }
}

/// Merging by itself, in the background of an open store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AutoMerge {
    /// Which segments.
    pub policy: MergePolicy,
    /// How often to look whether there are any.
    pub every: Duration,
    /// Hours of the day (UTC) in which a merge may begin: from the first one up to, not including, the second. (22, 4)
    /// is the night; equal hours are the whole day.
    pub window: (u8, u8),
    /// At most so many bytes a second are written. `None`: as fast as the disk.
    pub bytes_per_second: Option<u64>,
}

impl Default for AutoMerge {
    fn default() -> Self {
        Self { policy: MergePolicy::default(), every: Duration::from_secs(60), window: (0, 0), bytes_per_second: None }
    }
}

impl AutoMerge {
    /// Whether a merge may begin at this moment, in microseconds since 1970.
    pub(super) fn is_open(&self, now: u64) -> bool {
        const HOUR: u64 = 3600 * 1_000_000;
        let hour = now / HOUR % 24;
        let (from, until) = (u64::from(self.window.0 % 24), u64::from(self.window.1 % 24));
        match from.cmp(&until) {
            std::cmp::Ordering::Equal => true,
            std::cmp::Ordering::Less => (from..until).contains(&hour),
            std::cmp::Ordering::Greater => hour >= from || hour < until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_may_go_over_midnight() {
        let at = |hour: u64| hour * 3600 * 1_000_000 + 86_400_000_000 * 20_000;
        let window = |from, until| AutoMerge { window: (from, until), ..AutoMerge::default() };
        assert!((0..24).all(|hour| window(0, 0).is_open(at(hour))));
        let open = |window: AutoMerge| (0..24).filter(|hour| window.is_open(at(*hour))).collect::<Vec<_>>();
        assert_eq!(open(window(2, 5)), [2, 3, 4]);
        assert_eq!(open(window(22, 1)), [0, 22, 23]);
        assert_eq!(open(window(23, 24)), [23]);
    }

    #[test]
    fn a_policy_counts_what_would_be_freed() {
        let policy = MergePolicy::default();
        assert!(policy.wants(100, 60) && !policy.wants(100, 59));
        assert!(policy.wants(4 << 30, 512 << 20));
        assert!(!MergePolicy { fragmentation: 0.0, ..policy }.wants(100, 0), "nothing is gained");
    }
}
