//! What must hold for any bytes in any format.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;

use super::record::{NewRecord, encode};
use super::*;

/// Decodes by every format, and checks what each promises about its answer.
fn decode_by_all(offset: u64, bytes: &[u8]) {
    for kind in FormatKind::ALL {
        match kind.format().decode(&FileHeader::NONE, offset, bytes) {
            Decoded::Record(record) => {
                assert!(record.value_start <= bytes.len() as u64, "{kind}");
                assert!(record.key.len() as u64 <= record.value_start, "{kind}");
                assert!(record.len() >= record.value_start && record.len() >= 12, "{kind}");
                assert!(record.tstamp < 1 << 63, "{kind}");
            }
            Decoded::Incomplete { needed } => assert!(needed > bytes.len() as u64, "{kind}"),
            Decoded::Damaged(check) => assert!(!check.to_string().is_empty(), "{kind}"),
        }
        let _ = kind.format().file_header(bytes);
    }
}

fn hints_by_all(bytes: &[u8]) {
    for kind in FormatKind::ALL {
        if let Some(Ok(hint)) = kind.format().hint(bytes) {
            assert_eq!(hint.entries().count() as u64, hint.count, "{kind}");
        }
    }
}

/// A plausible beginning and small numbers, so that not every input fails at its first byte.
fn almost_a_record() -> impl Strategy<Value = Vec<u8>> {
    let small = prop_oneof![Just(0u8), Just(1), Just(2), Just(0x83), Just(0xff), any::<u8>()];
    let record = (any::<Vec<u8>>(), any::<Vec<u8>>(), any::<u64>()).prop_map(|(key, value, tstamp)| {
        let mut bytes = Vec::new();
        encode(&NewRecord::put(&key, &value, tstamp), 0, 0, &mut bytes);
        bytes
    });
    prop_oneof![proptest::collection::vec(small, 0..120), record]
}

/// Entries made of anything, under a checksum that holds.
fn almost_a_hint() -> impl Strategy<Value = Vec<u8>> {
    let native = (any::<[u8; 60]>(), any::<Vec<u8>>()).prop_map(|(mut header, rest)| {
        header[..12].copy_from_slice(b"LOGKVHNT\x01\x00\x3c\x00");
        header[56..].fill(0);
        let body = [&header[..], &rest].concat();
        let crc = crc32fast::hash(&body).to_le_bytes();
        [&body[..], &crc].concat()
    });
    let riak = any::<Vec<u8>>().prop_map(|entries| {
        let crc = crc32fast::hash(&entries).to_be_bytes();
        [&entries[..], &[0; 6], &crc, &[0x7f], &[0xff; 7]].concat()
    });
    prop_oneof![native, riak, any::<Vec<u8>>()]
}

proptest! {
    #[test]
    fn any_bytes_decode_to_an_answer(offset: u64, bytes: Vec<u8>) {
        decode_by_all(offset, &bytes);
    }

    #[test]
    fn bytes_that_are_almost_a_record_decode_to_an_answer(bytes in almost_a_record(), change: prop::sample::Index, to: u8) {
        decode_by_all(0, &bytes);
        let mut changed = bytes;
        if !changed.is_empty() {
            let at = change.index(changed.len());
            changed[at] = to;
            decode_by_all(0, &changed);
        }
    }

    #[test]
    fn bytes_that_are_almost_a_hint_decode_to_an_answer(bytes in almost_a_hint()) {
        hints_by_all(&bytes);
    }

    #[test]
    fn what_is_encoded_is_what_is_decoded(
        key: Vec<u8>,
        value: Vec<u8>,
        tstamp in 0..1u64 << 63,
        expires_at: Option<u64>,
        salt: u32,
        offset: u64,
        batch_continues: bool,
        barrier: bool,
    ) {
        let new = NewRecord { expires_at, batch_continues, barrier, ..NewRecord::put(&key, &value, tstamp) };
        let mut bytes = Vec::new();
        encode(&new, salt, offset, &mut bytes);
        let Decoded::Record(record) = record::decode(salt, offset, &bytes) else { panic!("not a record") };
        prop_assert_eq!((record.key, record.tstamp, record.expires_at), (&key[..], tstamp, expires_at));
        prop_assert_eq!((record.batch_continues, record.barrier), (batch_continues, barrier));
        prop_assert_eq!(record.check_value(&bytes[record.value_start as usize..]), Ok(()));
    }
}
