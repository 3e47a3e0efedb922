//! Promise 6 at every disk operation: the disk fails, is full, writes short or is interrupted at each operation of a
//! workload with batches and merges in turn.
//!
//! What was acknowledged stays, what was refused is not there, only what was reported as indeterminate may be either;
//! gets go on; the error names a file; and the writer stops when it must and only then.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod support;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use logkv::disk::Disk;
use logkv::disk::sim::{CrashPolicy, Fault, Geometry, SimDisk};
use logkv::format::{Origin, SegmentId};
use logkv::store::{FindingKind, Mode, SyncPolicy};
use logkv::{Error, Options, Store};
use support::workload::{Op, State, workload};
use support::{KEPT, RESERVE_AFTER, TickingClock, tail_file_after};

const DIR: &str = "/disk/data";
const FIRST_SEGMENT: &str = "disk/data/0000000001.data";
const POLICIES: [SyncPolicy; 4] =
    [SyncPolicy::Always, SyncPolicy::Interval(Duration::from_secs(3600)), KEPT, SyncPolicy::Buffered];
const FAULTS: [Fault; 5] = [Fault::Io, Fault::NoSpace, Fault::ShortWrite(1), Fault::ShortWrite(13), Fault::Interrupted];

fn options(sync: SyncPolicy) -> Options {
    Options {
        sync,
        tail_file_after: tail_file_after(sync),
        reserve_after: RESERVE_AFTER,
        create: true,
        max_segment_bytes: 300,
        buffer_bytes: 100,
        threads: 1,
        seed: 7,
        clock: Arc::new(TickingClock::default()),
        ..Options::default()
    }
}

/// A disk on which the directory is, durably: whether it survives its own making is another test's question.
fn new_disk() -> SimDisk {
    let disk = SimDisk::with_geometry(Geometry { page: 64, sector: 16 });
    disk.insert_dir(DIR).unwrap();
    disk
}

fn open(disk: &SimDisk, sync: SyncPolicy) -> logkv::Result<Store> {
    Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(sync))
}

fn contents(store: &Store) -> State {
    let value = |key: &[u8]| store.get(key).unwrap().into_value().expect("what is listed is there");
    store.scan(b"").map(|(key, _)| (key.to_vec(), value(&key))).collect()
}

/// A run of the workload over a disk on which something goes wrong.
struct Run {
    disk: SimDisk,
    sync: SyncPolicy,
    what: String,
    /// What was there after each acknowledged write, nothing at first.
    acknowledged: Vec<State>,
    /// How many of these a power cut leaves.
    durable: usize,
    /// What may be there too: the write whose outcome was reported as unknown.
    indeterminate: Option<State>,
    poisoned: bool,
    /// It was poisoned at some time.
    stopped: bool,
    /// Disk operations of opening and closing; there is no writer that could be stopped.
    quiet: Vec<RangeInclusive<u64>>,
    /// Segments that merges wrote.
    outputs: BTreeSet<SegmentId>,
}

impl Run {
    fn new(disk: SimDisk, sync: SyncPolicy, what: String) -> Self {
        let acknowledged = vec![State::new()];
        Self {
            disk,
            sync,
            what,
            acknowledged,
            durable: 0,
            indeterminate: None,
            poisoned: false,
            stopped: false,
            quiet: vec![],
            outputs: BTreeSet::new(),
        }
    }

    fn quietly<R>(&mut self, run: impl FnOnce() -> R) -> R {
        let first = self.disk.ops() + 1;
        let done = run();
        self.quiet.push(first..=self.disk.ops());
        done
    }

    /// Opens, at the second try at the latest: the fault comes once.
    fn open(&mut self) -> Store {
        let (disk, sync) = (self.disk.clone(), self.sync);
        let store = match self.quietly(|| open(&disk, sync)) {
            Ok(store) if store.mode() == Mode::ReadWrite => return store,
            Ok(store) => store.findings()[0].message.clone(),
            Err(e) => {
                self.names_a_file(&e);
                e.to_string()
            }
        };
        let first = store;
        let second = self.quietly(|| open(&disk, sync)).unwrap_or_else(|e| panic!("{}: {first}, {e}", self.what));
        assert_eq!(second.mode(), Mode::ReadWrite, "{}: {first}", self.what);
        second
    }

    fn names_a_file(&self, e: &Error) {
        assert!(e.to_string().contains("/disk"), "{}: {e} names no file", self.what);
    }

    fn go(&mut self) {
        let mut store = self.open();
        for op in workload() {
            if let Op::Reopen = op {
                store = self.reopen(store);
                continue;
            }
            self.step(&store, &op);
            assert_eq!(&contents(&store), self.last(), "{}: after {op:?}", self.what);
        }
        // The process is killed: whoever closes nothing is owed the same.
        std::mem::forget(store);
    }

    fn reopen(&mut self, store: Store) -> Store {
        if self.quietly(|| store.close()).is_ok() {
            self.durable = self.acknowledged.len() - 1;
        }
        let store = self.open();
        let found = contents(&store);
        assert!(self.allowed(false).contains(&&found), "{}: reopening: {found:?}", self.what);
        self.survives_a_power_cut(&self.disk.fork(), &found);
        self.acknowledged.push(found);
        self.durable = self.acknowledged.len() - 1;
        (self.indeterminate, self.poisoned) = (None, false);
        store
    }

    /// After a failed sync the kernel shows bytes and names that the disk does not have: opening must have written them
    /// again before it shows them to anybody.
    fn survives_a_power_cut(&self, opened: &SimDisk, found: &State) {
        let store = open(&opened.crash(CrashPolicy::Drop, 0), self.sync).unwrap();
        assert_eq!(contents(&store), *found, "{}: what reopening showed was not durable", self.what);
    }

    fn last(&self) -> &State {
        self.acknowledged.last().unwrap()
    }

    fn step(&mut self, store: &Store, op: &Op) {
        let mut state = self.last().clone();
        op.apply(&mut state);
        let before = segments(store);
        let result = op.run(store);
        if let Op::Merge(_) = op {
            let merged = store.segments().into_iter().filter(|segment| segment.origin == Origin::Merge);
            self.outputs.extend(merged.map(|segment| segment.id));
            assert!(
                result.is_ok() || self.is_poisoned_now(store) || segments(store).is_superset(&before),
                "{}: a merge that failed took a segment away",
                self.what
            );
        }
        match result {
            Ok(()) => {
                assert!(!self.poisoned, "{}: a stopped writer wrote", self.what);
                self.acknowledged.push(state);
                if self.sync == SyncPolicy::Always || op.makes_durable() {
                    self.durable = self.acknowledged.len() - 1;
                }
            }
            Err(e) => {
                self.names_a_file(&e);
                match e {
                    Error::Indeterminate { .. } => self.indeterminate = Some(state),
                    Error::Poisoned { .. } => assert!(self.poisoned, "{}: {e}", self.what),
                    Error::Io { .. } | Error::NoSpace { .. } => {}
                    e => panic!("{}: {e}", self.what),
                }
                self.poisoned = self.is_poisoned_now(store);
                self.stopped |= self.poisoned;
            }
        }
    }

    fn is_poisoned_now(&self, store: &Store) -> bool {
        matches!(store.sync(), Err(Error::Poisoned { .. }))
    }

    /// What may be found after the process was killed, or the power was cut.
    fn allowed(&self, power_cut: bool) -> Vec<&State> {
        let first = match (self.sync, power_cut) {
            (SyncPolicy::Buffered, _) | (_, true) => self.durable,
            (_, false) => self.acknowledged.len() - 1,
        };
        self.acknowledged[first..].iter().chain(&self.indeterminate).collect()
    }

    fn check_what_is_left(&self) {
        let killed = self.disk.kill();
        let store = open(&killed, self.sync).unwrap();
        let found = contents(&store);
        assert!(self.allowed(false).contains(&&found), "{}, killed: {found:?}", self.what);
        std::mem::forget(store);
        self.survives_a_power_cut(&killed, &found);

        for (policy, seed) in [(CrashPolicy::Drop, 0), (CrashPolicy::Keep, 0), (CrashPolicy::Torn, 1)] {
            let store = open(&self.disk.crash(policy, seed), self.sync).unwrap();
            let found = contents(&store);
            assert!(self.allowed(true).contains(&&found), "{}, {policy:?}: {found:?}", self.what);
        }
    }
}

fn segments(store: &Store) -> BTreeSet<SegmentId> {
    store.segments().into_iter().map(|segment| segment.id).collect()
}

/// Whether the writer must stop when this operation goes wrong in this way; `outputs`: what merges write.
fn must_stop(operation: &str, fault: Fault, outputs: &BTreeSet<SegmentId>) -> bool {
    let is_data = operation.contains(".data");
    let is_output = outputs.iter().any(|id| operation.contains(&format!("{id:010}")));
    match fault {
        Fault::ShortWrite(_) => false,
        // It is done without.
        _ if operation.contains("/TAIL") => false,
        _ if operation.contains("sync_dir") => true,
        // Until it has its name it may be that nothing is decided; only a full disk says so for certain.
        Fault::NoSpace if operation.contains("MERGE.tmp") => false,
        _ if operation.contains("MERGE.tmp") => !operation.contains("write") || fault == Fault::Io,
        // It goes before anything is decided.
        _ if operation.contains("remove") && operation.contains("KEYDIR") => false,
        // The merge is decided and has to go on.
        _ if operation.contains("remove") => !operation.contains(".tmp"),
        // Outputs that are not named yet are nothing to anybody.
        _ if is_output => operation.contains("rename"),
        // A sync is never tried again, whatever it says.
        _ if operation.contains("sync_data") => is_data,
        // What is sealed next would end in something else than records.
        _ if operation.contains("set_len") => is_data,
        // A header is written under a temporary name, and thrown away if that fails.
        Fault::Io => operation.contains("write") && is_data && !operation.contains(" 0.."),
        Fault::NoSpace | Fault::Interrupted => false,
    }
}

/// Every fault at every operation; how many there were, and how many of them stopped the writer.
fn every_fault(sync: SyncPolicy) -> (u32, u32) {
    let (mut runs, mut stops) = (0, 0);
    let mut dry = Run::new(new_disk(), sync, format!("{sync}, nothing wrong"));
    dry.go();
    assert!(!dry.stopped && dry.acknowledged.len() == 1 + workload().len());
    dry.check_what_is_left();
    for (op, fault) in (1..=dry.disk.ops()).flat_map(|op| FAULTS.map(|fault| (op, fault))) {
        let disk = new_disk();
        disk.fail_at(op, fault);
        let mut run = Run::new(disk, sync, format!("{sync}, operation {op}"));
        run.go();
        // The background may have written once more in the run with nothing wrong, if that took long.
        let Some(operation) = run.disk.trace().get(op as usize - 1).cloned() else { continue };
        run.what = format!("{sync}, {operation}");
        let had_writer = !run.quiet.iter().any(|quiet| quiet.contains(&op));
        assert_eq!(run.stopped, had_writer && must_stop(&operation, fault, &dry.outputs), "{}: poisoned", run.what);
        if let Fault::ShortWrite(_) = fault {
            assert_eq!(run.acknowledged, dry.acknowledged, "{}: nobody need notice", run.what);
        }
        run.check_what_is_left();
        (runs, stops) = (runs + 1, stops + u32::from(run.stopped));
    }
    (runs, stops)
}

#[test]
fn a_fault_at_any_disk_operation_loses_nothing_acknowledged_and_stops_the_writer_only_when_it_must() {
    let counts = thread::scope(|scope| {
        let policies = POLICIES.map(|sync| scope.spawn(move || every_fault(sync)));
        policies.map(|counts| counts.join().unwrap())
    });
    let (runs, stops) = counts.into_iter().fold((0, 0), |sum, counts| (sum.0 + counts.0, sum.1 + counts.1));
    println!("{runs} faults, {stops} of them stopped the writer");
    assert!(runs > 4000 && stops > 1000);
}

fn used(disk: &SimDisk) -> u64 {
    disk.image().values().map(|bytes| bytes.len() as u64).sum()
}

#[test]
fn a_disk_that_fills_up_at_any_byte_costs_only_the_puts_that_were_refused() {
    for sync in POLICIES {
        for room in (0..700).step_by(3) {
            let what = format!("{sync}, room for {room}");
            let disk = new_disk();
            let store = open(&disk, sync).unwrap();
            store.put(b"first", b"1").unwrap();
            store.sync().unwrap();
            disk.set_capacity(Some(used(&disk) + room));
            let mut state = contents(&store);
            let mut refused = 0;
            for i in 0..16u8 {
                let (key, value) = (vec![b'k', i % 5], vec![i; usize::from(i) * 7 % 40]);
                match store.put(&key, &value) {
                    Ok(_) => drop(state.insert(key, value)),
                    Err(Error::NoSpace { .. }) => {
                        refused += 1;
                        let reader =
                            Store::open_read_only_on(Disk::reader(&disk), Path::new(DIR), options(sync)).unwrap();
                        assert_eq!(reader.findings(), [], "{what}: half a record was left behind");
                    }
                    Err(e) => panic!("{what}: {e}"),
                }
                assert_eq!(contents(&store), state, "{what}, put {i}");
            }
            assert!(refused > 0 || room > 500, "{what}: it was full");
            if let Err(e) = store.sync() {
                assert!(matches!(e, Error::NoSpace { .. }), "{what}: {e}");
                assert!(matches!(store.put(b"k", b"v"), Err(Error::NoSpace { .. })), "{what}: the buffer comes first");
                assert!([KEPT, SyncPolicy::Buffered].contains(&sync), "{what}: nothing is held back");
            }
            disk.set_capacity(None);
            store.put(b"last", b"goes on").unwrap();
            state.insert(b"last".to_vec(), b"goes on".to_vec());
            store.sync().unwrap();
            std::mem::forget(store);
            let store = open(&disk.crash(CrashPolicy::Drop, 0), sync).unwrap();
            assert_eq!(contents(&store), state, "{what}, after a power cut");
        }
    }
}

/// A background flush that found the disk full said nothing, so puts went on being acknowledged into a buffer that could
/// not be written; and nobody tried again before the next call.
#[test]
fn the_background_flush_notices_a_full_disk_and_tries_again_by_itself() {
    let disk = new_disk();
    let roomy = Options { buffer_bytes: 1 << 20, max_segment_bytes: 1 << 20, ..options(SyncPolicy::Buffered) };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), roomy).unwrap();
    store.put(b"a", b"begins the segment").unwrap();
    store.sync().unwrap();
    disk.set_capacity(Some(used(&disk)));
    let flushed = used(&disk);
    let tries = disk.ops();
    store.put(b"b", b"in the buffer").unwrap();
    wait_until("the background flush tries", || disk.ops() > tries);
    assert!(matches!(store.put(b"c", b"refused"), Err(Error::NoSpace { .. })));
    assert_eq!(store.get(b"b").unwrap().value(), Some(&b"in the buffer"[..]));
    disk.set_capacity(None);
    wait_until("the background flush has room", || used(&disk) > flushed);
    let store = open(&disk.kill(), SyncPolicy::Buffered).unwrap();
    assert_eq!(store.get(b"b").unwrap().value(), Some(&b"in the buffer"[..]));
    assert_eq!(store.get(b"c").unwrap().value(), None);
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}: it never did");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A store whose last record is torn, and what is in it before that record.
fn torn_store() -> (SimDisk, State) {
    let sync = POLICIES[1];
    let disk = new_disk();
    let store = open(&disk, sync).unwrap();
    store.put(b"a", b"whole").unwrap();
    store.put(b"b", b"whole, too").unwrap();
    let state = contents(&store);
    let torn = store.put(b"b", b"only half of this will be there").unwrap().location;
    let disk = disk.kill();
    disk.truncate(FIRST_SEGMENT, torn.offset + torn.len - 10).unwrap();
    (disk, state)
}

#[test]
fn an_end_of_the_log_that_cannot_be_saved_opens_for_reading_and_is_not_cut() {
    let (disk, state) = torn_store();
    let torn = disk.image()[Path::new(FIRST_SEGMENT)].clone();
    let dry = disk.fork();
    open(&dry, SyncPolicy::Always).unwrap().close().unwrap();
    for (op, fault) in (1..=dry.ops()).flat_map(|op| [(op, Fault::Io), (op, Fault::NoSpace)]) {
        let disk = disk.fork();
        disk.fail_at(op, fault);
        let what = format!("{} {fault:?}", dry.trace()[op as usize - 1]);
        let Ok(store) = open(&disk, SyncPolicy::Always) else {
            assert!(what.contains("LOCK"), "{what}");
            continue;
        };
        assert_eq!(contents(&store), state, "{what}");
        let saves = what.contains("quarantine") && !what.contains("remove");
        if saves {
            assert_eq!(store.mode(), Mode::ReadOnly, "{what}");
            assert_eq!(disk.image()[Path::new(FIRST_SEGMENT)], torn, "{what}: cut, but not saved");
        }
        if store.mode() == Mode::ReadOnly {
            let findings = store.findings();
            let why = findings.iter().find(|found| found.path == Path::new(DIR)).expect("a finding");
            assert_eq!(why.kind, FindingKind::TornTail);
            let refused = store.put(b"c", b"3").unwrap_err().to_string();
            assert!(refused.contains(&why.message), "{what}: {refused}");
        }
        drop(store);
        let store = open(&disk, SyncPolicy::Always).unwrap();
        assert_eq!(store.mode(), Mode::ReadWrite, "{what}: the lock was given up, and the next open saves it");
        assert_eq!(contents(&store), state, "{what}");
        let image = disk.image();
        let saved = image.iter().filter(|(path, _)| path.extension().is_some_and(|ext| ext == "tail"));
        let kept = image[Path::new(FIRST_SEGMENT)].len();
        assert_eq!(saved.map(|(_, bytes)| bytes.as_slice()).collect::<Vec<_>>(), [&torn[kept..]], "{what}");
    }
}

/// A store on a full disk could not even be opened: the lock file's text did not fit.
#[test]
fn a_full_disk_does_not_keep_a_store_from_being_opened() {
    let disk = new_disk();
    let store = open(&disk, SyncPolicy::Always).unwrap();
    store.put(b"a", b"1").unwrap();
    store.close().unwrap();
    disk.delete("disk/data/LOCK").unwrap();
    disk.set_capacity(Some(used(&disk) + 5));
    let store = open(&disk, SyncPolicy::Always).unwrap();
    assert_eq!(store.mode(), Mode::ReadWrite);
    assert_eq!(store.get(b"a").unwrap().value(), Some(&b"1"[..]));
    let second = open(&disk, SyncPolicy::Always);
    assert!(matches!(second, Err(Error::Locked { holder: None, .. })), "half a name is a wrong one: {second:?}");
}

/// Killed between making the directory and syncing its parent, a store lost everything to the next power cut: whoever
/// came next found the directory and took its name for durable.
#[test]
fn a_directory_that_somebody_made_and_did_not_sync_is_synced_before_it_is_written_to() {
    for dir in ["data", "a/b/data"] {
        let create =
            |disk: &SimDisk| Store::open_on(Arc::new(disk.clone()), Path::new(dir), options(SyncPolicy::Always));
        let dry = SimDisk::new();
        drop(create(&dry).unwrap());
        for op in 1..=dry.ops() {
            let disk = SimDisk::new();
            disk.crash_at(op);
            let _ = create(&disk);
            let disk = disk.kill();
            let store = create(&disk).unwrap();
            store.put(b"a", b"1").unwrap();
            std::mem::forget(store);
            let store = create(&disk.crash(CrashPolicy::Drop, 0)).unwrap();
            assert_eq!(store.get(b"a").unwrap().value(), Some(&b"1"[..]), "{dir}, killed at {op}: {:?}", dry.trace());
        }
    }
}
