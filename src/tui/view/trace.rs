//! Pane 7: what the last commands did, step by step.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::View;
use super::pane::{frame, line, scroll_mark};
use crate::text;
use crate::tui::app::Pane;
use crate::tui::trace::{Part, Told, shown, total};

/// Cells of the time before a line.
const TIME: usize = 9;

pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let trace = &view.app.trace;
    let title = match trace.runs.len() {
        0 => Vec::new(),
        1 => vec![Span::raw("  1 command")],
        n => vec![Span::raw(format!("  {} commands, newest first", text::count(n as u64)))],
    };
    let inner = frame(view, Pane::Trace, area, title, buf);
    if trace.runs.is_empty() {
        let words = " what a command does, step by step; try :get or :put";
        return line(inner, 0, &Line::styled(words, view.theme.dim()), buf);
    }
    let page = usize::from(inner.height);
    for (row, told) in shown(trace, trace.top, page).iter().enumerate() {
        line(inner, row, &told_line(view, told), buf);
    }
    scroll_mark(view, Pane::Trace, inner, trace.top, page, total(trace), buf);
}

fn told_line(view: &View<'_>, told: &Told) -> Line<'static> {
    let theme = view.theme;
    let style = match told.part {
        Part::Command => theme.strong(),
        Part::Step => theme.plain(),
        Part::Failure => theme.bad(),
        Part::More => theme.dim(),
    };
    let (mark, indent) = if told.part == Part::Command { (":", "") } else { (" ", "  ") };
    Line::from(vec![
        Span::styled(format!(" {:>TIME$} ", told.after), theme.dim()),
        Span::styled(mark, theme.key()),
        Span::styled(format!("{indent}{}", told.text), style),
    ])
}
