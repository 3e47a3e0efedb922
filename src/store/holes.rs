//! What damage hides: stretches whose keys are unknown, and which answers they could have changed.
//!
//! A hole may have held a newer version of any key, or its tombstone. Its neighbours bound how new: an answer above the
//! bound is certain, one below is *suspect*, and so is a miss. Must not know how holes are found.

use super::Entry;
use crate::format::SegmentId;

/// A stretch that may have held versions of any key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) segment: SegmentId,
    pub(super) offset: u64,
    pub(super) len: u64,
    /// What it hid is older than this.
    pub(super) below: Bound,
}

/// Where certainty begins again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// The tstamp of the first record that is known to have been written later.
    Tstamp(u64),
    /// Not known yet: decided when all segments are loaded.
    Later,
    /// Places behind the hole, where the place decides which version is newer.
    Place,
}

impl Hole {
    /// Whether the hole may have held something newer than this answer; `None` is a miss.
    pub(super) fn hides(&self, answer: Option<&Entry>) -> bool {
        let Some(entry) = answer else { return true };
        match self.below {
            Bound::Tstamp(bound) => entry.tstamp < bound,
            Bound::Later => true,
            Bound::Place => (entry.location.segment, entry.location.offset) < (self.segment, self.offset),
        }
    }
}

/// Bounds each hole that has no later record in its own segment: by the first tstamp of the next segment that puts
/// wrote, else by the newest tstamp of the store, since whatever is written from now on is newer.
pub(super) fn bound(holes: &mut [Hole], first_tstamps: &[(SegmentId, u64)], last_tstamp: u64) {
    for hole in holes.iter_mut().filter(|hole| hole.below == Bound::Later) {
        let next = first_tstamps.iter().filter(|(id, _)| *id > hole.segment).min_by_key(|(id, _)| *id);
        hole.below = Bound::Tstamp(next.map_or(last_tstamp.saturating_add(1), |(_, tstamp)| *tstamp));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Location;
    use super::*;

    fn entry(segment: u64, offset: u64, tstamp: u64) -> Entry {
        let location = Location { segment, offset, len: 30 };
        Entry { location, stored_len: 1, tstamp, expires_at: None }
    }

    #[test]
    fn a_miss_is_suspect_and_a_newer_hit_is_not() {
        let hole = Hole { segment: 3, offset: 100, len: 50, below: Bound::Tstamp(10) };
        assert!(hole.hides(None));
        assert!(hole.hides(Some(&entry(9, 40, 9))));
        assert!(!hole.hides(Some(&entry(1, 40, 10))));
        let foreign = Hole { below: Bound::Place, ..hole };
        assert!(foreign.hides(Some(&entry(3, 99, 50))));
        assert!(!foreign.hides(Some(&entry(3, 150, 1))));
    }

    #[test]
    fn an_open_end_is_bounded_by_the_next_segment_or_by_now() {
        let hole = |segment| Hole { segment, offset: 0, len: 9, below: Bound::Later };
        let mut holes = [hole(1), hole(4)];
        bound(&mut holes, &[(4, 40), (2, 20)], 55);
        assert_eq!(holes.map(|hole| hole.below), [Bound::Tstamp(20), Bound::Tstamp(56)]);
    }
}
