//! The segments of a store by their ids, for many who look and few who change.
//!
//! A look takes no lock: it takes hold of the map as it is, and a change puts another map in its place. Changes are rare: a
//! rotation, a merge, a reader that catches up.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use super::segment::Segment;
use crate::format::SegmentId;
use crate::primitives::Mutex;

/// Segments by id, lowest first.
pub(super) type SegmentMap = BTreeMap<SegmentId, Arc<Segment>>;

/// All segments of one store.
#[derive(Debug, Default)]
pub(super) struct Segments {
    now: ArcSwap<SegmentMap>,
    /// One change at a time.
    changing: Mutex<()>,
}

impl Segments {
    pub(super) fn of(segments: SegmentMap) -> Self {
        Self { now: ArcSwap::from_pointee(segments), changing: Mutex::new(()) }
    }

    /// The segments as they are now; who holds the answer keeps them, whatever happens to the store. Not for long: few
    /// answers at a time in one thread cost nothing, more of them do.
    pub(super) fn read(&self) -> Guard<Arc<SegmentMap>> {
        self.now.load()
    }

    /// Takes in one more, or another in the place of one.
    pub(super) fn insert(&self, segment: Arc<Segment>) {
        self.change(|segments| drop(segments.insert(segment.id, segment)));
    }

    /// Lets go of those with these ids.
    pub(super) fn remove(&self, ids: impl Iterator<Item = SegmentId>) {
        self.change(|segments| ids.for_each(|id| drop(segments.remove(&id))));
    }

    fn change(&self, change: impl FnOnce(&mut SegmentMap)) {
        let _one_at_a_time = self.changing.lock();
        let mut segments = SegmentMap::clone(&self.now.load());
        change(&mut segments);
        self.now.store(Arc::new(segments));
    }
}
