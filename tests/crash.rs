//! Promises 1, 2 and 4 at every point where a machine can stop.
//!
//! A workload of puts, overwrites and deletes over several small segments runs on the simulated disk and is stopped at
//! each of its disk operations in turn. What was not synced is dropped, kept, or torn in several ways; then the store is
//! opened again, and what it holds must be what the workload had written up to some point: not before the last thing
//! that was acknowledged as durable, and not after the last thing that was asked for. Recovery itself is stopped at each
//! of its operations too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use logkv::disk::sim::{CrashPolicy, Geometry, SimDisk};
use logkv::store::SyncPolicy;
use logkv::{Error, Options, Store};
use support::TickingClock;

const DIR: &str = "data";

type State = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Clone, Debug)]
enum Op {
    Put(&'static str, String),
    Delete(&'static str),
    Sync,
    Reopen,
}

fn workload() -> Vec<Op> {
    let mut ops = vec![];
    for i in 0..14 {
        let key = ["a", "b", "c", "dd", "eee"][i % 5];
        ops.push(Op::Put(key, format!("{key}-{i}-{}", "v".repeat(i * 11 % 47))));
        match i {
            3 | 11 => ops.push(Op::Delete("b")),
            5 => ops.push(Op::Put("", "the empty key".into())),
            6 => ops.push(Op::Reopen),
            8 => ops.push(Op::Delete("nothing")),
            9 => ops.push(Op::Put("a", String::new())),
            4 | 7 | 12 => ops.push(Op::Sync),
            _ => {}
        }
    }
    ops
}

/// Pages and sectors far smaller than a segment, so that there are many ways to tear one.
fn new_disk() -> SimDisk {
    SimDisk::with_geometry(Geometry { page: 64, sector: 16 })
}

fn options(sync: SyncPolicy) -> Options {
    Options {
        sync,
        create: true,
        max_segment_bytes: 400,
        buffer_bytes: 150,
        threads: 1,
        seed: 7,
        clock: Arc::new(TickingClock::default()),
        ..Options::default()
    }
}

/// What the workload got done before it was stopped.
struct Progress {
    /// The state after each write that was asked for, the state before the first included.
    states: Vec<State>,
    /// Writes that are in any case there after a power cut.
    durable: usize,
}

fn run(disk: &SimDisk, sync: SyncPolicy) -> Progress {
    let mut progress = Progress { states: vec![State::new()], durable: 0 };
    let open = || Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(sync));
    let Ok(mut store) = open() else { return progress };
    for op in workload() {
        let written = progress.states.len() - 1;
        let mut state = progress.states[written].clone();
        let result = match &op {
            Op::Put(key, value) => {
                state.insert(key.as_bytes().to_vec(), value.as_bytes().to_vec());
                progress.states.push(state);
                store.put(key.as_bytes(), value.as_bytes()).map(drop)
            }
            Op::Delete(key) => {
                state.remove(key.as_bytes());
                progress.states.push(state);
                store.delete(key.as_bytes()).map(drop)
            }
            Op::Sync => store.sync(),
            Op::Reopen => {
                if store.close().is_err() {
                    return progress;
                }
                progress.durable = written;
                let Ok(again) = open() else { return progress };
                store = again;
                continue;
            }
        };
        if result.is_err() {
            return progress;
        }
        if sync == SyncPolicy::Always || matches!(op, Op::Sync) {
            progress.durable = progress.states.len() - 1;
        }
    }
    if store.close().is_ok() {
        progress.durable = progress.states.len() - 1;
    }
    progress
}

fn contents(store: &Store, what: &str) -> State {
    store
        .scan(b"")
        .map(|(key, _)| {
            let answer = store.get(&key).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert!(!answer.suspect, "{what}: {key:?} is suspect");
            (key.to_vec(), answer.into_value().unwrap_or_else(|| panic!("{what}: {key:?} is listed and not there")))
        })
        .collect()
}

fn check(disk: &SimDisk, sync: SyncPolicy, progress: &Progress, what: &str) {
    let before = disk.image();
    let store = match Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(sync)) {
        Ok(store) => store,
        Err(e) => panic!("{what}: {e}\n{}", disk.trace().join("\n")),
    };
    let found = contents(&store, what);
    let allowed = &progress.states[progress.durable..];
    assert!(allowed.contains(&found), "{what}: {found:?} is none of {allowed:?}");
    let damage: Vec<_> =
        store.findings().into_iter().filter(|f| f.severity == logkv::store::Severity::Damage).collect();
    assert!(damage.is_empty(), "{what}: a crash is no damage: {damage:?}");
    nothing_is_destroyed(&before, &disk.image(), what);
    ledger_is_right(&store, what);
    drop(store);

    let settled = disk.image();
    let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(sync)).unwrap();
    assert_eq!(contents(&store, what), found, "{what}: the second open");
    drop(store);
    let mut again = disk.image();
    let lock = Path::new("/data/LOCK").to_path_buf();
    let mut settled = settled;
    settled.retain(|path, _| !path.ends_with("LOCK"));
    again.retain(|path, _| !path.ends_with("LOCK"));
    assert_eq!(settled.keys().collect::<Vec<_>>(), again.keys().collect::<Vec<_>>(), "{what} {lock:?}");
    assert!(settled == again, "{what}: the second open changed a byte");

    let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(sync)).unwrap();
    store.put(b"after", b"the crash").unwrap();
    store.delete(b"a").unwrap();
    let mut expected = found;
    expected.insert(b"after".to_vec(), b"the crash".to_vec());
    expected.remove(&b"a"[..]);
    store.close().unwrap();
    let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(sync)).unwrap();
    assert_eq!(contents(&store, what), expected, "{what}: writing on after recovery");
}

/// Promise 4: what a segment lost is a tail, and all of it that is not zero is in the quarantine.
fn nothing_is_destroyed(before: &logkv::disk::sim::Image, after: &logkv::disk::sim::Image, what: &str) {
    let saved: Vec<&[u8]> = after
        .iter()
        .filter(|(path, _)| path.to_string_lossy().contains("quarantine/"))
        .map(|(_, bytes)| bytes.as_slice())
        .collect();
    for (path, bytes) in before.iter().filter(|(path, _)| path.to_string_lossy().ends_with(".data")) {
        let now = after.get(path).unwrap_or_else(|| panic!("{what}: {path:?} is gone"));
        let kept = now.len().min(bytes.len());
        assert_eq!(bytes[..kept], now[..kept], "{what}: {path:?} was rewritten");
        let cut = &bytes[kept..];
        assert!(
            cut.iter().all(|b| *b == 0) || saved.contains(&cut),
            "{what}: {} bytes of {path:?} are lost",
            cut.len()
        );
    }
}

fn ledger_is_right(store: &Store, what: &str) {
    let ledger: Vec<_> = store
        .segments()
        .into_iter()
        .filter(|segment| segment.live_records > 0)
        .map(|segment| (segment.id, segment.live_records, segment.live_bytes))
        .collect();
    assert_eq!(store.recount(), ledger, "{what}: the ledger");
}

const POLICIES: [SyncPolicy; 3] =
    [SyncPolicy::Always, SyncPolicy::Interval(Duration::from_secs(3600)), SyncPolicy::Buffered];

fn ways() -> Vec<(CrashPolicy, u64)> {
    let mut ways = vec![(CrashPolicy::Drop, 0), (CrashPolicy::Keep, 0)];
    ways.extend((1..=6).map(|seed| (CrashPolicy::Torn, seed)));
    ways
}

#[test]
fn a_crash_at_any_disk_operation_leaves_a_prefix_of_what_was_written() {
    let mut points = 0;
    for sync in POLICIES {
        let dry = new_disk();
        let whole = run(&dry, sync);
        assert_eq!(whole.durable, whole.states.len() - 1, "the workload itself goes through");
        for op in 1..=dry.ops() {
            let disk = new_disk();
            disk.crash_at(op);
            let progress = run(&disk, sync);
            for (policy, seed) in ways() {
                let after = disk.crash(policy, seed);
                let what = format!("{sync}, stopped at {}, {policy:?} {seed}", dry.trace()[op as usize - 1]);
                check(&after, sync, &progress, &what);
                points += 1;
            }
        }
    }
    println!("{points} crashes");
}

#[test]
fn a_crash_while_recovering_from_a_crash_loses_nothing_more() {
    let mut points = 0;
    for sync in POLICIES {
        let dry = new_disk();
        run(&dry, sync);
        for op in 1..=dry.ops() {
            let disk = new_disk();
            disk.crash_at(op);
            let progress = run(&disk, sync);
            for (policy, seed) in [(CrashPolicy::Keep, 0), (CrashPolicy::Torn, 1), (CrashPolicy::Torn, 2)] {
                let crashed = disk.crash(policy, seed);
                let recovery = crashed.fork();
                let first = recovery.ops();
                drop(Store::open_on(Arc::new(recovery.clone()), Path::new(DIR), options(sync)).unwrap());
                for step in 1..=recovery.ops() - first {
                    let again = crashed.fork();
                    again.crash_at(again.ops() + step);
                    drop(Store::open_on(Arc::new(again.clone()), Path::new(DIR), options(sync)));
                    for (policy, seed) in [(CrashPolicy::Drop, 0), (CrashPolicy::Torn, 3)] {
                        let what = format!(
                            "{sync}, stopped at {}, then in recovery step {step}",
                            dry.trace()[op as usize - 1]
                        );
                        check(&again.crash(policy, seed), sync, &progress, &what);
                        points += 1;
                    }
                }
            }
        }
    }
    println!("{points} crashes while recovering");
}

#[test]
fn killing_the_process_loses_nothing_that_was_acknowledged_with_the_kernel() {
    for sync in [SyncPolicy::Always, SyncPolicy::Interval(Duration::from_secs(3600))] {
        let disk = new_disk();
        let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(sync)).unwrap();
        for i in 0..40u8 {
            store.put(&[i % 7], &[i; 30]).unwrap();
        }
        let expected = contents(&store, "before the kill");
        let after = disk.kill();
        let store = Store::open_on(Arc::new(after), Path::new(DIR), options(sync)).unwrap();
        assert_eq!(contents(&store, "after the kill"), expected);
    }
}

#[test]
fn a_failed_sync_stops_the_writer_and_is_never_tried_again() {
    let disk = new_disk();
    let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(SyncPolicy::Always)).unwrap();
    store.put(b"a", b"1").unwrap();
    disk.fail_at(disk.ops() + 2, logkv::disk::sim::Fault::Io);
    assert!(matches!(store.put(b"b", b"2"), Err(Error::Indeterminate { .. })));
    assert!(matches!(store.put(b"c", b"3"), Err(Error::Poisoned { .. })));
    assert!(matches!(store.sync(), Err(Error::Poisoned { .. })), "the kernel would answer that all is well");
    assert_eq!(store.get(b"a").unwrap().value(), Some(&b"1"[..]), "reads go on");
    assert_eq!(store.get(b"b").unwrap().value(), None);
    assert!(store.close().is_err());

    // The machine goes on; the page cache has bytes that the disk never got. Recovery must write them again.
    let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(SyncPolicy::Always)).unwrap();
    let found = contents(&store, "after reopening");
    drop(store);
    let after = disk.crash(CrashPolicy::Drop, 0);
    let store = Store::open_on(Arc::new(after), Path::new(DIR), options(SyncPolicy::Always)).unwrap();
    assert_eq!(contents(&store, "after the power cut"), found, "what reopening showed was not durable");
}
