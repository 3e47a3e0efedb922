//! What becomes of each record of a merge's inputs. The one place where a record is let go.
//!
//! # Invariants
//!
//! 1. A put is copied if the keydir points at exactly its place, or did when the merge began, and it has not expired.
//! 2. What hides older versions of its key, a tombstone or a put whose time ran out, goes only when nothing is left that
//!    it could hide: a newer put of the key is live, or every segment outside of the merge holds only newer records, or
//!    none of this key as its bloom filter says. A segment that is damaged, or of which only a trace is left, may hold
//!    anything: its filter is not asked.
//! 3. A kind of record that is not known here is carried along.

use std::sync::{Arc, OnceLock};

use crate::format::hint::bloom_probes;
use crate::format::{HintEntry, Kind, SegmentId};
use crate::store::Location;
use crate::store::contents::Contents;
use crate::store::inner::Inner;
use crate::store::segment::Segment;

use super::entries;
use super::live::Live;

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is live, or of a kind that is carried along: it is copied.
    Copied,
    /// It hides what `held_by` may still hold: a tombstone of its tstamp stands in the output.
    Hides { held_by: SegmentId },
    /// A tombstone, or a put that expired, with nothing left to hide; whether a filter had to say so.
    LetGo { by_filter: bool },
    /// A newer version of its key is there.
    Superseded,
}

/// A segment that stays as it is.
#[derive(Debug)]
struct Outside {
    id: SegmentId,
    /// No record in it is older than this.
    min_tstamp: u64,
    /// The bits of its bloom filter, read when they are asked for the first time; `None` where there are none that could
    /// be believed.
    filter: OnceLock<Option<Vec<u8>>>,
}

/// Judges the records of one merge. Several threads may ask.
pub(super) struct Judge<'a> {
    inner: &'a Inner,
    contents: Arc<Contents>,
    now: u64,
    live: Live,
    outside: Vec<Outside>,
}

impl<'a> Judge<'a> {
    /// A judge for the merge of these segments.
    pub(super) fn new(inner: &'a Inner, inputs: &[SegmentId]) -> Self {
        let now = inner.now();
        // Swept out, so that the keydir points at nothing that is let go because its time ran out.
        let contents = inner.unexpired();
        let mut outside: Vec<Outside> = Vec::new();
        for segment in contents.segments.read().values().filter(|segment| !inputs.contains(&segment.id)) {
            let ledger = segment.ledger.lock();
            let is_whole = ledger.gap_bytes + ledger.bad_value_bytes == 0;
            let min_tstamp = if is_whole { ledger.min_tstamp } else { 0 };
            let filter = if is_whole && ledger.has_hint { OnceLock::new() } else { None.into() };
            outside.push(Outside { id: segment.id, min_tstamp, filter });
        }
        for hole in contents.holes.iter() {
            outside.retain(|outside| outside.id != hole.segment);
            outside.push(Outside { id: hole.segment, min_tstamp: 0, filter: None.into() });
        }
        let live = Live::look(&contents, inputs, inner.options.threads);
        Self { inner, contents, now, live, outside }
    }

    /// The store that it judges for.
    pub(super) fn inner(&self) -> &'a Inner {
        self.inner
    }

    /// What becomes of this record of an input.
    pub(super) fn fate(&self, segment: SegmentId, entry: &HintEntry<'_>) -> Fate {
        if let Kind::Unknown(_) = entry.kind {
            return Fate::Copied;
        }
        if entry.kind == Kind::Put && entry.expires_at.is_none() {
            // It hides nothing when it is dead: what superseded it is judged by itself, or lies elsewhere.
            return if self.live.has(segment, entry.offset) { Fate::Copied } else { Fate::Superseded };
        }
        let place = Location { segment, offset: entry.offset, len: entry.len };
        let live = self.contents.keydir.get(entry.key);
        let has_expired_by = |now| entry.expires_at.is_some_and(|at| at <= now);
        if live.is_some_and(|live| live.location == place) && !has_expired_by(self.now) {
            return Fate::Copied;
        }
        if live.is_some_and(|live| live.tstamp > entry.tstamp) {
            return Fate::Superseded;
        }
        // Asked after the keydir: what somebody has swept out of it since the merge began has expired by now, and hides.
        if entry.kind == Kind::Put && !has_expired_by(self.inner.now()) {
            // Its tombstone, or a newer put that expired, is judged by itself.
            return Fate::Superseded;
        }
        self.hidden(entry)
    }

    fn hidden(&self, entry: &HintEntry<'_>) -> Fate {
        let mut by_filter = false;
        for outside in self.outside.iter().filter(|outside| outside.min_tstamp <= entry.tstamp) {
            if !outside.denies(self.inner, &self.contents, entry.key) {
                return Fate::Hides { held_by: outside.id };
            }
            by_filter = true;
        }
        Fate::LetGo { by_filter }
    }
}

impl Outside {
    /// Whether its bloom filter says that it holds no record of this key.
    fn denies(&self, inner: &Inner, contents: &Contents, key: &[u8]) -> bool {
        let bits = self.filter.get_or_init(|| filter(inner, &*contents.segment(self.id)?));
        let Some(bits) = bits else { return false };
        let is_clear =
            |at: u64, bit: u8| usize::try_from(at).ok().and_then(|at| bits.get(at)).map(|byte| byte & bit == 0);
        bloom_probes(key, bits.len() as u64).any(|(at, bit)| is_clear(at, bit) == Some(true))
    }
}

/// The bits of the filter in the segment's hint; `None` where there is no hint that holds.
fn filter(inner: &Inner, segment: &Segment) -> Option<Vec<u8>> {
    let bytes = entries::hint(inner, segment).ok().flatten()?;
    let parts = inner.format.hint_parts(&bytes, bytes.len() as u64)?;
    let range = usize::try_from(parts.entries_end).ok()?..usize::try_from(parts.bloom_end).ok()?;
    bytes.get(range).map(<[u8]>::to_vec)
}
