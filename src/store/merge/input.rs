//! Reading records of a merge's input, one after the other, in pieces.
//!
//! Keeps: what is handed out was checked against the hint or the scan that named it, and memory is bounded by a piece
//! and a key, whatever the length of a value.

use std::io;
use std::sync::Arc;

use crate::error::Error;
use crate::format::{Check, Decoded, FileHeader, Format, HintEntry, Record, SegmentId, ValueCheck};
use crate::store::segment::Segment;

use super::entries::{Damage, Stop};

/// So much is read at once, and so much of a value is held.
pub(in crate::store) const PIECE: usize = 1 << 20;

/// An input that is read.
pub(in crate::store) struct Input {
    segment: Arc<Segment>,
    format: &'static dyn Format,
    start: u64,
    bytes: Vec<u8>,
}

/// A record whose frame and key hold; its value is still to be read.
pub(in crate::store) struct Head {
    pub(in crate::store) bytes: Vec<u8>,
    pub(in crate::store) value: Option<ValueCheck>,
    value_at: u64,
    value_left: u64,
}

impl Input {
    pub(in crate::store) fn new(segment: Arc<Segment>, format: &'static dyn Format) -> Self {
        Self { segment, format, start: 0, bytes: Vec::new() }
    }

    /// Its id.
    pub(super) fn id(&self) -> SegmentId {
        self.segment.id
    }

    /// All of the record that `entry` names, checked to its last byte, and where its value begins in it; `None` if it is
    /// too long to be held in one piece.
    pub(in crate::store) fn whole(&mut self, entry: &HintEntry<'_>) -> Result<Option<(&[u8], usize)>, Stop> {
        let Some(len) = usize::try_from(entry.len).ok().filter(|len| *len <= PIECE) else { return Ok(None) };
        let (format, header) = (self.format, self.segment.header);
        let bytes = self.at(entry.offset, len)?;
        let damaged = |check| Stop::Damaged(damage(entry, check));
        let record = named(format, &header, bytes, entry)?;
        let value_start = usize::try_from(record.value_start).map_err(|_| damaged(Check::OtherKey))?;
        let Some(value) = bytes.get(value_start..len) else {
            return Err(damaged(Check::PastEnd { missing: entry.len - bytes.len() as u64 }));
        };
        record.check_value(value).map_err(damaged)?;
        Ok(Some((bytes, value_start)))
    }

    /// The frame and the key of the record that `entry` names.
    pub(in crate::store) fn head(&mut self, entry: &HintEntry<'_>) -> Result<Head, Stop> {
        let value_start = entry.len.saturating_sub(entry.stored_len);
        let want = usize::try_from(value_start).map_err(|_| Stop::Damaged(damage(entry, Check::OtherKey)))?;
        let (format, header) = (self.format, self.segment.header);
        let bytes = self.at(entry.offset, want)?;
        Ok(Head {
            value: named(format, &header, bytes, entry)?.value_check(),
            bytes: bytes.to_vec(),
            value_at: entry.offset + value_start,
            value_left: entry.stored_len,
        })
    }

    /// The next piece of the value; empty at its end, where it is known whether it holds.
    pub(in crate::store) fn piece(&mut self, entry: &HintEntry<'_>, head: &mut Head) -> Result<&[u8], Stop> {
        if head.value_left == 0 {
            let verdict = head.value.take().map_or(Ok(()), ValueCheck::finish);
            verdict.map_err(|check| Stop::Damaged(damage(entry, check)))?;
            return Ok(&[]);
        }
        let want = usize::try_from(head.value_left).unwrap_or(PIECE).min(PIECE);
        let piece = self.at(head.value_at, want)?;
        if piece.is_empty() {
            return Err(Stop::Damaged(damage(entry, Check::PastEnd { missing: head.value_left })));
        }
        if let Some(check) = &mut head.value {
            check.update(piece);
        }
        head.value_at += piece.len() as u64;
        head.value_left -= piece.len() as u64;
        Ok(piece)
    }

    /// Up to `want` bytes at `offset`: fewer only at the end of the file.
    fn at(&mut self, offset: u64, want: usize) -> Result<&[u8], Stop> {
        let held = |start: u64, bytes: &[u8]| -> Option<usize> {
            let skip = usize::try_from(offset.checked_sub(start)?).ok()?;
            (bytes.len().checked_sub(skip)? >= want).then_some(skip)
        };
        let skip = match held(self.start, &self.bytes) {
            Some(skip) => skip,
            None => {
                self.read(offset, want).map_err(|e| Error::io_at("read", &self.segment.path, offset, e))?;
                0
            }
        };
        let bytes = self.bytes.get(skip..).unwrap_or_default();
        Ok(bytes.get(..want).unwrap_or(bytes))
    }

    fn read(&mut self, offset: u64, want: usize) -> io::Result<()> {
        let end = self.segment.data_len();
        let left = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        self.start = offset;
        self.bytes.resize(want.max(PIECE).min(left), 0);
        let read = self.segment.file().read_full_at(&mut self.bytes, offset)?;
        self.bytes.truncate(read);
        Ok(())
    }
}

/// The record at the start of `bytes`, if its frame and key hold and it is the one that `entry` names.
fn named<'a>(
    format: &dyn Format,
    header: &FileHeader,
    bytes: &'a [u8],
    entry: &HintEntry<'_>,
) -> Result<Record<'a>, Stop> {
    let damaged = |check| Stop::Damaged(damage(entry, check));
    let record = match format.decode(header, entry.offset, bytes) {
        Decoded::Record(record) => record,
        Decoded::Damaged(check) => return Err(damaged(check)),
        Decoded::Incomplete { needed } => return Err(damaged(Check::PastEnd { missing: needed.max(1) })),
    };
    let is_same = record.key == entry.key
        && (record.tstamp, record.len(), record.kind) == (entry.tstamp, entry.len, entry.kind)
        && record.expires_at == entry.expires_at;
    if is_same { Ok(record) } else { Err(damaged(Check::OtherKey)) }
}

fn damage(entry: &HintEntry<'_>, check: Check) -> Damage {
    Damage { offset: entry.offset, len: entry.len, key: Some(entry.key.to_vec()), check }
}
