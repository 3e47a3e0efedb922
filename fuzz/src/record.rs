//! What holds of a record decoder on any bytes, whatever the layout.

use logkv::format::{Decoded, FileHeader, Format, Record};

/// Decodes `bytes` and proves that the decoder stays within them, asks for more only where there may be more, and does
/// not change its mind when it gets what it asked for.
pub fn decoded<'a>(format: &dyn Format, header: &FileHeader, offset: u64, bytes: &'a [u8]) -> Decoded<'a> {
    let answer = format.decode(header, offset, bytes);
    match &answer {
        Decoded::Record(record) => within(record, bytes),
        Decoded::Incomplete { needed } => assert!(*needed > bytes.len() as u64, "{needed} of {}", bytes.len()),
        Decoded::Damaged(check) => assert!(!check.to_string().is_empty()),
    }
    same_in_pieces(format, header, offset, bytes, &answer);
    answer
}

fn within(record: &Record<'_>, bytes: &[u8]) {
    let value_start = usize::try_from(record.value_start).unwrap();
    let key_start = value_start - record.key.len();
    assert_eq!(&bytes[key_start..value_start], record.key);
    assert_eq!(record.len(), record.value_start + record.stored_len, "no length is near the end of all numbers");
}

/// Given only what it asks for, as far as there is so much, the decoder gets to the same answer, and each step asks for
/// more than the one before.
fn same_in_pieces(format: &dyn Format, header: &FileHeader, offset: u64, bytes: &[u8], whole: &Decoded<'_>) {
    let mut given = 0;
    loop {
        let answer = format.decode(header, offset, &bytes[..given]);
        match answer {
            Decoded::Incomplete { needed } if given < bytes.len() => {
                assert!(needed > given as u64, "it asks for what it has");
                given = usize::try_from(needed).map_or(bytes.len(), |needed| needed.min(bytes.len()));
            }
            answer => return assert_eq!(told(&answer), told(whole)),
        }
    }
}

/// What an answer says, in a form that can be compared.
fn told(answer: &Decoded<'_>) -> String {
    format!("{answer:?}")
}

/// The record's value, if all of it is there and its checksum holds or there is none.
pub fn value<'a>(record: &Record<'_>, bytes: &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(record.len()).ok()?;
    let value = bytes.get(record.value_start as usize..len)?;
    record.check_value(value).is_ok().then_some(value)
}

/// No layout takes zeros for a record, and none takes a whole record for too long.
pub fn is_plausible(format: &dyn Format, bytes: &[u8], len: u64) {
    assert!(format.plausible(bytes, len), "what a writer writes is found again after damage");
    assert!(!format.plausible(bytes, len - 1), "it does not fit");
}

/// Zeros are never a record, however many there are.
pub fn zeros_are_no_record(format: &dyn Format, header: &FileHeader, offset: u64, len: usize) {
    let zeros = vec![0; len];
    assert!(!matches!(format.decode(header, offset, &zeros), Decoded::Record(_)));
}
