//! Pane 1: the keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::View;
use super::pane::{List, frame, key_span};
use crate::store::Mode;
use crate::text;
use crate::tui::action::KeyRow;
use crate::tui::app::Pane;

/// Cells of the columns behind the key; those that do not fit are left out from the right.
const COLUMNS: [(&str, usize); 4] = [("size", 9), ("seg", 5), ("off", 11), ("age", 7)];
/// The key keeps at least so many.
const KEY: usize = 14;

/// What an empty list means: a new store, one that is only looked at, or one whose keys could not be read.
fn nothing(view: &View<'_>) -> &'static str {
    match view.app.figures.as_ref().map(|figures| &figures.stats) {
        Some(stats) if stats.findings > 0 => "no keys could be read; F says why",
        Some(stats) if stats.mode == Mode::ReadOnly => "no keys",
        _ => "no keys yet; :put KEY VALUE",
    }
}

pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let keys = &view.app.keys;
    let theme = view.theme;
    let mut title =
        vec![Span::raw(format!(" {}", count(view))), Span::styled(format!("  {}", keys.sort.label()), theme.dim())];
    if !keys.prefix.is_empty() {
        title.push(Span::styled(format!("  /{}", text::escape_to_width(&keys.prefix, 16).text), theme.notice()));
    }
    let inner = frame(view, Pane::Keys, area, title, buf);
    let shape = Shape::of(usize::from(inner.width));
    let empty = match (keys.asked.is_none() || keys.waiting, keys.prefix.is_empty()) {
        (true, _) => "…",
        (false, true) => nothing(view),
        (false, false) => "no key begins like this; esc clears the filter",
    };
    let list = List { pane: Pane::Keys, headings: shape.headings(), cursor: keys.cursor, window: &keys.window, empty };
    list.draw(view, inner, buf, |row| shape.line(view, row));
}

/// How many keys there are, and how many pass the filter.
fn count(view: &View<'_>) -> String {
    let all = view.app.figures.as_ref().map_or(0, |figures| figures.stats.keys);
    if view.app.keys.prefix.is_empty() {
        return text::count(all);
    }
    format!("{} of {}", text::count(view.app.keys.window.total as u64), text::count(all))
}

/// Which columns there is room for.
struct Shape {
    key: usize,
    columns: usize,
}

impl Shape {
    fn of(width: usize) -> Self {
        let room = width.saturating_sub(3);
        let taken = |columns: usize| COLUMNS.iter().take(columns).map(|(_, cells)| cells).sum::<usize>();
        let columns = (0..=COLUMNS.len()).rev().find(|n| taken(*n) + KEY <= room).unwrap_or(0);
        Self { key: room.saturating_sub(taken(columns)), columns }
    }

    fn headings(&self) -> String {
        let mut line = format!("  {:<width$}", "key", width = self.key);
        for (name, cells) in COLUMNS.iter().take(self.columns) {
            line.push_str(&format!("{name:>cells$}"));
        }
        line
    }

    fn line(&self, view: &View<'_>, row: &KeyRow) -> Line<'static> {
        let theme = view.theme;
        let mut spans = vec![Span::raw("  "), key_span(view, &row.key, self.key)];
        let Some(entry) = row.entry else {
            spans.push(Span::styled("gone", theme.dim()));
            return Line::from(spans);
        };
        let cells = [
            text::size(entry.stored_len),
            entry.location.segment.to_string(),
            text::count(entry.location.offset),
            text::age(view.app.now, entry.tstamp),
        ];
        for ((at, cell), (_, width)) in cells.into_iter().enumerate().zip(COLUMNS).take(self.columns) {
            let style = if at == 0 { theme.plain() } else { theme.dim() };
            spans.push(Span::styled(format!("{cell:>width$}"), style));
        }
        Line::from(spans)
    }
}
