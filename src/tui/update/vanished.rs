//! What the selections fall back to when segments are gone: a merge took them away, here or in the process that writes.
//!
//! Invariant: no pane points at a place of a segment that is not there; an id is never used again, so that no place is ever
//! one of another file.

use std::sync::Arc;

use super::follow::go_to_end;
use super::look::show_record;
use crate::format::SegmentId;
use crate::tui::app::{App, Lead};

/// What was selected before the figures changed.
pub(super) struct Before {
    segment: Option<SegmentId>,
}

pub(super) fn before(app: &App) -> Before {
    Before { segment: app.segment_rows().get(app.segments.at).map(|segment| segment.id) }
}

/// Brings everything that pointed at what is gone to something that is there.
pub(super) fn settle(app: &mut App, before: &Before) {
    keep_the_segment(app, before);
    let there: Vec<SegmentId> = app.segment_rows().iter().map(|segment| segment.id).collect();
    let is_there = |id: SegmentId| there.binary_search(&id).is_ok();
    app.merge.marked.retain(|id| is_there(*id));
    app.history.mark = app.history.mark.filter(|at| is_there(at.segment));
    app.history.versions.retain(|version| is_there(version.row.segment));
    if !app.records.is_unlisted && app.records.segment.is_some_and(|id| !is_there(id)) {
        lose_the_record(app);
    }
}

/// The selection stays with its segment, whose row may be another one now; else it goes to the next one.
fn keep_the_segment(app: &mut App, before: &Before) {
    let Some(id) = before.segment else { return };
    let next = app.segment_rows().iter().position(|segment| segment.id >= id);
    app.segments.at = next.unwrap_or(app.segment_rows().len().saturating_sub(1));
    if app.segment_rows().get(app.segments.at).is_none_or(|segment| segment.id != id) {
        app.strips.cell = None;
    }
}

/// The selected record is gone: its key leads to where the newest version is now.
fn lose_the_record(app: &mut App) {
    let key: Option<Arc<[u8]>> = app.records.row().and_then(|row| row.key.as_deref()).map(Arc::from);
    app.records = Default::default();
    if app.follow.on {
        return go_to_end(app);
    }
    if app.lead == Lead::Records {
        app.lead = Lead::Keys;
        if let Some(key) = key.filter(|key| app.keys.filter.matcher().passes(key)) {
            (app.keys.selected, app.keys.branch) = (Some(key), None);
        }
    }
    if app.keys.selected.is_none()
        && let Some(id) = app.segment_rows().get(app.segments.at).map(|segment| segment.id)
    {
        // No key leads anywhere, as where a branch of the tree is selected.
        show_record(app, id, None);
    }
}
