//! The native record, both ways. The drawing is in [`crate::format`].
//!
//! Encoder and decoder are straight lines over the offsets that the table gives. Must not know: files, or what comes
//! before and after the record. Keeps: header and key are believed together or not at all, and only at the offset and
//! in the file for which they were written.

use super::super::field::{fixed_len, start_of};
use super::super::{Check, Checksum, Codec, Decoded, Encoding, Field, Kind, Record, Role, Sum, Width, bytes_at};

/// Longest key, in bytes.
pub const MAX_KEY_LEN: usize = u16::MAX as usize;
/// Longest raw value, in bytes (1 GiB). A batch is bounded by the same figure.
pub const MAX_VALUE_LEN: u64 = 1 << 30;
/// tstamps stay below this.
pub const TSTAMP_LIMIT: u64 = 1 << 63;
/// A segment stays below this many bytes (4 GiB).
pub const MAX_SEGMENT_LEN: u64 = 1 << 32;

/// The record, field by field.
pub const FIELDS: [Field; 10] = [
    Field::le(
        "header crc",
        4,
        Role::Checksum,
        "CRC-32 of the file's salt, this record's offset, and the bytes from value crc to the end of the key.",
    ),
    Field::le("value crc", 4, Role::Checksum, "CRC-32 of the value as stored."),
    Field::le(
        "kind",
        1,
        Role::Kind,
        "1 put, 2 tombstone, 0x83 mark. Never 0, so that a zero-filled tail is no record.",
    ),
    Field::le(
        "flags",
        1,
        Role::Kind,
        "Bit 0: has an expiry; 1: batch goes on; 2-3: codec; 4: all bytes before were on stable storage.",
    ),
    Field::le("key length", 2, Role::Length, "How many key bytes follow the header."),
    Field::le("value length", 4, Role::Length, "How many value bytes follow the key. A tombstone has none."),
    Field::le(
        "tstamp",
        8,
        Role::Time,
        "Microseconds since 1970, strictly increasing in a store: the highest one of a key wins.",
    ),
    Field {
        name: "expires at",
        width: Width::WithExpiry(8),
        encoding: Encoding::LittleEndian,
        role: Role::Time,
        meaning: "Microseconds since 1970 after which the key is gone.",
    },
    Field::bytes("key", Width::Key, Role::Key, "The key."),
    Field::bytes("value", Width::Value, Role::Value, "The value, as stored."),
];

/// What each checksum covers. One over header and key, so that a record with a damaged value still says whose it was.
pub(super) const SUMS: [Sum; 2] = [
    Sum { field: "header crc", from: "value crc", to: "key", salted: true },
    Sum { field: "value crc", from: "value", to: "value", salted: false },
];

/// Bytes of a record before its key, without an expiry.
pub const HEADER_LEN: usize = fixed_len(&FIELDS);
/// Bytes that an expiry adds.
pub const EXPIRY_LEN: usize = 8;

const VALUE_CRC: usize = start_of(&FIELDS, 1);
const KIND: usize = start_of(&FIELDS, 2);
const FLAGS: usize = start_of(&FIELDS, 3);
const KEY_LEN: usize = start_of(&FIELDS, 4);
const VALUE_LEN: usize = start_of(&FIELDS, 5);
const TSTAMP: usize = start_of(&FIELDS, 6);
const EXPIRES_AT: usize = start_of(&FIELDS, 7);

const KIND_PUT: u8 = 1;
const KIND_TOMBSTONE: u8 = 2;
const KIND_MARK: u8 = 0x83;
const KIND_SKIPPABLE: u8 = 0x80;

const FLAG_EXPIRY: u8 = 1;
const FLAG_BATCH: u8 = 1 << 1;
const FLAG_CODEC: u8 = 0b11 << 2;
const FLAG_LZ4: u8 = 1 << 2;
const FLAG_BARRIER: u8 = 1 << 4;
const FLAGS_KNOWN: u8 = FLAG_EXPIRY | FLAG_BATCH | FLAG_CODEC | FLAG_BARRIER;

/// A record about to be written.
#[derive(Clone, Copy, Debug)]
pub struct NewRecord<'a> {
    /// Put, tombstone or mark.
    pub kind: Kind,
    /// The key, at most [`MAX_KEY_LEN`] bytes.
    pub key: &'a [u8],
    /// The value as stored.
    pub value: &'a [u8],
    /// Microseconds since 1970.
    pub tstamp: u64,
    /// Microseconds since 1970.
    pub expires_at: Option<u64>,
    /// How `value` is stored.
    pub codec: Codec,
    /// The batch goes on in the next record.
    pub batch_continues: bool,
    /// Everything before it is on stable storage.
    pub barrier: bool,
}

impl<'a> NewRecord<'a> {
    /// A plain put.
    pub fn put(key: &'a [u8], value: &'a [u8], tstamp: u64) -> Self {
        let codec = Codec::Raw;
        Self { kind: Kind::Put, key, value, tstamp, expires_at: None, codec, batch_continues: false, barrier: false }
    }

    /// A tombstone.
    pub fn tombstone(key: &'a [u8], tstamp: u64) -> Self {
        Self { kind: Kind::Tombstone, ..Self::put(key, &[], tstamp) }
    }

    /// A mark; `stable_len` is the little-endian length that is known to be on stable storage.
    pub fn mark(stable_len: &'a [u8; 8], tstamp: u64) -> Self {
        Self { kind: Kind::Mark, ..Self::put(&[], stable_len, tstamp) }
    }

    /// Bytes of the record in the file.
    pub fn encoded_len(&self) -> u64 {
        encoded_len(self.key.len(), self.value.len() as u64, self.expires_at.is_some())
    }

    fn flags_byte(&self) -> u8 {
        let codec = match self.codec {
            Codec::Raw => 0,
            Codec::Lz4 => FLAG_LZ4,
        };
        let bit = |on: bool, flag: u8| if on { flag } else { 0 };
        codec
            | bit(self.expires_at.is_some(), FLAG_EXPIRY)
            | bit(self.batch_continues, FLAG_BATCH)
            | bit(self.barrier, FLAG_BARRIER)
    }
}

/// Bytes that a record of these lengths takes.
pub fn encoded_len(key_len: usize, stored_len: u64, with_expiry: bool) -> u64 {
    let expiry = if with_expiry { EXPIRY_LEN } else { 0 };
    (HEADER_LEN + expiry + key_len) as u64 + stored_len
}

/// Appends the record to `out` as it must stand at `offset` of the file with this salt. The caller has checked the
/// lengths against [`MAX_KEY_LEN`] and [`MAX_VALUE_LEN`].
pub fn encode(record: &NewRecord<'_>, salt: u32, offset: u64, out: &mut Vec<u8>) {
    out.reserve(record.encoded_len() as usize);
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&crc32fast::hash(record.value).to_le_bytes());
    out.extend_from_slice(&[kind_byte(record.kind), record.flags_byte()]);
    out.extend_from_slice(&(record.key.len() as u16).to_le_bytes());
    out.extend_from_slice(&(record.value.len() as u32).to_le_bytes());
    out.extend_from_slice(&record.tstamp.to_le_bytes());
    if let Some(expires_at) = record.expires_at {
        out.extend_from_slice(&expires_at.to_le_bytes());
    }
    out.extend_from_slice(record.key);
    seal(salt, offset, start, out);
    out.extend_from_slice(record.value);
}

/// Appends the frame and the key of a record that lies elsewhere, `head`, as they must stand at `offset` of the file with
/// this salt; the value goes behind them as it is, under the checksum that it has. What it said of the records around it
/// (batch, barrier) is taken out, unless it is of a kind whose flags are not known here.
pub fn transplant(head: &[u8], salt: u32, offset: u64, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(head);
    let kind = head.get(KIND).map_or(Kind::Put, |kind| shape(*kind, 0).kind);
    if let Some(flags) = out.get_mut(start + FLAGS) {
        *flags = transplanted_flags(kind, *flags);
    }
    seal(salt, offset, start, out);
}

/// Writes the header checksum of the record whose frame and key stand at `start` of `out`.
fn seal(salt: u32, offset: u64, start: usize, out: &mut [u8]) {
    let crc = header_crc(salt, offset, out.get(start + VALUE_CRC..).unwrap_or_default());
    if let Some(slot) = out.get_mut(start..start + VALUE_CRC) {
        slot.copy_from_slice(&crc.to_le_bytes());
    }
}

/// The checksum of the rest of a header and its key. Of short ones in one piece: three small ones take longer.
fn header_crc(salt: u32, offset: u64, covered: &[u8]) -> u32 {
    const SALTED: usize = 12;
    let (salt, offset) = (salt.to_le_bytes(), offset.to_le_bytes());
    let mut piece = [0; 96];
    let len = SALTED + covered.len();
    if let Some(whole) = piece.get_mut(..len)
        && let Some((head, rest)) = whole.split_first_chunk_mut::<SALTED>()
    {
        head.iter_mut().zip(salt.iter().chain(&offset)).for_each(|(to, from)| *to = *from);
        rest.copy_from_slice(covered);
        return crc32fast::hash(whole);
    }
    let mut crc = crc32fast::Hasher::new();
    crc.update(&salt);
    crc.update(&offset);
    crc.update(covered);
    crc.finalize()
}

/// Decodes frame and key of the record at the start of `bytes`. Rejects the implausible before it asks for more bytes,
/// so that resynchronising after damage is cheap.
pub fn decode(salt: u32, offset: u64, bytes: &[u8]) -> Decoded<'_> {
    let sum = |covered: &[u8]| Some(header_crc(salt, offset, covered));
    decode_frame(bytes, sum).unwrap_or(Decoded::Incomplete { needed: HEADER_LEN as u64 })
}

/// Decodes a frame and key of which it is known that they hold.
pub(super) fn decode_again(bytes: &[u8]) -> Decoded<'_> {
    decode_frame(bytes, |_| None).unwrap_or(Decoded::Incomplete { needed: HEADER_LEN as u64 })
}

/// `sum` is what the checksum must be, if it has to be looked at.
#[inline(always)]
fn decode_frame(bytes: &[u8], sum: impl Fn(&[u8]) -> Option<u32>) -> Option<Decoded<'_>> {
    let [kind_byte, flags] = bytes_at(bytes, KIND)?;
    let stored = bytes_at(bytes, 0).map(u32::from_le_bytes)?;
    let value_crc = bytes_at(bytes, VALUE_CRC).map(u32::from_le_bytes)?;
    let key_len = usize::from(bytes_at(bytes, KEY_LEN).map(u16::from_le_bytes)?);
    let stored_len = bytes_at(bytes, VALUE_LEN).map(u32::from_le_bytes)?;
    let tstamp = bytes_at(bytes, TSTAMP).map(u64::from_le_bytes)?;
    if let Some(what) = implausible(kind_byte, stored_len, tstamp) {
        return Some(Decoded::Damaged(Check::Implausible(what)));
    }
    let Shape { kind, with_expiry, codec } = shape(kind_byte, flags);
    let key_start = HEADER_LEN + if with_expiry { EXPIRY_LEN } else { 0 };
    let value_start = key_start + key_len;
    let Some(covered) = bytes.get(VALUE_CRC..value_start) else {
        return Some(Decoded::Incomplete { needed: value_start as u64 });
    };
    if let Some(computed) = sum(covered).filter(|computed| *computed != stored) {
        return Some(Decoded::Damaged(Check::HeaderChecksum { stored, computed }));
    }
    Some(Decoded::Record(Record {
        kind,
        flags,
        key: bytes.get(key_start..value_start)?,
        value_start: value_start as u64,
        stored_len: u64::from(stored_len),
        tstamp,
        expires_at: if with_expiry { Some(bytes_at(bytes, EXPIRES_AT).map(u64::from_le_bytes)?) } else { None },
        codec,
        batch_continues: flags & FLAG_BATCH != 0,
        barrier: flags & FLAG_BARRIER != 0,
        needs_newer: needs_newer(kind_byte, flags),
        oddity: None,
        checksum: Some(Checksum { stored: value_crc, before_value: crc32fast::Hasher::new() }),
    }))
}

/// A cheap look: a known kind, known flags, lengths that fit into `left` bytes.
pub(super) fn plausible(bytes: &[u8], left: u64) -> Option<bool> {
    let [kind, flags] = bytes_at(bytes, KIND)?;
    let key_len = usize::from(bytes_at(bytes, KEY_LEN).map(u16::from_le_bytes)?);
    let stored_len = u64::from(bytes_at(bytes, VALUE_LEN).map(u32::from_le_bytes)?);
    let shape = shape(kind, flags);
    let known = !matches!(shape.kind, Kind::Unknown(_)) && flags & !FLAGS_KNOWN == 0;
    Some(known && encoded_len(key_len, stored_len, shape.with_expiry) <= left)
}

fn implausible(kind: u8, stored_len: u32, tstamp: u64) -> Option<&'static str> {
    if kind == 0 {
        return Some("kind 0 is no record");
    }
    // A stored value may be longer than a raw one only by what a codec adds, and nothing is stored that grew.
    if u64::from(stored_len) > MAX_VALUE_LEN {
        return Some("the value length is over 1 GiB");
    }
    if tstamp >= TSTAMP_LIMIT {
        return Some("the tstamp is beyond 2^63");
    }
    None
}

pub(in crate::format) fn kind_byte(kind: Kind) -> u8 {
    match kind {
        Kind::Put => KIND_PUT,
        Kind::Tombstone => KIND_TOMBSTONE,
        Kind::Mark => KIND_MARK,
        Kind::Unknown(byte) => byte,
    }
}

/// The flags that [`transplant`] leaves.
pub fn transplanted_flags(kind: Kind, flags: u8) -> u8 {
    match kind {
        Kind::Unknown(_) => flags,
        _ => flags & !(FLAG_BATCH | FLAG_BARRIER),
    }
}

/// What the kind and flag bytes say about the rest.
pub(in crate::format) struct Shape {
    pub(in crate::format) kind: Kind,
    pub(in crate::format) with_expiry: bool,
    pub(in crate::format) codec: Codec,
}

pub(in crate::format) fn shape(kind: u8, flags: u8) -> Shape {
    let kind = match kind {
        KIND_PUT => Kind::Put,
        KIND_TOMBSTONE => Kind::Tombstone,
        KIND_MARK => Kind::Mark,
        other => Kind::Unknown(other),
    };
    let codec = if flags & FLAG_CODEC == FLAG_LZ4 { Codec::Lz4 } else { Codec::Raw };
    Shape { kind, with_expiry: flags & FLAG_EXPIRY != 0, codec }
}

/// What a later version would be needed for, if this kind and these flags mean something that is not known here.
pub(in crate::format) fn needs_newer(kind: u8, flags: u8) -> Option<String> {
    if matches!(shape(kind, flags).kind, Kind::Unknown(_)) && kind & KIND_SKIPPABLE == 0 {
        return Some(format!("record kind {kind:#04x}"));
    }
    let unknown_codec = !matches!(flags & FLAG_CODEC, 0 | FLAG_LZ4);
    (flags & !FLAGS_KNOWN != 0 || unknown_codec).then(|| format!("record flags {flags:#04x}"))
}
