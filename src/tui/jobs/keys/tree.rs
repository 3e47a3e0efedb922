//! The keys as a tree split at a delimiter. A branch and all that is closed in it costs one row; how many keys it holds
//! follows from two numbers.

use std::collections::BTreeSet;

use super::level::{Level, Node};
use super::picked::Picked;
use crate::store::KeyList;
use crate::tui::filter::KeyFilter;

/// Delimiters that keys may be split at; the first, unless most keys have another one and not that.
const DELIMITERS: [u8; 2] = [b':', b'/'];
/// Keys that are looked at to tell.
const SAMPLE: usize = 512;

/// The tree of the keys that pass a filter.
#[derive(Debug)]
pub(super) struct Tree {
    filter: KeyFilter,
    delimiter: u8,
    open: Option<BTreeSet<Vec<u8>>>,
    root: Level,
}

impl Tree {
    /// A tree of which nothing is known yet.
    pub(super) fn begin(filter: &KeyFilter, picked: &Picked<'_>, delimiter: u8) -> Self {
        Self { filter: filter.clone(), delimiter, open: None, root: Level::new(Vec::new(), 0..picked.len()) }
    }

    /// Whether it is of the keys that pass this filter.
    pub(super) fn is(&self, filter: &KeyFilter) -> bool {
        self.filter == *filter
    }

    /// Whether nothing is left to do to show it with these branches open.
    pub(super) fn is_whole(&self, open: &BTreeSet<Vec<u8>>) -> bool {
        self.open.as_ref() == Some(open)
    }

    /// How many keys were looked at of how many.
    pub(super) fn progress(&self) -> (usize, usize) {
        let (done, total) = self.root.progress();
        (done, total.max(1))
    }

    /// Does a little more.
    pub(super) fn step(&mut self, list: &KeyList, picked: &Picked<'_>, open: &BTreeSet<Vec<u8>>) {
        self.open = None;
        self.root.set_open(list, picked, open, self.delimiter);
        if self.root.step(list, picked, self.delimiter) {
            self.open = Some(open.clone());
        }
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.root.rows()
    }

    /// What stands on a row.
    pub(super) fn node(&self, row: usize) -> Option<Node> {
        self.root.node(row, 0)
    }

    /// The row of the key at a place, or of the closed branch that holds it.
    pub(super) fn row_of(&self, place: usize) -> usize {
        self.root.row_of(place)
    }

    /// The row of a branch, or of the closed one that holds it.
    pub(super) fn row_of_branch(&self, list: &KeyList, picked: &Picked<'_>, prefix: &[u8]) -> usize {
        self.root.row_of_branch(prefix, picked.place(list.rank(prefix)))
    }
}

/// What keys are split at: judged by some of them, evenly spread.
pub(super) fn delimiter(list: &KeyList) -> u8 {
    let [usual, other] = DELIMITERS;
    let step = list.len().div_ceil(SAMPLE).max(1);
    let sample: Vec<Vec<u8>> = (0..list.len()).step_by(step).filter_map(|rank| list.get(rank)).collect();
    let has_other_only = |key: &&Vec<u8>| key.contains(&other) && !key.contains(&usual);
    let others = sample.iter().filter(has_other_only).count();
    if others * 2 > sample.len() { other } else { usual }
}
