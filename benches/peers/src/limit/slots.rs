//! The smallest index that serves: one word a key, half full at most, sized beforehand. The key itself is compared in the
//! record.

use crate::key::Key;

/// Bits of a slot that say where the record is: 64 GiB.
const PLACE: u32 = 36;

pub(super) struct Slots {
    /// Tag above place; 0 is empty, so places are stored plus one.
    slots: Vec<u64>,
    shift: u32,
}

impl Slots {
    pub(super) fn new(keys: u64) -> Self {
        let len = (keys * 2).next_power_of_two().max(64);
        Self { slots: vec![0; len as usize], shift: len.leading_zeros() + 1 }
    }

    /// Keyed, as it has to be where keys come from strangers.
    fn hash(key: &Key) -> u64 {
        let (low, high) = key.split_at(8);
        let word = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
        let product = u128::from(word(low) ^ 0x2d35_8dcc_aa6c_78a5) * u128::from(word(high) ^ 0x8bb8_4b93_962e_acc9);
        (product as u64) ^ ((product >> 64) as u64)
    }

    /// Puts a key's place in the stead of one with the same tag.
    pub(super) fn insert(&mut self, key: &Key, place: u64) {
        let hash = Self::hash(key);
        let (mask, tag) = (self.slots.len() - 1, hash << PLACE);
        let mut at = (hash >> self.shift) as usize;
        loop {
            let slot = &mut self.slots[at & mask];
            if *slot == 0 || (*slot >> PLACE) << PLACE == tag {
                *slot = tag | (place + 1);
                return;
            }
            at += 1;
        }
    }

    /// The place that `is_it` says is the key's.
    pub(super) fn find<T>(&self, key: &Key, mut is_it: impl FnMut(u64) -> Option<T>) -> Option<T> {
        let hash = Self::hash(key);
        let (mask, tag) = (self.slots.len() - 1, hash << PLACE);
        let mut at = (hash >> self.shift) as usize;
        loop {
            let slot = self.slots[at & mask];
            if slot == 0 {
                return None;
            }
            if (slot >> PLACE) << PLACE == tag
                && let Some(found) = is_it((slot & ((1 << PLACE) - 1)) - 1)
            {
                return Some(found);
            }
            at += 1;
        }
    }
}
