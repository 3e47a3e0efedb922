//! The lines that are typed: the command line with its history and completion, and the filter.

use std::sync::Arc;

use super::verbs::{focus, help, run};
use super::{keys, look, merge};
use crate::text;
use crate::tui::action::Edit;
use crate::tui::app::{App, Pane, Tone, Typing};
use crate::tui::command::{self, Command, Completion, common_prefix, parse};
use crate::tui::effect::Effect;
use crate::tui::field::Field;
use crate::tui::filter::KeyFilter;

/// Commands that the history keeps.
const HISTORY: usize = 1000;
/// Bytes that a line takes: the longest key, each byte escaped, and a value beside it.
const LONGEST_LINE: usize = 1 << 20;

pub(super) fn open_command_line(app: &mut App) {
    app.typing = Some(Typing::Command);
    app.command.offered.clear();
    app.command.field = Field::default();
    app.command.recalled = None;
    app.command.search = None;
}

/// Puts what was typed into the line that has the focus.
pub(super) fn insert(app: &mut App, typed: &str) -> Vec<Effect> {
    app.interrupted = false;
    let Some(field) = field(app) else { return Vec::new() };
    if field.text().len() + typed.len() > LONGEST_LINE {
        app.say(Tone::Bad, "the line is full; @FILE takes a value from a file");
        return Vec::new();
    }
    field.insert(typed);
    changed(app)
}

/// A paste is one line: what ends it is dropped, and nothing in it runs by itself.
pub(super) fn paste(app: &mut App, pasted: &str) -> Vec<Effect> {
    if app.typing.is_none() {
        app.say(Tone::Plain, "press : to type a command, then paste");
        return Vec::new();
    }
    insert(app, pasted.trim_end_matches(['\n', '\r']))
}

pub(super) fn edit(app: &mut App, edit: Edit) -> Vec<Effect> {
    let empty = app.command.field.is_empty();
    if app.typing == Some(Typing::Command) && edit == Edit::Backspace && empty {
        cancel(app);
        return Vec::new();
    }
    if let Some(field) = field(app) {
        field.edit(edit);
    }
    changed(app)
}

fn field(app: &mut App) -> Option<&mut Field> {
    match app.typing? {
        Typing::Command => Some(&mut app.command.field),
        Typing::Filter => Some(&mut app.keys.typed),
        Typing::HelpFilter => Some(&mut app.help_filter),
    }
}

fn changed(app: &mut App) -> Vec<Effect> {
    app.command.search = None;
    app.command.offered.clear();
    match app.typing {
        Some(Typing::Filter) => keys::apply_filter(app),
        Some(Typing::HelpFilter) => app.page.iter_mut().for_each(|page| page.top = 0),
        _ => {}
    }
    Vec::new()
}

/// Stops typing; a page is closed.
pub(super) fn cancel(app: &mut App) {
    app.copying = false;
    if app.typing == Some(Typing::HelpFilter) || !app.help_filter.is_empty() {
        // First the filter goes, then the page.
        app.typing = None;
        app.help_filter = Field::default();
        return;
    }
    if app.page.take().is_some() {
        return;
    }
    app.command.offered.clear();
    if app.typing.take() == Some(Typing::Filter) {
        keys::clear_filter(app);
    }
}

pub(super) fn submit(app: &mut App) -> Vec<Effect> {
    app.command.offered.clear();
    match app.typing.take() {
        Some(Typing::Command) => submit_command(app),
        // What is only half there stays, to be finished.
        Some(Typing::Filter) if !keys::is_filter(app) => {
            app.typing = Some(Typing::Filter);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Runs the line. One that cannot be read stays, to be corrected.
fn submit_command(app: &mut App) -> Vec<Effect> {
    let line = app.command.field.text().to_owned();
    let command = match parse(&line) {
        Ok(Some(command)) => command,
        Ok(None) => return Vec::new(),
        Err(fault) => {
            app.say(Tone::Bad, fault.to_string());
            app.typing = Some(Typing::Command);
            return Vec::new();
        }
    };
    remember(app, line.clone());
    app.said = None;
    match command {
        Command::Quit => merge::quit(app),
        Command::Merge { inputs, dry_run: true } => merge::plan(app, inputs),
        Command::Merge { inputs, dry_run: false } => merge::begin(app, inputs, line),
        Command::Help { about: None } => {
            help(app);
            Vec::new()
        }
        Command::Help { about: Some(spec) } => {
            app.say(Tone::Plain, format!("{spec} — {}", spec.help));
            Vec::new()
        }
        Command::List { prefix } => {
            app.keys.typed = Field::new(KeyFilter::typed(&prefix));
            keys::apply_filter(app);
            focus(app, Pane::Keys);
            Vec::new()
        }
        Command::Put { .. } | Command::Delete { .. } if app.writer.is_some() => {
            app.say(Tone::Bad, app.held());
            Vec::new()
        }
        command => vec![run(app, command, line)],
    }
}

fn remember(app: &mut App, line: String) {
    let history = &mut app.command.history;
    if history.last() != Some(&line) {
        history.push(line);
    }
    if history.len() > HISTORY {
        history.remove(0);
    }
}

/// Walks through the history; past its newest line comes what was being typed.
pub(super) fn recall(app: &mut App, older: bool) {
    let command = &mut app.command;
    let len = command.history.len();
    let (at, typed) = match command.recalled.take() {
        Some(recalled) => recalled,
        None => (len, command.field.text().to_owned()),
    };
    let at = if older { at.saturating_sub(1) } else { (at + 1).min(len) };
    let line = command.history.get(at).unwrap_or(&typed);
    command.field = Field::new(line.clone());
    command.recalled = (at < len).then_some((at, typed));
}

/// The newest earlier command that holds what is typed; again: the one before that.
pub(super) fn search_history(app: &mut App) {
    let command = &mut app.command;
    let wanted = command.search.clone().unwrap_or_else(|| command.field.text().to_owned());
    let from = match (&command.search, &command.recalled) {
        (Some(_), Some((at, _))) => *at,
        _ => command.history.len(),
    };
    let earlier = command.history.get(..from).unwrap_or_default();
    match earlier.iter().rposition(|line| line.contains(&wanted)) {
        Some(at) => {
            command.field = Field::new(earlier.get(at).cloned().unwrap_or_default());
            command.recalled = Some((at, wanted.clone()));
        }
        None => app.said = Some(look::plain(format!("no earlier command has {}", text::escape_str(&wanted)))),
    }
    app.command.search = Some(wanted);
}

/// Completes the word under the cursor, as far as it is clear.
pub(super) fn complete(app: &mut App) -> Vec<Effect> {
    let line = app.command.field.text().to_owned();
    let (word, completion) = command::completion(&line, app.command.field.cursor());
    match completion {
        Completion::Words(words) => {
            let end = if let [_] = words.as_slice() { " " } else { "" };
            let common = common_prefix(words.iter().map(|word| word.as_bytes()));
            if common.len() + end.len() > word.typed.len() {
                let common = format!("{}{end}", String::from_utf8_lossy(common));
                app.command.field.replace(word.start, word.end, &common);
            }
            Vec::new()
        }
        Completion::Key(prefix) => vec![Effect::Complete(prefix)],
        Completion::Nothing => Vec::new(),
    }
}

/// Keys arrived that complete a prefix: they are used if that is still what is typed.
pub(super) fn completed(app: &mut App, prefix: Vec<u8>, keys: Vec<Arc<[u8]>>) {
    let line = app.command.field.text().to_owned();
    let (word, completion) = command::completion(&line, app.command.field.cursor());
    if app.typing != Some(Typing::Command) || completion != Completion::Key(prefix.clone()) {
        return;
    }
    match keys.as_slice() {
        [] => app.say(Tone::Plain, "no key begins like this"),
        [key] => app.command.field.replace(word.start, word.end, &format!("{} ", text::key_word(key))),
        keys => {
            let common = common_prefix(keys.iter().map(|key| &**key));
            if common.len() > prefix.len() {
                // A common beginning may end inside a character; it is then shown as bytes, and read back as such.
                app.command.field.replace(word.start, word.end, &text::key_word(common));
            }
        }
    }
    app.command.offered = if keys.len() > 1 { keys } else { Vec::new() };
}
