//! The record lists of segments, and windows of them.
//!
//! What can be shown is shown at once: a window at a place that the marks reach, or one that begins at a record whose
//! place is known otherwise, without row numbers. Then the segment is walked on, so that numbers and the length of the
//! list become known; whoever looks elsewhere ends that, and the next look goes on with it. Values are not read for
//! counting, where the format allows that, and long ones not for the first answer either. Memory: the marks (see [`super::marks`]) of every segment looked at, and one
//! window. Invariant: the rows of a window are those that a walk from the first record gives.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use parking_lot::Mutex;

use super::marks::{Mark, Marks, is_near, walk_on};
use crate::error::Result;
use crate::format::SegmentId;
use crate::inspect::{
    CrcState, RecordRow, Records, RowKind, RowState, boundaries, header_row, records_from, records_unread,
};
use crate::store::Store;
use crate::tui::action::{Arrived, RecordsSeen};
use crate::tui::effect::{RecordPlace, RecordsWanted};
use crate::tui::list::window_around;

/// Bytes of a walk between two words on how far it has come.
const TELL: u64 = 8 << 20;

/// Bytes of records from which on somebody could wait for their values to be checked.
const LONG: u64 = 8 << 20;

/// How rows are read: with a look at the values, or without.
type Read = fn(&Store, SegmentId, u64) -> Result<Records<'_>>;

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
        let mut list = self.list(store, wanted.segment)?;
        list.walk_if_near()?;
        let mut told = list.tell(wanted, look)?;
        if told.as_ref().is_some_and(|seen| seen.is_counted) {
            return Ok(());
        }
        let mut told_at = 0;
        let is_whole = list.walk(&mut |come| {
            if (look.overtaken)() {
                return Ok(ControlFlow::Break(()));
            }
            if told.as_ref().is_none_or(|seen| !seen.is_numbered) && list.reaches(&wanted.at) {
                told = list.tell(wanted, look)?;
            }
            if come.offset.saturating_sub(told_at) >= TELL {
                told_at = come.offset;
                let Mark { row: rows, offset: done } = come;
                (look.answer)(Arrived::Counting { segment: wanted.segment, rows, done, total: list.end });
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if !is_whole {
            return Ok(());
        }
        list.grow();
        // What was told needs no second reading, if there is nothing new but how long the list is.
        match told.and_then(|seen| list.whole(seen)) {
            Some(seen) => (look.answer)(Arrived::Records(seen)),
            None => drop(list.tell(wanted, look)?),
        }
        Ok(())
    }

    /// The rows around a place, if they are at hand; nothing is waited for.
    pub(super) fn now(&self, store: &Store, wanted: &RecordsWanted, generation: u64) -> Result<Option<RecordsSeen>> {
        let mut list = self.list(store, wanted.segment)?;
        list.walk_if_near()?;
        let look = Look { generation, overtaken: &|| false, answer: &|_| {} };
        match list.at_hand(wanted, &look, records_unread)? {
            Some(seen) if list.is_long(&seen) => Ok(Some(seen)),
            _ => list.at_hand(wanted, &look, records_from),
        }
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
    /// What takes no time is done before anything is answered.
    fn walk_if_near(&mut self) -> Result<()> {
        if is_near(&self.marks.lock(), self.end) {
            self.walk(&mut |_| Ok(ControlFlow::Continue(())))?;
            self.grow();
        }
        Ok(())
    }

    /// The file may have grown while it was walked.
    fn grow(&mut self) {
        self.end = self.marks.lock().end().map_or(self.end, |end| end.max(self.end));
    }

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

    /// Answers with what is at hand, first without a look at the values if they are long. Says what the last answer was.
    fn tell(&self, wanted: &RecordsWanted, look: &Look<'_>) -> Result<Option<RecordsSeen>> {
        if let Some(seen) = self.at_hand(wanted, look, records_unread)?.filter(|seen| self.is_long(seen)) {
            (look.answer)(Arrived::Records(seen));
        }
        let seen = self.at_hand(wanted, look, records_from)?;
        if let Some(seen) = &seen {
            (look.answer)(Arrived::Records(seen.clone()));
        }
        Ok(seen)
    }

    /// A window with the length of the list that is counted by now; `None` if it would have to be another window.
    fn whole(&self, seen: RecordsSeen) -> Option<RecordsSeen> {
        let total = self.marks.lock().whole_at(self.end)?;
        let end = seen.from.saturating_add(seen.rows.len());
        let is_full = seen.rows.len() == seen.wanted.rows || end == total;
        (seen.is_numbered && is_full && end <= total).then_some(RecordsSeen { total, is_counted: true, ..seen })
    }

    /// Whether checking the values of these rows takes so long that somebody could wait for it.
    fn is_long(&self, seen: &RecordsSeen) -> bool {
        let bytes = seen.rows.iter().map(|row| row.len).fold(0, u64::saturating_add);
        bytes > LONG && seen.rows.iter().any(|row| row.crc == CrcState::Unread)
    }

    /// `None`: not at hand, or overtaken.
    fn at_hand(&self, wanted: &RecordsWanted, look: &Look<'_>, read: Read) -> Result<Option<RecordsSeen>> {
        if self.reaches(&wanted.at) {
            return self.numbered(wanted, look, read);
        }
        match wanted.at {
            RecordPlace::Offset(offset) => self.unnumbered(wanted, offset, look, read),
            RecordPlace::Row(_) | RecordPlace::Last => Ok(None),
        }
    }

    fn numbered(&self, wanted: &RecordsWanted, look: &Look<'_>, read: Read) -> Result<Option<RecordsSeen>> {
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
        let Some(rows) = self.rows(from, wanted.rows, look, read)? else { return Ok(None) };
        let total = counted.unwrap_or_else(|| self.marks.lock().rows(self.end).max(from + rows.len()));
        let (is_counted, has_header, wanted) = (counted.is_some(), self.head.is_some(), wanted.clone());
        let generation = look.generation;
        Ok(Some(RecordsSeen {
            wanted,
            generation,
            total,
            from,
            rows,
            place,
            is_numbered: true,
            is_counted,
            has_header,
        }))
    }

    /// The rows from a place on that nobody has counted up to: only if a record begins there beyond doubt.
    fn unnumbered(
        &self,
        wanted: &RecordsWanted,
        offset: u64,
        look: &Look<'_>,
        read: Read,
    ) -> Result<Option<RecordsSeen>> {
        let Some(rows) = taken(read(self.store, self.segment, offset)?, wanted.rows, look)? else { return Ok(None) };
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
            generation: look.generation,
            total,
            from: 0,
            rows,
            place: 0,
            is_numbered: false,
            is_counted: false,
            has_header: self.head.is_some(),
        }))
    }

    /// So many rows from number `from` on. `None`: overtaken.
    fn rows(&self, from: usize, most: usize, look: &Look<'_>, read: Read) -> Result<Option<Vec<RecordRow>>> {
        let mut rows: Vec<RecordRow> = self.head.iter().skip(from).take(most).cloned().collect();
        let mark = self.marks.lock().before_row(from);
        let mut skipped = boundaries(self.store, self.segment, mark.offset)?.skip(from.saturating_sub(mark.row));
        let Some(first) = skipped.next().transpose()? else { return Ok(Some(rows)) };
        let more = taken(read(self.store, self.segment, first.start)?, most.saturating_sub(rows.len()), look)?;
        Ok(more.map(|more| {
            rows.extend(more);
            rows
        }))
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

/// The first rows of a walk. `None`: overtaken.
fn taken(walk: Records<'_>, most: usize, look: &Look<'_>) -> Result<Option<Vec<RecordRow>>> {
    let mut rows = Vec::new();
    let mut bytes = 0u64;
    for row in walk.take(most) {
        let row = row?;
        bytes = bytes.saturating_add(row.len);
        rows.push(row);
        if bytes >= LONG {
            bytes = 0;
            if (look.overtaken)() {
                return Ok(None);
            }
        }
    }
    Ok(Some(rows))
}

#[cfg(test)]
mod tests;
