//! Batches are one step to whoever reads meanwhile.

use std::ops::ControlFlow;

use logkv::Store;
use logkv::disk::sim::SimDisk;
use logkv::store::{Batch, SyncPolicy};

use super::{aside, number, open, under_schedules};

const KEYS: [&[u8]; 3] = [b"a", b"b", b"c"];

fn write(store: &Store, number: u8) {
    let mut batch = Batch::new();
    for key in KEYS {
        match number {
            0 => batch.delete(key).unwrap(),
            _ => batch.put(key, &[number; 20]).unwrap(),
        }
    }
    store.write(&batch).unwrap();
}

/// Rises when nobody deletes: what was seen of one batch holds for all keys from then on.
fn read(store: &Store) {
    let mut least = 0;
    for key in KEYS {
        let found = number(store, key);
        assert!(found >= least, "{found} after {least}");
        least = found;
    }
}

fn numbers(store: &Store) -> Vec<u8> {
    let answers = store.get_many(&KEYS).into_iter();
    answers.map(|answer| answer.unwrap().into_value().map_or(0, |value| value[0])).collect()
}

#[test]
fn a_batch_is_seen_whole_by_gets_and_by_many() {
    under_schedules(|| {
        let store = open(&SimDisk::new(), SyncPolicy::Always);
        let writer = aside(&store, |store| (1..=2).for_each(|number| write(store, number)));
        let reader = aside(&store, read);
        let many = aside(&store, |store| {
            let found = numbers(store);
            assert!(found.iter().all(|number| *number == found[0]), "{found:?}");
        });
        writer.join().unwrap();
        reader.join().unwrap();
        many.join().unwrap();
        assert_eq!(numbers(&store), [2; 3]);
    });
}

#[test]
fn a_batch_is_seen_whole_by_listings_and_folds() {
    under_schedules(|| {
        let store = open(&SimDisk::new(), SyncPolicy::Always);
        write(&store, 1);
        let writer = aside(&store, |store| {
            write(store, 0);
            write(store, 2);
        });
        let listing = aside(&store, |store| {
            let listed = store.scan(b"").count();
            assert!(listed == 0 || listed == 3, "{listed}");
        });
        let fold = aside(&store, |store| {
            let mut found = Vec::new();
            let visit = |_: &[u8], _: &_, answer: logkv::Result<logkv::store::Answer>| {
                found.push(answer.unwrap().into_value().unwrap()[0]);
                ControlFlow::Continue(())
            };
            store.fold(b"", visit).unwrap();
            assert!([vec![], vec![1; 3], vec![2; 3]].contains(&found), "{found:?}");
        });
        writer.join().unwrap();
        listing.join().unwrap();
        fold.join().unwrap();
    });
}

#[test]
fn of_batches_at_once_one_comes_after_the_other() {
    under_schedules(|| {
        let store = open(&SimDisk::new(), SyncPolicy::Always);
        let writers = [1, 2].map(|number| aside(&store, move |store| write(store, number)));
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let found = numbers(&store);
        assert!(found.iter().all(|number| *number == found[0]), "{found:?}");
    });
}
