//! What `merge` takes, and when an open store merges by itself.

use std::time::Duration;

use clap::Args;

use super::From;
use super::commands::segment;
use crate::format::SegmentId;
use crate::store::{AutoMerge, MergeChoice, MergePolicy};
use crate::text;

/// `logkv merge`
#[derive(Debug, Args)]
#[command(after_help = "\
Without --all or --segments, the policy picks sealed segments: those of which the dead share is large enough, or the dead \
bytes are, and small ones, which become one. A merge can be stopped at any time, and even killed: before it commits nothing \
has changed, afterwards the next open brings it to its end. Exit code 1 if there is nothing to gain.

A tombstone goes only when no segment that stays can hold an older version of its key; --dry-run says of each one that stays \
which segment holds it back.")]
pub(in crate::cli) struct Merge {
    /// Says what it would do, and changes nothing
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
    /// Seals the active segment first and merges everything
    #[arg(long, conflicts_with = "segments")]
    pub(in crate::cli) all: bool,
    /// These segments, as in 1,2
    #[arg(long, value_name = "ID,ID", value_delimiter = ',', value_parser = segment)]
    pub(in crate::cli) segments: Vec<SegmentId>,
    /// Writes at most this many bytes a second, as in 20MiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(in crate::cli) throttle: Option<u64>,
    #[command(flatten)]
    pub(in crate::cli) policy: Policy,
    #[command(flatten)]
    pub(super) from: From,
}

/// The thresholds of the policy.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Policy")]
pub(in crate::cli) struct Policy {
    /// Picks a segment when so many percent of it would be freed
    #[arg(long, value_name = "PERCENT", default_value = "60", value_parser = clap::value_parser!(u8).range(1..=100))]
    fragmentation: u8,
    /// Picks a segment when so many bytes would be freed
    #[arg(long, value_name = "SIZE", default_value = "512MiB", value_parser = size)]
    dead_bytes: u64,
    /// Picks segments smaller than this, if there are several
    #[arg(long, value_name = "SIZE", default_value = "10MiB", value_parser = size)]
    small: u64,
}

impl Merge {
    /// What to merge.
    pub(in crate::cli) fn choice(&self) -> MergeChoice {
        match (self.all, self.segments.as_slice()) {
            (true, _) => MergeChoice::All,
            (false, []) => MergeChoice::Policy(MergePolicy {
                fragmentation: f64::from(self.policy.fragmentation) / 100.0,
                dead_bytes: self.policy.dead_bytes,
                small_bytes: self.policy.small,
            }),
            (false, ids) => MergeChoice::Segments(ids.to_vec()),
        }
    }
}

/// Merging while a store is open for writing, without being asked each time.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Merging by itself")]
pub(in crate::cli) struct Unasked {
    /// While the store is open for writing, looks this often for segments that are worth merging
    #[arg(long, value_name = "DURATION", env = "LOGKV_AUTO_MERGE", hide_env_values = true, global = true)]
    #[arg(value_parser = duration)]
    auto_merge: Option<Duration>,
    /// Begins such a merge only in these hours of the day (UTC), as in 22-4
    #[arg(long, value_name = "HOUR-HOUR", env = "LOGKV_MERGE_WINDOW", hide_env_values = true, global = true)]
    #[arg(value_parser = window, requires = "auto_merge")]
    merge_window: Option<(u8, u8)>,
}

impl Unasked {
    /// As the engine takes it.
    pub(in crate::cli) fn auto_merge(&self) -> Option<AutoMerge> {
        let every = self.auto_merge?;
        let window = self.merge_window.unwrap_or_default();
        Some(AutoMerge { every, window, ..AutoMerge::default() })
    }
}

pub(super) fn size(words: &str) -> Result<u64, String> {
    text::parse_size(words).map_err(|e| e.to_string())
}

pub(super) fn duration(words: &str) -> Result<Duration, String> {
    let every = text::parse_duration(words).map_err(|e| e.to_string())?;
    if every.is_zero() { Err("longer than nothing".into()) } else { Ok(every) }
}

fn window(words: &str) -> Result<(u8, u8), String> {
    let hour = |word: &str| word.parse().ok().filter(|hour: &u8| *hour <= 24);
    let hours = words.split_once('-').and_then(|(from, until)| Some((hour(from)?, hour(until)?)));
    hours.ok_or_else(|| "two hours of the day, as in 22-4".into())
}
