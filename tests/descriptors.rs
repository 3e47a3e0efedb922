//! A store of more segments than the process may have files open: the real program under `ulimit -n`, as writer and as
//! reader. `LOGKV_SEGMENTS=5000` makes it as large as anybody's; without that it is smaller and the limit tighter.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;

use logkv::store::{Options, Store, SyncPolicy};

/// Segments, and descriptors that may be open.
fn sizes() -> (usize, u32) {
    match std::env::var("LOGKV_SEGMENTS").ok().and_then(|segments| segments.parse().ok()) {
        Some(segments) => (segments, 256),
        None => (300, 48),
    }
}

fn key(i: usize) -> String {
    format!("key-{i:05}")
}

/// One record a segment.
fn make(dir: &Path, segments: usize) {
    let options = Options { create: true, sync: SyncPolicy::Buffered, max_segment_bytes: 128, ..Options::default() };
    let store = Store::open(dir, options).unwrap();
    for i in 0..segments {
        store.put(key(i).as_bytes(), &[b'v'; 60]).unwrap();
    }
    assert!(store.segments().len() >= segments);
    store.close().unwrap();
}

fn run(dir: &Path, descriptors: u32, arguments: &[&str]) -> String {
    let limited = format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &limited, env!("CARGO_BIN_EXE_logkv"), "--dir"]).arg(dir).args(arguments);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn more_segments_than_descriptors_are_listed_read_verified_and_merged() {
    let (segments, descriptors) = sizes();
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), segments);
    assert_eq!(run(dir.path(), descriptors, &["list"]).lines().count(), segments);
    assert!(run(dir.path(), descriptors, &["segments"]).lines().count() >= segments);
    run(dir.path(), descriptors, &["verify"]);
    for i in [0, segments / 2, segments - 1] {
        assert_eq!(run(dir.path(), descriptors, &["get", &key(i)]).trim(), "v".repeat(60));
    }
    run(dir.path(), descriptors, &["put", "one-more", "value"]);
    run(dir.path(), descriptors, &["merge", "--all"]);
    let all = run(dir.path(), descriptors, &["list"]);
    assert_eq!(all.lines().count(), segments + 1);
    assert_eq!(run(dir.path(), descriptors, &["get", &key(1)]).trim(), "v".repeat(60));
}

/// All values of a store by one process, which has to give descriptors back and take them again.
#[test]
fn every_value_is_read_by_one_process_that_may_open_few_files() {
    let (segments, descriptors) = sizes();
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), segments);
    let exported = run(dir.path(), descriptors, &["export"]);
    assert_eq!(exported.lines().count(), segments);
}
