//! What a [`super::Store`] is made of: shared between its handles, its background thread and the inspecting layers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::disk::ReadDisk;
use crate::error::{Error, Result};
use crate::format::{Format, FormatKind};
use crate::primitives::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::contents::Contents;
use super::current::{Current, Look};
use super::events::Event;
use super::follow::WaitingTail;
use super::report::{Finding, FindingKind, Mode, Stats};
use super::watch::{Change, Watchers};
use super::writer::Writer;
use super::{Expiry, Options, open};

/// The engine behind a store.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) disk: Arc<dyn ReadDisk>,
    pub(super) dir: PathBuf,
    pub(super) options: Options,
    pub(super) format: &'static dyn Format,
    pub(super) mode: Mode,
    contents: Current,
    pub(super) findings: Mutex<Vec<Finding>>,
    pub(super) writer: Option<Writer>,
    pub(super) watchers: Watchers,
    /// One refresh at a time.
    pub(super) refreshing: Mutex<()>,
    /// The `TAIL` that refreshing found.
    pub(super) waiting_tail: Mutex<Option<WaitingTail>>,
    /// Held for reading by those who need every file to keep its name, for writing by a merge that commits.
    files: RwLock<()>,
}

impl Inner {
    #[expect(clippy::too_many_arguments, reason = "called in one module, by name of each part")]
    pub(super) fn new(
        disk: Arc<dyn ReadDisk>,
        dir: &Path,
        options: Options,
        format: FormatKind,
        mode: Mode,
        contents: Contents,
        findings: Vec<Finding>,
        writer: Option<Writer>,
    ) -> Self {
        Self {
            disk,
            dir: dir.to_owned(),
            options,
            format: format.format(),
            mode,
            contents: Current::new(contents, writer.is_none()),
            findings: Mutex::new(findings),
            writer,
            watchers: Watchers::default(),
            refreshing: Mutex::new(()),
            waiting_tail: Mutex::default(),
            files: RwLock::new(()),
        }
    }

    /// The state as of now, to be kept.
    pub(super) fn contents(&self) -> Arc<Contents> {
        self.contents.keep()
    }

    /// The state as of now, for a moment.
    pub(super) fn look(&self) -> Look<'_> {
        self.contents.look()
    }

    /// Swaps in a state that was loaded anew.
    pub(super) fn replace(&self, contents: Contents, findings: Vec<Finding>) {
        *self.findings.lock() = findings;
        contents.ordered.inherit(&self.contents().ordered);
        self.contents.replace(contents);
    }

    /// Every file keeps its name until the answer is dropped. A merge that waits for its turn keeps nobody out: whoever
    /// holds one may ask for another, and a long copy makes only the merge wait.
    pub(super) fn pin_files(&self) -> RwLockReadGuard<'_, ()> {
        self.files.read_recursive()
    }

    /// Waits until no file has to keep its name; those who need that wait until the answer is dropped.
    pub(super) fn unpin_files(&self) -> RwLockWriteGuard<'_, ()> {
        self.files.write()
    }

    pub(super) fn now(&self) -> u64 {
        self.options.clock.now()
    }

    /// Takes note of damage that somebody met. What is known already is not counted twice.
    pub(super) fn note(&self, finding: Finding) {
        let mut findings = self.findings.lock();
        let place = |finding: &Finding| (finding.kind, finding.segment, finding.offset);
        if findings.iter().any(|known| place(known) == place(&finding)) {
            return;
        }
        let segment = finding.segment.and_then(|id| self.contents().segment(id));
        if let (FindingKind::DamagedRecord, Some(segment)) = (finding.kind, segment) {
            // Whatever its length: a damaged segment is left out of merges.
            segment.ledger.lock().bad_value_bytes += finding.len.unwrap_or(1).max(1);
        }
        findings.push(finding);
    }

    /// When a value that is written at `now` expires. The clock is asked only where it matters.
    pub(super) fn expires_at(&self, expiry: Expiry, now: impl FnOnce() -> u64) -> Option<u64> {
        let after = |ttl: Duration| now().saturating_add(u64::try_from(ttl.as_micros()).unwrap_or(u64::MAX));
        match expiry {
            Expiry::Default => self.options.default_ttl.map(after),
            Expiry::Never => None,
            Expiry::After(ttl) => Some(after(ttl)),
            Expiry::At(at) => Some(at),
        }
    }

    /// Tells the observers, if there are any; otherwise the event is not even made.
    pub(super) fn tell(&self, event: impl FnOnce() -> Event) {
        if !self.options.observers.is_empty() {
            open::tell(&self.options, &event());
        }
    }

    /// The state as of now, without what has expired.
    pub(super) fn unexpired(&self) -> Arc<Contents> {
        let contents = self.contents();
        for (key, entry) in contents.expire(self.now()) {
            self.watchers.tell(|| vec![Change::Expired { key: key.clone(), entry }]);
            self.tell(|| Event::Expired { key, entry });
        }
        contents
    }

    pub(super) fn writer(&self) -> Result<&Writer> {
        self.writer.as_ref().ok_or_else(|| Error::ReadOnly { dir: self.dir.clone(), reason: self.why_read_only() })
    }

    fn why_read_only(&self) -> String {
        match self.format.kind() {
            FormatKind::Native => {
                let findings = self.findings.lock();
                let about_all = findings.iter().find(|finding| finding.path == self.dir);
                about_all.map_or_else(|| "it was opened for reading only".to_owned(), |found| found.message.clone())
            }
            other => format!("its format is {other}, which logkv reads and never writes"),
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let contents = self.unexpired();
        let _whole_batches = contents.gate.hold();
        let mut stats = Stats {
            dir: self.dir.clone(),
            format: self.format.kind(),
            mode: self.mode,
            sync: self.options.sync,
            unsynced: self.writer.as_ref().is_some_and(Writer::is_unsynced),
            keys: contents.keydir.len(),
            live_bytes: 0,
            dead_bytes: 0,
            disk_bytes: contents.unloaded_bytes,
            segments: 0,
            keydir_bytes: contents.keydir.bytes(),
            tombstones: 0,
            expired: contents.expired.load(Ordering::Relaxed),
            damaged_bytes: contents.unloaded_bytes,
            findings: self.findings.lock().len() as u64,
            last_tstamp: contents.last_tstamp.load(Ordering::Relaxed),
        };
        for info in contents.segments.read().values().map(|segment| segment.info()) {
            stats.segments += 1;
            stats.live_bytes += info.live_bytes;
            stats.dead_bytes += info.dead_bytes;
            stats.disk_bytes += info.bytes;
            stats.damaged_bytes += info.damaged_bytes;
            stats.tombstones += info.tombstones;
        }
        stats
    }
}
