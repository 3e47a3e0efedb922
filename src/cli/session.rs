//! What every command shares: the options, the two streams, and the one place where a store is opened.
//!
//! Reading and writing are two methods, so that a command that only reads cannot take the lock by an oversight.

use std::io::{self, IsTerminal, Write};

use clap::CommandFactory;

use super::args::{Cli, Color, Global};
use super::exit::{Exit, Usage};
use super::output::{Out, Tone, paint, wants_color};
use super::place::{explain, is_missing};
use crate::store::{Finding, LookedUp, Options, Severity, Store, SyncPolicy, look_up};
use crate::text;

/// One run of the program.
pub(super) struct Session {
    pub(super) global: Global,
    pub(super) out: Out,
    pub(super) notes: Notes,
}

impl Session {
    pub(super) fn new(global: Global) -> Self {
        let out = Out::new(global.format, global.color);
        let notes = Notes::new(&global);
        Self { global, out, notes }
    }

    /// The options of the command line as the engine takes them.
    pub(super) fn options(&self) -> Options {
        let defaults = Options::default();
        Options {
            max_segment_bytes: self.global.max_segment_bytes.unwrap_or(defaults.max_segment_bytes),
            max_segment_age: self.global.max_segment_age,
            sync: self.global.sync,
            create: self.global.create,
            recovery: self.global.recovery(),
            compression: self.global.compression,
            default_ttl: self.global.default_ttl.duration(),
            from: self.global.from.format,
            auto_merge: self.global.unasked.auto_merge(),
            ..defaults
        }
    }

    /// Opens the store for looking: no lock, not a byte changed.
    pub(super) fn read(&self) -> anyhow::Result<Store> {
        let dir = &self.global.dir;
        Store::open_read_only(dir, self.options()).map_err(|error| explain(dir, error))
    }

    /// The newest values of some keys, with no more of the store read than they need.
    pub(super) fn look_up(&self, keys: &[Vec<u8>]) -> anyhow::Result<LookedUp> {
        let dir = &self.global.dir;
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        look_up(dir, &keys, self.options()).map_err(|error| explain(dir, error))
    }

    /// Opens for looking even what only a later version could answer for: its files can be told, its keys cannot.
    pub(super) fn inspect(&self) -> anyhow::Result<Store> {
        let dir = &self.global.dir;
        let options = Options { inspect: true, ..self.options() };
        Store::open_read_only(dir, options).map_err(|error| explain(dir, error))
    }

    /// The same with every hint or segment read: what a checkpoint spares is to be looked at.
    pub(super) fn inspect_all(&self) -> anyhow::Result<Store> {
        let dir = &self.global.dir;
        let options = Options { inspect: true, checkpoint: false, ..self.options() };
        Store::open_read_only(dir, options).map_err(|error| explain(dir, error))
    }

    /// Refuses where writing was forbidden, before anything else is done.
    pub(super) fn may_write(&self) -> Result<(), Usage> {
        if self.global.read_only {
            return Err(Usage("--read-only forbids what this command does".into()));
        }
        Ok(())
    }

    /// Opens the store as its writer. `make` also makes a directory that is missing; one that holds other files becomes
    /// a store only with `--create`.
    pub(super) fn write(&self, make: bool) -> anyhow::Result<Store> {
        self.write_with(make, self.global.sync)
    }

    /// The same for those who sync by themselves.
    pub(super) fn write_with(&self, make: bool, sync: SyncPolicy) -> anyhow::Result<Store> {
        self.may_write()?;
        let mut options = Options { sync, ..self.options() };
        let dir = &self.global.dir;
        options.create |= make && is_missing(dir);
        let store = Store::open(dir, options).map_err(|error| explain(dir, error))?;
        self.warn_of_findings(&store, &[]);
        Ok(store)
    }

    /// Says on standard error what was found, but for what was known before.
    pub(super) fn warn_of_findings(&self, store: &Store, known: &[Finding]) {
        let findings = store.findings();
        let of_weight = |finding: &&Finding| finding.severity > Severity::Note && !known.contains(*finding);
        for finding in findings.iter().filter(of_weight) {
            self.notes.warn(&format!("{}: {}", text::path(&finding.path), finding.message));
        }
    }

    /// Whether the interface has a terminal to talk to.
    pub(super) fn has_terminal(&self) -> bool {
        io::stdin().is_terminal() && self.out.is_terminal()
    }

    /// Ends the program where there is no terminal, with what can be done without one.
    pub(super) fn need_terminal(&self) -> anyhow::Result<()> {
        if self.has_terminal() {
            return Ok(());
        }
        let commands: Vec<String> =
            Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
        Err(Usage(format!(
            "the interface needs a terminal; without one use a command: {} (logkv --help)",
            commands.join(", ")
        ))
        .into())
    }

    /// Says on standard error what a listing cannot show: that damage may hide keys.
    pub(super) fn warn_of_damage(&self, store: &Store) {
        let damaged = store.stats().damaged_bytes;
        if damaged > 0 {
            self.notes.warn(&format!(
                "{} of this store are damaged and may hide keys; `logkv verify` lists where",
                text::size(damaged)
            ));
        }
    }
}

/// Standard error: everything that is not an answer.
#[derive(Debug)]
pub(super) struct Notes {
    quiet: bool,
    pub(super) verbose: bool,
    color: bool,
    pub(super) terminal: bool,
}

impl Notes {
    pub(super) fn new(global: &Global) -> Self {
        let terminal = io::stderr().is_terminal();
        let color = wants_color(global.color, terminal);
        Self { quiet: global.quiet, verbose: global.verbose, color, terminal }
    }

    /// Notes before the command line is understood.
    pub(super) fn plain() -> Self {
        let terminal = io::stderr().is_terminal();
        Self { quiet: false, verbose: false, color: wants_color(Color::Auto, terminal), terminal }
    }

    /// Why the program ends. `--quiet` keeps failures, and drops what the exit code says by itself.
    pub(super) fn error(&self, error: &anyhow::Error) {
        self.say(Tone::Bad, &error.to_string());
    }

    /// The answer is no.
    pub(super) fn no(&self, sentence: &str) -> Exit {
        if !self.quiet {
            self.say(Tone::Warning, sentence);
        }
        Exit::No
    }

    /// The answer is to be taken with care.
    pub(super) fn warn(&self, sentence: &str) {
        if !self.quiet {
            self.say(Tone::Warning, &format!("warning: {sentence}"));
        }
    }

    /// What a person may like to know.
    pub(super) fn hint(&self, sentence: &str) {
        if !self.quiet {
            self.say(Tone::Faint, sentence);
        }
    }

    /// With nobody left to tell, a failure to write here has no consequence.
    fn say(&self, tone: Tone, sentence: &str) {
        let _ = writeln!(io::stderr(), "{} {sentence}", paint(self.color, tone, "logkv:"));
    }
}
