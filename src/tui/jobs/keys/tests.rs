//! The lists against a model that does the same by sorting all keys, and the steps in which they are made.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::*;
use crate::disk::sim::SimDisk;
use crate::store::{Entry, Options};
use crate::tui::action::{Branch, KeyRow, KeysSeen};
use crate::tui::effect::{KeyPlace, KeysWanted};

const EVERYTHING: usize = 100_000;

fn store() -> Store {
    let options = Options { create: true, ..Options::default() };
    Store::open_on(Arc::new(SimDisk::new()), Path::new("data"), options).unwrap()
}

/// A generation after all before it.
fn later() -> u64 {
    static GENERATION: AtomicU64 = AtomicU64::new(1);
    GENERATION.fetch_add(1, Ordering::Relaxed)
}

fn view(filter: &str, sort: Sort) -> KeyView {
    KeyView { filter: KeyFilter::read(filter).unwrap(), sort, tree: None }
}

fn tree(filter: &str, open: &[&str]) -> KeyView {
    let open: BTreeSet<Vec<u8>> = open.iter().map(|prefix| prefix.as_bytes().to_vec()).collect();
    KeyView { tree: Some(Arc::new(open)), ..view(filter, Sort::Name) }
}

fn seen(lists: &mut KeyLists, store: &Store, view: &KeyView, at: KeyPlace, rows: usize) -> KeysSeen {
    let now = later();
    lists.take(Vec::new(), now);
    while lists.work(store, view, (now, now)).is_some() {}
    lists.window(store, KeysWanted { view: view.clone(), at, rows })
}

fn shown(lists: &mut KeyLists, store: &Store, view: &KeyView) -> Vec<KeyRow> {
    seen(lists, store, view, KeyPlace::Row(0), EVERYTHING).rows
}

/// All rows, by going through everything that the store scans.
fn model(store: &Store, view: &KeyView) -> Vec<KeyRow> {
    let matcher = view.filter.matcher();
    let mut keys: Vec<(Arc<[u8]>, Entry)> = store.scan(b"").filter(|(key, _)| matcher.passes(key)).collect();
    match view.sort {
        Sort::Name => {}
        Sort::Size => keys.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.stored_len)),
        Sort::Age => keys.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.tstamp)),
    }
    let Some(open) = &view.tree else {
        let row = |(key, entry)| KeyRow { key, entry: Some(entry), depth: 0, stem: 0, branch: None };
        return keys.into_iter().map(row).collect();
    };
    let mut rows = Vec::new();
    branch_rows(&keys, 0, 0, open, &mut rows);
    rows
}

fn branch_rows(
    keys: &[(Arc<[u8]>, Entry)],
    stem: usize,
    depth: usize,
    open: &BTreeSet<Vec<u8>>,
    rows: &mut Vec<KeyRow>,
) {
    let mut keys = keys;
    while let Some((key, entry)) = keys.first() {
        let prefix = key.get(stem..).unwrap().iter().position(|byte| *byte == b':').map(|at| &key[..stem + at + 1]);
        let Some(prefix) = prefix else {
            rows.push(KeyRow { key: Arc::clone(key), entry: Some(*entry), depth, stem, branch: None });
            keys = &keys[1..];
            continue;
        };
        let (held, rest) = keys.split_at(keys.iter().take_while(|(key, _)| key.starts_with(prefix)).count());
        let branch = Some(Branch { keys: held.len(), open: open.contains(prefix) });
        rows.push(KeyRow { key: prefix.into(), entry: None, depth, stem, branch });
        if open.contains(prefix) {
            branch_rows(held, prefix.len(), depth + 1, open, rows);
        }
        keys = rest;
    }
}

/// Views that a person could go to and fro between.
fn views() -> Vec<KeyView> {
    let mut views = vec![
        tree("", &[]),
        tree("", &["a:", "b:", "a:b:"]),
        tree("a:", &["a:", "a:a:", "not there:"]),
        tree("~b", &["b:", ":"]),
        tree("re:a$", &["a:", ":"]),
    ];
    for filter in ["", "a", "a:", "~ab", "re:b.$", "nothing"] {
        views.extend([Sort::Name, Sort::Size, Sort::Age].map(|sort| view(filter, sort)));
    }
    views
}

#[derive(Clone, Debug)]
enum Step {
    /// A key gets a value of this length, or none; its change is told twice.
    Write(String, Option<usize>, bool),
    /// Another view is looked at.
    Look(usize),
    /// A little is done for the view, and then something else comes.
    Begin(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let write = ("[ab:]{0,5}", proptest::option::of(0..9_usize), any::<bool>());
    let step = prop_oneof![
        6 => write.prop_map(|(key, value, twice)| Step::Write(key, value, twice)),
        2 => (0..views().len()).prop_map(Step::Look),
        1 => (0..views().len()).prop_map(Step::Begin),
    ];
    proptest::collection::vec(step, 1..80)
}

fn write(store: &Store, lists: &mut KeyLists, key: &str, value: Option<usize>, twice: bool) {
    let key: Arc<[u8]> = key.as_bytes().into();
    let before = store.entry(&key);
    match value {
        Some(len) => drop(store.put(&key, &vec![0; len]).unwrap()),
        None => drop(store.delete(&key).unwrap()),
    }
    let change = KeyChange::One { after: store.entry(&key), key, before };
    let changes = if twice { vec![change.clone(), change] } else { vec![change] };
    lists.take(changes, later());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lists_kept_by_changes_equal_lists_made_anew(steps in steps()) {
        let (store, views) = (store(), views());
        let mut lists = KeyLists::default();
        let mut looked_at = &views[0];
        for step in &steps {
            match step {
                Step::Write(key, value, twice) => write(&store, &mut lists, key, *value, *twice),
                Step::Look(view) => looked_at = &views[*view],
                Step::Begin(view) => {
                    lists.work(&store, &views[*view], (0, 0));
                    continue;
                }
            }
            prop_assert_eq!(shown(&mut lists, &store, looked_at), model(&store, looked_at));
        }
    }

    #[test]
    fn a_place_leads_to_its_row_in_any_view(
        keys in proptest::collection::btree_set("[ab:]{0,5}", 1..60), rows in 1..9_usize,
    ) {
        let store = store();
        for (key, len) in keys.iter().zip((0..7).cycle()) {
            store.put(key.as_bytes(), &vec![0; len]).unwrap();
        }
        let mut lists = KeyLists::default();
        for view in views() {
            let all = model(&store, &view);
            for (at, row) in all.iter().enumerate() {
                let key = Arc::clone(&row.key);
                let place = match row.branch {
                    None => KeyPlace::Key { key, or: usize::MAX },
                    Some(_) => KeyPlace::Branch(key),
                };
                for place in [place, KeyPlace::Row(at)] {
                    let seen = seen(&mut lists, &store, &view, place, rows);
                    prop_assert_eq!((seen.place, seen.total), (at, all.len()));
                    prop_assert_eq!(&seen.rows[..], &all[seen.from..seen.from + seen.rows.len()]);
                    prop_assert!((seen.from..seen.from + seen.rows.len()).contains(&at));
                }
            }
        }
    }
}

#[test]
fn a_key_in_a_closed_branch_is_found_at_the_branch() {
    let store = store();
    for key in ["a:b:1", "a:b:2", "a:c", "z"] {
        store.put(key.as_bytes(), b"").unwrap();
    }
    let mut lists = KeyLists::default();
    let mut row = |open: &[&str], place| {
        let seen = seen(&mut lists, &store, &tree("", open), place, 9);
        seen.rows[seen.place - seen.from].key.to_vec()
    };
    let key = |key: &str| KeyPlace::Key { key: key.as_bytes().into(), or: 0 };
    assert_eq!(row(&[], key("a:b:2")), b"a:");
    assert_eq!(row(&["a:"], key("a:b:2")), b"a:b:");
    assert_eq!(row(&["a:", "a:b:"], key("a:b:2")), b"a:b:2");
    assert_eq!(row(&["a:b:"], KeyPlace::Branch(b"a:b:"[..].into())), b"a:");
}

#[test]
fn a_tree_is_split_at_what_most_keys_have() {
    let delimiter = |keys: &[&str]| {
        let store = store();
        for key in keys {
            store.put(key.as_bytes(), b"").unwrap();
        }
        seen(&mut KeyLists::default(), &store, &tree("", &[]), KeyPlace::Row(0), 9).delimiter
    };
    assert_eq!(delimiter(&["a:1", "a/2", "b"]), Some(b':'));
    assert_eq!(delimiter(&["a/1", "a/2", "b"]), Some(b'/'));
    assert_eq!(delimiter(&["http://a", "http://b", "c/d"]), Some(b':'));
    assert_eq!(delimiter(&[]), Some(b':'));
}

fn many(keys: u32) -> Store {
    let store = store();
    for n in 0..keys {
        store.put(format!("{:07}:{n}", n.wrapping_mul(7919) % keys).as_bytes(), b"").unwrap();
    }
    store
}

#[test]
fn what_is_made_goes_on_where_it_stopped_and_tells_how_far_it_is() {
    let store = many(100_000);
    let mut lists = KeyLists::default();
    let by_size = view("", Sort::Size);
    let mut told = Vec::new();
    while let Some(work) = lists.work(&store, &by_size, (0, 0)) {
        told.push((work.making, work.done * 100 / work.total));
    }
    assert!(told.iter().any(|(making, _)| *making == Making::Reading));
    let sorting: Vec<usize> =
        told.iter().filter(|(making, _)| *making == Making::Sorting).map(|(_, percent)| *percent).collect();
    assert_eq!((sorting.first(), sorting.last()), (Some(&0), Some(&100)));
    assert!(sorting.is_sorted() && sorting.len() > 1, "{sorting:?}");

    // Another view gives it up; the same one, asked for again, does not begin again.
    let filtered = view("~77", Sort::Name);
    assert!(lists.work(&store, &filtered, (0, 0)).is_some());
    let first = lists.work(&store, &filtered, (0, 0)).unwrap();
    let wanted = KeysWanted { view: filtered.clone(), at: KeyPlace::Row(0), rows: 9 };
    let partial = lists.partial(&store, &wanted, first).unwrap();
    assert!(partial.work.is_some() && partial.rows == model(&store, &filtered)[..9]);
    assert!(lists.work(&store, &filtered, (0, 0)).unwrap().done > first.done);
    assert!(
        lists.partial(&store, &KeysWanted { view: by_size, ..wanted }, first).is_none(),
        "nothing is known of it yet"
    );
}

/// Sorting a million keys showed the rows of the order before until it was done.
#[test]
fn while_keys_are_sorted_the_first_of_those_that_were_seen_are_shown() {
    let store = many(100_000);
    for n in 0..2_000 {
        store.put(format!("{:07}:{n}", n * 50).as_bytes(), &vec![0; (n % 700 + 1) as usize]).unwrap();
    }
    let mut lists = KeyLists::default();
    let wanted = KeysWanted { view: view("", Sort::Size), at: KeyPlace::Row(0), rows: 50 };
    let mut seen = 0;
    while let Some(work) = lists.work(&store, &wanted.view, (0, 0)) {
        let Some(partial) = lists.partial(&store, &wanted, work) else { continue };
        let sizes: Vec<u64> = partial.rows.iter().map(|row| row.entry.map_or(0, |entry| entry.stored_len)).collect();
        assert!(sizes.is_sorted_by(|a, b| a >= b) && sizes[0] >= 300, "{sizes:?}");
        assert_eq!(partial.wanted.view.sort, Sort::Size);
        seen += 1;
    }
    assert!(seen > 1);
    assert_eq!(lists.window(&store, wanted.clone()).rows, model(&store, &wanted.view)[..50]);
}

#[test]
fn beside_a_writer_that_never_rests_a_list_is_shown_as_of_when_it_was_begun() {
    let store = many(100);
    let mut lists = KeyLists::default();
    let all = view("", Sort::Name);
    let wanted = KeysWanted { view: all.clone(), at: KeyPlace::Row(0), rows: 9 };
    let mut generation = 5;
    while lists.work(&store, &all, (5, generation)).is_some() {
        generation += 1;
        lists.take(vec![KeyChange::Anything], generation);
    }
    let seen = lists.window(&store, wanted.clone());
    assert_eq!((seen.generation, seen.total), (5, 100));
    assert!(lists.work(&store, &all, (generation, generation)).is_some(), "the next look has it made anew");

    // The same with an order, and keys that are told of.
    let by_size = view("", Sort::Size);
    let mut generation = 100;
    while lists.work(&store, &by_size, (5, generation)).is_some() {
        generation += 1;
        let key = format!("new {generation}").into_bytes();
        store.put(&key, b"").unwrap();
        let change = KeyChange::One { after: store.entry(&key), key: key.into(), before: None };
        lists.take(vec![change], generation);
    }
    let wanted = KeysWanted { view: by_size.clone(), ..wanted };
    let begun = lists.window(&store, wanted.clone());
    assert!(begun.generation < generation && begun.total >= 100);
    while lists.work(&store, &by_size, (generation, generation)).is_some() {}
    let seen = lists.window(&store, wanted);
    assert_eq!((seen.generation, seen.total as u64), (generation, store.stats().keys));
}

#[test]
fn what_was_missed_while_an_order_was_made_is_applied_before_what_came_later() {
    let store = many(20_000);
    let mut lists = KeyLists::default();
    let by_size = view("", Sort::Size);
    while lists.order.is_none() {
        lists.work(&store, &by_size, (0, 0));
    }
    write(&store, &mut lists, "new", Some(1), false);
    while lists.work(&store, &by_size, (0, 0)).is_some() {}
    write(&store, &mut lists, "new", None, false);
    let seen = seen(&mut lists, &store, &by_size, KeyPlace::Row(0), 9);
    assert_eq!(seen.total as u64, store.stats().keys);
}

#[test]
fn many_changes_at_once_are_taken_in_like_one_by_one() {
    let store = many(3000);
    for count in [70, 2000] {
        let mut lists = KeyLists::default();
        let by_age = view("", Sort::Age);
        shown(&mut lists, &store, &by_age);
        let mut changes = Vec::new();
        for n in 0..count {
            let key: Arc<[u8]> = format!("{n:07}").into_bytes().into();
            let before = store.entry(&key);
            store.put(&key, b"again").unwrap();
            changes.push(KeyChange::One { after: store.entry(&key), key, before });
        }
        lists.take(changes, later());
        assert_eq!(shown(&mut lists, &store, &by_age), model(&store, &by_age));
    }
}
