//! Reading through maps: the same bytes as by plain reads, whatever happened to the files meanwhile.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::thread;

use logkv::store::{MergeChoice, MergeControl, Options, Store, SyncPolicy};

const KEYS: u32 = 600;

fn options(mapped_reads: bool) -> Options {
    let sync = SyncPolicy::Buffered;
    Options { create: true, sync, max_segment_bytes: 4096, mapped_reads, ..Options::default() }
}

fn value(key: u32, round: u32) -> Vec<u8> {
    vec![key as u8 ^ round as u8; (key % 90) as usize]
}

fn fill(store: &Store, round: u32) {
    for key in 0..KEYS {
        store.put(&key.to_le_bytes(), &value(key, round)).unwrap();
        // What was just appended, and something older.
        for seen in [key, key / 2] {
            let found = store.get_with(&seen.to_le_bytes(), |bytes, _| bytes.to_vec()).unwrap().found;
            assert_eq!(found, Some(value(seen, round)), "key {seen} of round {round}");
        }
    }
}

fn same(store: &Store, round: u32) {
    for key in 0..KEYS {
        let answer = store.get(&key.to_le_bytes()).unwrap();
        assert_eq!(answer.value(), Some(&value(key, round)[..]), "key {key} of round {round}");
    }
}

fn merge_all(store: &Store) {
    store.merge(&MergeChoice::All, &MergeControl::default()).unwrap();
}

fn through(dir: &Path, mapped: bool) {
    let store = Store::open(dir, options(mapped)).unwrap();
    fill(&store, 1);
    store.sync().unwrap();
    same(&store, 1);
    fill(&store, 2);
    merge_all(&store);
    same(&store, 2);
    fill(&store, 3);
    store.close().unwrap();
    let store = Store::open(dir, options(mapped)).unwrap();
    same(&store, 3);
    merge_all(&store);
    same(&store, 3);
    fill(&store, 4);
    same(&store, 4);
}

#[test]
fn values_are_the_same_through_maps_after_rotation_merge_and_reopening() {
    for mapped in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        through(dir.path(), mapped);
    }
}

#[test]
fn bytes_that_are_shown_stay_while_a_merge_takes_their_file_away() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), options(true)).unwrap();
    fill(&store, 1);
    let key = 77u32.to_le_bytes();
    let seen = store.get_with(&key, |bytes, _| {
        let before = bytes.to_vec();
        thread::scope(|scope| scope.spawn(|| merge_all(&store)).join().unwrap());
        (before, bytes.to_vec())
    });
    let (before, after) = seen.unwrap().found.unwrap();
    assert_eq!((before, after), (value(77, 1), value(77, 1)));
}

#[test]
fn readers_find_what_writers_append_while_segments_are_sealed_under_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), options(true)).unwrap();
    fill(&store, 0);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            (1..20).for_each(|round| {
                (0..KEYS).for_each(|key| assert!(store.put(&key.to_le_bytes(), &value(key, round)).is_ok()));
            })
        });
        let mut looked = 0u32;
        while !writer.is_finished() || looked < KEYS {
            let key = looked % KEYS;
            let found = store.get(&key.to_le_bytes()).unwrap().into_value().unwrap();
            assert!((0..20).any(|round| found == value(key, round)), "key {key}");
            looked += 1;
        }
        writer.join().unwrap();
    });
    same(&store, 19);
}
