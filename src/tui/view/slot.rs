//! The lower part of pane 6: the slot that a key sits in, its row as it stands in memory, and what a key costs and why.

use ratatui::text::{Line, Span};

use super::View;
use super::pane::wrapped;
use crate::format::Role;
use crate::store::{KeydirShape, KeydirSlot, RowPart};
use crate::text;

/// Bytes of the row that are shown in one line.
const ROW: usize = 48;
/// Cells of the name of a part of the row.
const NAME: usize = 14;

/// Lines of at most so many cells.
pub(super) fn lines(view: &View<'_>, width: usize) -> Vec<Line<'static>> {
    let keydir = &view.app.keydir;
    let mut lines = Vec::new();
    if let Some(shape) = &keydir.shape {
        lines.push(table_line(view, shape));
    }
    if let Some(slot) = &keydir.slot {
        lines.extend(slot_lines(view, slot));
        lines.push(row_line(view, slot, width));
    }
    if let Some(shape) = &keydir.shape {
        let words = costs(shape, keydir.slot.as_ref());
        lines.extend(wrapped(&words, width.saturating_sub(2), view.theme.dim()));
    }
    if let Some(slot) = &keydir.slot {
        lines.extend(slot.row.iter().map(|part| part_line(view, part, width)));
    }
    lines
}

fn table_line(view: &View<'_>, shape: &KeydirShape) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!(" load factor {:.2}", shape.load_factor()), view.theme.strong()),
        Span::raw(format!("  {} slots, {} shards", text::count(shape.slots as u64), shape.shards)),
    ])
}

fn slot_lines(view: &View<'_>, slot: &KeydirSlot) -> [Line<'static>; 2] {
    let theme = view.theme;
    let hash = Line::from(vec![
        Span::styled(" hash  ", theme.dim()),
        Span::raw(format!("{:016x}", slot.hash)),
        Span::styled(" → ", theme.live()),
        Span::raw(format!("shard {}", slot.shard)),
    ]);
    let place = Line::from(vec![
        Span::styled(" slot  ", theme.dim()),
        Span::styled(text::count(slot.slot as u64), theme.strong()),
        Span::raw(format!(" of {}, {} taken", text::count(slot.slots as u64), text::count(slot.entries as u64))),
    ]);
    [hash, place]
}

/// The row's bytes, coloured by what they are, as many as fit.
fn row_line(view: &View<'_>, slot: &KeydirSlot, width: usize) -> Line<'static> {
    let all: usize = slot.row.iter().map(|part| part.bytes.len()).sum();
    let fits = (width.saturating_sub(10) / 3).clamp(4, ROW);
    let mut spans = vec![Span::styled(" row   ", view.theme.dim())];
    let bytes = slot.row.iter().flat_map(|part| part.bytes.iter().map(|byte| (byte, part.role)));
    spans.extend(bytes.take(fits).map(|(byte, role)| Span::styled(format!("{byte:02x} "), view.theme.role(role))));
    if all > fits {
        spans.push(Span::styled("…", view.theme.dim()));
    }
    Line::from(spans)
}

fn part_line(view: &View<'_>, part: &RowPart, width: usize) -> Line<'static> {
    let theme = view.theme;
    let value = match (part.role, part.number) {
        (Role::Time, Some(micros)) => text::timestamp(micros),
        (Role::Length, Some(len)) => text::size(len),
        (Role::Key, _) | (_, None) => text::escape_to_width(&part.bytes, width.saturating_sub(NAME + 12)).text,
        (_, Some(number)) => number.to_string(),
    };
    Line::from(vec![
        Span::styled(format!("   {:<NAME$}", part.name), theme.role(part.role)),
        Span::styled(format!("{:>4} B  ", text::count(part.bytes.len() as u64)), theme.dim()),
        Span::raw(value),
    ])
}

/// Why a key costs what it costs.
fn costs(shape: &KeydirShape, slot: Option<&KeydirSlot>) -> String {
    let entries = shape.entries.max(1) as f64;
    let table = shape.table_bytes as f64 / entries;
    let rows = shape.row_bytes as f64 / entries;
    let mut words = format!(
        "{:.1} B a key: {table:.1} B of table (a slot is a reference of 3 B and a byte of the hash, and tables are kept \
         partly empty), {rows:.1} B of rows",
        table + rows
    );
    if let Some(slot) = slot {
        let len = |wanted: fn(&RowPart) -> bool| -> usize {
            slot.row.iter().filter(|part| wanted(part)).map(|part| part.bytes.len()).sum()
        };
        let (key, entry) = (len(|part| part.role == Role::Key), len(|part| part.role != Role::Key));
        words.push_str(&format!("; this key's row is {key} B of key and {entry} B of entry"));
    }
    if shape.unused_bytes > 0 {
        words.push_str(&format!("; {} of unused rows", text::size(shape.unused_bytes as u64)));
    }
    words
}
