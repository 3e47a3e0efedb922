//! Values that are compressed, on every way that a value can take: back to whoever put it, through reopening with and
//! without a hint, through a merge, to a reader in another process, and into the pieces that the inspecting layer shows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use logkv::disk::Disk;
use logkv::disk::sim::SimDisk;
use logkv::format::{Check, Codec};
use logkv::inspect::{self, reading};
use logkv::store::{Batch, Compression, Entry, MergeChoice, MergeControl, Severity, SyncPolicy};
use logkv::{Error, Options, Store};

const DIR: &str = "/data";

fn options(compression: Compression) -> Options {
    Options { create: true, compression, max_segment_bytes: 4000, threads: 1, seed: 3, ..Options::default() }
}

fn open(disk: &SimDisk, compression: Compression) -> Store {
    Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(compression)).unwrap()
}

/// Text that repeats itself, of so many bytes.
fn text(len: usize) -> Vec<u8> {
    b"the same words, again and again; ".iter().copied().cycle().take(len).collect()
}

/// Lengths around the smallest that is compressed, and well beyond a segment.
const LENS: [usize; 8] = [0, 1, 63, 64, 65, 1000, 5000, 100_000];

fn key(len: usize) -> Vec<u8> {
    format!("key of {len:06}").into_bytes()
}

fn all_are_there(store: &Store, what: &str) {
    let keys: Vec<Vec<u8>> = LENS.iter().map(|len| key(*len)).collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let many = store.get_many(&keys);
    for ((len, key), answer) in LENS.iter().zip(&keys).zip(many) {
        let found = answer.unwrap().found.unwrap_or_else(|| panic!("{what}: {len}"));
        assert!(found.value == text(*len), "{what}: {len}");
        assert_eq!(store.get(key).unwrap().found.as_ref(), Some(&found), "{what}: {len}");
        let entry = store.entry(key).unwrap();
        assert_eq!(store.value_len(&entry).unwrap(), *len as u64, "{what}");
        let is_compressed = *len >= 64;
        assert_eq!(
            (entry.codec == Codec::Lz4, entry.stored_len < *len as u64),
            (is_compressed, is_compressed),
            "{what}"
        );
        pieces_are_right(store, key, &entry, *len, what);
    }
    let report = inspect::verify(store, &mut |_, _| std::ops::ControlFlow::Continue(())).unwrap();
    assert!(report.findings.iter().all(|finding| finding.severity == Severity::Note), "{what}: {report:?}");
}

fn pieces_are_right(store: &Store, key: &[u8], entry: &Entry, len: usize, what: &str) {
    let (segment, offset) = (entry.location.segment, entry.location.offset);
    let placed = reading::placed(store, key, segment, offset).unwrap();
    assert_eq!((placed.raw_len, placed.stored_len), (len as u64, entry.stored_len), "{what}");
    let head = reading::window(store, &placed, 0, 40).unwrap();
    assert!(text(len).starts_with(&head), "{what}: {len}");
    assert!(reading::whole_value(store, key, segment, offset).unwrap() == text(len), "{what}: {len}");
}

#[test]
fn a_compressed_value_comes_back_whichever_way_it_went() {
    let policies = [SyncPolicy::Always, SyncPolicy::Interval(Duration::from_secs(3600)), SyncPolicy::Buffered];
    for sync in policies {
        let disk = SimDisk::new();
        let options = Options { sync, ..options(Compression::Lz4) };
        let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options).unwrap();
        let mut batch = Batch::new();
        for (i, len) in LENS.into_iter().enumerate() {
            match i % 2 {
                0 => drop(store.put(&key(len), &text(len)).unwrap()),
                _ => batch.put(&key(len), &text(len)).unwrap(),
            }
        }
        store.write(&batch).unwrap();
        all_are_there(&store, "as written");
        assert!(store.put_many(&batch).unwrap().iter().all(Result::is_ok));
        all_are_there(&store, "each for itself");
        store.sync().unwrap();
        let reader = Store::open_read_only_on(disk.reader(), Path::new(DIR), self::options(Compression::None)).unwrap();
        all_are_there(&reader, "a reader");
        store.put(&key(5000), &text(5000)).unwrap();
        store.sync().unwrap();
        assert_eq!(reader.refresh().unwrap().records, 1);
        all_are_there(&reader, "a reader that follows");
        let killed = disk.fork().kill();
        store.close().unwrap();

        let store = open(&killed, Compression::None);
        all_are_there(&store, "without a hint of the last segment");
        drop(store);
        let store = open(&disk, Compression::None);
        all_are_there(&store, "with hints, by a store that compresses nothing");
        assert!(store.merge(&MergeChoice::All, &MergeControl::default()).unwrap().is_some());
        all_are_there(&store, "merged");
        drop(store);
        all_are_there(&open(&disk, Compression::None), "merged and opened again");
    }
}

#[test]
fn without_a_word_values_are_stored_as_they_are() {
    assert_eq!(Options::default().compression, Compression::None);
    let disk = SimDisk::new();
    let store = open(&disk, Compression::None);
    let len = store.put(b"k", &text(1000)).unwrap().location.len;
    assert_eq!((len, store.entry(b"k").unwrap().codec), (24 + 1 + 1000, Codec::Raw));
    let image = disk.image();
    assert!(image.values().any(|bytes| bytes.windows(1000).any(|window| window == text(1000))), "legible in the file");
    drop(store);
    let store = open(&disk, Compression::Lz4);
    assert!(store.put(b"k", &text(1000)).unwrap().location.len < 200);
    assert_eq!(store.get(b"k").unwrap().into_value().unwrap(), text(1000));
}

#[test]
fn one_damaged_bit_of_a_compressed_value_is_an_error_and_never_another_value() {
    let disk = SimDisk::new();
    let store = open(&disk, Compression::Lz4);
    let at = store.put(b"k", &text(500)).unwrap().location;
    // It says that all before it was durable, so that what is wrong there is damage and no unsynced end.
    store.put(b"after", b"").unwrap();
    let image = disk.kill();
    drop(store);
    for byte in at.offset + 25..at.offset + at.len {
        let disk = image.fork();
        disk.flip_bit("/data/0000000001.data", byte * 8 + byte % 8).unwrap();
        let store = Store::open_read_only_on(disk.reader(), Path::new(DIR), options(Compression::None)).unwrap();
        let error = store.get(b"k").expect_err("no value");
        let Error::Damaged { check, .. } = error else { panic!("{error}") };
        assert!(matches!(check, Check::ValueChecksum { .. }), "{check:?}");
    }
}
