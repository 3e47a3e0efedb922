//! A segment as a strip: how many bytes of each state lie in each stretch of the file, so that a screen can show at a
//! glance where the dead bytes are.
//!
//! It must not know cells or glyphs. Two ways lead to a strip: an *outline* comes from the keydir and the findings alone,
//! without a look at the disk, and cannot tell tombstones from other dead bytes; a walk over the records can. Afterwards
//! a strip is kept up to date by what the engine tells, one record at a time. Keeps: at most [`BUCKETS`] buckets, 8 KiB,
//! whatever the file's length.

use std::collections::BTreeMap;
use std::ops::Range;

use super::records::{RecordRow, RowState, records};
use crate::error::Result;
use crate::format::SegmentId;
use crate::store::{FindingKind, Severity, Store};

/// Buckets that a strip has at most.
pub const BUCKETS: usize = 256;

/// Bytes by state, in the order of [`STATES`].
type Bucket = [u32; STATES.len()];

/// What a byte of a strip can be.
pub const STATES: [RowState; 8] = [
    RowState::Live,
    RowState::Superseded,
    RowState::Tombstone,
    RowState::Expired,
    RowState::Mark,
    RowState::Damaged,
    RowState::Torn,
    RowState::Unknown,
];

/// A segment in buckets of equal length, a power of two bytes each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripMap {
    grain: u64,
    buckets: Vec<Bucket>,
    len: u64,
    /// Where a torn tail begins.
    torn: Option<u64>,
}

impl Default for StripMap {
    fn default() -> Self {
        Self { grain: 1, buckets: Vec::new(), len: 0, torn: None }
    }
}

impl StripMap {
    /// Bytes of the file up to the end of the last stretch that was added.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was added yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a stretch of the file.
    pub fn add(&mut self, offset: u64, len: u64, state: RowState) {
        let end = offset.saturating_add(len);
        self.len = self.len.max(end);
        if state == RowState::Torn {
            self.torn = Some(self.torn.unwrap_or(offset).min(offset));
        }
        while self.len > self.grain.saturating_mul(BUCKETS as u64) {
            self.coarsen();
        }
        let needed = usize::try_from(self.len.div_ceil(self.grain)).unwrap_or(BUCKETS).min(BUCKETS);
        self.buckets.resize(needed.max(self.buckets.len()), Bucket::default());
        self.each_part(offset..end, |bucket, bytes| {
            if let Some(count) = bucket.get_mut(place(state)) {
                *count = count.saturating_add(bytes);
            }
        });
    }

    /// A record was appended. What was there of it already when the strip was made lies in it as torn; a record that was
    /// there whole is not counted twice.
    pub fn append(&mut self, offset: u64, len: u64, state: RowState) {
        let (end, known) = (offset.saturating_add(len), self.len);
        if let Some(torn) = self.torn.filter(|torn| offset >= *torn) {
            // What lies before it was missed, and is whole by now: nothing is appended behind a torn tail.
            self.turn(torn, offset - torn, RowState::Torn, RowState::Superseded);
            self.turn(offset, end.min(known).saturating_sub(offset), RowState::Torn, state);
            self.torn = (end < known).then_some(end);
        }
        if end > known {
            let from = offset.max(known);
            self.add(from, end - from, state);
        }
    }

    /// A stretch that was `from` is `to` now.
    pub fn turn(&mut self, offset: u64, len: u64, from: RowState, to: RowState) {
        self.each_part(offset..offset.saturating_add(len), |bucket, bytes| {
            let Some(count) = bucket.get_mut(place(from)) else { return };
            // A walk may have seen the new state already.
            let bytes = bytes.min(*count);
            *count -= bytes;
            if let Some(count) = bucket.get_mut(place(to)) {
                *count = count.saturating_add(bytes);
            }
        });
    }

    /// Each bucket that the range touches, and how many bytes of it.
    fn each_part(&mut self, range: Range<u64>, mut visit: impl FnMut(&mut Bucket, u32)) {
        let mut at = range.start;
        while at < range.end {
            let number = at / self.grain;
            let end = number.saturating_add(1).saturating_mul(self.grain).min(range.end);
            let Some(bucket) = usize::try_from(number).ok().and_then(|number| self.buckets.get_mut(number)) else {
                return;
            };
            visit(bucket, u32::try_from(end - at).unwrap_or(u32::MAX));
            at = end;
        }
    }

    /// Makes one bucket of two.
    fn coarsen(&mut self) {
        self.grain = self.grain.saturating_mul(2);
        let sum = |pair: &[Bucket]| {
            let mut sum = Bucket::default();
            for (total, count) in pair.iter().flat_map(|bucket| bucket.iter().enumerate()) {
                if let Some(slot) = sum.get_mut(total) {
                    *slot = slot.saturating_add(*count);
                }
            }
            sum
        };
        self.buckets = self.buckets.chunks(2).map(sum).collect();
    }

    /// The stretch of the file that cell `cell` of `cells` stands for.
    pub fn stretch(&self, cell: usize, cells: usize) -> Range<u64> {
        let at = |cell: usize| {
            let at = u128::from(self.len) * cell as u128 / cells.max(1) as u128;
            u64::try_from(at).unwrap_or(u64::MAX)
        };
        at(cell)..at(cell.saturating_add(1)).max(at(cell).saturating_add(1))
    }

    /// What to show in each of `cells` cells.
    pub fn cells(&self, cells: usize) -> impl Iterator<Item = RowState> + '_ {
        (0..cells).map(move |cell| self.state_of(self.stretch(cell, cells)))
    }

    /// Any damage shows, however small; else a share of a tenth lets tombstones show beside dead bytes, which they are
    /// always fewer than.
    fn state_of(&self, range: Range<u64>) -> RowState {
        let from = usize::try_from(range.start / self.grain).unwrap_or(usize::MAX);
        let to = usize::try_from(range.end.div_ceil(self.grain)).unwrap_or(usize::MAX);
        let mut sums = [0u64; STATES.len()];
        for bucket in self.buckets.get(from..to.min(self.buckets.len())).unwrap_or_default() {
            sums.iter_mut().zip(bucket).for_each(|(sum, count)| *sum += u64::from(*count));
        }
        let bytes = |state| sums.get(place(state)).copied().unwrap_or(0);
        let all: u64 = sums.iter().sum();
        if let Some(bad) = [RowState::Damaged, RowState::Torn].into_iter().find(|state| bytes(*state) > 0) {
            return bad;
        }
        if bytes(RowState::Live) * 2 < all && bytes(RowState::Tombstone) * 10 >= all {
            return RowState::Tombstone;
        }
        let most = STATES.into_iter().rev().max_by_key(|state| bytes(*state));
        most.filter(|_| all > 0).unwrap_or(RowState::Mark)
    }

    /// Bytes in one state.
    pub fn bytes(&self, state: RowState) -> u64 {
        self.buckets.iter().filter_map(|bucket| bucket.get(place(state))).map(|count| u64::from(*count)).sum()
    }
}

fn place(state: RowState) -> usize {
    STATES.iter().position(|each| *each == state).unwrap_or(0)
}

/// Strips from the keydir and the findings alone. Reads nothing from the disk; visits every key once.
pub fn outlines(store: &Store, wanted: &[SegmentId]) -> BTreeMap<SegmentId, StripMap> {
    let mut strips = BTreeMap::new();
    for segment in store.segments().into_iter().filter(|segment| wanted.contains(&segment.id)) {
        let header = store.file_header(segment.id).map_or(0, |header| header.len);
        let mut strip = StripMap::default();
        strip.add(0, header, RowState::Mark);
        strip.add(header, segment.bytes.saturating_sub(header), RowState::Superseded);
        strips.insert(segment.id, strip);
    }
    store.key_parts().visit_all(|_, entry| {
        let at = entry.location;
        if let Some(strip) = strips.get_mut(&at.segment) {
            strip.turn(at.offset, at.len, RowState::Superseded, RowState::Live);
        }
    });
    for finding in store.findings() {
        let state = match (finding.kind, finding.severity) {
            (FindingKind::TornTail, _) => RowState::Torn,
            (_, Severity::Damage) => RowState::Damaged,
            _ => continue,
        };
        let strip = finding.segment.and_then(|id| strips.get_mut(&id));
        if let (Some(strip), Some(offset), Some(len)) = (strip, finding.offset, finding.len) {
            match state {
                RowState::Torn => strip.add(offset, len, state),
                _ => strip.turn(offset, len, RowState::Superseded, state),
            }
        }
    }
    strips
}

/// A strip from a walk over all records of a segment; `damaged` is told of each row that does not hold. `None`: `stop`
/// said so, which is asked now and then.
pub fn strip(
    store: &Store,
    segment: SegmentId,
    stop: &dyn Fn() -> bool,
    damaged: &mut dyn FnMut(&RecordRow),
) -> Result<Option<StripMap>> {
    let mut strip = StripMap::default();
    strip.add(0, store.file_header(segment)?.len, RowState::Mark);
    for (number, row) in records(store, segment, 0)?.enumerate() {
        if number.is_multiple_of(1 << 10) && stop() {
            return Ok(None);
        }
        let row = row?;
        strip.add(row.offset, row.len, row.state);
        if row.state == RowState::Damaged {
            damaged(&row);
        }
    }
    Ok(Some(strip))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::disk::sim::SimDisk;
    use crate::store::Options;

    #[test]
    fn a_cell_shows_what_most_of_its_bytes_are_and_any_damage() {
        let mut strip = StripMap::default();
        strip.add(0, 1000, RowState::Live);
        strip.add(1000, 1000, RowState::Superseded);
        strip.turn(1990, 2, RowState::Superseded, RowState::Damaged);
        strip.add(2000, 900, RowState::Superseded);
        strip.add(2900, 100, RowState::Tombstone);
        let shown: Vec<_> = strip.cells(6).collect();
        use RowState::{Damaged, Live, Superseded, Tombstone};
        assert_eq!(shown, [Live, Live, Superseded, Damaged, Superseded, Tombstone]);
        assert_eq!((strip.stretch(3, 6), strip.bytes(Damaged)), (1500..2000, 2));
    }

    /// A strip that was made while a writer was in the midst of a record showed it as torn for ever.
    #[test]
    fn a_tail_that_was_torn_is_whole_when_its_record_is_there() {
        let mut strip = StripMap::default();
        strip.add(0, 100, RowState::Live);
        strip.add(100, 30, RowState::Torn);
        strip.append(100, 50, RowState::Superseded);
        strip.append(150, 50, RowState::Tombstone);
        let bytes =
            [RowState::Live, RowState::Torn, RowState::Superseded, RowState::Tombstone].map(|at| strip.bytes(at));
        assert_eq!((bytes, strip.len()), ([100, 0, 50, 50], 200));
    }

    #[test]
    fn what_follows_a_torn_tail_tells_that_it_is_whole() {
        let mut strip = StripMap::default();
        strip.add(0, 30, RowState::Torn);
        strip.append(50, 50, RowState::Tombstone);
        assert_eq!((strip.bytes(RowState::Torn), strip.bytes(RowState::Tombstone)), (0, 50));
    }

    #[test]
    fn a_torn_tail_stays_when_what_is_told_lies_before_it() {
        let mut strip = StripMap::default();
        strip.add(0, 100, RowState::Live);
        strip.add(100, 130, RowState::Torn);
        strip.append(0, 100, RowState::Superseded);
        assert_eq!((strip.bytes(RowState::Live), strip.bytes(RowState::Torn)), (100, 130));
        // Two records lay in it.
        strip.append(100, 60, RowState::Superseded);
        assert_eq!(strip.bytes(RowState::Torn), 70);
        strip.append(160, 70, RowState::Superseded);
        assert_eq!((strip.bytes(RowState::Torn), strip.bytes(RowState::Superseded), strip.len()), (0, 130, 230));
    }

    #[test]
    fn a_record_that_is_superseded_changes_its_own_cell_alone() {
        let mut strip = StripMap::default();
        (0..10).for_each(|record| strip.add(record * 100, 100, RowState::Live));
        let before: Vec<_> = strip.cells(10).collect();
        strip.turn(300, 100, RowState::Live, RowState::Superseded);
        let after: Vec<_> = strip.cells(10).collect();
        let changed: Vec<_> = (0..10).filter(|cell| before.get(*cell) != after.get(*cell)).collect();
        assert_eq!(changed, [3]);
    }

    #[test]
    fn an_outline_is_the_walk_but_for_tombstones() {
        let options = Options { create: true, max_segment_bytes: 500, ..Options::default() };
        let store = Store::open_on(Arc::new(SimDisk::new()), Path::new("data"), options).unwrap();
        for n in 0..40 {
            store.put(&[n % 7], &[n; 20]).unwrap();
        }
        store.delete(&[3]).unwrap();
        let ids: Vec<_> = store.segments().iter().map(|segment| segment.id).collect();
        let outlines = outlines(&store, &ids);
        assert!(ids.len() > 2);
        for id in ids {
            let walked = strip(&store, id, &|| false, &mut |_| {}).unwrap().unwrap();
            let outline = outlines.get(&id).unwrap();
            assert_eq!(outline.len(), walked.len());
            assert_eq!(outline.bytes(RowState::Live), walked.bytes(RowState::Live));
            let dead = |strip: &StripMap| strip.bytes(RowState::Superseded) + strip.bytes(RowState::Tombstone);
            assert_eq!(dead(outline), dead(&walked));
        }
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_however_a_strip_grows(
            stretches in proptest::collection::vec((1..5_000u64, 0..8_usize), 1..200), cells in 1..120_usize,
        ) {
            let mut strip = StripMap::default();
            let mut at = 0;
            for (len, state) in stretches {
                strip.add(at, len, STATES.get(state).copied().unwrap_or(RowState::Live));
                at += len;
            }
            prop_assert!(strip.buckets.len() <= BUCKETS);
            let all: u64 = STATES.iter().map(|state| strip.bytes(*state)).sum();
            prop_assert_eq!((all, strip.len()), (at, at));
            prop_assert_eq!(strip.cells(cells).count(), cells);
        }
    }
}
