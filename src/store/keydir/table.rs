//! A shard's table: slots that refer to rows, and the blocks in which the rows lie.
//!
//! ```text
//!  slot, 32 bits: ┌─────┬──────────────────────┐    tag: the lowest byte of the key's hash
//!                 │ tag │ reference to a row   │    reference: number of the block (10 bits) and word in it (14), plus one
//!                 └─────┴──────────────────────┘    no reference: the slot is empty, or was used
//! ```
//!
//! Slots stand in buckets of 16, a cache line. A key's search begins in the bucket that its hash leads to, and goes on in
//! the next one while buckets are full. The number of buckets is any number, so that tables can grow by a third.
//! Everything is atomics: readers look while a writer changes it, and [`super::shard`] tells whether what they saw
//! counts. Knows nothing of locks and of who may write.
//!
//! # Invariants
//!
//! 1. In a bucket nothing stands behind an empty slot, and no key of a bucket's search stands behind it either.
//! 2. Blocks never move and never change their length; a word of a block that no slot refers to is nobody's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::row;

/// Slots that are searched together.
pub(super) const BUCKET: usize = 16;

const TAG_BITS: u32 = 8;
const TAG: u32 = (1 << TAG_BITS) - 1;
const WORD_BITS: u32 = 14;

/// Words of a block at most, but for one that holds a single longer row.
pub(super) const MAX_BLOCK: usize = 1 << WORD_BITS;
/// Blocks of a table at most.
pub(super) const MAX_BLOCKS: usize = (1 << (32 - TAG_BITS - WORD_BITS)) - 1;

const EMPTY: u32 = 0;
/// A slot that was used: the search goes on behind it.
const USED: u32 = 1;

/// Rows, one behind the other.
pub(super) type Block = Arc<[AtomicU64]>;

/// Where a row is: its block and the word in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ref(u32);

impl Ref {
    /// `None` beyond what 24 bits can say.
    pub(super) fn new(block: usize, word: usize) -> Option<Self> {
        let fits = block < MAX_BLOCKS && word < MAX_BLOCK;
        fits.then_some(Self(((block << WORD_BITS | word) + 1) as u32))
    }

    fn of_slot(slot: u32) -> Option<Self> {
        Some(Self(slot >> TAG_BITS)).filter(|at| at.0 > 0)
    }
}

/// Whether a slot that says this refers to a row.
pub(super) fn refers(slot: u32) -> bool {
    Ref::of_slot(slot).is_some()
}

/// Whether a slot that says this was used, and is searched past.
pub(super) fn is_used(slot: u32) -> bool {
    slot == USED
}

/// What a bucket search goes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hash(pub(super) u64);

impl Hash {
    /// The bits that choose the shard are the highest ten: see [`super::Keydir`].
    fn bucket(self, buckets: usize) -> usize {
        let bits = u128::from((self.0 >> 22) as u32);
        ((bits * buckets as u128) >> 32) as usize
    }

    fn tag(self) -> u32 {
        self.0 as u32 & TAG
    }
}

/// Slots and rows of one shard.
#[derive(Clone, Debug)]
pub(super) struct Table {
    slots: Arc<[AtomicU32]>,
    blocks: Box<[Block]>,
}

impl Table {
    /// Without a slot and without a row.
    pub(super) fn empty() -> Self {
        Self { slots: Arc::from([]), blocks: Box::default() }
    }

    /// Empty slots, and the rows of these blocks.
    pub(super) fn with(buckets: usize, blocks: Box<[Block]>) -> Self {
        Self { slots: (0..buckets * BUCKET).map(|_| AtomicU32::new(EMPTY)).collect(), blocks }
    }

    /// These slots, and the rows of these blocks.
    pub(super) fn of(slots: Arc<[AtomicU32]>, blocks: Box<[Block]>) -> Self {
        Self { slots, blocks }
    }

    /// The same slots and rows, and room for more rows.
    pub(super) fn with_block(&self, block: Block) -> Self {
        let blocks = self.blocks.iter().cloned().chain([block]).collect();
        Self { slots: self.slots.clone(), blocks }
    }

    pub(super) fn slots(&self) -> &[AtomicU32] {
        &self.slots
    }

    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Bytes that were allocated for slots.
    pub(super) fn slot_bytes(&self) -> usize {
        size_of_val(&*self.slots)
    }

    /// Bytes that were allocated for rows and for keeping track of their blocks.
    pub(super) fn row_bytes(&self) -> usize {
        let counts = 2 * size_of::<usize>();
        self.blocks.iter().map(|block| size_of_val(&**block) + size_of::<Block>() + counts).sum()
    }

    /// The words from the start of a row to the end of its block; the row itself knows where it ends.
    pub(super) fn row(&self, at: Ref) -> &[AtomicU64] {
        let place = (at.0 - 1) as usize;
        let block = self.blocks.get(place >> WORD_BITS).map(|block| &block[..]);
        block.and_then(|block| block.get(place & (MAX_BLOCK - 1)..)).unwrap_or_default()
    }

    /// What stands in the first slot of a key's search.
    pub(super) fn first_slot(&self, hash: Hash) -> u32 {
        self.slots.get(hash.bucket(self.slots.len() / BUCKET) * BUCKET).map_or(0, |slot| slot.load(Ordering::Relaxed))
    }

    /// The slot of a key, and where its row is.
    pub(super) fn find(&self, hash: Hash, key: &[u8]) -> Option<(usize, Ref)> {
        self.find_where(hash, |row| row::is_of(row, key))
    }

    /// The slot of the key with this hash whose row `is_it` takes for that key's, and where the row is.
    #[inline]
    pub(super) fn find_where(&self, hash: Hash, is_it: impl Fn(&[AtomicU64]) -> bool) -> Option<(usize, Ref)> {
        let tag = hash.tag();
        for (first, bucket) in self.search(hash) {
            for (i, slot) in bucket.iter().enumerate() {
                let slot = slot.load(Ordering::Relaxed);
                if slot == EMPTY {
                    return None;
                }
                let at = if slot & TAG == tag { Ref::of_slot(slot) } else { None };
                if let Some(at) = at.filter(|at| is_it(self.row(*at))) {
                    return Some((first + i, at));
                }
            }
        }
        None
    }

    /// The buckets in which a key may be, each with the number of its first slot: all of them at most.
    fn search(&self, hash: Hash) -> impl Iterator<Item = (usize, &[AtomicU32])> {
        let buckets = self.slots.len() / BUCKET;
        let home = hash.bucket(buckets);
        (home..buckets).chain(0..home).filter_map(|bucket| {
            let first = bucket * BUCKET;
            Some((first, self.slots.get(first..first + BUCKET)?))
        })
    }

    /// Lets a slot refer to the row of a key that no slot refers to. Returns whether the slot had been used before; `None`
    /// if the table is full.
    pub(super) fn insert(&self, hash: Hash, at: Ref) -> Option<bool> {
        let free = |slot: &&AtomicU32| Ref::of_slot(slot.load(Ordering::Relaxed)).is_none();
        let slot = self.search(hash).find_map(|(_, bucket)| bucket.iter().find(free))?;
        let was = slot.load(Ordering::Relaxed);
        slot.store(at.0 << TAG_BITS | hash.tag(), Ordering::Relaxed);
        Some(was == USED)
    }

    /// Lets the slot refer to another row of the same key.
    pub(super) fn point(&self, slot: usize, at: Ref) {
        if let Some(slot) = self.slots.get(slot) {
            let tag = slot.load(Ordering::Relaxed) & TAG;
            slot.store(at.0 << TAG_BITS | tag, Ordering::Relaxed);
        }
    }

    /// Frees a slot. Returns whether it has to stay marked as used, because the search of others leads past it.
    pub(super) fn free(&self, slot: usize) -> bool {
        let first = slot - slot % BUCKET;
        let bucket = self.slots.get(first..first + BUCKET).unwrap_or_default();
        let filled = bucket.iter().take_while(|slot| slot.load(Ordering::Relaxed) != EMPTY).count();
        let (Some(freed), Some(last)) = (bucket.get(slot - first), bucket.get(filled.wrapping_sub(1))) else {
            return false;
        };
        if filled == BUCKET {
            freed.store(USED, Ordering::Relaxed);
            return true;
        }
        freed.store(last.load(Ordering::Relaxed), Ordering::Relaxed);
        last.store(EMPTY, Ordering::Relaxed);
        false
    }

    /// Where the row is that a slot refers to.
    pub(super) fn at(&self, slot: usize) -> Option<Ref> {
        Ref::of_slot(self.slots.get(slot)?.load(Ordering::Relaxed))
    }

    /// Where all rows are that slots refer to.
    pub(super) fn refs(&self) -> impl Iterator<Item = Ref> {
        self.slots.iter().filter_map(|slot| Ref::of_slot(slot.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::row::RowWords;
    use super::*;
    use crate::format::Codec;
    use crate::store::{Entry, Location};

    fn table_of(keys: &[&[u8]], buckets: usize) -> (Table, Vec<Ref>) {
        let words: Block = (0..keys.len() * 4).map(|_| AtomicU64::new(0)).collect();
        let table = Table::with(buckets, Box::new([words]));
        let refs: Vec<Ref> = (0..keys.len()).map(|i| Ref::new(0, i * 4).unwrap()).collect();
        for (key, at) in keys.iter().zip(&refs) {
            let location = Location { segment: 1, offset: 40, len: 24 + key.len() as u64 };
            let entry = Entry { location, stored_len: 0, codec: Codec::Raw, tstamp: 9, expires_at: None };
            row::NewRow::new(key, &entry, false, |_| 24).write(table.row(*at));
        }
        (table, refs)
    }

    /// One hash for all: the worst that a table can meet.
    #[test]
    fn keys_that_share_a_bucket_and_a_tag_are_found_until_they_are_freed() {
        let keys: Vec<[u8; 2]> = (0..40u16).map(u16::to_le_bytes).collect();
        let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
        let (table, refs) = table_of(&keys, 3);
        let hash = Hash(u64::MAX);
        assert!(refs.iter().all(|at| table.insert(hash, *at) == Some(false)));
        let find = |key: &[u8]| table.find(hash, key).map(|(_, at)| at);
        assert!(keys.iter().zip(&refs).all(|(key, at)| find(key) == Some(*at)));
        for (i, key) in keys.iter().enumerate().filter(|(i, _)| i % 3 == 0) {
            let (slot, at) = table.find(hash, key).unwrap();
            assert_eq!(at, refs[i]);
            table.free(slot);
        }
        for (i, (key, at)) in keys.iter().zip(&refs).enumerate() {
            assert_eq!(find(key), Some(*at).filter(|_| i % 3 > 0), "{i}");
        }
    }

    #[test]
    fn a_full_table_says_so_and_a_search_in_it_ends() {
        let keys: Vec<[u8; 2]> = (0..17u16).map(u16::to_le_bytes).collect();
        let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
        let (table, refs) = table_of(&keys, 1);
        let inserted: Vec<bool> = refs.iter().map(|at| table.insert(Hash(7), *at).is_some()).collect();
        assert_eq!(inserted, [vec![true; 16], vec![false]].concat());
        assert_eq!(table.find(Hash(7), b"no"), None);
        assert_eq!(Table::empty().find(Hash(7), b"no"), None);
    }

    #[test]
    fn a_reference_says_where_up_to_its_last_block() {
        assert!(Ref::new(MAX_BLOCKS - 1, MAX_BLOCK - 1).is_some());
        assert_eq!((Ref::new(MAX_BLOCKS, 0), Ref::new(0, MAX_BLOCK)), (None, None));
    }
}
