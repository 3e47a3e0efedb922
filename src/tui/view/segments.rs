//! Pane 2: the segment files, each with its strip: what lies where in it. Until the strip is made, a bar of its shares
//! stands there.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::pane::{frame, legend, line, scroll_mark, select};
use super::{View, records};
use crate::inspect::RowState;
use crate::store::SegmentInfo;
use crate::text;
use crate::tui::app::Pane;
use crate::tui::strip::{ROOMY, Scale, headings};
use crate::tui::theme::glyph;

/// Cells of the border that the title of the pane below has to itself, however short it is: the key to the strips should
/// not change with every digit of a count.
const TITLE_BELOW: usize = 36;
/// What follows the last byte of a segment.
const END: &str = "▏";

pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let app = view.app;
    let segments = app.segment_rows();
    let title = vec![Span::raw(format!(" {}", text::count(segments.len() as u64)))];
    let inner = frame(view, Pane::Segments, area, title, buf);
    let width = usize::from(inner.width);
    let headings = headings(width);
    line(inner, 0, &Line::styled(format!("{headings}map"), view.theme.dim()), buf);
    let page = usize::from(inner.height.saturating_sub(1));
    if segments.is_empty() {
        line(inner, 1, &Line::styled(nothing(view), view.theme.dim()), buf);
    }
    let scale = Scale::of(app);
    for (at, row) in app.segments.shown(segments.len(), page).zip(1..) {
        let Some(segment) = segments.get(at) else { continue };
        let mut spans = figures(view, segment, width >= ROOMY);
        spans.extend(strip(view, segment, scale.cells(segment.bytes), at == app.segments.at));
        line(inner, row, &Line::from(spans), buf);
        if at == app.segments.at {
            select(view, Pane::Segments, inner, row, headings.len(), buf);
        }
    }
    scroll_mark(view, Pane::Segments, inner, app.segments.top, page, segments.len(), buf);
    key_to_the_strips(view, area, buf);
}

fn nothing(view: &View<'_>) -> &'static str {
    match view.app.figures.as_ref().map_or(0, |figures| figures.stats.findings) {
        0 if view.app.is_writable() => "  no segments yet; the first put makes one",
        0 => "  no segments",
        _ => "  no segment could be read; F says why",
    }
}

fn figures(view: &View<'_>, segment: &SegmentInfo, roomy: bool) -> Vec<Span<'static>> {
    let theme = view.theme;
    let active = if segment.active { '*' } else { ' ' };
    let (id, recs) = if roomy { (7, 9) } else { (5, 7) };
    let mark = if view.app.merge.marked.contains(&segment.id) { " ✓" } else { "  " };
    let mut spans = vec![
        Span::styled(mark, theme.notice()),
        Span::raw(format!("{:>1$}{active}", segment.id, id - 2)),
        Span::raw(format!("{:>10}", text::size(segment.bytes))),
        Span::styled(format!(" {:>recs$}", text::count(segment.records)), theme.dim()),
        Span::raw(format!("{:>6}", text::percent(segment.dead_share()))),
    ];
    if roomy {
        spans.push(Span::styled(format!("{:>6}", text::count(segment.tombstones)), theme.dim()));
    }
    spans.push(Span::styled(if segment.has_hint { " h" } else { " ·" }, theme.dim()));
    spans.push(Span::styled(if segment.damaged_bytes > 0 { " !" } else { "  " }, theme.bad()));
    spans
}

/// The strip; the selected cell of the selected one is turned round.
fn strip(view: &View<'_>, segment: &SegmentInfo, cells: usize, selected: bool) -> Vec<Span<'static>> {
    let theme = view.theme;
    let Some(strip) = view.app.strip(segment.id).filter(|strip| !strip.map.is_empty()) else {
        return shares_bar(view, segment, cells);
    };
    let marked = view.app.strips.cell.filter(|_| selected);
    let mut spans: Vec<Span<'static>> = Vec::new();
    for (at, state) in strip.map.cells(cells).enumerate() {
        let style = match marked == Some(at) {
            true => theme.state(state).add_modifier(Modifier::REVERSED | Modifier::BOLD),
            false => theme.state(state),
        };
        spans.push(Span::styled(glyph(state).to_string(), style));
    }
    spans.push(Span::styled(END, theme.dim()));
    spans
}

fn shares_bar(view: &View<'_>, segment: &SegmentInfo, cells: usize) -> Vec<Span<'static>> {
    let parts = [segment.live_bytes, segment.dead_bytes, segment.damaged_bytes];
    let styles = [RowState::Live, RowState::Superseded, RowState::Damaged];
    let parts = shares(parts, cells).into_iter().zip(styles);
    parts.map(|(cells, state)| Span::styled(glyph(state).to_string().repeat(cells), view.theme.state(state))).collect()
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

/// What the glyphs mean: as many words as fit, the commonest first.
fn key_to_the_strips(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let words = [
        (RowState::Live, " live"),
        (RowState::Superseded, " dead"),
        (RowState::Tombstone, " tombstone"),
        (RowState::Damaged, " damaged"),
        (RowState::Expired, " expired"),
        (RowState::Torn, " torn"),
    ];
    let mut spans = Vec::new();
    let mut used = title_below(view).max(TITLE_BELOW);
    for (state, word) in words {
        used += word.chars().count() + 2;
        if used > usize::from(area.width) {
            break;
        }
        spans.push(Span::styled(format!(" {}", glyph(state)), view.theme.state(state)));
        spans.push(Span::styled(word, view.theme.dim()));
    }
    spans.push(Span::raw(" "));
    if usize::from(area.width) >= ROOMY {
        legend(area, &Line::from(spans), buf);
    }
}

/// Cells that the records' title takes of the line that they share, with a stretch of it left bare on either side.
fn title_below(view: &View<'_>) -> usize {
    let words: usize = records::title(view).iter().map(Span::width).sum();
    Pane::Records.title().len() + words + 8
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
