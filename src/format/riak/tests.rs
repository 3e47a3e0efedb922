//! Riak's layout on records and hints put together here, byte by byte as the drawing says. The directories that Bitcask
//! itself wrote are walked in `tests/format_fixtures.rs`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;

fn record(seconds: u32, key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend_from_slice(&seconds.to_be_bytes());
    bytes.extend_from_slice(&(key.len() as u16).to_be_bytes());
    bytes.extend_from_slice(&(value.len() as u32).to_be_bytes());
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(value);
    let crc = crc32fast::hash(&bytes[4..]);
    bytes[..4].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn entry(seconds: u32, key: &[u8], len: u32, place: u64) -> Vec<u8> {
    let key_len = (key.len() as u16).to_be_bytes();
    [&seconds.to_be_bytes()[..], &key_len, &len.to_be_bytes(), &place.to_be_bytes(), key].concat()
}

fn closed(entries: &[u8]) -> Vec<u8> {
    [entries, &entry(0, b"", crc32fast::hash(entries), CLOSING_OFFSET)].concat()
}

fn decoded(bytes: &[u8]) -> Record<'_> {
    match decode(bytes) {
        Decoded::Record(record) => record,
        other => panic!("{other:?}"),
    }
}

fn believed(bytes: &[u8]) -> bool {
    let Decoded::Record(record) = decode(bytes) else { return false };
    let value = bytes.get(record.value_start as usize..record.len() as usize);
    value.is_some_and(|value| record.check_value(value).is_ok())
}

fn samples() -> Vec<Vec<u8>> {
    vec![
        record(1_700_000_000, b"user:1", b"Ada"),
        record(0, b"", b""),
        record(u32::MAX, &[0xff; 300], &[0; 300]),
        record(7, b"k", b"bitcask_tombstone"),
        record(7, b"k", b"bitcask_tombstone2\0\0\0\x07"),
        record(7, b"k", b"bitcask_tombstone of my own"),
        record(7, b"k", b"bitcask_tombston"),
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
                "crc" => assert_eq!(number, Some(u64::from(record.checksum.as_ref().unwrap().stored))),
                "tstamp" => assert_eq!(number.unwrap() * 1_000_000, record.tstamp),
                "key length" => assert_eq!(number, Some(record.key.len() as u64)),
                "value length" => assert_eq!(number, Some(record.stored_len)),
                "key" => assert_eq!(raw, record.key),
                "value" => assert_eq!((at as u64, record.check_value(raw)), (record.value_start, Ok(()))),
                other => panic!("a field that no test knows: {other}"),
            }
            at += raw.len();
        }
        assert_eq!((at, record.len()), (bytes.len(), bytes.len() as u64));
    }
}

#[test]
fn every_changed_bit_is_noticed() {
    for whole in samples() {
        for bit in 0..whole.len() * 8 {
            let mut bytes = [&whole[..], &[0xa5; 70_000]].concat();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!believed(&bytes), "bit {bit} of {whole:?}");
        }
    }
}

#[test]
fn truncations_are_incomplete_and_ask_for_no_more_than_tells_a_tombstone() {
    for bytes in samples() {
        let whole = decoded(&bytes);
        for len in 0..bytes.len() {
            match decode(&bytes[..len]) {
                Decoded::Incomplete { needed } => {
                    assert!((len as u64) < needed && needed <= whole.len().min(whole.value_start + 22));
                }
                Decoded::Record(record) => {
                    assert!(len as u64 >= record.value_start);
                    assert_eq!((record.kind, record.key, record.len()), (whole.kind, whole.key, whole.len()));
                }
                Decoded::Damaged(check) => panic!("{check} after {len} bytes"),
            }
        }
    }
}

#[test]
fn a_long_value_is_not_asked_for() {
    let bytes = record(1, b"key", &[b'b'; 100_000]);
    assert!(matches!(decode(&bytes[..17]), Decoded::Incomplete { needed: 34 }));
    assert_eq!(decoded(&bytes[..19]).kind, Kind::Put);
    let mut check = decoded(&bytes[..19]).value_check().unwrap();
    bytes[17..].chunks(999).for_each(|piece| check.update(piece));
    assert_eq!(check.finish(), Ok(()));
}

#[test]
fn zeros_are_never_a_record() {
    for len in 0..100 {
        assert_eq!(matches!(decode(&vec![0; len]), Decoded::Damaged(_)), len >= HEADER_LEN);
        assert!(!matches!(decode(&vec![0; len]), Decoded::Record(_)));
    }
}

#[test]
fn tombstones_are_told_by_their_prefix_and_odd_ones_are_said_to_be() {
    let v = |digit: u8, file: [u8; 4]| [TOMBSTONE, &[digit], &file].concat();
    for (value, form) in [
        (TOMBSTONE.to_vec(), Some(TombstoneForm::V0)),
        (v(b'1', [0, 0, 1, 2]), Some(TombstoneForm::V1(258))),
        (v(b'2', [0, 0, 0, 9]), Some(TombstoneForm::V2(9))),
        (v(b'3', [0, 0, 0, 9]), Some(TombstoneForm::Prefix)),
        ([TOMBSTONE, b"2"].concat(), Some(TombstoneForm::Prefix)),
        ([TOMBSTONE, &[0; 6]].concat(), Some(TombstoneForm::Prefix)),
        ([&v(b'2', [0, 0, 0, 9])[..], b"more"].concat(), Some(TombstoneForm::Prefix)),
        (b"bitcask_tombstonE".to_vec(), None),
        (b"bitcask_tombston".to_vec(), None),
        (b"a bitcask_tombstone".to_vec(), None),
        (Vec::new(), None),
    ] {
        assert_eq!(tombstone_form(&value), form, "{value:?}");
        let bytes = record(1, b"k", &value);
        let record = decoded(&bytes);
        assert_eq!(record.kind == Kind::Tombstone, form.is_some(), "{value:?}");
        assert_eq!(record.oddity.is_some(), form == Some(TombstoneForm::Prefix), "{value:?}");
        assert_eq!(record.stored_len, value.len() as u64);
    }
}

#[test]
fn the_next_record_is_not_taken_for_a_value() {
    let bytes = [record(1, b"k", b"bitcask_"), b"tombstone".to_vec()].concat();
    assert_eq!(decoded(&bytes).kind, Kind::Put);
    let bytes = [record(1, b"k", TOMBSTONE), record(1, b"k", b"v")].concat();
    assert_eq!((decoded(&bytes).kind, decoded(&bytes).oddity), (Kind::Tombstone, None));
}

#[test]
fn the_cheap_look_lets_through_what_is_written_and_little_else() {
    for bytes in samples().iter().filter(|bytes| decoded(bytes).tstamp > 0) {
        let len = bytes.len() as u64;
        assert!(Riak.plausible(&bytes[..HEADER_LEN], len) && !Riak.plausible(&bytes[..HEADER_LEN], len - 1));
    }
    assert!(!Riak.plausible(&[0; 100], 100));
    assert!(!Riak.plausible(b"any text, which is too long", 1 << 20));
}

#[test]
fn pending_deletion_is_a_matter_of_two_bits() {
    assert!(is_pending_delete(0o601) && is_pending_delete(0o4600) && is_pending_delete(0o777));
    assert!(!is_pending_delete(0o600) && !is_pending_delete(0o776) && !is_pending_delete(0o2770));
}

fn hint_sample() -> Vec<u8> {
    let entries = [
        entry(9, b"user:1", 14 + 6 + 3, 0),
        entry(9, b"", 14, 23),
        // The empty key at tstamp 0: only the offset tells it from the closing entry.
        entry(0, b"", 14 + 22, TOMBSTONE_BIT | 37),
        entry(10, b"far", 14 + 3, CLOSING_OFFSET - 1),
    ];
    closed(&entries.concat())
}

#[test]
fn hint_table_and_decoder_see_the_same_bytes() {
    let bytes = hint_sample();
    let hint = Riak.hint(&bytes).unwrap().unwrap();
    assert_eq!((hint.coverage, hint.bloom.is_none(), hint.count), (None, true, 4));
    let mut at = 0;
    for entry in hint.entries() {
        for field in &HINT_FIELDS {
            let raw = &bytes[at..at + field.width.len(false, entry.key.len() as u64, 0) as usize];
            let number = field.encoding.number(raw);
            match field.name {
                "tstamp" => assert_eq!(number.unwrap() * 1_000_000, entry.tstamp),
                "key length" => assert_eq!(number, Some(entry.key.len() as u64)),
                "record length" => assert_eq!(number, Some(entry.len)),
                "offset" => {
                    let bit = if entry.kind == Kind::Tombstone { TOMBSTONE_BIT } else { 0 };
                    assert_eq!(number, Some(bit | entry.offset));
                }
                "key" => assert_eq!(raw, entry.key),
                other => panic!("a field that no test knows: {other}"),
            }
            at += raw.len();
        }
        assert_eq!(entry.len, 14 + entry.key.len() as u64 + entry.stored_len);
    }
    assert_eq!(at + 18, bytes.len());
}

#[test]
fn every_truncation_and_every_changed_bit_of_a_hint_is_refused() {
    let whole = hint_sample();
    for len in 0..whole.len() {
        assert!(decode_hint(&whole[..len]).is_err(), "{len} bytes");
    }
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(decode_hint(&bytes).is_err(), "bit {bit}");
    }
}

#[test]
fn a_hint_without_its_closing_entry_is_incomplete() {
    let whole = hint_sample();
    assert_eq!(decode_hint(&whole[..whole.len() - 18]).unwrap_err(), HintFault::Incomplete);
    assert_eq!(decode_hint(b"").unwrap_err(), HintFault::Incomplete);
    assert_eq!(decode_hint(&closed(b"")).unwrap().count, 0);
}

#[test]
fn entries_that_contradict_themselves_are_refused() {
    // A record shorter than its own header and key; a closing entry that is not the last; half an entry.
    for entries in [entry(1, b"key", 16, 0), hint_sample(), entry(1, b"key", 17, 0)[..20].to_vec()] {
        assert!(matches!(decode_hint(&closed(&entries)), Err(HintFault::Damaged(Check::Implausible(_)))));
    }
}

/// Bitcask reads hints in pieces of 65,535 bytes and refuses a good one whose last piece has 1 to 17 bytes.
#[test]
fn a_good_hint_of_unlucky_size_is_a_good_hint() {
    for spare in 1..=17 {
        let entries = entry(1, &vec![b'k'; 65_535 - 36 + spare], 70_000, 0);
        let bytes = closed(&entries);
        assert_eq!(bytes.len() % 65_535, spare);
        assert_eq!(decode_hint(&bytes).unwrap().count, 1);
    }
}
