//! Walking a hint file row by row.

use super::{HintFile, HintPart, HintRow};
use crate::error::Result;
use crate::format::{Check, HintEntry};

/// Bytes that are read ahead, a multiple of what the longest entry takes.
const AHEAD: usize = 256 << 10;
/// More than an entry takes in a format with 16-bit key lengths.
const ENTRY: usize = 68 << 10;

/// The rows of a hint. After an error there are no more.
#[derive(Debug)]
pub struct HintRows<'a> {
    hint: &'a HintFile,
    at: u64,
    /// Where the bytes at hand start.
    start: u64,
    bytes: Vec<u8>,
}

impl<'a> HintRows<'a> {
    pub(super) fn new(hint: &'a HintFile, at: u64) -> Self {
        Self { hint, at, start: 0, bytes: Vec::new() }
    }
}

impl Iterator for HintRows<'_> {
    type Item = Result<HintRow>;

    fn next(&mut self) -> Option<Result<HintRow>> {
        let parts = self.hint.parts;
        if self.at >= parts.end {
            return None;
        }
        let row = match self.at {
            at if at < parts.header => Ok(self.part(HintPart::Header, parts.header)),
            at if at < parts.entries_end => self.entry(),
            at if at < parts.bloom_end => Ok(self.part(HintPart::Bloom, parts.bloom_end)),
            _ => Ok(self.part(HintPart::Closing, parts.end)),
        };
        self.at = row.as_ref().map_or(parts.end, |row| row.offset.saturating_add(row.len));
        Some(row)
    }
}

impl HintRows<'_> {
    fn part(&self, part: HintPart, end: u64) -> HintRow {
        let (segment, offset, len) = (self.hint.segment, self.at, end.saturating_sub(self.at));
        HintRow { segment, offset, len, part, key: None, kind: None, points_at: None, check: None }
    }

    fn entry(&mut self) -> Result<HintRow> {
        let end = self.hint.parts.entries_end;
        let left = usize::try_from(end - self.at).unwrap_or(usize::MAX);
        if self.at_hand().len() < left.min(ENTRY) {
            self.bytes = self.hint.read(self.at, left.min(AHEAD))?;
            self.start = self.at;
        }
        let data_len = self.hint.data_len;
        Ok(match self.hint.format.hint_entry(self.at_hand()) {
            Some((entry, len)) => {
                let HintEntry { kind, key, offset, len: record_len, .. } = entry;
                let points_at = offset..offset.saturating_add(record_len);
                let missing = points_at.end.saturating_sub(data_len);
                HintRow {
                    key: Some(key.to_vec()),
                    kind: Some(kind),
                    check: (missing > 0).then_some(Check::PastEnd { missing }),
                    points_at: Some(points_at),
                    ..self.part(HintPart::Entry, self.at.saturating_add(len as u64))
                }
            }
            None => {
                let check = Some(Check::Implausible("an entry does not decode"));
                HintRow { check, ..self.part(HintPart::Gap, end) }
            }
        })
    }

    fn at_hand(&self) -> &[u8] {
        let skip = usize::try_from(self.at.saturating_sub(self.start)).unwrap_or(usize::MAX);
        self.bytes.get(skip..).unwrap_or_default()
    }
}
