//! What each verb of the table of keys does.

use super::look::show_record;
use super::{copy, dissect, follow, hints, history, jumps, keys, merge, moves, strips, typing, value};
use crate::store::{Finding, FindingKind};
use crate::text;
use crate::tui::action::{Part, Target, Verb};
use crate::tui::app::{App, Content, Lead, Page, Pane, Stage, Tone, Typing};
use crate::tui::command::{Command, delete_line};
use crate::tui::effect::{Effect, Run};
use crate::tui::field::Field;

pub(super) fn verb(app: &mut App, verb: Verb) -> Vec<Effect> {
    let interrupted = std::mem::take(&mut app.interrupted);
    match verb {
        Verb::Move(motion) => return moves::go(app, motion),
        Verb::Focus(pane) => focus(app, pane),
        Verb::NextPane => focus(app, beside(app.focus, 1)),
        Verb::PreviousPane => focus(app, beside(app.focus, Pane::ALL.len() - 1)),
        Verb::Zoom => app.zoomed = true,
        Verb::Unzoom => app.zoomed = false,
        Verb::Enter => return enter(app),
        Verb::Leave => return leave(app),
        Verb::Filter => {
            focus(app, Pane::Keys);
            app.typing = Some(Typing::Filter);
        }
        Verb::NextMatch => return matching(app, true),
        Verb::PreviousMatch => return matching(app, false),
        Verb::Sort => keys::next_order(app),
        Verb::Tree => keys::toggle_tree(app),
        Verb::CommandLine => typing::open_command_line(app),
        Verb::Help => help(app),
        Verb::Verify => return vec![run(app, Command::Verify, "verify".to_owned())],
        Verb::Findings => return vec![Effect::Findings],
        Verb::Merge => return merge::open(app),
        Verb::PlanMerge(extent) => return merge::choose(app, extent),
        Verb::MarkSegment => merge::mark(app),
        Verb::StopMerge => return merge::stop(app).into_iter().collect(),
        Verb::Delete => ask_delete(app),
        Verb::NextView => value::next_view(app),
        Verb::DetectedView => value::detected_view(app),
        Verb::Mark => history::mark(app),
        Verb::Compare => return history::compare(app).into_iter().collect(),
        Verb::PutBack => history::ask_put_back(app),
        Verb::Copy => return copy::copy(app, Part::Key),
        Verb::ChooseCopy => app.copying = true,
        Verb::CopyPart(part) => {
            app.copying = false;
            return copy::copy(app, part);
        }
        Verb::CellBefore => strips::step(app, false),
        Verb::CellAfter => strips::step(app, true),
        Verb::Follow => follow::toggle(app),
        Verb::Pause => return follow::pause(app),
        Verb::HelpFilter => app.typing = Some(Typing::HelpFilter),
        Verb::Redraw => return vec![Effect::Redraw],
        Verb::Suspend => return vec![Effect::Suspend],
        Verb::Quit => return merge::quit(app),
        Verb::Interrupt => return interrupt(app, interrupted),
        Verb::Edit(edit) => return typing::edit(app, edit),
        Verb::Submit => return typing::submit(app),
        Verb::Cancel => {
            let effects = merge::leave(app);
            typing::cancel(app);
            return effects;
        }
        Verb::Older => typing::recall(app, true),
        Verb::Newer => typing::recall(app, false),
        Verb::Complete => return typing::complete(app),
        Verb::SearchHistory => typing::search_history(app),
        Verb::Yes => return answer(app, true),
        Verb::No => return answer(app, false),
        Verb::ToggleHint => hints::toggle(app),
        Verb::GoToOther => hints::go_to_other(app),
        Verb::GoToKeydir => return jumps::look_up(app),
        Verb::Seek(target, forward) => return jumps::seek(app, target, forward),
        Verb::PreviousByte => dissect::step(app, false),
        Verb::NextByte => dissect::step(app, true),
    }
    Vec::new()
}

/// Shows all of the help.
pub(super) fn help(app: &mut App) {
    app.help_filter = Field::default();
    app.page = Some(Page { content: Content::Help, top: 0 });
}

/// Gives a pane the focus; a list takes the lead.
pub(super) fn focus(app: &mut App, pane: Pane) {
    if pane != Pane::Segments
        && app.strips.cell.is_some()
        && app.said.as_ref().is_some_and(|said| said.tone == Tone::Plain)
    {
        // What was said about the cell names a key that does something else in another pane.
        app.said = None;
    }
    app.focus = pane;
    match pane {
        Pane::Keys => app.lead = Lead::Keys,
        Pane::Segments => app.lead = Lead::Segments,
        Pane::Records => app.lead = Lead::Records,
        Pane::Record | Pane::Value | Pane::History | Pane::Keydir | Pane::Trace => app.tab = pane,
    }
    app.history.chosen &= !matches!(pane, Pane::Keys | Pane::Segments | Pane::Records);
    if app.lead != Lead::Keys {
        app.records.pinned = false;
    }
}

fn beside(pane: Pane, steps: usize) -> Pane {
    let at = Pane::ALL.iter().position(|each| *each == pane).unwrap_or(0);
    Pane::ALL.get((at + steps) % Pane::ALL.len()).copied().unwrap_or_default()
}

fn enter(app: &mut App) -> Vec<Effect> {
    if let Some(Page { content: Content::Findings(page), .. }) = &app.page {
        match page.selected().cloned() {
            Some(finding) => go_to_finding(app, &finding),
            None => app.page = None,
        }
        return Vec::new();
    }
    if let Some(Page { content: Content::Merge(_), .. }) = &app.page {
        return merge::enter(app);
    }
    if let Stage::Choose { members, cursor } = &app.stage {
        let Some(path) = members.get(cursor.at).cloned() else { return Vec::new() };
        app.path = path.clone();
        app.stage = Stage::Opening;
        return vec![Effect::Open { path, create: false }];
    }
    match app.focus {
        Pane::Segments => strips::enter(app),
        Pane::Keys => {
            if !keys::toggle_branch(app) {
                focus(app, Pane::Records);
            }
        }
        Pane::Records => focus(app, Pane::Record),
        Pane::History => history::enter(app),
        Pane::Record | Pane::Value | Pane::Keydir | Pane::Trace => {}
    }
    Vec::new()
}

/// Shows the record that a finding is about, or at least its segment.
fn go_to_finding(app: &mut App, finding: &Finding) {
    // A segment whose header cannot be believed is in no list, and can be looked at.
    let has_file = |id| {
        app.segment_rows().iter().any(|segment| segment.id == id)
            || matches!(finding.kind, FindingKind::DamagedHeader | FindingKind::WrongId | FindingKind::NeedsNewer)
    };
    let Some(segment) = finding.segment.filter(|id| has_file(*id)) else {
        return app.say(Tone::Plain, "this finding is about a file, not about a record");
    };
    app.page = None;
    if matches!(finding.kind, FindingKind::DamagedHint | FindingKind::StaleHint) {
        return hints::show(app, segment);
    }
    focus(app, Pane::Records);
    show_record(app, segment, finding.offset);
}

/// One step out of whatever was gone into last.
fn leave(app: &mut App) -> Vec<Effect> {
    if app.progress.is_some() {
        return vec![Effect::Stop];
    }
    if let Some(stop) = history::stop(app).or_else(|| jumps::stop(app)) {
        return vec![stop];
    }
    if app.zoomed {
        app.zoomed = false;
        return Vec::new();
    }
    match (app.focus, app.lead) {
        (Pane::Records, _) if app.records.hint.is_some() => app.records.hint = None,
        (Pane::Records, _) => focus(app, Pane::Segments),
        (Pane::Record | Pane::Value | Pane::History, Lead::Records) => focus(app, Pane::Records),
        (Pane::Keys, _) => keys::clear_filter(app),
        _ => focus(app, Pane::Keys),
    }
    Vec::new()
}

fn matching(app: &mut App, forward: bool) -> Vec<Effect> {
    if matches!(app.focus, Pane::Records | Pane::Record) {
        return jumps::seek(app, Target::Version, forward);
    }
    keys::next(app, forward);
    Vec::new()
}

fn ask_delete(app: &mut App) {
    match app.keys.selected.clone() {
        None => app.say(Tone::Bad, "there is no key to delete"),
        Some(_) if !app.is_writable() => app.say(Tone::Bad, "this store is open read-only: nothing can be deleted"),
        Some(key) => app.asked_delete = Some(key),
    }
}

fn answer(app: &mut App, yes: bool) -> Vec<Effect> {
    if let Stage::AskCreate(path) = &app.stage {
        let effect = if yes { Effect::Open { path: path.clone(), create: true } } else { Effect::Quit };
        app.stage = if yes { Stage::Opening } else { app.stage.clone() };
        return vec![effect];
    }
    if std::mem::take(&mut app.asked_quit) {
        return if yes { vec![Effect::Quit] } else { Vec::new() };
    }
    if let Some(wanted) = app.asked_put_back.take() {
        return history::put_back(app, wanted, yes).into_iter().collect();
    }
    match app.asked_delete.take() {
        Some(key) if yes => {
            let line = delete_line(&key);
            vec![run(app, Command::Delete { keys: vec![key.to_vec()] }, line)]
        }
        Some(key) => {
            app.say(Tone::Plain, format!("{} stays", text::escape_to_width(&key, 60).text));
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// A command with what is on the screen, so that one answer renews it all.
pub(super) fn run(app: &App, command: Command, line: String) -> Effect {
    let keys = keys::wanted(app);
    Effect::Run(Box::new(Run { command, line, keys, records: app.records.asked.clone() }))
}

/// Once: stop what can be stopped. Twice: leave.
fn interrupt(app: &mut App, again: bool) -> Vec<Effect> {
    if again {
        return vec![Effect::Quit];
    }
    let mut effects = merge::leave(app);
    effects.extend(merge::stop(app));
    app.interrupted = true;
    app.page = None;
    app.asked_quit = false;
    app.asked_delete = None;
    app.copying = false;
    app.asked_put_back = None;
    typing::cancel(app);
    app.say(Tone::Plain, "ctrl-c again to leave");
    effects.extend(app.progress.as_ref().map(|_| Effect::Stop));
    effects
}
