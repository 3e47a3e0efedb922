//! The tables of which the head of a checkpoint is made, and the places that follow from them.
//!
//! Must not know how anything is decoded. Keeps: each width stands here once.

use super::super::field::{fixed_len, start_of};
use super::super::{Field, Role, Sum, Width};

/// The first eight bytes of the file.
pub const MAGIC: [u8; 8] = *b"LOGKVKEY";
/// The layout version that is written.
pub const VERSION: u16 = 1;

/// What the file begins with, field by field.
pub const FIELDS: [Field; 14] = [
    Field::bytes("magic", Width::Fixed(8), Role::Kind, "Eight letters by which a checkpoint of logkv is known."),
    Field::le("version", 2, Role::Kind, "The layout of everything that follows, images included."),
    Field::le("header length", 2, Role::Length, "Bytes of this header."),
    Field::le("features", 4, Role::Kind, "Bits that a reader must know to use this file at all."),
    Field::le("hash seed", 8, Role::Place, "The key of the hash by which keys are spread over shards and slots."),
    Field::le("table shards", 4, Role::Length, "How many shards the keydir has, those without keys included."),
    Field::le("segments", 4, Role::Length, "How many lines about segments follow."),
    Field::le("images", 4, Role::Length, "How many shards have keys, and so a line and an image."),
    Field::le("keys", 8, Role::Length, "Keys of all shards together."),
    Field::le("expired", 8, Role::Length, "Keys whose time has run out, and which are not in it."),
    Field::le("largest tstamp", 8, Role::Time, "No record that it covers is newer, and none behind it is older."),
    Field::le("written", 8, Role::Time, "When it was written; earlier than that, expired keys might not be expired."),
    Field::le("file length", 8, Role::Length, "Bytes of the whole file."),
    Field::le("header crc", 4, Role::Checksum, "CRC-32 of the bytes before it."),
];

/// What it says of a segment, field by field.
pub const SEGMENT_FIELDS: [Field; 10] = [
    Field::le("segment id", 4, Role::Place, "The number in the segment's name."),
    Field::le("salt", 4, Role::Place, "The salt in the segment's header: no other file of this name is meant."),
    Field::le(
        "covered",
        8,
        Role::Length,
        "Bytes of the segment that the keydir knows, all of them on stable storage when it was written.",
    ),
    Field::le("records", 4, Role::Length, "Records in these bytes."),
    Field::le("tombstones", 4, Role::Length, "How many of them are tombstones."),
    Field::le("marks", 4, Role::Length, "How many of them are marks."),
    Field::le("live records", 4, Role::Length, "How many of them the keydir points at."),
    Field::le("live bytes", 8, Role::Length, "Bytes of the live ones."),
    Field::le("smallest tstamp", 8, Role::Time, "The smallest tstamp among them."),
    Field::le("largest tstamp", 8, Role::Time, "The largest tstamp among them, marks included."),
];

/// What it says of a shard, field by field.
pub const SHARD_FIELDS: [Field; 9] = [
    Field::le("shard", 4, Role::Place, "Which one: the highest bits of its keys' hashes."),
    Field::le("buckets", 4, Role::Length, "Buckets of 16 slots."),
    Field::le("blocks", 4, Role::Length, "Blocks of rows."),
    Field::le("words", 4, Role::Length, "Words of all blocks, 8 bytes each."),
    Field::le("keys", 4, Role::Length, "Slots that refer to a row."),
    Field::le("freed", 4, Role::Length, "Slots that were used once, and past which a search goes on."),
    Field::le("expiring", 4, Role::Length, "Rows with an expiry."),
    Field::le("unused words", 4, Role::Length, "Words that no slot refers to any more."),
    Field::le("image crc", 4, Role::Checksum, "CRC-32 of the shard's image."),
];

/// What closes the head.
pub const CLOSING_FIELDS: [Field; 1] =
    [Field::le("tables crc", 4, Role::Checksum, "CRC-32 of everything before it, the header included.")];

/// The checksum of the header.
pub const HEADER_SUM: Sum = Sum { field: "header crc", from: "magic", to: "file length", salted: false };

/// Bytes of the header that this version writes.
pub const HEADER_LEN: usize = fixed_len(&FIELDS);
pub(super) const VERSION_AT: usize = start_of(&FIELDS, 1);
pub(super) const LEN_AT: usize = start_of(&FIELDS, 2);
pub(super) const FEATURES_AT: usize = start_of(&FIELDS, 3);
pub(super) const SEED_AT: usize = start_of(&FIELDS, 4);
pub(super) const SHARDS_AT: usize = start_of(&FIELDS, 5);
pub(super) const SEGMENTS_AT: usize = start_of(&FIELDS, 6);
pub(super) const IMAGES_AT: usize = start_of(&FIELDS, 7);
pub(super) const KEYS_AT: usize = start_of(&FIELDS, 8);
pub(super) const EXPIRED_AT: usize = start_of(&FIELDS, 9);
pub(super) const TSTAMP_AT: usize = start_of(&FIELDS, 10);
pub(super) const WRITTEN_AT: usize = start_of(&FIELDS, 11);
pub(super) const FILE_LEN_AT: usize = start_of(&FIELDS, 12);
pub(super) const CRC_AT: usize = start_of(&FIELDS, 13);

/// Bytes of what it says of a segment.
pub const SEGMENT_LEN: usize = fixed_len(&SEGMENT_FIELDS);
/// Bytes of what it says of a shard.
pub const SHARD_LEN: usize = fixed_len(&SHARD_FIELDS);
pub(super) const CRC_LEN: usize = fixed_len(&CLOSING_FIELDS);

/// Slots of a bucket.
pub const BUCKET: u64 = 16;
pub(super) const SLOT_LEN: u64 = 4;
pub(super) const WORD_LEN: u64 = 8;

/// Where each field of a table starts.
pub(super) const fn starts<const N: usize>(fields: &[Field; N]) -> [usize; N] {
    let mut starts = [0; N];
    let mut i = 0;
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: a bad index does not build")]
    while i < N {
        starts[i] = start_of(fields, i);
        i += 1;
    }
    starts
}
