//! Moving: in lists, from pane to pane.

use super::verbs::focus;
use super::{dissect, follow, history, index, keys, records, value};
use crate::tui::action::Motion;
use crate::tui::app::{App, Content, Lead, Page, Pane, Stage};
use crate::tui::effect::Effect;
use crate::tui::layout::{Layout, layout};
use crate::tui::{help, merging, trace};

/// Moves whatever the arrows belong to now.
pub(super) fn go(app: &mut App, motion: Motion) -> Vec<Effect> {
    if app.page.is_some() {
        scroll_page(app, motion);
        return Vec::new();
    }
    let places = layout(app);
    if let Stage::Choose { members, cursor } = &mut app.stage {
        cursor.go(motion, members.len(), usize::from(places.body().height.saturating_sub(4)));
        return Vec::new();
    }
    match motion {
        Motion::Left | Motion::Right if app.focus != Pane::Record => {
            let left = motion == Motion::Left;
            if app.focus == Pane::Keys
                && let Some(effects) = keys::sideways(app, left)
            {
                return effects;
            }
            if let Some(pane) = places.neighbour(app.focus, left) {
                focus(app, pane);
            }
            Vec::new()
        }
        _ => within(app, &places, motion),
    }
}

fn within(app: &mut App, places: &Layout, motion: Motion) -> Vec<Effect> {
    match app.focus {
        Pane::Keys => {
            follow::moved(app);
            app.lead = Lead::Keys;
            app.keys.cursor.go(motion, app.keys.window.total, places.page(Pane::Keys));
            keys::take(app);
        }
        Pane::Segments => {
            follow::moved(app);
            app.lead = Lead::Segments;
            app.strips.cell = None;
            let total = app.segment_rows().len();
            app.segments.go(motion, total, places.page(Pane::Segments));
        }
        Pane::Records => {
            follow::moved(app);
            return records::go(app, places, motion);
        }
        Pane::Value => value::go(app, places, motion),
        Pane::Record => dissect::go(app, places, motion),
        Pane::History => history::go(app, places, motion),
        Pane::Keydir => {
            let (lines, page) = (KEYDIR_LINES, places.inner_height(Pane::Keydir));
            app.keydir.top = index::scroll(app.keydir.top, motion, lines, page);
        }
        Pane::Trace => {
            let (lines, page) = (trace::total(&app.trace), places.inner_height(Pane::Trace));
            app.trace.top = index::scroll(app.trace.top, motion, lines, page);
        }
    }
    Vec::new()
}

/// Lines that the keydir has to say at most.
const KEYDIR_LINES: usize = 28;

fn scroll_page(app: &mut App, motion: Motion) {
    let (cells, height) = layout(app).page_inside();
    let rows = match &app.page {
        Some(Page { content: Content::Merge(page), .. }) => merging::rows(app, page, cells).len(),
        _ => 0,
    };
    let Some(page) = &mut app.page else { return };
    let lines = match &mut page.content {
        Content::Merge(_) => rows,
        Content::Help => help::lines(app.help_filter.text()).len(),
        Content::Report(report) => report.lines.len(),
        Content::Diff(diff) => diff.last_top(cells, height) + height,
        Content::Findings(page) => return page.go(motion, height, cells),
    };
    let end = lines.saturating_sub(height);
    page.top = match motion {
        Motion::Up | Motion::Left => page.top.saturating_sub(1),
        Motion::PageUp | Motion::HalfUp => page.top.saturating_sub(height),
        Motion::Down | Motion::Right => page.top + 1,
        Motion::PageDown | Motion::HalfDown => page.top + height,
        Motion::First => 0,
        Motion::Last => end,
    }
    .min(end);
}
