//! Many threads on one store, and two processes after one lock, on a real disk.
//!
//! Every value says whose it is and which one, and checks itself, so that a wrong, stale or torn one is noticed by
//! whoever reads it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use logkv::store::{Condition, Event, Observer, PutOptions, SyncPolicy};
use logkv::{Error, Options, Store};
use support::Rng;

const WRITERS: u64 = 8;
const PUTS: u64 = 150;
/// Keys of each writer; none writes to another's.
const KEYS: u64 = 5;

/// Counts what the disk was asked for.
#[derive(Debug, Default)]
struct Counter {
    appends: AtomicU64,
    syncs: AtomicU64,
    /// How long a sync seems to take; a disk in memory takes no time, and nobody would have to wait for it.
    slowness: Duration,
}

impl Observer for Counter {
    fn event(&self, event: &Event) {
        match event {
            Event::Appended { .. } => drop(self.appends.fetch_add(1, Ordering::Relaxed)),
            Event::Synced { .. } => {
                thread::sleep(self.slowness);
                self.syncs.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
    }
}

fn options(sync: SyncPolicy) -> Options {
    Options { sync, create: true, max_segment_bytes: 16 << 10, buffer_bytes: 4 << 10, ..Options::default() }
}

fn key(writer: u64, key: u64) -> Vec<u8> {
    format!("{writer}/{key}").into_bytes()
}

/// The number, bytes that follow from it and the key, and a checksum over both.
fn value(key: &[u8], number: u64) -> Vec<u8> {
    let mut value = number.to_le_bytes().to_vec();
    value.resize(8 + (number * 31 % 300) as usize, number as u8);
    let crc = crc32fast::hash(&[key, &value].concat());
    value.extend_from_slice(&crc.to_le_bytes());
    value
}

/// The number in a value of this key.
fn checked(key: &[u8], found: &[u8]) -> u64 {
    let number = u64::from_le_bytes(found[..8].try_into().unwrap());
    assert_eq!(found, value(key, number), "a value that nobody put under {:?}", key.escape_ascii().to_string());
    number
}

fn write(store: &Store, writer: u64, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let key = key(writer, number % KEYS);
        store.put(&key, &value(&key, number)).unwrap();
        assert_eq!(checked(&key, &store.get(&key).unwrap().into_value().expect("it was just put")), number);
    }
}

/// Reads at random until told to stop; no key ever goes back, and none that was seen is missing later.
fn read(store: &Store, seed: u64, stop: &AtomicBool) -> u64 {
    let mut random = Rng::new(seed);
    let mut newest = [[None; KEYS as usize]; WRITERS as usize];
    let mut reads = 0;
    while !stop.load(Ordering::Relaxed) {
        let (writer, number) = (random.below(WRITERS), random.below(KEYS));
        let key = key(writer, number);
        let found = store.get(&key).unwrap().into_value().map(|found| checked(&key, &found));
        let seen = &mut newest[writer as usize][number as usize];
        assert!(found >= *seen, "{found:?} after {seen:?}");
        *seen = found;
        reads += 1;
    }
    reads
}

fn everything_is_there(store: &Store, puts: u64) {
    assert_eq!(store.scan(b"").count() as u64, WRITERS * KEYS);
    for (writer, number) in (0..WRITERS).flat_map(|writer| (0..KEYS).map(move |number| (writer, number))) {
        let key = key(writer, number);
        let found = store.get(&key).unwrap().into_value().expect("a missing key");
        assert_eq!(checked(&key, &found), puts - KEYS + number, "the newest");
    }
    let live = store.segments().into_iter().filter(|segment| segment.live_records > 0);
    let ledger: Vec<_> = live.map(|segment| (segment.id, segment.live_records, segment.live_bytes)).collect();
    assert_eq!(store.recount(), ledger, "the ledger");
}

/// Eight writers and three readers; returns appends and syncs.
fn at_once(sync: SyncPolicy, slowness: Duration) -> (u64, u64) {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let counter = Arc::new(Counter { slowness, ..Counter::default() });
    let store = Store::open(&dir, Options { observers: vec![counter.clone()], ..options(sync) }).unwrap();
    let stop = AtomicBool::new(false);
    let follower = Store::open_read_only(&dir, Options::default()).unwrap();
    let reads: u64 = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn({
                    let store = &store;
                    move || write(store, writer, 0..PUTS)
                })
            })
            .collect();
        let readers: Vec<_> = (0..3)
            .map(|seed| {
                scope.spawn({
                    let (store, stop) = (&store, &stop);
                    move || read(store, seed, stop)
                })
            })
            .collect();
        let following = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                follower.refresh().unwrap();
                read_once(&follower);
            }
        });
        let done: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        stop.store(true, Ordering::Relaxed);
        done.into_iter().for_each(|done| done.unwrap());
        following.join().unwrap();
        readers.into_iter().map(|reader| reader.join().unwrap()).sum()
    });
    let counts = (counter.appends.load(Ordering::Relaxed), counter.syncs.load(Ordering::Relaxed));
    everything_is_there(&store, PUTS);
    store.close().unwrap();
    follower.refresh().unwrap();
    everything_is_there(&follower, PUTS);
    everything_is_there(&Store::open(&dir, options(sync)).unwrap(), PUTS);
    println!("{sync}: {} appends, {} syncs, {reads} reads beside them", counts.0, counts.1);
    counts
}

fn read_once(store: &Store) {
    for (key, _) in store.scan(b"") {
        checked(&key, &store.get(&key).unwrap().into_value().unwrap());
    }
}

#[test]
fn writers_that_wait_share_a_sync() {
    let (appends, syncs) = at_once(SyncPolicy::Always, Duration::from_micros(500));
    assert_eq!(appends, WRITERS * PUTS, "no marks are needed where every record waits for its sync");
    assert!(syncs < appends / 2, "{syncs} syncs for {appends} puts");
}

#[test]
fn threads_do_not_disturb_each_other_under_interval() {
    let (appends, syncs) = at_once(SyncPolicy::Interval(Duration::from_millis(2)), Duration::ZERO);
    assert!(appends >= WRITERS * PUTS && syncs > 0);
}

#[test]
fn threads_do_not_disturb_each_other_under_buffered() {
    let (appends, _) = at_once(SyncPolicy::Buffered, Duration::ZERO);
    assert!(appends >= WRITERS * PUTS);
}

#[test]
fn a_lone_writer_waits_for_nobody() {
    let scratch = tempfile::tempdir().unwrap();
    let counter = Arc::new(Counter::default());
    let options = Options { observers: vec![counter.clone()], ..options(SyncPolicy::Always) };
    let store = Store::open(&scratch.path().join("data"), options).unwrap();
    for number in 0..20u8 {
        store.put(b"k", &[number]).unwrap();
        assert_eq!(counter.syncs.load(Ordering::Relaxed), u64::from(number) + 1, "each put is durable on return");
    }
}

#[test]
fn of_many_who_put_if_absent_one_wins() {
    for sync in [SyncPolicy::Always, SyncPolicy::Buffered] {
        let scratch = tempfile::tempdir().unwrap();
        let store = Store::open(&scratch.path().join("data"), options(sync)).unwrap();
        let start = Barrier::new(WRITERS as usize);
        for round in 0u64..40 {
            let key = round.to_le_bytes();
            let wins: Vec<u64> = thread::scope(|scope| {
                let (store, start) = (&store, &start);
                let claim = move |who: u64| {
                    start.wait();
                    let options = PutOptions::only(Condition::Absent);
                    store.put_with(&key, &who.to_le_bytes(), &options).unwrap().map(|_| who)
                };
                let claims: Vec<_> = (0..WRITERS).map(|who| scope.spawn(move || claim(who))).collect();
                claims.into_iter().filter_map(|claim| claim.join().unwrap()).collect()
            });
            assert_eq!(wins.len(), 1, "round {round}: {wins:?}");
            assert_eq!(store.get(&key).unwrap().value(), Some(&wins[0].to_le_bytes()[..]));
            let deleted: Vec<bool> = thread::scope(|scope| {
                let (store, start) = (&store, &start);
                let take = move || {
                    start.wait();
                    store.delete(&key).unwrap().is_some()
                };
                let takes: Vec<_> = (0..WRITERS).map(|_| scope.spawn(take)).collect();
                takes.into_iter().map(|take| take.join().unwrap()).collect()
            });
            assert_eq!(deleted.iter().filter(|deleted| **deleted).count(), 1, "round {round}: it was there once");
        }
    }
}

// Another process: this test binary, started again.

const CHILD_DIR: &str = "LOGKV_LOCK_CHILD";

/// Not a test of its own: what the other process does. It holds the lock until it is killed.
#[test]
fn child_holder() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    let store = Store::open(Path::new(&dir), options(SyncPolicy::Always)).unwrap();
    store.put(b"child", b"was here").unwrap();
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

fn start_child(dir: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_holder"]).env(CHILD_DIR, dir);
    command.stdout(Stdio::null()).spawn().unwrap()
}

fn holder_of(dir: &Path) -> u32 {
    match Store::open(dir, options(SyncPolicy::Always)) {
        Err(Error::Locked { holder: Some(holder), .. }) => holder.pid,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_second_writer_is_told_at_once_who_the_first_is() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let open = || Store::open(&dir, options(SyncPolicy::Always));
    let first = open().unwrap();
    assert_eq!(holder_of(&dir), std::process::id());
    first.put(b"a", b"1").unwrap();
    first.close().unwrap();
    let second = open().expect("given up by close");
    assert_eq!(holder_of(&dir), std::process::id());
    drop(second);
    drop(open().expect("given up by drop"));

    let mut child = start_child(&dir);
    let reader = Store::open_read_only(&dir, Options::default()).unwrap();
    let started = Instant::now();
    while reader.get(b"child").unwrap().found.is_none() {
        assert!(started.elapsed() < Duration::from_secs(60), "the other process never wrote");
        thread::sleep(Duration::from_millis(5));
        reader.refresh().unwrap();
    }
    assert_eq!(holder_of(&dir), child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    let third = open().expect("given up by kill");
    assert_eq!(third.get(b"child").unwrap().value(), Some(&b"was here"[..]));
    assert_eq!(holder_of(&dir), std::process::id());
}

#[test]
fn whoever_looks_at_an_empty_directory_leaves_it_empty_and_excludes_others_meanwhile() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    std::fs::create_dir(&dir).unwrap();
    let start = Barrier::new(4);
    let holders = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                start.wait();
                for _ in 0..100 {
                    match Store::open(&dir, options(SyncPolicy::Always)) {
                        Ok(store) => {
                            assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two at once");
                            thread::yield_now();
                            holders.fetch_sub(1, Ordering::SeqCst);
                            store.close().unwrap();
                        }
                        Err(Error::Locked { .. }) => thread::yield_now(),
                        Err(e) => panic!("{e}"),
                    }
                }
            });
        }
    });
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0);
}
