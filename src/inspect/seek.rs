//! The next or previous record of a kind, from a place on, through all segments in the order of their ids, around the end.
//!
//! Reads segment after segment, and passes over those whose figures or whose hint's filter say that there is nothing in
//! them. Decides nothing. Keeps: every record but the one it starts from is passed at most once; no more than one record
//! is in memory.

use std::ops::ControlFlow;

use super::header_row;
use crate::error::{Error, Result};
use crate::format::{Kind, SegmentId};
use crate::store::scan::{Item, What};
use crate::store::{SegmentInfo, Store};

/// Bytes between two words on how far it has come.
const TELL: u64 = 4 << 20;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// A record of this key.
    Version(Vec<u8>),
    /// A tombstone.
    Tombstone,
    /// Something that fails a check, a torn tail too.
    Damage,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The segment.
    pub segment: SegmentId,
    /// Where it starts.
    pub offset: u64,
    /// The way there led around the end.
    pub wrapped: bool,
}

/// Looks for the next or, backwards, the previous one after a place. `progress` is told bytes done and in all, and may
/// stop it; then nothing is found, and neither is it if the place itself is the only one.
pub fn seek(
    store: &Store,
    (segment, offset): (SegmentId, u64),
    forward: bool,
    sought: &Sought,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Option<Found>> {
    let mut ids: Vec<SegmentId> = store.segments().iter().map(|info| info.id).chain(store.unloaded()).collect();
    ids.sort_unstable();
    let here = ids.iter().position(|id| *id == segment).unwrap_or(0);
    let steps = if forward { turn(&ids, here, 1) } else { turn(&ids, here, ids.len().saturating_sub(1)) };
    let bytes = store.segments().iter().map(|info| info.bytes).sum();
    let mut walk = Seek { store, sought, forward, progress, done: 0, bytes };
    for (nth, id) in steps.enumerate() {
        // The segment that it starts in comes first, from the place on, and last, up to the place.
        let place = (id == segment).then_some(offset);
        let is_last = nth == ids.len();
        let within = match (place, forward != is_last) {
            (None, _) => Within { after: None, before: None },
            (Some(offset), true) => Within { after: Some(offset), before: None },
            (Some(offset), false) => Within { after: None, before: Some(offset) },
        };
        match walk.segment(id, &within)? {
            ControlFlow::Break(()) => return Ok(None),
            ControlFlow::Continue(None) => {}
            ControlFlow::Continue(Some(offset)) => {
                let came_around = if forward { id < segment } else { id > segment };
                return Ok(Some(Found { segment: id, offset, wrapped: is_last || came_around }));
            }
        }
    }
    Ok(None)
}

/// Every segment once from `here` on in steps of `step`, and the first one again.
fn turn(ids: &[SegmentId], here: usize, step: usize) -> impl Iterator<Item = SegmentId> {
    (0..=ids.len()).filter_map(move |nth| ids.get((here + nth * step) % ids.len().max(1)).copied())
}

/// A part of a segment, without its ends.
struct Within {
    after: Option<u64>,
    before: Option<u64>,
}

impl Within {
    fn has(&self, offset: u64) -> bool {
        self.after.is_none_or(|after| offset > after) && self.before.is_none_or(|before| offset < before)
    }
}

struct Seek<'a> {
    store: &'a Store,
    sought: &'a Sought,
    forward: bool,
    progress: &'a mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    done: u64,
    bytes: u64,
}

impl Seek<'_> {
    /// The first that is there, or backwards the last one. `Break`: stopped.
    fn segment(&mut self, id: SegmentId, within: &Within) -> Result<ControlFlow<(), Option<u64>>> {
        let info = self.store.segments().into_iter().find(|info| info.id == id);
        let found = match info {
            Some(info) if self.cannot_be_in(&info) => {
                self.done += info.bytes;
                None
            }
            _ => match self.header(id, within)? {
                Some(header) if self.forward => Some(header),
                header => match self.walk(id, within)? {
                    ControlFlow::Break(()) => return Ok(ControlFlow::Break(())),
                    ControlFlow::Continue(found) => found.or(header),
                },
            },
        };
        match found {
            Some(_) => Ok(ControlFlow::Continue(found)),
            None => Ok((self.progress)(self.done, self.bytes).map_continue(|()| None)),
        }
    }

    /// The file header, if it is what is sought.
    fn header(&self, id: SegmentId, within: &Within) -> Result<Option<u64>> {
        if *self.sought != Sought::Damage || !within.has(0) {
            return Ok(None);
        }
        Ok(header_row(self.store, id)?.and_then(|row| row.check).map(|_| 0))
    }

    fn walk(&mut self, id: SegmentId, within: &Within) -> Result<ControlFlow<(), Option<u64>>> {
        // A place that is a boundary can be walked from; the row that starts there is passed over.
        let mut walk = self.store.walk(id, within.after.unwrap_or(0))?;
        if *self.sought != Sought::Damage {
            walk.scanner = walk.scanner.without_value_checks();
        }
        let mut found = None;
        let mut told = walk.scanner.position();
        loop {
            let at = walk.scanner.position();
            if at.saturating_sub(told) >= TELL && self.tell(at, &mut told).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            let item = walk.scanner.next_item().map_err(|e| Error::io_at("read", &walk.path, at, e))?;
            let Some(item) = item.filter(|item| within.before.is_none_or(|before| item.offset < before)) else { break };
            if within.has(item.offset) && self.is_it(&item) {
                found = Some(item.offset);
                if self.forward {
                    break;
                }
            }
        }
        let end = walk.scanner.position();
        self.done += end.saturating_sub(told);
        let is_torn = walk.torn_bytes > 0 && end == walk.scanner.stop() && within.has(end);
        let torn = (is_torn && *self.sought == Sought::Damage).then_some(end);
        Ok(ControlFlow::Continue(if self.forward { found.or(torn) } else { torn.or(found) }))
    }

    fn tell(&mut self, at: u64, told: &mut u64) -> ControlFlow<()> {
        self.done += at.saturating_sub(*told);
        *told = at;
        (self.progress)(self.done, self.bytes)
    }

    fn is_it(&self, item: &Item<'_>) -> bool {
        match (self.sought, &item.what) {
            (Sought::Damage, What::Gap(_)) => true,
            (Sought::Damage, What::Record(_, value)) => value.is_err(),
            (Sought::Tombstone, What::Record(record, _)) => record.kind == Kind::Tombstone,
            (Sought::Version(key), What::Record(record, _)) => record.kind != Kind::Mark && record.key == key,
            (Sought::Tombstone | Sought::Version(_), What::Gap(_)) => false,
        }
    }

    /// Whether the segment need not be read.
    fn cannot_be_in(&self, info: &SegmentInfo) -> bool {
        match self.sought {
            Sought::Damage => false,
            Sought::Tombstone => info.tombstones == 0,
            // A hint that opening believed, of all that the segment holds.
            Sought::Version(key) => info.has_hint && self.store.hint_denies(info.id, key),
        }
    }
}
