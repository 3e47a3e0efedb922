//! The strips of the segments that the screen shows, made beside the screen and kept up to date by the engine's events.
//!
//! Invariants:
//!
//! 1. A strip is made twice at most: from the keydir at once, and by a walk over the file, small segments unasked and
//!    large ones when they are selected. Nobody's looking costs a disk more than [`UNASKED`] bytes a segment.
//! 2. No more than [`MOST`] strips are kept, 8 KiB each.
//! 3. While they are locked the store is not asked: it tells them of what it finds on the way, on the same thread.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::session::Session;
use crate::format::{Kind, SegmentId};
use crate::inspect::map::{outlines, strip};
use crate::inspect::verify::damage_in;
use crate::inspect::{RecordRow, RowState, StripMap};
use crate::store::{Event, Location};
use crate::tui::action::Arrived;
use crate::tui::app::Strip;
use crate::tui::effect::MapsWanted;

/// Bytes of a segment that is walked without being selected.
const UNASKED: u64 = 64 << 20;
/// Strips that are kept.
const MOST: usize = 1024;
/// Damaged rows that one walk notes among the findings; a verify lists them all.
const NOTED: usize = 100;
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
            Event::Expired { entry, .. } => self.turn(&entry.location, RowState::Live, RowState::Expired),
            Event::Merged { inputs, .. } => inputs.iter().for_each(|id| self.forget(*id)),
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
        let state = match kind {
            Kind::Put => RowState::Superseded,
            Kind::Tombstone => RowState::Tombstone,
            Kind::Mark => RowState::Mark,
            Kind::Unknown(_) => RowState::Unknown,
        };
        map.append(at.offset, at.len, state);
    }

    fn turn(&mut self, at: &Location, from: RowState, to: RowState) {
        self.touched.insert(at.segment);
        if let Some(strip) = self.known.get_mut(&at.segment) {
            Arc::make_mut(&mut strip.map).turn(at.offset, at.len, from, to);
        }
    }

    fn forget(&mut self, segment: SegmentId) {
        self.known.remove(&segment);
        self.touched.remove(&segment);
    }

    /// The strip of a segment, if it is known.
    pub(super) fn get(&self, segment: SegmentId) -> Option<Arc<StripMap>> {
        self.known.get(&segment).map(|strip| Arc::clone(&strip.map))
    }

    /// Takes outlines of segments of which nothing is known.
    pub(super) fn take_outlines(&mut self, outlines: &BTreeMap<SegmentId, StripMap>) {
        for (id, map) in outlines {
            if !self.known.contains_key(id) {
                self.keep(*id, Strip { map: Arc::new(map.clone()), exact: false });
            }
        }
    }

    fn keep(&mut self, segment: SegmentId, strip: Strip) {
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert(segment, strip);
    }

    /// Takes the strip of a walk, unless the segment changed meanwhile and there is still time to walk again. One that
    /// missed a change is not exact: it is walked again when nothing moves any more.
    fn take(&mut self, segment: SegmentId, map: StripMap, is_last: bool) -> bool {
        let exact = !self.touched.contains(&segment);
        if exact || is_last {
            self.keep(segment, Strip { map: Arc::new(map), exact });
        }
        exact || is_last
    }

    /// What the screen gets.
    pub(super) fn shown(&self) -> Vec<(SegmentId, Strip)> {
        self.known.iter().map(|(id, strip)| (*id, strip.clone())).collect()
    }
}

/// Makes the strips that the screen lacks; answers as soon as there is something to see.
pub(super) fn make(session: &Session, wanted: &MapsWanted, answer: &dyn Fn(Arrived), overtaken: &dyn Fn() -> bool) {
    let maps = session.recorder().maps();
    let (unknown, is_late) = {
        let known = &maps.lock().known;
        let unknown: Vec<_> = wanted.segments.iter().copied().filter(|id| !known.contains_key(id)).collect();
        // Known here and lacked there: an answer got lost behind an older one.
        let is_late = wanted.segments.iter().any(|id| known.get(id).is_some_and(|strip| strip.exact));
        (unknown, is_late)
    };
    if !unknown.is_empty() {
        for (id, map) in outlines(session.store(), &unknown) {
            maps.lock().keep(id, Strip { map: Arc::new(map), exact: false });
        }
    }
    if is_late || !unknown.is_empty() {
        answer(Arrived::Followed(Box::new(session.figures())));
    }
    for id in to_walk(session, wanted) {
        if overtaken() {
            return;
        }
        if walk(session, id, overtaken) {
            answer(Arrived::Followed(Box::new(session.figures())));
        }
    }
}

/// The selected segment, whatever its length, and then the small ones.
fn to_walk(session: &Session, wanted: &MapsWanted) -> Vec<SegmentId> {
    // Before the maps are locked: on the way the store may tell them what has expired.
    let segments = session.store().segments();
    let maps = session.recorder().maps();
    let known = maps.lock();
    let is_small = |id: &SegmentId| segments.iter().any(|segment| segment.id == *id && segment.bytes <= UNASKED);
    let lacks = |id: &SegmentId| known.known.get(id).is_none_or(|strip| !strip.exact);
    let small = wanted.segments.iter().copied().filter(is_small);
    let all = wanted.selected.into_iter().chain(small.filter(|id| Some(*id) != wanted.selected));
    all.filter(lacks).collect()
}

/// Makes an exact strip; says whether there is one. What does not hold is noted among the findings. A segment that cannot
/// be read keeps its outline; the record list says why.
fn walk(session: &Session, id: SegmentId, overtaken: &dyn Fn() -> bool) -> bool {
    let maps = session.recorder().maps();
    let store = session.store();
    let path = store.dir().join(store.format().format().segment_name(id));
    let mut noted = 0;
    let mut note = |row: &RecordRow| {
        noted += 1;
        damage_in(row, path.clone()).filter(|_| noted <= NOTED).into_iter().for_each(|finding| store.note(finding));
    };
    for left in (0..TRIES).rev() {
        maps.lock().touched.remove(&id);
        let Ok(Some(map)) = strip(store, id, overtaken, &mut note) else { return false };
        if maps.lock().take(id, map, left == 0) {
            // A merge may have taken the file away while it was read.
            if store.file_header(id).is_err() {
                maps.lock().forget(id);
            }
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;
    use crate::disk::Disk;
    use crate::disk::sim::SimDisk;
    use crate::store::Entry;
    use crate::store::{Clock, Options, PutOptions, Store};
    use crate::tui::jobs::recorder::Recorder;

    #[derive(Debug)]
    struct Hand(AtomicU64);

    impl Clock for Hand {
        fn now(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn a_key_that_expires_while_strips_are_chosen_is_told_and_waits_for_nothing() {
        let clock = Arc::new(Hand(AtomicU64::new(1_000_000)));
        let disk = Arc::new(SimDisk::new());
        let nudges = channel();
        let recorder = Arc::new(Recorder::new(Arc::new(|_| {}), nudges.0.clone()));
        let options = Options {
            create: true,
            clock: Arc::clone(&clock) as _,
            observers: vec![Arc::clone(&recorder) as _],
            ..Options::default()
        };
        let store = Store::open_on(Arc::clone(&disk) as _, Path::new("data"), options).unwrap();
        let expires = PutOptions::ttl(Duration::from_secs(1));
        store.put_with(b"k", b"v", &expires).unwrap();
        let session = Session::begin(store, recorder, nudges, disk.reader(), Arc::new(|_| {}), None).unwrap();
        clock.0.store(3_000_000, Ordering::Relaxed);
        let (done, end) = channel();
        let theirs = Arc::clone(&session);
        std::thread::spawn(move || {
            let wanted = MapsWanted { selected: Some(1), segments: vec![1] };
            done.send(to_walk(&theirs, &wanted)).unwrap();
        });
        assert!(end.recv_timeout(Duration::from_secs(10)).is_ok(), "it waits for itself");
        let told = std::cell::Cell::new(0);
        let mut late = MapsWanted { selected: None, segments: vec![1] };
        make(&session, &late, &|_| told.set(told.get() + 1), &|| false);
        assert_eq!(told.get(), 1, "the screen lacks what is known");
        late.segments.clear();
        make(&session, &late, &|_| told.set(told.get() + 1), &|| false);
        assert_eq!(told.get(), 1);
        let expired = session.figures().maps.iter().map(|(_, strip)| strip.map.bytes(RowState::Expired)).sum::<u64>();
        assert!(expired > 0);
    }

    #[test]
    fn a_walk_that_missed_a_change_is_walked_again_but_not_for_ever() {
        let mut maps = Maps::default();
        maps.apply(&put(40));
        assert!(!maps.take(1, StripMap::default(), false) && maps.known.is_empty());
        assert!(maps.take(1, StripMap::default(), true));
        assert!(maps.known.values().all(|strip| !strip.exact), "what it missed is not on it");
        maps.touched.clear();
        assert!(maps.take(2, StripMap::default(), false) && maps.known.len() == 2);
    }

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
    fn a_merge_takes_the_strips_of_its_inputs_with_it() {
        let mut maps = Maps::default();
        for segment in [1, 2, 3] {
            maps.apply(&Event::SegmentCreated { segment });
        }
        maps.apply(&put(40));
        maps.apply(&Event::Merged { inputs: vec![1, 2], outputs: vec![4], freed_bytes: 9 });
        assert_eq!((maps.known.keys().copied().collect::<Vec<_>>(), maps.touched.len()), (vec![3], 0));
    }

    #[test]
    fn a_mark_and_a_value_whose_time_ran_out_are_told_from_other_bytes() {
        let mut maps = Maps::default();
        maps.apply(&Event::SegmentCreated { segment: 1 });
        let mark = Event::Appended { kind: Kind::Mark, location: at(140), tstamp: 2 };
        let moved = Event::KeydirMoved { from: None, to: Some(at(40)) };
        let entry =
            Entry { location: at(40), tstamp: 1, stored_len: 0, codec: crate::format::Codec::Raw, expires_at: Some(2) };
        for event in [put(40), moved, mark, Event::Expired { key: b"k"[..].into(), entry }] {
            maps.apply(&event);
        }
        let bytes = |state| maps.known.get(&1).map_or(0, |strip| strip.map.bytes(state));
        // The file header counts as a mark.
        assert_eq!([RowState::Expired, RowState::Mark, RowState::Superseded].map(bytes), [100, 140, 0]);
    }

    #[test]
    fn no_more_than_so_many_are_kept() {
        let mut maps = Maps::default();
        (0..5000).for_each(|segment| maps.apply(&Event::SegmentCreated { segment }));
        assert!(maps.known.len() <= MOST && maps.known.contains_key(&4999));
    }
}
