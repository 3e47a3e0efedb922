//! What all panes have in common: the frame with its title, the rows of a list, columns, the mark that tells how far a
//! list is scrolled.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::merge::MergeStrategy;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Widget};

use super::View;
use crate::text;
use crate::tui::app::{Pane, Typing};
use crate::tui::list::{Cursor, Window};
use crate::tui::wrap;

/// Writes a pane's title on its frame and returns what is inside.
pub(super) fn frame(view: &View<'_>, pane: Pane, area: Rect, title: Vec<Span<'_>>, buf: &mut Buffer) -> Rect {
    let focused = view.app.focus == pane;
    let digit = pane.digit().map(|digit| format!("{digit} ")).unwrap_or_default();
    let mut spans = vec![Span::raw(" "), Span::styled(digit + pane.title(), view.theme.title(focused))];
    spans.extend(title);
    spans.push(Span::raw(" "));
    on_border(area.x + 1, area.y, area.width.saturating_sub(3), &Line::from(spans), buf);
    Block::bordered().inner(area)
}

/// Draws the line around an area, joined to those that are there already.
pub(super) fn border(view: &View<'_>, focused: bool, area: Rect, buf: &mut Buffer) {
    let style = view.theme.border(focused);
    Block::bordered().border_style(style).merge_borders(MergeStrategy::Exact).render(area, buf);
}

/// A frame with any title; returns what is inside.
pub(super) fn block(view: &View<'_>, title: Line<'_>, area: Rect, buf: &mut Buffer) -> Rect {
    border(view, true, area, buf);
    on_border(area.x + 1, area.y, area.width.saturating_sub(3), &title, buf);
    Block::bordered().inner(area)
}

/// Writes over a border, whose style must not shine through. What does not fit ends in an ellipsis: words that were cut
/// must not look whole.
fn on_border(x: u16, y: u16, room: u16, line: &Line<'_>, buf: &mut Buffer) {
    let whole = u16::try_from(line.width()).unwrap_or(u16::MAX);
    let width = whole.min(room);
    buf.set_style(Rect { x, y, width, height: 1 }, Style::reset());
    buf.set_line(x, y, line, room);
    if whole > room.saturating_add(1)
        && let Some(last) = buf.cell_mut((x.saturating_add(room.saturating_sub(1)), y))
    {
        last.set_symbol("…");
    }
}

/// Words at the right end of a pane's lower line.
pub(super) fn legend(area: Rect, line: &Line<'_>, buf: &mut Buffer) {
    let width = u16::try_from(line.width()).unwrap_or(u16::MAX);
    if width + 4 <= area.width {
        on_border(area.x + area.width - 2 - width, area.y + area.height - 1, width, line, buf);
    }
}

/// Writes a line into a row of an area.
pub(super) fn line(area: Rect, row: usize, line: &Line<'_>, buf: &mut Buffer) {
    if let Some(y) = u16::try_from(row).ok().filter(|row| *row < area.height) {
        buf.set_line(area.x, area.y + y, line, area.width);
    }
}

/// A list: headings, and the rows on the screen. `paint` is called for those alone.
pub(super) struct List<'a, T> {
    pub(super) pane: Pane,
    pub(super) headings: String,
    pub(super) cursor: Cursor,
    pub(super) window: &'a Window<T>,
    pub(super) empty: &'a str,
}

impl<T> List<'_, T> {
    /// Paints into what is inside a pane's frame.
    pub(super) fn draw<'r>(&self, view: &View<'_>, inner: Rect, buf: &mut Buffer, paint: impl Fn(&T) -> Line<'r>) {
        let theme = view.theme;
        line(inner, 0, &Line::styled(self.headings.as_str(), theme.dim()), buf);
        let page = usize::from(inner.height.saturating_sub(1));
        let shown = self.cursor.shown(self.window.total, page);
        if shown.is_empty() {
            line(inner, 1, &Line::styled(format!("  {}", self.empty), theme.dim()), buf);
        }
        for (at, row) in shown.zip(1..) {
            let selected = at == self.cursor.at;
            let painted = match self.window.get(at) {
                Some(record) => paint(record),
                None => Line::styled("  …", theme.dim()),
            };
            line(inner, row, &painted, buf);
            if selected {
                select(view, self.pane, inner, row, usize::from(inner.width), buf);
            }
        }
        scroll_mark(view, self.pane, inner, self.cursor.top, page, self.window.total, buf);
    }
}

/// Marks the first cells of a row as selected.
pub(super) fn select(view: &View<'_>, pane: Pane, inner: Rect, row: usize, cells: usize, buf: &mut Buffer) {
    let Some(y) = u16::try_from(row).ok().filter(|row| *row < inner.height).map(|row| inner.y + row) else { return };
    let focused = view.app.focus == pane && view.app.typing != Some(Typing::Command);
    let width = u16::try_from(cells).unwrap_or(u16::MAX).min(inner.width);
    let area = Rect { y, height: 1, width, ..inner };
    if focused {
        buf.set_style(area, Style::reset());
    }
    buf.set_style(area, view.theme.selected(focused));
    buf.set_string(inner.x, y, "›", Style::new());
}

/// A thicker stretch of the right border: the part of the list that is on the screen.
pub(super) fn scroll_mark(
    view: &View<'_>,
    pane: Pane,
    inner: Rect,
    top: usize,
    page: usize,
    total: usize,
    buf: &mut Buffer,
) {
    if total <= page || page == 0 || view.app.focus != pane {
        return;
    }
    let len = (page * page / total).clamp(1, page);
    let start = top * (page - len) / (total - page).max(1);
    for row in start..(start + len).min(page) {
        if let Ok(row) = u16::try_from(row + 1) {
            buf.set_string(inner.x + inner.width, inner.y + row, "┃", view.theme.border(true));
        }
    }
}

/// Bytes in a column of exactly `cells` cells.
pub(super) fn column(bytes: &[u8], cells: usize) -> String {
    let mut clipped = text::escape_to_width(bytes, cells);
    clipped.text.extend(std::iter::repeat_n(' ', cells.saturating_sub(clipped.cells)));
    clipped.text
}

/// A key in a column. The empty one is named, in a style that no key has.
pub(super) fn key_span(view: &View<'_>, key: &[u8], cells: usize) -> Span<'static> {
    match key {
        [] => Span::styled(column(b"the empty key", cells), view.theme.dim()),
        key => Span::raw(column(key, cells)),
    }
}

/// Words in lines of so many cells, indented by one.
pub(super) fn wrapped(words: &str, cells: usize, style: Style) -> Vec<Line<'static>> {
    let lines = wrap::words(words, cells);
    lines.into_iter().map(|words| Line::styled(format!(" {words}"), style)).collect()
}

/// A share of a width, full and empty, as a gauge.
pub(super) fn gauge(done: u64, total: u64, cells: usize) -> (String, String) {
    let done = u128::from(done.min(total)) * cells as u128 / u128::from(total.max(1));
    let done = usize::try_from(done).unwrap_or(cells).min(cells);
    ("█".repeat(done), "░".repeat(cells - done))
}
