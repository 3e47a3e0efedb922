#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::disk::sim::SimDisk;
use crate::format::{Covered, ShardImage};

fn example() -> Vec<u8> {
    let image = |shard, words, bytes: &[u8]| ShardImage {
        shard,
        words,
        keys: 1,
        crc: crc32fast::hash(bytes),
        ..ShardImage::default()
    };
    let images: [&[u8]; 2] = [&[7; 16], &[9; 24]];
    let segment = Covered { id: 3, len: 99, records: 2, live_records: 2, live_bytes: 50, ..Covered::default() };
    let checkpoint = Checkpoint {
        seed: 5,
        shards: 64,
        expired: 0,
        written: 1,
        segments: vec![segment],
        images: vec![image(1, 2, images[0]), image(9, 3, images[1])],
    };
    [&checkpoint.encode()[..], images[0], images[1]].concat()
}

fn opened(bytes: &[u8]) -> CheckpointFile {
    let disk = SimDisk::from_files([("KEYDIR", bytes)]).unwrap();
    CheckpointFile::open(&disk, Path::new("KEYDIR")).unwrap()
}

fn parts(file: &CheckpointFile) -> Vec<(&'static str, u64)> {
    file.rows().map(|row| (row.part.name(), row.len)).collect()
}

#[test]
fn every_part_has_a_row_and_every_checksum_is_computed() {
    let file = opened(&example());
    let expected = [
        ("header", 80),
        ("segment", 56),
        ("shard", 36),
        ("shard", 36),
        ("tables crc", 4),
        ("image", 16),
        ("image", 24),
    ];
    assert_eq!(parts(&file), expected);
    assert_eq!(file.fault().unwrap(), None);
    let sums: Vec<Vec<bool>> =
        file.rows().map(|row| file.anatomy(&row).unwrap().sums.iter().map(SumAnatomy::holds).collect()).collect();
    let one = || vec![true];
    assert_eq!(sums, [one(), vec![], one(), one(), one(), vec![], vec![]]);
}

#[test]
fn a_damaged_image_is_told_by_its_line_and_a_damaged_table_by_the_head() {
    let mut bytes = example();
    *bytes.last_mut().unwrap() ^= 1;
    let file = opened(&bytes);
    let shards: Vec<_> = file.rows().filter(|row| row.part == CheckpointPart::Shard).collect();
    assert!(file.anatomy(&shards[0]).unwrap().sums[0].holds());
    assert!(!file.anatomy(&shards[1]).unwrap().sums[0].holds());
    assert!(matches!(file.fault().unwrap(), Some(HeaderFault::Damaged(Check::FileChecksum { .. }))));
    let mut bytes = example();
    bytes[90] ^= 1;
    assert!(matches!(opened(&bytes).fault().unwrap(), Some(HeaderFault::Damaged(_))));
}

#[test]
fn the_rows_of_any_bytes_fill_the_file() {
    let bytes = example();
    let mut cases: Vec<Vec<u8>> = (0..bytes.len()).map(|len| bytes[..len].to_vec()).collect();
    for at in 0..bytes.len() {
        let mut turned = bytes.clone();
        turned[at] = !turned[at];
        cases.push(turned);
    }
    for case in cases {
        let file = opened(&case);
        let mut next = 0;
        for row in file.rows() {
            assert_eq!(row.offset, next, "{row:?} of {case:?}");
            assert!(file.anatomy(&row).unwrap().len <= row.len.max(80));
            next += row.len;
        }
        assert_eq!(next, case.len() as u64);
        assert!(file.fault().unwrap().is_some(), "{case:?}");
    }
}
