//! `bench`: put, get, open, merge on this machine, in a store of its own. The short form, for users; how the engine compares
//! with others and with what the machine allows, `benches/peers` tells.
//!
//! `data` computes keys and values, `pace` times loops of single operations, `work` does one thing after the other to a
//! store, `report` prints. Uses nothing of the engine but what every user of the library has.
//!
//! # Invariants
//!
//! 1. No store of the user's is opened or made: all lies in a directory that is made here and removed here.
//! 2. What would not fit on the disk is refused before a byte is written.

mod data;
mod pace;
mod report;
mod work;

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use tempfile::TempDir;

use super::args::Bench;
use super::exit::Exit;
use super::interrupt::Interrupt;
use super::progress::Progress;
use super::session::Session;
use crate::disk::{Disk, RealDisk};
use crate::store::{Options, check_limits};
use crate::text;

use data::KEY_BYTES;
use work::Bench as Work;

/// Bytes of disk that a key takes beside its value, at most: record, hint.
const BESIDE_A_VALUE: u64 = 80;
/// Records for each key that are on disk when a merge is about to end: one and a half that were put, one that was copied.
const HALF_RECORDS: u64 = 5;
/// Bytes of disk that a key takes in the file of the keydir, at most.
const IN_CHECKPOINT: u64 = 64;

/// `logkv bench`
pub(in crate::cli) fn bench(session: &mut Session, args: &Bench) -> anyhow::Result<Exit> {
    session.may_write()?;
    check_limits(&[0; KEY_BYTES], args.value_bytes)?;
    let within = args.within.clone().unwrap_or_else(std::env::temp_dir);
    check_room(args, &within)?;
    let interrupt = Interrupt::listen()?;
    let scratch = scratch(&within)?;
    let work = Work {
        dir: scratch.path().join("store"),
        options: options(session),
        keys: args.keys,
        value_bytes: args.value_bytes,
        threads: threads(args),
        time: args.time,
        interrupt: interrupt.clone(),
    };
    let mut progress = Progress::new(session);
    let measured = work.run(&mut progress);
    progress.erase();
    let removed = scratch.close();
    interrupt.obey();
    let measured = measured?;
    removed.with_context(|| format!("cannot remove what was made in {}", text::path(&within)))?;
    report::show(session, &work, &within, &measured)?;
    Ok(Exit::Yes)
}

/// How the command line says that values are written; whose time to live is over could not be found again.
fn options(session: &Session) -> Options {
    let Options { sync, max_segment_bytes, compression, .. } = session.options();
    Options { sync, max_segment_bytes, compression, create: true, ..Options::default() }
}

fn threads(args: &Bench) -> u64 {
    args.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64))
}

fn scratch(within: &Path) -> anyhow::Result<TempDir> {
    let made = tempfile::Builder::new().prefix("logkv-bench-").tempdir_in(within);
    // Without the name that was tried, which tells nobody anything.
    made.map_err(|error| anyhow!("cannot make a directory in {}: {}", text::path(within), error.kind()))
}

fn check_room(args: &Bench, within: &Path) -> anyhow::Result<()> {
    let needed = needed_bytes(args.keys, args.value_bytes);
    match RealDisk.free_space(within) {
        Some(free) if free < needed => bail!(
            "up to {} would be written in {}, where {} are free; take fewer --keys, shorter --value-bytes, or another \
             directory by --in",
            text::size(needed),
            text::path(within),
            text::size(free)
        ),
        _ => Ok(()),
    }
}

fn needed_bytes(keys: u64, value_bytes: u64) -> u64 {
    let record = value_bytes.saturating_add(BESIDE_A_VALUE);
    let key = record.saturating_mul(HALF_RECORDS) / 2;
    keys.saturating_mul(key.saturating_add(IN_CHECKPOINT))
}
