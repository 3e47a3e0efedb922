//! From rows to a store: in their order, under new tstamps, with their expiry.
//!
//! Rows are put in groups that share a sync. What was put before the sync that ends a group may be lost in a crash; what came
//! before it may not.
//!
//! # Invariants
//!
//! 1. Of rows with the same key the last one wins, as if each had been put by hand.
//! 2. A row whose key has that value and expiry already is passed over without a write. So an import that was stopped, at
//!    whatever moment, is started again from the beginning and writes only what is missing: there is no note of how far it
//!    came that could be wrong.
//! 3. When it returns, for whatever reason but a store that cannot be written, every row that it counted is durable.

use super::row::{Fault, Place, Row, Source, Step};
use crate::error::{Error, Result};
use crate::store::{Expiry, PutOptions, Store, check_limits};

/// How rows are imported.
#[derive(Clone, Copy, Debug)]
pub struct ImportOptions {
    /// Goes on behind faults, which are told and counted, instead of stopping at the first. Default: no.
    pub keep_going: bool,
    /// Bytes of keys and values that share a sync. Default: 4 MiB.
    pub group_bytes: u64,
    /// Rows that share a sync; each has bytes of its own. Default: 16,384.
    pub group_rows: u64,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { keep_going: false, group_bytes: 4 << 20, group_rows: 16 << 10 }
    }
}

/// What became of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Rows that were put.
    pub imported: u64,
    /// Rows that were passed over: the key has that value and expiry already.
    pub unchanged: u64,
    /// Rows that were passed over: their time is past.
    pub expired: u64,
    /// Versions that were passed over: another part of the source has a newer one.
    pub older: u64,
    /// Rows that were imported although damage in the source may have hidden a newer version.
    pub suspect: u64,
    /// What was no row.
    pub faults: u64,
    /// Bytes of the source that were read.
    pub bytes: u64,
    /// The last row that is durable with all before it.
    pub durable: Option<Place>,
    /// Fields that were left out, each with the line where it came first.
    pub ignored: Vec<(String, u64)>,
}

/// What an import tells on its way.
#[derive(Clone, Copy, Debug)]
pub enum ImportNews<'a> {
    /// How far the source is read.
    Read {
        /// Bytes of it.
        bytes: u64,
    },
    /// A fault that it goes on behind.
    Fault(&'a Fault),
    /// A row is imported although damage in the source may have hidden a newer version.
    Suspect {
        /// Its key.
        key: &'a [u8],
        /// Where it was found.
        place: &'a Place,
    },
    /// Everything up to this row is durable.
    Durable(&'a Place),
}

/// An import that did not come to the end of its source.
#[derive(Clone, Debug)]
pub struct Stopped {
    /// Why.
    pub why: Why,
    /// What was done before.
    pub imported: Imported,
}

/// Why an import stopped.
#[derive(Clone, Debug)]
pub enum Why {
    /// At something that is no row.
    Fault(Fault),
    /// The source could not be read on.
    Source(Error),
    /// The store could not be written.
    Store(Error),
}

/// Puts every row of a source into a store. Open it with [`crate::store::SyncPolicy::Buffered`]: syncing is done here, a
/// group of rows at a time.
pub fn import(
    store: &Store,
    source: &mut dyn Source,
    options: ImportOptions,
    news: &mut dyn FnMut(ImportNews<'_>),
) -> Result<Imported, Box<Stopped>> {
    let mut import = Import { store, news, options, done: Imported::default(), group: Group::default() };
    let end = import.run(source);
    // Also after a fault or an unreadable source: what was counted is durable, as far as the store lets us.
    let synced = import.end_group();
    let mut imported = import.done;
    (imported.bytes, imported.older) = (source.bytes_read(), source.older());
    imported.ignored = source.ignored().to_vec();
    match end.and(synced) {
        Ok(()) => Ok(imported),
        Err(why) => Err(Box::new(Stopped { why, imported })),
    }
}

/// Rows since the last sync.
#[derive(Debug, Default)]
struct Group {
    rows: u64,
    bytes: u64,
    last: Option<Place>,
}

struct Import<'a> {
    store: &'a Store,
    news: &'a mut dyn FnMut(ImportNews<'_>),
    options: ImportOptions,
    done: Imported,
    group: Group,
}

impl Import<'_> {
    fn run(&mut self, source: &mut dyn Source) -> Result<(), Why> {
        while let Some(step) = source.next_step().map_err(Why::Source)? {
            match step {
                Step::Row { row, place, suspect } => self.row(&row, place, suspect)?,
                Step::Fault(fault) => self.fault(fault)?,
            }
            (self.news)(ImportNews::Read { bytes: source.bytes_read() });
        }
        Ok(())
    }

    fn fault(&mut self, fault: Fault) -> Result<(), Why> {
        self.done.faults += 1;
        if !self.options.keep_going {
            return Err(Why::Fault(fault));
        }
        (self.news)(ImportNews::Fault(&fault));
        Ok(())
    }

    fn row(&mut self, row: &Row, place: Place, suspect: bool) -> Result<(), Why> {
        if let Err(error) = check_limits(&row.key, row.value.len() as u64) {
            return self.fault(Fault { place, key: None, what: error.to_string() });
        }
        if self.store.has_expired(row.expires_at) {
            self.done.expired += 1;
        } else if self.is_there(row) {
            self.done.unchanged += 1;
        } else {
            self.put(row)?;
            if suspect {
                self.done.suspect += 1;
                (self.news)(ImportNews::Suspect { key: &row.key, place: &place });
            }
        }
        self.group.last = Some(place);
        if self.is_group_full() { self.end_group() } else { Ok(()) }
    }

    /// Whether putting the row would change nothing. Where damage stands in the way of that answer, it is put.
    fn is_there(&self, row: &Row) -> bool {
        let entry = self.store.entry(&row.key);
        entry.is_some_and(|entry| entry.expires_at == row.expires_at)
            && self.store.get(&row.key).is_ok_and(|answer| !answer.suspect && answer.value() == Some(&row.value))
    }

    fn put(&mut self, row: &Row) -> Result<(), Why> {
        // Not the store's default: what the source says, and nothing else.
        let expiry = row.expires_at.map_or(Expiry::Never, Expiry::At);
        let options = PutOptions { expiry, ..PutOptions::default() };
        self.store.put_with(&row.key, &row.value, &options).map_err(Why::Store)?;
        self.done.imported += 1;
        self.group.rows += 1;
        self.group.bytes += (row.key.len() + row.value.len()) as u64;
        Ok(())
    }

    fn is_group_full(&self) -> bool {
        self.group.bytes >= self.options.group_bytes || self.group.rows >= self.options.group_rows
    }

    /// Guards against a crash that takes rows away which were told to be in.
    fn end_group(&mut self) -> Result<(), Why> {
        self.store.sync().map_err(Why::Store)?;
        let group = std::mem::take(&mut self.group);
        if let Some(place) = group.last {
            (self.news)(ImportNews::Durable(&place));
            self.done.durable = Some(place);
        }
        Ok(())
    }
}
