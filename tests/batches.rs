//! Batches are one step: to readers of this process and of others, after a crash at any disk operation, and when the disk
//! fails or is full. And what conditions promise: nobody comes in between.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use logkv::disk::Disk;
use logkv::disk::sim::{CrashPolicy, Fault, Geometry, SimDisk};
use logkv::format::Kind;
use logkv::store::scan::What;
use logkv::store::{Batch, BatchWritten, Condition, Expiry, PutOptions, Severity, SyncPolicy};
use logkv::{Error, Options, Store};
use support::{ManualClock, TickingClock};

const DIR: &str = "/data";
const POLICIES: [SyncPolicy; 3] =
    [SyncPolicy::Always, SyncPolicy::Interval(Duration::from_secs(3600)), SyncPolicy::Buffered];

fn options(sync: SyncPolicy) -> Options {
    Options {
        sync,
        create: true,
        max_segment_bytes: 400,
        buffer_bytes: 150,
        threads: 1,
        seed: 7,
        clock: Arc::new(TickingClock::default()),
        ..Options::default()
    }
}

fn new_disk() -> SimDisk {
    let disk = SimDisk::with_geometry(Geometry { page: 64, sector: 16 });
    disk.insert_dir(DIR).unwrap();
    disk
}

fn open(disk: &SimDisk, sync: SyncPolicy) -> logkv::Result<Store> {
    Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(sync))
}

/// `put KEY VALUE` or `delete KEY`, a line each.
fn batch(lines: &[&str]) -> Batch {
    let mut batch = Batch::new();
    for line in lines {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["put", key, value] => batch.put(key.as_bytes(), value.as_bytes()).unwrap(),
            ["delete", key] => batch.delete(key.as_bytes()).unwrap(),
            _ => panic!("{line}"),
        }
    }
    batch
}

type State = BTreeMap<Vec<u8>, Vec<u8>>;

fn apply(state: &mut State, lines: &[&str]) {
    for line in lines {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["put", key, value] => drop(state.insert(key.into(), value.into())),
            ["delete", key] => drop(state.remove(key.as_bytes())),
            _ => panic!("{line}"),
        }
    }
}

fn contents(store: &Store) -> State {
    let value = |key: &[u8]| {
        let answer = store.get(key).unwrap();
        assert!(!answer.suspect, "{key:?}");
        answer.into_value().expect("what is listed is there")
    };
    store.scan(b"").map(|(key, _)| (key.to_vec(), value(&key))).collect()
}

fn written(batch: BatchWritten) -> (u64, u64) {
    (batch.puts, batch.deletes)
}

/// Steps of which a batch is one; `sync` and `reopen` are what they say.
const STEPS: [&[&str]; 14] = [
    &["put a 1"],
    &["put b 2222222222222222222222", "put c 3", "delete a", "put d 44444444"],
    &["put a 5", "put a 6", "put a 7777777777"],
    &["sync"],
    &["delete b", "delete nothing", "put e 8888888888888888888888888888888888888888"],
    &["put f 9", "delete f", "put c 10"],
    &["put a a-long-value-for-a-mark-to-be-due"],
    &["reopen"],
    &["put a 11", "put b 12", "put c 13", "put d 14", "put e 15", "put f 16", "put g 17", "put h 18"],
    &["put i 19", "put j 20"],
    &["sync"],
    &["delete a", "delete b", "delete c"],
    &[
        "put k longer-than-a-segment-may-be",
        "put l 21",
        "put m 22",
        "put n 23",
        "put o 24",
        "put p 25",
        "put q 26",
        "put r 27",
        "put s 28",
        "put t 29",
        "put u 30",
        "put v 31",
        "put w 32",
        "put x 33",
        "put y 34",
    ],
    &["put z 35"],
];

struct Progress {
    states: Vec<State>,
    durable: usize,
    error: Option<Error>,
}

fn run(disk: &SimDisk, sync: SyncPolicy) -> (Progress, Option<Store>) {
    let mut progress = Progress { states: vec![State::new()], durable: 0, error: None };
    let mut store = match open(disk, sync) {
        Ok(store) => store,
        Err(e) => return (Progress { error: Some(e), ..progress }, None),
    };
    for step in STEPS {
        let result = match step {
            ["sync"] => store.sync(),
            ["reopen"] => {
                let closed = store.close();
                store = match closed.and_then(|()| open(disk, sync)) {
                    Ok(store) => store,
                    Err(e) => return (Progress { error: Some(e), ..progress }, None),
                };
                Ok(())
            }
            lines => {
                let mut state = progress.states.last().unwrap().clone();
                apply(&mut state, lines);
                progress.states.push(state);
                store.write(&batch(lines)).map(drop)
            }
        };
        if let Err(e) = result {
            return (Progress { error: Some(e), ..progress }, Some(store));
        }
        if sync == SyncPolicy::Always || matches!(step, ["sync"] | ["reopen"]) {
            progress.durable = progress.states.len() - 1;
        }
    }
    (progress, Some(store))
}

#[test]
fn a_crash_at_any_disk_operation_leaves_each_batch_whole_or_absent() {
    let mut ways = vec![(CrashPolicy::Drop, 0), (CrashPolicy::Keep, 0)];
    ways.extend((1..=8).map(|seed| (CrashPolicy::Torn, seed)));
    let mut points = 0;
    for sync in POLICIES {
        let dry = new_disk();
        let (whole, store) = run(&dry, sync);
        assert!(whole.error.is_none(), "the workload itself goes through");
        drop(store);
        for op in 1..=dry.ops() {
            let disk = new_disk();
            disk.crash_at(op);
            let (progress, store) = run(&disk, sync);
            drop(store);
            for (policy, seed) in &ways {
                let what = format!("{sync}, stopped at {}, {policy:?} {seed}", dry.trace()[op as usize - 1]);
                let after = disk.crash(*policy, *seed);
                // A reader that touches nothing comes to the same judgement.
                let reader = Store::open_read_only_on(after.reader(), Path::new(DIR), options(sync)).unwrap();
                let store = open(&after, sync).unwrap();
                let found = contents(&store);
                assert_eq!(contents(&reader), found, "{what}: a reader");
                assert!(progress.states[progress.durable..].contains(&found), "{what}: {found:?}");
                assert!(store.findings().iter().all(|f| f.severity != Severity::Damage), "{what}");
                points += 1;
            }
        }
    }
    println!("{points} crashes");
}

#[test]
fn a_batch_that_the_disk_refuses_is_absent_and_one_in_flight_is_whole_or_absent() {
    let mut faults = 0;
    for sync in POLICIES {
        let dry = new_disk();
        drop(run(&dry, sync));
        for fault in [Fault::Io, Fault::NoSpace, Fault::ShortWrite(1), Fault::ShortWrite(30), Fault::Interrupted] {
            for op in 1..=dry.ops() {
                let what = format!("{sync}, {fault:?} at {}", dry.trace()[op as usize - 1]);
                let disk = new_disk();
                disk.fail_at(op, fault);
                let (progress, store) = run(&disk, sync);
                let states = &progress.states;
                let before = if progress.error.is_some() { states.len().saturating_sub(2) } else { states.len() - 1 };
                if let (Some(store), Some(_)) = (&store, &progress.error) {
                    let now = contents(store);
                    assert!(states[before..].contains(&now), "{what}: {now:?}");
                    if let Some(Error::NoSpace { .. }) = progress.error {
                        // The fault is over: what did not fit fits now.
                        assert!(store.write(&batch(&["put a after", "put b after"])).is_ok(), "{what}");
                        continue;
                    }
                }
                drop(store);
                let Ok(store) = open(&disk, sync) else { panic!("{what}: it does not open again") };
                let found = contents(&store);
                let first = if sync == SyncPolicy::Buffered { progress.durable } else { before.min(progress.durable) };
                assert!(states[first..].contains(&found), "{what}: {found:?}, {:?}", progress.error);
                faults += 1;
            }
        }
    }
    println!("{faults} faults");
}

/// The operations of a batch; how many put and deleted something; what is there then.
type Case<'a> = (&'a [&'a str], (u64, u64), &'a [(&'a str, &'a str)]);

#[test]
fn what_is_said_of_one_key_twice_in_a_batch_ends_as_said_last() {
    let disk = new_disk();
    let store = open(&disk, SyncPolicy::Always).unwrap();
    let cases: [Case<'_>; 6] = [
        (&["put a 1", "put a 2"], (2, 0), &[("a", "2")]),
        (&["put b 1", "delete b"], (1, 1), &[("a", "2")]),
        (&["delete a", "put a 3", "delete a", "delete a"], (1, 2), &[]),
        (&["delete a"], (0, 0), &[]),
        (&[], (0, 0), &[]),
        (&["delete a", "put a 4"], (1, 0), &[("a", "4")]),
    ];
    for (lines, done, left) in cases {
        let answer = store.write(&batch(lines)).unwrap();
        assert_eq!(written(answer), done, "{lines:?}");
        assert_eq!(answer.location.is_some(), done != (0, 0), "{lines:?}");
        let left: State = left.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        assert_eq!(contents(&store), left, "{lines:?}");
    }
    assert_eq!(store.stats().keys, 1);
    drop(store);
    let store = open(&disk, SyncPolicy::Always).unwrap();
    assert_eq!(contents(&store), State::from([(b"a".to_vec(), b"4".to_vec())]));
}

/// Every batch in a segment, as the lengths of its runs of records.
fn runs(store: &Store) -> Vec<(u64, Vec<Kind>)> {
    let mut runs = Vec::new();
    for segment in store.segments() {
        let mut walk = store.walk(segment.id, 0).unwrap();
        let mut run = Vec::new();
        while let Some(item) = walk.scanner.next_item().unwrap() {
            let What::Record(record, Ok(())) = &item.what else { panic!("{item:?}") };
            run.push(record.kind);
            if !record.batch_continues {
                runs.push((segment.id, std::mem::take(&mut run)));
            }
        }
        assert!(run.is_empty(), "the batch at the end of segment {} goes on nowhere", segment.id);
    }
    runs
}

#[test]
fn a_batch_lies_in_one_segment_without_a_mark_among_its_records() {
    let store = open(&new_disk(), SyncPolicy::Interval(Duration::from_secs(3600))).unwrap();
    store.put(b"a", b"1").unwrap();
    store.sync().unwrap();
    // A barrier says what is stable; what follows is not, until the next sync.
    store.put(b"b", b"2").unwrap();
    let place = store.write(&batch(&["put c 3", "delete a", "put d 4"])).unwrap().location.unwrap();
    assert_eq!((place.offset, place.len), (40 + 26 + 26, 26 + 25 + 26), "all its records, back to back");
    let long = "x".repeat(80);
    let lines = [format!("put e {long}"), format!("put f {long}"), format!("put g {long}")];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(store.write(&batch(&lines)).unwrap().location.unwrap().segment, 2, "it does not fit into the first");
    let lines = [lines.clone(), lines.clone(), lines].concat();
    assert_eq!(store.write(&batch(&lines)).unwrap().location.unwrap().segment, 3, "longer than a segment may be");
    store.put(b"h", b"6").unwrap();
    let runs: Vec<_> = runs(&store).into_iter().map(|(id, run)| (id, run.len(), run.contains(&Kind::Mark))).collect();
    assert_eq!(
        runs,
        [(1, 1, false), (1, 1, false), (1, 3, false), (2, 3, false), (3, 9, false), (4, 1, false)],
        "segment, records, marks"
    );
}

#[test]
fn a_batch_under_always_is_one_write_and_one_sync() {
    let disk = new_disk();
    let store = open(&disk, SyncPolicy::Always).unwrap();
    store.put(b"first", b"").unwrap();
    let before = disk.ops();
    store.write(&batch(&["put a 1", "put b 2", "put c 3"])).unwrap();
    assert_eq!(disk.ops() - before, 2, "{:?}", disk.trace());
    let before = disk.ops();
    let answers = store.put_many(&batch(&["put a 4", "delete b", "delete nothing"])).unwrap();
    assert_eq!(disk.ops() - before, 2, "operations that are independent share them too: {:?}", disk.trace());
    let done: Vec<bool> = answers.into_iter().map(|answer| answer.unwrap().is_some()).collect();
    assert_eq!(done, [true, true, false]);
}

#[test]
fn independent_operations_do_not_fail_with_each_other() {
    let disk = new_disk();
    let store = open(&disk, SyncPolicy::Always).unwrap();
    store.put(b"a", b"1").unwrap();
    let used: usize = disk.image().values().map(Vec::len).sum();
    disk.set_capacity(Some(used as u64 + 60));
    let long = format!("put b {}", "x".repeat(100));
    let answers = store.put_many(&batch(&["put a 2", &long, "put c 3"])).unwrap();
    assert!(matches!(answers[1], Err(Error::NoSpace { .. })), "{answers:?}");
    assert!(matches!((&answers[0], &answers[2]), (Ok(Some(_)), Ok(Some(_)))), "{answers:?}");
    assert!(matches!(store.write(&batch(&["put d 4", &long])), Err(Error::NoSpace { .. })));
    let names: Vec<_> = contents(&store).into_keys().collect();
    assert_eq!(names, [b"a", b"c"], "nothing of the batch");
}

#[test]
fn a_batch_is_refused_whole_if_one_condition_fails() {
    let disk = new_disk();
    let store = open(&disk, SyncPolicy::Always).unwrap();
    let tstamp = store.put(b"a", b"1").unwrap().tstamp;
    let only = |condition| PutOptions::only(condition);
    let refused = |batch: &Batch| match store.write(batch) {
        Err(Error::Refused { operation, key, .. }) => Some((operation, key)),
        other => panic!("{other:?}"),
    };
    let before = disk.ops();
    let mut absent = batch(&["put b 2"]);
    absent.put_with(b"a", b"3", &only(Condition::Absent)).unwrap();
    assert_eq!(refused(&absent), Some((1, b"a".to_vec())));
    let mut other = batch(&["put b 2", "put c 3"]);
    other.delete_if(b"a", tstamp + 1).unwrap();
    assert_eq!(refused(&other), Some((2, b"a".to_vec())));
    let mut none = Batch::new();
    none.put_with(b"b", b"2", &only(Condition::Tstamp(tstamp))).unwrap();
    assert_eq!(refused(&none), Some((0, b"b".to_vec())));
    assert_eq!((disk.ops(), store.stats().keys), (before, 1), "nothing was written");

    // What the batch itself does before is not what its conditions ask about.
    let mut swap = batch(&["put b 2"]);
    swap.put_with(b"b", b"3", &only(Condition::Absent)).unwrap();
    swap.put_with(b"a", b"4", &only(Condition::Tstamp(tstamp))).unwrap();
    swap.delete_if(b"a", tstamp).unwrap();
    assert_eq!(written(store.write(&swap).unwrap()), (3, 1));
    assert_eq!(contents(&store), State::from([(b"b".to_vec(), b"3".to_vec())]));
}

#[test]
fn a_value_is_swapped_only_if_it_is_still_the_one_that_was_seen() {
    let clock = Arc::new(ManualClock::default());
    for sync in POLICIES {
        let options = Options { clock: clock.clone(), ..options(sync) };
        let store = Store::open_on(Arc::new(new_disk()), Path::new(DIR), options).unwrap();
        let when = |tstamp| PutOptions::only(Condition::Tstamp(tstamp));
        assert_eq!(store.put_with(b"k", b"no", &when(7)).unwrap(), None, "there is nothing to swap");
        let first = store.put(b"k", b"1").unwrap().tstamp;
        let second = store.put_with(b"k", b"2", &when(first)).unwrap().unwrap().tstamp;
        assert_eq!(store.put_with(b"k", b"no", &when(first)).unwrap(), None);
        assert_eq!(store.delete_if(b"k", first).unwrap(), None);
        assert_eq!(store.get(b"k").unwrap().value(), Some(&b"2"[..]));
        assert!(store.delete_if(b"k", second).unwrap().is_some());
        assert_eq!(store.delete_if(b"k", second).unwrap(), None);
        let expiry = Expiry::After(Duration::from_secs(5));
        let lease = PutOptions { expiry, condition: Condition::Absent };
        let third = store.put_with(b"k", b"3", &lease).unwrap().unwrap().tstamp;
        assert_eq!(store.put_with(b"k", b"no", &lease).unwrap(), None);
        clock.advance(Duration::from_secs(5));
        assert_eq!(store.put_with(b"k", b"no", &when(third)).unwrap(), None, "what has expired is not there");
        assert!(store.put_with(b"k", b"4", &lease).unwrap().is_some());
    }
}

#[test]
fn of_many_who_count_up_by_swapping_nobody_is_lost() {
    for sync in POLICIES {
        let options = Options { max_segment_bytes: 1 << 16, ..options(sync) };
        let store = Store::open_on(Arc::new(SimDisk::new()), Path::new(DIR), options).unwrap();
        store.put(b"count", b"0").unwrap();
        let count_up = || {
            let found = store.get(b"count").unwrap().found.unwrap();
            let count: u32 = std::str::from_utf8(&found.value).unwrap().parse().unwrap();
            let when = PutOptions::only(Condition::Tstamp(found.entry.tstamp));
            store.put_with(b"count", (count + 1).to_string().as_bytes(), &when).unwrap().is_some()
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..50).for_each(|_| while !count_up() {}));
            }
        });
        assert_eq!(store.get(b"count").unwrap().value(), Some(&b"200"[..]));
    }
}

const KEYS: u8 = 40;

/// One round of a writer that gives all keys the same value at once, and now and then takes all away.
fn round(n: u32) -> Batch {
    let mut batch = Batch::new();
    for key in 0..KEYS {
        match n % 5 {
            4 => batch.delete(&[key]).unwrap(),
            _ => batch.put(&[key], &n.to_le_bytes()).unwrap(),
        }
    }
    batch
}

fn same<T: Ord + std::fmt::Debug>(what: &str, found: impl Iterator<Item = T>) {
    let found: BTreeSet<T> = found.collect();
    assert!(found.len() <= 1, "{what} saw a batch in part: {found:?}");
}

/// Looks at a store in every way that there is, over and over, while batches are written.
fn look(store: &Store, over: &AtomicBool) {
    let keys: Vec<[u8; 1]> = (0..KEYS).map(|key| [key]).collect();
    let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
    let number = |value: Option<Vec<u8>>| value.map(|value| u32::from_le_bytes(value.try_into().unwrap()));
    let mut last = None;
    while !over.load(Ordering::SeqCst) {
        let answers = store.get_many(&keys);
        same("get_many", answers.into_iter().map(|answer| number(answer.unwrap().into_value())));
        let scanned: Vec<_> = store.scan(b"").map(|(_, entry)| entry.location.segment).collect();
        assert!(scanned.is_empty() || scanned.len() == usize::from(KEYS), "a scan saw {} keys", scanned.len());
        let mut visited = 0;
        store.key_parts().visit_all(|_, _| visited += 1);
        assert!(visited == 0 || visited == KEYS, "the parts have {visited} keys");
        let stats = store.stats();
        assert!(stats.keys == 0 || stats.keys == u64::from(KEYS), "{stats:?}");
        // One get after the other: what was seen of a batch is seen of it from then on.
        for key in &keys {
            let seen = store.get(key).unwrap().found.map(|found| (found.entry.tstamp, found.value));
            if let Some((tstamp, value)) = seen {
                let round = number(Some(value));
                assert!(last.is_none_or(|(_, of)| round >= of), "{round:?} after {last:?}");
                last = last.max(Some((tstamp, round)));
            }
        }
    }
}

#[test]
fn readers_see_all_of_a_batch_or_nothing() {
    let options = Options { max_segment_bytes: 1 << 20, ..options(SyncPolicy::Buffered) };
    let store = Store::open_on(Arc::new(SimDisk::new()), Path::new(DIR), options).unwrap();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let lookers = [(); 2].map(|()| scope.spawn(|| look(&store, &over)));
        for n in 1..4000 {
            store.write(&round(n)).unwrap();
        }
        over.store(true, Ordering::SeqCst);
        lookers.into_iter().for_each(|looker| looker.join().unwrap());
    });
}

#[test]
fn a_reader_in_another_process_sees_all_of_a_batch_or_nothing() {
    let disk = SimDisk::new();
    let options = Options { max_segment_bytes: 1 << 14, ..options(SyncPolicy::Buffered) };
    let writer = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options.clone()).unwrap();
    writer.write(&round(0)).unwrap();
    writer.sync().unwrap();
    let reader = Store::open_read_only_on(disk.reader(), Path::new(DIR), options).unwrap();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let lookers = [(); 2].map(|()| scope.spawn(|| look(&reader, &over)));
        let refreshing = scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                // Whoever is told of a key may look at once, and then sees all that came with it.
                let told = |_: logkv::store::Moved<'_>| drop(reader.get(&[0]).unwrap());
                reader.refresh_telling(&mut { told }).unwrap();
            }
        });
        for n in 1..1000 {
            writer.write(&round(n)).unwrap();
        }
        over.store(true, Ordering::SeqCst);
        lookers.into_iter().for_each(|looker| looker.join().unwrap());
        refreshing.join().unwrap();
    });
}

#[test]
fn a_reader_does_not_see_a_batch_of_which_the_end_is_not_written_yet() {
    let disk = new_disk();
    let store = open(&disk, SyncPolicy::Interval(Duration::from_secs(3600))).unwrap();
    store.put(b"a", b"1").unwrap();
    let place = store.write(&batch(&["put a 2", "delete nothing", "put b 3", "put c 4"])).unwrap().location.unwrap();
    let file = "/data/0000000001.data";
    let whole = disk.image()[Path::new("data/0000000001.data")].clone();
    // No close, and so no hint that vouches for the batch.
    let disk = disk.kill();
    drop(store);
    for len in place.offset..=place.offset + place.len {
        disk.truncate(file, len).unwrap();
        let reader = Store::open_read_only_on(disk.reader(), Path::new(DIR), options(SyncPolicy::Always)).unwrap();
        let is_whole = len == place.offset + place.len;
        assert_eq!(reader.stats().keys, if is_whole { 3 } else { 1 }, "{len} bytes");
        disk.truncate(file, whole.len() as u64).unwrap();
        disk.poke(file, place.offset, &whole[place.offset as usize..]).unwrap();
        reader.refresh().unwrap();
        assert_eq!(reader.stats().keys, 3, "the rest has come after {len} bytes");
    }
}
