//! Looking changes nothing: not a byte, not a name, not a time stamp.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::program::{Program, fixtures};

/// Every command that only reads.
const LOOKS: &[&[&str]] = &[
    &["get", "k"],
    &["get", "k", "--format", "json"],
    &["list", "-v"],
    &["stats"],
    &["segments"],
    &["records", "1"],
    &["records", "--all", "--format", "json"],
    &["dump", "1", "40"],
    &["dump", "1", "0", "--format", "json"],
    &["history", "k"],
    &["export"],
    &["export", "--as", "resp", "--prefix", "k"],
    &["verify"],
    &["verify", "--recovery", "strict"],
    &["stats", "--create"],
];

/// What a directory is made of, down to the time stamps. Reading may set the time of the last access, and nothing else.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, (u64, u32, i128, i128, Vec<u8>)> {
    let mut seen = BTreeMap::new();
    let mut left = vec![dir.to_owned()];
    while let Some(path) = left.pop() {
        let meta = path.symlink_metadata().unwrap();
        let content = if meta.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        if meta.is_dir() {
            left.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
        }
        let time = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        let modified = time(meta.mtime(), meta.mtime_nsec());
        let changed = time(meta.ctime(), meta.ctime_nsec());
        seen.insert(path, (meta.ino(), meta.mode(), modified, changed, content));
    }
    seen
}

fn looking_changes_nothing(program: &Program, dir: &Path) {
    let before = snapshot(dir);
    for args in LOOKS {
        let output = program.command(args).env("LOGKV_DIR", dir).output().unwrap();
        assert!(output.status.code().is_some_and(|code| code <= 5), "{args:?} on {}: {output:?}", dir.display());
        assert!(snapshot(dir) == before, "{args:?} changed {}", dir.display());
    }
}

#[test]
fn looking_at_a_native_store_changes_nothing() {
    let program = Program::new();
    for (key, value) in [("k", "1"), ("k", "2"), ("gone", "3")] {
        assert!(program.run(&["put", key, value]).status.success());
    }
    assert!(program.run(&["delete", "gone"]).status.success());
    looking_changes_nothing(&program, &program.home().join("data"));
}

#[test]
fn looking_at_a_store_that_needs_recovery_changes_nothing() {
    let program = Program::new();
    assert!(program.run(&["put", "k", "1"]).status.success());
    let data = program.home().join("data");
    fs::remove_file(data.join("LOCK")).unwrap();
    fs::remove_file(data.join("0000000001.hint")).unwrap();
    let segment = data.join("0000000001.data");
    let torn = [fs::read(&segment).unwrap(), b"the start of a record".to_vec()].concat();
    fs::write(&segment, torn).unwrap();
    fs::write(data.join("0000000002.data.tmp"), "left behind").unwrap();
    looking_changes_nothing(&program, &data);
}

#[test]
fn looking_at_what_other_programs_wrote_changes_nothing() {
    let program = Program::new();
    for origin in ["riak", "logkv-go"] {
        for entry in fixtures().join(origin).read_dir().unwrap() {
            let dir = entry.unwrap().path();
            if dir.is_dir() {
                looking_changes_nothing(&program, &dir);
            }
        }
    }
}

#[test]
fn looking_at_an_empty_directory_leaves_it_empty() {
    let program = Program::new();
    let dir = program.home().join("empty");
    fs::create_dir(&dir).unwrap();
    looking_changes_nothing(&program, &dir);
}

#[test]
fn inspecting_one_file_changes_nothing_around_it() {
    let program = Program::new();
    assert!(program.run(&["put", "k", "1"]).status.success());
    let before = snapshot(program.home());
    for args in [&["inspect", "data/0000000001.data"][..], &["inspect", "data/0000000001.hint"], &["inspect", "data"]] {
        let output = program.run(args);
        assert_eq!(output.status.success(), args[1].ends_with(".data"), "{args:?}: {output:?}");
        assert!(snapshot(program.home()) == before, "{args:?}");
    }
}
