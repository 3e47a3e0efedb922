//! The records of a segment, one row each, with what the keydir makes of them.
//!
//! Keeps: rows are contiguous and in file order, and no more than one record is in memory at a time.

use std::ops::Range;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::format::{Check, Codec, Format, Kind, Record, SegmentId};
use crate::store::scan::{Item, Scanner, What};
use crate::store::{Location, Store, Walk};

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// A record of this kind.
    Record(Kind),
    /// A stretch that does not decode.
    Gap,
    /// The header of the file. Not among [`records`]: [`super::header_row`] makes this one.
    Header,
}

/// Whether the checksums hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrcState {
    /// They do.
    Ok,
    /// They do not.
    Bad,
    /// The format has none.
    None,
    /// That of the header does, and that of the value was not looked at; see [`records_unread`].
    Unread,
}

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowState {
    /// The keydir points at it.
    Live,
    /// A newer record of the key, or its tombstone, took its place.
    Superseded,
    /// It says that a key is gone.
    Tombstone,
    /// Its time ran out.
    Expired,
    /// It says how far the file is stable.
    Mark,
    /// It fails a check.
    Damaged,
    /// It is part of the unsynced end of the log.
    Torn,
    /// It is a file header that holds.
    Header,
    /// This version does not know what it is for, or the keydir does not know its segment.
    Unknown,
}

/// One line of the record list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRow {
    /// The segment.
    pub segment: SegmentId,
    /// Where the record or stretch starts.
    pub offset: u64,
    /// Its bytes.
    pub len: u64,
    /// What it is.
    pub kind: RowKind,
    /// The key; `None` for marks and stretches.
    pub key: Option<Vec<u8>>,
    /// Bytes of the raw value, where known without decoding it.
    pub value_len: Option<u64>,
    /// Bytes of the value as stored.
    pub stored_len: Option<u64>,
    /// Microseconds since 1970.
    pub tstamp: Option<u64>,
    /// Microseconds since 1970.
    pub expires_at: Option<u64>,
    /// How the value is stored.
    pub codec: Option<Codec>,
    /// Whether the checksums hold.
    pub crc: CrcState,
    /// What becomes of it.
    pub state: RowState,
    /// The check that failed.
    pub check: Option<Check>,
}

impl RowKind {
    /// The word used in JSON and on the screen; a stretch has the kind `unknown`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Record(kind) => kind.name(),
            Self::Gap => Kind::Unknown(0).name(),
            Self::Header => "header",
        }
    }
}

impl CrcState {
    /// The word used in JSON and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Bad => "bad",
            Self::None => "none",
            Self::Unread => "unread",
        }
    }
}

impl RowState {
    /// The word used in JSON and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Superseded => "superseded",
            Self::Tombstone => "tombstone",
            Self::Expired => "expired",
            Self::Mark => "mark",
            Self::Damaged => "damaged",
            Self::Torn => "torn",
            Self::Header => "header",
            Self::Unknown => "unknown",
        }
    }
}

/// The rows of one segment. After an error there are no more.
#[derive(Debug)]
pub struct Records<'a> {
    store: &'a Store,
    segment: SegmentId,
    walk: Walk,
    from: u64,
    /// Values are checked where only that tells a record from chance.
    is_unread: bool,
    done: bool,
}

/// The rows of `segment` from the first that starts at or after `from`. Reads the file in pieces as it is driven, from
/// its beginning: a row's place is only known from the one before.
pub fn records(store: &Store, segment: SegmentId, from: u64) -> Result<Records<'_>> {
    Ok(Records { store, segment, walk: store.walk(segment, 0)?, from, is_unread: false, done: false })
}

/// The rows of `segment` from the one that starts exactly at `boundary`, which an earlier row or the keydir named. Reads
/// nothing before it.
pub fn records_from(store: &Store, segment: SegmentId, boundary: u64) -> Result<Records<'_>> {
    Ok(Records { store, segment, walk: store.walk(segment, boundary)?, from: 0, is_unread: false, done: false })
}

/// The same without a look at the values, where header and key have a checksum of their own: for those who cannot wait
/// until long values are read.
pub fn records_unread(store: &Store, segment: SegmentId, boundary: u64) -> Result<Records<'_>> {
    let mut walk = store.walk(segment, boundary)?;
    walk.scanner = walk.scanner.without_value_checks();
    let is_unread = walk.format.has_frame_checksum();
    Ok(Records { store, segment, walk, from: 0, is_unread, done: false })
}

/// The row of the record of `key` that a hint puts at `place`; `None` if another one is there, or none. Reads no more.
pub(super) fn record_at(store: &Store, place: Location, key: &[u8]) -> Result<Option<RecordRow>> {
    let (segment, walk) = (place.segment, store.walk_record(place)?);
    let mut rows = Records { store, segment, walk, from: 0, is_unread: false, done: false };
    let is_it = |row: &RecordRow| (row.offset, row.len, row.key.as_deref()) == (place.offset, place.len, Some(key));
    Ok(rows.next().transpose()?.filter(is_it))
}

/// The places of the rows of `segment` from the one that starts exactly at `boundary`. Where header and key have a
/// checksum of their own no value is read, so that this is the cheapest way to count.
pub fn boundaries(store: &Store, segment: SegmentId, boundary: u64) -> Result<Boundaries> {
    let Walk { scanner, path, torn_bytes, .. } = store.walk(segment, boundary)?;
    let scanner = scanner.without_value_checks();
    Ok(Boundaries { scanner, path, torn_bytes, done: false })
}

/// Where rows begin and end. After an error there are no more.
#[derive(Debug)]
pub struct Boundaries {
    scanner: Scanner,
    path: PathBuf,
    torn_bytes: u64,
    done: bool,
}

impl Boundaries {
    /// Where the last row ends.
    pub fn end(&self) -> u64 {
        self.scanner.stop().saturating_add(self.torn_bytes)
    }
}

impl Iterator for Boundaries {
    type Item = Result<Range<u64>>;

    fn next(&mut self) -> Option<Result<Range<u64>>> {
        if self.done {
            return None;
        }
        match self.scanner.next_item() {
            Ok(Some(item)) => Some(Ok(item.offset..item.offset.saturating_add(item.len))),
            Ok(None) => {
                self.done = true;
                let at = self.scanner.position();
                (self.torn_bytes > 0).then(|| Ok(at..at.saturating_add(self.torn_bytes)))
            }
            Err(e) => {
                self.done = true;
                Some(Err(Error::io_at("read", &self.path, self.scanner.position(), e)))
            }
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Result<RecordRow>;

    fn next(&mut self) -> Option<Result<RecordRow>> {
        while !self.done {
            let row = match self.walk.scanner.next_item() {
                Ok(Some(item)) if item.offset < self.from => continue,
                Ok(Some(item)) => {
                    let row = row(self.store, self.segment, (self.walk.format, self.walk.is_loaded), &item);
                    let is_unread = self.is_unread && row.crc == CrcState::Ok && row.stored_len != Some(0);
                    RecordRow { crc: if is_unread { CrcState::Unread } else { row.crc }, ..row }
                }
                Ok(None) => {
                    self.done = true;
                    return torn_row(self.segment, &self.walk, self.from).map(Ok);
                }
                Err(e) => {
                    self.done = true;
                    let at = self.walk.scanner.position();
                    return Some(Err(Error::io_at("read", &self.walk.path, at, e)));
                }
            };
            return Some(Ok(row));
        }
        None
    }
}

fn row(store: &Store, segment: SegmentId, (format, is_loaded): (&dyn Format, bool), item: &Item<'_>) -> RecordRow {
    match &item.what {
        What::Record(record, value) => {
            let raw_len = match record.codec {
                Codec::Raw => Some(record.stored_len),
                Codec::Lz4 => item.value.and_then(<[u8]>::first_chunk::<4>).map(|len| u32::from_le_bytes(*len).into()),
            };
            let crc = match (value, format.has_checksum()) {
                (Err(_), _) => CrcState::Bad,
                (Ok(()), true) => CrcState::Ok,
                (Ok(()), false) => CrcState::None,
            };
            RecordRow {
                segment,
                offset: item.offset,
                len: item.len,
                kind: RowKind::Record(record.kind),
                key: (record.kind != Kind::Mark).then(|| record.key.to_vec()),
                value_len: raw_len,
                stored_len: Some(record.stored_len),
                tstamp: Some(record.tstamp),
                expires_at: record.expires_at,
                codec: Some(record.codec),
                crc,
                state: match value {
                    Err(_) => RowState::Damaged,
                    Ok(()) if is_loaded || record.kind == Kind::Mark => state(store, segment, item.offset, record),
                    Ok(()) => RowState::Unknown,
                },
                check: value.err(),
            }
        }
        What::Gap(gap) => {
            let crc = if format.has_checksum() { CrcState::Bad } else { CrcState::None };
            RecordRow { check: Some(gap.check), crc, ..stretch(segment, item.offset, item.len, RowState::Damaged) }
        }
    }
}

fn state(store: &Store, segment: SegmentId, offset: u64, record: &Record<'_>) -> RowState {
    match record.kind {
        Kind::Tombstone => RowState::Tombstone,
        Kind::Mark => RowState::Mark,
        Kind::Unknown(_) => RowState::Unknown,
        Kind::Put => match store.entry(record.key).map(|entry| entry.location) {
            Some(location) if (location.segment, location.offset) == (segment, offset) => RowState::Live,
            Some(_) => RowState::Superseded,
            None if store.has_expired(record.expires_at) => RowState::Expired,
            None => RowState::Superseded,
        },
    }
}

fn torn_row(segment: SegmentId, walk: &Walk, from: u64) -> Option<RecordRow> {
    let offset = walk.scanner.position();
    (walk.torn_bytes > 0 && offset >= from).then(|| stretch(segment, offset, walk.torn_bytes, RowState::Torn))
}

pub(super) fn stretch(segment: SegmentId, offset: u64, len: u64, state: RowState) -> RecordRow {
    RecordRow {
        segment,
        offset,
        len,
        kind: RowKind::Gap,
        key: None,
        value_len: None,
        stored_len: None,
        tstamp: None,
        expires_at: None,
        codec: None,
        crc: CrcState::None,
        state,
        check: None,
    }
}
