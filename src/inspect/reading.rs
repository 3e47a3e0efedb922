//! The value of one record, live or dead: whole and checked, or in pieces as they are.
//!
//! The engine serves a key's newest value; this reads what any record still holds. Keeps: a value is handed out as whole
//! only if its record holds; the frame of a record is believed for nothing but where its value lies.

use crate::error::{Error, Result};
use crate::format::{Check, Codec, Decoded, Kind, SegmentId, lz4};
use crate::store::Store;

/// More than any frame and key of a format with 16-bit key lengths.
const FRAME: usize = 80 << 10;

/// Where the value of a record lies, and what it is stored as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The segment.
    pub segment: SegmentId,
    /// Where the record starts.
    pub offset: u64,
    /// Where the value starts, from the start of the record.
    pub start: u64,
    /// Bytes as stored.
    pub stored_len: u64,
    /// Bytes of the raw value, as far as that is known without decoding it.
    pub raw_len: u64,
    /// How it is stored.
    pub codec: Codec,
}

/// Finds the value of the record of `key` that stands at a place. [`Error::Damaged`] if there is none that gives the key a
/// value; whether the value holds is not looked at.
pub fn placed(store: &Store, key: &[u8], segment: SegmentId, offset: u64) -> Result<Placed> {
    let head = store.bytes(segment, offset, FRAME)?;
    let damaged = |check| damaged(store, segment, offset, check);
    let record = match store.format().format().decode(&store.file_header(segment)?, offset, &head) {
        Decoded::Record(record) => record,
        Decoded::Damaged(check) => return Err(damaged(check)),
        Decoded::Incomplete { needed } => {
            return Err(damaged(Check::PastEnd { missing: needed.saturating_sub(head.len() as u64).max(1) }));
        }
    };
    if record.key != key {
        return Err(damaged(Check::OtherKey));
    }
    if record.kind != Kind::Put {
        return Err(damaged(Check::Implausible("the record there is not a put")));
    }
    let (start, stored_len, codec) = (record.value_start, record.stored_len, record.codec);
    let mut placed = Placed { segment, offset, start, stored_len, raw_len: stored_len, codec };
    if codec == Codec::Lz4 {
        placed.raw_len = lz4::raw_len(&stored(store, &placed, 0, 4)?).map_err(damaged)?;
    }
    Ok(placed)
}

fn damaged(store: &Store, segment: SegmentId, offset: u64, check: Check) -> Error {
    let path = store.dir().join(store.format().format().segment_name(segment));
    Error::Damaged { path, segment, offset, check }
}

/// Bytes of a segment file; a length that nothing vouches for is believed no further than the file goes.
fn bytes(store: &Store, segment: SegmentId, offset: u64, len: u64) -> Result<Vec<u8>> {
    let file = store.segments().iter().find(|info| info.id == segment).map_or(0, |info| info.bytes);
    let len = len.min(file.saturating_sub(offset));
    store.bytes(segment, offset, usize::try_from(len).unwrap_or(0))
}

fn stored(store: &Store, placed: &Placed, from: u64, most: usize) -> Result<Vec<u8>> {
    let len = placed.stored_len.saturating_sub(from).min(most as u64);
    bytes(store, placed.segment, placed.offset.saturating_add(placed.start).saturating_add(from), len)
}

/// At most `most` bytes of a value from its byte `from` on, unchecked. Of one that is compressed only the head can be
/// read without reading all: for another `from` there are none.
pub fn window(store: &Store, placed: &Placed, from: u64, most: usize) -> Result<Vec<u8>> {
    match placed.codec {
        Codec::Raw => stored(store, placed, from, most),
        Codec::Lz4 if from > 0 => Ok(Vec::new()),
        Codec::Lz4 => lz4::head(&stored(store, placed, 0, most)?, most)
            .map_err(|check| damaged(store, placed.segment, placed.offset, check)),
    }
}

/// The whole value of the record of `key` at a place, its checksums computed. [`Error::Damaged`] if they do not hold.
pub fn whole_value(store: &Store, key: &[u8], segment: SegmentId, offset: u64) -> Result<Vec<u8>> {
    let placed = placed(store, key, segment, offset)?;
    let len = placed.start.saturating_add(placed.stored_len);
    let mut record = bytes(store, segment, offset, len)?;
    let damaged = |check| damaged(store, segment, offset, check);
    let missing = len.saturating_sub(record.len() as u64);
    if missing > 0 {
        return Err(damaged(Check::PastEnd { missing }));
    }
    let start = usize::try_from(placed.start).unwrap_or(usize::MAX);
    match store.format().format().decode(&store.file_header(segment)?, offset, &record) {
        Decoded::Record(decoded) => decoded.check_value(record.get(start..).unwrap_or_default()).map_err(damaged)?,
        Decoded::Damaged(check) => return Err(damaged(check)),
        Decoded::Incomplete { needed } => return Err(damaged(Check::PastEnd { missing: needed })),
    }
    record.drain(..start);
    match placed.codec {
        Codec::Raw => Ok(record),
        Codec::Lz4 => lz4::decompress(&record).map_err(damaged),
    }
}
