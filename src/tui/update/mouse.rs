//! The mouse: a click goes to a pane and to the row under it, the wheel moves in the pane under it.
//!
//! Where a line is typed, a question is asked or nothing is open, the mouse does nothing, so that a slip costs nothing.

use super::keys;
use super::moves::go;
use super::verbs::focus;
use super::{follow, records, strips};
use crate::tui::action::Motion;
use crate::tui::app::{App, Pane};
use crate::tui::effect::Effect;
use crate::tui::layout::{Area, layout};
use crate::tui::strip::headings;

/// Rows of one notch of the wheel.
const NOTCH: usize = 3;

/// The pane that has this cell, and the line of it below its headings.
fn place(app: &App, x: u16, y: u16) -> Option<(Pane, Option<usize>)> {
    let inside =
        |area: &Area| (area.x..area.x + area.width).contains(&x) && (area.y..area.y + area.height).contains(&y);
    let places = layout(app);
    let (pane, area) = places.panes.iter().rfind(|(_, area)| inside(area))?;
    let headings = u16::from(pane.has_headings());
    let line = y.checked_sub(area.y + 1 + headings).map(usize::from).filter(|line| *line < places.page(*pane));
    Some((*pane, line))
}

fn is_idle(app: &App) -> bool {
    app.page.is_none() && app.typing.is_none() && app.figures.is_some() && !app.is_asking()
}

pub(super) fn click(app: &mut App, x: u16, y: u16) {
    let Some((pane, line)) = place(app, x, y).filter(|_| is_idle(app)) else { return };
    focus(app, pane);
    let Some(line) = line else { return };
    follow::moved(app);
    match pane {
        Pane::Keys => {
            app.keys.cursor.at = within(app.keys.cursor.top + line, app.keys.window.total);
            keys::take(app);
        }
        Pane::Segments => {
            app.segments.at = within(app.segments.top + line, app.segment_rows().len());
            app.strips.cell = None;
            if let Some(cell) = cell(app, x) {
                strips::point(app, cell);
            }
        }
        Pane::Records => records::click(app, line),
        Pane::History => app.history.cursor.at = within(app.history.cursor.top + line, app.history.versions.len()),
        Pane::Record | Pane::Value | Pane::Keydir | Pane::Trace => {}
    }
}

/// Moves over a strip: the records under the mouse are shown as it goes.
pub(super) fn drag(app: &mut App, x: u16, y: u16) {
    let Some((Pane::Segments, Some(line))) = place(app, x, y).filter(|_| is_idle(app)) else { return };
    let selected = app.segments.top + line == app.segments.at;
    if let Some(cell) = cell(app, x).filter(|_| selected) {
        strips::point(app, cell);
    }
}

/// The cell of a strip in this column.
fn cell(app: &App, x: u16) -> Option<usize> {
    let places = layout(app);
    let before = headings(places.inner_width(Pane::Segments)).len() + 1;
    usize::from(x).checked_sub(usize::from(places.area(Pane::Segments)?.x) + before)
}

/// Below the last row there is the last row.
fn within(row: usize, total: usize) -> usize {
    row.min(total.saturating_sub(1))
}

pub(super) fn wheel(app: &mut App, x: u16, y: u16, down: bool) -> Vec<Effect> {
    if app.page.is_none() {
        let Some((pane, _)) = place(app, x, y).filter(|_| is_idle(app)) else { return Vec::new() };
        focus(app, pane);
    }
    let motion = if down { Motion::Down } else { Motion::Up };
    (0..NOTCH).flat_map(|_| go(app, motion)).collect()
}
