//! Pane 1: the keys, flat or as a tree.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::View;
use super::bottom::shown;
use super::key_names::Names;
use super::pane::{List, frame};
use crate::store::{Entry, Mode};
use crate::text;
use crate::tui::action::{Branch, KeyRow, KeysWork, Making};
use crate::tui::app::{KeysPane, Pane};
use crate::tui::effect::Sort;
use crate::tui::filter::KeyFilter;

/// Cells of the columns behind the key; those that do not fit are left out from the right.
const COLUMNS: [(&str, usize); 4] = [("size", 9), ("seg", 5), ("off", 11), ("age", 7)];
/// The key keeps at least so many.
const KEY: usize = 14;
/// Cells that a level of the tree is moved in by.
const STEP: usize = 2;

pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let keys = &view.app.keys;
    let inner = frame(view, Pane::Keys, area, title(view), buf);
    let shape = Shape::of(usize::from(inner.width), keys.delimiter.is_some());
    let shown = keys.cursor.shown(keys.window.total, usize::from(inner.height.saturating_sub(1)));
    let rows = shown.filter_map(|at| keys.window.get(at));
    let names = Names::of(rows.map(|row| (row, shape.name_cells(row))));
    let empty = empty(view);
    let list = List { pane: Pane::Keys, headings: shape.headings(), cursor: keys.cursor, window: &keys.window, empty };
    list.draw(view, inner, buf, |row| shape.line(view, row, &names));
}

/// How many keys, in what order, and which; or, while that is being made, how far it has come.
fn title(view: &View<'_>) -> Vec<Span<'static>> {
    let (keys, theme) = (&view.app.keys, view.theme);
    let mut title = vec![Span::raw(format!(" {}", count(view)))];
    if let Some(work) = keys.work {
        let percent = work.done.saturating_mul(100) / work.total.max(1);
        title.push(Span::styled(format!("  {}… {percent} %", work.making.word()), theme.notice()));
    }
    if !keys.filter.is_empty() {
        let filter = match &keys.filter {
            KeyFilter::Prefix(prefix) => text::escape_to_width(prefix, 16).text,
            KeyFilter::Pattern(pattern) => format!("re:{}", shown(pattern).chars().take(24).collect::<String>()),
            KeyFilter::Word(word) => format!("~{}", text::escape_to_width(word, 16).text),
        };
        title.push(Span::styled(format!("  /{filter}"), theme.notice()));
    }
    match (keys.delimiter, keys.work) {
        (Some(delimiter), _) => {
            title.push(Span::styled(format!("  tree \"{}\"", char::from(delimiter)), theme.dim()));
        }
        (None, None | Some(KeysWork { making: Making::Sorting, .. })) => {
            title.push(Span::styled(format!("  {}", order(keys).label()), theme.dim()));
        }
        (None, Some(_)) => {}
    }
    title
}

/// The order that the rows have, or that is being made.
fn order(keys: &KeysPane) -> Sort {
    match (&keys.shown, keys.is_old()) {
        (Some(shown), false) => shown.sort,
        _ => keys.view().sort,
    }
}

/// How many keys there are, and how many pass the filter, as far as that is known.
fn count(view: &View<'_>) -> String {
    let keys = &view.app.keys;
    let all = text::count(view.app.figures.as_ref().map_or(0, |figures| figures.stats.keys));
    let more = if keys.work.is_some() && !keys.is_old() { "+" } else { "" };
    match keys.filter.is_empty() || keys.is_old() {
        true => all,
        false => format!("{}{more} of {all}", text::count(keys.passing as u64)),
    }
}

/// What an empty list means: a filter that nothing passes, a new store, one that is only looked at, or one whose keys could
/// not be read.
fn empty(view: &View<'_>) -> &'static str {
    let keys = &view.app.keys;
    if keys.work.is_some() {
        return "the keys are still being read";
    }
    if keys.asked.is_none() || keys.waiting {
        return "…";
    }
    match (&keys.filter, view.app.figures.as_ref().map(|figures| &figures.stats)) {
        (KeyFilter::Prefix(prefix), _) if !prefix.is_empty() => "no key begins so; esc clears",
        (KeyFilter::Pattern(_) | KeyFilter::Word(_), _) => "no key has this; esc clears",
        (_, Some(stats)) if stats.findings > 0 => "no keys could be read; F says why",
        (_, Some(stats)) if stats.mode == Mode::ReadOnly => "no keys",
        _ => "no keys yet; :put KEY VALUE",
    }
}

/// Which columns there is room for, and how keys stand in theirs.
struct Shape {
    key: usize,
    columns: usize,
    tree: bool,
}

impl Shape {
    fn of(width: usize, tree: bool) -> Self {
        let room = width.saturating_sub(3);
        let columns = (0..=COLUMNS.len()).rev().find(|n| taken(*n) + KEY <= room).unwrap_or(0);
        Self { key: room.saturating_sub(taken(columns)), columns, tree }
    }

    fn headings(&self) -> String {
        let mut line = format!("  {:<width$}", "key", width = self.key);
        for (name, cells) in COLUMNS.iter().take(self.columns) {
            line.push_str(&format!("{name:>cells$}"));
        }
        line
    }

    /// Cells before a name: the mark of a branch and its level's, as far as the name keeps half of the room.
    fn indent(&self, row: &KeyRow) -> usize {
        let mark = if self.tree { STEP } else { 0 };
        (row.depth * STEP).min(self.key / 2) + mark
    }

    fn name_cells(&self, row: &KeyRow) -> usize {
        self.key.saturating_sub(self.indent(row))
    }

    fn line(&self, view: &View<'_>, row: &KeyRow, names: &Names<'_>) -> Line<'static> {
        let indent = self.indent(row);
        let name = names.span(view, row, self.name_cells(row));
        let mut spans = vec![Span::raw(" ".repeat(2 + indent)), name];
        match (row.branch, row.entry) {
            (Some(branch), _) => {
                let glyph = if branch.open { "▾ " } else { "▸ " };
                let before = " ".repeat(2 + indent.saturating_sub(STEP));
                spans.splice(..1, [Span::raw(before), Span::styled(glyph, view.theme.strong())]);
                spans.push(self.held(view, branch));
            }
            (None, Some(entry)) => spans.extend(self.cells(view, &entry)),
            (None, None) => spans.push(Span::styled("gone", view.theme.dim())),
        }
        let line = Line::from(spans);
        if view.app.keys.is_old() { dimmed(view, line) } else { line }
    }

    /// How many keys a branch holds, across the columns.
    fn held(&self, view: &View<'_>, branch: Branch) -> Span<'static> {
        let count = text::count(branch.keys as u64);
        let noun = if branch.keys == 1 { "key" } else { "keys" };
        let cells = taken(self.columns);
        let words = match format!("{count} {noun}") {
            words if words.len() < cells => words,
            _ => count,
        };
        Span::styled(format!("{words:>cells$}"), view.theme.dim())
    }

    fn cells(&self, view: &View<'_>, entry: &Entry) -> Vec<Span<'static>> {
        let theme = view.theme;
        let cells = [
            text::size(entry.stored_len),
            entry.location.segment.to_string(),
            text::count(entry.location.offset),
            text::age(view.app.now, entry.tstamp),
        ];
        let styled = |((at, cell), (_, width)): ((usize, String), (&str, usize))| {
            Span::styled(format!("{cell:>width$}"), if at == 0 { theme.plain() } else { theme.dim() })
        };
        cells.into_iter().enumerate().zip(COLUMNS).take(self.columns).map(styled).collect()
    }
}

/// A row of a list that is no longer the one that is wanted.
fn dimmed(view: &View<'_>, line: Line<'static>) -> Line<'static> {
    let style = view.theme.dim();
    Line::from(line.spans.into_iter().map(|span| Span { style, ..span }).collect::<Vec<_>>())
}

fn taken(columns: usize) -> usize {
    COLUMNS.iter().take(columns).map(|(_, cells)| cells).sum()
}
