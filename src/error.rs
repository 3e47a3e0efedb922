//! What can go wrong, told to a person: the file, the offset, and what to try.
//!
//! One enum for the whole library. The faces turn it into exit codes, status codes and colours; nothing below them
//! formats it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::format::{Check, SegmentId};
use crate::text;

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed. Cheap to clone, so that everyone who waited for one sync can be told.
#[derive(Clone, Debug)]
pub enum Error {
    /// The operating system refused; nothing of the store is known to be wrong.
    Io {
        /// What was being done, as in "cannot ACTION PATH".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: Option<u64>,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// Another writer holds the store.
    Locked {
        /// The store's directory.
        dir: PathBuf,
        /// Who, as far as the lock file says.
        holder: Option<LockHolder>,
    },
    /// The newest version of a key is damaged, so there is no answer.
    Damaged {
        /// The segment file.
        path: PathBuf,
        /// Its id.
        segment: SegmentId,
        /// The record's place.
        offset: u64,
        /// What did not hold.
        check: Check,
    },
    /// The directory is not there.
    Missing {
        /// Which.
        dir: PathBuf,
    },
    /// The path is not something that can be opened as a store.
    NotAStore {
        /// Which.
        path: PathBuf,
        /// What is there instead, and what to do.
        reason: String,
    },
    /// Only a later version could give true answers.
    NeedsNewer {
        /// The file.
        path: PathBuf,
        /// The record, if it is one.
        offset: Option<u64>,
        /// What is not known here.
        what: String,
    },
    /// Recovery mode `strict` met damage.
    StrictDamage {
        /// The file.
        path: PathBuf,
        /// The place.
        offset: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The key is too long; nothing was written.
    KeyTooLong {
        /// Bytes given.
        len: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// The value is too long; nothing was written.
    ValueTooLong {
        /// Bytes given.
        len: u64,
        /// Bytes allowed.
        max: u64,
    },
    /// A batch would be too long; the operation was not added to it.
    BatchTooLong {
        /// Bytes that its records would take.
        len: u64,
        /// Bytes allowed.
        max: u64,
    },
    /// The condition of an operation did not hold, so that nothing of its batch was written.
    Refused {
        /// Which operation of the batch, the first being 0.
        operation: usize,
        /// Its key.
        key: Vec<u8>,
        /// What is the case instead.
        reason: &'static str,
    },
    /// A setting is out of its range; nothing was opened.
    BadOption {
        /// Which, by its flag's name.
        name: &'static str,
        /// What it may be.
        reason: String,
    },
    /// The store was opened for reading, or its format is never written.
    ReadOnly {
        /// The store's directory.
        dir: PathBuf,
        /// Why.
        reason: String,
    },
    /// An earlier failure stopped writing; reads go on.
    Poisoned {
        /// The first failure.
        cause: Arc<Error>,
    },
    /// The write was in flight when the disk failed: after reopening it may be wholly there, or wholly absent.
    Indeterminate {
        /// The failure.
        cause: Arc<Error>,
    },
    /// The disk is full; the write was taken back and the store goes on.
    NoSpace {
        /// The file.
        path: PathBuf,
        /// Bytes that did not fit.
        needed: u64,
    },
    /// A merge is going on already.
    Merging {
        /// The store's directory.
        dir: PathBuf,
    },
    /// The merge was stopped before it changed anything.
    MergeCancelled {
        /// The store's directory.
        dir: PathBuf,
    },
    /// A snapshot or archive does not hold; nothing was made of it.
    BadSnapshot {
        /// Which.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// The one who watched asked to stop; what was being made is not there.
    Stopped {
        /// What was being made.
        path: PathBuf,
    },
    /// There is no segment with this id.
    NoSuchSegment {
        /// The store's directory.
        dir: PathBuf,
        /// The id.
        segment: SegmentId,
    },
    /// The segment ids are used up.
    NoMoreSegments {
        /// The store's directory.
        dir: PathBuf,
    },
}

/// What a lock file says about its holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockHolder {
    /// Process id, as its own system counts.
    pub pid: u32,
    /// When it opened the store: microseconds since 1970.
    pub since: u64,
}

impl Error {
    /// Wraps what the system said.
    pub fn io(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { action, path: path.into(), offset: None, source: Arc::new(source) }
    }

    /// Wraps what the system said when `needed` bytes were to be written: a full disk, or something worse.
    pub fn of_write(action: &'static str, path: &std::path::Path, needed: u64, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::NoSpace { path: path.to_owned(), needed }
            }
            _ => Self::io(action, path, source),
        }
    }

    /// Wraps what the system said about a place in a file.
    pub fn io_at(action: &'static str, path: impl Into<PathBuf>, offset: u64, source: io::Error) -> Self {
        Self::Io { action, path: path.into(), offset: Some(offset), source: Arc::new(source) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { action, path, offset, source } => {
                write!(f, "cannot {action} {}", text::path(path))?;
                if let Some(offset) = offset {
                    write!(f, " at offset {offset}")?;
                }
                write!(f, ": {}", text::escape_str(&source.to_string()))
            }
            Self::Locked { dir, holder } => {
                write!(f, "{} is open for writing in ", text::path(dir))?;
                match holder {
                    Some(LockHolder { pid, since }) => {
                        write!(f, "process {pid} since {}", text::timestamp(*since))?;
                    }
                    None => f.write_str("another process")?,
                }
                f.write_str("; read it with --read-only, or close the other one")
            }
            Self::Damaged { path, segment, offset, check } => write!(
                f,
                "segment {segment} is damaged at offset {offset} of {}: {check}; `logkv verify` lists all damage",
                text::path(path)
            ),
            Self::Missing { dir } => {
                write!(f, "{} does not exist; --create makes an empty store there", text::path(dir))
            }
            Self::NotAStore { path, reason } => write!(f, "{} is not a store: {reason}", text::path(path)),
            Self::NeedsNewer { path, offset, what } => {
                write!(f, "{}", text::path(path))?;
                if let Some(offset) = offset {
                    write!(f, " at offset {offset}")?;
                }
                write!(f, " needs a newer logkv: it has {what}; `logkv records` still lists it")
            }
            Self::StrictDamage { path, offset, what } => write!(
                f,
                "{} is damaged at offset {offset}: {what}; --recovery tail opens the store around it",
                text::path(path)
            ),
            Self::KeyTooLong { len, max } => write!(f, "the key has {len} bytes; at most {max} are allowed"),
            Self::ValueTooLong { len, max } => write!(f, "the value has {len} bytes; at most {max} are allowed"),
            Self::BatchTooLong { len, max } => {
                write!(f, "the batch would have {len} bytes; at most {max} are allowed, so write it in parts")
            }
            Self::Refused { operation, key, reason } => write!(
                f,
                "operation {} of the batch was refused, and so nothing of it was written: {} {reason}",
                operation + 1,
                text::key_word(key)
            ),
            Self::BadOption { name, reason } => write!(f, "{name}: {reason}"),
            Self::ReadOnly { dir, reason } => write!(f, "{} cannot be written: {reason}", text::path(dir)),
            Self::Poisoned { cause } => {
                write!(f, "writing stopped at an earlier failure ({cause}); close the store and open it again")
            }
            Self::Indeterminate { cause } => write!(
                f,
                "it is not known whether this write is on disk ({cause}); close the store, open it again and look"
            ),
            Self::NoSpace { path, needed } => write!(
                f,
                "no space left for {needed} bytes in {}; nothing was written, free some space and try again",
                text::path(path)
            ),
            Self::Merging { dir } => {
                write!(f, "{} is being merged already; wait until that is done", text::path(dir))
            }
            Self::MergeCancelled { dir } => {
                write!(f, "the merge of {} was cancelled; nothing has changed", text::path(dir))
            }
            Self::BadSnapshot { path, reason } => {
                write!(f, "{} is not a whole snapshot: {}", text::path(path), text::escape_str(reason))
            }
            Self::Stopped { path } => {
                write!(f, "stopped before {} was complete; nothing of it is there", text::path(path))
            }
            Self::NoSuchSegment { dir, segment } => {
                write!(f, "{} has no segment {segment}; `logkv segments` lists them", text::path(dir))
            }
            Self::NoMoreSegments { dir } => {
                write!(f, "{} has used every segment id; export it and import it into a new store", text::path(dir))
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source.as_ref()),
            Self::Poisoned { cause } | Self::Indeterminate { cause } => Some(cause.as_ref()),
            _ => None,
        }
    }
}
