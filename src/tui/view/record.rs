//! Pane 3: one record, every byte by the field that it belongs to, and words on the field under the cursor.
//!
//! Only the rows on the screen are made.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::View;
use super::anatomy::words;
use super::pane::{frame, line};
use crate::inspect::{Anatomy, CrcState, RecordRow};
use crate::text;
use crate::tui::app::{Pane, Typing};
use crate::tui::dump::{DumpCursor, DumpShape, byte};

/// Cells below which the title is shortened.
const NARROW: u16 = 60;

pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let theme = view.theme;
    let Some(row) = view.app.records.row() else {
        let inner = frame(view, Pane::Record, area, Vec::new(), buf);
        return line(inner, 0, &Line::styled(" no record is selected", theme.dim()), buf);
    };
    let title = vec![
        Span::raw(format!("  {}  {}  ", place(row, area.width), text::size(row.len))),
        Span::styled(crc(row), if row.crc == CrcState::Bad { theme.bad() } else { theme.dim() }),
        Span::styled(format!("  {}", row.state.name().to_uppercase()), theme.state(row.state)),
    ];
    let inner = frame(view, Pane::Record, area, title, buf);
    let asked = view.app.record.asked.as_ref();
    let is_this = asked.is_some_and(|asked| (asked.segment, asked.offset) == (row.segment, row.offset));
    match view.app.record.anatomy.as_ref().filter(|_| is_this) {
        Some(Ok(anatomy)) => draw_anatomy(view, row, anatomy, inner, buf),
        Some(Err(e)) => line(inner, 0, &Line::styled(format!(" {e}"), theme.bad()), buf),
        None => line(inner, 0, &Line::styled(" …", theme.dim()), buf),
    }
}

/// Where the record is; shorter where the title would be cut.
fn place(row: &RecordRow, cells: u16) -> String {
    match cells < NARROW {
        true => format!("{}:{}", row.segment, row.offset),
        false => format!("segment {} @ {}", row.segment, text::count(row.offset)),
    }
}

fn crc(row: &RecordRow) -> String {
    match row.crc {
        CrcState::None => "no crc".to_owned(),
        CrcState::Bad => "crc BAD".to_owned(),
        CrcState::Ok => "crc ok".to_owned(),
    }
}

fn draw_anatomy(view: &View<'_>, row: &RecordRow, anatomy: &Anatomy, inner: Rect, buf: &mut Buffer) {
    let cells = usize::from(inner.width);
    let shape = DumpShape::of(anatomy, usize::from(inner.height), cells);
    let cursor = view.app.record.cursor;
    for at in 0..shape.page.min(shape.rows.saturating_sub(cursor.top)) {
        line(inner, at, &bytes_line(view, anatomy, shape, cursor, cursor.top + at), buf);
    }
    let below = shape.page;
    for (at, each) in words(view, row, anatomy, cursor.field, cells).into_iter().enumerate() {
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

/// Colour tells the fields apart; the one under the cursor is told without it.
fn byte_style(view: &View<'_>, anatomy: &Anatomy, cursor: DumpCursor, at: u64, field: usize) -> Style {
    let style = anatomy.fields.get(field).map_or(Style::new(), |field| view.theme.role(field.field.role));
    let focused = view.app.focus == Pane::Record && view.app.typing != Some(Typing::Command);
    match (field == cursor.field, at == cursor.at && focused) {
        (_, true) => style.add_modifier(Modifier::REVERSED | Modifier::BOLD),
        (true, false) => style.add_modifier(Modifier::UNDERLINED | Modifier::BOLD),
        (false, false) => style,
    }
}
