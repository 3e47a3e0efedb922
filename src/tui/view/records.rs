//! The records of one segment, below pane 2.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pane::{List, column, frame, key_span};
use super::{View, hints};
use crate::format::Kind;
use crate::inspect::{RecordRow, RowKind, RowState};
use crate::text;
use crate::tui::app::{Pane, RecordsPane};
use crate::tui::theme::glyph;

/// Cells from which on there is room for the kind, and for why a record is live.
const ROOMY: u16 = 60;

pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let records = &view.app.records;
    if let Some(hint) = &records.hint {
        return hints::draw(view, hint, area, buf);
    }
    let inner = frame(view, Pane::Records, area, title(view), buf);
    let shape = Shape::of(inner.width);
    let headings = shape.headings();
    let keys = &view.app.keys;
    // Which segment is shown follows from a key that is not there yet.
    let is_to_come = records.segment.is_none() && (keys.waiting || keys.work.is_some());
    let empty = if records.waiting || is_to_come { "…" } else { "no records" };
    let list = List { pane: Pane::Records, headings, cursor: records.cursor, window: &records.window, empty };
    list.draw(view, inner, buf, |row| shape.line(view, row));
}

/// What follows the pane's name.
pub(super) fn title(view: &View<'_>) -> Vec<Span<'static>> {
    let records = &view.app.records;
    if let Some(hint) = &records.hint {
        return hints::title(view, hint);
    }
    let mut title = Vec::new();
    if let Some(segment) = records.segment {
        title.push(Span::raw(format!(" of segment {segment}  {}", total(records))));
    }
    if let Some((done, all)) = records.walking {
        let share = text::percent(done as f64 / all.max(1) as f64);
        title.push(Span::styled(format!("  counting {share}"), view.theme.notice()));
    }
    title
}

/// How many rows there are, as far as that is known. The file header is none of the records.
fn total(records: &RecordsPane) -> String {
    let headers = usize::from(records.has_header);
    let counted = text::count(records.window.total.saturating_sub(headers) as u64);
    match (records.is_counted, records.is_numbered) {
        (true, _) => counted.to_string(),
        (false, true) => format!("{counted}…"),
        (false, false) => "…".to_owned(),
    }
}

/// The widths of the columns.
pub(super) struct Shape {
    pub(super) roomy: bool,
    pub(super) offset: usize,
    pub(super) len: usize,
    pub(super) key: usize,
}

impl Shape {
    pub(super) fn of(width: u16) -> Self {
        let roomy = width >= ROOMY;
        let (offset, len, others) = if roomy { (12, 10, 24) } else { (9, 9, 15) };
        let key = usize::from(width).saturating_sub(2 + offset + len + others);
        Self { roomy, offset, len, key }
    }

    fn headings(&self) -> String {
        let Self { offset, len, key, .. } = *self;
        let kind = if self.roomy { "kind " } else { "" };
        format!("  {:>offset$}{:>len$}  {kind}{:<key$} state", "offset", "len", "key")
    }

    fn line(&self, view: &View<'_>, row: &RecordRow) -> Line<'static> {
        let theme = view.theme;
        let Self { offset, len, .. } = *self;
        let key = match (&row.key, row.check) {
            (Some(key), _) => key_span(view, key, self.key),
            (None, None) if row.kind == RowKind::Header => Span::styled(column(b"file header", self.key), theme.dim()),
            (None, Some(check)) => Span::raw(column(check.to_string().as_bytes(), self.key)),
            (None, None) => Span::raw(" ".repeat(self.key)),
        };
        let why = if self.roomy && row.state == RowState::Live { " ← keydir" } else { "" };
        Line::from(vec![
            Span::styled(format!("  {:>offset$}", text::count(row.offset)), theme.dim()),
            Span::raw(format!("{:>len$}  ", text::size(row.len))),
            Span::raw(if self.roomy { format!("{:<5}", kind(row.kind)) } else { String::new() }),
            key,
            Span::styled(format!(" {} {}{why}", glyph(row.state), row.state.name()), theme.state(row.state)),
        ])
    }
}

/// A word of four letters.
pub(super) fn kind(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Record(Kind::Put) => "put",
        RowKind::Record(Kind::Tombstone) => "del",
        RowKind::Record(Kind::Mark) => "mark",
        RowKind::Record(Kind::Unknown(_)) => "?",
        RowKind::Gap => "gap",
        RowKind::Header => "head",
    }
}
