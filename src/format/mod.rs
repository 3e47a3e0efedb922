//! Bytes ↔ records: the layouts that logkv reads, and the one that it writes.
//!
//! Nothing here opens a file, looks at a clock or decides what a fault means. A format is asked three questions, all
//! about bytes that somebody else read: what is a file of this name, what record starts at these bytes, what does this
//! hint say. Everything above this layer works the same on every format.
//!
//! # The native record, format 1
//!
//! All integers little-endian. A segment file is a 40-byte file header and then records, back to back.
//!
//! ```text
//!  0        4        8   9   10      12       16               24            24 or 32
//! ┌────────┬────────┬───┬───┬───────┬────────┬────────────────┬─ ─ ─ ─ ─ ─ ─┬──────┬────────┐
//! │ header │ value  │ k │ f │ key   │ value  │ tstamp         │ expires at  │ key  │ value  │
//! │ crc    │ crc    │ i │ l │ length│ length │ microseconds   │ only with   │      │        │
//! │        │        │ n │ a │       │        │ since 1970     │ flag bit 0  │      │        │
//! │        │        │ d │ g │       │        │                │             │      │        │
//! └────────┴────────┴───┴───┴───────┴────────┴────────────────┴─ ─ ─ ─ ─ ─ ─┴──────┴────────┘
//!     │        └ CRC-32 of the value as stored
//!     └ CRC-32 of: salt of the file, offset of this record, everything from `value crc` to the end of the key
//! ```
//!
//! The tables of [`Field`]s beside each layout ([`record::FIELDS`], [`record::FILE_FIELDS`], [`hint::FIELDS`],
//! [`checkpoint::FIELDS`], [`merge_file::FIELDS`], [`riak::FIELDS`], [`logkv_go::FIELDS`]) are the only other place where a width is written down: encoders, decoders,
//! anatomy and documentation derive from them.
//!
//! # Invariants
//!
//! 1. No function here panics on any input, and none allocates by a length that the input claims.
//! 2. A length is believed only after whatever checksum covers it held; where a format has none, the caller bounds it
//!    by the file.
//! 3. `decode` of what `encode` wrote gives back the same record; of a zero-filled tail, never a record.

mod check;
pub mod checkpoint;
mod field;
pub mod hint;
pub mod logkv_go;
pub mod lz4;
pub mod merge_file;
mod names;
pub mod record;
pub mod riak;
pub mod tail;

pub use check::{Check, Checksum, ValueCheck};
pub use checkpoint::{Checkpoint, Covered, ShardImage};
pub use field::{Encoding, Field, Role, Sum, Width};
pub use hint::{Coverage, Entries, Hint, HintEntry, HintFault, HintOutline, HintParts};
pub use merge_file::{MergeFile, MergePart};
pub use names::{FileRole, QUARANTINE, formats_present, only_format_of, parse_decimal};
use std::fmt;

/// The number in a segment's file name.
pub type SegmentId = u64;

/// Which layout a directory is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FormatKind {
    /// Our own, the only one that is ever written.
    Native,
    /// Basho's Bitcask, as under Riak KV.
    Riak,
    /// The Go project logkv-store.
    LogkvGo,
}

impl FormatKind {
    /// Every format, in the order in which detection tries them.
    pub const ALL: [Self; 3] = [Self::Native, Self::Riak, Self::LogkvGo];

    /// The name used by flags, JSON and the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Riak => "riak",
            Self::LogkvGo => "logkv-go",
        }
    }

    /// The format called `name`, if there is one.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The decoder for this layout.
    pub fn format(self) -> &'static dyn Format {
        match self {
            Self::Native => &record::Native,
            Self::Riak => &riak::Riak,
            Self::LogkvGo => &logkv_go::LogkvGo,
        }
    }
}

impl fmt::Display for FormatKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which of two versions of a key is the newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionOrder {
    /// The higher tstamp, wherever it lies.
    Tstamp,
    /// The later (segment id, offset), whatever its tstamp says.
    Place,
}

/// One layout of segment and hint files.
pub trait Format: Send + Sync + fmt::Debug {
    /// Which one this is.
    fn kind(&self) -> FormatKind;

    /// What a file of this name is, or `None` if the name means nothing to this format.
    fn role(&self, file_name: &str) -> Option<FileRole>;

    /// The name of the segment file with this id.
    fn segment_name(&self, id: SegmentId) -> String;

    /// The name of the hint of the segment with this id, where the format has hints.
    fn hint_name(&self, _id: SegmentId) -> Option<String> {
        None
    }

    /// How versions of one key are ordered.
    fn version_order(&self) -> VersionOrder;

    /// The most bytes that [`Format::file_header`] ever asks for; 0 where segments have no header.
    fn max_file_header_len(&self) -> usize {
        0
    }

    /// Decodes what stands at the start of a segment file. Formats without a header answer with an empty one.
    fn file_header(&self, _bytes: &[u8]) -> Result<FileHeader, HeaderFault> {
        Ok(FileHeader::NONE)
    }

    /// What a header that does not decode says where it stands. Only for those who look at such a file all the same: what
    /// comes of it may be wrong.
    fn presumed_file_header(&self, _bytes: &[u8]) -> FileHeader {
        FileHeader::NONE
    }

    /// Decodes the record that starts at `bytes[0]`, which lies at `offset` of a file with this header. The value need
    /// not be in `bytes`; [`Record::value_check`] verifies it afterwards, in pieces if it is long.
    fn decode<'a>(&self, header: &FileHeader, offset: u64, bytes: &'a [u8]) -> Decoded<'a>;

    /// [`Format::decode`] of the same bytes once more: what held a moment ago need not be checked again.
    fn decode_again<'a>(&self, header: &FileHeader, offset: u64, bytes: &'a [u8]) -> Decoded<'a> {
        self.decode(header, offset, bytes)
    }

    /// Whether a checksum tells a record from chance.
    fn has_checksum(&self) -> bool;

    /// Whether header and key have a checksum of their own, so that they can be believed when the value is damaged.
    fn has_frame_checksum(&self) -> bool;

    /// A cheap look: could a record start at `bytes[0]` and fit into the `left` bytes of the file from there on? Used to
    /// search after damage, so it must reject most of what is not a record, and nothing that a writer writes.
    fn plausible(&self, bytes: &[u8], left: u64) -> bool;

    /// Decodes and checks a whole hint file. `None` where the format has no hints.
    fn hint<'a>(&self, _bytes: &'a [u8]) -> Option<Result<Hint<'a>, HintFault>> {
        None
    }

    /// How a hint of `len` bytes that begins with `head` can be checked and read piece by piece. `None` where only
    /// [`Format::hint`] tells what it is, or what is wrong with it.
    fn hint_outline(&self, _head: &[u8], _len: u64) -> Option<HintOutline> {
        None
    }

    /// Decodes the hint entry that starts at `bytes[0]`; also says how many bytes it takes. `None` if the bytes are too
    /// few, or no entry.
    fn hint_entry<'a>(&self, _bytes: &'a [u8]) -> Option<(HintEntry<'a>, usize)> {
        None
    }

    /// How many entries a hint of `len` bytes claims that begins with `head`, as far as so many fit; `None` if it does not
    /// say. Not to be relied on: nothing was checked.
    fn hint_count(&self, head: &[u8], len: u64) -> Option<u64> {
        let _ = (head, len);
        None
    }

    /// Where the parts of a hint file of `len` bytes lie that begins with `head`, as far as it says so itself: nothing of
    /// it has been checked. `None` where the format has no hints.
    fn hint_parts(&self, _head: &[u8], _len: u64) -> Option<HintParts> {
        None
    }

    /// Bytes of a record before its key, without and with an expiry.
    fn frame_len(&self) -> fn(bool) -> u64;

    /// The fields of a record in file order.
    fn record_fields(&self) -> &'static [Field];

    /// The checksums of a record, all of them CRC-32 (IEEE); empty where there are none.
    fn record_sums(&self) -> &'static [Sum] {
        &[]
    }

    /// The fields of the file header in file order; empty where there is none.
    fn file_header_fields(&self) -> &'static [Field] {
        &[]
    }

    /// The checksums of the file header.
    fn file_header_sums(&self) -> &'static [Sum] {
        &[]
    }

    /// The fields of a hint's header in file order; empty where hints have none.
    fn hint_header_fields(&self) -> &'static [Field] {
        &[]
    }

    /// The fields of a hint entry in file order; empty where there are no hints.
    fn hint_entry_fields(&self) -> &'static [Field] {
        &[]
    }

    /// The fields of what closes a hint. The checksum among them is a CRC-32 of everything before it; it is the field
    /// named by [`Format::hint_sum`].
    fn hint_closing_fields(&self) -> &'static [Field] {
        &[]
    }

    /// The checksum over a whole hint.
    fn hint_sum(&self) -> Option<&'static Sum> {
        None
    }
}

/// Who wrote a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Puts and deletes, in the order of their tstamps.
    Puts,
    /// A merge: live records of other segments, in no order of tstamps.
    Merge,
}

impl Origin {
    /// The word used in JSON and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Puts => "puts",
            Self::Merge => "merge",
        }
    }
}

/// What a segment file says about itself before its first record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// Layout version; 0 in formats that have none.
    pub version: u16,
    /// Bytes before the first record.
    pub len: u64,
    /// The id that the header names; `None` in formats that name none.
    pub id: Option<SegmentId>,
    /// Mixed into every header checksum of this file.
    pub salt: u32,
    /// Microseconds since 1970; 0 in formats that do not say.
    pub created: u64,
    /// Who wrote the segment.
    pub origin: Origin,
}

impl FileHeader {
    /// The header of a format that has none.
    pub const NONE: Self = Self { version: 0, len: 0, id: None, salt: 0, created: 0, origin: Origin::Puts };
}

/// Why a file header cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderFault {
    /// Too few bytes.
    Incomplete,
    /// The bytes are not a header, or not the one that was written.
    Damaged(Check),
    /// Written by a later version.
    NeedsNewer(String),
}

/// What stands at a place in a segment file.
#[derive(Clone, Debug)]
pub enum Decoded<'a> {
    /// A record; its value is still to be checked.
    Record(Record<'a>),
    /// The bytes end before the question is decided: at least this many are needed.
    Incomplete {
        /// Bytes from the start of the record.
        needed: u64,
    },
    /// Not a record.
    Damaged(Check),
}

/// What a record does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Gives a key a value.
    Put,
    /// Takes a key away.
    Tombstone,
    /// Says how far its own file is known to be on stable storage.
    Mark,
    /// A kind that this version does not know.
    Unknown(u8),
}

impl Kind {
    /// The word used in JSON and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Tombstone => "tombstone",
            Self::Mark => "mark",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// How a value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// As it is.
    Raw,
    /// An LZ4 block after its raw length (u32).
    Lz4,
}

impl Codec {
    /// The word used in JSON and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "none",
            Self::Lz4 => "lz4",
        }
    }
}

/// A record's frame and key. Lengths have been checked for overflow, and by a checksum if the format has one that does
/// not need the value.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// What it does.
    pub kind: Kind,
    /// The flag byte as it stands; 0 in formats that have none.
    pub flags: u8,
    /// The key.
    pub key: &'a [u8],
    /// Where the value starts, from the start of the record.
    pub value_start: u64,
    /// Bytes of the value as stored.
    pub stored_len: u64,
    /// Microseconds since 1970.
    pub tstamp: u64,
    /// Microseconds since 1970 after which the record is as good as a tombstone.
    pub expires_at: Option<u64>,
    /// How the value is stored.
    pub codec: Codec,
    /// The batch goes on in the next record.
    pub batch_continues: bool,
    /// All bytes of the file before this record were on stable storage when it was appended.
    pub barrier: bool,
    /// What a later version would be needed for.
    pub needs_newer: Option<String>,
    /// Something worth a finding that does not stop anybody.
    pub oddity: Option<&'static str>,
    /// The checksum that covers the value.
    pub checksum: Option<Checksum>,
}

impl Record<'_> {
    /// Bytes of the whole record.
    pub fn len(&self) -> u64 {
        self.value_start.saturating_add(self.stored_len)
    }

    /// A record is never empty; this exists for symmetry with `len`.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// A check to feed the stored value to. `None` where the format has no checksum.
    pub fn value_check(&self) -> Option<ValueCheck> {
        self.checksum.clone().map(ValueCheck::new)
    }

    /// Checks a value that is at hand in one piece.
    pub fn check_value(&self, value: &[u8]) -> Result<(), Check> {
        let Some(mut check) = self.value_check() else { return Ok(()) };
        check.update(value);
        check.finish()
    }
}

/// The `N` bytes at `at`, if they are there.
pub(crate) fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests;
