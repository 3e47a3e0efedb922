//! A snapshot and a restore that are stopped, or fail, at each of their disk operations in turn: the store that they
//! began with is whole, what they were making is absent or complete, and a second attempt succeeds.

use std::time::Duration;

use logkv::disk::ReadDisk;
use logkv::disk::sim::{CrashPolicy, Fault, Geometry};

use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Linked,
    Copied,
    Incremental,
    BesideAWriter,
    Packed,
    RestoredFromDirectory,
    RestoredFromArchive,
}

const ALL: [Work; 7] = [
    Work::Linked,
    Work::Copied,
    Work::Incremental,
    Work::BesideAWriter,
    Work::Packed,
    Work::RestoredFromDirectory,
    Work::RestoredFromArchive,
];

const MADE: &str = "made";

impl Work {
    fn run(self, disk: &SimDisk) -> Result<()> {
        let options = options();
        let open = || Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options.clone());
        let how = |copy: bool, earlier: Option<&str>| SnapshotOptions { copy, earlier: earlier.map(Into::into) };
        match self {
            Self::Linked => snapshot_with(&open()?, disk, MADE, &how(false, None)).map(drop),
            Self::Copied => snapshot_with(&open()?, disk, MADE, &how(true, None)).map(drop),
            Self::Incremental => snapshot_with(&open()?, disk, MADE, &how(true, Some(COPY))).map(drop),
            Self::BesideAWriter => {
                let beside = Store::open_read_only_on(Disk::reader(disk), Path::new(DIR), options.clone())?;
                snapshot(&beside, disk, MADE).map(drop)
            }
            Self::Packed => archive(&open()?, disk, MADE).map(drop),
            Self::RestoredFromDirectory => restore(disk, COPY, MADE).map(drop),
            Self::RestoredFromArchive => restore(disk, ARCHIVE, MADE).map(drop),
        }
    }

    /// What has been made, if it is there, holds all keys.
    fn check(self, disk: &SimDisk, expected: &State, what: &str) -> bool {
        if disk.entry(Path::new(MADE)).is_err() {
            return false;
        }
        if self == Self::Packed {
            let disk = disk.fork();
            restore(&disk, MADE, "unpacked").unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(&held(&disk, "unpacked"), expected, "{what}");
            return true;
        }
        assert_eq!(&held(disk, MADE), expected, "{what}");
        if !matches!(self, Self::RestoredFromDirectory | Self::RestoredFromArchive) {
            transfer::check(disk, Path::new(MADE), &mut never_stop).unwrap_or_else(|e| panic!("{what}: {e}"));
        }
        true
    }
}

/// A store with a snapshot and an archive of it, all durable, and what is in all three.
fn prepared() -> (SimDisk, State) {
    let disk = SimDisk::with_geometry(Geometry { page: 64, sector: 16 });
    let store = open(&disk, DIR);
    for i in 0..12u8 {
        store.put(&[b'k', i % 5], &[i; 45]).unwrap();
    }
    store.delete(&[b'k', 3]).unwrap();
    let expected = contents(&store);
    snapshot_with(&store, &disk, COPY, &SnapshotOptions { copy: true, earlier: None }).unwrap();
    archive(&store, &disk, ARCHIVE).unwrap();
    store.close().unwrap();
    let disk = disk.crash(CrashPolicy::Drop, 0);
    assert_eq!(held(&disk, DIR), expected);
    (disk, expected)
}

/// After whatever happened: all that was there before is, and a second attempt succeeds.
fn aftermath(work: Work, disk: &SimDisk, expected: &State, what: &str) -> bool {
    let done = work.check(disk, expected, what);
    let disk = disk.fork();
    for dir in [DIR, COPY] {
        assert_eq!(&contents(&open(&disk, dir)), expected, "{what}: {dir}");
    }
    transfer::check(&disk, Path::new(ARCHIVE), &mut never_stop).unwrap_or_else(|e| panic!("{what}: {e}"));
    if !done {
        work.run(&disk).unwrap_or_else(|e| panic!("{what}: the second attempt: {e}"));
        assert!(work.check(&disk, expected, what), "{what}: the second attempt");
        let leftovers: Vec<_> = disk.image().into_keys().filter(|path| is_leftover(path)).collect();
        assert!(leftovers.is_empty(), "{what}: {leftovers:?}");
    }
    done
}

fn is_leftover(path: &Path) -> bool {
    path.to_string_lossy().contains("logkv-")
}

#[test]
fn a_crash_at_any_operation_leaves_the_store_whole_and_what_was_made_absent_or_complete() {
    let (before, expected) = prepared();
    let mut points = 0;
    for work in ALL {
        let dry = before.fork();
        work.run(&dry).unwrap();
        assert!(work == Work::Packed || files(&dry, MADE).iter().all(|name| name != "LOCK"), "{work:?}");
        let mut outcomes = [0, 0];
        for op in 1..=dry.ops() {
            let disk = before.fork();
            disk.crash_at(op);
            let _ = work.run(&disk);
            let policies = [(CrashPolicy::Drop, 0), (CrashPolicy::Keep, 0)];
            let torn = (1..=5).map(|seed| (CrashPolicy::Torn, seed));
            for (policy, seed) in policies.into_iter().chain(torn) {
                let what = format!("{work:?}, stopped at {}, {policy:?} {seed}", dry.trace()[op as usize - 1]);
                let done = aftermath(work, &disk.crash(policy, seed), &expected, &what);
                outcomes[usize::from(done)] += 1;
                points += 1;
            }
        }
        assert!(outcomes.iter().all(|times| *times > 0), "{work:?}: {outcomes:?}");
        assert!(work.check(&dry.crash(CrashPolicy::Drop, 0), &expected, "what was told is durable"), "{work:?}");
    }
    println!("{points} crashes");
}

#[test]
fn a_failure_at_any_operation_leaves_the_store_whole_and_what_was_made_absent_or_complete() {
    let (before, expected) = prepared();
    let mut points = 0;
    for work in ALL {
        let dry = before.fork();
        work.run(&dry).unwrap();
        for fault in [Fault::Io, Fault::NoSpace, Fault::ShortWrite(7), Fault::Interrupted] {
            for op in 1..=dry.ops() {
                let disk = before.fork();
                disk.fail_at(op, fault);
                let made = work.run(&disk);
                let what = format!("{work:?}, {fault:?} at {}: {made:?}", dry.trace()[op as usize - 1]);
                let done = aftermath(work, &disk, &expected, &what);
                assert!(done || made.is_err(), "{what}");
                aftermath(work, &disk.crash(CrashPolicy::Drop, 0), &expected, &what);
                points += 1;
            }
        }
    }
    println!("{points} faults");
}

/// The writer's own store has bytes in its buffer, and its sync is one of the operations that fail.
#[test]
fn a_snapshot_that_cannot_sync_the_store_is_none() {
    for sync in [SyncPolicy::Buffered, SyncPolicy::Interval(Duration::from_secs(3600))] {
        let disk = SimDisk::new();
        let options = Options { sync, ..options() };
        let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options).unwrap();
        store.put(b"k", b"v").unwrap();
        let sync = || (1..20).map(|n| disk.ops() + n);
        sync().for_each(|op| disk.fail_at(op, Fault::Io));
        assert!(snapshot(&store, &disk, COPY).is_err());
        assert!(disk.entry(Path::new(COPY)).is_err());
    }
}
