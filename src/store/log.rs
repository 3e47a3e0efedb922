//! The active segment as its writer sees it: how long it is, how much of it is in the file, how much is durable.
//!
//! # Invariants
//!
//! 1. `vouched <= stable <= len`; the tail holds exactly what is appended but not known to be in the file.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::disk::{Disk, WriteFile};
use crate::error::{Error, Result};
use crate::format::SegmentId;
use crate::format::record::{self, NewRecord};

use super::Location;
use super::inner::Inner;
use super::open::Active;
use super::segment::Segment;
use super::tail_file::TailFile;
use crate::primitives::AtomicU64;

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
    /// A record on its way into the file, kept for its memory.
    pub(super) scratch: Vec<u8>,
    /// Where the tail outlives the process, under `interval`, once it is worth it.
    pub(super) tail_file: Option<TailFile>,
    /// Single operations until then; none any more once it was tried.
    pub(super) until_tail_file: Option<u64>,
    /// Groups that are synced until space is reserved for the next, under `always`; none where it is not.
    pub(super) until_reserve: Option<u64>,
}

/// The active segment. Lengths count from the start of the file.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) segment: Arc<Segment>,
    pub(super) file: Arc<dyn WriteFile>,
    /// Appended, the tail included.
    pub(super) len: u64,
    /// The file is zeros from the last record to here, if that is further: [`super::reserve`].
    pub(super) reserved: u64,
    /// Known to be on stable storage.
    pub(super) stable: u64,
    /// What the log itself says of `stable`, by barrier bits, marks and hints.
    pub(super) vouched: u64,
    /// Something was appended since it was opened.
    pub(super) appended: bool,
}

/// Bytes of the active segment that the file may not have yet. Where there are none, `start` says nothing.
#[derive(Debug, Default)]
pub(super) struct Tail {
    segment: SegmentId,
    pub(super) start: u64,
    pub(super) bytes: Vec<u8>,
}

/// Where the tail begins, for those who only ask whether a record may be in it. What it says may be of a moment ago: then a
/// record is looked for in the tail that has just been written to the file, or the other way round for one that was appended
/// since, which nobody can know of yet.
#[derive(Debug)]
pub(super) struct TailStart(AtomicU64);

impl TailStart {
    /// A segment is under 4 GiB, and its id has 32 bits.
    fn pack(segment: SegmentId, start: u64) -> u64 {
        segment << 32 | start
    }

    pub(super) fn of(tail: &Tail) -> Self {
        Self(AtomicU64::new(Self::pack(tail.segment, tail.start)))
    }

    /// All of this segment that lies before `start` is in the file.
    pub(super) fn set(&self, segment: &Segment, start: u64) {
        self.0.store(Self::pack(segment.id, start), Ordering::Release);
    }

    pub(super) fn may_hold(&self, location: &Location) -> bool {
        let start = self.0.load(Ordering::Acquire);
        start >> 32 == location.segment && location.offset >= start & u64::from(u32::MAX)
    }
}

/// Where to return to when a record is taken back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    pub(super) len: u64,
    pub(super) vouched: u64,
}

impl Core {
    /// Makes sure that there are tstamps for `count` records and a mark before them, which [`Core::take_tstamp`] then gives
    /// out.
    pub(super) fn reserve_tstamps(&mut self, inner: &Inner, count: u64) -> Result<()> {
        let first = inner.now().min(MAX_TSTAMP).max(self.last_tstamp.saturating_add(1));
        if first.saturating_add(count) >= record::TSTAMP_LIMIT {
            let reason = "a record in it has the highest tstamp that there is".to_owned();
            return Err(Error::ReadOnly { dir: inner.dir.clone(), reason });
        }
        self.last_tstamp = first - 1;
        Ok(())
    }

    /// The next tstamp.
    pub(super) fn take_tstamp(&mut self) -> u64 {
        self.last_tstamp += 1;
        self.last_tstamp
    }

    /// Whether records of this length, which must not be parted, go into a new segment. What is longer than a segment may
    /// be gets one of its own.
    pub(super) fn must_rotate(&self, inner: &Inner, records_len: u64) -> bool {
        let Some(log) = &self.active else { return true };
        let header = &log.segment.header;
        let mark_len = log.due_mark().map_or(0, |_| record::encoded_len(0, size_of::<u64>() as u64, false));
        let full = log.len.saturating_add(mark_len + records_len) > inner.options.max_segment_bytes;
        let age = || inner.now().saturating_sub(header.created);
        let old = inner.options.max_segment_age.is_some_and(|max| u128::from(age()) >= max.as_micros());
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

/// Counts one down; whether none was left to wait for. Never so where it is not waited at all.
pub(super) fn is_due(left: &mut Option<u64>) -> bool {
    let is_due = *left == Some(0);
    *left = left.map(|left| left.saturating_sub(1));
    is_due
}

/// tstamps stay below 2^63, with room for one a microsecond in every store that will ever be.
const MAX_TSTAMP: u64 = (1 << 63) - (1 << 53);

impl Log {
    /// Continues a segment whose data was made durable by recovery. Its first `extent` bytes may be mapped.
    pub(super) fn reopen(disk: &dyn Disk, active: Active, extent: u64) -> Result<Self> {
        let path = &active.segment.path;
        let file = disk.open_write(path).map_err(|e| Error::io("open", path, e))?;
        let len = active.segment.data_len();
        active.segment.map_active(&*file, extent);
        Ok(Self {
            segment: active.segment,
            file,
            len,
            reserved: len,
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

    /// Whose it is.
    pub(super) fn segment(&self) -> SegmentId {
        self.segment
    }

    /// Takes in a record that will stand at `offset` of the segment: at the end of the file, or behind the one before.
    pub(super) fn push(&mut self, new: &NewRecord<'_>, salt: u32, offset: u64) {
        if self.bytes.is_empty() {
            self.start = offset;
        }
        record::encode(new, salt, offset, &mut self.bytes);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::super::{Clock, Options, Store, SyncPolicy};
    use super::*;
    use crate::disk::sim::SimDisk;

    #[derive(Debug)]
    struct Hands(AtomicU64);

    impl Clock for Hands {
        fn now(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    fn store(clock: &Arc<Hands>, sync: SyncPolicy) -> Store {
        store_on(&SimDisk::new(), clock, sync)
    }

    fn store_on(disk: &SimDisk, clock: &Arc<Hands>, sync: SyncPolicy) -> Store {
        let options =
            Options { sync, create: true, max_segment_bytes: 200, seed: 1, clock: clock.clone(), ..Options::default() };
        Store::open_on(Arc::new(disk.clone()), Path::new("/data"), options).unwrap()
    }

    fn with_log<R>(store: &Store, look: impl FnOnce(&Log) -> R) -> R {
        look(store.inner.writer().unwrap().core.lock().active.as_ref().unwrap())
    }

    #[test]
    fn tstamps_rise_when_the_clock_stands_still_goes_back_or_runs_away() {
        let clock = Arc::new(Hands(AtomicU64::new(1000)));
        let store = store(&clock, SyncPolicy::Always);
        let mut last = 0;
        for now in [1000, 1000, 500, 0, 2000, u64::MAX, 7] {
            clock.0.store(now, Ordering::Relaxed);
            let tstamp = store.put(b"k", b"v").unwrap().tstamp;
            assert!(tstamp > last && tstamp < 1 << 63, "{tstamp} after {last} at {now}");
            last = tstamp;
        }
    }

    #[test]
    fn a_mark_is_due_when_more_is_stable_than_the_log_says_and_a_barrier_cannot_say_it() {
        let clock = Arc::new(Hands(AtomicU64::new(1000)));
        let store = store(&clock, SyncPolicy::Interval(Duration::from_secs(3600)));
        let writer = store.inner.writer().unwrap();
        let marks = || store.stats().dead_bytes / 32;
        store.put(b"a", b"").unwrap();
        store.put(b"b", b"").unwrap();
        assert_eq!(with_log(&store, Log::due_mark), None, "nothing is stable but the header");
        // What a sync in the background does while somebody appends.
        let len = with_log(&store, |log| log.len);
        store.put(b"c", b"").unwrap();
        writer.core.lock().active.as_mut().unwrap().stable = len;
        assert_eq!(with_log(&store, Log::due_mark), Some(len));
        store.put(b"d", b"").unwrap();
        assert_eq!((with_log(&store, Log::due_mark), marks()), (None, 1), "said once");
        store.sync().unwrap();
        store.put(b"e", b"").unwrap();
        assert_eq!((with_log(&store, |log| log.vouched == log.len - 25), marks()), (true, 1), "a barrier says it");
    }

    #[test]
    fn a_mark_that_was_taken_back_is_due_again() {
        let clock = Arc::new(Hands(AtomicU64::new(1000)));
        let disk = SimDisk::new();
        let store = store_on(&disk, &clock, SyncPolicy::Interval(Duration::from_secs(3600)));
        store.put(b"a", b"").unwrap();
        store.put(b"b", b"").unwrap();
        store.inner.writer().unwrap().core.lock().active.as_mut().unwrap().stable = 65;
        let used: usize = disk.image().values().map(Vec::len).sum();
        disk.set_capacity(Some(used as u64 + 40));
        assert!(matches!(store.put(b"c", b"no room beside the mark"), Err(Error::NoSpace { .. })));
        assert_eq!(with_log(&store, Log::due_mark), Some(65));
        disk.set_capacity(None);
        store.put(b"c", b"").unwrap();
        assert_eq!(store.segments().iter().map(|segment| segment.marks).sum::<u64>(), 1);
    }

    /// The mark was forgotten in the sum, and a segment grew beyond what it may.
    #[test]
    fn a_mark_and_its_record_go_into_the_next_segment_if_both_do_not_fit() {
        let clock = Arc::new(Hands(AtomicU64::new(1000)));
        let store = store(&clock, SyncPolicy::Interval(Duration::from_secs(3600)));
        store.put(b"a", &[0; 50]).unwrap();
        store.put(b"b", &[0; 10]).unwrap();
        store.inner.writer().unwrap().core.lock().active.as_mut().unwrap().stable = 115;
        let written = store.put(b"c", &[0; 10]).unwrap();
        assert_eq!(written.location.segment, 2, "150 + 32 + 35 is more than 200");
        assert!(store.segments().iter().all(|segment| segment.bytes <= 200));
    }

    #[test]
    fn the_tail_gives_out_records_that_it_has_whole() {
        let clock = Arc::new(Hands(AtomicU64::new(1000)));
        let store = store(&clock, SyncPolicy::Always);
        store.put(b"a", b"").unwrap();
        let mut tail = with_log(&store, |log| Tail::at(&log.segment, 100));
        tail.bytes.extend_from_slice(b"0123456789");
        let at = |segment, offset, len| Location { segment, offset, len };
        assert_eq!(tail.record(&at(1, 102, 3)), Some(&b"234"[..]));
        assert_eq!(tail.record(&at(1, 100, 10)), Some(&b"0123456789"[..]));
        for other in [at(1, 99, 3), at(1, 108, 3), at(2, 102, 3), at(1, 0, u64::MAX), at(1, u64::MAX, 1)] {
            assert_eq!(tail.record(&other), None, "{other:?}");
        }
        tail.truncate(104);
        assert_eq!(tail.bytes, b"0123");
        tail.truncate(50);
        assert_eq!(tail.bytes, b"");
    }
}
