//! Stores that must not be opened, or not for writing.

use logkv::disk::sim::SimDisk;
use logkv::format::hint::{HintBuilder, HintEntry};
use logkv::format::{Decoded, FormatKind, record};
use logkv::store::{FindingKind, Mode, Recovery};
use logkv::{Error, Options};

use super::{
    Hand, SALT, certain, files, hint_path, kinds, open, options, read, refusal, riak_record, segment_path, shown,
};

/// A merge was stopped half-way, and its `MERGE` file was damaged since; a reader took the inputs that were left for the
/// store, and deleted keys were back. Nobody knows what is missing then: nothing is written, and no answer is certain.
#[test]
fn a_merge_that_nobody_can_finish_makes_every_answer_suspect_and_refuses_the_writer() {
    let disk = super::store_of(3);
    disk.insert("/data/MERGE", b"inputs and outputs".to_vec()).unwrap();
    let before = files(&disk);
    for opened in [read(&disk, options()), open(&disk, options())] {
        let store = opened.unwrap();
        assert_eq!(store.mode(), Mode::ReadOnly);
        assert!(kinds(&store).contains(&FindingKind::UnfinishedMerge), "{:?}", store.findings());
        assert!(store.is_suspect(b"a") && store.get(b"nobody").unwrap().suspect);
        assert!(matches!(store.put(b"b", b"x"), Err(Error::ReadOnly { .. })));
    }
    let strict = read(&disk, Options { recovery: Recovery::Strict, ..options() });
    assert!(matches!(refusal(strict), Error::StrictDamage { .. }));
    assert_eq!(files(&disk).keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
}

/// A store with a record that only a later version can read was opened with `inspect` and got a writer all the same: a
/// delete answered that the key had no value, by a keydir that did not know the newest version. Looking is not writing.
#[test]
fn inspecting_never_opens_a_writer_over_records_from_the_future() {
    let mut hand = Hand::begin(1).put(b"a", b"v", 5);
    let offset = hand.len();
    hand = hand.put(b"a", b"in a codec from the future", 6);
    from_the_future(&mut hand.bytes, offset);
    let disk = SimDisk::from_files([(segment_path(1), hand.bytes)]).unwrap();
    for opened in [read(&disk, options()), open(&disk, options())] {
        let refused = refusal(opened);
        assert!(matches!(refused, Error::NeedsNewer { .. }), "{refused:?}");
    }
    let before = files(&disk);
    let store = open(&disk, Options { inspect: true, ..options() }).unwrap();
    assert_eq!(store.mode(), Mode::ReadOnly);
    assert!(kinds(&store).contains(&FindingKind::NeedsNewer), "{:?}", store.findings());
    assert!(matches!(store.put(b"b", b"x"), Err(Error::ReadOnly { .. })));
    assert!(matches!(store.delete(b"a"), Err(Error::ReadOnly { .. })));
    assert!(matches!(store.get(b"a"), Err(Error::NeedsNewer { .. })));
    store.close().unwrap();
    assert_eq!(files(&disk), before);
}

/// Gives the record at `offset` the codec 2, and a header checksum that holds.
fn from_the_future(bytes: &mut [u8], offset: usize) {
    const FLAGS: usize = 9;
    let covered = offset + 4..offset + record::HEADER_LEN + 1;
    bytes[offset + FLAGS] |= 0b1000;
    let mut crc = crc32fast::Hasher::new();
    crc.update(&SALT.to_le_bytes());
    crc.update(&(offset as u64).to_le_bytes());
    crc.update(&bytes[covered]);
    bytes[offset..offset + 4].copy_from_slice(&crc.finalize().to_le_bytes());
}

/// `--from native` on a directory of Riak's made a native store among its files: from then on each open had to choose
/// between two formats. A format that is not there is refused, and nothing is made.
#[test]
fn a_format_that_is_not_there_is_refused_and_begins_no_store() {
    let disk = SimDisk::from_files([("/data/1.bitcask.data", riak_record(1, b"k", b"v"))]).unwrap();
    let native = || Options { create: false, from: Some(FormatKind::Native), ..options() };
    for opened in [open(&disk, native()), read(&disk, native())] {
        let refused = refusal(opened);
        assert!(matches!(refused, Error::NotAStore { .. }), "{refused:?}");
    }
    assert_eq!(disk.image().len(), 1, "{:?}", disk.image().keys());
    assert_eq!(shown(&open(&disk, Options { create: false, ..options() }).unwrap(), b"k"), certain("v"));
}

/// A hint, unlike a record, could say a tstamp beyond 2^63: the next put got a higher one still and was lost at the next
/// open. Such a hint must not be believed.
#[test]
fn a_hint_with_a_tstamp_beyond_the_limit_is_not_believed() {
    let bytes = Hand::begin(1).put(b"a", b"v", 5).bytes;
    let hint = hint_saying(&bytes, 1 << 63);
    let disk = SimDisk::from_files([(segment_path(1), bytes), (hint_path(1), hint)]).unwrap();
    let store = open(&disk, options()).unwrap();
    assert_eq!(kinds(&store), [FindingKind::DamagedHint]);
    assert!(store.put(b"b", b"kept").unwrap().tstamp < 1 << 63);
    store.close().unwrap();
    let store = open(&disk, options()).unwrap();
    assert_eq!((shown(&store, b"a"), shown(&store, b"b")), (certain("v"), certain("kept")));
    assert_eq!(store.findings(), []);
}

/// The hint of a segment with one record, which it gives another tstamp.
fn hint_saying(segment: &[u8], tstamp: u64) -> Vec<u8> {
    let offset = record::FILE_HEADER_LEN;
    let Decoded::Record(only) = record::decode(SALT, offset as u64, &segment[offset..]) else { panic!("no record") };
    let mut hint = HintBuilder::default();
    hint.add(&HintEntry { tstamp, ..HintEntry::of(&only, offset as u64) });
    hint.finish(1, SALT, segment.len() as u64)
}
