//! Everything at once, for as long as wanted: writers, readers, merges in a loop, and another process that follows.
//!
//! ```text
//! LOGKV_SOAK_SECONDS=300 cargo test --test soak -- --nocapture
//! ```
//!
//! Each value carries its key's number and a checksum over both. Numbers of a key only rise: after a delete the next value
//! has a higher one. So whoever reads notices a wrong value, one that went back, and a deleted one that came back; keys
//! that are never deleted must never be missing, and the keys of a batch always have the same number.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use logkv::store::{Batch, MergeChoice, MergeControl, MergePolicy, SyncPolicy};
use logkv::{Options, Store};
use support::Rng;

const WRITERS: u64 = 3;
/// Keys of each kind of each writer.
const KEYS: u64 = 8;
/// At least so many merges are met.
const MERGES: u64 = 3;
const POLICIES: [SyncPolicy; 3] =
    [SyncPolicy::Always, SyncPolicy::Interval(Duration::from_millis(5)), SyncPolicy::Buffered];

/// How keys of a kind are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Put again and again.
    Kept,
    /// Put and deleted.
    Churned,
    /// All of a writer's in one batch, or deleted in one.
    Batched,
}

const KINDS: [Kind; 3] = [Kind::Kept, Kind::Churned, Kind::Batched];

fn key(kind: Kind, writer: u64, number: u64) -> Vec<u8> {
    format!("{kind:?}/{writer}/{number}").into_bytes()
}

fn group(kind: Kind, writer: u64) -> Vec<Vec<u8>> {
    (0..KEYS).map(|number| key(kind, writer, number)).collect()
}

/// The number, bytes that follow from it, and a checksum over these and the key.
fn value(key: &[u8], number: u64) -> Vec<u8> {
    let mut value = number.to_le_bytes().to_vec();
    value.resize(8 + (number * 31 % 200) as usize, number as u8);
    let crc = crc32fast::hash(&[key, &value].concat());
    value.extend_from_slice(&crc.to_le_bytes());
    value
}

/// The number in a value of this key.
fn checked(key: &[u8], found: &[u8]) -> u64 {
    let shown = key.escape_ascii();
    let number = found.get(..8).unwrap_or_else(|| panic!("{shown}: {} bytes", found.len()));
    let number = u64::from_le_bytes(number.try_into().unwrap());
    assert_eq!(found, value(key, number), "a value that nobody put under {shown}");
    number
}

fn options(sync: SyncPolicy) -> Options {
    Options { sync, create: true, max_segment_bytes: 16 << 10, buffer_bytes: 4 << 10, ..Options::default() }
}

// ---- Those who write ------------------------------------------------------------------------------------------------

/// What one writer has in the store: the number of each key, 0 for none.
struct Written {
    writer: u64,
    random: Rng,
    next: u64,
    now: BTreeMap<Vec<u8>, u64>,
}

impl Written {
    /// Writes every key once.
    fn begin(store: &Store, writer: u64) -> Self {
        let mut written = Self { writer, random: Rng::new(writer), next: 1, now: BTreeMap::new() };
        (0..KEYS).for_each(|number| written.put(store, key(Kind::Kept, writer, number)));
        (0..KEYS).for_each(|number| written.put(store, key(Kind::Churned, writer, number)));
        written.put_batch(store);
        written
    }

    fn step(&mut self, store: &Store) {
        let number = self.random.below(KEYS);
        match self.random.below(16) {
            0..6 => self.put(store, key(Kind::Kept, self.writer, number)),
            6..10 => self.put(store, key(Kind::Churned, self.writer, number)),
            10..14 => self.delete(store, key(Kind::Churned, self.writer, number)),
            14 => self.put_batch(store),
            _ => self.delete_batch(store),
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    fn put(&mut self, store: &Store, key: Vec<u8>) {
        let number = self.number();
        store.put(&key, &value(&key, number)).unwrap();
        let found = store.get(&key).unwrap().into_value().expect("it was just put");
        assert_eq!(checked(&key, &found), number);
        self.now.insert(key, number);
    }

    fn delete(&mut self, store: &Store, key: Vec<u8>) {
        let existed = store.delete(&key).unwrap().is_some();
        assert_eq!(existed, self.now.get(&key).is_some_and(|number| *number > 0), "{}", key.escape_ascii());
        assert_eq!(store.get(&key).unwrap().value(), None, "it was just deleted");
        self.now.insert(key, 0);
    }

    fn put_batch(&mut self, store: &Store) {
        let number = self.number();
        let mut batch = Batch::new();
        for key in group(Kind::Batched, self.writer) {
            batch.put(&key, &value(&key, number)).unwrap();
            self.now.insert(key, number);
        }
        store.write(&batch).unwrap();
    }

    fn delete_batch(&mut self, store: &Store) {
        let mut batch = Batch::new();
        for key in group(Kind::Batched, self.writer) {
            batch.delete(&key).unwrap();
            self.now.insert(key, 0);
        }
        store.write(&batch).unwrap();
    }
}

// ---- Those who read -------------------------------------------------------------------------------------------------

/// What one reader has seen: the least number that each key may show from now on.
#[derive(Default)]
struct Seen {
    least: BTreeMap<Vec<u8>, u64>,
    reads: u64,
}

impl Seen {
    /// Takes note of an answer; its number, 0 for none.
    fn note(&mut self, key: &[u8], found: Option<Vec<u8>>) -> u64 {
        self.reads += 1;
        let least = self.least.entry(key.to_vec()).or_default();
        let shown = key.escape_ascii();
        let Some(found) = found else {
            assert!(!key.starts_with(b"Kept"), "{shown} is missing");
            // What was there is deleted, and must not come back.
            *least |= 1;
            return 0;
        };
        let number = checked(key, &found);
        let deleted = *least & 1 == 1;
        assert!(number * 2 >= *least, "{shown}: {number} after {} (deleted: {deleted})", *least / 2);
        *least = number * 2;
        number
    }

    fn get(&mut self, store: &Store, key: &[u8]) {
        let found = store.get(key).unwrap().into_value();
        self.note(key, found);
    }

    fn get_many(&mut self, store: &Store, keys: &[Vec<u8>]) -> Vec<u64> {
        let asked: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let answers = store.get_many(&asked);
        keys.iter().zip(answers).map(|(key, answer)| self.note(key, answer.unwrap().into_value())).collect()
    }

    /// A batch of a writer is there as a whole, or not at all.
    fn batch(&mut self, store: &Store, writer: u64) {
        let numbers = self.get_many(store, &group(Kind::Batched, writer));
        assert!(numbers.windows(2).all(|two| two[0] == two[1]), "half a batch: {numbers:?}");
    }

    /// A listing has every key that is never deleted, and the keys of a batch all or none.
    fn list(&mut self, store: &Store) {
        let listed: Vec<_> = store.scan(b"").map(|(key, _)| key).collect();
        let of = |kind: Kind, writer| {
            let prefix = format!("{kind:?}/{writer}/").into_bytes();
            listed.iter().filter(|key| key.starts_with(&prefix)).count() as u64
        };
        for writer in 0..WRITERS {
            assert_eq!(of(Kind::Kept, writer), KEYS, "the listing misses a key");
            let batched = of(Kind::Batched, writer);
            assert!(batched == 0 || batched == KEYS, "{batched} keys of a batch are listed");
        }
        self.reads += listed.len() as u64;
    }

    fn step(&mut self, store: &Store, random: &mut Rng) {
        let writer = random.below(WRITERS);
        match random.below(20) {
            0..10 => {
                let kind = KINDS[random.below(2) as usize];
                self.get(store, &key(kind, writer, random.below(KEYS)));
            }
            10..14 => drop(self.get_many(store, &group(Kind::Churned, writer))),
            14..18 => self.batch(store, writer),
            18 => self.list(store),
            _ => drop(self.get_many(store, &group(Kind::Kept, writer))),
        }
    }
}

fn read(store: &Store, seed: u64, stop: &AtomicBool) -> u64 {
    let (mut seen, mut random) = (Seen::default(), Rng::new(seed));
    while !stop.load(Ordering::Relaxed) {
        seen.step(store, &mut random);
    }
    seen.reads
}

// ---- The one that merges --------------------------------------------------------------------------------------------

/// Merges until told to stop; returns the bytes that came back.
fn merge(store: &Store, stop: &AtomicBool, merges: &AtomicU64) -> u64 {
    let mut freed = 0;
    let wasteful = MergePolicy { fragmentation: 0.3, dead_bytes: 8 << 10, ..MergePolicy::default() };
    for choice in [MergeChoice::All, MergeChoice::Policy(wasteful)].iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        if let Some(merged) = store.merge(choice, &MergeControl::default()).unwrap() {
            merges.fetch_add(1, Ordering::Relaxed);
            freed += merged.freed_bytes;
        } else {
            thread::sleep(Duration::from_millis(1));
        }
    }
    freed
}

// ---- Another process: this test binary, started again ---------------------------------------------------------------

const CHILD_DIR: &str = "LOGKV_SOAK_CHILD";
const STOP: &str = "stop";

/// Not a test of its own: what the other process does until it is told to stop.
#[test]
fn child_follower() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    let stop = Path::new(&dir).with_file_name(STOP);
    let before = descriptors();
    let store = Store::open_read_only(Path::new(&dir), Options::default()).unwrap();
    let (mut seen, mut random, mut refreshes) = (Seen::default(), Rng::new(99), 0);
    while !stop.exists() {
        store.refresh().unwrap();
        refreshes += 1;
        (0..random.below(30)).for_each(|_| seen.step(&store, &mut random));
    }
    store.refresh().unwrap();
    assert!(refreshes > 0 && seen.reads > 0);
    let held = descriptors() - before;
    assert!(held <= store.segments().len(), "{held} descriptors for {} segments", store.segments().len());
    drop(store);
    assert_eq!(descriptors(), before, "the follower leaks descriptors");
    println!("follower: {} reads, {refreshes} refreshes", seen.reads);
}

fn start_follower(dir: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_follower", "--nocapture"]).env(CHILD_DIR, dir);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Open files of this process, the one that this looks through not counted.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count() - 1
}

// ---- The whole ------------------------------------------------------------------------------------------------------

fn files(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "data"))
        .map(|e| e.metadata().unwrap().len())
        .sum()
}

fn everything_is_as_written(store: &Store, written: &[Written]) {
    let expected = written.iter().flat_map(|written| &written.now);
    for (key, number) in expected.clone() {
        let found = store.get(key).unwrap().into_value().map_or(0, |found| checked(key, &found));
        assert_eq!(found, *number, "{}", key.escape_ascii());
    }
    assert_eq!(store.scan(b"").count(), expected.filter(|(_, number)| **number > 0).count());
    let live = store.segments().into_iter().filter(|segment| segment.live_records > 0);
    let ledger: Vec<_> = live.map(|segment| (segment.id, segment.live_records, segment.live_bytes)).collect();
    assert_eq!(store.recount(), ledger, "the ledger");
}

fn soak(sync: SyncPolicy, duration: Duration) {
    let before = descriptors();
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let store = Store::open(&dir, options(sync)).unwrap();
    let mut written: Vec<_> = (0..WRITERS).map(|writer| Written::begin(&store, writer)).collect();
    store.sync().unwrap();
    let follower = start_follower(&dir);
    let attached = Store::open_read_only(&dir, Options::default()).unwrap();

    let (stop, writes, merges) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let (reads, freed) = thread::scope(|scope| {
        let (store, stop, writes, merges) = (&store, &stop, &writes, &merges);
        let readers: Vec<_> = (0..2).map(|seed| scope.spawn(move || read(store, seed, stop))).collect();
        let merging = scope.spawn(move || merge(store, stop, merges));
        let following = scope.spawn(|| {
            let (mut seen, mut random) = (Seen::default(), Rng::new(7));
            while !stop.load(Ordering::Relaxed) {
                attached.refresh().unwrap();
                (0..20).for_each(|_| seen.step(&attached, &mut random));
            }
            seen.reads
        });
        let writers: Vec<_> = written
            .iter_mut()
            .map(|written| {
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        written.step(store);
                        writes.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let started = Instant::now();
        let is_over = || writers.iter().any(|w| w.is_finished()) || merging.is_finished();
        // On a busy machine, as long as it takes for something to happen.
        while (started.elapsed() < duration || merges.load(Ordering::Relaxed) < MERGES) && !is_over() {
            thread::sleep(Duration::from_millis(10));
        }
        stop.store(true, Ordering::Relaxed);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let reads: u64 = readers.into_iter().chain([following]).map(|reader| reader.join().unwrap()).sum();
        (reads, merging.join().unwrap())
    });
    std::fs::write(scratch.path().join(STOP), b"").unwrap();
    let followed = follower.wait_with_output().unwrap();
    assert!(followed.status.success(), "{}", String::from_utf8_lossy(&followed.stderr));
    let merges = merges.into_inner();
    assert!(merges >= MERGES && freed > 0, "{merges} merges freed {freed} bytes");

    everything_is_as_written(&store, &written);
    store.merge(&MergeChoice::All, &MergeControl::default()).unwrap();
    everything_is_as_written(&store, &written);
    let stats = store.stats();
    assert_eq!((stats.dead_bytes, stats.tombstones), (0, 0), "the last merge leaves nothing dead");
    assert_eq!(files(&dir), stats.live_bytes + 40 * stats.segments, "disk space comes back");
    attached.refresh().unwrap();
    everything_is_as_written(&attached, &written);
    store.close().unwrap();
    drop(attached);
    everything_is_as_written(&Store::open(&dir, options(sync)).unwrap(), &written);
    assert_eq!(descriptors(), before, "descriptors are leaked");
    let told = String::from_utf8_lossy(&followed.stdout);
    let told = told.lines().find(|line| line.contains("follower:")).unwrap_or_default().to_owned();
    println!("{sync}: {} writes, {reads} reads, {merges} merges freed {freed} bytes; {told}", writes.into_inner());
}

#[test]
fn nothing_goes_wrong_when_everything_goes_on_at_once() {
    if std::env::var(CHILD_DIR).is_ok() {
        return;
    }
    let seconds = std::env::var("LOGKV_SOAK_SECONDS").map_or(3, |text| text.parse::<u64>().expect("a number"));
    for sync in POLICIES {
        soak(sync, Duration::from_secs(seconds) / 3);
    }
}
