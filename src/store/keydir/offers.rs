//! Versions on their way into the index, many at once: sorted by shard, so that each shard is locked once for all of its
//! own, and its memory is asked for before it is needed.
//!
//! Keeps: what is taken in is what offering one by one in the same order would give, and the tally moves with every entry.

use std::ops::Range;

use super::table::Hash;
use super::{Keydir, newer, shard_of};
use crate::store::tally::Tally;
use crate::store::{Entry, Location};

/// So many are sorted at once: enough for a shard to get several, few enough to stay in a processor's own cache.
const BATCH: usize = 1 << 15;

/// Collected versions.
#[derive(Debug, Default)]
pub(in crate::store) struct Offers {
    pending: Vec<Pending>,
    keys: Vec<u8>,
    /// Places in `pending`, by shard.
    order: Vec<u32>,
}

#[derive(Debug)]
struct Pending {
    hash: Hash,
    key: usize,
    key_len: usize,
    tombstone: bool,
    entry: Entry,
}

impl Offers {
    /// Whether it is time to take them in.
    pub(in crate::store) fn is_full(&self) -> bool {
        self.pending.len() >= BATCH || self.keys.len() >= BATCH * 64
    }

    fn clear(&mut self) {
        self.pending.clear();
        self.keys.clear();
    }

    fn key(&self, pending: &Pending) -> &[u8] {
        self.keys.get(pending.key..pending.key + pending.key_len).unwrap_or_default()
    }

    /// Asks for the memory of all of these at once: they lie far apart, and waiting for one after the other is what taking
    /// them in would spend most of its time with.
    fn touch<'a>(&self, own: impl Iterator<Item = &'a Pending>) {
        let touched = own.fold(0, |sum, pending| {
            let Location { segment, offset, len } = pending.entry.location;
            let key = self.keys.get(pending.key).map_or(0, |byte| u64::from(*byte));
            sum ^ key ^ segment ^ offset ^ len ^ pending.entry.tstamp ^ pending.entry.expires_at.unwrap_or(0)
        });
        std::hint::black_box(touched);
    }

    /// Sorts by shard, and says where in the order each one's are; those of one shard stay in their order. Threads that do
    /// this at once begin in different places.
    fn sort(&mut self) -> Vec<(usize, Range<usize>)> {
        let mut counts = [0; Keydir::SHARDS];
        for pending in &self.pending {
            if let Some(count) = counts.get_mut(shard_of(pending.hash)) {
                *count += 1;
            }
        }
        let (mut runs, mut next, mut sum) = (Vec::new(), counts, 0);
        for (shard, (next, count)) in next.iter_mut().zip(counts).enumerate().filter(|(_, (_, count))| *count > 0) {
            *next = sum;
            runs.push((shard, sum..sum + count));
            sum += count;
        }
        self.order.clear();
        self.order.resize(sum, 0);
        for (i, pending) in self.pending.iter().enumerate() {
            let Some(at) = next.get_mut(shard_of(pending.hash)) else { continue };
            if let Some(place) = self.order.get_mut(*at) {
                // There are not much more than [`BATCH`].
                *place = i as u32;
            }
            *at += 1;
        }
        let first = self.pending.first().map_or(0, |pending| shard_of(pending.hash));
        let behind = runs.partition_point(|(shard, _)| *shard < first);
        runs.rotate_left(behind);
        runs
    }
}

impl Keydir {
    /// Puts a version read from a segment to the others.
    pub(in crate::store) fn collect(&self, offers: &mut Offers, key: &[u8], entry: Entry, tombstone: bool) {
        let at = offers.keys.len();
        offers.keys.extend_from_slice(key);
        offers.pending.push(Pending { hash: self.hash(key), key: at, key_len: key.len(), tombstone, entry });
    }

    /// Offers all that was collected, each a version that counts if it is newer, and leaves nothing of it.
    pub(in crate::store) fn take_in(&self, offers: &mut Offers, tally: &mut Tally) {
        for (shard, own) in offers.sort() {
            self.take_in_shard(shard, offers, offers.order.get(own).unwrap_or_default(), tally);
        }
        offers.clear();
    }

    fn take_in_shard(&self, shard: usize, offers: &Offers, own: &[u32], tally: &mut Tally) {
        let Some(shard) = self.shards.get(shard) else { return };
        let mut shard = shard.get_or_init(Box::default).lock();
        let own = || own.iter().filter_map(|i| offers.pending.get(*i as usize));
        offers.touch(own());
        shard.touch(own().map(|pending| pending.hash));
        let mut expiries: Vec<(&[u8], Option<u64>, Option<u64>)> = Vec::new();
        for pending in own() {
            let Pending { hash, tombstone, entry, .. } = pending;
            let key = offers.key(pending);
            let wins = |old: Option<&Entry>| old.is_none_or(|old| newer(self.order, entry, old));
            let Some(placed) = self.place_in(&mut shard, *hash, key, entry, *tombstone, wins) else { continue };
            if !tombstone {
                tally.born(entry.location);
            }
            if let Some(old) = placed.was_live() {
                tally.died(old.location);
            }
            let (old, new) = placed.expiries(entry, *tombstone);
            if old != new {
                expiries.push((key, old, new));
            }
        }
        self.tidy(&mut shard);
        drop(shard);
        expiries.into_iter().for_each(|(key, old, new)| self.reschedule(key, old, new));
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn many_at_once_come_to_the_same_as_one_by_one_and_are_counted_exactly() {
        let [one_by_one, at_once] = [1, 2].map(|seed| Keydir::new(FormatKind::Native.format(), seed));
        let (mut offers, mut tally) = (Offers::default(), Tally::default());
        for (i, (key, entry, tombstone)) in versions().into_iter().enumerate() {
            one_by_one.offer(&key, entry, tombstone);
            at_once.collect(&mut offers, &key, entry, tombstone);
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
