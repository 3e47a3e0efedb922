//! Loading from a hint: when it can be believed, and what it proves when it cannot be true.
//!
//! # Invariants
//!
//! 1. A hint that names more than the file has is evidence of loss: its keys answer with an error, never with an older
//!    value.
//! 2. Any other hint that does not fit is ignored, and the records are read instead.

use std::path::{Path, PathBuf};

use super::{Load, Severity, hint_pieces};
use crate::error::{Error, Result};
use crate::format::{Coverage, Entries, HintEntry, HintFault, Kind, SegmentId};
use crate::store::report::{Finding, FindingKind};
use crate::store::{Entry, hint_file};

impl Load<'_> {
    /// Offers what the hint says, and returns how much of the segment that was.
    pub(super) fn hint(&mut self) -> Result<u64> {
        let start = self.header.len;
        let Some(name) = self.context.format.hint_name(self.source.id).filter(|_| self.source.has_hint) else {
            return Ok(start);
        };
        let path = self.context.dir.join(name);
        let mut piece = self.context.spare.piece();
        let covered = match self.hint_in_pieces(&path, &mut piece) {
            Ok(None) => self.whole_hint(path),
            Ok(Some(covered)) => Ok(covered),
            Err(e) => Err(e),
        };
        self.context.spare.give_back_piece(piece);
        covered
    }

    /// Offers what a hint says; if it does not hold, finds out why.
    fn whole_hint(&mut self, path: PathBuf) -> Result<u64> {
        match hint_file::read(self.context.disk, &path) {
            Ok(Some(bytes)) => self.hint_of(path, &bytes),
            Ok(None) => Ok(self.header.len),
            Err(e) => Ok(self.unreadable_hint(path, &e)),
        }
    }

    fn unreadable_hint(&mut self, path: PathBuf, e: &Error) -> u64 {
        let message = format!("{e}; the segment was read instead");
        self.out.findings.push(about_hint(self.source.id, path, FindingKind::DamagedHint, message));
        self.header.len
    }

    /// Offers what a hint says that can be read piece by piece; `None` if it is another, or does not hold.
    fn hint_in_pieces(&mut self, path: &Path, piece: &mut Vec<u8>) -> Result<Option<u64>> {
        let failed = |e| Error::io("read", path, e);
        let Ok(file) = self.context.disk.open_read(path) else { return Ok(None) };
        let hint = match hint_pieces::check(&*file, self.context.format, piece) {
            Ok(Some(hint)) => hint,
            Ok(None) => return Ok(None),
            Err(e) => return Ok(Some(self.unreadable_hint(path.to_owned(), &failed(e)))),
        };
        let coverage = hint.outline.coverage;
        if !self.is_ours(&coverage) {
            self.stale_hint(path.to_owned());
            return Ok(Some(self.header.len));
        }
        self.learn_len()?;
        (self.context.progress)(hint.outline.parts.end);
        let before = self.out.ledger.clone();
        let read = hint.read(piece, &mut |entries| {
            self.take_entries(entries);
        });
        if let Err(e) = read {
            // The records will be counted when they are read. What was offered is true.
            self.out.ledger = before;
            return Ok(Some(self.unreadable_hint(path.to_owned(), &failed(e))));
        }
        Ok(Some(self.take_coverage(0, Some(coverage)).max(self.header.len)))
    }

    fn stale_hint(&mut self, path: PathBuf) {
        let message = "it belongs to another file of this name, and is not used".to_owned();
        self.out.findings.push(about_hint(self.source.id, path, FindingKind::StaleHint, message));
    }

    /// The hint was read after the length: a writer beside us may have appended and sealed in between.
    fn learn_len(&mut self) -> Result<()> {
        let len = self.file.len().map_err(|e| Error::io("read", &self.path, e))?;
        self.len = self.len.max(len);
        Ok(())
    }

    fn hint_of(&mut self, path: PathBuf, bytes: &[u8]) -> Result<u64> {
        let start = self.header.len;
        let hint = match self.context.format.hint(bytes) {
            Some(Ok(hint)) => hint,
            Some(Err(fault)) => {
                self.bad_hint(&path, &fault);
                return Ok(start);
            }
            None => return Ok(start),
        };
        if hint.coverage.is_some_and(|coverage| !self.is_ours(&coverage)) {
            self.stale_hint(path);
            return Ok(start);
        }
        self.learn_len()?;
        (self.context.progress)(bytes.len() as u64);
        let covered = self.take_entries(&mut hint.entries());
        Ok(self.take_coverage(covered, hint.coverage).max(start))
    }

    pub(super) fn is_ours(&self, coverage: &Coverage) -> bool {
        coverage.id == self.source.id && coverage.salt == self.header.salt && coverage.len >= self.header.len
    }

    /// Returns where the last record ends that they name.
    fn take_entries(&mut self, entries: &mut Entries<'_>) -> u64 {
        let mut covered = 0;
        let known_len = self.known_len;
        for entry in entries.filter(|entry| entry.offset >= known_len) {
            let end = entry.offset.saturating_add(entry.len);
            covered = covered.max(end);
            self.out.ledger.count(entry.kind, entry.tstamp);
            let entry_of = Entry::hinted(&entry, self.location(entry.offset, entry.len));
            if end > self.len {
                self.hint_beyond_data(&entry, end);
                self.offer(entry.key, entry_of, false);
            } else if let Kind::Put | Kind::Tombstone = entry.kind {
                self.offer(entry.key, entry_of, entry.kind == Kind::Tombstone);
            }
        }
        covered
    }

    /// Returns how much of the segment the hint speaks for, of which `covered` bytes have entries.
    fn take_coverage(&mut self, mut covered: u64, coverage: Option<Coverage>) -> u64 {
        if let Some(coverage) = coverage {
            covered = coverage.len;
            let marks = coverage.marks.saturating_sub(self.known_marks);
            self.out.ledger.records += marks;
            self.out.ledger.marks += marks;
            self.out.ledger.saw(coverage.min_tstamp, coverage.max_tstamp);
            if covered > self.len && !self.out.damaged {
                self.lost_bytes(covered);
            }
        }
        self.out.ledger.has_hint = covered >= self.len;
        covered
    }

    fn hint_beyond_data(&mut self, entry: &HintEntry<'_>, end: u64) {
        self.out.damaged = true;
        // Not bytes of the file, but no merge may take it for whole: the hint alone tells of what was lost.
        self.out.ledger.bad_value_bytes += entry.len;
        let message = format!(
            "the hint names a record at offset {} that ends at {end}, but the file ends at {}: its bytes were lost",
            entry.offset, self.len
        );
        self.finding(Severity::Damage, FindingKind::HintBeyondData, entry.offset, entry.len, Some(entry.key), message);
    }

    fn lost_bytes(&mut self, covered: u64) {
        self.out.damaged = true;
        // A segment is under 4 GiB, whatever its hint claims.
        self.out.ledger.bad_value_bytes += (covered - self.len).min(u64::from(u32::MAX));
        let message = format!("its hint vouches for {covered} bytes, but the file has {}", self.len);
        self.finding(Severity::Damage, FindingKind::HintBeyondData, self.len, covered - self.len, None, message);
    }

    fn bad_hint(&mut self, path: &Path, fault: &HintFault) {
        let message = match fault {
            HintFault::Incomplete => {
                "it has no closing checksum, as after a crash; the segment was read instead".into()
            }
            HintFault::Damaged(check) => format!("it does not hold ({check}); the segment was read instead"),
            HintFault::NeedsNewer(what) => format!("it has {what}; the segment was read instead"),
        };
        self.out.findings.push(about_hint(self.source.id, path.to_owned(), FindingKind::DamagedHint, message));
    }
}

fn about_hint(id: SegmentId, path: PathBuf, kind: FindingKind, message: String) -> Finding {
    let (severity, segment) = (Severity::Warning, Some(id));
    Finding { severity, kind, path, segment, offset: None, len: None, key: None, message }
}
