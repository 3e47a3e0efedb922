//! The native hint file, both ways. All integers little-endian:
//!
//! ```text
//! ┌───────────────────────────────┬─────────┬─────────┬─ ─ ─┬──────────────┬───────┐
//! │ hint header, 60 bytes         │ entry 1 │ entry 2 │     │ bloom filter │ crc   │
//! └───────────────────────────────┴─────────┴─────────┴─ ─ ─┴──────────────┴───────┘
//!                                                                              └ CRC-32 of everything before it
//!  0      1       2            4              8        12       20           20 or 28
//! ┌──────┬───────┬────────────┬──────────────┬────────┬────────┬─ ─ ─ ─ ─ ─ ─┬─────┐
//! │ kind │ flags │ key length │ value length │ offset │ tstamp │ expires at  │ key │   an entry
//! └──────┴───────┴────────────┴──────────────┴────────┴────────┴─ ─ ─ ─ ─ ─ ─┴─────┘
//! ```
//!
//! Every record of the segment has an entry, in file order, superseded ones and tombstones too; marks have none.
//! Must not know: files, segments in use. Keeps: what the builder was told is what the decoder says.

use super::super::field::{fixed_len, start_of};
use super::super::record;
use super::super::{Check, Encoding, Field, Role, SegmentId, Sum, Width, bytes_at};
use super::bloom::{self, Bloom};
use super::{Coverage, EntryLayout, Hint, HintEntry, HintFault, HintOutline, HintParts};

/// The first eight bytes of a hint file.
pub const MAGIC: [u8; 8] = *b"LOGKVHNT";
/// The layout version that is written.
pub const VERSION: u16 = 1;

/// The hint file's header, field by field.
pub const FILE_FIELDS: [Field; 11] = [
    Field::bytes("magic", Width::Fixed(8), Role::Kind, "Eight letters by which a hint of logkv is known."),
    Field::le("version", 2, Role::Kind, "The layout of everything that follows."),
    Field::le("header length", 2, Role::Length, "Bytes of this header."),
    Field::le("segment id", 4, Role::Place, "The segment that the hint is for."),
    Field::le("salt", 4, Role::Place, "The segment's salt: a hint of another file of the same name does not match."),
    Field::le("entries", 4, Role::Length, "How many entries follow."),
    Field::le("marks", 4, Role::Length, "How many marks the segment has; they have no entries."),
    Field::le(
        "covered",
        8,
        Role::Length,
        "Bytes of the segment that the hint covers, all of them on stable storage when it was written.",
    ),
    Field::le("smallest tstamp", 8, Role::Time, "The smallest tstamp in the segment."),
    Field::le("largest tstamp", 8, Role::Time, "The largest tstamp in the segment, marks included."),
    Field::le("bloom length", 8, Role::Length, "Bytes of the bloom filter over the segment's keys."),
];

/// A hint entry, field by field.
pub const FIELDS: [Field; 8] = [
    Field::le("kind", 1, Role::Kind, "As in the record."),
    Field::le("flags", 1, Role::Kind, "As in the record."),
    Field::le("key length", 2, Role::Length, "How many key bytes follow."),
    Field::le("value length", 4, Role::Length, "Bytes of the value as stored in the segment."),
    Field::le("offset", 4, Role::Place, "Where the record starts in the segment."),
    Field::le("tstamp", 8, Role::Time, "As in the record."),
    Field {
        name: "expires at",
        width: Width::WithExpiry(8),
        encoding: Encoding::LittleEndian,
        role: Role::Time,
        meaning: "As in the record.",
    },
    Field::bytes("key", Width::Key, Role::Key, "The key."),
];

/// What closes a hint.
pub const CLOSING_FIELDS: [Field; 1] =
    [Field::le("hint crc", CRC_LEN, Role::Checksum, "CRC-32 of everything before it: a hint without it is no hint.")];

/// The checksum over a whole hint.
pub(in crate::format) const SUM: Sum = Sum { field: "hint crc", from: "magic", to: "bloom filter", salted: false };

const FILE_HEADER_LEN: usize = fixed_len(&FILE_FIELDS);
const FILE_VERSION: usize = start_of(&FILE_FIELDS, 1);
const FILE_LEN: usize = start_of(&FILE_FIELDS, 2);
const FILE_ID: usize = start_of(&FILE_FIELDS, 3);
const FILE_SALT: usize = start_of(&FILE_FIELDS, 4);
const FILE_ENTRIES: usize = start_of(&FILE_FIELDS, 5);
const FILE_MARKS: usize = start_of(&FILE_FIELDS, 6);
const FILE_COVERED: usize = start_of(&FILE_FIELDS, 7);
const FILE_MIN: usize = start_of(&FILE_FIELDS, 8);
const FILE_MAX: usize = start_of(&FILE_FIELDS, 9);
const FILE_BLOOM: usize = start_of(&FILE_FIELDS, 10);

const ENTRY_LEN: usize = fixed_len(&FIELDS);
const KEY_LEN: usize = start_of(&FIELDS, 2);
const VALUE_LEN: usize = start_of(&FIELDS, 3);
const OFFSET: usize = start_of(&FIELDS, 4);
const TSTAMP: usize = start_of(&FIELDS, 5);
const CRC_LEN: usize = 4;

/// Builds the native hint of one segment, record by record.
#[derive(Debug)]
pub struct HintBuilder {
    entries: Vec<u8>,
    hashes: Vec<u64>,
    marks: u32,
    min_tstamp: u64,
    max_tstamp: u64,
}

impl Default for HintBuilder {
    fn default() -> Self {
        Self { entries: Vec::new(), hashes: Vec::new(), marks: 0, min_tstamp: u64::MAX, max_tstamp: 0 }
    }
}

impl HintBuilder {
    /// Takes in one record that is no mark. Its offset fits into 32 bits because a segment is under 4 GiB.
    pub fn add(&mut self, entry: &HintEntry<'_>) {
        self.saw(entry.tstamp);
        self.hashes.push(bloom::key_hash(entry.key));
        self.entries.extend_from_slice(&[record::kind_byte(entry.kind), entry.flags]);
        self.entries.extend_from_slice(&(entry.key.len() as u16).to_le_bytes());
        self.entries.extend_from_slice(&(entry.stored_len as u32).to_le_bytes());
        self.entries.extend_from_slice(&(entry.offset as u32).to_le_bytes());
        self.entries.extend_from_slice(&entry.tstamp.to_le_bytes());
        if let Some(expires_at) = entry.expires_at {
            self.entries.extend_from_slice(&expires_at.to_le_bytes());
        }
        self.entries.extend_from_slice(entry.key);
    }

    /// Counts a mark.
    pub fn add_mark(&mut self, tstamp: u64) {
        self.marks += 1;
        self.saw(tstamp);
    }

    fn saw(&mut self, tstamp: u64) {
        self.min_tstamp = self.min_tstamp.min(tstamp);
        self.max_tstamp = self.max_tstamp.max(tstamp);
    }

    /// The whole hint file for the first `covered` bytes of the segment.
    pub fn finish(self, id: u32, salt: u32, covered: u64) -> Vec<u8> {
        let bloom = bloom::build(&self.hashes);
        let mut out = Vec::with_capacity(FILE_HEADER_LEN + self.entries.len() + bloom.len() + CRC_LEN);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&(FILE_HEADER_LEN as u16).to_le_bytes());
        out.extend_from_slice(&id.to_le_bytes());
        out.extend_from_slice(&salt.to_le_bytes());
        out.extend_from_slice(&(self.hashes.len() as u32).to_le_bytes());
        out.extend_from_slice(&self.marks.to_le_bytes());
        out.extend_from_slice(&covered.to_le_bytes());
        out.extend_from_slice(&self.min_tstamp.to_le_bytes());
        out.extend_from_slice(&self.max_tstamp.to_le_bytes());
        out.extend_from_slice(&(bloom.len() as u64).to_le_bytes());
        out.extend_from_slice(&self.entries);
        out.extend_from_slice(&bloom);
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }
}

/// Decodes and checks a native hint file.
pub(in crate::format) fn decode(bytes: &[u8]) -> Result<Hint<'_>, HintFault> {
    let short = || HintFault::Incomplete;
    let body_len = bytes.len().checked_sub(CRC_LEN).ok_or_else(short)?;
    let body = bytes.get(..body_len).ok_or_else(short)?;
    let magic: [u8; 8] = bytes_at(body, 0).ok_or_else(short)?;
    if magic != MAGIC {
        return Err(HintFault::Damaged(Check::Implausible("the file does not begin with LOGKVHNT")));
    }
    let stored = bytes_at(bytes, body_len).map(u32::from_le_bytes).ok_or_else(short)?;
    let computed = crc32fast::hash(body);
    if stored != computed {
        return Err(HintFault::Damaged(Check::FileChecksum { stored, computed }));
    }
    let version = bytes_at(body, FILE_VERSION).map(u16::from_le_bytes).ok_or_else(short)?;
    if version > VERSION {
        return Err(HintFault::NeedsNewer(format!("hint version {version}")));
    }
    decode_checked(body).unwrap_or(Err(HintFault::Damaged(Check::Implausible("its lengths do not fit the file"))))
}

fn decode_checked(body: &[u8]) -> Option<Result<Hint<'_>, HintFault>> {
    let HintOutline { parts, coverage, count, layout } = outline(body, (body.len() + CRC_LEN) as u64)?;
    let place = |at: u64| usize::try_from(at).ok();
    let (head, filter) = body.split_at_checked(place(parts.entries_end)?)?;
    let entries = head.get(place(parts.header)?..)?;
    let hint = Hint::new(Some(coverage), Some(Bloom::new(filter)), entries, layout);
    Some(hint.and_then(|hint| match hint.count == count {
        true => Ok(hint),
        false => Err(HintFault::Damaged(Check::Implausible("the number of entries is not the one that was written"))),
    }))
}

fn coverage(head: &[u8]) -> Option<Coverage> {
    let u64_at = |at| bytes_at(head, at).map(u64::from_le_bytes);
    let u32_at = |at| bytes_at(head, at).map(u32::from_le_bytes);
    Some(Coverage {
        id: SegmentId::from(u32_at(FILE_ID)?),
        salt: u32_at(FILE_SALT)?,
        len: u64_at(FILE_COVERED)?,
        min_tstamp: u64_at(FILE_MIN)?,
        max_tstamp: u64_at(FILE_MAX)?,
        marks: u64::from(u32_at(FILE_MARKS)?),
    })
}

/// Where the parts of a hint lie, by what its header claims; a claim that does not fit the file counts as none.
pub(in crate::format) fn parts(head: &[u8], len: u64) -> HintParts {
    let claimed = bytes_at(head, FILE_LEN).map_or(0, |len| u64::from(u16::from_le_bytes(len)));
    let closing = len.saturating_sub(CRC_LEN as u64);
    let header = if (FILE_HEADER_LEN as u64..=closing).contains(&claimed) { claimed } else { FILE_HEADER_LEN as u64 };
    let header = header.min(closing);
    let bloom = bytes_at(head, FILE_BLOOM).map_or(0, u64::from_le_bytes);
    let entries_end = closing.checked_sub(bloom).filter(|end| *end >= header).unwrap_or(closing);
    HintParts { header, entries_end, bloom_end: closing, end: len, coverage: coverage(head) }
}

/// What [`decode`] would find where, if the hint holds; `None` if the header alone says that it does not.
pub(in crate::format) fn outline(head: &[u8], len: u64) -> Option<HintOutline> {
    let version = bytes_at(head, FILE_VERSION).map(u16::from_le_bytes)?;
    let header = u64::from(bytes_at(head, FILE_LEN).map(u16::from_le_bytes)?);
    let bloom_end = len.checked_sub(CRC_LEN as u64)?;
    let entries_end = bloom_end.checked_sub(bytes_at(head, FILE_BLOOM).map(u64::from_le_bytes)?)?;
    let coverage = coverage(head)?;
    let count = bytes_at(head, FILE_ENTRIES).map(u32::from_le_bytes).map(u64::from)?;
    let holds = head.starts_with(&MAGIC)
        && version <= VERSION
        && (FILE_HEADER_LEN as u64..=entries_end).contains(&header)
        && coverage.max_tstamp < record::TSTAMP_LIMIT;
    let parts = HintParts { header, entries_end, bloom_end, end: len, coverage: Some(coverage) };
    holds.then_some(HintOutline { parts, coverage, count, layout: EntryLayout::Native })
}

/// How many entries the header claims, as far as so many fit into `len` bytes.
pub(in crate::format) fn claimed_count(head: &[u8], len: u64) -> Option<u64> {
    let claimed = bytes_at(head, FILE_ENTRIES).map(u32::from_le_bytes).map(u64::from)?;
    Some(claimed.min(len / ENTRY_LEN as u64))
}

#[inline]
pub(in crate::format) fn decode_entry(bytes: &[u8]) -> Option<(HintEntry<'_>, usize)> {
    // Looked at as one, so that what follows needs no look at the length.
    let head: [u8; ENTRY_LEN] = bytes_at(bytes, 0)?;
    let [kind, flags] = bytes_at(&head, 0)?;
    let key_len = usize::from(bytes_at(&head, KEY_LEN).map(u16::from_le_bytes)?);
    let stored_len = u64::from(bytes_at(&head, VALUE_LEN).map(u32::from_le_bytes)?);
    if record::needs_newer(kind, flags).is_some() {
        // The scan that takes the place of this hint reports what is needed, and where.
        return None;
    }
    let shape = record::shape(kind, flags);
    let expires_at = match shape.with_expiry {
        true => Some(bytes_at(bytes, ENTRY_LEN).map(u64::from_le_bytes)?),
        false => None,
    };
    let key_start = ENTRY_LEN + if shape.with_expiry { record::EXPIRY_LEN } else { 0 };
    let key = bytes.get(key_start..key_start + key_len)?;
    let entry = HintEntry {
        kind: shape.kind,
        flags,
        key,
        offset: u64::from(bytes_at(&head, OFFSET).map(u32::from_le_bytes)?),
        len: record::encoded_len(key_len, stored_len, shape.with_expiry),
        stored_len,
        tstamp: bytes_at(&head, TSTAMP).map(u64::from_le_bytes).filter(|tstamp| *tstamp < record::TSTAMP_LIMIT)?,
        expires_at,
        codec: shape.codec,
    };
    Some((entry, key_start + key_len))
}
