//! Rows in order, in little memory: four bytes a row for the number of its key, and for its weight one or two more where
//! weights differ from row to row, as those of keys that were put one after the other do.
//!
//! Chunks of about a thousand rows. A weight is told by how much it is below the one before; where all weights of a chunk
//! are alike, nothing is. Whoever looks for a weight reads a chunk. Must not know what a weight means.
//!
//! Invariants:
//!
//! 1. Rows ascend: heaviest first, and those alike by number.
//! 2. No chunk is empty, and `ends` says how many rows there are up to the end of each.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use crate::store::varint;

/// Rows of a chunk that is filled at once; at twice as many it is halved.
const CHUNK: usize = 1 << 10;

/// One key: its weight, and its number in the list by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) weight: Reverse<u64>,
    pub(super) rank: u32,
}

/// Some rows.
#[derive(Debug, Default)]
pub(super) struct Rows {
    chunks: Vec<Chunk>,
    ends: Vec<usize>,
}

#[derive(Debug)]
struct Chunk {
    heaviest: u64,
    /// How much lighter each row but the first is than the one before, as [`varint`] has numbers. Empty: all are alike.
    steps: Box<[u8]>,
    ranks: Vec<u32>,
}

impl Chunk {
    fn of(rows: &[Row]) -> Self {
        let weights = || rows.iter().map(|row| row.weight.0);
        let heaviest = weights().next().unwrap_or(0);
        let mut steps = Vec::new();
        if weights().any(|weight| weight != heaviest) {
            weights().zip(weights().skip(1)).for_each(|(a, b)| varint::push(&mut steps, a.saturating_sub(b)));
        }
        let mut ranks = Vec::with_capacity(rows.len());
        ranks.extend(rows.iter().map(|row| row.rank));
        Self { heaviest, steps: steps.into(), ranks }
    }

    fn first(&self) -> Option<Row> {
        Some(Row { weight: Reverse(self.heaviest), rank: *self.ranks.first()? })
    }

    fn rows(&self) -> impl Iterator<Item = Row> {
        let (mut steps, mut weight) = (&*self.steps, self.heaviest);
        self.ranks.iter().enumerate().map(move |(at, rank)| {
            if at > 0 {
                weight = weight.saturating_sub(varint::take(&mut steps).unwrap_or(0));
            }
            Row { weight: Reverse(weight), rank: *rank }
        })
    }
}

impl Rows {
    /// Takes rows on at the end: they ascend, and none is before those that are there.
    pub(super) fn extend(&mut self, rows: &[Row]) {
        for rows in rows.chunks(CHUNK) {
            self.ends.push(self.len() + rows.len());
            self.chunks.push(Chunk::of(rows));
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The number of the key on a row.
    pub(super) fn rank(&self, at: usize) -> Option<u32> {
        let chunk = self.ends.partition_point(|end| *end <= at);
        self.chunks.get(chunk)?.ranks.get(at - self.start(chunk)).copied()
    }

    /// How many rows are before this one, and whether it is there.
    pub(super) fn find(&self, row: Row) -> (usize, bool) {
        let (chunk, within, found) = self.place(row);
        (self.start(chunk) + within, found)
    }

    /// Takes a row in.
    pub(super) fn insert(&mut self, row: Row) {
        let (at, within, _) = self.place(row);
        self.edit(at, |rows| rows.insert(within.min(rows.len()), row));
    }

    /// Takes a row out, if it is there; says whether it was.
    pub(super) fn remove(&mut self, row: Row) -> bool {
        let (at, within, found) = self.place(row);
        if found {
            self.edit(at, |rows| drop(rows.drain(within..=within)));
        }
        found
    }

    /// The row of the key with this number, by a look at all.
    pub(super) fn of_rank(&self, rank: u32) -> Option<Row> {
        let chunk = self.chunks.iter().find(|chunk| chunk.ranks.contains(&rank))?;
        chunk.rows().find(|row| row.rank == rank)
    }

    /// A key came with this number: those from there on have the next one.
    pub(super) fn make_room(&mut self, rank: u32) {
        self.ranks_mut().filter(|each| **each >= rank).for_each(|each| *each += 1);
    }

    /// The key with this number, which no row has, went.
    pub(super) fn close_gap(&mut self, rank: u32) {
        self.ranks_mut().filter(|each| **each > rank).for_each(|each| *each -= 1);
    }

    fn ranks_mut(&mut self) -> impl Iterator<Item = &mut u32> {
        self.chunks.iter_mut().flat_map(|chunk| &mut chunk.ranks)
    }

    /// The chunk in which a row is, or would be, how many of that are before it, and whether it is there.
    fn place(&self, row: Row) -> (usize, usize, bool) {
        let at = self.chunks.partition_point(|chunk| chunk.first() <= Some(row)).saturating_sub(1);
        let Some(chunk) = self.chunks.get(at) else { return (0, 0, false) };
        let mut rows = chunk.rows();
        let within = rows.by_ref().position(|each| each >= row).unwrap_or(chunk.ranks.len());
        (at, within, chunk.ranks.get(within) == Some(&row.rank) && chunk.rows().nth(within) == Some(row))
    }

    fn start(&self, chunk: usize) -> usize {
        chunk.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0)
    }

    fn edit(&mut self, at: usize, edit: impl FnOnce(&mut Vec<Row>)) {
        let mut rows: Vec<Row> = self.chunks.get(at).into_iter().flat_map(Chunk::rows).collect();
        edit(&mut rows);
        let parts = if rows.len() < 2 * CHUNK { rows.len().max(1) } else { CHUNK };
        let range = at..self.chunks.len().min(at + 1);
        self.chunks.splice(range, rows.chunks(parts).map(Chunk::of));
        self.ends.truncate(at);
        for chunk in self.chunks.get(at..).unwrap_or_default() {
            self.ends.push(self.ends.last().copied().unwrap_or(0) + chunk.ranks.len());
        }
    }
}

/// Makes one of several, a few rows at a time, and gives up what was used.
#[derive(Debug)]
pub(super) struct Merge {
    runs: Vec<Run>,
    /// The next row of each run.
    next: BinaryHeap<Reverse<(Row, usize)>>,
    done: Rows,
}

#[derive(Debug)]
struct Run {
    chunks: std::vec::IntoIter<Chunk>,
    rows: std::vec::IntoIter<Row>,
}

impl Run {
    fn next(&mut self) -> Option<Row> {
        loop {
            match self.rows.next() {
                None => self.rows = self.chunks.next()?.rows().collect::<Vec<_>>().into_iter(),
                row => return row,
            }
        }
    }
}

impl Merge {
    /// Begins with all of these.
    pub(super) fn begin(runs: Vec<Rows>) -> Self {
        let run = |rows: Rows| Run { chunks: rows.chunks.into_iter(), rows: Vec::new().into_iter() };
        let mut runs: Vec<Run> = runs.into_iter().map(run).collect();
        let first = |(at, run): (usize, &mut Run)| run.next().map(|row| Reverse((row, at)));
        let next = runs.iter_mut().enumerate().filter_map(first).collect();
        Self { runs, next, done: Rows::default() }
    }

    /// Goes on by so many rows; the whole, if that was the last of them.
    pub(super) fn step(&mut self, most: usize) -> Option<Rows> {
        let mut rows = Vec::with_capacity(most);
        while rows.len() < most
            && let Some(mut least) = self.next.peek_mut()
        {
            let Reverse((row, at)) = *least;
            rows.push(row);
            match self.runs.get_mut(at).and_then(Run::next) {
                Some(row) => *least = Reverse((row, at)),
                None => drop(PeekMut::pop(least)),
            }
        }
        self.done.extend(&rows);
        self.next.is_empty().then(|| std::mem::take(&mut self.done))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn row(weight: u64, rank: u32) -> Row {
        Row { weight: Reverse(weight), rank }
    }

    fn all(rows: &Rows) -> Vec<Row> {
        rows.chunks.iter().flat_map(Chunk::rows).collect()
    }

    fn merged(rows: &[Row], runs: usize, step: usize) -> Rows {
        let run = |rows: &[Row]| {
            let (mut sorted, mut run) = (rows.to_vec(), Rows::default());
            sorted.sort_unstable();
            run.extend(&sorted);
            run
        };
        let mut merge = Merge::begin(rows.chunks(rows.len().div_ceil(runs).max(1)).map(run).collect());
        loop {
            if let Some(rows) = merge.step(step) {
                return rows;
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn rows_are_a_sorted_set(
            weights in proptest::collection::vec(prop_oneof![8 => 0..3_u64, 2 => 0..1000_u64, 1 => any::<u64>()], 0..4000),
            (runs, step) in (1..6_usize, 1..3000_usize),
            edits in proptest::collection::vec((prop_oneof![0..3_u64, any::<u64>()], 0..5000_u32), 0..40),
        ) {
            let given: Vec<Row> = weights.iter().zip(0..).map(|(weight, rank)| row(*weight, rank)).collect();
            let mut rows = merged(&given, runs, step);
            let mut model: BTreeSet<Row> = given.into_iter().collect();
            prop_assert_eq!(all(&rows), model.iter().copied().collect::<Vec<_>>());
            for (weight, rank) in edits {
                // A number comes once.
                if let Some(old) = model.iter().copied().find(|row| row.rank == rank) {
                    prop_assert_eq!(rows.of_rank(rank), Some(old));
                    prop_assert!(rows.remove(old) && model.remove(&old) && !rows.remove(old));
                } else {
                    prop_assert_eq!(rows.of_rank(rank), None);
                }
                rows.insert(row(weight, rank));
                model.insert(row(weight, rank));
            }
            prop_assert_eq!(all(&rows), model.iter().copied().collect::<Vec<_>>());
            for (at, row) in model.iter().enumerate() {
                prop_assert_eq!((rows.rank(at), rows.find(*row)), (Some(row.rank), (at, true)));
            }
            prop_assert_eq!((rows.rank(model.len()), rows.len()), (None, model.len()));
            prop_assert!(rows.chunks.iter().all(|chunk| (1..2 * CHUNK).contains(&chunk.ranks.len())));
        }
    }

    #[test]
    fn numbers_move_when_a_key_comes_or_goes() {
        let mut rows = Rows::default();
        rows.extend(&[row(9, 4), row(9, 7), row(1, 0)]);
        rows.make_room(4);
        assert_eq!(all(&rows), [row(9, 5), row(9, 8), row(1, 0)]);
        rows.close_gap(6);
        assert_eq!(all(&rows), [row(9, 5), row(9, 7), row(1, 0)]);
    }

    #[test]
    fn a_row_costs_four_bytes_and_what_its_weight_differs_by() {
        let bytes = |rows: &Rows| -> usize {
            let of = |chunk: &Chunk| size_of::<Chunk>() + 32 + chunk.steps.len() + chunk.ranks.capacity() * 4;
            rows.chunks.iter().map(of).sum()
        };
        let of = |step: u64| {
            let given: Vec<Row> = (0..100_000)
                .map(|rank| row(1 << 40, rank))
                .map(|at| row(at.weight.0 - u64::from(at.rank) * step, at.rank))
                .collect();
            bytes(&merged(&given, 3, 5000)) as f64 / 100_000.0
        };
        assert!(of(0) < 4.2 && of(100) < 5.2 && of(10_000) < 6.2, "{} {} {}", of(0), of(100), of(10_000));
    }
}
