//! The head of the file `KEYDIR`, both ways: which bytes of which segments the keydir in it knows, and where in the file
//! the keydir's shards lie. All integers little-endian:
//!
//! ```text
//! ┌──────────────────┬───────────┬─ ─ ─┬────────────┬─ ─ ─┬────────────┬─────────┬─ ─ ─┐
//! │ header, 80 bytes │ segment 1 │     │ shard a    │     │ tables crc │ image a │     │
//! └──────────────────┴───────────┴─ ─ ─┴────────────┴─ ─ ─┴────────────┴─────────┴─ ─ ─┘
//!                       56 bytes          36 bytes           └ CRC-32 of everything before it
//!
//! ┌─ ─ ─ ─ ─ ─ ─ ─ ─┬─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─┬─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─┐
//!   u32 a block:       u32 a slot,              u64 a word: the rows,       the image of a shard: its table as it is
//! │ its words       │  16 slots a bucket      │  block after block        │  in memory, checked by its line's crc
//! └─ ─ ─ ─ ─ ─ ─ ─ ─┴─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─┴─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─┘
//! ```
//!
//! Shards without keys have no line and no image. Images stand in the order of their lines and end with the file, so that
//! several can be read at once. The file is a cache: what does not hold, or is a later version's, is passed over.
//!
//! Must not know: files, segments in use, what slots and rows mean. Keeps: a head that decodes is whole, fits a file of
//! the length that it names, and its parts are believed together.

mod layout;

use std::collections::BTreeSet;

use super::{Check, HeaderFault, SegmentId, bytes_at, record};
pub use layout::{
    BUCKET, CLOSING_FIELDS, FIELDS, HEADER_LEN, HEADER_SUM, MAGIC, SEGMENT_FIELDS, SEGMENT_LEN, SHARD_FIELDS,
    SHARD_LEN, VERSION,
};
use layout::{
    CRC_AT, CRC_LEN, EXPIRED_AT, FEATURES_AT, FILE_LEN_AT, IMAGES_AT, KEYS_AT, LEN_AT, SEED_AT, SEGMENTS_AT, SHARDS_AT,
    SLOT_LEN, TSTAMP_AT, VERSION_AT, WORD_LEN, WRITTEN_AT, starts,
};

/// The file's name.
pub const NAME: &str = "KEYDIR";
/// More shards than any keydir has.
const MAX_SHARDS: u32 = 1 << 16;
/// More segments than any directory holds; their lines are read before anything is known of the directory.
const MAX_SEGMENTS: u32 = 1 << 24;

/// What a checkpoint says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// The key of the keydir's hash.
    pub seed: u64,
    /// Shards of the keydir.
    pub shards: u32,
    /// Keys whose time has run out, and which are not in it.
    pub expired: u64,
    /// When it was written: microseconds since 1970.
    pub written: u64,
    /// The segments that it covers.
    pub segments: Vec<Covered>,
    /// The shards that have keys, by number.
    pub images: Vec<ShardImage>,
}

/// How much of a segment a checkpoint covers, and what is in that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    /// The number in its name.
    pub id: SegmentId,
    /// The salt in its header.
    pub salt: u32,
    /// Bytes from its start.
    pub len: u64,
    /// Records in them.
    pub records: u64,
    /// Tombstones among them.
    pub tombstones: u64,
    /// Marks among them.
    pub marks: u64,
    /// Records that the keydir points at.
    pub live_records: u64,
    /// Their bytes.
    pub live_bytes: u64,
    /// Smallest tstamp; `u64::MAX` without records.
    pub min_tstamp: u64,
    /// Largest tstamp; 0 without records.
    pub max_tstamp: u64,
}

/// Where the parts of a shard's image lie, and what is in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardImage {
    /// Which shard.
    pub shard: u32,
    /// Buckets of [`BUCKET`] slots.
    pub buckets: u32,
    /// Blocks of rows.
    pub blocks: u32,
    /// Words of all blocks.
    pub words: u32,
    /// Slots that refer to a row.
    pub keys: u32,
    /// Slots that were used once.
    pub freed: u32,
    /// Rows with an expiry.
    pub expiring: u32,
    /// Words that no slot refers to.
    pub unused_words: u32,
    /// The checksum of the image.
    pub crc: u32,
}

impl ShardImage {
    /// Bytes of the image: below 2^39.
    pub fn len(&self) -> u64 {
        let (blocks, buckets, words) = (u64::from(self.blocks), u64::from(self.buckets), u64::from(self.words));
        blocks * SLOT_LEN + buckets * BUCKET * SLOT_LEN + words * WORD_LEN
    }

    /// Whether it has neither slots nor rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Checkpoint {
    /// Bytes before the first image, of a file about so many segments and shards with keys.
    pub fn head_len(segments: usize, images: usize) -> u64 {
        (HEADER_LEN + segments * SEGMENT_LEN + images * SHARD_LEN + CRC_LEN) as u64
    }

    /// Keys of all shards together.
    pub fn keys(&self) -> u64 {
        self.images.iter().map(|image| u64::from(image.keys)).sum()
    }

    /// The largest tstamp of a record that it covers; 0 without records.
    pub fn last_tstamp(&self) -> u64 {
        self.segments.iter().map(|covered| covered.max_tstamp).max().unwrap_or(0)
    }

    /// Where each image begins, in their order.
    pub fn places(&self) -> impl Iterator<Item = (u64, &ShardImage)> {
        let first = Self::head_len(self.segments.len(), self.images.len());
        self.images.iter().scan(first, |next, image| {
            let at = *next;
            *next = next.saturating_add(image.len());
            Some((at, image))
        })
    }

    /// Bytes of the whole file.
    pub fn file_len(&self) -> u64 {
        let images: u64 = self.images.iter().map(ShardImage::len).fold(0, u64::saturating_add);
        Self::head_len(self.segments.len(), self.images.len()).saturating_add(images)
    }

    /// The bytes before the first image. Ids and counts have 32 bits because a segment is under 4 GiB.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&(HEADER_LEN as u16).to_le_bytes());
        out.extend_from_slice(&0u32.to_le_bytes());
        out.extend_from_slice(&self.seed.to_le_bytes());
        for count in [self.shards, self.segments.len() as u32, self.images.len() as u32] {
            out.extend_from_slice(&count.to_le_bytes());
        }
        for number in [self.keys(), self.expired, self.last_tstamp(), self.written, self.file_len()] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        close(&mut out);
        for covered in &self.segments {
            out.extend_from_slice(&(covered.id as u32).to_le_bytes());
            out.extend_from_slice(&covered.salt.to_le_bytes());
            out.extend_from_slice(&covered.len.to_le_bytes());
            for count in [covered.records, covered.tombstones, covered.marks, covered.live_records] {
                out.extend_from_slice(&(count as u32).to_le_bytes());
            }
            for number in [covered.live_bytes, covered.min_tstamp, covered.max_tstamp] {
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
        for it in &self.images {
            let counts = [it.shard, it.buckets, it.blocks, it.words, it.keys, it.freed, it.expiring, it.unused_words];
            counts.iter().for_each(|count| out.extend_from_slice(&count.to_le_bytes()));
            out.extend_from_slice(&it.crc.to_le_bytes());
        }
        close(&mut out);
        out
    }

    /// How many bytes stand before the first image of a file of `file_len` bytes that begins with `head`, which has
    /// [`HEADER_LEN`] bytes at least. Checks the header.
    pub fn claimed_head_len(head: &[u8], file_len: u64) -> Result<u64, HeaderFault> {
        let magic: [u8; 8] = bytes_at(head, 0).ok_or(HeaderFault::Incomplete)?;
        if magic != MAGIC {
            return Err(damaged("the file does not begin with LOGKVKEY"));
        }
        check_crc(head.get(..CRC_AT), bytes_at(head, CRC_AT))?;
        let short = HeaderFault::Incomplete;
        let version = bytes_at(head, VERSION_AT).map(u16::from_le_bytes).ok_or(short.clone())?;
        let features = u32_at(head, FEATURES_AT).ok_or(short.clone())?;
        if version > VERSION || features != 0 {
            return Err(HeaderFault::NeedsNewer(format!("a checkpoint of version {version}, features {features:#x}")));
        }
        let len = bytes_at(head, LEN_AT).map(u16::from_le_bytes).ok_or(short.clone())?;
        let counts = [SHARDS_AT, SEGMENTS_AT, IMAGES_AT].map(|at| u32_at(head, at).unwrap_or(u32::MAX));
        let [shards, segments, images] = counts;
        let told = bytes_at(head, FILE_LEN_AT).map(u64::from_le_bytes).ok_or(short)?;
        if version == 0 || usize::from(len) != HEADER_LEN || shards > MAX_SHARDS || segments > MAX_SEGMENTS {
            return Err(damaged("a version, length or count that no writer writes"));
        }
        if told != file_len || images > shards {
            return Err(damaged("its lengths do not fit the file"));
        }
        Some(Self::head_len(segments as usize, images as usize)).filter(|len| *len <= file_len).ok_or(NO_FIT)
    }

    /// Decodes and checks the bytes before the first image: `head`, which has as many of them as
    /// [`Checkpoint::claimed_head_len`] says, of a file of `file_len` bytes.
    pub fn decode(head: &[u8], file_len: u64) -> Result<Self, HeaderFault> {
        let len = usize::try_from(Self::claimed_head_len(head, file_len)?).map_err(|_| NO_FIT)?;
        let body_len = len.saturating_sub(CRC_LEN);
        check_crc(head.get(..body_len), bytes_at(head, body_len))?;
        let checkpoint = head.get(HEADER_LEN..body_len).and_then(|tables| tables_of(head, tables)).ok_or(NO_FIT)?;
        let told = |at| bytes_at(head, at).map(u64::from_le_bytes);
        let numbers = [checkpoint.keys(), checkpoint.last_tstamp(), checkpoint.file_len()].map(Some);
        let live: u64 = checkpoint.segments.iter().map(|covered| covered.live_records).sum();
        match numbers == [KEYS_AT, TSTAMP_AT, FILE_LEN_AT].map(told) && live == checkpoint.keys() {
            true => Ok(checkpoint),
            false => Err(damaged("its counts do not agree")),
        }
    }
}

const NO_FIT: HeaderFault = damaged("its lengths do not fit the file");

const fn damaged(what: &'static str) -> HeaderFault {
    HeaderFault::Damaged(Check::Implausible(what))
}

fn close(out: &mut Vec<u8>) {
    let crc = crc32fast::hash(out);
    out.extend_from_slice(&crc.to_le_bytes());
}

fn check_crc(body: Option<&[u8]>, crc: Option<[u8; 4]>) -> Result<(), HeaderFault> {
    let (body, stored) = body.zip(crc.map(u32::from_le_bytes)).ok_or(HeaderFault::Incomplete)?;
    let computed = crc32fast::hash(body);
    if stored == computed {
        return Ok(());
    }
    Err(HeaderFault::Damaged(Check::FileChecksum { stored, computed }))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes_at(bytes, at).map(u32::from_le_bytes)
}

/// `None` where lines contradict each other, or name more than there can be.
fn tables_of(head: &[u8], tables: &[u8]) -> Option<Checkpoint> {
    let segments = u32_at(head, SEGMENTS_AT)? as usize;
    let (of_segments, of_shards) = tables.split_at_checked(segments.checked_mul(SEGMENT_LEN)?)?;
    let shards = u32_at(head, SHARDS_AT)?;
    let segments = of_segments.chunks_exact(SEGMENT_LEN).map(covered).collect::<Option<Vec<_>>>()?;
    let images = of_shards.chunks_exact(SHARD_LEN).map(shard_image).collect::<Option<Vec<_>>>()?;
    let ids: BTreeSet<SegmentId> = segments.iter().map(|covered| covered.id).collect();
    let in_order = images.is_sorted_by(|a, b| a.shard < b.shard);
    let in_range = images.last().is_none_or(|image| image.shard < shards);
    if ids.len() != segments.len() || !in_order || !in_range {
        return None;
    }
    let seed = bytes_at(head, SEED_AT).map(u64::from_le_bytes)?;
    let expired = bytes_at(head, EXPIRED_AT).map(u64::from_le_bytes)?;
    let written = bytes_at(head, WRITTEN_AT).map(u64::from_le_bytes)?;
    Some(Checkpoint { seed, shards, expired, written, segments, images })
}

fn covered(line: &[u8]) -> Option<Covered> {
    let [id, salt, len, records, tombstones, marks, live, live_bytes, min, max] = const { starts(&SEGMENT_FIELDS) };
    let small = |at| u32_at(line, at).map(u64::from);
    let large = |at| bytes_at(line, at).map(u64::from_le_bytes);
    let covered = Covered {
        id: small(id)?,
        salt: u32_at(line, salt)?,
        len: large(len)?,
        records: small(records)?,
        tombstones: small(tombstones)?,
        marks: small(marks)?,
        live_records: small(live)?,
        live_bytes: large(live_bytes)?,
        min_tstamp: large(min)?,
        max_tstamp: large(max)?,
    };
    let dead = covered.tombstones.saturating_add(covered.marks);
    let fits = covered.len <= record::MAX_SEGMENT_LEN
        && covered.live_bytes <= covered.len
        && covered.live_records.saturating_add(dead) <= covered.records
        && covered.max_tstamp < record::TSTAMP_LIMIT;
    Some(covered).filter(|_| fits)
}

fn shard_image(line: &[u8]) -> Option<ShardImage> {
    let [shard, buckets, blocks, words, keys, freed, expiring, unused, crc] = const { starts(&SHARD_FIELDS) };
    let at = |at| u32_at(line, at);
    Some(ShardImage {
        shard: at(shard)?,
        buckets: at(buckets)?,
        blocks: at(blocks)?,
        words: at(words)?,
        keys: at(keys)?,
        freed: at(freed)?,
        expiring: at(expiring)?,
        unused_words: at(unused)?,
        crc: at(crc)?,
    })
}

#[cfg(test)]
mod tests;
