//! The native layout against itself: encoder, decoder and tables agree, and nothing that was changed is believed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::super::{Check, Codec, Kind, Origin, Record};
use super::*;

const SALT: u32 = 0x5eed_5eed;
const OFFSET: u64 = 40;
/// As many bytes as the longest key takes, so that a changed length cannot hide behind the end of the bytes.
static AFTER: [u8; MAX_KEY_LEN + 1] = [0xa5; MAX_KEY_LEN + 1];

fn samples() -> Vec<NewRecord<'static>> {
    let put = NewRecord::put(b"user:1", b"Ada", 1_700_000_000_000_001);
    vec![
        put,
        NewRecord::put(b"", b"", 0),
        NewRecord { expires_at: Some(1_800_000_000_000_000), ..put },
        NewRecord { batch_continues: true, barrier: true, ..put },
        NewRecord { codec: Codec::Lz4, expires_at: Some(0), ..put },
        NewRecord::tombstone(b"user:1", (1 << 63) - 1),
        NewRecord::mark(&[40, 0, 0, 0, 0, 0, 0, 0], 2),
        NewRecord { kind: Kind::Unknown(0x84), ..put },
    ]
}

fn encoded(record: &NewRecord<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(record, SALT, OFFSET, &mut bytes);
    bytes
}

fn decoded(bytes: &[u8]) -> Record<'_> {
    match decode(SALT, OFFSET, bytes) {
        Decoded::Record(record) => record,
        other => panic!("{other:?}"),
    }
}

/// Whether a reader would believe the record at the start of these bytes, its value included.
fn believed(bytes: &[u8]) -> bool {
    let Decoded::Record(record) = decode(SALT, OFFSET, bytes) else { return false };
    let value = bytes.get(record.value_start as usize..record.len() as usize);
    value.is_some_and(|value| record.check_value(value).is_ok())
}

#[test]
fn what_is_encoded_is_what_is_decoded() {
    for sample in samples() {
        let bytes = encoded(&sample);
        let record = decoded(&bytes);
        assert_eq!(
            (record.kind, record.key, record.stored_len, record.tstamp),
            (sample.kind, sample.key, sample.value.len() as u64, sample.tstamp)
        );
        assert_eq!(
            (record.expires_at, record.codec, record.batch_continues, record.barrier),
            (sample.expires_at, sample.codec, sample.batch_continues, sample.barrier)
        );
        assert_eq!((record.needs_newer.as_deref(), record.oddity), (None, None));
        assert_eq!((record.len(), sample.encoded_len()), (bytes.len() as u64, bytes.len() as u64));
        assert!(believed(&bytes));
    }
}

#[test]
fn the_longest_key_and_what_follows_a_record_do_not_matter() {
    let key = vec![7; MAX_KEY_LEN];
    let mut bytes = encoded(&NewRecord::put(&key, b"v", 1));
    bytes.extend_from_slice(b"the next record");
    assert_eq!(decoded(&bytes).key, key);
    assert!(believed(&bytes));
}

#[test]
fn table_and_decoder_see_the_same_bytes() {
    for sample in samples() {
        let bytes = encoded(&sample);
        let record = decoded(&bytes);
        let mut at = 0;
        for field in &FIELDS {
            let key_len = record.key.len() as u64;
            let len = field.width.len(record.expires_at.is_some(), key_len, record.stored_len) as usize;
            let raw = &bytes[at..at + len];
            let number = field.encoding.number(raw);
            match field.name {
                "header crc" => assert_eq!(number.unwrap(), u64::from(header_crc(&bytes, &record))),
                "value crc" => assert_eq!(number.unwrap(), u64::from(crc32fast::hash(sample.value))),
                "kind" => assert_eq!(number.unwrap(), u64::from(frame::kind_byte(sample.kind))),
                "flags" => assert_eq!(number.unwrap(), u64::from(record.flags)),
                "key length" => assert_eq!(number.unwrap(), key_len),
                "value length" => assert_eq!(number.unwrap(), record.stored_len),
                "tstamp" => assert_eq!(number.unwrap(), record.tstamp),
                "expires at" => assert_eq!(record.expires_at.unwrap_or(0), number.unwrap()),
                "key" => assert_eq!((raw, at + len), (record.key, record.value_start as usize)),
                "value" => assert_eq!(raw, sample.value),
                other => panic!("a field that no test knows: {other}"),
            }
            at += len;
        }
        assert_eq!(at, bytes.len());
    }
}

/// Spelled out with numbers, against the drawing rather than against the constants.
fn header_crc(bytes: &[u8], record: &Record<'_>) -> u32 {
    let covered = &bytes[4..record.value_start as usize];
    crc32fast::hash(&[&SALT.to_le_bytes()[..], &OFFSET.to_le_bytes(), covered].concat())
}

#[test]
fn every_changed_bit_is_noticed() {
    for sample in samples() {
        let whole = [&encoded(&sample)[..], &AFTER].concat();
        for bit in 0..sample.encoded_len() * 8 {
            let mut bytes = whole.clone();
            bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
            assert!(!matches!(decode(SALT, OFFSET, &bytes), Decoded::Incomplete { .. }), "{sample:?}, bit {bit}");
            assert!(!believed(&bytes), "{sample:?}, bit {bit}");
        }
    }
}

#[test]
fn a_changed_value_leaves_the_key_known() {
    let mut bytes = encoded(&samples()[0]);
    *bytes.last_mut().unwrap() ^= 1;
    let record = decoded(&bytes);
    assert_eq!(record.key, b"user:1");
    assert!(matches!(record.check_value(&bytes[30..]), Err(Check::ValueChecksum { .. })));
}

#[test]
fn every_truncation_is_incomplete_and_asks_for_no_more_than_the_key() {
    for sample in samples() {
        let bytes = encoded(&sample);
        let value_start = bytes.len() - sample.value.len();
        for len in 0..value_start {
            let Decoded::Incomplete { needed } = decode(SALT, OFFSET, &bytes[..len]) else { panic!("{len} bytes") };
            assert!((len as u64) < needed && needed <= value_start as u64, "{needed} wanted after {len}");
        }
        assert_eq!(decoded(&bytes[..value_start]).len(), bytes.len() as u64);
    }
}

#[test]
fn zeros_are_never_a_record() {
    for len in 0..100 {
        match decode(0, 0, &vec![0; len]) {
            Decoded::Damaged(Check::Implausible(_)) => assert!(len >= HEADER_LEN),
            Decoded::Incomplete { needed } => assert!(len < HEADER_LEN && needed == HEADER_LEN as u64),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_record_holds_only_in_its_file_and_at_its_offset() {
    let bytes = encoded(&samples()[0]);
    for (salt, offset) in [(SALT + 1, OFFSET), (SALT, OFFSET + 1), (SALT, OFFSET + (1 << 32))] {
        assert!(matches!(decode(salt, offset, &bytes), Decoded::Damaged(Check::HeaderChecksum { .. })));
    }
}

#[test]
fn the_implausible_is_refused_before_more_bytes_are_asked_for() {
    let header = encoded(&NewRecord::put(&[1; 100], b"", 1));
    for (at, byte) in [(8, 0), (15, 0x41), (23, 0x80)] {
        let mut bytes = header[..HEADER_LEN].to_vec();
        bytes[at] = byte;
        assert!(matches!(decode(SALT, OFFSET, &bytes), Decoded::Damaged(Check::Implausible(_))), "byte {at}");
    }
}

#[test]
fn the_cheap_look_lets_through_what_is_written_and_little_else() {
    for sample in samples().iter().filter(|sample| !matches!(sample.kind, Kind::Unknown(_))) {
        let bytes = encoded(sample);
        let len = bytes.len() as u64;
        assert!(Native.plausible(&bytes[..HEADER_LEN], len), "{sample:?}");
        assert!(!Native.plausible(&bytes[..HEADER_LEN], len - 1), "{sample:?}");
    }
    assert!(!Native.plausible(&[0; 100], 100));
    assert!(!Native.plausible(b"any text, which has no kind", 1 << 40));
}

#[test]
fn what_only_a_later_version_knows_is_said_and_what_may_be_skipped_is_not() {
    let put = samples()[0];
    let needs = |kind, change: fn(&mut u8)| {
        let mut bytes = encoded(&NewRecord { kind, ..put });
        change(&mut bytes[9]);
        let crc = header_crc(&bytes, &Record { value_start: 30, ..decoded(&encoded(&put)) });
        bytes[..4].copy_from_slice(&crc.to_le_bytes());
        decoded(&bytes).needs_newer
    };
    assert_eq!(needs(Kind::Put, |_| ()), None);
    assert_eq!(needs(Kind::Unknown(0x90), |_| ()), None);
    assert_eq!(needs(Kind::Unknown(3), |_| ()).unwrap(), "record kind 0x03");
    assert_eq!(needs(Kind::Put, |flags| *flags |= 0x20).unwrap(), "record flags 0x20");
    assert_eq!(needs(Kind::Put, |flags| *flags |= 0x08).unwrap(), "record flags 0x08");
    assert_eq!(needs(Kind::Unknown(0x90), |flags| *flags |= 0x40).unwrap(), "record flags 0x40");
}

fn file_header() -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_file_header(7, SALT, 1_700_000_000_000_000, Origin::Merge, &mut bytes);
    bytes
}

/// Writes the checksum anew after a change.
fn resealed(mut bytes: Vec<u8>, at: usize, change: &[u8]) -> Vec<u8> {
    bytes[at..at + change.len()].copy_from_slice(change);
    let crc = crc32fast::hash(&bytes[..36]);
    bytes[36..40].copy_from_slice(&crc.to_le_bytes());
    bytes
}

#[test]
fn a_file_header_is_read_back_by_decoder_and_table_alike() {
    let bytes = file_header();
    let header = Native.file_header(&bytes).unwrap();
    let expected = FileHeader {
        version: 1,
        len: 40,
        id: Some(7),
        salt: SALT,
        created: 1_700_000_000_000_000,
        origin: Origin::Merge,
    };
    assert_eq!(header, expected);
    let mut at = 0;
    for field in &FILE_FIELDS {
        let raw = &bytes[at..at + field.width.len(false, 0, 0) as usize];
        let number = field.encoding.number(raw);
        match field.name {
            "magic" => assert_eq!(raw, b"LOGKVSEG"),
            "version" => assert_eq!(number, Some(1)),
            "header length" => assert_eq!(number, Some(40)),
            "segment id" => assert_eq!(number, header.id),
            "salt" => assert_eq!(number, Some(u64::from(header.salt))),
            "features" => assert_eq!(number, Some(0)),
            "created" => assert_eq!(number, Some(header.created)),
            "origin" => assert_eq!(number, Some(1)),
            "header crc" => assert_eq!(number, Some(u64::from(crc32fast::hash(&bytes[..36])))),
            other => panic!("a field that no test knows: {other}"),
        }
        at += raw.len();
    }
    assert_eq!((at, FILE_HEADER_LEN), (40, 40));
}

#[test]
fn every_changed_bit_and_every_truncation_of_a_file_header_is_noticed() {
    for bit in 0..320 {
        let mut bytes = file_header();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(Native.file_header(&bytes), Err(HeaderFault::Damaged(_))), "bit {bit}");
    }
    for len in 0..40 {
        assert_eq!(Native.file_header(&file_header()[..len]), Err(HeaderFault::Incomplete), "{len} bytes");
    }
}

#[test]
fn a_later_versions_file_header_is_skipped_over_or_refused_by_name() {
    let longer = resealed(file_header(), 10, &[48, 0]);
    assert_eq!(Native.file_header(&longer).unwrap().len, 48);
    let refused = |at, change: &[u8]| Native.file_header(&resealed(file_header(), at, change)).unwrap_err();
    assert_eq!(refused(8, &[2, 0]), HeaderFault::NeedsNewer("layout version 2".into()));
    assert_eq!(refused(20, &[4, 0, 0, 0]), HeaderFault::NeedsNewer("feature bits 0x4".into()));
    assert_eq!(refused(32, &[2, 0, 0, 0]), HeaderFault::NeedsNewer("origin 2".into()));
    assert!(matches!(refused(8, &[0, 0]), HeaderFault::Damaged(_)));
    assert!(matches!(refused(10, &[39, 0]), HeaderFault::Damaged(_)));
}
