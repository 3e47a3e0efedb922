//! What the commands take that carry a store's contents in and out. Every doc comment here is a line of help.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::From;
use crate::format::FormatKind;
use crate::transfer::ExportFormat;

/// `logkv export`
#[derive(Debug, Args)]
#[command(after_help = "\
jsonl  {\"key\":\"a\",\"value\":\"1\"} a line; key_b64 or value_b64 where the bytes are not UTF-8, expires_at where there is one
csv    RFC 4180, columns key,value,key_b64,value_b64,expires_at; what is not UTF-8 stands in its _b64 column
resp   SET commands for Redis, expiry included: logkv export --as resp | redis-cli --pipe

The rows are the live keys of the moment when the store was opened, in byte order; a writer may go on meanwhile. Every \
value is checked. One that is damaged is named on standard error and left out, the rest goes on, and the exit code is 4.
A file is written beside its place and gets its name when it is complete. Times are microseconds since 1970.")]
pub(in crate::cli) struct Export {
    /// How rows are written
    #[arg(id = "as", long, value_name = "FORMAT", default_value = "jsonl")]
    pub(in crate::cli) format: ExportArg,
    /// Only keys that begin with this
    #[arg(long, value_name = "P", allow_hyphen_values = true)]
    pub(in crate::cli) prefix: Option<OsString>,
    /// Writes a file instead of standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Overwrites the file if it exists
    #[arg(long, requires = "output")]
    pub(in crate::cli) force: bool,
    #[command(flatten)]
    pub(in crate::cli) from: From,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ExportArg {
    Jsonl,
    Csv,
    Resp,
}

impl ExportArg {
    pub(in crate::cli) fn format(self) -> ExportFormat {
        match self {
            Self::Jsonl => ExportFormat::Jsonl,
            Self::Csv => ExportFormat::Csv,
            Self::Resp => ExportFormat::Resp,
        }
    }
}

/// `logkv import`
#[derive(Debug, Args)]
#[command(after_help = "\
SRC is a JSONL or CSV file as export writes them, - for JSONL from standard input, the directory of a store of logkv, Riak \
or logkv-store, or a directory of such directories (of a key in several, the newest version counts). Rows are written in \
their order, the last of several with the same key wins; keys that the source does not have stay as they are.

Stopped at any moment, the same import started again goes on: a row whose key has that value and expiry already is passed \
over without a write. Every few MiB what was written is made durable; -v says up to where. --from-line does not even read \
the lines before it.

A line that is no row stops the import, with its number; all before it is in. With --keep-going such lines are named, \
counted and passed over. In a directory that is always so: what is damaged is named with segment and offset, and the rest \
is imported. The exit code is 4 if there was any of it. Deleted and expired keys are not imported; fields of JSONL and \
columns of CSV that are none of ours are left out, and named.")]
pub(in crate::cli) struct Import {
    /// Where rows come from
    #[arg(value_name = "SRC", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) source: PathBuf,
    /// What SRC is, where its names and first bytes do not say: jsonl, csv, native, riak, logkv-go
    #[arg(long = "from", value_name = "FORMAT", value_parser = source_format)]
    pub(in crate::cli) from: Option<SourceFormat>,
    /// Goes on behind lines that are no rows
    #[arg(long)]
    pub(in crate::cli) keep_going: bool,
    /// Starts at the row that begins on this line of a JSONL or CSV text
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) from_line: Option<u64>,
}

/// What is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum SourceFormat {
    Jsonl,
    Csv,
    Store(FormatKind),
}

fn source_format(name: &str) -> Result<SourceFormat, String> {
    match name {
        "jsonl" => Ok(SourceFormat::Jsonl),
        "csv" => Ok(SourceFormat::Csv),
        _ => FormatKind::by_name(name)
            .map(SourceFormat::Store)
            .ok_or_else(|| "one of jsonl, csv, native, riak, logkv-go".into()),
    }
}
