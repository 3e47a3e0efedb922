//! Defects that a close reading of the engine found, one test each: the story, and what must happen instead.
//!
//! They lie where two things meet that are each right on their own: a listing and a file that grows, a group and a full
//! disk, a search and its budget. What is asserted holds however threads are scheduled and however fast the machine is;
//! work is counted in reads, never in time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

#[path = "regressions/effort.rs"]
mod effort;
#[path = "regressions/following.rs"]
mod following;
#[path = "regressions/looking.rs"]
mod looking;
#[path = "regressions/lost.rs"]
mod lost;
#[path = "regressions/merging.rs"]
mod merging;
#[path = "regressions/opening.rs"]
mod opening;
#[path = "regressions/writing.rs"]
mod writing;

use std::path::Path;
use std::sync::Arc;

use logkv::disk::Disk;
use logkv::disk::sim::{Image, SimDisk};
use logkv::format::record::{self, NewRecord};
use logkv::format::{Origin, SegmentId};
use logkv::store::{FindingKind, Recovery};
use logkv::{Error, Options, Store};
use support::TickingClock;

const DIR: &str = "/data";
const SALT: u32 = 77;

fn options() -> Options {
    Options {
        create: true,
        max_segment_bytes: 300,
        threads: 1,
        seed: 7,
        clock: Arc::new(TickingClock::default()),
        ..Options::default()
    }
}

fn open(disk: &SimDisk, options: Options) -> logkv::Result<Store> {
    Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options)
}

fn read(disk: &SimDisk, options: Options) -> logkv::Result<Store> {
    Store::open_read_only_on(Disk::reader(disk), Path::new(DIR), options)
}

/// Why it was not opened.
fn refusal(opened: logkv::Result<Store>) -> Error {
    // Printing a whole store would drown what failed.
    opened.map(|store| store.mode()).expect_err("it must not be opened")
}

fn segment_path(id: SegmentId) -> String {
    format!("{DIR}/{id:010}.data")
}

fn hint_path(id: SegmentId) -> String {
    format!("{DIR}/{id:010}.hint")
}

/// A closed store: k0, k1 and so on, over several segments.
fn store_of(keys: usize) -> SimDisk {
    let disk = SimDisk::new();
    let store = open(&disk, options()).unwrap();
    for i in 0..keys {
        store.put(format!("k{i}").as_bytes(), b"some value that is long enough").unwrap();
    }
    store.close().unwrap();
    disk
}

/// The value, and whether the answer is suspect.
fn shown(store: &Store, key: &[u8]) -> (Option<String>, bool) {
    let answer = store.get(key).unwrap();
    (answer.value().map(|value| String::from_utf8_lossy(value).into_owned()), answer.suspect)
}

fn certain(value: &str) -> (Option<String>, bool) {
    (Some(value.to_owned()), false)
}

fn suspected(value: &str) -> (Option<String>, bool) {
    (Some(value.to_owned()), true)
}

const ABSENT: (Option<String>, bool) = (None, false);
const PERHAPS_ABSENT: (Option<String>, bool) = (None, true);

fn kinds(store: &Store) -> Vec<FindingKind> {
    store.findings().iter().map(|finding| finding.kind).collect()
}

/// All files but the lock.
fn files(disk: &SimDisk) -> Image {
    let mut image = disk.image();
    image.retain(|path, _| !path.ends_with("LOCK"));
    image
}

fn used(disk: &SimDisk) -> u64 {
    disk.image().values().map(|bytes| bytes.len() as u64).sum()
}

/// Strict recovery refuses the store, for reading and for writing, and changes nothing.
fn assert_strict_refuses(disk: &SimDisk) {
    let disk = disk.fork();
    let before = files(&disk);
    let strict = || Options { recovery: Recovery::Strict, ..options() };
    for opened in [read(&disk, strict()), open(&disk, strict())] {
        let refused = refusal(opened);
        assert!(matches!(refused, Error::StrictDamage { .. }), "{refused:?}");
    }
    assert_eq!(files(&disk), before);
}

/// A native segment made byte by byte.
struct Hand {
    bytes: Vec<u8>,
}

impl Hand {
    fn begin(id: u32) -> Self {
        let mut bytes = Vec::new();
        record::encode_file_header(id, SALT, 1, Origin::Puts, &mut bytes);
        Self { bytes }
    }

    /// Appends a put as it stands after a sync of all before it.
    fn put(mut self, key: &[u8], value: &[u8], tstamp: u64) -> Self {
        let offset = self.bytes.len() as u64;
        let new = NewRecord { barrier: true, ..NewRecord::put(key, value, tstamp) };
        record::encode(&new, SALT, offset, &mut self.bytes);
        self
    }

    fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// A record of Riak's Bitcask.
fn riak_record(seconds: u32, key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut body = seconds.to_be_bytes().to_vec();
    body.extend((key.len() as u16).to_be_bytes());
    body.extend((value.len() as u32).to_be_bytes());
    body.extend(key);
    body.extend(value);
    let mut bytes = crc32fast::hash(&body).to_be_bytes().to_vec();
    bytes.extend(body);
    bytes
}
