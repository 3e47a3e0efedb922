//! What the keys on the screen are called there: whole where there is room, and else so that one is told from the next.
//!
//! It knows the rows that are shown and no others. Invariant: what is painted went through [`crate::text`].

use std::collections::BTreeMap;

use ratatui::text::Span;

use super::View;
use crate::text::{self, Clipped};
use crate::tui::action::KeyRow;

/// The names of some rows.
pub(super) struct Names<'a> {
    names: BTreeMap<(&'a [u8], bool), Clipped>,
}

fn name_of(row: &KeyRow) -> (&[u8], bool) {
    (&row.key, row.branch.is_some())
}

/// What is to be shown of a key: what the branches around it do not tell.
fn rest(row: &KeyRow) -> &[u8] {
    row.key.get(row.stem..).unwrap_or_default()
}

impl<'a> Names<'a> {
    /// The names of rows that stand below each other, each with the cells that it has.
    pub(super) fn of(rows: impl Iterator<Item = (&'a KeyRow, usize)>) -> Self {
        let rows: Vec<_> = rows.collect();
        let usual: Vec<Clipped> = rows.iter().map(|(row, cells)| text::escape_ends(rest(row), *cells)).collect();
        let neighbours = |at: usize| {
            let near = [at.checked_sub(1), at.checked_add(1)].into_iter().flatten();
            near.filter_map(|near| Some((rows.get(near)?.0, usual.get(near)?)))
        };
        let names = rows.iter().zip(&usual).enumerate().map(|(at, ((row, cells), name))| {
            let alike = neighbours(at).filter(|(_, near)| name.truncated && near.text == name.text);
            let differs_at = alike.map(|(near, _)| common(rest(row), rest(near))).max();
            let name = match differs_at {
                Some(place) => text::escape_around(rest(row), place, *cells),
                None => name.clone(),
            };
            (name_of(row), name)
        });
        Self { names: names.collect() }
    }

    /// The name of a row, filled up to so many cells. What has no letters is named, in a style that no key has.
    pub(super) fn span(&self, view: &View<'_>, row: &KeyRow, cells: usize) -> Span<'static> {
        let (nameless, name) = match (rest(row), self.names.get(&name_of(row))) {
            ([], _) if row.stem > 0 => (true, text::escape_to_width(b"itself", cells)),
            ([], _) => (true, text::escape_to_width(b"the empty key", cells)),
            (_, Some(name)) => (false, name.clone()),
            (rest, None) => (false, text::escape_ends(rest, cells)),
        };
        let fill = " ".repeat(cells.saturating_sub(name.cells));
        let style = if nameless { view.theme.dim() } else { view.theme.plain() };
        Span::styled(name.text + &fill, style)
    }
}

fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
