//! A cursor in a list of any length, and the part of that list that is at hand.
//!
//! They know neither what the rows are nor where they come from. Invariant: after [`Cursor::settle`] the cursor is on
//! a row that exists, if there is one, and that row is among those shown.

use std::ops::Range;

use super::action::Motion;

/// The selected row, and the first one shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The selected row.
    pub at: usize,
    /// The row on the pane's first line.
    pub top: usize,
}

impl Cursor {
    /// Moves by a key; `page` is how many rows the pane shows.
    pub fn go(&mut self, motion: Motion, total: usize, page: usize) {
        let page = page.max(1);
        self.at = match motion {
            Motion::Up => self.at.saturating_sub(1),
            Motion::Down => self.at.saturating_add(1),
            Motion::PageUp => self.at.saturating_sub(page),
            Motion::PageDown => self.at.saturating_add(page),
            Motion::HalfUp => self.at.saturating_sub(page.div_ceil(2)),
            Motion::HalfDown => self.at.saturating_add(page.div_ceil(2)),
            Motion::First => 0,
            Motion::Last => usize::MAX,
            Motion::Left | Motion::Right => self.at,
        };
        self.settle(total, page);
    }

    /// Puts the cursor on row `at` and leaves it on the same line of the pane, as far as the list allows.
    pub fn jump(&mut self, at: usize, total: usize, page: usize) {
        let line = self.at.saturating_sub(self.top);
        self.at = at;
        self.top = at.saturating_sub(line);
        self.settle(total, page);
    }

    /// Brings the cursor back into a list of `total` rows and the window onto the cursor.
    pub fn settle(&mut self, total: usize, page: usize) {
        let page = page.max(1);
        self.at = self.at.min(total.saturating_sub(1));
        let lowest = (self.at + 1).saturating_sub(page);
        self.top = self.top.clamp(lowest, self.at).min(total.saturating_sub(page).max(lowest));
    }

    /// The rows that a pane of `page` lines shows.
    pub fn shown(&self, total: usize, page: usize) -> Range<usize> {
        self.top.min(total)..self.top.saturating_add(page).min(total)
    }
}

/// Some consecutive rows of a longer list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window<T> {
    /// The number of the first row at hand.
    pub from: usize,
    /// The rows at hand.
    pub rows: Vec<T>,
    /// Rows of the whole list.
    pub total: usize,
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self { from: 0, rows: Vec::new(), total: 0 }
    }
}

impl<T> Window<T> {
    /// Row number `at` of the whole list, if it is at hand.
    pub fn get(&self, at: usize) -> Option<&T> {
        self.rows.get(at.checked_sub(self.from)?)
    }

    /// Whether every row of the range is at hand.
    pub fn covers(&self, range: &Range<usize>) -> bool {
        range.is_empty() || (range.start >= self.from && range.end <= self.from + self.rows.len())
    }
}

/// The window of `rows` rows around `place` in a list of `total`, with as much before as after.
pub fn window_around(place: usize, rows: usize, total: usize) -> Range<usize> {
    let from = place.saturating_sub(rows / 2).min(total.saturating_sub(rows));
    from..from.saturating_add(rows).min(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_page_moves_by_what_is_shown_and_stops_at_the_ends() {
        let mut cursor = Cursor::default();
        cursor.go(Motion::PageDown, 100, 10);
        assert_eq!(cursor, Cursor { at: 10, top: 1 });
        cursor.go(Motion::Last, 100, 10);
        assert_eq!(cursor, Cursor { at: 99, top: 90 });
        cursor.go(Motion::Down, 100, 10);
        assert_eq!(cursor.at, 99);
        cursor.go(Motion::First, 100, 10);
        assert_eq!(cursor, Cursor { at: 0, top: 0 });
    }

    #[test]
    fn a_jump_stays_on_its_line() {
        let mut cursor = Cursor { at: 15, top: 10 };
        cursor.jump(55, 100, 10);
        assert_eq!(cursor, Cursor { at: 55, top: 50 });
    }

    proptest! {
        #[test]
        fn the_cursor_is_always_on_a_row_that_is_shown(
            at: usize, top: usize, total in 0..1000_usize, page in 0..60_usize, motion in 0..10_usize,
        ) {
            let mut cursor = Cursor { at, top };
            cursor.settle(total, page);
            let motion = Motion::ALL.get(motion).copied().unwrap_or(Motion::Up);
            cursor.go(motion, total, page);
            prop_assert!(cursor.at < total.max(1));
            prop_assert!(total == 0 || cursor.shown(total, page.max(1)).contains(&cursor.at));
            let shown = cursor.shown(total, page.max(1)).len();
            prop_assert_eq!(shown, page.max(1).min(total), "no line is left empty while there are rows");
        }

        #[test]
        fn a_window_holds_its_place(place in 0..1000_usize, rows in 1..100_usize, total in 1..1000_usize) {
            let window = window_around(place.min(total - 1), rows, total);
            prop_assert!(window.contains(&place.min(total - 1)) && window.len() <= rows && window.end <= total);
        }
    }
}
