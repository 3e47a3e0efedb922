//! What a restore gives back, and where it does not put it.

use logkv::Error;
use logkv::disk::ReadDisk;

use super::*;

#[test]
fn a_restored_store_has_every_key_and_value_and_goes_on() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    let expected = contents(&store);
    snapshot(&store, &disk, COPY).unwrap();
    let packed = archive(&store, &disk, ARCHIVE).unwrap();
    assert_eq!(packed.written_bytes, disk.image()[Path::new(ARCHIVE)].len() as u64);
    for source in [COPY, ARCHIVE] {
        let target = format!("{source}-restored");
        let restored = restore(&disk, source, &target).unwrap();
        assert_eq!((restored.segments, restored.bytes), (packed.segments, packed.bytes));
        assert_eq!(held(&disk, &target), expected, "{source}");
        let names = files(&disk, &target);
        assert!(names.iter().all(|name| name.ends_with(".data") || name.ends_with(".hint")), "{names:?}");
        assert_eq!(names.iter().filter(|name| name.ends_with(".hint")).count() as u64, restored.segments);
        let again = open(&disk, &target);
        again.put(b"goes", b"on").unwrap();
        again.close().unwrap();
        assert_eq!(held(&disk, &target).len(), expected.len() + 1);
    }
}

#[test]
fn an_archive_of_an_archive_is_the_same_store() {
    let disk = SimDisk::new();
    archive(&filled(&disk), &disk, ARCHIVE).unwrap();
    restore(&disk, ARCHIVE, AGAIN).unwrap();
    archive(&reader(&disk, AGAIN), &disk, "second.tar.lz4").unwrap();
    restore(&disk, "second.tar.lz4", "third").unwrap();
    assert_eq!(held(&disk, "third"), held(&disk, DIR));
}

#[test]
fn only_a_free_place_or_an_empty_directory_is_filled() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    snapshot(&store, &disk, COPY).unwrap();
    archive(&store, &disk, ARCHIVE).unwrap();
    disk.insert("full/notes.txt", "mine").unwrap();
    disk.insert("file", "mine").unwrap();
    disk.insert_other("link").unwrap();
    disk.insert_dir("empty").unwrap();
    let before = disk.image();
    for target in ["full", "file", "link", DIR, ".", "/", "missing/parent"] {
        for source in [COPY, ARCHIVE] {
            assert!(restore(&disk, source, target).is_err(), "{target}");
        }
        assert!(snapshot(&store, &disk, target).is_err(), "{target}");
    }
    for target in ["full", "file", "link", ARCHIVE, COPY, "missing/parent"] {
        assert!(archive(&store, &disk, target).is_err(), "{target}");
    }
    assert!(snapshot(&store, &disk, "data/inside").is_err());
    assert_eq!(disk.image(), before);
    restore(&disk, COPY, "empty").unwrap();
    assert_eq!(held(&disk, "empty"), contents(&store));
}

#[test]
fn a_snapshot_that_was_written_to_is_refused_and_one_that_was_only_opened_is_not() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    snapshot(&store, &disk, COPY).unwrap();
    open(&disk, COPY).close().unwrap();
    restore(&disk, COPY, AGAIN).unwrap();
    open(&disk, COPY).put(b"k", b"v").unwrap();
    let refused = restore(&disk, COPY, "third").unwrap_err();
    assert!(matches!(refused, Error::BadSnapshot { .. }), "{refused}");
}

#[test]
fn a_check_reads_everything_and_makes_nothing() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    let made = snapshot(&store, &disk, COPY).unwrap();
    archive(&store, &disk, ARCHIVE).unwrap();
    let (before, ops) = (disk.image(), disk.ops());
    let check = |source: &str| transfer::check(&disk, Path::new(source), &mut never_stop);
    for source in [COPY, ARCHIVE] {
        assert_eq!(check(source).unwrap().segments, made.segments);
    }
    assert_eq!((disk.image(), disk.ops()), (before, ops));
    disk.flip_bit(ARCHIVE, 8 * 200).unwrap();
    disk.flip_bit("copy/0000000001.data", 8 * 50).unwrap();
    for source in [COPY, ARCHIVE] {
        assert!(matches!(check(source), Err(Error::BadSnapshot { .. })), "{source}");
    }
}

#[test]
fn too_little_room_is_told_before_anything_is_written() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    snapshot(&store, &disk, COPY).unwrap();
    archive(&store, &disk, ARCHIVE).unwrap();
    disk.set_capacity(Some(1 << 30));
    let used = (1 << 30) - disk.free_space(Path::new("/")).unwrap();
    disk.set_capacity(Some(used + 300));
    let ops = disk.ops();
    for source in [COPY, ARCHIVE] {
        assert!(matches!(restore(&disk, source, AGAIN), Err(Error::NoSpace { .. })), "{source}");
    }
    assert_eq!(disk.ops(), ops);
    let copy = SnapshotOptions { copy: true, ..SnapshotOptions::default() };
    disk.set_sharing(false);
    assert!(matches!(snapshot_with(&store, &disk, AGAIN, &copy), Err(Error::NoSpace { .. })));
    assert!(disk.entry(Path::new(AGAIN)).is_err());
}

#[test]
fn whoever_watches_can_stop_it_and_nothing_of_it_is_left() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    snapshot(&store, &disk, COPY).unwrap();
    archive(&store, &disk, ARCHIVE).unwrap();
    let before = disk.image();
    let told = |limit: u64| {
        let mut left = limit;
        move |done: u64, total: u64| {
            assert!(done <= total, "{done} of {total}");
            left = left.saturating_sub(1);
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    };
    for limit in 1..4 {
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let (path, options) = (Path::new("new"), SnapshotOptions::default());
        let stopped = [
            transfer::snapshot(&store, &disk, path, &options, &mut told(limit)).map(drop),
            transfer::archive(&store, &shared, path, &mut told(limit)).map(drop),
            transfer::restore(&disk, Path::new(COPY), path, RestoreOptions::default(), &mut told(limit)).map(drop),
            transfer::restore(&disk, Path::new(ARCHIVE), path, RestoreOptions::default(), &mut told(limit)).map(drop),
        ];
        assert!(stopped.iter().all(|made| matches!(made, Err(Error::Stopped { .. }))), "{stopped:?}");
        assert_eq!(disk.image(), before);
        assert!(disk.entry(Path::new("new.logkv-partial")).is_err());
    }
}

#[test]
fn what_is_in_the_way_of_the_work_and_not_ours_stays() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    snapshot(&store, &disk, COPY).unwrap();
    disk.insert("again.logkv-partial/notes.txt", "mine").unwrap();
    let refused = restore(&disk, COPY, AGAIN).unwrap_err().to_string();
    assert!(refused.contains("notes.txt"), "{refused}");
    assert!(disk.image().contains_key(Path::new("again.logkv-partial/notes.txt")));
}

#[test]
fn two_that_make_the_same_do_not_mix() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    snapshot(&store, &disk, COPY).unwrap();
    let mut refused = None;
    let mut other = |_: u64, _: u64| {
        refused.get_or_insert_with(|| restore(&disk, COPY, AGAIN).unwrap_err().to_string());
        ControlFlow::Continue(())
    };
    transfer::restore(&disk, Path::new(COPY), Path::new(AGAIN), RestoreOptions::default(), &mut other).unwrap();
    assert!(refused.unwrap().contains("another process"));
    assert_eq!(held(&disk, AGAIN), contents(&store));
}

/// The lock went before the directory had its name. In between, while the directory was synced, another process at work on
/// the same place took all of it for what a crash had left and removed it; what then got its name was empty.
#[test]
fn the_place_is_locked_until_the_directory_has_its_name() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    snapshot(&store, &disk, COPY).unwrap();
    let first = disk.ops() as usize;
    restore(&disk, COPY, AGAIN).unwrap();
    let trace = disk.trace();
    let at = |what: &dyn Fn(&str) -> bool| trace.iter().skip(first).position(|step| what(step)).unwrap();
    let named = at(&|step| step.contains("rename") && step.contains("again.logkv-partial") && !step.contains(".tmp"));
    let unlocked = at(&|step| step.contains("remove") && step.contains("LOCK"));
    assert!(named < unlocked, "{:?}", &trace[first..]);
}

/// What a crash left just before its end is complete. Who read from there, to give it the name that it should have had,
/// lost it: the work begins by clearing that very directory.
#[test]
fn unfinished_work_is_not_read_from() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    snapshot(&store, &disk, "again.logkv-partial").unwrap();
    let before = disk.image();
    let refused = restore(&disk, "again.logkv-partial", AGAIN).unwrap_err().to_string();
    assert!(refused.contains("unfinished"), "{refused}");
    let beside = reader(&disk, "again.logkv-partial");
    let refused = snapshot(&beside, &disk, AGAIN).unwrap_err().to_string();
    assert!(refused.contains("unfinished"), "{refused}");
    assert_eq!(disk.image(), before);
}

/// A link in the place where the work is done led to somebody's store, which was cleared.
#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_the_work_is_not_followed() {
    use logkv::disk::RealDisk;
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name);
    let make = |name: &str| {
        let store = Store::open(&path(name), options()).unwrap();
        store.put(b"k", name.as_bytes()).unwrap();
        store
    };
    make("mine").close().unwrap();
    std::os::unix::fs::symlink(path("mine"), path("made.logkv-partial")).unwrap();
    let store = make("store");
    let made = transfer::snapshot(&store, &RealDisk, &path("made"), &SnapshotOptions::default(), &mut never_stop);
    assert!(made.unwrap_err().to_string().contains("in the way"));
    let mine = Store::open_read_only(&path("mine"), options()).unwrap();
    assert_eq!(mine.get(b"k").unwrap().value(), Some(&b"mine"[..]));
}
