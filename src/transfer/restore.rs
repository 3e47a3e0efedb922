//! A store from a snapshot.
//!
//! # Invariants
//!
//! 1. The target appears only after every file had the length and the checksum that the manifest names, and every record
//!    was read and held.
//! 2. The target is complete or absent, see [`super::new_dir`].
//! 3. Nothing is taken over but segments: hints are made anew from their records, so that no hint can hide a key.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::store::vouch;

use super::archive::check_room;
use super::copying::{Meter, Watch};
use super::manifest::{Manifest, ManifestFile};
use super::new_dir::{self, NewDir};
use super::source::{Source, bad};

/// How to restore.
#[derive(Clone, Copy, Debug, Default)]
pub struct RestoreOptions {
    /// Also restore a snapshot of a store that was damaged when it was made, damage and all. Its bytes must be those of
    /// its manifest nonetheless.
    pub keep_damage: bool,
}

/// What was restored, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// The moment that the snapshot shows: microseconds since 1970.
    pub created: u64,
    /// Segments.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records that were read and held; 0 where only checksums of files were looked at.
    pub records: u64,
    /// Segments with damage, or of which only a hint is left.
    pub damaged: u64,
    /// How long it took.
    pub took: Duration,
}

/// Makes the store `target` from the snapshot or archive `source`. `target` must not exist or be an empty directory; its
/// parent must exist. Durable on return. After an error, or when `watch` asks to stop, nothing of it is there; only if
/// the last sync fails it may be there, whole.
///
/// Errors: [`Error::BadSnapshot`] if the source is not what its manifest says, or has damage; [`Error::NeedsNewer`];
/// [`Error::NoSpace`] before anything is written if that is known; [`Error::Io`].
pub fn restore(
    disk: &dyn Disk,
    source: &Path,
    target: &Path,
    options: RestoreOptions,
    watch: Watch<'_>,
) -> Result<Restored> {
    let started = Instant::now();
    new_dir::check(disk, target)?;
    let (mut from, manifest) = Source::open(disk, source)?;
    let bytes = manifest.bytes();
    check_room(disk, target, bytes)?;
    let dir = NewDir::create(disk, target)?;
    // Every byte is read twice: once to copy it, once for its records.
    let mut meter = Meter::new(watch, target, bytes.saturating_mul(2));
    for file in &manifest.files {
        let mut pen = dir.file(&file.name)?;
        from.next(file, &mut meter, &mut |bytes| pen.put(bytes))?;
        pen.sync()?;
    }
    from.finish()?;
    let mut restored = summary(&manifest);
    for file in &manifest.files {
        records(disk, source, dir.path(), file, options, &mut restored, &mut meter)?;
    }
    dir.finish()?;
    restored.took = started.elapsed();
    Ok(restored)
}

/// Reads a snapshot or an archive and checks the length and the checksum of every file; makes nothing. The records are
/// not looked at.
pub fn check(disk: &dyn Disk, source: &Path, watch: Watch<'_>) -> Result<Restored> {
    let started = Instant::now();
    let (mut from, manifest) = Source::open(disk, source)?;
    let mut meter = Meter::new(watch, source, manifest.bytes());
    for file in &manifest.files {
        from.next(file, &mut meter, &mut |_| Ok(()))?;
    }
    from.finish()?;
    Ok(Restored { took: started.elapsed(), ..summary(&manifest) })
}

fn summary(manifest: &Manifest) -> Restored {
    let orphans = manifest.files.iter().filter(|file| file.is_orphan()).count() as u64;
    let segments = manifest.files.len() as u64 - orphans;
    Restored { created: manifest.created, segments, bytes: manifest.bytes(), damaged: orphans, ..Restored::default() }
}

/// Reads every record of a file that was restored, and writes its hint.
fn records(
    disk: &dyn Disk,
    source: &Path,
    dir: &Path,
    file: &ManifestFile,
    options: RestoreOptions,
    restored: &mut Restored,
    meter: &mut Meter<'_>,
) -> Result<()> {
    let damage = if file.is_orphan() {
        Some(format!("the segment of {} was missing when it was made", file.name))
    } else {
        let vouched = vouch(disk, dir, &file.name, &mut |_| {})?;
        restored.records += vouched.records;
        vouched.damage.map(|damage| match damage {
            Error::Damaged { offset, check, .. } => format!("{} is damaged at offset {offset}: {check}", file.name),
            other => other.to_string(),
        })
    };
    match damage {
        Some(why) if !options.keep_damage => {
            return Err(bad(source, &format!("{why} (--keep-damage restores it as it is)")));
        }
        Some(_) if !file.is_orphan() => restored.damaged += 1,
        _ => {}
    }
    meter.add(file.len)
}
