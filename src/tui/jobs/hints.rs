//! The rows of a hint file, and windows of them.
//!
//! A hint is walked to its end before it is shown: it is a small part of its segment. The marks of the last one looked at
//! stay. Invariant: the rows of a window are those that a walk from the start of the file gives.

use std::ops::ControlFlow;

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

/// The marks of one hint file.
#[derive(Default)]
pub(super) struct HintIndex {
    known: Mutex<Option<Known>>,
}

struct Known {
    segment: SegmentId,
    len: u64,
    marks: Mutex<Marks>,
}

impl HintIndex {
    /// Answers with the rows around a place, and then with what the whole is worth.
    pub(super) fn look(&self, store: &Store, wanted: &HintsWanted, look: &Look<'_>) -> Result<()> {
        let Some(hint) = HintFile::open(store, wanted.segment)? else {
            let nothing =
                HintsSeen { wanted: wanted.clone(), is_there: false, total: 0, from: 0, rows: Vec::new(), place: 0 };
            (look.answer)(Arrived::Hints(nothing));
            return Ok(());
        };
        let Some(seen) = self.window(&hint, wanted, look)? else { return Ok(()) };
        (look.answer)(Arrived::Hints(seen));
        if let Some(standing) = hint.standing(look.overtaken)? {
            (look.answer)(Arrived::HintStanding { segment: wanted.segment, standing: standing.to_string() });
        }
        Ok(())
    }

    fn window(&self, hint: &HintFile, wanted: &HintsWanted, look: &Look<'_>) -> Result<Option<HintsSeen>> {
        let mut known = self.known.lock();
        if known.as_ref().is_none_or(|known| (known.segment, known.len) != (wanted.segment, hint.len())) {
            let marks = Mutex::new(Marks::new(Mark { row: 0, offset: 0 }));
            *known = Some(Known { segment: wanted.segment, len: hint.len(), marks });
        }
        let Some(Known { marks, .. }) = &*known else { return Ok(None) };
        let boundaries =
            |from| Ok(hint.rows_from(from).map(|row| row.map(|row| row.offset..row.offset.saturating_add(row.len))));
        let mut come = |_| Ok(if (look.overtaken)() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
        if marks.lock().whole_at(hint.len()).is_none() && !walk_on(marks, boundaries, &mut come)? {
            return Ok(None);
        }
        let marks = marks.lock();
        let total = marks.rows(hint.len());
        let place = match wanted.at {
            HintPlace::Row(row) => Some(row),
            HintPlace::PointingAt(offset) => pointing_at(hint, offset, look)?,
        };
        let Some(place) = place else { return Ok(None) };
        let place = place.min(total.saturating_sub(1));
        let range = window_around(place, wanted.rows, total);
        let mark = marks.before_row(range.start);
        let rows = hint.rows_from(mark.offset).skip(range.start.saturating_sub(mark.row)).take(range.len());
        let rows = rows.collect::<Result<Vec<HintRow>>>()?;
        Ok(Some(HintsSeen { wanted: wanted.clone(), is_there: true, total, from: range.start, rows, place }))
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
