//! The screen before a store is open: progress, a question, a choice, or why nothing can be opened.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::View;
use super::pane::{block, gauge, line};
use crate::text;
use crate::tui::app::Stage;

pub(super) fn draw(view: &View<'_>, buf: &mut Buffer) {
    let area = Rect::from(view.layout.body());
    let theme = view.theme;
    let title = |text: &str| Line::styled(format!(" {text} "), theme.title(true));
    match &view.app.stage {
        Stage::Opening | Stage::Open => {
            let inner = block(view, title("Opening"), area, buf);
            line(inner, 1, &Line::styled("  looking at the directory …", theme.dim()), buf);
        }
        Stage::Loading { done, total } => {
            let inner = block(view, title("Opening"), area, buf);
            loading(view, *done, *total, inner, buf);
        }
        Stage::AskCreate(path) => {
            let inner = block(view, title("Nothing there"), area, buf);
            let path = text::path(path);
            let lines = vec![
                Line::raw(format!("{path} does not exist.")),
                Line::default(),
                Line::from(vec![
                    Span::raw("Make an empty store there?  "),
                    Span::styled("y", theme.key()),
                    Span::raw(" yes  "),
                    Span::styled("n", theme.key()),
                    Span::raw(" no"),
                ]),
            ];
            paragraph(lines, inner, buf);
        }
        Stage::Refused(reason) => {
            let inner = block(view, title("Not opened"), area, buf);
            paragraph(vec![Line::styled(reason.as_str(), theme.bad())], inner, buf);
        }
        Stage::Choose { members, cursor } => {
            let head = format!("{} stores lie here; choose one", text::count(members.len() as u64));
            let inner = block(view, title(&head), area, buf);
            let list = Rect { y: inner.y + 1, height: inner.height.saturating_sub(2), ..inner };
            for (at, row) in cursor.shown(members.len(), usize::from(list.height)).zip(0..) {
                let Some(member) = members.get(at) else { continue };
                let selected = at == cursor.at;
                let mark = if selected { " › " } else { "   " };
                let style = if selected { theme.selected(true) } else { theme.plain() };
                line(list, row, &Line::styled(format!("{mark}{} ", text::path(member)), style), buf);
            }
        }
    }
}

fn loading(view: &View<'_>, done: u64, total: u64, inner: Rect, buf: &mut Buffer) {
    let (full, empty) = gauge(done, total, usize::from(inner.width).saturating_sub(4).min(80));
    let share = text::percent(done as f64 / total.max(1) as f64);
    let figures = format!("  {share}  {} of {} read", text::size(done), text::size(total));
    line(inner, 1, &Line::raw(figures), buf);
    let bar = vec![Span::raw("  "), Span::styled(full, view.theme.live()), Span::styled(empty, view.theme.dim())];
    line(inner, 2, &Line::from(bar), buf);
}

fn paragraph(lines: Vec<Line<'_>>, inner: Rect, buf: &mut Buffer) {
    let area = Rect {
        x: inner.x + 2,
        y: inner.y + 1,
        width: inner.width.saturating_sub(4),
        height: inner.height.saturating_sub(1),
    };
    Paragraph::new(Text::from(lines)).wrap(Wrap { trim: true }).render(area.intersection(inner), buf);
}
