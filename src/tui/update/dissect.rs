//! Pane 3: asking for the record that is selected, and moving over its bytes and fields.

use crate::inspect::{RowKind, RowState};
use crate::tui::action::{Motion, RecordSeen};
use crate::tui::app::{App, Pane, RecordPane};
use crate::tui::dump::{DumpCursor, DumpShape};
use crate::tui::effect::{Effect, RecordWanted, Stretch};
use crate::tui::layout::{Layout, layout};

/// Asks for the selected record if the pane is to be seen and shows another one.
pub(super) fn look(app: &mut App, places: &Layout) -> Option<Effect> {
    places.area(Pane::Record)?;
    let wanted = wanted(app);
    settle(app, places);
    // While a window is under way nothing is known of the selection: what is shown stays.
    let waiting = app.records.hint.as_ref().map_or(app.records.waiting, |hint| hint.waiting);
    if wanted == app.record.asked || (wanted.is_none() && waiting) {
        return None;
    }
    app.record = RecordPane { asked: wanted.clone(), ..RecordPane::default() };
    wanted.map(Effect::Record)
}

fn wanted(app: &App) -> Option<RecordWanted> {
    if let Some(hint) = &app.records.hint {
        return hint.row().map(|row| RecordWanted {
            segment: row.segment,
            offset: row.offset,
            len: row.len,
            stretch: Some(Stretch::Hint(row.part)),
        });
    }
    app.records.row().map(|row| RecordWanted {
        segment: row.segment,
        offset: row.offset,
        len: row.len,
        stretch: match (row.kind, row.state) {
            (_, RowState::Torn) => Some(Stretch::Torn),
            (RowKind::Gap, _) => Some(Stretch::Gap),
            (RowKind::Header, _) => Some(Stretch::Header),
            (RowKind::Record(_), _) => None,
        },
    })
}

fn settle(app: &mut App, places: &Layout) {
    let Some(Ok(anatomy)) = &app.record.anatomy else { return };
    let shape = DumpShape::of(anatomy, places.inner_height(Pane::Record), places.inner_width(Pane::Record));
    app.record.cursor.settle(anatomy, shape);
}

pub(super) fn arrived(app: &mut App, seen: RecordSeen) {
    if app.record.asked.as_ref() == Some(&seen.wanted) {
        if app.record.anatomy.is_none() {
            app.record.cursor = DumpCursor::default();
        }
        app.record.anatomy = Some(seen.anatomy);
        app.record.is_whole = seen.is_whole;
    }
}

pub(super) fn go(app: &mut App, places: &Layout, motion: Motion) {
    let Some(Ok(anatomy)) = &app.record.anatomy else { return };
    let shape = DumpShape::of(anatomy, places.inner_height(Pane::Record), places.inner_width(Pane::Record));
    app.record.cursor.go(anatomy, shape, motion);
}

/// One byte back or on.
pub(super) fn step(app: &mut App, forward: bool) {
    let places = layout(app);
    let Some(Ok(anatomy)) = &app.record.anatomy else { return };
    let shape = DumpShape::of(anatomy, places.inner_height(Pane::Record), places.inner_width(Pane::Record));
    app.record.cursor.step(anatomy, shape, forward);
}
