//! Loading what could be left out: a segment whose header cannot be believed, sectors that cannot be read.
//!
//! # Invariants
//!
//! 1. Nothing that only salvage loads is answered without the mark suspect, and nothing of it is ever appended to or cut.

use std::io;
use std::path::PathBuf;

use super::{Context, Load, Loaded, Source};
use crate::error::Error;
use crate::format::{FileHeader, Format, Origin};
use crate::store::hint_file;
use crate::store::holes::{Bound, Hole};
use crate::store::recover::{Cut, Standing, Verdict};
use crate::store::report::{Finding, FindingKind, Severity};
use crate::store::tally::Tally;

impl Load<'_> {
    /// Goes on with what the header says where it stands, or, if the segment has a hint that holds, with the salt that the
    /// hint names. In what order its records were written is not known.
    pub(super) fn presume_header(&mut self) {
        let mut bytes = vec![0; self.context.format.max_file_header_len()];
        let read = self.file.read_full_at(&mut bytes, 0).unwrap_or(0);
        bytes.truncate(read);
        let hint = self.context.format.hint_name(self.source.id).filter(|_| self.source.has_hint);
        let hint = hint.and_then(|name| hint_file::read(self.context.disk, &self.context.dir.join(name)).ok()?);
        self.header = presumed(self.context.format, self.source.id, &bytes, hint.as_deref());
        self.header.len = self.header.len.min(self.len);
        self.standing = if self.standing == Standing::Foreign { Standing::Foreign } else { Standing::Sealed };
        self.out.doubtful = true;
        self.out.damaged = true;
        self.hole(0, self.len);
    }

    /// Whether something was read around.
    pub(super) fn is_unreadable(&self) -> bool {
        self.around.as_ref().is_some_and(|around| !around.unreadable().is_empty())
    }

    pub(super) fn tell_of_unreadable(&mut self) {
        let stretches = self.around.as_ref().map(|around| around.unreadable()).unwrap_or_default();
        for stretch in stretches {
            self.out.damaged = true;
            let len = stretch.end - stretch.start;
            let message = format!("{len} bytes cannot be read; what lies around them was");
            self.finding(Severity::Damage, FindingKind::Unreadable, stretch.start, len, None, message);
        }
    }
}

/// A header for a file that has none to be believed: with the salt that stands in its place, unless a hint that holds
/// names another. A header that holds and is another segment's counts as it is.
pub(in crate::store) fn presumed(format: &dyn Format, id: u64, bytes: &[u8], hint: Option<&[u8]>) -> FileHeader {
    if let Ok(header) = format.file_header(bytes) {
        return FileHeader { origin: Origin::Merge, ..header };
    }
    let header = FileHeader { origin: Origin::Merge, ..format.presumed_file_header(bytes) };
    let coverage = hint.and_then(|bytes| format.hint(bytes)?.ok()?.coverage).filter(|coverage| coverage.id == id);
    coverage.map_or(header, |coverage| FileHeader { salt: coverage.salt, ..header })
}

/// The outcome for a file that cannot even be opened: all of it is a hole.
pub(super) fn unopened(context: &Context<'_>, source: &Source, path: PathBuf, e: io::Error) -> Loaded {
    let message = Error::io("open", &path, e).to_string();
    let (segment, offset, len) = (Some(source.id), Some(0), Some(source.len));
    let (severity, kind) = (Severity::Damage, FindingKind::Unreadable);
    Loaded {
        segment: None,
        verdict: Verdict { data_len: source.len, cut: Cut::Nothing, stable_len: source.len },
        holes: vec![Hole {
            segment: source.id,
            offset: 0,
            len: source.len,
            below: Bound::of_hole(context.format.kind()),
        }],
        findings: vec![Finding { severity, kind, path, segment, offset, len, key: None, message }],
        needs_newer: None,
        damaged: true,
        doubtful: true,
        tally: Tally::default(),
        contradicts: true,
    }
}
