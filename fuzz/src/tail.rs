//! The file that a killed process leaves behind: as it is, and with the checksums of its records right.

use logkv::format::tail::{HEADER_LEN, Tail};
use logkv::format::{Decoded, FileHeader, FormatKind};

use super::seal;

const SALT: u32 = 0x5a17;

/// What is given out is whole records from the beginning on, each at its place.
pub fn file(input: &[u8]) {
    decodes(input);
    let mut sealed = input.to_vec();
    seal::tail(&mut sealed, SALT);
    decodes(&sealed);
}

fn decodes(bytes: &[u8]) {
    let Some(tail) = Tail::decode(bytes.to_vec()) else { return };
    let format = FormatKind::Native.format();
    let header = FileHeader { salt: SALT, ..FileHeader::NONE };
    let records = tail.records(format, &header);
    assert_eq!(Some(records), bytes.get(HEADER_LEN..HEADER_LEN + records.len()));
    let mut at = 0;
    while at < records.len() {
        let Decoded::Record(record) = format.decode(&header, tail.offset.saturating_add(at as u64), &records[at..])
        else {
            panic!("a record at {at}");
        };
        at += usize::try_from(record.len()).unwrap();
    }
    assert_eq!(at, records.len());
}
