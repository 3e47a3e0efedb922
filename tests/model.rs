//! Random operations against a `BTreeMap`, on a simulated disk with small segments and few keys.
//!
//! After every step the store is compared whole: every key's answer, the listing, every figure of the ledger, and what a
//! reader beside it shows. `LOGKV_MODEL_STEPS` sets how many steps, `LOGKV_MODEL_SEED` which ones; a failure prints the
//! seed of its round and the operations that led there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use logkv::disk::Disk;
use logkv::disk::sim::SimDisk;
use logkv::store::{Clock, Condition, Expiry, PutOptions, Severity, SyncPolicy};
use logkv::{Options, Store};
use support::{ManualClock, Rng};

const DIR: &str = "/data";
const KEYS: [&[u8]; 7] = [b"", b"a", b"b", b"key", b"another key", b"\x00\xff", b"z"];
/// Operations on one store; then another round begins with the next policy.
const ROUND: u64 = 250;
const POLICIES: [SyncPolicy; 3] =
    [SyncPolicy::Always, SyncPolicy::Interval(Duration::from_secs(3600)), SyncPolicy::Buffered];

#[derive(Clone, Debug, PartialEq, Eq)]
struct Value {
    bytes: Vec<u8>,
    expires_at: Option<u64>,
    /// Bytes of its record.
    len: u64,
}

/// What a store should hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct State {
    /// Expired values stay until something newer is written: a clock that is set back shows them again.
    map: BTreeMap<Vec<u8>, Value>,
    puts: u64,
    tombstones: u64,
    /// Bytes of all records but marks.
    bytes: u64,
}

impl State {
    fn live(&self, now: u64) -> BTreeMap<&[u8], &Value> {
        let is_live = |value: &Value| value.expires_at.is_none_or(|at| at > now);
        self.map.iter().filter(|(_, value)| is_live(value)).map(|(key, value)| (key.as_slice(), value)).collect()
    }

    fn put(&mut self, key: &[u8], bytes: &[u8], expires_at: Option<u64>) {
        let len = (24 + key.len() + bytes.len()) as u64 + if expires_at.is_some() { 8 } else { 0 };
        self.map.insert(key.to_vec(), Value { bytes: bytes.to_vec(), expires_at, len });
        self.puts += 1;
        self.bytes += len;
    }

    fn delete(&mut self, key: &[u8]) {
        self.map.remove(key);
        self.tombstones += 1;
        self.bytes += 24 + key.len() as u64;
    }
}

struct Round {
    seed: u64,
    random: Rng,
    sync: SyncPolicy,
    clock: Arc<ManualClock>,
    disk: SimDisk,
    store: Option<Store>,
    reader: Option<Store>,
    /// The last state is the store's; the others may be found after a kill, under `buffered`.
    states: Vec<State>,
    log: Vec<String>,
}

impl Drop for Round {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let steps = self.log.len();
            let shown = self.log[steps.saturating_sub(30)..].join("\n  ");
            println!("LOGKV_MODEL_SEED={} LOGKV_MODEL_STEPS={steps}: {}, ...\n  {shown}", self.seed, self.sync);
        }
    }
}

impl Round {
    fn new(seed: u64) -> Self {
        let disk = SimDisk::new();
        let mut round = Self {
            seed,
            random: Rng::new(seed),
            sync: POLICIES[(seed % 3) as usize],
            clock: Arc::default(),
            disk,
            store: None,
            reader: None,
            states: vec![State::default()],
            log: Vec::new(),
        };
        round.open();
        round
    }

    fn options(&self) -> Options {
        Options {
            sync: self.sync,
            max_segment_bytes: 400,
            max_segment_age: Some(Duration::from_secs(300)),
            buffer_bytes: 150,
            create: true,
            threads: 1,
            seed: self.seed | 1,
            clock: self.clock.clone(),
            ..Options::default()
        }
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn state(&self) -> &State {
        self.states.last().unwrap()
    }

    fn open(&mut self) {
        let store = Store::open_on(Arc::new(self.disk.clone()), Path::new(DIR), self.options()).unwrap();
        assert!(store.findings().iter().all(|found| found.severity < Severity::Damage), "{:?}", store.findings());
        self.store = Some(store);
    }

    fn step(&mut self) {
        let key = KEYS[self.random.below(KEYS.len() as u64) as usize];
        match self.random.below(100) {
            0..38 => self.put(key, None, false),
            38..50 => self.delete(key),
            50..58 => self.put(key, None, true),
            58..68 => {
                let ttl = Duration::from_secs(self.random.below(30));
                let if_absent = self.random.below(4) == 0;
                self.put(key, Some(ttl), if_absent);
            }
            68..76 => {
                let seconds = if self.random.below(8) == 0 { 400 } else { self.random.below(12) };
                self.log.push(format!("tick {seconds}"));
                self.clock.advance(Duration::from_secs(seconds));
            }
            76..82 => {
                self.log.push("sync".into());
                self.store().sync().unwrap();
                self.settle();
            }
            82..87 => self.close(),
            87..91 => self.kill(),
            91..93 => {
                self.log.push("attach".into());
                let reader = Store::open_read_only_on(Disk::reader(&self.disk), Path::new(DIR), self.options());
                self.reader = Some(reader.unwrap());
            }
            _ => self.refresh(),
        }
        self.check();
    }

    /// What is there now will be there whatever happens.
    fn settle(&mut self) {
        self.states.drain(..self.states.len() - 1);
    }

    fn put(&mut self, key: &'static [u8], ttl: Option<Duration>, if_absent: bool) {
        let len = if self.random.below(30) == 0 { 500 } else { self.random.below(60) };
        let bytes = vec![self.log.len() as u8; len as usize];
        self.log.push(format!("put {:?} {len} bytes, {ttl:?}, if absent {if_absent}", key.escape_ascii().to_string()));
        let now = self.clock.now();
        let mut state = self.state().clone();
        let had = state.live(now).contains_key(key);
        let old = self.store().entry(key).map(|entry| entry.location);
        let expiry = ttl.map_or(Expiry::Default, Expiry::After);
        let condition = if if_absent { Condition::Absent } else { Condition::Always };
        let written = self.store().put_with(key, &bytes, &PutOptions { expiry, condition }).unwrap();
        assert_eq!(written.is_none(), if_absent && had, "if absent");
        let Some(written) = written else { return };
        if had {
            assert_eq!(written.superseded, old, "superseded");
        }
        state.put(key, &bytes, ttl.map(|ttl| now + ttl.as_micros() as u64));
        self.wrote(state);
    }

    fn delete(&mut self, key: &'static [u8]) {
        self.log.push(format!("delete {:?}", key.escape_ascii().to_string()));
        let mut state = self.state().clone();
        let had = state.live(self.clock.now()).contains_key(key);
        let written = self.store().delete(key).unwrap();
        assert_eq!(written.is_some(), had, "delete");
        if had {
            state.delete(key);
            self.wrote(state);
        }
    }

    fn wrote(&mut self, state: State) {
        self.states.push(state);
        if self.sync != SyncPolicy::Buffered {
            self.settle();
        }
    }

    fn close(&mut self) {
        self.log.push("close".into());
        self.store.take().unwrap().close().unwrap();
        self.settle();
        self.lose_hints();
        self.set_clock_back();
        self.open();
    }

    fn kill(&mut self) {
        self.log.push("kill".into());
        self.disk = self.disk.kill();
        (self.store, self.reader) = (None, None);
        self.lose_hints();
        self.set_clock_back();
        self.open();
        // Under `buffered` the latest of the states that explains the listing.
        let now = self.clock.now();
        let explains = |state: &State| {
            let records: u64 = self.store().segments().iter().map(|segment| segment.records - segment.marks).sum();
            state.puts + state.tombstones == records && state.live(now).len() as u64 == self.store().stats().keys
        };
        let found = self.states.iter().rposition(explains).expect("a state that was");
        self.states = vec![self.states[found].clone()];
    }

    fn lose_hints(&mut self) {
        let hints: Vec<_> =
            self.disk.image().into_keys().filter(|path| path.extension().is_some_and(|e| e == "hint")).collect();
        let lost = match self.random.below(4) {
            0 => hints,
            1 if !hints.is_empty() => vec![hints[self.random.below(hints.len() as u64) as usize].clone()],
            _ => vec![],
        };
        self.log.push(format!("lose {} hints", lost.len()));
        lost.iter().for_each(|path| self.disk.delete(path).unwrap());
    }

    fn set_clock_back(&mut self) {
        if self.random.below(6) == 0 {
            self.log.push("the clock is set back".into());
            self.clock.set_back(Duration::from_secs(self.random.below(20)));
            // A reader that was open went by the old clock.
            self.reader = None;
        }
    }

    fn refresh(&mut self) {
        self.log.push("refresh".into());
        let Some(reader) = &self.reader else { return };
        reader.refresh().unwrap();
        let now = self.clock.now();
        let found = listed(reader);
        let is_shown = |state: &State| {
            let live = state.live(now);
            live.len() == found.len() && live.iter().all(|(key, value)| found.get(*key) == Some(&value.bytes))
        };
        // What is in the buffer only its own process can see.
        assert!(self.states.iter().any(is_shown), "the reader shows {found:?}");
        ledger_is_right(reader);
        if self.sync != SyncPolicy::Buffered {
            let ledger = |store: &Store| {
                store
                    .segments()
                    .into_iter()
                    .map(|segment| logkv::store::SegmentInfo { has_hint: false, ..segment })
                    .collect::<Vec<_>>()
            };
            assert_eq!(ledger(reader), ledger(self.store()), "the reader's ledger");
        }
    }

    fn check(&self) {
        let (store, state, now) = (self.store(), self.state(), self.clock.now());
        let live = state.live(now);
        let expected: BTreeMap<Vec<u8>, Vec<u8>> =
            live.iter().map(|(key, value)| (key.to_vec(), value.bytes.clone())).collect();
        assert_eq!(listed(store), expected, "the listing");
        for key in KEYS {
            let answer = store.get(key).unwrap();
            assert!(!answer.suspect, "nothing is damaged");
            assert_eq!(answer.value(), live.get(key).map(|value| value.bytes.as_slice()), "{key:?}");
        }
        let stats = store.stats();
        let marks: u64 = store.segments().iter().map(|segment| segment.marks).sum();
        let records: u64 = store.segments().iter().map(|segment| segment.records).sum();
        let live_bytes: u64 = live.values().map(|value| value.len).sum();
        assert_eq!(stats.keys, live.len() as u64, "keys");
        assert_eq!(records, state.puts + state.tombstones + marks, "records");
        assert_eq!(stats.tombstones, state.tombstones, "tombstones");
        assert_eq!(stats.live_bytes, live_bytes, "live bytes");
        assert_eq!(stats.dead_bytes, state.bytes + 32 * marks - live_bytes, "dead bytes");
        assert_eq!(stats.disk_bytes, state.bytes + 32 * marks + 40 * stats.segments, "bytes on disk");
        assert_eq!((stats.damaged_bytes, stats.findings), (0, 0), "nothing is wrong");
        assert!(marks == 0 || self.sync != SyncPolicy::Always, "no marks are needed under always");
        ledger_is_right(store);
    }
}

fn listed(store: &Store) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let value = |key: &[u8]| store.get(key).unwrap().into_value().expect("what is listed is there");
    store.scan(b"").map(|(key, _)| (key.to_vec(), value(&key))).collect()
}

fn ledger_is_right(store: &Store) {
    let live = store.segments().into_iter().filter(|segment| segment.live_records > 0);
    let ledger: Vec<_> = live.map(|segment| (segment.id, segment.live_records, segment.live_bytes)).collect();
    assert_eq!(store.recount(), ledger, "the ledger");
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn a_store_is_a_map_that_survives() {
    let steps = number("LOGKV_MODEL_STEPS").unwrap_or(20_000);
    let first = number("LOGKV_MODEL_SEED").unwrap_or(1);
    let mut left = steps;
    let mut rounds = 0;
    while left > 0 {
        let mut round = Round::new(first + rounds);
        for _ in 0..left.min(ROUND) {
            round.step();
        }
        left -= left.min(ROUND);
        rounds += 1;
    }
    println!("{steps} steps in {rounds} rounds");
}
