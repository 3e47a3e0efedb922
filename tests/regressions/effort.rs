//! Searches after damage: what they cost is bounded, and what they did not search they do not judge.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use logkv::disk::sim::SimDisk;
use logkv::disk::{DirEntry, Disk, FileIdentity, ReadDisk, ReadFile};
use logkv::store::{FindingKind, Mode};
use logkv::{Options, Store};

use super::{
    DIR, Hand, PERHAPS_ABSENT, assert_strict_refuses, certain, files, kinds, open, options, read, riak_record,
    segment_path, shown, suspected,
};

/// How much was read.
#[derive(Debug, Default)]
struct Counts {
    reads: AtomicU64,
    bytes: AtomicU64,
}

impl Counts {
    fn reads(&self) -> u64 {
        self.reads.load(Ordering::SeqCst)
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
struct CountingDisk {
    disk: Arc<dyn ReadDisk>,
    counts: Arc<Counts>,
}

#[derive(Debug)]
struct CountingFile {
    file: Arc<dyn ReadFile>,
    counts: Arc<Counts>,
}

impl ReadDisk for CountingDisk {
    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        self.disk.list(dir)
    }

    fn entry(&self, path: &Path) -> io::Result<DirEntry> {
        self.disk.entry(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        Ok(Arc::new(CountingFile { file: self.disk.open_read(path)?, counts: self.counts.clone() }))
    }
}

impl ReadFile for CountingFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.file.read_at(buf, offset)?;
        self.counts.reads.fetch_add(1, Ordering::SeqCst);
        self.counts.bytes.fetch_add(read as u64, Ordering::SeqCst);
        Ok(read)
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        self.file.identity()
    }
}

/// Opens for reading, and counts.
fn counted(disk: &SimDisk, options: Options) -> (Store, Arc<Counts>) {
    let counts = Arc::new(Counts::default());
    let counting = CountingDisk { disk: Disk::reader(disk), counts: counts.clone() };
    (Store::open_read_only_on(Arc::new(counting), Path::new(DIR), options).unwrap(), counts)
}

/// A value in which every few bytes look like a record of Riak's that is worth a checksum over 60 kB: 10,000 of them
/// spend any budget.
fn costly_riak_value() -> Vec<u8> {
    let mut frame = vec![0x11; 4];
    frame.extend(1_700_000_000u32.to_be_bytes());
    frame.extend(0u16.to_be_bytes());
    frame.extend(60_000u32.to_be_bytes());
    let mut value = frame.repeat(10_000);
    value.resize(value.len() + 70_000, 0x11);
    value
}

/// The length of a long value had a flipped bit, and the search for the next record gave up before it found it: the
/// rest of the file, intact records and all, passed for a torn tail. Reading said nothing and answered with old values.
/// What was not searched is damage.
#[test]
fn a_search_given_up_in_a_foreign_file_is_damage_and_no_torn_tail() {
    let mut bytes = riak_record(1_700_000_000, b"k", b"old");
    let hit = bytes.len();
    bytes.extend(riak_record(1_700_000_001, b"big", &costly_riak_value()));
    bytes.extend(riak_record(1_700_000_002, b"k", b"new"));
    bytes.extend(riak_record(1_700_000_002, b"after", b"v"));
    let disk = SimDisk::from_files([("/data/1.bitcask.data", bytes.clone())]).unwrap();
    assert_eq!(shown(&read(&disk, options()).unwrap(), b"k"), certain("new"));
    bytes[hit + 10] ^= 0x40;
    let disk = SimDisk::from_files([("/data/1.bitcask.data", bytes)]).unwrap();
    assert_strict_refuses(&disk);
    let store = read(&disk, options()).unwrap();
    assert_eq!(kinds(&store), [FindingKind::DamagedRecord]);
    assert!(store.findings()[0].message.contains("given up"), "{:?}", store.findings());
    assert_eq!(shown(&store, b"k"), suspected("old"));
    assert_eq!(shown(&store, b"big"), PERHAPS_ABSENT);
    assert_eq!(shown(&store, b"after"), PERHAPS_ABSENT);
}

/// The same for a native record: 6,000 headers, each with a key of 64 KiB to check.
fn costly_native_value() -> Vec<u8> {
    let mut header = vec![0x11; 8];
    header.extend([1, 0]);
    header.extend(u16::MAX.to_le_bytes());
    header.extend(0u32.to_le_bytes());
    header.extend(1u64.to_le_bytes());
    let mut value = header.repeat(6_000);
    value.resize(value.len() + 70_000, 0);
    value
}

/// The header of a long record in the active segment was damaged, and the search gave up before the records behind it,
/// which say that it had been synced: it passed for the end of the log, and records that had been acknowledged as
/// durable were cut. What was not searched must not be cut, nor be passed over without a word.
#[test]
fn a_search_given_up_in_the_active_segment_cuts_nothing() {
    let hand = Hand::begin(1).put(b"k", b"old", 5);
    let hit = hand.len();
    let mut bytes = hand.put(b"big", &costly_native_value(), 6).put(b"k", b"new", 7).put(b"after", b"v", 8).bytes;
    let disk = SimDisk::from_files([(segment_path(1), bytes.clone())]).unwrap();
    assert_eq!(shown(&read(&disk, options()).unwrap(), b"k"), certain("new"));
    bytes[hit + 20] ^= 0x40;
    let disk = SimDisk::from_files([(segment_path(1), bytes)]).unwrap();
    assert_strict_refuses(&disk);
    let before = files(&disk);
    for open in [read, open] {
        let store = open(&disk, options()).unwrap();
        assert_eq!(kinds(&store), [FindingKind::DamagedRecord]);
        assert!(store.findings()[0].message.contains("given up"), "{:?}", store.findings());
        assert_eq!(shown(&store, b"k"), suspected("old"));
        assert_eq!(shown(&store, b"after"), PERHAPS_ABSENT);
        if store.mode() == Mode::ReadWrite {
            assert_eq!(store.put(b"k", b"newest").unwrap().location.segment, 2, "it is not appended to");
            assert_eq!(shown(&store, b"k"), certain("newest"));
        }
    }
    let mut after = files(&disk);
    after.retain(|path, _| before.contains_key(path));
    assert_eq!(after, before);
    assert!(!disk.image().keys().any(|path| path.to_string_lossy().contains("quarantine")));
}

/// Bytes that a walk may read of a file of some MiB, however it is made: the budget of its searches and as much again.
const ENOUGH: u64 = 512 << 20;

/// Frames that each claim almost the rest of the file, with a record behind each, so that each was checked to the end:
/// work grew with the square of the file, past any budget. The checks must be paid for like the searches.
#[test]
fn overlapping_frames_do_not_make_opening_quadratic() {
    const LEN: usize = 2 << 20;
    let mut bytes = Vec::new();
    while bytes.len() + 200_000 < LEN {
        let claim = ((LEN - bytes.len() - 14) & !0xffff) - 1;
        bytes.extend([0xff; 8]);
        bytes.extend(0u16.to_be_bytes());
        bytes.extend((claim as u32).to_be_bytes());
        bytes.extend(riak_record(u32::MAX, &[0xff; 257], b""));
    }
    bytes.resize(LEN, 0xff);
    let disk = SimDisk::from_files([("/data/1.bitcask.data", bytes)]).unwrap();
    let (store, counts) = counted(&disk, options());
    assert!(!store.findings().is_empty());
    assert!(counts.bytes() < ENOUGH, "{} MiB were read of 2", counts.bytes() >> 20);
}

/// Frames without checksums whose successors lie outside of the window: each look at one read a window there and another
/// one back, for the price of a few bytes.
#[test]
fn hops_out_of_the_window_are_paid_for() {
    let mut bytes = Vec::new();
    let mut frame = |key: &[u8], claim: u32| {
        bytes.extend(1u32.to_le_bytes());
        bytes.extend((key.len() as u32).to_le_bytes());
        bytes.extend(claim.to_le_bytes());
        bytes.extend(key);
    };
    frame(b"k", 1 << 30);
    (0..50_000).for_each(|_| frame(b"", 300_000));
    let disk = SimDisk::from_files([("/data/segment_1.log", bytes)]).unwrap();
    let (store, counts) = counted(&disk, options());
    assert!(!store.findings().is_empty());
    assert!(counts.bytes() < ENOUGH, "{} MiB were read of 1", counts.bytes() >> 20);
}

/// A segment was cut to a few bytes under an open store, and verifying it asked the disk anew at each of the bytes that
/// were no longer there. Once a file has turned out to end, it need not be asked again.
#[test]
fn verifying_a_file_that_was_cut_asks_the_disk_a_few_times() {
    let disk = SimDisk::new();
    let options = || Options { max_segment_bytes: 1 << 20, ..options() };
    let store = open(&disk, options()).unwrap();
    for i in 0..1000u64 {
        store.put(&i.to_le_bytes(), &[7; 18]).unwrap();
    }
    store.close().unwrap();
    let (reader, counts) = counted(&disk, options());
    disk.truncate(segment_path(1), 100).unwrap();
    let before = counts.reads();
    let report = logkv::inspect::verify(&reader, &mut |_, _| ControlFlow::Continue(())).unwrap();
    assert!(!report.findings.is_empty());
    let reads = counts.reads() - before;
    // The store is opened anew besides, with its checkpoint and without.
    assert!(reads < 40, "{reads} reads of a file of 100 bytes");
}
