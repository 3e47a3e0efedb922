//! What damage hides: stretches whose keys are unknown, and which answers they could have changed.
//!
//! A hole may have held a newer version of any key, or its tombstone. Its neighbours bound how new: an answer above the
//! bound is certain, one below is *suspect*, and so is a miss. Must not know how holes are found.

use super::Entry;
use crate::format::{FormatKind, SegmentId};

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

impl Bound {
    /// The bound of a hole as long as nothing more is known.
    pub(super) fn of_hole(format: FormatKind) -> Self {
        if format == FormatKind::Native { Self::Later } else { Self::Place }
    }
}

/// The holes of a store, and the one answer that most gets ask for: whether any of them matters.
#[derive(Debug, Default)]
pub(super) struct Holes {
    all: Vec<Hole>,
    /// Hits of a tstamp below this are suspect.
    below_tstamp: u64,
    /// Hits at a place before this are suspect.
    below_place: Option<(SegmentId, u64)>,
}

impl Holes {
    pub(super) fn new(all: Vec<Hole>) -> Self {
        let mut holes = Self::default();
        for hole in &all {
            match hole.below {
                Bound::Tstamp(bound) => holes.below_tstamp = holes.below_tstamp.max(bound),
                Bound::Later => holes.below_tstamp = u64::MAX,
                Bound::Place => holes.below_place = holes.below_place.max(Some((hole.segment, hole.offset))),
            }
        }
        Self { all, ..holes }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Hole> {
        self.all.iter()
    }

    /// Whether a hole may have held something newer than this answer; `None` is a miss.
    pub(super) fn hide(&self, answer: Option<&Entry>) -> bool {
        match answer {
            None => !self.all.is_empty(),
            Some(entry) => {
                let place = (entry.location.segment, entry.location.offset);
                entry.tstamp < self.below_tstamp || self.below_place.is_some_and(|bound| place < bound)
            }
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
        Entry { location, stored_len: 1, codec: crate::format::Codec::Raw, tstamp, expires_at: None }
    }

    #[test]
    fn a_miss_is_suspect_and_a_newer_hit_is_not() {
        let hole = Hole { segment: 3, offset: 100, len: 50, below: Bound::Tstamp(10) };
        let holes = Holes::new(vec![hole, Hole { below: Bound::Tstamp(4), ..hole }]);
        assert!(holes.hide(None));
        assert!(holes.hide(Some(&entry(9, 40, 9))));
        assert!(!holes.hide(Some(&entry(1, 40, 10))));
        let foreign = Holes::new(vec![Hole { below: Bound::Place, ..hole }]);
        assert!(foreign.hide(Some(&entry(3, 99, 50))));
        assert!(!foreign.hide(Some(&entry(3, 150, 1))));
        assert!(!Holes::default().hide(None));
    }

    #[test]
    fn an_open_end_is_bounded_by_the_next_segment_or_by_now() {
        let hole = |segment| Hole { segment, offset: 0, len: 9, below: Bound::Later };
        let mut holes = [hole(1), hole(4)];
        bound(&mut holes, &[(4, 40), (2, 20)], 55);
        assert_eq!(holes.map(|hole| hole.below), [Bound::Tstamp(20), Bound::Tstamp(56)]);
    }
}
