//! What the screen needs and does not have: cursors are brought back into their lists, panes follow the list that
//! leads, and windows, records and values that are missing or out of date are asked for.
//!
//! Nothing is asked for twice while the answer is under way, and nothing that is at hand is asked for at all.

use std::ops::Range;

pub(super) use super::records::show_record;
use super::{dissect, history, index, keys, records, strips, value};
use crate::store::Location;
use crate::tui::app::{App, Content, Lead, Page, Pane, Said, Tone};
use crate::tui::effect::Effect;
use crate::tui::layout::{Layout, layout};

/// Windows hold this many pages, so that a page up or down is at hand already.
const PAGES: usize = 5;

pub(super) fn plain(text: String) -> Said {
    Said { tone: Tone::Plain, text }
}

/// Settles everything and asks for what is missing.
pub(super) fn look(app: &mut App) -> Vec<Effect> {
    if app.figures.is_none() {
        return Vec::new();
    }
    let places = layout(app);
    settle(app, &places);
    let mut effects: Vec<Effect> = keys::look(app, &places).into_iter().collect();
    follow_lead(app);
    effects.extend(records::look(app, &places));
    effects.extend(dissect::look(app, &places));
    effects.extend(history::look(app, &places));
    effects.extend(value::look(app, &places));
    effects.extend(strips::look(app, &places));
    effects.extend(index::look(app, &places));
    effects
}

fn settle(app: &mut App, places: &Layout) {
    app.keys.cursor.settle(app.keys.window.total, places.page(Pane::Keys));
    app.records.cursor.settle(app.records.window.total, places.page(Pane::Records));
    let segments = app.segment_rows().len();
    app.segments.settle(segments, places.page(Pane::Segments));
    if let Some(Page { content: Content::Findings(page), .. }) = &mut app.page {
        let (cells, height) = places.page_inside();
        page.settle(height, cells);
    }
}

/// Rows to ask for: enough for the largest pane there is, whichever is on the screen now.
pub(super) fn window_rows(app: &App) -> usize {
    usize::from(app.size.height).max(8) * PAGES
}

/// What is shown and a page on both sides.
pub(super) fn with_margin(shown: Range<usize>, page: usize, total: usize) -> Range<usize> {
    shown.start.saturating_sub(page)..(shown.end + page).min(total)
}

/// Where the selected key's record is. None while the row is older than a merge that took that segment away, or newer
/// than the list of segments.
pub(super) fn selected_location(app: &App) -> Option<Location> {
    let row = app.keys.row().filter(|row| app.keys.selected.as_ref() == Some(&row.key))?;
    let is_there = |at: &Location| app.segment_rows().binary_search_by_key(&at.segment, |segment| segment.id).is_ok();
    row.entry.map(|entry| entry.location).filter(is_there)
}

/// The panes that do not lead show what belongs to the selection in the one that does.
fn follow_lead(app: &mut App) {
    match app.lead {
        Lead::Keys if !app.records.pinned => {
            if let Some(location) = selected_location(app) {
                show_record(app, location.segment, Some(location.offset));
            }
        }
        Lead::Segments => {
            if let Some(id) = app.segment_rows().get(app.segments.at).map(|segment| segment.id)
                && app.records.segment != Some(id)
            {
                show_record(app, id, None);
            }
        }
        Lead::Keys | Lead::Records => {}
    }
    if app.lead != Lead::Segments
        && let Some(at) = app.segment_rows().iter().position(|segment| Some(segment.id) == app.records.segment)
    {
        app.segments.at = at;
        let segments = app.segment_rows().len();
        app.segments.settle(segments, layout(app).page(Pane::Segments));
    }
}
