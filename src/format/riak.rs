//! Basho's Bitcask, as Riak KV keeps its data: decoded here, never encoded.
//!
//! All integers big-endian. A data file is records back to back: no file header, no version, no padding.
//!
//! ```text
//!  0       4        8            10             14
//! ┌───────┬────────┬────────────┬──────────────┬─────┬───────┐
//! │ crc   │ tstamp │ key length │ value length │ key │ value │   a record of N.bitcask.data
//! └───────┴────────┴────────────┴──────────────┴─────┴───────┘
//!     └ CRC-32 of everything after it
//!  0        4            6               10       18
//! ┌────────┬────────────┬───────────────┬────────┬─────┐
//! │ tstamp │ key length │ record length │ offset │ key │        an entry of N.bitcask.hint
//! └────────┴────────────┴───────────────┴────────┴─────┘
//!                                           └ top bit: this record is a tombstone
//! ```
//!
//! A hint's last entry has tstamp 0, no key, the largest offset there is, and for its record length the CRC-32 of all
//! bytes before it. Every record of the data file has an entry, in file order, dead ones and tombstones too.
//!
//! Must not know: what else lies in the directory, whether a file is pending deletion, what a Riak value means.
//! Keeps: a value is never believed before its checksum; a hint without its closing entry is no hint.

use super::field::{fixed_len, start_of};
use super::hint::EntryLayout;
use super::names::{FileRole, parse_decimal};
use super::{
    Check, Checksum, Codec, Decoded, Field, FileHeader, Format, FormatKind, Hint, HintEntry, HintFault, HintParts,
    Kind, Record, Role, SegmentId, Sum, VersionOrder, Width, bytes_at,
};

/// The record, field by field.
pub const FIELDS: [Field; 6] = [
    Field::be(
        "crc",
        4,
        Role::Checksum,
        "CRC-32 of everything after it: one flipped bit in a length and the rest is lost.",
    ),
    Field::be("tstamp", 4, Role::Time, "Seconds since 1970. Of two versions of a key the one that lies later wins."),
    Field::be("key length", 2, Role::Length, "How many key bytes follow the header."),
    Field::be("value length", 4, Role::Length, "How many value bytes follow the key."),
    Field::bytes("key", Width::Key, Role::Key, "The key. Riak puts bucket and key into it."),
    Field::bytes(
        "value",
        Width::Value,
        Role::Value,
        "The value. It is a deletion if it begins with bitcask_tombstone.",
    ),
];

/// A hint entry, field by field.
pub const HINT_FIELDS: [Field; 5] = [
    Field::be("tstamp", 4, Role::Time, "As in the record."),
    Field::be("key length", 2, Role::Length, "How many key bytes follow."),
    Field::be("record length", 4, Role::Length, "Bytes of the whole record."),
    Field::be(
        "offset",
        8,
        Role::Place,
        "Top bit: the record is a tombstone. The other 63: where it starts in the data file.",
    ),
    Field::bytes("key", Width::Key, Role::Key, "The key."),
];

/// A hint's closing entry: where other entries have the length of a record it has a checksum.
pub const HINT_CLOSING_FIELDS: [Field; 4] = [
    Field::be("tstamp", 4, Role::Time, "Always 0."),
    Field::be("key length", 2, Role::Length, "Always 0: the entry has no key."),
    Field::be("hint crc", 4, Role::Checksum, "CRC-32 of everything before this entry: a hint without it is no hint."),
    Field::be("offset", 8, Role::Place, "The largest offset there is; by it the closing entry is known."),
];

const SUMS: [Sum; 1] = [Sum { field: "crc", from: "tstamp", to: "value", salted: false }];

const HINT_SUM: Sum = Sum { field: "hint crc", from: "tstamp", to: "key", salted: false };

/// Bytes of a record before its key.
pub const HEADER_LEN: usize = fixed_len(&FIELDS);

const TSTAMP: usize = start_of(&FIELDS, 1);
const KEY_LEN: usize = start_of(&FIELDS, 2);
const VALUE_LEN: usize = start_of(&FIELDS, 3);

const ENTRY_LEN: usize = fixed_len(&HINT_FIELDS);
const ENTRY_KEY_LEN: usize = start_of(&HINT_FIELDS, 1);
const ENTRY_RECORD_LEN: usize = start_of(&HINT_FIELDS, 2);
const ENTRY_OFFSET: usize = start_of(&HINT_FIELDS, 3);

const TOMBSTONE_BIT: u64 = 1 << 63;
/// The offset of a hint's closing entry, and of nothing else: no file is that long.
const CLOSING_OFFSET: u64 = TOMBSTONE_BIT - 1;

const SECOND: u64 = 1_000_000;

const TOMBSTONE: &[u8] = b"bitcask_tombstone";
/// Bytes of a tombstone that names a file: the text, a digit, the file's id.
const TOMBSTONE_WITH_FILE_LEN: usize = TOMBSTONE.len() + 1 + 4;
const ODD_TOMBSTONE: &str =
    "the value begins with bitcask_tombstone but has none of the known forms; Bitcask takes it for a deletion";

/// Basho's Bitcask as a [`Format`].
#[derive(Debug)]
pub struct Riak;

impl Format for Riak {
    fn kind(&self) -> FormatKind {
        FormatKind::Riak
    }

    fn role(&self, file_name: &str) -> Option<FileRole> {
        role(file_name)
    }

    fn segment_name(&self, id: SegmentId) -> String {
        format!("{id}.bitcask.data")
    }

    fn hint_name(&self, id: SegmentId) -> Option<String> {
        Some(format!("{id}.bitcask.hint"))
    }

    fn version_order(&self) -> VersionOrder {
        VersionOrder::Place
    }

    fn decode<'a>(&self, _: &FileHeader, _: u64, bytes: &'a [u8]) -> Decoded<'a> {
        decode(bytes)
    }

    fn has_checksum(&self) -> bool {
        true
    }

    fn has_frame_checksum(&self) -> bool {
        false
    }

    fn plausible(&self, bytes: &[u8], left: u64) -> bool {
        plausible(bytes, left).unwrap_or(false)
    }

    fn hint<'a>(&self, bytes: &'a [u8]) -> Option<Result<Hint<'a>, HintFault>> {
        Some(decode_hint(bytes))
    }

    fn hint_entry<'a>(&self, bytes: &'a [u8]) -> Option<(HintEntry<'a>, usize)> {
        decode_hint_entry(bytes)
    }

    fn hint_parts(&self, _: &[u8], len: u64) -> Option<HintParts> {
        let entries_end = len.saturating_sub(ENTRY_LEN as u64);
        Some(HintParts { header: 0, entries_end, bloom_end: entries_end, end: len, coverage: None })
    }

    fn frame_len(&self) -> fn(bool) -> u64 {
        |_| HEADER_LEN as u64
    }

    fn record_fields(&self) -> &'static [Field] {
        &FIELDS
    }

    fn record_sums(&self) -> &'static [Sum] {
        &SUMS
    }

    fn hint_entry_fields(&self) -> &'static [Field] {
        &HINT_FIELDS
    }

    fn hint_closing_fields(&self) -> &'static [Field] {
        &HINT_CLOSING_FIELDS
    }

    fn hint_sum(&self) -> Option<&'static Sum> {
        Some(&HINT_SUM)
    }
}

/// Bitcask itself takes any `INT.anything.data` for its own and fails to open beside `1.bak.data`; here only the names
/// that it writes mean something.
fn role(name: &str) -> Option<FileRole> {
    let companions =
        ["bitcask.write.lock", "bitcask.merge.lock", "bitcask.create.lock", "merge.txt", "version.txt", "upgrade.txt"];
    if companions.contains(&name) {
        return Some(FileRole::Companion);
    }
    let id = |stem| parse_decimal(stem, None);
    if let Some(stem) = name.strip_suffix(".bitcask.data") {
        return id(stem).map(FileRole::Segment);
    }
    name.strip_suffix(".bitcask.hint").and_then(id).map(FileRole::Hint)
}

/// Whether the permission bits of a data file say that Bitcask has merged it away and means to delete it: execution by
/// others, or set-uid. Its records must not be read.
pub fn is_pending_delete(mode: u32) -> bool {
    mode & 0o4001 != 0
}

/// How a tombstone is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TombstoneForm {
    /// `bitcask_tombstone`, nothing more.
    V0,
    /// `bitcask_tombstone1` and a file id: something in this file or an earlier one is deleted.
    V1(u32),
    /// `bitcask_tombstone2` and the id of the file that held the deleted record.
    V2(u32),
    /// The text, and then something that no version of Bitcask wrote. A deletion to Bitcask all the same.
    Prefix,
}

/// What kind of tombstone a whole value is; `None` if it is an ordinary value.
pub fn tombstone_form(value: &[u8]) -> Option<TombstoneForm> {
    let rest = value.strip_prefix(TOMBSTONE)?;
    let file = || bytes_at(rest, 1).map(u32::from_be_bytes);
    match rest {
        [] => Some(TombstoneForm::V0),
        [b'1', _, _, _, _] => file().map(TombstoneForm::V1),
        [b'2', _, _, _, _] => file().map(TombstoneForm::V2),
        _ => Some(TombstoneForm::Prefix),
    }
}

fn plausible(bytes: &[u8], left: u64) -> Option<bool> {
    let seconds = bytes_at(bytes, TSTAMP).map(u32::from_be_bytes)?;
    let key_len = u64::from(bytes_at(bytes, KEY_LEN).map(u16::from_be_bytes)?);
    let stored_len = u64::from(bytes_at(bytes, VALUE_LEN).map(u32::from_be_bytes)?);
    Some(seconds > 0 && HEADER_LEN as u64 + key_len + stored_len <= left)
}

/// Decodes frame and key of the record at the start of `bytes`, and of the value no more than tells a tombstone.
pub fn decode(bytes: &[u8]) -> Decoded<'_> {
    decode_frame(bytes).unwrap_or(Decoded::Incomplete { needed: HEADER_LEN as u64 })
}

fn decode_frame(bytes: &[u8]) -> Option<Decoded<'_>> {
    let header: [u8; HEADER_LEN] = bytes_at(bytes, 0)?;
    if header == [0; HEADER_LEN] {
        // The empty key with an empty value at tstamp 0 would have a checksum other than 0.
        return Some(Decoded::Damaged(Check::Implausible("a header of zeros is no record")));
    }
    let stored = bytes_at(&header, 0).map(u32::from_be_bytes)?;
    let seconds = bytes_at(&header, TSTAMP).map(u32::from_be_bytes)?;
    let key_len = usize::from(bytes_at(&header, KEY_LEN).map(u16::from_be_bytes)?);
    let stored_len = bytes_at(&header, VALUE_LEN).map(u32::from_be_bytes)?;
    let value_start = HEADER_LEN + key_len;
    let Some(key) = bytes.get(HEADER_LEN..value_start) else {
        return Some(Decoded::Incomplete { needed: value_start as u64 });
    };
    let (kind, oddity) = match look_for_tombstone(bytes.get(value_start..)?, stored_len) {
        Ok(found) => found,
        Err(needed) => return Some(Decoded::Incomplete { needed: (value_start + needed) as u64 }),
    };
    let mut before_value = crc32fast::Hasher::new();
    before_value.update(bytes.get(TSTAMP..value_start)?);
    Some(Decoded::Record(Record {
        kind,
        flags: 0,
        key,
        value_start: value_start as u64,
        stored_len: u64::from(stored_len),
        tstamp: u64::from(seconds) * SECOND,
        expires_at: None,
        codec: Codec::Raw,
        batch_continues: false,
        barrier: false,
        needs_newer: None,
        oddity,
        checksum: Some(Checksum { stored, before_value }),
    }))
}

/// Put or tombstone, from as much of the value as is at hand; the bytes of it that are needed, if that is too little.
fn look_for_tombstone(at_hand: &[u8], stored_len: u32) -> Result<(Kind, Option<&'static str>), usize> {
    let len = usize::try_from(stored_len).unwrap_or(usize::MAX);
    let begin = at_hand.get(..len.min(TOMBSTONE_WITH_FILE_LEN)).unwrap_or(at_hand);
    let common = begin.len().min(TOMBSTONE.len());
    if len < TOMBSTONE.len() || begin.get(..common) != TOMBSTONE.get(..common) {
        return Ok((Kind::Put, None));
    }
    let needed = if len == TOMBSTONE_WITH_FILE_LEN { len } else { TOMBSTONE.len() };
    if begin.len() < needed {
        return Err(needed);
    }
    let known = len == needed && tombstone_form(begin) != Some(TombstoneForm::Prefix);
    Ok((Kind::Tombstone, (!known).then_some(ODD_TOMBSTONE)))
}

/// Decodes and checks a hint file. Bitcask's own reader takes it in pieces of 65,535 bytes and misjudges a good hint
/// whose last piece is shorter than an entry; reading it whole has no such sizes.
fn decode_hint(bytes: &[u8]) -> Result<Hint<'_>, HintFault> {
    let (entries, closing) =
        bytes.len().checked_sub(ENTRY_LEN).and_then(|at| bytes.split_at_checked(at)).ok_or(HintFault::Incomplete)?;
    let stored = closing_crc(closing).ok_or(HintFault::Incomplete)?;
    let computed = crc32fast::hash(entries);
    if stored != computed {
        return Err(HintFault::Damaged(Check::FileChecksum { stored, computed }));
    }
    Hint::new(None, None, entries, EntryLayout::Riak)
}

/// The checksum in a closing entry, if it is one. Only the offset tells it from a record of the empty key at tstamp 0.
fn closing_crc(entry: &[u8]) -> Option<u32> {
    let tstamp = bytes_at(entry, 0).map(u32::from_be_bytes)?;
    let key_len = bytes_at(entry, ENTRY_KEY_LEN).map(u16::from_be_bytes)?;
    let offset = bytes_at(entry, ENTRY_OFFSET).map(u64::from_be_bytes)?;
    if (tstamp, key_len, offset) != (0, 0, CLOSING_OFFSET) {
        return None;
    }
    bytes_at(entry, ENTRY_RECORD_LEN).map(u32::from_be_bytes)
}

pub(super) fn decode_hint_entry(bytes: &[u8]) -> Option<(HintEntry<'_>, usize)> {
    let seconds = bytes_at(bytes, 0).map(u32::from_be_bytes)?;
    let key_len = bytes_at(bytes, ENTRY_KEY_LEN).map(u16::from_be_bytes)?;
    let len = u64::from(bytes_at(bytes, ENTRY_RECORD_LEN).map(u32::from_be_bytes)?);
    let place = bytes_at(bytes, ENTRY_OFFSET).map(u64::from_be_bytes)?;
    let entry_len = ENTRY_LEN + usize::from(key_len);
    let key = bytes.get(ENTRY_LEN..entry_len)?;
    let offset = place & !TOMBSTONE_BIT;
    if offset == CLOSING_OFFSET {
        return None;
    }
    let entry = HintEntry {
        kind: if place & TOMBSTONE_BIT != 0 { Kind::Tombstone } else { Kind::Put },
        flags: 0,
        key,
        offset,
        len,
        stored_len: len.checked_sub(HEADER_LEN as u64 + u64::from(key_len))?,
        tstamp: u64::from(seconds) * SECOND,
        expires_at: None,
        codec: Codec::Raw,
    };
    Some((entry, entry_len))
}

#[cfg(test)]
mod tests;
