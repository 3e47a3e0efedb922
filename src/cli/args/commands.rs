//! What each command takes. Every doc comment here is a line of help.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueHint};

use super::{Bench, Completions, Export, From, Import, Man, Merge, Ttl, ttl};
use crate::format::{FormatKind, SegmentId};

/// What to do; without a command the interface opens.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Prints values
    Get(Get),
    /// Writes a value
    #[command(visible_alias = "set")]
    Put(Put),
    /// Writes many values and deletes many keys as one step
    Batch(Batch),
    /// Deletes keys, or all of a range, and says how many existed
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
    /// Shows one record byte by byte: its fields and checksums
    Dump(Dump),
    /// Shows every version of a key that is still on disk, newest first
    History(History),
    /// Shows the records of one segment file by itself, and what is wrong with it
    Inspect(Inspect),
    /// Reads every byte and lists what it finds
    Verify(Verify),
    /// Sets damage aside, writes what is intact anew, and says what is lost
    Repair(Repair),
    /// Gives dead bytes back to the disk: copies what is live out of segments into new ones
    Merge(Merge),
    /// Puts the rows of a JSONL or CSV text, or the keys of another store, into the store
    Import(Import),
    /// Writes all keys and values as JSONL, CSV or RESP
    Export(Export),
    /// Copies the store as of one moment, while writes go on
    Snapshot(Snapshot),
    /// Makes a store of a snapshot, after reading every record of it
    Restore(Restore),
    /// Opens the interface on a sample store that is made for it
    Demo(Demo),
    /// Measures put, get, open and merge on this machine, in a store that is made for it
    Bench(Bench),
    /// Prints a script that lets a shell complete commands and options
    Completions(Completions),
    /// Prints the manual page, of the program or of one command
    Man(Man),
}

/// `logkv get`
#[derive(Debug, Args)]
pub(in crate::cli) struct Get {
    /// Which keys
    #[arg(value_name = "KEY", required = true, allow_negative_numbers = true)]
    pub(in crate::cli) keys: Vec<OsString>,
    /// The bytes as they are, even to a terminal
    #[arg(long)]
    pub(in crate::cli) raw: bool,
    #[command(flatten)]
    from: From,
}

/// `logkv put`
#[derive(Debug, Args)]
#[command(after_help = "\
VALUE is taken as it stands, so JSON needs no care; only one that begins with \" is a quoted string with escapes.
@FILE reads a file. Without VALUE, standard input is read to its end.
After --, nothing is an option: logkv put -- -key -value")]
pub(in crate::cli) struct Put {
    /// The key
    #[arg(value_name = "KEY", allow_negative_numbers = true)]
    pub(in crate::cli) key: OsString,
    /// The value, or @FILE; standard input when absent
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    pub(in crate::cli) value: Option<OsString>,
    /// How long the value lives, as in 90s or 1h30m; never, whatever --default-ttl says
    #[arg(long, value_name = "DURATION", value_parser = ttl)]
    pub(in crate::cli) ttl: Option<Ttl>,
    /// Writes only if the key has no value; exit code 1 if it has
    #[arg(long)]
    pub(in crate::cli) if_absent: bool,
    /// Writes only if the key's value still has this tstamp, as `get --format json` tells it; exit code 1 if not
    #[arg(long, value_name = "TSTAMP", conflicts_with = "if_absent", value_parser = tstamp)]
    pub(in crate::cli) if_tstamp: Option<u64>,
    #[command(flatten)]
    from: From,
}

/// `logkv batch`
#[derive(Debug, Args)]
#[command(after_help = "\
One operation a line: `put KEY VALUE` or `delete KEY...`. VALUE runs to the end of the line and is taken as it stands; only \
one that begins with \" is a quoted string with escapes, and @ means nothing. A key with spaces stands in quotes.
put takes --ttl DURATION, --if-absent and --if-tstamp TSTAMP before KEY, delete --if-tstamp TSTAMP; after --, nothing is \
an option. Blank lines and lines that begin with # are skipped.
All of it is done or nothing: at a fault, or if one condition does not hold, the number of the line is told.")]
pub(in crate::cli) struct Batch {
    /// Where the lines are; standard input when absent
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) file: Option<PathBuf>,
    #[command(flatten)]
    from: From,
}

/// `logkv delete`
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("range").multiple(true).args(["prefix", "start", "end", "all"]).conflicts_with("keys"))]
#[command(after_help = "\
Keys by name are deleted one after the other. A range goes in atomic steps of up to 10,000 keys in byte order; --dry-run \
lists what would go. An empty prefix, as of a variable that is not set, is refused: all keys are named by --all.")]
pub(in crate::cli) struct Delete {
    /// Which keys
    #[arg(value_name = "KEY", required_unless_present = "range", allow_negative_numbers = true)]
    pub(in crate::cli) keys: Vec<OsString>,
    /// Deletes only if the key's value still has this tstamp; exit code 1 if not
    #[arg(long, value_name = "TSTAMP", conflicts_with = "range", value_parser = tstamp)]
    pub(in crate::cli) if_tstamp: Option<u64>,
    /// All keys that begin with this
    #[arg(long, value_name = "P", allow_hyphen_values = true, conflicts_with_all = ["start", "end"])]
    pub(in crate::cli) prefix: Option<OsString>,
    /// All keys from this one on
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub(in crate::cli) start: Option<OsString>,
    /// All keys before this one
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub(in crate::cli) end: Option<OsString>,
    /// All keys
    #[arg(long, conflicts_with_all = ["prefix", "start", "end"])]
    pub(in crate::cli) all: bool,
    /// Deletes nothing and lists what would go
    #[arg(long, requires = "range")]
    pub(in crate::cli) dry_run: bool,
    #[command(flatten)]
    from: From,
}

/// `logkv list`
#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Only keys that begin with this
    #[arg(long, value_name = "P", allow_hyphen_values = true)]
    pub(in crate::cli) prefix: Option<OsString>,
    /// At most this many
    #[arg(long, value_name = "N", value_parser = number)]
    pub(in crate::cli) limit: Option<usize>,
    /// Only keys after this one, itself excluded
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub(in crate::cli) after: Option<OsString>,
    #[command(flatten)]
    from: From,
}

/// `logkv stats`
#[derive(Debug, Args)]
pub(in crate::cli) struct Stats {
    #[command(flatten)]
    from: From,
}

/// `logkv segments`
#[derive(Debug, Args)]
pub(in crate::cli) struct Segments {
    #[command(flatten)]
    from: From,
}

/// `logkv records`
#[derive(Debug, Args)]
#[command(after_help = "\
A damaged or torn stretch is one line with its offset and length; its kind is unknown.
The format of a directory that holds several goes before the command: logkv --from riak records 1")]
pub(in crate::cli) struct Records {
    /// The number of the segment
    #[arg(value_name = "SEGMENT", conflicts_with = "all", value_parser = segment)]
    pub(in crate::cli) segment: Option<SegmentId>,
    /// Every segment, in the order of their numbers
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// Starts at the first record at or after this offset
    #[arg(long = "from", value_name = "OFFSET", conflicts_with = "all", value_parser = offset)]
    pub(in crate::cli) offset: Option<u64>,
    /// At most this many
    #[arg(long, value_name = "N", value_parser = number)]
    pub(in crate::cli) limit: Option<usize>,
}

/// `logkv dump`
#[derive(Debug, Args)]
#[command(after_help = "\
`logkv records` lists the offsets. Of a long value the first 64 KiB are shown, its checksum is computed over all of it.
In json, starts are counted from the start of the record.")]
pub(in crate::cli) struct Dump {
    /// The number of the segment
    #[arg(value_name = "SEGMENT", value_parser = segment)]
    pub(in crate::cli) segment: SegmentId,
    /// Where the record starts, in bytes from the start of the file
    #[arg(value_name = "OFFSET", value_parser = plain_offset)]
    pub(in crate::cli) offset: u64,
    #[command(flatten)]
    from: From,
}

/// `logkv history`
#[derive(Debug, Args)]
#[command(after_help = "\
Reads every segment: the index in memory knows only the newest version. Exit code 1 if there is none.")]
pub(in crate::cli) struct History {
    /// Which key
    #[arg(value_name = "KEY", allow_negative_numbers = true)]
    pub(in crate::cli) key: OsString,
    #[command(flatten)]
    from: From,
}

/// `logkv inspect`
#[derive(Debug, Args)]
#[command(after_help = "\
The file may be of any format and have any name; no other file is opened, no lock is taken. `live` is what this file \
alone says: a newer version may lie in another. Exit code 1 only for damage, as with verify.
In json, lines with a `state` are records and lines with a `severity` are findings.")]
pub(in crate::cli) struct Inspect {
    /// A segment file, or the file KEYDIR of a store
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) file: PathBuf,
}

/// `logkv verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 1 only for damage: a torn tail, leftovers and foreign files are findings too, with exit code 0.")]
pub(in crate::cli) struct Verify {
    #[command(flatten)]
    from: From,
}

/// `logkv snapshot`
#[derive(Debug, Args)]
#[command(after_help = "\
DEST must not exist or be an empty directory; it is complete or absent, whatever happens. A snapshot is a store itself: \
logkv -d DEST opens it. Segments that are never written again are linked where both are on one file system, and copied \
elsewhere. An archive is a tar stream in an LZ4 frame: lz4 -dc DEST | tar x unpacks it too.
A writer in another process need not stop. In json, took and created are microseconds.")]
pub(in crate::cli) struct Snapshot {
    /// Where it is made
    #[arg(value_name = "DEST", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) dest: PathBuf,
    /// Makes one compressed file instead of a directory
    #[arg(long, conflicts_with_all = ["copy", "earlier"])]
    pub(in crate::cli) archive: bool,
    /// Copies every file, so that nothing is shared with the store
    #[arg(long)]
    pub(in crate::cli) copy: bool,
    /// Links from this earlier snapshot what has not changed since
    #[arg(long = "incremental-to", value_name = "EARLIER", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) earlier: Option<PathBuf>,
}

/// `logkv restore`
#[derive(Debug, Args)]
#[command(after_help = "\
The store is made in --dir, which must not exist or be an empty directory; it appears once every file and every record \
has held, or not at all. Exit code 4 if SRC is not what its manifest says.")]
pub(in crate::cli) struct Restore {
    /// A snapshot's directory, or an archive
    #[arg(value_name = "SRC", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) source: PathBuf,
    /// Only reads SRC and checks every file's checksum
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Also restores a snapshot of a store that was damaged, damage and all
    #[arg(long)]
    pub(in crate::cli) keep_damage: bool,
}

/// `logkv repair`
#[derive(Debug, Args)]
#[command(after_help = "\
Damaged segments go whole to quarantine/; nothing is deleted. A key whose newest value is lost has no value afterwards, \
not an older one. Needs the store for itself. A copy of the directory before it costs little.
In json, each line has an action: mend, set-aside, save, lose-key or lose-bytes.")]
pub(in crate::cli) struct Repair {
    /// Only says what would be done and lost
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    #[command(flatten)]
    from: From,
}

/// `logkv demo`
#[derive(Debug, Args)]
#[command(after_help = "\
Without a terminal, --keep makes the store and says where it is.")]
pub(in crate::cli) struct Demo {
    /// Makes the store here, in a directory that is missing or empty, and leaves it
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) keep: Option<PathBuf>,
}

impl Command {
    /// The format named after the command.
    pub(super) fn format(&self) -> Option<FormatKind> {
        match self {
            Self::Get(args) => args.from.format,
            Self::Put(args) => args.from.format,
            Self::Batch(args) => args.from.format,
            Self::Delete(args) => args.from.format,
            Self::List(args) => args.from.format,
            Self::Stats(args) => args.from.format,
            Self::Segments(args) => args.from.format,
            Self::Dump(args) => args.from.format,
            Self::History(args) => args.from.format,
            Self::Verify(args) => args.from.format,
            Self::Repair(args) => args.from.format,
            Self::Merge(args) => args.from.format,
            Self::Export(args) => args.from.format,
            Self::Records(_)
            | Self::Inspect(_)
            | Self::Import(_)
            | Self::Snapshot(_)
            | Self::Restore(_)
            | Self::Demo(_)
            | Self::Bench(_)
            | Self::Completions(_)
            | Self::Man(_) => None,
        }
    }
}

fn number(words: &str) -> Result<usize, String> {
    words.parse().map_err(|_| "a whole number".into())
}

pub(super) fn segment(words: &str) -> Result<SegmentId, String> {
    words.parse().map_err(|_| "a segment is a number; `logkv segments` lists them".into())
}

fn tstamp(words: &str) -> Result<u64, String> {
    words.parse().map_err(|_| "a tstamp is a number; `get --format json` tells it".into())
}

fn offset(words: &str) -> Result<u64, String> {
    if FormatKind::by_name(words).is_some() {
        return Err(format!("here it is an offset; a format goes before the command: logkv --from {words} records"));
    }
    plain_offset(words)
}

fn plain_offset(words: &str) -> Result<u64, String> {
    words.parse().map_err(|_| "an offset is a number of bytes from the start of the file".into())
}
