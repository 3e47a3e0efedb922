//! The directory `quarantine/` of a store: where bytes go that are no part of it any more and may still be worth something.
//!
//! Must not know what is in them.

use std::io;
use std::path::Path;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::format::QUARANTINE;

/// Makes it if it is missing. Its own name is durable on return.
pub(super) fn make(disk: &dyn Disk, dir: &Path) -> Result<()> {
    let quarantine = dir.join(QUARANTINE);
    match disk.create_dir(&quarantine) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(Error::of_write("create", &quarantine, 0, e)),
        // Even if it was there: whoever made it may not have come to this line.
        _ => disk.sync_dir(dir).map_err(|e| Error::io("sync", dir, e)),
    }
}

/// Moves a file of the store into it, under `name`.
pub(super) fn take(disk: &dyn Disk, dir: &Path, path: &Path, name: &str) -> Result<()> {
    make(disk, dir)?;
    let quarantine = dir.join(QUARANTINE);
    disk.rename(path, &quarantine.join(name)).map_err(|e| Error::io("rename", path, e))?;
    // The name in quarantine first: no power cut leaves the file without any.
    for dir in [&*quarantine, dir] {
        disk.sync_dir(dir).map_err(|e| Error::io("sync", dir, e))?;
    }
    Ok(())
}
