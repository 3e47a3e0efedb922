//! Pane 4: a value in one of its views. Only the rows on the screen are made.

use std::iter::successors;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::View;
use super::pane::{frame, line, wrapped};
use crate::inspect::{RecordRow, RowState};
use crate::text;
use crate::tui::action::ValuePart;
use crate::tui::app::{Lead, Pane};
use crate::tui::effect::ValueOf;
use crate::tui::wrap;
use crate::value;

pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let pane = &view.app.value;
    let theme = view.theme;
    if let Some(part) = pane.part() {
        let inner = frame(view, Pane::Value, area, title(view, part), buf);
        return draw_part(view, part, inner, buf);
    }
    let inner = frame(view, Pane::Value, area, place(view).into_iter().collect(), buf);
    let (words, style) = match &pane.value {
        Some(Err(e)) => (e.as_str(), theme.bad()),
        Some(Ok(_)) => ("the key has no value", theme.dim()),
        None if pane.asked.is_some() => ("…", theme.dim()),
        None => (nothing(view), theme.dim()),
    };
    let lines = wrapped(words, usize::from(inner.width).saturating_sub(2), style);
    lines.iter().enumerate().for_each(|(row, each)| line(inner, row, each, buf));
}

/// The view and how it came about, the size, whose value it is, where it is scrolled to, and what it cannot promise.
fn title(view: &View<'_>, part: &ValuePart) -> Vec<Span<'static>> {
    let (pane, theme) = (&view.app.value, view.theme);
    let is_forced = pane.asked.as_ref().is_some_and(|asked| asked.view == Some(part.view));
    let forced = if is_forced { " (forced)" } else { "" };
    let mut title = vec![Span::raw(format!("  {}{forced}  {}", part.view.name(), size(part)))];
    title.extend(place(view));
    if pane.top.at > 0 && !part.view.is_structured() {
        let share = text::percent(pane.top.at as f64 / part.whole.max(1) as f64);
        title.push(Span::styled(format!("  from byte {} ({share})", text::count(pane.top.at)), theme.dim()));
    } else if pane.top.at > 0 {
        let of = text::count(part.lines.len() as u64);
        title.push(Span::styled(format!("  line {} of {of}", text::count(pane.top.at + 1)), theme.dim()));
    }
    if part.unchecked {
        title.push(Span::styled("  crc not computed", theme.notice()));
    }
    if pane.suspect {
        title.push(Span::styled("  suspect: damage may hide a newer version", theme.bad()));
    }
    title
}

/// The size, and how much of it is shown where that is not all that can be reached.
fn size(part: &ValuePart) -> String {
    let at_hand = part.bytes.len() as u64;
    let is_cut = part.view.is_structured() || part.compressed;
    match is_cut && at_hand < part.whole {
        true => format!("first {} of {}", text::size(at_hand), text::size(part.whole)),
        false => text::size(part.whole),
    }
}

/// The record whose value is shown, if that is not simply the key's.
fn record<'a>(view: &View<'a>) -> Option<&'a RecordRow> {
    let app = view.app;
    if app.history.chosen {
        return app.history.selected().map(|version| &version.row);
    }
    let is_older = app.value.asked.as_ref().is_some_and(|asked| asked.of == ValueOf::Record);
    app.records.row().filter(|_| is_older)
}

fn place(view: &View<'_>) -> Option<Span<'static>> {
    let row = record(view)?;
    let words = format!("  {} {}:{}", row.state.name(), row.segment, row.offset);
    Some(Span::styled(words, view.theme.state(row.state)))
}

/// Why no value is shown.
fn nothing(view: &View<'_>) -> &'static str {
    let row = record(view).or(view.app.records.row());
    let by_key = view.app.lead == Lead::Keys && !view.app.history.chosen;
    match row.map(|row| row.state) {
        Some(_) if by_key => "no key is selected",
        Some(RowState::Tombstone) => "a tombstone has no value",
        Some(RowState::Header) => "a file header has no value",
        Some(RowState::Mark) => "a mark belongs to no key",
        Some(RowState::Damaged | RowState::Torn) => "what does not hold is not shown as a value",
        Some(_) => "this record's value is not served any more",
        None => "no key is selected",
    }
}

fn draw_part(view: &View<'_>, part: &ValuePart, inner: Rect, buf: &mut Buffer) {
    match part.view {
        _ if part.whole == 0 => line(inner, 0, &Line::styled(" the value is empty", view.theme.dim()), buf),
        value::View::Hex => draw_hex(view, part, inner, buf),
        value::View::Text => draw_text(view, part, inner, buf),
        _ => draw_lines(view, part, inner, buf),
    }
}

fn draw_lines(view: &View<'_>, part: &ValuePart, inner: Rect, buf: &mut Buffer) {
    let cells = usize::from(inner.width).saturating_sub(2);
    let top = view.app.value.top;
    let lines = part.lines.iter().skip(usize::try_from(top.at).unwrap_or(usize::MAX));
    let rows = lines.flat_map(|line| wrap::line_rows(line, cells)).skip(top.row);
    for (at, row) in rows.take(usize::from(inner.height)).enumerate() {
        let mut spans = vec![Span::raw(" ")];
        spans.extend(row.into_iter().map(|span| Span::styled(span.text, view.theme.class(span.class))));
        line(inner, at, &Line::from(spans), buf);
    }
}

/// The first row's place in the bytes at hand; `None`: they are on their way.
fn top(view: &View<'_>, part: &ValuePart) -> Option<usize> {
    let at = view.app.value.top.at.checked_sub(part.from)?;
    usize::try_from(at).ok().filter(|at| *at < part.bytes.len())
}

fn draw_text(view: &View<'_>, part: &ValuePart, inner: Rect, buf: &mut Buffer) {
    let cells = usize::from(inner.width).saturating_sub(2);
    let Some(top) = top(view, part) else { return on_its_way(view, inner, buf) };
    let rows = successors(Some(top), |row| wrap::next_row(&part.bytes, *row, cells));
    for (at, row) in rows.take(usize::from(inner.height)).enumerate() {
        line(inner, at, &Line::raw(format!(" {}", wrap::row_text(&part.bytes, row, cells))), buf);
    }
}

fn draw_hex(view: &View<'_>, part: &ValuePart, inner: Rect, buf: &mut Buffer) {
    let theme = view.theme;
    let shape = part.hex_shape(usize::from(inner.width));
    let Some(top) = top(view, part) else { return on_its_way(view, inner, buf) };
    // A row of eight became one of sixteen when the pane grew.
    let top = top / shape.bytes * shape.bytes;
    let rows = (top..part.bytes.len()).step_by(shape.bytes);
    for (at, row) in rows.take(usize::from(inner.height)).enumerate() {
        let (offset, hex, ascii) = wrap::hex_row(&part.bytes, part.from, row, shape);
        let spans = vec![
            Span::styled(format!("{offset}  "), theme.dim()),
            Span::raw(format!("{hex} ")),
            Span::styled(ascii, theme.key()),
        ];
        line(inner, at, &Line::from(spans), buf);
    }
}

fn on_its_way(view: &View<'_>, inner: Rect, buf: &mut Buffer) {
    line(inner, 0, &Line::styled(" …", view.theme.dim()), buf);
}
