//! The record lists of segments, and windows of them.
//!
//! What can be shown is shown at once: a window at a place that the marks reach, or one that begins at a record whose
//! place is known otherwise, without row numbers. Then the segment is walked on, so that numbers and the length of the
//! list become known; whoever looks elsewhere ends that, and the next look goes on with it. Values are not read for
//! counting, where the format allows that. Memory: the marks (see [`super::marks`]) of every segment looked at, and one
//! window. Invariant: the rows of a window are those that a walk from the first record gives.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use parking_lot::Mutex;

use super::marks::{Mark, Marks, is_near, walk_on};
use crate::error::Result;
use crate::format::SegmentId;
use crate::inspect::{RecordRow, RowKind, RowState, boundaries, header_row, records_from};
use crate::store::Store;
use crate::tui::action::{Arrived, RecordsSeen};
use crate::tui::effect::{RecordPlace, RecordsWanted};
use crate::tui::list::window_around;

/// Bytes of a walk between two words on how far it has come.
const TELL: u64 = 8 << 20;

/// What is known of the segments walked so far.
#[derive(Default)]
pub(super) struct RecordIndex {
    segments: Mutex<HashMap<SegmentId, Known>>,
}

/// The marks of one file; the salt tells it from another of its name.
struct Known {
    salt: u32,
    marks: Arc<Mutex<Marks>>,
}

/// Who looks.
pub(super) struct Look<'a> {
    /// The state of the store that is looked at.
    pub(super) generation: u64,
    /// Whether nobody waits for it any more.
    pub(super) overtaken: &'a dyn Fn() -> bool,
    /// Where answers go.
    pub(super) answer: &'a dyn Fn(Arrived),
}

impl RecordIndex {
    /// Answers with the rows around a place as soon as that can be done, and again once the whole list is counted.
    pub(super) fn look(&self, store: &Store, wanted: &RecordsWanted, look: &Look<'_>) -> Result<()> {
        let list = self.list(store, wanted.segment)?;
        if is_near(&list.marks.lock(), list.end) {
            list.walk(&mut |_| Ok(ControlFlow::Continue(())))?;
        }
        let tell = |seen: Option<RecordsSeen>| match seen {
            Some(seen) => {
                let (is_numbered, is_counted) = (seen.is_numbered, seen.is_counted);
                (look.answer)(Arrived::Records(seen));
                (is_numbered, is_counted)
            }
            None => (false, false),
        };
        let (mut is_numbered, is_counted) = tell(list.at_hand(wanted, look.generation)?);
        if is_counted {
            return Ok(());
        }
        let mut told = 0;
        let is_whole = list.walk(&mut |come| {
            if (look.overtaken)() {
                return Ok(ControlFlow::Break(()));
            }
            if !is_numbered && list.reaches(&wanted.at) {
                is_numbered = tell(list.at_hand(wanted, look.generation)?).0;
            }
            if come.offset.saturating_sub(told) >= TELL {
                told = come.offset;
                let Mark { row: rows, offset: done } = come;
                (look.answer)(Arrived::Counting { segment: wanted.segment, rows, done, total: list.end });
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if is_whole {
            tell(list.at_hand(wanted, look.generation)?);
        }
        Ok(())
    }

    /// The rows around a place, if they are at hand; nothing is waited for.
    pub(super) fn now(&self, store: &Store, wanted: &RecordsWanted, generation: u64) -> Result<Option<RecordsSeen>> {
        let list = self.list(store, wanted.segment)?;
        if is_near(&list.marks.lock(), list.end) {
            list.walk(&mut |_| Ok(ControlFlow::Continue(())))?;
        }
        list.at_hand(wanted, generation)
    }

    fn list<'a>(&self, store: &'a Store, segment: SegmentId) -> Result<List<'a>> {
        let header = store.file_header(segment)?;
        let end = boundaries(store, segment, 0)?.end();
        let head = header_row(store, segment)?;
        let first = Mark { row: usize::from(head.is_some()), offset: header.len };
        let existing = store.segments();
        let mut segments = self.segments.lock();
        segments.retain(|id, _| *id == segment || existing.iter().any(|info| info.id == *id));
        let known = segments.get(&segment).filter(|known| known.salt == header.salt);
        let marks = known.map(|known| Arc::clone(&known.marks)).filter(|marks| !marks.lock().is_beyond(end));
        let marks = marks.unwrap_or_else(|| Arc::new(Mutex::new(Marks::new(first))));
        segments.insert(segment, Known { salt: header.salt, marks: Arc::clone(&marks) });
        Ok(List { store, segment, head, marks, end })
    }
}

/// The rows of one segment as of now.
struct List<'a> {
    store: &'a Store,
    segment: SegmentId,
    /// The file header.
    head: Option<RecordRow>,
    marks: Arc<Mutex<Marks>>,
    /// Where the last row ends.
    end: u64,
}

impl List<'_> {
    fn walk(&self, come: &mut dyn FnMut(Mark) -> Result<ControlFlow<()>>) -> Result<bool> {
        if self.marks.lock().whole_at(self.end).is_some() {
            return Ok(true);
        }
        walk_on(&self.marks, |from| boundaries(self.store, self.segment, from), come)
    }

    /// Whether the marks lead to a place.
    fn reaches(&self, place: &RecordPlace) -> bool {
        let marks = self.marks.lock();
        let is_whole = marks.whole_at(self.end).is_some();
        is_whole
            || match place {
                RecordPlace::Row(row) => *row <= marks.last().row,
                RecordPlace::Offset(offset) => *offset <= marks.last().offset,
                RecordPlace::Last => false,
            }
    }

    fn at_hand(&self, wanted: &RecordsWanted, generation: u64) -> Result<Option<RecordsSeen>> {
        if self.reaches(&wanted.at) {
            return self.numbered(wanted, generation).map(Some);
        }
        match wanted.at {
            RecordPlace::Offset(offset) => self.unnumbered(wanted, offset, generation),
            RecordPlace::Row(_) | RecordPlace::Last => Ok(None),
        }
    }

    fn numbered(&self, wanted: &RecordsWanted, generation: u64) -> Result<RecordsSeen> {
        let counted = self.marks.lock().whole_at(self.end);
        let place = match wanted.at {
            RecordPlace::Row(row) => row,
            RecordPlace::Offset(offset) => self.row_at(offset)?,
            RecordPlace::Last => usize::MAX,
        };
        let (place, from) = match counted {
            Some(total) => {
                let place = place.min(total.saturating_sub(1));
                (place, window_around(place, wanted.rows, total).start)
            }
            None => (place, place.saturating_sub(wanted.rows / 2)),
        };
        let rows = self.rows(from, wanted.rows)?;
        let total = counted.unwrap_or_else(|| self.marks.lock().rows(self.end).max(from + rows.len()));
        let (is_counted, has_header, wanted) = (counted.is_some(), self.head.is_some(), wanted.clone());
        Ok(RecordsSeen { wanted, generation, total, from, rows, place, is_numbered: true, is_counted, has_header })
    }

    /// The rows from a place on that nobody has counted up to: only if a record begins there beyond doubt.
    fn unnumbered(&self, wanted: &RecordsWanted, offset: u64, generation: u64) -> Result<Option<RecordsSeen>> {
        let rows = records_from(self.store, self.segment, offset)?.take(wanted.rows).collect::<Result<Vec<_>>>()?;
        let has_checksum = self.store.format().format().has_checksum();
        let is_sure = |row: &RecordRow| {
            matches!(row.kind, RowKind::Record(_))
                && row.check.is_none()
                && (has_checksum || row.state == RowState::Live)
        };
        if !rows.first().is_some_and(is_sure) {
            return Ok(None);
        }
        let (total, wanted) = (rows.len(), wanted.clone());
        Ok(Some(RecordsSeen {
            wanted,
            generation,
            total,
            from: 0,
            rows,
            place: 0,
            is_numbered: false,
            is_counted: false,
            has_header: self.head.is_some(),
        }))
    }

    /// So many rows from number `from` on.
    fn rows(&self, from: usize, most: usize) -> Result<Vec<RecordRow>> {
        let mut rows: Vec<RecordRow> = self.head.iter().skip(from).take(most).cloned().collect();
        let mark = self.marks.lock().before_row(from);
        let mut skipped = boundaries(self.store, self.segment, mark.offset)?.skip(from.saturating_sub(mark.row));
        let Some(first) = skipped.next().transpose()? else { return Ok(rows) };
        for row in records_from(self.store, self.segment, first.start)?.take(most.saturating_sub(rows.len())) {
            rows.push(row?);
        }
        Ok(rows)
    }

    /// The number of the row that the byte at `offset` belongs to; the last one's, where the file is shorter.
    fn row_at(&self, offset: u64) -> Result<usize> {
        let mark = self.marks.lock().before_offset(offset);
        if offset < mark.offset {
            return Ok(0);
        }
        let mut row = mark.row;
        for range in boundaries(self.store, self.segment, mark.offset)? {
            if range?.end > offset {
                return Ok(row);
            }
            row += 1;
        }
        Ok(row.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests;
