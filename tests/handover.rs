//! Threads of one store under a scheduler that tries thousands of interleavings of the real engine, on a simulated disk.
//!
//! Nothing in here runs in a plain `cargo test`; the command stands in `src/primitives`. `LOGKV_SCHEDULES` sets how many
//! schedules each test tries. A schedule that fails is printed, and `shuttle::replay` runs it again.

#![cfg(logkv_shuttle)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::path::Path;
use std::sync::Arc;

use logkv::disk::sim::SimDisk;
use logkv::store::SyncPolicy;
use logkv::{Options, Store};
use shuttle::thread;
use support::ManualClock;

const DIR: &str = "/data";

fn options(sync: SyncPolicy) -> Options {
    Options {
        sync,
        create: true,
        max_segment_bytes: 200,
        threads: 1,
        seed: 1,
        clock: Arc::new(ManualClock::default()),
        ..Options::default()
    }
}

fn open(disk: &SimDisk, sync: SyncPolicy) -> Store {
    Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(sync)).unwrap()
}

/// Half of the schedules are random, half change threads at few places only: bugs that need few changes in a long run
/// are found by the latter.
fn under_schedules(test: impl Fn() + Send + Sync + 'static) {
    let schedules = std::env::var("LOGKV_SCHEDULES").map_or(500, |text| text.parse().expect("a number"));
    let test = Arc::new(test);
    let again = test.clone();
    shuttle::check_random(move || test(), schedules);
    shuttle::check_pct(move || again(), schedules, 3);
}

fn value(store: &Store, key: &[u8]) -> Option<Vec<u8>> {
    store.get(key).unwrap().into_value()
}

#[test]
fn writers_that_share_a_sync_all_get_their_own_answer() {
    under_schedules(|| {
        let disk = SimDisk::new();
        let store = Arc::new(open(&disk, SyncPolicy::Always));
        let writers: Vec<_> = (0..3u8)
            .map(|who| {
                let store = store.clone();
                thread::spawn(move || {
                    store.put(&[who], &[who, 1]).unwrap();
                    assert_eq!(value(&store, &[who]), Some(vec![who, 1]));
                    store.put(b"shared", &[who]).unwrap();
                    assert!(store.delete(&[who]).unwrap().is_some());
                    assert_eq!(value(&store, &[who]), None);
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let last = value(&store, b"shared").unwrap();
        drop(store);
        assert_eq!(value(&open(&disk, SyncPolicy::Always), b"shared"), Some(last));
    });
}
