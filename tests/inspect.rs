//! What the inspecting layer says of records agrees with the decoder, on every format.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::path::Path;
use std::sync::Arc;

use logkv::disk::Disk;
use logkv::disk::sim::SimDisk;
use logkv::inspect::{self, CrcState, reading};
use logkv::store::{Expiry, Location, PutOptions};
use logkv::{Error, Options, Store};
use support::{TickingClock, fixture, is_contiguous};

fn rows(store: &Store) -> Vec<inspect::RecordRow> {
    let segments = store.segments();
    segments.iter().flat_map(|s| inspect::records(store, s.id, 0).unwrap()).map(|row| row.unwrap()).collect()
}

#[test]
fn every_field_and_checksum_of_every_record_agrees_with_the_decoder() {
    let native = native_store(&SimDisk::new());
    let foreign = ["riak/riak-small", "riak/riak-tombstones", "riak/riak-edge", "logkv-go/logkv-edge"];
    let foreign = foreign.map(|name| Store::open_read_only(&fixture(name), Options::default()).unwrap());
    for store in foreign.iter().chain([&native]) {
        for row in rows(store) {
            let anatomy = inspect::anatomy(store, row.segment, row.offset).unwrap();
            is_contiguous(&anatomy);
            assert_eq!((anatomy.len, anatomy.missing), (row.len, 0));
            assert!(anatomy.sums.iter().all(inspect::SumAnatomy::holds), "{} @ {}", row.segment, row.offset);
            assert_eq!(anatomy.sums.is_empty(), row.crc == CrcState::None);
            let key = anatomy.fields.iter().find(|field| field.field.name == "key").unwrap();
            assert_eq!(key.len, row.key.as_ref().map_or(0, Vec::len) as u64);
            assert_eq!(anatomy.field_at(anatomy.len), None);
        }
    }
}

fn native_store(disk: &SimDisk) -> Store {
    let options = Options { create: true, clock: Arc::new(TickingClock::default()), seed: 3, ..Options::default() };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("data"), options).unwrap();
    store.put(b"key", b"a value").unwrap();
    let expiry = Expiry::After(std::time::Duration::from_secs(3600));
    store.put_with(b"key", b"for an hour", &PutOptions { expiry, ..PutOptions::default() }).unwrap();
    store.delete(b"key").unwrap();
    store
}

#[test]
fn the_checksum_that_a_changed_byte_breaks_is_the_one_that_covers_it() {
    let disk = SimDisk::new();
    drop(native_store(&disk));
    let file = "data/0000000001.data";
    let whole = disk.image()[Path::new(file)].clone();
    for at in 40..whole.len() as u64 {
        let changed = disk.fork();
        changed.flip_bit(file, at * 8 + 2).unwrap();
        let store = Store::open_read_only_on(Disk::reader(&changed), Path::new("data"), Options::default()).unwrap();
        let offsets = [40, 40 + 24 + 3 + 7, 40 + 34 + 32 + 3 + 11];
        let start = *offsets.iter().rev().find(|start| **start <= at).unwrap();
        let anatomy = inspect::anatomy(&store, 1, start).unwrap();
        let field = anatomy.field_at(at - start).map(|field| field.field.name).unwrap();
        for sum in &anatomy.sums {
            let covers = sum.covers.contains(&at) || sum.sum.field == field;
            // A changed length moves what follows, so nothing covered by its old place holds still.
            let moved = field == "key length" || field == "value length" || field == "flags";
            assert!(sum.holds() != covers || moved, "byte {at}, {field}, {}: {:?}", sum.sum.field, sum);
        }
    }
}

#[test]
fn a_record_that_the_file_ends_in_is_shown_as_far_as_it_goes() {
    let store = Store::open_read_only(&fixture("riak/riak-torn"), Options::default()).unwrap();
    let anatomy = inspect::anatomy(&store, 13, 17244).unwrap();
    is_contiguous(&anatomy);
    assert_eq!((anatomy.len, anatomy.missing), (26, 27));
    assert!(!anatomy.sums[0].holds());
}

#[test]
fn history_has_every_version_newest_first_and_says_why_each_is_dead() {
    use logkv::inspect::Reason;
    let disk = SimDisk::new();
    let store = native_store(&disk);
    store.put(b"key", b"back again").unwrap();
    store.put(b"other", b"not this one").unwrap();
    let versions = inspect::history(&store, b"key", &mut |_, _| std::ops::ControlFlow::Continue(())).unwrap();
    let told: Vec<_> = versions.iter().map(|version| (version.row.offset, version.reason)).collect();
    let place =
        |i: usize| logkv::store::Location { segment: 1, offset: versions[i].row.offset, len: versions[i].row.len };
    assert_eq!(told.len(), 4);
    assert_eq!(told[0].1, Reason::Live);
    assert_eq!(told[1].1, Reason::SupersededBy(place(0)), "the tombstone");
    assert_eq!(told[2].1, Reason::DeletedBy(place(1)));
    assert_eq!(told[3], (40, Reason::SupersededBy(place(2))));
}

#[test]
fn history_of_a_riak_key_agrees_with_the_oracles_records() {
    let store = Store::open_read_only(&fixture("riak/riak-multi"), Options::default()).unwrap();
    let records = support::riak_records(&fixture("riak/riak-multi.records.jsonl"));
    for key in [&b"user:00238"[..], b"order/2024/09/284"] {
        let expected: Vec<_> =
            records.iter().rev().filter(|line| line.key == key).map(|l| (l.file_id, l.offset)).collect();
        let versions = inspect::history(&store, key, &mut |_, _| std::ops::ControlFlow::Continue(())).unwrap();
        let found: Vec<_> = versions.iter().map(|version| (version.row.segment, version.row.offset)).collect();
        assert_eq!(found, expected);
        assert!(found.len() > 1);
    }
}

#[test]
fn a_segment_file_under_any_name_is_shown_alone() {
    let scratch = tempfile::tempdir().unwrap();
    let from = fixture("riak/riak-multi/8.bitcask.data");
    for name in ["8.bitcask.data", "copy of a segment"] {
        let path = scratch.path().join(name);
        std::fs::copy(&from, &path).unwrap();
        std::fs::write(scratch.path().join("9.bitcask.data"), b"never opened").unwrap();
        let (store, id) = inspect::open_file(Arc::new(logkv::disk::RealDisk), &path, Options::default()).unwrap();
        let whole = Store::open_read_only(&fixture("riak/riak-multi"), Options::default()).unwrap();
        assert_eq!(inspect::records(&store, id, 0).unwrap().count(), inspect::records(&whole, 8, 0).unwrap().count());
        assert_eq!(store.segments().len(), 1);
        assert_eq!(store.directory_findings().unwrap(), []);
    }
}

#[test]
fn an_offset_behind_the_end_has_an_anatomy_of_nothing() {
    let store = native_store(&SimDisk::new());
    for offset in [1 << 20, u64::MAX - 3, u64::MAX] {
        let anatomy = inspect::anatomy(&store, 1, offset).unwrap();
        assert_eq!((anatomy.len, anatomy.sums.len()), (0, 0), "{offset}");
    }
}

#[test]
fn a_value_is_whole_only_if_its_record_holds() {
    let disk = SimDisk::new();
    let options = Options { create: true, ..Options::default() };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("data"), options).unwrap();
    let old = store.put(b"key", b"the old value").unwrap().location;
    let gone = store.put(b"key", b"the new value").unwrap().location;
    let tombstone = store.delete(b"key").unwrap().unwrap().location;
    let whole = |key: &[u8], at: Location| reading::whole_value(&store, key, at.segment, at.offset);
    assert_eq!(whole(b"key", old).unwrap(), b"the old value");
    assert_eq!(whole(b"key", gone).unwrap(), b"the new value");

    let placed = reading::placed(&store, b"key", old.segment, old.offset).unwrap();
    assert_eq!((placed.raw_len, placed.stored_len), (13, 13));
    assert_eq!(reading::window(&store, &placed, 4, 3).unwrap(), b"old");
    assert_eq!(reading::window(&store, &placed, 8, 1 << 30).unwrap(), b"value", "no further than the value goes");
    assert_eq!(reading::window(&store, &placed, 99, 9).unwrap(), b"");

    for (key, at) in [(&b"other"[..], old), (b"key", tombstone), (b"key", Location { offset: old.offset + 1, ..old })] {
        assert!(matches!(whole(key, at), Err(Error::Damaged { .. })), "{:?} at {at:?}", whole(key, at));
    }
    disk.flip_bit("data/0000000001.data", (old.offset + old.len - 1) * 8).unwrap();
    assert!(matches!(whole(b"key", old), Err(Error::Damaged { .. })));
    assert!(reading::placed(&store, b"key", old.segment, old.offset).is_ok(), "where it lies is not in doubt");
    disk.truncate("data/0000000001.data", gone.offset + gone.len - 1).unwrap();
    assert!(matches!(whole(b"key", gone), Err(Error::Damaged { .. })));
}
