//! The file `KEYDIR`, part by part: its header, a row a segment that it covers, a row a shard, what closes its head, the
//! images.
//!
//! Reads by the layout's own tables and believes nothing: of a checkpoint that is damaged, cut or stale every byte can be
//! looked at all the same. Keeps: rows are contiguous and fill the file, whatever counts it claims.

mod rows;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::anatomy::{Anatomy, Layout, SumAnatomy, crc_of, one_field, take_apart};
use crate::disk::{ReadDisk, ReadFile};
use crate::error::{Error, Result};
use crate::format::checkpoint::{
    CLOSING_FIELDS, FIELDS, HEADER_LEN, HEADER_SUM, SEGMENT_FIELDS, SEGMENT_LEN, SHARD_FIELDS, SHARD_LEN,
};
use crate::format::{Check, Checkpoint, Encoding, Field, HeaderFault, Role, Sum, Width};

pub use rows::{CheckpointPart, CheckpointRow};
pub use verify::checkpoint_findings;

/// Bytes that are read at once.
const AHEAD: usize = 1 << 20;

static IMAGE: Field = Field {
    name: "image",
    width: Width::Value,
    encoding: Encoding::Bytes,
    role: Role::Value,
    meaning: "A shard of the keydir as it is in memory: lengths of its blocks, its slots, its rows.",
};

static REST: Field = Field {
    name: "bytes without a place",
    width: Width::Value,
    encoding: Encoding::Bytes,
    role: Role::Value,
    meaning: "The head does not say what they are.",
};

static CLOSING_SUM: Sum = Sum { field: "tables crc", from: "magic", to: "image crc", salted: false };
static IMAGE_SUM: Sum = Sum { field: "image crc", from: "image", to: "image", salted: false };

/// A checkpoint that is looked at.
#[derive(Debug)]
pub struct CheckpointFile {
    path: PathBuf,
    file: Arc<dyn ReadFile>,
    len: u64,
    /// Lines about segments and shards, as far as the file has them.
    segments: u64,
    shards: u64,
    /// The head, or what is wrong with it.
    head: Result<Checkpoint, HeaderFault>,
}

impl CheckpointFile {
    /// Opens a checkpoint by its path.
    pub fn open(disk: &dyn ReadDisk, path: &Path) -> Result<Self> {
        let file = disk.open_read(path).map_err(|e| Error::io("open", path, e))?;
        Self::of(path.to_owned(), file)
    }

    /// Looks at a checkpoint that is open.
    pub(super) fn of(path: PathBuf, file: Arc<dyn ReadFile>) -> Result<Self> {
        let failed = |e| Error::io("read", &path, e);
        let len = file.len().map_err(failed)?;
        let start = file.read_vec_at(HEADER_LEN as u64, 0).map_err(failed)?;
        let head = match Checkpoint::claimed_head_len(&start, len) {
            Ok(head_len) => Checkpoint::decode(&file.read_vec_at(head_len, 0).map_err(failed)?, len),
            Err(fault) => Err(fault),
        };
        let room = len.saturating_sub(HEADER_LEN as u64);
        let segments = claimed(&start, "segments").min(room / SEGMENT_LEN as u64);
        let room = room - segments * SEGMENT_LEN as u64;
        let shards = claimed(&start, "images").min(room / SHARD_LEN as u64);
        Ok(Self { path, file, len, segments, shards, head })
    }

    /// Its bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What its head says, if that holds: what is wrong with it, if not.
    pub fn head(&self) -> Result<&Checkpoint, &HeaderFault> {
        self.head.as_ref()
    }

    /// Takes one of its rows apart.
    pub fn anatomy(&self, row: &CheckpointRow) -> Result<Anatomy> {
        let read = |at, len| self.read(at, len);
        let by_table = |fields, sums| {
            let layout = Layout { fields, sums, ..Layout::default() };
            take_apart(&layout, 0, row.offset, &read)
        };
        match row.part {
            CheckpointPart::Header => by_table(&FIELDS, std::slice::from_ref(&HEADER_SUM)),
            CheckpointPart::Segment => by_table(&SEGMENT_FIELDS, &[]),
            CheckpointPart::Shard => self.shard(row, by_table(&SHARD_FIELDS, &[])?),
            CheckpointPart::Closing => {
                let mut closing = by_table(&CLOSING_FIELDS, &[])?;
                let stored = closing.fields.first().and_then(|field| field.number).map(|stored| stored as u32);
                if let Some(stored) = stored {
                    let (computed, covers) = (crc_of(row.offset, &read)?, 0..row.offset);
                    closing.sums.push(SumAnatomy { sum: &CLOSING_SUM, stored, computed, covers });
                }
                Ok(closing)
            }
            CheckpointPart::Image => one_field(&IMAGE, 0, row.offset, row.len, &read),
            CheckpointPart::Rest => one_field(&REST, 0, row.offset, row.len, &read),
        }
    }

    /// With the checksum of the image that the line is about.
    fn shard(&self, row: &CheckpointRow, mut line: Anatomy) -> Result<Anatomy> {
        let Some((at, image)) = row.image.and_then(|nth| self.head.as_ref().ok()?.places().nth(nth)) else {
            return Ok(line);
        };
        let read = |from: u64, len| self.read(at.saturating_add(from), len);
        let (computed, covers) = (crc_of(image.len(), &read)?, at..at + image.len());
        line.sums.push(SumAnatomy { sum: &IMAGE_SUM, stored: image.crc, computed, covers });
        Ok(line)
    }

    /// What is wrong with the whole; reads all of it. `None`: it holds.
    pub fn fault(&self) -> Result<Option<HeaderFault>> {
        let head = match &self.head {
            Ok(head) => head,
            Err(fault) => return Ok(Some(fault.clone())),
        };
        // Many images are smaller than what one read may bring.
        let (mut start, mut ahead) = (0, Vec::new());
        for (at, image) in head.places() {
            let (mut left, mut at, mut crc) = (image.len(), at, crc32fast::Hasher::new());
            while left > 0 {
                if at >= start + ahead.len() as u64 {
                    (start, ahead) = (at, self.read(at, AHEAD)?);
                }
                let skip = usize::try_from(at - start).unwrap_or(usize::MAX);
                let there = ahead.get(skip..).unwrap_or_default();
                let there = there.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(there);
                if there.is_empty() {
                    return Ok(Some(HeaderFault::Incomplete));
                }
                crc.update(there);
                (at, left) = (at + there.len() as u64, left - there.len() as u64);
            }
            let (stored, computed) = (image.crc, crc.finalize());
            if stored != computed {
                return Ok(Some(HeaderFault::Damaged(Check::FileChecksum { stored, computed })));
            }
        }
        Ok(None)
    }

    /// At most `len` bytes, and no more than there are.
    fn read(&self, at: u64, len: usize) -> Result<Vec<u8>> {
        let left = self.len.saturating_sub(at).min(len as u64);
        self.file.read_vec_at(left, at).map_err(|e| Error::io_at("read", &self.path, at, e))
    }
}

/// What the field of this name says in a header that nobody has checked.
fn claimed(header: &[u8], name: &str) -> u64 {
    let mut at = 0usize;
    for field in &FIELDS {
        let Width::Fixed(width) = field.width else { break };
        if field.name == name {
            return header.get(at..at + width).and_then(|bytes| field.encoding.number(bytes)).unwrap_or(0);
        }
        at += width;
    }
    0
}

#[cfg(test)]
mod tests;
