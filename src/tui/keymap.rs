//! The one table of keys: what each does, where it applies, what the hints bar and the help say about it.
//!
//! Dispatch, hints and help all read [`BINDINGS`]; a key that is not here does nothing. Invariant: within the contexts
//! that are in force at one time, a key has one meaning (a test goes through all of them).

use super::action::{Action, Edit, Extent, Motion, Part, Target, Verb};
use super::app::{self, App, Pane};
use super::key::Key;

/// Where a row of the table applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// Whatever is on the screen.
    Anywhere,
    /// The panes, whichever has the focus.
    Panes,
    /// The panes from which left and right lead to others.
    Sideways,
    /// One pane.
    In(Pane),
    /// The records, and the bytes of one of them.
    OnRecords,
    /// A line is being typed.
    Typing,
    /// The line is a command.
    CommandLine,
    /// The line is a filter.
    Filter,
    /// A yes or a no is wanted.
    Question,
    /// What is to be copied is being chosen.
    Copying,
    /// One of several stores is to be chosen.
    Choice,
    /// A page lies over the panes.
    Page,
    /// The page is text.
    Text,
    /// The page is the help.
    Help,
    /// Lines of the help are being filtered.
    HelpFilter,
    /// The page is a list of findings.
    Findings,
    /// The page is the plan of a merge.
    Plan,
    /// The page is about the merge that runs.
    Merging,
    /// Nothing is open yet, or ever will be.
    Waiting,
}

impl Context {
    /// The heading in the help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Anywhere => "Anywhere",
            Self::Panes => "Panes",
            Self::Sideways => "Panes, but for the record",
            Self::In(pane) => pane.title(),
            Self::OnRecords => "Records, and the bytes of one",
            Self::Typing => "While typing",
            Self::CommandLine => "Command line",
            Self::Filter => "Filter",
            Self::Question => "Questions",
            Self::Copying => "Choosing what to copy",
            Self::Choice => "Choosing a store",
            Self::Page => "Pages like this one",
            Self::Text => "Pages of text",
            Self::Help => "This help",
            Self::HelpFilter => "While filtering this help",
            Self::Findings => "Findings",
            Self::Plan => "The plan of a merge",
            Self::Merging => "A merge that runs",
            Self::Waiting => "While opening",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Where it applies.
    pub context: Context,
    /// Any of these keys.
    pub keys: &'static [Key],
    /// What they ask for.
    pub verb: Verb,
    /// A word for the hints bar; empty keeps the row out of it.
    pub hint: &'static str,
    /// A sentence for the help.
    pub help: &'static str,
}

const fn row(context: Context, keys: &'static [Key], verb: Verb, hint: &'static str, help: &'static str) -> Binding {
    Binding { context, keys, verb, hint, help }
}

use Context::{
    Anywhere, Choice, CommandLine, Copying, Filter, Findings, Help, HelpFilter, In, Merging, OnRecords, Page, Panes,
    Plan, Question, Sideways, Text, Typing, Waiting,
};
use Key::{
    BackTab, Backspace, Char, Ctrl, Delete, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right, Tab, Up,
};

/// The table. Its order is the order of hints and help.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = &[
    row(In(Pane::Keys),     &[Enter],                Verb::Enter,                   "open",     "Go to the record of the key; open or close a branch."),
    row(In(Pane::Keys),     &[Char('s')],            Verb::Sort,                    "sort",     "Sort by name, then by size, then by age."),
    row(In(Pane::Keys),     &[Char('t')],            Verb::Tree,                    "tree",     "As a tree, or flat; in a tree → and ← open and close."),
    row(In(Pane::Keys),     &[Char('d')],            Verb::Delete,                  "delete",   "Delete the selected key, after a yes."),
    row(In(Pane::Segments), &[Enter],                Verb::Enter,                   "records",  "Open the selected segment's records."),
    row(In(Pane::Segments), &[Char(']')],            Verb::CellAfter,               "map",      "Select the next cell of the map; enter shows it."),
    row(In(Pane::Segments), &[Char('[')],            Verb::CellBefore,              "",         "Select the cell of the map before."),
    row(In(Pane::Segments), &[Char('i')],            Verb::ToggleHint,              "hint",     "Show the entries of the segment's hint."),
    row(In(Pane::Segments), &[Char(' ')],            Verb::MarkSegment,             "mark",     "Mark the segment; m then plans a merge of the marked."),
    row(In(Pane::Records),  &[Enter],                Verb::Enter,                   "record",   "Show the selected record."),
    row(In(Pane::Records),  &[Char('i')],            Verb::ToggleHint,              "hint",     "The entries of the segment's hint, or records again."),
    row(In(Pane::Record),   &[Left, Char('h')],      Verb::Move(Motion::Left),      "field",    "To the start of the field, or to the one before."),
    row(In(Pane::Record),   &[Right, Char('l')],     Verb::Move(Motion::Right),     "",         "To the next field."),
    row(In(Pane::Record),   &[Char('.')],            Verb::NextByte,                "byte",     "To the next byte."),
    row(In(Pane::Record),   &[Char(',')],            Verb::PreviousByte,            "",         "To the byte before."),
    row(OnRecords,          &[Char('o')],            Verb::GoToOther,               "",         "From a record to its hint entry, and back."),
    row(OnRecords,          &[Char('K')],            Verb::GoToKeydir,              "keydir",   "Go to the keydir's entry of the record's key."),
    row(OnRecords,          &[Char('x')],            Verb::Seek(Target::Tombstone, true),  "",  "The next tombstone, through all segments and around."),
    row(OnRecords,          &[Char('X')],            Verb::Seek(Target::Tombstone, false), "",  "The tombstone before."),
    row(OnRecords,          &[Char('!')],            Verb::Seek(Target::Damage, true),     "",  "The next damage, through all segments and around."),
    row(OnRecords,          &[Char('@')],            Verb::Seek(Target::Damage, false),    "",  "The damage before."),
    row(In(Pane::Value),    &[Char('x')],            Verb::NextView,                "view",     "In the next view that fits; related keys follow."),
    row(In(Pane::Value),    &[Char('X')],            Verb::DetectedView,            "",         "As what it was detected to be."),
    row(In(Pane::History),  &[Enter],                Verb::Enter,                   "record",   "Go to the record of the selected version."),
    row(In(Pane::History),  &[Char(' ')],            Verb::Mark,                    "mark",     "Mark the version that others are compared with."),
    row(In(Pane::History),  &[Char('=')],            Verb::Compare,                 "compare",  "Compare with the marked version, or the one before."),
    row(In(Pane::History),  &[Char('u')],            Verb::PutBack,                 "put back", "Put this old value back, after a yes."),

    row(Panes, &[Char('?')],                         Verb::Help,                    "help",     "Show this page."),
    row(Panes, &[Char('q')],                         Verb::Quit,                    "quit",     "Make everything durable and leave."),
    row(Panes, &[Char(':')],                         Verb::CommandLine,             "command",  "Type a command."),
    row(Panes, &[Char('/')],                         Verb::Filter,                  "find",     "Filter the keys: how they begin, re:PATTERN, or ~WORD."),
    row(Panes, &[Tab],                               Verb::NextPane,                "pane",     "Go to the next pane."),
    row(Panes, &[BackTab],                           Verb::PreviousPane,            "",         "Go to the pane before."),
    row(Panes, &[Char('1')],                         Verb::Focus(Pane::Keys),       "",         "Go to the keys."),
    row(Panes, &[Char('2')],                         Verb::Focus(Pane::Segments),   "",         "Go to the segments."),
    row(Panes, &[Char('3')],                         Verb::Focus(Pane::Record),     "",         "Go to the record."),
    row(Panes, &[Char('4')],                         Verb::Focus(Pane::Value),      "",         "Go to the value."),
    row(Panes, &[Char('5')],                         Verb::Focus(Pane::History),    "",         "Go to the history."),
    row(Panes, &[Char('6')],                         Verb::Focus(Pane::Keydir),     "",         "Go to the keydir."),
    row(Panes, &[Char('7')],                         Verb::Focus(Pane::Trace),      "",         "Go to the trace of the last commands."),
    row(Panes, &[Char('f')],                         Verb::Follow,                  "follow",   "Stay with the newest record as it is appended."),
    row(Panes, &[Char('p')],                         Verb::Pause,                   "",         "Read nothing more for a while; again: go on."),
    row(Panes, &[Char('+')],                         Verb::Zoom,                    "zoom",     "Give the pane the whole screen."),
    row(Panes, &[Char('_')],                         Verb::Unzoom,                  "",         "Show all panes again."),
    row(Panes, &[Esc],                               Verb::Leave,                   "",         "Out of a zoom, the records, a filter; stop a command."),
    row(Panes, &[Up, Char('k')],                     Verb::Move(Motion::Up),        "",         "Up one line."),
    row(Panes, &[Down, Char('j')],                   Verb::Move(Motion::Down),      "",         "Down one line."),
    row(Panes, &[PageUp],                            Verb::Move(Motion::PageUp),    "",         "Up one page."),
    row(Panes, &[PageDown],                          Verb::Move(Motion::PageDown),  "",         "Down one page."),
    row(Panes, &[Ctrl('u')],                         Verb::Move(Motion::HalfUp),    "",         "Up half a page."),
    row(Panes, &[Ctrl('d')],                         Verb::Move(Motion::HalfDown),  "",         "Down half a page."),
    row(Panes, &[Char('g'), Home],                   Verb::Move(Motion::First),     "",         "To the first line."),
    row(Panes, &[Char('G'), End],                    Verb::Move(Motion::Last),      "",         "To the last line."),
    row(Panes, &[Char('n')],                         Verb::NextMatch,               "",         "The next key; in records, the next version of its key."),
    row(Panes, &[Char('N')],                         Verb::PreviousMatch,           "",         "The one before."),
    row(Panes, &[Char('v')],                         Verb::Verify,                  "verify",   "Read every byte and list what is found."),
    row(Panes, &[Char('m')],                         Verb::Merge,                   "merge",    "Show what a merge would do; while one runs, how far."),
    row(Panes, &[Char('F')],                         Verb::Findings,                "findings", "List what opening found to be amiss."),
    row(Panes, &[Char('y')],                         Verb::Copy,                    "copy",     "Copy the key to the clipboard, as commands take it."),
    row(Panes, &[Char('Y')],                         Verb::ChooseCopy,              "",         "Copy key, value, record or place to the clipboard."),

    row(Sideways, &[Left, Char('h')],                Verb::Move(Motion::Left),      "",         "To the pane on the left."),
    row(Sideways, &[Right, Char('l')],               Verb::Move(Motion::Right),     "",         "To the pane on the right."),

    row(CommandLine, &[Enter],                       Verb::Submit,                  "run",      "Run the command and go back to the pane."),
    row(CommandLine, &[Tab],                         Verb::Complete,                "complete", "Complete the command or the key."),
    row(CommandLine, &[Up],                          Verb::Older,                   "history",  "The command before."),
    row(CommandLine, &[Down],                        Verb::Newer,                   "",         "The command after."),
    row(CommandLine, &[Ctrl('r')],                   Verb::SearchHistory,           "search",   "Find what is typed in the history; again: further back."),
    row(Filter, &[Enter],                            Verb::Submit,                  "keep",     "Keep the filter and go back to the keys."),
    row(Filter, &[Up],                               Verb::Move(Motion::Up),        "select",   "Up one key."),
    row(Filter, &[Down],                             Verb::Move(Motion::Down),      "",         "Down one key."),
    row(Typing, &[Esc],                              Verb::Cancel,                  "cancel",   "Stop typing; a filter is taken away."),
    row(Typing, &[Left],                             Verb::Edit(Edit::Left),        "",         "Left one character."),
    row(Typing, &[Right],                            Verb::Edit(Edit::Right),       "",         "Right one character."),
    row(Typing, &[Home, Ctrl('a')],                  Verb::Edit(Edit::Start),       "",         "To the start of the line."),
    row(Typing, &[End, Ctrl('e')],                   Verb::Edit(Edit::End),         "",         "To the end of the line."),
    row(Typing, &[Backspace],                        Verb::Edit(Edit::Backspace),   "",         "Erase the character before."),
    row(Typing, &[Delete],                           Verb::Edit(Edit::Delete),      "",         "Erase the character under the cursor."),
    row(Typing, &[Ctrl('u')],                        Verb::Edit(Edit::CutToStart),  "",         "Erase to the start of the line."),
    row(Typing, &[Ctrl('k')],                        Verb::Edit(Edit::CutToEnd),    "",         "Erase to the end of the line."),
    row(Typing, &[Ctrl('w')],                        Verb::Edit(Edit::CutWord),     "",         "Erase the word before."),

    row(Question, &[Char('y'), Char('Y')],           Verb::Yes,                     "yes",      "Do it."),
    row(Question, &[Char('n'), Char('N'), Esc],      Verb::No,                      "no",       "Leave it."),

    row(Copying, &[Char('k')],                       Verb::CopyPart(Part::Key),     "key",      "The key, as commands take it."),
    row(Copying, &[Char('v')],                       Verb::CopyPart(Part::Value),   "value",    "The value: text as it is, else as a literal."),
    row(Copying, &[Char('r')],                       Verb::CopyPart(Part::Record),  "record",   "The bytes of the record as hexadecimal digits."),
    row(Copying, &[Char('o')],                       Verb::CopyPart(Part::Place),   "offset",   "Segment and offset, as logkv dump takes them."),
    row(Copying, &[Esc],                             Verb::Cancel,                  "nothing",  "Copy nothing."),

    row(Choice, &[Enter],                            Verb::Enter,                   "open",     "Open the selected store."),
    row(Choice, &[Up, Char('k')],                    Verb::Move(Motion::Up),        "select",   "Up one line."),
    row(Choice, &[Down, Char('j')],                  Verb::Move(Motion::Down),      "",         "Down one line."),
    row(Choice, &[PageUp],                           Verb::Move(Motion::PageUp),    "",         "Up one page."),
    row(Choice, &[PageDown],                         Verb::Move(Motion::PageDown),  "",         "Down one page."),
    row(Choice, &[Char('g'), Home],                  Verb::Move(Motion::First),     "",         "To the first line."),
    row(Choice, &[Char('G'), End],                   Verb::Move(Motion::Last),      "",         "To the last line."),
    row(Choice, &[Char('q'), Esc],                   Verb::Quit,                    "quit",     "Leave."),

    row(Findings, &[Enter],                          Verb::Enter,                   "go there", "Go to the record that the finding is about."),
    row(Plan, &[Enter],                              Verb::Enter,                   "merge",    "Merge as planned, without another question."),
    row(Plan, &[Char('a')],                          Verb::PlanMerge(Extent::All),  "all",      "Plan a merge of all segments; again: by policy."),
    row(Plan, &[Char('p')],                          Verb::PlanMerge(Extent::Policy), "policy", "Plan a merge of the segments that are worth it."),
    row(Plan, &[Char('s')],                          Verb::PlanMerge(Extent::Selected), "selected", "Of the segments marked or selected in pane 2."),
    row(Merging, &[Char('c')],                       Verb::StopMerge,               "cancel",   "Give the merge up; nothing has changed then."),
    row(Help, &[Char('/')],                          Verb::HelpFilter,              "filter",   "Show only lines that hold what you type."),
    row(HelpFilter, &[Enter],                        Verb::Submit,                  "keep",     "Keep the filter."),
    row(HelpFilter, &[Up],                           Verb::Move(Motion::Up),        "scroll",   "Up one line."),
    row(HelpFilter, &[Down],                         Verb::Move(Motion::Down),      "",         "Down one line."),
    row(Page, &[Esc, Char('q')],                     Verb::Cancel,                  "close",    "Close the page."),
    row(Text, &[Enter, Char('?')],                   Verb::Cancel,                  "",         "Close the page, too."),
    row(Page, &[Up, Char('k')],                      Verb::Move(Motion::Up),        "scroll",   "Up one line."),
    row(Page, &[Down, Char('j')],                    Verb::Move(Motion::Down),      "",         "Down one line."),
    row(Page, &[PageUp, Ctrl('u')],                  Verb::Move(Motion::PageUp),    "",         "Up one page."),
    row(Page, &[PageDown, Ctrl('d'), Char(' ')],     Verb::Move(Motion::PageDown),  "",         "Down one page."),
    row(Page, &[Char('g'), Home],                    Verb::Move(Motion::First),     "",         "To the top."),
    row(Page, &[Char('G'), End],                     Verb::Move(Motion::Last),      "",         "To the end."),

    row(Waiting, &[Char('?')],                       Verb::Help,                    "help",     "Show this page."),
    row(Waiting, &[Char('q'), Esc],                  Verb::Quit,                    "quit",     "Leave."),

    row(Anywhere, &[Ctrl('l')],                      Verb::Redraw,                  "",         "Draw the screen anew."),
    row(Anywhere, &[Ctrl('z')],                      Verb::Suspend,                 "",         "Put the program to sleep; `fg` wakes it."),
    row(Anywhere, &[Ctrl('c')],                      Verb::Interrupt,               "",         "Twice: leave. Once: stop typing, or a running command."),
];

/// The contexts in force, innermost first.
pub fn contexts(app: &App) -> Vec<Context> {
    match app.page.as_ref().map(|page| &page.content) {
        Some(app::Content::Findings(_)) => return vec![Findings, Page, Anywhere],
        Some(app::Content::Help) if app.typing == Some(app::Typing::HelpFilter) => {
            return vec![HelpFilter, Typing, Anywhere];
        }
        Some(app::Content::Help) => return vec![Help, Page, Text, Anywhere],
        Some(app::Content::Report(_) | app::Content::Diff(_)) => return vec![Page, Text, Anywhere],
        Some(app::Content::Merge(page)) => return merge_contexts(&page.stage),
        None => {}
    }
    if app.copying {
        return vec![Copying, Anywhere];
    }
    if app.is_asking() {
        return vec![Question, Anywhere];
    }
    if app.is_choosing() {
        return vec![Choice, Anywhere];
    }
    if app.figures.is_none() {
        return vec![Waiting, Anywhere];
    }
    match app.typing {
        Some(app::Typing::Command) => vec![CommandLine, Typing, Anywhere],
        Some(app::Typing::Filter) => vec![Filter, Typing, Anywhere],
        // Its page is gone, and so is it.
        Some(app::Typing::HelpFilter) | None => pane_contexts(app.focus),
    }
}

/// What is done is a page of text.
fn merge_contexts(stage: &app::MergeStage) -> Vec<Context> {
    match stage {
        app::MergeStage::Running => vec![Merging, Page, Anywhere],
        app::MergeStage::Ended(_) => vec![Page, Text, Anywhere],
        _ => vec![Plan, Page, Anywhere],
    }
}

/// In the record left and right go over its fields.
fn pane_contexts(pane: Pane) -> Vec<Context> {
    match pane {
        Pane::Record => vec![In(pane), OnRecords, Panes, Anywhere],
        Pane::Records => vec![In(pane), OnRecords, Panes, Sideways, Anywhere],
        _ => vec![In(pane), Panes, Sideways, Anywhere],
    }
}

/// The rows in force, innermost first.
pub fn in_force(app: &App) -> impl Iterator<Item = &'static Binding> {
    contexts(app).into_iter().flat_map(|context| BINDINGS.iter().filter(move |binding| binding.context == context))
}

/// What a key press asks for now. `None`: nothing.
pub fn action(app: &App, key: Key) -> Option<Action> {
    if let Some(binding) = in_force(app).find(|binding| binding.keys.contains(&key)) {
        return Some(Action::Verb(binding.verb));
    }
    match key {
        Char(c) if contexts(app).contains(&Typing) => Some(Action::Type(c)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn stacks() -> Vec<Vec<Context>> {
        let panes = Pane::ALL.map(pane_contexts);
        let others = [
            vec![CommandLine, Typing, Anywhere],
            vec![Filter, Typing, Anywhere],
            vec![HelpFilter, Typing, Anywhere],
            vec![Copying, Anywhere],
            vec![Help, Page, Text, Anywhere],
            vec![Question, Anywhere],
            vec![Choice, Anywhere],
            vec![Page, Text, Anywhere],
            vec![Findings, Page, Anywhere],
            vec![Plan, Page, Anywhere],
            vec![Merging, Page, Anywhere],
            vec![Waiting, Anywhere],
        ];
        panes.into_iter().chain(others).collect()
    }

    #[test]
    fn a_key_has_one_meaning_wherever_it_is_pressed() {
        for stack in stacks() {
            let mut seen = HashMap::new();
            for binding in BINDINGS.iter().filter(|binding| stack.contains(&binding.context)) {
                for key in binding.keys {
                    let before = seen.insert(*key, binding);
                    assert!(before.is_none(), "{key:?} in {stack:?}: {before:?} and {binding:?}");
                }
            }
        }
    }

    #[test]
    fn every_row_can_be_in_force_and_explains_itself() {
        let stacks = stacks();
        for binding in BINDINGS {
            assert!(stacks.iter().any(|stack| stack.contains(&binding.context)), "{binding:?}");
            assert!(!binding.keys.is_empty() && binding.help.ends_with('.'), "{binding:?}");
        }
    }

    #[test]
    fn letters_are_free_while_typing() {
        let takes =
            |binding: &&Binding| matches!(binding.context, CommandLine | Filter | HelpFilter | Typing | Anywhere);
        for binding in BINDINGS.iter().filter(takes) {
            assert!(!binding.keys.iter().any(|key| matches!(key, Char(_))), "{binding:?}");
        }
    }
}
