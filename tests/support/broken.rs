//! Stores as chance writes and damages them, with a model that knows every version that ever was.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use logkv::disk::sim::SimDisk;
use logkv::store::PutOptions;
use logkv::{Options, Store};

use super::{ManualClock, Rng};

pub const DIR: &str = "/data";

/// A version of a key: its tstamp, and its value unless it is a tombstone.
pub type Versions = Vec<(u64, Option<Vec<u8>>)>;

/// A store without damage.
#[derive(Debug)]
pub struct Written {
    pub disk: SimDisk,
    /// Every version of every key, oldest first.
    pub versions: BTreeMap<Vec<u8>, Versions>,
    pub clock: Arc<ManualClock>,
}

impl Written {
    pub fn options(&self) -> Options {
        options(&self.clock)
    }

    /// The value that a key has.
    pub fn value(&self, key: &[u8]) -> Option<&[u8]> {
        self.versions.get(key)?.last()?.1.as_deref()
    }
}

fn options(clock: &Arc<ManualClock>) -> Options {
    Options { create: true, max_segment_bytes: 400, threads: 1, seed: 3, clock: clock.clone(), ..Options::default() }
}

pub fn keys() -> impl Iterator<Item = Vec<u8>> {
    (0..9u8).map(|n| if n == 0 { Vec::new() } else { format!("key {}", "k".repeat(n.into())).into_bytes() })
}

/// Writes a few segments with overwrites and deletes. Now and then the last one is not closed.
pub fn written(rng: &mut Rng) -> Written {
    let (disk, clock) = (SimDisk::new(), Arc::new(ManualClock::default()));
    let mut versions: BTreeMap<Vec<u8>, Versions> = BTreeMap::new();
    let keys: Vec<_> = keys().collect();
    let mut store = open(&disk, &clock);
    for i in 0..rng.below(60) {
        clock.advance(Duration::from_millis(1));
        let key = &keys[rng.below(keys.len() as u64) as usize];
        let value = format!("value {i} {}", "x".repeat(rng.below(40) as usize)).into_bytes();
        let written = match rng.below(8) {
            0 | 1 => store.delete(key).unwrap().map(|written| (written, None)),
            2 => {
                let options = PutOptions::ttl(Duration::from_secs(3600));
                store.put_with(key, &value, &options).unwrap().map(|written| (written, Some(value)))
            }
            _ => Some((store.put(key, &value).unwrap(), Some(value))),
        };
        if let Some((written, value)) = written {
            versions.entry(key.clone()).or_default().push((written.tstamp, value));
        }
        if rng.below(20) == 0 {
            store.close().unwrap();
            store = open(&disk, &clock);
        }
    }
    let disk = if rng.below(3) == 0 {
        disk.kill()
    } else {
        store.close().unwrap();
        disk
    };
    Written { disk, versions, clock }
}

fn open(disk: &SimDisk, clock: &Arc<ManualClock>) -> Store {
    Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(clock)).unwrap()
}

/// The store's files with this extension.
pub fn files(disk: &SimDisk, extension: &str) -> Vec<(PathBuf, u64)> {
    let files = disk.image().into_iter().filter(|(path, _)| path.parent() == Some(Path::new("data")));
    let files = files.filter(|(path, _)| path.extension().is_some_and(|found| found == extension));
    files.map(|(path, bytes)| (path, bytes.len() as u64)).collect()
}

/// Does one thing to the files that may happen to them, and says what.
pub fn damage(rng: &mut Rng, disk: &SimDisk) -> String {
    let mut all = files(disk, "data");
    if rng.below(3) == 0 {
        all.extend(files(disk, "hint"));
    }
    if all.is_empty() {
        return "nothing to damage".into();
    }
    let (path, len) = all[rng.below(all.len() as u64) as usize].clone();
    let at = rng.below(len.max(1));
    let some = (1 + rng.below(70)).min(len - at.min(len));
    let done = match rng.below(12) {
        0..=3 if len > 0 => {
            let bit = rng.below(len * 8);
            disk.flip_bit(&path, bit).map(|()| format!("bit {bit} flipped"))
        }
        4 => disk.poke(&path, at, &vec![0; some as usize]).map(|()| format!("{some} zeros at {at}")),
        5 => disk.truncate(&path, at).map(|()| format!("cut at {at}")),
        6 => disk.delete(&path).map(|()| "deleted".into()),
        7 => {
            let junk: Vec<u8> = (0..some).map(|_| rng.next() as u8).collect();
            disk.poke(&path, at, &junk).map(|()| format!("{some} bytes of junk at {at}"))
        }
        8 => disk.fail_reads_at(&path, at..at + some).map(|()| format!("{some} unreadable bytes at {at}")),
        9 => {
            let other = all[rng.below(all.len() as u64) as usize].0.clone();
            let bytes = disk.image()[&other].clone();
            disk.insert(&path, bytes).map(|()| format!("is now what {} was", other.display()))
        }
        10 => disk.truncate(&path, len + some).map(|()| format!("{some} zeros behind the end")),
        _ => {
            let named = path.with_file_name("0000000077.data");
            disk.insert_dir(&named).map(|()| format!("a directory {}", named.display()))
        }
    };
    format!("{}: {}", path.display(), done.unwrap())
}
