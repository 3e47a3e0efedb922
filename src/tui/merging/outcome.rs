//! What a merge did in rows: the figures, and the strips of its segments before and after on one scale.

use std::sync::Arc;

use super::{Part, Row, figure, gap, row, segments};
use crate::text;
use crate::tui::app::{App, MergeOutcome, SegmentStrip};
use crate::tui::strip::Scale;

/// Cells before a strip.
const LABEL: usize = 23;

pub(super) fn rows(app: &App, outcome: &MergeOutcome, cells: usize) -> Vec<Row> {
    let merged = &outcome.merged;
    let longest = outcome.before.iter().chain(&outcome.after).map(|strip| strip.bytes).max().unwrap_or(0);
    let scale = Scale::new(cells.saturating_sub(LABEL + 1).max(1), longest);
    let strips = |strips: &[SegmentStrip]| -> Vec<Row> { strips.iter().map(|each| strip(app, each, scale)).collect() };
    let (freed, written) = (merged.freed_bytes, merged.written_bytes);
    let mut rows = vec![row(Part::Strong, format!(" {} came back", text::size(freed))), gap()];
    rows.push(heading("before", merged.inputs.len(), freed.saturating_add(written)));
    rows.extend(strips(&outcome.before));
    rows.extend(more(merged.inputs.len(), outcome.before.len()));
    rows.push(gap());
    rows.push(heading("after", merged.outputs.len(), written));
    rows.extend(strips(&outcome.after));
    rows.extend(more(merged.outputs.len(), outcome.after.len()));
    rows.push(gap());
    rows.extend(figures(outcome));
    rows
}

fn heading(when: &str, number: usize, bytes: u64) -> Row {
    row(Part::Heading, format!(" {when:<7}{}, {}", segments(number as u64), text::size(bytes)))
}

/// A walk over the new file may know more by now than the outline that was made of it.
fn strip(app: &App, strip: &SegmentStrip, scale: Scale) -> Row {
    let map = app.strip(strip.segment).map_or_else(|| Arc::clone(&strip.map), |known| Arc::clone(&known.map));
    let cells = if map.is_empty() { 0 } else { scale.cells(strip.bytes) };
    let label = format!(" {:>9} {:>10}  ", strip.segment, text::size(strip.bytes));
    Row { strip: map.cells(cells).collect(), ..row(Part::Plain, label) }
}

fn more(all: usize, shown: usize) -> Option<Row> {
    let more = all.checked_sub(shown).filter(|more| *more > 0)?;
    Some(row(Part::Dim, format!("    and {} more", text::count(more as u64))))
}

fn figures(outcome: &MergeOutcome) -> Vec<Row> {
    let merged = &outcome.merged;
    let mut rows = vec![
        figure("read", &text::size(merged.read_bytes), "hints, and the records that stayed"),
        figure("written", &text::size(merged.written_bytes), ""),
        figure("records", &text::count(merged.records), "were copied"),
    ];
    if merged.tombstones_dropped > 0 {
        rows.push(figure("tombstones", &text::count(merged.tombstones_dropped), "are gone"));
    }
    if merged.tombstones_kept > 0 {
        rows.push(figure("tombstones", &text::count(merged.tombstones_kept), "stayed"));
    }
    rows.push(figure("time", &text::duration(merged.took), ""));
    rows
}
