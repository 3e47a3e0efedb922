//! The record list below pane 2: which window of it is wanted, and what arrives of it.
//!
//! The selection is a place in the file, not a row number: numbers may not be known yet, and move when a list that began
//! in the middle is counted to its start. Invariant: an answer never moves the selection away from the place where it is.

use super::hints;
use crate::inspect::RecordRow;
use crate::tui::action::{Motion, RecordsSeen};
use crate::tui::app::{App, Lead, Pane, RecordsPane};
use crate::tui::effect::{Effect, RecordPlace, RecordsWanted};
use crate::tui::layout::{Layout, layout};
use crate::tui::list::{Cursor, Window};

use super::look::{window_rows, with_margin};

/// Points the record list at a place; another segment's rows are gone at once, and so are the rows of a hint.
pub(super) fn show_record(app: &mut App, segment: u64, offset: Option<u64>) {
    if app.records.segment != Some(segment) {
        let is_unlisted = app.segment_rows().iter().all(|info| info.id != segment);
        app.records = RecordsPane { segment: Some(segment), is_unlisted, ..Default::default() };
    }
    app.records.offset = offset;
    app.records.hint = None;
}

pub(super) fn look(app: &mut App, places: &Layout) -> Vec<Effect> {
    let mut effects = look_at_records(app, places);
    effects.extend(hints::look(app, places));
    effects
}

fn look_at_records(app: &mut App, places: &Layout) -> Vec<Effect> {
    let page = places.page(Pane::Records).max(1);
    let newest = app.figures.as_ref().map_or(0, |figures| figures.generation);
    find_at_hand(app, page);
    let records = &app.records;
    if records.segment.is_none() || records.failed_at == Some(newest) {
        return Vec::new();
    }
    let current = records.asked.is_some() && records.generation >= newest;
    let shown = with_margin(records.cursor.shown(records.window.total, page), page, records.window.total);
    let located = records.offset.is_none() || records.row().map(|row| row.offset) == records.offset;
    let mut at = match records.offset {
        Some(offset) => RecordPlace::Offset(offset),
        None => RecordPlace::Row(records.cursor.at),
    };
    if current && located && records.window.covers(&shown) {
        match further(records, page) {
            Some(place) if records.asked.as_ref().is_none_or(|asked| asked.at != place) => at = place,
            _ => return Vec::new(),
        }
    }
    let near = |asked: &RecordsWanted| match (&asked.at, &at) {
        (RecordPlace::Row(asked), RecordPlace::Row(row)) => asked.abs_diff(*row) < page,
        (RecordPlace::Last, _) => true,
        (asked, at) => asked == at,
    };
    if records.waiting && records.asked.as_ref().is_some_and(near) {
        return Vec::new();
    }
    ask(app, at)
}

/// Where a window without numbers goes on, if its end is in sight.
fn further(records: &RecordsPane, page: usize) -> Option<RecordPlace> {
    let ends = records.cursor.top.saturating_add(2 * page) > records.window.total;
    let top = records.window.get(records.cursor.top)?.offset;
    (!records.is_numbered && ends && records.cursor.top > 0).then_some(RecordPlace::Offset(top))
}

/// Moves the cursor to the wanted offset if its row is at hand.
fn find_at_hand(app: &mut App, page: usize) {
    let records = &mut app.records;
    let Some(offset) = records.offset.filter(|offset| records.row().map(|row| row.offset) != Some(*offset)) else {
        return;
    };
    if let Some(at) = position(&records.window, offset) {
        records.cursor.jump(at, records.window.total, page);
    }
}

/// The number of the row that starts at an offset.
fn position(window: &Window<RecordRow>, offset: u64) -> Option<usize> {
    window.rows.binary_search_by_key(&offset, |row| row.offset).ok().map(|at| window.from + at)
}

/// Asks for the records around a place.
pub(super) fn ask(app: &mut App, at: RecordPlace) -> Vec<Effect> {
    let Some(segment) = app.records.segment else { return Vec::new() };
    let wanted = RecordsWanted { segment, at, rows: window_rows(app) };
    app.records.asked = Some(wanted.clone());
    app.records.waiting = true;
    app.records.failed_at = None;
    vec![Effect::Records(wanted)]
}

pub(super) fn arrived(app: &mut App, seen: RecordsSeen) {
    let page = layout(app).page(Pane::Records);
    let records = &mut app.records;
    if seen.generation < records.generation {
        return;
    }
    records.waiting = false;
    records.generation = seen.generation;
    let is_first_sight = records.window.rows.is_empty();
    records.window = Window { from: seen.from, rows: seen.rows, total: seen.total };
    (records.is_numbered, records.is_counted) = (seen.is_numbered, seen.is_counted);
    records.has_header = seen.has_header;
    if seen.is_counted {
        records.walking = None;
    }
    if is_first_sight {
        records.cursor = first_sight(&seen.wanted.at, seen.has_header, page);
    }
    let selected = records.offset.and_then(|offset| position(&records.window, offset));
    match (selected, seen.wanted.at) {
        (Some(at), _) => records.cursor.jump(at, seen.total, page),
        (None, RecordPlace::Row(_)) => records.cursor.settle(seen.total, page),
        (None, RecordPlace::Offset(_) | RecordPlace::Last) => records.cursor.jump(seen.place, seen.total, page),
    }
    records.offset = records.row().map(|row| row.offset);
}

/// Where the cursor stands in a list that was not on the screen before: on a record, not on the file's header, and with
/// some of what comes before it in sight.
fn first_sight(asked: &RecordPlace, has_header: bool, page: usize) -> Cursor {
    match asked {
        RecordPlace::Row(row) => Cursor { at: (*row).max(usize::from(has_header)), top: 0 },
        RecordPlace::Offset(_) | RecordPlace::Last => Cursor { at: page / 3, top: 0 },
    }
}

/// A walk over the segment has come this far.
pub(super) fn counting(app: &mut App, segment: u64, rows: usize, walked: (u64, u64)) {
    let records = &mut app.records;
    if records.segment != Some(segment) || records.is_counted {
        return;
    }
    records.walking = Some(walked);
    if records.is_numbered {
        records.window.total = records.window.total.max(rows);
    }
}

/// Reading failed: it is not tried again before something moves.
pub(super) fn failed(app: &mut App) {
    app.records.waiting = false;
    app.records.walking = None;
    app.records.failed_at = app.figures.as_ref().map(|figures| figures.generation);
}

/// Moves the selection by a key. The ends of a list that is not counted yet have to be looked for.
pub(super) fn go(app: &mut App, places: &Layout, motion: Motion) -> Vec<Effect> {
    app.lead = Lead::Records;
    if app.records.hint.is_some() {
        hints::go(app, places, motion);
        return Vec::new();
    }
    let records = &mut app.records;
    let end = match motion {
        Motion::Last if !records.is_counted => Some(RecordPlace::Last),
        Motion::First if !records.is_numbered => Some(RecordPlace::Row(0)),
        _ => None,
    };
    if let Some(end) = end {
        if motion == Motion::First {
            records.cursor = Cursor::default();
        }
        records.offset = None;
        return ask(app, end);
    }
    records.cursor.go(motion, records.window.total, places.page(Pane::Records));
    records.offset = records.row().map(|row| row.offset);
    give_up_the_end(app)
}

/// Whoever moves on does not wait for the end of the list any more.
fn give_up_the_end(app: &mut App) -> Vec<Effect> {
    let seeks_end = app.records.asked.as_ref().is_some_and(|asked| asked.at == RecordPlace::Last);
    match app.records.offset.filter(|_| app.records.waiting && seeks_end) {
        Some(offset) => ask(app, RecordPlace::Offset(offset)),
        None => Vec::new(),
    }
}

/// Selects the row on a line of the pane.
pub(super) fn click(app: &mut App, line: usize) {
    let last = |total: usize| total.saturating_sub(1);
    if let Some(hint) = &mut app.records.hint {
        hint.cursor.at = (hint.cursor.top + line).min(last(hint.window.total));
        return;
    }
    let records = &mut app.records;
    records.cursor.at = (records.cursor.top + line).min(last(records.window.total));
    records.offset = records.row().map(|row| row.offset);
}
