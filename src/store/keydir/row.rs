//! One keydir row in memory, packed:
//!
//! ```text
//! ┌───────┬────────┬──────────────────────────┬─ ─ ─ ─ ─ ─ ─┬────────────┬─────┐
//! │ flags │ tstamp │ segment, offset, length  │ expires at  │ key length │ key │
//! │ 1     │ 8      │ 4 each, or 8 where wide  │ 8           │ 1 or 5     │     │
//! └───────┴────────┴──────────────────────────┴─ ─ ─ ─ ─ ─ ─┴────────────┴─────┘
//! ```
//!
//! 22 bytes and the key, where id, offset and length fit into 32 bits, as they always do in the native format. The
//! stored length of the value is not kept: it is the record's length less its frame and key.

use crate::format::{Codec, Role, bytes_at};
use crate::store::{Entry, Location};

const TOMBSTONE: u8 = 1;
const WIDE: u8 = 2;
const EXPIRES: u8 = 4;
const LZ4: u8 = 8;
/// A key length byte that says: the length follows in four bytes.
const LONG_KEY: u8 = u8::MAX;

/// What a row says; `frame_len` of the record is what the caller adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row<'a> {
    pub(super) key: &'a [u8],
    pub(super) location: Location,
    pub(super) tstamp: u64,
    pub(super) expires_at: Option<u64>,
    pub(super) tombstone: bool,
    pub(super) codec: Codec,
    /// Bytes that the row takes.
    pub(super) len: usize,
}

impl Row<'_> {
    /// The entry, given the bytes of a record before its key.
    pub(super) fn entry(&self, frame_len: fn(bool) -> u64) -> Entry {
        let around = frame_len(self.expires_at.is_some()) + self.key.len() as u64;
        let stored_len = self.location.len.saturating_sub(around);
        let Self { location, codec, tstamp, expires_at, .. } = *self;
        Entry { location, stored_len, codec, tstamp, expires_at }
    }
}

/// Packs a row.
pub(super) fn encode(key: &[u8], entry: &Entry, tombstone: bool, out: &mut Vec<u8>) {
    let Location { segment, offset, len } = entry.location;
    let place = [segment, offset, len];
    let narrow = place.map(u32::try_from);
    let wide = narrow.iter().any(Result::is_err);
    let bit = |on: bool, bit: u8| if on { bit } else { 0 };
    out.clear();
    let lz4 = entry.codec == Codec::Lz4;
    out.push(bit(tombstone, TOMBSTONE) | bit(wide, WIDE) | bit(entry.expires_at.is_some(), EXPIRES) | bit(lz4, LZ4));
    out.extend_from_slice(&entry.tstamp.to_le_bytes());
    for (number, narrow) in place.iter().zip(narrow) {
        match narrow {
            Ok(narrow) if !wide => out.extend_from_slice(&narrow.to_le_bytes()),
            _ => out.extend_from_slice(&number.to_le_bytes()),
        }
    }
    if let Some(expires_at) = entry.expires_at {
        out.extend_from_slice(&expires_at.to_le_bytes());
    }
    match u8::try_from(key.len()) {
        Ok(len) if len < LONG_KEY => out.push(len),
        _ => {
            out.push(LONG_KEY);
            out.extend_from_slice(&(key.len() as u32).to_le_bytes());
        }
    }
    out.extend_from_slice(key);
}

/// Unpacks the row at the start of `bytes`.
pub(super) fn decode(bytes: &[u8]) -> Option<Row<'_>> {
    let mut at = 0;
    let flags = *bytes.first()?;
    at += 1;
    let tstamp = bytes_at(bytes, at).map(u64::from_le_bytes)?;
    at += 8;
    let mut place = [0u64; 3];
    for number in &mut place {
        if flags & WIDE == 0 {
            *number = bytes_at(bytes, at).map(u32::from_le_bytes)?.into();
            at += 4;
        } else {
            *number = bytes_at(bytes, at).map(u64::from_le_bytes)?;
            at += 8;
        }
    }
    let mut expires_at = None;
    if flags & EXPIRES != 0 {
        expires_at = Some(bytes_at(bytes, at).map(u64::from_le_bytes)?);
        at += 8;
    }
    let mut key_len = usize::from(*bytes.get(at)?);
    at += 1;
    if key_len == usize::from(LONG_KEY) {
        key_len = bytes_at(bytes, at).map(u32::from_le_bytes)? as usize;
        at += 4;
    }
    let len = at.checked_add(key_len)?;
    let [segment, offset, record_len] = place;
    Some(Row {
        key: bytes.get(at..len)?,
        location: Location { segment, offset, len: record_len },
        tstamp,
        expires_at,
        tombstone: flags & TOMBSTONE != 0,
        codec: if flags & LZ4 == 0 { Codec::Raw } else { Codec::Lz4 },
        len,
    })
}

/// A part of a row as it stands in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowPart {
    /// What it is.
    pub name: &'static str,
    /// What it stands for.
    pub role: Role,
    /// Its bytes; numbers stand little-endian.
    pub bytes: Vec<u8>,
}

/// The row at the start of `bytes`, part by part.
pub(super) fn parts(bytes: &[u8]) -> Option<Vec<RowPart>> {
    let row = decode(bytes)?;
    let number = if bytes.first()? & WIDE == 0 { 4 } else { 8 };
    let key_len = if row.key.len() < usize::from(LONG_KEY) { 1 } else { 5 };
    let widths = [
        ("flags", Role::Kind, 1),
        ("tstamp", Role::Time, 8),
        ("segment", Role::Place, number),
        ("offset", Role::Place, number),
        ("length", Role::Length, number),
        ("expires at", Role::Time, if row.expires_at.is_some() { 8 } else { 0 }),
        ("key length", Role::Length, key_len),
        ("key", Role::Key, row.key.len()),
    ];
    let mut at = 0usize;
    let mut parts = Vec::new();
    for (name, role, width) in widths.into_iter().filter(|(_, _, width)| *width > 0) {
        parts.push(RowPart { name, role, bytes: bytes.get(at..at + width)?.to_vec() });
        at += width;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_shape_of_row_comes_back() {
        for key_len in [0, 1, 254, 255, 256, 70_000] {
            for offset in [7, u64::from(u32::MAX), 1 << 40] {
                for expires_at in [None, Some(u64::MAX)] {
                    for (tombstone, codec) in [(false, Codec::Raw), (true, Codec::Raw), (false, Codec::Lz4)] {
                        let key = vec![b'k'; key_len];
                        let len = 14 + key_len as u64 + 5;
                        let location = Location { segment: 3, offset, len };
                        let entry = Entry { location, stored_len: 5, codec, tstamp: 1 << 50, expires_at };
                        let mut bytes = Vec::new();
                        encode(&key, &entry, tombstone, &mut bytes);
                        let row_len = bytes.len();
                        bytes.extend_from_slice(b"the next row");
                        let row = decode(&bytes).unwrap();
                        assert_eq!((row.key, row.tombstone, row.len), (&key[..], tombstone, row_len));
                        assert_eq!(row.entry(|_| 14), entry);
                    }
                }
            }
        }
    }

    #[test]
    fn an_ordinary_row_takes_22_bytes_and_its_key() {
        let location = Location { segment: 9, offset: 1 << 30, len: 140 };
        let mut bytes = Vec::new();
        let entry = Entry { location, stored_len: 100, codec: Codec::Raw, tstamp: 1 << 50, expires_at: None };
        encode(&[0; 16], &entry, false, &mut bytes);
        assert_eq!(bytes.len(), 22 + 16);
    }
}
