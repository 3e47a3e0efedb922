//! Which records of a merge's inputs the keydir points at: one bit for each place where a record may begin.
//!
//! Found by going over the keydir once, which costs a small part of asking it for every record. Must not know: files.
//! Keeps: what was live when the look began and still is when it ends is told as live. What is superseded later is told as
//! live too: its copy is dead where it stands, as it would be if it were superseded after it was copied; and nothing that
//! was dead comes to life again.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::format::SegmentId;
use crate::format::record;
use crate::store::contents::Contents;
use crate::store::keydir::Keydir;
use crate::store::parallel::in_parallel;

/// Shards that are looked at in one go.
const STRIDE: usize = 64;

/// The live records of some segments.
#[derive(Debug)]
pub(super) struct Live {
    /// In order of ids.
    segments: Vec<(SegmentId, Vec<AtomicU64>)>,
}

impl Live {
    /// Looks for those of these segments, in at most so many threads.
    pub(super) fn look(contents: &Contents, ids: &[SegmentId], threads: usize) -> Self {
        let segments = contents.segments.read();
        let of = |id: &SegmentId| {
            let len = segments.get(id)?.data_len();
            let words = usize::try_from(place(len) / u64::from(u64::BITS)).ok()? + 1;
            Some((*id, (0..words).map(|_| AtomicU64::new(0)).collect()))
        };
        let mut live = Self { segments: ids.iter().filter_map(of).collect() };
        live.segments.sort_unstable_by_key(|(id, _)| *id);
        let firsts: Vec<usize> = (0..Keydir::SHARDS).step_by(STRIDE).collect();
        in_parallel(&firsts, threads, |first| {
            for shard in *first..first + STRIDE {
                contents.keydir.places_in(shard, |segment, offset| live.mark(segment, offset));
            }
        });
        live
    }

    fn mark(&self, segment: SegmentId, offset: u64) {
        if let Some((word, bit)) = self.bit(segment, offset) {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Whether the keydir points at the record of this segment that begins here.
    pub(super) fn has(&self, segment: SegmentId, offset: u64) -> bool {
        self.bit(segment, offset).is_some_and(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0)
    }

    fn bit(&self, segment: SegmentId, offset: u64) -> Option<(&AtomicU64, u64)> {
        let at = self.segments.binary_search_by_key(&segment, |(id, _)| *id).ok()?;
        let (_, words) = self.segments.get(at)?;
        let place = place(offset);
        let word = words.get(usize::try_from(place / u64::from(u64::BITS)).ok()?)?;
        Some((word, 1 << (place % u64::from(u64::BITS))))
    }
}

/// No two records begin within the length of the shortest.
fn place(offset: u64) -> u64 {
    offset / record::HEADER_LEN as u64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::disk::sim::SimDisk;
    use crate::store::{Options, Store, SyncPolicy};

    /// The shortest records stand next to each other, so that every one has a bit of its own.
    #[test]
    fn of_records_that_touch_each_is_told_from_its_neighbours() {
        let options = Options { sync: SyncPolicy::Buffered, create: true, ..Options::default() };
        let store = Store::open_on(Arc::new(SimDisk::new()), Path::new("/data"), options).unwrap();
        let places: Vec<_> = (0..200_u8)
            .map(|i| {
                let key: &[u8] = if i == 0 { b"" } else { &[i] };
                store.put(key, b"").unwrap().location
            })
            .collect();
        for i in (0..200_u8).step_by(3) {
            store.put(&[i], b"").unwrap();
        }
        let contents = store.inner.contents();
        for threads in [1, 2] {
            let live = Live::look(&contents, &[7, 1], threads);
            for (i, place) in places.iter().enumerate() {
                // The first overwrite was of another key than the empty one.
                let expected = i == 0 || i % 3 > 0;
                assert_eq!(live.has(1, place.offset), expected, "{i}");
            }
            assert!(!live.has(2, 40) && !live.has(1, u64::MAX));
        }
    }
}
