//! Looking at what was loaded: lists and histories say the same of a record as the keydir does.

use std::ops::ControlFlow;
use std::path::Path;

use logkv::disk::Disk;
use logkv::disk::sim::SimDisk;
use logkv::inspect::{self, Reason, RowState};
use logkv::{Options, Store};

use super::{Hand, kinds, options, riak_record, segment_path};
use logkv::format::Kind;
use logkv::format::record::{NewRecord, encode};
use logkv::store::FindingKind;

fn rows(store: &Store) -> Vec<(u64, RowState)> {
    let segments = store.segments();
    let rows = segments.iter().flat_map(|segment| inspect::records(store, segment.id, 0).unwrap());
    rows.map(|row| row.map(|row| (row.offset, row.state)).unwrap()).collect()
}

fn history(store: &Store, key: &[u8]) -> Vec<(RowState, Reason)> {
    let versions = inspect::history(store, key, &mut |_, _| ControlFlow::Continue(())).unwrap();
    versions.into_iter().map(|version| (version.row.state, version.reason)).collect()
}

/// A damaged record of Riak's claimed a length that reached exactly to the torn tail. Loading, which reads to the end of
/// the file, saw nothing intact behind it, and found a record in its midst. Listing stopped before the tail, took that
/// for the end, and believed the damaged record's key: it showed a newest version that the keydir had never heard of.
#[test]
fn records_before_a_torn_tail_are_listed_as_they_were_loaded() {
    let first = riak_record(1_700_000_000, b"a", b"1");
    let inner = riak_record(1_700_000_001, b"b", b"2");
    let mut damaged = riak_record(1_700_000_002, b"a", &[b"junk", &inner[..]].concat());
    damaged[0] ^= 1;
    let file = [&first[..], &damaged, b"t"].concat();
    let disk = SimDisk::from_files([("1.bitcask.data", file)]).unwrap();
    let store = Store::open_read_only_on(disk.reader(), Path::new(""), options()).unwrap();
    assert!(kinds(&store).contains(&FindingKind::TornTail), "{:?}", store.findings());
    let (gap, inner_at) = (first.len() as u64, (first.len() + damaged.len() - inner.len()) as u64);
    let torn = (first.len() + damaged.len()) as u64;
    let expected = [(0, RowState::Live), (gap, RowState::Damaged), (inner_at, RowState::Live), (torn, RowState::Torn)];
    assert_eq!(rows(&store), expected);
    assert_eq!(history(&store, b"a"), [(RowState::Live, Reason::Live)]);
}

/// A record of a kind that only a later version knows was called live when it was the newest of its key, and the live
/// one below it superseded. What it does is not known, so it takes nothing's place.
#[test]
fn a_record_of_an_unknown_kind_supersedes_nothing() {
    let Hand { mut bytes } = Hand::begin(1).put(b"k", b"v", 1);
    let offset = bytes.len() as u64;
    let unknown = NewRecord { kind: Kind::Unknown(0x90), ..NewRecord::put(b"k", b"?", 2) };
    encode(&unknown, super::SALT, offset, &mut bytes);
    let disk = SimDisk::from_files([(segment_path(1), bytes)]).unwrap();
    let store = Store::open_read_only_on(disk.reader(), Path::new(super::DIR), Options::default()).unwrap();
    assert_eq!(history(&store, b"k"), [(RowState::Unknown, Reason::Unknown), (RowState::Live, Reason::Live)]);
}

/// A hint of Riak's, with every checksum right, named a record that ends in the midst of another. Loading went on from
/// there and found a torn tail; listing came from the front, stepped over that place, and put the same tail behind the
/// end of the file.
#[test]
fn a_list_ends_with_the_file_whatever_a_hint_says() {
    let file = [riak_record(1_700_000_000, b"a", b"1"), riak_record(1_700_000_001, b"b", b"2")].concat();
    let middle = 20u32;
    let entry = [&1_700_000_000u32.to_be_bytes()[..], &1u16.to_be_bytes(), &middle.to_be_bytes(), &[0; 8], b"a"];
    let mut hint = entry.concat();
    let closing = [&[0; 6][..], &crc32fast::hash(&hint).to_be_bytes(), &(u64::MAX >> 1).to_be_bytes()].concat();
    hint.extend(closing);
    let len = file.len() as u64;
    let disk = SimDisk::from_files([("1.bitcask.data", file), ("1.bitcask.hint", hint)]).unwrap();
    let store = Store::open_read_only_on(disk.reader(), Path::new(""), options()).unwrap();
    let rows: Vec<_> = inspect::records(&store, 1, 0).unwrap().map(|row| row.unwrap()).collect();
    let mut at = 0;
    for row in &rows {
        assert_eq!(row.offset, at, "{rows:#?}");
        at += row.len;
    }
    assert_eq!(at, len, "{rows:#?}");
    assert_eq!((rows[1].offset, rows[1].state), (16, RowState::Damaged), "it may be the tail, or a record");
    assert_eq!((rows[2].offset, rows[2].state), (u64::from(middle), RowState::Torn));
}
