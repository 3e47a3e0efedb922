#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::cell::{Cell, RefCell};
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::disk::sim::SimDisk;
use crate::store::Options;

/// More than a MiB, so that a walk can be given up in it.
const VALUE: usize = 700;
const WINDOW: usize = 40;

fn store() -> Store {
    let options = Options { create: true, max_segment_bytes: 64 << 20, ..Options::default() };
    Store::open_on(Arc::new(SimDisk::new()), Path::new("data"), options).unwrap()
}

fn grow(store: &Store, records: usize) {
    for n in 0..records {
        store.put(&(n % 500).to_be_bytes(), &[7; VALUE]).unwrap();
    }
}

/// The list as one walk gives it.
fn naive(store: &Store) -> Vec<RecordRow> {
    let header = header_row(store, 1).unwrap().into_iter().map(Ok);
    header.chain(crate::inspect::records(store, 1, 0).unwrap()).map(|row| row.unwrap()).collect()
}

/// Everything that a look answers which is overtaken when it asks for the `patience`-th time.
fn look(index: &RecordIndex, store: &Store, at: RecordPlace, patience: usize) -> Vec<Arrived> {
    let answers = RefCell::new(Vec::new());
    let asked = Cell::new(0);
    let overtaken = || {
        asked.set(asked.get() + 1);
        asked.get() >= patience
    };
    let wanted = RecordsWanted { segment: 1, at, rows: WINDOW };
    let answer = |arrived| answers.borrow_mut().push(arrived);
    index.look(store, &wanted, &Look { generation: 1, overtaken: &overtaken, answer: &answer }).unwrap();
    answers.into_inner()
}

fn windows(answers: Vec<Arrived>) -> Vec<RecordsSeen> {
    answers
        .into_iter()
        .filter_map(|arrived| if let Arrived::Records(seen) = arrived { Some(seen) } else { None })
        .collect()
}

fn agrees(seen: &RecordsSeen, all: &[RecordRow]) {
    if !seen.is_numbered {
        let RecordPlace::Offset(offset) = seen.wanted.at else { panic!("{:?}", seen.wanted) };
        let from = all.iter().position(|row| row.offset == offset).unwrap();
        assert_eq!(seen.rows, all[from..(from + WINDOW).min(all.len())]);
        return;
    }
    assert_eq!(seen.rows, all[seen.from..seen.from + seen.rows.len()]);
    assert!(seen.total <= all.len() && (!seen.is_counted || seen.total == all.len()));
    assert!((seen.from..seen.from + seen.rows.len()).contains(&seen.place));
    match seen.wanted.at {
        RecordPlace::Row(row) => assert_eq!(seen.place, row.min(all.len() - 1)),
        RecordPlace::Last => assert_eq!(seen.place, all.len() - 1),
        RecordPlace::Offset(offset) => {
            let row = &all[seen.place];
            let is_around = (row.offset..row.offset + row.len).contains(&offset);
            assert!(is_around || seen.place == all.len() - 1, "{offset} is not in {row:?}");
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Row(usize),
    Boundary(usize),
    Within(usize, u64),
    Last,
    Grow(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..5000_usize).prop_map(Step::Row),
        (0..5000_usize).prop_map(Step::Boundary),
        (0..5000_usize, 0..900_u64).prop_map(|(row, within)| Step::Within(row, within)),
        Just(Step::Last),
        (1..1500_usize).prop_map(Step::Grow),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn windows_are_those_of_the_whole_list_in_whatever_order_one_looks(
        steps in proptest::collection::vec((step(), 1..9_usize), 1..12),
    ) {
        let (store, index) = (store(), RecordIndex::default());
        grow(&store, 3500);
        let mut all = naive(&store);
        for (step, patience) in steps {
            let at = match step {
                Step::Grow(records) => {
                    grow(&store, records);
                    all = naive(&store);
                    continue;
                }
                Step::Row(row) => RecordPlace::Row(row),
                Step::Boundary(row) => RecordPlace::Offset(all[row.min(all.len() - 1)].offset),
                Step::Within(row, within) => RecordPlace::Offset(all[row.min(all.len() - 1)].offset + within),
                Step::Last => RecordPlace::Last,
            };
            windows(look(&index, &store, at.clone(), patience)).iter().for_each(|seen| agrees(seen, &all));
            let last = windows(look(&index, &store, at, usize::MAX)).pop().unwrap();
            agrees(&last, &all);
            prop_assert!(last.is_counted && last.is_numbered);
        }
    }
}

#[test]
fn a_record_whose_place_is_known_is_shown_before_anything_is_counted() {
    let (store, index) = (store(), RecordIndex::default());
    grow(&store, 4000);
    let all = naive(&store);
    let place = all[3900].offset;
    let seen = windows(look(&index, &store, RecordPlace::Offset(place), 1));
    assert_eq!((seen.len(), seen[0].is_numbered, seen[0].rows[0].offset), (1, false, place));
    assert!(windows(look(&index, &store, RecordPlace::Offset(place + 1), 1)).is_empty(), "no record begins there");
    let seen = windows(look(&index, &store, RecordPlace::Row(0), 1));
    assert_eq!((seen.len(), seen[0].is_numbered, seen[0].is_counted, seen[0].rows.len()), (1, true, false, WINDOW));
}

#[test]
fn a_walk_that_was_given_up_is_gone_on_with() {
    let (store, index) = (store(), RecordIndex::default());
    grow(&store, 4000);
    let asks = |patience| {
        let asked = Cell::new(0);
        let overtaken = || {
            asked.set(asked.get() + 1);
            asked.get() >= patience
        };
        let wanted = RecordsWanted { segment: 1, at: RecordPlace::Row(0), rows: WINDOW };
        index.look(&store, &wanted, &Look { generation: 1, overtaken: &overtaken, answer: &|_| {} }).unwrap();
        asked.get()
    };
    let (given_up, rest) = (asks(8), asks(usize::MAX));
    let again = RecordIndex::default();
    let wanted = RecordsWanted { segment: 1, at: RecordPlace::Row(0), rows: WINDOW };
    let whole = Cell::new(0);
    let count = || {
        whole.set(whole.get() + 1);
        false
    };
    again.look(&store, &wanted, &Look { generation: 1, overtaken: &count, answer: &|_| {} }).unwrap();
    assert_eq!(given_up + rest, whole.get(), "no mark is walked to twice");
    assert_eq!(asks(usize::MAX), 0, "what is counted stays counted");
}

#[test]
fn rows_are_shown_before_their_long_values_are_checked() {
    let (store, index) = (store(), RecordIndex::default());
    for n in 0..3_u32 {
        store.put(&n.to_be_bytes(), &vec![7; 4 << 20]).unwrap();
    }
    let crcs = |seen: &RecordsSeen| seen.rows.iter().map(|row| row.crc).collect::<Vec<_>>();
    let seen = windows(look(&index, &store, RecordPlace::Row(0), usize::MAX));
    let unread = [CrcState::Ok, CrcState::Unread, CrcState::Unread, CrcState::Unread];
    assert_eq!((crcs(&seen[0]), crcs(seen.last().unwrap())), (unread.to_vec(), vec![CrcState::Ok; 4]));
    assert!(
        seen[0]
            .rows
            .iter()
            .zip(naive(&store))
            .all(|(row, naive)| (row.offset, row.state) == (naive.offset, naive.state))
    );
    let seen = windows(look(&index, &store, RecordPlace::Row(0), 2));
    assert_eq!((seen.len(), crcs(&seen[0])), (1, unread.to_vec()), "whoever looks elsewhere does not wait for them");
    let wanted = RecordsWanted { segment: 1, at: RecordPlace::Row(0), rows: WINDOW };
    assert_eq!(crcs(&index.now(&store, &wanted, 1).unwrap().unwrap()), unread, "nor does who wants them at once");
}

#[test]
fn a_torn_tail_is_the_last_row_and_is_counted() {
    let store = Store::open_read_only(Path::new("tests/fixtures/riak/riak-torn"), Options::default()).unwrap();
    let wanted = RecordsWanted { segment: 13, at: RecordPlace::Last, rows: WINDOW };
    let seen = RecordIndex::default().now(&store, &wanted, 1).unwrap().unwrap();
    let total = crate::inspect::records(&store, 13, 0).unwrap().count();
    assert_eq!((seen.is_counted, seen.total, seen.place), (true, total, total - 1));
    assert_eq!(seen.rows.last().unwrap().state, RowState::Torn);
}
