//! A reader beside a writer: whatever it saw come and go, in the end it shows what a fresh open shows.
//!
//! On a simulated disk byte by byte and with files that vanish, shrink and change; on a real one with the writer in
//! another process, which is killed in the middle.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod support;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use logkv::disk::sim::SimDisk;
use logkv::disk::{DirEntry, Disk, ReadDisk, ReadFile, RealDisk};
use logkv::format::record::{FILE_HEADER_LEN, NewRecord, encode, encode_file_header};
use logkv::format::{Kind, Origin};
use logkv::store::{Entry, Expiry, FindingKind, Mode, Moved, PutOptions, SegmentInfo, Stats, SyncPolicy};
use logkv::{Error, Options, Store};
use support::{ManualClock, Rng};

const DIR: &str = "/data";
const FIRST: &str = "/data/0000000001.data";
const SECOND: &str = "/data/0000000002.data";
const SALT: u32 = 0x5eed_1234;
const START: u64 = 1_735_689_600_000_000;

fn options(clock: &Arc<ManualClock>) -> Options {
    let sync = SyncPolicy::Interval(Duration::from_secs(3600));
    let clock = clock.clone();
    Options { sync, create: true, max_segment_bytes: 400, threads: 1, seed: 7, clock, ..Options::default() }
}

fn attach(disk: &dyn Disk) -> Store {
    Store::open_read_only_on(disk.reader(), Path::new(DIR), options(&Arc::default())).unwrap()
}

/// A value, its absence or an error; and whether it is suspect.
type Given = (Result<Option<Vec<u8>>, String>, bool);

/// All that a store says of its contents.
#[derive(Debug, PartialEq)]
struct Shown {
    answers: BTreeMap<Vec<u8>, Given>,
    segments: Vec<SegmentInfo>,
    stats: Stats,
}

fn shown(store: &Store) -> Shown {
    let mut keys: Vec<Vec<u8>> = store.scan(b"").map(|(key, _)| key.to_vec()).collect();
    keys.push(b"a key that never was".to_vec());
    let answer = |key: &Vec<u8>| match store.get(key) {
        Ok(answer) => (Ok(answer.value().map(<[u8]>::to_vec)), answer.suspect),
        Err(e) => (Err(e.to_string()), false),
    };
    let answers = keys.iter().map(|key| (key.clone(), answer(key))).collect();
    let mut segments = store.segments();
    // A hint that came later is not looked at: the records are known already.
    segments.iter_mut().for_each(|segment| segment.has_hint = false);
    // What was torn when somebody looked is a finding of theirs; how much memory is allocated, and what expired before
    // somebody came, are not the store's contents.
    let stats = Stats { findings: 0, keydir_bytes: 0, expired: 0, ..store.stats() };
    Shown { answers, segments, stats }
}

fn ledger_is_right(store: &Store, what: &str) {
    let live = store.segments().into_iter().filter(|segment| segment.live_records > 0);
    let ledger: Vec<_> = live.map(|segment| (segment.id, segment.live_records, segment.live_bytes)).collect();
    assert_eq!(store.recount(), ledger, "{what}: the ledger");
}

fn same_as_fresh(reader: &Store, fresh: &Store, what: &str) {
    assert_eq!(shown(reader), shown(fresh), "{what}");
    ledger_is_right(reader, what);
}

#[test]
fn a_reader_that_refreshes_shows_what_a_fresh_one_shows() {
    let real = tempfile::tempdir().unwrap();
    let real = real.path().join("data");
    let places: [(Arc<dyn Disk>, PathBuf); 2] =
        [(Arc::new(SimDisk::new()), PathBuf::from(DIR)), (Arc::new(RealDisk), real)];
    for (disk, dir) in places {
        let clock = Arc::new(ManualClock::default());
        let open = || Store::open_on(disk.clone(), &dir, options(&clock)).unwrap();
        let read = || Store::open_read_only_on(disk.reader(), &dir, options(&clock)).unwrap();
        let mut writer = open();
        let readers = [read(), read()];
        let mut random = Rng::new(1);
        for step in 0..600 {
            let key = [b'k', random.below(7) as u8];
            match random.below(20) {
                0..12 => drop(writer.put(&key, &vec![step as u8; random.below(60) as usize]).unwrap()),
                12..15 => drop(writer.delete(&key).unwrap()),
                15..17 => {
                    let expiry = Expiry::After(Duration::from_secs(random.below(20)));
                    writer.put_with(&key, b"for a while", &PutOptions { expiry, ..PutOptions::default() }).unwrap();
                }
                17 => clock.advance(Duration::from_secs(random.below(10))),
                18 => writer.sync().unwrap(),
                _ => {
                    writer.close().unwrap();
                    writer = open();
                }
            }
            for (reader, every) in readers.iter().zip([1, 37]) {
                if step % every == 0 {
                    reader.refresh().unwrap();
                    same_as_fresh(reader, &read(), &format!("step {step}, refreshed every {every}"));
                }
            }
        }
        assert!(writer.segments().len() > 30, "many segments were begun");
        drop(writer);
    }
}

#[test]
fn what_a_refresh_says_it_saw_adds_up() {
    let disk = SimDisk::new();
    let clock = Arc::default();
    let writer = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(&clock)).unwrap();
    let reader = attach(&disk);
    let (mut records, mut segments) = (0, 0);
    for i in 0..60u8 {
        writer.put(&[i % 5], &[i; 40]).unwrap();
        if i % 7 == 0 {
            let seen = reader.refresh().unwrap();
            assert_eq!(seen.vanished_segments, 0);
            (records, segments) = (records + seen.records, segments + seen.new_segments);
            assert_eq!(reader.refresh().unwrap(), Default::default(), "nothing new");
        }
    }
    let total: u64 = reader.segments().iter().map(|segment| segment.records).sum();
    assert_eq!((records, segments), (total, reader.segments().len() as u64));
}

#[test]
fn an_empty_directory_and_then_a_store() {
    let disk = SimDisk::new();
    let missing = Store::open_read_only_on(Disk::reader(&disk), Path::new(DIR), Options::default());
    assert!(matches!(missing, Err(Error::Missing { .. })), "{missing:?}");
    disk.insert_dir(DIR).unwrap();
    let reader = Store::open_read_only_on(Disk::reader(&disk), Path::new(DIR), Options::default()).unwrap();
    assert_eq!(reader.refresh().unwrap(), Default::default());
    assert_eq!(reader.stats().keys, 0);
    assert_eq!(disk.ops(), 0, "a look changes nothing");
    let clock = Arc::default();
    let writer = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(&clock)).unwrap();
    writer.put(b"a", b"1").unwrap();
    assert_eq!(reader.refresh().unwrap().new_segments, 1);
    assert_eq!(reader.get(b"a").unwrap().value(), Some(&b"1"[..]));
}

/// Segment files written by hand.
struct Hand {
    bytes: Vec<u8>,
    tstamp: u64,
}

impl Hand {
    fn begin(id: u32, origin: Origin, tstamp: u64) -> Self {
        let mut bytes = Vec::new();
        encode_file_header(id, SALT, START, origin, &mut bytes);
        Self { bytes, tstamp: START + tstamp }
    }

    fn record(mut self, record: NewRecord<'_>) -> Self {
        self.tstamp += 1;
        let offset = self.bytes.len() as u64;
        encode(&NewRecord { tstamp: self.tstamp, ..record }, SALT, offset, &mut self.bytes);
        self
    }

    fn put(self, key: &str, value: &str) -> Self {
        self.record(NewRecord::put(key.as_bytes(), value.as_bytes(), 0))
    }

    fn delete(self, key: &str) -> Self {
        self.record(NewRecord::tombstone(key.as_bytes(), 0))
    }

    fn batch(self, key: &str, value: &str) -> Self {
        self.record(NewRecord { batch_continues: true, ..NewRecord::put(key.as_bytes(), value.as_bytes(), 0) })
    }
}

/// The same file, with more in it.
fn grow(disk: &SimDisk, path: &str, bytes: &[u8]) {
    disk.truncate(path, bytes.len() as u64).unwrap();
    disk.poke(path, 0, bytes).unwrap();
}

fn value(store: &Store, key: &str) -> Option<String> {
    store.get(key.as_bytes()).unwrap().into_value().map(|value| String::from_utf8(value).unwrap())
}

/// Half a batch was shown; and when the next writer cut it off, the reader was in the middle of nowhere.
#[test]
fn a_record_is_shown_when_it_is_whole_and_a_batch_too() {
    let first = Hand::begin(1, Origin::Puts, 0).put("a", "before").batch("a", "batch 1").batch("b", "batch 2");
    let first = first.put("c", "batch 3").delete("c").put("d", "after");
    let second = Hand::begin(2, Origin::Puts, 100).put("a", "second").batch("e", "unfinished");
    let disk = SimDisk::new();
    disk.insert_dir(DIR).unwrap();
    let reader = attach(&disk);
    for (path, bytes) in [(FIRST, &first.bytes), (SECOND, &second.bytes)] {
        // A segment appears with its header, under its name, in one step.
        for len in FILE_HEADER_LEN..=bytes.len() {
            if len == FILE_HEADER_LEN {
                disk.insert(path, &bytes[..len]).unwrap();
            }
            grow(&disk, path, &bytes[..len]);
            let what = format!("{path} up to {len}");
            reader.refresh().unwrap();
            same_as_fresh(&reader, &attach(&disk), &what);
            let pair = (value(&reader, "a"), value(&reader, "b"));
            assert_eq!(pair.1.is_some(), pair.0.is_some_and(|a| a != "before"), "{what}: a batch is all or nothing");
        }
    }
    assert_eq!(value(&reader, "e"), None);
    let clock = Arc::default();
    let writer = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(&clock)).unwrap();
    writer.put(b"after", b"the unfinished batch was cut, and something longer was written in its place").unwrap();
    reader.refresh().unwrap();
    same_as_fresh(&reader, &attach(&disk), "after the cut");
    assert_eq!(value(&reader, "e"), None);
}

#[test]
fn the_same_bytes_grow_in_place_without_the_file_being_another() {
    let whole = Hand::begin(1, Origin::Puts, 0).put("a", "1").put("b", "a longer value").delete("a").put("c", "3");
    let disk = SimDisk::new();
    disk.insert(FIRST, &whole.bytes[..FILE_HEADER_LEN]).unwrap();
    let reader = attach(&disk);
    for len in FILE_HEADER_LEN..=whole.bytes.len() {
        grow(&disk, FIRST, &whole.bytes[..len]);
        reader.refresh().unwrap();
        same_as_fresh(&reader, &attach(&disk), &format!("up to {len}"));
    }
    assert!(reader.findings().is_empty(), "nothing was torn, it was being written: {:?}", reader.findings());
}

#[test]
fn a_reader_that_came_while_a_record_was_written_forgets_that_it_looked_torn() {
    let whole = Hand::begin(1, Origin::Puts, 0).put("a", "1").put("b", "a longer value");
    let disk = SimDisk::new();
    disk.insert(FIRST, &whole.bytes[..whole.bytes.len() - 5]).unwrap();
    let reader = attach(&disk);
    assert_eq!(reader.findings()[0].kind, FindingKind::TornTail);
    grow(&disk, FIRST, &whole.bytes);
    reader.refresh().unwrap();
    assert_eq!(value(&reader, "b").unwrap(), "a longer value");
    assert!(reader.findings().is_empty(), "{:?}", reader.findings());
    same_as_fresh(&reader, &attach(&disk), "the record is whole");
}

#[test]
fn files_that_vanish_shrink_or_become_another_are_loaded_anew() {
    let first = Hand::begin(1, Origin::Puts, 0).put("a", "1").put("b", "2").put("a", "3");
    let second = Hand::begin(2, Origin::Puts, 100).put("c", "4").delete("b");
    let other = Hand::begin(1, Origin::Puts, 50).put("x", "of another file").put("a", "with the same name, and longer");
    let short = first.bytes.len() as u64 - 1;
    let store = || {
        let disk = SimDisk::new();
        disk.insert(FIRST, first.bytes.clone()).unwrap();
        disk.insert(SECOND, second.bytes.clone()).unwrap();
        disk
    };
    type Change<'a> = (&'a str, &'a dyn Fn(&SimDisk));
    let changes: [Change<'_>; 6] = [
        ("the first vanishes", &|disk| disk.delete(FIRST).unwrap()),
        ("the second vanishes", &|disk| disk.delete(SECOND).unwrap()),
        ("both vanish", &|disk| [FIRST, SECOND].iter().for_each(|path| disk.delete(path).unwrap())),
        ("the first shrinks", &|disk| disk.truncate(FIRST, short).unwrap()),
        ("the second shrinks to nothing", &|disk| disk.truncate(SECOND, 0).unwrap()),
        ("the first is another", &|disk| disk.insert(FIRST, other.bytes.clone()).unwrap()),
    ];
    for (what, change) in changes {
        let disk = store();
        let reader = attach(&disk);
        let before = reader.get(b"a").unwrap();
        change(&disk);
        if !what.contains("shrinks") {
            assert_eq!(reader.get(b"a").unwrap(), before, "{what}: files that are open can still be read");
        }
        reader.refresh().unwrap();
        same_as_fresh(&reader, &attach(&disk), what);
        reader.refresh().unwrap();
        same_as_fresh(&reader, &attach(&disk), &format!("{what}, once more"));
    }
}

/// A renamed segment was not loaded, but served from the first refresh on; a damaged header went unnoticed.
#[test]
fn a_file_that_does_not_load_does_not_sneak_in_either() {
    let first = Hand::begin(1, Origin::Puts, 0).put("a", "1");
    let misnamed = Hand::begin(9, Origin::Puts, 50).put("a", "of segment 9");
    let mut damaged = Hand::begin(2, Origin::Puts, 50).put("a", "behind a damaged header");
    damaged.bytes[30] ^= 1;
    for (what, bytes) in
        [("misnamed", &misnamed.bytes), ("damaged", &damaged.bytes), ("short", &damaged.bytes[..20].to_vec())]
    {
        let disk = SimDisk::new();
        disk.insert(FIRST, first.bytes.clone()).unwrap();
        let early = attach(&disk);
        disk.insert(SECOND, bytes.clone()).unwrap();
        let late = attach(&disk);
        for reader in [&early, &late] {
            reader.refresh().unwrap();
            same_as_fresh(reader, &attach(&disk), what);
            assert!(reader.get(b"a").unwrap().suspect, "{what}");
            assert_eq!(reader.refresh().unwrap(), Default::default(), "{what}: loaded anew at every look");
        }
    }
}

/// A merge's copy was taken for news: it undid a delete that had been seen before.
#[test]
fn a_merged_segment_brings_nothing_back() {
    let first = Hand::begin(1, Origin::Puts, 0).put("a", "1").put("b", "2");
    let second = Hand::begin(2, Origin::Puts, 100).delete("a").put("c", "3");
    let merged = Hand::begin(3, Origin::Merge, 0).put("a", "1").put("b", "2");
    let disk = SimDisk::new();
    disk.insert(FIRST, first.bytes).unwrap();
    disk.insert(SECOND, second.bytes.clone()).unwrap();
    let reader = attach(&disk);
    disk.insert("/data/0000000003.data", merged.bytes).unwrap();
    reader.refresh().unwrap();
    same_as_fresh(&reader, &attach(&disk), "outputs beside inputs");
    assert_eq!(value(&reader, "a"), None, "it was deleted");
    disk.delete(FIRST).unwrap();
    reader.refresh().unwrap();
    same_as_fresh(&reader, &attach(&disk), "inputs removed");
    assert_eq!(value(&reader, "b").unwrap(), "2");
    // The active segment is the newest that puts wrote, whatever the merge's number.
    disk.insert(SECOND, Hand::begin(2, Origin::Puts, 100).delete("a").put("c", "3").put("d", "4").bytes).unwrap();
    reader.refresh().unwrap();
    same_as_fresh(&reader, &attach(&disk), "the active segment goes on");
    assert_eq!(
        reader.segments().iter().filter(|segment| segment.active).map(|segment| segment.id).collect::<Vec<_>>(),
        [2]
    );
}

/// A reader waited for ever at damage in a segment that it was following, and went on serving what was older.
#[test]
fn damage_among_what_is_new_is_judged_as_a_fresh_open_judges_it() {
    let hand = || Hand::begin(1, Origin::Puts, 0).put("a", "old").put("b", "old");
    let (known, whole) = (hand(), hand().put("a", "new").put("c", "new"));
    let second = Hand::begin(2, Origin::Puts, 100).put("d", "in the next segment");
    for at in known.bytes.len()..whole.bytes.len() {
        for sealed in [false, true] {
            let disk = SimDisk::new();
            disk.insert(FIRST, known.bytes.clone()).unwrap();
            let reader = attach(&disk);
            grow(&disk, FIRST, &whole.bytes);
            disk.flip_bit(FIRST, at as u64 * 8).unwrap();
            if sealed {
                disk.insert(SECOND, second.bytes.clone()).unwrap();
            }
            let what = format!("byte {at}, sealed {sealed}");
            reader.refresh().unwrap();
            same_as_fresh(&reader, &attach(&disk), &what);
            assert_eq!(reader.refresh().unwrap(), Default::default(), "{what}: nothing more");
            same_as_fresh(&reader, &attach(&disk), &what);
        }
    }
}

#[test]
fn a_record_of_a_kind_from_the_future_stops_a_reader_unless_it_may_be_skipped() {
    let known = Hand::begin(1, Origin::Puts, 0).put("a", "1");
    for (kind, needs_newer) in [(0x07, true), (0x90, false)] {
        let disk = SimDisk::new();
        disk.insert(FIRST, known.bytes.clone()).unwrap();
        let (reader, inspecting) = (attach(&disk), attach_inspecting(&disk));
        let future = NewRecord { kind: Kind::Unknown(kind), ..NewRecord::put(b"a", b"?", 0) };
        let whole = Hand::begin(1, Origin::Puts, 0).put("a", "1").record(future).put("b", "2");
        grow(&disk, FIRST, &whole.bytes);
        let seen = reader.refresh();
        assert_eq!(matches!(seen, Err(Error::NeedsNewer { .. })), needs_newer, "{kind:#x}: {seen:?}");
        inspecting.refresh().unwrap();
        same_as_fresh(&inspecting, &attach_inspecting(&disk), &format!("{kind:#x}"));
        assert_eq!(inspecting.get(b"a").is_err(), needs_newer, "{kind:#x}");
    }
}

fn attach_inspecting(disk: &SimDisk) -> Store {
    let options = Options { inspect: true, ..options(&Arc::default()) };
    Store::open_read_only_on(Disk::reader(disk), Path::new(DIR), options).unwrap()
}

/// A disk whose listings are not taken in one moment, as no directory's are: the lengths of some files are older than
/// the appearance of others.
#[derive(Debug)]
struct Lagging {
    disk: SimDisk,
    lengths: Mutex<BTreeMap<std::ffi::OsString, u64>>,
}

impl ReadDisk for Lagging {
    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        let lengths = self.lengths.lock().unwrap();
        let mut entries = self.disk.list(dir)?;
        for entry in &mut entries {
            entry.len = lengths.get(&entry.name).copied().unwrap_or(entry.len);
        }
        Ok(entries)
    }

    fn entry(&self, path: &Path) -> io::Result<DirEntry> {
        self.disk.entry(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        self.disk.open_read(path)
    }
}

/// A segment was read up to its length in the listing, a newer one in full; what was left of the first came at the next
/// look, and a put there undid the delete in the second.
#[test]
fn a_listing_that_is_not_of_one_moment_undoes_no_delete() {
    let known = Hand::begin(1, Origin::Puts, 0).put("a", "1");
    let disk = SimDisk::new();
    disk.insert(FIRST, known.bytes.clone()).unwrap();
    let lagging = Arc::new(Lagging { disk: disk.clone(), lengths: Mutex::default() });
    let reader = Store::open_read_only_on(lagging.clone(), Path::new(DIR), options(&Arc::default())).unwrap();
    let whole = Hand::begin(1, Origin::Puts, 0).put("a", "1").put("a", "2").put("b", "3");
    grow(&disk, FIRST, &whole.bytes);
    disk.insert(SECOND, Hand::begin(2, Origin::Puts, 100).delete("a").bytes).unwrap();
    lagging.lengths.lock().unwrap().insert("0000000001.data".into(), known.bytes.len() as u64);
    reader.refresh().unwrap();
    assert_eq!(value(&reader, "a"), None);
    lagging.lengths.lock().unwrap().clear();
    reader.refresh().unwrap();
    same_as_fresh(&reader, &attach(&disk), "the listing has caught up");
    assert_eq!(value(&reader, "a"), None);
}

// A writer in another process: this test binary, started again.

const CHILD_DIR: &str = "LOGKV_FOLLOW_CHILD";
const KEYS: u64 = 16;

/// Not a test of its own: what the other process does.
#[test]
fn child_writer() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    let store = Store::open(Path::new(&dir), child_options()).unwrap();
    let mut random = Rng::new(std::process::id().into());
    // Higher than those of any process before.
    for number in store.stats().last_tstamp + 1.. {
        let key = number % KEYS;
        if random.below(8) == 0 {
            store.delete(&key.to_le_bytes()).unwrap();
        } else {
            store.put(&key.to_le_bytes(), &child_value(key, number)).unwrap();
        }
    }
}

fn child_options() -> Options {
    let sync = SyncPolicy::Interval(Duration::from_millis(5));
    Options { sync, create: true, max_segment_bytes: 16 << 10, ..Options::default() }
}

/// A value that says whose it is, and which; of many lengths.
fn child_value(key: u64, number: u64) -> Vec<u8> {
    let mut value = [key.to_le_bytes(), number.to_le_bytes()].concat();
    value.resize(16 + number as usize * 37 % 600, (key ^ number) as u8);
    value
}

fn check_child_value(key: &[u8], value: &[u8]) -> u64 {
    let number = u64::from_le_bytes(value[8..16].try_into().unwrap());
    let key = u64::from_le_bytes(key.try_into().unwrap());
    assert_eq!(value, child_value(key, number), "key {key}");
    number
}

fn start_child(dir: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_writer"]).env(CHILD_DIR, dir);
    command.stdout(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_reader_follows_a_writer_in_another_process_until_it_is_killed_and_beyond() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    std::fs::create_dir(&dir).unwrap();
    let read = || Store::open_read_only(&dir, Options::default()).unwrap();
    let reader = read();
    let mut newest = [0; KEYS as usize];
    let mut records = 0;
    for round in 0..3 {
        let mut child = start_child(&dir);
        let started = Instant::now();
        let mut looks = 0;
        let goal = records + 3000;
        while records < goal {
            assert!(started.elapsed() < Duration::from_secs(60), "round {round}: the writer got stuck at {records}");
            records += reader.refresh().unwrap().records;
            looks += 1;
            for key in 0..KEYS {
                let Some(value) = reader.get(&key.to_le_bytes()).unwrap().into_value() else { continue };
                let number = check_child_value(&key.to_le_bytes(), &value);
                let last = &mut newest[key as usize];
                assert!(number >= *last, "round {round}, key {key}: {number} after {last}");
                *last = number;
            }
        }
        let holder = Store::open(&dir, child_options());
        match holder {
            Err(Error::Locked { holder: Some(holder), .. }) => assert_eq!(holder.pid, child.id()),
            other => panic!("{other:?}"),
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it left in memory it shared, a writer that lives would have written by then.
        reader.refresh().unwrap();
        std::thread::sleep(Duration::from_millis(400));
        reader.refresh().unwrap();
        same_as_fresh(&reader, &read(), &format!("round {round}, killed"));
        let writer = Store::open(&dir, child_options()).expect("the lock went with its holder");
        assert_eq!(writer.mode(), Mode::ReadWrite);
        writer.put(&0u64.to_le_bytes(), &child_value(0, writer.stats().last_tstamp)).unwrap();
        writer.close().unwrap();
        reader.refresh().unwrap();
        same_as_fresh(&reader, &read(), &format!("round {round}, with the next writer"));
        records = reader.segments().iter().map(|segment| segment.records).sum();
        println!("round {round}: {records} records in {} segments, {looks} looks", reader.segments().len());
    }
}

#[test]
fn a_refresh_tells_of_each_key_that_moved_in_order() {
    let disk = SimDisk::new();
    let writer = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(&Arc::default())).unwrap();
    writer.put(b"a", b"1").unwrap();
    writer.sync().unwrap();
    let reader = attach(&disk);
    let first = reader.entry(b"a");
    writer.put(b"a", b"22").unwrap();
    writer.put(b"b", b"333").unwrap();
    writer.delete(b"a").unwrap();
    writer.sync().unwrap();
    let mut told = Vec::new();
    let tell = |told: &mut Vec<_>, moved: Moved<'_>| match moved {
        Moved::Key { key, before, after } => {
            let len = |entry: Option<Entry>| entry.map(|entry| entry.stored_len);
            told.push((key.to_vec(), before == first, len(before), len(after)));
        }
        Moved::Everything => told.push((b"everything".to_vec(), false, None, None)),
    };
    reader.refresh_telling(&mut |moved| tell(&mut told, moved)).unwrap();
    let told_of = |key: &[u8], was_first, before, after| (key.to_vec(), was_first, before, after);
    let expected = [
        told_of(b"a", true, Some(1), Some(2)),
        told_of(b"b", false, None, Some(3)),
        told_of(b"a", false, Some(2), None),
    ];
    assert_eq!(told, expected);
}
