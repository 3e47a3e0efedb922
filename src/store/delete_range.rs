//! Deleting all keys of a range, and saying beforehand what that comes to.
//!
//! The keys are those that the range has when the deletion begins; what is put into it meanwhile may stay. They go in
//! groups in byte order: of the keys of one group all are gone or none, to readers and after a crash, so that what an
//! interrupted deletion leaves is the end of the range. A group is small enough that nobody waits long for it.

use std::ops::Bound;

use crate::error::{Error, Result};

use super::{Batch, Store};

/// What deleting a range comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RangeDeleted {
    /// Live keys that go.
    pub keys: u64,
    /// Bytes of their records, which are dead then.
    pub bytes: u64,
    /// Atomic steps, each for some of the keys.
    pub steps: u64,
}

/// Keys, and bytes of tombstones, of one step.
const STEP_KEYS: usize = 10_000;
const STEP_BYTES: u64 = 4 << 20;

/// The end of a step.
fn is_full(batch: &Batch) -> bool {
    batch.len() >= STEP_KEYS || batch.encoded_len() >= STEP_BYTES
}

impl Store {
    /// What [`Store::delete_range`] would do now.
    pub fn delete_range_plan(&self, range: (Bound<&[u8]>, Bound<&[u8]>)) -> Result<RangeDeleted> {
        self.each_step(range, &mut |_| Ok(()))
    }

    /// Deletes the live keys of a range. Where they are more than go into one step, a failure or a crash may leave the last
    /// of them: see [`RangeDeleted::steps`]. Errors as for [`Store::write`].
    pub fn delete_range(&self, range: (Bound<&[u8]>, Bound<&[u8]>)) -> Result<RangeDeleted> {
        self.inner.writer()?;
        self.each_step(range, &mut |batch| self.write(batch).map(drop::<super::BatchWritten>))
    }

    /// [`Store::delete_range`] of the keys that begin with `prefix`; an empty one names every key.
    pub fn delete_prefix(&self, prefix: &[u8]) -> Result<RangeDeleted> {
        let end = prefix_end(prefix);
        let end = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        self.delete_range((Bound::Included(prefix), end))
    }

    fn each_step(
        &self,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        step: &mut dyn FnMut(&Batch) -> Result<()>,
    ) -> Result<RangeDeleted> {
        let mut sum = RangeDeleted::default();
        let mut batch = Batch::new();
        for (key, entry) in self.range(range) {
            batch.delete(&key)?;
            sum.keys += 1;
            sum.bytes += entry.location.len;
            if is_full(&batch) {
                step(&batch)?;
                sum.steps += 1;
                batch.clear();
            }
        }
        if !batch.is_empty() {
            step(&batch)?;
            sum.steps += 1;
        }
        Ok::<_, Error>(sum)
    }
}

/// The first key behind all that begin with `prefix`; `None` where there is none.
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut end = prefix.get(..=last)?.to_vec();
    if let Some(byte) = end.last_mut() {
        *byte += 1;
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;
    use std::sync::Arc;

    use super::super::{Options, SyncPolicy};
    use super::*;
    use crate::disk::sim::{CrashPolicy, SimDisk};

    fn open(disk: &SimDisk) -> Store {
        let options = Options { create: true, seed: 1, sync: SyncPolicy::Always, ..Options::default() };
        Store::open_on(Arc::new(disk.clone()), Path::new("/data"), options).unwrap()
    }

    fn keys(store: &Store) -> Vec<Vec<u8>> {
        store.scan(b"").map(|(key, _)| key.to_vec()).collect()
    }

    #[test]
    fn a_prefix_ends_before_the_next_one_of_its_length() {
        let cases: [(&[u8], Option<&[u8]>); 5] =
            [(b"", None), (b"a", Some(b"b")), (b"a\xff", Some(b"b")), (b"\xff\xff", None), (b"a\x00", Some(b"a\x01"))];
        for (prefix, end) in cases {
            assert_eq!(prefix_end(prefix).as_deref(), end, "{prefix:?}");
        }
    }

    #[test]
    fn what_the_plan_says_is_what_is_done() {
        let disk = SimDisk::new();
        let store = open(&disk);
        for key in ["a", "a\u{ff}", "ab", "b", "ba", "c"] {
            store.put(key.as_bytes(), b"1").unwrap();
        }
        let ops = disk.ops();
        let range = (Bound::Excluded(&b"a"[..]), Bound::Included(&b"b"[..]));
        let plan = store.delete_range_plan(range).unwrap();
        assert_eq!((plan.keys, plan.bytes, plan.steps), (3, 28 + 27 + 26, 1));
        assert_eq!(disk.ops(), ops, "a plan writes nothing");
        let live = store.stats().live_bytes;
        assert_eq!(store.delete_range(range).unwrap(), plan);
        assert_eq!(live - store.stats().live_bytes, plan.bytes);
        assert_eq!(keys(&store), [&b"a"[..], b"ba", b"c"]);
        assert_eq!(store.delete_prefix(b"b").unwrap().keys, 1);
        assert_eq!(store.delete_prefix(b"nothing").unwrap(), RangeDeleted::default());
        assert_eq!(store.delete_prefix(b"").unwrap().keys, 2);
        assert_eq!(keys(&store), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn what_an_interrupted_deletion_leaves_is_the_end_of_the_range() {
        let disk = SimDisk::new();
        let store = open(&disk);
        let mut batch = Batch::new();
        let count = STEP_KEYS as u32 * 2 + 5;
        (0..count).for_each(|n| batch.put(&n.to_be_bytes(), b"").unwrap());
        store.write(&batch).unwrap();
        assert_eq!(store.delete_range_plan((Bound::Unbounded, Bound::Unbounded)).unwrap().steps, 3);
        // The first step's write and sync, and the write of the second.
        disk.crash_at(disk.ops() + 4);
        assert!(store.delete_prefix(b"").is_err());
        let left = keys(&open(&disk.crash(CrashPolicy::Drop, 0)));
        assert_eq!(left.len(), count as usize - STEP_KEYS);
        assert_eq!(left.first(), Some(&(STEP_KEYS as u32).to_be_bytes().to_vec()));
    }
}
