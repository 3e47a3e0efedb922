//! One part of the index: a table that one thread at a time may change while any number read it without a lock.
//!
//! Reads are checked by a sequence number (a *seqlock*; the fences are those of Boehm, "Can seqlocks get along with
//! programming language memory models?", 2012): odd while somebody writes, and two looks at it that agree and are even
//! say that what was read between them belongs together. A reader that is disturbed looks again, and after a while waits
//! for the writer's lock, so that it always comes to an end.
//!
//! The atomics are the standard library's in every build: between them nobody waits, so a scheduler has nothing to decide.
//!
//! # Invariants
//!
//! 1. What a reader can reach changes only inside [`Held::change`], and only by whoever holds the lock.
//! 2. `rows` is the number of slots that refer to a row, `used` that of slots marked as used.
//! 3. What is allocated for rows and refers to none is `garbage`, or lies behind `filled` in the last block.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use arc_swap::ArcSwap;

use super::row::{self, FrameLen, Row, RowWords};
use super::table::{BUCKET, Block, Hash, MAX_BLOCK, Ref, Table};
use crate::primitives::{Mutex, MutexGuard};

/// How often a disturbed reader looks again before it waits.
const LOOKS: usize = 64;
/// Words of a first block.
const FIRST_BLOCK: usize = 32;
/// A new block is this part of what there is already.
const BLOCK_SHARE: usize = 16;
/// What nobody came for is given back if it is more than this part.
const UNUSED_SHARE: usize = 32;

/// A part of the index. On cache lines of its own, so that work on one does not slow down its neighbours; what a get and a
/// put look at is in the first.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Shard {
    seq: AtomicU64,
    table: ArcSwap<Table>,
    books: Mutex<Books>,
}

/// What only writers need to know.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Books {
    /// What readers find too, at hand without their way of getting hold of it.
    table: Arc<Table>,
    pub(super) rows: usize,
    /// Slots that refer to nothing and are searched past.
    pub(super) used: usize,
    /// Words of the last block that are taken.
    pub(super) filled: usize,
    /// Words that no slot refers to any more.
    pub(super) garbage: usize,
    pub(super) tombstones: usize,
    /// Words of all blocks.
    words: usize,
    /// Rows for which there will be blocks as large as can be.
    expected: usize,
}

impl Books {
    /// The books of a shard whose table has these numbers, and no tombstone.
    pub(super) fn of(table: Table, rows: usize, used: usize, garbage: usize) -> Self {
        let filled = table.blocks().last().map_or(0, |block| block.len());
        let words = table.blocks().iter().map(|block| block.len()).sum();
        Self { table: Arc::new(table), rows, tombstones: 0, used, filled, words, garbage, expected: 0 }
    }

    /// Rows that are no tombstones.
    pub(super) fn keys(&self) -> usize {
        self.rows.saturating_sub(self.tombstones)
    }

    /// Takes note of a new row, if it is a tombstone.
    pub(super) fn bury(&mut self, tombstone: bool) {
        // Else the line that it is in is left alone.
        if tombstone {
            self.tombstones += 1;
        }
    }

    /// Takes note that a row went, if it was a tombstone. One that was made up in a file was never counted.
    pub(super) fn unbury(&mut self, tombstone: bool) {
        if tombstone {
            self.tombstones = self.tombstones.saturating_sub(1);
        }
    }
}

/// Where a key was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    slot: usize,
    at: Ref,
    pub(super) row: Row,
}

/// The references ran out: a shard can hold some 128 MiB of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Default for Shard {
    fn default() -> Self {
        let books = Books::of(Table::empty(), 0, 0, 0);
        let table = books.table.clone();
        Self { seq: AtomicU64::new(0), table: ArcSwap::new(table), books: Mutex::new(books) }
    }
}

impl Shard {
    /// The row of a key, as of one moment.
    pub(super) fn get(&self, hash: Hash, key: &[u8], frame_len: FrameLen) -> Option<Row> {
        self.look(|table| {
            let (_, at) = table.find(hash, key)?;
            row::read(table.row(at), frame_len)
        })
    }

    fn look<T>(&self, look: impl Fn(&Table) -> T) -> T {
        for _ in 0..LOOKS {
            let before = self.seq.load(Ordering::Acquire);
            if before.is_multiple_of(2) {
                let seen = look(&self.table.load());
                fence(Ordering::Acquire);
                if self.seq.load(Ordering::Relaxed) == before {
                    return seen;
                }
            }
            std::hint::spin_loop();
        }
        let _no_writer = self.books.lock();
        look(&self.table.load())
    }

    /// Keeps writers out.
    pub(super) fn lock(&self) -> Held<'_> {
        Held { shard: self, books: self.books.lock() }
    }
}

/// A shard that nobody else changes meanwhile.
#[derive(Debug)]
pub(super) struct Held<'a> {
    shard: &'a Shard,
    pub(super) books: MutexGuard<'a, Books>,
}

impl Held<'_> {
    /// The table as it is.
    pub(super) fn table(&self) -> &Table {
        &self.books.table
    }

    pub(super) fn find(&self, hash: Hash, key: &[u8], frame_len: FrameLen) -> Option<Found> {
        let (slot, at) = self.table().find(hash, key)?;
        self.found(slot, at, frame_len)
    }

    /// The row of the key that a whole row is of.
    pub(super) fn find_like(&self, hash: Hash, new: &[u64], frame_len: FrameLen) -> Option<Found> {
        let (slot, at) = self.table().find_where(hash, |row| row::is_like(row, new))?;
        self.found(slot, at, frame_len)
    }

    /// What a slot refers to.
    pub(super) fn at(&self, slot: usize, frame_len: FrameLen) -> Option<Found> {
        self.found(slot, self.table().at(slot)?, frame_len)
    }

    fn found(&self, slot: usize, at: Ref, frame_len: FrameLen) -> Option<Found> {
        Some(Found { slot, at, row: row::read(self.table().row(at), frame_len)? })
    }

    /// Copies the key of what was found.
    pub(super) fn key<'k>(&self, found: &Found, key: &'k mut Vec<u8>) -> Option<&'k [u8]> {
        row::key(self.table().row(found.at), &found.row, key)
    }

    /// Asks for the memory in which the search for these keys begins, all at once, so that nobody waits for one after the
    /// other.
    pub(super) fn touch(&self, hashes: impl Iterator<Item = Hash>) {
        let table = self.table();
        std::hint::black_box(hashes.fold(0, |sum, hash| sum ^ table.first_slot(hash)));
    }

    /// Readers that look while `act` runs look again.
    fn change(&self, act: impl FnOnce()) {
        let seq = self.shard.seq.load(Ordering::Relaxed);
        self.shard.seq.store(seq.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        act();
        self.shard.seq.store(seq.wrapping_add(2), Ordering::Release);
    }

    fn swap(&mut self, table: Table) {
        let table = Arc::new(table);
        self.change(|| self.shard.table.store(table.clone()));
        self.books.table = table;
    }

    /// Takes over books and the table that they are about.
    pub(super) fn adopt(&mut self, books: Books) {
        let table = books.table.clone();
        self.change(|| self.shard.table.store(table));
        *self.books = books;
    }

    /// Takes in the row of a key that is not there. `hash_of` is for growing.
    pub(super) fn insert(
        &mut self,
        hash: Hash,
        new: &(impl RowWords + ?Sized),
        frame_len: FrameLen,
        hash_of: &dyn Fn(&[u8]) -> Hash,
    ) -> Result<(), Full> {
        self.make_room(1, frame_len, hash_of)?;
        let at = self.place_for(new.words())?;
        let table = self.table();
        let mut was_used = None;
        self.change(|| {
            new.write(table.row(at));
            was_used = table.insert(hash, at);
        });
        self.books.used -= usize::from(was_used.ok_or(Full)?);
        self.books.rows += 1;
        Ok(())
    }

    /// Gives the key that was found another row.
    pub(super) fn replace(&mut self, found: &Found, new: &(impl RowWords + ?Sized)) -> Result<(), Full> {
        let in_place = found.row.words() == new.words();
        let at = if in_place { found.at } else { self.place_for(new.words())? };
        let table = self.table();
        self.change(|| {
            new.write(table.row(at));
            if !in_place {
                table.point(found.slot, at);
            }
        });
        if !in_place {
            self.books.garbage += found.row.words();
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, found: &Found) {
        let table = self.table();
        let mut stays_used = false;
        self.change(|| stays_used = table.free(found.slot));
        self.books.rows -= 1;
        self.books.used += usize::from(stays_used);
        self.books.garbage += found.row.words();
    }

    /// A place for a row at the end of the blocks.
    fn place_for(&mut self, words: usize) -> Result<Ref, Full> {
        let blocks = self.table().blocks();
        let (count, last) = (blocks.len(), blocks.last().map_or(0, |block| block.len()));
        let at = if self.books.filled + words <= last && self.books.filled < MAX_BLOCK {
            Ref::new(count - 1, self.books.filled).ok_or(Full)?
        } else {
            let at = Ref::new(count, 0).ok_or(Full)?;
            // What is left of the last block is lost.
            self.books.garbage += last - self.books.filled.min(last);
            let to_come = self.books.expected.saturating_sub(self.books.rows).saturating_mul(words);
            let len = (self.books.words / self.block_share()).max(to_come).clamp(FIRST_BLOCK, MAX_BLOCK).max(words);
            let table = self.table().with_block(empty_block(len));
            self.swap(table);
            self.books.words += len;
            self.books.filled = 0;
            at
        };
        self.books.filled += words;
        Ok(at)
    }

    /// A shard that has got all that were expected gets a few more, as chance has it, and is not to have much left over.
    fn block_share(&self) -> usize {
        let Books { rows, expected, .. } = *self.books;
        let is_chance = rows >= expected && rows < expected.saturating_add(4 * expected.isqrt());
        if is_chance { BLOCK_SHARE * 4 } else { BLOCK_SHARE }
    }

    /// Sees to it that `more` keys fit, by growing a third where they do not.
    pub(super) fn make_room(
        &mut self,
        more: usize,
        frame_len: FrameLen,
        hash_of: &dyn Fn(&[u8]) -> Hash,
    ) -> Result<(), Full> {
        let wanted = self.books.rows + more;
        if (wanted + self.books.used) * 8 > self.table().slots().len() * 7 {
            return self.rebuild(wanted, frame_len, hash_of);
        }
        Ok(())
    }

    /// Sees to it that about so many keys fit, which will come one after the other.
    pub(super) fn expect(&mut self, rows: usize, frame_len: FrameLen, hash_of: &dyn Fn(&[u8]) -> Hash) {
        self.books.expected = rows;
        // Slots for four times what chance lets one shard have more than another; blocks come as they are needed.
        let more = rows.saturating_add(4 * rows.isqrt()).saturating_sub(self.books.rows);
        // It cannot be full: nothing is put into it yet.
        let _ = self.make_room(more, frame_len, hash_of);
    }

    /// Gives back what was set aside for keys that did not come.
    fn fit(&mut self, frame_len: FrameLen, hash_of: &dyn Fn(&[u8]) -> Hash) {
        let last = self.table().blocks().last().map_or(0, |block| block.len());
        let unused = self.books.garbage + last.saturating_sub(self.books.filled);
        let slots = self.table().slots().len();
        let is_wide = slots > BUCKET && slots > self.books.rows * 2;
        if self.books.expected > 0 && (is_wide || unused > self.books.words / UNUSED_SHARE + FIRST_BLOCK) {
            let _ = self.rebuild(self.books.rows, frame_len, hash_of);
        }
        self.books.expected = 0;
    }

    /// Copies the rows together when too many words are nobody's, and lets go of slots that are not needed.
    pub(super) fn tidy(&mut self, frame_len: FrameLen, hash_of: &dyn Fn(&[u8]) -> Hash) {
        const WORTH_IT: usize = 1 << 9;
        if self.books.garbage > WORTH_IT && self.books.garbage > self.books.words / 4 {
            // It cannot be full: it gets smaller.
            let _ = self.rebuild(self.books.rows, frame_len, hash_of);
        }
    }

    /// Makes a table with slots for `rows` and a third more, and copies of the rows in as few blocks as can be.
    fn rebuild(&mut self, rows: usize, frame_len: FrameLen, hash_of: &dyn Fn(&[u8]) -> Hash) -> Result<(), Full> {
        let old = self.table();
        let mut packing = Packing::new(self.books.words.saturating_sub(self.books.garbage));
        let mut key = Vec::new();
        let mut placed = Vec::with_capacity(self.books.rows);
        for at in old.refs() {
            let words = old.row(at);
            let Some(row) = row::read(words, frame_len) else { continue };
            let Some(key) = row::key(words, &row, &mut key) else { continue };
            let at = packing.push(words.get(..row.words()).unwrap_or_default()).ok_or(Full)?;
            placed.push((hash_of(key), at));
        }
        let Packing { blocks, filled, words, garbage, .. } = packing;
        let table = Table::with((rows * 20).div_ceil(BUCKET * 13).max(1), blocks.into());
        for (hash, at) in &placed {
            table.insert(*hash, *at).ok_or(Full)?;
        }
        (self.books.rows, self.books.used) = (placed.len(), 0);
        (self.books.filled, self.books.words, self.books.garbage) = (filled, words, garbage);
        self.swap(table);
        Ok(())
    }

    /// Takes away the rows that are tombstones, and room that nobody came for.
    pub(super) fn sweep(&mut self, frame_len: FrameLen, hash_of: &dyn Fn(&[u8]) -> Hash) {
        if self.books.tombstones > 0 {
            self.sweep_tombstones(frame_len, hash_of);
        }
        self.fit(frame_len, hash_of);
    }

    fn sweep_tombstones(&mut self, frame_len: FrameLen, hash_of: &dyn Fn(&[u8]) -> Hash) {
        let table = self.books.table.clone();
        let mut key = Vec::new();
        let dead: Vec<Ref> =
            table.refs().filter(|at| row::read(table.row(*at), frame_len).is_some_and(|row| row.tombstone)).collect();
        for at in dead {
            let words = table.row(at);
            let found = row::read(words, frame_len)
                .and_then(|row| row::key(words, &row, &mut key))
                .and_then(|key| self.find(hash_of(key), key, frame_len));
            if let Some(found) = found {
                self.remove(&found);
            }
        }
        self.books.tombstones = 0;
        self.tidy(frame_len, hash_of);
    }
}

/// Rows copied behind each other into new blocks.
struct Packing {
    blocks: Vec<Block>,
    filled: usize,
    words: usize,
    garbage: usize,
    /// Words that are still to come.
    left: usize,
}

impl Packing {
    fn new(left: usize) -> Self {
        Self { blocks: Vec::new(), filled: 0, words: 0, garbage: 0, left }
    }

    fn push(&mut self, row: &[AtomicU64]) -> Option<Ref> {
        let last = self.blocks.last().map_or(0, |block| block.len());
        if self.filled + row.len() > last || self.filled >= MAX_BLOCK {
            self.garbage += last.saturating_sub(self.filled);
            let len = self.left.clamp(row.len(), MAX_BLOCK.max(row.len()));
            self.blocks.push(empty_block(len));
            (self.words, self.filled) = (self.words + len, 0);
        }
        let at = Ref::new(self.blocks.len() - 1, self.filled)?;
        let there = self.blocks.last()?.get(self.filled..self.filled + row.len())?;
        for (to, from) in there.iter().zip(row) {
            to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        self.filled += row.len();
        self.left = self.left.saturating_sub(row.len());
        Some(at)
    }
}

fn empty_block(words: usize) -> Block {
    (0..words).map(|_| AtomicU64::new(0)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use std::thread;

    use super::super::row::NewRow;
    use super::*;
    use crate::format::Codec;
    use crate::store::{Entry, Location};

    fn entry(version: u64) -> Entry {
        let location = Location { segment: version % 1000, offset: version, len: version };
        let codec = if version.is_multiple_of(2) { Codec::Raw } else { Codec::Lz4 };
        let expires_at = Some(version).filter(|version| version.is_multiple_of(3));
        Entry { location, stored_len: version, codec, tstamp: version, expires_at }
    }

    /// Every field of the row follows from its version, so that a mixture shows.
    #[test]
    fn a_reader_beside_a_writer_sees_whole_rows_only() {
        let shard = Shard::default();
        let hash_of = |key: &[u8]| Hash(key.len() as u64);
        let rounds = if cfg!(miri) { 50 } else { 20_000 };
        let put = |version: u64| {
            let mut held = shard.lock();
            let other = vec![b'l'; version as usize % 40];
            for key in [&b"key"[..], &other] {
                let new = NewRow::new(key, &entry(version), false, |_| 24);
                let done = match held.find(hash_of(key), key, |_| 24) {
                    Some(found) => held.replace(&found, &new),
                    None => held.insert(hash_of(key), &new, |_| 24, &hash_of),
                };
                assert_eq!(done, Ok(()));
            }
            held.tidy(|_| 24, &hash_of);
        };
        put(1);
        thread::scope(|scope| {
            let readers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let mut last = 0;
                        while last < rounds {
                            let row = shard.get(hash_of(b"key"), b"key", |_| 24).map(|row| row.entry);
                            let version = row.map_or(0, |entry| entry.tstamp);
                            assert_eq!(row, Some(entry(version)));
                            assert!(version >= last, "{version} after {last}");
                            last = version;
                        }
                    })
                })
                .collect();
            (2..=rounds).for_each(&put);
            for reader in readers {
                assert!(reader.join().is_ok());
            }
        });
    }

    #[test]
    fn a_shard_that_runs_out_of_references_says_so_and_keeps_what_it_has() {
        let shard = Shard::default();
        let hash_of = |key: &[u8]| Hash(u64::from(u32::from_be_bytes([key[0], key[1], key[2], key[3]])) << 40);
        let mut held = shard.lock();
        // Each needs a block of its own.
        let long = vec![7; MAX_BLOCK * 8];
        let put = |held: &mut Held<'_>, i: u32| {
            let key = [&i.to_be_bytes(), &long[..]].concat();
            held.insert(hash_of(&key), &NewRow::new(&key, &entry(3), false, |_| 24), |_| 24, &hash_of)
        };
        let fits = (0..).take_while(|i| put(&mut held, *i).is_ok()).count();
        assert_eq!(fits, super::super::table::MAX_BLOCKS);
        assert_eq!(held.books.rows, fits);
    }
}
