//! Making one list of several, each piece of them freed as it is used.
//!
//! A knock-out of the runs at hand: after each key only the games of the run that gave it are played anew. What is compared
//! is mostly eight bytes behind what all keys begin with alike. Must not know where the lists come from.

use super::block::{Block, Reader, common};
use super::list::KeyList;
use super::run::head;

/// Keys from one word on how far the merge has come to the next.
const STEP: usize = 1 << 15;

/// A run that is being used up, at one of its keys.
struct Run {
    rest: std::vec::IntoIter<Block>,
    block: Option<Block>,
    reader: Reader,
    head: u64,
}

impl Run {
    fn begin(blocks: Vec<Block>) -> Self {
        let mut rest = blocks.into_iter();
        Self { block: rest.next(), rest, reader: Reader::default(), head: 0 }
    }

    fn step(&mut self, stem: usize) {
        while let Some(block) = &self.block {
            if self.reader.step(block) {
                self.head = head(self.reader.key(), stem);
                return;
            }
            self.block = self.rest.next();
            self.reader.rewind();
        }
    }

    fn is_before(&self, other: &Self) -> bool {
        match (&self.block, &other.block) {
            (Some(_), Some(_)) if self.head != other.head => self.head < other.head,
            (Some(_), Some(_)) => self.reader.key() < other.reader.key(),
            (is_there, _) => is_there.is_some(),
        }
    }
}

/// The runs, and who won each game: the first is the final, and those below game `n` are `2n` and `2n + 1`.
struct Contest {
    runs: Vec<Run>,
    games: Vec<usize>,
    stem: usize,
}

impl Contest {
    fn of(mut runs: Vec<Run>, stem: usize) -> Self {
        runs.iter_mut().for_each(|run| run.step(stem));
        let mut contest = Self { games: vec![0; runs.len()], runs, stem };
        (0..contest.runs.len()).rev().for_each(|game| contest.play(game));
        contest
    }

    /// Who is in the final of this game; behind the games stand the runs themselves.
    fn player(&self, game: usize) -> Option<usize> {
        let runs = self.runs.len();
        if game < runs { self.games.get(game).copied() } else { Some(game - runs).filter(|run| *run < runs) }
    }

    fn play(&mut self, game: usize) {
        let (a, b) = (self.player(2 * game), self.player(2 * game + 1));
        let winner = match (a, b) {
            (Some(a), Some(b)) => match (self.runs.get(a), self.runs.get(b)) {
                (Some(first), Some(second)) if second.is_before(first) => b,
                _ => a,
            },
            (a, b) => a.or(b).unwrap_or(0),
        };
        if let Some(game) = self.games.get_mut(game) {
            *game = winner;
        }
    }

    /// The run with the least key.
    fn winner(&self) -> Option<usize> {
        // A single run plays no game.
        let winner = if self.runs.len() == 1 { 0 } else { self.games.get(1).copied()? };
        self.runs.get(winner).filter(|run| run.block.is_some()).map(|_| winner)
    }

    fn step(&mut self, run: usize) {
        let stem = self.stem;
        if let Some(run) = self.runs.get_mut(run) {
            run.step(stem);
        }
        let mut game = (run + self.runs.len()) / 2;
        while game > 0 {
            self.play(game);
            game /= 2;
        }
    }
}

/// Merges the keys of several lists from `range.0` on and before `range.1`. `take` gets blocks as they become full, how
/// many keys that is, and whether to go on is its answer. `false`: it was not.
pub(super) fn merge(
    lists: Vec<KeyList>,
    range: (Option<&[u8]>, Option<&[u8]>),
    take: &mut dyn FnMut(Vec<Block>, usize) -> bool,
) -> bool {
    let stem = stem(&lists);
    let mut runs = Vec::with_capacity(lists.len());
    for list in lists {
        runs.push(Run::begin(blocks_within(list, range)));
    }
    let mut contest = Contest::of(runs, stem);
    let mut packer = KeyList::packer();
    let mut keys = 0;
    while let Some(least) = contest.winner() {
        let Some(key) = contest.runs.get(least).map(|run| run.reader.key()) else { break };
        if range.1.is_some_and(|end| key >= end) {
            break;
        }
        if range.0.is_none_or(|start| key >= start) {
            packer.push(key);
            keys += 1;
        }
        contest.step(least);
        if keys == STEP {
            if !take(packer.take_full().collect(), keys) {
                return false;
            }
            keys = 0;
        }
    }
    take(packer.finish(), keys)
}

/// The blocks that may hold keys of a range.
fn blocks_within(list: KeyList, (start, end): (Option<&[u8]>, Option<&[u8]>)) -> Vec<Block> {
    let blocks: Vec<Block> = list.blocks().cloned().collect();
    let first = start.map_or(0, |start| blocks.partition_point(|block| block.first() <= start).saturating_sub(1));
    let last = end.map_or(blocks.len(), |end| blocks.partition_point(|block| block.first() < end));
    blocks.into_iter().take(last).skip(first).collect()
}

/// How many bytes all keys begin with alike: those that the least and the greatest do.
fn stem(lists: &[KeyList]) -> usize {
    let least = lists.iter().filter_map(|list| list.get(0)).min().unwrap_or_default();
    let greatest = lists.iter().filter_map(|list| list.get(list.len().checked_sub(1)?)).max().unwrap_or_default();
    common(&least, &greatest)
}

/// Keys that part all of these lists into so many pieces of about the same size.
pub(super) fn split(lists: &[KeyList], pieces: usize) -> Vec<Vec<u8>> {
    let mut firsts: Vec<&[u8]> = lists.iter().flat_map(KeyList::blocks).map(Block::first).collect();
    firsts.sort_unstable();
    let at = |piece: usize| firsts.get(firsts.len() * piece / pieces.max(1)).map(|key| key.to_vec());
    let mut keys: Vec<Vec<u8>> = (1..pieces).filter_map(at).collect();
    keys.dedup();
    keys
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::run::Heap;
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn pieces_of_merged_lists_are_all_keys_in_order(
            keys in proptest::collection::btree_set(proptest::collection::vec(0..3_u8, 0..12), 0..900),
            lists in 1..9_usize,
            pieces in 1..4_usize,
        ) {
            let mut heaps: Vec<Heap> = (0..lists).map(|_| Heap::default()).collect();
            for (n, key) in keys.iter().enumerate() {
                let at = n * 7 % lists;
                heaps[at].push(key);
            }
            let lists: Vec<KeyList> = heaps.iter_mut().map(|heap| heap.take_sorted(KeyList::packer())).collect();
            let splits = split(&lists, pieces);
            let starts = std::iter::once(None).chain(splits.iter().map(|key| Some(&key[..])));
            let ends = splits.iter().map(|key| Some(&key[..])).chain([None]);
            let mut merged = KeyList::new();
            for range in starts.zip(ends) {
                let mut piece = KeyList::new();
                let took = merge(lists.clone(), range, &mut |blocks, _| {
                    piece.extend(blocks);
                    true
                });
                prop_assert!(took);
                merged.append(piece);
            }
            let mut walk = merged.walk(0);
            let walked: BTreeSet<Vec<u8>> = std::iter::from_fn(|| walk.next().map(<[u8]>::to_vec)).collect();
            prop_assert_eq!(merged.len(), keys.len());
            prop_assert_eq!(walked, keys);
        }
    }
}
