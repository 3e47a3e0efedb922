//! File headers, hints and searches through segments say what the decoder says, on every format, and of hostile bytes
//! too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use logkv::disk::Disk;
use logkv::disk::sim::SimDisk;
use logkv::format::{Check, Kind};
use logkv::inspect::hint::Standing;
use logkv::inspect::{self, Found, HintFile, HintPart, HintRow, RecordRow, RowKind, RowState, Sought};
use logkv::{Options, Store};
use proptest::prelude::*;
use support::{TickingClock, fixture, is_contiguous};

const DATA: &str = "data/0000000001.data";
const HINT: &str = "data/0000000001.hint";

/// A native store of several segments, closed, so that all of them have hints.
fn native() -> SimDisk {
    let disk = SimDisk::new();
    let (clock, max_segment_bytes) = (Arc::new(TickingClock::default()), 700);
    let options = Options { create: true, clock, seed: 3, max_segment_bytes, ..Options::default() };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("data"), options).unwrap();
    for n in 0..60_u32 {
        let key = (n % 7).to_be_bytes();
        match n % 5 {
            4 => drop(store.delete(&key).unwrap()),
            _ => drop(store.put(&key, &vec![1; n as usize]).unwrap()),
        }
    }
    store.close().unwrap();
    disk
}

fn open(disk: &SimDisk) -> Store {
    Store::open_read_only_on(Disk::reader(disk), Path::new("data"), Options::default()).unwrap()
}

fn foreign(name: &str) -> Store {
    Store::open_read_only(&fixture(name), Options::default()).unwrap()
}

fn rows(store: &Store, segment: u64) -> Vec<RecordRow> {
    inspect::records(store, segment, 0).unwrap().map(|row| row.unwrap()).collect()
}

// ---- File headers ---------------------------------------------------------------------------------------------------

#[test]
fn a_file_header_has_its_fields_and_its_checksum_holds() {
    let store = open(&native());
    let row = inspect::header_row(&store, 1).unwrap().unwrap();
    assert_eq!((row.kind, row.state, row.offset, row.len), (RowKind::Header, RowState::Header, 0, 40));
    let anatomy = inspect::file_header_anatomy(&store, 1).unwrap();
    is_contiguous(&anatomy);
    let value = |name: &str| anatomy.fields.iter().find(|field| field.field.name == name).unwrap().value.clone();
    assert_eq!((value("magic"), value("segment id"), value("origin")), ("LOGKVSEG".into(), "1".into(), "puts".into()));
    assert_eq!((anatomy.len, anatomy.sums.len(), anatomy.sums[0].covers.clone()), (40, 1, 0..36));
    assert!(anatomy.sums[0].holds());
    assert_eq!(inspect::header_row(&foreign("riak/riak-small"), 1).unwrap(), None);
}

#[test]
fn any_flipped_bit_of_a_file_header_is_told_and_the_records_behind_it_can_be_looked_at() {
    let disk = native();
    let all = rows(&open(&disk), 1);
    for bit in 0..40 * 8 {
        let changed = disk.fork();
        changed.flip_bit(DATA, bit).unwrap();
        let store = open(&changed);
        assert_eq!(store.unloaded(), [1]);
        let row = inspect::header_row(&store, 1).unwrap().unwrap();
        assert!(row.state == RowState::Damaged && row.check.is_some(), "bit {bit}: {row:?}");
        let anatomy = inspect::file_header_anatomy(&store, 1).unwrap();
        assert_eq!((anatomy.len, anatomy.sums[0].holds()), (40, false), "bit {bit}");
        let (found, salt) = (rows(&store, 1), 16 * 8..20 * 8);
        if !salt.contains(&bit) {
            let places = |rows: &[RecordRow]| rows.iter().map(|row| (row.offset, row.key.clone())).collect::<Vec<_>>();
            assert_eq!(places(&found), places(&all), "bit {bit}");
            assert!(found.iter().all(|row| row.state == RowState::Unknown || row.kind == RowKind::Record(Kind::Mark)));
        }
    }
}

// ---- Hints ----------------------------------------------------------------------------------------------------------

fn hint_rows(hint: &HintFile) -> Vec<HintRow> {
    hint.rows_from(0).map(|row| row.unwrap()).collect()
}

fn never() -> impl Fn() -> bool {
    || false
}

#[test]
fn a_hint_has_a_row_for_each_record_and_says_where_it_is() {
    let stores = [open(&native()), foreign("riak/riak-multi"), foreign("riak/riak-tombstones")];
    for store in &stores {
        let mut hints = 0;
        for segment in store.segments() {
            let Some(hint) = HintFile::open(store, segment.id).unwrap() else { continue };
            hints += 1;
            assert_eq!(hint.standing(&never()).unwrap(), Some(Standing::Holds));
            let told = hint_rows(&hint).into_iter().filter(|row| row.part == HintPart::Entry);
            let told: Vec<_> = told.map(|row| (row.points_at.unwrap(), row.key, row.kind.unwrap())).collect();
            let records = rows(store, segment.id).into_iter().filter(|row| row.kind != RowKind::Record(Kind::Mark));
            let there = records.map(|row| match row.kind {
                RowKind::Record(kind) => (row.offset..row.offset + row.len, row.key, kind),
                kind => panic!("{kind:?}"),
            });
            assert_eq!(told, there.collect::<Vec<_>>());
        }
        assert!(hints > 1);
    }
}

#[test]
fn every_byte_of_a_hint_belongs_to_a_row_and_to_a_field_of_it() {
    for store in [open(&native()), foreign("riak/riak-multi")] {
        let id = store.segments()[0].id;
        let hint = HintFile::open(&store, id).unwrap().unwrap();
        let mut at = 0;
        for row in hint_rows(&hint) {
            assert_eq!(row.offset, at);
            at += row.len;
            let anatomy = hint.anatomy(row.part, row.offset, row.len).unwrap();
            is_contiguous(&anatomy);
            assert_eq!((anatomy.len, anatomy.offset), (row.len, row.offset), "{row:?}");
            assert_eq!(
                anatomy.sums.iter().filter(|sum| sum.holds()).count(),
                usize::from(row.part == HintPart::Closing)
            );
        }
        assert_eq!(at, hint.len());
    }
}

#[test]
fn a_hint_that_is_missing_damaged_stale_or_longer_than_the_data_says_so() {
    let disk = native();
    let standing = |disk: &SimDisk| {
        let hint = HintFile::open(&open(disk), 1).unwrap();
        hint.map(|hint| hint.standing(&never()).unwrap().unwrap())
    };
    let changed = |change: &dyn Fn(&SimDisk)| {
        let fork = disk.fork();
        change(&fork);
        standing(&fork)
    };
    let len = |file: &str| disk.image()[Path::new(file)].len() as u64;
    assert_eq!(standing(&disk), Some(Standing::Holds));
    assert_eq!(changed(&|disk| disk.delete(HINT).unwrap()), None);
    for bit in 0..len(HINT) * 8 {
        let damaged = changed(&|disk| disk.flip_bit(HINT, bit).unwrap());
        assert!(matches!(damaged, Some(Standing::Damaged(_))), "bit {bit}: {damaged:?}");
    }
    let stale = changed(&|disk| {
        let other = disk.image()[Path::new("data/0000000002.hint")].to_vec();
        disk.delete(HINT).unwrap();
        disk.insert(HINT, other).unwrap();
    });
    assert_eq!(stale, Some(Standing::OtherFile));
    let (covers, has) = (len(DATA), len(DATA) - 30);
    assert_eq!(changed(&|disk| disk.truncate(DATA, has).unwrap()), Some(Standing::Beyond { covers, has }));
    let short = disk.fork();
    short.truncate(DATA, has).unwrap();
    let rows = hint_rows(&HintFile::open(&open(&short), 1).unwrap().unwrap());
    let beyond: Vec<_> = rows.iter().filter(|row| row.points_at.as_ref().is_some_and(|at| at.end > has)).collect();
    assert!(!beyond.is_empty() && beyond.iter().all(|row| matches!(row.check, Some(Check::PastEnd { .. }))));
    let last = rows.iter().filter_map(|row| row.points_at.clone()).map(|at| at.end).max().unwrap();
    assert_eq!(beyond.last().unwrap().check, Some(Check::PastEnd { missing: last - has }));
}

proptest! {
    #[test]
    fn any_bytes_are_a_hint_that_can_be_looked_at(
        bytes in proptest::collection::vec(any::<u8>(), 0..400), keep in 0..400_usize, at in 0..400_usize,
    ) {
        let disk = native();
        let mut hint = disk.image()[Path::new(HINT)].to_vec();
        // Hostile bytes behind the beginning of a good one, and in the middle of it.
        hint.truncate(keep);
        let at = at.min(hint.len());
        hint.splice(at..at, bytes);
        disk.delete(HINT).unwrap();
        disk.insert(HINT, hint).unwrap();
        let store = open(&disk);
        let hint = HintFile::open(&store, 1).unwrap().unwrap();
        let rows = hint_rows(&hint);
        prop_assert_eq!(rows.iter().map(|row| row.len).sum::<u64>(), hint.len());
        for row in rows {
            is_contiguous(&hint.anatomy(row.part, row.offset, row.len).unwrap());
        }
        hint.standing(&never()).unwrap();
    }
}

// ---- Searches -------------------------------------------------------------------------------------------------------

/// Every place of the store that is sought, in the order of the log.
fn places(store: &Store, is_it: impl Fn(&RecordRow) -> bool) -> Vec<(u64, u64)> {
    let ids = store.segments().into_iter().map(|segment| segment.id);
    let rows = ids.flat_map(|id| rows(store, id)).filter(|row| is_it(row));
    rows.map(|row| (row.segment, row.offset)).collect()
}

fn seek(store: &Store, from: (u64, u64), forward: bool, sought: &Sought) -> Option<Found> {
    inspect::seek(store, from, forward, sought, &mut |_, _| ControlFlow::Continue(())).unwrap()
}

fn agrees(store: &Store, sought: &Sought, hits: &[(u64, u64)]) {
    for from in places(store, |_| true) {
        let after = hits.iter().find(|hit| **hit > from);
        let around = hits.first().filter(|hit| **hit < from);
        let expected = after.or(around).map(|hit| (*hit, after.is_none()));
        let found = seek(store, from, true, sought).map(|found| ((found.segment, found.offset), found.wrapped));
        assert_eq!(found, expected, "{sought:?} after {from:?}");
        let before = hits.iter().rev().find(|hit| **hit < from);
        let around = hits.last().filter(|hit| **hit > from);
        let expected = before.or(around).map(|hit| (*hit, before.is_none()));
        let found = seek(store, from, false, sought).map(|found| ((found.segment, found.offset), found.wrapped));
        assert_eq!(found, expected, "{sought:?} before {from:?}");
    }
}

#[test]
fn the_next_and_the_previous_one_are_those_of_a_list_of_all_records() {
    let disk = native();
    // One bit in a value, and one in a length.
    disk.flip_bit("data/0000000002.data", 8 * 75).unwrap();
    disk.flip_bit("data/0000000003.data", 8 * 52).unwrap();
    let native = open(&disk);
    assert!(native.segments().len() > 3);
    let riak = foreign("riak/riak-tombstones");
    let go = foreign("logkv-go/logkv-edge");
    for store in [&native, &riak, &go] {
        let is_damage = |row: &RecordRow| matches!(row.state, RowState::Damaged | RowState::Torn);
        agrees(store, &Sought::Damage, &places(store, is_damage));
        let is_tombstone = |row: &RecordRow| row.kind == RowKind::Record(Kind::Tombstone);
        agrees(store, &Sought::Tombstone, &places(store, is_tombstone));
        let key = places(store, |row| row.key.is_some());
        let (segment, offset) = key[key.len() / 2];
        let key = rows(store, segment).into_iter().find(|row| row.offset == offset).unwrap().key.unwrap();
        agrees(store, &Sought::Version(key.clone()), &places(store, |row| row.key.as_ref() == Some(&key)));
    }
}

#[test]
fn a_search_reads_no_segment_whose_filter_denies_the_key() {
    let disk = native();
    let store = open(&disk);
    let from = (1, 40);
    assert_eq!(seek(&store, from, true, &Sought::Version(b"nowhere".to_vec())), None);
    let denied = store.segments().iter().filter(|info| store.hint_denies(info.id, b"nowhere")).count();
    assert!(denied + 1 >= store.segments().len(), "{denied}: one wrong maybe in a hundred is allowed");
    assert!(store.segments().iter().all(|info| {
        let keys = rows(&store, info.id).into_iter().filter_map(|row| row.key);
        keys.into_iter().all(|key| !store.hint_denies(info.id, &key))
    }));
}

#[test]
fn a_damaged_file_header_is_found_as_damage() {
    let disk = native();
    disk.flip_bit("data/0000000002.data", 5).unwrap();
    let store = open(&disk);
    let found = seek(&store, (1, 40), true, &Sought::Damage);
    assert_eq!(found, Some(Found { segment: 2, offset: 0, wrapped: false }));
}

#[test]
fn a_search_that_is_stopped_finds_nothing() {
    let disk = native();
    disk.flip_bit("data/0000000003.data", 8 * 75).unwrap();
    let store = open(&disk);
    assert_eq!(seek(&store, (1, 40), true, &Sought::Damage).map(|found| found.segment), Some(3));
    let stopped = inspect::seek(&store, (1, 40), true, &Sought::Damage, &mut |_, _| ControlFlow::Break(()));
    assert_eq!(stopped.unwrap(), None);
}
