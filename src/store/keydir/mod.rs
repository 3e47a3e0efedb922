//! The keydir: an in-memory hash index from each key to its newest record.
//!
//! Sharded by hash, one lock a shard, so that readers of different keys do not meet. Must not know files: it is told
//! entries and hands them out by value.
//!
//! # Invariants
//!
//! 1. An entry moves only to a newer version, by the order that the format prescribes; tombstones take part in that
//!    while segments are loading ([`Keydir::offer`]) and are swept out afterwards ([`Keydir::finish_loading`]).
//! 2. `bytes` is what the tables have allocated and what the keys take, counted, not estimated.

mod arena;
mod row;
mod shape;

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashTable;
use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};

use super::{Entry, Location};
use crate::format::{Format, VersionOrder};
use crate::primitives::{Mutex, RwLock};
use arena::{Arena, Ref};
use row::Row;
pub use row::RowPart;
pub use shape::{KeydirShape, KeydirSlot};

const SHARD_BITS: u32 = 6;

/// A part of the index: a table of references, and the rows that they refer to.
#[derive(Debug, Default)]
struct Shard {
    table: HashTable<Ref>,
    arena: Arena,
    tombstones: usize,
    /// A row under construction, kept for its memory.
    scratch: Vec<u8>,
}

/// The index of one store.
#[derive(Debug)]
pub(super) struct Keydir {
    shards: Box<[RwLock<Shard>]>,
    secrets: RapidSecrets,
    order: VersionOrder,
    frame_len: fn(bool) -> u64,
    /// Keys that will expire, soonest first.
    expiring: Mutex<BTreeSet<(u64, Arc<[u8]>)>>,
}

impl Keydir {
    /// How many shards there are.
    pub(super) const SHARDS: usize = 1 << SHARD_BITS;

    /// An empty index for records of this format, whose hash is keyed by `seed`.
    pub(super) fn new(format: &dyn Format, seed: u64) -> Self {
        Self {
            shards: (0..Self::SHARDS).map(|_| RwLock::default()).collect(),
            secrets: RapidSecrets::seed(seed),
            order: format.version_order(),
            frame_len: format.frame_len(),
            expiring: Mutex::default(),
        }
    }

    /// The entry of a live key, expired or not.
    pub(super) fn get(&self, key: &[u8]) -> Option<Entry> {
        let hash = self.hash(key);
        let shard = self.shard(hash)?.read();
        let row = shard.find(hash, key)?;
        (!row.tombstone).then(|| row.entry(self.frame_len))
    }

    /// Offers a version read from a segment, in any order of segments. Returns the entry that it replaced.
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

    /// Points a key at a copy of its record, if it is there and its entry satisfies `wanted`. Returns the entry that was
    /// replaced.
    pub(super) fn relocate(&self, key: &[u8], copy: Entry, wanted: impl Fn(&Entry) -> bool) -> Option<Entry> {
        self.place(key, &copy, false, |old| old.is_some_and(&wanted))
    }

    /// Takes a key away. Returns its entry.
    pub(super) fn remove(&self, key: &[u8]) -> Option<Entry> {
        self.remove_if(key, |_| true)
    }

    /// Takes a key away if its entry satisfies `wanted`.
    pub(super) fn remove_if(&self, key: &[u8], wanted: impl Fn(&Entry) -> bool) -> Option<Entry> {
        let hash = self.hash(key);
        let mut shard = self.shard(hash)?.write();
        let row = shard.find(hash, key)?;
        let (old, tombstone, len) = (row.entry(self.frame_len), row.tombstone, row.len);
        if !wanted(&old) {
            return None;
        }
        shard.forget(hash, key, len);
        shard.tombstones -= usize::from(tombstone);
        self.tidy(&mut shard);
        drop(shard);
        self.reschedule(key, old.expires_at, None);
        Some(old).filter(|_| !tombstone)
    }

    /// Sweeps out the tombstones that took part in loading.
    pub(super) fn finish_loading(&self) {
        for shard in &self.shards {
            let mut shard = shard.write();
            let Shard { table, arena, tombstones, .. } = &mut *shard;
            if *tombstones > 0 {
                table.retain(|at| match row::decode(arena.get(*at)) {
                    Some(row) if row.tombstone => {
                        let len = row.len;
                        arena.free(len);
                        false
                    }
                    _ => true,
                });
                *tombstones = 0;
                self.tidy(&mut shard);
            }
        }
    }

    /// The number of live keys.
    pub(super) fn len(&self) -> u64 {
        self.shards.iter().map(|shard| shard.read()).map(|shard| (shard.table.len() - shard.tombstones) as u64).sum()
    }

    /// Bytes of memory: tables and rows, keys included.
    pub(super) fn bytes(&self) -> u64 {
        let of = |shard: &Shard| shard.table.allocation_size() + shard.arena.bytes();
        self.shards.iter().map(|shard| of(&shard.read()) as u64).sum()
    }

    /// Visits every live key, in no order. Each shard is visited as of one moment.
    pub(super) fn for_each(&self, mut visit: impl FnMut(&[u8], &Entry)) {
        (0..Self::SHARDS).for_each(|shard| self.for_each_in(shard, &mut visit));
    }

    /// Visits every live key of one shard, in no order, as of one moment.
    pub(super) fn for_each_in(&self, shard: usize, mut visit: impl FnMut(&[u8], &Entry)) {
        let Some(shard) = self.shards.get(shard) else { return };
        let shard = shard.read();
        let rows = shard.table.iter().filter_map(|at| row::decode(shard.arena.get(*at)));
        rows.filter(|row| !row.tombstone).for_each(|row| visit(row.key, &row.entry(self.frame_len)));
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
        let mut shard = self.shard(hash)?.write();
        let old = shard.find(hash, key).map(|row| (row.entry(self.frame_len), row.tombstone, row.len));
        if !wins(old.as_ref().map(|(old, ..)| old)) {
            return None;
        }
        let mut row = std::mem::take(&mut shard.scratch);
        row::encode(key, entry, tombstone, &mut row);
        match old {
            Some((_, _, len)) if len == row.len() => shard.overwrite(hash, key, &row),
            Some((_, _, len)) => {
                shard.forget(hash, key, len);
                self.insert(&mut shard, hash, &row);
                self.tidy(&mut shard);
            }
            None => self.insert(&mut shard, hash, &row),
        }
        shard.scratch = row;
        shard.scratch.shrink_to(1 << 10);
        shard.tombstones += usize::from(tombstone);
        shard.tombstones -= usize::from(old.is_some_and(|(_, tombstone, _)| tombstone));
        drop(shard);
        let expires_at = |expires_at: Option<u64>, tombstone: bool| expires_at.filter(|_| !tombstone);
        let old_expiry = old.and_then(|(old, tombstone, _)| expires_at(old.expires_at, tombstone));
        self.reschedule(key, old_expiry, expires_at(entry.expires_at, tombstone));
        old.filter(|(_, tombstone, _)| !tombstone).map(|(old, ..)| old)
    }

    fn insert(&self, shard: &mut Shard, hash: u64, row: &[u8]) {
        let Shard { table, arena, .. } = shard;
        if let Some(at) = arena.push(row) {
            table.insert_unique(hash, at, |at| row::decode(arena.get(*at)).map_or(0, |row| self.hash(row.key)));
        }
    }

    /// Copies the rows that are in use when too many are not.
    fn tidy(&self, shard: &mut Shard) {
        if !shard.arena.is_wasteful() {
            return;
        }
        let mut fresh = Arena::default();
        for at in &mut shard.table {
            let bytes = shard.arena.get(*at);
            let len = row::decode(bytes).map_or(0, |row| row.len);
            if let Some(moved) = bytes.get(..len).and_then(|row| fresh.push(row)) {
                *at = moved;
            }
        }
        shard.arena = fresh;
    }

    fn hash(&self, key: &[u8]) -> u64 {
        rapidhash_v3_seeded(key, &self.secrets)
    }

    fn shard(&self, hash: u64) -> Option<&RwLock<Shard>> {
        self.shards.get(self.shard_of(hash))
    }

    /// The shard by bits that the table inside does not use: it takes the highest 7 and the lowest.
    fn shard_of(&self, hash: u64) -> usize {
        (hash >> (57 - SHARD_BITS)) as usize & (Self::SHARDS - 1)
    }
}

impl Shard {
    fn find(&self, hash: u64, key: &[u8]) -> Option<Row<'_>> {
        let at = self.table.find(hash, |at| self.holds(*at, key))?;
        row::decode(self.arena.get(*at))
    }

    fn holds(&self, at: Ref, key: &[u8]) -> bool {
        row::decode(self.arena.get(at)).is_some_and(|row| row.key == key)
    }

    /// Puts a row in the place of the key's old one, which has the same length.
    fn overwrite(&mut self, hash: u64, key: &[u8], row: &[u8]) {
        let Some(at) = self.table.find(hash, |at| self.holds(*at, key)).copied() else { return };
        if let Some(old) = self.arena.get_mut(at).get_mut(..row.len()) {
            old.copy_from_slice(row);
        }
    }

    /// Takes a key's row of `len` bytes out of the table.
    fn forget(&mut self, hash: u64, key: &[u8], len: usize) {
        let Self { table, arena, .. } = self;
        let holds = |at: &Ref| row::decode(arena.get(*at)).is_some_and(|row| row.key == key);
        if let Ok(found) = table.find_entry(hash, holds) {
            found.remove();
            arena.free(len);
        }
    }
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
            keydir.finish_loading();
            assert_eq!(keydir.get(b"k"), None, "{order:?}");
        }
    }

    #[test]
    fn later_place_wins_in_foreign_formats_whatever_the_tstamp() {
        let keydir = Keydir::new(FormatKind::Riak.format(), 1);
        keydir.offer(b"k", entry(2, 0, 1), false);
        keydir.offer(b"k", entry(1, 90, 9), false);
        assert_eq!(keydir.get(b"k").map(|found| found.location), Some(entry(2, 0, 1).location));
    }

    fn sized(key: &[u8], offset: u64) -> Entry {
        let location = Location { segment: 1, offset, len: 24 + key.len() as u64 + 1 };
        Entry { location, stored_len: 1, codec: Codec::Raw, tstamp: offset, expires_at: None }
    }

    #[test]
    fn memory_a_key_is_its_bytes_and_little_more() {
        let keydir = native();
        const KEYS: u64 = 60_000;
        for i in 0..KEYS {
            let key = u128::from(i).to_le_bytes();
            keydir.set(&key, sized(&key, i));
        }
        let per_key = keydir.bytes() / KEYS;
        assert!(per_key < 16 + 40, "{per_key}");
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
