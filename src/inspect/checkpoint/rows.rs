//! The rows of a checkpoint, one behind the other.

use super::CheckpointFile;
use crate::format::Width;
use crate::format::checkpoint::{CLOSING_FIELDS, HEADER_LEN, SEGMENT_LEN, SHARD_LEN};

/// A part of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointPart {
    /// What it says of the keydir as a whole.
    Header,
    /// What it says of one segment.
    Segment,
    /// What it says of one shard of the keydir.
    Shard,
    /// The checksum over all before it.
    Closing,
    /// A shard of the keydir.
    Image,
    /// What the head does not account for.
    Rest,
}

impl CheckpointPart {
    /// The word on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Segment => "segment",
            Self::Shard => "shard",
            Self::Closing => "tables crc",
            Self::Image => "image",
            Self::Rest => "rest",
        }
    }
}

/// One line of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointRow {
    /// Where the part starts in the file.
    pub offset: u64,
    /// Its bytes.
    pub len: u64,
    /// What it is.
    pub part: CheckpointPart,
    /// Which image it is, or is about, counted from 0.
    pub image: Option<usize>,
}

impl CheckpointFile {
    /// All rows, from the first byte to the last.
    pub fn rows(&self) -> impl Iterator<Item = CheckpointRow> {
        use CheckpointPart::{Closing, Header, Image, Rest, Segment, Shard};
        let lines = |part, count: u64, len: usize| (0..count as usize).map(move |nth| (part, len as u64, nth));
        let closing = CLOSING_FIELDS.iter().map(|field| if let Width::Fixed(width) = field.width { width } else { 0 });
        let head = lines(Header, 1, HEADER_LEN)
            .chain(lines(Segment, self.segments, SEGMENT_LEN))
            .chain(lines(Shard, self.shards, SHARD_LEN))
            .chain(lines(Closing, 1, closing.sum()));
        let images = self.head.iter().flat_map(|head| head.images.iter().enumerate());
        let images = images.map(|(nth, image)| (Image, image.len(), nth));
        let all = head.chain(images).chain(lines(Rest, 1, usize::MAX));
        all.scan(0u64, |next, (part, len, nth)| {
            let (offset, len) = (*next, len.min(self.len - *next));
            *next += len;
            let image = Some(nth).filter(|_| matches!(part, Shard | Image));
            Some(CheckpointRow { offset, len, part, image })
        })
        .filter(|row| row.len > 0)
    }
}
