//! What the store answers with: places, entries, values. Plain data.

use crate::format::{Codec, HintEntry, Record, SegmentId};

/// A place of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The segment.
    pub segment: SegmentId,
    /// Where the record starts in it.
    pub offset: u64,
    /// Bytes of the whole record.
    pub len: u64,
}

/// What the keydir knows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where its newest record is.
    pub location: Location,
    /// Bytes of the value as stored; [`super::Store::value_len`] tells those of the value itself.
    pub stored_len: u64,
    /// How the value is stored.
    pub codec: Codec,
    /// Microseconds since 1970.
    pub tstamp: u64,
    /// Microseconds since 1970.
    pub expires_at: Option<u64>,
}

impl Entry {
    /// The entry for a record that was read.
    pub(super) fn of(record: &Record<'_>, location: Location) -> Self {
        let Record { stored_len, codec, tstamp, expires_at, .. } = *record;
        Self { location, stored_len, codec, tstamp, expires_at }
    }

    /// The entry for a record that a hint names.
    pub(super) fn hinted(entry: &HintEntry<'_>, location: Location) -> Self {
        let HintEntry { stored_len, codec, tstamp, expires_at, .. } = *entry;
        Self { location, stored_len, codec, tstamp, expires_at }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The value, decompressed and checked.
    pub value: Vec<u8>,
    /// Its entry.
    pub entry: Entry,
}

/// What [`super::Store::get_with`] made of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen<T> {
    /// What was made of it, if the key has one.
    pub found: Option<T>,
    /// As [`Answer::suspect`].
    pub suspect: bool,
}

/// The answer to a get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The newest value, if the key has one.
    pub found: Option<Found>,
    /// Damage elsewhere may have hidden a newer version of this key, or its only one.
    pub suspect: bool,
}

impl Answer {
    /// The value.
    pub fn value(&self) -> Option<&[u8]> {
        self.found.as_ref().map(|found| found.value.as_slice())
    }
    /// The value, given away.
    pub fn into_value(self) -> Option<Vec<u8>> {
        self.found.map(|found| found.value)
    }
}

/// Where a write went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The new record.
    pub location: Location,
    /// Its tstamp.
    pub tstamp: u64,
    /// The record that it superseded.
    pub superseded: Option<Location>,
}

/// What [`super::Store::refresh`] saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Records that were not there before.
    pub records: u64,
    /// Segments that were not there before.
    pub new_segments: u64,
    /// Segments that are gone; the keydir was loaded anew.
    pub vanished_segments: u64,
}

/// What [`super::Store::refresh_telling`] tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved<'a> {
    /// A key came, went, or got a newer version.
    Key {
        /// Which.
        key: &'a [u8],
        /// Its entry before.
        before: Option<Entry>,
        /// Its entry now.
        after: Option<Entry>,
    },
    /// The keydir was loaded anew: anything may have moved.
    Everything,
}
