//! One segment file as the store holds it: its place in the directory, how to read it, and its line in the ledger.
//!
//! # Invariants
//!
//! 1. `live_bytes` is the sum of the lengths of the records that the keydir points at in this segment; a recount over
//!    the keydir gives the same figure at any moment without writes.
//! 2. Header, live, dead and gap bytes together are `data_len`.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::disk::{Disk, ReadFile, WriteFile};
use crate::format::{FileHeader, Format, Kind, SegmentId};
use crate::primitives::Mutex;

use super::SegmentInfo;
use super::scan::Scanner;

/// Counts of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ledger {
    /// Bytes appended; under `buffered` the last of them may not be in the file yet.
    pub(super) data_len: u64,
    /// Bytes of them that are in the file.
    pub(super) written_len: u64,
    pub(super) records: u64,
    pub(super) tombstones: u64,
    pub(super) marks: u64,
    pub(super) live_records: u64,
    pub(super) live_bytes: u64,
    /// Stretches that do not decode.
    pub(super) gap_bytes: u64,
    /// Records that decode but for their value, and those of which only the hint tells.
    pub(super) bad_value_bytes: u64,
    pub(super) min_tstamp: u64,
    pub(super) max_tstamp: u64,
    /// Bytes of the file behind its data: a torn tail that nobody has cut.
    pub(super) torn_bytes: u64,
    pub(super) has_hint: bool,
    pub(super) active: bool,
}

impl Ledger {
    pub(super) fn new(data_len: u64) -> Self {
        Self {
            data_len,
            written_len: data_len,
            records: 0,
            tombstones: 0,
            marks: 0,
            live_records: 0,
            live_bytes: 0,
            gap_bytes: 0,
            bad_value_bytes: 0,
            torn_bytes: 0,
            min_tstamp: u64::MAX,
            max_tstamp: 0,
            has_hint: false,
            active: false,
        }
    }

    /// Counts a record of this kind.
    pub(super) fn count(&mut self, kind: Kind, tstamp: u64) {
        self.records += 1;
        self.tombstones += u64::from(kind == Kind::Tombstone);
        self.marks += u64::from(kind == Kind::Mark);
        self.saw(tstamp, tstamp);
    }

    /// Widens the span of tstamps.
    pub(super) fn saw(&mut self, min: u64, max: u64) {
        self.min_tstamp = self.min_tstamp.min(min);
        self.max_tstamp = self.max_tstamp.max(max);
    }

    /// The keydir points at a record of `len` bytes now.
    pub(super) fn born(&mut self, len: u64) {
        self.live_records += 1;
        self.live_bytes += len;
    }

    /// The keydir no longer points at a record of `len` bytes.
    pub(super) fn died(&mut self, len: u64) {
        self.live_records = self.live_records.saturating_sub(1);
        self.live_bytes = self.live_bytes.saturating_sub(len);
    }
}

/// One segment.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) id: SegmentId,
    pub(super) path: PathBuf,
    pub(super) header: FileHeader,
    file: Arc<dyn ReadFile>,
    /// The same file, where it is mapped.
    mapped: OnceLock<Arc<dyn ReadFile>>,
    pub(super) ledger: Mutex<Ledger>,
}

impl Segment {
    pub(super) fn new(
        id: SegmentId,
        path: PathBuf,
        header: FileHeader,
        file: Arc<dyn ReadFile>,
        ledger: Ledger,
    ) -> Self {
        Self { id, path, header, file, mapped: OnceLock::new(), ledger: Mutex::new(ledger) }
    }

    /// The open file. The one place through which records are read.
    pub(super) fn file(&self) -> &Arc<dyn ReadFile> {
        self.mapped.get().unwrap_or(&self.file)
    }

    /// Reads through a map from now on. For the holder of the store's lock, once this file is sealed for good.
    pub(super) fn map_sealed(&self, disk: &dyn Disk) {
        // Where it cannot be, reading goes on as before, and finds out why.
        if let Ok(file) = disk.open_sealed(&self.path) {
            let _ = self.mapped.set(file);
        }
    }

    /// Reads through a map from now on, as far as the file, which `file` goes on writing, is final. `extent`: as
    /// [`WriteFile::mapped_reader`] takes it.
    pub(super) fn map_active(&self, file: &dyn WriteFile, extent: u64) {
        if extent > 0 {
            let _ = self.mapped.set(file.mapped_reader(&self.path, extent, self.data_len()));
        }
    }

    /// Bytes that hold data now.
    pub(super) fn data_len(&self) -> u64 {
        self.ledger.lock().data_len
    }

    /// A walk over its records from `from` to the end of what is in the file, judged as when it was loaded.
    pub(super) fn scan(&self, format: &'static dyn Format, from: u64) -> Scanner {
        let (stop, torn) = {
            let ledger = self.ledger.lock();
            (ledger.written_len, ledger.torn_bytes)
        };
        let end = stop.saturating_add(torn);
        Scanner::new(self.file().clone(), format, self.header, from, end).stopping_at(stop)
    }

    /// A walk over what the file has behind the data that is known, up to `end`.
    pub(super) fn scan_to(&self, format: &'static dyn Format, end: u64) -> Scanner {
        Scanner::new(self.file().clone(), format, self.header, self.data_len(), end)
    }

    /// Its line for people.
    pub(super) fn info(&self) -> SegmentInfo {
        let ledger = self.ledger.lock().clone();
        let named = |tstamp: u64| Some(tstamp).filter(|_| ledger.records > 0);
        let taken = self.header.len + ledger.live_bytes + ledger.gap_bytes;
        SegmentInfo {
            id: self.id,
            file: self.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            origin: self.header.origin,
            bytes: ledger.data_len,
            records: ledger.records,
            live_records: ledger.live_records,
            dead_records: ledger.records.saturating_sub(ledger.live_records + ledger.tombstones + ledger.marks),
            tombstones: ledger.tombstones,
            marks: ledger.marks,
            live_bytes: ledger.live_bytes,
            dead_bytes: ledger.data_len.saturating_sub(taken),
            damaged_bytes: ledger.gap_bytes + ledger.bad_value_bytes,
            has_hint: ledger.has_hint,
            active: ledger.active,
            min_tstamp: named(ledger.min_tstamp),
            max_tstamp: named(ledger.max_tstamp),
        }
    }
}
