#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

fn example() -> Checkpoint {
    let covered = |id, live_records| Covered {
        id,
        salt: 0xdead_beef,
        len: 4_000_000_000,
        records: 100,
        tombstones: 3,
        marks: 2,
        live_records,
        live_bytes: 3_000,
        min_tstamp: 7,
        max_tstamp: 1_000 + id,
    };
    let image = |shard, keys| ShardImage {
        shard,
        buckets: 2,
        blocks: 1,
        words: 90,
        keys,
        freed: 1,
        expiring: 2,
        unused_words: 10,
        crc: 0xfeed,
    };
    Checkpoint {
        seed: 99,
        shards: 1024,
        expired: 4,
        written: 77,
        segments: vec![covered(1, 20), covered(7, 5)],
        images: vec![image(0, 15), image(1023, 10)],
    }
}

fn decoded(checkpoint: &Checkpoint) -> Result<Checkpoint, HeaderFault> {
    Checkpoint::decode(&checkpoint.encode(), checkpoint.file_len())
}

#[test]
fn what_was_encoded_is_decoded() {
    let none = Checkpoint { seed: 1, shards: 1024, ..Checkpoint::default() };
    for checkpoint in [example(), none] {
        let head = checkpoint.encode();
        assert_eq!(decoded(&checkpoint), Ok(checkpoint.clone()));
        assert_eq!(Checkpoint::claimed_head_len(&head, checkpoint.file_len()), Ok(head.len() as u64));
    }
    assert_eq!(example().encode().len(), 80 + 2 * 56 + 2 * 36 + 4);
}

#[test]
fn images_follow_the_head_and_each_other_to_the_end_of_the_file() {
    let checkpoint = example();
    let len = 4 + 2 * 16 * 4 + 90 * 8;
    let head = checkpoint.encode().len() as u64;
    let places: Vec<_> = checkpoint.places().map(|(at, image)| (at, image.shard)).collect();
    assert_eq!(places, [(head, 0), (head + len, 1023)]);
    assert_eq!(checkpoint.file_len(), head + 2 * len);
}

#[test]
fn no_turned_bit_and_no_cut_is_believed() {
    let (bytes, file_len) = (example().encode(), example().file_len());
    for len in 0..bytes.len() {
        assert!(Checkpoint::decode(&bytes[..len], file_len).is_err(), "cut at {len}");
    }
    for bit in 0..bytes.len() * 8 {
        let mut turned = bytes.clone();
        turned[bit / 8] ^= 1 << (bit % 8);
        assert!(Checkpoint::decode(&turned, file_len).is_err(), "bit {bit}");
    }
    for wrong in [file_len - 1, file_len + 1, 0, u64::MAX] {
        assert!(Checkpoint::decode(&bytes, wrong).is_err(), "a file of {wrong} bytes");
    }
}

#[test]
fn lines_that_cannot_be_are_not_believed() {
    let broken = |change: fn(&mut Checkpoint)| {
        let mut checkpoint = example();
        change(&mut checkpoint);
        assert!(matches!(decoded(&checkpoint), Err(HeaderFault::Damaged(_))), "{checkpoint:?}");
    };
    broken(|it| it.segments[1].id = 1);
    broken(|it| it.segments[0].live_bytes = 4_000_000_001);
    broken(|it| it.segments[0].len = 1 << 40);
    broken(|it| it.segments[0].records = 24);
    broken(|it| it.segments[0].max_tstamp = 1 << 63);
    broken(|it| it.segments[0].live_records = 21);
    broken(|it| it.images[1].shard = 0);
    broken(|it| it.images[1].shard = 1024);
    broken(|it| it.shards = u32::MAX);
    broken(|it| it.shards = 1);
}

/// A head whose header says something else than its tables, under right checksums.
#[test]
fn counts_that_do_not_agree_and_later_versions_are_told_apart() {
    let resealed = |change: fn(&mut [u8])| {
        let mut bytes = example().encode();
        change(&mut bytes);
        let (at, end) = (HEADER_LEN - 4, bytes.len() - 4);
        let crc = crc32fast::hash(&bytes[..at]);
        bytes[at..HEADER_LEN].copy_from_slice(&crc.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..end]);
        bytes[end..].copy_from_slice(&crc.to_le_bytes());
        Checkpoint::decode(&bytes, example().file_len())
    };
    assert_eq!(resealed(|_| {}), Ok(example()));
    assert!(matches!(resealed(|b| b[SHARDS_AT + 3] = 0xff), Err(HeaderFault::Damaged(_))));
    assert!(resealed(|b| b[SEGMENTS_AT] += 1).is_err());
    assert!(matches!(resealed(|b| b[IMAGES_AT + 2] = 0xff), Err(HeaderFault::Damaged(_))));
    assert!(matches!(resealed(|b| b[KEYS_AT] += 1), Err(HeaderFault::Damaged(_))));
    assert!(matches!(resealed(|b| b[TSTAMP_AT] += 1), Err(HeaderFault::Damaged(_))));
    assert!(matches!(resealed(|b| b[VERSION_AT] = 2), Err(HeaderFault::NeedsNewer(_))));
    assert!(matches!(resealed(|b| b[FEATURES_AT] = 1), Err(HeaderFault::NeedsNewer(_))));
    assert!(matches!(resealed(|b| b[VERSION_AT] = 0), Err(HeaderFault::Damaged(_))));
    assert!(matches!(resealed(|b| b[LEN_AT] = 79), Err(HeaderFault::Damaged(_))));
}
