//! What stands at the start of a native segment file: encoder, decoder and the table that both derive from.
//!
//! Must not know: records. Keeps: a header that decodes is whole, and of a version that is fully understood here.

use super::super::field::{fixed_len, start_of};
use super::super::{Check, Field, FileHeader, HeaderFault, Origin, Role, SegmentId, Sum, Width, bytes_at};

/// The first eight bytes of a segment file.
pub const MAGIC: [u8; 8] = *b"LOGKVSEG";
/// The layout version that is written.
pub const VERSION: u16 = 1;
/// The file header, field by field.
pub const FILE_FIELDS: [Field; 9] = [
    Field::bytes("magic", Width::Fixed(8), Role::Kind, "Eight letters by which a segment file of logkv is known."),
    Field::le("version", 2, Role::Kind, "The layout of everything that follows."),
    Field::le("header length", 2, Role::Length, "Bytes of this header; a later version's longer one is skipped over."),
    Field::le("segment id", 4, Role::Place, "The number in the file's name, so that a renamed file is noticed."),
    Field::le(
        "salt",
        4,
        Role::Place,
        "Random, and part of every header checksum: records of another file do not decode here.",
    ),
    Field::le("features", 4, Role::Kind, "Bits that a reader must know to read this file at all."),
    Field::le("created", 8, Role::Time, "When the file was begun, in microseconds since 1970."),
    Field::le("origin", 4, Role::Kind, "0: written by puts and deletes; 1: by a merge."),
    Field::le("header crc", 4, Role::Checksum, "CRC-32 of the bytes before it."),
];

/// Bytes of the file header.
pub const FILE_HEADER_LEN: usize = fixed_len(&FILE_FIELDS);
const FILE_VERSION: usize = start_of(&FILE_FIELDS, 1);
const FILE_LEN: usize = start_of(&FILE_FIELDS, 2);
const FILE_ID: usize = start_of(&FILE_FIELDS, 3);
const FILE_SALT: usize = start_of(&FILE_FIELDS, 4);
const FILE_FEATURES: usize = start_of(&FILE_FIELDS, 5);
const FILE_CREATED: usize = start_of(&FILE_FIELDS, 6);
const FILE_ORIGIN: usize = start_of(&FILE_FIELDS, 7);
const FILE_CRC: usize = start_of(&FILE_FIELDS, 8);

/// Appends the file header to `out`.
pub fn encode_file_header(id: u32, salt: u32, created: u64, origin: Origin, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&(FILE_HEADER_LEN as u16).to_le_bytes());
    out.extend_from_slice(&id.to_le_bytes());
    out.extend_from_slice(&salt.to_le_bytes());
    out.extend_from_slice(&0u32.to_le_bytes());
    out.extend_from_slice(&created.to_le_bytes());
    let origin = match origin {
        Origin::Puts => 0u32,
        Origin::Merge => 1,
    };
    out.extend_from_slice(&origin.to_le_bytes());
    let crc = crc32fast::hash(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&crc.to_le_bytes());
}

/// The checksum of the file header.
pub(super) const FILE_SUMS: [Sum; 1] = [Sum { field: "header crc", from: "magic", to: "origin", salted: false }];

/// The salt as it stands, so that records behind a header that fails its check can be tried; the length is this
/// version's, because a damaged one would lead anywhere.
pub(super) fn presumed_file_header(bytes: &[u8]) -> FileHeader {
    let salt = bytes_at(bytes, FILE_SALT).map(u32::from_le_bytes).unwrap_or_default();
    FileHeader { version: VERSION, len: FILE_HEADER_LEN as u64, salt, ..FileHeader::NONE }
}

pub(super) fn decode_file_header(bytes: &[u8]) -> Result<FileHeader, HeaderFault> {
    let short = HeaderFault::Incomplete;
    let magic: [u8; 8] = bytes_at(bytes, 0).ok_or(short.clone())?;
    if magic != MAGIC {
        return Err(HeaderFault::Damaged(Check::Implausible("the file does not begin with LOGKVSEG")));
    }
    let u32_at = |at| bytes_at(bytes, at).map(u32::from_le_bytes).ok_or(HeaderFault::Incomplete);
    let stored = u32_at(FILE_CRC)?;
    let computed = crc32fast::hash(bytes.get(..FILE_CRC).ok_or(short.clone())?);
    if stored != computed {
        return Err(HeaderFault::Damaged(Check::FileChecksum { stored, computed }));
    }
    let version = bytes_at(bytes, FILE_VERSION).map(u16::from_le_bytes).ok_or(short.clone())?;
    let len = bytes_at(bytes, FILE_LEN).map(u16::from_le_bytes).ok_or(short.clone())?;
    let features = u32_at(FILE_FEATURES)?;
    if version > VERSION {
        return Err(HeaderFault::NeedsNewer(format!("layout version {version}")));
    }
    if features != 0 {
        return Err(HeaderFault::NeedsNewer(format!("feature bits {features:#x}")));
    }
    if version == 0 || usize::from(len) < FILE_HEADER_LEN {
        return Err(HeaderFault::Damaged(Check::Implausible("version 0 or a header length below 40")));
    }
    let origin = match u32_at(FILE_ORIGIN)? {
        0 => Origin::Puts,
        1 => Origin::Merge,
        other => return Err(HeaderFault::NeedsNewer(format!("origin {other}"))),
    };
    Ok(FileHeader {
        version,
        len: u64::from(len),
        id: Some(SegmentId::from(u32_at(FILE_ID)?)),
        salt: u32_at(FILE_SALT)?,
        created: bytes_at(bytes, FILE_CREATED).map(u64::from_le_bytes).ok_or(short)?,
        origin,
    })
}
