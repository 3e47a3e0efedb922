//! Files that are written beside their place before they get their name: hints, segments, saved tails.
//!
//! Must not know what is in them, nor what a failure means.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::disk::{Disk, WriteFile};

/// Creates a file under a temporary name, in place of what a write that did not finish may have left there.
pub(super) fn create_anew(disk: &dyn Disk, tmp: &Path) -> io::Result<Arc<dyn WriteFile>> {
    match disk.remove(tmp) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => disk.create(tmp),
    }
}

/// Writes all of `bytes`, however many writes that takes.
pub(super) fn write_all(file: &dyn WriteFile, bytes: &[u8], offset: u64) -> io::Result<()> {
    let mut done = 0;
    while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
        match file.write_at(rest, offset + done as u64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
