//! What a loaded store takes: memory, time to the first get after a clean close, after a crash and by scanning, disk.
//!
//! Memory is that of a fresh process of this program, so that nothing counts that another store's allocations left
//! behind. The crash is one: a process that opens, puts, and kills itself.

use std::path::Path;

use tempfile::TempDir;

use super::{Ground, usual};
use crate::Outcome;
use crate::child;
use crate::engine::{self, Engine};
use crate::measure::{disk_bytes, seconds};
use crate::results::Results;

pub const WORKS: &[&str] = &["memory", "open-clean", "open-crash", "open-scan", "disk-load", "disk-data"];

/// On a store that holds every key once and was closed cleanly; afterwards it holds the same.
pub fn run(ground: &Ground<'_>, engine: &dyn Engine, dir: &TempDir, results: &mut Results) -> Outcome<()> {
    let (name, count) = (engine.name(), ground.keys.count as f64);
    let files = dir.path().join("store");
    results.add("disk-load", name, disk_bytes(&files)? as f64 / count);
    if name == engine::OURS {
        results.add("disk-data", name, data_bytes(&files)? as f64 / count);
    }
    if ground.wants(&["open-clean"]) {
        results.add("open-clean", name, first_get(ground, engine, dir)?);
    }
    if ground.wants(&["memory"]) {
        results.add("memory", name, child::memory(engine, &files, ground.keys)? as f64 / count);
    }
    if ground.wants(&["open-crash"]) {
        child::crash(engine, &files, ground.keys)?;
        remove(engine, &files, &["KEYDIR"])?;
        results.add("open-crash", name, first_get(ground, engine, dir)?);
    }
    if name == engine::OURS && ground.wants(&["open-scan"]) {
        remove(engine, &files, &["KEYDIR", ".hint"])?;
        results.add("open-scan", name, first_get(ground, engine, dir)?);
    }
    Ok(())
}

/// Seconds from the call that opens to the first answer; then everything is compared, and the store closed.
fn first_get(ground: &Ground<'_>, engine: &dyn Engine, dir: &TempDir) -> Outcome<f64> {
    let (store, took) = seconds(|| {
        let store = usual(engine, dir, false)?;
        let found = store.get(&ground.keys.key(ground.keys.count / 2), &mut Vec::new())?;
        if found { Ok(store) } else { Err("the first get found nothing".into()) }
    })?;
    ground.check(&*store, 0..ground.keys.count, |_| Some(0))?;
    Ok(took)
}

/// Takes files of ours away by the ends of their names; a peer keeps all of its own.
fn remove(engine: &dyn Engine, dir: &Path, ends: &[&str]) -> Outcome<()> {
    if engine.name() != engine::OURS {
        return Ok(());
    }
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if ends.iter().any(|end| entry.file_name().to_string_lossy().ends_with(end)) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Bytes of our segments, as long as they say they are.
fn data_bytes(dir: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|extension| extension == "data") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}
