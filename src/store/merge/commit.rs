//! Puts the outputs of a merge in the place of its inputs, so that a crash at any step leaves one or the other.
//!
//! The steps, each with what it guards against. Before the first one the outputs and their hints are whole and durable
//! under temporary names.
//!
//! 1. The active segment is synced: what superseded the records that were not copied must be durable before they go.
//! 2. `KEYDIR`, which names the inputs, goes. `MERGE` is written beside its place, synced, renamed, and the directory
//!    synced: from here on it is decided. No reader ever sees half a file, and no power cut takes away the decision after
//!    an input has gone, or brings back a checkpoint that misses one.
//! 3. The outputs get their names, and the directory is synced: a power cut must not take an output's name after the
//!    inputs are gone.
//! 4. The keydir moves, entry by entry, where it still points at an input: a put or delete in between wins.
//! 5. The inputs go, and the directory is synced: else a power cut could bring back an input, with a value whose tombstone
//!    was let go, after `MERGE` is forgotten.
//! 6. `MERGE` goes, and the directory is synced.
//!
//! [`super::resume`] takes up steps 3, 5 and 6 where a crash has left them. A failure before `MERGE` is named leaves all as
//! it was; one after that stops the writer (promise 6), and the next open finishes.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::format::{Format, FormatKind, MergeFile, MergePart, QUARANTINE, merge_file};
use crate::store::checkpoint;
use crate::store::contents::Contents;
use crate::store::events::Event;
use crate::store::inner::Inner;
use crate::store::keydir::Keydir;
use crate::store::new_file::{create_anew, write_all};
use crate::store::parallel::in_parallel;
use crate::store::quarantine;
use crate::store::tally::Tally;
use crate::store::writer::Writer;

use super::moves::Moves;
use super::output::temporary_names;
use super::outputs::Written;

/// Shards whose entries are moved in one go.
const STRIDE: usize = 64;

/// Makes the outputs take the place of the inputs. `set_aside`: the inputs are kept under `quarantine/`.
///
/// On an error before the decision the outputs are still under their temporary names.
pub(in crate::store) fn commit(
    inner: &Inner,
    writer: &Writer,
    inputs: &[MergePart],
    written: &Written,
    set_aside: bool,
) -> Result<()> {
    let outputs = written.outputs.iter().map(|output| output.part).collect();
    let merge = MergeFile { set_aside, inputs: inputs.to_vec(), outputs };
    let disk = &*writer.disk;
    seal_the_past(inner, writer)?;
    decide(inner, writer, &merge)?;
    let done = name_outputs(disk, &inner.dir, &merge)
        .inspect(|()| hand_over(inner, &merge, written))
        .and_then(|()| take_inputs_away(disk, &inner.dir, &merge))
        .and_then(|()| forget(disk, &inner.dir));
    done.inspect_err(|error| {
        writer.die(inner, error.clone());
    })
}

/// Step 1. Without an active segment one is begun: its id is then above those of all that is merged, for good.
fn seal_the_past(inner: &Inner, writer: &Writer) -> Result<()> {
    let mut core = writer.core.lock();
    writer.check_alive()?;
    if core.active.is_none() {
        writer.rotate(inner, &mut core)?;
    }
    writer.sync(inner, &mut core)
}

/// Step 2.
fn decide(inner: &Inner, writer: &Writer, merge: &MergeFile) -> Result<()> {
    let disk = &*writer.disk;
    if merge.set_aside {
        quarantine::make(disk, &inner.dir)?;
    }
    let path = inner.dir.join(merge_file::NAME);
    let failed = |e| match Error::of_write("write", &path, merge.encode().len() as u64, e) {
        // Nothing is decided, and nothing is wrong with the disk.
        error @ Error::NoSpace { .. } => {
            let _ = disk.remove(&temporary_name(&inner.dir));
            error
        }
        error => {
            writer.die(inner, error.clone());
            error
        }
    };
    // What it says of the inputs will not be true any more. It is durable with the decision.
    writer.checkpoint.lock().take();
    checkpoint::forget(disk, &inner.dir)?;
    write_decision(disk, &inner.dir, merge).map_err(failed)?;
    disk.sync_dir(&inner.dir).map_err(|e| writer.die_of_sync(inner, &inner.dir, e))
}

/// `MERGE` under its name, its bytes durable; the name is durable when the directory is synced.
pub(super) fn write_decision(disk: &dyn Disk, dir: &Path, merge: &MergeFile) -> io::Result<()> {
    let tmp = temporary_name(dir);
    let file = create_anew(disk, &tmp)?;
    write_all(&*file, &merge.encode(), 0)?;
    file.sync_data()?;
    disk.rename(&tmp, &dir.join(merge_file::NAME))
}

fn temporary_name(dir: &Path) -> PathBuf {
    dir.join(format!("{}.tmp", merge_file::NAME))
}

/// Step 3, as far as it is not done yet. The data before its hint: a hint without data tells of a loss.
pub(super) fn name_outputs(disk: &dyn Disk, dir: &Path, merge: &MergeFile) -> Result<()> {
    for output in &merge.outputs {
        let names = final_names(dir, output);
        for (tmp, path) in temporary_names(dir, native(), output.id).iter().zip(&names) {
            match disk.rename(tmp, path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::io("rename", tmp, e)),
                _ => {}
            }
        }
    }
    disk.sync_dir(dir).map_err(|e| Error::io("sync", dir, e))
}

/// Step 4. Gets find their records in either place meanwhile.
fn hand_over(inner: &Inner, merge: &MergeFile, written: &Written) {
    let contents = inner.contents();
    written.outputs.iter().for_each(|output| contents.segments.insert(output.segment.clone()));
    // Born before anybody can find them there: whoever supersedes one next counts it dead.
    contents.count_live(written.moves.copied());
    let firsts: Vec<usize> = (0..Keydir::SHARDS).step_by(STRIDE).collect();
    let came =
        in_parallel(&firsts, inner.options.threads, |first| move_entries(inner, &contents, *first, &written.moves));
    // A put or delete came first and has taken the entries of the others away from the inputs.
    let mut dead = written.moves.copied().reversed();
    came.iter().for_each(|came| dead.add(came));
    contents.count_live(&dead);
    contents.segments.remove(merge.inputs.iter().map(|input| input.id));
}

/// Moves the entries of a few shards where they point at what was copied: a put or delete that came first wins. Returns
/// what they point at now.
fn move_entries(inner: &Inner, contents: &Contents, first: usize, moves: &Moves) -> Tally {
    let (mut came, mut went, mut moved) = (Tally::default(), Tally::default(), Vec::new());
    for shard in first..first + STRIDE {
        contents.keydir.relocate_in(shard, |from| moves.of(from), &mut moved);
        for (from, to) in moved.drain(..) {
            went.died(from);
            came.born(to);
            inner.tell(|| Event::KeydirMoved { from: Some(from), to: Some(to) });
        }
    }
    contents.count_live(&went);
    came
}

/// Step 5. A file of the same name and another salt is not the one that was merged, and stays.
pub(super) fn take_inputs_away(disk: &dyn Disk, dir: &Path, merge: &MergeFile) -> Result<()> {
    for input in &merge.inputs {
        let [data, hint] = final_names(dir, input);
        if merge.set_aside {
            // The hint first, so that it never stands alone; it says what was there.
            let [kept_data, kept_hint] = set_aside_names(input);
            set_aside(disk, dir, &hint, &kept_hint)?;
            set_aside(disk, dir, &data, &kept_data)?;
        } else if super::resume::is_there(disk, &data, input) || disk.entry(&data).is_err() {
            remove(disk, &hint)?;
            remove(disk, &data)?;
        }
    }
    if merge.set_aside {
        let path = dir.join(QUARANTINE);
        disk.sync_dir(&path).map_err(|e| Error::io("sync", path, e))?;
    }
    disk.sync_dir(dir).map_err(|e| Error::io("sync", dir, e))
}

/// The names under `quarantine/` of an input that is set aside, and of its hint.
pub(in crate::store) fn set_aside_names(input: &MergePart) -> [String; 2] {
    ["data", "hint"].map(|ending| format!("{:010}-{:08x}.{ending}", input.id, input.salt))
}

fn set_aside(disk: &dyn Disk, dir: &Path, path: &Path, name: &str) -> Result<()> {
    match disk.rename(path, &dir.join(QUARANTINE).join(name)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io("rename", path, e)),
        _ => Ok(()),
    }
}

/// Takes a name away, if it is there.
pub(super) fn remove(disk: &dyn Disk, path: &Path) -> Result<()> {
    match disk.remove(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path, e)),
        _ => Ok(()),
    }
}

/// Step 6.
pub(super) fn forget(disk: &dyn Disk, dir: &Path) -> Result<()> {
    remove(disk, &dir.join(merge_file::NAME))?;
    disk.sync_dir(dir).map_err(|e| Error::io("sync", dir, e))
}

/// Where a segment of a merge and its hint belong.
pub(super) fn final_names(dir: &Path, part: &MergePart) -> [PathBuf; 2] {
    let name = native().segment_name(part.id);
    [dir.join(name), dir.join(native().hint_name(part.id).unwrap_or_default())]
}

pub(super) fn native() -> &'static dyn Format {
    FormatKind::Native.format()
}
