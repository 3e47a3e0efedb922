//! Hints: the keys and places of one segment without its values, so that opening need not read the data.
//!
//! What every format's hints have in common; the native layout is in [`native`](self::HintBuilder), Riak's in
//! [`super::riak`]. Must not know: files, segments in use. Keeps: a hint that decodes is whole, and all its entries
//! decode.

mod bloom;
mod native;

use super::{Check, Codec, Kind, Record, SegmentId, riak};

pub use bloom::{Bloom, bloom_probes};
pub use native::{CLOSING_FIELDS, FIELDS, FILE_FIELDS, HintBuilder, MAGIC, VERSION};
pub(super) use native::{SUM, claimed_count, decode, decode_entry, outline, parts};

/// What a hint says of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HintEntry<'a> {
    /// Put, tombstone, or a kind unknown here.
    pub kind: Kind,
    /// The record's flag byte; 0 in formats that have none.
    pub flags: u8,
    /// The key.
    pub key: &'a [u8],
    /// Where the record starts in the segment.
    pub offset: u64,
    /// Bytes of the whole record.
    pub len: u64,
    /// Bytes of the value as stored.
    pub stored_len: u64,
    /// Microseconds since 1970.
    pub tstamp: u64,
    /// Microseconds since 1970.
    pub expires_at: Option<u64>,
    /// How the value is stored.
    pub codec: Codec,
}

impl<'a> HintEntry<'a> {
    /// The entry for a record that lies at `offset`.
    pub fn of(record: &Record<'a>, offset: u64) -> Self {
        Self {
            kind: record.kind,
            flags: record.flags,
            key: record.key,
            offset,
            len: record.len(),
            stored_len: record.stored_len,
            tstamp: record.tstamp,
            expires_at: record.expires_at,
            codec: record.codec,
        }
    }
}

/// Where the parts of a hint file lie. They are contiguous and fill the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HintParts {
    /// Bytes of its header, before the first entry.
    pub header: u64,
    /// Where its entries end.
    pub entries_end: u64,
    /// Where the filter after them ends.
    pub bloom_end: u64,
    /// Where what closes it ends: with the file.
    pub end: u64,
    /// What its header says of the segment, where it has one.
    pub coverage: Option<Coverage>,
}

/// What is to be found where in a hint that is read piece by piece. Nothing of it has been checked but that the header
/// makes sense and fits the file: the hint holds if `count` entries fill the place between header and filter, and if the
/// last four bytes are the checksum, little-endian, of all before them.
#[derive(Clone, Copy, Debug)]
pub struct HintOutline {
    /// Where the parts lie.
    pub parts: HintParts,
    /// Which file it belongs to.
    pub coverage: Coverage,
    /// How many entries it says that there are.
    pub count: u64,
    layout: EntryLayout,
}

impl HintOutline {
    /// The entries at the start of `bytes`, up to the first that is not whole or does not decode.
    pub fn entries<'a>(&self, bytes: &'a [u8]) -> Entries<'a> {
        Entries { rest: bytes, layout: self.layout }
    }
}

/// Which file a hint belongs to, and how much of it was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The segment's id.
    pub id: SegmentId,
    /// The segment's salt.
    pub salt: u32,
    /// Bytes of the segment, from its start.
    pub len: u64,
    /// Smallest tstamp of its records; `u64::MAX` when it has none.
    pub min_tstamp: u64,
    /// Largest tstamp of its records; 0 when it has none.
    pub max_tstamp: u64,
    /// Records without an entry.
    pub marks: u64,
}

/// A hint file that has been checked as a whole.
#[derive(Clone, Debug)]
pub struct Hint<'a> {
    /// What it covers; `None` in formats that do not say.
    pub coverage: Option<Coverage>,
    /// The filter over its keys.
    pub bloom: Option<Bloom<'a>>,
    /// How many entries there are.
    pub count: u64,
    entries: &'a [u8],
    layout: EntryLayout,
}

/// How entries are laid out. No pointer to a function: a loop over entries is where opening and merging spend their time,
/// and leaves out what it does not use.
#[derive(Clone, Copy, Debug)]
pub(super) enum EntryLayout {
    Native,
    Riak,
}

impl EntryLayout {
    /// Decodes the entry at the start of the bytes, and says how many it took.
    #[inline(always)]
    fn decode(self, bytes: &[u8]) -> Option<(HintEntry<'_>, usize)> {
        match self {
            Self::Native => native::decode_entry(bytes),
            Self::Riak => riak::decode_hint_entry(bytes),
        }
    }
}

/// Why a hint cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HintFault {
    /// It ends before its closing checksum.
    Incomplete,
    /// A check failed.
    Damaged(Check),
    /// Written by a later version.
    NeedsNewer(String),
}

impl<'a> Hint<'a> {
    /// Checks that `entries` decode to their last byte.
    pub(super) fn new(
        coverage: Option<Coverage>,
        bloom: Option<Bloom<'a>>,
        entries: &'a [u8],
        layout: EntryLayout,
    ) -> Result<Self, HintFault> {
        let mut walk = Entries { rest: entries, layout };
        let count = walk.by_ref().count() as u64;
        if walk.rest.is_empty() {
            return Ok(Self { coverage, bloom, count, entries, layout });
        }
        Err(HintFault::Damaged(Check::Implausible("an entry does not decode")))
    }

    /// Its entries in file order.
    pub fn entries(&self) -> Entries<'a> {
        Entries { rest: self.entries, layout: self.layout }
    }
}

/// The entries of a hint.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: &'a [u8],
    layout: EntryLayout,
}

impl<'a> Entries<'a> {
    /// What lies behind the entries that were handed out.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = HintEntry<'a>;

    #[inline]
    fn next(&mut self) -> Option<HintEntry<'a>> {
        let (entry, len) = self.layout.decode(self.rest)?;
        self.rest = self.rest.get(len..)?;
        Some(entry)
    }
}

#[cfg(test)]
mod tests;
