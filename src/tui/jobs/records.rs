//! The record lists of segments, and windows of them.
//!
//! A segment is walked once; what stays is the offset of every 256th row, so that twenty million records cost 600 KiB.
//! Any window is then read from the mark before it. A segment that grew is walked on from its last mark. Invariant: a
//! mark is an offset at which a row began, and its number is the number of rows before it.

use std::collections::HashMap;

use crate::error::Result;
use crate::format::SegmentId;
use crate::inspect::{RecordRow, records_from};
use crate::store::Store;
use crate::tui::action::RecordsSeen;
use crate::tui::effect::{RecordPlace, RecordsWanted};
use crate::tui::list::window_around;

/// Rows from one mark to the next.
const STRIDE: usize = 256;

/// What is known of the segments walked so far.
#[derive(Default)]
pub(super) struct RecordIndex {
    segments: HashMap<SegmentId, Marks>,
}

/// The marks of one segment.
#[derive(Debug)]
struct Marks {
    /// Mark `i` is where row `i * STRIDE` begins.
    offsets: Vec<u64>,
    /// Rows walked so far.
    rows: usize,
    /// The generation at which the walk came to the end.
    whole_at: Option<u64>,
}

impl Default for Marks {
    fn default() -> Self {
        Self { offsets: vec![0], rows: 0, whole_at: None }
    }
}

/// What a walk needs to know of the world.
struct Walker<'a> {
    store: &'a Store,
    segment: SegmentId,
    generation: u64,
    overtaken: &'a dyn Fn() -> bool,
    walking: &'a dyn Fn(u64, u64),
}

impl RecordIndex {
    /// The rows around a place. `None`: overtaken.
    pub(super) fn window(
        &mut self,
        store: &Store,
        wanted: RecordsWanted,
        generation: u64,
        overtaken: &dyn Fn() -> bool,
        walking: &dyn Fn(u64, u64),
    ) -> Result<Option<RecordsSeen>> {
        self.forget_vanished(store);
        let walker = Walker { store, segment: wanted.segment, generation, overtaken, walking };
        let marks = self.segments.entry(wanted.segment).or_default();
        // The whole length is needed for the scroll bar and for the last row, and it is walked only once.
        if !walker.walk_to_end(marks)? {
            return Ok(None);
        }
        let place = match &wanted.at {
            RecordPlace::Row(row) => Some(*row),
            RecordPlace::Offset(offset) => walker.row_at(marks, *offset)?,
            RecordPlace::Version { key, row, forward } => walker.version(marks, key, *row, *forward)?,
        };
        let Some(place) = place else { return Ok(None) };
        let place = place.min(marks.rows.saturating_sub(1));
        let range = window_around(place, wanted.rows, marks.rows);
        let rows = walker.rows_from(marks, range.start)?.take(range.len()).collect::<Result<Vec<_>>>()?;
        Ok(Some(RecordsSeen { generation, total: marks.rows, from: range.start, rows, place, wanted }))
    }

    fn forget_vanished(&mut self, store: &Store) {
        let segments = store.segments();
        self.segments.retain(|id, _| segments.iter().any(|segment| segment.id == *id));
    }
}

impl Walker<'_> {
    /// Counts the rows to the end of the file, from the last mark on. `false`: overtaken.
    fn walk_to_end(&self, marks: &mut Marks) -> Result<bool> {
        if marks.whole_at == Some(self.generation) {
            return Ok(true);
        }
        let bytes = self.store.segments().iter().find(|s| s.id == self.segment).map_or(0, |s| s.bytes);
        let from = marks.offsets.last().copied().unwrap_or(0);
        marks.rows = marks.offsets.len().saturating_sub(1) * STRIDE;
        for row in records_from(self.store, self.segment, from)? {
            let offset = row?.offset;
            if marks.rows > 0 && marks.rows.is_multiple_of(STRIDE) && marks.rows / STRIDE == marks.offsets.len() {
                marks.offsets.push(offset);
                if (self.overtaken)() {
                    return Ok(false);
                }
                if marks.offsets.len().is_multiple_of(1 << 10) {
                    (self.walking)(offset, bytes);
                }
            }
            marks.rows += 1;
        }
        marks.whole_at = Some(self.generation);
        Ok(true)
    }

    /// The rows from number `row` on.
    fn rows_from(&self, marks: &Marks, row: usize) -> Result<impl Iterator<Item = Result<RecordRow>>> {
        let mark = (row / STRIDE).min(marks.offsets.len().saturating_sub(1));
        let offset = marks.offsets.get(mark).copied().unwrap_or(0);
        Ok(records_from(self.store, self.segment, offset)?.skip(row - mark * STRIDE))
    }

    /// The number of the row that begins at, or else first after, an offset.
    fn row_at(&self, marks: &Marks, offset: u64) -> Result<Option<usize>> {
        let mark = marks.offsets.partition_point(|mark| *mark <= offset).saturating_sub(1);
        let mut row = mark * STRIDE;
        for each in self.rows_from(marks, row)? {
            if each?.offset >= offset {
                break;
            }
            row += 1;
        }
        Ok(Some(row))
    }

    /// The number of the next or previous row of a key, or of the row itself. `None`: overtaken.
    fn version(&self, marks: &Marks, key: &[u8], row: usize, forward: bool) -> Result<Option<usize>> {
        let first = if forward { row + 1 } else { 0 };
        let mut last_found = row;
        for (at, each) in (first..).zip(self.rows_from(marks, first)?) {
            if !forward && at >= row {
                break;
            }
            if at.is_multiple_of(STRIDE) && (self.overtaken)() {
                return Ok(None);
            }
            if each?.key.as_deref() == Some(key) {
                last_found = at;
                if forward {
                    break;
                }
            }
        }
        Ok(Some(last_found))
    }
}
