//! The files of a store for those who look at them as they are: segments whose header cannot be believed, and hints.
//!
//! They are opened when they are asked for, and read as little as is asked for. Decides nothing. Keeps: nothing that the
//! store answers to a get comes from here.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::disk::ReadFile;
use crate::error::{Error, Result};
use crate::format::hint::bloom_probes;
use crate::format::{FormatKind, SegmentId, checkpoint};

use super::report::FindingKind;
use super::segment::{Ledger, Segment};
use super::{Options, Store};

/// More than a hint's header takes.
const HEAD: usize = 64;

impl Store {
    /// Segment files that are there and were not loaded, because their header cannot be believed. They can be walked and
    /// read all the same; the keydir knows nothing of their records.
    pub fn unloaded(&self) -> Vec<SegmentId> {
        let is_about_header =
            |kind| matches!(kind, FindingKind::DamagedHeader | FindingKind::WrongId | FindingKind::NeedsNewer);
        let contents = self.inner.contents();
        let findings = self.inner.findings.lock();
        let told =
            findings.iter().filter(|finding| is_about_header(finding.kind)).filter_map(|finding| finding.segment);
        let mut ids: Vec<SegmentId> = told.filter(|id| contents.segment(*id).is_none()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The hint file of a segment and its path. `Ok(None)`: there is none, or the format has no hints.
    pub fn hint_file(&self, segment: SegmentId) -> Result<Option<(PathBuf, Arc<dyn ReadFile>)>> {
        let Some(name) = self.inner.format.hint_name(segment) else { return Ok(None) };
        let path = self.inner.dir.join(name);
        match self.inner.disk.open_read(&path) {
            Ok(file) => Ok(Some((path, file))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io("open", &path, e)),
        }
    }

    /// The file of the keydir's checkpoint and its path. `Ok(None)`: there is none, or the format has none.
    pub fn checkpoint_file(&self) -> Result<Option<(PathBuf, Arc<dyn ReadFile>)>> {
        let path = self.inner.dir.join(checkpoint::NAME);
        match self.inner.disk.open_read(&path) {
            _ if self.format() != FormatKind::Native => Ok(None),
            Ok(file) => Ok(Some((path, file))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io("open", &path, e)),
        }
    }

    /// The same directory opened for reading once more, as it is now, from its checkpoint where that counts or without.
    pub fn opened_anew(&self, checkpoint: bool) -> Result<Self> {
        let observers = Vec::new();
        let options = Options { checkpoint, observers, auto_merge: None, ..self.inner.options.clone() };
        Self::open_read_only_on(self.inner.disk.clone(), self.dir(), options)
    }

    /// Whether the filter in a segment's hint says that no record of this key is among those that the hint covers. Reads a
    /// few bytes; what cannot be read denies nothing. The caller knows that the hint was believed and covers all.
    pub fn hint_denies(&self, segment: SegmentId, key: &[u8]) -> bool {
        if self.is_from_checkpoint() {
            // Nobody has read the hint.
            return self.hinted(segment, key).is_some_and(|hinted| hinted.denied);
        }
        let Ok(Some((_, file))) = self.hint_file(segment) else { return false };
        let mut head = [0; HEAD];
        let len = file.len().unwrap_or_default();
        let read = file.read_full_at(&mut head, 0).unwrap_or_default();
        let Some(parts) = self.inner.format.hint_parts(head.get(..read).unwrap_or_default(), len) else { return false };
        bloom_probes(key, parts.bloom_end.saturating_sub(parts.entries_end)).any(|(at, bit)| {
            let mut byte = [0];
            let read = file.read_full_at(&mut byte, parts.entries_end.saturating_add(at)).unwrap_or_default();
            read == byte.len() && byte.iter().all(|byte| byte & bit == 0)
        })
    }

    pub(super) fn unloaded_segment(&self, id: SegmentId) -> Result<Arc<Segment>> {
        if !self.unloaded().contains(&id) {
            return Err(Error::NoSuchSegment { dir: self.inner.dir.clone(), segment: id });
        }
        let format = self.inner.format;
        let path = self.inner.dir.join(format.segment_name(id));
        let failed = |e| Error::io("read", &path, e);
        let file = self.inner.disk.open_read(&path).map_err(failed)?;
        let len = file.len().map_err(failed)?;
        let mut bytes = vec![0; format.max_file_header_len()];
        let read = file.read_full_at(&mut bytes, 0).map_err(failed)?;
        bytes.truncate(read);
        let header = format.file_header(&bytes).unwrap_or_else(|_| format.presumed_file_header(&bytes));
        Ok(Arc::new(Segment::new(id, path, header, file, Ledger::new(len))))
    }
}
