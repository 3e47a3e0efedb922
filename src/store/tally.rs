//! Live records and bytes by segment, counted as differences while keydir entries move.
//!
//! Must not know: keys. Keeps: whoever adds up the tallies of all who moved entries has exactly what a recount over the
//! keydir gives, whoever counted what; a single one may be below zero, which is why sums wrap around.

use std::collections::BTreeMap;

use crate::format::SegmentId;

use super::Location;

/// Differences by segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    by_segment: BTreeMap<SegmentId, Live>,
}

/// Records and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Live {
    pub(super) records: u64,
    pub(super) bytes: u64,
}

impl Tally {
    /// The keydir points at this record now.
    pub(super) fn born(&mut self, at: Location) {
        self.many_born(at.segment, Live { records: 1, bytes: at.len });
    }

    /// The keydir points at so many more records of this segment now.
    pub(super) fn many_born(&mut self, segment: SegmentId, live: Live) {
        self.add_to(segment, live);
    }

    /// The keydir no longer points at this record.
    pub(super) fn died(&mut self, at: Location) {
        self.add_to(at.segment, Live { records: 1_u64.wrapping_neg(), bytes: at.len.wrapping_neg() });
    }

    /// Adds what another one has counted.
    pub(super) fn add(&mut self, other: &Self) {
        other.by_segment.iter().for_each(|(segment, live)| self.add_to(*segment, *live));
    }

    /// The other way round: what was born has died.
    pub(super) fn reversed(&self) -> Self {
        let reversed = |live: &Live| Live { records: live.records.wrapping_neg(), bytes: live.bytes.wrapping_neg() };
        Self { by_segment: self.by_segment.iter().map(|(segment, live)| (*segment, reversed(live))).collect() }
    }

    /// What was counted of one segment.
    pub(super) fn of(&self, segment: SegmentId) -> Live {
        self.by_segment.get(&segment).copied().unwrap_or_default()
    }

    fn add_to(&mut self, segment: SegmentId, live: Live) {
        let of = self.by_segment.entry(segment).or_default();
        of.records = of.records.wrapping_add(live.records);
        of.bytes = of.bytes.wrapping_add(live.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_counts_born_another_may_count_dead() {
        let at = |segment, len| Location { segment, offset: 40, len };
        let (mut one, mut other) = (Tally::default(), Tally::default());
        [at(1, 30), at(1, 50), at(2, 70)].into_iter().for_each(|at| one.born(at));
        [at(1, 30), at(2, 70)].into_iter().for_each(|at| other.died(at));
        let mut sum = other.clone();
        sum.add(&one);
        assert_eq!((sum.of(1), sum.of(2)), (Live { records: 1, bytes: 50 }, Live::default()));
    }
}
