//! How a store is opened. Every field has the default that a careful person would choose.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::events::Observer;
use super::merge::AutoMerge;
use crate::format::{Codec, FormatKind, lz4};

/// When an acknowledged write is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncPolicy {
    /// On return. Writers that wait share one write and one fdatasync.
    Always,
    /// With the kernel on return, so that it survives the process; durable at most this much later.
    Interval(Duration),
    /// In the process's buffer on return; `sync()` forces it out.
    Buffered,
}

impl fmt::Display for SyncPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("always"),
            Self::Interval(period) => write!(f, "interval:{}", humantime::format_duration(*period)),
            Self::Buffered => f.write_str("buffered"),
        }
    }
}

impl std::str::FromStr for SyncPolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("interval:")) {
            ("always", _) => Ok(Self::Always),
            ("buffered", _) => Ok(Self::Buffered),
            (_, Some(period)) => humantime::parse_duration(period)
                .map_err(|e| e.to_string())
                .and_then(|period| if period.is_zero() { Err("the interval is zero".into()) } else { Ok(period) })
                .map(Self::Interval),
            _ => Err("one of always, interval:DURATION (as in interval:200ms), buffered".into()),
        }
    }
}

/// How values are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As they are.
    #[default]
    None,
    /// As LZ4 blocks, where that makes them shorter by an eighth; short ones as they are: [`lz4::compress`].
    Lz4,
}

impl Compression {
    /// A value as it is to be stored.
    pub(super) fn store(self, value: &[u8]) -> (Cow<'_, [u8]>, Codec) {
        let stored = if self == Self::Lz4 { lz4::compress(value) } else { None };
        stored.map_or((value.into(), Codec::Raw), |stored| (stored.into(), Codec::Lz4))
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Lz4 => "lz4",
        })
    }
}

impl std::str::FromStr for Compression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "lz4" => Ok(Self::Lz4),
            _ => Err("one of none, lz4".into()),
        }
    }
}

/// What opening does about damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Cuts the unsynced end of the log (saved under `quarantine/`), serves around damage.
    Tail,
    /// Refuses to open on any damage.
    Strict,
    /// For reading alone: serves whatever can be read, even behind a header that does not hold or around sectors that the
    /// disk does not give back. Answers that rest on such a header are suspect.
    Salvage,
}

/// Where time comes from; tests bring their own.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Microseconds since 1970.
    fn now(&self) -> u64;
}

/// The wall clock at the moment of its making plus monotonic time since, so that a clock that is set back while the
/// store is open neither revives nor expires anything.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    wall: u64,
}

impl Default for SystemClock {
    fn default() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), wall: micros(wall) }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        self.wall.saturating_add(micros(self.started.elapsed()))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// When an acknowledged write is durable. Default: always.
    pub sync: SyncPolicy,
    /// A segment is sealed rather than grow beyond this many bytes. One record may exceed it alone. Default: 64 MiB.
    pub max_segment_bytes: u64,
    /// A segment is sealed at the first write after it reached this age. Default: never.
    pub max_segment_age: Option<Duration>,
    /// How long a value lives whose put does not say. Default: for ever.
    pub default_ttl: Option<Duration>,
    /// How values are stored that are put from now on; what is there already is read either way. Default: none. A store is
    /// there to be looked into, and a value that is stored as it is can be read in the file and in part; LZ4 is for those
    /// whose values are long and alike, and pays for less disk with work at each put and get.
    pub compression: Compression,
    /// Bytes that [`SyncPolicy::Buffered`] holds back at most. Default: 1 MiB.
    pub buffer_bytes: usize,
    /// Makes the directory if it is missing, and an empty store in a directory that holds other files. Default: no.
    pub create: bool,
    /// What to do about damage. Default: [`Recovery::Tail`].
    pub recovery: Recovery,
    /// Which format to read where a directory holds several. Default: there must be one.
    pub from: Option<FormatKind>,
    /// Opens even what only a later version could answer for: its records can be listed, a get fails. Default: no.
    pub inspect: bool,
    /// Whether a store that is open for writing maps its segments into memory to read them, where the system allows it:
    /// several times faster. On a disk that fails, a sector that cannot be read ends the process with a signal then, where
    /// a plain read gives an error. Never done when opening for reading only. Default: yes.
    pub mapped_reads: bool,
    /// Whether the keydir is kept in the file `KEYDIR` at a clean close, and read from there when opening. It is never needed:
    /// without it, or with one that does not count, hints and records are read. Default: yes.
    pub checkpoint: bool,
    /// Under [`SyncPolicy::Interval`], the number of single writes of a session after which the newest records are kept in the
    /// file `TAIL` through shared memory, until there is enough of them for one write to the segment, a tenth of a second at
    /// most: several times faster than a call for each, and with the kernel as before. Only on Linux, and on file
    /// systems that write in place (ext4, XFS, tmpfs); a disk that fails is what [`Options::mapped_reads`] says. `None`:
    /// never. Default: 256.
    pub tail_file_after: Option<u64>,
    /// Under [`SyncPolicy::Always`], the number of syncs of a session after which space is reserved behind the newest record,
    /// 256 KiB of zeros at a time, so that a sync has no new length of the file to make durable. What is left of it is cut
    /// when the segment is sealed or closed; after a crash it stays until the next open for writing. Only on Linux, and on
    /// file systems that write in place (ext4, XFS, tmpfs). `None`: never. Default: 64.
    pub reserve_after: Option<u64>,
    /// Threads that load segments. Default: as many as the machine has, at most 8.
    pub threads: usize,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where salts and the keydir's hash come from; 0 asks the operating system.
    pub seed: u64,
    /// Merging by itself, in the background of a store that is open for writing. Default: never.
    pub auto_merge: Option<AutoMerge>,
    /// Those who are told of every step.
    pub observers: Vec<Arc<dyn Observer>>,
}

impl Options {
    /// Bytes of an active segment to map. None while what can be read is being saved: there, what cannot is read around.
    pub(super) fn mapped_extent(&self) -> u64 {
        if self.mapped_reads && self.recovery != Recovery::Salvage {
            self.max_segment_bytes.min(MOST_SEGMENT_BYTES)
        } else {
            0
        }
    }
}

/// A segment is under 4 GiB.
const MOST_SEGMENT_BYTES: u64 = 4 << 30;

impl Default for Options {
    fn default() -> Self {
        Self {
            sync: SyncPolicy::Always,
            max_segment_bytes: 64 << 20,
            max_segment_age: None,
            default_ttl: None,
            compression: Compression::None,
            buffer_bytes: 1 << 20,
            create: false,
            recovery: Recovery::Tail,
            from: None,
            inspect: false,
            mapped_reads: true,
            checkpoint: true,
            tail_file_after: Some(256),
            reserve_after: Some(64),
            threads: std::thread::available_parallelism().map_or(1, |n| n.get().min(8)),
            clock: Arc::new(SystemClock::default()),
            seed: 0,
            auto_merge: None,
            observers: Vec::new(),
        }
    }
}

/// How long a value lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expiry {
    /// As the store was opened: [`Options::default_ttl`].
    #[default]
    Default,
    /// For ever.
    Never,
    /// This long, counted from the write.
    After(Duration),
    /// Until this moment, in microseconds since 1970.
    At(u64),
}

/// What must be the case for an operation to be done. Judged under the writers' lock on the newest version that was
/// appended, so that nobody can come in between; an expired value is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    #[default]
    Always,
    /// The key has no value.
    Absent,
    /// The key's value is the one with this tstamp, as [`super::Entry`] tells it.
    Tstamp(u64),
}

/// What a single put may ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PutOptions {
    /// How long the value lives. Default: as the store says.
    pub expiry: Expiry,
    /// When to write at all. Default: always.
    pub condition: Condition,
}

impl PutOptions {
    /// A value that lives this long.
    pub fn ttl(ttl: Duration) -> Self {
        Self { expiry: Expiry::After(ttl), ..Self::default() }
    }

    /// A put under a condition.
    pub fn only(condition: Condition) -> Self {
        Self { condition, ..Self::default() }
    }
}
