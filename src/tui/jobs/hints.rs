//! The rows of a hint file, and windows of them.
//!
//! As with records, what can be shown is shown before all rows are counted. The marks of the last hint looked at stay.
//! Invariant: the rows of a window are those that a walk from the start of the file gives.

use std::ops::ControlFlow;
use std::sync::Arc;

use parking_lot::Mutex;

use super::marks::{Mark, Marks, walk_on};
use super::records::Look;
use crate::error::Result;
use crate::format::SegmentId;
use crate::inspect::{HintFile, HintRow};
use crate::store::Store;
use crate::tui::action::{Arrived, HintsSeen};
use crate::tui::effect::{HintPlace, HintsWanted};
use crate::tui::list::window_around;

/// Bytes of a walk between two words on how far it has come.
const TELL: u64 = 8 << 20;

/// The marks of the hint file that was looked at last.
#[derive(Default)]
pub(super) struct HintIndex {
    known: Mutex<Option<Known>>,
}

struct Known {
    segment: SegmentId,
    len: u64,
    marks: Arc<Mutex<Marks>>,
}

impl HintIndex {
    /// Answers with the rows around a place, again once all of them are counted, and then with what the whole is worth.
    pub(super) fn look(&self, store: &Store, wanted: &HintsWanted, look: &Look<'_>) -> Result<()> {
        let Some(hint) = HintFile::open(store, wanted.segment)? else {
            (look.answer)(Arrived::Hints(nothing(wanted)));
            return Ok(());
        };
        let marks = self.marks(wanted.segment, hint.len());
        let rows = Rows { hint: &hint, marks: &marks, wanted, look };
        if !rows.is_counted() {
            rows.tell()?;
            if !rows.count()? {
                return Ok(());
            }
        }
        rows.tell()?;
        if let Some(standing) = hint.standing(look.overtaken)? {
            (look.answer)(Arrived::HintStanding { segment: wanted.segment, standing });
        }
        Ok(())
    }

    fn marks(&self, segment: SegmentId, len: u64) -> Arc<Mutex<Marks>> {
        let mut known = self.known.lock();
        if let Some(known) = known.as_ref().filter(|known| (known.segment, known.len) == (segment, len)) {
            return Arc::clone(&known.marks);
        }
        let marks = Arc::new(Mutex::new(Marks::new(Mark { row: 0, offset: 0 })));
        *known = Some(Known { segment, len, marks: Arc::clone(&marks) });
        marks
    }
}

fn nothing(wanted: &HintsWanted) -> HintsSeen {
    let (is_there, is_counted, rows) = (false, true, Vec::new());
    HintsSeen { wanted: wanted.clone(), is_there, total: 0, is_counted, from: 0, rows, place: 0 }
}

/// One look at one hint.
struct Rows<'a> {
    hint: &'a HintFile,
    marks: &'a Mutex<Marks>,
    wanted: &'a HintsWanted,
    look: &'a Look<'a>,
}

impl Rows<'_> {
    fn is_counted(&self) -> bool {
        self.marks.lock().whole_at(self.hint.len()).is_some()
    }

    /// `false`: overtaken.
    fn count(&self) -> Result<bool> {
        let place = |row: Result<HintRow>| row.map(|row| row.offset..row.offset.saturating_add(row.len));
        let boundaries = |from| Ok(self.hint.rows_from(from).map(place));
        let mut told = 0;
        walk_on(self.marks, boundaries, &mut |come| {
            if (self.look.overtaken)() {
                return Ok(ControlFlow::Break(()));
            }
            if come.offset.saturating_sub(told) >= TELL {
                told = come.offset;
                let (segment, done, total) = (self.wanted.segment, come.offset, self.hint.len());
                (self.look.answer)(Arrived::CountingHint { segment, done, total });
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Answers with what is at hand.
    fn tell(&self) -> Result<()> {
        let counted = self.marks.lock().whole_at(self.hint.len());
        let place = match (self.wanted.at, counted) {
            (HintPlace::Row(row), Some(total)) => Some(row.min(total.saturating_sub(1))),
            (HintPlace::Row(row), None) => Some(row).filter(|row| *row <= self.marks.lock().last().row),
            (HintPlace::Last, Some(total)) => Some(total.saturating_sub(1)),
            (HintPlace::PointingAt(offset), Some(_)) => pointing_at(self.hint, offset, self.look)?,
            (HintPlace::Last | HintPlace::PointingAt(_), None) => None,
        };
        let Some(place) = place else { return Ok(()) };
        let most = self.wanted.rows;
        let from = counted.map_or(place.saturating_sub(most / 2), |total| window_around(place, most, total).start);
        let mark = self.marks.lock().before_row(from);
        let rows = self.hint.rows_from(mark.offset).skip(from.saturating_sub(mark.row)).take(most);
        let rows = rows.collect::<Result<Vec<HintRow>>>()?;
        let total = counted.unwrap_or(from + rows.len());
        let (wanted, is_counted) = (self.wanted.clone(), counted.is_some());
        (self.look.answer)(Arrived::Hints(HintsSeen { wanted, is_there: true, total, is_counted, from, rows, place }));
        Ok(())
    }
}

/// The row whose entry points at a record, or the first row. Entries are in the order of their records, but a damaged
/// hint need not keep to that, so all are looked at. `None`: overtaken.
fn pointing_at(hint: &HintFile, offset: u64, look: &Look<'_>) -> Result<Option<usize>> {
    const GLANCE: usize = 4096;
    for (at, row) in hint.rows_from(0).enumerate() {
        if row?.points_at.is_some_and(|place| place.start == offset) {
            return Ok(Some(at));
        }
        if at % GLANCE == 0 && (look.overtaken)() {
            return Ok(None);
        }
    }
    Ok(Some(0))
}
