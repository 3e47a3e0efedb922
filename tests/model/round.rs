//! A store, a reader beside it, and the map: does to both what an operation says.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use logkv::disk::sim::{CrashPolicy, SimDisk};
use logkv::disk::{Disk, ReadDisk};
use logkv::store::{Batch, Clock, Condition, Expiry, MergeChoice, MergeControl, MergePolicy, PutOptions, SyncPolicy};
use logkv::transfer::{self, SnapshotOptions};
use logkv::{Error, Options, Result, Store};

use super::Case;
use super::check;
use super::expected::State;
use super::op::{How, KEYS, Lose, Merge, Op, Put, Reopen, Step, When};
use super::support::{ManualClock, RESERVE_AFTER, tail_file_after};

pub const DIR: &str = "/data";

/// A round as it goes on.
pub struct Round {
    pub sync: SyncPolicy,
    pub clock: Arc<ManualClock>,
    pub disk: SimDisk,
    pub reader: Option<Store>,
    store: Option<Store>,
    /// What a power cut may leave. The last one is what the store holds.
    states: Vec<State>,
    /// How many of them a kill cannot leave.
    with_kernel: usize,
    /// How the power is cut when the disk stops, and at which operation of opening again.
    cut: Option<(CrashPolicy, u64, u64)>,
    lie: bool,
    /// Checkpoints that were there when the store was taken down, newest last.
    checkpoints: Vec<Vec<u8>>,
    /// Snapshots, with what they show, and how many were begun.
    pub copies: Vec<(PathBuf, State)>,
    taken: u32,
}

impl Round {
    pub fn new(case: &Case) -> Self {
        let mut round = Self {
            sync: case.sync,
            clock: Arc::default(),
            disk: SimDisk::new(),
            reader: None,
            store: None,
            states: vec![State::default()],
            with_kernel: 0,
            cut: None,
            lie: case.lie,
            checkpoints: Vec::new(),
            copies: Vec::new(),
            taken: 0,
        };
        round.store = Some(round.open().unwrap());
        round
    }

    pub fn options(&self) -> Options {
        Options {
            sync: self.sync,
            tail_file_after: tail_file_after(self.sync),
            reserve_after: RESERVE_AFTER,
            max_segment_bytes: 400,
            max_segment_age: Some(Duration::from_secs(300)),
            buffer_bytes: 150,
            create: true,
            threads: 1,
            seed: 1,
            clock: self.clock.clone(),
            ..Options::default()
        }
    }

    fn open(&self) -> Result<Store> {
        Store::open_on(Arc::new(self.disk.clone()), Path::new(DIR), self.options())
    }

    pub fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    pub fn state(&self) -> &State {
        self.states.last().unwrap()
    }

    /// What the files of the store may hold: what is in the buffer only its own process can see.
    pub fn states(&self) -> &[State] {
        &self.states
    }

    pub fn step(&mut self, op: &Op) {
        match op {
            Op::Put(put) => self.put(put),
            Op::Delete { key, when } => self.delete(*key, *when),
            Op::Batch(steps) => self.batch(steps),
            Op::Many(steps) => self.many(steps),
            Op::Tick { seconds } => self.clock.advance(Duration::from_secs(*seconds)),
            Op::Sync => {
                if self.run(Store::sync).is_some() {
                    self.settle();
                }
            }
            Op::DeletePrefix { key, len } => self.delete_prefix(KEYS[*key].get(..*len).unwrap_or(KEYS[*key])),
            Op::Merge(merge) => self.merge(*merge),
            Op::Snapshot { copy, again } => self.snapshot(*copy, *again),
            Op::Reopen(reopen) => self.reopen(reopen),
            Op::PowerCut { at, again, policy, seed } => {
                self.disk.crash_at(self.disk.ops() + at);
                self.cut = Some((*policy, *seed, *again));
            }
            Op::Attach => {
                let reader = Store::open_read_only_on(Disk::reader(&self.disk), Path::new(DIR), self.options());
                self.reader = Some(reader.unwrap());
            }
            Op::Refresh => check::reader(self),
        }
        if self.disk.is_crashed() {
            // In the background, under `buffered`.
            self.recover();
        }
        check::store(self);
        if matches!(op, Op::Sync | Op::Merge(_) | Op::Reopen(_) | Op::Snapshot { .. }) && self.write_out() {
            check::files(self);
            check::copies(self);
        }
    }

    /// Whether the files have what was appended; if not, the power was cut meanwhile.
    fn write_out(&mut self) -> bool {
        let first = self.store().segments().first().map(|segment| segment.id);
        self.run(|store| first.map_or(Ok(vec![]), |id| store.bytes(id, 0, 0))).is_some()
    }

    /// Runs something that may change the disk; `None` if the power was cut meanwhile, and the store is open again.
    fn run<T>(&mut self, run: impl FnOnce(&Store) -> Result<T>) -> Option<T> {
        match run(self.store()) {
            Ok(done) => Some(done),
            Err(e) if self.disk.is_crashed() => {
                drop(e);
                self.recover();
                None
            }
            Err(e) => panic!("{e}"),
        }
    }

    /// Runs a write after which the store is in the last of `next`, and might be in one before if the power is cut.
    fn write<T>(&mut self, next: Vec<State>, run: impl FnOnce(&Store) -> Result<T>) -> Option<T> {
        self.states.extend(next);
        let done = self.run(run)?;
        match self.sync {
            SyncPolicy::Always => self.settle(),
            SyncPolicy::Interval(_) => self.with_kernel = self.states.len() - 1,
            SyncPolicy::Buffered => {}
        }
        Some(done)
    }

    /// What is there now will be there whatever happens.
    fn settle(&mut self) {
        self.states.drain(..self.states.len() - 1);
        self.with_kernel = 0;
    }

    /// The condition, and whether it holds.
    fn condition(&self, key: usize, when: When) -> (Condition, bool) {
        let had = self.state().has(KEYS[key], self.clock.now());
        let tstamp = self.store().entry(KEYS[key]).map_or(1, |entry| entry.tstamp);
        match when {
            When::Always => (Condition::Always, true),
            When::Absent => (Condition::Absent, !had),
            When::Seen => (Condition::Tstamp(tstamp), had),
            When::Stale => (Condition::Tstamp(tstamp - 1), false),
        }
    }

    fn put(&mut self, put: &Put) {
        let (condition, holds) = self.condition(put.key, put.when);
        let mut next = self.state().clone();
        let had = next.has(KEYS[put.key], self.clock.now());
        if holds {
            self.expect(&mut next, &Step::Put(*put));
        }
        let old = self.store().entry(KEYS[put.key]).map(|entry| entry.location);
        let (bytes, options) = (bytes(put), PutOptions { expiry: expiry(put), condition });
        let records = check::records(self.store());
        let written = self.write(vec![next], |store| store.put_with(KEYS[put.key], &bytes, &options));
        let Some(written) = written else { return };
        assert_eq!(written.is_some(), holds, "the condition of a put");
        assert_eq!(check::records(self.store()) - records, u64::from(holds), "records of a put");
        if had && holds {
            assert_eq!(written.unwrap().superseded, old, "superseded");
        }
    }

    fn delete(&mut self, key: usize, when: When) {
        let (condition, _) = self.condition(key, when);
        let mut next = self.state().clone();
        let had = next.has(KEYS[key], self.clock.now());
        let holds = had && !matches!(when, When::Stale);
        if holds {
            self.expect(&mut next, &Step::Delete { key, when });
        }
        let records = check::records(self.store());
        let written = self.write(vec![next], |store| match condition {
            Condition::Tstamp(tstamp) => store.delete_if(KEYS[key], tstamp),
            _ => store.delete(KEYS[key]),
        });
        let Some(written) = written else { return };
        assert_eq!(written.is_some(), holds, "delete");
        assert_eq!(check::records(self.store()) - records, u64::from(holds), "records of a delete");
    }

    /// What a step that is done makes of the map.
    fn expect(&self, state: &mut State, step: &Step) {
        match step {
            Step::Put(put) => {
                let expires_at = put.ttl.map(|ttl| self.clock.now() + ttl * 1_000_000);
                state.put(KEYS[put.key], bytes(put), expires_at);
            }
            Step::Delete { key, .. } if self.lie && KEYS[*key].is_empty() => {}
            Step::Delete { key, .. } => state.delete(KEYS[*key]),
        }
    }

    /// The steps as the store takes them, and for each whether its condition holds now.
    fn list(&self, steps: &[Step]) -> (Batch, Vec<bool>) {
        let mut batch = Batch::new();
        let add = |step: &Step| match step {
            Step::Put(put) => {
                let (condition, holds) = self.condition(put.key, put.when);
                batch.put_with(KEYS[put.key], &bytes(put), &PutOptions { expiry: expiry(put), condition }).unwrap();
                holds
            }
            Step::Delete { key, when } => match self.condition(*key, *when) {
                (Condition::Tstamp(tstamp), holds) => {
                    batch.delete_if(KEYS[*key], tstamp).unwrap();
                    holds
                }
                _ => {
                    batch.delete(KEYS[*key]).unwrap();
                    true
                }
            },
        };
        let holds = steps.iter().map(add).collect();
        (batch, holds)
    }

    /// All or nothing; conditions are judged by what was there before.
    fn batch(&mut self, steps: &[Step]) {
        let now = self.clock.now();
        let (batch, holds) = self.list(steps);
        if holds.contains(&false) {
            let refused = self.store().write(&batch);
            assert!(matches!(refused, Err(Error::Refused { .. })), "the conditions of a batch: {refused:?}");
            return;
        }
        let mut next = self.state().clone();
        let mut effects = 0;
        for (i, step) in steps.iter().enumerate() {
            // What a batch itself has put is there for it, even if it does not live a moment.
            let was_put = || steps[..i].iter().rfind(|earlier| key_of(earlier) == key_of(step));
            if has_effect(&next, step, now) || matches!(was_put(), Some(Step::Put(_))) {
                self.expect(&mut next, step);
                effects += 1;
            }
        }
        let records = check::records(self.store());
        if let Some(written) = self.write(vec![next], |store| store.write(&batch)) {
            assert_eq!(written.puts + written.deletes, effects, "effects of a batch");
            assert_eq!(check::records(self.store()) - records, effects, "records of a batch");
        }
    }

    /// Each for itself, one after the other.
    fn many(&mut self, steps: &[Step]) {
        let now = self.clock.now();
        let (batch, holds) = self.list(steps);
        let mut states = vec![self.state().clone()];
        let mut done = Vec::new();
        for (i, step) in steps.iter().enumerate() {
            let mut next = states.last().unwrap().clone();
            let (key, when) = match step {
                Step::Put(put) => (put.key, put.when),
                Step::Delete { key, when } => (*key, *when),
            };
            let touched = steps[..i].iter().zip(&done).any(|(step, done)| *done && key_of(step) == key);
            let holds = match (when, step) {
                (When::Absent, Step::Put(_)) => !next.has(KEYS[key], now),
                (When::Seen, _) => holds[i] && !touched,
                _ => holds[i],
            };
            let holds = holds && has_effect(&next, step, now);
            if holds {
                self.expect(&mut next, step);
            }
            done.push(holds);
            states.push(next);
        }
        let answers = self.write(states.split_off(1), |store| -> Result<Vec<_>> {
            store.put_many(&batch)?.into_iter().map(|answer| answer.map(|written| written.is_some())).collect()
        });
        if let Some(answers) = answers {
            assert_eq!(answers, done, "the answers of many");
        }
    }

    fn delete_prefix(&mut self, prefix: &[u8]) {
        let live = self.state().live(self.clock.now());
        let doomed: Vec<_> = live.into_keys().filter(|key| key.starts_with(prefix)).collect();
        let mut next = self.state().clone();
        doomed.iter().for_each(|key| next.delete(key));
        if let Some(deleted) = self.write(vec![next], |store| store.delete_prefix(prefix)) {
            assert_eq!(deleted.keys, doomed.len() as u64, "keys with a prefix");
        }
    }

    /// Complete or absent, and from then on what it is, whatever becomes of the store.
    fn snapshot(&mut self, copy: bool, again: bool) {
        self.taken += 1;
        let dest = PathBuf::from(format!("/copy{}", self.taken));
        let earlier = self.copies.last().filter(|_| again).map(|(dest, _)| dest.clone());
        let (state, disk) = (self.state().clone(), self.disk.clone());
        let options = SnapshotOptions { copy, earlier };
        let watch = &mut |_, _| ControlFlow::Continue(());
        self.run(|store| transfer::snapshot(store, &disk, &dest, &options, watch));
        if self.disk.entry(&dest).is_ok() {
            self.copies.push((dest, state));
        }
    }

    fn merge(&mut self, merge: Merge) {
        let choice = match merge {
            Merge::All => MergeChoice::All,
            Merge::Policy { fragmentation, dead_bytes, small_bytes } => MergeChoice::Policy(MergePolicy {
                fragmentation: f64::from(fragmentation) / 100.0,
                dead_bytes,
                small_bytes,
            }),
            Merge::Segments { mask } => {
                let sealed = self.store().segments().into_iter().filter(|segment| !segment.active);
                let chosen = sealed.enumerate().filter(|(i, _)| mask >> (i % 64) & 1 == 1);
                MergeChoice::Segments(chosen.map(|(_, segment)| segment.id).collect())
            }
        };
        let now = self.clock.now();
        self.states.iter_mut().for_each(|state| state.merged(now));
        let planned = self.run(|store| store.merge_plan(&choice));
        let Some(planned) = planned else { return };
        let merged = self.run(|store| store.merge(&choice, &MergeControl::default()));
        let Some(merged) = merged else { return };
        check::merged(self, &choice, &planned, merged.as_ref());
        if merged.is_some() {
            self.settle();
        }
    }

    fn reopen(&mut self, reopen: &Reopen) {
        let mut first = 0;
        match reopen.how {
            How::Closed => {
                let closed = self.store.take().unwrap().close();
                if self.disk.is_crashed() {
                    return self.recover();
                }
                closed.unwrap();
                self.settle();
            }
            How::Killed => {
                self.disk = self.disk.kill();
                first = self.with_kernel;
            }
            How::Cut { policy, seed } => self.disk = self.disk.crash(policy, seed),
        }
        if !matches!(reopen.how, How::Closed) {
            (self.store, self.reader, self.cut) = (None, None, None);
        }
        self.lose(reopen.lose);
        if reopen.set_back > 0 {
            // A reader that was open went by the old clock.
            self.reader = None;
            self.clock.set_back(Duration::from_secs(reopen.set_back));
        }
        let opened = self.open();
        if self.disk.is_crashed() {
            drop(opened);
            return self.recover();
        }
        self.store = Some(opened.unwrap_or_else(|e| panic!("opening: {e}")));
        self.adopt(first);
    }

    /// Opens what the power cut left; a second cut may come while it opens.
    fn recover(&mut self) {
        let (policy, seed, again) = self.cut.take().unwrap_or((CrashPolicy::Keep, 0, 0));
        (self.store, self.reader) = (None, None);
        self.disk = self.disk.crash(policy, seed);
        if again > 0 {
            self.disk.crash_at(self.disk.ops() + again);
            drop(self.open());
            self.disk = self.disk.crash(policy, seed + 1);
        }
        self.store = Some(self.open().unwrap_or_else(|e| panic!("opening after a power cut: {e}")));
        self.adopt(0);
    }

    /// Finds out which of the states that it may be in the store is in.
    fn adopt(&mut self, first: usize) {
        let found = check::listed(self.store());
        let states = &self.states[first..];
        let state = State::found(states, &found, self.clock.now());
        self.states = vec![state.unwrap_or_else(|| panic!("{found:?} is none of {states:?}"))];
        self.with_kernel = 0;
    }

    fn lose(&mut self, lose: Lose) {
        let checkpoint = PathBuf::from("data/KEYDIR");
        let now = self.disk.image().remove(&checkpoint);
        let now = now.filter(|now| self.checkpoints.last() != Some(now));
        self.checkpoints.extend(now);
        let ends = |path: &Path, end: &str| path.starts_with("data") && path.extension().is_some_and(|e| e == end);
        let hints = || self.disk.image().into_keys().filter(|path| ends(path, "hint")).collect::<Vec<_>>();
        let lost = match lose {
            Lose::Nothing => vec![],
            Lose::AllHints => hints(),
            Lose::Hint(nth) => hints().into_iter().skip(nth).take(1).collect(),
            Lose::Checkpoint | Lose::NewerCheckpoint => vec![checkpoint.clone()],
        };
        // As a person does it: a power cut may bring them back, or may come just then.
        lost.iter().for_each(|path| drop(Disk::remove(&self.disk, path)));
        let older = self.checkpoints.iter().rev().nth(1).filter(|_| matches!(lose, Lose::NewerCheckpoint));
        // While the power is off nothing is put back.
        if let Some(older) = older.filter(|_| !self.disk.is_crashed()) {
            let _ = self.disk.delete(&checkpoint);
            self.disk.insert(&checkpoint, older.clone()).unwrap();
        }
    }
}

fn bytes(put: &Put) -> Vec<u8> {
    vec![put.fill; put.len]
}

fn expiry(put: &Put) -> Expiry {
    put.ttl.map_or(Expiry::Default, |ttl| Expiry::After(Duration::from_secs(ttl)))
}

fn key_of(step: &Step) -> usize {
    match step {
        Step::Put(put) => put.key,
        Step::Delete { key, .. } => *key,
    }
}

fn has_effect(state: &State, step: &Step, now: u64) -> bool {
    matches!(step, Step::Put(_)) || state.has(KEYS[key_of(step)], now)
}

/// The live keys and values of a store, as a listing and gets tell them.
pub type Shown = BTreeMap<Vec<u8>, Vec<u8>>;
