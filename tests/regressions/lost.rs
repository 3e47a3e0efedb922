//! Segments, or parts of them, that are gone or cannot be read: nothing passes for the newest without a word.

use std::time::Duration;

use logkv::disk::sim::SimDisk;
use logkv::store::{FindingKind, Mode, Severity, SyncPolicy};
use logkv::{Error, Options, Store};

use super::{
    PERHAPS_ABSENT, assert_strict_refuses, certain, files, hint_path, kinds, open, options, read, segment_path, shown,
    store_of, suspected,
};

const VALUE: &str = "some value that is long enough";

/// A segment file was lost, its hint was left: the store opened without a word, its keys were plainly absent. The hint
/// says that there was a segment.
#[test]
fn a_missing_segment_whose_hint_is_left_is_damage() {
    let disk = store_of(18);
    disk.delete(segment_path(2)).unwrap();
    assert_strict_refuses(&disk);
    for store in [read(&disk, options()).unwrap(), open(&disk, options()).unwrap()] {
        let findings = store.findings();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!((findings[0].kind, findings[0].segment), (FindingKind::MissingSegment, Some(2)));
        assert_eq!(findings[0].severity, Severity::Damage);
        assert_eq!(shown(&store, b"k4"), PERHAPS_ABSENT, "it was in segment 2");
        assert_eq!(shown(&store, b"k1"), suspected(VALUE), "a newer version may have been in segment 2");
        assert_eq!(shown(&store, b"k17"), certain(VALUE), "it is newer than all of segment 2");
    }
}

/// The newest segment was lost, and the tombstone in it: a deleted key was back. It may be shown, never as certain.
#[test]
fn no_ghost_is_certain_when_the_newest_segment_is_missing() {
    let disk = SimDisk::new();
    let store = open(&disk, options()).unwrap();
    store.put(b"ghost", b"v").unwrap();
    for i in 0..4 {
        store.put(format!("k{i}").as_bytes(), &[b'x'; 50]).unwrap();
    }
    let tombstone = store.delete(b"ghost").unwrap().unwrap().location;
    assert_eq!(tombstone.segment, 2);
    store.close().unwrap();
    disk.delete(segment_path(2)).unwrap();
    assert_strict_refuses(&disk);
    assert_eq!(shown(&read(&disk, options()).unwrap(), b"ghost"), suspected("v"));
    let store = open(&disk, options()).unwrap();
    assert_eq!(shown(&store, b"ghost"), suspected("v"));
    let written = store.put(b"new", b"v").unwrap();
    assert_eq!(written.location.segment, 3, "no id is used twice");
    assert_eq!(shown(&store, b"new"), certain("v"));
}

/// One unreadable sector under a segment's header kept the whole store from being opened. All else must be served, the
/// segment's own answers marked.
#[test]
fn an_unreadable_header_costs_one_segment_and_not_the_store() {
    let disk = store_of(18);
    disk.fail_reads_at(segment_path(2), 0..10).unwrap();
    assert_strict_refuses(&disk);
    let before = files(&disk);
    for open in [read, open] {
        let store = open(&disk, options()).unwrap();
        assert_eq!(kinds(&store), [FindingKind::Unreadable]);
        assert_eq!(shown(&store, b"k4"), PERHAPS_ABSENT, "it is in segment 2");
        assert_eq!(shown(&store, b"k1"), suspected(VALUE));
        assert_eq!(shown(&store, b"k17"), certain(VALUE));
        store.close().unwrap();
        assert_eq!(files(&disk), before, "nothing is written over what cannot be read");
    }
}

/// An unreadable sector in the file that is appended to kept readers and writers away. A reader must serve what lies
/// before it. A writer cannot tell whether it hides the end of the log, nor save it, nor make the records before it
/// durable: it must leave every byte alone and open for reading.
#[test]
fn an_unreadable_end_of_the_log_is_served_around_and_not_written() {
    let disk = store_of(18);
    let last = open(&disk, options()).unwrap().segments().last().unwrap().id;
    disk.delete(hint_path(last)).unwrap();
    let records = record_places(&disk, last);
    assert!(records.len() >= 2, "{records:?}");
    disk.fail_reads_at(segment_path(last), records[1].1 + 30..records[1].1 + 35).unwrap();
    assert_strict_refuses(&disk);
    let before = files(&disk);
    let reader = read(&disk, options()).unwrap();
    assert_eq!(kinds(&reader), [FindingKind::Unreadable]);
    assert_eq!(shown(&reader, b"k0"), suspected(VALUE));
    assert_eq!(shown(&reader, b"k17"), PERHAPS_ABSENT);
    let writer = open(&disk, options()).unwrap();
    assert_eq!(writer.mode(), Mode::ReadOnly);
    let findings = writer.findings();
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(findings[1].message.contains("open for reading only"), "{findings:?}");
    assert_eq!(shown(&writer, b"k0"), suspected(VALUE));
    assert!(matches!(writer.put(b"a", b"b"), Err(Error::ReadOnly { .. })));
    writer.close().unwrap();
    assert_eq!(files(&disk), before);
}

/// A record that did not hold passed for the end of the log, because the sector behind it could not be read: it might
/// hold the evidence that all before it had been synced. What cannot be looked at speaks against a cut.
#[test]
fn damage_before_an_unreadable_sector_is_no_torn_tail() {
    let disk = SimDisk::new();
    let options = || Options {
        sync: SyncPolicy::Interval(Duration::from_secs(3600)),
        max_segment_bytes: 4 << 20,
        ..super::options()
    };
    let store = open(&disk, options()).unwrap();
    store.put(b"k", b"old").unwrap();
    let hit = store.put(b"k", b"new").unwrap().location;
    // Longer than what is read at once, so that the sector is met later than the record.
    store.put(b"long", &vec![b'x'; 1 << 20]).unwrap();
    let behind = store.put(b"behind", b"v").unwrap().location;
    let disk = disk.kill();
    disk.flip_bit(segment_path(1), (hit.offset + hit.len - 1) * 8).unwrap();
    disk.fail_reads_at(segment_path(1), behind.offset..behind.offset + 5).unwrap();
    let before = files(&disk);
    for open in [read, open] {
        let store = open(&disk, options()).unwrap();
        assert_eq!(kinds(&store)[..2], [FindingKind::DamagedRecord, FindingKind::Unreadable]);
        assert_eq!(store.mode(), Mode::ReadOnly);
        assert!(matches!(store.get(b"k"), Err(Error::Damaged { offset, .. }) if offset == hit.offset));
        assert_eq!(shown(&store, b"behind"), PERHAPS_ABSENT);
    }
    assert_eq!(files(&disk), before);
}

/// Keys and offsets of a segment's records.
fn record_places(disk: &SimDisk, segment: u64) -> Vec<(Vec<u8>, u64)> {
    let store = read(disk, options()).unwrap();
    let mut places: Vec<_> = store
        .scan(b"")
        .filter(|(_, entry)| entry.location.segment == segment)
        .map(|(key, entry)| (key.to_vec(), entry.location.offset))
        .collect();
    places.sort_by_key(|(_, offset)| *offset);
    places
}

/// A sealed segment was cut off inside its last value: its header was intact and said which key it was, yet it became a
/// stretch of unknown bytes, and the key answered with its older version. The key itself must answer that it is damaged.
#[test]
fn a_sealed_record_cut_off_inside_its_value_answers_for_its_key() {
    let disk = SimDisk::new();
    let store = open(&disk, options()).unwrap();
    store.put(b"k", b"old").unwrap();
    let hit = store.put(b"k", &[b'x'; 200]).unwrap().location;
    let next = store.put(b"other", b"certain").unwrap().location;
    assert_eq!((hit.segment, next.segment), (1, 2));
    store.close().unwrap();
    disk.delete(hint_path(1)).unwrap();
    disk.truncate(segment_path(1), hit.offset + hit.len - 100).unwrap();
    assert_strict_refuses(&disk);
    for store in [read(&disk, options()).unwrap(), open(&disk, options()).unwrap()] {
        let answer = store.get(b"k");
        assert!(matches!(answer, Err(Error::Damaged { segment: 1, offset, .. }) if offset == hit.offset), "{answer:?}");
        let findings = store.findings();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!((findings[0].kind, findings[0].key.as_deref()), (FindingKind::DamagedRecord, Some(&b"k"[..])));
        assert_eq!(shown(&store, b"other"), certain("certain"));
        assert_eq!(shown(&store, b"never"), super::ABSENT, "the key is known, so nothing else is in doubt");
    }
}

/// A segment was moved away and a link put in its place: links are never opened, so its records were silently gone. What
/// has a segment's name and is no file is a missing segment, and no new segment takes its name.
#[cfg(unix)]
#[test]
fn a_link_with_the_name_of_a_segment_is_a_missing_segment() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("store");
    let store = Store::open(&dir, options()).unwrap();
    for i in 0..6 {
        store.put(format!("k{i}").as_bytes(), VALUE.as_bytes()).unwrap();
    }
    store.close().unwrap();
    let (last, moved) = (dir.join("0000000002.data"), scratch.path().join("moved"));
    std::fs::remove_file(dir.join("0000000002.hint")).unwrap();
    std::fs::rename(&last, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, &last).unwrap();
    let target = std::fs::read(&moved).unwrap();
    let reader = Store::open_read_only(&dir, options()).unwrap();
    let writer = Store::open(&dir, options()).unwrap();
    for store in [reader, writer] {
        assert_eq!(kinds(&store), [FindingKind::MissingSegment]);
        assert_eq!(shown(&store, b"k5"), PERHAPS_ABSENT);
        assert_eq!(shown(&store, b"k0"), suspected(VALUE));
        if store.mode() == Mode::ReadWrite {
            for i in 10..16 {
                assert_ne!(store.put(format!("k{i}").as_bytes(), VALUE.as_bytes()).unwrap().location.segment, 2);
            }
        }
    }
    assert!(std::fs::symlink_metadata(&last).unwrap().file_type().is_symlink());
    assert_eq!(std::fs::read(&moved).unwrap(), target, "nothing was written through the link");
}
