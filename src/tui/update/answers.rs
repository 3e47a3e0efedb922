//! What arrives from workers. An answer that nobody waits for any more, or that is about an older state of the store
//! than the screen shows already, is dropped.

use super::{dissect, follow, hints, history, index, jumps, records, typing, value};
use crate::tui::action::{Arrived, KeysSeen, Ran};
use crate::tui::app::{App, Content, Figures, Lead, Opened, Page, Pane, Stage, Tone, Traced};
use crate::tui::effect::{Effect, KeyPlace};
use crate::tui::layout::layout;
use crate::tui::list::{Cursor, Window};

/// Points of the keydir's growth that are kept.
const GROWTH: usize = 512;

pub(super) fn arrived(app: &mut App, arrived: Arrived) -> Vec<Effect> {
    match arrived {
        Arrived::Loading { done, total } => {
            if app.figures.is_none() {
                app.stage = Stage::Loading { done, total };
            }
        }
        Arrived::Opened(opened) => open(app, *opened),
        Arrived::Missing(path) => app.stage = Stage::AskCreate(path),
        Arrived::Choose(members) => app.stage = Stage::Choose { members, cursor: Cursor::default() },
        Arrived::Refused(reason) => app.stage = Stage::Refused(reason),
        Arrived::Keys(seen) => {
            let asked = app.keys.asked.as_ref();
            if asked.is_some_and(|a| a.filter == seen.wanted.filter && a.sort == seen.wanted.sort) {
                take_keys(app, seen);
            }
        }
        Arrived::Records(seen) => {
            if app.records.asked.as_ref() == Some(&seen.wanted) {
                records::arrived(app, seen);
            }
        }
        Arrived::Counting { segment, rows, done, total } => records::counting(app, segment, rows, (done, total)),
        Arrived::Hints(seen) => hints::arrived(app, seen),
        Arrived::CountingHint { segment, done, total } => hints::counting(app, segment, (done, total)),
        Arrived::HintStanding { segment, standing } => hints::standing(app, segment, standing),
        Arrived::Seeking { wanted, progress } => jumps::progress(app, &wanted, progress),
        Arrived::Sought(seen) => jumps::sought(app, seen),
        Arrived::LookedUp { wanted, entry } => jumps::looked_up(app, wanted, entry),
        Arrived::Record(seen) => dissect::arrived(app, seen),
        Arrived::Value(seen) => value::arrived(app, seen),
        Arrived::Diff(difference) => history::compared(app, difference),
        Arrived::Rested(wanted) => return history::rested(app, wanted),
        Arrived::ReadingHistory { wanted, progress } => history::progress(app, &wanted, progress),
        Arrived::History(seen) => history::arrived(app, seen),
        Arrived::Ran(ran) => end(app, *ran),
        Arrived::Followed(figures) => take_figures(app, *figures),
        Arrived::Pulse { figures, pulse } => {
            take_figures(app, *figures);
            follow::beat(app, pulse);
        }
        Arrived::Behind(bytes) => app.follow.behind = bytes,
        Arrived::Slot(seen) => index::arrived(app, *seen),
        Arrived::Findings(page) => app.page = Some(Page { content: Content::Findings(page), top: 0 }),
        Arrived::Progress(progress) => app.progress = Some(progress),
        Arrived::Completions { prefix, keys } => typing::completed(app, prefix, keys),
        Arrived::Failed(reason) => {
            app.keys.waiting = false;
            records::failed(app);
            app.say(Tone::Bad, reason);
        }
    }
    Vec::new()
}

fn open(app: &mut App, opened: Opened) {
    app.stage = Stage::Open;
    app.writer = opened.writer;
    take_figures(app, opened.figures);
    if app.writer.is_some() {
        follow::begin(app);
    }
}

fn take_figures(app: &mut App, figures: Figures) {
    if app.figures.as_ref().is_some_and(|known| known.generation > figures.generation) {
        return;
    }
    let growth = &mut app.keydir.growth;
    if growth.last() != Some(&figures.stats.keydir_bytes) {
        growth.push(figures.stats.keydir_bytes);
        let surplus = growth.len().saturating_sub(GROWTH);
        growth.drain(..surplus);
    }
    let is_gone = |id| figures.segments.iter().all(|segment| segment.id != id);
    if !app.records.is_unlisted && app.records.segment.is_some_and(is_gone) {
        app.records = Default::default();
    }
    app.figures = Some(figures);
}

fn take_keys(app: &mut App, seen: KeysSeen) {
    let page = layout(app).page(Pane::Keys);
    let keys = &mut app.keys;
    if seen.generation < keys.generation {
        return;
    }
    let answers_last = keys.asked.as_ref() == Some(&seen.wanted);
    keys.waiting &= !answers_last;
    keys.generation = seen.generation;
    keys.window = Window { from: seen.from, rows: seen.rows, total: seen.total };
    match seen.wanted.at {
        KeyPlace::Key { .. } | KeyPlace::Row(0) if answers_last => keys.cursor.jump(seen.place, seen.total, page),
        _ => keys.cursor.settle(seen.total, page),
    }
    if answers_last || keys.selected.is_none() {
        keys.selected = keys.row().map(|row| row.key.clone());
    }
}

/// A command ended: its answer and everything that it moved become visible in one step.
fn end(app: &mut App, ran: Ran) {
    if ran.was_long {
        app.progress = None;
    }
    let at = app.now;
    app.trace.push(Traced { line: ran.line, at, said: ran.said.clone(), steps: ran.steps, more: 0 });
    app.said = Some(ran.said);
    app.page = ran.page.map(|content| Page { content, top: 0 }).or(app.page.take());
    take_figures(app, ran.figures);
    if let Some(seen) =
        ran.keys.filter(|seen| seen.wanted.filter == app.keys.prefix && seen.wanted.sort == app.keys.sort)
    {
        app.keys.asked = Some(seen.wanted.clone());
        take_keys(app, seen);
    }
    if let Some(seen) = ran.records {
        // Whatever led so far: now the record that was just written does, until somebody moves.
        if app.lead == Lead::Segments {
            app.lead = Lead::Records;
        }
        super::look::show_record(app, seen.wanted.segment, None);
        history::show_newest(app);
        app.records.asked = Some(seen.wanted.clone());
        app.records.pinned = true;
        app.records.hint = None;
        records::arrived(app, seen);
        if !app.records.is_counted {
            // Whoever counted so far answers to another question.
            app.records.asked = None;
        }
    }
}
