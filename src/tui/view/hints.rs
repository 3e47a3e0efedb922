//! The rows of a segment's hint, in the place of its records.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::View;
use super::pane::{List, column, frame, key_span};
use super::records::{Shape, kind};
use crate::format::FormatKind;
use crate::inspect::hint::Standing;
use crate::inspect::{HintRow, RowKind};
use crate::text;
use crate::tui::app::{HintPane, Pane};

/// What follows the pane's name: how far the rows are counted, and what becomes of the hint.
pub(super) fn title(view: &View<'_>, hint: &HintPane) -> Vec<Span<'static>> {
    let segment = view.app.records.segment.unwrap_or_default();
    let mut title = vec![Span::raw(format!(" of segment {segment}: hint"))];
    if let Some((done, all)) = hint.walking {
        let share = text::percent(done as f64 / all.max(1) as f64);
        title.push(Span::styled(format!("  counting {share}"), view.theme.notice()));
    }
    if let Some(standing) = hint.standing {
        let style = if standing == Standing::Holds { view.theme.dim() } else { view.theme.bad() };
        title.push(Span::styled(format!("  {standing}"), style));
    }
    title
}

pub(super) fn draw(view: &View<'_>, hint: &HintPane, area: Rect, buf: &mut Buffer) {
    let inner = frame(view, Pane::Records, area, title(view, hint), buf);
    let shape = Shape::of(inner.width);
    let Shape { offset, len, key, .. } = shape;
    let put = if shape.roomy { "kind " } else { "" };
    let headings = format!("  {:>offset$}{:>len$}  {put}{:<key$} points at", "offset", "len", "key");
    let list =
        List { pane: Pane::Records, headings, cursor: hint.cursor, window: &hint.window, empty: empty(view, hint) };
    list.draw(view, inner, buf, |row| line(view, &shape, row));
}

fn empty(view: &View<'_>, hint: &HintPane) -> &'static str {
    let format = view.app.figures.as_ref().map(|figures| figures.stats.format);
    match hint.is_there {
        None => "…",
        Some(_) if format == Some(FormatKind::LogkvGo) => "this format has no hints",
        Some(false) => "no hint: opening reads the records",
        Some(true) => "the hint is empty",
    }
}

fn line(view: &View<'_>, shape: &Shape, row: &HintRow) -> Line<'static> {
    let theme = view.theme;
    let Shape { roomy, offset, len, key } = *shape;
    let name = match (&row.key, row.check) {
        (Some(bytes), _) => key_span(view, bytes, key),
        (None, Some(check)) => Span::styled(column(check.to_string().as_bytes(), key), theme.bad()),
        (None, None) => Span::styled(column(row.part.name().as_bytes(), key), theme.dim()),
    };
    let word = row.kind.map_or("", |record| kind(RowKind::Record(record)));
    let (points_at, style) = match (&row.points_at, row.check) {
        (Some(place), Some(_)) => (format!(" ! {} is not there", text::count(place.start)), theme.bad()),
        (Some(place), None) => (format!(" → {}", text::count(place.start)), theme.plain()),
        (None, _) => (String::new(), theme.plain()),
    };
    Line::from(vec![
        Span::styled(format!("  {:>offset$}", text::count(row.offset)), theme.dim()),
        Span::raw(format!("{:>len$}  ", text::size(row.len))),
        Span::raw(if roomy { format!("{word:<5}") } else { String::new() }),
        name,
        Span::styled(points_at, style),
    ])
}
