//! Pane 5: the versions of a key that are still on disk, newest first, each with why it is live or dead.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::View;
use super::pane::{frame, gauge, line, scroll_mark, select};
use crate::format::Kind;
use crate::inspect::{Reason, RowKind, Version};
use crate::store::{Effort, Location};
use crate::text;
use crate::tui::app::Pane;
use crate::tui::theme::glyph;

/// Cells of a place, `segment:offset`, at least.
const PLACE: usize = 9;
/// Cells of a size.
const SIZE: usize = 9;
/// Characters of a time up to its seconds.
const SECONDS: usize = 19;
/// Cells from which on there is room for the time.
const ROOMY: u16 = 64;

pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let theme = view.theme;
    let history = &view.app.history;
    let mut title = Vec::new();
    if let Some(asked) = &history.asked {
        let key = match &*asked.key {
            [] => "the empty key".to_owned(),
            key => text::escape_to_width(key, usize::from(area.width / 3)).text,
        };
        title.push(Span::raw(format!("  {key}")));
    }
    if history.total > 0 {
        let noun = if history.total == 1 { "version" } else { "versions" };
        title.push(Span::raw(format!("  {} {noun}", text::count(history.total as u64))));
    }
    let Effort { segments, denied, .. } = history.effort;
    if denied > 0 && history.reading.is_none() && area.width >= ROOMY {
        title.push(Span::raw(format!("  filters denied {} of {}", text::count(denied), text::count(segments))));
    }
    let inner = frame(view, Pane::History, area, title, buf);
    let roomy = inner.width >= ROOMY;
    let time = if roomy { "written              " } else { "" };
    let page = usize::from(inner.height.saturating_sub(1));
    let shown = history.cursor.shown(history.versions.len(), page);
    let place = history.versions.get(shown.clone()).unwrap_or_default().iter().map(place_cells).fold(PLACE, usize::max);
    let headings = format!("  {:<place$} {:>SIZE$}  {time}why", "place", "value");
    line(inner, 0, &Line::styled(headings, theme.dim()), buf);
    for (at, row) in shown.zip(1..) {
        let Some(version) = history.versions.get(at) else { continue };
        line(inner, row, &version_line(view, version, (roomy, place), usize::from(inner.width)), buf);
        if at == history.cursor.at {
            select(view, Pane::History, inner, row, usize::from(inner.width), buf);
        }
    }
    scroll_mark(view, Pane::History, inner, history.cursor.top, page, history.versions.len(), buf);
    // What is shown may be of before the last write: then the note stands below it, where there is room.
    if history.versions.is_empty() || history.reading.is_some() {
        note(view, inner, history.versions.len().min(page) + 1, buf);
    }
}

/// Why there is nothing to see, or not yet.
fn note(view: &View<'_>, inner: Rect, row: usize, buf: &mut Buffer) {
    let theme = view.theme;
    let history = &view.app.history;
    let words = match &history.reading {
        Some(progress) => {
            let (full, empty) = gauge(progress.done, progress.total, usize::from(inner.width / 3));
            return line(
                inner,
                row,
                &Line::from(vec![
                    Span::styled("  reading ", theme.dim()),
                    Span::styled(full, theme.live()),
                    Span::styled(empty, theme.dim()),
                    Span::styled("  esc stops", theme.dim()),
                ]),
                buf,
            );
        }
        None if history.resting => "…",
        None if history.stopped => "stopped; another key and back reads it again",
        None if history.asked.is_none() => "no key is selected",
        None => "no version is on disk any more",
    };
    line(inner, row, &Line::styled(format!("  {words}"), theme.dim()), buf);
}

fn place(version: &Version) -> String {
    format!("{}:{}", version.row.segment, version.row.offset)
}

/// Of what is on the screen the longest place makes the column: what is left is for the reasons.
fn place_cells(version: &Version) -> usize {
    place(version).len()
}

fn version_line(view: &View<'_>, version: &Version, (roomy, width): (bool, usize), cells: usize) -> Line<'static> {
    let theme = view.theme;
    let row = &version.row;
    let place = place(version);
    let size = match row.kind {
        RowKind::Record(Kind::Tombstone) => "del".to_owned(),
        _ => text::size(row.value_len.or(row.stored_len).unwrap_or(0)),
    };
    let time = match row.tstamp {
        Some(tstamp) if roomy => format!("{:.SECONDS$}  ", text::timestamp(tstamp)),
        _ => String::new(),
    };
    let place_of = Location { segment: row.segment, offset: row.offset, len: row.len };
    let mark = if view.app.history.mark == Some(place_of) { "*" } else { " " };
    let mut spans = vec![
        Span::raw(" "),
        Span::styled(mark, theme.notice()),
        Span::raw(format!("{place:<width$} {size:>SIZE$}  ")),
        Span::styled(time, theme.dim()),
    ];
    let used: usize = spans.iter().map(Span::width).sum();
    // The sentences of `logkv history` are too long for a pane.
    let why = match version.reason {
        Reason::Live => "live ← keydir".to_owned(),
        Reason::Deletes => "newest: key deleted".to_owned(),
        Reason::Expired => "newest: expired".to_owned(),
        Reason::Damaged => "newest: damaged".to_owned(),
        reason @ (Reason::Unknown | Reason::SupersededBy(_) | Reason::DeletedBy(_)) => reason.to_string(),
    };
    let why = format!("{} {why}", glyph(row.state));
    let why = text::escape_to_width(why.as_bytes(), cells.saturating_sub(used)).text;
    spans.push(Span::styled(why, theme.state(row.state)));
    Line::from(spans)
}
