//! The file header of a segment as the first row of its record list.
//!
//! Keeps: says what opening says of the header; a header that does not hold has a row all the same.

use super::records::{CrcState, RecordRow, RowKind, RowState, stretch};
use crate::error::Result;
use crate::format::{Check, HeaderFault, SegmentId};
use crate::store::Store;

/// The row of a segment's file header. `None` where the format has none.
pub fn header_row(store: &Store, segment: SegmentId) -> Result<Option<RecordRow>> {
    let format = store.format().format();
    let most = format.max_file_header_len();
    if most == 0 {
        return Ok(None);
    }
    let bytes = store.bytes(segment, 0, most)?;
    let len = bytes.len() as u64;
    let row = |len, state| RecordRow { kind: RowKind::Header, ..stretch(segment, 0, len, state) };
    let damaged = |check, crc| RecordRow { check: Some(check), crc, ..row(len, RowState::Damaged) };
    Ok(Some(match format.file_header(&bytes) {
        Ok(header) if header.id.is_some_and(|id| id != segment) => damaged(Check::OtherFile, CrcState::Ok),
        Ok(header) => {
            let (tstamp, crc) = (Some(header.created), CrcState::Ok);
            RecordRow { tstamp, crc, ..row(header.len, RowState::Header) }
        }
        Err(HeaderFault::Damaged(check)) => damaged(check, CrcState::Bad),
        Err(HeaderFault::Incomplete) => damaged(Check::PastEnd { missing: (most - bytes.len()) as u64 }, CrcState::Bad),
        Err(HeaderFault::NeedsNewer(_)) => row(len, RowState::Unknown),
    }))
}
