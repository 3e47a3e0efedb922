//! The decoders against directories that the original programs wrote, and what those programs said is in them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use logkv::format::riak::{TombstoneForm, tombstone_form};
use logkv::format::{Check, Decoded, FileHeader, FileRole, Format, FormatKind, HintFault, Kind, Record};
use support::{OracleRecord, fixture, go_oracle, riak_oracle, riak_records, sha256_hex};

const SECOND: u64 = 1_000_000;

/// How a walk over a segment file ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// After the last byte.
    Clean,
    /// Inside the record that begins here.
    Short(u64),
}

/// Walks a segment as a scanner does: a small window that grows only when the decoder asks for more, and only as far as
/// the file goes. `visit` gets each record, its offset and its whole value.
fn walk(format: &dyn Format, file: &[u8], mut visit: impl FnMut(u64, &Record<'_>, &[u8])) -> End {
    let mut offset = 0;
    while offset < file.len() {
        let rest = &file[offset..];
        let mut window = rest.len().min(1);
        let record = loop {
            match format.decode(&FileHeader::NONE, offset as u64, &rest[..window]) {
                Decoded::Record(record) => break record,
                Decoded::Incomplete { needed } if needed > rest.len() as u64 => return End::Short(offset as u64),
                Decoded::Incomplete { needed } => window = needed as usize,
                Decoded::Damaged(check) => panic!("{check} at {offset}"),
            }
        };
        assert!(window as u64 <= record.value_start + 22, "the whole value was asked for at {offset}");
        let Some(value) = rest.get(record.value_start as usize..record.len() as usize) else {
            return End::Short(offset as u64);
        };
        visit(offset as u64, &record, value);
        offset += value.len() + record.value_start as usize;
    }
    End::Clean
}

/// The segment files of a directory in the order of their ids.
fn segments(format: &dyn Format, dir: &Path) -> BTreeMap<u64, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if let Some(FileRole::Segment(id)) = format.role(entry.file_name().to_str().unwrap()) {
            found.insert(id, fs::read(entry.path()).unwrap());
        }
    }
    assert!(!found.is_empty(), "{}", dir.display());
    found
}

fn tombstone_ref(value: &[u8]) -> Option<String> {
    tombstone_form(value).map(|form| match form {
        TombstoneForm::V0 => "v0".into(),
        TombstoneForm::V1(file) => format!("v1:{file}"),
        TombstoneForm::V2(file) => format!("v2:{file}"),
        TombstoneForm::Prefix => "prefix".into(),
    })
}

/// A record in the words of Bitcask's oracle.
fn as_oracle(file_id: u64, offset: u64, record: &Record<'_>, value: &[u8]) -> OracleRecord {
    assert_eq!(record.check_value(value), Ok(()), "{file_id} at {offset}");
    assert_eq!(record.oddity.is_some(), tombstone_form(value) == Some(TombstoneForm::Prefix));
    OracleRecord {
        file_id,
        offset,
        total_size: record.len(),
        tstamp: record.tstamp / SECOND,
        key: record.key.to_vec(),
        value_sha256_16: sha256_hex(value)[..16].to_owned(),
        value_len: record.stored_len,
        tombstone: record.kind == Kind::Tombstone,
        tombstone_ref: tombstone_ref(value),
    }
}

const WHOLE_RIAK: [&str; 7] =
    ["riak-small", "riak-multi", "riak-merged", "riak-tombstones", "riak-edge", "riak-expiry", "riak-open-crash"];

#[test]
fn every_riak_record_is_the_one_that_bitcask_lists() {
    let riak = FormatKind::Riak.format();
    for name in WHOLE_RIAK {
        let expected = riak_records(&fixture(&format!("riak/{name}.records.jsonl")));
        let mut found = Vec::new();
        for (id, file) in segments(riak, &fixture(&format!("riak/{name}"))) {
            let end = walk(riak, &file, |offset, record, value| found.push(as_oracle(id, offset, record, value)));
            assert_eq!(end, End::Clean, "{name}/{id}");
        }
        assert_eq!(found.len(), expected.len(), "{name}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{name}");
        }
    }
}

/// The last record of a key in (file, offset) order is its version, and a tombstone takes it away.
#[test]
fn the_last_place_of_a_riak_key_is_where_bitcask_finds_it() {
    let riak = FormatKind::Riak.format();
    let partition = "753586781748746817198774991869333432010090217472";
    let node = (format!("riak-node/{partition}"), format!("riak-node/{partition}.plain-bitcask.oracle.jsonl"));
    let oracles = WHOLE_RIAK.map(|name| (format!("riak/{name}"), format!("riak/{name}.oracle.jsonl")));
    for (dir, oracle) in oracles.into_iter().chain([node]) {
        let mut live = BTreeMap::new();
        for (id, file) in segments(riak, &fixture(&dir)) {
            walk(riak, &file, |offset, record, value| match record.kind {
                Kind::Put => drop(live.insert(record.key.to_vec(), (id, offset, record.len(), sha256_hex(value)))),
                _ => drop(live.remove(record.key)),
            });
        }
        let expected = riak_oracle(&fixture(&oracle));
        assert_eq!(live.len(), expected.len(), "{dir}");
        for key in expected {
            let value = key.value.unwrap().0;
            assert_eq!(live[&key.key], (key.file_id, key.offset, key.total_size, value), "{dir}");
        }
    }
}

/// The hint of the file that was being written when the process was killed has no closing entry.
const UNFINISHED: [&str; 1] = ["riak/riak-open-crash/5.bitcask.hint"];

#[test]
fn every_good_riak_hint_agrees_with_its_data_file() {
    let riak = FormatKind::Riak.format();
    let dirs = WHOLE_RIAK.iter().map(|name| format!("riak/{name}")).chain(
        ["riak/riak-corrupt", "riak-node/0", "riak-node/1438665674247607560106752257205091097473808596992"]
            .map(str::to_owned),
    );
    let mut hints = 0;
    for dir in dirs {
        for (id, file) in segments(riak, &fixture(&dir)) {
            let name = format!("{dir}/{}", riak.hint_name(id).unwrap());
            if UNFINISHED.contains(&name.as_str()) {
                continue;
            }
            let bytes = fs::read(fixture(&name)).unwrap();
            let hint = riak.hint(&bytes).unwrap().unwrap_or_else(|fault| panic!("{name}: {fault:?}"));
            let mut entries = hint.entries();
            walk(riak, &file, |offset, record, _| {
                let entry = entries.next().unwrap();
                assert_eq!((entry.kind, entry.key, entry.offset), (record.kind, record.key, offset), "{name}");
                assert_eq!((entry.len, entry.stored_len), (record.len(), record.stored_len), "{name}");
                assert_eq!((entry.tstamp, entry.expires_at, entry.codec), (record.tstamp, None, record.codec));
            });
            assert!(entries.next().is_none(), "{name}");
            hints += 1;
        }
    }
    assert_eq!(hints, 54);
}

#[test]
fn the_hint_of_a_file_that_was_still_open_is_refused() {
    for name in UNFINISHED {
        let bytes = fs::read(fixture(name)).unwrap();
        let fault = FormatKind::Riak.format().hint(&bytes).unwrap().unwrap_err();
        assert_eq!(fault, HintFault::Incomplete);
    }
}

/// A length that runs past the end of the file is not the decoder's to judge: it reads the key and says how long the
/// record claims to be.
#[test]
fn a_changed_length_claims_more_than_the_file_has() {
    let riak = FormatKind::Riak.format();
    let file = fs::read(fixture("riak/riak-badlen/1.bitcask.data")).unwrap();
    let expected = riak_records(&fixture("riak/riak-badlen.records.jsonl"));
    let mut found = Vec::new();
    let end = walk(riak, &file, |offset, record, value| found.push(as_oracle(1, offset, record, value)));
    assert_eq!(end, End::Short(9878));
    assert_eq!(found, expected);
    let Decoded::Record(record) = riak.decode(&FileHeader::NONE, 9878, &file[9878..]) else { panic!() };
    assert_eq!(record.key, b"cart:128:items");
    assert!(record.len() > 1 << 30);
}

#[test]
fn a_torn_tail_is_incomplete_and_its_key_is_known() {
    let riak = FormatKind::Riak.format();
    let file = fs::read(fixture("riak/riak-torn/13.bitcask.data")).unwrap();
    assert_eq!(walk(riak, &file, |_, _, _| ()), End::Short(17_244));
    let Decoded::Incomplete { needed } = riak.decode(&FileHeader::NONE, 17_244, &file[17_244..]) else { panic!() };
    assert_eq!(needed, 14 + 17, "26 of 53 bytes are there, and a key of 17 ends after 31");
}

#[test]
fn a_changed_value_fails_its_check_and_nothing_else_does() {
    let riak = FormatKind::Riak.format();
    for (id, file) in segments(riak, &fixture("riak/riak-corrupt")) {
        let mut damaged = Vec::new();
        let end = walk(riak, &file, |offset, record, value| {
            if let Err(check) = record.check_value(value) {
                assert!(matches!(check, Check::ValueChecksum { .. }));
                damaged.push((offset, record.key.to_vec()));
            }
        });
        assert_eq!(end, End::Clean);
        let expected = if id == 8 { vec![(18_368, b"user:00238".to_vec())] } else { vec![] };
        assert_eq!(damaged, expected, "{id}");
    }
}

#[test]
fn the_last_record_of_a_logkv_store_key_is_what_logkv_store_lists() {
    let go = FormatKind::LogkvGo.format();
    for name in ["logkv-small", "logkv-multi", "logkv-edge"] {
        let mut live = BTreeMap::new();
        let mut deletions = 0;
        for (id, file) in segments(go, &fixture(&format!("logkv-go/{name}"))) {
            let end = walk(go, &file, |_, record, value| {
                assert_eq!(record.kind == Kind::Tombstone, value.is_empty());
                match record.kind {
                    Kind::Put => drop(live.insert(record.key.to_vec(), (sha256_hex(value), record.stored_len))),
                    _ => {
                        deletions += 1;
                        live.remove(record.key);
                    }
                }
            });
            assert_eq!(end, End::Clean, "{name}/{id}");
        }
        assert!(deletions > 0, "{name}");
        let expected = go_oracle(&fixture(&format!("logkv-go/{name}.oracle.jsonl")));
        assert_eq!(live.len(), expected.len(), "{name}");
        for key in expected {
            assert_eq!(live[&key.key], (key.value_sha256, key.value_len), "{name}");
        }
    }
}

/// Before the restart logkv-store still knew two empty values, which its files do not tell from deletions.
#[test]
fn empty_values_of_logkv_store_are_deletions_with_a_remark() {
    let go = FormatKind::LogkvGo.format();
    let before = go_oracle(&fixture("logkv-go/logkv-edge.before-restart.oracle.jsonl"));
    let empty: Vec<_> = before.into_iter().filter(|key| key.value_len == 0).map(|key| key.key).collect();
    assert_eq!(empty.len(), 2);
    let mut remarks = Vec::new();
    for file in segments(go, &fixture("logkv-go/logkv-edge")).values() {
        walk(go, file, |_, record, _| {
            assert_eq!(record.kind == Kind::Tombstone, record.oddity.is_some());
            if record.oddity.is_some() {
                remarks.push(record.key.to_vec());
            }
        });
    }
    assert!(empty.iter().all(|key| remarks.contains(key)));
}

#[cfg(unix)]
#[test]
fn a_fingerprint_shows_a_change_and_is_none_itself() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy");
    support::copy_dir(&fixture("riak/riak-open-crash"), &copy);
    let before = support::dir_fingerprint(&copy);
    assert_eq!(before.len(), 12);
    assert_eq!(support::dir_fingerprint(&copy), before);
    let mut data = fs::read(copy.join("5.bitcask.data")).unwrap();
    data[0] ^= 1;
    fs::write(copy.join("5.bitcask.data"), data).unwrap();
    assert_ne!(support::dir_fingerprint(&copy), before);
}
