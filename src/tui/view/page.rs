//! A page over the panes: the help, or what a command had to say at length.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::pane::{block, line};
use super::{View, findings};
use crate::text;
use crate::tui::app::{Content, Page};
use crate::tui::help;

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
    }
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
