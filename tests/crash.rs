//! Promises 1, 2 and 4 at every point where a machine can stop.
//!
//! A workload of puts, deletes, batches and merges over several small segments runs on the simulated disk and is stopped
//! at each of its disk operations in turn. What was not synced is dropped, kept, or torn in several ways; then the store is
//! opened again, and what it holds must be what the workload had written up to some point: not before the last thing
//! that was acknowledged as durable, and not after the last thing that was asked for. Recovery itself is stopped at each
//! of its operations too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use logkv::disk::sim::{CrashPolicy, Geometry, Image, SimDisk};
use logkv::format::{MergeFile, MergePart};
use logkv::store::SyncPolicy;
use logkv::{Error, Options, Store};
use support::workload::{Op, State, workload};
use support::{KEPT, RESERVE_AFTER, TickingClock, tail_file_after};

const DIR: &str = "data";

/// Pages and sectors far smaller than a segment, so that there are many ways to tear one.
fn new_disk() -> SimDisk {
    SimDisk::with_geometry(Geometry { page: 64, sector: 16 })
}

fn options(sync: SyncPolicy) -> Options {
    Options {
        sync,
        tail_file_after: tail_file_after(sync),
        reserve_after: RESERVE_AFTER,
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
        if let Op::Reopen = op {
            if store.close().is_err() {
                return progress;
            }
            progress.durable = progress.states.len() - 1;
            let Ok(again) = open() else { return progress };
            store = again;
            continue;
        }
        let mut state = progress.states.last().unwrap().clone();
        op.apply(&mut state);
        progress.states.push(state);
        if op.run(&store).is_err() {
            return progress;
        }
        if sync == SyncPolicy::Always || op.makes_durable() {
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

/// What is found is a prefix, and nothing is destroyed. Returns it.
fn check(disk: &SimDisk, sync: SyncPolicy, progress: &Progress, what: &str) -> State {
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
    found
}

/// What was found stays: the next open changes nothing, and the one after writes on.
fn check_later(disk: &SimDisk, sync: SyncPolicy, found: State, what: &str) {
    let mut settled = disk.image();
    let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(sync)).unwrap();
    assert_eq!(contents(&store, what), found, "{what}: the second open");
    drop(store);
    let mut again = disk.image();
    settled.retain(|path, _| !path.ends_with("LOCK"));
    again.retain(|path, _| !path.ends_with("LOCK"));
    assert_eq!(settled.keys().collect::<Vec<_>>(), again.keys().collect::<Vec<_>>(), "{what}");
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

/// Promise 4: what a segment lost is a tail, and all of it that is not zero is in the quarantine, perhaps with what `TAIL`
/// had behind it. Segments go only as the `MERGE` file says, and only while what takes their place is there.
fn nothing_is_destroyed(before: &Image, after: &Image, what: &str) {
    let saved: Vec<&[u8]> = after
        .iter()
        .filter(|(path, _)| path.to_string_lossy().contains("quarantine/"))
        .map(|(_, bytes)| bytes.as_slice())
        .collect();
    let merge = before.iter().find(|(path, _)| path.ends_with("MERGE")).map(|(_, bytes)| MergeFile::decode(bytes));
    let merge = merge.map(|merge| merge.unwrap_or_else(|e| panic!("{what}: MERGE appears whole: {e:?}")));
    for (path, bytes) in before.iter().filter(|(path, _)| path.to_string_lossy().ends_with(".data")) {
        let Some(now) = after.get(path) else {
            let merge = merge.as_ref().unwrap_or_else(|| panic!("{what}: {path:?} is gone"));
            assert!(is_replaced(merge, path, after), "{what}: {path:?} is gone, {merge:?}");
            continue;
        };
        let kept = now.len().min(bytes.len());
        assert_eq!(bytes[..kept], now[..kept], "{what}: {path:?} was rewritten");
        let cut = &bytes[kept..];
        assert!(
            cut.iter().all(|b| *b == 0) || saved.iter().any(|saved| saved.starts_with(cut)),
            "{what}: {} bytes of {path:?} are lost",
            cut.len()
        );
    }
    assert!(!after.keys().any(|path| path.ends_with("MERGE")), "{what}: the merge has come to its end");
}

/// Whether all outputs are there and this is an input, or the other way round.
fn is_replaced(merge: &MergeFile, path: &Path, after: &Image) -> bool {
    let name = |part: &MergePart| format!("{:010}.data", part.id);
    let has = |parts: &[MergePart]| parts.iter().any(|part| path.ends_with(name(part)));
    let there = |parts: &[MergePart]| {
        parts
            .iter()
            .all(|part| after.iter().any(|(path, bytes)| path.ends_with(name(part)) && bytes.len() as u64 == part.len))
    };
    (has(&merge.inputs) && there(&merge.outputs)) || (has(&merge.outputs) && there(&merge.inputs))
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

const POLICIES: [SyncPolicy; 4] =
    [SyncPolicy::Always, SyncPolicy::Interval(Duration::from_secs(3600)), KEPT, SyncPolicy::Buffered];

fn ways() -> Vec<(CrashPolicy, u64)> {
    let mut ways = vec![(CrashPolicy::Drop, 0), (CrashPolicy::Keep, 0)];
    ways.extend((1..=6).map(|seed| (CrashPolicy::Torn, seed)));
    ways
}

/// Runs a test of one policy for all of them at once; the sum of what they count.
fn for_each_policy(test: impl Fn(SyncPolicy) -> u64 + Sync) -> u64 {
    let test = &test;
    thread::scope(|scope| {
        let tests = POLICIES.map(|sync| scope.spawn(move || test(sync)));
        tests.into_iter().map(|test| test.join().unwrap()).sum()
    })
}

#[test]
fn a_crash_at_any_disk_operation_leaves_a_prefix_of_what_was_written() {
    let points = for_each_policy(|sync| {
        let mut points = 0;
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
                let found = check(&after, sync, &progress, &what);
                check_later(&after, sync, found, &what);
                points += 1;
            }
        }
        points
    });
    println!("{points} crashes");
    assert!(points > 5000);
}

#[test]
fn a_crash_while_recovering_from_a_crash_loses_nothing_more() {
    let points = for_each_policy(|sync| {
        let mut points = 0;
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
                        let stopped_at = &dry.trace()[op as usize - 1];
                        let what = format!("{sync}, stopped at {stopped_at}, then in recovery step {step}");
                        check(&again.crash(policy, seed), sync, &progress, &what);
                        points += 1;
                    }
                }
            }
        }
        points
    });
    println!("{points} crashes while recovering");
    assert!(points > 40_000);
}

#[test]
fn killing_the_process_loses_nothing_that_was_acknowledged_with_the_kernel() {
    for sync in [SyncPolicy::Always, SyncPolicy::Interval(Duration::from_secs(3600)), KEPT] {
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
