//! A page over the panes: the help, or what a command had to say at length.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::View;
use super::pane::{block, line};
use crate::tui::app::{Content, Page};
use crate::tui::help;

/// Cells of a page on a screen that is much wider.
const WIDEST: u16 = 120;
/// Cells of the keys in the help.
const KEYS: usize = 18;

pub(super) fn draw(view: &View<'_>, page: &Page, buf: &mut Buffer) {
    let body = Rect::from(view.layout.body());
    let width = if body.width < WIDEST + 16 { body.width } else { WIDEST };
    let area = Rect { x: body.x + (body.width - width) / 2, width, ..body };
    Clear.render(area, buf);
    let title = match &page.content {
        Content::Help => " help ".to_owned(),
        Content::Report(report) => format!(" {} ", report.title),
    };
    let inner = block(view, Line::styled(title, view.theme.title(true)), area, buf);
    let height = usize::from(inner.height);
    match &page.content {
        Content::Help => {
            let lines = help::lines();
            let shown = lines.iter().skip(page.top).take(height);
            shown.enumerate().for_each(|(row, each)| line(inner, row, &help_line(view, each), buf));
        }
        Content::Report(report) => {
            let shown = report.lines.iter().skip(page.top).take(height);
            shown.enumerate().for_each(|(row, each)| line(inner, row, &Line::raw(format!(" {each}")), buf));
        }
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
