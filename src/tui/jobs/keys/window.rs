//! Windows: the rows around a place, formatted for nobody, with the entries that the store has now.

use super::level::{Node, branch_of};
use super::order::Order;
use super::picked::{KeysByNumber, Picked};
use super::tree::Tree;
use super::{KeyLists, is_range};
use crate::store::{Entry, KeyList, Store};
use crate::tui::action::{Branch, KeyRow, KeysSeen, KeysWork};
use crate::tui::effect::{KeyPlace, KeysWanted};
use crate::tui::list::window_around;

/// What a window is cut out of.
struct Shown<'a> {
    store: &'a Store,
    list: &'a KeyList,
    picked: Picked<'a>,
    tree: Option<(&'a Tree, u8)>,
}

impl KeyLists {
    /// The rows around a place of a list that is ready.
    pub(in super::super) fn window(&self, store: &Store, wanted: KeysWanted) -> KeysSeen {
        let generation = self.shows;
        let list = self.by_name();
        let picked = self.picked(list, &wanted.view);
        let tree = self.tree.as_ref().filter(|_| wanted.view.tree.is_some());
        let shown = Shown { store, list, picked, tree: tree.map(|tree| (tree, self.delimiter)) };
        let place = shown.place(self, &wanted);
        let total = shown.rows();
        let place = place.min(total.saturating_sub(1));
        let range = window_around(place, wanted.rows, total);
        let from = range.start;
        let rows = shown.cut(range);
        let keys = shown.picked.len();
        let delimiter = wanted.view.tree.as_ref().map(|_| self.delimiter);
        KeysSeen { wanted, generation, total, keys, from, rows, place, delimiter, work: None }
    }

    /// The beginning of a list that is still being made: by name, what is there of it; else the first of those that were
    /// looked at so far.
    pub(in super::super) fn partial(&self, store: &Store, wanted: &KeysWanted, work: KeysWork) -> Option<KeysSeen> {
        if wanted.view.tree.is_some() {
            return None;
        }
        let is_it = |order: &Order| order.is(&wanted.view.filter, wanted.view.sort);
        let is_begun = match self.list {
            Some(_) => self.order.as_ref().is_some_and(is_it),
            None => is_range(&wanted.view),
        };
        let seen = is_begun.then(|| self.window(store, wanted.clone())).filter(|seen| seen.total > 0)?;
        Some(KeysSeen { work: Some(work), ..seen })
    }
}

impl Shown<'_> {
    fn rows(&self) -> usize {
        self.tree.map_or(self.picked.len(), |(tree, _)| tree.rows())
    }

    fn place(&self, lists: &KeyLists, wanted: &KeysWanted) -> usize {
        let by_name = |key: &[u8]| self.picked.place(self.list.rank(key));
        match (&wanted.at, &self.tree) {
            (KeyPlace::Row(row), _) => *row,
            (KeyPlace::Branch(prefix), Some((tree, _))) => tree.row_of_branch(self.list, &self.picked, prefix),
            (KeyPlace::Branch(prefix), None) => by_name(prefix),
            (KeyPlace::Key { key, .. }, _) if !lists.passes(&wanted.view.filter, key) => 0,
            (KeyPlace::Key { key, .. }, Some((tree, _))) => tree.row_of(by_name(key)),
            (KeyPlace::Key { key, or }, None) => match &self.picked {
                Picked::Range(_) => by_name(key),
                Picked::Order(order) => order.place(self.list.rank(key), self.store.entry(key)).unwrap_or(*or),
            },
        }
    }

    fn cut(&self, rows: std::ops::Range<usize>) -> Vec<KeyRow> {
        let mut keys = KeysByNumber::of(self.list);
        let row = |row| match self.tree {
            None => self.key_row(&mut keys, row, 0, 0),
            Some((tree, delimiter)) => match tree.node(row)? {
                Node::Key { place, depth, stem } => self.key_row(&mut keys, place, depth, stem),
                Node::Branch { keys: held, depth, stem, open } => {
                    let key = self.picked.rank(held.start).and_then(|rank| keys.get(rank))?;
                    let prefix = branch_of(key, stem, delimiter)?;
                    let branch = Some(Branch { keys: held.len(), open });
                    Some(KeyRow { key: prefix.into(), entry: None, depth, stem, branch })
                }
            },
        };
        rows.filter_map(row).collect()
    }

    fn key_row(&self, keys: &mut KeysByNumber<'_>, place: usize, depth: usize, stem: usize) -> Option<KeyRow> {
        let key = self.picked.rank(place).and_then(|rank| keys.get(rank))?;
        let entry: Option<Entry> = self.store.entry(key);
        Some(KeyRow { key: key.into(), entry, depth, stem, branch: None })
    }
}
