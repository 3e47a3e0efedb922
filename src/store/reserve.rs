//! Space that is reserved ahead of the log under `always`: zeros, durable before records take their place.
//!
//! Bytes that make a file longer are durable only together with its length, for which a file system commits its journal.
//! Bytes in the place of others go to the medium alone, and their sync takes two thirds of the time. So a session that
//! syncs often writes zeros behind its records now and then, and a sync that was due anyway makes them durable too. Whoever
//! reads takes zeros to the end of the file for space in which nothing was written:
//! [`Cut::Reserved`](super::recover::Cut::Reserved).
//!
//! # Invariants
//!
//! 1. Only the active segment has reserved space: it is cut to its records, durably, before it is sealed or closed.
//! 2. A full disk reserves nothing, and fails no write by that.

use crate::error::{Error, Result};

use super::inner::Inner;
use super::log::{Core, is_due};
use super::new_file::write_all;
use super::writer::Writer;

/// Bytes that are reserved at once, from a record on to the end of a page.
const RESERVE: u64 = 256 << 10;
const PAGE: u64 = 4 << 10;
/// For a sync of so many bytes the length is no matter, and for each of them a zero would be written first.
const LARGE: u64 = RESERVE / 16;

impl Writer {
    /// Reserves space behind the records that are in the file and about to be synced, if they are the last that had room
    /// in what was reserved before. Errors are as those of the records' own write.
    pub(super) fn reserve(&self, inner: &Inner, core: &mut Core) -> Result<()> {
        if !is_due(&mut core.until_reserve) {
            return Ok(());
        }
        let Some(log) = core.active.as_mut() else { return Ok(()) };
        let end = (log.len + RESERVE).next_multiple_of(PAGE).min(inner.options.max_segment_bytes);
        if log.len < log.reserved || log.len - log.stable > LARGE || end <= log.len {
            return Ok(());
        }
        if !log.file.writes_in_place() {
            core.until_reserve = None;
            return Ok(());
        }
        log.reserved = end;
        let zeros = vec![0; usize::try_from(end - log.len).unwrap_or_default()];
        let Err(e) = write_all(&*log.file, &zeros, log.len) else { return Ok(()) };
        let (path, at) = (&log.segment.path, log.len);
        match Error::of_write("write", path, zeros.len() as u64, e) {
            Error::NoSpace { .. } => {
                core.until_reserve = None;
                log.file.set_len(at).map_err(|e| Error::io_at("cut", path, at, e))
            }
            e => Err(e),
        }
    }

    /// Cuts the active segment to its records, all of which are in the file, and makes that durable.
    pub(super) fn cut_reserved(&self, inner: &Inner, core: &mut Core) -> Result<()> {
        let Some(log) = core.active.as_mut().filter(|log| log.len < log.reserved) else { return Ok(()) };
        let (path, at) = (&log.segment.path, log.len);
        if let Err(e) = log.file.set_len(at) {
            let error = Error::io_at("cut", path, at, e);
            self.die(inner, error.clone());
            return Err(error);
        }
        self.sync_file(inner, &log.segment, &*log.file, at)?;
        (log.reserved, log.stable) = (at, at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::disk::sim::{CrashPolicy, SimDisk};
    use crate::disk::{Disk, ReadDisk};
    use crate::store::{Options, Store, SyncPolicy};

    const DIR: &str = "/data";

    fn options() -> Options {
        Options { create: true, reserve_after: Some(2), max_segment_bytes: 1 << 20, seed: 1, ..Options::default() }
    }

    fn open(disk: &SimDisk, options: Options) -> Store {
        Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options).unwrap()
    }

    fn put(store: &Store, keys: std::ops::Range<u32>) {
        keys.for_each(|i| assert!(store.put(&i.to_be_bytes(), b"value").is_ok()));
    }

    fn file_len(disk: &SimDisk, segment: u32) -> u64 {
        disk.image()[Path::new(&format!("data/{segment:010}.data"))].len() as u64
    }

    #[test]
    fn syncs_that_find_reserved_space_make_no_length_durable() {
        let disk = SimDisk::new();
        let store = open(&disk, options());
        put(&store, 0..2);
        assert_eq!(file_len(&disk, 1), store.segments()[0].bytes);
        put(&store, 2..3);
        let reserved = file_len(&disk, 1);
        assert!(reserved >= store.segments()[0].bytes + RESERVE && reserved.is_multiple_of(PAGE));
        let before = disk.ops();
        put(&store, 3..1000);
        assert_eq!((file_len(&disk, 1), disk.ops() - before), (reserved, 997 * 2), "a write and a sync each");
        put(&store, 1000..10_000);
        assert!(file_len(&disk, 1) > reserved);
    }

    #[test]
    fn what_a_crash_leaves_reserved_is_neither_damage_nor_a_torn_end() {
        let disk = SimDisk::new();
        let store = open(&disk, options());
        put(&store, 0..50);
        let len = store.segments()[0].bytes;
        for crashed in [disk.kill(), disk.crash(CrashPolicy::Drop, 0)] {
            assert!(file_len(&crashed, 1) > len);
            let reader = Store::open_read_only_on(Disk::reader(&crashed), Path::new(DIR), Options::default()).unwrap();
            assert_eq!((reader.stats().keys, reader.findings().len()), (50, 0));
            let again = open(&crashed, options());
            assert_eq!((again.stats().keys, again.findings().len()), (50, 0));
            assert_eq!(file_len(&crashed, 1), len, "it is cut before anything is appended");
            assert!(crashed.entry(Path::new("/data/quarantine")).is_err());
            put(&again, 50..60);
            reader.refresh().unwrap();
            assert_eq!((reader.stats().keys, reader.findings().len()), (60, 0));
        }
    }

    #[test]
    fn a_segment_is_cut_to_its_records_before_it_is_sealed_or_closed() {
        let disk = SimDisk::new();
        let store = open(&disk, Options { max_segment_bytes: 3 << 10, ..options() });
        put(&store, 0..200);
        let sealed = |disk: &SimDisk| {
            let sealed: Vec<_> = store.segments().into_iter().filter(|segment| !segment.active).collect();
            assert!(sealed.len() > 1);
            sealed.iter().for_each(|segment| assert_eq!(file_len(disk, segment.id as u32), segment.bytes));
        };
        sealed(&disk);
        sealed(&disk.fork().crash(CrashPolicy::Drop, 0));
        let last = store.segments().into_iter().next_back().unwrap();
        assert!(file_len(&disk, last.id as u32) > last.bytes);
        store.close().unwrap();
        assert_eq!(file_len(&disk.crash(CrashPolicy::Drop, 0), last.id as u32), last.bytes);
    }

    #[test]
    fn a_full_disk_and_long_values_reserve_nothing() {
        let disk = SimDisk::new();
        let store = open(&disk, options());
        put(&store, 0..2);
        store.put(b"long", &vec![7; 2 * LARGE as usize]).unwrap();
        assert_eq!(file_len(&disk, 1), store.segments()[0].bytes);
        let used: usize = disk.image().values().map(Vec::len).sum();
        disk.set_capacity(Some(used as u64 + 1000));
        put(&store, 2..4);
        assert_eq!(file_len(&disk, 1), store.segments()[0].bytes);
        assert_eq!(open(&disk.crash(CrashPolicy::Drop, 0), options()).stats().keys, 5);
    }

    #[test]
    fn only_a_session_that_syncs_each_write_reserves() {
        for sync in [SyncPolicy::Interval(Duration::from_secs(3600)), SyncPolicy::Buffered] {
            let disk = SimDisk::new();
            let store = open(&disk, Options { sync, tail_file_after: None, ..options() });
            put(&store, 0..100);
            store.sync().unwrap();
            assert_eq!(file_len(&disk, 1), store.segments()[0].bytes);
        }
    }
}
