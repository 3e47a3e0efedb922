//! The strips of pane 2: asking for those that the screen lacks, and the selected cell of one, which leads to the records
//! that it stands for.

use super::look::show_record;
use super::verbs::focus;
use crate::format::SegmentId;
use crate::inspect::{RowState, StripMap};
use crate::store::SegmentInfo;
use crate::text;
use crate::tui::app::{App, Lead, Pane, Tone};
use crate::tui::effect::{Effect, MapsWanted};
use crate::tui::layout::Layout;
use crate::tui::strip::Scale;

/// Asks for strips where the pane is to be seen and one is missing.
pub(super) fn look(app: &mut App, places: &Layout) -> Option<Effect> {
    places.area(Pane::Segments)?;
    let shown = app.segments.shown(app.segment_rows().len(), places.page(Pane::Segments));
    let segments: Vec<_> = app.segment_rows().get(shown).unwrap_or_default().iter().map(|segment| segment.id).collect();
    let selected = selected(app).map(|segment| segment.id);
    let lacks = |id: &u64| app.strip(*id).is_none_or(|strip| !strip.exact);
    let wanted =
        MapsWanted { selected: selected.filter(lacks), segments: segments.into_iter().filter(lacks).collect() };
    // With nothing to ask for, what was asked last is over: after a reload the same is asked again.
    let wanted = Some(wanted).filter(|wanted| !wanted.segments.is_empty());
    if wanted == app.strips.asked {
        return None;
    }
    app.strips.asked = wanted.clone();
    wanted.map(Effect::Maps)
}

/// Selects the cell before or after.
pub(super) fn step(app: &mut App, forward: bool) {
    let Some(cells) = selected_cells(app) else {
        return app.say(Tone::Plain, "the map of this segment is still being made");
    };
    let last = cells.saturating_sub(1);
    let cell = match (app.strips.cell, forward) {
        (None, true) => 0,
        (None, false) => last,
        (Some(cell), true) => cell.saturating_add(1).min(last),
        (Some(cell), false) => cell.saturating_sub(1).min(last),
    };
    app.strips.cell = Some(cell);
    tell(app, cell, cells);
}

fn selected(app: &App) -> Option<&SegmentInfo> {
    app.segment_rows().get(app.segments.at)
}

/// The strip of the selected segment, if it is made.
fn selected_map(app: &App) -> Option<(SegmentId, &StripMap)> {
    let id = selected(app)?.id;
    app.strip(id).map(|strip| (id, &*strip.map))
}

/// Cells of the selected segment's strip.
fn selected_cells(app: &App) -> Option<usize> {
    let segment = selected(app)?;
    let cells = Scale::of(app).cells(segment.bytes);
    selected_map(app).filter(|(_, map)| cells > 0 && !map.is_empty()).map(|_| cells)
}

fn tell(app: &mut App, cell: usize, cells: usize) {
    let Some((id, map)) = selected_map(app) else { return };
    let stretch = map.stretch(cell, cells);
    let state = map.cells(cells).nth(cell).map_or("", in_words);
    let (from, to) = (text::count(stretch.start), text::count(stretch.end.saturating_sub(1)));
    app.say(Tone::Plain, format!("segment {id}, bytes {from} to {to}: {state}; enter goes to the records there"));
}

/// What a cell that shows this state says of its bytes.
fn in_words(state: RowState) -> &'static str {
    match state {
        RowState::Live => "mostly live",
        RowState::Superseded => "mostly dead",
        RowState::Expired => "mostly expired",
        RowState::Tombstone => "dead, with tombstones among them",
        RowState::Damaged => "with damage among them",
        RowState::Torn => "with the torn end of the log among them",
        RowState::Header | RowState::Mark => "mostly file header and marks",
        RowState::Unknown => "mostly what a later version wrote",
    }
}

/// Goes to the records of the segment, to those of the selected cell if there is one.
pub(super) fn enter(app: &mut App) {
    focus(app, Pane::Records);
    let cell = app.strips.cell.take();
    if let Some((cell, cells)) = cell.zip(selected_cells(app)) {
        show_records_of(app, cell, cells);
    }
}

/// The cell of a strip under the mouse becomes the selected one, and its records are shown.
pub(super) fn point(app: &mut App, cell: usize) {
    let Some(cells) = selected_cells(app).filter(|cells| cell < *cells) else { return };
    app.strips.cell = Some(cell);
    app.lead = Lead::Records;
    show_records_of(app, cell, cells);
    tell(app, cell, cells);
}

fn show_records_of(app: &mut App, cell: usize, cells: usize) {
    let place = selected_map(app).map(|(id, map)| (id, map.stretch(cell, cells).start));
    if let Some((id, offset)) = place {
        show_record(app, id, Some(offset));
    }
}
