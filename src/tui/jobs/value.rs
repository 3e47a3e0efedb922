//! Reading the value that the screen wants, the key's or a record's, and taking it apart for its view.
//!
//! A value of up to [`WINDOW`] bytes is read whole and checked; of a longer one, window by window, no more than that is
//! ever read or held, whatever its length says: a value of 1 GiB opens as fast as a small one.

use std::sync::Arc;

use super::session::Session;
use crate::error::Result;
use crate::format::Codec;
use crate::inspect::reading::{self, Placed};
use crate::store::{Location, Store};
use crate::tui::action::{ValuePart, ValueSeen};
use crate::tui::effect::{Portion, ValueOf, ValueWanted};
use crate::tui::window::WINDOW;
use crate::value::{Head, lines, recognise};

/// Bytes of a value, as far as they are read.
pub(super) struct Read {
    pub(super) bytes: Vec<u8>,
    pub(super) whole: u64,
    unchecked: bool,
    compressed: bool,
}

impl Read {
    fn of_whole(bytes: Vec<u8>) -> Self {
        Self { whole: bytes.len() as u64, bytes, unchecked: false, compressed: false }
    }

    /// The bytes, if they begin where the value does.
    pub(super) fn head(&self) -> Head<'_> {
        Head { bytes: &self.bytes, is_whole: self.bytes.len() as u64 == self.whole }
    }
}

/// Reads a value.
pub(super) fn value(session: &Session, wanted: ValueWanted) -> ValueSeen {
    let store = session.store();
    let suspect = wanted.of == ValueOf::Key && store.is_suspect(&wanted.key);
    let read = match wanted.of {
        ValueOf::Key => of_key(store, &wanted),
        ValueOf::Record => of_record(store, &wanted.key, wanted.location, wanted.portion.from()).map(Some),
    };
    let value = read.map(|read| read.map(|read| Arc::new(part(read, &wanted)))).map_err(|e| e.to_string());
    ValueSeen { wanted, value, suspect }
}

fn of_key(store: &Store, wanted: &ValueWanted) -> Result<Option<Read>> {
    let Some(entry) = store.entry(&wanted.key) else { return Ok(None) };
    let Location { segment, offset, .. } = entry.location;
    match reading::placed(store, &wanted.key, segment, offset) {
        Ok(placed) if is_long(&placed) => window(store, &placed, wanted.portion.from()).map(Some),
        // What is wrong with the record, and whether the key has moved on meanwhile, the store tells.
        _ => Ok(store.get(&wanted.key)?.into_value().map(Read::of_whole)),
    }
}

/// Reads the value of one record, whatever the keydir points at.
pub(super) fn of_record(store: &Store, key: &[u8], place: Location, from: u64) -> Result<Read> {
    let placed = reading::placed(store, key, place.segment, place.offset)?;
    if is_long(&placed) {
        return window(store, &placed, from);
    }
    reading::whole_value(store, key, place.segment, place.offset).map(Read::of_whole)
}

fn is_long(placed: &Placed) -> bool {
    placed.raw_len.max(placed.stored_len) > WINDOW as u64
}

fn window(store: &Store, placed: &Placed, from: u64) -> Result<Read> {
    Ok(Read {
        bytes: reading::window(store, placed, from, WINDOW)?,
        whole: placed.raw_len,
        unchecked: store.format().format().has_checksum(),
        compressed: placed.codec == Codec::Lz4,
    })
}

fn part(read: Read, wanted: &ValueWanted) -> ValuePart {
    let (known, view) = match wanted.portion {
        Portion::Start => {
            let known = recognise(read.head());
            let view = wanted.view.filter(|view| known.fitting.contains(view)).unwrap_or(known.detected);
            (Some(known), view)
        }
        Portion::From(_, view) => (None, view),
    };
    let lines = if view.is_structured() { lines(view, read.head()) } else { Vec::new() };
    let Read { bytes, whole, unchecked, compressed } = read;
    ValuePart { bytes, from: wanted.portion.from(), whole, known, view, lines, unchecked, compressed }
}
