//! What only a real file system can show: links, pipes, modes, access times, lock files that are replaced.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::fs::{self, FileTimes};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use super::*;

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Runs what would hang if it were wrong.
fn soon<T: Send + 'static>(action: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, wait) = mpsc::channel();
    thread::spawn(move || done.send(action()));
    wait.recv_timeout(Duration::from_secs(20)).expect("it hangs")
}

fn refused<T>(result: io::Result<T>) {
    assert_eq!(result.err().expect("it must be refused").kind(), ErrorKind::InvalidInput);
}

#[test]
fn links_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (target, link) = (dir.path().join("target"), dir.path().join("link"));
    fs::write(&target, "secret").unwrap();
    symlink(&target, &link).unwrap();

    refused(RealDisk.open_read(&link));
    refused(RealDisk.open_write(&link));
    refused(RealDisk.lock(&link));
    assert_eq!(RealDisk.create(&link).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(RealDisk.entry(&link).unwrap().kind, EntryKind::Other);
    assert!(RealDisk.list(dir.path()).unwrap().iter().any(|e| e.name == "link" && e.kind == EntryKind::Other));
    // The name may become a link after it was looked at.
    for access in [Access::Read, Access::Write, Access::Create] {
        assert!(platform::open(&link, access).is_err(), "{access:?}");
    }
    RealDisk.remove(&link).unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "secret");
}

#[test]
fn links_are_neither_linked_nor_cloned() {
    let dir = tempfile::tempdir().unwrap();
    let (target, link, new) = (dir.path().join("target"), dir.path().join("link"), dir.path().join("new"));
    fs::write(&target, "secret").unwrap();
    symlink(&target, &link).unwrap();
    refused(RealDisk.hard_link(&link, &new));
    refused(RealDisk.clone_file(&link, &new));
    assert!(fs::symlink_metadata(&new).is_err());
    assert_eq!(RealDisk.hard_link(&target, &link).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(RealDisk.clone_file(&target, &link).unwrap_err().kind(), ErrorKind::AlreadyExists);
}

#[test]
fn a_dangling_link_is_not_filled() {
    let dir = tempfile::tempdir().unwrap();
    let (target, link) = (dir.path().join("target"), dir.path().join("link"));
    symlink(&target, &link).unwrap();
    refused(RealDisk.lock(&link));
    assert_eq!(RealDisk.create(&link).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert!(!target.exists());
}

#[test]
fn a_directory_may_be_reached_through_a_link() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("real")).unwrap();
    symlink(dir.path().join("real"), dir.path().join("link")).unwrap();
    RealDisk.create(&dir.path().join("link/a")).unwrap();
    RealDisk.sync_dir(&dir.path().join("link")).unwrap();
    assert_eq!(RealDisk.list(&dir.path().join("link")).unwrap().len(), 1);
}

#[test]
fn a_pipe_is_refused_without_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    mkfifo(&pipe);
    assert_eq!(RealDisk.entry(&pipe).unwrap().kind, EntryKind::Other);
    soon(move || {
        refused(RealDisk.open_read(&pipe));
        refused(RealDisk.open_write(&pipe));
        refused(RealDisk.lock(&pipe));
        // The name may become a pipe after it was looked at; then the look at the open file refuses it.
        let file = platform::open(&pipe, Access::Read).unwrap();
        refused(refuse_irregular(&file.metadata().unwrap()));
    });
}

#[test]
fn an_open_file_does_not_answer_try_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    RealDisk.create(&path).unwrap();
    for access in [Access::Read, Access::Write] {
        let flags = rustix::fs::fcntl_getfl(platform::open(&path, access).unwrap()).unwrap();
        assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK), "{access:?}: {flags:?}");
    }
}

#[test]
fn what_is_created_is_private() {
    let dir = tempfile::tempdir().unwrap();
    RealDisk.create(&dir.path().join("file")).unwrap();
    RealDisk.create_dir(&dir.path().join("dir")).unwrap();
    drop(RealDisk.lock(&dir.path().join("LOCK")).unwrap());
    for (name, mode) in [("file", 0o600), ("dir", 0o700), ("LOCK", 0o600)] {
        assert_eq!(RealDisk.entry(&dir.path().join(name)).unwrap().mode, mode, "{name}");
    }
    fs::set_permissions(dir.path().join("file"), fs::Permissions::from_mode(0o4755)).unwrap();
    assert_eq!(RealDisk.entry(&dir.path().join("file")).unwrap().mode, 0o4755);
}

#[test]
fn reading_leaves_no_access_time() {
    let dir = tempfile::tempdir().unwrap();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
    let make = |name: &str| {
        let path = dir.path().join(name);
        fs::write(&path, "x").unwrap();
        File::options().write(true).open(&path).unwrap().set_times(FileTimes::new().set_accessed(long_ago)).unwrap();
        path
    };
    let accessed = |path: &Path| fs::metadata(path).unwrap().accessed().unwrap();

    let control = make("control");
    fs::read(&control).unwrap();
    if accessed(&control) == long_ago {
        eprintln!("skipped: this file system keeps no access times");
        return;
    }
    if !cfg!(any(target_os = "linux", target_os = "android")) {
        eprintln!("skipped: this system cannot read without leaving an access time");
        return;
    }
    let path = make("a");
    assert_eq!(RealDisk.open_read(&path).unwrap().read_full_at(&mut [0; 9], 0).unwrap(), 1);
    assert_eq!(accessed(&path), long_ago);
}

#[test]
fn a_file_of_another_owner_is_read_all_the_same() {
    // Asking for no access time is the owner's right; for others the open must fall back.
    let Ok(metadata) = fs::metadata("/etc/passwd") else { return };
    let read = RealDisk.open_read(Path::new("/etc/passwd")).unwrap();
    assert_eq!(read.len().unwrap(), metadata.len());
}

#[test]
fn a_file_that_vanishes_during_a_listing_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("kept"), "").unwrap();
    fs::write(dir.path().join("gone"), "").unwrap();
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
    fs::remove_file(dir.path().join("gone")).unwrap();
    let entries = describe_all(names.into_iter()).unwrap();
    assert_eq!(entries, [RealDisk.entry(&dir.path().join("kept")).unwrap()]);
}

#[test]
fn a_name_that_was_taken_over_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("LOCK");
    let file = File::create_new(&path).unwrap();
    assert!(still_named(&path, &file).unwrap());
    fs::rename(&path, dir.path().join("old")).unwrap();
    assert!(!still_named(&path, &file).unwrap());
    fs::write(&path, "another").unwrap();
    assert!(!still_named(&path, &file).unwrap());
}

#[test]
fn two_never_hold_the_lock_though_its_file_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("LOCK");
    let (holders, turns) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let compete = || {
        while turns.load(Ordering::Relaxed) < 400 {
            let Some(held) = RealDisk.lock(&path).unwrap() else { continue };
            assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "somebody else holds it");
            thread::yield_now();
            holders.fetch_sub(1, Ordering::SeqCst);
            turns.fetch_add(1, Ordering::Relaxed);
            fs::remove_file(&path).unwrap();
            drop(held);
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(compete);
        }
    });
}
