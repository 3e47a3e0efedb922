//! What lies at a path, told from names and first bytes.
//!
//! Changes nothing and loads nothing: it lists one directory, or that and its subdirectories, or reads the beginning of
//! one file. Must not know what a store does with what is found.
//!
//! Keeps: only regular files count, because only they are ever opened. A directory that the caller names may be reached
//! through a symbolic link; a file may not.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::probe;
use crate::disk::{DirEntry, EntryKind, ReadDisk};
use crate::error::{Error, Result};
use crate::format::{FileRole, FormatKind, QUARANTINE, SegmentId, checkpoint, formats_present, only_format_of};
use crate::text;

/// What a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detected {
    /// A store in one format. A foreign one may be without segments, if everything in the directory is its own.
    Store(FormatKind),
    /// Segments of several formats side by side.
    Mixed(Vec<FormatKind>),
    /// A directory of stores, as Riak keeps one a partition; in numeric order.
    Root(Vec<PathBuf>),
    /// One segment file. The id is 0 where neither the name nor the content says.
    SegmentFile(FormatKind, SegmentId),
    /// The checkpoint of a native store's keydir.
    Checkpoint,
    /// A directory without a file, or with nothing but what a native store keeps beside its segments.
    Empty,
    /// Nothing is there.
    Missing,
    /// Something else; a clause that goes on after the path and a colon says what, and what to do.
    Other(String),
}

/// Looks at names and, for a file whose name says nothing, at its first bytes. Fails only where the system refuses.
pub fn detect(disk: &dyn ReadDisk, path: &Path) -> Result<Detected> {
    match disk.entry(path) {
        Ok(entry) if entry.kind == EntryKind::Dir => directory(disk, path, list(disk, path)?),
        Ok(entry) if entry.kind == EntryKind::File => file(disk, path, &entry),
        // Listing follows a link to a directory and fails for all else, without opening it.
        Ok(_) => disk.list(path).map_or_else(|_| Ok(not_regular()), |entries| directory(disk, path, entries)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Detected::Missing),
        Err(e) => Err(Error::io("look at", path, e)),
    }
}

fn not_regular() -> Detected {
    Detected::Other(
        "it is a symbolic link, a pipe or a device; files are opened without following links, so give the path of the \
         file itself"
            .into(),
    )
}

fn list(disk: &dyn ReadDisk, dir: &Path) -> Result<Vec<DirEntry>> {
    disk.list(dir).map_err(|e| Error::io("list", dir, e))
}

fn directory(disk: &dyn ReadDisk, dir: &Path, entries: Vec<DirEntry>) -> Result<Detected> {
    let formats = formats_present(&file_names(&entries));
    match formats.as_slice() {
        [] => without_segments(disk, dir, &entries),
        [kind] => Ok(Detected::Store(*kind)),
        _ => Ok(Detected::Mixed(formats)),
    }
}

/// Names that are not UTF-8 are foreign to every format.
fn file_names(entries: &[DirEntry]) -> Vec<&str> {
    entries.iter().filter(|entry| entry.kind == EntryKind::File).filter_map(|entry| entry.name.to_str()).collect()
}

fn without_segments(disk: &dyn ReadDisk, dir: &Path, entries: &[DirEntry]) -> Result<Detected> {
    let others: Vec<&DirEntry> = entries.iter().filter(|entry| !is_quarantine(entry)).collect();
    if others.is_empty() {
        return Ok(Detected::Empty);
    }
    if let Some(found) = segments_missing(&others) {
        return Ok(found);
    }
    let stores = stores_below(disk, dir, entries)?;
    if stores.is_empty() {
        return Ok(Detected::Other(describe(&others)));
    }
    Ok(Detected::Root(stores))
}

fn is_quarantine(entry: &DirEntry) -> bool {
    entry.kind == EntryKind::Dir && entry.name == QUARANTINE
}

/// A directory in which everything belongs to one format, except that there is no segment.
fn segments_missing<'a>(entries: &'a [&DirEntry]) -> Option<Detected> {
    let regular = |entry: &'a &DirEntry| entry.name.to_str().filter(|_| entry.kind == EntryKind::File);
    let names: Vec<&str> = entries.iter().map(regular).collect::<Option<_>>()?;
    let kind = only_format_of(&names)?;
    // A native hint tells of a segment that was there; opening has to say that it is gone.
    let hints = names.iter().any(|name| matches!(kind.format().role(name), Some(FileRole::Hint(_))));
    Some(if kind == FormatKind::Native && !hints { Detected::Empty } else { Detected::Store(kind) })
}

/// The subdirectories that are stores. One that cannot be listed matters only beside others that are stores: leaving it
/// out would then be a wrong answer.
fn stores_below(disk: &dyn ReadDisk, dir: &Path, entries: &[DirEntry]) -> Result<Vec<PathBuf>> {
    let mut names: Vec<&OsStr> = Vec::new();
    let mut refused = None;
    for entry in entries.iter().filter(|entry| entry.kind == EntryKind::Dir && !is_quarantine(entry)) {
        match list(disk, &dir.join(&entry.name)) {
            Ok(inner) if is_store(&inner) => names.push(&entry.name),
            Ok(_) => {}
            Err(e) => refused = refused.or(Some(e)),
        }
    }
    names.sort_by(|a, b| numerically(a, b));
    match refused {
        Some(e) if !names.is_empty() => Err(e),
        _ => Ok(names.into_iter().map(|name| dir.join(name)).collect()),
    }
}

/// A partition that was never written holds no segment, but Riak's version note.
fn is_store(entries: &[DirEntry]) -> bool {
    let names = file_names(entries);
    !formats_present(&names).is_empty() || only_format_of(&names) == Some(FormatKind::Riak)
}

/// Numbers by their value before all other names. Ring indices have up to 49 digits, more than any integer type takes.
fn numerically(a: &OsStr, b: &OsStr) -> Ordering {
    let digits = |name: &OsStr| {
        let text = name.to_str().filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
        let significant = text.trim_start_matches('0');
        Some((significant.len(), significant.to_owned()))
    };
    match (digits(a), digits(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
    .then_with(|| a.cmp(b))
}

fn describe(entries: &[&DirEntry]) -> String {
    let of = |kind| entries.iter().filter(move |entry| entry.kind == kind).copied().collect::<Vec<_>>();
    let parts: Vec<String> = [
        (of(EntryKind::File), "other file", "other files"),
        (of(EntryKind::Dir), "directory", "directories"),
        (of(EntryKind::Other), "link or special file", "links or special files"),
    ]
    .into_iter()
    .filter(|(some, ..)| !some.is_empty())
    .map(|(some, one, many)| format!("{} {} ({})", some.len(), if some.len() == 1 { one } else { many }, first(&some)))
    .collect();
    format!("it holds no segment, but {}; --create makes an empty store beside them", parts.join(" and "))
}

/// The first few names, so that a person recognises the directory.
fn first(entries: &[&DirEntry]) -> String {
    const SHOWN: usize = 3;
    let mut names: Vec<String> =
        entries.iter().map(|entry| text::escape_str(&entry.name.to_string_lossy()).to_string()).collect();
    names.sort();
    let more = names.len() > SHOWN;
    names.truncate(SHOWN);
    names.join(", ") + if more { ", …" } else { "" }
}

fn file(disk: &dyn ReadDisk, path: &Path, entry: &DirEntry) -> Result<Detected> {
    let name = entry.name.to_str().unwrap_or_default();
    for kind in FormatKind::ALL {
        match kind.format().role(name) {
            Some(FileRole::Segment(id)) => return Ok(Detected::SegmentFile(kind, id)),
            Some(FileRole::Companion) if name == checkpoint::NAME => return Ok(Detected::Checkpoint),
            Some(_) => return Ok(Detected::Other(beside_segments(kind))),
            None => {}
        }
    }
    let file = disk.open_read(path).map_err(|e| Error::io("open", path, e))?;
    let failed = |e| Error::io("read", path, e);
    if file.read_vec_at(checkpoint::MAGIC.len() as u64, 0).map_err(failed)? == checkpoint::MAGIC {
        return Ok(Detected::Checkpoint);
    }
    let found = probe::segment(&*file).map_err(failed)?;
    Ok(match found {
        Some((kind, id)) => Detected::SegmentFile(kind, id),
        None => Detected::Other(format!("it is a file of {} bytes, and no segment of any known format", entry.len)),
    })
}

fn beside_segments(kind: FormatKind) -> String {
    format!("it is a file that the {kind} format keeps beside its segments; give the directory, or a segment file")
}

#[cfg(test)]
mod tests;
