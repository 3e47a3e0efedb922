//! The orders of the key list, and windows of them.
//!
//! All keys by name are one sorted list; a prefix is a range of it, found by bisection, so that filtering costs the same
//! for ten keys and for ten million. Other orders are sorted for the filter at hand. A write of ours moves one row.
//! Invariant: applying a change twice, or one that a list has seen already, changes nothing.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::store::{Entry, Store};
use crate::tui::action::{KeyRow, KeysSeen};
use crate::tui::effect::{KeyPlace, KeysWanted, Sort};
use crate::tui::list::window_around;

/// What happened to the keys.
#[derive(Clone, Debug)]
pub(super) enum KeyChange {
    /// One key got another entry, or came, or went.
    One {
        /// Which.
        key: Arc<[u8]>,
        /// Its entry before.
        before: Option<Entry>,
        /// Its entry now.
        after: Option<Entry>,
    },
    /// It is not known what.
    Anything,
}

/// A row of an order that is not by name: largest weight first, then by name.
type Weighed = (Reverse<u64>, Arc<[u8]>);

/// The lists.
#[derive(Default)]
pub(super) struct KeyIndex {
    by_name: Option<Vec<Arc<[u8]>>>,
    other: Option<Other>,
}

/// One order of the keys that pass one filter.
struct Other {
    sort: Sort,
    filter: Vec<u8>,
    keys: Vec<Weighed>,
}

impl KeyIndex {
    /// Takes one change in.
    pub(super) fn apply(&mut self, change: KeyChange) {
        let KeyChange::One { key, before, after } = change else {
            *self = Self::default();
            return;
        };
        if let Some(keys) = &mut self.by_name {
            set(keys, Arc::clone(&key), after.is_some());
        }
        if let Some(other) = self.other.as_mut().filter(|other| key.starts_with(&other.filter)) {
            let row = |entry| (weight(other.sort, &entry), Arc::clone(&key));
            let (before, after) = (before.map(row), after.map(row));
            before.into_iter().for_each(|row| set(&mut other.keys, row, false));
            after.into_iter().for_each(|row| set(&mut other.keys, row, true));
        }
    }

    /// The keys that begin with `prefix`, by name.
    pub(super) fn beginning_with(&mut self, store: &Store, prefix: &[u8]) -> &[Arc<[u8]>] {
        let keys = self.by_name.get_or_insert_with(|| store.scan(b"").map(|(key, _)| key).collect());
        let start = keys.partition_point(|key| &**key < prefix);
        let rest = keys.get(start..).unwrap_or_default();
        let len = rest.partition_point(|key| key.starts_with(prefix));
        rest.get(..len).unwrap_or_default()
    }

    /// The rows around a place.
    pub(super) fn window(&mut self, store: &Store, wanted: KeysWanted, generation: u64) -> KeysSeen {
        let (place, total, range, keys): (_, _, _, Vec<_>);
        if wanted.sort == Sort::Name {
            let list = self.beginning_with(store, &wanted.filter);
            place = match &wanted.at {
                KeyPlace::Row(row) => *row,
                KeyPlace::Key { key, .. } => list.partition_point(|each| each < key),
            };
            total = list.len();
            range = window_around(place.min(total.saturating_sub(1)), wanted.rows, total);
            keys = list.get(range.clone()).unwrap_or_default().to_vec();
        } else {
            let list = self.weighed(store, &wanted);
            place = match &wanted.at {
                KeyPlace::Row(row) => *row,
                KeyPlace::Key { key, or } => match store.entry(key) {
                    Some(entry) => {
                        let row = (weight(wanted.sort, &entry), Arc::clone(key));
                        list.partition_point(|each| *each < row)
                    }
                    None => *or,
                },
            };
            total = list.len();
            range = window_around(place.min(total.saturating_sub(1)), wanted.rows, total);
            keys = list.get(range.clone()).unwrap_or_default().iter().map(|(_, key)| Arc::clone(key)).collect();
        }
        let rows = keys.into_iter().map(|key| KeyRow { entry: store.entry(&key), key }).collect();
        let place = place.min(total.saturating_sub(1));
        KeysSeen { wanted, generation, total, from: range.start, rows, place }
    }

    fn weighed(&mut self, store: &Store, wanted: &KeysWanted) -> &[Weighed] {
        let fits = |other: &Other| other.sort == wanted.sort && other.filter == wanted.filter;
        if !self.other.as_ref().is_some_and(fits) {
            let row = |(key, entry)| (weight(wanted.sort, &entry), key);
            let mut keys: Vec<Weighed> = store.scan(&wanted.filter).map(row).collect();
            keys.sort_unstable();
            self.other = Some(Other { sort: wanted.sort, filter: wanted.filter.clone(), keys });
        }
        self.other.as_ref().map_or(&[], |other| &other.keys)
    }
}

fn weight(sort: Sort, entry: &Entry) -> Reverse<u64> {
    Reverse(if sort == Sort::Size { entry.stored_len } else { entry.tstamp })
}

/// Makes `row` be in a sorted list, or not.
fn set<T: Ord>(rows: &mut Vec<T>, row: T, present: bool) {
    match (rows.binary_search(&row), present) {
        (Err(at), true) => rows.insert(at, row),
        (Ok(at), false) => drop(rows.remove(at)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::disk::sim::SimDisk;
    use crate::store::Options;

    fn wanted(filter: &[u8], sort: Sort) -> KeysWanted {
        KeysWanted { filter: filter.to_vec(), sort, at: KeyPlace::Row(0), rows: 1000 }
    }

    fn shown(index: &mut KeyIndex, store: &Store, filter: &[u8], sort: Sort) -> Vec<KeyRow> {
        index.window(store, wanted(filter, sort), 0).rows
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        /// Each step is a key, the length of its value, and whether its change is told twice; no length: a delete.
        #[test]
        fn lists_kept_by_changes_equal_lists_made_anew(
            steps in proptest::collection::vec((0..20_u8, proptest::option::of(0..9_usize), any::<bool>()), 1..60),
        ) {
            let options = Options { create: true, ..Options::default() };
            let store = Store::open_on(Arc::new(SimDisk::new()), Path::new("data"), options).unwrap();
            for sort in [Sort::Name, Sort::Size, Sort::Age] {
                let mut index = KeyIndex::default();
                shown(&mut index, &store, b"k", sort);
                for (key, value, twice) in &steps {
                    let key: Arc<[u8]> = [if key % 3 == 0 { b'x' } else { b'k' }, *key].into();
                    let before = store.entry(&key);
                    match value {
                        Some(len) => drop(store.put(&key, &vec![0; *len]).unwrap()),
                        None => drop(store.delete(&key).unwrap()),
                    }
                    let change = KeyChange::One { after: store.entry(&key), key, before };
                    if *twice {
                        index.apply(change.clone());
                    }
                    index.apply(change);
                    let anew = shown(&mut KeyIndex::default(), &store, b"k", sort);
                    prop_assert_eq!(shown(&mut index, &store, b"k", sort), anew);
                }
            }
        }
    }
}
