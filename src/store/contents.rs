//! The store's state in memory as one piece, so that a reader beside a writer can load a new one and swap it in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::Error;
use crate::format::SegmentId;
use crate::primitives::AtomicU64;

use super::checkpoint::{Extent, Known};
use super::gate::Gate;
use super::holes::Holes;
use super::keydir::Keydir;
use super::ordered::Ordered;
use super::segment::Segment;
use super::segments::Segments;
use super::tally::{Live, Tally};
use super::{Entry, Location};

/// Keydir, segments, and what damage hides.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) keydir: Keydir,
    /// The order of the keydir's keys, told of all that moves there.
    pub(super) ordered: Ordered,
    /// Before every look at the keydir, so that batches are seen whole.
    pub(super) gate: Gate,
    pub(super) segments: Segments,
    pub(super) holes: Holes,
    /// Segments whose header cannot be believed, and which take part all the same.
    pub(super) doubtful: BTreeSet<SegmentId>,
    pub(super) needs_newer: Option<Error>,
    /// Bytes of files whose header cannot be believed.
    pub(super) unloaded_bytes: u64,
    /// Highest tstamp seen or given out.
    pub(super) last_tstamp: AtomicU64,
    /// Live records whose time ran out.
    pub(super) expired: AtomicU64,
    /// What the checkpoint covers that this was loaded from.
    pub(super) checkpoint: Option<Extent>,
}

impl Contents {
    pub(super) fn new(keydir: Keydir) -> Self {
        Self {
            keydir,
            ordered: Ordered::default(),
            gate: Gate::default(),
            segments: Segments::default(),
            holes: Holes::default(),
            doubtful: BTreeSet::new(),
            needs_newer: None,
            unloaded_bytes: 0,
            last_tstamp: AtomicU64::new(0),
            expired: AtomicU64::new(0),
            checkpoint: None,
        }
    }

    /// The same around a keydir that was read from a checkpoint.
    pub(super) fn of_checkpoint(keydir: Keydir, known: &Known) -> Self {
        Self { expired: known.expired.into(), checkpoint: Some(known.extent), ..Self::new(keydir) }
    }

    /// The segment with this id.
    pub(super) fn segment(&self, id: SegmentId) -> Option<Arc<Segment>> {
        self.segments.read().get(&id).cloned()
    }

    /// Whether damage may hide something newer than this answer.
    pub(super) fn is_suspect(&self, answer: Option<&Entry>) -> bool {
        self.holes.hide(answer)
            || self.keydir.is_full()
            || answer.is_some_and(|entry| self.doubtful.contains(&entry.location.segment))
    }

    /// Gives a key its newest version, which was just appended. Returns the entry that it replaced.
    pub(super) fn set(&self, key: &[u8], entry: Entry) -> Option<Entry> {
        let held = self.ordered.hold();
        let before = self.keydir.set(key, entry);
        self.ordered.moved(held, key, before, true);
        before
    }

    /// Takes a key away. Returns its entry.
    pub(super) fn remove(&self, key: &[u8]) -> Option<Entry> {
        let held = self.ordered.hold();
        let before = self.keydir.remove(key);
        self.ordered.moved(held, key, before, false);
        before
    }

    /// The keydir points at `to` instead of `from`: moves the ledger along. Returns the segment whose bytes died.
    pub(super) fn moved(&self, from: Option<Location>, to: Option<Location>) -> Option<Location> {
        if from.is_none() && to.is_none() {
            return None;
        }
        let segments = self.segments.read();
        let of = |location: Option<Location>| location.and_then(|at| Some((at.len, segments.get(&at.segment)?)));
        if let Some((len, segment)) = of(to) {
            segment.ledger.lock().born(len);
        }
        let (len, segment) = of(from)?;
        segment.ledger.lock().died(len);
        from
    }

    /// Takes away what has expired by `now`, and says what it was.
    pub(super) fn expire(&self, now: u64) -> Vec<(Arc<[u8]>, Entry)> {
        let held = self.ordered.hold();
        let expired = self.keydir.expire(now);
        self.ordered.expired(held, &expired);
        for (_, entry) in &expired {
            self.moved(Some(entry.location), None);
            self.expired.fetch_add(1, Ordering::Relaxed);
        }
        expired
    }

    /// Adds to each segment what was counted of it while keydir entries moved.
    pub(super) fn count_live(&self, tally: &Tally) {
        for segment in self.segments.read().values() {
            let Live { records, bytes } = tally.of(segment.id);
            let mut ledger = segment.ledger.lock();
            ledger.live_records = ledger.live_records.wrapping_add(records);
            ledger.live_bytes = ledger.live_bytes.wrapping_add(bytes);
        }
    }

    /// Live records and bytes by segment.
    pub(super) fn recount(&self) -> BTreeMap<SegmentId, (u64, u64)> {
        let mut live: BTreeMap<SegmentId, (u64, u64)> = BTreeMap::new();
        self.keydir.for_each(|_, entry| {
            let (records, bytes) = live.entry(entry.location.segment).or_default();
            *records += 1;
            *bytes += entry.location.len;
        });
        live
    }
}
