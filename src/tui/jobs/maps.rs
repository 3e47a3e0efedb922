//! The strips of the segments that the screen shows, made beside the screen and kept up to date by the engine's events.
//!
//! Invariants:
//!
//! 1. A strip is made twice at most: from the keydir at once, and by a walk over the file, small segments unasked and
//!    large ones when they are selected. Nobody's looking costs a disk more than [`UNASKED`] bytes a segment.
//! 2. No more than [`MOST`] strips are kept, 8 KiB each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::session::Session;
use crate::format::{Kind, SegmentId};
use crate::inspect::map::{outlines, strip};
use crate::inspect::{RowState, StripMap};
use crate::store::{Event, Location};
use crate::tui::action::Arrived;
use crate::tui::app::Strip;
use crate::tui::effect::MapsWanted;

/// Bytes of a segment that is walked without being selected.
const UNASKED: u64 = 64 << 20;
/// Strips that are kept.
const MOST: usize = 1024;
/// Walks until a segment that is written to meanwhile is good enough.
const TRIES: usize = 3;

/// The strips known so far.
#[derive(Debug, Default)]
pub(super) struct Maps {
    known: BTreeMap<SegmentId, Strip>,
    /// Segments that an event was about since the last walk began.
    touched: BTreeSet<SegmentId>,
}

impl Maps {
    /// Takes in a step of the engine.
    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::SegmentCreated { segment } => {
                self.keep(*segment, Strip { map: Arc::default(), exact: true });
            }
            Event::Appended { kind, location, .. } => self.append(*kind, location),
            Event::KeydirMoved { from, to } => {
                from.iter().for_each(|at| self.turn(at, RowState::Live, RowState::Superseded));
                to.iter().for_each(|at| self.turn(at, RowState::Superseded, RowState::Live));
            }
            Event::Expired { location } => self.turn(location, RowState::Live, RowState::Expired),
            Event::Reloaded => self.known.clear(),
            _ => {}
        }
    }

    fn append(&mut self, kind: Kind, at: &Location) {
        self.touched.insert(at.segment);
        let Some(strip) = self.known.get_mut(&at.segment) else { return };
        let map = Arc::make_mut(&mut strip.map);
        if map.is_empty() {
            map.add(0, at.offset, RowState::Mark);
        }
        // What a walk has seen already is not counted twice.
        if at.offset >= map.len() {
            let state = match kind {
                Kind::Put => RowState::Superseded,
                Kind::Tombstone => RowState::Tombstone,
                Kind::Mark => RowState::Mark,
                Kind::Unknown(_) => RowState::Unknown,
            };
            map.add(at.offset, at.len, state);
        }
    }

    fn turn(&mut self, at: &Location, from: RowState, to: RowState) {
        self.touched.insert(at.segment);
        if let Some(strip) = self.known.get_mut(&at.segment) {
            Arc::make_mut(&mut strip.map).turn(at.offset, at.len, from, to);
        }
    }

    fn keep(&mut self, segment: SegmentId, strip: Strip) {
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert(segment, strip);
    }

    /// What the screen gets.
    pub(super) fn shown(&self) -> Vec<(SegmentId, Strip)> {
        self.known.iter().map(|(id, strip)| (*id, strip.clone())).collect()
    }
}

/// Makes the strips that the screen lacks; answers as soon as there is something to see.
pub(super) fn make(session: &Session, wanted: &MapsWanted, answer: &dyn Fn(Arrived), overtaken: &dyn Fn() -> bool) {
    let maps = session.recorder().maps();
    let unknown: Vec<_> = {
        let known = maps.lock();
        wanted.segments.iter().copied().filter(|id| !known.known.contains_key(id)).collect()
    };
    if !unknown.is_empty() {
        for (id, map) in outlines(session.store(), &unknown) {
            maps.lock().keep(id, Strip { map: Arc::new(map), exact: false });
        }
        answer(Arrived::Followed(Box::new(session.figures())));
    }
    for id in to_walk(session, wanted) {
        if overtaken() {
            return;
        }
        if let Some(map) = walk(session, id, overtaken) {
            maps.lock().keep(id, Strip { map: Arc::new(map), exact: true });
            answer(Arrived::Followed(Box::new(session.figures())));
        }
    }
}

/// The selected segment, whatever its length, and then the small ones.
fn to_walk(session: &Session, wanted: &MapsWanted) -> Vec<SegmentId> {
    let maps = session.recorder().maps();
    let known = maps.lock();
    let segments = session.store().segments();
    let is_small = |id: &SegmentId| segments.iter().any(|segment| segment.id == *id && segment.bytes <= UNASKED);
    let lacks = |id: &SegmentId| known.known.get(id).is_none_or(|strip| !strip.exact);
    let small = wanted.segments.iter().copied().filter(is_small);
    let all = wanted.selected.into_iter().chain(small.filter(|id| Some(*id) != wanted.selected));
    all.filter(lacks).collect()
}

fn walk(session: &Session, id: SegmentId, overtaken: &dyn Fn() -> bool) -> Option<StripMap> {
    let maps = session.recorder().maps();
    let mut last = None;
    for _ in 0..TRIES {
        maps.lock().touched.remove(&id);
        // A segment that cannot be read shows its outline; the record list says why.
        last = strip(session.store(), id, overtaken).ok().flatten();
        if last.is_none() || !maps.lock().touched.contains(&id) {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(offset: u64) -> Event {
        Event::Appended { kind: Kind::Put, location: at(offset), tstamp: 1 }
    }

    fn at(offset: u64) -> Location {
        Location { segment: 1, offset, len: 100 }
    }

    #[test]
    fn a_put_and_a_delete_change_the_strip_at_once_and_only_once() {
        let mut maps = Maps::default();
        maps.apply(&Event::SegmentCreated { segment: 1 });
        for event in [put(40), Event::KeydirMoved { from: None, to: Some(at(40)) }, put(40)] {
            maps.apply(&event);
        }
        let bytes = |maps: &Maps, state| maps.known.get(&1).map_or(0, |strip| strip.map.bytes(state));
        assert_eq!((bytes(&maps, RowState::Live), bytes(&maps, RowState::Superseded)), (100, 0));
        let tombstone = Event::Appended { kind: Kind::Tombstone, location: at(140), tstamp: 2 };
        for event in [tombstone, Event::KeydirMoved { from: Some(at(40)), to: None }] {
            maps.apply(&event);
        }
        let all = [RowState::Live, RowState::Superseded, RowState::Tombstone].map(|state| bytes(&maps, state));
        assert_eq!(all, [0, 100, 100]);
    }

    #[test]
    fn no_more_than_so_many_are_kept() {
        let mut maps = Maps::default();
        (0..5000).for_each(|segment| maps.apply(&Event::SegmentCreated { segment }));
        assert!(maps.known.len() <= MOST && maps.known.contains_key(&4999));
    }
}
