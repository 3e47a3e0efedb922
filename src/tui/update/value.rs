//! Pane 4: asking for the value that belongs to the selection, as what it is to be shown, and scrolling over it.
//!
//! Of a long value a window is at hand; another one is asked for before scrolling leaves it. Invariant: what is shown is
//! the newest part that was asked for, or, while that is under way, an older part of the same value.

use std::iter::successors;
use std::sync::Arc;

use super::{history, look};
use crate::inspect::{RecordRow, RowState};
use crate::store::Location;
use crate::tui::action::{Motion, ValuePart, ValueSeen};
use crate::tui::app::{App, Lead, Pane, Tone, ValuePlace};
use crate::tui::effect::{Effect, Portion, ValueOf, ValueWanted};
use crate::tui::layout::Layout;
use crate::tui::window::{WINDOW, window_from};
use crate::tui::wrap;
use crate::value::{View, family};

/// The value that belongs to the selection, if there is one to read, from its start.
fn wanted(app: &App) -> Option<ValueWanted> {
    let (key, location, of) = if let Some(version) = history::chosen(app) {
        of_row(&version.row, ValueOf::Record)?
    } else if app.lead == Lead::Keys {
        (app.keys.selected.clone()?, look::selected_location(app)?, ValueOf::Key)
    } else {
        of_row(app.records.row()?, ValueOf::Key)?
    };
    let view = app.value.forced.get(&family(&key)).copied();
    Some(ValueWanted { key, location, of, view, portion: Portion::Start })
}

/// The value of a record; of a live one the key's, if that will do.
fn of_row(row: &RecordRow, of: ValueOf) -> Option<(Arc<[u8]>, Location, ValueOf)> {
    let of = match row.state {
        RowState::Live => of,
        RowState::Superseded | RowState::Expired => ValueOf::Record,
        _ => return None,
    };
    let location = Location { segment: row.segment, offset: row.offset, len: row.len };
    Some((row.key.as_deref()?.into(), location, of))
}

/// Asks for what is not at hand.
pub(super) fn look(app: &mut App, places: &Layout) -> Option<Effect> {
    let mut wanted = wanted(app);
    let asked = &app.value.asked;
    // While a window is under way nothing is known of the selection: what is shown stays.
    if wanted.is_none() && asked.is_some() && (app.keys.waiting || app.records.waiting) {
        return None;
    }
    let is_same = match (&wanted, asked) {
        (Some(wanted), Some(asked)) => ValueWanted { portion: asked.portion, ..wanted.clone() } == *asked,
        (wanted, asked) => wanted.is_none() && asked.is_none(),
    };
    if is_same {
        settle(app, places);
        let wanted = wanted.as_mut()?;
        wanted.portion = next_portion(app)?;
    } else {
        forget(app, wanted.as_ref());
    }
    app.value.asked = wanted.clone();
    wanted.map(Effect::Value)
}

/// What is known of another value, or of this one in another view, is of no use.
fn forget(app: &mut App, wanted: Option<&ValueWanted>) {
    let pane = &mut app.value;
    let whose = |wanted: &ValueWanted| (Arc::clone(&wanted.key), wanted.of, wanted.view);
    if wanted.map(whose) != pane.asked.as_ref().map(whose) {
        pane.top = ValuePlace::default();
    }
    pane.value = None;
    pane.known = None;
    pane.suspect = false;
    pane.to_end = false;
}

/// The part that should take the place of the one that is there. `None`: that, or what is under way, will do.
fn next_portion(app: &App) -> Option<Portion> {
    let (part, asked) = (app.value.part()?, app.value.asked.as_ref()?);
    let from = window_from(part, if app.value.to_end { part.whole } else { app.value.top.at });
    let asked = asked.portion.from();
    let is_under_way = asked != part.from && from.abs_diff(asked) < WINDOW as u64 / 4;
    let next = if from == 0 { Portion::Start } else { Portion::From(from, part.view) };
    (from != part.from && !is_under_way).then_some(next)
}

pub(super) fn arrived(app: &mut App, seen: ValueSeen) {
    if app.value.asked.as_ref() != Some(&seen.wanted) {
        return;
    }
    let pane = &mut app.value;
    pane.suspect = seen.suspect;
    pane.value = Some(seen.value);
    if let Some(part) = pane.part().cloned() {
        pane.known = part.known.clone().or(pane.known.take());
        let end = if part.view.is_structured() { part.lines.len() as u64 } else { part.whole };
        pane.top.at = pane.top.at.min(end.saturating_sub(1));
    }
}

/// Shows the value in the next view that fits it, and remembers that for values of related keys.
pub(super) fn next_view(app: &mut App) {
    let (Some(part), Some(known)) = (app.value.part().cloned(), app.value.known.clone()) else { return };
    let at = known.fitting.iter().position(|view| *view == part.view).map_or(0, |at| at + 1);
    let next = known.fitting.get(at).or(known.fitting.first()).copied().unwrap_or(View::Hex);
    let Some(asked) = &app.value.asked else { return };
    app.value.forced.insert(family(&asked.key), next);
    let told = format!("shown as {}, and so are values of keys like this one; X goes back", next.name());
    app.say(Tone::Plain, told);
}

/// Shows the value as what it is, and those of related keys.
pub(super) fn detected_view(app: &mut App) {
    let Some(asked) = &app.value.asked else { return };
    app.value.forced.remove(&family(&asked.key));
    app.say(Tone::Plain, "shown as what it was detected to be, and so are values of keys like this one");
}

/// Scrolls by a key.
pub(super) fn go(app: &mut App, places: &Layout, motion: Motion) {
    let Some(part) = app.value.part().cloned() else { return };
    let page = places.inner_height(Pane::Value).max(1);
    let rows = Rows::new(&part, places);
    let steps = match motion {
        Motion::PageUp | Motion::PageDown => page,
        Motion::HalfUp | Motion::HalfDown => page.div_ceil(2),
        _ => 1,
    };
    let top = app.value.top;
    app.value.to_end = motion == Motion::Last;
    match motion {
        Motion::First => app.value.top = ValuePlace::default(),
        Motion::Last => settle(app, places),
        Motion::Up | Motion::PageUp | Motion::HalfUp => app.value.top = rows.up(top, steps),
        _ => app.value.top = rows.down(top, steps, page),
    }
}

/// Goes to the end if that is wanted and it is there.
fn settle(app: &mut App, places: &Layout) {
    let Some(part) = app.value.part().filter(|_| app.value.to_end).cloned() else { return };
    let rows = Rows::new(&part, places);
    if let Some(last) = rows.last() {
        app.value.top = rows.up(last, places.inner_height(Pane::Value).max(1) - 1);
        app.value.to_end = false;
    }
}

/// A part of a value as rows. A row's place is its first byte, or its line and how many rows of that come before it, so
/// that nothing before it need be counted.
struct Rows<'a> {
    part: &'a ValuePart,
    /// Cells for text, which has one free on either side.
    cells: usize,
}

impl<'a> Rows<'a> {
    fn new(part: &'a ValuePart, places: &Layout) -> Self {
        Self { part, cells: places.inner_width(Pane::Value).saturating_sub(2) }
    }

    /// Bytes of a row in hexadecimal.
    fn step(&self) -> u64 {
        self.part.hex_shape(self.cells + 2).bytes as u64
    }

    /// The rows of a line.
    fn count(&self, line: u64) -> usize {
        let line = usize::try_from(line).ok().and_then(|line| self.part.lines.get(line));
        line.map_or(1, |line| wrap::line_rows(line, self.cells).len())
    }

    /// A byte's place in the part.
    fn within(&self, at: u64) -> Option<usize> {
        at.checked_sub(self.part.from).and_then(|at| usize::try_from(at).ok())
    }

    fn byte(&self, at: usize) -> ValuePlace {
        ValuePlace { at: self.part.from + at as u64, row: 0 }
    }

    fn next(&self, place: ValuePlace) -> Option<ValuePlace> {
        let ValuePlace { at, row } = place;
        match self.part.view {
            View::Hex => Some(ValuePlace { at: at + self.step(), row: 0 }).filter(|next| next.at < self.part.whole),
            View::Text => wrap::next_row(&self.part.bytes, self.within(at)?, self.cells).map(|at| self.byte(at)),
            _ if row + 1 < self.count(at) => Some(ValuePlace { at, row: row + 1 }),
            _ => Some(ValuePlace { at: at + 1, row: 0 }).filter(|next| next.at < self.part.lines.len() as u64),
        }
    }

    fn previous(&self, place: ValuePlace) -> Option<ValuePlace> {
        let ValuePlace { at, row } = place;
        match self.part.view {
            View::Hex => at.checked_sub(self.step()).map(|at| ValuePlace { at, row: 0 }),
            View::Text => wrap::previous_row(&self.part.bytes, self.within(at)?, self.cells).map(|at| self.byte(at)),
            _ if row > 0 => Some(ValuePlace { at, row: row - 1 }),
            _ => at.checked_sub(1).map(|at| ValuePlace { at, row: self.count(at) - 1 }),
        }
    }

    /// The last row of the value, if it is at hand.
    fn last(&self) -> Option<ValuePlace> {
        let part = self.part;
        match part.view {
            View::Hex => Some(ValuePlace { at: part.whole.saturating_sub(1) / self.step() * self.step(), row: 0 }),
            View::Text => {
                let is_there = part.compressed || part.from + part.bytes.len() as u64 >= part.whole;
                let last = wrap::previous_row(&part.bytes, part.bytes.len(), self.cells).unwrap_or(0);
                is_there.then(|| self.byte(last))
            }
            _ => {
                let at = (part.lines.len() as u64).saturating_sub(1);
                Some(ValuePlace { at, row: self.count(at) - 1 })
            }
        }
    }

    fn up(&self, place: ValuePlace, steps: usize) -> ValuePlace {
        successors(Some(place), |place| self.previous(*place)).take(steps + 1).last().unwrap_or_default()
    }

    /// Not so far that the last page would be left behind.
    fn down(&self, place: ValuePlace, steps: usize, page: usize) -> ValuePlace {
        let rows: Vec<ValuePlace> = successors(Some(place), |place| self.next(*place)).take(steps + page).collect();
        rows.get(rows.len().saturating_sub(page)).copied().unwrap_or(place)
    }
}
