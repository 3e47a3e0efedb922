//! Does once more to the names of an interrupted merge what was done to them in an earlier life.
//!
//! A sync of the directory may have failed then. The kernel takes the names for written from there on, and answers the
//! next sync that all is well; only what is done to a name anew is made durable by it, with what was done to it before.
//! Without this a power cut could bring inputs back, with values whose tombstones were let go, after `MERGE` is forgotten,
//! or take away the names of outputs, the only copies there are. Keeps: a crash in between leaves what can be taken up
//! again.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::format::{MergeFile, MergePart, merge_file};

use super::commit::{final_names, native, write_decision};
use super::output::temporary_names;

/// The decision: nothing is done about inputs or outputs before it is durable.
pub(super) fn decide(disk: &dyn Disk, dir: &Path, merge: &MergeFile) -> Result<()> {
    write_decision(disk, dir, merge).map_err(|e| Error::io("write", dir.join(merge_file::NAME), e))?;
    disk.sync_dir(dir).map_err(|e| Error::io("sync", dir, e))
}

/// Outputs that have their names already get their temporary ones, to be named again.
pub(super) fn unname_outputs(disk: &dyn Disk, dir: &Path, merge: &MergeFile) -> Result<()> {
    for output in &merge.outputs {
        for (path, tmp) in final_names(dir, output).iter().zip(&temporary_names(dir, native(), output.id)) {
            match disk.rename(path, tmp) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::io("rename", path, e)),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Names of these parts that are gone are taken away again.
pub(super) fn remove_gone(disk: &dyn Disk, dir: &Path, parts: &[MergePart]) -> Result<()> {
    let names = parts.iter().flat_map(|part| {
        let temporary = temporary_names(dir, native(), part.id);
        final_names(dir, part).into_iter().chain(temporary)
    });
    names.into_iter().try_for_each(|path| remove_again(disk, path))
}

fn remove_again(disk: &dyn Disk, path: PathBuf) -> Result<()> {
    let failed = |e| Error::io("remove", &path, e);
    match disk.entry(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            disk.create(&path).map_err(failed)?;
            disk.remove(&path).map_err(failed)
        }
        // What a crash left of the lines above: no part of a merge is empty.
        Ok(entry) if entry.len == 0 => disk.remove(&path).map_err(failed),
        _ => Ok(()),
    }
}
