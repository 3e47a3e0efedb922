//! Every command and option, once. Help and parsing come from these definitions; nothing here opens a store.
//!
//! One name means three things: `--from` is the format of a directory that holds several, in `records` the offset to start
//! at, and in `import` what the source is. So it is not one global option: it stands before the command, and again in the
//! commands on a store but those two.

mod bench;
mod commands;
mod manual;
mod merging;
mod moving;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, ValueEnum, ValueHint};

pub(super) use bench::Bench;
pub(super) use commands::{
    Batch, Command, Delete, Demo, Dump, Get, History, Inspect, List, Put, Records, Repair, Restore, Snapshot,
};
pub(super) use manual::{Completions, Man};
pub(super) use merging::{Merge, Unasked};
pub(super) use moving::{Export, ExportArg, Import, SourceFormat};

use crate::format::FormatKind;
use crate::store::{Compression, Expiry, Recovery, SyncPolicy};
use crate::text;

const USAGE: &str = "\
logkv [OPTIONS] [PATH]            open the interface on a store's directory, or on one segment file
       logkv [OPTIONS] COMMAND [...]     do one thing and end";

const EXAMPLES: &str = "\
Examples:
  logkv demo                         see a sample store in the interface
  logkv data                         open the interface on the directory `data`
  logkv data/0000000001.data         the same on one segment file, read-only
  logkv put user:1 '{\"name\":\"Ada\"}'  write into the store in `data`, made if missing
  logkv get user:1                   print the value
  logkv -d /var/lib/riak/bitcask/0 list --format json
                                     keys of a Riak partition, one JSON object a line
  logkv records 1 --limit 20         what lies in segment 1, record by record
  logkv history user:1               every version of a key that is still on disk

Keys take \\xHH, \\n, \\t, \\\\, \\u{...}, 0x... (all of it hex) and b64:...
Exit codes: 0 yes, 1 no, 2 usage, 3 locked by another writer, 4 damaged data was hit, 5 any other failure.";

/// Look inside a Bitcask store: an interactive terminal interface on a fast, safe, append-only key-value engine.
#[derive(Debug, Parser)]
#[command(name = "logkv", version, override_usage = USAGE, after_help = EXAMPLES)]
pub(super) struct Cli {
    /// One path, in a list so that a misspelled command with its arguments can be told from it
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath, num_args = 0.., hide = true)]
    pub(super) path: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) global: Global,

    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// Options that every command takes, before or after its name.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// The store's directory
    #[arg(
        short,
        long,
        value_name = "DIR",
        env = "LOGKV_DIR",
        hide_env_values = true,
        default_value = "data",
        global = true
    )]
    #[arg(value_hint = ValueHint::DirPath)]
    pub(super) dir: PathBuf,

    /// Never writes: no lock is taken, no byte changed
    #[arg(long, global = true)]
    pub(super) read_only: bool,

    /// Leaves the mouse to the terminal while the interface is open
    #[arg(long, global = true)]
    pub(super) no_mouse: bool,

    /// Draws the interface with ASCII alone, for terminals and fonts that have nothing else
    #[arg(long, global = true)]
    pub(super) ascii: bool,

    /// Makes a store in a directory that is missing or holds other files
    #[arg(long, global = true, conflicts_with = "read_only")]
    pub(super) create: bool,

    /// What opening does about damage: serves around it, refuses, or serves whatever can be read (and writes nothing)
    #[arg(long, value_name = "MODE", default_value = "tail", global = true)]
    recovery: RecoveryArg,

    /// When a write is durable: always, interval:DURATION, buffered
    #[arg(long, value_name = "POLICY", default_value = "always", global = true)]
    pub(super) sync: SyncPolicy,

    /// A segment is sealed rather than grow beyond this, as in 64MiB
    #[arg(long, value_name = "SIZE", env = "LOGKV_MAX_SEGMENT_BYTES", hide_env_values = true, global = true)]
    #[arg(value_parser = merging::size)]
    pub(super) max_segment_bytes: Option<u64>,

    /// A segment is sealed at the first write after this time, as in 1day
    #[arg(long, value_name = "DURATION", env = "LOGKV_MAX_SEGMENT_AGE", hide_env_values = true, global = true)]
    #[arg(value_parser = merging::duration)]
    pub(super) max_segment_age: Option<Duration>,

    /// How long values live that are put without --ttl, as in 90s or 1h30m; never
    #[arg(long, value_name = "DURATION", env = "LOGKV_DEFAULT_TTL", hide_env_values = true, default_value = "never")]
    #[arg(global = true, value_parser = ttl)]
    pub(super) default_ttl: Ttl,

    /// How values are stored from now on: none, as they are; lz4, compressed where that pays
    #[arg(long, value_name = "CODEC", env = "LOGKV_COMPRESSION", hide_env_values = true, default_value = "none")]
    #[arg(global = true)]
    pub(super) compression: Compression,

    /// How answers are printed; json: one object a line
    #[arg(long, value_name = "FORMAT", default_value = "text", global = true)]
    pub(super) format: OutputFormat,

    /// Whether to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub(super) color: Color,

    /// Says only what was asked for
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,

    /// Says more
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(super) verbose: bool,

    #[command(flatten)]
    pub(super) from: From,

    #[command(flatten)]
    pub(super) unasked: Unasked,
}

impl Global {
    pub(super) fn recovery(&self) -> Recovery {
        match self.recovery {
            RecoveryArg::Tail => Recovery::Tail,
            RecoveryArg::Strict => Recovery::Strict,
            RecoveryArg::Salvage => Recovery::Salvage,
        }
    }
}

/// How long a value lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ttl {
    Never,
    For(Duration),
}

impl Ttl {
    /// `None`: for ever.
    pub(super) fn duration(self) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::For(ttl) => Some(ttl),
        }
    }

    /// As a put asks for it.
    pub(super) fn expiry(self) -> Expiry {
        self.duration().map_or(Expiry::Never, Expiry::After)
    }
}

/// A duration, or `never`.
pub(super) fn ttl(words: &str) -> Result<Ttl, String> {
    match words {
        "never" => Ok(Ttl::Never),
        _ => text::parse_duration(words).map(Ttl::For).map_err(|e| format!("{e}, or never")),
    }
}

/// The choice among the formats of one directory.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct From {
    /// Which format to read where a directory holds several: native, riak, logkv-go
    #[arg(id = "from_format", long = "from", value_name = "FORMAT", value_parser = format_by_name)]
    pub(super) format: Option<FormatKind>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RecoveryArg {
    Tail,
    Strict,
    Salvage,
}

/// For people or for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    Text,
    Json,
}

/// When colours are used; `auto` means on a terminal, unless `NO_COLOR` is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

impl Cli {
    /// With `--from` in one place: what stands after the command wins.
    pub(super) fn resolved(mut self) -> Self {
        let after = self.command.as_ref().and_then(Command::format);
        self.global.from.format = after.or(self.global.from.format);
        self
    }
}

fn format_by_name(name: &str) -> Result<FormatKind, String> {
    FormatKind::by_name(name).ok_or_else(|| "one of native, riak, logkv-go".into())
}

#[cfg(test)]
mod tests;
