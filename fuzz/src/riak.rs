//! Riak's layout: records and hints, against an encoder of a few lines.

use logkv::format::riak::{TombstoneForm, tombstone_form};
use logkv::format::{Decoded, FileHeader, Format, FormatKind, HintFault, Kind};

use super::record::{decoded, is_plausible, value, zeros_are_no_record};
use super::seal;

const SECOND: u64 = 1_000_000;

fn format() -> &'static dyn Format {
    FormatKind::Riak.format()
}

/// A record: as it is, and sealed.
pub fn record(input: &[u8]) {
    record_decodes(input);
    let mut sealed = input.to_vec();
    if seal::riak_record(&mut sealed).is_some() {
        record_decodes(&sealed);
    }
    zeros_are_no_record(format(), &FileHeader::NONE, 0, input.len());
}

fn record_decodes(bytes: &[u8]) {
    let Decoded::Record(record) = decoded(format(), &FileHeader::NONE, 0, bytes) else { return };
    let Some(value) = value(&record, bytes) else { return };
    assert_eq!(record_bytes(record.tstamp / SECOND, record.key, value), bytes[..record.len() as usize]);
    let form = tombstone_form(value);
    assert_eq!(form.is_some(), record.kind == Kind::Tombstone);
    assert_eq!(form == Some(TombstoneForm::Prefix), record.oddity.is_some());
    if record.tstamp > 0 {
        is_plausible(format(), bytes, record.len());
    }
}

fn record_bytes(seconds: u64, key: &[u8], value: &[u8]) -> Vec<u8> {
    let seconds = u32::try_from(seconds).expect("32 bits of seconds").to_be_bytes();
    let lengths = [&(key.len() as u16).to_be_bytes()[..], &(value.len() as u32).to_be_bytes()].concat();
    let covered = [&seconds[..], &lengths, key, value].concat();
    [&crc32fast::hash(&covered).to_be_bytes()[..], &covered].concat()
}

/// A hint file: as it is, and sealed.
pub fn hint(input: &[u8]) {
    let _ = hint_decodes(input);
    let mut sealed = input.to_vec();
    seal::riak_hint(&mut sealed);
    let _ = hint_decodes(&sealed);
}

fn hint_decodes(bytes: &[u8]) -> Result<(), HintFault> {
    let hint = format().hint(bytes).expect("Riak has hints")?;
    assert!(hint.coverage.is_none() && hint.bloom.is_none());
    let mut again = Vec::new();
    for entry in hint.entries() {
        assert_eq!(entry.len, 14 + entry.key.len() as u64 + entry.stored_len);
        assert!(entry.offset < u64::MAX >> 1, "the closing entry is no entry");
        let place = entry.offset | if entry.kind == Kind::Tombstone { 1 << 63 } else { 0 };
        again.extend_from_slice(&entry_bytes(entry.tstamp / SECOND, entry.key, entry.len, place));
    }
    assert_eq!(hint.count, hint.entries().count() as u64);
    let crc = crc32fast::hash(&again);
    again.extend_from_slice(&entry_bytes(0, &[], u64::from(crc), u64::MAX >> 1));
    assert_eq!(again, bytes);
    Ok(())
}

fn entry_bytes(seconds: u64, key: &[u8], len: u64, place: u64) -> Vec<u8> {
    let fixed = [(seconds as u32).to_be_bytes().as_slice(), &(key.len() as u16).to_be_bytes()].concat();
    [&fixed[..], &(len as u32).to_be_bytes(), &place.to_be_bytes(), key].concat()
}
