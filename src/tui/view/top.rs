//! The top line: what is open, how, and its figures. What does not fit is left out, least important first.

use std::path::Path;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use unicode_width::UnicodeWidthStr;

use super::View;
use super::keydir::sparkline;
use crate::store::{Mode, Stats};
use crate::text;
use crate::tui::app::{App, Writer};
use crate::tui::layout::SMALLEST;
use crate::tui::merging;

/// Cells of the sparkline of the rate.
const RATES: usize = 16;

/// One part of the line; the higher its rank, the sooner it is left out.
struct Part {
    rank: u8,
    span: Span<'static>,
}

fn part(rank: u8, text: impl Into<String>, style: Style) -> Part {
    Part { rank, span: Span::styled(text.into(), style) }
}

pub(super) fn draw(view: &View<'_>, buf: &mut Buffer) {
    let area = Rect::from(view.layout.top);
    let mut parts = parts(view, usize::from(area.width));
    while width(&parts) > usize::from(area.width) {
        let Some(worst) = parts.iter().map(|part| part.rank).max().filter(|rank| *rank > 0) else { break };
        parts.retain(|part| part.rank != worst);
    }
    let mut spans = Vec::new();
    for part in parts {
        spans.push(part.span);
        spans.push(Span::raw("  "));
    }
    buf.set_line(area.x, area.y, &Line::from(spans), area.width);
}

fn width(parts: &[Part]) -> usize {
    parts.iter().map(|part| part.span.width() + 2).sum()
}

fn parts(view: &View<'_>, cells: usize) -> Vec<Part> {
    let theme = view.theme;
    let path = path_tail(&view.app.path, (cells / 3).max(12));
    let mut parts = vec![part(0, " logkv ", theme.badge()), part(0, path, theme.strong())];
    if let Some(figures) = &view.app.figures {
        parts.extend(figure_parts(view, &figures.stats));
    }
    parts
}

/// The end of a path tells more than its beginning.
fn path_tail(path: &Path, cells: usize) -> String {
    let whole = text::path(path).to_string();
    if whole.width() <= cells {
        return whole;
    }
    let parts: Vec<String> = path.iter().map(|part| text::escape(part.as_encoded_bytes()).to_string()).collect();
    let mut tails = (1..parts.len()).map(|from| format!("…/{}", parts.get(from..).unwrap_or_default().join("/")));
    let last = path.file_name().unwrap_or_default().as_encoded_bytes();
    tails.find(|tail| tail.width() <= cells).unwrap_or_else(|| text::escape_to_width(last, cells).text)
}

fn figure_parts(view: &View<'_>, stats: &Stats) -> Vec<Part> {
    let theme = view.theme;
    let mut parts = vec![part(4, stats.format.name(), theme.plain())];
    match stats.mode {
        Mode::ReadWrite => parts.push(part(2, "READ-WRITE", theme.live())),
        Mode::ReadOnly if !view.app.follow.on && !view.app.follow.paused => {
            parts.push(part(0, " READ-ONLY ", theme.warning_badge()));
        }
        Mode::ReadOnly => {}
    }
    if let Some(running) = &view.app.merge.running {
        parts.push(part(0, format!(" MERGING {} ", merging::share(running)), theme.badge()));
    }
    parts.extend(follow_parts(view));
    match &view.app.writer {
        Some(Writer::Known(holder)) => parts.push(part(1, format!("held by process {}", holder.pid), theme.notice())),
        Some(Writer::Unknown) => parts.push(part(1, "held by another process", theme.notice())),
        None => {}
    }
    if stats.findings > 0 {
        let style = if stats.damaged_bytes > 0 { theme.bad() } else { theme.notice() };
        parts.push(part(1, format!("findings {}", text::count(stats.findings)), style));
    }
    if stats.unsynced {
        parts.push(part(1, "● not yet synced", theme.notice()));
    }
    parts.extend([
        part(3, format!("keys {}", text::count(stats.keys)), theme.plain()),
        part(6, format!("segments {}", text::count(stats.segments)), theme.plain()),
        part(5, text::size(stats.disk_bytes), theme.plain()),
        part(3, format!("dead {}", text::percent(stats.dead_share())), theme.plain()),
        part(5, format!("keydir {}", text::size(stats.keydir_bytes)), theme.plain()),
    ]);
    if stats.mode == Mode::ReadWrite {
        parts.push(part(7, format!("sync {}", stats.sync), theme.dim()));
    }
    parts
}

/// Whether the screen goes along with what is appended, and how fast that is.
fn follow_parts(view: &View<'_>) -> Vec<Part> {
    let theme = view.theme;
    let follow = &view.app.follow;
    if follow.paused {
        let behind = format!("{} behind", text::size(follow.behind));
        return vec![part(0, " PAUSED ", theme.warning_badge()), part(2, behind, theme.notice())];
    }
    if !follow.on {
        return Vec::new();
    }
    let mut parts = vec![part(0, " FOLLOWING ", theme.badge())];
    if !follow.rates.is_empty() {
        parts.push(part(2, format!("{} records/s", text::count(follow.rate())), theme.plain()));
        parts.push(part(4, sparkline(&follow.rates, RATES), theme.live()));
    }
    parts
}

/// The one line of a screen that is too small for more.
pub(super) fn too_small(app: &App, area: Rect, buf: &mut Buffer) {
    let keys = app.figures.as_ref().map_or(0, |figures| figures.stats.keys);
    let line = format!("logkv {}x{} is needed; {} keys; q quits", SMALLEST.width, SMALLEST.height, text::count(keys));
    if area.height > 0 {
        buf.set_line(area.x, area.y, &Line::raw(line), area.width);
    }
}
