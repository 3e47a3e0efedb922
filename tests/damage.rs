//! Promise 3 under every single-bit error, and the end of the log cut at every byte.
//!
//! A damaged store may answer with an error, or with a warning that the answer is suspect; it may never give a wrong
//! value, or hide one, without a word.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use logkv::disk::Disk;
use logkv::disk::sim::SimDisk;
use logkv::store::{FindingKind, Recovery, Severity, SyncPolicy};
use logkv::{Error, Options, Store};
use support::TickingClock;

const DIR: &str = "/data";

fn options() -> Options {
    Options {
        create: true,
        max_segment_bytes: 300,
        threads: 1,
        seed: 7,
        clock: Arc::new(TickingClock::default()),
        ..Options::default()
    }
}

fn open(disk: &SimDisk) -> logkv::Result<Store> {
    Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options())
}

fn read(disk: &SimDisk) -> logkv::Result<Store> {
    Store::open_read_only_on(Disk::reader(disk), Path::new(DIR), options())
}

type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// A closed store of a few segments with overwrites and deletes, and what is in it.
fn small_store() -> (SimDisk, State) {
    let (disk, state, _) = small_store_and_before();
    (disk, state)
}

/// The same, and what was in it before the last write.
fn small_store_and_before() -> (SimDisk, State, State) {
    let disk = SimDisk::new();
    let store = open(&disk).unwrap();
    let mut state = State::new();
    let mut before = State::new();
    for i in 0..18usize {
        before.clone_from(&state);
        let key = [&b"alpha"[..], b"b", b"", b"key:4", b"longer key 5"][i * 3 % 5];
        let value = format!("value {i} {}", "x".repeat(i * 5 % 13));
        store.put(key, value.as_bytes()).unwrap();
        state.insert(key.to_vec(), value.into_bytes());
        if i % 6 == 4 {
            store.delete(key).unwrap();
            state.remove(key);
        }
    }
    store.close().unwrap();
    (disk, state, before)
}

fn files(disk: &SimDisk, extension: &str) -> Vec<(std::path::PathBuf, usize)> {
    let image = disk.image();
    image
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|e| e == extension))
        .map(|(path, bytes)| (path, bytes.len()))
        .collect()
}

/// Every key that ever was, and one that never was, answers truly, or says that it cannot.
fn no_lies(store: &Store, state: &State, what: &str) {
    for key in [&b"alpha"[..], b"b", b"", b"key:4", b"longer key 5", b"never"] {
        match store.get(key) {
            Ok(answer) if answer.suspect => {}
            Ok(answer) => assert_eq!(answer.value(), state.get(key).map(Vec::as_slice), "{what}: {key:?}"),
            Err(Error::Damaged { .. }) => {}
            Err(e) => panic!("{what}: {e}"),
        }
    }
    for (key, _) in store.scan(b"") {
        assert!(
            state.contains_key(&*key) || store.is_suspect(&key) || store.get(&key).is_err(),
            "{what}: ghost {key:?}"
        );
    }
}

#[test]
fn no_flipped_bit_in_a_segment_yields_a_wrong_value_or_hides_one() {
    let (disk, state, before_last) = small_store_and_before();
    let (mut flips, mut torn) = (0, 0);
    for with_hints in [true, false] {
        let disk = disk.fork();
        if !with_hints {
            files(&disk, "hint").iter().for_each(|(path, _)| disk.delete(path).unwrap());
        }
        for (path, len) in files(&disk, "data") {
            for bit in 0..len as u64 * 8 {
                let flipped = disk.fork();
                flipped.flip_bit(&path, bit).unwrap();
                let what = format!("{} bit {bit}, hints {with_hints}", path.display());
                let reader = read(&flipped).unwrap_or_else(|e| panic!("{what}: {e}"));
                // Nothing vouches for the very last record when its hint is gone: it is what a crash during its write
                // looks like, and is reported as that.
                let is_torn = reader.findings().iter().any(|finding| finding.kind == FindingKind::TornTail);
                assert!(!is_torn || !with_hints, "{what}: the clean close vouched for it");
                let expected = if is_torn { &before_last } else { &state };
                no_lies(&reader, expected, &what);
                let writer = open(&flipped).unwrap_or_else(|e| panic!("{what}: {e}"));
                no_lies(&writer, expected, &format!("{what}, writer"));
                flips += 1;
                torn += u64::from(is_torn);
            }
        }
    }
    println!("{flips} flips, {torn} of them in a last record that nothing vouched for");
    assert!(torn < 500, "only the last record");
}

#[test]
fn no_flipped_bit_in_a_hint_changes_an_answer() {
    let (disk, state) = small_store();
    for (path, len) in files(&disk, "hint") {
        for bit in 0..len as u64 * 8 {
            let flipped = disk.fork();
            flipped.flip_bit(&path, bit).unwrap();
            let store = read(&flipped).unwrap();
            let found: State =
                store.scan(b"").map(|(k, _)| (k.to_vec(), store.get(&k).unwrap().into_value().unwrap())).collect();
            assert_eq!(found, state, "{} bit {bit}", path.display());
        }
    }
}

#[test]
fn a_flipped_bit_is_named_by_a_finding_with_segment_and_offset() {
    let (disk, _) = small_store();
    files(&disk, "hint").iter().for_each(|(path, _)| disk.delete(path).unwrap());
    let (path, len) = files(&disk, "data")[0].clone();
    for bit in (0..len as u64 * 8).step_by(5) {
        let flipped = disk.fork();
        flipped.flip_bit(&path, bit).unwrap();
        let findings = read(&flipped).unwrap().findings();
        let found = findings.iter().find(|finding| finding.severity == Severity::Damage).expect("a finding");
        let (offset, len) = (found.offset.unwrap(), found.len.unwrap());
        assert_eq!(found.segment, Some(1));
        assert!((offset..offset + len).contains(&(bit / 8)), "bit {bit} is not in {offset}+{len}");
    }
}

#[test]
fn the_last_segment_cut_at_any_byte_opens_with_the_records_before() {
    let disk = SimDisk::new();
    let store = Store::open_on(
        Arc::new(disk.clone()),
        Path::new(DIR),
        Options { sync: SyncPolicy::Interval(std::time::Duration::from_secs(3600)), ..options() },
    )
    .unwrap();
    let mut ends = vec![(40, 0)];
    for i in 0..6u8 {
        let written = store.put(&[b'k', i], &[i; 9]).unwrap();
        assert_eq!(written.location.segment, 1);
        ends.push((written.location.offset + written.location.len, usize::from(i) + 1));
    }
    let crashed = disk.kill();
    let full = ends.last().unwrap().0;
    for len in 40..=full {
        let cut = crashed.fork();
        cut.truncate("/data/0000000001.data", len).unwrap();
        let torn = !ends.iter().any(|(end, _)| *end == len);
        let keys = ends.iter().rev().find(|(end, _)| *end <= len).unwrap().1;
        let reader = read(&cut).unwrap();
        assert_eq!(reader.scan(b"").count(), keys, "reader, cut at {len}");
        assert_eq!(reader.findings().iter().any(|f| f.kind == FindingKind::TornTail), torn, "cut at {len}");
        let store = open(&cut).unwrap();
        assert_eq!(store.scan(b"").count(), keys, "writer, cut at {len}");
        let saved = cut.image().into_iter().find(|(path, _)| path.to_string_lossy().contains("/quarantine/"));
        assert_eq!(saved.is_some(), torn, "torn_tail_is_cut_and_saved, cut at {len}");
        store.put(b"more", b"after").unwrap();
        store.close().unwrap();
        assert_eq!(open(&cut).unwrap().get(b"more").unwrap().value(), Some(&b"after"[..]));
    }
}

#[test]
fn damage_below_what_was_synced_is_kept_and_served_around() {
    let disk = SimDisk::new();
    let store = open(&disk).unwrap();
    let first = store.put(b"first", b"1").unwrap();
    store.put(b"second", b"2").unwrap();
    store.put(b"third", b"3").unwrap();
    let disk = disk.kill();
    disk.flip_bit("/data/0000000001.data", (first.location.offset + 2) * 8).unwrap();
    let before = disk.image()[Path::new("data/0000000001.data")].clone();
    let store = open(&disk).unwrap();
    assert!(store.get(b"first").unwrap().suspect, "a miss that the hole may have caused");
    assert_eq!(store.get(b"third").unwrap().value(), Some(&b"3"[..]));
    let written = store.put(b"fourth", b"4").unwrap();
    assert_eq!(written.location.segment, 2, "a damaged segment is not appended to");
    store.close().unwrap();
    let image = disk.image();
    assert_eq!(image[Path::new("data/0000000001.data")], before);
    assert!(!image.contains_key(Path::new("data/0000000001.hint")), "a hint would launder the damage");
    assert!(!image.keys().any(|path| path.to_string_lossy().contains("quarantine")));
}

#[test]
fn strict_recovery_refuses_damage_and_changes_nothing() {
    let (disk, _) = small_store();
    files(&disk, "hint").iter().for_each(|(path, _)| disk.delete(path).unwrap());
    disk.flip_bit("/data/0000000001.data", 60 * 8).unwrap();
    let before = disk.image();
    let strict = Options { recovery: Recovery::Strict, ..options() };
    let refused = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), strict);
    assert!(matches!(refused, Err(Error::StrictDamage { .. })), "{refused:?}");
    let mut after = disk.image();
    after.retain(|path, _| !path.ends_with("LOCK"));
    assert!(before.iter().filter(|(path, _)| !path.ends_with("LOCK")).eq(after.iter()));
}

#[test]
fn an_unreadable_sector_is_an_error_that_names_the_place() {
    let (disk, state) = small_store();
    let store = read(&disk).unwrap();
    let sealed: Vec<_> = store.segments().iter().filter(|segment| !segment.active).map(|segment| segment.id).collect();
    let mut live = store.scan(b"");
    let (key, entry) =
        live.find(|(_, entry)| sealed.contains(&entry.location.segment)).expect("a live key in a sealed segment");
    let place = entry.location;
    let file = format!("/data/{:010}.data", place.segment);
    disk.fail_reads_at(&file, place.offset + 3..place.offset + 5).unwrap();
    let store = read(&disk).unwrap();
    match store.get(&key) {
        Err(Error::Io { offset, .. }) => assert_eq!(offset, Some(place.offset)),
        other => panic!("{other:?}"),
    }
    no_lies_but(&store, &state, &key);

    // Without the hint opening itself runs into the sector, and goes on around it.
    disk.delete(file.replace(".data", ".hint")).unwrap();
    let store = read(&disk).unwrap();
    let findings = store.findings();
    assert!(
        findings.iter().any(|f| f.kind == FindingKind::Unreadable && f.segment == Some(place.segment)),
        "{findings:?}"
    );
    no_lies_but(&store, &state, &key);
}

fn no_lies_but(store: &Store, state: &State, unreadable: &[u8]) {
    for (key, value) in state.iter().filter(|(key, _)| key.as_slice() != unreadable) {
        let answer = store.get(key).unwrap();
        assert!(answer.suspect || answer.value() == Some(value.as_slice()), "{key:?}");
    }
}

#[test]
fn a_deleted_key_stays_deleted_without_any_hint() {
    let (disk, state) = small_store();
    files(&disk, "hint").iter().for_each(|(path, _)| disk.delete(path).unwrap());
    let store = open(&disk).unwrap();
    let found: State =
        store.scan(b"").map(|(k, _)| (k.to_vec(), store.get(&k).unwrap().into_value().unwrap())).collect();
    assert_eq!(found, state);
}

/// Riak's one checksum does not say what it hit: length, key, value or itself.
#[test]
fn no_flipped_bit_in_a_riak_file_yields_a_wrong_value_or_hides_one() {
    let disk = SimDisk::from_real_dir(&support::fixture("riak/riak-tombstones")).unwrap();
    let open = |disk: &SimDisk| Store::open_read_only_on(Disk::reader(disk), Path::new(""), options()).unwrap();
    let store = open(&disk);
    let keys: std::collections::BTreeSet<Vec<u8>> = store
        .segments()
        .iter()
        .flat_map(|segment| logkv::inspect::records(&store, segment.id, 0).unwrap())
        .filter_map(|row| row.unwrap().key)
        .collect();
    let truth: BTreeMap<_, _> =
        keys.into_iter().map(|key| (key.clone(), store.get(&key).unwrap().into_value())).collect();
    let (mut flips, mut torn) = (0, 0);
    for (with_hint, file) in [(true, "8"), (false, "8"), (true, "2"), (false, "2")] {
        let path = format!("{file}.bitcask.data");
        let disk = disk.fork();
        if !with_hint {
            disk.delete(format!("{file}.bitcask.hint")).unwrap();
        }
        let len = disk.image()[Path::new(&path)].len() as u64;
        for bit in (0..len * 8).step_by(if file == "8" { 13 } else { 61 }) {
            let flipped = disk.fork();
            flipped.flip_bit(&path, bit).unwrap();
            let store = open(&flipped);
            // The very last record may look torn: see the native test.
            let is_torn = store.findings().iter().any(|finding| finding.kind == FindingKind::TornTail);
            let last = logkv::inspect::records(&store, file.parse().unwrap(), 0).unwrap().last().unwrap().unwrap();
            assert!(!is_torn || last.offset * 8 <= bit, "{path} bit {bit}");
            for (key, value) in truth.iter().filter(|_| !is_torn) {
                match store.get(key) {
                    Ok(answer) if answer.suspect => {}
                    Ok(answer) => assert_eq!(&answer.into_value(), value, "{path} bit {bit} hint {with_hint}: {key:?}"),
                    Err(Error::Damaged { .. }) => {}
                    Err(e) => panic!("{path} bit {bit}: {e}"),
                }
            }
            flips += 1;
            torn += u64::from(is_torn);
        }
    }
    println!("{flips} flips, {torn} of them in the length of a last record");
    assert!(torn < 20, "only lengths of the last record can look torn");
}
