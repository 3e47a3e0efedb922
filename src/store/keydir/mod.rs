//! The keydir: an in-memory hash index from each key to its newest record.
//!
//! Sharded by hash. Whoever changes a shard locks it; a lookup takes no lock at all, so that readers do not slow each other
//! down: [`shard`]. Shards are many and small, so that one that grows keeps few waiting, and grows by a third, so that
//! memory a key is nearly the same at every number of keys. Must not know files: it is told entries and hands them out by
//! value.
//!
//! # Invariants
//!
//! 1. An entry moves only to a newer version, by the order that the format prescribes; tombstones take part in that
//!    while segments are loading ([`Keydir::offer`]) and are swept out afterwards ([`Keydir::finish_loading`]).
//! 2. `bytes` is what was allocated for keys, counted, not estimated; the 16 KiB of an empty index and the 128
//!    bytes of a shard are apart from that.
//! 3. A key that found no room is never a plain miss: from then on [`Keydir::is_full`] says so.

mod image;
mod offers;
mod relocate;
mod row;
mod shape;
mod shard;
mod table;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};

use super::parallel::in_parallel;
use super::{Entry, Location};
use crate::format::{Format, SegmentId, VersionOrder};
use crate::primitives::Mutex;
pub(super) use image::{Pieces, ReadShard};
pub(super) use offers::Offers;
pub use row::RowPart;
use row::{FrameLen, NewRow, Row, RowWords};
pub use shape::{KeydirShape, KeydirSlot};
use shard::{Found, Full, Held, Shard};
use table::Hash;

const SHARD_BITS: u32 = 9;

/// The index of one store.
#[derive(Debug)]
pub(super) struct Keydir {
    /// Made when their first key comes: most stores that are opened are small.
    shards: Box<[OnceLock<Box<Shard>>]>,
    seed: u64,
    secrets: RapidSecrets,
    order: VersionOrder,
    frame_len: FrameLen,
    /// Keys that will expire, soonest first.
    expiring: Mutex<BTreeSet<(u64, Arc<[u8]>)>>,
    full: AtomicBool,
}

impl Keydir {
    /// How many shards there are.
    pub(super) const SHARDS: usize = 1 << SHARD_BITS;

    /// An empty index for records of this format, whose hash is keyed by `seed`.
    pub(super) fn new(format: &dyn Format, seed: u64) -> Self {
        Self {
            shards: (0..Self::SHARDS).map(|_| OnceLock::new()).collect(),
            seed,
            secrets: RapidSecrets::seed(seed),
            order: format.version_order(),
            frame_len: format.frame_len(),
            expiring: Mutex::default(),
            full: AtomicBool::new(false),
        }
    }

    /// The entry of a live key, expired or not.
    pub(super) fn get(&self, key: &[u8]) -> Option<Entry> {
        let hash = self.hash(key);
        let row = self.shard(hash)?.get(hash, key, self.frame_len)?;
        (!row.tombstone).then_some(row.entry)
    }

    /// Whether a key was left out because its shard had no more room for its row.
    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Makes room for about so many keys, so that they do not have to be moved while they come. What is not needed is
    /// given back by [`Keydir::finish_loading`].
    pub(super) fn expect(&self, keys: u64) {
        let each = usize::try_from(keys).unwrap_or(usize::MAX) / Self::SHARDS;
        for shard in self.shards.iter().filter(|_| each > 0) {
            shard.get_or_init(Box::default).lock().expect(each, self.frame_len, &|key| self.hash(key));
        }
    }

    /// Offers a version read from a segment, in any order of segments. Returns the entry that it replaced.
    #[cfg(test)]
    pub(super) fn offer(&self, key: &[u8], entry: Entry, tombstone: bool) -> Option<Entry> {
        self.place(key, &entry, tombstone, |old| old.is_none_or(|old| newer(self.order, &entry, old)))
    }

    /// Whether `entry` is a newer version of a key than `than`.
    pub(super) fn is_newer(&self, entry: &Entry, than: &Entry) -> bool {
        newer(self.order, entry, than)
    }

    /// Gives a key its newest version, which the caller has just appended. Returns the entry that it replaced.
    pub(super) fn set(&self, key: &[u8], entry: Entry) -> Option<Entry> {
        self.place(key, &entry, false, |_| true)
    }

    /// Takes a key away. Returns its entry.
    pub(super) fn remove(&self, key: &[u8]) -> Option<Entry> {
        self.remove_if(key, |_| true)
    }

    /// Takes a key away if its entry satisfies `wanted`.
    pub(super) fn remove_if(&self, key: &[u8], wanted: impl Fn(&Entry) -> bool) -> Option<Entry> {
        let hash = self.hash(key);
        let mut shard = self.shard(hash)?.lock();
        let found = shard.find(hash, key, self.frame_len)?;
        let (old, tombstone) = (found.row.entry, found.row.tombstone);
        if !wanted(&old) {
            return None;
        }
        shard.remove(&found);
        shard.books.unbury(tombstone);
        self.tidy(&mut shard);
        drop(shard);
        self.reschedule(key, old.expires_at, None);
        Some(old).filter(|_| !tombstone)
    }

    /// Sweeps out the tombstones that took part in loading, and gives back what was set aside for keys that did not come,
    /// in at most so many threads.
    pub(super) fn finish_loading(&self, threads: usize) {
        let parts: Vec<_> = self.shards.chunks(Self::SHARDS / 64).collect();
        in_parallel(&parts, threads, |part| {
            let touched = part.iter().filter_map(OnceLock::get);
            touched.for_each(|shard| shard.lock().sweep(self.frame_len, &|key| self.hash(key)));
        });
    }

    /// The number of live keys.
    pub(super) fn len(&self) -> u64 {
        let live = |shard: &Shard| {
            let shard = shard.lock();
            shard.books.keys() as u64
        };
        self.touched().map(live).sum()
    }

    /// Bytes of memory that grow with the keys: tables and rows, the keys themselves included.
    pub(super) fn bytes(&self) -> u64 {
        let of = |shard: &Shard| {
            let shard = shard.lock();
            let table = shard.table();
            table.slot_bytes() + table.row_bytes()
        };
        self.touched().map(|shard| of(shard) as u64).sum()
    }

    /// Visits every live key, in no order. Each shard is visited as of one moment.
    pub(super) fn for_each(&self, mut visit: impl FnMut(&[u8], &Entry)) {
        (0..Self::SHARDS).for_each(|shard| self.for_each_in(shard, &mut visit));
    }

    /// Visits every live key of one shard, in no order, as of one moment. Writers to it wait meanwhile.
    pub(super) fn for_each_in(&self, shard: usize, mut visit: impl FnMut(&[u8], &Entry)) {
        let Some(shard) = self.shard_at(shard).map(Shard::lock) else { return };
        let table = shard.table();
        let mut key = Vec::new();
        for at in table.refs() {
            let words = table.row(at);
            let Some(row) = row::read(words, self.frame_len).filter(|row| !row.tombstone) else { continue };
            if let Some(key) = row::key(words, &row, &mut key) {
                visit(key, &row.entry);
            }
        }
    }

    /// Visits where the records of all live keys of one shard begin, in no order, as of one moment.
    pub(super) fn places_in(&self, shard: usize, mut visit: impl FnMut(SegmentId, u64)) {
        let Some(shard) = self.shard_at(shard).map(Shard::lock) else { return };
        let table = shard.table();
        for row in table.refs().filter_map(|at| row::read(table.row(at), self.frame_len)).filter(|row| !row.tombstone) {
            visit(row.entry.location.segment, row.entry.location.offset);
        }
    }

    /// Takes away the keys whose time has come and hands out what they were.
    pub(super) fn expire(&self, now: u64) -> Vec<(Arc<[u8]>, Entry)> {
        let due = {
            let mut expiring = self.expiring.lock();
            let later = expiring.split_off(&(now.saturating_add(1), Arc::default()));
            std::mem::replace(&mut *expiring, later)
        };
        let gone = |(at, key): (u64, Arc<[u8]>)| {
            let entry = self.remove_if(&key, |entry| entry.expires_at == Some(at))?;
            Some((key, entry))
        };
        due.into_iter().filter_map(gone).collect()
    }

    /// Keeps the list of expiries in step. Never while a shard is locked: [`Keydir::expire`] takes the locks in the
    /// other order. Threads that load the same key at once may leave a pair too many, which finds no entry of its time.
    fn reschedule(&self, key: &[u8], old: Option<u64>, new: Option<u64>) {
        if old == new {
            return;
        }
        let mut expiring = self.expiring.lock();
        let key: Arc<[u8]> = Arc::from(key);
        if let Some(old) = old {
            expiring.remove(&(old, key.clone()));
        }
        if let Some(new) = new {
            expiring.insert((new, key));
        }
    }

    fn place(
        &self,
        key: &[u8],
        entry: &Entry,
        tombstone: bool,
        wins: impl Fn(Option<&Entry>) -> bool,
    ) -> Option<Entry> {
        let hash = self.hash(key);
        let mut shard = self.shards.get(shard_of(hash))?.get_or_init(Box::default).lock();
        let found = shard.find(hash, key, self.frame_len);
        if !wins(found.as_ref().map(|found| &found.row.entry)) {
            return None;
        }
        let new = NewRow::new(key, entry, tombstone, self.frame_len);
        let placed = self.put_row(&mut shard, hash, found, &new, tombstone)?;
        self.tidy(&mut shard);
        drop(shard);
        let (old, new) = placed.expiries(entry, tombstone);
        self.reschedule(key, old, new);
        placed.was_live()
    }

    /// Gives a key of a locked shard this row, in place of what was found; `None` if it finds no room. The caller tidies up,
    /// and sees to expiries once the shard is free.
    fn put_row(
        &self,
        shard: &mut Held<'_>,
        hash: Hash,
        found: Option<Found>,
        new: &(impl RowWords + ?Sized),
        tombstone: bool,
    ) -> Option<Placed> {
        let placed = match &found {
            Some(found) => shard.replace(found, new),
            None => shard.insert(hash, new, self.frame_len, &|key| self.hash(key)),
        };
        if let Err(Full) = placed {
            self.full.store(true, Ordering::Relaxed);
            return None;
        }
        let old = found.map(|found| found.row);
        shard.books.bury(tombstone);
        shard.books.unbury(old.is_some_and(|old| old.tombstone));
        Some(Placed { old })
    }

    fn tidy(&self, shard: &mut Held<'_>) {
        shard.tidy(self.frame_len, &|key| self.hash(key));
    }

    fn hash(&self, key: &[u8]) -> Hash {
        Hash(rapidhash_v3_seeded(key, &self.secrets))
    }

    /// The shard of a key, if it has ever had one.
    fn shard(&self, hash: Hash) -> Option<&Shard> {
        self.shard_at(shard_of(hash))
    }

    fn shard_at(&self, shard: usize) -> Option<&Shard> {
        self.shards.get(shard)?.get().map(|shard| &**shard)
    }

    fn touched(&self) -> impl Iterator<Item = &Shard> {
        self.shards.iter().filter_map(|shard| shard.get().map(|shard| &**shard))
    }
}

/// What a version took the place of.
struct Placed {
    /// The row before.
    old: Option<Row>,
}

impl Placed {
    fn was_live(&self) -> Option<Entry> {
        self.old.filter(|old| !old.tombstone).map(|old| old.entry)
    }

    /// When the key expired before, and when it does with this version.
    fn expiries(&self, entry: &Entry, tombstone: bool) -> (Option<u64>, Option<u64>) {
        (self.was_live().and_then(|old| old.expires_at), entry.expires_at.filter(|_| !tombstone))
    }
}

/// The shard, by bits that the table inside does not use.
fn shard_of(hash: Hash) -> usize {
    (hash.0 >> (u64::BITS - SHARD_BITS)) as usize
}

/// Whether `entry` is a newer version of the same key than `than`.
pub(super) fn newer(order: VersionOrder, entry: &Entry, than: &Entry) -> bool {
    let place = |location: &Location| (location.segment, location.offset);
    match order {
        // A merge's copy has the tstamp of its original: the later place decides, so that both orders agree.
        VersionOrder::Tstamp => (entry.tstamp, place(&entry.location)) > (than.tstamp, place(&than.location)),
        VersionOrder::Place => place(&entry.location) > place(&than.location),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::format::{Codec, FormatKind};

    fn entry(segment: u64, offset: u64, tstamp: u64) -> Entry {
        let location = Location { segment, offset, len: 26 };
        Entry { location, stored_len: 1, codec: Codec::Raw, tstamp, expires_at: None }
    }

    fn native() -> Keydir {
        Keydir::new(FormatKind::Native.format(), 1)
    }

    #[test]
    fn highest_tstamp_wins_in_any_order_and_a_tombstone_takes_part() {
        let versions = [(entry(1, 40, 5), false), (entry(2, 40, 9), true), (entry(3, 40, 7), false)];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let keydir = native();
            for i in order {
                keydir.offer(b"k", versions[i].0, versions[i].1);
            }
            assert_eq!(keydir.len(), 0);
            keydir.finish_loading(1);
            assert_eq!(keydir.get(b"k"), None, "{order:?}");
        }
    }

    #[test]
    fn later_place_wins_in_foreign_formats_whatever_the_tstamp() {
        let keydir = Keydir::new(FormatKind::Riak.format(), 1);
        keydir.offer(b"k", entry(2, 0, 1), false);
        keydir.offer(b"k", entry(1, 90, 9), false);
        assert_eq!(keydir.get(b"k"), Some(entry(2, 0, 1)));
    }

    fn sized(key: &[u8], offset: u64) -> Entry {
        let location = Location { segment: 1, offset, len: 24 + key.len() as u64 + 1 };
        Entry { location, stored_len: 1, codec: Codec::Raw, tstamp: offset, expires_at: None }
    }

    /// 24 bytes beside the key at any size at which the shards have something to hold; at worst just after they grew.
    #[test]
    fn memory_a_key_is_its_bytes_and_little_more_at_every_size() {
        let keydir = native();
        const KEYS: u64 = 600_000;
        for i in 0..KEYS {
            let key = u128::from(i).to_le_bytes();
            keydir.set(&key, sized(&key, i));
            if i % 20_000 == 0 && i >= 200_000 {
                let per_key = keydir.bytes() as f64 / i as f64;
                assert!(per_key <= 16.0 + 24.0, "{per_key} at {i}");
            }
        }
    }

    #[test]
    fn room_for_keys_to_come_is_made_at_once() {
        let keydir = native();
        keydir.expect(100_000);
        let before = keydir.shape().slots;
        assert!((0..100_000u64).all(|i| keydir.set(&i.to_le_bytes(), sized(&[0; 8], i)).is_none()));
        assert_eq!((keydir.shape().slots, keydir.len()), (before, 100_000));
    }

    #[test]
    fn memory_returns_when_keys_go_and_the_rest_stays_right() {
        let keydir = native();
        const KEYS: u64 = 200_000;
        assert!((0..KEYS).all(|i| keydir.set(&i.to_le_bytes(), sized(&[0; 8], i)).is_none()));
        let full = keydir.bytes();
        for i in (0..KEYS).filter(|i| i % 10 > 0) {
            assert_eq!(keydir.remove(&i.to_le_bytes()), Some(sized(&[0; 8], i)));
        }
        assert_eq!(keydir.len(), KEYS / 10);
        assert!(keydir.bytes() < full * 2 / 3, "{} of {full}", keydir.bytes());
        for i in 0..KEYS {
            let expected = (i % 10 == 0).then(|| sized(&[0; 8], i));
            assert_eq!(keydir.get(&i.to_le_bytes()), expected);
        }
    }

    /// A key put again and again with an expiry once left a pair behind each time, uncounted, until the first of its times
    /// had come.
    #[test]
    fn a_key_waits_for_one_expiry_only() {
        let keydir = native();
        let location = Location { segment: 1, offset: 40, len: 24 + 8 + 1 + 1 };
        for at in 10..1000 {
            keydir.set(b"k", Entry { expires_at: Some(at), location, ..entry(1, 40, 5) });
        }
        assert_eq!(keydir.expiring.lock().len(), 1);
        keydir.remove(b"k");
        assert_eq!(keydir.expiring.lock().len(), 0);
    }

    #[test]
    fn a_row_that_changes_its_shape_moves_and_is_found() {
        let keydir = native();
        let with_expiry = |at| {
            let location = Location { len: 24 + 8 + 1 + 1, ..sized(b"k", 9).location };
            Entry { location, expires_at: at, ..sized(b"k", 9) }
        };
        keydir.set(b"k", sized(b"k", 9));
        assert_eq!(keydir.set(b"k", with_expiry(Some(5))), Some(sized(b"k", 9)));
        assert_eq!(keydir.get(b"k"), Some(with_expiry(Some(5))));
        assert_eq!(keydir.set(b"k", sized(b"k", 10)), Some(with_expiry(Some(5))));
        assert_eq!((keydir.get(b"k"), keydir.len()), (Some(sized(b"k", 10)), 1));
    }

    #[test]
    fn a_key_expires_once_and_only_with_the_expiry_it_has_now() {
        let keydir = native();
        let location = Location { segment: 1, offset: 40, len: 24 + 8 + 1 + 1 };
        let expiring = |at| Entry { expires_at: Some(at), location, ..entry(1, 40, 5) };
        keydir.set(b"a", expiring(10));
        keydir.set(b"b", expiring(10));
        keydir.set(b"b", expiring(20));
        assert_eq!(keydir.expire(9), []);
        assert_eq!(keydir.expire(10), [(Arc::from(&b"a"[..]), expiring(10))]);
        assert_eq!((keydir.get(b"a"), keydir.get(b"b")), (None, Some(expiring(20))));
    }
}
