//! What tests on real directories share: the oracles that the original programs printed, scratch copies, and a
//! fingerprint that shows whether looking at a directory changed it.
//!
//! Each integration test is a crate of its own and uses a part of this.

#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

pub mod broken;
mod clock;
mod rng;
pub mod workload;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use logkv::inspect::Anatomy;
use logkv::store::SyncPolicy;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// `interval` as it is when a store has been written to for a while: the newest records are in `TAIL`.
pub const KEPT: SyncPolicy = SyncPolicy::Interval(Duration::from_secs(7200));

/// After how many writes of a session that begins, by its policy.
pub fn tail_file_after(sync: SyncPolicy) -> Option<u64> {
    (sync == KEPT).then_some(1)
}

/// After how many syncs of a session under `always` it reserves space: some come before that, and some after.
pub const RESERVE_AFTER: Option<u64> = Some(2);

pub use clock::{ManualClock, TickingClock};
pub use rng::Rng;

/// A file or directory of `tests/fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A live key as Bitcask sees it: a line of `NAME.oracle.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OracleKey {
    pub key: Vec<u8>,
    /// What `get` answered: the value's SHA-256 and length, or Bitcask's error.
    pub value: Result<(String, u64), String>,
    pub file_id: u64,
    pub offset: u64,
    pub total_size: u64,
    /// Seconds since 1970.
    pub tstamp: u64,
}

/// A record, dead or alive, as Bitcask's own fold sees it: a line of `NAME.records.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OracleRecord {
    pub file_id: u64,
    pub offset: u64,
    pub total_size: u64,
    /// Seconds since 1970.
    pub tstamp: u64,
    pub key: Vec<u8>,
    /// The first 16 hex digits of the value's SHA-256.
    pub value_sha256_16: String,
    pub value_len: u64,
    pub tombstone: bool,
    /// `v0`, `v1:FILEID`, `v2:FILEID` or `prefix`.
    pub tombstone_ref: Option<String>,
}

/// A live key as logkv-store sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoKey {
    pub key: Vec<u8>,
    pub value_sha256: String,
    pub value_len: u64,
}

/// What was taken apart has its fields in file order without a gap, and nothing behind them.
pub fn is_contiguous(anatomy: &Anatomy) {
    let mut at = 0;
    for field in &anatomy.fields {
        assert_eq!(field.start, at, "{}", field.field.name);
        at += field.len;
    }
    assert_eq!(at, anatomy.len);
}

/// Reads `NAME.oracle.jsonl`, in key order.
pub fn riak_oracle(path: &Path) -> Vec<OracleKey> {
    let value = |line: &Value| match line["error"].as_str() {
        Some(error) => Err(error.to_owned()),
        None => Ok((text(line, "value_sha256"), number(line, "value_len"))),
    };
    let key = |line: Value| OracleKey {
        key: from_hex(&text(&line, "key_hex")),
        value: value(&line),
        file_id: number(&line, "file_id"),
        offset: number(&line, "offset"),
        total_size: number(&line, "total_size"),
        tstamp: number(&line, "tstamp"),
    };
    lines(path).into_iter().map(key).collect()
}

/// Reads `NAME.records.jsonl`, in file order.
pub fn riak_records(path: &Path) -> Vec<OracleRecord> {
    let record = |line: Value| OracleRecord {
        file_id: number(&line, "file_id"),
        offset: number(&line, "offset"),
        total_size: number(&line, "total_size"),
        tstamp: number(&line, "tstamp"),
        key: from_hex(&text(&line, "key_hex")),
        value_sha256_16: text(&line, "value_sha256_16"),
        value_len: number(&line, "value_len"),
        tombstone: line["tombstone"].as_bool().unwrap(),
        tombstone_ref: line["tombstone_ref"].as_str().map(str::to_owned),
    };
    lines(path).into_iter().map(record).collect()
}

/// Reads Riak's own oracle of one partition for what it says of Bitcask's records, in key order.
pub fn riak_node_oracle(path: &Path) -> Vec<OracleKey> {
    let key = |line: Value| OracleKey {
        key: from_hex(&text(&line, "key_hex")),
        value: Ok((text(&line, "object_sha256"), number(&line, "value_total_len"))),
        file_id: number(&line, "file_id"),
        offset: number(&line, "offset"),
        total_size: number(&line, "total_size"),
        tstamp: number(&line, "tstamp"),
    };
    lines(path).into_iter().map(key).collect()
}

/// Reads an oracle of logkv-store, in key order.
pub fn go_oracle(path: &Path) -> Vec<GoKey> {
    let key = |line: Value| GoKey {
        key: from_hex(&text(&line, "key_hex")),
        value_sha256: text(&line, "value_sha256"),
        value_len: number(&line, "value_len"),
    };
    lines(path).into_iter().map(key).collect()
}

/// The SHA-256 as the oracles write it.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lines(path: &Path) -> Vec<Value> {
    let all = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    all.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text(line: &Value, column: &str) -> String {
    line[column].as_str().unwrap_or_else(|| panic!("{column} in {line}")).to_owned()
}

fn number(line: &Value, column: &str) -> u64 {
    line[column].as_u64().unwrap_or_else(|| panic!("{column} in {line}"))
}

fn from_hex(digits: &str) -> Vec<u8> {
    digits.as_bytes().chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// Copies a directory with everything in it; `to` must not exist.
pub fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Everything about one file or directory that a careless look could change.
#[cfg(unix)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Empty for directories.
    pub sha256: String,
    pub inode: u64,
    pub mode: u32,
    pub links: u64,
    /// Seconds and nanoseconds; the time of the last change to the inode shows what sets the other times back.
    pub changed: (i64, i64),
    pub modified: (i64, i64),
    /// Only of files: listing a directory may move its own.
    pub accessed: Option<(i64, i64)>,
}

/// The fingerprint of a directory and of everything below it, by path relative to it. Reading leaves access times alone,
/// so that two fingerprints can be compared; files must belong to the user who runs the test, as scratch copies do.
#[cfg(unix)]
pub fn dir_fingerprint(dir: &Path) -> BTreeMap<PathBuf, Fingerprint> {
    let mut found = BTreeMap::new();
    fingerprint_into(dir, Path::new(""), &mut found);
    found
}

#[cfg(unix)]
fn fingerprint_into(root: &Path, relative: &Path, found: &mut BTreeMap<PathBuf, Fingerprint>) {
    use std::os::unix::fs::MetadataExt;
    let path = root.join(relative);
    let meta = fs::symlink_metadata(&path).unwrap();
    let print = Fingerprint {
        sha256: if meta.is_file() { sha256_hex(&read_quietly(&path)) } else { String::new() },
        inode: meta.ino(),
        mode: meta.mode(),
        links: meta.nlink(),
        changed: (meta.ctime(), meta.ctime_nsec()),
        modified: (meta.mtime(), meta.mtime_nsec()),
        accessed: meta.is_file().then(|| (meta.atime(), meta.atime_nsec())),
    };
    found.insert(relative.to_owned(), print);
    if meta.is_dir() {
        for entry in fs::read_dir(&path).unwrap() {
            fingerprint_into(root, &relative.join(entry.unwrap().file_name()), found);
        }
    }
}

#[cfg(unix)]
fn read_quietly(path: &Path) -> Vec<u8> {
    use std::io::Read;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    options.read(true);
    #[cfg(target_os = "linux")]
    options.custom_flags(rustix::fs::OFlags::NOATIME.bits() as i32);
    let mut bytes = Vec::new();
    options.open(path).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}
