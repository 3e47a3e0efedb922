//! The lists of keys, and windows of them.
//!
//! All keys by name are the list that the engine keeps; a prefix is a range of it, found by bisection, so that filtering
//! costs the same for ten keys and for ten million. Other orders and other filters are numbers in that list ([`order`]),
//! a tree is ranges of it ([`tree`]). Each is made in steps, between which somebody else may have the lists, and what is
//! made goes on where it stopped as long as it is wanted. A write moves one row.
//!
//! What they cost a key: by name, nothing but what the engine's own order takes; 4 bytes for each that passes another
//! filter, and a byte or two more in another order; 12 for each branch of an open level of the tree.
//!
//! Invariants:
//!
//! 1. Applying a change twice, or one that a list has seen already, changes nothing.
//! 2. Of each kind there is one list: the one that was asked for last.

mod changes;
mod level;
mod order;
mod picked;
mod rows;
mod tree;
mod window;

pub(super) use self::changes::{Changes, KeyChange};

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use self::order::Order;
use self::picked::Picked;
use self::tree::Tree;
use crate::store::{self, KeyList, Store};
use crate::tui::action::{KeysWork, Making};
use crate::tui::effect::{KeyView, Sort, open_around};
use crate::tui::filter::KeyFilter;

/// Keys with which everything is made at once, as there is nothing to wait for.
const FEW: usize = 20_000;

/// So many changes at once, and a share of the keys, are more than it takes to make the list anew.
const MANY: usize = 1 << 10;
/// So many at once are more than it takes to make an order anew: each may go through all of it.
const MANY_ROWS: usize = 1 << 6;
/// After so many keys came or went the list is taken from the engine again: each leaves a block that only one of them has.
const OWN: usize = 1 << 8;
/// How long a step waits for the engine.
const STEP: Duration = Duration::from_millis(20);

/// The lists.
#[derive(Default)]
pub(super) struct KeyLists {
    list: Option<KeyList>,
    /// Keys that came and went since it was taken from the engine.
    own: usize,
    /// The beginning of the list that the engine is making.
    build: Option<KeyList>,
    /// What changed since something was begun that must not change while it is made.
    missed: Vec<KeyChange>,
    /// So much moved, or something of which it is not known what, that the list is to be made anew.
    stale: bool,
    /// The generation that the lists show, or a later one.
    shows: u64,
    order: Option<Order>,
    tree: Option<Tree>,
    delimiter: u8,
}

impl KeyLists {
    /// Takes in what changed. The store was at `generation` before the changes were collected.
    pub(super) fn take(&mut self, changes: Vec<KeyChange>, generation: u64) {
        self.stale |= changes.iter().any(|change| matches!(change, KeyChange::Anything));
        let is_making = self.build.is_some() || self.order.as_ref().is_some_and(|order| !order.is_whole());
        // What came later must not be applied before what was missed.
        if is_making || !self.missed.is_empty() {
            self.missed.extend(changes);
        } else if self.list.is_some() {
            self.apply(changes, generation);
        }
    }

    /// Few changes move few rows; of many it is quicker to make the list anew.
    fn apply(&mut self, changes: Vec<KeyChange>, generation: u64) {
        let len = self.list.as_ref().map_or(0, KeyList::len);
        self.stale |= changes.len() > MANY + len / 32;
        if self.stale {
            return;
        }
        // What is half made and no longer wanted is not worth it.
        if changes.len() > MANY_ROWS || self.order.as_ref().is_some_and(|order| !order.is_whole()) {
            self.order = None;
        }
        for change in changes {
            self.apply_one(&change);
        }
        if self.missed.is_empty() {
            self.shows = generation;
        }
    }

    fn apply_one(&mut self, change: &KeyChange) {
        let (Some(list), KeyChange::One { key, before, after }) = (&mut self.list, change) else { return };
        let (rank, known) = list.find(key);
        let moved = match after {
            Some(_) => list.insert(key),
            None => list.remove(key),
        };
        if moved {
            self.tree = None;
            self.own += 1;
        }
        match (&mut self.order, moved, known) {
            (None, ..) => {}
            (Some(order), true, false) => order.inserted(key, rank, *after),
            (Some(order), true, true) => order.removed(rank, *before),
            (Some(order), false, true) => order.changed(rank, *before, *after),
            (Some(_), false, false) => {}
        }
    }

    /// Does a little of what a list takes to be shown. `None`: it is ready, and not older than `wanted`. The store is at
    /// `generation`, or later, and all that had changed then was taken in.
    ///
    /// Beside a writer that never rests a list is old when it is made: it is shown as what it is, and brought up to date
    /// when it is looked at again.
    pub(super) fn work(&mut self, store: &Store, view: &KeyView, (wanted, generation): (u64, u64)) -> Option<KeysWork> {
        let is_old = self.shows < wanted;
        if is_old && !self.missed.is_empty() && self.is_at_rest(view) {
            let missed = std::mem::take(&mut self.missed);
            self.apply(missed, generation);
        }
        if self.list.is_none() || (self.stale && is_old) {
            return self.build(store, generation);
        }
        self.share(store);
        let list = self.list.take()?;
        let work = self.pick(store, &list, view).or_else(|| self.branch_out(&list, view));
        self.list = Some(list);
        work
    }

    /// Whether nothing is being made that this view needs.
    fn is_at_rest(&self, view: &KeyView) -> bool {
        let is_wanted = |order: &Order| !order.is_whole() && order.is(&view.filter, sort_of(view));
        self.build.is_none() && !self.order.as_ref().is_some_and(is_wanted)
    }

    /// The same, until it is ready or it proves to be long.
    pub(super) fn work_at_once(&mut self, store: &Store, view: &KeyView, generation: u64) -> bool {
        let is_few = self.list.as_ref().is_some_and(|list| list.len() < FEW);
        loop {
            match self.work(store, view, (generation, generation)) {
                None => return true,
                Some(_) if is_few => {}
                Some(_) => return false,
            }
        }
    }

    /// Has the engine make the list.
    fn build(&mut self, store: &Store, generation: u64) -> Option<KeysWork> {
        if self.build.is_none() {
            // What was made before is given up first: two lists would be twice the memory.
            *self = Self { shows: generation, build: Some(KeyList::new()), ..Self::default() };
        }
        store.keep_order();
        let (done, total) = match store.order(STEP) {
            store::Order::Kept(list) => {
                self.delimiter = tree::delimiter(&list);
                (self.list, self.build) = (Some(KeyList::clone(&list)), None);
                // The list has seen what was missed meanwhile.
                self.missed.clear();
                (1, 1)
            }
            store::Order::Making { done, total, beginning } => {
                self.build = Some(beginning);
                (done, total)
            }
            store::Order::Absent => {
                std::thread::sleep(STEP);
                (0, 1)
            }
        };
        let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Some(KeysWork { making: Making::Reading, done: count(done), total: count(total) })
    }

    /// Takes the engine's list in the place of one that has gone its own way for long.
    fn share(&mut self, store: &Store) {
        if self.own < OWN || self.order.is_some() || !self.missed.is_empty() {
            return;
        }
        self.own = 0;
        if let store::Order::Kept(list) = store.order(Duration::ZERO) {
            (self.list, self.tree) = (Some(KeyList::clone(&list)), None);
        }
    }

    /// Makes the order of the keys that pass, where it is not a range.
    fn pick(&mut self, store: &Store, list: &KeyList, view: &KeyView) -> Option<KeysWork> {
        let sort = sort_of(view);
        if is_range(view) {
            self.order = None;
            return None;
        }
        let order = match &mut self.order {
            Some(order) if order.is(&view.filter, sort) => {
                if order.is_whole() {
                    return None;
                }
                order.step(store, list);
                order
            }
            other => {
                self.tree = None;
                other.insert(Order::begin(list, &view.filter, sort))
            }
        };
        let (done, total) = order.progress();
        let making = if sort == Sort::Name { Making::Filtering } else { Making::Sorting };
        Some(KeysWork { making, done, total })
    }

    /// Makes the tree.
    fn branch_out(&mut self, list: &KeyList, view: &KeyView) -> Option<KeysWork> {
        let Some(open) = &view.tree else {
            self.tree = None;
            return None;
        };
        let tree = self.tree.take().filter(|tree| tree.is(&view.filter));
        let picked = self.picked(list, view);
        let mut tree = tree.unwrap_or_else(|| Tree::begin(&view.filter, &picked, self.delimiter));
        let ready = tree.is_whole(open);
        if !ready {
            tree.step(list, &picked, open);
        }
        let (done, total) = tree.progress();
        self.tree = Some(tree);
        (!ready).then_some(KeysWork { making: Making::Branching, done, total })
    }

    /// The list by name, as far as it is there.
    fn by_name(&self) -> &KeyList {
        static NOTHING: KeyList = KeyList::new();
        self.list.as_ref().or(self.build.as_ref()).unwrap_or(&NOTHING)
    }

    fn picked<'a>(&'a self, list: &KeyList, view: &KeyView) -> Picked<'a> {
        match &self.order {
            Some(order) => Picked::Order(order),
            None => Picked::Range(list.beginning_with(view.filter.prefix())),
        }
    }

    fn passes(&self, filter: &KeyFilter, key: &[u8]) -> bool {
        self.order.as_ref().map_or_else(|| key.starts_with(filter.prefix()), |order| order.passes(key))
    }

    /// The view with the branches open that a key is in.
    pub(super) fn revealing(&self, mut view: KeyView, key: &[u8]) -> KeyView {
        if let Some(open) = &mut view.tree {
            open_around(open, key, self.delimiter);
        }
        view
    }

    /// The first keys that begin with `prefix`; `None`: they are still being read.
    pub(super) fn beginning_with(&self, prefix: &[u8], most: usize) -> Option<Vec<Arc<[u8]>>> {
        let list = self.list.as_ref()?;
        let range = list.beginning_with(prefix);
        let mut walk = list.walk(range.start);
        Some((0..range.len().min(most)).map_while(|_| walk.next().map(Arc::from)).collect())
    }
}

/// A tree is by name.
fn sort_of(view: &KeyView) -> Sort {
    if view.tree.is_some() { Sort::Name } else { view.sort }
}

/// Whether a list is a range of the list by name.
fn is_range(view: &KeyView) -> bool {
    sort_of(view) == Sort::Name && (matches!(view.filter, KeyFilter::Prefix(_)) || view.filter.is_empty())
}
