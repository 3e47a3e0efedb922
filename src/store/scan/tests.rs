//! Walks over segments written by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;

use super::*;
use crate::disk::ReadDisk;
use crate::disk::sim::SimDisk;
use crate::format::record::{FILE_HEADER_LEN, HEADER_LEN, Native, NewRecord, encode, encode_file_header};
use crate::format::{Kind, Origin};

const SALT: u32 = 77;

fn segment(values: &[&[u8]]) -> (Vec<u8>, Vec<u64>) {
    let mut bytes = Vec::new();
    encode_file_header(1, SALT, 0, Origin::Puts, &mut bytes);
    let mut starts = Vec::new();
    for (i, value) in values.iter().enumerate() {
        starts.push(bytes.len() as u64);
        encode(&NewRecord::put(&[b'k', i as u8], value, i as u64), SALT, bytes.len() as u64, &mut bytes);
    }
    (bytes, starts)
}

fn scanner(bytes: &[u8]) -> Scanner {
    let disk = SimDisk::from_files([("segment", bytes)]).unwrap();
    let file = disk.open_read(Path::new("segment")).unwrap();
    let header = Native.file_header(bytes).unwrap();
    Scanner::new(file, &Native, header, FILE_HEADER_LEN as u64, bytes.len() as u64)
}

/// Offset, length, and whether it is a record that holds. Checks invariant 1 on the way.
fn walk(mut scan: Scanner) -> Vec<(u64, u64, bool)> {
    let (mut items, mut at) = (Vec::new(), scan.position());
    while let Some(item) = scan.next_item().unwrap() {
        assert_eq!(item.offset, at, "items are contiguous");
        at += item.len;
        items.push((item.offset, item.len, matches!(item.what, What::Record(_, Ok(())))));
    }
    assert_eq!(at, scan.end, "the last item ends at the end");
    items
}

#[test]
fn every_flipped_byte_costs_its_own_record_and_no_other() {
    let (bytes, starts) = segment(&[b"first", b"", b"the third value", b"4"]);
    for at in FILE_HEADER_LEN..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        let good: Vec<u64> = walk(scanner(&damaged)).into_iter().filter(|item| item.2).map(|item| item.0).collect();
        let hit = *starts.iter().rev().find(|start| **start <= at as u64).unwrap();
        let others: Vec<u64> = starts.iter().copied().filter(|start| *start != hit).collect();
        assert_eq!(good, others, "byte {at}");
    }
}

#[test]
fn values_and_gaps_longer_than_the_window_are_walked_in_pieces() {
    let long = vec![7; 3 * WINDOW + 11];
    let (bytes, starts) = segment(&[b"before", &long, b"after"]);
    let scan = walk(scanner(&bytes));
    assert_eq!(
        scan.iter().map(|item| (item.0, item.2)).collect::<Vec<_>>(),
        starts.iter().map(|at| (*at, true)).collect::<Vec<_>>()
    );

    let mut damaged = bytes.clone();
    damaged[starts[1] as usize + 2 * WINDOW] ^= 1;
    assert_eq!(walk(scanner(&damaged)).iter().map(|item| item.2).collect::<Vec<_>>(), [true, false, true]);
    let mut scan = scanner(&damaged);
    scan.next_item().unwrap();
    let item = scan.next_item().unwrap().unwrap();
    let What::Record(record, Err(Check::ValueChecksum { .. })) = item.what else { panic!("{:?}", item.what) };
    assert_eq!(record.key, b"k\x01", "the key of a damaged value is known");

    let mut headless = bytes;
    headless[starts[1] as usize] ^= 1;
    let items = walk(scanner(&headless));
    assert_eq!(
        items.iter().map(|item| (item.0, item.2)).collect::<Vec<_>>(),
        [(starts[0], true), (starts[1], false), (starts[2], true)]
    );
}

#[test]
fn a_segment_that_was_stored_as_a_value_does_not_come_back_to_life() {
    let (inner, _) = segment(&[b"of another life", b"and another"]);
    let (bytes, starts) = segment(&[b"before", &inner, b"after"]);
    let mut damaged = bytes;
    damaged[starts[1] as usize] ^= 1;
    let good: Vec<u64> = walk(scanner(&damaged)).into_iter().filter(|item| item.2).map(|item| item.0).collect();
    assert_eq!(good, [starts[0], starts[2]], "same salt, other offsets: its records decode nowhere else");
}

#[test]
fn past_its_budget_the_search_gives_the_rest_up_as_one_gap() {
    let (mut bytes, starts) = segment(&[b"first", &[0xee; 500], b"last"]);
    bytes[starts[1] as usize] ^= 1;
    let mut poor = scanner(&bytes);
    poor.budget = 100;
    let rest = bytes.len() as u64 - starts[1];
    assert_eq!(walk(poor), [(starts[0], starts[1] - starts[0], true), (starts[1], rest, false)]);
    assert_eq!(walk(scanner(&bytes)).len(), 3);
}

#[test]
fn a_walk_may_begin_anywhere_and_finds_the_next_record() {
    let (bytes, starts) = segment(&[b"first", b"second", b"third"]);
    let mut scan = scanner(&bytes);
    scan.pos = starts[1] - 3;
    assert_eq!(walk(scan)[0], (starts[1] - 3, 3, false));
}

#[test]
fn a_record_cut_off_inside_its_value_still_says_whose_it_is() {
    let (bytes, starts) = segment(&[b"first", b"second"]);
    for len in starts[1] + HEADER_LEN as u64 + 2..bytes.len() as u64 {
        let mut scan = scanner(&bytes[..len as usize]);
        assert!(scan.next_item().unwrap().is_some());
        let item = scan.next_item().unwrap().unwrap();
        let What::Record(record, Err(Check::PastEnd { missing })) = item.what else { panic!("{:?}", item.what) };
        assert_eq!((record.key, item.len, missing), (&[b'k', 1][..], len - starts[1], bytes.len() as u64 - len));
    }
}

#[test]
fn gaps_say_whether_they_are_zeros_and_whether_a_record_was_cut_short() {
    let (bytes, starts) = segment(&[b"first", b"second"]);
    let gap_of = |bytes: &[u8]| {
        let mut scan = scanner(bytes);
        while let Some(item) = scan.next_item().unwrap() {
            if let What::Gap(gap) = item.what {
                return gap;
            }
        }
        panic!("no gap")
    };
    let whole_header = starts[1] + HEADER_LEN as u64 + 2;
    for len in starts[1] + 1..whole_header {
        let gap = gap_of(&bytes[..len as usize]);
        assert!(gap.cut_short && gap.reaches_end && !gap.zeros, "cut at {len}: {gap:?}");
    }
    let mut zeros = bytes.clone();
    zeros.resize(bytes.len() + 70, 0);
    assert!(gap_of(&zeros).zeros);
    let mut middle = bytes;
    middle[starts[0] as usize..starts[1] as usize].fill(0);
    let gap = gap_of(&middle);
    assert!(!gap.zeros && !gap.reaches_end, "{gap:?}");
}

#[test]
fn without_value_checks_a_damaged_value_passes_and_a_damaged_header_does_not() {
    let (mut bytes, starts) = segment(&[b"first", b"second"]);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert_eq!(
        walk(scanner(&bytes).without_value_checks()).last().unwrap(),
        &(starts[1], bytes.len() as u64 - starts[1], true)
    );
    bytes[starts[1] as usize + 9] ^= 1;
    assert!(!walk(scanner(&bytes).without_value_checks()).last().unwrap().2);
}

#[test]
fn an_unreadable_place_is_an_error_and_not_a_gap() {
    let (bytes, starts) = segment(&[&[1; 100], &[2; 100]]);
    let disk = SimDisk::from_files([("segment", bytes.as_slice())]).unwrap();
    disk.fail_reads_at("segment", starts[1] + 30..starts[1] + 31).unwrap();
    let header = Native.file_header(&bytes).unwrap();
    let file = disk.open_read(Path::new("segment")).unwrap();
    let mut scan = Scanner::new(file, &Native, header, FILE_HEADER_LEN as u64, bytes.len() as u64);
    while let Ok(item) = scan.next_item() {
        let item = item.expect("an error before the end");
        assert!(matches!(item.what, What::Record(Record { kind: Kind::Put, .. }, Ok(()))));
    }
}
