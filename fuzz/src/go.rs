//! The layout of logkv-store: records, against an encoder of three lines. It has no checksum to seal.

use logkv::format::{Decoded, FileHeader, Format, FormatKind, Kind};

use super::record::{decoded, is_plausible, value, zeros_are_no_record};

const SECOND: u64 = 1_000_000;

fn format() -> &'static dyn Format {
    FormatKind::LogkvGo.format()
}

/// A record.
pub fn record(input: &[u8]) {
    zeros_are_no_record(format(), &FileHeader::NONE, 0, input.len());
    let Decoded::Record(record) = decoded(format(), &FileHeader::NONE, 0, input) else { return };
    assert!(record.checksum.is_none());
    assert_eq!(record.kind == Kind::Tombstone, record.stored_len == 0);
    if record.tstamp > 0 {
        is_plausible(format(), input, record.len());
    }
    let Some(value) = value(&record, input) else { return };
    let fixed = [(record.tstamp / SECOND) as u32, record.key.len() as u32, value.len() as u32].map(u32::to_le_bytes);
    assert_eq!([&fixed.concat()[..], record.key, value].concat(), input[..record.len() as usize]);
}
