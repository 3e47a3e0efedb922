//! Sorting some of the keys, and packing them.
//!
//! Nearly all comparisons are of eight bytes that are at hand: those behind what all keys begin with alike. Keys that are
//! alike in these, too, are sorted by the next eight, and so on. Must not know where the keys come from.

use super::block::{Packer, common};
use super::list::KeyList;

/// So few keys are compared whole.
const FEW: usize = 16;
/// So often the next eight bytes are taken; then keys are compared whole.
const LEVELS: usize = 32;
/// Keys, and about so many bytes, of a block of a run that is to be merged: large, so that what is given up piece by piece
/// is of use for whatever comes next.
const MERGED: (usize, usize) = (1 << 11, 16 << 10);
/// Bytes of a key's length. A foreign store's keys may be longer than ours.
const LEN_BYTES: usize = 4;

/// Keys in no order, each behind its length.
#[derive(Debug, Default)]
pub(super) struct Heap {
    bytes: Vec<u8>,
    keys: Vec<Key>,
}

/// Eight bytes of a key, and where all of them are.
#[derive(Clone, Copy, Debug)]
struct Key {
    head: u64,
    place: usize,
}

impl Key {
    fn of<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let rest = bytes.get(self.place..).unwrap_or_default();
        let Some((len, rest)) = rest.split_first_chunk::<LEN_BYTES>() else { return &[] };
        rest.get(..u32::from_le_bytes(*len) as usize).unwrap_or_default()
    }
}

/// A packer for a run that is to be merged with others.
pub(super) fn packer() -> Packer {
    Packer::new(MERGED.0, MERGED.1)
}

impl Heap {
    /// Takes a key.
    pub(super) fn push(&mut self, key: &[u8]) {
        let Ok(len) = u32::try_from(key.len()) else { return };
        self.keys.push(Key { head: 0, place: self.bytes.len() });
        self.bytes.extend_from_slice(&len.to_le_bytes());
        self.bytes.extend_from_slice(key);
    }

    /// The keys in their order. It is empty then, and keeps its memory.
    pub(super) fn take_sorted(&mut self, mut packer: Packer) -> KeyList {
        sort(&self.bytes, &mut self.keys, 0);
        self.keys.iter().for_each(|key| packer.push(key.of(&self.bytes)));
        self.keys.clear();
        self.bytes.clear();
        let mut list = KeyList::new();
        list.extend(packer.finish());
        list
    }
}

fn sort(bytes: &[u8], keys: &mut [Key], level: usize) {
    if keys.len() <= FEW || level >= LEVELS {
        return keys.sort_unstable_by(|a, b| a.of(bytes).cmp(b.of(bytes)));
    }
    let stem = stem(bytes, keys);
    keys.iter_mut().for_each(|key| key.head = head(key.of(bytes), stem));
    keys.sort_unstable_by_key(|key| key.head);
    for alike in keys.chunk_by_mut(|a, b| a.head == b.head).filter(|alike| alike.len() > 1) {
        // One that ends within the eight bytes is followed by zeros there, which others may really have.
        let level = if alike.iter().all(|key| key.of(bytes).len() >= stem + 8) { level + 1 } else { LEVELS };
        sort(bytes, alike, level);
    }
}

/// How many bytes all keys begin with alike.
fn stem(bytes: &[u8], keys: &[Key]) -> usize {
    let first = keys.first().map(|key| key.of(bytes)).unwrap_or_default();
    keys.iter().fold(first.len(), |stem, key| {
        let stem = first.get(..stem).unwrap_or_default();
        if key.of(bytes).starts_with(stem) { stem.len() } else { common(stem, key.of(bytes)) }
    })
}

/// Eight bytes behind a stem, as a number that is ordered as they are.
pub(super) fn head(key: &[u8], stem: usize) -> u64 {
    let rest = key.get(stem..).unwrap_or_default();
    match rest.first_chunk() {
        Some(eight) => u64::from_be_bytes(*eight),
        None => rest.iter().chain(std::iter::repeat(&0)).take(8).fold(0, |head, byte| head << 8 | u64::from(*byte)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        /// Keys that share long beginnings, that are beginnings of others, and that end in zeros.
        #[test]
        fn keys_are_sorted_whatever_they_share(
            stems in proptest::collection::vec(proptest::collection::vec(0..3_u8, 0..40), 1..5),
            ends in proptest::collection::vec((0..5_usize, proptest::collection::vec(0..2_u8, 0..20)), 0..400),
        ) {
            let keys: BTreeSet<Vec<u8>> =
                ends.iter().map(|(i, end)| [&stems.get(i % stems.len()).cloned().unwrap_or_default()[..], end].concat()).collect();
            let mut heap = Heap::default();
            keys.iter().rev().for_each(|key| heap.push(key));
            let list = heap.take_sorted(KeyList::packer());
            let mut walk = list.walk(0);
            let walked: Vec<Vec<u8>> = std::iter::from_fn(|| walk.next().map(<[u8]>::to_vec)).collect();
            prop_assert_eq!(walked, keys.into_iter().collect::<Vec<_>>());
        }
    }

    /// A key of a foreign store was told by 16 bits of its length.
    #[test]
    fn a_key_that_is_longer_than_ours_may_be_is_sorted_whole() {
        let mut heap = Heap::default();
        let keys = [vec![b'a'; 70_000], vec![b'a'; 70_001], vec![b'b'; 70_000]];
        keys.iter().rev().for_each(|key| heap.push(key));
        let list = heap.take_sorted(KeyList::packer());
        assert!((0..3).map(|rank| list.get(rank)).eq(keys.into_iter().map(Some)));
    }
}
