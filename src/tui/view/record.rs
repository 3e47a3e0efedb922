//! Pane 3: one record, field by field.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::View;
use super::pane::{frame, line};
use crate::format::Codec;
use crate::inspect::{CrcState, RecordRow, RowState};
use crate::text;
use crate::tui::app::Pane;

pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let theme = view.theme;
    let Some(row) = view.app.records.row() else {
        let inner = frame(view, Pane::Record, area, Vec::new(), buf);
        return line(inner, 0, &Line::styled(" no record is selected", theme.dim()), buf);
    };
    let title = vec![
        Span::raw(format!("  segment {} @ {}  {}  ", row.segment, text::count(row.offset), text::size(row.len))),
        Span::styled(crc(row), if row.crc == CrcState::Bad { theme.bad() } else { theme.dim() }),
        Span::styled(format!("  {}", row.state.name().to_uppercase()), theme.state(row.state)),
    ];
    let inner = frame(view, Pane::Record, area, title, buf);
    for (at, (name, value)) in fields(view, row, usize::from(inner.width)).into_iter().enumerate() {
        let spans = vec![Span::styled(format!(" {name:<8} "), theme.dim()), Span::raw(value)];
        line(inner, at, &Line::from(spans), buf);
    }
}

fn crc(row: &RecordRow) -> String {
    match row.crc {
        CrcState::None => "no crc in this format".to_owned(),
        crc => format!("crc {}", crc.name()),
    }
}

fn fields(view: &View<'_>, row: &RecordRow, width: usize) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    if let Some(key) = &row.key {
        let len = text::size(key.len() as u64);
        let room = width.saturating_sub(13 + len.len());
        fields.push(("key", format!("{}  {len}", text::escape_to_width(key, room).text)));
    }
    fields.push(("kind", format!("{}: {}", row.kind.name(), reason(row))));
    if let Some(len) = row.stored_len {
        let codec = match row.codec {
            Some(Codec::Lz4) => "  as lz4",
            _ => "",
        };
        fields.push(("value", format!("{}{codec}", text::size(len))));
    }
    if let Some(tstamp) = row.tstamp {
        let age = text::age(view.app.now, tstamp);
        fields.push(("tstamp", format!("{}  {age}", text::timestamp(tstamp))));
    }
    if let Some(at) = row.expires_at {
        fields.push(("expires", format!("{}  {}", text::timestamp(at), text::age(view.app.now, at))));
    }
    if let Some(check) = row.check {
        fields.push(("check", check.to_string()));
    }
    fields
}

/// Why the record is in the state that it is in.
fn reason(row: &RecordRow) -> &'static str {
    match row.state {
        RowState::Live => "the keydir points here",
        RowState::Superseded => "a newer record of this key, or its tombstone, took its place",
        RowState::Tombstone => "says that the key is gone; it stays until no older version can come back",
        RowState::Expired => "its time ran out",
        RowState::Mark => "says how far this file is on stable storage",
        RowState::Damaged => "fails a check; what it held is not served",
        RowState::Torn => "was being written when writing stopped",
        RowState::Unknown => "a later version wrote this",
    }
}
