//! One level of the tree: the keys with one beginning, those that go on to a delimiter gathered into branches.
//!
//! Only branches are remembered, twelve bytes each; the keys between them follow from their numbers. A level is made in
//! steps; over a long branch it leaps by bisection. It must not know of windows. Invariant: branches ascend, their rows
//! too, and no key is in two.

use std::collections::BTreeSet;
use std::ops::Range;

use super::picked::{KeysByNumber, Picked};
use crate::store::{KeyList, prefix_end};

/// Keys that are looked at in one step.
const STEP: usize = 1 << 15;
/// Keys of a branch that are walked before its end is looked for by bisection.
const WALKED: usize = 48;

/// A branch: the places of its keys, and its row among those of its level.
#[derive(Clone, Copy, Debug)]
struct Branch {
    start: u32,
    end: u32,
    row: u32,
}

impl Branch {
    fn keys(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What stands on a row of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// The key at this place.
    Key {
        place: usize,
        depth: usize,
        /// Bytes of the key that the branches around it tell already.
        stem: usize,
    },
    /// A branch with the keys at these places.
    Branch { keys: Range<usize>, depth: usize, stem: usize, open: bool },
}

/// A level, and the levels that are open in it.
#[derive(Debug)]
pub(super) struct Level {
    /// What all its keys begin with.
    prefix: Vec<u8>,
    keys: Range<usize>,
    /// The next place to look at.
    next: usize,
    branches: Vec<Branch>,
    /// By the number of its branch.
    open: Vec<(usize, Level)>,
}

impl Level {
    /// A level of the keys at these places.
    pub(super) fn new(prefix: Vec<u8>, keys: Range<usize>) -> Self {
        Self { prefix, next: keys.start, keys, branches: Vec::new(), open: Vec::new() }
    }

    /// How much was looked at of how much.
    pub(super) fn progress(&self) -> (usize, usize) {
        let own = (self.next - self.keys.start, self.keys.len());
        self.open.iter().map(|(_, level)| level.progress()).fold(own, |a, b| (a.0 + b.0, a.1 + b.1))
    }

    /// Does a little more; says whether all is done.
    pub(super) fn step(&mut self, list: &KeyList, picked: &Picked<'_>, delimiter: u8) -> bool {
        if self.next == self.keys.end {
            return self.open.iter_mut().all(|(_, level)| level.step(list, picked, delimiter));
        }
        let mut keys = KeysByNumber::of(list);
        for _ in 0..STEP {
            if self.next == self.keys.end {
                break;
            }
            let start = self.next;
            let Some(key) = picked.rank(start).and_then(|rank| keys.get(rank)) else {
                self.next = self.keys.end;
                break;
            };
            self.next += 1;
            let Some(branch) = branch_of(key, self.prefix.len(), delimiter).map(<[u8]>::to_vec) else { continue };
            self.next = end_of(&branch, start, &self.keys, &mut keys, list, picked);
            let row = self.row_of_place(start);
            if let [Ok(start), Ok(end), Ok(row)] = [start, self.next, row].map(u32::try_from) {
                self.branches.push(Branch { start, end, row });
            }
        }
        false
    }

    /// Opens and closes levels, so that those are open whose beginnings are in `open`; below one that is still to be looked
    /// through, none.
    pub(super) fn set_open(&mut self, list: &KeyList, picked: &Picked<'_>, open: &BTreeSet<Vec<u8>>, delimiter: u8) {
        let mut wanted = Vec::new();
        let within = open.range(self.prefix.clone()..).take_while(|prefix| prefix.starts_with(&self.prefix));
        let is_child = |prefix: &&Vec<u8>| branch_of(prefix, self.prefix.len(), delimiter) == Some(&prefix[..]);
        for prefix in within.filter(is_child) {
            let place = picked.place(list.rank(prefix));
            let at = self.branches.partition_point(|branch| branch.keys().end <= place);
            let starts = |branch: &Branch| picked.rank(branch.keys().start).and_then(|rank| list.get(rank));
            let first = self.branches.get(at).filter(|branch| branch.keys().start == place).and_then(starts);
            if first.is_some_and(|key| key.starts_with(prefix)) && self.next == self.keys.end {
                wanted.push((at, prefix));
            }
        }
        let mut before = std::mem::take(&mut self.open);
        for (at, prefix) in wanted {
            let kept = before.iter().position(|(_, level)| level.prefix == *prefix);
            let keys = self.branches.get(at).map_or(0..0, Branch::keys);
            let mut level = match kept {
                Some(kept) => before.swap_remove(kept).1,
                None => Self::new(prefix.clone(), keys),
            };
            level.set_open(list, picked, open, delimiter);
            self.open.push((at, level));
        }
    }

    /// How many rows there are, those of open branches included.
    pub(super) fn rows(&self) -> usize {
        let own = self.row_of_place(self.keys.end);
        own + self.open.iter().map(|(_, level)| level.rows()).sum::<usize>()
    }

    /// The row of a place among the level's own, if no branch holds it.
    fn row_of_place(&self, place: usize) -> usize {
        let before = self.branches.partition_point(|branch| branch.keys().end <= place);
        match before.checked_sub(1).and_then(|before| self.branches.get(before)) {
            Some(branch) => branch.row as usize + 1 + (place - branch.keys().end),
            None => place - self.keys.start,
        }
    }

    /// What stands on a row.
    pub(super) fn node(&self, mut row: usize, depth: usize) -> Option<Node> {
        for (at, level) in &self.open {
            let own = self.branches.get(*at)?.row as usize;
            if row <= own {
                break;
            }
            let rows = level.rows();
            if row <= own + rows {
                return level.node(row - own - 1, depth + 1);
            }
            row -= rows;
        }
        let stem = self.prefix.len();
        let at = self.branches.partition_point(|branch| branch.row as usize <= row);
        let place = match at.checked_sub(1).and_then(|at| self.branches.get(at)) {
            Some(branch) if branch.row as usize == row => {
                let open = self.open.iter().any(|(open, _)| open + 1 == at);
                return Some(Node::Branch { keys: branch.keys(), depth, stem, open });
            }
            Some(branch) => branch.keys().end + (row - branch.row as usize - 1),
            None => self.keys.start + row,
        };
        (place < self.keys.end).then_some(Node::Key { place, depth, stem })
    }

    /// The row of the key at a place, or of the closed branch that holds it.
    pub(super) fn row_of(&self, place: usize) -> usize {
        self.find(place, None)
    }

    /// The row of the branch that begins with `prefix`, whose keys begin at a place; of one around it, where that is closed.
    pub(super) fn row_of_branch(&self, prefix: &[u8], place: usize) -> usize {
        self.find(place, Some(prefix))
    }

    fn find(&self, place: usize, branch: Option<&[u8]>) -> usize {
        let at = self.branches.partition_point(|branch| branch.keys().end <= place);
        let holder = self.branches.get(at).filter(|branch| branch.keys().contains(&place));
        let own = holder.map_or_else(|| self.row_of_place(place), |branch| branch.row as usize);
        let is_before = |open: usize| self.branches.get(open).is_some_and(|branch| (branch.row as usize) < own);
        let opened: usize = self.open.iter().filter(|(at, _)| is_before(*at)).map(|(_, level)| level.rows()).sum();
        let within = self.open.iter().find(|(open, _)| holder.is_some() && *open == at).map(|(_, level)| level);
        match within.filter(|level| branch != Some(&level.prefix[..])) {
            Some(level) => own + opened + 1 + level.find(place, branch),
            None => own + opened,
        }
    }
}

/// The beginning of a key up to its first delimiter behind the stem, if there is one.
pub(super) fn branch_of(key: &[u8], stem: usize, delimiter: u8) -> Option<&[u8]> {
    let at = key.get(stem..)?.iter().position(|byte| *byte == delimiter)?;
    key.get(..stem + at + 1)
}

/// The place behind the last key of a branch.
fn end_of(
    branch: &[u8],
    start: usize,
    within: &Range<usize>,
    keys: &mut KeysByNumber<'_>,
    list: &KeyList,
    picked: &Picked<'_>,
) -> usize {
    for place in start + 1..within.end.min(start + WALKED) {
        let key = picked.rank(place).and_then(|rank| keys.get(rank));
        if !key.is_some_and(|key| key.starts_with(branch)) {
            return place;
        }
    }
    let end = prefix_end(branch).map_or(list.len(), |end| list.rank(&end));
    picked.place(end).clamp(start + 1, within.end)
}
