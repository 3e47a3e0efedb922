//! Native hints: what goes in comes out, and nothing that was changed is believed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::super::record::{self, NewRecord};
use super::super::{Decoded, Field};
use super::*;

/// Records as a segment might hold them, with the offsets at which they lie.
fn samples() -> Vec<(NewRecord<'static>, u64)> {
    let put = NewRecord::put(b"user:1", b"Ada", 10);
    let all = [
        put,
        NewRecord { expires_at: Some(99), tstamp: 11, barrier: true, ..put },
        NewRecord::tombstone(b"user:1", 12),
        NewRecord { codec: Codec::Lz4, tstamp: 13, batch_continues: true, ..NewRecord::put(b"", b"lz", 0) },
        NewRecord { kind: Kind::Unknown(0x84), tstamp: 14, ..put },
    ];
    let place = |at: &mut u64, record: NewRecord<'static>| {
        let offset = *at;
        *at += record.encoded_len();
        Some((record, offset))
    };
    all.into_iter().scan(40, place).collect()
}

fn built() -> Vec<u8> {
    let mut builder = HintBuilder::default();
    for (record, offset) in samples() {
        let mut bytes = Vec::new();
        record::encode(&record, 0, offset, &mut bytes);
        let Decoded::Record(record) = record::decode(0, offset, &bytes) else { panic!("not a record") };
        builder.add(&HintEntry::of(&record, offset));
    }
    builder.add_mark(15);
    builder.finish(7, 0x5eed, 300)
}

/// Changes bytes and writes the checksum anew: what a faulty writer might produce.
fn resealed(at: usize, change: &[u8]) -> Vec<u8> {
    changed(built(), at, change)
}

fn changed(mut bytes: Vec<u8>, at: usize, change: &[u8]) -> Vec<u8> {
    bytes[at..at + change.len()].copy_from_slice(change);
    let body = bytes.len() - 4;
    let crc = crc32fast::hash(&bytes[..body]);
    bytes[body..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

#[test]
fn what_is_built_is_what_is_decoded() {
    let bytes = built();
    let hint = decode(&bytes).unwrap();
    let coverage = Coverage { id: 7, salt: 0x5eed, len: 300, min_tstamp: 10, max_tstamp: 15, marks: 1 };
    assert_eq!((hint.coverage, hint.count), (Some(coverage), 5));
    let entries: Vec<_> = hint.entries().collect();
    assert_eq!(entries.len(), samples().len());
    for (entry, (record, offset)) in entries.into_iter().zip(samples()) {
        assert_eq!((entry.kind, entry.key, entry.offset), (record.kind, record.key, offset));
        assert_eq!((entry.len, entry.stored_len), (record.encoded_len(), record.value.len() as u64));
        assert_eq!((entry.tstamp, entry.expires_at), (record.tstamp, record.expires_at));
        assert_eq!(entry.codec, record.codec);
        assert!(hint.bloom.unwrap().may_contain(record.key));
    }
}

#[test]
fn a_segment_without_keys_has_a_hint_too() {
    let bytes = HintBuilder::default().finish(1, 2, 40);
    let hint = decode(&bytes).unwrap();
    assert_eq!((hint.count, hint.coverage.unwrap().min_tstamp, bytes.len()), (0, u64::MAX, 64));
}

#[test]
fn table_and_decoder_see_the_same_bytes() {
    let bytes = built();
    let hint = decode(&bytes).unwrap();
    let mut at = 0;
    let mut take = |field: &Field, with_expiry, key_len| {
        let raw = &bytes[at..at + field.width.len(with_expiry, key_len, 0) as usize];
        at += raw.len();
        (field.encoding.number(raw), raw)
    };
    let coverage = hint.coverage.unwrap();
    for field in &FILE_FIELDS {
        let (number, raw) = take(field, false, 0);
        match field.name {
            "magic" => assert_eq!(raw, MAGIC),
            "version" => assert_eq!(number, Some(u64::from(VERSION))),
            "header length" => assert_eq!(number, Some(60)),
            "segment id" => assert_eq!(number, Some(coverage.id)),
            "salt" => assert_eq!(number, Some(u64::from(coverage.salt))),
            "entries" => assert_eq!(number, Some(hint.count)),
            "marks" => assert_eq!(number, Some(coverage.marks)),
            "covered" => assert_eq!(number, Some(coverage.len)),
            "smallest tstamp" => assert_eq!(number, Some(coverage.min_tstamp)),
            "largest tstamp" => assert_eq!(number, Some(coverage.max_tstamp)),
            "bloom length" => assert_eq!(number, Some(7)),
            other => panic!("a field that no test knows: {other}"),
        }
    }
    for (entry, (record, _)) in hint.entries().zip(samples()) {
        for field in &FIELDS {
            let (number, raw) = take(field, entry.expires_at.is_some(), entry.key.len() as u64);
            match field.name {
                "kind" => assert_eq!(number, Some(u64::from(record::kind_byte(record.kind)))),
                "flags" => assert_eq!(number, Some(u64::from(entry.flags))),
                "key length" => assert_eq!(number, Some(entry.key.len() as u64)),
                "value length" => assert_eq!(number, Some(entry.stored_len)),
                "offset" => assert_eq!(number, Some(entry.offset)),
                "tstamp" => assert_eq!(number, Some(entry.tstamp)),
                "expires at" => assert_eq!(number, Some(entry.expires_at.unwrap_or(0))),
                "key" => assert_eq!(raw, entry.key),
                other => panic!("a field that no test knows: {other}"),
            }
        }
    }
    assert_eq!(at + 7 + 4, bytes.len());
}

#[test]
fn every_truncation_and_every_changed_bit_is_refused() {
    let whole = built();
    for len in 0..whole.len() {
        assert!(decode(&whole[..len]).is_err(), "{len} bytes");
    }
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(decode(&bytes).is_err(), "bit {bit}");
    }
    assert!(decode(&[&whole[..], b"\0"].concat()).is_err());
}

#[test]
fn a_good_checksum_over_wrong_lengths_is_refused() {
    assert!(decode(&resealed(0, &MAGIC)).is_ok());
    for (what, at, change) in [
        ("header shorter than it is", 10, &[59, 0][..]),
        ("header longer than the file", 10, &[255, 255]),
        ("one entry less", 20, &[4, 0, 0, 0]),
        ("bloom filter longer than the file", 52, &[255; 8]),
        ("bloom filter over the last key", 52, &[8, 0, 0, 0, 0, 0, 0, 0]),
        ("key longer than the file", 62, &[255, 255]),
    ] {
        assert!(matches!(decode(&resealed(at, change)), Err(HintFault::Damaged(_))), "{what}");
    }
}

/// With a header length of 40, the last 20 bytes of this header would be a put of the empty key.
#[test]
fn no_entry_is_read_from_the_header() {
    let empty = HintBuilder::default().finish(1, 2, 40);
    let put = [&[1][..], &[0; 19]].concat();
    let bytes = changed(changed(changed(empty, 40, &put), 20, &[1, 0, 0, 0]), 10, &[40, 0]);
    assert!(matches!(decode(&bytes), Err(HintFault::Damaged(_))));
}

#[test]
fn what_only_a_later_version_knows_is_not_read_past() {
    assert_eq!(decode(&resealed(8, &[2, 0])).unwrap_err(), HintFault::NeedsNewer("hint version 2".into()));
    // Kind 3 and flag 0x20 could change an answer: the segment has to be read instead.
    assert!(decode(&resealed(60, &[3])).is_err());
    assert!(decode(&resealed(61, &[0x20])).is_err());
}
