//! Pane 5: every version of one key. Finding them reads all segments, so it is asked for only while the pane is to be
//! seen, and only after the selection has rested.
//!
//! Invariant: for one key no reading is asked for while another one is under way, so that a store that moves all the
//! time is read to its end once.

use crate::tui::action::{HistorySeen, Motion, Progress};
use crate::tui::app::{App, HistoryPane, Lead, Pane, Tone};
use crate::tui::effect::{Effect, HistoryWanted};
use crate::tui::layout::Layout;

use super::look::show_record;
use super::verbs::focus;

/// The key whose past is wanted.
fn wanted(app: &App) -> Option<HistoryWanted> {
    let key = match app.lead {
        Lead::Keys => app.keys.selected.clone(),
        Lead::Segments | Lead::Records => app.records.row().and_then(|row| row.key.as_deref()).map(Into::into),
    };
    key.map(|key| HistoryWanted { key })
}

/// Lets the selection rest where the pane is to be seen and does not show it as it is now.
pub(super) fn look(app: &mut App, places: &Layout) -> Option<Effect> {
    let page = places.page(Pane::History);
    app.history.cursor.settle(app.history.versions.len(), page);
    let newest = app.figures.as_ref().map_or(0, |figures| figures.generation);
    let wanted = wanted(app);
    let history = &mut app.history;
    if places.area(Pane::History).is_none() {
        // Whatever is under way is for nobody.
        let stop = (history.resting || history.reading.is_some()).then_some(Effect::StopHistory);
        (history.resting, history.reading) = (false, None);
        history.asked = history.asked.take().filter(|_| stop.is_none());
        return stop;
    }
    let same = wanted == history.asked;
    if same && (history.resting || history.reading.is_some() || history.stopped || history.generation >= newest) {
        return None;
    }
    if wanted.is_none() && (app.keys.waiting || app.records.waiting) {
        return None;
    }
    let versions = if same { std::mem::take(&mut history.versions) } else { Vec::new() };
    let (total, cursor) = if same { (history.total, history.cursor) } else { Default::default() };
    *history = HistoryPane {
        asked: wanted.clone(),
        resting: wanted.is_some(),
        versions,
        total,
        cursor,
        ..HistoryPane::default()
    };
    wanted.map(Effect::Rest)
}

/// The selection has rested: if it is still the same, its history is read.
pub(super) fn rested(app: &mut App, wanted: HistoryWanted) -> Vec<Effect> {
    let history = &mut app.history;
    if !history.resting || history.asked.as_ref() != Some(&wanted) {
        return Vec::new();
    }
    history.resting = false;
    history.reading = Some(Progress { what: "history", done: 0, total: 0 });
    vec![Effect::History(wanted)]
}

pub(super) fn progress(app: &mut App, wanted: &HistoryWanted, progress: Progress) {
    let history = &mut app.history;
    if history.reading.is_some() && history.asked.as_ref() == Some(wanted) {
        history.reading = Some(progress);
    }
}

pub(super) fn arrived(app: &mut App, seen: HistorySeen) {
    let history = &mut app.history;
    if history.reading.is_none() || history.asked.as_ref() != Some(&seen.wanted) {
        return;
    }
    history.reading = None;
    history.generation = seen.generation;
    match seen.versions {
        Ok(versions) => (history.versions, history.total) = (versions, seen.total),
        Err(e) => {
            history.stopped = true;
            app.say(Tone::Bad, e);
        }
    }
}

/// Stops the reading that is under way; says whether there was one.
pub(super) fn stop(app: &mut App) -> Option<Effect> {
    let history = &mut app.history;
    history.reading.take().map(|_| {
        history.stopped = true;
        Effect::StopHistory
    })
}

pub(super) fn go(app: &mut App, places: &Layout, motion: Motion) {
    let total = app.history.versions.len();
    app.history.cursor.go(motion, total, places.page(Pane::History));
}

/// Goes to the record of the selected version.
pub(super) fn enter(app: &mut App) {
    let Some(row) = app.history.versions.get(app.history.cursor.at).map(|version| &version.row) else { return };
    let (segment, offset) = (row.segment, row.offset);
    focus(app, Pane::Records);
    show_record(app, segment, Some(offset));
}
