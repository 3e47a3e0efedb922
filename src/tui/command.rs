//! The command line's language: its table of commands, and reading, completing and explaining what is typed.
//!
//! It runs nothing. Words and literals are read by [`crate::text`], as everywhere else. Invariant: every command of
//! [`COMMANDS`] is parsed by its name and each of its aliases, and its usage is what the help shows.

use std::fmt;

use crate::format::SegmentId;
use crate::store::Location;
use crate::text::{self, CommandLine, CursorWord, FilesAllowed, LiteralError, ValueLiteral, Word};

/// A command, ready to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Give a key a value.
    Put {
        /// The key.
        key: Vec<u8>,
        /// The value, or the file that holds it.
        value: ValueLiteral,
    },
    /// Show a key's value.
    Get {
        /// The key.
        key: Vec<u8>,
    },
    /// Give a key the value back that an older record of it holds.
    PutBack {
        /// The key.
        key: Vec<u8>,
        /// The record.
        from: Location,
    },
    /// Take keys away.
    Delete {
        /// The keys.
        keys: Vec<Vec<u8>>,
    },
    /// Show the keys that begin with a prefix.
    List {
        /// The prefix as typed.
        prefix: String,
    },
    /// Show the store's figures.
    Stats,
    /// Make everything durable.
    Sync,
    /// Read every byte.
    Verify,
    /// Merge segments.
    Merge {
        /// Which.
        inputs: Inputs,
        /// Show what would be done, and do nothing.
        dry_run: bool,
    },
    /// Explain a command, or everything.
    Help {
        /// The command's name.
        about: Option<&'static Spec>,
    },
    /// Leave.
    Quit,
}

/// Which segments a merge is to take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Inputs {
    /// Those that are worth it.
    #[default]
    Policy,
    /// All of them; the active one is sealed first.
    All,
    /// These.
    These(Vec<SegmentId>),
}

/// One row of the table of commands.
#[derive(Debug, PartialEq, Eq)]
pub struct Spec {
    /// What it is called.
    pub name: &'static str,
    /// What it is called as well.
    pub aliases: &'static [&'static str],
    /// Its arguments.
    pub usage: &'static str,
    /// A sentence for the help.
    pub help: &'static str,
    /// What its words are, for completion.
    words: Words,
    verb: CommandVerb,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Words {
    None,
    /// The first is a key.
    Key,
    /// All are keys.
    Keys,
    /// The first is a command.
    Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CommandVerb {
    Put,
    Get,
    Delete,
    List,
    Stats,
    Sync,
    Verify,
    Merge,
    Help,
    Quit,
}

const fn spec(
    verb: CommandVerb,
    name: &'static str,
    aliases: &'static [&'static str],
    usage: &'static str,
    words: Words,
    help: &'static str,
) -> Spec {
    Spec { name, aliases, usage, help, words, verb }
}

/// Every command, in the order of the help.
#[rustfmt::skip]
pub const COMMANDS: &[Spec] = &[
    spec(CommandVerb::Put,    "put",    &["set"],  "KEY VALUE",  Words::Key,     "Give KEY the rest of the line, \"a\\tquoted\", or @FILE."),
    spec(CommandVerb::Get,    "get",    &[],       "KEY",        Words::Key,     "Select KEY and show its value."),
    spec(CommandVerb::Delete, "delete", &["del"],  "KEY…",       Words::Keys,    "Append a tombstone for each KEY, without asking."),
    spec(CommandVerb::List,   "list",   &["keys"], "[PREFIX]",   Words::Key,     "Show the keys that begin with PREFIX, or all."),
    spec(CommandVerb::Stats,  "stats",  &[],       "",           Words::None,    "Show the store's figures."),
    spec(CommandVerb::Sync,   "sync",   &[],       "",           Words::None,    "Make everything durable that was acknowledged."),
    spec(CommandVerb::Verify, "verify", &[],       "",           Words::None,    "Read every byte and list what is found."),
    spec(CommandVerb::Merge,  "merge",  &[],       "[all|ID,ID]", Words::None, "Merge by policy, all or these; --dry-run only plans."),
    spec(CommandVerb::Help,   "help",   &[],       "[COMMAND]",  Words::Command, "Show the keys and commands, or one command."),
    spec(CommandVerb::Quit,   "quit",   &["q"],    "",           Words::None,    "Make everything durable and leave."),
];

impl Spec {
    /// The command called `name`.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        COMMANDS.iter().find(|spec| spec.name == name || spec.aliases.contains(&name))
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if self.usage.is_empty() { Ok(()) } else { write!(f, " {}", self.usage) }
    }
}

/// Why a line is no command. Its text is escaped, and says what to type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no such command.
    Unknown(String),
    /// An argument is missing.
    TooFew(&'static Spec),
    /// A word cannot be read.
    Literal(LiteralError),
    /// A word looks like an option, and there are none.
    Option(String),
    /// A word names no segment, or one too many beside `all`.
    NoSegment(String, &'static Spec),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => {
                let names: Vec<&str> = COMMANDS.iter().map(|spec| spec.name).collect();
                write!(f, "{} is no command; type {}", text::escape_to_width(name.as_bytes(), 30).text, names.join(" "))
            }
            Self::TooFew(spec) => write!(f, "something is missing; type {spec}"),
            Self::Literal(e) => e.fmt(f),
            Self::Option(word) => {
                let word = text::escape_to_width(word.as_bytes(), 30).text;
                write!(f, "{word} is no option here; a key like that stands in \"quotes\"")
            }
            Self::NoSegment(word, spec) => {
                write!(
                    f,
                    "{} is no number of a segment here; type {spec}",
                    text::escape_to_width(word.as_bytes(), 30).text
                )
            }
        }
    }
}

impl From<LiteralError> for Fault {
    fn from(e: LiteralError) -> Self {
        Self::Literal(e)
    }
}

/// Reads a line. `Ok(None)`: there is nothing on it.
pub fn parse(line: &str) -> Result<Option<Command>, Fault> {
    let mut words = CommandLine::new(line);
    let Some(name) = words.take_word()? else { return Ok(None) };
    let name = name.text()?;
    let spec = Spec::by_name(&name).ok_or_else(|| Fault::Unknown(name.into_owned()))?;
    let command = arguments(spec, &mut words)?;
    words.finish()?;
    Ok(Some(command))
}

fn arguments(spec: &'static Spec, words: &mut CommandLine<'_>) -> Result<Command, Fault> {
    Ok(match spec.verb {
        CommandVerb::Put => {
            let key = key(spec, words)?;
            let value = words.take_value(FilesAllowed::Yes)?.ok_or(Fault::TooFew(spec))?;
            Command::Put { key, value }
        }
        CommandVerb::Get => Command::Get { key: key(spec, words)? },
        CommandVerb::Delete => {
            let mut keys = vec![key(spec, words)?];
            while let Some(word) = words.take_word()? {
                keys.push(no_option(word)?);
            }
            Command::Delete { keys }
        }
        CommandVerb::List => {
            let word = words.take_word()?;
            let prefix = word.map(no_option).transpose()?.unwrap_or_default();
            Command::List { prefix: text::key_literal(&prefix) }
        }
        CommandVerb::Stats => Command::Stats,
        CommandVerb::Sync => Command::Sync,
        CommandVerb::Verify => Command::Verify,
        CommandVerb::Merge => merge(spec, words)?,
        CommandVerb::Help => Command::Help { about: about(words)? },
        CommandVerb::Quit => Command::Quit,
    })
}

fn key(spec: &'static Spec, words: &mut CommandLine<'_>) -> Result<Vec<u8>, Fault> {
    no_option(words.take_word()?.ok_or(Fault::TooFew(spec))?)
}

/// A key, unless it looks like one of the options that a shell's command line and a batch take: whoever types `--ttl 1h`
/// here does not mean a key of that name.
fn no_option(word: Word<'_>) -> Result<Vec<u8>, Fault> {
    match word.typed.starts_with("--") && !word.quoted {
        true => Err(Fault::Option(word.typed.to_owned())),
        false => Ok(word.key()?),
    }
}

fn about(words: &mut CommandLine<'_>) -> Result<Option<&'static Spec>, Fault> {
    let Some(word) = words.take_word()? else { return Ok(None) };
    let name = word.text()?;
    Spec::by_name(&name).map(Some).ok_or_else(|| Fault::Unknown(name.into_owned()))
}

fn merge(spec: &'static Spec, words: &mut CommandLine<'_>) -> Result<Command, Fault> {
    let (mut all, mut dry_run, mut ids) = (false, false, Vec::new());
    while let Some(word) = words.take_word()? {
        let word = word.text()?;
        match &*word {
            "all" | "--all" if ids.is_empty() => all = true,
            "--dry-run" => dry_run = true,
            _ => {
                let read: Option<Vec<SegmentId>> = word.split(',').map(|id| id.parse().ok()).collect();
                ids.extend(read.filter(|_| !all).ok_or_else(|| Fault::NoSegment(word.into_owned(), spec))?);
            }
        }
    }
    ids.sort_unstable();
    ids.dedup();
    let inputs = match ids.as_slice() {
        [] if all => Inputs::All,
        [] => Inputs::Policy,
        _ => Inputs::These(ids),
    };
    Ok(Command::Merge { inputs, dry_run })
}

/// The line as a merge of these would be typed.
pub fn merge_line(inputs: &Inputs) -> String {
    match inputs {
        Inputs::Policy => "merge".to_owned(),
        Inputs::All => "merge all".to_owned(),
        Inputs::These(ids) => {
            let ids: Vec<String> = ids.iter().map(SegmentId::to_string).collect();
            format!("merge {}", ids.join(","))
        }
    }
}

/// The line as a command of the interface would be typed.
pub fn delete_line(key: &[u8]) -> String {
    format!("delete {}", text::key_word(key))
}

/// What to show behind the cursor while a line is typed: the arguments still to come, or the commands there are.
pub fn usage_hint(line: &str) -> String {
    let here = CommandLine::word_at(line, line.len());
    let Some(spec) = spec_of(line) else {
        let fits: Vec<&str> = COMMANDS.iter().map(|s| s.name).filter(|name| name.starts_with(here.typed)).collect();
        return if here.index == 0 { fits.join(" ") } else { String::new() };
    };
    let done = if here.typed.is_empty() && !here.quoted { here.index } else { here.index + 1 };
    let rest: Vec<&str> = spec.usage.split(' ').skip(done.saturating_sub(1)).collect();
    rest.join(" ")
}

/// The command that the line begins with, once its first word is complete.
fn spec_of(line: &str) -> Option<&'static Spec> {
    let (name, _) = line.trim_start_matches(' ').split_once(' ')?;
    Spec::by_name(name)
}

/// What the word under the cursor could become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// One of these words.
    Words(Vec<&'static str>),
    /// A key that begins with these bytes.
    Key(Vec<u8>),
    /// Nothing is known here.
    Nothing,
}

/// What could complete the word under the cursor.
pub fn completion<'a>(line: &'a str, cursor: usize) -> (CursorWord<'a>, Completion) {
    let word = CommandLine::word_at(line, cursor);
    let names = || COMMANDS.iter().map(|spec| spec.name).filter(|name| name.starts_with(word.typed)).collect();
    let words = spec_of(line).map_or(Words::None, |spec| spec.words);
    let completion = match (word.index, words) {
        (0, _) | (1, Words::Command) => Completion::Words(names()),
        (1, Words::Key) | (1.., Words::Keys) => word.key_prefix().map_or(Completion::Nothing, Completion::Key),
        _ => Completion::Nothing,
    };
    (word, completion)
}

/// The longest beginning that all of these share.
pub fn common_prefix<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> &'a [u8] {
    let first = words.next().unwrap_or_default();
    words.fold(first, |common, word| {
        let len = common.iter().zip(word).take_while(|(a, b)| a == b).count();
        common.get(..len).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn put(key: &[u8], value: &[u8]) -> Command {
        Command::Put { key: key.to_vec(), value: ValueLiteral::Bytes(value.to_vec()) }
    }

    #[test]
    fn a_value_runs_to_the_end_of_the_line() {
        assert_eq!(parse(r#"put user:1 {"n": 2}"#).unwrap().unwrap(), put(b"user:1", br#"{"n": 2}"#));
        assert_eq!(parse(r#"set \xff "a\n""#).unwrap().unwrap(), put(b"\xff", b"a\n"));
        assert_eq!(parse("   ").unwrap(), None);
    }

    #[test]
    fn every_command_goes_by_its_name_and_its_aliases() {
        for spec in COMMANDS {
            for name in spec.aliases.iter().chain([&spec.name]) {
                let line = format!("{name} k v");
                let result = parse(&line).or_else(|_| parse(&format!("{name} k"))).or_else(|_| parse(name));
                assert!(result.is_ok_and(|command| command.is_some()), "{name}");
            }
            assert!(spec.help.ends_with('.') && !spec.to_string().ends_with(' '));
        }
    }

    #[test]
    fn a_bad_line_is_answered_with_what_to_type() {
        let told = |line: &str| parse(line).unwrap_err().to_string();
        assert_eq!(told("put k"), "something is missing; type put KEY VALUE");
        assert!(told("pu\x1bt k").contains("pu\\x1bt is no command; type put get"));
        assert!(told("get a b").contains('b'));
        assert!(told("get \"a").contains("column") || told("get \"a").contains('"'));
    }

    #[test]
    fn what_looks_like_an_option_is_no_key_unless_it_is_quoted() {
        for line in ["put --ttl 1h k v", "get --raw k", "delete k --dry-run", "list --prefix"] {
            let told = parse(line).unwrap_err().to_string();
            assert!(told.ends_with("is no option here; a key like that stands in \"quotes\""), "{line}: {told}");
        }
        assert_eq!(parse("put \"--ttl\" 1h"), Ok(Some(put(b"--ttl", b"1h"))));
        assert_eq!(parse("put k --ttl"), Ok(Some(put(b"k", b"--ttl"))));
        assert_eq!(parse(&delete_line(b"--ttl")), Ok(Some(Command::Delete { keys: vec![b"--ttl".to_vec()] })));
    }

    #[test]
    fn a_merge_takes_what_is_worth_it_or_all_or_what_is_named() {
        let merge = |line: &str| match parse(line).unwrap().unwrap() {
            Command::Merge { inputs, dry_run } => (merge_line(&inputs), dry_run),
            other => (format!("{other:?}"), false),
        };
        assert_eq!(merge("merge"), ("merge".to_owned(), false));
        assert_eq!(merge("merge --dry-run all"), ("merge all".to_owned(), true));
        assert_eq!(merge("merge 3,1 2,3"), ("merge 1,2,3".to_owned(), false));
        for line in ["merge 1,", "merge all 1", "merge 1 all", "merge -1", "merge soon"] {
            assert!(parse(line).unwrap_err().to_string().ends_with("type merge [all|ID,ID]"), "{line}");
        }
    }

    #[test]
    fn usage_shrinks_as_arguments_are_typed() {
        let hints = ["", "de", "put", "put ", "put k", "put k ", "put k v", "del a b"].map(usage_hint);
        let all: Vec<&str> = COMMANDS.iter().map(|spec| spec.name).collect();
        let shown = [all.join(" ").as_str(), "delete", "put", "KEY VALUE", "VALUE", "VALUE", "", ""].map(String::from);
        assert_eq!(hints, shown);
    }

    #[test]
    fn commands_and_keys_are_completed_where_they_stand() {
        assert_eq!(completion("s", 1).1, Completion::Words(vec!["stats", "sync"]));
        assert_eq!(completion("get us", 6).1, Completion::Key(b"us".to_vec()));
        assert_eq!(completion("del a b", 7).1, Completion::Key(b"b".to_vec()));
        assert_eq!(completion("put a b", 7).1, Completion::Nothing);
        assert_eq!(common_prefix([&b"user:1"[..], b"user:2", b"us"].into_iter()), b"us");
    }
}
