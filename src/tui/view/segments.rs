//! Pane 2: the segment files, each with a bar of its live, dead and damaged bytes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::View;
use super::pane::{frame, legend, line, scroll_mark, select};
use crate::inspect::RowState;
use crate::store::SegmentInfo;
use crate::text;
use crate::tui::app::Pane;
use crate::tui::theme::glyph;

/// Cells from which on tombstones have a column.
const ROOMY: u16 = 56;

pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let app = view.app;
    let segments = app.segment_rows();
    let title = vec![Span::raw(format!(" {}", text::count(segments.len() as u64)))];
    let inner = frame(view, Pane::Segments, area, title, buf);
    let roomy = inner.width >= ROOMY;
    let headings = if roomy { HEADINGS } else { NARROW_HEADINGS };
    let bar = usize::from(inner.width).saturating_sub(headings.len() + 1);
    line(inner, 0, &Line::styled(format!("{headings}map"), view.theme.dim()), buf);
    let page = usize::from(inner.height.saturating_sub(1));
    if segments.is_empty() {
        let findings = app.figures.as_ref().map_or(0, |figures| figures.stats.findings);
        let why = if findings > 0 {
            "  no segment could be read; F says why"
        } else {
            "  no segments yet; the first put makes one"
        };
        line(inner, 1, &Line::styled(why, view.theme.dim()), buf);
    }
    for (at, row) in app.segments.shown(segments.len(), page).zip(1..) {
        let Some(segment) = segments.get(at) else { continue };
        line(inner, row, &segment_line(view, segment, roomy, bar), buf);
        if at == app.segments.at {
            select(view, Pane::Segments, inner, row, headings.len(), buf);
        }
    }
    scroll_mark(view, Pane::Segments, inner, app.segments.top, page, segments.len(), buf);
    key_to_the_bar(view, area, buf);
}

const HEADINGS: &str = "     id       size      recs  dead  tomb h  ";
const NARROW_HEADINGS: &str = "   id       size    recs  dead h  ";

fn segment_line(view: &View<'_>, segment: &SegmentInfo, roomy: bool, bar: usize) -> Line<'static> {
    let theme = view.theme;
    let active = if segment.active { '*' } else { ' ' };
    let (id, recs) = if roomy { (7, 9) } else { (5, 7) };
    let mut spans = vec![
        Span::raw(format!("{:>id$}{active}", segment.id)),
        Span::raw(format!("{:>10}", text::size(segment.bytes))),
        Span::styled(format!(" {:>recs$}", text::count(segment.records)), theme.dim()),
        Span::raw(format!("{:>6}", text::percent(segment.dead_share()))),
    ];
    if roomy {
        spans.push(Span::styled(format!("{:>6}", text::count(segment.tombstones)), theme.dim()));
    }
    spans.push(Span::styled(if segment.has_hint { " h" } else { " ·" }, theme.dim()));
    spans.push(Span::styled(if segment.damaged_bytes > 0 { " !" } else { "  " }, theme.bad()));
    let parts = [segment.live_bytes, segment.dead_bytes, segment.damaged_bytes];
    let styles = [RowState::Live, RowState::Superseded, RowState::Damaged];
    for (cells, state) in shares(parts, bar).into_iter().zip(styles) {
        spans.push(Span::styled(glyph(state).to_string().repeat(cells), theme.state(state)));
    }
    Line::from(spans)
}

/// Divides `cells` among the parts. What is there at all gets a cell, taken from the largest.
fn shares<const N: usize>(parts: [u64; N], cells: usize) -> [usize; N] {
    let total: u128 = parts.iter().map(|part| u128::from(*part)).sum();
    if total == 0 || cells < N {
        return [0; N];
    }
    let mut shares = parts.map(|part| {
        let share = usize::try_from(u128::from(part) * cells as u128 / total).unwrap_or(0);
        if part > 0 { share.max(1) } else { 0 }
    });
    let sum: usize = shares.iter().sum();
    if let Some(largest) = shares.iter_mut().max() {
        *largest = (*largest + cells).saturating_sub(sum);
    }
    shares
}

fn key_to_the_bar(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let word = |state: RowState, word: &'static str| {
        [Span::styled(format!(" {}", glyph(state)), view.theme.state(state)), Span::styled(word, view.theme.dim())]
    };
    let words =
        [word(RowState::Live, " live"), word(RowState::Superseded, " dead"), word(RowState::Damaged, " damaged ")];
    if area.width >= ROOMY {
        legend(area, &Line::from(words.concat()), buf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_at_all_gets_a_cell() {
        assert_eq!(shares([1, 1_000_000, 0], 10), [1, 9, 0]);
        assert_eq!(shares([5, 5, 0], 10), [5, 5, 0]);
        assert_eq!(shares([0, 0, 0], 10), [0, 0, 0]);
        assert_eq!(shares([u64::MAX, u64::MAX, 1], 9).iter().sum::<usize>(), 9);
    }
}
