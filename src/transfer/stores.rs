//! Directories as a source: stores of this program, of Riak and of logkv-store, one or several at once.
//!
//! Rows come in the order in which they lie on the disk, which is the order in which they were written. Deleted and expired
//! keys are none. Where several directories have a key, as the partitions of a Riak node do for each replica, the version
//! with the highest tstamp counts, and of equal ones that of the directory that was named last.
//!
//! Keeps: a record that cannot be read is a fault with its place, and so is damage that hides which keys it hit; all else is
//! read.

use std::path::Path;
use std::sync::Arc;

use super::row::{Fault, Place, Row, Source, Step};
use crate::error::{Error, Result};
use crate::store::{Answer, Entry, Location, Severity, Store};

/// Reads the live keys of stores, as of the moment when it was made.
#[derive(Debug)]
pub struct StoreReader {
    stores: Vec<Store>,
    faults: std::vec::IntoIter<Fault>,
    rows: std::vec::IntoIter<Found>,
    bytes: u64,
    older: u64,
}

/// A key, and which store has it where. In order of the disk, which is what deriving compares first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    store: usize,
    location: Location,
    key: Arc<[u8]>,
    tstamp: u64,
}

impl StoreReader {
    /// Stores that were opened for reading.
    pub fn new(stores: Vec<Store>) -> Self {
        let mut rows: Vec<Found> = stores.iter().enumerate().flat_map(|(i, store)| all(i, store)).collect();
        let before = rows.len();
        if stores.len() > 1 {
            rows.sort_unstable_by(|a, b| (&a.key, b.tstamp, b.store).cmp(&(&b.key, a.tstamp, a.store)));
            rows.dedup_by(|other, newest| other.key == newest.key);
        }
        let older = (before - rows.len()) as u64;
        rows.sort_unstable();
        let faults: Vec<Fault> = stores.iter().flat_map(hidden).collect();
        Self { stores, faults: faults.into_iter(), rows: rows.into_iter(), bytes: 0, older }
    }

    /// Bytes of all the records that it will read.
    pub fn bytes_to_read(&self) -> u64 {
        self.rows.as_slice().iter().map(|found| found.location.len).sum()
    }

    fn step(&mut self, found: &Found) -> Result<Option<Step>> {
        let Some(store) = self.stores.get(found.store) else { return Ok(None) };
        self.bytes += found.location.len;
        let dir = store.dir();
        match store.get(&found.key) {
            Ok(Answer { found: None, .. }) => Ok(None),
            Ok(Answer { found: Some(value), suspect }) => {
                let place = place(dir, &value.entry);
                let row = Row { key: found.key.to_vec(), value: value.value, expires_at: value.entry.expires_at };
                Ok(Some(Step::Row { row, place, suspect }))
            }
            // Copying from a disk that fails must not end at the first sector that cannot be read.
            Err(error @ (Error::Damaged { .. } | Error::Io { .. })) => {
                let Location { segment, offset, .. } = found.location;
                let place = Place::Record { dir: dir.to_owned(), segment, offset: Some(offset) };
                Ok(Some(Step::Fault(Fault { place, key: Some(found.key.to_vec()), what: why(&error) })))
            }
            Err(error) => Err(error),
        }
    }
}

fn all(store: usize, from: &Store) -> impl Iterator<Item = Found> {
    let keys = from.scan(b"");
    keys.map(move |(key, Entry { location, tstamp, .. })| Found { store, location, key, tstamp })
}

fn place(dir: &Path, entry: &Entry) -> Place {
    let Location { segment, offset, .. } = entry.location;
    Place::Record { dir: dir.to_owned(), segment, offset: Some(offset) }
}

/// The place is told beside it.
fn why(error: &Error) -> String {
    match error {
        Error::Damaged { check, .. } => format!("the record is damaged: {check}"),
        _ => error.to_string(),
    }
}

/// Damage that hides which keys it hit. Where the key is known, reading it tells whether that version still matters.
fn hidden(store: &Store) -> Vec<Fault> {
    let found = store.findings().into_iter();
    let damage = found.filter(|finding| finding.severity == Severity::Damage && finding.key.is_none());
    let faults = damage.filter_map(|finding| {
        let place = Place::Record { dir: store.dir().to_owned(), segment: finding.segment?, offset: finding.offset };
        Some(Fault {
            place,
            key: None,
            what: format!("keys that nobody can name may be lost here: {}", finding.message),
        })
    });
    faults.collect()
}

impl Source for StoreReader {
    fn next_step(&mut self) -> Result<Option<Step>> {
        if let Some(fault) = self.faults.next() {
            return Ok(Some(Step::Fault(fault)));
        }
        while let Some(found) = self.rows.next() {
            if let Some(step) = self.step(&found)? {
                return Ok(Some(step));
            }
        }
        Ok(None)
    }

    fn bytes_read(&self) -> u64 {
        self.bytes
    }

    fn older(&self) -> u64 {
        self.older
    }
}
