//! Where the rows of a long file begin, as far as it has been walked: a mark for every 256 rows, or for every MiB where
//! rows are longer than that.
//!
//! Plain data, and the walk that fills it. It must not know what the rows are. What it costs: 16 bytes a mark, so 1.2 MiB
//! for 20,000,000 records of a hundred bytes, and never more than one mark a row. A row is found from the mark before it
//! by walking over 255 rows or one MiB and a row at most. Invariants:
//!
//! 1. A mark is an offset at which a row begins, and its number is the number of rows before it. It stays right when the
//!    file grows: only what stands behind the last mark is walked again.
//! 2. A walk that is given up leaves its marks, and the next one goes on from the last of them.

use std::ops::{ControlFlow, Range};

use parking_lot::Mutex;

use crate::error::Result;

/// Rows from one mark to the next.
const STRIDE: usize = 256;
/// Bytes from one mark to the next, if rows are long.
const REACH: u64 = 1 << 20;

/// A row's number and place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) row: usize,
    pub(super) offset: u64,
}

/// What is known of one file.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    first: Mark,
    others: Vec<Mark>,
    /// Rows and bytes, if it was walked to its end.
    whole: Option<Mark>,
}

impl Marks {
    /// Nothing but where the first row begins.
    pub(super) fn new(first: Mark) -> Self {
        Self { first, others: Vec::new(), whole: None }
    }

    /// The last mark: how far a walk has come.
    pub(super) fn last(&self) -> Mark {
        self.others.last().copied().unwrap_or(self.first)
    }

    /// Rows that are known to be there; all of them, if the file was walked to its end at `end`.
    pub(super) fn rows(&self, end: u64) -> usize {
        self.whole_at(end).unwrap_or(self.last().row)
    }

    /// The number of rows of a file that ends at `end`, if all of them are counted.
    pub(super) fn whole_at(&self, end: u64) -> Option<usize> {
        self.whole.filter(|whole| whole.offset == end).map(|whole| whole.row)
    }

    /// Where the file ended when it was walked to its end.
    pub(super) fn end(&self) -> Option<u64> {
        self.whole.map(|whole| whole.offset)
    }

    /// Whether the file is shorter than it was, so that nothing of this is true any more.
    pub(super) fn is_beyond(&self, end: u64) -> bool {
        self.last().offset > end || self.whole.is_some_and(|whole| whole.offset > end)
    }

    /// The mark from which row number `row` is found.
    pub(super) fn before_row(&self, row: usize) -> Mark {
        self.nearest(self.others.partition_point(|mark| mark.row <= row))
    }

    /// The mark from which the row at `offset` is found.
    pub(super) fn before_offset(&self, offset: u64) -> Mark {
        self.nearest(self.others.partition_point(|mark| mark.offset <= offset))
    }

    fn nearest(&self, marks: usize) -> Mark {
        marks.checked_sub(1).and_then(|at| self.others.get(at)).copied().unwrap_or(self.first)
    }

    fn push(&mut self, mark: Mark) {
        if mark.row > self.last().row {
            self.others.push(mark);
        }
    }
}

/// Walks on from the last mark to the end. `boundaries` gives the places of rows from a mark's on; `come` is told how far
/// the walk is, and may end it. `false`: it did. The marks are not locked while the file is read.
pub(super) fn walk_on<B: Iterator<Item = Result<Range<u64>>>>(
    marks: &Mutex<Marks>,
    boundaries: impl FnOnce(u64) -> Result<B>,
    come: &mut dyn FnMut(Mark) -> Result<ControlFlow<()>>,
) -> Result<bool> {
    let mut last = marks.lock().last();
    let mut at = last;
    for range in boundaries(last.offset)? {
        let range = range?;
        at.offset = range.start;
        if at.row - last.row >= STRIDE || at.offset - last.offset >= REACH {
            last = at;
            marks.lock().push(last);
            if come(last)?.is_break() {
                return Ok(false);
            }
        }
        at = Mark { row: at.row + 1, offset: range.end };
    }
    marks.lock().whole = Some(at);
    Ok(true)
}

/// Whether so few bytes are left to be walked that one may as well wait for it.
pub(super) fn is_near(marks: &Marks, end: u64) -> bool {
    end.saturating_sub(marks.last().offset) <= REACH
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use proptest::prelude::*;

    use super::*;

    fn ranges(lens: &[u64], from: u64) -> Vec<Result<Range<u64>>> {
        let mut start = 0;
        let mut ranges = Vec::new();
        for len in lens {
            ranges.push(Ok(start..start + len));
            start += len;
        }
        ranges.into_iter().filter(|range| range.as_ref().is_ok_and(|range| range.start >= from)).collect()
    }

    proptest! {
        #[test]
        fn marks_are_those_of_one_walk_however_often_it_is_given_up_and_the_file_grows(
            lens in proptest::collection::vec(prop_oneof![9 => 1..200_u64, 1 => 1..3_000_000_u64], 1..4000),
            steps in proptest::collection::vec((0..5_usize, 0..4000_usize), 1..12),
        ) {
            let starts: Vec<u64> = ranges(&lens, 0).into_iter().map(|range| range.unwrap().start).collect();
            let marks = Mutex::new(Marks::new(Mark { row: 0, offset: 0 }));
            let mut there = 0;
            for (patience, more) in steps.into_iter().chain([(usize::MAX, usize::MAX)]) {
                there = (there + more.min(lens.len())).min(lens.len());
                let lens = &lens[..there];
                let end = lens.iter().sum();
                let mut left = patience;
                let whole = walk_on(&marks, |from| Ok(ranges(lens, from).into_iter()), &mut |_| {
                    left = left.saturating_sub(1);
                    Ok(if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
                }).unwrap();
                let marks = marks.lock();
                prop_assert_eq!(marks.whole_at(end).is_some(), whole || marks.whole_at(end).is_some());
                prop_assert!(!whole || marks.rows(end) == there);
                for row in (0..there).step_by(97) {
                    let mark = marks.before_row(row);
                    prop_assert!(mark.row <= row && starts[mark.row] == mark.offset);
                    let same = marks.before_offset(starts[row]);
                    prop_assert!(same.offset <= starts[row] && starts[same.row] == same.offset);
                    let bounded = row - mark.row <= STRIDE && (row == mark.row || starts[row] - mark.offset <= REACH + 3_000_000);
                    prop_assert!(bounded || row > marks.last().row, "{row} from {mark:?}");
                }
            }
            prop_assert_eq!(marks.lock().rows(lens.iter().sum()), lens.len());
        }
    }
}
