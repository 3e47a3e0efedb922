//! Records as the limits write and check them: 24 bytes of header with two checksums, key, value.
//!
//! Invariant: a record takes as many bytes and as many bytes of checksum as one of ours.

use crate::key::Key;

pub(super) const HEADER: usize = 24;

/// Bytes of a record of a key and a value of 100 bytes.
pub(super) const LEN: u64 = (HEADER + 16 + 100) as u64;

/// Writes a record behind what `into` holds.
pub(super) fn build(into: &mut Vec<u8>, offset: u64, key: &Key, value: &[u8]) {
    build_head(into, offset, key, value);
    into.extend_from_slice(value);
}

/// Header and key of a record.
pub(super) fn build_head(into: &mut Vec<u8>, offset: u64, key: &Key, value: &[u8]) {
    let mut head = [0; HEADER + 16];
    head[4..8].copy_from_slice(&crc32fast::hash(value).to_le_bytes());
    head[8] = 1;
    head[10..12].copy_from_slice(&(key.len() as u16).to_le_bytes());
    head[12..16].copy_from_slice(&(value.len() as u32).to_le_bytes());
    head[16..24].copy_from_slice(&offset.to_le_bytes());
    head[HEADER..].copy_from_slice(key);
    let crc = head_crc(offset, &head[4..]);
    head[..4].copy_from_slice(&crc.to_le_bytes());
    into.extend_from_slice(&head);
}

/// A record at another place: the checksum of its value stays.
pub(super) fn rebuild(into: &mut Vec<u8>, offset: u64, record: &[u8]) {
    let start = into.len();
    into.extend_from_slice(record);
    let crc = head_crc(offset, &into[start + 4..start + HEADER + 16]);
    into[start..start + 4].copy_from_slice(&crc.to_le_bytes());
}

/// The checksum of header and key, with a salt and the place as in ours.
fn head_crc(offset: u64, head: &[u8]) -> u32 {
    let mut bytes = [0; 12 + HEADER - 4 + 16];
    bytes[..4].copy_from_slice(&0x5a17_u32.to_le_bytes());
    bytes[4..12].copy_from_slice(&offset.to_le_bytes());
    bytes[12..].copy_from_slice(head);
    crc32fast::hash(&bytes)
}

/// Bytes of the record that begins here, if its frame is sound; its checksums are not looked at.
pub(super) fn len(bytes: &[u8]) -> Option<usize> {
    let len = bytes.get(12..16)?.try_into().ok().map(u32::from_le_bytes)?;
    Some(HEADER + 16 + len as usize)
}

/// Key and value of a record whose checksums hold.
pub(super) fn check(bytes: &[u8], offset: u64) -> Option<(&[u8], &[u8])> {
    let (head, value) = (bytes.get(..HEADER + 16)?, bytes.get(HEADER + 16..len(bytes)?)?);
    let stored = |at: usize| head.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    let sound = stored(0)? == head_crc(offset, &head[4..]) && stored(4)? == crc32fast::hash(value);
    sound.then_some((&head[HEADER..], value))
}
