//! Every command and option, once. Help and parsing come from these definitions; nothing here opens a store.
//!
//! One name means two things: `--from` is the format of a directory that holds several, and in `records` the offset to
//! start at. So it is not one global option: it stands before the command, and again in every command but `records`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::format::{FormatKind, SegmentId};
use crate::store::{Recovery, SyncPolicy};
use crate::text;

const USAGE: &str = "\
logkv [OPTIONS] [PATH]            open the interface on a store's directory (default: that of --dir)
       logkv [OPTIONS] COMMAND [...]     do one thing and end";

const EXAMPLES: &str = "\
Examples:
  logkv demo                         see a sample store in the interface
  logkv data                         open the interface on the directory `data`
  logkv put user:1 '{\"name\":\"Ada\"}'  write into the store in `data`, made if missing
  logkv get user:1                   print the value
  logkv -d /var/lib/riak/bitcask/0 list --format json
                                     keys of a Riak partition, one JSON object a line
  logkv records 1 --limit 20         what lies in segment 1, record by record

Keys take \\xHH, \\n, \\t, \\\\, \\u{...}, 0x... (all of it hex) and b64:...
Exit codes: 0 yes, 1 no, 2 usage, 3 locked by another writer, 4 damaged data was hit, 5 any other failure.";

/// Look inside a Bitcask store: an interactive terminal interface on a fast, safe, append-only key-value engine.
#[derive(Debug, Parser)]
#[command(name = "logkv", version, override_usage = USAGE, after_help = EXAMPLES, disable_help_subcommand = true)]
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

    /// Makes a store in a directory that is missing or holds other files
    #[arg(long, global = true, conflicts_with = "read_only")]
    pub(super) create: bool,

    /// What opening does about damage: serves around it, or refuses
    #[arg(long, value_name = "MODE", default_value = "tail", global = true)]
    recovery: RecoveryArg,

    /// When a write is durable: always, interval:DURATION, buffered
    #[arg(long, value_name = "POLICY", default_value = "always", global = true)]
    pub(super) sync: SyncPolicy,

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
}

impl Global {
    pub(super) fn recovery(&self) -> Recovery {
        match self.recovery {
            RecoveryArg::Tail => Recovery::Tail,
            RecoveryArg::Strict => Recovery::Strict,
        }
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

/// What to do; without a command the interface opens.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Prints values
    Get(Get),
    /// Writes a value
    #[command(visible_alias = "set")]
    Put(Put),
    /// Deletes keys and says how many existed
    #[command(visible_alias = "del")]
    Delete(Delete),
    /// Lists live keys in byte order
    #[command(visible_alias = "keys")]
    List(List),
    /// Shows the figures of the whole store
    Stats(Stats),
    /// Shows the segment files: size, records, live and dead bytes
    Segments(Segments),
    /// Shows the records of a segment, each at its offset
    Records(Records),
    /// Reads every byte and lists what it finds
    Verify(Verify),
    /// Opens the interface on a sample store that is made for it
    Demo(Demo),
}

/// `logkv get`
#[derive(Debug, Args)]
pub(super) struct Get {
    /// Which keys
    #[arg(value_name = "KEY", required = true, allow_negative_numbers = true)]
    pub(super) keys: Vec<OsString>,
    /// The bytes as they are, even to a terminal
    #[arg(long)]
    pub(super) raw: bool,
    #[command(flatten)]
    from: From,
}

/// `logkv put`
#[derive(Debug, Args)]
#[command(after_help = "\
VALUE is taken as it stands, so JSON needs no care; only one that begins with \" is a quoted string with escapes.
@FILE reads a file. Without VALUE, standard input is read to its end.
After --, nothing is an option: logkv put -- -key -value")]
pub(super) struct Put {
    /// The key
    #[arg(value_name = "KEY", allow_negative_numbers = true)]
    pub(super) key: OsString,
    /// The value, or @FILE; standard input when absent
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    pub(super) value: Option<OsString>,
    /// How long the value lives, as in 90s or 1h30m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) ttl: Option<Duration>,
    /// Writes only if the key has no value; exit code 1 if it has
    #[arg(long)]
    pub(super) if_absent: bool,
    #[command(flatten)]
    from: From,
}

/// `logkv delete`
#[derive(Debug, Args)]
pub(super) struct Delete {
    /// Which keys
    #[arg(value_name = "KEY", required = true, allow_negative_numbers = true)]
    pub(super) keys: Vec<OsString>,
    #[command(flatten)]
    from: From,
}

/// `logkv list`
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only keys that begin with this
    #[arg(long, value_name = "P", allow_hyphen_values = true)]
    pub(super) prefix: Option<OsString>,
    /// At most this many
    #[arg(long, value_name = "N", value_parser = number)]
    pub(super) limit: Option<usize>,
    /// Only keys after this one, itself excluded
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub(super) after: Option<OsString>,
    #[command(flatten)]
    from: From,
}

/// `logkv stats`
#[derive(Debug, Args)]
pub(super) struct Stats {
    #[command(flatten)]
    from: From,
}

/// `logkv segments`
#[derive(Debug, Args)]
pub(super) struct Segments {
    #[command(flatten)]
    from: From,
}

/// `logkv records`
#[derive(Debug, Args)]
#[command(after_help = "\
A damaged or torn stretch is one line with its offset and length; its kind is unknown.
The format of a directory that holds several goes before the command: logkv --from riak records 1")]
pub(super) struct Records {
    /// The number of the segment
    #[arg(value_name = "SEGMENT", conflicts_with = "all", value_parser = segment)]
    pub(super) segment: Option<SegmentId>,
    /// Every segment, in the order of their numbers
    #[arg(long)]
    pub(super) all: bool,
    /// Starts at the first record at or after this offset
    #[arg(long = "from", value_name = "OFFSET", conflicts_with = "all", value_parser = offset)]
    pub(super) offset: Option<u64>,
    /// At most this many
    #[arg(long, value_name = "N", value_parser = number)]
    pub(super) limit: Option<usize>,
}

/// `logkv verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 1 only for damage: a torn tail, leftovers and foreign files are findings too, with exit code 0.")]
pub(super) struct Verify {
    #[command(flatten)]
    from: From,
}

/// `logkv demo`
#[derive(Debug, Args)]
#[command(after_help = "\
Without a terminal, --keep makes the store and says where it is.")]
pub(super) struct Demo {
    /// Makes the store here, in a directory that is missing or empty, and leaves it
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) keep: Option<PathBuf>,
}

fn format_by_name(name: &str) -> Result<FormatKind, String> {
    FormatKind::by_name(name).ok_or_else(|| "one of native, riak, logkv-go".into())
}

fn duration(words: &str) -> Result<Duration, String> {
    text::parse_duration(words).map_err(|e| e.to_string())
}

fn number(words: &str) -> Result<usize, String> {
    words.parse().map_err(|_| "a whole number".into())
}

fn segment(words: &str) -> Result<SegmentId, String> {
    words.parse().map_err(|_| "a segment is a number; `logkv segments` lists them".into())
}

fn offset(words: &str) -> Result<u64, String> {
    if FormatKind::by_name(words).is_some() {
        return Err(format!("here it is an offset; a format goes before the command: logkv --from {words} records"));
    }
    words.parse().map_err(|_| "an offset is a number of bytes from the start of the file".into())
}

impl Cli {
    /// With `--from` in one place: what stands after the command wins.
    pub(super) fn resolved(mut self) -> Self {
        let after = self.command.as_ref().and_then(Command::format);
        self.global.from.format = after.or(self.global.from.format);
        self
    }
}

impl Command {
    fn format(&self) -> Option<FormatKind> {
        match self {
            Self::Get(args) => args.from.format,
            Self::Put(args) => args.from.format,
            Self::Delete(args) => args.from.format,
            Self::List(args) => args.from.format,
            Self::Stats(args) => args.from.format,
            Self::Segments(args) => args.from.format,
            Self::Verify(args) => args.from.format,
            Self::Records(_) | Self::Demo(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Cli {
        Cli::try_parse_from(line.split(' ')).map(Cli::resolved).unwrap()
    }

    #[test]
    fn the_definitions_agree_with_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_stand_before_or_after_the_command() {
        for line in
            ["logkv -d x --format json get k", "logkv get k --format json -d x", "logkv get -d x k --format json"]
        {
            let cli = parse(line);
            assert_eq!((cli.global.dir, cli.global.format), (PathBuf::from("x"), OutputFormat::Json), "{line}");
        }
    }

    #[test]
    fn from_is_a_format_everywhere_and_in_records_an_offset() {
        assert_eq!(parse("logkv --from riak get k").global.from.format, Some(FormatKind::Riak));
        assert_eq!(parse("logkv get k --from riak").global.from.format, Some(FormatKind::Riak));
        let cli = parse("logkv --from riak records 3 --from 96");
        assert_eq!(cli.global.from.format, Some(FormatKind::Riak));
        let Some(Command::Records(records)) = cli.command else { panic!("another command") };
        assert_eq!((records.segment, records.offset), (Some(3), Some(96)));
    }

    #[test]
    fn values_and_keys_may_begin_with_a_hyphen() {
        for (line, key, value) in [
            ("logkv put k -5", "k", "-5"),
            ("logkv put k --x", "k", "--x"),
            ("logkv put -5 -x --ttl 5s", "-5", "-x"),
            ("logkv put k -5 --format json", "k", "-5"),
            ("logkv put -- -k --ttl", "-k", "--ttl"),
        ] {
            let Some(Command::Put(put)) = parse(line).command else { panic!("another command") };
            assert_eq!((put.key, put.value), (key.into(), Some(value.into())), "{line}");
        }
    }

    #[test]
    fn a_word_that_is_no_command_is_a_path() {
        let cli = parse("logkv gett k");
        assert!(cli.command.is_none());
        assert_eq!(cli.path, [PathBuf::from("gett"), PathBuf::from("k")]);
    }
}
