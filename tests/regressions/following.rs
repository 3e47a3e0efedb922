//! A reader beside a writer, where what it sees is not of one moment.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use logkv::disk::sim::SimDisk;
use logkv::disk::{DirEntry, Disk, ReadDisk, ReadFile};
use logkv::{Error, Store};

use super::{ABSENT, DIR, certain, open, options, read, segment_path, shown};

/// Something happens between two looks at the disk.
#[derive(Debug)]
struct Moving {
    inner: Arc<dyn ReadDisk>,
    /// What the listing says of the first segment's length, if not 0: a line made before the file grew.
    stale_len: AtomicU64,
    /// Runs once, before a hint is opened.
    before_hint: Mutex<Option<Surprise>>,
}

struct Surprise(Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Surprise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Surprise")
    }
}

impl Moving {
    fn over(disk: &SimDisk) -> Arc<Self> {
        let (stale_len, before_hint) = (AtomicU64::new(0), Mutex::default());
        Arc::new(Self { inner: Disk::reader(disk), stale_len, before_hint })
    }
}

impl ReadDisk for Moving {
    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = self.inner.list(dir)?;
        let stale_len = self.stale_len.load(Ordering::SeqCst);
        for entry in entries.iter_mut().filter(|entry| stale_len > 0 && entry.name == "0000000001.data") {
            entry.len = stale_len;
        }
        Ok(entries)
    }

    fn entry(&self, path: &Path) -> io::Result<DirEntry> {
        self.inner.entry(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        if path.extension().is_some_and(|extension| extension == "hint")
            && let Some(surprise) = self.before_hint.lock().unwrap().take()
        {
            surprise.0();
        }
        self.inner.open_read(path)
    }
}

/// A refresh stopped at the first record that did not hold and said that all was well: the reader showed old values, and
/// deleted keys, for as long as it lived. It must show what a reader that attaches now shows.
#[test]
fn a_refresh_goes_on_behind_a_damaged_record() {
    let disk = SimDisk::new();
    let writer = open(&disk, options()).unwrap();
    writer.put(b"a", b"old").unwrap();
    writer.put(b"b", b"old").unwrap();
    let reader = read(&disk, options()).unwrap();
    let hit = writer.put(b"x", b"xxxxx").unwrap().location;
    writer.put(b"a", b"new").unwrap();
    writer.delete(b"b").unwrap();
    for i in 0..12 {
        writer.put(format!("k{i}").as_bytes(), b"some value").unwrap();
    }
    disk.flip_bit(segment_path(hit.segment), (hit.offset + hit.len - 1) * 8).unwrap();
    reader.refresh().unwrap();
    for store in [reader, read(&disk, options()).unwrap()] {
        assert_eq!(shown(&store, b"a"), certain("new"));
        assert_eq!(shown(&store, b"b"), ABSENT);
        assert_eq!(shown(&store, b"k11"), certain("some value"));
        assert!(matches!(store.get(b"x"), Err(Error::Damaged { offset, .. }) if offset == hit.offset));
    }
}

/// A listing is not of one moment: its line about segment 1 was made before segment 2 began. The reader read 1 up to
/// there, 2 to its end, and the rest of 1 at the next refresh: a put there undid the delete in 2. It must stay deleted.
#[test]
fn a_refresh_by_a_stale_listing_brings_no_ghost() {
    let disk = SimDisk::new();
    let writer = open(&disk, options()).unwrap();
    writer.put(b"a", b"1").unwrap();
    let moving = Moving::over(&disk);
    let reader = Store::open_read_only_on(moving.clone(), Path::new(DIR), options()).unwrap();
    let known = disk.image()[Path::new("data/0000000001.data")].len() as u64;
    writer.put(b"k", b"v").unwrap();
    for i in 0..12 {
        writer.put(format!("f{i}").as_bytes(), b"some value").unwrap();
    }
    assert_ne!(writer.delete(b"k").unwrap().unwrap().location.segment, 1);
    moving.stale_len.store(known, Ordering::SeqCst);
    reader.refresh().unwrap();
    assert_eq!(shown(&reader, b"k"), ABSENT);
    moving.stale_len.store(0, Ordering::SeqCst);
    reader.refresh().unwrap();
    assert_eq!(shown(&reader, b"k"), ABSENT);
    assert_eq!(shown(&reader, b"f11"), certain("some value"));
}

/// A reader looked at the length of a segment; the writer appended, sealed it and wrote its hint; then the reader took
/// in the hint, which names records beyond the length it knew. It reported lost bytes, and errors for good keys. A hint
/// that is newer than the length is no damage.
#[test]
fn a_hint_written_while_a_reader_attaches_is_no_evidence_of_lost_bytes() {
    let disk = SimDisk::new();
    let writer = open(&disk, options()).unwrap();
    writer.put(b"k", b"v").unwrap();
    writer.close().unwrap();
    let writer = open(&disk, options()).unwrap();
    let moving = Moving::over(&disk);
    *moving.before_hint.lock().unwrap() = Some(Surprise(Box::new(move || {
        writer.delete(b"k").unwrap();
        for i in 0..12 {
            writer.put(format!("f{i}").as_bytes(), b"some value").unwrap();
        }
    })));
    let reader = Store::open_read_only_on(moving.clone(), Path::new(DIR), options()).unwrap();
    assert!(moving.before_hint.lock().unwrap().is_none(), "the hint was opened");
    assert_eq!(reader.findings(), []);
    assert_eq!(shown(&reader, b"k"), ABSENT);
    assert_eq!(shown(&reader, b"f0"), certain("some value"));
    reader.refresh().unwrap();
    assert_eq!(shown(&reader, b"k"), ABSENT);
    assert_eq!(shown(&reader, b"f11"), certain("some value"));
}
