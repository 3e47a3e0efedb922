//! The active segment as its writer sees it: how long it is, how much of it is in the file, how much is durable.
//!
//! # Invariants
//!
//! 1. `vouched <= stable <= len`; the tail holds exactly what is appended but not known to be in the file.

use std::sync::Arc;

use crate::disk::{Disk, WriteFile};
use crate::error::{Error, Result};
use crate::format::SegmentId;
use crate::format::record::{self, NewRecord};

use super::Location;
use super::inner::Inner;
use super::open::Active;
use super::segment::Segment;
use super::writer::{Action, Op};

/// Everything that appends change, behind one lock.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) active: Option<Log>,
    pub(super) next_id: SegmentId,
    pub(super) last_tstamp: u64,
    /// State of the generator that salts come from.
    pub(super) salts: u64,
    /// The buffer could not be written for want of space.
    pub(super) starved: bool,
}

/// The active segment. Lengths count from the start of the file.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) segment: Arc<Segment>,
    pub(super) file: Arc<dyn WriteFile>,
    /// Appended, the tail included.
    pub(super) len: u64,
    /// Known to be on stable storage.
    pub(super) stable: u64,
    /// What the log itself says of `stable`, by barrier bits, marks and hints.
    pub(super) vouched: u64,
    /// Something was appended since it was opened.
    pub(super) appended: bool,
}

/// Bytes of the active segment that the file may not have yet.
#[derive(Debug, Default)]
pub(super) struct Tail {
    segment: SegmentId,
    pub(super) start: u64,
    pub(super) bytes: Vec<u8>,
}

/// Where to return to when a record is taken back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    pub(super) len: u64,
    pub(super) vouched: u64,
}

impl Core {
    /// The record that the operation appends, with its tstamp.
    pub(super) fn record<'a>(&mut self, inner: &Inner, op: &Op<'a>) -> Result<NewRecord<'a>> {
        let tstamp = inner.now().min(MAX_TSTAMP).max(self.last_tstamp.saturating_add(1));
        // Room for the mark that may go before it.
        if tstamp >= record::TSTAMP_LIMIT - 1 {
            let reason = "a record in it has the highest tstamp that there is".to_owned();
            return Err(Error::ReadOnly { dir: inner.dir.clone(), reason });
        }
        self.last_tstamp = tstamp;
        Ok(match op.action {
            Action::Put { value, expires_at, .. } => {
                NewRecord { expires_at, ..NewRecord::put(op.key, value, self.last_tstamp) }
            }
            Action::Delete => NewRecord::tombstone(op.key, self.last_tstamp),
        })
    }

    /// Whether a record of this length goes into a new segment. One that is longer than a segment may be gets one of
    /// its own.
    pub(super) fn must_rotate(&self, inner: &Inner, record_len: u64) -> bool {
        let Some(log) = &self.active else { return true };
        let header = &log.segment.header;
        let mark_len = log.due_mark().map_or(0, |_| record::encoded_len(0, size_of::<u64>() as u64, false));
        let full = log.len.saturating_add(mark_len + record_len) > inner.options.max_segment_bytes;
        let age = inner.now().saturating_sub(header.created);
        let old = inner.options.max_segment_age.is_some_and(|max| u128::from(age) >= max.as_micros());
        log.len > header.len && (full || old)
    }

    /// SplitMix64 (Steele, Lea, Flood): any seed gives well-spread salts.
    pub(super) fn next_salt(&mut self) -> u32 {
        self.salts = self.salts.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.salts;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z >> 32) as u32
    }
}

/// tstamps stay below 2^63, with room for one a microsecond in every store that will ever be.
const MAX_TSTAMP: u64 = (1 << 63) - (1 << 53);

impl Log {
    /// Continues a segment whose data was made durable by recovery.
    pub(super) fn reopen(disk: &dyn Disk, active: Active) -> Result<Self> {
        let path = &active.segment.path;
        let file = disk.open_write(path).map_err(|e| Error::io("open", path, e))?;
        let len = active.segment.data_len();
        Ok(Self {
            segment: active.segment,
            file,
            len,
            stable: len,
            vouched: active.stable_len.min(len),
            appended: false,
        })
    }

    /// How much a mark has to vouch for before the next record: something became stable that the log does not say yet,
    /// and bit 4 cannot say it because records follow it.
    pub(super) fn due_mark(&self) -> Option<u64> {
        (self.vouched < self.stable && self.stable < self.len).then_some(self.stable)
    }
}

impl Tail {
    /// An empty tail at the end of a file of `len` bytes.
    pub(super) fn at(segment: &Segment, len: u64) -> Self {
        Self { segment: segment.id, start: len, bytes: Vec::new() }
    }

    /// The bytes of a record, if the tail has them.
    pub(super) fn record(&self, location: &Location) -> Option<&[u8]> {
        let from = usize::try_from(location.offset.checked_sub(self.start)?).ok()?;
        let to = from.checked_add(usize::try_from(location.len).ok()?)?;
        self.bytes.get(from..to).filter(|_| self.segment == location.segment)
    }

    /// Drops what lies at `len` of the segment and behind.
    pub(super) fn truncate(&mut self, len: u64) {
        self.bytes.truncate(usize::try_from(len.saturating_sub(self.start)).unwrap_or(usize::MAX));
    }
}
