//! The difference between two values, line by line: what was taken away, what came, and a few lines around that.
//!
//! Plain data; comparing is a job's work. Invariant: no more lines than both values have, and two.

use super::wrap::line_rows;
use crate::value::{Line, Span};

/// Cells before a line: its sign, with a free one on either side.
const SIGN: usize = 3;

/// The difference as a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffPage {
    /// On its border.
    pub title: String,
    /// Its lines.
    pub lines: Vec<DiffLine>,
}

impl DiffPage {
    /// The line on top when the last one is at the bottom of so many rows.
    pub fn last_top(&self, cells: usize, height: usize) -> usize {
        let mut rows = 0;
        let fits = |line: &&DiffLine| {
            rows += line.rows(cells).len();
            rows <= height
        };
        self.lines.len() - self.lines.iter().rev().take_while(fits).count().max(1).min(self.lines.len())
    }
}

/// A line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// Where it is from.
    pub side: Side,
    /// The line.
    pub line: Line,
}

impl DiffLine {
    /// The rows that it takes in so many cells.
    pub fn rows(&self, cells: usize) -> Vec<Vec<Span>> {
        line_rows(&self.line, cells.saturating_sub(SIGN))
    }
}

/// Which value has a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The older one alone.
    Older,
    /// The newer one alone.
    Newer,
    /// Both.
    Both,
    /// None: words about lines that both have and that are left out.
    Neither,
}

impl Side {
    /// The character before the line.
    pub fn sign(self) -> char {
        match self {
            Self::Older => '-',
            Self::Newer => '+',
            Self::Both => ' ',
            Self::Neither => '·',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Class;

    #[test]
    fn the_last_page_is_full_and_has_the_last_line_whole() {
        let line = |text: &str| DiffLine {
            side: Side::Both,
            line: Line { spans: vec![Span { class: Class::Plain, text: text.to_owned() }] },
        };
        let page =
            DiffPage { title: String::new(), lines: vec![line("a"), line("b"), line("cccccccccccc"), line("d")] };
        assert_eq!(page.last_top(13, 3), 2, "the long one takes two rows");
        assert_eq!(page.last_top(13, 4), 1);
        assert_eq!(page.last_top(80, 10), 0);
        assert_eq!(page.last_top(13, 0), 3);
        assert_eq!(DiffPage { title: String::new(), lines: Vec::new() }.last_top(9, 9), 0);
    }
}
