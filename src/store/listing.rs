//! What a directory holds, by names alone: which format, which segments, which files belong to nobody.

use std::path::{Path, PathBuf};

use crate::disk::{DirEntry, EntryKind, ReadDisk};
use crate::error::{Error, Result};
use crate::format::{
    FileRole, Format, FormatKind, QUARANTINE, SegmentId, checkpoint, formats_present, merge_file, only_format_of, riak,
};
use crate::text;

use super::load::Source;
use super::report::{Finding, FindingKind, Severity};

/// The files of one store.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) format: FormatKind,
    /// Segments by id, ascending; the last native one that puts may have written is marked active by the caller.
    pub(super) sources: Vec<Source>,
    /// Temporary files of ours.
    pub(super) leftovers: Vec<PathBuf>,
    /// The keydir is there as a file.
    pub(super) has_checkpoint: bool,
    /// A merge did not finish committing.
    pub(super) has_merge: bool,
    /// Why nobody can say what that merge leaves behind.
    pub(super) broken_merge: Option<String>,
    /// The highest id that any file names, segments or not; ids are never used twice.
    pub(super) max_id: Option<SegmentId>,
    /// Segments that were there once, as their hints say, or that are no files.
    pub(super) missing: Vec<Missing>,
    /// What is worth knowing about names.
    pub(super) findings: Vec<Finding>,
}

/// A segment without a file to read.
#[derive(Debug)]
pub(super) struct Missing {
    pub(super) id: SegmentId,
    pub(super) path: PathBuf,
    pub(super) reason: &'static str,
}

const GONE: &str = "its hint is there, but the segment file is gone";
const NO_FILE: &str = "it has a segment's name, but is not a regular file: it is not read";

/// Lists `dir`. `create` lets a directory without segments but with other files pass as an empty store.
pub(super) fn list(disk: &dyn ReadDisk, dir: &Path, from: Option<FormatKind>, create: bool) -> Result<Listing> {
    let mut entries = disk.list(dir).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::Missing { dir: dir.to_owned() },
        std::io::ErrorKind::NotADirectory => not_a_store(dir, "it is a file, not a directory"),
        _ => Error::io("list", dir, e),
    })?;
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let format = match from {
        Some(format) if create || has_segments(&entries, format) => format,
        from => {
            let found = format_of(dir, &entries, create)?;
            if let Some(wanted) = from.filter(|wanted| *wanted != found && !entries.is_empty()) {
                return Err(not_a_store(dir, &format!("it holds no segment of {wanted}, but of {found}")));
            }
            from.unwrap_or(found)
        }
    };
    Ok(listing(dir, &entries, format))
}

/// What names alone say about a store's directory, the quarantine included.
pub(super) fn findings(disk: &dyn ReadDisk, dir: &Path, format: FormatKind) -> Result<Vec<Finding>> {
    let mut listing = list(disk, dir, Some(format), true)?;
    let quarantine = dir.join(QUARANTINE);
    if format == FormatKind::Native
        && let Ok(mut entries) = disk.list(&quarantine)
    {
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        for entry in entries {
            let message = format!("{} set aside by an earlier recovery", text::size(entry.len));
            listing.note(quarantine.join(&entry.name), FindingKind::Quarantined, &message);
        }
    }
    Ok(listing.findings)
}

fn format_of(dir: &Path, entries: &[DirEntry], create: bool) -> Result<FormatKind> {
    let files = entries.iter().filter(|entry| entry.kind == EntryKind::File);
    let files: Vec<_> = files.map(|entry| entry.name.to_str().unwrap_or("?")).collect();
    let others = entries.iter().any(|entry| entry.kind != EntryKind::File && !is_quarantine(entry));
    match formats_present(&files).as_slice() {
        [format] => Ok(*format),
        [] if files.is_empty() && !others => Ok(FormatKind::Native),
        [] => match only_format_of(&files).filter(|_| !others) {
            Some(format) => Ok(format),
            None if create => Ok(FormatKind::Native),
            None => {
                let reason = format!("it holds {}; --create begins an empty store beside that", names(entries));
                Err(not_a_store(dir, &reason))
            }
        },
        several => {
            let names: Vec<_> = several.iter().map(|kind| kind.name()).collect();
            let names = names.join(" and ");
            Err(not_a_store(dir, &format!("it holds segments of {names} side by side; choose with --from FORMAT")))
        }
    }
}

fn not_a_store(dir: &Path, reason: &str) -> Error {
    Error::NotAStore { path: dir.to_owned(), reason: reason.to_owned() }
}

fn names(entries: &[DirEntry]) -> String {
    let shown: Vec<_> = entries.iter().take(3).map(|entry| text::path(Path::new(&entry.name)).to_string()).collect();
    let more = if entries.len() > shown.len() { ", …" } else { "" };
    let files = if entries.len() == 1 { "1 other file" } else { "other files" };
    format!("{files} ({}{more})", shown.join(", "))
}

fn is_quarantine(entry: &DirEntry) -> bool {
    entry.kind == EntryKind::Dir && entry.name == QUARANTINE
}

fn role(format: &dyn Format, entry: &DirEntry) -> Option<FileRole> {
    entry.name.to_str().filter(|_| entry.kind == EntryKind::File).and_then(|name| format.role(name))
}

fn has_segments(entries: &[DirEntry], kind: FormatKind) -> bool {
    entries.iter().any(|entry| matches!(role(kind.format(), entry), Some(FileRole::Segment(_))))
}

fn listing(dir: &Path, entries: &[DirEntry], kind: FormatKind) -> Listing {
    let mut out = Listing {
        format: kind,
        sources: Vec::new(),
        leftovers: Vec::new(),
        has_checkpoint: false,
        has_merge: false,
        broken_merge: None,
        max_id: None,
        missing: Vec::new(),
        findings: Vec::new(),
    };
    let format = kind.format();
    for entry in entries {
        let path = dir.join(&entry.name);
        match role(format, entry) {
            Some(FileRole::Segment(_)) if kind == FormatKind::Riak && riak::is_pending_delete(entry.mode) => {
                out.note(path, FindingKind::PendingDelete, "Bitcask has marked it for deletion: it is not read");
            }
            Some(FileRole::Segment(id)) => {
                out.saw(id);
                let name = entry.name.to_string_lossy().into_owned();
                out.sources.push(Source { id, name, len: entry.len, has_hint: false, active: false });
            }
            Some(FileRole::Hint(id)) => out.saw(id),
            Some(FileRole::Companion) => {
                let is_ours = |name: &str| kind == FormatKind::Native && entry.name == *name;
                out.has_merge |= is_ours(merge_file::NAME);
                out.has_checkpoint |= is_ours(checkpoint::NAME);
            }
            Some(FileRole::Leftover) => {
                out.note(path.clone(), FindingKind::Leftover, "a write that did not finish left it behind");
                out.leftovers.push(path);
            }
            None if kind == FormatKind::Native && is_quarantine(entry) => {}
            None => match named_like_a_segment(format, entry) {
                Some(id) => {
                    out.saw(id);
                    out.missing.push(Missing { id, path, reason: NO_FILE });
                }
                None => out.note(path, FindingKind::ForeignFile, "it is no part of the store"),
            },
        }
    }
    out.sources.sort_by_key(|source| source.id);
    if kind == FormatKind::Native {
        out.missing.extend(orphans(dir, entries, &out.sources));
    }
    for source in &mut out.sources {
        let hint = format.hint_name(source.id);
        source.has_hint = hint.is_some_and(|hint| entries.iter().any(|entry| entry.name == *hint));
    }
    out
}

fn named_like_a_segment(format: &dyn Format, entry: &DirEntry) -> Option<SegmentId> {
    match entry.name.to_str().and_then(|name| format.role(name)) {
        Some(FileRole::Segment(id)) if entry.kind != EntryKind::File => Some(id),
        _ => None,
    }
}

/// Segments of which only the hint is left. What other programs leave behind proves nothing.
fn orphans(dir: &Path, entries: &[DirEntry], sources: &[Source]) -> Vec<Missing> {
    let format = FormatKind::Native.format();
    let hints = entries.iter().filter_map(|entry| match role(format, entry) {
        Some(FileRole::Hint(id)) => Some(id),
        _ => None,
    });
    let is_gone = |id: &SegmentId| sources.iter().all(|source| source.id != *id);
    let missing = |id| Missing { id, path: dir.join(format.segment_name(id)), reason: GONE };
    hints.filter(is_gone).map(missing).collect()
}

impl Listing {
    fn saw(&mut self, id: SegmentId) {
        self.max_id = self.max_id.max(Some(id));
    }

    fn note(&mut self, path: PathBuf, kind: FindingKind, message: &str) {
        self.findings.push(Finding {
            severity: Severity::Note,
            kind,
            path,
            segment: None,
            offset: None,
            len: None,
            key: None,
            message: message.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::disk::sim::SimDisk;

    const DIR: &str = "/data";

    fn disk(names: &[&str]) -> SimDisk {
        let disk = SimDisk::new();
        disk.insert_dir(DIR).unwrap();
        names.iter().for_each(|name| disk.insert(format!("{DIR}/{name}"), "").unwrap());
        disk
    }

    fn listed(names: &[&str], from: Option<FormatKind>, create: bool) -> Result<Listing> {
        list(&disk(names), Path::new(DIR), from, create)
    }

    #[test]
    fn segments_come_by_number_with_their_hints_and_the_highest_number_counts_every_file() {
        let names = ["0000000010.data", "0000000002.data", "0000000002.hint", "0000000011.hint", "LOCK"];
        let listing = listed(&names, None, false).unwrap();
        let sources: Vec<_> = listing.sources.iter().map(|source| (source.id, source.has_hint)).collect();
        assert_eq!(sources, [(2, true), (10, false)]);
        assert_eq!((listing.max_id, listing.has_merge, listing.findings.len()), (Some(11), false, 0));
        assert!(listed(&["0000000001.data", "MERGE"], None, false).unwrap().has_merge);
    }

    #[test]
    fn an_empty_directory_is_a_store_and_one_with_other_files_only_if_asked_for() {
        assert_eq!(listed(&[], None, false).unwrap().format, FormatKind::Native);
        assert_eq!(listed(&["LOCK"], None, false).unwrap().format, FormatKind::Native);
        let refused = listed(&["a.txt", "b.txt", "c.txt", "d.txt"], None, false).unwrap_err().to_string();
        assert!(refused.contains("a.txt, b.txt, c.txt, …") && refused.contains("--create"), "{refused}");
        let listing = listed(&["a.txt"], None, true).unwrap();
        assert_eq!((listing.sources.len(), listing.findings.len()), (0, 1));
        assert_eq!(listing.findings.first().unwrap().kind, FindingKind::ForeignFile);
    }

    #[test]
    fn two_formats_side_by_side_are_both_named_and_one_can_be_chosen() {
        let names = ["0000000001.data", "1.bitcask.data"];
        let refused = listed(&names, None, true).unwrap_err().to_string();
        assert!(refused.contains("native and riak") && refused.contains("--from"), "{refused}");
        let listing = listed(&names, Some(FormatKind::Riak), false).unwrap();
        assert_eq!(listing.sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>(), ["1.bitcask.data"]);
    }

    #[test]
    fn what_is_not_a_regular_file_is_a_missing_segment_if_it_is_named_like_one() {
        let disk = disk(&["0000000001.data"]);
        disk.insert_other("/data/0000000002.data").unwrap();
        disk.insert_dir("/data/0000000003.data").unwrap();
        disk.insert("/data/quarantine/0000000001-40-00000000.tail", "saved").unwrap();
        let listing = list(&disk, Path::new(DIR), None, false).unwrap();
        assert_eq!((listing.sources.len(), listing.max_id, listing.findings.len()), (1, Some(3), 0));
        assert_eq!(listing.missing.iter().map(|missing| missing.id).collect::<Vec<_>>(), [2, 3]);
        let findings = findings(&disk, Path::new(DIR), FormatKind::Native).unwrap();
        let kinds: Vec<_> = findings.iter().map(|finding| finding.kind).collect();
        assert_eq!(kinds, [FindingKind::Quarantined]);
    }

    #[test]
    fn a_hint_without_its_segment_says_that_the_segment_is_missing() {
        let listing = listed(&["0000000001.data", "0000000001.hint", "0000000004.hint"], None, false).unwrap();
        assert_eq!(listing.missing.iter().map(|missing| missing.id).collect::<Vec<_>>(), [4]);
        assert_eq!(listing.max_id, Some(4));
        let riak = listed(&["1.bitcask.data", "4.bitcask.hint"], None, false).unwrap();
        assert!(riak.missing.is_empty(), "Bitcask leaves such behind");
    }

    #[test]
    fn leftovers_are_ours_alone() {
        let listing = listed(&["0000000001.data", "0000000002.data.tmp", "notes.tmp"], None, false).unwrap();
        assert_eq!(listing.leftovers, [Path::new("/data/0000000002.data.tmp")]);
    }

    #[test]
    fn a_missing_directory_and_a_file_are_told_apart() {
        let disk = disk(&["file"]);
        let missing = list(&disk, Path::new("/nowhere"), None, true);
        assert!(matches!(missing, Err(Error::Missing { .. })), "{missing:?}");
        let file = list(&disk, Path::new("/data/file"), None, true);
        assert!(matches!(file, Err(Error::NotAStore { .. })), "{file:?}");
    }
}
