//! Where the strip of a segment is on the screen: how many cells it has, and which column it begins in. One answer for
//! `update`, which needs to know which cell was meant, and for the view, which paints it.
//!
//! Strips have one scale: the longest file fills the room, and shorter ones end before it.

use super::app::{App, Pane};
use super::layout::layout;
use crate::store::SegmentInfo;

/// Cells from which on tombstones have a column.
pub const ROOMY: usize = 56;

/// The headings before the strip where there is room.
pub const HEADINGS: &str = "     id       size      recs  dead  tomb h  ";
/// The headings before the strip where there is little.
pub const NARROW_HEADINGS: &str = "   id       size    recs  dead h  ";

/// The headings in a pane of so many cells inside.
pub fn headings(width: usize) -> &'static str {
    if width >= ROOMY { HEADINGS } else { NARROW_HEADINGS }
}

/// Cells that the longest strip has, and the mark behind it.
fn room(app: &App) -> usize {
    let width = layout(app).inner_width(Pane::Segments);
    width.saturating_sub(headings(width).len() + 2)
}

/// Cells of a segment's strip.
pub fn strip_cells(app: &App, segment: &SegmentInfo) -> usize {
    let longest = app.segment_rows().iter().map(|segment| segment.bytes).max().unwrap_or(0);
    let cells = u128::from(segment.bytes) * room(app) as u128 / u128::from(longest.max(1));
    usize::try_from(cells).unwrap_or(usize::MAX).max(1).min(room(app))
}
