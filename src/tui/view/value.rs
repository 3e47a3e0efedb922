//! Pane 4: a value, as text or in hexadecimal. Only the rows on the screen are made.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::View;
use super::pane::{frame, line};
use crate::format::Codec;
use crate::inspect::{RecordRow, RowState};
use crate::text;
use crate::tui::app::{Lead, Pane};
use crate::tui::update::shows_hex;
use crate::tui::wrap;

pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let pane = &view.app.value;
    let theme = view.theme;
    match &pane.value {
        Some(Ok(Some(value))) => {
            let hex = shows_hex(view.app, value);
            let size = size(pane.whole, value.len() as u64);
            let mut title = vec![Span::raw(format!("  {}  {size}", if hex { "hex" } else { "text" }))];
            if pane.top > 0 {
                let share = text::percent(pane.top as f64 / value.len().max(1) as f64);
                title
                    .push(Span::styled(format!("  from byte {} ({share})", text::count(pane.top as u64)), theme.dim()));
            }
            if let Some(row) = older(view) {
                title.push(Span::styled(format!("  {}", row.state.name()), theme.state(row.state)));
                if row.codec == Some(Codec::Lz4) {
                    title.push(Span::styled("  as stored, lz4", theme.notice()));
                }
            }
            if pane.suspect {
                title.push(Span::styled("  suspect: damage may hide a newer version", theme.bad()));
            }
            let inner = frame(view, Pane::Value, area, title, buf);
            if hex { draw_hex(view, value, inner, buf) } else { draw_text(view, value, inner, buf) }
        }
        other => {
            let inner = frame(view, Pane::Value, area, Vec::new(), buf);
            let note = match other {
                Some(Err(e)) => Line::styled(format!(" {e}"), theme.bad()),
                Some(_) => Line::styled(" the key has no value", theme.dim()),
                None if pane.asked.is_some() => Line::styled(" …", theme.dim()),
                None => Line::styled(format!(" {}", nothing(view)), theme.dim()),
            };
            line(inner, 0, &note, buf);
        }
    }
}

fn size(whole: u64, at_hand: u64) -> String {
    match at_hand < whole {
        true => format!("first {} of {}", text::size(at_hand), text::size(whole)),
        false => text::size(whole),
    }
}

/// The record whose value is shown, if the keydir no longer points at it.
fn older<'a>(view: &View<'a>) -> Option<&'a RecordRow> {
    let older = view.app.value.asked.as_ref().is_some_and(|asked| asked.older.is_some());
    view.app.records.row().filter(|_| older)
}

/// Why no value is shown.
fn nothing(view: &View<'_>) -> &'static str {
    match view.app.records.row().map(|row| row.state) {
        Some(_) if view.app.lead == Lead::Keys => "no key is selected",
        Some(RowState::Tombstone) => "a tombstone has no value",
        Some(RowState::Mark) => "a mark belongs to no key",
        Some(RowState::Damaged | RowState::Torn) => "what does not hold is not shown as a value",
        Some(_) => "this record's value is not served any more",
        None => "no key is selected",
    }
}

fn draw_text(view: &View<'_>, value: &[u8], inner: Rect, buf: &mut Buffer) {
    if value.is_empty() {
        return line(inner, 0, &Line::styled(" the value is empty", view.theme.dim()), buf);
    }
    let cells = usize::from(inner.width).saturating_sub(2);
    let rows = std::iter::successors(Some(view.app.value.top), |row| wrap::next_row(value, *row, cells));
    for (at, row) in rows.take(usize::from(inner.height)).enumerate() {
        line(inner, at, &Line::raw(format!(" {}", wrap::row_text(value, row, cells))), buf);
    }
}

fn draw_hex(view: &View<'_>, value: &[u8], inner: Rect, buf: &mut Buffer) {
    let theme = view.theme;
    // A line of text became a row of hexadecimal when the look was changed.
    let shape = wrap::hex_shape(value.len(), usize::from(inner.width));
    let top = view.app.value.top / shape.bytes * shape.bytes;
    let rows = (top..value.len().max(1)).step_by(shape.bytes);
    for (at, row) in rows.take(usize::from(inner.height)).enumerate() {
        let (offset, hex, ascii) = wrap::hex_row(value, row, shape);
        let spans = vec![
            Span::styled(format!("{offset}  "), theme.dim()),
            Span::raw(format!("{hex} ")),
            Span::styled(ascii, theme.key()),
        ];
        line(inner, at, &Line::from(spans), buf);
    }
}
