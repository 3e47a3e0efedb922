//! Pane 6: the index in memory, and the entry of the selected key.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pane::{frame, line, scroll_mark};
use super::{View, slot};
use crate::store::Entry;
use crate::text;
use crate::tui::app::{Figures, Pane};

const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let inner = frame(view, Pane::Keydir, area, Vec::new(), buf);
    let Some(figures) = &view.app.figures else { return };
    let summary = summary(figures);
    let room = usize::from(inner.width).saturating_sub(summary.len() + 3);
    let mut lines = vec![Line::from(vec![
        Span::raw(format!(" {summary}  ")),
        Span::styled(sparkline(&view.app.keydir.growth, room), view.theme.live()),
    ])];
    lines.extend(entry_lines(view, usize::from(inner.width)));
    lines.extend(slot::lines(view, usize::from(inner.width)));
    let page = usize::from(inner.height);
    let top = view.app.keydir.top.min(lines.len().saturating_sub(page));
    lines.iter().skip(top).enumerate().for_each(|(row, each)| line(inner, row, each, buf));
    scroll_mark(view, Pane::Keydir, inner, top, page, lines.len(), buf);
}

/// The keydir where there is no room for a pane.
pub(super) fn draw_line(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let Some(figures) = &view.app.figures else { return };
    let mut spans =
        vec![Span::styled(" 6 Keydir ", view.theme.strong()), Span::raw(format!(" {}  ", summary(figures)))];
    if let Some((_, entry)) = selected(view) {
        let at = entry.location;
        spans.push(Span::styled(format!("→ {}:{} len {}  ", at.segment, at.offset, at.len), view.theme.dim()));
    }
    let used: usize = spans.iter().map(Span::width).sum();
    let room = usize::from(area.width).saturating_sub(used + 1);
    spans.push(Span::styled(sparkline(&view.app.keydir.growth, room), view.theme.live()));
    line(area, 0, &Line::from(spans), buf);
}

fn summary(figures: &Figures) -> String {
    let stats = &figures.stats;
    format!(
        "{} {}  {}  {:.0} B/key",
        text::count(stats.keys),
        if stats.keys == 1 { "entry" } else { "entries" },
        text::size(stats.keydir_bytes),
        stats.bytes_per_key()
    )
}

fn selected<'a>(view: &View<'a>) -> Option<(&'a [u8], Entry)> {
    let row = view.app.keys.row()?;
    row.entry.map(|entry| (&*row.key, entry))
}

fn entry_lines(view: &View<'_>, width: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    let Some((key, entry)) = selected(view) else {
        return vec![Line::styled(" no key is selected", theme.dim())];
    };
    let at = entry.location;
    let place = format!("segment {} offset {} len {}", at.segment, at.offset, at.len);
    let name: &[u8] = if key.is_empty() { b"the empty key" } else { key };
    let key = text::escape_to_width(name, width.saturating_sub(place.len() + 5).max(4));
    let indent = " ".repeat(key.cells + 4);
    let mut lines = vec![
        Line::from(vec![
            Span::styled(format!(" {}", key.text), theme.strong()),
            Span::styled(" → ", theme.live()),
            Span::raw(place),
        ]),
        Line::raw(format!("{indent}{}", text::timestamp(entry.tstamp))),
    ];
    if let Some(at) = entry.expires_at {
        lines.push(Line::raw(format!("{indent}expires {}", text::timestamp(at))));
    }
    lines.push(Line::styled(format!("{indent}value {}", text::size(entry.stored_len)), theme.dim()));
    lines
}

/// The newest points that fit, scaled between their lowest and their highest.
pub(super) fn sparkline(points: &[u64], cells: usize) -> String {
    let points = points.get(points.len().saturating_sub(cells)..).unwrap_or_default();
    let lowest = points.iter().min().copied().unwrap_or(0);
    let span = points.iter().max().map_or(0, |highest| highest - lowest);
    let step = |point: &u64| {
        let at = u128::from(point - lowest) * (STEPS.len() as u128 - 1) / u128::from(span.max(1));
        usize::try_from(at).ok().and_then(|at| STEPS.get(at)).copied().unwrap_or('█')
    };
    points.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_shows_the_newest_points() {
        assert_eq!(sparkline(&[0, 10, 20, 70], 3), "▁▂█");
        assert_eq!(sparkline(&[5, 5], 9), "▁▁");
        assert_eq!(sparkline(&[1, u64::MAX], 9), "▁█");
        assert_eq!(sparkline(&[], 9), "");
    }
}
