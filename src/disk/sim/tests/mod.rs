//! What only the simulated disk promises: crashes, faults, forks and damage.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod bytes;
mod damage;
mod faults;
mod names;
mod stops;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::disk::{Disk, ReadDisk, WriteFile};

/// Enough for every outcome of a handful of choices to come up.
const SEEDS: std::ops::Range<u64> = 0..600;

/// A disk whose pages are whole or lost, so that outcomes can be counted.
fn untorn(page: u64) -> SimDisk {
    SimDisk::with_geometry(Geometry { page, sector: page })
}

fn put(disk: &SimDisk, path: &str, bytes: &str) -> Arc<dyn WriteFile> {
    let file = disk.create(path.as_ref()).unwrap();
    assert_eq!(file.write_at(bytes.as_bytes(), 0).unwrap(), bytes.len());
    file
}

/// A file that is durable, name and all.
fn put_durably(disk: &SimDisk, path: &str, bytes: &str) -> Arc<dyn WriteFile> {
    let file = put(disk, path, bytes);
    file.sync_data().unwrap();
    disk.sync_dir(Path::new(path).parent().unwrap()).unwrap();
    file
}

/// The files of a disk as `name=bytes`, zeros as dots.
fn show(disk: &SimDisk) -> String {
    let image = disk.image();
    let files = image.iter().map(|(path, bytes)| {
        let bytes = String::from_utf8(bytes.clone()).unwrap().replace('\0', ".");
        format!("{}={bytes}", path.display())
    });
    files.collect::<Vec<_>>().join(" ")
}

fn after(disk: &SimDisk, policy: CrashPolicy) -> String {
    show(&disk.crash(policy, 0))
}

/// Every outcome of a torn crash that comes up.
fn torn(disk: &SimDisk) -> BTreeSet<String> {
    SEEDS.map(|seed| show(&disk.crash(CrashPolicy::Torn, seed))).collect()
}

fn set<const N: usize>(outcomes: [&str; N]) -> BTreeSet<String> {
    outcomes.map(str::to_owned).into()
}
