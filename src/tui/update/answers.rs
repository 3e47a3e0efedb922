//! What arrives from workers. An answer that nobody waits for any more, or that is about an older state of the store
//! than the screen shows already, is dropped.

use super::{dissect, follow, hints, history, index, jumps, keys, merge, records, typing, value, vanished};
use crate::tui::action::{Arrived, List, Ran};
use crate::tui::app::{App, Content, Figures, Lead, Opened, Page, Stage, Tone, Traced};
use crate::tui::effect::Effect;
use crate::tui::list::Cursor;

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
        Arrived::Keys(seen) => keys::arrived(app, seen),
        Arrived::MakingKeys { view, work } => keys::making(app, &view, work),
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
        Arrived::LookedUp { wanted, entry } => return jumps::looked_up(app, wanted, entry),
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
        Arrived::Planned { inputs, plan } => merge::planned(app, &inputs, plan),
        Arrived::MergeStarted(taken) => merge::started(app, taken),
        Arrived::Merging { done, total, took } => merge::progress(app, done, total, took),
        Arrived::Committing => merge::committing(app),
        Arrived::MergeEnded(ended) => merge::ended(app, *ended),
        Arrived::Completions { prefix, keys } => typing::completed(app, prefix, keys),
        Arrived::Unread { list, reason } => {
            match list {
                List::Records => records::failed(app),
                List::Hint => hints::failed(app),
            }
            app.say(Tone::Bad, reason);
        }
        Arrived::Stalled(reason) => app.say(Tone::Bad, format!("nothing more can be read for now: {reason}")),
        Arrived::WriterEnded => {
            app.writer = None;
            app.say(Tone::Plain, "the process that wrote here has ended; open the store again to write to it");
        }
        Arrived::Failed(reason) => {
            app.keys.waiting = false;
            app.keys.work = None;
            records::failed(app);
            hints::failed(app);
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

pub(super) fn take_figures(app: &mut App, figures: Figures) {
    let age = |figures: &Figures| (figures.generation, figures.number);
    if app.figures.as_ref().is_some_and(|known| age(known) > age(&figures)) {
        return;
    }
    let growth = &mut app.keydir.growth;
    if growth.last() != Some(&figures.stats.keydir_bytes) {
        growth.push(figures.stats.keydir_bytes);
        let surplus = growth.len().saturating_sub(GROWTH);
        growth.drain(..surplus);
    }
    let before = vanished::before(app);
    app.figures = Some(figures);
    vanished::settle(app, &before);
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
    if let Some(seen) = ran.keys {
        keys::ran(app, seen);
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
