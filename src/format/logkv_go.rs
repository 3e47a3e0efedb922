//! The Go project logkv-store: decoded here, never encoded.
//!
//! All integers little-endian. A segment file is records back to back, without a file header, and without a checksum.
//!
//! ```text
//!  0        4            8              12
//! ┌────────┬────────────┬──────────────┬─────┬───────┐
//! │ tstamp │ key length │ value length │ key │ value │   a record of segment_N.log
//! └────────┴────────────┴──────────────┴─────┴───────┘
//! ```
//!
//! A value length of 0 is how the format stores an empty value and how it stores a deletion; nothing tells them apart.
//! After a restart the original program takes both for deletions, and so does this decoder, and says so.
//!
//! Must not know: what else lies in the directory. Keeps: a zero-filled stretch is never a record. What a damaged length
//! says is not noticed here, because nothing in the bytes contradicts it: the caller bounds every record by its file.

use super::field::{fixed_len, start_of};
use super::names::{FileRole, parse_decimal};
use super::{
    Check, Codec, Decoded, Field, FileHeader, Format, FormatKind, Kind, Record, Role, SegmentId, VersionOrder, Width,
    bytes_at,
};

/// The record, field by field.
pub const FIELDS: [Field; 5] = [
    Field::le("tstamp", 4, Role::Time, "Seconds since 1970. Of two versions of a key the one that lies later wins."),
    Field::le("key length", 4, Role::Length, "How many key bytes follow the header."),
    Field::le(
        "value length",
        4,
        Role::Length,
        "How many value bytes follow the key. 0: a deletion, or an empty value.",
    ),
    Field::bytes("key", Width::Key, Role::Key, "The key."),
    Field::bytes(
        "value",
        Width::Value,
        Role::Value,
        "The value. No checksum covers it: a changed byte goes unnoticed.",
    ),
];

/// Bytes of a record before its key.
pub const HEADER_LEN: usize = fixed_len(&FIELDS);

const TSTAMP: usize = start_of(&FIELDS, 0);
const KEY_LEN: usize = start_of(&FIELDS, 1);
const VALUE_LEN: usize = start_of(&FIELDS, 2);

const SECOND: u64 = 1_000_000;
const EMPTY_VALUE: &str = "logkv-store stores an empty value and a deletion alike; after a restart it takes both for a \
                           deletion";

/// logkv-store as a [`Format`].
#[derive(Debug)]
pub struct LogkvGo;

impl Format for LogkvGo {
    fn kind(&self) -> FormatKind {
        FormatKind::LogkvGo
    }

    fn role(&self, file_name: &str) -> Option<FileRole> {
        let id = file_name.strip_prefix("segment_")?.strip_suffix(".log")?;
        parse_decimal(id, None).map(FileRole::Segment)
    }

    fn segment_name(&self, id: SegmentId) -> String {
        format!("segment_{id}.log")
    }

    fn version_order(&self) -> VersionOrder {
        VersionOrder::Place
    }

    fn decode<'a>(&self, _: &FileHeader, _: u64, bytes: &'a [u8]) -> Decoded<'a> {
        decode(bytes)
    }

    fn has_checksum(&self) -> bool {
        false
    }

    fn has_frame_checksum(&self) -> bool {
        false
    }

    fn plausible(&self, bytes: &[u8], left: u64) -> bool {
        plausible(bytes, left).unwrap_or(false)
    }

    fn frame_len(&self) -> fn(bool) -> u64 {
        |_| HEADER_LEN as u64
    }

    fn record_fields(&self) -> &'static [Field] {
        &FIELDS
    }
}

fn plausible(bytes: &[u8], left: u64) -> Option<bool> {
    let seconds = bytes_at(bytes, TSTAMP).map(u32::from_le_bytes)?;
    let key_len = u64::from(bytes_at(bytes, KEY_LEN).map(u32::from_le_bytes)?);
    let stored_len = u64::from(bytes_at(bytes, VALUE_LEN).map(u32::from_le_bytes)?);
    Some(seconds > 0 && HEADER_LEN as u64 + key_len + stored_len <= left)
}

/// Decodes frame and key of the record at the start of `bytes`.
pub fn decode(bytes: &[u8]) -> Decoded<'_> {
    decode_frame(bytes).unwrap_or(Decoded::Incomplete { needed: HEADER_LEN as u64 })
}

fn decode_frame(bytes: &[u8]) -> Option<Decoded<'_>> {
    let header: [u8; HEADER_LEN] = bytes_at(bytes, 0)?;
    if header == [0; HEADER_LEN] {
        // A deletion of the empty key in the first second of 1970 has this header too; a zero-filled tail is likelier.
        return Some(Decoded::Damaged(Check::Implausible("a header of zeros is no record")));
    }
    let seconds = bytes_at(&header, TSTAMP).map(u32::from_le_bytes)?;
    let key_len = u64::from(bytes_at(&header, KEY_LEN).map(u32::from_le_bytes)?);
    let stored_len = u64::from(bytes_at(&header, VALUE_LEN).map(u32::from_le_bytes)?);
    let value_start = HEADER_LEN as u64 + key_len;
    let key = usize::try_from(value_start).ok().and_then(|end| bytes.get(HEADER_LEN..end));
    let Some(key) = key else {
        return Some(Decoded::Incomplete { needed: value_start });
    };
    let empty = stored_len == 0;
    Some(Decoded::Record(Record {
        kind: if empty { Kind::Tombstone } else { Kind::Put },
        flags: 0,
        key,
        value_start,
        stored_len,
        tstamp: u64::from(seconds) * SECOND,
        expires_at: None,
        codec: Codec::Raw,
        batch_continues: false,
        barrier: false,
        needs_newer: None,
        oddity: empty.then_some(EMPTY_VALUE),
        checksum: None,
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

    use super::*;

    fn record(seconds: u32, key: &[u8], value: &[u8]) -> Vec<u8> {
        let lengths = [seconds, key.len() as u32, value.len() as u32].map(u32::to_le_bytes).concat();
        [&lengths[..], key, value].concat()
    }

    fn decoded(bytes: &[u8]) -> Record<'_> {
        match decode(bytes) {
            Decoded::Record(record) => record,
            other => panic!("{other:?}"),
        }
    }

    fn samples() -> [Vec<u8>; 4] {
        [
            record(1_700_000_000, b"user:1", b"Ada"),
            record(1, b"", b"v"),
            record(u32::MAX, &[7; 70_000], &[0; 300]),
            record(9, b"gone", b""),
        ]
    }

    #[test]
    fn table_and_decoder_see_the_same_bytes() {
        for bytes in samples() {
            let record = decoded(&bytes);
            let mut at = 0;
            for field in &FIELDS {
                let raw = &bytes[at..at + field.width.len(false, record.key.len() as u64, record.stored_len) as usize];
                let number = field.encoding.number(raw);
                match field.name {
                    "tstamp" => assert_eq!(number.unwrap() * 1_000_000, record.tstamp),
                    "key length" => assert_eq!(number, Some(record.key.len() as u64)),
                    "value length" => assert_eq!(number, Some(record.stored_len)),
                    "key" => assert_eq!(raw, record.key),
                    "value" => assert_eq!(at as u64, record.value_start),
                    other => panic!("a field that no test knows: {other}"),
                }
                at += raw.len();
            }
            assert_eq!((at, record.len()), (bytes.len(), bytes.len() as u64));
        }
    }

    #[test]
    fn every_truncation_is_incomplete_and_asks_for_no_more_than_the_key() {
        for bytes in samples() {
            let value_start = decoded(&bytes).value_start;
            for len in 0..value_start {
                let Decoded::Incomplete { needed } = decode(&bytes[..len as usize]) else { panic!("{len} bytes") };
                assert!(len < needed && needed <= value_start, "{needed} wanted after {len}");
            }
            assert_eq!(decoded(&bytes[..value_start as usize]).len(), bytes.len() as u64);
        }
    }

    #[test]
    fn an_empty_value_is_a_deletion_and_is_said_to_be_ambiguous() {
        let bytes = record(1, b"k", b"");
        assert_eq!(decoded(&bytes).kind, Kind::Tombstone);
        assert!(decoded(&bytes).oddity.unwrap().contains("alike"));
        let bytes = record(1, b"k", b"v");
        assert_eq!((decoded(&bytes).kind, decoded(&bytes).oddity), (Kind::Put, None));
    }

    #[test]
    fn zeros_are_never_a_record() {
        for len in 0..100 {
            assert_eq!(matches!(decode(&vec![0; len]), Decoded::Damaged(_)), len >= HEADER_LEN);
            assert!(!matches!(decode(&vec![0; len]), Decoded::Record(_)));
        }
    }

    #[test]
    fn the_cheap_look_lets_through_what_is_written_and_little_else() {
        for bytes in samples() {
            let len = bytes.len() as u64;
            assert!(LogkvGo.plausible(&bytes[..HEADER_LEN], len) && !LogkvGo.plausible(&bytes[..HEADER_LEN], len - 1));
        }
        assert!(!LogkvGo.plausible(&[0; 100], 100));
        assert!(!LogkvGo.plausible(b"any text, which is too long", 1 << 20));
    }

    /// A length of 4 GiB must neither overflow nor be allocated.
    #[test]
    fn the_largest_lengths_are_only_asked_for() {
        let bytes = [1, u32::MAX, u32::MAX].map(u32::to_le_bytes).concat();
        assert!(matches!(decode(&bytes), Decoded::Incomplete { needed: 4_294_967_307 }));
        let bytes = [1, 0, u32::MAX].map(u32::to_le_bytes).concat();
        assert_eq!(decoded(&bytes).len(), 4_294_967_307);
    }

    #[test]
    fn without_a_checksum_nothing_contradicts_a_changed_value() {
        let bytes = record(1, b"k", b"v");
        assert!(!LogkvGo.has_checksum());
        assert_eq!(decoded(&bytes).check_value(b"w"), Ok(()));
    }
}
