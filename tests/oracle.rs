//! Real directories that Bitcask, Riak and logkv-store wrote, against what those programs said of them.
//!
//! For whole directories every key, value, place and record must agree. For damaged ones ours must name the damage with
//! segment and offset, serve the rest, and show none of the originals' silent losses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use logkv::format::{FormatKind, Kind};
use logkv::inspect::{self, CrcState, RowKind, RowState};
use logkv::store::{FindingKind, Mode, Severity};
use logkv::{Error, Options, Store};
use support::{OracleKey, copy_dir, dir_fingerprint, fixture, go_oracle, riak_oracle, riak_records, sha256_hex};

const WHOLE: [&str; 7] =
    ["riak-small", "riak-multi", "riak-merged", "riak-tombstones", "riak-edge", "riak-expiry", "riak-open-crash"];

fn open(dir: &Path) -> Store {
    Store::open_read_only(dir, Options::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// Every key of the oracle, with its value and place, and no other.
fn agrees(store: &Store, oracle: &[OracleKey], name: &str) {
    let mut listed: BTreeMap<Vec<u8>, _> = store.scan(b"").map(|(key, entry)| (key.to_vec(), entry)).collect();
    for line in oracle {
        let shown = String::from_utf8_lossy(&line.key);
        let Ok((sha256, len)) = &line.value else {
            // Bitcask lists the key and then does not find it: a value that begins like a tombstone.
            assert_eq!(store.get(&line.key).unwrap().value(), None, "{name} {shown}");
            continue;
        };
        let entry = listed.remove(&line.key).unwrap_or_else(|| panic!("{name}: {shown} is not listed"));
        let place = entry.location;
        assert_eq!(
            (place.segment, place.offset, place.len),
            (line.file_id, line.offset, line.total_size),
            "{name} {shown}"
        );
        assert_eq!(entry.tstamp, line.tstamp * 1_000_000, "{name} {shown}");
        let answer = store.get(&line.key).unwrap();
        assert!(!answer.suspect, "{name} {shown}");
        let value = answer.into_value().unwrap();
        assert_eq!((&sha256_hex(&value), value.len() as u64), (sha256, *len), "{name} {shown}");
    }
    assert!(listed.is_empty(), "{name}: {} keys that the original does not have", listed.len());
}

#[test]
fn every_key_and_value_agrees_with_bitcask() {
    for name in WHOLE {
        let store = open(&fixture("riak").join(name));
        assert_eq!((store.format(), store.mode()), (FormatKind::Riak, Mode::ReadOnly));
        agrees(&store, &riak_oracle(&fixture("riak").join(format!("{name}.oracle.jsonl"))), name);
        assert!(store.findings().iter().all(|finding| finding.severity != Severity::Damage), "{name}");
    }
}

#[test]
fn every_record_agrees_with_bitcask() {
    for name in WHOLE {
        let store = open(&fixture("riak").join(name));
        let mut rows = Vec::new();
        for segment in store.segments() {
            rows.extend(inspect::records(&store, segment.id, 0).unwrap().map(|row| row.unwrap()));
        }
        let oracle = riak_records(&fixture("riak").join(format!("{name}.records.jsonl")));
        assert_eq!(rows.len(), oracle.len(), "{name}");
        let live = store.scan(b"").count();
        assert_eq!(rows.iter().filter(|row| row.state == RowState::Live).count(), live, "{name}");
        for (row, line) in rows.iter().zip(&oracle) {
            let place = (row.segment, row.offset, row.len, row.tstamp.unwrap() / 1_000_000);
            assert_eq!(place, (line.file_id, line.offset, line.total_size, line.tstamp), "{name}");
            assert_eq!(row.key.as_ref(), Some(&line.key), "{name}");
            assert_eq!(row.kind == RowKind::Record(Kind::Tombstone), line.tombstone, "{name} @ {}", row.offset);
            assert_eq!(row.crc, CrcState::Ok);
        }
    }
}

#[test]
fn every_key_and_value_agrees_with_logkv_store_after_its_restart() {
    for name in ["logkv-small", "logkv-multi", "logkv-edge"] {
        let store = open(&fixture("logkv-go").join(name));
        assert_eq!(store.format(), FormatKind::LogkvGo);
        let oracle = go_oracle(&fixture("logkv-go").join(format!("{name}.oracle.jsonl")));
        let found: Vec<_> = store
            .scan(b"")
            .map(|(key, _)| {
                let value = store.get(&key).unwrap().into_value().unwrap();
                (key.to_vec(), sha256_hex(&value), value.len() as u64)
            })
            .collect();
        let expected: Vec<_> = oracle.into_iter().map(|line| (line.key, line.value_sha256, line.value_len)).collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn every_partition_of_a_riak_node_reads_as_plain_bitcask_sees_it() {
    let root = fixture("riak-node");
    let mut partitions = 0;
    for entry in fs::read_dir(&root).unwrap().map(|entry| entry.unwrap()).filter(|entry| entry.path().is_dir()) {
        let name = entry.file_name().into_string().unwrap();
        let plain = root.join(format!("{name}.plain-bitcask.oracle.jsonl"));
        let own = root.join(format!("{name}.oracle.jsonl"));
        let store = open(&entry.path());
        if plain.exists() {
            agrees(&store, &riak_oracle(&plain), &name);
        } else {
            agrees(&store, &support::riak_node_oracle(&own), &name);
        }
        partitions += 1;
    }
    assert_eq!(partitions, 5);
}

#[test]
fn looking_changes_no_byte_no_time_stamp_and_no_inode() {
    let scratch = tempfile::tempdir().unwrap();
    for name in ["riak/riak-multi", "riak/riak-open-crash", "riak/riak-torn", "logkv-go/logkv-edge", "riak-node"] {
        let dir = scratch.path().join(name.replace('/', "-"));
        copy_dir(&fixture(name), &dir);
        let before = dir_fingerprint(&dir);
        let stores = if name == "riak-node" { vec![dir.join("0")] } else { vec![dir.clone()] };
        for dir in stores {
            // Opened as a writer would: the format itself makes it read-only.
            let store = Store::open(&dir, Options::default()).unwrap();
            assert_eq!(store.mode(), Mode::ReadOnly);
            assert!(matches!(store.put(b"k", b"v"), Err(Error::ReadOnly { .. })));
            assert!(matches!(store.delete(b"k"), Err(Error::ReadOnly { .. })));
            store.scan(b"").for_each(|(key, _)| drop(store.get(&key)));
            inspect::verify(&store, &mut |_, _| std::ops::ControlFlow::Continue(())).unwrap();
            store.refresh().unwrap();
            store.close().unwrap();
        }
        assert!(before == dir_fingerprint(&dir), "{name} changed");
    }
}

/// Bitcask with the hint kept answers `bad_crc` for the key; without the hint it answers with an older value.
#[test]
fn a_damaged_value_is_an_error_with_and_without_the_hint() {
    let oracle = riak_oracle(&fixture("riak/riak-multi.oracle.jsonl"));
    let damaged_key = b"user:00238";
    for with_hint in [true, false] {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("corrupt");
        copy_dir(&fixture("riak/riak-corrupt"), &dir);
        if !with_hint {
            fs::remove_file(dir.join("8.bitcask.hint")).unwrap();
        }
        let store = open(&dir);
        match store.get(damaged_key) {
            Err(Error::Damaged { segment: 8, offset: 18368, .. }) => {}
            other => panic!("hint {with_hint}: {other:?}"),
        }
        for line in oracle.iter().filter(|line| line.key != damaged_key) {
            let (sha256, _) = line.value.as_ref().unwrap();
            assert_eq!(&sha256_hex(store.get(&line.key).unwrap().value().unwrap()), sha256);
        }
        let report = inspect::verify(&store, &mut |_, _| std::ops::ControlFlow::Continue(())).unwrap();
        assert!(report.is_damaged());
        let damage: Vec<_> = report.findings.iter().filter(|f| f.severity == Severity::Damage).collect();
        assert_eq!(damage.len(), 1, "{damage:?}");
        assert_eq!((damage[0].segment, damage[0].offset, damage[0].len), (Some(8), Some(18368), Some(312)));
    }
}

/// Bitcask stops at the damage without a word and finds 127 of 178 keys.
#[test]
fn a_damaged_length_hides_one_record_and_not_those_behind_it() {
    let store = open(&fixture("riak/riak-badlen"));
    let whole = riak_oracle(&fixture("riak/riak-small.oracle.jsonl"));
    let damaged_key = b"cart:128:items";
    let mut served = 0;
    for line in whole.iter().filter(|line| line.key != damaged_key) {
        let answer = store.get(&line.key).unwrap();
        assert_eq!(&sha256_hex(answer.value().unwrap()), &line.value.as_ref().unwrap().0);
        served += 1;
    }
    assert_eq!(served, 177);
    let answer = store.get(damaged_key);
    assert!(
        answer.as_ref().is_err() || answer.unwrap().suspect,
        "the key that was hit must not look like an ordinary miss"
    );
    let found = store.findings();
    let damage = found.iter().find(|finding| finding.severity == Severity::Damage).unwrap();
    assert_eq!((damage.segment, damage.offset), (Some(1), Some(9878)));
}

#[test]
fn a_torn_tail_is_named_and_what_is_before_it_agrees() {
    let store = open(&fixture("riak/riak-torn"));
    agrees(&store, &riak_oracle(&fixture("riak/riak-torn.oracle.jsonl")), "riak-torn");
    let found = store.findings();
    let torn = found.iter().find(|finding| finding.kind == FindingKind::TornTail).unwrap();
    assert_eq!((torn.segment, torn.offset, torn.len), (Some(13), Some(17244), Some(26)));
    let last = inspect::records(&store, 13, 0).unwrap().last().unwrap().unwrap();
    assert_eq!((last.state, last.offset, last.len), (RowState::Torn, 17244, 26));
}

/// Bitcask stops folding the hint at the first entry behind the end and answers with older values.
#[test]
fn a_hint_that_goes_on_behind_its_data_makes_its_keys_errors_and_not_older_values() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("torn");
    copy_dir(&fixture("riak/riak-torn"), &dir);
    fs::copy(fixture("riak/riak-multi/13.bitcask.hint"), dir.join("13.bitcask.hint")).unwrap();
    let store = open(&dir);
    let newest = riak_oracle(&fixture("riak/riak-multi.oracle.jsonl"));
    let (mut lost, mut served) = (0, 0);
    for line in &newest {
        match store.get(&line.key) {
            Ok(answer) => {
                assert_eq!(&sha256_hex(answer.value().unwrap()), &line.value.as_ref().unwrap().0);
                served += 1;
            }
            Err(Error::Damaged { segment: 13, offset, .. }) => {
                assert!(offset >= 17244);
                lost += 1;
            }
            Err(e) => panic!("{e}"),
        }
    }
    assert!(lost > 20 && served > 250, "{lost} lost, {served} served");
    assert!(store.findings().iter().any(|finding| finding.kind == FindingKind::HintBeyondData));
}

/// A reader of Bitcask's leaves the last file of a crashed writer out: missing keys, old values, deleted keys back.
#[test]
fn a_crashed_writers_last_file_is_read() {
    let store = open(&fixture("riak/riak-open-crash"));
    agrees(&store, &riak_oracle(&fixture("riak/riak-open-crash.writer.oracle.jsonl")), "riak-open-crash");
}

/// Bitcask fails to open, or cannot be written for ever, or takes two seconds.
#[test]
fn stray_names_and_left_behind_locks_do_not_matter() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("stray");
    copy_dir(&fixture("riak/riak-small"), &dir);
    for name in ["notes.old.data", "1.bak.data", "bitcask.write.lock", "bitcask.merge.lock", "007.bitcask.data"] {
        fs::write(dir.join(name), b"").unwrap();
    }
    let store = open(&dir);
    agrees(&store, &riak_oracle(&fixture("riak/riak-small.oracle.jsonl")), "stray names");
    let foreign = store.directory_findings().unwrap();
    assert_eq!(foreign.iter().filter(|finding| finding.kind == FindingKind::ForeignFile).count(), 3);
}

#[cfg(unix)]
#[test]
fn a_file_that_bitcask_has_marked_for_deletion_is_not_read() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("pending");
    copy_dir(&fixture("riak/riak-multi"), &dir);
    fs::set_permissions(dir.join("13.bitcask.data"), fs::Permissions::from_mode(0o645)).unwrap();
    let store = open(&dir);
    assert!(store.segments().iter().all(|segment| segment.id != 13));
    let found = store.directory_findings().unwrap();
    assert!(found.iter().any(|finding| finding.kind == FindingKind::PendingDelete));
}

/// logkv-store does not start over one missing byte, and allocates a gigabyte over one flipped bit.
#[test]
fn a_logkv_store_segment_that_is_cut_or_misread_serves_the_rest() {
    let whole: BTreeMap<_, _> = {
        let store = open(&fixture("logkv-go/logkv-small"));
        store.scan(b"").map(|(key, _)| (key.to_vec(), store.get(&key).unwrap().into_value())).collect()
    };
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("cut");
    copy_dir(&fixture("logkv-go/logkv-small"), &dir);
    let file = dir.join("segment_1.log");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    let store = open(&dir);
    assert!(store.findings().iter().any(|finding| finding.kind == FindingKind::TornTail));
    let differing = whole.iter().filter(|(key, value)| store.get(key).unwrap().into_value() != **value).count();
    assert!(differing <= 1, "{differing} keys differ");

    // The highest byte of the first record's value length.
    let mut flipped = bytes;
    flipped[11] ^= 0x40;
    fs::write(&file, &flipped).unwrap();
    let store = open(&dir);
    let found = store.findings();
    let damage = found.iter().find(|finding| finding.severity == Severity::Damage).unwrap();
    assert_eq!((damage.segment, damage.offset), (Some(1), Some(0)));
    let silently = whole.iter().filter(|(key, value)| {
        let answer = store.get(key).unwrap();
        !answer.suspect && answer.into_value() != **value
    });
    assert_eq!(silently.count(), 0);
    assert!(store.scan(b"").count() + 1 >= whole.len());
}
