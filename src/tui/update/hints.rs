//! The rows of a hint in the place of the record list, and the way between an entry and its record.

use crate::inspect::hint::Standing;
use crate::tui::action::{HintsSeen, Motion};
use crate::tui::app::{App, HintPane, Lead, Pane, Tone};
use crate::tui::effect::{Effect, HintPlace, HintsWanted};
use crate::tui::layout::{Layout, layout};
use crate::tui::list::Window;

use super::follow;
use super::look::{window_rows, with_margin};
use super::records::show_record;
use super::verbs::focus;

/// Shows the hint of the segment, or its records again.
pub(super) fn toggle(app: &mut App) {
    if app.records.hint.take().is_some() || app.records.segment.is_none() {
        return;
    }
    follow::moved(app);
    focus(app, Pane::Records);
    app.records.hint = Some(HintPane::at(HintPlace::Row(0)));
}

/// From an entry to its record, from a record to its entry.
pub(super) fn go_to_other(app: &mut App) {
    let Some(hint) = &app.records.hint else { return to_entry(app) };
    match (app.records.segment, hint.row().and_then(|row| row.points_at.clone())) {
        (Some(segment), Some(place)) => {
            app.records.hint = None;
            focus(app, Pane::Records);
            show_record(app, segment, Some(place.start));
        }
        _ => app.say(Tone::Plain, "only an entry points at a record"),
    }
}

fn to_entry(app: &mut App) {
    match app.records.row().filter(|row| row.key.is_some()).map(|row| row.offset) {
        Some(offset) => {
            follow::moved(app);
            focus(app, Pane::Records);
            app.records.hint = Some(HintPane::at(HintPlace::PointingAt(offset)));
        }
        None => app.say(Tone::Plain, "only a record with a key has an entry in the hint"),
    }
}

/// Shows the hint of a segment that a finding is about.
pub(super) fn show(app: &mut App, segment: u64) {
    focus(app, Pane::Records);
    show_record(app, segment, None);
    app.records.hint = Some(HintPane::at(HintPlace::Row(0)));
}

pub(super) fn look(app: &mut App, places: &Layout) -> Option<Effect> {
    let segment = app.records.segment?;
    let rows = window_rows(app);
    let page = places.page(Pane::Records).max(1);
    let newest = app.figures.as_ref().map_or(0, |figures| figures.generation);
    let hint = app.records.hint.as_mut()?;
    hint.cursor.settle(hint.window.total, page);
    if hint.waiting {
        return None;
    }
    let shown = with_margin(hint.cursor.shown(hint.window.total, page), page, hint.window.total);
    let at = match hint.goal.take() {
        Some(goal) => goal,
        None if hint.seen_at == newest && hint.window.covers(&shown) => return None,
        None => HintPlace::Row(hint.cursor.at),
    };
    let wanted = HintsWanted { segment, at, rows };
    (hint.asked, hint.waiting, hint.seen_at) = (Some(wanted.clone()), true, newest);
    Some(Effect::Hints(wanted))
}

pub(super) fn arrived(app: &mut App, seen: HintsSeen) {
    let page = layout(app).page(Pane::Records);
    let Some(hint) = app.records.hint.as_mut().filter(|hint| hint.asked.as_ref() == Some(&seen.wanted)) else {
        return;
    };
    hint.waiting = false;
    (hint.is_there, hint.is_counted) = (Some(seen.is_there), seen.is_counted);
    hint.walking = hint.walking.filter(|_| !seen.is_counted);
    hint.window = Window { from: seen.from, rows: seen.rows, total: seen.total };
    match seen.wanted.at {
        HintPlace::Row(_) => hint.cursor.settle(seen.total, page),
        HintPlace::PointingAt(_) | HintPlace::Last => hint.cursor.jump(seen.place, seen.total, page),
    }
    let HintPlace::PointingAt(offset) = seen.wanted.at else { return };
    let points_there = hint.row().and_then(|row| row.points_at.clone()).is_some_and(|place| place.start == offset);
    if !points_there {
        app.say(Tone::Plain, "no entry of the hint points at this record");
    }
}

/// A walk over the hint has come this far.
pub(super) fn counting(app: &mut App, segment: u64, walked: (u64, u64)) {
    if let Some(hint) = hint_of(app, segment).filter(|hint| !hint.is_counted) {
        hint.walking = Some(walked);
    }
}

pub(super) fn standing(app: &mut App, segment: u64, standing: Standing) {
    if let Some(hint) = hint_of(app, segment) {
        hint.standing = Some(standing);
    }
}

/// Reading failed: it is not tried again before something moves.
pub(super) fn failed(app: &mut App) {
    if let Some(hint) = &mut app.records.hint {
        (hint.waiting, hint.walking) = (false, None);
    }
}

fn hint_of(app: &mut App, segment: u64) -> Option<&mut HintPane> {
    app.records.hint.as_mut().filter(|_| app.records.segment == Some(segment))
}

pub(super) fn go(app: &mut App, places: &Layout, motion: Motion) {
    app.lead = Lead::Records;
    let Some(hint) = &mut app.records.hint else { return };
    if motion == Motion::Last && !hint.is_counted {
        (hint.goal, hint.waiting) = (Some(HintPlace::Last), false);
    } else {
        hint.cursor.go(motion, hint.window.total, places.page(Pane::Records));
    }
}
