//! The list of findings that lies over the panes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::View;
use super::pane::line;
use crate::store::{Finding, Severity};
use crate::tui::findings::{FindingsPage, Part, Told};

pub(super) fn draw(view: &View<'_>, page: &FindingsPage, inner: Rect, buf: &mut Buffer) {
    if page.findings.is_empty() {
        return line(inner, 0, &Line::styled("    nothing was found", view.theme.dim()), buf);
    }
    let mut before = None;
    for (row, (at, told)) in page.shown(usize::from(inner.height), usize::from(inner.width)).into_iter().enumerate() {
        if let (Some(finding), Some(told)) = (page.findings.get(at), told) {
            let selected = at == page.at;
            let first = before != Some(at) && told.part == Part::Head;
            let mark = if selected { "›" } else { " " };
            let glyph = if first { glyph(finding.severity) } else { ' ' };
            let mark = format!("{mark} {glyph} ");
            let style = style(view, finding, &told, selected);
            line(
                inner,
                row,
                &Line::from(vec![Span::styled(mark, severity(view, finding)), Span::styled(told.text, style)]),
                buf,
            );
        }
        before = Some(at);
    }
}

fn style(view: &View<'_>, finding: &Finding, told: &Told, selected: bool) -> Style {
    match told.part {
        Part::Head if selected => view.theme.selected(true),
        Part::Head => severity(view, finding),
        Part::Key => view.theme.strong(),
        Part::Message | Part::Consequence => view.theme.plain(),
        Part::Advice => view.theme.dim(),
    }
}

fn severity(view: &View<'_>, finding: &Finding) -> Style {
    match finding.severity {
        Severity::Damage => view.theme.bad(),
        Severity::Warning => view.theme.notice(),
        Severity::Note => view.theme.strong(),
    }
}

/// Told apart without colours, too.
fn glyph(severity: Severity) -> char {
    match severity {
        Severity::Damage => '!',
        Severity::Warning => '▲',
        Severity::Note => '·',
    }
}
