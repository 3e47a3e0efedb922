//! Pane 5: every version of one key, comparing them, and putting an old one back. Finding them reads all segments, so it is
//! asked for only while the pane is to be seen, and only after the selection has rested.
//!
//! Invariant: for one key no reading is asked for while another one is under way, so that a store that moves all the
//! time is read to its end once.

use super::look::show_record;
use super::verbs::{focus, run};
use crate::format::Kind;
use crate::inspect::{Reason, RecordRow, RowKind, RowState, Version};
use crate::store::Location;
use crate::text;
use crate::tui::action::{HistorySeen, Motion, Progress};
use crate::tui::app::{App, Content, HistoryPane, Lead, Page, Pane, PutBack, Tone};
use crate::tui::command::Command;
use crate::tui::difference::DiffPage;
use crate::tui::effect::{DiffWanted, Effect, HistoryWanted};
use crate::tui::layout::Layout;
use crate::tui::list::Cursor;
use crate::value::family;

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
    history.chosen &= wanted == history.asked || wanted.is_none();
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
        chosen: history.chosen,
        mark: history.mark.filter(|_| same),
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
    history.effort = seen.effort;
    match seen.versions {
        Ok(versions) => take(history, versions, seen.total),
        Err(e) => {
            history.stopped = true;
            app.say(Tone::Bad, e);
        }
    }
}

/// The selection stays on its version while newer ones come in above it.
fn take(history: &mut HistoryPane, versions: Vec<Version>, total: usize) {
    let selected = history.selected().filter(|_| history.chosen).map(|version| location(&version.row));
    let moved = |at: &Location| versions.iter().position(|version| location(&version.row) == *at);
    match selected.as_ref().and_then(moved) {
        Some(at) => history.cursor.at = at,
        None => history.chosen = false,
    }
    (history.versions, history.total) = (versions, total);
}

/// Stops the reading that is under way; says whether there was one.
pub(super) fn stop(app: &mut App) -> Option<Effect> {
    let history = &mut app.history;
    history.reading.take().map(|_| {
        history.stopped = true;
        Effect::StopHistory
    })
}

/// Moves over the versions, whose values are then shown.
pub(super) fn go(app: &mut App, places: &Layout, motion: Motion) {
    let total = app.history.versions.len();
    app.history.cursor.go(motion, total, places.page(Pane::History));
    app.history.chosen = total > 0;
}

/// What was just written is shown, not the version that was chosen before.
pub(super) fn show_newest(app: &mut App) {
    app.history.chosen = false;
    app.history.cursor = Cursor::default();
}

/// The version that was chosen to be shown.
pub(super) fn chosen(app: &App) -> Option<&Version> {
    app.history.selected().filter(|_| app.history.chosen)
}

fn location(row: &RecordRow) -> Location {
    Location { segment: row.segment, offset: row.offset, len: row.len }
}

/// Marks the selected version, or takes its mark away.
pub(super) fn mark(app: &mut App) {
    let Some(selected) = app.history.selected().map(|version| location(&version.row)) else { return };
    app.history.mark = Some(selected).filter(|_| app.history.mark != Some(selected));
}

/// Why a version has no value to compare or put back.
fn without_value(row: &RecordRow) -> Option<&'static str> {
    match (row.kind, row.state) {
        (_, RowState::Damaged | RowState::Torn) => Some("this version is damaged: its value cannot be trusted"),
        (RowKind::Record(Kind::Put), RowState::Unknown) => Some("this version of logkv does not know how to read it"),
        (RowKind::Record(Kind::Put), _) => None,
        _ => Some("a tombstone has no value"),
    }
}

/// Compares the selected version with the marked one, or else with the next older one that has a value.
pub(super) fn compare(app: &mut App) -> Option<Effect> {
    let history = &app.history;
    let (key, selected) = (history.asked.as_ref()?.key.clone(), history.selected()?);
    if let Some(why) = without_value(&selected.row) {
        app.say(Tone::Bad, why);
        return None;
    }
    let at = history.cursor.at;
    let is_marked = |version: &Version| Some(location(&version.row)) == history.mark;
    let marked = history.versions.iter().position(is_marked).filter(|marked| *marked != at);
    let has_value = |version: &Version| without_value(&version.row).is_none();
    let before = || history.versions.iter().skip(at + 1).position(has_value).map(|steps| at + 1 + steps);
    let place = |at: usize| history.versions.get(at).filter(|version| has_value(version)).map(|it| location(&it.row));
    let Some((other, there)) = marked.or_else(before).and_then(|other| Some((other, place(other)?))) else {
        app.say(Tone::Bad, "there is no older value to compare with; space marks another version");
        return None;
    };
    let here = location(&selected.row);
    let (older, newer) = if other > at { (there, here) } else { (here, there) };
    let view = app.value.forced.get(&family(&key)).copied();
    Some(Effect::Diff(DiffWanted { key, older, newer, view }))
}

/// Shows the difference, unless whoever asked for it has gone on to something else.
pub(super) fn compared(app: &mut App, difference: Result<DiffPage, String>) {
    let is_waited_for = app.focus == Pane::History && app.typing.is_none() && !app.is_asking() && app.page.is_none();
    match difference {
        _ if !is_waited_for => {}
        Ok(page) => app.page = Some(Page { content: Content::Diff(page), top: 0 }),
        Err(e) => app.say(Tone::Bad, e),
    }
}

/// Asks whether the selected version is to be put back, if it can be.
pub(super) fn ask_put_back(app: &mut App) {
    let Some(version) = app.history.selected() else {
        return app.say(Tone::Bad, "no version is selected");
    };
    let refusal = match (without_value(&version.row), version.reason) {
        _ if !app.is_writable() => Some("this store is open read-only: nothing can be put back"),
        (None, Reason::Live) => Some("this is the value that the key has"),
        (why, _) => why,
    };
    let (key, from) = (version.row.key.as_deref().map(Into::into), location(&version.row));
    match (refusal, key) {
        (Some(why), _) => app.say(Tone::Bad, why),
        (None, Some(key)) => app.asked_put_back = Some(PutBack { key, from }),
        (None, None) => {}
    }
}

/// The answer to that.
pub(super) fn put_back(app: &mut App, wanted: PutBack, yes: bool) -> Option<Effect> {
    let PutBack { key, from } = wanted;
    if yes {
        let line = format!("put {} back from {}:{}", text::key_word(&key), from.segment, from.offset);
        return Some(run(app, Command::PutBack { key: key.to_vec(), from }, line));
    }
    app.say(Tone::Plain, "nothing was put back");
    None
}

/// Goes to the record of the selected version.
pub(super) fn enter(app: &mut App) {
    let Some(row) = app.history.selected().map(|version| &version.row) else { return };
    let (segment, offset) = (row.segment, row.offset);
    focus(app, Pane::Records);
    show_record(app, segment, Some(offset));
}
