//! Pane 1: what the key list is asked for, how it is filtered, ordered and opened, and what arrives of it.
//!
//! The selection follows a key, or a branch of the tree, and not a row. Invariant: rows on the screen are either of the
//! list that was asked for last, or known to be older ones ([`KeysPane::is_old`]).

use std::sync::Arc;

use super::follow;
use super::look::{window_rows, with_margin};
use super::verbs::focus;
use crate::tui::action::{KeyRow, KeysSeen, KeysWork};
use crate::tui::app::{App, KeysPane, Pane, Tone};
use crate::tui::effect::{Effect, KeyPlace, KeyView, KeysWanted, open_around};
use crate::tui::field::Field;
use crate::tui::filter::KeyFilter;
use crate::tui::layout::{Layout, layout};
use crate::tui::list::Window;

/// The key list as the screen wants it now.
pub(super) fn wanted(app: &App) -> KeysWanted {
    let keys = &app.keys;
    let at = match (&keys.branch, &keys.selected) {
        (Some(branch), _) => KeyPlace::Branch(Arc::clone(branch)),
        (None, Some(key)) => KeyPlace::Key { key: Arc::clone(key), or: keys.cursor.at },
        (None, None) => KeyPlace::Row(keys.cursor.at),
    };
    KeysWanted { view: keys.view(), at, rows: window_rows(app) }
}

/// Asks for the window that the screen needs, unless it is at hand or under way.
pub(super) fn look(app: &mut App, places: &Layout) -> Option<Effect> {
    let wanted = wanted(app);
    let page = places.page(Pane::Keys).max(1);
    let keys = &app.keys;
    let newest = app.figures.as_ref().map_or(0, |figures| figures.generation);
    let same_list = keys.asked.as_ref().is_some_and(|asked| asked.view == wanted.view);
    if same_list && keys.waiting && keys.asked.as_ref().is_some_and(|asked| is_near(&asked.at, &wanted.at, page)) {
        return None;
    }
    let shown = with_margin(keys.cursor.shown(keys.window.total, page), page, keys.window.total);
    let is_current = keys.generation >= newest && (keys.shown.as_ref() == Some(&wanted.view));
    if same_list && is_current && keys.window.covers(&shown) {
        return None;
    }
    Some(ask(&mut app.keys, wanted))
}

/// Whether the answer to one place will do for another one.
fn is_near(asked: &KeyPlace, wanted: &KeyPlace, page: usize) -> bool {
    match (asked, wanted) {
        (KeyPlace::Row(asked), KeyPlace::Row(row)) => asked.abs_diff(*row) < page,
        (KeyPlace::Row(_), KeyPlace::Key { .. } | KeyPlace::Branch(_)) => true,
        (asked, wanted) => asked == wanted,
    }
}

fn ask(keys: &mut KeysPane, wanted: KeysWanted) -> Effect {
    if keys.asked.as_ref().is_none_or(|asked| asked.view != wanted.view) {
        keys.work = None;
    }
    keys.asked = Some(wanted.clone());
    keys.waiting = true;
    Effect::Keys(wanted)
}

/// A window arrived, or as much of it as there is.
pub(super) fn arrived(app: &mut App, seen: KeysSeen) {
    let page = layout(app).page(Pane::Keys);
    let keys = &mut app.keys;
    if keys.asked.as_ref().is_none_or(|asked| asked.view != seen.wanted.view) {
        return;
    }
    let answers_last = keys.asked.as_ref() == Some(&seen.wanted) && seen.work.is_none();
    keys.waiting &= !answers_last;
    if seen.generation < keys.generation {
        return;
    }
    keys.generation = seen.generation;
    keys.window = Window { from: seen.from, rows: seen.rows, total: seen.total };
    (keys.passing, keys.delimiter, keys.work) = (seen.keys, seen.delimiter, seen.work);
    match seen.wanted.at {
        KeyPlace::Key { .. } | KeyPlace::Branch(_) | KeyPlace::Row(0) if answers_last => {
            keys.cursor.jump(seen.place, seen.total, page);
        }
        _ => keys.cursor.settle(seen.total, page),
    }
    keys.shown = Some(seen.wanted.view);
    if answers_last || (keys.selected.is_none() && keys.branch.is_none()) {
        select_row(keys);
    }
}

/// The command that was run saw the list, too; in a tree it may have opened the branches that its key is in.
pub(super) fn ran(app: &mut App, seen: KeysSeen) {
    if let (true, Some(open)) = (app.keys.tree, &seen.wanted.view.tree) {
        app.keys.open = Arc::clone(open);
    }
    if seen.wanted.view == app.keys.view() {
        app.keys.asked = Some(seen.wanted.clone());
        arrived(app, seen);
    }
}

/// A list is being made, and nothing of it is there yet.
pub(super) fn making(app: &mut App, view: &KeyView, work: KeysWork) {
    let keys = &mut app.keys;
    if keys.waiting && keys.asked.as_ref().is_some_and(|asked| asked.view == *view) {
        keys.work = Some(work);
    }
}

/// The key under the cursor becomes the one that the selection follows.
pub(super) fn take(app: &mut App) {
    select_row(&mut app.keys);
    app.records.pinned = false;
}

fn select_row(keys: &mut KeysPane) {
    let row = keys.row().map(|row| (Arc::clone(&row.key), row.branch.is_some()));
    (keys.selected, keys.branch) = match row {
        Some((key, false)) => (Some(key), None),
        Some((branch, true)) => (None, Some(branch)),
        None => (None, None),
    };
}

/// The next key, after the last one the first.
pub(super) fn next(app: &mut App, forward: bool) {
    let total = app.keys.window.total;
    let at = app.keys.cursor.at;
    let page = layout(app).page(Pane::Keys);
    let next = match forward {
        true => (at + 1).checked_rem(total).unwrap_or(0),
        false => at.checked_sub(1).unwrap_or(total.saturating_sub(1)),
    };
    app.keys.cursor.at = next;
    app.keys.cursor.settle(total, page);
    take(app);
    if app.focus != Pane::Value {
        focus(app, Pane::Keys);
    }
}

/// Takes over the filter as typed, unless it cannot be read: then the list stays as it is.
pub(super) fn apply_filter(app: &mut App) {
    match KeyFilter::read(app.keys.typed.text()) {
        Ok(filter) => {
            app.keys.filter = filter;
            // What was wrong with it before is no longer.
            app.said = None;
        }
        Err(reason) => app.say(Tone::Bad, reason),
    }
}

/// Whether what is typed is a filter.
pub(super) fn is_filter(app: &App) -> bool {
    KeyFilter::read(app.keys.typed.text()).is_ok()
}

pub(super) fn clear_filter(app: &mut App) {
    app.keys.typed = Field::default();
    app.keys.filter = KeyFilter::default();
}

pub(super) fn next_order(app: &mut App) {
    match app.keys.tree {
        true => app.say(Tone::Plain, "a tree is by name; t shows the keys flat"),
        false => app.keys.sort = app.keys.sort.next(),
    }
}

pub(super) fn toggle_tree(app: &mut App) {
    app.keys.tree = !app.keys.tree;
    focus(app, Pane::Keys);
}

/// Opens the branch under the cursor, or closes it; says whether there is one.
pub(super) fn toggle_branch(app: &mut App) -> bool {
    let Some(KeyRow { key, branch: Some(branch), .. }) = app.keys.row().cloned() else { return false };
    set_open(&mut app.keys, &key, !branch.open);
    true
}

fn set_open(keys: &mut KeysPane, branch: &[u8], open: bool) {
    let branches = Arc::make_mut(&mut keys.open);
    if open {
        branches.insert(branch.to_vec());
    } else {
        branches.remove(branch);
    }
}

/// Right opens a branch and goes into it, left closes it or goes to the one above. `None`: the tree has no use for it.
pub(super) fn sideways(app: &mut App, to_the_left: bool) -> Option<Vec<Effect>> {
    let row = app.keys.row().filter(|_| app.keys.tree)?.clone();
    match (row.branch, to_the_left) {
        (Some(branch), false) if branch.open => {
            let total = app.keys.window.total;
            app.keys.cursor.at = (app.keys.cursor.at + 1).min(total.saturating_sub(1));
            follow::moved(app);
            take(app);
        }
        (Some(branch), _) if branch.open == to_the_left => set_open(&mut app.keys, &row.key, !to_the_left),
        (_, true) if row.stem > 0 => return Some(go_to_branch(app, row.key.get(..row.stem)?.into())),
        _ => return None,
    }
    Some(Vec::new())
}

/// Selects a key, wherever it is; a filter that leaves it out is taken away, and the branches that it is in are opened.
pub(super) fn select(app: &mut App, key: Arc<[u8]>) -> Vec<Effect> {
    if !app.keys.filter.matcher().passes(&key) {
        clear_filter(app);
    }
    if let Some(delimiter) = app.keys.delimiter.filter(|_| app.keys.tree) {
        open_around(&mut app.keys.open, &key, delimiter);
    }
    (app.keys.selected, app.keys.branch) = (Some(key), None);
    let wanted = wanted(app);
    vec![ask(&mut app.keys, wanted)]
}

/// Selects a branch, wherever it is.
fn go_to_branch(app: &mut App, branch: Arc<[u8]>) -> Vec<Effect> {
    let page = layout(app).page(Pane::Keys);
    follow::moved(app);
    let keys = &mut app.keys;
    (keys.selected, keys.branch) = (None, Some(Arc::clone(&branch)));
    let is_it = |row: &KeyRow| row.branch.is_some() && row.key == branch;
    if let Some(at) = keys.window.rows.iter().position(is_it) {
        keys.cursor.at = keys.window.from + at;
        keys.cursor.settle(keys.window.total, page);
        return Vec::new();
    }
    let wanted = wanted(app);
    vec![ask(&mut app.keys, wanted)]
}
