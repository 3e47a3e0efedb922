//! What a directory holds, by names alone: which format, which segments, which files belong to nobody.

use std::path::{Path, PathBuf};

use crate::disk::{DirEntry, EntryKind, ReadDisk};
use crate::error::{Error, Result};
use crate::format::{FileRole, Format, FormatKind, QUARANTINE, SegmentId, formats_present, only_format_of, riak};
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
    /// A merge did not finish committing.
    pub(super) has_merge: bool,
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
        has_merge: false,
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
            Some(FileRole::Companion) => out.has_merge |= kind == FormatKind::Native && entry.name == "MERGE",
            Some(FileRole::Leftover) => {
                out.note(path.clone(), FindingKind::Leftover, "a write that did not finish left it behind");
                out.leftovers.push(path);
            }
            None if kind == FormatKind::Native && is_quarantine(entry) => {}
            None if named_like_a_segment(format, entry).is_some() => {
                let id = named_like_a_segment(format, entry).unwrap_or_default();
                out.saw(id);
                out.missing.push(Missing { id, path, reason: NO_FILE });
            }
            None => out.note(path, FindingKind::ForeignFile, "it is no part of the store"),
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
