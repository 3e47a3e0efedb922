//! A shard as it lies in a checkpoint: its table as it is in memory, lengths of blocks, slots, words.
//!
//! Neither way is a row looked at, so that a million keys take no longer than their bytes. Must not know files: bytes come
//! and go in pieces. What stands in slots and rows is believed no further than a table believes itself: a reference that
//! leads nowhere is a key that is not found. Keeps: the numbers that changes go by are counted here, not believed.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::shard::{Books, Shard};
use super::table::{self, Block, MAX_BLOCKS, Table};
use super::{Keydir, shard_of};
use crate::format::ShardImage;

const LEN: usize = size_of::<u32>();
const WORD: usize = size_of::<u64>();
const BUCKET_LEN: usize = table::BUCKET * size_of::<u32>();
/// Bytes that are handed out at once.
const PIECE: usize = 64 << 10;

/// Where the bytes of an image come from.
pub(in crate::store) trait Pieces {
    /// Exactly the next `len` bytes.
    fn next(&mut self, len: usize) -> io::Result<&[u8]>;
}

/// A shard that was read, and belongs to nobody yet.
#[derive(Debug)]
pub(in crate::store) struct ReadShard {
    shard: usize,
    books: Books,
}

impl ReadShard {
    /// Reads an image. `None`: its parts do not fit each other.
    pub(in crate::store) fn read(image: &ShardImage, pieces: &mut dyn Pieces) -> io::Result<Option<Self>> {
        let (blocks, slots) = (image.blocks as usize, image.buckets as usize * BUCKET_LEN);
        if blocks > MAX_BLOCKS {
            return Ok(None);
        }
        let lens: Vec<usize> = pieces.next(blocks * LEN)?.as_chunks().0.iter().map(length).collect();
        if lens.iter().sum::<usize>() != image.words as usize {
            return Ok(None);
        }
        let bytes = pieces.next(slots)?;
        let of_slots = || bytes.as_chunks().0.iter().map(|slot| u32::from_le_bytes(*slot));
        let rows = of_slots().filter(|slot| table::refers(*slot)).count();
        let used = of_slots().filter(|slot| table::is_used(*slot)).count();
        if (rows, used) != (image.keys as usize, image.freed as usize) {
            return Ok(None);
        }
        let slots = of_slots().map(AtomicU32::new).collect();
        let mut read = Vec::with_capacity(blocks);
        for len in &lens {
            let words: Block = pieces.next(len * WORD)?.as_chunks().0.iter().map(word).collect();
            read.push(words);
        }
        let garbage = image.unused_words.min(image.words) as usize;
        let books = Books::of(Table::of(slots, read.into()), rows, used, garbage);
        Ok(Some(Self { shard: image.shard as usize, books }))
    }
}

fn length(bytes: &[u8; LEN]) -> usize {
    u32::from_le_bytes(*bytes) as usize
}

fn word(bytes: &[u8; WORD]) -> AtomicU64 {
    AtomicU64::new(u64::from_le_bytes(*bytes))
}

impl Keydir {
    /// What the hash is keyed by.
    pub(in crate::store) fn seed(&self) -> u64 {
        self.seed
    }

    /// Makes a shard that was read one of this keydir's, in place of an empty one.
    pub(in crate::store) fn adopt(&self, read: ReadShard) {
        if let Some(shard) = self.shards.get(read.shard) {
            shard.get_or_init(Box::default).lock().adopt(read.books);
        }
    }

    /// Takes the expiries of a shard that was adopted into the list of those who wait.
    pub(in crate::store) fn await_expiries(&self, shard: usize) {
        let mut waiting = Vec::new();
        self.for_each_in(shard, |key, entry| {
            waiting.extend(entry.expires_at.map(|at| (at, std::sync::Arc::from(key))));
        });
        self.expiring.lock().extend(waiting);
    }

    /// Whether a shard has an image.
    pub(in crate::store) fn has_keys(&self, shard: usize) -> bool {
        self.shard_at(shard).is_some_and(|shard| shard.lock().books.rows > 0)
    }

    /// How many keys of each shard wait for their expiry, where any do.
    pub(in crate::store) fn expiries(&self) -> BTreeMap<usize, u32> {
        let mut counts = BTreeMap::new();
        for (_, key) in self.expiring.lock().iter() {
            *counts.entry(shard_of(self.hash(key))).or_default() += 1;
        }
        counts
    }

    /// Hands out the image of a shard as of one moment, and returns what there is to say of it but for its checksum. `None`
    /// if it has no keys. An error if it is not all of it keys: then it is still being loaded.
    pub(in crate::store) fn image(
        &self,
        shard: usize,
        put: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<Option<ShardImage>> {
        let Some(held) = self.shard_at(shard).map(Shard::lock) else {
            return Ok(None);
        };
        let books = &*held.books;
        if books.tombstones > 0 {
            return Err(io::Error::other("a tombstone is still in the keydir"));
        }
        if books.rows == 0 {
            return Ok(None);
        }
        let table = held.table();
        let (rest, last) = match table.blocks().split_last() {
            Some((last, rest)) => (rest, last.get(..books.filled)),
            None => (&[][..], None),
        };
        let blocks: Vec<&[AtomicU64]> = rest.iter().map(|block| &block[..]).chain(last).collect();
        let small = |number: usize| u32::try_from(number).map_err(io::Error::other);
        let lens = blocks.iter().map(|block| small(block.len())).collect::<io::Result<Vec<u32>>>()?;
        put_all(lens.iter().map(|len| len.to_le_bytes()), put)?;
        put_all(table.slots().iter().map(|slot| slot.load(Ordering::Relaxed).to_le_bytes()), put)?;
        for block in &blocks {
            put_all(block.iter().map(|word| word.load(Ordering::Relaxed).to_le_bytes()), put)?;
        }
        Ok(Some(ShardImage {
            shard: small(shard)?,
            buckets: small(table.slots().len() / table::BUCKET)?,
            blocks: small(blocks.len())?,
            words: small(blocks.iter().map(|block| block.len()).sum())?,
            keys: small(books.rows)?,
            freed: small(books.used)?,
            expiring: 0,
            unused_words: small(books.garbage)?,
            crc: 0,
        }))
    }
}

/// Hands out numbers in pieces.
fn put_all<const N: usize>(
    numbers: impl Iterator<Item = [u8; N]>,
    put: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut piece = Vec::with_capacity(PIECE + N);
    for number in numbers {
        piece.extend_from_slice(&number);
        if piece.len() >= PIECE {
            put(&piece)?;
            piece.clear();
        }
    }
    put(&piece)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::format::{Codec, FormatKind};
    use crate::store::{Entry, Location};

    struct Bytes<'a>(&'a [u8]);

    impl Pieces for Bytes<'_> {
        fn next(&mut self, len: usize) -> io::Result<&[u8]> {
            let (piece, rest) = self.0.split_at_checked(len).ok_or(io::ErrorKind::UnexpectedEof)?;
            self.0 = rest;
            Ok(piece)
        }
    }

    fn entry(key: &[u8], at: u64, expires_at: Option<u64>) -> Entry {
        let len = 24 + if expires_at.is_some() { 8 } else { 0 } + key.len() as u64 + 1;
        let location = Location { segment: 1, offset: at, len };
        Entry { location, stored_len: 1, codec: Codec::Raw, tstamp: 1000 + at, expires_at }
    }

    fn native(seed: u64) -> Keydir {
        Keydir::new(FormatKind::Native.format(), seed)
    }

    /// Keys short and long, some overwritten by longer rows, some taken away.
    fn filled() -> Keydir {
        let keydir = native(7);
        for i in 0..20_000u64 {
            let key = key(i);
            keydir.set(&key, entry(&key, i, (i % 10 == 0).then_some(50 + i)));
            if i % 3 == 0 {
                keydir.set(&key, entry(&key, i, Some(50 + i)));
            }
            if i % 7 == 0 {
                keydir.remove(&key);
            }
        }
        keydir
    }

    fn key(i: u64) -> Vec<u8> {
        [&i.to_be_bytes()[..], &vec![b'x'; if i.is_multiple_of(500) { 40_000 } else { i as usize % 30 }]].concat()
    }

    fn images(keydir: &Keydir) -> Vec<(ShardImage, Vec<u8>)> {
        let mut images = Vec::new();
        for shard in 0..Keydir::SHARDS {
            let mut bytes = Vec::new();
            let image = keydir.image(shard, &mut |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            });
            images.extend(image.unwrap().map(|image| (image, bytes)));
        }
        images
    }

    fn listed(keydir: &Keydir) -> BTreeMap<Vec<u8>, Entry> {
        let mut all = BTreeMap::new();
        keydir.for_each(|key, entry| {
            all.insert(key.to_vec(), *entry);
        });
        all
    }

    fn read_back(images: &[(ShardImage, Vec<u8>)]) -> Keydir {
        let keydir = native(7);
        for (image, bytes) in images {
            assert_eq!(image.len(), bytes.len() as u64);
            keydir.adopt(ReadShard::read(image, &mut Bytes(bytes)).unwrap().unwrap());
        }
        keydir
    }

    #[test]
    fn what_was_written_is_read_back_and_goes_on_as_if_nothing_had_been() {
        let (keydir, back) = (filled(), read_back(&images(&filled())));
        assert_eq!(back.len(), keydir.len());
        assert_eq!(listed(&back), listed(&keydir));
        for keydir in [&keydir, &back] {
            for i in 0..25_000u64 {
                let key = key(i);
                if i % 2 == 0 {
                    keydir.remove(&key)
                } else {
                    keydir.set(&key, entry(&key, i + 1, None))
                };
            }
        }
        assert_eq!(listed(&back), listed(&keydir));
        assert!((0..25_000u64).all(|i| back.get(&key(i)) == keydir.get(&key(i))));
    }

    #[test]
    fn those_who_wait_for_their_expiry_wait_on() {
        let keydir = filled();
        let back = read_back(&images(&keydir));
        let counts = keydir.expiries();
        assert!(back.expiries().is_empty());
        counts.keys().for_each(|shard| back.await_expiries(*shard));
        assert_eq!(back.expiries(), counts);
        assert_eq!(back.expire(10_000).len(), keydir.expire(10_000).len());
        assert_eq!(listed(&back), listed(&keydir));
    }

    #[test]
    fn the_image_of_a_shard_without_keys_is_none() {
        assert!(images(&native(7)).is_empty());
    }

    /// Whatever stands in slots and rows, and whatever the line claims, everything comes to an end and nothing panics.
    #[test]
    fn a_made_up_image_does_no_harm() {
        let keydir = native(7);
        for i in 0..4000u64 {
            keydir.set(&i.to_le_bytes(), entry(&[0; 8], i, (i % 5 == 0).then_some(9)));
        }
        let (image, bytes) = images(&keydir).swap_remove(3);
        let mut seed = 1u64;
        for round in 0..400 {
            let mut bytes = bytes.clone();
            for _ in 0..1 + round % 8 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = (seed >> 33) as usize % bytes.len();
                bytes[at] = if round % 3 == 0 { 0xff } else { (seed >> 20) as u8 };
            }
            let slots = bytes[4 * image.blocks as usize..][..64 * image.buckets as usize].as_chunks().0;
            let count =
                |counts: fn(u32) -> bool| slots.iter().filter(|slot| counts(u32::from_le_bytes(**slot))).count();
            let (keys, freed) = (count(table::refers) as u32, count(table::is_used) as u32);
            let image = ShardImage { keys, freed, unused_words: seed as u32, ..image };
            let Ok(Some(read)) = ReadShard::read(&image, &mut Bytes(&bytes)) else { continue };
            let keydir = native(7);
            keydir.adopt(read);
            keydir.await_expiries(image.shard as usize);
            keydir.for_each(|_, _| {});
            for i in 0..200u64 {
                keydir.get(&i.to_le_bytes());
                keydir.offer(&i.to_le_bytes(), entry(&[0; 8], i, None), i % 2 == 0);
                keydir.remove(&(i * 7).to_le_bytes());
            }
            keydir.finish_loading(1);
            keydir.expire(u64::MAX);
            keydir.len();
        }
    }

    #[test]
    fn parts_that_do_not_fit_each_other_are_refused() {
        let (image, bytes) = images(&filled()).swap_remove(0);
        let refused = |image: ShardImage| {
            let read = ReadShard::read(&image, &mut Bytes(&bytes));
            assert!(!matches!(read, Ok(Some(_))), "{image:?}");
        };
        refused(ShardImage { keys: image.keys + 1, ..image });
        refused(ShardImage { freed: image.freed + 1, ..image });
        refused(ShardImage { words: image.words - 1, ..image });
        refused(ShardImage { blocks: u32::MAX, ..image });
        refused(ShardImage { buckets: image.buckets + 1, ..image });
    }
}
