//! An import that stops anywhere, and is started again.

use logkv::disk::sim::{CrashPolicy, Fault, Geometry, SimDisk};
use logkv::transfer::{self, ImportOptions, Imported, Place, Stopped, Why};
use logkv::{Error, Options, Store};

use crate::{Contents, contents, import, options, reader, store};

/// Few rows a group and a small segment, so that there are many operations to stop at.
const GROUPED: ImportOptions = ImportOptions { keep_going: false, group_bytes: 200, group_rows: 5 };

const ROWS: usize = 40;

/// Rows of which some keys come again, with another value or with the same.
fn row(n: usize) -> (String, String) {
    (format!("key-{}", n * 7 % 17), format!("value {}", if n.is_multiple_of(3) { 0 } else { n }))
}

fn text() -> String {
    (0..ROWS).map(row).map(|(key, value)| format!("{{\"key\":\"{key}\",\"value\":\"{value}\"}}\n")).collect()
}

fn held(rows: usize) -> Contents {
    (0..rows).map(row).map(|(key, value)| (key.into_bytes(), (value.into_bytes(), None))).collect()
}

fn small(disk: &SimDisk) -> logkv::Result<Store> {
    let options = Options { max_segment_bytes: 400, ..options() };
    Store::open_on(std::sync::Arc::new(disk.clone()), std::path::Path::new("data"), options)
}

fn grouped(store: &Store, text: &str) -> Result<Imported, Box<Stopped>> {
    transfer::import(store, &mut *reader(text.as_bytes()), GROUPED, &mut |_| {})
}

/// Rows that are durable, as the import said; lines are numbered from 1.
fn vouched(imported: &Imported) -> usize {
    match imported.durable {
        Some(Place::Line(line)) => usize::try_from(line).unwrap(),
        _ => 0,
    }
}

/// What a store holds is what the first so many rows make of it, and no fewer than were vouched for.
fn is_a_beginning(store: &Store, vouched: usize, what: &str) {
    let held_now = contents(store);
    assert!((vouched..=ROWS).any(|rows| held(rows) == held_now), "{what}: not the first {vouched} rows or more");
}

#[test]
fn stopped_at_any_disk_operation_it_is_a_beginning_and_ends_equal_when_it_is_started_again() {
    let text = text();
    let mut stops = 0;
    for stop in 1.. {
        let disk = SimDisk::with_geometry(Geometry { page: 64, sector: 16 });
        disk.crash_at(stop);
        let Ok(store) = small(&disk) else { continue };
        let result = grouped(&store, &text);
        let vouched = vouched(result.as_ref().unwrap_or_else(|stopped| &stopped.imported));
        drop(store);
        if !disk.is_crashed() {
            break;
        }
        stops += 1;
        for policy in [CrashPolicy::Drop, CrashPolicy::Keep, CrashPolicy::Torn] {
            let after = disk.crash(policy, stop);
            let store = small(&after).unwrap();
            is_a_beginning(&store, vouched, &format!("stop {stop} {policy:?}"));
            grouped(&store, &text).unwrap();
            assert_eq!(contents(&store), held(ROWS), "stop {stop} {policy:?}");
            let again = grouped(&store, &text).unwrap();
            assert!(again.imported + again.unchanged == ROWS as u64, "{again:?}");
        }
    }
    assert!(stops > 50, "{stops}");
}

#[test]
fn at_any_failing_disk_operation_what_was_vouched_for_is_there() {
    let text = text();
    let mut failures = 0;
    for step in 1.. {
        let disk = SimDisk::new();
        let store = small(&disk).unwrap();
        disk.fail_at(disk.ops() + step, Fault::Io);
        let result = grouped(&store, &text);
        let failed = match &result {
            Ok(_) => false,
            Err(stopped) => {
                assert!(matches!(stopped.why, Why::Store(_)), "{:?}", stopped.why);
                true
            }
        };
        let vouched = vouched(result.as_ref().unwrap_or_else(|stopped| &stopped.imported));
        drop(store);
        let store = small(&disk.crash(CrashPolicy::Drop, step)).unwrap();
        is_a_beginning(&store, vouched, &format!("operation {step}"));
        grouped(&store, &text).unwrap();
        assert_eq!(contents(&store), held(ROWS));
        failures += u64::from(failed);
        if step > 150 {
            break;
        }
    }
    assert!(failures > 20, "{failures}");
}

#[test]
fn a_full_disk_stops_it_and_with_room_again_it_goes_on() {
    let disk = SimDisk::new();
    let to = store(&disk);
    to.put(b"first", b"").unwrap();
    to.sync().unwrap();
    let used: usize = disk.image().values().map(Vec::len).sum();
    disk.set_capacity(Some(used as u64 + 700));
    let stopped = grouped(&to, &text()).unwrap_err();
    assert!(matches!(stopped.why, Why::Store(Error::NoSpace { .. })), "{:?}", stopped.why);
    let vouched = vouched(&stopped.imported);
    assert!((1..ROWS).contains(&vouched), "{vouched}");
    disk.set_capacity(None);
    let again = import(&to, &mut *reader(text().as_bytes())).unwrap();
    assert!(again.unchanged > 0, "{again:?}");
    to.delete(b"first").unwrap();
    assert_eq!(contents(&to), held(ROWS));
}

#[test]
fn a_source_that_fails_stops_it_with_all_that_was_read_in() {
    struct Failing<'a>(&'a [u8]);
    impl std::io::Read for Failing<'_> {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() {
                return Err(std::io::Error::other("the cable is out"));
            }
            std::io::Read::read(&mut self.0, to)
        }
    }
    let text = text();
    let half = &text.as_bytes()[..text.len() / 2];
    let name = std::path::Path::new("tape");
    let mut source = transfer::JsonlReader::new(std::io::BufReader::new(Failing(half)), name, 1).unwrap();
    let to = store(&SimDisk::new());
    let stopped = import(&to, &mut source).unwrap_err();
    let Why::Source(error) = &stopped.why else { panic!("{:?}", stopped.why) };
    assert_eq!(error.to_string(), "cannot read tape: the cable is out");
    let rows = half.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!((vouched(&stopped.imported), contents(&to)), (rows, held(rows)));
}
