//! Pointing rows at copies of their records, all rows of a shard at once.
//!
//! Must not know: where the copies come from. Keeps: a row changes nothing but the place that it points at.

use std::sync::atomic::Ordering;

use super::row::NewRow;
use super::shard::{Found, Full, Shard};
use super::{Keydir, Location};
use crate::store::Entry;

impl Keydir {
    /// Points every live key of one shard at the copy of its record, where `copy_of` knows of one, as of one moment. Adds
    /// what it pointed at before, and what it points at now, to `moved`. Writers to the shard wait meanwhile.
    pub(in crate::store) fn relocate_in(
        &self,
        shard: usize,
        copy_of: impl Fn(Location) -> Option<Location>,
        moved: &mut Vec<(Location, Location)>,
    ) {
        let Some(mut shard) = self.shard_at(shard).map(Shard::lock) else { return };
        let slots = 0..shard.table().slots().len();
        let rows: Vec<Found> = slots.filter_map(|slot| shard.at(slot, self.frame_len)).collect();
        // By itself, so that the processor asks for what it needs of many before it has the first.
        let copies: Vec<Option<Location>> = rows.iter().map(|found| copy_of(found.row.entry.location)).collect();
        let mut key = Vec::new();
        for (found, to) in rows.iter().zip(copies).filter(|(found, _)| !found.row.tombstone) {
            let (Some(to), Some(key)) = (to, shard.key(found, &mut key)) else { continue };
            let new = NewRow::new(key, &Entry { location: to, ..found.row.entry }, false, self.frame_len);
            match shard.replace(found, &new) {
                Ok(()) => moved.push((found.row.entry.location, to)),
                Err(Full) => self.full.store(true, Ordering::Relaxed),
            }
        }
        self.tidy(&mut shard);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;
    use crate::format::{Codec, FormatKind};

    fn entry(segment: u64, offset: u64, expires_at: Option<u64>) -> Entry {
        let len = 24 + 2 + 1 + if expires_at.is_some() { 8 } else { 0 };
        let location = Location { segment, offset, len };
        Entry { location, stored_len: 1, codec: Codec::Raw, tstamp: 7, expires_at }
    }

    /// A put that comes while its record is copied has superseded it; a key that went stays away. Ids of more than 16 bits
    /// make rows longer.
    #[test]
    fn a_key_moves_to_its_copy_only_while_its_entry_is_the_one_that_was_copied() {
        for output in [9, 1 << 20] {
            let keydir = Keydir::new(FormatKind::Native.format(), 1);
            let keys: Vec<[u8; 2]> = (0..6_000_u16).map(u16::to_le_bytes).collect();
            let was = |i: usize| entry(1 + i as u64 % 2, 40 + i as u64 * 30, i.is_multiple_of(3).then_some(90));
            assert!(keys.iter().enumerate().all(|(i, key)| keydir.set(key, was(i)).is_none()));
            keydir.set(&keys[10], entry(3, 40, None));
            keydir.remove(&keys[20]);
            let copy_of = |from: Location| {
                (from.segment == 1).then_some(Location { segment: output, offset: from.offset + 4, ..from })
            };
            let mut moved = Vec::new();
            (0..Keydir::SHARDS).for_each(|shard| keydir.relocate_in(shard, copy_of, &mut moved));
            assert_eq!(moved.len(), 2_998);
            assert!(moved.iter().all(|(from, to)| copy_of(*from) == Some(*to)));
            for (i, key) in keys.iter().enumerate() {
                let expected = match i {
                    10 => Some(entry(3, 40, None)),
                    20 => None,
                    i => Some(Entry { location: copy_of(was(i).location).unwrap_or(was(i).location), ..was(i) }),
                };
                assert_eq!(keydir.get(key), expected, "{i}");
            }
            assert_eq!((keydir.len(), keydir.expiring.lock().len()), (5_999, 2_000));
        }
    }
}
