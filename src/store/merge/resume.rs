//! A merge that a crash has interrupted: what its `MERGE` file and the directory say, and how it comes to an end.
//!
//! # Invariants
//!
//! 1. It is finished if every output is there and whole, else undone if every input is there; if neither, nothing is
//!    changed and nothing is written to the store.
//! 2. Both ways can be interrupted anywhere and taken up again, and are durable even if a sync of the directory failed
//!    in an earlier life.
//! 3. A reader changes nothing: it leaves out of its listing what the outcome leaves out.

use std::io;
use std::path::Path;

use crate::disk::{Disk, ReadDisk};
use crate::error::{Error, Result};
use crate::format::{HeaderFault, MergeFile, MergePart, merge_file};
use crate::store::checkpoint;
use crate::store::listing::{Listing, Missing};
use crate::store::load::Source;
use crate::store::scan::{Scanner, What};

use super::again;
use super::commit::{final_names, forget, name_outputs, native, remove, take_inputs_away};
use super::output::temporary_names;

/// How an interrupted merge ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The outputs stay.
    Finish,
    /// The inputs stay.
    Undo,
    /// Parts of both are gone.
    Unknown,
}

/// Reads the `MERGE` file; `None` if there is none.
pub(in crate::store) fn read(disk: &dyn ReadDisk, dir: &Path) -> Result<Option<MergeFile>> {
    let path = dir.join(merge_file::NAME);
    let failed = |e| Error::io("read", &path, e);
    let file = match disk.open_read(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    let len = file.len().map_err(failed)?.min(merge_file::MAX_LEN);
    let bytes = file.read_vec_at(len, 0).map_err(failed)?;
    match MergeFile::decode(&bytes) {
        Ok(merge) => Ok(Some(merge)),
        Err(HeaderFault::NeedsNewer(what)) => Err(Error::NeedsNewer { path, offset: None, what }),
        Err(HeaderFault::Incomplete) => Err(failed(io::Error::new(io::ErrorKind::InvalidData, "it is cut short"))),
        Err(HeaderFault::Damaged(check)) => Err(failed(io::Error::new(io::ErrorKind::InvalidData, check.to_string()))),
    }
}

/// Brings an interrupted merge to its end. The caller holds the lock. On an error the directory still says what to do.
pub(in crate::store) fn resume(disk: &dyn Disk, dir: &Path) -> Result<()> {
    let Some(merge) = read(disk, dir)? else { return Ok(()) };
    match outcome(disk, dir, &merge, is_whole) {
        Outcome::Finish => {
            // It went before `MERGE` came, unless a power cut has parted the two. Durable with the decision.
            checkpoint::forget(disk, dir)?;
            again::decide(disk, dir, &merge)?;
            again::unname_outputs(disk, dir, &merge)?;
            name_outputs(disk, dir, &merge)?;
            again::remove_gone(disk, dir, &merge.inputs)?;
            take_inputs_away(disk, dir, &merge)?;
            forget(disk, dir)
        }
        Outcome::Undo => {
            checkpoint::forget(disk, dir)?;
            again::remove_gone(disk, dir, &merge.outputs)?;
            for output in &merge.outputs {
                for path in final_names(dir, output).iter().chain(&temporary_names(dir, native(), output.id)) {
                    remove(disk, path)?;
                }
            }
            // The outputs are gone for good before the file that tells them from segments of puts is.
            disk.sync_dir(dir).map_err(|e| Error::io("sync", dir, e))?;
            forget(disk, dir)
        }
        Outcome::Unknown => {
            let path = dir.join(merge_file::NAME);
            let what = "neither all inputs nor all outputs of the merge are there and whole";
            Err(Error::io("finish the merge of", path, io::Error::new(io::ErrorKind::InvalidData, what)))
        }
    }
}

/// Leaves out of a listing what the merge will have taken away. Returns whether that is certain: if not, deleted keys may
/// be back in what is listed, or keys missing.
pub(in crate::store) fn apply(disk: &dyn ReadDisk, dir: &Path, merge: &MergeFile, listing: &mut Listing) -> bool {
    let outcome = outcome(disk, dir, merge, is_there);
    let is = |parts: &[MergePart], id| parts.iter().any(|part| part.id == id);
    match outcome {
        Outcome::Finish => {
            listing.sources.retain(|source| !is(&merge.inputs, source.id));
            merge.outputs.iter().for_each(|output| add(disk, dir, output, listing));
        }
        Outcome::Undo => listing.sources.retain(|source| !is(&merge.outputs, source.id)),
        Outcome::Unknown => {}
    }
    // A hint whose segment has gone already, or has not got its name yet, tells of no loss here.
    let in_merge = |missing: &Missing| is(&merge.inputs, missing.id) || is(&merge.outputs, missing.id);
    listing.missing.retain(|missing| !in_merge(missing));
    listing.sources.sort_by_key(|source| source.id);
    outcome != Outcome::Unknown
}

fn add(disk: &dyn ReadDisk, dir: &Path, output: &MergePart, listing: &mut Listing) {
    let [tmp, _] = temporary_names(dir, native(), output.id);
    listing.leftovers.retain(|path| *path != tmp);
    if listing.sources.iter().any(|source| source.id == output.id) || !is_there(disk, &tmp, output) {
        return;
    }
    let name = tmp.file_name().unwrap_or_default().to_string_lossy().into_owned();
    listing.sources.push(Source { id: output.id, name, len: output.len, has_hint: false, active: false });
}

fn outcome(
    disk: &dyn ReadDisk,
    dir: &Path,
    merge: &MergeFile,
    holds: fn(&dyn ReadDisk, &Path, &MergePart) -> bool,
) -> Outcome {
    let [data, tmp] = [
        |dir: &Path, part: &MergePart| final_names(dir, part),
        |dir: &Path, part: &MergePart| temporary_names(dir, native(), part.id),
    ];
    let has_output =
        |part: &MergePart| [data(dir, part), tmp(dir, part)].iter().any(|[path, _]| holds(disk, path, part));
    let has_input = |part: &MergePart| {
        let [path, _] = final_names(dir, part);
        // What is set aside may be a file whose header says nothing.
        is_there(disk, &path, part) || (merge.set_aside && disk.entry(&path).is_ok_and(|entry| entry.len == part.len))
    };
    if merge.outputs.iter().all(has_output) {
        Outcome::Finish
    } else if merge.inputs.iter().all(has_input) {
        Outcome::Undo
    } else {
        Outcome::Unknown
    }
}

/// Whether the file at `path` is the one that is meant, by its header and its length.
pub(super) fn is_there(disk: &dyn ReadDisk, path: &Path, part: &MergePart) -> bool {
    let look = || -> io::Result<bool> {
        let file = disk.open_read(path)?;
        let mut bytes = vec![0; native().max_file_header_len()];
        let read = file.read_full_at(&mut bytes, 0)?;
        let header = native().file_header(bytes.get(..read).unwrap_or_default());
        Ok(header.is_ok_and(|header| (header.id, header.salt) == (Some(part.id), part.salt)) && file.len()? == part.len)
    };
    look().unwrap_or(false)
}

/// Whether it is there, and every byte of it decodes. It is about to be the only copy.
fn is_whole(disk: &dyn ReadDisk, path: &Path, part: &MergePart) -> bool {
    let walk = || -> io::Result<bool> {
        let file = disk.open_read(path)?;
        let mut bytes = vec![0; native().max_file_header_len()];
        let read = file.read_full_at(&mut bytes, 0)?;
        let Ok(header) = native().file_header(bytes.get(..read).unwrap_or_default()) else { return Ok(false) };
        let mut scan = Scanner::new(file, native(), header, header.len, part.len);
        while let Some(item) = scan.next_item()? {
            if !matches!(item.what, What::Record(_, Ok(()))) {
                return Ok(false);
            }
        }
        Ok(scan.position() == part.len)
    };
    is_there(disk, path, part) && walk().unwrap_or(false)
}
