//! Making the list by name out of the keydir, a step at a time.
//!
//! Each part of the keydir is sorted and packed by itself, and then all are merged, each piece of them freed as it is
//! used: at no time is there more than the packed keys, a part of them unpacked (a sixty-fourth), and a few blocks.
//! Keys that come and go meanwhile are the caller's to add. It must not know of windows.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::block::{Block, Packer, Reader};
use super::packed::KeyList;
use crate::store::{KeyParts, Store};

/// Keys that are merged in one step.
const STEP: usize = 1 << 16;

/// A list that is being made.
pub(super) struct Build {
    stage: Stage,
    /// What is merged so far.
    list: KeyList,
    keys: usize,
}

enum Stage {
    /// Parts become runs.
    Reading { parts: KeyParts, next: usize, runs: Vec<KeyList> },
    /// Runs become the list.
    Merging { runs: BinaryHeap<Reverse<Run>>, packer: Packer },
}

impl Build {
    /// Begins with the keys as they are now.
    pub(super) fn begin(store: &Store) -> Self {
        let stage = Stage::Reading { parts: store.key_parts(), next: 0, runs: Vec::new() };
        Self { stage, list: KeyList::default(), keys: 0 }
    }

    /// How much is done of how much: each key is read, and merged.
    pub(super) fn progress(&self) -> (usize, usize) {
        match &self.stage {
            Stage::Reading { next, .. } => (*next, KeyParts::COUNT * 2),
            Stage::Merging { .. } => (self.keys + self.list.len(), (self.keys * 2).max(1)),
        }
    }

    /// The beginning of the list that is there already.
    pub(super) fn so_far(&self) -> &KeyList {
        &self.list
    }

    /// Does a little more; the list, once it is whole.
    pub(super) fn step(&mut self) -> Option<KeyList> {
        match &mut self.stage {
            Stage::Reading { parts, next, runs } if *next < KeyParts::COUNT => {
                let run = run(parts, *next);
                *next += 1;
                self.keys += run.len();
                runs.push(run);
                None
            }
            Stage::Reading { runs, .. } => {
                let runs = runs.drain(..).filter_map(Run::begin).map(Reverse).collect();
                self.stage = Stage::Merging { runs, packer: KeyList::packer() };
                None
            }
            Stage::Merging { runs, packer } => {
                merge(runs, packer, STEP);
                self.list.extend(packer.take_full());
                if !runs.is_empty() {
                    return None;
                }
                let rest = std::mem::replace(packer, KeyList::packer());
                self.list.extend(rest.finish());
                Some(std::mem::take(&mut self.list))
            }
        }
    }
}

/// One part, sorted. Most comparisons are of the first eight bytes, which are at hand.
fn run(parts: &KeyParts, part: usize) -> KeyList {
    let mut bytes: Vec<u8> = Vec::new();
    let mut keys: Vec<(u64, usize, usize)> = Vec::new();
    parts.visit(part, |key, _| {
        keys.push((head(key), bytes.len(), key.len()));
        bytes.extend_from_slice(key);
    });
    let key = |&(_, start, len): &(u64, usize, usize)| bytes.get(start..start + len).unwrap_or_default();
    keys.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| key(a).cmp(key(b))));
    let mut packer = KeyList::packer();
    keys.iter().for_each(|each| packer.push(key(each)));
    let mut run = KeyList::default();
    run.extend(packer.finish());
    run
}

/// The first eight bytes as a number that is ordered as they are.
fn head(key: &[u8]) -> u64 {
    key.iter().chain(std::iter::repeat(&0)).take(8).fold(0, |head, byte| head << 8 | u64::from(*byte))
}

/// A run that is being used up, at one of its keys.
struct Run {
    rest: std::vec::IntoIter<Block>,
    block: Block,
    reader: Reader,
}

impl Run {
    /// The run at its first key; `None`: it has none.
    fn begin(list: KeyList) -> Option<Self> {
        let mut rest = list.into_blocks();
        let block = rest.next()?;
        let mut reader = Reader::default();
        reader.step(&block).then_some(Self { rest, block, reader })
    }

    fn step(&mut self) -> bool {
        while !self.reader.step(&self.block) {
            let Some(next) = self.rest.next() else { return false };
            self.block = next;
            self.reader.rewind();
        }
        true
    }
}

impl Ord for Run {
    fn cmp(&self, other: &Self) -> Ordering {
        self.reader.key().cmp(other.reader.key())
    }
}

impl PartialOrd for Run {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Run {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Run {}

fn merge(runs: &mut BinaryHeap<Reverse<Run>>, packer: &mut Packer, keys: usize) {
    for _ in 0..keys {
        let Some(mut least) = runs.peek_mut() else { return };
        packer.push(least.0.reader.key());
        if !least.0.step() {
            PeekMut::pop(least);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::disk::sim::SimDisk;
    use crate::store::Options;

    #[test]
    fn a_list_made_in_steps_is_the_sorted_keys_and_shows_its_beginning_on_the_way() {
        let options = Options { create: true, ..Options::default() };
        let store = Store::open_on(Arc::new(SimDisk::new()), Path::new("data"), options).unwrap();
        for n in 0..70_000_u64 {
            let key = n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
            store.put(key.get(..(n % 7 + 2) as usize).unwrap(), b"").unwrap();
        }
        let sorted: Vec<Vec<u8>> = store.scan(b"").map(|(key, _)| key.to_vec()).collect();
        let mut build = Build::begin(&store);
        let (mut done, mut partial) = (0, 0);
        let list = loop {
            if let Some(list) = build.step() {
                break list;
            }
            let progress = build.progress();
            assert!(done <= progress.0 * 1000 / progress.1 && progress.0 <= progress.1, "it never goes back");
            done = progress.0 * 1000 / progress.1;
            partial = build.so_far().len();
            assert_eq!(build.so_far().get(0), sorted.first().cloned().filter(|_| partial > 0));
        };
        assert!(sorted.len() <= STEP || partial > 0, "a part of {} was to be seen", sorted.len());
        let mut walk = list.walk(0);
        let walked: Vec<Vec<u8>> = std::iter::from_fn(|| walk.next().map(<[u8]>::to_vec)).collect();
        assert!(walked == sorted && list.len() == sorted.len());
    }
}
