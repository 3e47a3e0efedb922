//! What the index looks like inside, for those who want to see it: how full its tables are, and the slot and the row of
//! one key as they stand in memory.
//!
//! Copies what it shows; must not keep a lock beyond that. Keeps: the parts of a row follow each other without a gap, and
//! together are the row.

use super::row::{self, RowPart};
use super::shard::Shard;
use super::{Keydir, shard_of};
use crate::store::Store;

/// The whole index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeydirShape {
    /// Parts with a lock each.
    pub shards: usize,
    /// Keys.
    pub entries: usize,
    /// Slots of all tables, taken or free.
    pub slots: usize,
    /// Bytes of all tables: four a slot.
    pub table_bytes: usize,
    /// Bytes set aside for rows.
    pub row_bytes: usize,
    /// Bytes of rows that were left behind when a key got a longer or shorter one, or went.
    pub unused_bytes: usize,
}

impl KeydirShape {
    /// The share of slots that are taken, 0 to 1.
    pub fn load_factor(&self) -> f64 {
        if self.slots == 0 { 0.0 } else { self.entries as f64 / self.slots as f64 }
    }
}

/// Where one key sits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeydirSlot {
    /// The keyed hash of the key.
    pub hash: u64,
    /// The part of the index that the hash leads to.
    pub shard: usize,
    /// The slot in that part's table.
    pub slot: usize,
    /// Slots of that table.
    pub slots: usize,
    /// Keys in that table.
    pub entries: usize,
    /// The row as it stands in memory, part by part.
    pub row: Vec<RowPart>,
}

impl Keydir {
    pub(super) fn shape(&self) -> KeydirShape {
        let mut shape = KeydirShape { shards: self.shards.len(), ..KeydirShape::default() };
        for shard in self.touched().map(Shard::lock) {
            let table = shard.table();
            shape.entries += shard.books.rows;
            shape.slots += table.slots().len();
            shape.table_bytes += table.slot_bytes();
            shape.row_bytes += table.row_bytes();
            shape.unused_bytes += shard.books.garbage * size_of::<u64>();
        }
        shape
    }

    fn slot(&self, key: &[u8]) -> Option<KeydirSlot> {
        let hash = self.hash(key);
        let at = shard_of(hash);
        let shard = self.shard(hash)?.lock();
        let table = shard.table();
        let (slot, reference) = table.find(hash, key)?;
        let row = row::parts(table.row(reference), self.frame_len)?;
        let (slots, entries) = (table.slots().len(), shard.books.rows);
        Some(KeydirSlot { hash: hash.0, shard: at, slot, slots, entries, row })
    }
}

impl Store {
    /// How the index is built and how full it is, as of now.
    pub fn keydir_shape(&self) -> KeydirShape {
        self.inner.contents().keydir.shape()
    }

    /// The slot of a key and its row as it stands in memory; `None` if the index has no such key.
    pub fn keydir_slot(&self, key: &[u8]) -> Option<KeydirSlot> {
        let contents = self.inner.contents();
        contents.keydir.slot(key)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::format::{Codec, FormatKind};
    use crate::store::{Entry, Location};

    fn entry(offset: u64, expires_at: Option<u64>) -> Entry {
        Entry {
            location: Location { segment: 1, offset, len: 40 },
            stored_len: 5,
            codec: Codec::Raw,
            tstamp: 9,
            expires_at,
        }
    }

    #[test]
    fn a_slot_shows_the_row_that_a_get_reads() {
        let keydir = Keydir::new(FormatKind::Native.format(), 1);
        let long = vec![b'k'; 300];
        for (key, entry) in [(&b"a"[..], entry(40, None)), (&long, entry(1 << 40, Some(77)))] {
            keydir.set(key, entry);
            let slot = keydir.slot(key).unwrap();
            let whole: Vec<u8> = slot.row.iter().flat_map(|part| part.bytes.clone()).collect();
            let words: Vec<AtomicU64> =
                whole.chunks(8).map(|word| AtomicU64::new(u64::from_le_bytes(word.try_into().unwrap()))).collect();
            let row = row::read(&words, |_| 0).unwrap();
            assert_eq!((row.entry.location.offset, row.entry.expires_at), (entry.location.offset, entry.expires_at));
            assert!(row::is_of(&words, key));
            assert_eq!(row.words(), words.len(), "the parts are the whole row");
            assert!(slot.slot < slot.slots && slot.entries >= 1);
        }
        assert_eq!(keydir.slot(b"b"), None);
    }

    #[test]
    fn the_shape_adds_up_to_what_the_keydir_says_it_takes() {
        let keydir = Keydir::new(FormatKind::Native.format(), 1);
        for key in 0..20_000u32 {
            keydir.set(&key.to_le_bytes(), entry(u64::from(key) * 40, None));
        }
        let shape = keydir.shape();
        assert_eq!((shape.entries, (shape.table_bytes + shape.row_bytes) as u64), (20_000, keydir.bytes()));
        assert!((0.2..0.9).contains(&shape.load_factor()), "{shape:?}");
        keydir.set(&0u32.to_le_bytes(), entry(40, Some(1)));
        assert!(keydir.shape().unused_bytes > 0, "a row of another length leaves its old one behind");
    }
}
