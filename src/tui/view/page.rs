//! A page over the panes: the help, or what a command had to say at length.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::pane::{block, line};
use super::{View, findings, merge};
use crate::text;
use crate::tui::app::{Content, Page};
use crate::tui::difference::{DiffLine, Side};
use crate::tui::{help, merging};
use crate::value;

/// Cells of the keys in the help.
const KEYS: usize = 18;

pub(super) fn draw(view: &View<'_>, page: &Page, buf: &mut Buffer) {
    let area = Rect::from(view.layout.over());
    Clear.render(area, buf);
    let title = match &page.content {
        Content::Help if view.app.help_filter.is_empty() => " help   / filters ".to_owned(),
        Content::Help => format!(" help   /{} ", text::escape_str(view.app.help_filter.text())),
        Content::Report(report) => format!(" {} ", report.title),
        Content::Findings(page) => format!(" {} ", page.title),
        Content::Diff(page) => format!(" {} ", page.title),
        Content::Merge(page) => format!(" {} ", merging::title(page)),
    };
    let inner = block(view, Line::styled(title, view.theme.title(true)), area, buf);
    let height = usize::from(inner.height);
    match &page.content {
        Content::Help => {
            let lines = help::lines(view.app.help_filter.text());
            if lines.is_empty() {
                line(inner, 0, &Line::styled(" no line holds that; esc shows all", view.theme.dim()), buf);
            }
            let shown = lines.iter().skip(page.top).take(height);
            shown.enumerate().for_each(|(row, each)| line(inner, row, &help_line(view, each), buf));
        }
        Content::Report(report) => {
            let shown = report.lines.iter().skip(page.top).take(height);
            shown.enumerate().for_each(|(row, each)| line(inner, row, &Line::raw(format!(" {each}")), buf));
        }
        Content::Findings(page) => findings::draw(view, page, inner, buf),
        Content::Merge(about) => merge::draw(view, about, page.top, inner, buf),
        Content::Diff(diff) => {
            let cells = usize::from(inner.width);
            let rows = diff.lines.iter().skip(page.top).flat_map(|each| diff_rows(view, each, cells));
            rows.take(height).enumerate().for_each(|(row, each)| line(inner, row, &each, buf));
        }
    }
}

/// A line that both values have keeps the colours of its words.
fn diff_rows(view: &View<'_>, each: &DiffLine, cells: usize) -> Vec<Line<'static>> {
    let style = view.theme.side(each.side);
    let sign = |row: usize| if row == 0 { each.side.sign() } else { ' ' };
    let painted = |(row, spans): (usize, Vec<value::Span>)| {
        let sign = Span::styled(format!(" {} ", sign(row)), style);
        let words = spans.into_iter().map(|span| match each.side {
            Side::Both => Span::styled(span.text, view.theme.class(span.class)),
            _ => Span::styled(span.text, style),
        });
        Line::from_iter(std::iter::once(sign).chain(words))
    };
    each.rows(cells).into_iter().enumerate().map(painted).collect()
}

fn help_line<'a>(view: &View<'_>, entry: &'a help::Line) -> Line<'a> {
    match entry {
        help::Line::Heading(title) => Line::styled(format!(" {title}"), view.theme.title(true)),
        help::Line::Entry(keys, text) => {
            Line::from(vec![Span::styled(format!("   {keys:<KEYS$} "), view.theme.strong()), Span::raw(*text)])
        }
        help::Line::Gap => Line::default(),
    }
}
