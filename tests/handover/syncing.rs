//! Group commit, rotation, and the thread that syncs in the background.

use std::time::Duration;

use logkv::disk::sim::SimDisk;
use logkv::store::SyncPolicy;

use super::{after_a_power_cut, aside, ledger_is_right, number, open, under_schedules, value};

#[test]
fn writers_that_share_a_sync_all_get_their_own_answer() {
    under_schedules(|| {
        let disk = SimDisk::new();
        let store = open(&disk, SyncPolicy::Always);
        let writers = [0, 1, 2u8].map(|who| {
            aside(&store, move |store| {
                store.put(&[who], &[who, 1]).unwrap();
                assert_eq!(value(store, &[who]), Some(vec![who, 1]));
                store.put(b"shared", &[who]).unwrap();
                assert!(store.delete(&[who]).unwrap().is_some());
                assert_eq!(value(store, &[who]), None);
            })
        });
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        ledger_is_right(&store);
        let last = value(&store, b"shared").unwrap();
        assert_eq!(value(&after_a_power_cut(&disk), b"shared"), Some(last));
    });
}

/// Records go from the buffer to the file to the disk while segments are sealed under the feet of whoever syncs.
#[test]
fn what_a_sync_was_told_of_is_durable_whoever_rotates_and_syncs_meanwhile() {
    for sync in [SyncPolicy::Interval(Duration::from_millis(1)), SyncPolicy::Buffered] {
        under_schedules(move || {
            let disk = SimDisk::new();
            let store = open(&disk, sync);
            let writer = aside(&store, |store| {
                for number in 1..=4 {
                    store.put(b"k", &[number; 60]).unwrap();
                    assert_eq!(super::number(store, b"k"), number);
                }
            });
            let syncing = {
                let disk = disk.clone();
                aside(&store, move |store| {
                    let seen = number(store, b"k");
                    store.sync().unwrap();
                    let left = number(&after_a_power_cut(&disk), b"k");
                    assert!(left >= seen, "{seen} was there before the sync, {left} after the power cut");
                })
            };
            writer.join().unwrap();
            syncing.join().unwrap();
            ledger_is_right(&store);
            store.sync().unwrap();
            assert_eq!(number(&after_a_power_cut(&disk), b"k"), 4);
        });
    }
}
