//! The keys that pass a filter, by size, by age, or by name: pairs of a weight and a number in the list by name, sixteen
//! bytes a key.
//!
//! Made in steps that go through the list by name, several threads at a time, and kept current by the changes of single
//! keys. While it is made, the first of those that were looked at so far can be shown. It must not know of windows.
//! Invariants:
//!
//! 1. Each number stands for the key that has it in the list by name, and comes once.
//! 2. Until all are gone through, the pairs are by number; then by weight, heaviest first, and those alike by number.

use std::cmp::Reverse;
use std::ops::Range;

use crate::store::{Entry, KeyList, Store};
use crate::tui::effect::Sort;
use crate::tui::filter::{KeyFilter, Matcher};

/// Keys that are looked at in one step, by all threads together.
const STEP: usize = 1 << 15;
/// Keys that are at hand while the others are looked at.
const BEST: usize = 1 << 9;

/// One key: its weight, and its number in the list by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    weight: Reverse<u64>,
    rank: u32,
}

/// Some of the keys in some order.
#[derive(Debug)]
pub(super) struct Order {
    filter: KeyFilter,
    sort: Sort,
    matcher: Matcher,
    rows: Vec<Row>,
    /// The first of the pairs so far, in their order, where that is not the order in which they come.
    best: Vec<Row>,
    /// The numbers that are still to be looked at, and where they began.
    left: Range<usize>,
    begin: usize,
    /// The pairs are in their order.
    sorted: bool,
}

impl Order {
    /// Begins an order of the keys that pass.
    pub(super) fn begin(list: &KeyList, filter: &KeyFilter, sort: Sort) -> Self {
        let left = list.beginning_with(filter.prefix());
        let begin = left.start;
        let (filter, matcher, rows, best) = (filter.clone(), filter.matcher(), Vec::new(), Vec::new());
        Self { filter, sort, matcher, rows, best, left, begin, sorted: false }
    }

    /// Whether it is this one.
    pub(super) fn is(&self, filter: &KeyFilter, sort: Sort) -> bool {
        self.sort == sort && self.filter == *filter
    }

    /// Whether nothing is left to do.
    pub(super) fn is_whole(&self) -> bool {
        self.sorted
    }

    /// How many keys were looked at of how many.
    pub(super) fn progress(&self) -> (usize, usize) {
        (self.left.start - self.begin, (self.left.end - self.begin).max(1))
    }

    /// Does a little more.
    pub(super) fn step(&mut self, store: &Store, list: &KeyList) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
        let each = STEP.div_ceil(threads);
        let end = self.left.end.min(self.left.start.saturating_add(STEP));
        let starts = (self.left.start..end).step_by(each);
        let looks: Vec<_> = starts.map(|start| start..end.min(start + each)).collect();
        for rows in self.look(store, list, &looks) {
            self.take(rows);
        }
        self.left.start = end;
        if self.left.is_empty() && !self.sorted {
            self.best = Vec::new();
            self.rows.sort_unstable();
            self.sorted = true;
        }
    }

    /// The rows of those that pass, of each range in a thread of its own but for the last.
    fn look(&self, store: &Store, list: &KeyList, ranges: &[Range<usize>]) -> Vec<Vec<Row>> {
        let Some((last, others)) = ranges.split_last() else { return Vec::new() };
        std::thread::scope(|scope| {
            let look = |range: Range<usize>| move || self.rows_of(store, list, range);
            let theirs: Vec<_> = others.iter().map(|range| scope.spawn(look(range.clone()))).collect();
            let own = self.rows_of(store, list, last.clone());
            // One that panicked has told so already.
            theirs.into_iter().map(|thread| thread.join().unwrap_or_default()).chain([own]).collect()
        })
    }

    fn rows_of(&self, store: &Store, list: &KeyList, range: Range<usize>) -> Vec<Row> {
        let (mut walk, entries) = (list.walk(range.start), store.key_parts());
        // A pattern that threads share has them wait for each other.
        let matcher = self.matcher.clone();
        let mut rows = Vec::new();
        for rank in range {
            let Some(key) = walk.next() else { break };
            if matcher.passes(key) {
                let weight = self.weigh(|| entries.entry(key));
                rows.extend(row(weight, rank));
            }
        }
        rows
    }

    fn take(&mut self, rows: Vec<Row>) {
        if self.sort != Sort::Name {
            let least = self.best.get(BEST - 1).copied();
            self.best.extend(rows.iter().filter(|row| least.is_none_or(|least| **row < least)));
            if self.best.len() > BEST {
                self.best.select_nth_unstable(BEST);
                self.best.truncate(BEST);
            }
            self.best.sort_unstable();
        }
        self.rows.extend(rows);
    }

    /// The rows that are in their order: all of them, once they are sorted.
    fn in_order(&self) -> &[Row] {
        if self.sorted || self.sort == Sort::Name { &self.rows } else { &self.best }
    }

    fn weigh(&self, entry: impl FnOnce() -> Option<Entry>) -> Reverse<u64> {
        Reverse(match self.sort {
            Sort::Name => 0,
            Sort::Size => entry().map_or(0, |entry| entry.stored_len),
            Sort::Age => entry().map_or(0, |entry| entry.tstamp),
        })
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.in_order().len()
    }

    /// The number of the key on a row.
    pub(super) fn rank(&self, row: usize) -> Option<usize> {
        self.in_order().get(row).map(|row| row.rank as usize)
    }

    /// The row of a key that passes, or that it would have. `None`: its weight is not known.
    pub(super) fn place(&self, rank: usize, entry: Option<Entry>) -> Option<usize> {
        if self.sort != Sort::Name && entry.is_none() {
            return None;
        }
        let row = row(self.weigh(|| entry), rank)?;
        Some(self.in_order().partition_point(|each| *each < row))
    }

    /// Whether a key passes the filter.
    pub(super) fn passes(&self, key: &[u8]) -> bool {
        self.matcher.passes(key)
    }

    /// A key came into the list by name, with this number. This and what follows is for a whole order.
    pub(super) fn inserted(&mut self, key: &[u8], rank: usize, entry: Option<Entry>) {
        let Ok(number) = u32::try_from(rank) else { return };
        self.rows.iter_mut().filter(|row| row.rank >= number).for_each(|row| row.rank += 1);
        if self.passes(key) {
            self.put(row(self.weigh(|| entry), rank));
        }
    }

    /// The key with this number went out of the list by name.
    pub(super) fn removed(&mut self, rank: usize) {
        let Ok(number) = u32::try_from(rank) else { return };
        self.rows.retain_mut(|row| {
            let stays = row.rank != number;
            row.rank -= u32::from(row.rank > number);
            stays
        });
    }

    /// The key with this number got another entry. A row that does not show the one before was made later, and shows a
    /// newer one. An entry that had expired is not known: the row is looked for by number.
    pub(super) fn changed(&mut self, rank: usize, before: Option<Entry>, after: Option<Entry>) {
        let had_entry = before.is_some();
        let Some(before) = row(self.weigh(|| before), rank) else { return };
        let found = match had_entry {
            true => self.rows.binary_search(&before).ok(),
            false => self.rows.iter().position(|row| row.rank == before.rank),
        };
        if let Some(at) = found {
            self.rows.remove(at);
            self.put(row(self.weigh(|| after), rank));
        }
    }

    fn put(&mut self, row: Option<Row>) {
        if let Some(row) = row {
            self.rows.insert(self.rows.partition_point(|each| *each < row), row);
        }
    }
}

/// A store of more keys than 32 bits count has more than any machine's memory holds.
fn row(weight: Reverse<u64>, rank: usize) -> Option<Row> {
    u32::try_from(rank).ok().map(|rank| Row { weight, rank })
}
