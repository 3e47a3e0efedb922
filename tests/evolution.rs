//! Files of yesterday and of tomorrow: a store of format 1, frozen, opens for ever; and of what a later version may write,
//! each part is read, carried along, or refused.
//!
//! `tests/fixtures/native-1` was written by the version that introduced the format, and is never written again. Should the
//! format grow, a directory is added beside it:
//!
//! ```text
//! LOGKV_FIXTURE=tests/fixtures/native-2 cargo test --test evolution -- --ignored
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use logkv::disk::sim::SimDisk;
use logkv::format::record::{self, NewRecord};
use logkv::format::{Decoded, FormatKind, Kind, Origin};
use logkv::inspect;
use logkv::store::{Batch, Compression, Expiry, FindingKind, MergeChoice, MergeControl, Mode, PutOptions, SyncPolicy};
use logkv::{Error, Options, Store};
use support::{ManualClock, fixture};

const DIR: &str = "/data";
const SALT: u32 = 0x5a17_5a17;

fn open(disk: &SimDisk) -> Result<Store, Error> {
    Store::open_on(Arc::new(disk.clone()), Path::new(DIR), Options { seed: 3, ..Options::default() })
}

fn read(disk: &SimDisk) -> Result<Store, Error> {
    Store::open_read_only_on(Arc::new(disk.clone()), Path::new(DIR), Options::default())
}

/// Every key that the frozen store holds, and its value.
fn frozen() -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut keys: Vec<(Vec<u8>, Vec<u8>)> = (0..12_u8)
        .filter(|n| n % 3 != 0)
        .map(|n| (format!("key {n}").into_bytes(), format!("value {n} of the last round").into_bytes()))
        .collect();
    keys.push((Vec::new(), b"under the empty key".to_vec()));
    keys.push((b"\xff\x00\n".to_vec(), Vec::new()));
    keys.push((b"in a batch".to_vec(), b"whole".to_vec()));
    keys.push((b"packed".to_vec(), [b'z'; 600].to_vec()));
    keys.push((b"for a thousand years".to_vec(), b"soon".to_vec()));
    keys.sort();
    keys
}

/// Writes such a store: puts, deletes, an expiry each way, a batch, a compressed value, marks, hints, a merged segment.
#[test]
#[ignore = "the fixture is frozen; this is how it was made"]
fn write_a_store_of_the_format_as_it_is_now() {
    let dir = std::env::var("LOGKV_FIXTURE").expect("LOGKV_FIXTURE names a directory that is missing");
    let options = Options {
        create: true,
        max_segment_bytes: 512,
        sync: SyncPolicy::Interval(Duration::from_millis(1)),
        compression: Compression::Lz4,
        seed: 1,
        clock: Arc::new(ManualClock::default()),
        ..Options::default()
    };
    let store = Store::open(Path::new(&dir), options).unwrap();
    for round in ["first", "second", "last"] {
        for n in 0..12_u8 {
            store.put(format!("key {n}").as_bytes(), format!("value {n} of the {round} round").as_bytes()).unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    for n in (0..12_u8).step_by(3) {
        store.delete(format!("key {n}").as_bytes()).unwrap();
    }
    let years =
        |n: u64| PutOptions { expiry: Expiry::After(Duration::from_secs(n * 31_556_952)), ..PutOptions::default() };
    store.put_with(b"for a thousand years", b"soon", &years(1000)).unwrap();
    store.put_with(b"gone long ago", b"what", &PutOptions { expiry: Expiry::At(1), ..PutOptions::default() }).unwrap();
    store.merge(&MergeChoice::All, &MergeControl::default()).unwrap().unwrap();
    store.put(b"", b"under the empty key").unwrap();
    store.put(b"\xff\x00\n", b"").unwrap();
    store.put(b"packed", &[b'z'; 600]).unwrap();
    let mut batch = Batch::new();
    batch.put(b"in a batch", b"half").unwrap();
    batch.put(b"in a batch", b"whole").unwrap();
    batch.put(b"deleted again", b"").unwrap();
    batch.delete(b"deleted again").unwrap();
    store.write(&batch).unwrap();
    store.close().unwrap();
}

#[test]
fn a_store_of_format_1_opens_for_ever() {
    let disk = SimDisk::new();
    disk.insert_dir(DIR).unwrap();
    for entry in fixture("native-1").read_dir().unwrap().map(Result::unwrap) {
        disk.insert(format!("{DIR}/{}", entry.file_name().display()), std::fs::read(entry.path()).unwrap()).unwrap();
    }
    let check = |store: &Store| {
        assert_eq!(store.findings(), []);
        let keys: Vec<_> =
            store.scan(b"").map(|(key, _)| (key.to_vec(), store.get(&key).unwrap().into_value().unwrap())).collect();
        assert_eq!(keys, frozen());
    };
    check(&read(&disk).unwrap());
    let report = inspect::verify(&read(&disk).unwrap(), &mut |_, _| std::ops::ControlFlow::Continue(())).unwrap();
    assert!(report.findings.is_empty() && report.records > 15, "{report:?}");
    let origins: Vec<_> = read(&disk).unwrap().segments().iter().map(|segment| segment.origin).collect();
    assert!(origins.contains(&Origin::Merge) && origins.contains(&Origin::Puts));
    // By its records alone, too.
    let bare = disk.fork();
    let hints = bare.image().into_keys().filter(|path| path.extension().is_some_and(|ending| ending == "hint"));
    hints.collect::<Vec<_>>().iter().for_each(|path| bare.delete(path).unwrap());
    check(&read(&bare).unwrap());
    // And as a store that goes on.
    for disk in [disk, bare] {
        let store = open(&disk).unwrap();
        check(&store);
        store.merge(&MergeChoice::All, &MergeControl::default()).unwrap().unwrap();
        check(&store);
        store.put(b"later", b"one").unwrap();
        store.close().unwrap();
        assert_eq!(open(&disk).unwrap().get(b"later").unwrap().value(), Some(&b"one"[..]));
    }
}

/// A segment file by hand.
struct Hand(Vec<u8>);

impl Hand {
    fn begin() -> Self {
        let mut bytes = Vec::new();
        record::encode_file_header(1, SALT, 0, Origin::Puts, &mut bytes);
        Self(bytes)
    }

    /// Eight bytes more of a header, which only a later version knows.
    fn with_longer_header(mut self) -> Self {
        self.0[10..12].copy_from_slice(&48_u16.to_le_bytes());
        let crc = crc32fast::hash(&self.0[..36]);
        self.0[36..40].copy_from_slice(&crc.to_le_bytes());
        self.0.extend_from_slice(b"tomorrow");
        self
    }

    fn record(mut self, new: &NewRecord<'_>) -> Self {
        let offset = self.0.len() as u64;
        record::encode(new, SALT, offset, &mut self.0);
        self
    }

    /// A put whose flags have a bit that is not known.
    fn put_with_a_flag(mut self, key: &[u8], tstamp: u64) -> Self {
        let start = self.0.len();
        self = self.record(&NewRecord::put(key, b"v", tstamp));
        self.0[start + 9] |= 0x20;
        let mut crc = crc32fast::Hasher::new();
        crc.update(&SALT.to_le_bytes());
        crc.update(&(start as u64).to_le_bytes());
        crc.update(&self.0[start + 4..start + 24 + key.len()]);
        self.0[start..start + 4].copy_from_slice(&crc.finalize().to_le_bytes());
        self
    }

    fn disk(self) -> SimDisk {
        SimDisk::from_files([(format!("{DIR}/0000000001.data"), self.0)]).unwrap()
    }
}

#[test]
fn a_longer_file_header_is_read_and_a_merge_writes_one_of_today() {
    let hand = Hand::begin().with_longer_header();
    let disk = hand
        .record(&NewRecord::put(b"a", b"1", 1))
        .record(&NewRecord::put(b"b", b"old", 2))
        .record(&NewRecord::put(b"b", b"new", 3))
        .disk();
    let store = open(&disk).unwrap();
    assert_eq!(store.findings(), []);
    assert_eq!(store.file_header(1).unwrap().len, 48);
    assert_eq!(store.get(b"a").unwrap().value(), Some(&b"1"[..]));
    let merged = store.merge(&MergeChoice::All, &MergeControl::default()).unwrap().unwrap();
    assert_eq!(store.file_header(merged.outputs[0]).unwrap().len, 40);
    store.close().unwrap();
    let store = open(&disk).unwrap();
    assert_eq!(store.get(b"b").unwrap().value(), Some(&b"new"[..]));
}

#[test]
fn an_unknown_kind_that_may_be_skipped_is_carried_through_a_merge_unchanged() {
    const KIND: u8 = 0x90;
    let unknown = NewRecord {
        kind: Kind::Unknown(KIND),
        batch_continues: true,
        barrier: true,
        expires_at: Some(1),
        ..NewRecord::put(b"whose", b"what tomorrow means by it", 2)
    };
    let disk = Hand::begin()
        .record(&NewRecord::put(b"a", b"old", 1))
        .record(&unknown)
        .record(&NewRecord::put(b"a", b"new", 3))
        .disk();
    for round in 0..3 {
        let store = open(&disk).unwrap();
        assert_eq!((store.mode(), store.findings()), (Mode::ReadWrite, vec![]), "round {round}");
        store.put(b"a", format!("in round {round}").as_bytes()).unwrap();
        store.merge(&MergeChoice::All, &MergeControl::default()).unwrap().unwrap();
        assert_eq!(store.get(b"whose").unwrap().found, None, "nobody knows what it means");
        let found = carried(&store);
        let expected = (KIND, b"whose".to_vec(), b"what tomorrow means by it".to_vec(), 2, Some(1), 0b1_0011);
        assert_eq!(found, [expected], "round {round}");
        store.close().unwrap();
    }
}

type Carried = (u8, Vec<u8>, Vec<u8>, u64, Option<u64>, u8);

/// The records of kinds that are not known here.
fn carried(store: &Store) -> Vec<Carried> {
    let mut found = Vec::new();
    for segment in store.segments() {
        let mut walk = store.walk(segment.id, 0).unwrap();
        let bytes = store.bytes(segment.id, 0, usize::try_from(segment.bytes).unwrap()).unwrap();
        while let Some(item) = walk.scanner.next_item().unwrap() {
            let at = item.offset as usize;
            let Decoded::Record(record) = FormatKind::Native.format().decode(&walk.header, item.offset, &bytes[at..])
            else {
                panic!("no record at {at}")
            };
            if let Kind::Unknown(kind) = record.kind {
                let value = &bytes[at + record.value_start as usize..at + record.len() as usize];
                record.check_value(value).unwrap();
                let (key, value) = (record.key.to_vec(), value.to_vec());
                found.push((kind, key, value, record.tstamp, record.expires_at, record.flags));
            }
        }
    }
    found
}

#[test]
fn an_unknown_flag_a_kind_that_matters_and_a_later_layout_are_refused() {
    let later = |at: usize, byte: u8| {
        let mut hand = Hand::begin().record(&NewRecord::put(b"a", b"1", 1));
        hand.0[at] = byte;
        let crc = crc32fast::hash(&hand.0[..36]);
        hand.0[36..40].copy_from_slice(&crc.to_le_bytes());
        hand.disk()
    };
    let matters = NewRecord { kind: Kind::Unknown(0x10), ..NewRecord::put(b"b", b"x", 2) };
    let cases = [
        ("flags", Hand::begin().record(&NewRecord::put(b"a", b"1", 1)).put_with_a_flag(b"b", 2).disk()),
        ("kind", Hand::begin().record(&NewRecord::put(b"a", b"1", 1)).record(&matters).disk()),
        ("version", later(8, 2)),
        ("feature bits", later(20, 1)),
        ("origin", later(32, 7)),
    ];
    for (what, disk) in cases {
        let before = disk.image();
        for refused in [open(&disk), read(&disk)] {
            let error = refused.unwrap_err();
            assert!(matches!(&error, Error::NeedsNewer { what: told, .. } if told.contains(what)), "{what}: {error}");
        }
        let options = Options { inspect: true, ..Options::default() };
        let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options).unwrap();
        assert!(matches!(store.get(b"a"), Err(Error::NeedsNewer { .. })), "{what}");
        assert!(store.findings().iter().any(|finding| finding.kind == FindingKind::NeedsNewer), "{what}");
        let merged = store.merge(&MergeChoice::All, &MergeControl::default());
        assert!(matches!(merged, Err(Error::ReadOnly { .. })), "{what}: {merged:?}");
        store.close().unwrap();
        let data = |image: &std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>| {
            image.get(Path::new("data/0000000001.data")).cloned()
        };
        assert_eq!(data(&disk.image()), data(&before), "{what}");
    }
}
