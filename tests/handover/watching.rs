//! Whoever watches is told of every change, in the order of the log, and finds it done.

use logkv::disk::sim::SimDisk;
use logkv::store::{Batch, Change, SyncPolicy};

use super::{aside, open, under_schedules};

#[test]
fn changes_are_told_in_the_order_of_the_log_and_after_they_can_be_seen() {
    under_schedules(|| {
        let store = open(&SimDisk::new(), SyncPolicy::Always);
        let watch = store.watch(b"");
        let watcher = aside(&store, move |store| {
            let (mut last, mut within) = (0, false);
            for _ in 0..5 {
                let Some(Change::Put { key, entry, batch_continues }) = watch.next_change() else { panic!("a put") };
                assert!(entry.tstamp > last, "{} after {last}", entry.tstamp);
                assert!(!within || *key == b"j"[..], "a batch comes together");
                assert!(store.entry(&key).unwrap().tstamp >= entry.tstamp, "told before it can be seen");
                (last, within) = (entry.tstamp, batch_continues);
            }
            last
        });
        let one = aside(&store, |store| [1, 2].map(|number| store.put(b"k", &[number]).map(drop).unwrap()));
        let other = aside(&store, |store| {
            store.put(b"k", &[3]).unwrap();
            let mut batch = Batch::new();
            batch.put(b"k", &[4]).unwrap();
            batch.put(b"j", &[4]).unwrap();
            store.write(&batch).unwrap();
        });
        one.join().unwrap();
        other.join().unwrap();
        assert_eq!(watcher.join().unwrap(), store.stats().last_tstamp);
    });
}
