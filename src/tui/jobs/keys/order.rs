//! The keys that pass a filter, by size, by age, or by name: [`Rows`], each a weight and a number in the list by name.
//!
//! Made in steps that go through the list by name, several threads at a time, and kept current by the changes of single
//! keys. What is sorted is sorted in runs that are merged at last. While it is made, the first of those that were looked at
//! so far can be shown. It must not know of windows. Invariants:
//!
//! 1. Each number stands for the key that has it in the list by name, and comes once.
//! 2. Once all are gone through and merged, the rows are by weight, heaviest first, and those alike by number.

use std::cmp::Reverse;
use std::ops::Range;

use parking_lot::Mutex;

use super::rows::{Merge, Row, Rows};
use crate::store::parallel::in_parallel;
use crate::store::{Entry, KeyList, Store};
use crate::tui::effect::Sort;
use crate::tui::filter::{Judge, KeyFilter, Matcher};

/// Keys that are looked at in one step, by all threads together, where a key is all that is looked at.
const STEP: usize = 1 << 16;
/// The same where each is looked up in the keydir.
const STEP_UP: usize = 1 << 14;
/// Shares of a step, so that a thread that is slower than another one takes fewer of them.
const SHARES: usize = 8;
/// Rows that are sorted at once.
const RUN: usize = 1 << 18;
/// Rows that are merged in one step.
const MERGED: usize = 1 << 16;
/// Keys that are at hand while the others are looked at.
const BEST: usize = 1 << 9;

/// Some of the keys in some order.
#[derive(Debug)]
pub(super) struct Order {
    filter: KeyFilter,
    sort: Sort,
    matcher: Matcher,
    /// Those that rest between two steps.
    judges: Mutex<Vec<Judge>>,
    /// All of them, once it is whole; by name, those so far.
    rows: Rows,
    /// What is to be sorted.
    loose: Vec<Row>,
    runs: Vec<Rows>,
    merge: Option<Merge>,
    /// The first of the rows so far, in their order, where that is not the order in which they come.
    best: Vec<Row>,
    /// The numbers that are still to be looked at, and where they began.
    left: Range<usize>,
    begin: usize,
    whole: bool,
}

impl Order {
    /// Begins an order of the keys that pass.
    pub(super) fn begin(list: &KeyList, filter: &KeyFilter, sort: Sort) -> Self {
        let left = list.beginning_with(filter.prefix());
        Self {
            filter: filter.clone(),
            sort,
            matcher: filter.matcher(),
            judges: Mutex::new(vec![Judge::of(filter)]),
            rows: Rows::default(),
            loose: Vec::new(),
            runs: Vec::new(),
            merge: None,
            best: Vec::new(),
            begin: left.start,
            left,
            whole: false,
        }
    }

    /// Whether it is this one.
    pub(super) fn is(&self, filter: &KeyFilter, sort: Sort) -> bool {
        self.sort == sort && self.filter == *filter
    }

    /// Whether nothing is left to do.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// How many keys were looked at of how many.
    pub(super) fn progress(&self) -> (usize, usize) {
        (self.left.start - self.begin, (self.left.end - self.begin).max(1))
    }

    /// Does a little more.
    pub(super) fn step(&mut self, store: &Store, list: &KeyList) {
        match &mut self.merge {
            Some(merge) => {
                if let Some(rows) = merge.step(MERGED) {
                    self.end(rows);
                }
            }
            None => self.look(store, list),
        }
    }

    fn look(&mut self, store: &Store, list: &KeyList) {
        let step = if self.sort == Sort::Name { STEP } else { STEP_UP };
        let end = self.left.end.min(self.left.start.saturating_add(step));
        let starts = (self.left.start..end).step_by(step / SHARES);
        let shares: Vec<_> = starts.map(|start| start..end.min(start + step / SHARES)).collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
        let rows = in_parallel(&shares, threads, |share| self.rows_of(store, list, share.clone()));
        self.left.start = end;
        match self.sort {
            Sort::Name => self.rows.extend(&rows.concat()),
            Sort::Size | Sort::Age => self.take(&rows.concat()),
        }
        if self.left.is_empty() {
            self.sort_loose();
            self.judges = Mutex::default();
            match self.sort {
                Sort::Name => self.whole = true,
                Sort::Size | Sort::Age => self.merge = Some(Merge::begin(std::mem::take(&mut self.runs))),
            }
        }
    }

    fn rows_of(&self, store: &Store, list: &KeyList, range: Range<usize>) -> Vec<Row> {
        let (mut walk, entries) = (list.walk(range.start), store.key_parts());
        let resting = self.judges.lock().pop();
        let mut judge = resting.unwrap_or_else(|| Judge::of(&self.filter));
        let mut rows = Vec::new();
        // Of the key before the first one the judge knows nothing.
        let mut is_next = false;
        for rank in range {
            let Some((key, shared)) = walk.next_shared() else { break };
            if judge.passes(key, if is_next { shared } else { 0 }) {
                let weight = self.weigh(|| entries.entry(key));
                rows.extend(row(weight, rank));
            }
            is_next = true;
        }
        self.judges.lock().push(judge);
        rows
    }

    fn take(&mut self, rows: &[Row]) {
        let least = self.best.get(BEST - 1).copied();
        self.best.extend(rows.iter().filter(|row| least.is_none_or(|least| **row < least)));
        if self.best.len() > BEST {
            self.best.select_nth_unstable(BEST);
            self.best.truncate(BEST);
        }
        self.best.sort_unstable();
        self.loose.extend(rows);
        if self.loose.len() >= RUN {
            self.sort_loose();
        }
    }

    fn sort_loose(&mut self) {
        self.loose.sort_unstable();
        let mut run = Rows::default();
        run.extend(&self.loose);
        self.runs.push(run);
        self.loose.clear();
    }

    /// All rows are in their order.
    fn end(&mut self, rows: Rows) {
        (self.rows, self.whole) = (rows, true);
        (self.best, self.loose, self.merge) = (Vec::new(), Vec::new(), None);
    }

    /// Whether the rows are not there yet, but only the first of those that were looked at.
    fn has_best_only(&self) -> bool {
        !self.whole && self.sort != Sort::Name
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
        if self.has_best_only() { self.best.len() } else { self.rows.len() }
    }

    /// The number of the key on a row.
    pub(super) fn rank(&self, row: usize) -> Option<usize> {
        let rank = match self.has_best_only() {
            true => self.best.get(row).map(|row| row.rank),
            false => self.rows.rank(row),
        };
        rank.map(|rank| rank as usize)
    }

    /// The row of a key that passes, or that it would have. `None`: its weight is not known.
    pub(super) fn place(&self, rank: usize, entry: Option<Entry>) -> Option<usize> {
        if self.sort != Sort::Name && entry.is_none() {
            return None;
        }
        let row = row(self.weigh(|| entry), rank)?;
        Some(match self.has_best_only() {
            true => self.best.partition_point(|each| *each < row),
            false => self.rows.find(row).0,
        })
    }

    /// Whether a key passes the filter.
    pub(super) fn passes(&self, key: &[u8]) -> bool {
        self.matcher.passes(key)
    }

    /// A key came into the list by name, with this number. This and what follows is for a whole order.
    pub(super) fn inserted(&mut self, key: &[u8], rank: usize, entry: Option<Entry>) {
        let Some(row) = row(self.weigh(|| entry), rank) else { return };
        self.rows.make_room(row.rank);
        if self.passes(key) {
            self.rows.insert(row);
        }
    }

    /// The key with this number, which had this entry, went out of the list by name.
    pub(super) fn removed(&mut self, rank: usize, before: Option<Entry>) {
        let Some(before) = row(self.weigh(|| before), rank) else { return };
        // A row may show a newer entry than the one before.
        if !self.rows.remove(before)
            && let Some(row) = self.rows.of_rank(before.rank)
        {
            self.rows.remove(row);
        }
        self.rows.close_gap(before.rank);
    }

    /// The key with this number got another entry. A row that does not show the one before was made later, and shows a
    /// newer one. An entry that had expired is not known: the row is looked for by number.
    pub(super) fn changed(&mut self, rank: usize, before: Option<Entry>, after: Option<Entry>) {
        let (Some(known), Some(after)) = (row(self.weigh(|| before), rank), row(self.weigh(|| after), rank)) else {
            return;
        };
        let shown = if before.is_some() { Some(known) } else { self.rows.of_rank(known.rank) };
        if shown.is_some_and(|row| self.rows.remove(row)) {
            self.rows.insert(after);
        }
    }
}

/// A store of more keys than 32 bits count has more than any machine's memory holds.
fn row(weight: Reverse<u64>, rank: usize) -> Option<Row> {
    u32::try_from(rank).ok().map(|rank| Row { weight, rank })
}
