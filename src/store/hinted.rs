//! What a segment's hint says of one key, for questions that the keydir cannot answer: where older versions are, and
//! which segments cannot have any.
//!
//! # Invariants
//!
//! 1. Nothing is denied but by a hint that was read whole, whose checksum held, and which is of this very file: a
//!    flipped bit in a filter must not hide a version.
//! 2. Only hints of our own are asked: another program's need not have an entry for every record.

use std::path::Path;

use crate::disk::ReadDisk;
use crate::error::Result;
use crate::format::{FormatKind, Hint, SegmentId};

use super::hint_file;
use super::segment::Segment;
use super::{Location, Store, Walk};

/// What a hint says of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hinted {
    /// Bytes of the segment that the hint speaks for; it says nothing of what lies behind.
    pub covered: u64,
    /// Bytes of the hint.
    pub hint_bytes: u64,
    /// The filter says that the key is not in the segment.
    pub denied: bool,
    /// The records of the key, in file order.
    pub places: Vec<Location>,
}

impl Store {
    /// Asks the hint of a segment for a key. `None`: there is none that can be relied on, so that only the records tell.
    pub fn hinted(&self, segment: SegmentId, key: &[u8]) -> Option<Hinted> {
        if self.format() != FormatKind::Native {
            return None;
        }
        let loaded = self.inner.contents().segment(segment)?;
        let bytes = bytes(&*self.inner.disk, self.dir(), &loaded)?;
        let hint = self.inner.format.hint(&bytes)?.ok()?;
        let covered = covered(&hint, &loaded, loaded.ledger.lock().written_len)?;
        let denied = hint.bloom.is_some_and(|bloom| !bloom.may_contain(key));
        let entries = hint.entries().filter(|entry| !denied && entry.key == key);
        let places = entries.map(|entry| Location { segment, offset: entry.offset, len: entry.len }).collect();
        Some(Hinted { covered, hint_bytes: bytes.len() as u64, denied, places })
    }

    /// A walk over the bytes of one record.
    pub fn walk_record(&self, place: Location) -> Result<Walk> {
        let walk = self.walk(place.segment, place.offset)?;
        let end = place.offset.saturating_add(place.len);
        Ok(Walk { scanner: walk.scanner.ending_at(end), torn_bytes: 0, ..walk })
    }
}

/// The hint as it is on disk now; one that cannot be read is none.
fn bytes(disk: &dyn ReadDisk, dir: &Path, segment: &Segment) -> Option<Vec<u8>> {
    let name = FormatKind::Native.format().hint_name(segment.id)?;
    hint_file::read(disk, &dir.join(name)).ok()?
}

/// How many bytes of the segment the hint speaks for, if it is of this file and of no more than is there.
fn covered(hint: &Hint<'_>, segment: &Segment, len: u64) -> Option<u64> {
    let coverage = hint.coverage.filter(|it| it.id == segment.id && it.salt == segment.header.salt)?;
    (segment.header.len..=len).contains(&coverage.len).then_some(coverage.len)
}
