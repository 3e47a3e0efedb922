//! What the machine allows: the same work with nothing else around it, in the same process and run as the stores.
//!
//! A put is a record built and checksummed, its bytes moved, and one slot of an index; a get is a probe, a read, both
//! checksums, the key compared, the value copied out. No locks, no promises, no errors but the system's.

mod append;
mod durable;
mod large;
mod log;
mod map;
mod point;
mod slots;
mod sweep;

use std::fs::{File, OpenOptions};

use tempfile::TempDir;

use crate::Outcome;
use crate::results::Results;
use crate::work::Ground;

pub fn run(ground: &Ground<'_>, results: &mut Results) -> Outcome<()> {
    append::run(ground, results)?;
    point::run(ground, results)?;
    durable::run(ground, results)?;
    large::run(ground, results)?;
    sweep::run(ground, results)
}

fn new_file(dir: &TempDir) -> Outcome<File> {
    Ok(OpenOptions::new().create(true).truncate(true).read(true).write(true).open(dir.path().join("log"))?)
}
