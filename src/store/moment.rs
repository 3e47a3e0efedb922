//! The files of a store as of one moment, for those who copy them while writes go on.
//!
//! Must not know what becomes of them. What is listed is a prefix of the history: the sealed segments whole, the one that
//! may still be written up to a length that ends with a record.
//!
//! # Invariants
//!
//! 1. Of a writer's own store all of it is on stable storage, and it is taken under the lock that every append takes. Of a
//!    store that was opened for reading it is what its last look at the directory saw.
//! 2. `sealed` is said only of a file that no open will write to again: the newest that puts wrote is never called so.
//! 3. Each file is open: one that a merge takes away can still be read.

use std::path::PathBuf;
use std::sync::Arc;

use crate::disk::ReadFile;
use crate::error::{Error, Result};
use crate::format::{FormatKind, Origin, SegmentId};

use super::contents::Contents;
use super::report::FindingKind;
use super::segment::Segment;
use super::{Pin, Store};

/// The files of a store as of one moment. While it lives, no merge of this process takes one away.
#[derive(Debug)]
pub struct Moment<'a> {
    /// When that was: microseconds since 1970, by the store's clock.
    pub at: u64,
    /// Every segment, by id.
    pub segments: Vec<MomentSegment>,
    /// Hints of which the segment is gone: they are what still tells that something is missing. Name and place.
    pub orphans: Vec<(String, PathBuf)>,
    _pin: Pin<'a>,
}

/// One segment as of a moment.
#[derive(Clone, Debug)]
pub struct MomentSegment {
    /// Its id.
    pub id: SegmentId,
    /// The name that it has in a store's directory.
    pub name: String,
    /// Where it lies; a merge in another process may take it away.
    pub path: PathBuf,
    /// The open file.
    pub file: Arc<dyn ReadFile>,
    /// How many bytes belong to the moment.
    pub len: u64,
    /// It is never written again.
    pub sealed: bool,
    /// Where its hint lies, if it is sealed and has one.
    pub hint: Option<PathBuf>,
}

impl Store {
    /// The files as of now. A writer's store is synced first, and puts wait for that; a store that was opened for reading
    /// is refreshed.
    ///
    /// Errors: those of [`Store::sync`] or [`Store::refresh`]; [`Error::ReadOnly`] for a foreign format, whose files
    /// carry no sign of what is durable; [`Error::NotAStore`] where a segment's name leads to something that is no file.
    pub fn moment(&self) -> Result<Moment<'_>> {
        if self.format() != FormatKind::Native {
            let reason = format!(
                "its format is {}, and only its own program can tell when its files are complete",
                self.format()
            );
            return Err(Error::ReadOnly { dir: self.dir().to_owned(), reason });
        }
        let pin = self.pin();
        let segments = match &self.inner.writer {
            Some(writer) => {
                // Most of the sync is done before anybody has to wait.
                writer.sync_in_background(&self.inner)?;
                let mut core = writer.core.lock();
                writer.sync(&self.inner, &mut core)?;
                of(&self.inner.contents())
            }
            None => {
                self.refresh()?;
                of(&self.inner.contents())
            }
        };
        self.complete(segments, pin)
    }

    fn complete<'a>(&'a self, segments: Vec<(Arc<Segment>, u64)>, pin: Pin<'a>) -> Result<Moment<'a>> {
        let newest =
            segments.iter().filter(|(segment, _)| segment.header.origin == Origin::Puts).map(|(s, _)| s.id).max();
        let mut moment = Moment { at: self.inner.now(), segments: Vec::new(), orphans: Vec::new(), _pin: pin };
        for (segment, len) in segments {
            let sealed = Some(segment.id) != newest && !segment.ledger.lock().active;
            moment.segments.push(self.segment_at(&segment, len, sealed));
        }
        for id in self.unloaded() {
            let segment = self.unloaded_segment(id)?;
            let len = segment.data_len();
            moment.segments.push(self.segment_at(&segment, len, false));
        }
        moment.segments.sort_by_key(|segment| segment.id);
        for finding in self.findings().into_iter().filter(|finding| finding.kind == FindingKind::MissingSegment) {
            if self.inner.disk.entry(&finding.path).is_ok() {
                return Err(Error::NotAStore { path: finding.path, reason: finding.message });
            }
            let name = finding.segment.and_then(|id| self.inner.format.hint_name(id)).unwrap_or_default();
            let path = self.dir().join(&name);
            moment.orphans.push((name, path));
        }
        Ok(moment)
    }

    fn segment_at(&self, segment: &Segment, len: u64, sealed: bool) -> MomentSegment {
        let has_hint = segment.ledger.lock().has_hint;
        MomentSegment {
            id: segment.id,
            name: self.inner.format.segment_name(segment.id),
            path: segment.path.clone(),
            file: segment.file().clone(),
            len,
            sealed,
            hint: self
                .inner
                .format
                .hint_name(segment.id)
                .map(|name| self.dir().join(name))
                .filter(|_| sealed && has_hint),
        }
    }
}

/// Each segment with its length. Called under the writer's lock, so it does no more than that.
fn of(contents: &Contents) -> Vec<(Arc<Segment>, u64)> {
    contents.segments.read().values().map(|segment| (segment.clone(), segment.data_len())).collect()
}
