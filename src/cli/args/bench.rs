//! What `bench` takes. Every doc comment here is a line of help.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::merging::{duration, size};

/// `logkv bench`
#[derive(Debug, Args)]
#[command(after_help = "\
The store is made in a directory of its own, which is removed at the end, on Ctrl-C too; --dir is not touched. It lies on \
the file system that --in names: the system's directory for temporary files may be in memory.
--sync says when a put is durable: always, which waits for the disk, is the default. --compression and --max-segment-bytes \
count too; values are random bytes, which no compression makes shorter.
In json, one object: times are nanoseconds, of open and merge those of the whole.")]
pub(in crate::cli) struct Bench {
    /// How many keys, of 16 bytes each
    #[arg(long, value_name = "N", default_value = "1000000", value_parser = keys)]
    pub(in crate::cli) keys: u64,
    /// How long each value is, as in 100 or 4KiB
    #[arg(long, value_name = "SIZE", default_value = "100", value_parser = size)]
    pub(in crate::cli) value_bytes: u64,
    /// From how many threads keys are read at once; as many as the machine runs when absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=256))]
    pub(in crate::cli) threads: Option<u64>,
    /// How long each kind of operation is looked at, as in 500ms; keys that are not put by then are put in batches
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    pub(in crate::cli) time: Duration,
    /// In which directory; the system's for temporary files when absent
    #[arg(long = "in", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) within: Option<PathBuf>,
}

/// With or without separators.
fn keys(words: &str) -> Result<u64, String> {
    let number = words.replace([',', '_'], "").parse().ok().filter(|keys| *keys > 0);
    number.ok_or_else(|| "a whole number, 1 or more".into())
}
