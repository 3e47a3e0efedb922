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
    /// A checkpoint that fails its checks.
    DamagedCheckpoint,
    /// A checkpoint of another state of the store, or of a later version.
    StaleCheckpoint,
    /// A checkpoint that passes its checks and says something else than the records.
    WrongCheckpoint,
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
            Self::DamagedCheckpoint => "damaged-checkpoint",
            Self::StaleCheckpoint => "stale-checkpoint",
            Self::WrongCheckpoint => "wrong-checkpoint",
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

    /// What it means for those who ask the store: which keys answer how.
    pub fn consequence(self) -> &'static str {
        match self {
            Self::DamagedRecord => {
                "if this is the newest version of its key, the key answers with an error, never with an older value"
            }
            Self::DamagedHeader | Self::WrongId | Self::MissingSegment => {
                "none of its records is served: where a key is missing, or its value is older than what the segment may have held, the answer is marked suspect"
            }
            Self::TornTail => {
                "the records before it are served, these bytes are not; nothing that was durable is missing"
            }
            Self::DamagedHint | Self::StaleHint => "no answer changes: the records are read instead",
            Self::DamagedCheckpoint | Self::StaleCheckpoint => {
                "no answer changes: hints and records are read instead, so that opening takes longer"
            }
            Self::WrongCheckpoint => "until it goes, those keys answer with an error, an older value or none",
            Self::HintBeyondData => {
                "a key whose newest version was there answers with an error, never with an older value"
            }
            Self::UnfinishedMerge => {
                "the store cannot be written; where its files are not all there, every answer is marked suspect"
            }
            Self::NeedsNewer => "no key is answered: what is not understood here could change any answer",
            Self::ForeignFile | Self::Leftover => "no answer changes",
            Self::Quarantined => "no answer changes: it is no part of the store any more",
            Self::PendingDelete => "none of its records is served",
            Self::OddTombstone => "the key answers as deleted",
            Self::EmptyValue => "a key whose newest version is one of them answers as deleted",
            Self::Unreadable => UNKNOWN_KEY,
        }
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::DamagedRecord => {
                "put or delete the key again, or restore it from a copy; `logkv repair` sets the damage aside"
            }
            Self::DamagedHeader | Self::MissingSegment | Self::HintBeyondData => RESTORE,
            Self::WrongId => "give it back its name if it lost it; else `logkv repair` sets it aside",
            Self::TornTail => {
                "a writer's open cuts it and saves it under quarantine/; a file of another program is left as it is"
            }
            Self::DamagedHint | Self::StaleHint => "a writer's open writes it anew",
            Self::DamagedCheckpoint | Self::StaleCheckpoint => "the next clean close writes it anew",
            Self::WrongCheckpoint => "delete the file: it is a copy of what hints and records say",
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
            Self::Unreadable => {
                "copy the disk while it still answers, then look at the system's log; `--recovery salvage` reads around it"
            }
        }
    }
}

const UNKNOWN_KEY: &str = "keys that a hint names there answer with an error; without a hint, a key that is missing or has a value older than these bytes is marked suspect";
const RESTORE: &str = "restore the segment from a copy, or let `logkv repair` save what is intact and say what is lost";

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
    /// One sentence: which keys answer how because of it.
    pub fn consequence(&self) -> &'static str {
        match self.kind {
            FindingKind::DamagedRecord if self.key.is_none() => UNKNOWN_KEY,
            kind => kind.consequence(),
        }
    }

    /// One sentence: what to do about it.
    pub fn advice(&self) -> &'static str {
        match self.kind {
            FindingKind::DamagedRecord if self.key.is_none() => RESTORE,
            kind => kind.advice(),
        }
    }
}
