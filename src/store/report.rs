//! What a store says about itself: figures, segments, findings. Plain data for every face.

use std::path::PathBuf;

use super::SyncPolicy;
use crate::format::{FormatKind, Origin, SegmentId};

/// Whether a store can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// This process is the writer.
    ReadWrite,
    /// Nothing in the directory is touched.
    ReadOnly,
}

impl Mode {
    /// The word used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadWrite => "read-write",
            Self::ReadOnly => "read-only",
        }
    }
}

/// Figures of a whole store, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// The directory.
    pub dir: PathBuf,
    /// Its layout.
    pub format: FormatKind,
    /// Whether it can be written.
    pub mode: Mode,
    /// When a write is durable.
    pub sync: SyncPolicy,
    /// Whether something acknowledged is not yet durable.
    pub unsynced: bool,
    /// Live keys.
    pub keys: u64,
    /// Bytes of the live records.
    pub live_bytes: u64,
    /// Bytes of all other records: superseded, expired, tombstones, marks.
    pub dead_bytes: u64,
    /// Bytes of all segment files.
    pub disk_bytes: u64,
    /// Segment files.
    pub segments: u64,
    /// Bytes of memory taken by the keydir.
    pub keydir_bytes: u64,
    /// Tombstones in all segments.
    pub tombstones: u64,
    /// Records whose time ran out while they were live.
    pub expired: u64,
    /// Bytes that no longer decode, or whose checksum is wrong.
    pub damaged_bytes: u64,
    /// Findings, damage included.
    pub findings: u64,
    /// The highest tstamp given out or read; 0 in an empty store.
    pub last_tstamp: u64,
}

impl Stats {
    /// Bytes of memory per key; 0 without keys.
    pub fn bytes_per_key(&self) -> f64 {
        if self.keys == 0 { 0.0 } else { self.keydir_bytes as f64 / self.keys as f64 }
    }

    /// The share of dead bytes among all record bytes, 0 to 1.
    pub fn dead_share(&self) -> f64 {
        share(self.dead_bytes, self.live_bytes)
    }
}

/// One segment's line in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Its number.
    pub id: SegmentId,
    /// Its file name.
    pub file: String,
    /// Who wrote it.
    pub origin: Origin,
    /// Bytes of the file that hold data; what a torn tail left behind is not among them.
    pub bytes: u64,
    /// Records that decode, tombstones and marks included.
    pub records: u64,
    /// Records that the keydir points at.
    pub live_records: u64,
    /// Puts that the keydir does not point at.
    pub dead_records: u64,
    /// Tombstones.
    pub tombstones: u64,
    /// Marks.
    pub marks: u64,
    /// Bytes of the live records.
    pub live_bytes: u64,
    /// Bytes of all other records.
    pub dead_bytes: u64,
    /// Bytes that no longer decode, or whose checksum is wrong.
    pub damaged_bytes: u64,
    /// Whether a usable hint lies beside it.
    pub has_hint: bool,
    /// Whether it is the one that is appended to.
    pub active: bool,
    /// Smallest tstamp; `None` without records.
    pub min_tstamp: Option<u64>,
    /// Largest tstamp; `None` without records.
    pub max_tstamp: Option<u64>,
}

impl SegmentInfo {
    /// The share of dead bytes among all record bytes, 0 to 1.
    pub fn dead_share(&self) -> f64 {
        share(self.dead_bytes, self.live_bytes)
    }
}

fn share(part: u64, rest: u64) -> f64 {
    let all = part.saturating_add(rest);
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Something was left behind, or is not as a clean close leaves it; no data is lost.
    Warning,
    /// Bytes that should be data are not.
    Damage,
}

impl Severity {
    /// The word used in JSON and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Damage => "damage",
        }
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// A record, or a stretch between records, that fails a check.
    DamagedRecord,
    /// A file header that fails a check: the segment is not loaded.
    DamagedHeader,
    /// The unsynced end of the log.
    TornTail,
    /// A hint that fails its checks.
    DamagedHint,
    /// A hint that names records which are not there.
    HintBeyondData,
    /// A hint that belongs to another file or an earlier state.
    StaleHint,
    /// A segment file that must have been there is not, or is not a file.
    MissingSegment,
    /// The id in the header is not the one in the name: the segment is not loaded.
    WrongId,
    /// A merge was interrupted while it committed, and could not be brought to its end.
    UnfinishedMerge,
    /// Only a later version could read it.
    NeedsNewer,
    /// A file that is no part of the store.
    ForeignFile,
    /// A file that a write which did not finish left behind.
    Leftover,
    /// Bytes set aside by an earlier recovery.
    Quarantined,
    /// A Riak data file that Bitcask has marked for deletion.
    PendingDelete,
    /// A Riak value that begins like a tombstone and is none of the known forms.
    OddTombstone,
    /// A logkv-store record whose empty value reads as a deletion.
    EmptyValue,
    /// A file that the operating system would not read.
    Unreadable,
}

impl FindingKind {
    /// The word used in JSON and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::DamagedRecord => "damaged-record",
            Self::DamagedHeader => "damaged-header",
            Self::TornTail => "torn-tail",
            Self::DamagedHint => "damaged-hint",
            Self::HintBeyondData => "hint-beyond-data",
            Self::StaleHint => "stale-hint",
            Self::MissingSegment => "missing-segment",
            Self::WrongId => "wrong-id",
            Self::UnfinishedMerge => "unfinished-merge",
            Self::NeedsNewer => "needs-newer",
            Self::ForeignFile => "foreign-file",
            Self::Leftover => "leftover",
            Self::Quarantined => "quarantined",
            Self::PendingDelete => "pending-delete",
            Self::OddTombstone => "odd-tombstone",
            Self::EmptyValue => "empty-value",
            Self::Unreadable => "unreadable",
        }
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::DamagedRecord => {
                "its key answers with an error until it is put or deleted again; restore it from a copy"
            }
            Self::DamagedHeader | Self::WrongId | Self::MissingSegment => UNKNOWN_KEY,
            Self::TornTail => {
                "nothing that was durable is lost; where logkv is the writer, its next open cuts it and saves it under quarantine/"
            }
            Self::DamagedHint | Self::StaleHint => "a writer's open writes it anew",
            Self::HintBeyondData => "the keys that it names answer with an error; restore the segment from a copy",
            Self::UnfinishedMerge => {
                "the next open for writing tries again; if files of it were lost, restore the store from a copy"
            }
            Self::NeedsNewer => "open the store with a newer logkv",
            Self::ForeignFile => "logkv never opens or deletes it; move it away if it is not yours",
            Self::Leftover => "a writer's open removes it",
            Self::Quarantined => "look at the bytes, then delete the file by hand",
            Self::PendingDelete => "Bitcask has merged it away and skips it; so does logkv",
            Self::OddTombstone => "Bitcask takes the key for deleted; so does logkv",
            Self::EmptyValue => "logkv-store takes it for a deletion after a restart; so does logkv",
            Self::Unreadable => "copy the disk while it still answers, then look at the system's log",
        }
    }
}

const UNKNOWN_KEY: &str = "answers that it may have changed are marked suspect; restore the segment from a copy";

/// Something about a store that a person may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub kind: FindingKind,
    /// The file.
    pub path: PathBuf,
    /// The segment, if it is about one.
    pub segment: Option<SegmentId>,
    /// Where in the file.
    pub offset: Option<u64>,
    /// How many bytes.
    pub len: Option<u64>,
    /// The key, where it is known.
    pub key: Option<Vec<u8>>,
    /// One sentence: what is the case.
    pub message: String,
}

impl Finding {
    /// One sentence: what to do about it.
    pub fn advice(&self) -> &'static str {
        match self.kind {
            FindingKind::DamagedRecord if self.key.is_none() => UNKNOWN_KEY,
            kind => kind.advice(),
        }
    }
}
