//! Where the strip of a segment is on the screen: how many cells it has, and which column it begins in. One answer for
//! `update`, which needs to know which cell was meant, and for the view, which paints it.
//!
//! Strips have one scale: the longest file fills the room, and shorter ones end before it.

use super::app::{App, Pane};
use super::layout::layout;

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

/// The scale of all strips, worked out once for however many are painted.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Cells that the longest strip has, and the mark behind it.
    room: usize,
    /// Bytes of the longest file.
    longest: u64,
}

impl Scale {
    /// A scale on which the longest file has so many cells.
    pub fn new(room: usize, longest: u64) -> Self {
        Self { room, longest }
    }

    /// The scale of the strips on the screen.
    pub fn of(app: &App) -> Self {
        let width = layout(app).inner_width(Pane::Segments);
        let room = width.saturating_sub(headings(width).len() + 2);
        Self { room, longest: app.segment_rows().iter().map(|segment| segment.bytes).max().unwrap_or(0) }
    }

    /// Cells of the strip of a file of so many bytes.
    pub fn cells(&self, bytes: u64) -> usize {
        let cells = u128::from(bytes) * self.room as u128 / u128::from(self.longest.max(1));
        usize::try_from(cells).unwrap_or(usize::MAX).max(1).min(self.room)
    }
}
