//! The three lines below the panes: the answer to the last command, the line that is typed, and the hints.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};
use unicode_width::UnicodeWidthStr;

use super::pane::gauge;
use super::{View, merge};
use crate::text;
use crate::tui::action::Verb;
use crate::tui::app::{App, Phase, PutBack, Tone, Typing};
use crate::tui::command;
use crate::tui::field::Field;
use crate::tui::keymap::{self, Binding, Context};
use crate::tui::merging;

/// Paints the lines; returns where the terminal's cursor belongs.
pub(super) fn draw(view: &View<'_>, buf: &mut Buffer) -> Option<Position> {
    answer(view, view.layout.answer.into(), buf);
    hints(view, view.layout.hints.into(), buf);
    let area = Rect::from(view.layout.command);
    match view.app.typing {
        Some(Typing::Command) => {
            let mut hint = command::usage_hint(view.app.command.field.text());
            if let Some(wanted) = &view.app.command.search {
                hint = format!("search: {}", text::escape_to_width(wanted.as_bytes(), 30).text);
            }
            Some(field(view, ":", &view.app.command.field, &hint, area, buf))
        }
        Some(Typing::Filter) => {
            let hint = if view.app.keys.typed.is_empty() { "how keys begin, re:PATTERN or ~WORD" } else { "" };
            Some(field(view, "/", &view.app.keys.typed, hint, area, buf))
        }
        Some(Typing::HelpFilter) => {
            let hint = if view.app.help_filter.is_empty() { "what lines of the help hold" } else { "" };
            Some(field(view, "/", &view.app.help_filter, hint, area, buf))
        }
        None => {
            resting(view, area, buf);
            None
        }
    }
}

/// What the last command answered, or how far a long one has come.
fn answer(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let theme = view.theme;
    if let Some(progress) = view.app.progress.as_ref().or(view.app.records.seeking.as_ref()) {
        let (full, empty) = gauge(progress.done, progress.total, usize::from(area.width / 3));
        let share = text::percent(progress.done as f64 / progress.total.max(1) as f64);
        let spans = vec![
            Span::styled(format!("   {} ", progress.what), theme.strong()),
            Span::styled(full, theme.live()),
            Span::styled(empty, theme.dim()),
            Span::raw(format!(" {share} of {}  ", text::size(progress.total))),
            Span::styled("esc", theme.key()),
            Span::raw(" stop"),
        ];
        buf.set_line(area.x, area.y, &Line::from(spans), area.width);
    } else if !view.app.command.offered.is_empty() {
        let words: Vec<String> =
            view.app.command.offered.iter().take(24).map(|key| text::escape_to_width(key, 24).text).collect();
        buf.set_line(area.x, area.y, &Line::styled(format!("   {}", words.join("  ")), theme.dim()), area.width);
    } else if let Some(said) = &view.app.said {
        let glyph = match said.tone {
            Tone::Good => " ✓ ",
            Tone::Plain => "   ",
            Tone::Bad => " ✗ ",
        };
        let style = theme.tone(said.tone);
        let lines = broken(&said.text, usize::from(area.width).saturating_sub(4));
        // What does not fit its line rises over the panes: an answer that is cut is none.
        for (line, up) in lines.iter().rev().zip(0..area.y) {
            let y = area.y - up;
            if up > 0 {
                Clear.render(Rect { y, ..area }, buf);
            }
            let first = usize::from(up) + 1 == lines.len();
            let spans = vec![Span::styled(if first { glyph } else { "   " }, style), Span::styled(*line, style)];
            buf.set_line(area.x, y, &Line::from(spans), area.width);
        }
    }
}

/// Breaks a text at spaces into lines of so many cells, as far as it has spaces.
fn broken(text: &str, cells: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while rest.width() > cells {
        let fits = |at: &usize| rest.get(..*at).is_some_and(|line| line.width() <= cells);
        let space = rest.match_indices(' ').map(|(at, _)| at).take_while(fits).last();
        let Some((line, after)) = space.and_then(|at| rest.split_at_checked(at)) else { break };
        lines.push(line);
        rest = after.trim_start();
    }
    lines.push(rest);
    lines
}

/// The line while nothing is typed: a question, the filter in force, or an invitation.
fn resting(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let theme = view.theme;
    let shorter = |key: &[u8]| text::escape_to_width(key, usize::from(area.width / 2)).text;
    let line = if view.app.asked_quit {
        // A question stays until it is answered: what is pressed then must not mean something else.
        let words = match view.app.merge.running.as_ref().map(|running| running.phase) {
            None => " the merge has ended: leave? ",
            Some(Phase::Committing) => " the merge is done in a moment: leave then? ",
            Some(_) => " a merge is running: leave, and give it up? ",
        };
        question(view, words.to_owned())
    } else if let Some(key) = &view.app.asked_delete {
        question(view, format!(" delete {}? ", shorter(key)))
    } else if let Some(PutBack { key, from }) = &view.app.asked_put_back {
        question(view, format!(" put {} back as it was at {}:{}? ", shorter(key), from.segment, from.offset))
    } else if view.app.copying {
        choices(view, " copy the", keymap::in_force(view.app).filter(|binding| binding.context == Context::Copying))
    } else if !view.app.keys.typed.is_empty() && view.app.figures.is_some() {
        let shown = shown(view.app.keys.typed.text());
        Line::from(vec![Span::styled(format!(" /{shown}"), theme.notice()), Span::styled("   esc clears", theme.dim())])
    } else {
        Line::styled(" :", theme.dim())
    };
    buf.set_line(area.x, area.y, &line, area.width);
    if let Some(running) = view.app.merge.running.as_ref().filter(|_| !view.app.is_asking() && view.app.page.is_none())
    {
        let from = u16::try_from(line.width()).unwrap_or(area.width).min(area.width) + 2;
        let rest = Rect { x: area.x + from.min(area.width), width: area.width.saturating_sub(from), ..area };
        buf.set_line(rest.x, rest.y, &merge::bar(view, running, usize::from(rest.width)), rest.width);
    }
}

/// A question with the keys that answer it.
fn choices<'a>(view: &View<'_>, question: &'a str, answers: impl Iterator<Item = &'a Binding>) -> Line<'a> {
    let mut spans = vec![Span::styled(question, view.theme.notice())];
    for binding in answers {
        let key = binding.keys.first().map(|key| key.label()).unwrap_or_default();
        spans.push(Span::styled(format!("  {key}"), view.theme.key()));
        spans.push(Span::raw(format!(" {}", binding.hint)));
    }
    Line::from(spans)
}

fn question<'a>(view: &View<'_>, words: String) -> Line<'a> {
    let theme = view.theme;
    Line::from(vec![
        Span::styled(words, theme.bad()),
        Span::styled("y", theme.key()),
        Span::raw(" yes  "),
        Span::styled("n", theme.key()),
        Span::raw(" no"),
    ])
}

/// A line under the cursor. Of a long one only the part before the cursor that fits is shown.
fn field(view: &View<'_>, prompt: &str, field: &Field, hint: &str, area: Rect, buf: &mut Buffer) -> Position {
    let room = usize::from(area.width).saturating_sub(4);
    let before = shown(tail(field.before(), room));
    let after = shown(head(field.after(), room));
    // Escapes made it longer again: what sticks out on the left is cut off.
    let cut = before.width().saturating_sub(room);
    let before: String = before.chars().skip(cut).collect();
    let cells = u16::try_from(before.width()).unwrap_or(area.width);
    let gap = if hint.is_empty() || field.text().ends_with(' ') || field.is_empty() { "" } else { "  " };
    let line = Line::from(vec![
        Span::styled(format!(" {prompt}"), view.theme.key()),
        Span::raw(before),
        Span::raw(after),
        Span::styled(format!("{gap}{hint}"), view.theme.dim()),
    ]);
    buf.set_line(area.x, area.y, &line, area.width);
    Position::new((area.x + 2 + cells).min(area.x + area.width.saturating_sub(1)), area.y)
}

/// The first characters of a text that could fit.
fn head(text: &str, room: usize) -> &str {
    text.char_indices().nth(room).and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// The last characters of a text that could fit.
fn tail(text: &str, room: usize) -> &str {
    text.char_indices().rev().take(room).last().and_then(|(at, _)| text.get(at..)).unwrap_or(text)
}

/// What was typed, as it was typed: backslashes stay single, all else that does not stand for itself is escaped.
pub(super) fn shown(typed: &str) -> String {
    let pieces: Vec<String> = typed.split('\\').map(|piece| text::escape_str(piece).to_string()).collect();
    pieces.join("\\")
}

/// Whether a key would do more than say that there is nothing to do.
fn is_of_use(app: &App, verb: Verb) -> bool {
    match verb {
        Verb::Delete | Verb::PutBack | Verb::MarkSegment => app.is_writable(),
        Verb::Enter => !merging::is_in_vain(app),
        Verb::Findings => app.figures.as_ref().is_some_and(|figures| figures.stats.findings > 0),
        _ => true,
    }
}

/// The keys of what has the focus, as many as fit.
fn hints(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1;
    let is_offered = |binding: &&Binding| !binding.hint.is_empty() && is_of_use(view.app, binding.verb);
    for binding in keymap::in_force(view.app).filter(is_offered) {
        let Some(key) = binding.keys.first() else { continue };
        let key = key.label();
        used += key.width() + binding.hint.width() + 3;
        // The gap behind the last one may be cut.
        if used > usize::from(area.width) + 2 {
            break;
        }
        spans.push(Span::styled(key, view.theme.key()));
        spans.push(Span::raw(format!(" {}  ", binding.hint)));
    }
    buf.set_line(area.x, area.y, &Line::from(spans), area.width);
}
