//! Pane 3: one record, file header or part of a hint, every byte by the field that it belongs to, and words on the field
//! under the cursor.
//!
//! Only the rows on the screen are made.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::View;
use super::anatomy::words;
use super::pane::{frame, line};
use super::subject::Subject;
use crate::inspect::Anatomy;
use crate::text;
use crate::tui::app::{Pane, Typing};
use crate::tui::dump::{DumpCursor, DumpShape, byte};

pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let theme = view.theme;
    let Some(subject) = Subject::of(view) else {
        let inner = frame(view, Pane::Record, area, Vec::new(), buf);
        return line(inner, 0, &Line::styled(" no record is selected", theme.dim()), buf);
    };
    let mut title = vec![Span::raw(format!("  {}  {}", subject.place(area.width), text::size(subject.len())))];
    title.extend(subject.crc(view).map(|(words, style)| Span::styled(format!("  {words}"), style)));
    let (state, style) = subject.state(view);
    title.push(Span::styled(format!("  {state}"), style));
    let inner = frame(view, Pane::Record, area, title, buf);
    let asked = view.app.record.asked.as_ref();
    let is_this = asked.is_some_and(|asked| (asked.segment, asked.offset) == subject.key());
    match view.app.record.anatomy.as_ref().filter(|_| is_this) {
        Some(Ok(anatomy)) => draw_anatomy(view, subject, anatomy, inner, buf),
        Some(Err(e)) => line(inner, 0, &Line::styled(format!(" {e}"), theme.bad()), buf),
        None => line(inner, 0, &Line::styled(" …", theme.dim()), buf),
    }
}

fn draw_anatomy(view: &View<'_>, subject: Subject<'_>, anatomy: &Anatomy, inner: Rect, buf: &mut Buffer) {
    let cells = usize::from(inner.width);
    let shape = DumpShape::of(anatomy, usize::from(inner.height), cells);
    let cursor = view.app.record.cursor;
    for at in 0..shape.page.min(shape.rows.saturating_sub(cursor.top)) {
        line(inner, at, &bytes_line(view, anatomy, shape, cursor, cursor.top + at), buf);
    }
    let below = shape.page;
    for (at, each) in words(view, subject, anatomy, cursor, cells).into_iter().enumerate() {
        line(inner, below + at, &each, buf);
    }
}

/// One row: the offset in the file, the bytes, their characters.
fn bytes_line(view: &View<'_>, anatomy: &Anatomy, shape: DumpShape, cursor: DumpCursor, row: usize) -> Line<'static> {
    let (digits, per_row) = (shape.hex.digits, shape.hex.bytes);
    let start = (row * per_row) as u64;
    let mut spans = vec![Span::styled(format!("{:digits$x}  ", anatomy.offset + start), view.theme.dim())];
    let mut characters = Vec::with_capacity(per_row);
    for column in 0..per_row {
        let at = start + column as u64;
        let gap = if column + 1 == per_row / 2 { "  " } else { " " };
        match byte(anatomy, at) {
            Some((byte, field)) => {
                let style = byte_style(view, anatomy, cursor, at, field);
                let character = if (0x20..0x7f).contains(&byte) { char::from(byte) } else { '.' };
                spans.extend([Span::styled(format!("{byte:02x}"), style), Span::raw(gap)]);
                characters.push(Span::styled(character.to_string(), style));
            }
            None => spans.push(Span::raw(format!("  {gap}"))),
        }
    }
    spans.extend(characters);
    Line::from(spans)
}

/// Colour tells the fields apart; the one under the cursor is told without it, and so are the bytes that it covers if it
/// is a checksum.
fn byte_style(view: &View<'_>, anatomy: &Anatomy, cursor: DumpCursor, at: u64, field: usize) -> Style {
    let style = anatomy.fields.get(field).map_or(Style::new(), |field| view.theme.role(field.field.role));
    let focused = view.app.focus == Pane::Record && view.app.typing != Some(Typing::Command);
    let place = anatomy.offset.saturating_add(at);
    let is_covered = anatomy.sum_in(cursor.field).is_some_and(|sum| sum.covers.contains(&place));
    match (field == cursor.field, at == cursor.at && focused) {
        (_, true) => style.add_modifier(Modifier::REVERSED | Modifier::BOLD),
        (true, false) => style.add_modifier(Modifier::UNDERLINED | Modifier::BOLD),
        (false, false) if is_covered => style.add_modifier(Modifier::UNDERLINED),
        (false, false) => style,
    }
}
