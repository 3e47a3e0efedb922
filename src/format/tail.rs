//! The file `TAIL`, both ways: the newest records of the active segment, as they are to stand there. All integers
//! little-endian:
//!
//! ```text
//!      0          8         16         24                    64
//!      ┌──────────┬──────────┬──────────┬─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─┬────────┬────────┬─ ─ ─
//!      │ magic    │ offset   │ segment  │ zeros               │ record │ record │ zeros, or what was there before
//!      └──────────┴──────────┴──────────┴─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─┴────────┴────────┴─ ─ ─
//! ```
//!
//! The first record belongs at `offset` of the segment, the others behind it. Their checksums cover the segment's salt and
//! their offset, so what the file held before is no record here. The file has no checksum of its own and no end: it ends
//! where a record does not hold.
//!
//! Must not know: files. Keeps: what [`Tail::records`] gives is records alone, each of them whole.

use super::{Decoded, FileHeader, Format, SegmentId, bytes_at};

/// The file's name.
pub const NAME: &str = "TAIL";
/// Bytes before the first record.
pub const HEADER_LEN: usize = 64;
/// How the file begins: its format is in the last byte.
pub const MAGIC: [u8; 8] = *b"lkvtail\x01";

const OFFSET_AT: usize = 8;
const SEGMENT_AT: usize = 16;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The segment whose tail it is.
    pub segment: SegmentId,
    /// Where in the segment its first record belongs.
    pub offset: u64,
    bytes: Vec<u8>,
}

/// The first bytes of a file that holds the tail of `segment` from `offset` on.
pub fn header(segment: SegmentId, offset: u64) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    let parts = MAGIC.into_iter().chain(offset.to_le_bytes()).chain(segment.to_le_bytes());
    header.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    header
}

impl Tail {
    /// `None` if these are not the bytes of such a file, or of a later version's.
    pub fn decode(mut bytes: Vec<u8>) -> Option<Self> {
        let is_ours = bytes.starts_with(&MAGIC) && bytes.len() >= HEADER_LEN;
        let word = |at| bytes_at(&bytes, at).map(u64::from_le_bytes);
        let (offset, segment) = (word(OFFSET_AT)?, word(SEGMENT_AT)?);
        bytes.drain(..HEADER_LEN.min(bytes.len()));
        is_ours.then_some(Self { segment, offset, bytes })
    }

    /// The bytes of the records that hold in a segment with this header.
    pub fn records(&self, format: &dyn Format, header: &FileHeader) -> &[u8] {
        let mut len = 0;
        while let Some(rest) = self.bytes.get(len..).filter(|rest| !rest.is_empty()) {
            let Decoded::Record(record) = format.decode(header, self.offset.saturating_add(len as u64), rest) else {
                break;
            };
            let place = |at: u64| usize::try_from(at).ok();
            let value = place(record.value_start).zip(place(record.len())).and_then(|(from, to)| rest.get(from..to));
            match (value, place(record.len())) {
                (Some(value), Some(record_len)) if record.check_value(value).is_ok() => len += record_len,
                _ => break,
            }
        }
        self.bytes.get(..len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::{FormatKind, Origin, record};
    use super::*;

    const SALT: u32 = 77;

    fn segment_header() -> FileHeader {
        let mut bytes = Vec::new();
        record::encode_file_header(3, SALT, 5, Origin::Puts, &mut bytes);
        FormatKind::Native.format().file_header(&bytes).unwrap()
    }

    fn file(offset: u64, count: u64) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut ends) = (header(3, offset).to_vec(), Vec::new());
        for i in 0..count {
            let at = offset + (bytes.len() - HEADER_LEN) as u64;
            record::encode(&record::NewRecord::put(&i.to_le_bytes(), b"value", i + 1), SALT, at, &mut bytes);
            ends.push(bytes.len() - HEADER_LEN);
        }
        (bytes, ends)
    }

    fn records_len(bytes: &[u8]) -> usize {
        Tail::decode(bytes.to_vec()).unwrap().records(FormatKind::Native.format(), &segment_header()).len()
    }

    #[test]
    fn what_was_put_in_comes_out_and_what_lay_there_before_does_not() {
        let (mut bytes, ends) = file(100, 5);
        bytes.resize(bytes.len() + 500, 0);
        let tail = Tail::decode(bytes.clone()).unwrap();
        assert_eq!((tail.segment, tail.offset, records_len(&bytes)), (3, 100, ends[4]));
        // Two newer records over the first of five older ones, which belonged elsewhere.
        let (newer, newer_ends) = file(1000, 2);
        bytes[..newer.len()].copy_from_slice(&newer);
        assert_eq!(records_len(&bytes), newer_ends[1]);
    }

    #[test]
    fn it_ends_at_the_first_byte_that_does_not_hold() {
        let (bytes, ends) = file(40, 4);
        for at in HEADER_LEN..bytes.len() {
            let mut hurt = bytes.clone();
            hurt[at] ^= 1;
            let whole = ends.iter().rev().find(|end| **end <= at - HEADER_LEN).copied().unwrap_or(0);
            assert_eq!(records_len(&hurt), whole, "flipped at {at}");
            assert_eq!(records_len(&bytes[..at]), whole, "cut at {at}");
        }
    }

    #[test]
    fn other_files_are_none() {
        for bytes in [&b""[..], b"lkvtail", &header(1, 2)[..63], &[0; 100]] {
            assert_eq!(Tail::decode(bytes.to_vec()), None);
        }
        let mut later = header(1, 2);
        later[7] += 1;
        assert_eq!(Tail::decode(later.to_vec()), None);
    }
}
