//! Versions on their way into the index, many at once: each as the row that it will be, beside the others of its shard, so
//! that each shard is locked once for all of its own, and its table stays in the processor's cache meanwhile.
//!
//! Keeps: what is taken in is what offering one by one would give, and the tally moves with every entry. Memory is
//! [`ROOM`] words a shard and, beyond that, one row.

use super::row::{self, NewRow, RowWords};
use super::table::Hash;
use super::{Keydir, newer, shard_of};
use crate::store::tally::{Live, Tally};
use crate::store::{Entry, Location};

/// Words of rows that wait for one shard: some four hundred rows, so that looking at a shard pays, in 8 MiB for all shards. No
/// power of two: rows of different shards would get in each other's way in the processor's cache.
const ROOM: usize = (1 << 11) + 8;
/// The same of a load that may turn out to be small, as most are.
const FEW: usize = 24;

/// Collected versions. Each is the hash of its key, and then its row.
#[derive(Debug, Default)]
pub(in crate::store) struct Offers {
    /// `room` words a shard.
    rows: Vec<u64>,
    /// [`FEW`], and [`ROOM`] from the time when that did not do; 0 before the first version.
    room: usize,
    /// How many of its words each shard has filled.
    filled: Vec<usize>,
    /// Versions that found no room.
    rest: Vec<u64>,
    /// The shard of the first version: threads that do this at once begin in different places.
    first: Option<usize>,
}

impl Offers {
    /// Whether it is time to take them in.
    pub(in crate::store) fn is_full(&self) -> bool {
        !self.rest.is_empty()
    }

    fn make_room(&mut self, room: usize) {
        // Memory that is not touched before it is used.
        self.rows = vec![0; Keydir::SHARDS * room];
        self.filled = vec![0; Keydir::SHARDS];
        self.room = room;
    }

    /// So many words for a version of a key of this shard.
    fn place(&mut self, shard: usize, words: usize) -> Option<&mut [u64]> {
        if self.room == 0 {
            self.make_room(FEW);
        }
        self.first.get_or_insert(shard);
        let filled = self.filled.get_mut(shard)?;
        if *filled + words > self.room {
            let at = self.rest.len();
            self.rest.resize(at + words, 0);
            return self.rest.get_mut(at..);
        }
        let at = shard * self.room + *filled;
        *filled += words;
        self.rows.get_mut(at..at + words)
    }

    fn of_shard(&self, shard: usize) -> &[u64] {
        let filled = self.filled.get(shard).copied().unwrap_or(0);
        let first = shard * self.room;
        self.rows.get(first..first + filled).unwrap_or_default()
    }

    fn clear(&mut self) {
        if self.room < ROOM && !self.rest.is_empty() {
            self.make_room(ROOM);
        }
        self.filled.fill(0);
        self.rest.clear();
        self.first = None;
    }
}

/// The versions that lie behind each other here.
fn versions(mut words: &[u64]) -> impl Iterator<Item = (Hash, &[u64])> {
    std::iter::from_fn(move || {
        let (hash, behind) = words.split_first()?;
        let (row, behind) = behind.split_at_checked(row::len(behind)?)?;
        words = behind;
        Some((Hash(*hash), row))
    })
}

impl Keydir {
    /// Puts a version read from a segment to the others.
    pub(in crate::store) fn collect(&self, offers: &mut Offers, key: &[u8], entry: &Entry, tombstone: bool) {
        let hash = self.hash(key);
        let row = NewRow::new(key, entry, tombstone, self.frame_len);
        if let Some((first, words)) = offers.place(shard_of(hash), 1 + row.words()).and_then(<[u64]>::split_first_mut) {
            *first = hash.0;
            row.put_by(words);
        }
    }

    /// Offers all that was collected, each a version that counts if it is newer, and leaves nothing of it.
    pub(in crate::store) fn take_in(&self, offers: &mut Offers, tally: &mut Tally) {
        let Some(first) = offers.first else { return };
        for shard in (first..Self::SHARDS).chain(0..first) {
            self.take_in_shard(shard, offers.of_shard(shard), tally);
        }
        for (hash, row) in versions(&offers.rest) {
            let words = [&[hash.0], row].concat();
            self.take_in_shard(shard_of(hash), &words, tally);
        }
        offers.clear();
    }

    /// Takes in versions of keys of one shard.
    fn take_in_shard(&self, shard: usize, words: &[u64], tally: &mut Tally) {
        let Some(shard) = self.shards.get(shard).filter(|_| !words.is_empty()) else { return };
        let mut shard = shard.get_or_init(Box::default).lock();
        shard.touch(versions(words).map(|(hash, _)| hash));
        let mut born = Born::default();
        let mut expiries = Vec::new();
        for (hash, words) in versions(words) {
            let Some(row) = row::read(words, self.frame_len) else { continue };
            let found = shard.find_like(hash, words, self.frame_len);
            if found.is_some_and(|found| !newer(self.order, &row.entry, &found.row.entry)) {
                continue;
            }
            let Some(placed) = self.put_row(&mut shard, hash, found, words, row.tombstone) else { continue };
            if !row.tombstone {
                born.one(row.entry.location, tally);
            }
            if let Some(old) = placed.was_live() {
                tally.died(old.location);
            }
            let (old, new) = placed.expiries(&row.entry, row.tombstone);
            if old != new {
                expiries.push((words, row, old, new));
            }
        }
        born.tell(tally);
        self.tidy(&mut shard);
        drop(shard);
        let mut bytes = Vec::new();
        for (words, row, old, new) in expiries {
            if let Some(key) = row::key(words, &row, &mut bytes) {
                self.reschedule(key, old, new);
            }
        }
    }
}

/// Records that the keydir came to point at, one after the other, mostly of one segment.
#[derive(Debug, Default)]
struct Born {
    segment: u64,
    live: Live,
}

impl Born {
    fn one(&mut self, at: Location, tally: &mut Tally) {
        if at.segment != self.segment {
            self.tell(tally);
            self.segment = at.segment;
        }
        self.live.records += 1;
        self.live.bytes += at.len;
    }

    fn tell(&mut self, tally: &mut Tally) {
        let live = std::mem::take(&mut self.live);
        if live.records > 0 {
            tally.many_born(self.segment, live);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use std::sync::Arc;

    use super::*;
    use crate::format::{Codec, FormatKind};
    use crate::store::Location;
    use crate::store::tally::Live;

    fn entry(segment: u64, offset: u64, tstamp: u64, expires_at: Option<u64>) -> Entry {
        Entry { location: Location { segment, offset, len: 26 }, stored_len: 1, codec: Codec::Raw, tstamp, expires_at }
    }

    /// Versions of a few thousand keys in some order, from two segments, with tombstones and expiries among them.
    fn versions() -> Vec<([u8; 2], Entry, bool)> {
        let mut state = 7_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        (0..20_000)
            .map(|i| {
                let key = (next(3_000) as u16).to_le_bytes();
                let expires_at = (next(5) == 0).then(|| next(100));
                (key, entry(1 + i % 2, 40 + i, next(1_000), expires_at), next(7) == 0)
            })
            .collect()
    }

    /// Keys of any length, of which none or few fit beside others of their shard.
    #[test]
    fn rows_that_find_no_room_are_taken_in_with_the_others() {
        let keydir = Keydir::new(FormatKind::Native.format(), 3);
        let (mut offers, mut tally) = (Offers::default(), Tally::default());
        let lens = [0, 1, 150, 200, 16_000, 16_384, 65_535];
        let key = |i: u64| [vec![7; lens[i as usize % lens.len()]], i.to_le_bytes().to_vec()].concat();
        for i in 0..200 {
            keydir.collect(&mut offers, &key(i), &entry(1, 40 + i, i, None), false);
            if i % 50 == 49 {
                assert!(offers.is_full());
                keydir.take_in(&mut offers, &mut tally);
                assert!(!offers.is_full());
            }
        }
        assert_eq!((keydir.len(), tally.of(1)), (200, Live { records: 200, bytes: 200 * 26 }));
        assert!((0..200).all(|i| keydir.get(&key(i)) == Some(entry(1, 40 + i, i, None))));
    }

    #[test]
    fn many_at_once_come_to_the_same_as_one_by_one_and_are_counted_exactly() {
        let [one_by_one, at_once] = [1, 2].map(|seed| Keydir::new(FormatKind::Native.format(), seed));
        let (mut offers, mut tally) = (Offers::default(), Tally::default());
        for (i, (key, entry, tombstone)) in versions().into_iter().enumerate() {
            one_by_one.offer(&key, entry, tombstone);
            at_once.collect(&mut offers, &key, &entry, tombstone);
            if i % 4_321 == 0 {
                at_once.take_in(&mut offers, &mut tally);
            }
        }
        at_once.take_in(&mut offers, &mut tally);
        [&one_by_one, &at_once].into_iter().for_each(|keydir| keydir.finish_loading(1));
        let all = |keydir: &Keydir| {
            let mut all = Vec::new();
            keydir.for_each(|key, entry| all.push((key.to_vec(), *entry)));
            all.sort_by(|(a, _), (b, _)| a.cmp(b));
            all
        };
        let (all, other) = (all(&one_by_one), all(&at_once));
        assert!(all.len() > 1_000);
        assert_eq!(all, other);
        for segment in [1, 2] {
            let records = all.iter().filter(|(_, entry)| entry.location.segment == segment).count() as u64;
            assert_eq!(tally.of(segment), Live { records, bytes: records * 26 });
        }
        let waiting = |keydir: &Keydir| keydir.expiring.lock().iter().cloned().collect::<Vec<(u64, Arc<[u8]>)>>();
        assert!(!waiting(&one_by_one).is_empty());
        assert_eq!(waiting(&one_by_one), waiting(&at_once));
    }
}
