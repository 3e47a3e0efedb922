//! Loading from a hint: when it can be believed, and what it proves when it cannot be true.
//!
//! # Invariants
//!
//! 1. A hint that names more than the file has is evidence of loss: its keys answer with an error, never with an older
//!    value.
//! 2. Any other hint that does not fit is ignored, and the records are read instead.

use std::path::{Path, PathBuf};

use super::{Load, Severity};
use crate::error::{Error, Result};
use crate::format::{Coverage, Hint, HintEntry, HintFault, Kind, SegmentId};
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
        let mut bytes = self.context.spare.hint();
        let covered = match hint_file::read_into(self.context.disk, &path, &mut bytes) {
            Ok(true) => self.hint_of(path, &bytes),
            Ok(false) => Ok(start),
            Err(e) => {
                let message = format!("{e}; the segment was read instead");
                self.out.findings.push(about_hint(self.source.id, path, FindingKind::DamagedHint, message));
                Ok(start)
            }
        };
        self.context.spare.give_back_hint(bytes);
        covered
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
            let message = "it belongs to another file of this name, and is not used".to_owned();
            self.out.findings.push(about_hint(self.source.id, path, FindingKind::StaleHint, message));
            return Ok(start);
        }
        // The hint was read after the length: a writer beside us may have appended and sealed in between.
        let len = self.file.len().map_err(|e| Error::io("read", &self.path, e))?;
        self.len = self.len.max(len);
        (self.context.progress)(bytes.len() as u64);
        Ok(self.take_hint(&hint).max(start))
    }

    pub(super) fn is_ours(&self, coverage: &Coverage) -> bool {
        coverage.id == self.source.id && coverage.salt == self.header.salt && coverage.len >= self.header.len
    }

    fn take_hint(&mut self, hint: &Hint<'_>) -> u64 {
        let mut covered = 0;
        let known_len = self.known_len;
        for entry in hint.entries().filter(|entry| entry.offset >= known_len) {
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
        if let Some(coverage) = hint.coverage {
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
