//! A merge: the page about it, and its bar below the panes while it runs behind them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::View;
use super::pane::{gauge, line};
use crate::tui::app::{MergePage, Merging, Phase};
use crate::tui::merging::{Part, Row, how_far, rows};
use crate::tui::theme::glyph;

pub(super) fn draw(view: &View<'_>, page: &MergePage, top: usize, inner: Rect, buf: &mut Buffer) {
    let rows = rows(view.app, page, usize::from(inner.width));
    let shown = rows.iter().skip(top).take(usize::from(inner.height));
    shown.enumerate().for_each(|(at, row)| line(inner, at, &painted(view, row), buf));
}

fn painted(view: &View<'_>, row: &Row) -> Line<'static> {
    let words = Span::styled(row.text.clone(), style(view, row.part));
    let cells = row.strip.iter().map(|state| Span::styled(glyph(*state).to_string(), view.theme.state(*state)));
    Line::from_iter(std::iter::once(words).chain(cells))
}

fn style(view: &View<'_>, part: Part) -> Style {
    match part {
        Part::Heading => view.theme.title(true),
        Part::Strong => view.theme.strong(),
        Part::Plain => view.theme.plain(),
        Part::Dim => view.theme.dim(),
        Part::Notice => view.theme.notice(),
        Part::Bad => view.theme.bad(),
    }
}

/// The merge that runs, in one line of so many cells.
pub(super) fn bar(view: &View<'_>, merging: &Merging, cells: usize) -> Line<'static> {
    let theme = view.theme;
    let mut spans = vec![Span::styled("merging ", theme.strong())];
    if merging.phase == Phase::Copying {
        // What the words leave, which come and go with the rate.
        let (full, empty) = gauge(merging.done, merging.total, cells.saturating_sub(62).clamp(4, 30));
        spans.extend([Span::styled(full, theme.live()), Span::styled(empty, theme.dim()), Span::raw(" ")]);
    }
    spans.extend([
        Span::raw(how_far(merging)),
        Span::raw("  "),
        Span::styled("m", theme.key()),
        Span::raw(" shows it"),
    ]);
    Line::from(spans)
}
