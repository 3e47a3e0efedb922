//! What a number of keys needs, by a careful estimate, and what the machine has for it. Must not make a file.

use std::path::Path;

use logkv::disk::{Disk, RealDisk};

use crate::Outcome;

/// Bytes of memory a key: its entry in the keydir, and what loading and merging hold beside it.
const MEMORY: u64 = 64;

/// Bytes of disk a key that is put once: record, hint, its part of the checkpoint.
const DISK: u64 = 230;

/// Bytes of disk a key while a merge copies one record of two and a half, all with their hints.
const MERGE_DISK: u64 = 700;

/// What there is for one number of keys.
pub struct Room {
    keys: u64,
    memory: u64,
    /// Unknown where the file system does not say.
    disk: Option<u64>,
}

impl Room {
    /// As it is now, for stores in `dir`.
    pub fn for_keys(keys: u64, dir: &Path) -> Outcome<Self> {
        Ok(Self { keys, memory: memory("MemAvailable")?, disk: RealDisk.free_space(dir) })
    }

    /// Why there is no room at all.
    pub fn first_lack(&self) -> Option<String> {
        let disk = || self.disk.and_then(|free| self.lack(DISK, free, "disk"));
        self.lack(MEMORY, self.memory, "memory").or_else(disk)
    }

    /// Why there is none for a merge.
    pub fn lack_for_merge(&self) -> Option<String> {
        self.lack(MERGE_DISK, self.disk?, "disk")
    }

    fn lack(&self, each: u64, free: u64, of: &str) -> Option<String> {
        let needed = self.keys.saturating_mul(each);
        (needed > free)
            .then(|| format!("needs up to {} of {of}, of which {} are free", gigabytes(needed), gigabytes(free)))
    }
}

pub fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

/// Bytes of the machine's memory: `MemTotal`, or `MemAvailable`.
pub fn memory(name: &str) -> Outcome<u64> {
    let all = std::fs::read_to_string("/proc/meminfo")?;
    let line = all.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib: u64 = line.ok_or_else(|| format!("no {name} in /proc/meminfo"))?.trim().trim_end_matches(" kB").parse()?;
    Ok(kib << 10)
}
