//! Puts checksums right, so that made-up bytes are believed as far as their lengths allow.
//!
//! Each layout's offsets stand here a second time, on purpose: the product's own come from the tables that are under
//! test. Keeps: no byte but those of checksums is changed, and nothing beyond the input is claimed.

/// A native segment file: its header, and records as long as they follow each other.
pub fn native_segment(bytes: &mut [u8]) {
    let Some(header) = bytes.get_mut(..40) else { return };
    native_header(header);
    let salt = u32_le(header, 16);
    let mut at = 40;
    while let Some(len) = native_record(&mut bytes[at..], salt, at as u64) {
        at += len;
    }
}

/// A native file header: the last four of its 40 bytes.
pub fn native_header(bytes: &mut [u8]) {
    if bytes.len() >= 40 {
        put_crc(bytes, 36, 0..36, crc32fast::Hasher::new(), u32::to_le_bytes);
    }
}

/// A native record; its length if all of it is there.
pub fn native_record(bytes: &mut [u8], salt: u32, offset: u64) -> Option<usize> {
    let flags = *bytes.get(..24)?.get(9)?;
    let key_len = usize::from(u16::from_le_bytes([bytes[10], bytes[11]]));
    let value_start = 24 + if flags & 1 != 0 { 8 } else { 0 } + key_len;
    let len = value_start.checked_add(u32_le(bytes, 12) as usize)?;
    let whole = len <= bytes.len();
    if whole {
        put_crc(bytes, 4, value_start..len, crc32fast::Hasher::new(), u32::to_le_bytes);
    }
    if value_start <= bytes.len() {
        let mut salted = crc32fast::Hasher::new();
        salted.update(&salt.to_le_bytes());
        salted.update(&offset.to_le_bytes());
        put_crc(bytes, 0, 4..value_start, salted, u32::to_le_bytes);
    }
    whole.then_some(len)
}

/// The records of a `TAIL`, as far as they follow each other.
pub fn tail(bytes: &mut [u8], salt: u32) {
    let Some(offset) = bytes.get(8..16) else { return };
    let (offset, mut at) = (u64::from_le_bytes(offset.try_into().unwrap()), 64);
    while let Some(rest) = bytes.get_mut(at..) {
        let Some(len) = native_record(rest, salt, offset.saturating_add(at as u64 - 64)) else { return };
        at += len;
    }
}

/// A native hint: its last four bytes.
pub fn native_hint(bytes: &mut [u8]) {
    whole_file(bytes);
}

/// The file that commits a merge: its last four bytes.
pub fn merge_file(bytes: &mut [u8]) {
    whole_file(bytes);
}

/// The head of a checkpoint: the header, which says how long the file is, and the tables, as far as its counts claim.
pub fn checkpoint(bytes: &mut [u8]) {
    if bytes.len() < 84 {
        return;
    }
    let len = bytes.len() as u64;
    bytes[68..76].copy_from_slice(&len.to_le_bytes());
    put_crc(bytes, 76, 0..76, crc32fast::Hasher::new(), u32::to_le_bytes);
    let (segments, images) = (u32_le(bytes, 28) as usize, u32_le(bytes, 32) as usize);
    let end = segments.saturating_mul(56).saturating_add(images.saturating_mul(36)).saturating_add(80);
    if end.saturating_add(4) <= bytes.len() {
        put_crc(bytes, end, 0..end, crc32fast::Hasher::new(), u32::to_le_bytes);
    }
}

fn whole_file(bytes: &mut [u8]) {
    if let Some(body) = bytes.len().checked_sub(4) {
        put_crc(bytes, body, 0..body, crc32fast::Hasher::new(), u32::to_le_bytes);
    }
}

/// A data file of Riak: records as long as they follow each other.
pub fn riak_segment(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(len) = riak_record(&mut bytes[at..]) {
        at += len;
    }
}

/// A record of Riak's; its length if all of it is there.
pub fn riak_record(bytes: &mut [u8]) -> Option<usize> {
    let header = bytes.get(..14)?;
    let key_len = usize::from(u16::from_be_bytes([header[8], header[9]]));
    let value_len = u32::from_be_bytes([header[10], header[11], header[12], header[13]]) as usize;
    let len = value_len.checked_add(14 + key_len).filter(|len| *len <= bytes.len())?;
    put_crc(bytes, 0, 4..len, crc32fast::Hasher::new(), u32::to_be_bytes);
    Some(len)
}

/// A hint of Riak's: its last 18 bytes become the closing entry.
pub fn riak_hint(bytes: &mut [u8]) {
    if let Some(at) = bytes.len().checked_sub(18) {
        bytes[at..].fill(0);
        bytes[at + 10..].copy_from_slice(&(u64::MAX >> 1).to_be_bytes());
        put_crc(bytes, at + 6, 0..at, crc32fast::Hasher::new(), u32::to_be_bytes);
    }
}

fn u32_le(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn put_crc(
    bytes: &mut [u8],
    at: usize,
    covers: std::ops::Range<usize>,
    mut crc: crc32fast::Hasher,
    order: fn(u32) -> [u8; 4],
) {
    crc.update(&bytes[covers]);
    bytes[at..at + 4].copy_from_slice(&order(crc.finalize()));
}
