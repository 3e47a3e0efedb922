//! Threads of one store under a scheduler that tries thousands of interleavings of the real engine, on a simulated disk.
//!
//! Nothing in here runs in a plain `cargo test`; the command stands in `src/primitives`. `LOGKV_SCHEDULES` sets how many
//! schedules each test tries in each of two ways. A schedule that fails is printed, and `shuttle::replay` runs it again.

#![cfg(logkv_shuttle)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "handover/batches.rs"]
mod batches;
#[path = "handover/merging.rs"]
mod merging;
mod support;
#[path = "handover/syncing.rs"]
mod syncing;
#[path = "handover/watching.rs"]
mod watching;

use std::path::Path;
use std::sync::Arc;

use logkv::disk::sim::{CrashPolicy, SimDisk};
use logkv::store::SyncPolicy;
use logkv::{Options, Store};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::thread::{self, JoinHandle};
use shuttle::{Config, Runner};
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

fn open(disk: &SimDisk, sync: SyncPolicy) -> Arc<Store> {
    Arc::new(Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(sync)).unwrap())
}

/// The store as a power cut at this moment leaves it.
fn after_a_power_cut(disk: &SimDisk) -> Arc<Store> {
    open(&disk.fork().crash(CrashPolicy::Drop, 0), SyncPolicy::Always)
}

/// Half of the schedules are random, half change threads at few places only: bugs that need few changes in a long run
/// are found by the latter.
fn under_schedules(test: impl Fn() + Send + Sync + 'static) {
    let schedules = std::env::var("LOGKV_SCHEDULES").map_or(500, |text| text.parse().expect("a number"));
    let mut config = Config::new();
    // The engine's frames, unoptimised, are more than the default is for.
    config.stack_size = 256 << 10;
    let test = Arc::new(test);
    let again = test.clone();
    Runner::new(RandomScheduler::new(schedules), config.clone()).run(move || test());
    Runner::new(PctScheduler::new(3, schedules), config).run(move || again());
}

/// Something that another thread does to the store.
fn aside<T: Send + 'static>(store: &Arc<Store>, run: impl FnOnce(&Store) -> T + Send + 'static) -> JoinHandle<T> {
    let store = store.clone();
    thread::spawn(move || run(&store))
}

fn value(store: &Store, key: &[u8]) -> Option<Vec<u8>> {
    store.get(key).unwrap().into_value()
}

/// The number that a key has; 0 for none.
fn number(store: &Store, key: &[u8]) -> u8 {
    value(store, key).map_or(0, |value| value[0])
}

fn ledger_is_right(store: &Store) {
    let live = store.segments().into_iter().filter(|segment| segment.live_records > 0);
    let ledger: Vec<_> = live.map(|segment| (segment.id, segment.live_records, segment.live_bytes)).collect();
    assert_eq!(store.recount(), ledger, "the ledger");
}
