//! Copies of a store that goes on: what a snapshot shows, what it shares, and what a restore gives back and refuses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

#[path = "snapshot/crash.rs"]
mod crash;
#[path = "snapshot/hostile.rs"]
mod hostile;
#[path = "snapshot/merging.rs"]
mod merging;
#[path = "snapshot/moment.rs"]
mod moment;
#[path = "snapshot/restoring.rs"]
mod restoring;
#[path = "snapshot/sharing.rs"]
mod sharing;
mod support;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use logkv::disk::Disk;
use logkv::disk::sim::SimDisk;
use logkv::store::{Severity, SyncPolicy};
use logkv::transfer::{self, RestoreOptions, Restored, Snapshot, SnapshotOptions};
use logkv::{Options, Result, Store};
use support::TickingClock;

const DIR: &str = "data";
const COPY: &str = "copy";
const ARCHIVE: &str = "copy.tar.lz4";
const AGAIN: &str = "again";

type State = BTreeMap<Vec<u8>, Vec<u8>>;

fn options() -> Options {
    Options {
        sync: SyncPolicy::Always,
        create: true,
        max_segment_bytes: 400,
        threads: 1,
        seed: 7,
        clock: Arc::new(TickingClock::default()),
        ..Options::default()
    }
}

fn open(disk: &SimDisk, dir: &str) -> Store {
    Store::open_on(Arc::new(disk.clone()), Path::new(dir), options()).unwrap()
}

fn reader(disk: &SimDisk, dir: &str) -> Store {
    Store::open_read_only_on(Disk::reader(disk), Path::new(dir), options()).unwrap()
}

fn never_stop(_: u64, _: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn snapshot_with(store: &Store, disk: &SimDisk, dest: &str, options: &SnapshotOptions) -> Result<Snapshot> {
    transfer::snapshot(store, disk, Path::new(dest), options, &mut never_stop)
}

fn snapshot(store: &Store, disk: &SimDisk, dest: &str) -> Result<Snapshot> {
    snapshot_with(store, disk, dest, &SnapshotOptions::default())
}

fn archive(store: &Store, disk: &SimDisk, dest: &str) -> Result<Snapshot> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    transfer::archive(store, &disk, Path::new(dest), &mut never_stop)
}

fn restore(disk: &SimDisk, source: &str, target: &str) -> Result<Restored> {
    transfer::restore(disk, Path::new(source), Path::new(target), RestoreOptions::default(), &mut never_stop)
}

/// Every key with its value; nothing may be in doubt.
fn contents(store: &Store) -> State {
    let value = |key: &[u8]| {
        let answer = store.get(key).unwrap();
        assert!(!answer.suspect, "{key:?}");
        answer.into_value().unwrap()
    };
    store.scan(b"").map(|(key, _)| (key.to_vec(), value(&key))).collect()
}

/// What a directory holds, opened as any store is.
fn held(disk: &SimDisk, dir: &str) -> State {
    let store = reader(disk, dir);
    let damage: Vec<_> = store.findings().into_iter().filter(|finding| finding.severity > Severity::Note).collect();
    assert!(damage.is_empty(), "{dir}: {damage:?}");
    assert_eq!(store.directory_findings().unwrap(), [], "{dir}");
    contents(&store)
}

/// A store of several segments, with overwritten and deleted keys.
fn filled(disk: &SimDisk) -> Store {
    let store = open(disk, DIR);
    for i in 0..30u8 {
        store.put(&[b'k', i % 11], &[i; 40]).unwrap();
    }
    store.delete(&[b'k', 3]).unwrap();
    store.put(b"", b"the empty key").unwrap();
    assert!(store.segments().len() > 3);
    store
}

fn files(disk: &SimDisk, dir: &str) -> Vec<String> {
    let mut names: Vec<_> = logkv::disk::ReadDisk::list(disk, Path::new(dir))
        .unwrap()
        .into_iter()
        .map(|entry| entry.name.into_string().unwrap())
        .collect();
    names.sort();
    names
}
