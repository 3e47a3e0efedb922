//! A merge hands keys over from its inputs to its outputs while others put, delete and read the same keys.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use logkv::disk::Disk;
use logkv::disk::sim::SimDisk;
use logkv::store::{MergeChoice, MergeControl, SyncPolicy};
use logkv::{Error, Store};

use super::{DIR, after_a_power_cut, aside, ledger_is_right, number, open, options, under_schedules};

/// Keys of which the merge has something to do in each of several segments: overwritten, deleted, kept.
fn fill(store: &Store) {
    for round in 1..=2 {
        for key in [b"put", b"del", b"old"] {
            store.put(key, &[round; 50]).unwrap();
        }
    }
    store.put(b"kept", &[1; 50]).unwrap();
    store.delete(b"old").unwrap();
}

fn merge(store: &Store) {
    store.merge(&MergeChoice::All, &MergeControl::default()).unwrap();
}

/// What the writer beside the merge does.
fn write(store: &Store) {
    store.put(b"put", &[3; 50]).unwrap();
    assert!(store.delete(b"del").unwrap().is_some());
    assert_eq!((number(store, b"put"), number(store, b"del")), (3, 0), "what was just done");
    store.put(b"put", &[4; 50]).unwrap();
    store.put(b"old", &[9; 50]).unwrap();
}

fn is_done(store: &Store) {
    let found = [&b"put"[..], b"del", b"old", b"kept"].map(|key| number(store, key));
    assert_eq!(found, [4, 0, 9, 1]);
    ledger_is_right(store);
}

#[test]
fn puts_and_deletes_beside_a_merge_win_over_what_it_moves() {
    under_schedules(|| {
        let disk = SimDisk::new();
        let store = open(&disk, SyncPolicy::Always);
        fill(&store);
        let merging = aside(&store, merge);
        let writer = aside(&store, write);
        merging.join().unwrap();
        writer.join().unwrap();
        is_done(&store);
        is_done(&after_a_power_cut(&disk));
        merge(&store);
        is_done(&store);
        assert_eq!(store.stats().dead_bytes, 0);
        is_done(&after_a_power_cut(&disk));
    });
}

/// Never a missing key, an error, or a version that goes back, wherever the merge is.
#[test]
fn reads_beside_a_merge_find_the_newest() {
    under_schedules(|| {
        let store = open(&SimDisk::new(), SyncPolicy::Always);
        fill(&store);
        let merging = aside(&store, merge);
        let writer = aside(&store, |store| store.put(b"put", &[3; 50]).map(drop).unwrap());
        let reader = aside(&store, |store| {
            let mut last = 2;
            for _ in 0..4 {
                let found = number(store, b"put");
                assert!(found >= last, "{found} after {last}");
                last = found;
                assert_eq!((number(store, b"kept"), number(store, b"old")), (1, 0));
            }
        });
        let lister = aside(&store, |store| {
            assert_eq!(store.scan(b"").count(), 3);
            let mut found = Vec::new();
            let visit = |key: &[u8], _: &_, answer: logkv::Result<logkv::store::Answer>| {
                found.push((key.to_vec(), answer.unwrap().into_value().unwrap()[0]));
                ControlFlow::Continue(())
            };
            store.fold(b"", visit).unwrap();
            assert_eq!(found.len(), 3, "{found:?}");
        });
        merging.join().unwrap();
        writer.join().unwrap();
        reader.join().unwrap();
        lister.join().unwrap();
        ledger_is_right(&store);
    });
}

/// As another process does it: it sees the directory between any two steps of the commit.
#[test]
fn a_reader_that_follows_a_merge_misses_nothing() {
    under_schedules(|| {
        let disk = SimDisk::new();
        let store = open(&disk, SyncPolicy::Always);
        fill(&store);
        let attach = |disk: &SimDisk| {
            Store::open_read_only_on(Disk::reader(disk), Path::new(DIR), options(SyncPolicy::Always)).unwrap()
        };
        let before = Arc::new(attach(&disk));
        let merging = aside(&store, merge);
        let writer = aside(&store, write);
        let following = aside(&before, |reader| {
            let mut last = 2;
            for _ in 0..3 {
                match reader.refresh() {
                    Ok(_) => {}
                    // It gives up where the writer merges at every look, and says so.
                    Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::ResourceBusy => {}
                    Err(e) => panic!("{e}"),
                }
                let found = number(reader, b"put");
                assert!(found >= last, "{found} after {last}");
                last = found;
                assert_eq!(number(reader, b"kept"), 1);
                assert!(reader.findings().is_empty(), "{:?}", reader.findings());
            }
        });
        merging.join().unwrap();
        writer.join().unwrap();
        following.join().unwrap();
        before.refresh().unwrap();
        is_done(&before);
        is_done(&attach(&disk));
    });
}

#[test]
fn one_merge_at_a_time() {
    under_schedules(|| {
        let disk = SimDisk::new();
        let store = open(&disk, SyncPolicy::Always);
        fill(&store);
        let merges = [0, 1].map(|_| {
            aside(&store, |store| match store.merge(&MergeChoice::All, &MergeControl::default()) {
                Ok(_) | Err(Error::Merging { .. }) => {}
                Err(e) => panic!("{e}"),
            })
        });
        let writer = aside(&store, write);
        merges.into_iter().for_each(|merge| merge.join().unwrap());
        writer.join().unwrap();
        is_done(&store);
        is_done(&after_a_power_cut(&disk));
    });
}
