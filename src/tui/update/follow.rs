//! Following: the record list stays with the newest record, until somebody moves in it; and the pause, in which nothing is
//! read on.
//!
//! Invariant: a pause loses nothing: what was appended meanwhile is read when it ends.

use crate::store::Mode;
use crate::text;
use crate::tui::action::Pulse;
use crate::tui::app::{App, Figures, Lead, Pane, Tone};
use crate::tui::effect::Effect;

use super::look::show_record;
use super::verbs::focus;

/// Begins to follow, or stops.
pub(super) fn toggle(app: &mut App) {
    if app.follow.on {
        return moved(app);
    }
    app.follow.on = true;
    focus(app, Pane::Records);
    go_to_end(app);
    app.say(Tone::Plain, "following the newest record; f or any move in a list ends it, p pauses");
}

/// Somebody moves in a list: the newest record must not take the selection away.
pub(super) fn moved(app: &mut App) {
    if std::mem::take(&mut app.follow.on) {
        app.say(Tone::Plain, "no longer following; f follows again");
    }
}

/// Begins by itself beside a live writer.
pub(super) fn begin(app: &mut App) {
    app.follow.on = true;
    app.lead = Lead::Records;
    go_to_end(app);
}

/// Stops reading on, or goes on.
pub(super) fn pause(app: &mut App) -> Vec<Effect> {
    if app.figures.as_ref().is_some_and(|figures| figures.stats.mode == Mode::ReadWrite) {
        app.say(Tone::Plain, "nobody else writes to this store: there is nothing to pause");
        return Vec::new();
    }
    let follow = &mut app.follow;
    follow.paused = !follow.paused;
    let said = match follow.paused {
        true => "paused; p goes on, and shows all that was appended meanwhile".to_owned(),
        false => format!("going on: {} to read", text::size(follow.behind)),
    };
    follow.behind = 0;
    let effect = Effect::Pause(follow.paused);
    app.say(Tone::Plain, said);
    vec![effect]
}

/// Another process moved the store.
pub(super) fn beat(app: &mut App, pulse: Pulse) {
    app.follow.beat(pulse.records, pulse.took.as_micros());
    if pulse.records == 0 {
        // Nothing moves any more: maps that were made in motion can be made exact.
        app.strips.asked = None;
    } else if app.follow.on {
        go_to_end(app);
    }
}

/// Points the record list at the newest record.
pub(super) fn go_to_end(app: &mut App) {
    let Some(figures) = &app.figures else { return };
    let newest = figures.last.map(|at| (at.segment, at.offset));
    // Behind the end of a file there is its last record.
    if let Some((segment, offset)) = newest.or_else(|| active(figures).map(|id| (id, u64::MAX))) {
        show_record(app, segment, Some(offset));
    }
}

/// The segment that is appended to, or else the last one.
fn active(figures: &Figures) -> Option<u64> {
    let active = figures.segments.iter().find(|segment| segment.active);
    active.or(figures.segments.last()).map(|segment| segment.id)
}
