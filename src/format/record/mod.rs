//! The native layout, format 1, as a [`Format`]: file names, file headers, records.
//!
//! Must not know: what a place in the log means for the store.

mod file_header;
mod frame;
#[cfg(test)]
mod tests;

pub use file_header::{FILE_FIELDS, FILE_HEADER_LEN, MAGIC, VERSION, encode_file_header};
pub use frame::{
    EXPIRY_LEN, FIELDS, HEADER_LEN, MAX_KEY_LEN, MAX_SEGMENT_LEN, MAX_VALUE_LEN, NewRecord, TSTAMP_LIMIT, decode,
    encode, encoded_len, transplant, transplanted_flags,
};
pub(super) use frame::{kind_byte, needs_newer, shape};

use super::hint::{self, Hint, HintEntry, HintFault, HintOutline, HintParts};
use super::names::{FileRole, parse_decimal};
use super::{Decoded, Field, FileHeader, Format, FormatKind, HeaderFault, SegmentId, Sum, VersionOrder};
use super::{checkpoint, merge_file, tail};

/// The native format as a [`Format`].
#[derive(Debug)]
pub struct Native;

impl Format for Native {
    fn kind(&self) -> FormatKind {
        FormatKind::Native
    }

    fn role(&self, file_name: &str) -> Option<FileRole> {
        role(file_name)
    }

    fn segment_name(&self, id: SegmentId) -> String {
        format!("{id:010}.data")
    }

    fn hint_name(&self, id: SegmentId) -> Option<String> {
        Some(format!("{id:010}.hint"))
    }

    fn version_order(&self) -> VersionOrder {
        VersionOrder::Tstamp
    }

    fn max_file_header_len(&self) -> usize {
        FILE_HEADER_LEN
    }

    fn file_header(&self, bytes: &[u8]) -> Result<FileHeader, HeaderFault> {
        file_header::decode_file_header(bytes)
    }

    fn presumed_file_header(&self, bytes: &[u8]) -> FileHeader {
        file_header::presumed_file_header(bytes)
    }

    fn decode<'a>(&self, header: &FileHeader, offset: u64, bytes: &'a [u8]) -> Decoded<'a> {
        decode(header.salt, offset, bytes)
    }

    fn decode_again<'a>(&self, _header: &FileHeader, _offset: u64, bytes: &'a [u8]) -> Decoded<'a> {
        frame::decode_again(bytes)
    }

    fn has_checksum(&self) -> bool {
        true
    }

    fn has_frame_checksum(&self) -> bool {
        true
    }

    fn plausible(&self, bytes: &[u8], left: u64) -> bool {
        frame::plausible(bytes, left).unwrap_or(false)
    }

    fn hint<'a>(&self, bytes: &'a [u8]) -> Option<Result<Hint<'a>, HintFault>> {
        Some(hint::decode(bytes))
    }

    fn hint_outline(&self, head: &[u8], len: u64) -> Option<HintOutline> {
        hint::outline(head, len)
    }

    fn hint_entry<'a>(&self, bytes: &'a [u8]) -> Option<(HintEntry<'a>, usize)> {
        hint::decode_entry(bytes)
    }

    fn hint_parts(&self, head: &[u8], len: u64) -> Option<HintParts> {
        Some(hint::parts(head, len))
    }

    fn hint_count(&self, head: &[u8], len: u64) -> Option<u64> {
        hint::claimed_count(head, len)
    }

    fn frame_len(&self) -> fn(bool) -> u64 {
        |with_expiry| encoded_len(0, 0, with_expiry)
    }

    fn record_fields(&self) -> &'static [Field] {
        &FIELDS
    }

    fn record_sums(&self) -> &'static [Sum] {
        &frame::SUMS
    }

    fn file_header_fields(&self) -> &'static [Field] {
        &FILE_FIELDS
    }

    fn file_header_sums(&self) -> &'static [Sum] {
        &file_header::FILE_SUMS
    }

    fn hint_header_fields(&self) -> &'static [Field] {
        &hint::FILE_FIELDS
    }

    fn hint_entry_fields(&self) -> &'static [Field] {
        &hint::FIELDS
    }

    fn hint_closing_fields(&self) -> &'static [Field] {
        &hint::CLOSING_FIELDS
    }

    fn hint_sum(&self) -> Option<&'static Sum> {
        Some(&hint::SUM)
    }
}

fn role(name: &str) -> Option<FileRole> {
    let id = |stem: &str| parse_decimal(stem, Some(10)).filter(|id| u32::try_from(*id).is_ok());
    if let Some(stem) = name.strip_suffix(".tmp") {
        return role(stem).filter(|role| *role != FileRole::Leftover).map(|_| FileRole::Leftover);
    }
    if matches!(name, "LOCK" | checkpoint::NAME | merge_file::NAME | "SNAPSHOT" | tail::NAME) {
        return Some(FileRole::Companion);
    }
    if let Some(stem) = name.strip_suffix(".data") {
        return id(stem).map(FileRole::Segment);
    }
    name.strip_suffix(".hint").and_then(id).map(FileRole::Hint)
}
