//! The file `TAIL`: where `interval` leaves its newest records with the kernel without a call for each.
//!
//! A write to a segment costs several times what everything else about a put does. So a store that is written to much
//! collects records in the tail, as under `buffered`, and copies each into a small file that is mapped into memory: a
//! process that is killed leaves it behind, and whoever opens the store next finds in it what the segment lacks. The segment
//! gets all of it in one write when there is enough, or soon after ([`super::background`]). It is made when a session has
//! written some, and taken away by a clean close.
//!
//! Must not know what a record means, nor when one may be told.
//!
//! # Invariants
//!
//! 1. What it holds is the tail, from its first byte on. It begins anew only when the segment has everything that it held.
//! 2. It is never believed against the segment: it may lengthen it, where both agree in what they have in common; if they
//!    do not, it goes to the quarantine.
//! 3. It promises nothing about a power cut. What is brought in by [`replay`] is judged as any end of a log.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, FileIdentity, ReadDisk, ReadFile, SharedBytes};
use crate::error::{Error, Result};
use crate::format::tail::{self, HEADER_LEN};
use crate::format::{Format, SegmentId, record};

use super::log::Tail;
use super::new_file::write_all;
use super::quarantine;

/// Bytes of records that it holds at most.
const MOST: usize = 1 << 20;
/// The file is as long as if it held so many times as much: giving back what it does not need makes room for what it holds
/// on a disk that is full by the time when that goes into the segment.
const ROOMS: usize = 2;
/// What lies behind this was not written here.
const MOST_FILE_BYTES: u64 = (HEADER_LEN + MOST) as u64;

/// The file as its writer has it.
#[derive(Debug)]
pub(super) struct TailFile {
    bytes: Box<dyn SharedBytes>,
    path: PathBuf,
    /// Bytes of records that fit.
    room: usize,
    /// The tail that it holds: its segment and where that begins.
    of: Option<(SegmentId, u64)>,
    /// Bytes of it that are in the file.
    kept: usize,
}

impl TailFile {
    /// Makes one for tails of up to `room` bytes, in place of one that was left behind. `None` where it cannot be had.
    pub(super) fn create(disk: &dyn Disk, dir: &Path, room: usize) -> Option<Self> {
        let (path, room) = (dir.join(tail::NAME), room.min(MOST));
        let _ = disk.remove(&path);
        let bytes = disk.create_shared(&path, HEADER_LEN + room * ROOMS).ok().flatten()?;
        Some(Self { bytes, path, room, of: None, kept: 0 })
    }

    /// Bytes of the tail at which it has to go into the segment.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// Copies what of the tail is not there yet. After an error it is of no more use; what was kept before stays.
    pub(super) fn keep(&mut self, tail: &Tail) -> io::Result<()> {
        let of = (tail.segment(), tail.start);
        if self.of != Some(of) {
            self.bytes.put(&tail::header(of.0, of.1), 0)?;
            (self.of, self.kept) = (Some(of), 0);
        }
        let new = tail.bytes.get(self.kept..).unwrap_or_default();
        self.bytes.put(new, HEADER_LEN + self.kept)?;
        self.kept += new.len();
        Ok(())
    }

    /// Takes it away: the segment has everything.
    pub(super) fn remove(self, disk: &dyn Disk) {
        // One that stays is found to say nothing new.
        let _ = disk.remove(&self.path);
    }
}

/// What was left behind in the directory, if anything.
pub(super) fn read(disk: &dyn ReadDisk, dir: &Path) -> Result<Option<tail::Tail>> {
    read_to(disk, dir, MOST_FILE_BYTES)
}

/// The segment whose tail is there, and where in it that begins.
pub(super) fn place(disk: &dyn ReadDisk, dir: &Path) -> Result<Option<(SegmentId, u64)>> {
    Ok(read_to(disk, dir, HEADER_LEN as u64)?.map(|tail| (tail.segment, tail.offset)))
}

fn read_to(disk: &dyn ReadDisk, dir: &Path, most: u64) -> Result<Option<tail::Tail>> {
    let path = dir.join(tail::NAME);
    let failed = |e| Error::io("read", &path, e);
    let file = match disk.open_read(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        // A pipe or a directory of that name is none of ours.
        Err(e) if matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory) => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    let len = file.len().map_err(failed)?.min(most);
    Ok(tail::Tail::decode(file.read_vec_at(len, 0).map_err(failed)?))
}

/// Writes what a killed process left behind to its segment, and takes the file away. For the holder of the lock, before it
/// looks at the segments. Errors leave everything as it was, or a segment that has some of it.
pub(super) fn replay(disk: &dyn Disk, dir: &Path) -> Result<()> {
    let Some(tail) = read(disk, dir)? else { return Ok(()) };
    let path = dir.join(record::Native.segment_name(tail.segment));
    match disk.open_write(&path) {
        Ok(file) => match beyond(&*file, &tail, &record::Native).map_err(|e| Error::io("read", &path, e))? {
            Beyond::Nothing => {}
            Beyond::Records { at, bytes } => {
                let write = || {
                    let failed = |e| Error::of_write("write", &path, bytes.len() as u64, e);
                    write_all(&*file, bytes, at).map_err(failed)
                };
                match write() {
                    Err(Error::NoSpace { .. }) => {
                        shorten(disk, dir, at + bytes.len() as u64 - tail.offset)?;
                        write()?;
                    }
                    written => written?,
                }
            }
            Beyond::Apart(bytes) => return set_aside(disk, dir, &tail, bytes),
        },
        // A merge took it away since, or a repair.
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(Error::io("open", &path, e)),
    }
    let _ = disk.remove(&dir.join(tail::NAME));
    Ok(())
}

/// Gives back what it takes beside its records.
fn shorten(disk: &dyn Disk, dir: &Path, records_len: u64) -> Result<()> {
    let path = dir.join(tail::NAME);
    let cut = || disk.open_write(&path)?.set_len(HEADER_LEN as u64 + records_len);
    cut().map_err(|e| Error::io("cut", &path, e))
}

/// Moves it to the quarantine: a power cut took what lay before it, or put something else in its place.
fn set_aside(disk: &dyn Disk, dir: &Path, tail: &tail::Tail, records: &[u8]) -> Result<()> {
    let name = format!("{:010}-{}-{:08x}.kept", tail.segment, tail.offset, crc32fast::hash(records));
    quarantine::take(disk, dir, &dir.join(tail::NAME), &name)
}

/// What a tail has that its segment lacks.
enum Beyond<'t> {
    Nothing,
    /// Records that belong at `at`, the end of the segment.
    Records {
        at: u64,
        bytes: &'t [u8],
    },
    /// Records that do not go together with what the segment has.
    Apart(&'t [u8]),
}

fn beyond<'t>(file: &dyn ReadFile, tail: &'t tail::Tail, format: &dyn Format) -> io::Result<Beyond<'t>> {
    let header = file.read_vec_at(format.max_file_header_len() as u64, 0)?;
    let Ok(header) = format.file_header(&header) else { return Ok(Beyond::Nothing) };
    if header.id.is_some_and(|id| id != tail.segment) {
        return Ok(Beyond::Nothing);
    }
    let records = tail.records(format, &header);
    if records.is_empty() {
        return Ok(Beyond::Nothing);
    }
    let Some(common) = file.len()?.checked_sub(tail.offset) else { return Ok(Beyond::Apart(records)) };
    let common = usize::try_from(common).unwrap_or(usize::MAX).min(records.len());
    let (common, bytes) = records.split_at(common);
    if file.read_vec_at(common.len() as u64, tail.offset)? != common {
        return Ok(Beyond::Apart(records));
    }
    let at = tail.offset + common.len() as u64;
    Ok(if bytes.is_empty() { Beyond::Nothing } else { Beyond::Records { at, bytes } })
}

/// A segment as whoever only reads sees it: its file, and behind its end what of it is in `TAIL` alone.
#[derive(Debug)]
struct Longer {
    file: Arc<dyn ReadFile>,
    /// Where `beyond` begins: the end of the file as it was.
    at: u64,
    beyond: Vec<u8>,
}

/// The file of a segment, longer by what `tail` has beyond it.
pub(super) fn lengthened(
    file: Arc<dyn ReadFile>,
    tail: &tail::Tail,
    format: &dyn Format,
) -> io::Result<Arc<dyn ReadFile>> {
    Ok(match beyond(&*file, tail, format)? {
        Beyond::Records { at, bytes } => Arc::new(Longer { at, beyond: bytes.to_vec(), file }),
        Beyond::Nothing | Beyond::Apart(_) => file,
    })
}

impl ReadFile for Longer {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.len()?.max(self.at + self.beyond.len() as u64))
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        // The file alone, where it has grown since.
        let read = self.file.read_at(buf, offset)?;
        let behind = offset.checked_sub(self.at).and_then(|skip| self.beyond.get(usize::try_from(skip).ok()?..));
        match behind {
            Some(rest) if read == 0 => {
                let n = rest.len().min(buf.len());
                buf.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                Ok(n)
            }
            _ => Ok(read),
        }
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        self.file.identity()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::time::Duration;

    use super::*;
    use crate::disk::sim::{CrashPolicy, SimDisk};
    use crate::store::{Batch, Options, Store, SyncPolicy};

    const DIR: &str = "/data";
    const TAIL: &str = "/data/TAIL";
    const SEGMENT: &str = "/data/0000000001.data";

    fn open(disk: &SimDisk) -> Store {
        let options = Options {
            sync: SyncPolicy::Interval(Duration::from_secs(3600)),
            create: true,
            tail_file_after: Some(0),
            seed: 1,
            ..Options::default()
        };
        Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options).unwrap()
    }

    fn read_only(disk: &SimDisk) -> Store {
        Store::open_read_only_on(Disk::reader(disk), Path::new(DIR), Options::default()).unwrap()
    }

    /// A store with one key. Its first write begins a segment, which is not the short way.
    fn begun(disk: &SimDisk) -> Store {
        let store = open(disk);
        store.put(b"first", b"").unwrap();
        store
    }

    /// A store that was killed with all of these in its tail, and how long its segment was by then.
    fn killed(keys: &[&str]) -> (SimDisk, usize) {
        let disk = SimDisk::new();
        let store = begun(&disk);
        for key in keys {
            store.put(key.as_bytes(), b"value").unwrap();
        }
        let killed = disk.kill();
        let len = killed.image()[Path::new("data/0000000001.data")].len();
        (killed, len)
    }

    fn has(disk: &SimDisk, path: &str) -> bool {
        disk.entry(Path::new(path)).is_ok()
    }

    #[test]
    fn what_was_killed_is_whole_for_readers_and_for_the_next_writer() {
        let (disk, segment_len) = killed(&["a", "b", "c"]);
        assert!(segment_len < 100, "nothing was written to the segment yet");
        let reader = read_only(&disk);
        assert_eq!(reader.get(b"c").unwrap().value(), Some(&b"value"[..]));
        assert_eq!(reader.stats().keys, 4);
        reader.refresh().unwrap();
        let store = open(&disk);
        assert_eq!(store.stats().keys, 4);
        assert!(!has(&disk, TAIL), "it is in the segment");
        // A reader that was there before follows.
        store.put(b"d", b"4").unwrap();
        store.sync().unwrap();
        reader.refresh().unwrap();
        assert_eq!(reader.get(b"d").unwrap().value(), Some(&b"4"[..]));
        assert_eq!(reader.get(b"a").unwrap().value(), Some(&b"value"[..]));
        store.close().unwrap();
        assert!(!has(&disk, TAIL), "a clean close takes it away");
    }

    #[test]
    fn a_reader_that_was_there_takes_in_what_a_killed_writer_left() {
        let disk = SimDisk::new();
        let store = begun(&disk);
        store.put(b"kept", b"value").unwrap();
        let killed = disk.kill();
        let tail = killed.image()[Path::new("data/TAIL")].clone();
        killed.remove(Path::new(TAIL)).unwrap();
        let reader = read_only(&killed);
        assert_eq!(reader.stats().keys, 1);
        killed.insert(TAIL, tail).unwrap();
        reader.refresh().unwrap();
        assert_eq!(reader.stats().keys, 1, "a writer that lives brings it into the segment");
        std::thread::sleep(Duration::from_millis(400));
        reader.refresh().unwrap();
        assert_eq!(reader.get(b"kept").unwrap().value(), Some(&b"value"[..]));
        assert_eq!(reader.refresh().unwrap(), crate::store::Refreshed::default(), "once");
    }

    #[test]
    fn a_batch_is_whole_or_not_there() {
        let disk = SimDisk::new();
        let store = begun(&disk);
        store.put(b"before", b"1").unwrap();
        let mut batch = Batch::new();
        (0..20_u8).for_each(|i| batch.put(&[i], &[i; 50]).unwrap());
        store.write(&batch).unwrap();
        let killed = disk.kill();
        assert_eq!(open(&killed.fork()).stats().keys, 22);
        let tail = killed.image()[Path::new("data/TAIL")].clone();
        let shorter = tail[..tail.iter().rposition(|byte| *byte != 0).unwrap() - 100].to_vec();
        killed.open_write(Path::new(TAIL)).unwrap().set_len(shorter.len() as u64).unwrap();
        assert_eq!(open(&killed).stats().keys, 2);
    }

    #[test]
    fn it_is_not_believed_against_its_segment() {
        let (disk, len) = killed(&["a", "b"]);
        let segment = disk.open_write(Path::new(SEGMENT)).unwrap();
        let tail = disk.image()[Path::new("data/TAIL")].clone();
        let record_len = record::encoded_len(1, 5, false) as usize;
        let records = &tail[HEADER_LEN..HEADER_LEN + 2 * record_len];
        // What a write that was cut short leaves: the rest comes from the tail.
        segment.write_at(&records[..record_len + 3], len as u64).unwrap();
        assert_eq!(open(&disk.fork()).stats().keys, 3);
        // Something else in their place.
        segment.write_at(&vec![b'x'; record_len], len as u64).unwrap();
        assert_eq!((open(&disk.fork()).stats().keys, read_only(&disk).stats().keys), (1, 1));
        // Something is missing before it.
        segment.set_len(len as u64 - 1).unwrap();
        let store = open(&disk);
        assert_eq!((store.stats().keys, has(&disk, TAIL)), (0, false));
        assert_eq!(disk.list(Path::new("/data/quarantine")).unwrap().len(), 2, "the tail, and what was cut");
    }

    #[test]
    fn the_segment_gets_all_of_it_when_it_is_full_and_at_a_sync() {
        let disk = SimDisk::new();
        let store = open(&disk);
        let segment_len = || disk.image()[Path::new("data/0000000001.data")].len() as u64;
        for i in 0..300_u32 {
            store.put(&i.to_be_bytes(), &[7; 10_000]).unwrap();
        }
        assert!(segment_len() > 2 << 20);
        store.sync().unwrap();
        assert_eq!(segment_len(), store.segments()[0].bytes);
        let cut = disk.crash(CrashPolicy::Drop, 0);
        assert_eq!(open(&cut).stats().keys, 300);
    }

    #[test]
    fn a_full_disk_has_room_for_what_was_kept() {
        let disk = SimDisk::new();
        let store = begun(&disk);
        for i in 0..100_u32 {
            store.put(&i.to_be_bytes(), &[7; 10_000]).unwrap();
        }
        let full = disk.kill();
        full.set_capacity(Some(full.image().values().map(|bytes| bytes.len() as u64).sum()));
        let store = open(&full);
        assert_eq!((store.mode(), store.stats().keys), (crate::store::Mode::ReadWrite, 101));
    }

    #[test]
    fn a_file_that_cannot_be_made_or_written_is_done_without() {
        let disk = SimDisk::new();
        disk.insert_dir(TAIL).unwrap();
        let store = begun(&disk);
        store.put(b"a", b"1").unwrap();
        assert_eq!(open(&disk.kill()).get(b"a").unwrap().value(), Some(&b"1"[..]));

        let disk = SimDisk::new();
        let store = begun(&disk);
        store.put(b"a", b"1").unwrap();
        disk.fail_at(disk.ops() + 1, crate::disk::sim::Fault::Io);
        store.put(b"b", b"2").unwrap();
        store.put(b"c", b"3").unwrap();
        assert_eq!(open(&disk.kill()).stats().keys, 4);
    }
}
