//! The native layout: records, file headers and hints.

use logkv::format::hint::HintBuilder;
use logkv::format::record::{self, NewRecord};
use logkv::format::{Codec, Decoded, FileHeader, Format, FormatKind, Hint, HintEntry, HintFault, Kind, Origin};

use super::record::{decoded, is_plausible, value, zeros_are_no_record};
use super::seal;

fn format() -> &'static dyn Format {
    FormatKind::Native.format()
}

/// The file's salt (4 bytes), the record's offset (8), then the record: as it is, and sealed. The same bytes also say what
/// to encode.
pub fn record(input: &[u8]) {
    let Some((place, bytes)) = input.split_at_checked(12) else { return };
    let salt = u32::from_le_bytes(place[..4].try_into().unwrap());
    let offset = u64::from_le_bytes(place[4..].try_into().unwrap());
    decodes(salt, offset, bytes);
    let mut sealed = bytes.to_vec();
    if seal::native_record(&mut sealed, salt, offset).is_some() {
        decodes(salt, offset, &sealed);
    }
    encodes(salt, offset, bytes);
    zeros_are_no_record(format(), &FileHeader { salt, ..FileHeader::NONE }, offset, bytes.len());
}

fn decodes(salt: u32, offset: u64, bytes: &[u8]) {
    let header = FileHeader { salt, ..FileHeader::NONE };
    let Decoded::Record(record) = decoded(format(), &header, offset, bytes) else { return };
    assert!(record.tstamp < record::TSTAMP_LIMIT && record.stored_len <= record::MAX_VALUE_LEN);
    let Some(value) = value(&record, bytes).filter(|_| record.needs_newer.is_none()) else { return };
    let again = NewRecord {
        kind: record.kind,
        key: record.key,
        value,
        tstamp: record.tstamp,
        expires_at: record.expires_at,
        codec: record.codec,
        batch_continues: record.batch_continues,
        barrier: record.barrier,
    };
    let mut encoded = Vec::new();
    record::encode(&again, salt, offset, &mut encoded);
    assert_eq!(encoded, bytes[..encoded.len()]);
    assert_eq!(encoded.len() as u64, record.len());
    if !matches!(record.kind, Kind::Unknown(_)) {
        is_plausible(format(), bytes, record.len());
    }
}

/// A record made of the input's first bytes is decoded as what it is, and in no other place and no other file.
fn encodes(salt: u32, offset: u64, bytes: &[u8]) {
    let [shape, key_len, tstamp @ .., b] = bytes.get(..11).unwrap_or_default() else { return };
    let rest = &bytes[11..];
    let (key, value) = rest.split_at(usize::from(*key_len).min(rest.len()));
    let tstamp = u64::from_le_bytes(tstamp.try_into().unwrap()) % record::TSTAMP_LIMIT;
    let new = NewRecord {
        kind: [Kind::Put, Kind::Tombstone, Kind::Mark, Kind::Unknown(0x90)][usize::from(shape & 3)],
        key,
        value,
        tstamp,
        expires_at: (shape & 4 != 0).then_some(u64::from(*b) << 56),
        codec: if shape & 8 != 0 { Codec::Lz4 } else { Codec::Raw },
        batch_continues: shape & 16 != 0,
        barrier: shape & 32 != 0,
    };
    let mut encoded = Vec::new();
    record::encode(&new, salt, offset, &mut encoded);
    let Decoded::Record(record) = record::decode(salt, offset, &encoded) else { panic!("{new:?} does not decode") };
    assert_eq!((record.kind, record.key, record.tstamp), (new.kind, new.key, new.tstamp));
    assert_eq!((record.expires_at, record.codec), (new.expires_at, new.codec));
    assert_eq!((record.batch_continues, record.barrier), (new.batch_continues, new.barrier));
    assert_eq!((record.len(), record.needs_newer.as_ref()), (encoded.len() as u64, None));
    assert_eq!(self::value(&record, &encoded), Some(value));
    for (salt, offset) in [(salt ^ 1, offset), (salt, offset ^ 1)] {
        assert!(!matches!(record::decode(salt, offset, &encoded), Decoded::Record(_)), "it is believed elsewhere");
    }
}

/// A file header: as it is, and sealed.
pub fn header(input: &[u8]) {
    header_decodes(input);
    let mut sealed = input.to_vec();
    seal::native_header(&mut sealed);
    header_decodes(&sealed);
}

fn header_decodes(bytes: &[u8]) {
    let answer = format().file_header(bytes);
    assert_eq!(
        answer,
        format().file_header(bytes.get(..record::FILE_HEADER_LEN).unwrap_or(bytes)),
        "it reads no further"
    );
    let Ok(header) = answer else { return };
    assert!(header.len >= record::FILE_HEADER_LEN as u64 && header.version == record::VERSION);
    let id = header.id.and_then(|id| u32::try_from(id).ok()).expect("an id of 32 bits");
    let mut encoded = Vec::new();
    record::encode_file_header(id, header.salt, header.created, header.origin, &mut encoded);
    let again = FileHeader { len: record::FILE_HEADER_LEN as u64, ..header };
    assert_eq!(format().file_header(&encoded), Ok(again));
    assert!(matches!(header.origin, Origin::Puts | Origin::Merge));
    for len in 0..record::FILE_HEADER_LEN {
        assert!(format().file_header(&bytes[..len]).is_err(), "{len} bytes are no header");
    }
}

/// A hint file: as it is, and sealed.
pub fn hint(input: &[u8]) {
    let _ = hint_decodes(input);
    let mut sealed = input.to_vec();
    seal::native_hint(&mut sealed);
    if let Ok(hint) = hint_decodes(&sealed) {
        hint_is_rebuilt(&hint);
    }
}

fn hint_decodes(bytes: &[u8]) -> Result<Hint<'_>, HintFault> {
    let hint = format().hint(bytes).expect("the native format has hints")?;
    assert!(hint.coverage.is_some_and(|coverage| coverage.max_tstamp < record::TSTAMP_LIMIT));
    let mut count = 0;
    for entry in hint.entries() {
        count += 1;
        assert!(bytes.as_ptr_range().contains(&entry.key.as_ptr()) || entry.key.is_empty());
        assert!(entry.tstamp < record::TSTAMP_LIMIT && entry.offset < record::MAX_SEGMENT_LEN);
        assert_eq!(entry.len, record::encoded_len(entry.key.len(), entry.stored_len, entry.expires_at.is_some()));
        let _ = hint.bloom.is_some_and(|bloom| bloom.may_contain(entry.key));
    }
    assert_eq!(count, hint.count);
    assert!(count * 20 <= bytes.len() as u64, "more entries than bytes");
    Ok(hint)
}

/// A hint built from these entries says what they say.
fn hint_is_rebuilt(hint: &Hint<'_>) {
    let coverage = hint.coverage.expect("checked before");
    let mut builder = HintBuilder::default();
    hint.entries().for_each(|entry| builder.add(&entry));
    let id = u32::try_from(coverage.id).expect("an id of 32 bits");
    let built = builder.finish(id, coverage.salt, coverage.len);
    let again = hint_decodes(&built).expect("what was built decodes");
    let told = again.coverage.expect("checked before");
    assert_eq!((told.id, told.salt, told.len), (coverage.id, coverage.salt, coverage.len));
    assert!(again.entries().eq(hint.entries()));
    let bloom = again.bloom.expect("a native hint has a filter");
    assert!(
        hint.entries().all(|HintEntry { key, .. }| bloom.may_contain(key)),
        "the filter denies a key that it holds"
    );
}
