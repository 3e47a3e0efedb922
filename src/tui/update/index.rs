//! Pane 6: asking where the selected key sits in the index, and how full that is.

use std::sync::Arc;

use crate::tui::action::{Motion, SlotSeen};
use crate::tui::app::{App, Pane};
use crate::tui::effect::{Effect, SlotWanted};
use crate::tui::layout::Layout;

/// Asks where the pane is to be seen and shows another key or an older state.
pub(super) fn look(app: &mut App, places: &Layout) -> Option<Effect> {
    places.area(Pane::Keydir)?;
    let generation = app.figures.as_ref().map_or(0, |figures| figures.generation);
    let wanted = app.keys.selected.as_ref().map(|key| SlotWanted { key: Arc::clone(key), generation });
    if wanted == app.keydir.asked {
        return None;
    }
    app.keydir.asked = wanted.clone();
    if wanted.is_none() {
        app.keydir.slot = None;
    }
    wanted.map(Effect::Slot)
}

pub(super) fn arrived(app: &mut App, seen: SlotSeen) {
    if app.keydir.asked.as_ref().is_some_and(|asked| asked.key == seen.wanted.key) {
        app.keydir.shape = Some(seen.shape);
        app.keydir.slot = seen.slot;
    }
}

/// Scrolls a pane of lines that has no cursor.
pub(super) fn scroll(top: usize, motion: Motion, lines: usize, page: usize) -> usize {
    let last = lines.saturating_sub(page);
    match motion {
        Motion::Up => top.saturating_sub(1),
        Motion::Down => top.saturating_add(1),
        Motion::PageUp => top.saturating_sub(page),
        Motion::PageDown => top.saturating_add(page),
        Motion::HalfUp => top.saturating_sub(page.div_ceil(2)),
        Motion::HalfDown => top.saturating_add(page.div_ceil(2)),
        Motion::First => 0,
        Motion::Last => last,
        Motion::Left | Motion::Right => top,
    }
    .min(last)
}
