//! Which format a file's first bytes are in, when its name does not say.
//!
//! Must not know names or directories. Keeps: memory stays below [`MAX_FRAME`] whatever the bytes claim, and a format is
//! only named on evidence that chance does not produce.

use std::io;

use crate::disk::ReadFile;
use crate::format::{Decoded, FileHeader, Format, FormatKind, Record, SegmentId, record};

/// The longest frame (header, key, a few value bytes) that is read to tell a format.
const MAX_FRAME: u64 = 1 << 20;
/// How much of a value is checked at a time.
const PIECE: u64 = 1 << 16;
/// Records that must follow each other where no checksum tells them from chance; fewer if the file ends after them.
const CHAIN: usize = 8;
/// September 2001, in microseconds since 1970: older than any program that writes these formats.
const EARLIEST: u64 = 1_000_000_000_000_000;

/// The format of a segment file, and its id if the file itself says.
pub(super) fn segment(file: &dyn ReadFile) -> io::Result<Option<(FormatKind, SegmentId)>> {
    if let Some(id) = native(file)? {
        return Ok(Some((FormatKind::Native, id)));
    }
    if chain(file, FormatKind::Riak.format(), 1)? {
        return Ok(Some((FormatKind::Riak, 0)));
    }
    Ok(chain(file, FormatKind::LogkvGo.format(), CHAIN)?.then_some((FormatKind::LogkvGo, 0)))
}

/// Eight letters are enough: a damaged header is still a native segment's.
fn native(file: &dyn ReadFile) -> io::Result<Option<SegmentId>> {
    let format = FormatKind::Native.format();
    let start = read(file, 0, format.max_file_header_len() as u64)?;
    if !start.starts_with(&record::MAGIC) {
        return Ok(None);
    }
    let id = format.file_header(&start).ok().and_then(|header| header.id);
    Ok(Some(id.unwrap_or_default()))
}

/// Whether `wanted` records, or as many as there are, follow each other from the start of the file.
fn chain(file: &dyn ReadFile, format: &dyn Format, wanted: usize) -> io::Result<bool> {
    let len = file.len()?;
    let mut offset = 0;
    for _ in 0..wanted {
        match record_len(file, format, offset, len)? {
            Some(record_len) => offset += record_len,
            None => return Ok(false),
        }
        if offset == len {
            break;
        }
    }
    Ok(true)
}

/// The length of the record at `offset`, if there is one that ends within the file and holds.
fn record_len(file: &dyn ReadFile, format: &dyn Format, offset: u64, len: u64) -> io::Result<Option<u64>> {
    let rest = len.saturating_sub(offset);
    let mut needed = 1;
    loop {
        let window = read(file, offset, needed)?;
        match format.decode(&FileHeader::NONE, offset, &window) {
            Decoded::Record(record) if record.len() <= rest => {
                return Ok(holds(file, offset, &record)?.then_some(record.len()));
            }
            Decoded::Incomplete { needed: more } if more > needed && more <= rest.min(MAX_FRAME) => needed = more,
            _ => return Ok(None),
        }
    }
}

/// Whether the checksum holds or, in a format without one, the time is one at which somebody could have written it.
fn holds(file: &dyn ReadFile, offset: u64, record: &Record<'_>) -> io::Result<bool> {
    let Some(mut check) = record.value_check() else { return Ok(record.tstamp >= EARLIEST) };
    let end = offset + record.len();
    let mut at = offset + record.value_start;
    while at < end {
        let piece = read(file, at, (end - at).min(PIECE))?;
        if piece.is_empty() {
            return Ok(false);
        }
        check.update(&piece);
        at += piece.len() as u64;
    }
    Ok(check.finish().is_ok())
}

/// The bytes at `offset`, fewer than `len` if the file ends before. Callers ask for little.
fn read(file: &dyn ReadFile, offset: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(len.min(MAX_FRAME)).unwrap_or_default()];
    let filled = file.read_full_at(&mut bytes, offset)?;
    bytes.truncate(filled);
    Ok(bytes)
}
