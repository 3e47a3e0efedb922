//! Reading a hint piece by piece, each while it is in the processor's cache: once to check it, and once more for what it says.
//!
//! Must not know what entries are good for, nor what is wrong with a hint that does not hold: for that it is read as a whole.
//!
//! # Invariants
//!
//! 1. Nothing is shown before the hint was checked to its last byte, and nothing but the bytes that were checked: the second
//!    time each piece must have the checksum that it had the first time.
//! 2. Memory is one piece, and four bytes for each.

use std::io;

use super::offer::HINT_HEAD;
use crate::disk::ReadFile;
use crate::format::{Entries, Format, HintOutline};
use crate::store::hint_file;

/// Longer than any entry, and short enough for the cache.
const PIECE: usize = 128 << 10;
/// Bytes that a hint's checksum takes.
const SUM_LEN: u64 = 4;

/// A hint that holds.
pub(super) struct Checked<'a> {
    file: &'a dyn ReadFile,
    pub(super) outline: HintOutline,
    /// The checksum of everything up to the end of each piece.
    sums: Vec<u32>,
}

/// Checks a hint. `None`: it does not hold, or is of a kind that is read as a whole.
pub(super) fn check<'a>(
    file: &'a dyn ReadFile,
    format: &dyn Format,
    piece: &mut Vec<u8>,
) -> io::Result<Option<Checked<'a>>> {
    let len = file.len()?;
    if len > hint_file::MAX_LEN {
        return Ok(None);
    }
    let Some(outline) = format.hint_outline(&file.read_vec_at(HINT_HEAD, 0)?, len) else { return Ok(None) };
    let (mut sums, mut count) = (Vec::new(), 0);
    let see = &mut |sum: u32, mut entries: Entries<'_>| {
        sums.push(sum);
        count += entries.by_ref().count() as u64;
        Some(entries.rest().len())
    };
    let Some(mut sum) = walk(file, &outline, piece, see)? else { return Ok(None) };
    let mut at = outline.parts.entries_end;
    while at < outline.parts.bloom_end {
        let Some(bytes) = next(file, piece, 0, at, outline.parts.bloom_end)? else { return Ok(None) };
        sum.update(bytes);
        at += bytes.len() as u64;
    }
    let stored = file.read_vec_at(SUM_LEN, outline.parts.bloom_end)?;
    let holds = stored == sum.finalize().to_le_bytes() && count == outline.count;
    Ok(holds.then_some(Checked { file, outline, sums }))
}

impl Checked<'_> {
    /// Shows the entries again, piece by piece; what is not taken of a piece is passed over. An error: the disk does not give
    /// back any more what was checked.
    pub(super) fn read(&self, piece: &mut Vec<u8>, take: &mut dyn FnMut(&mut Entries<'_>)) -> io::Result<()> {
        let mut sums = self.sums.iter();
        let see = &mut |sum: u32, mut entries: Entries<'_>| {
            if sums.next() != Some(&sum) {
                return None;
            }
            take(&mut entries);
            Some(entries.rest().len())
        };
        match walk(self.file, &self.outline, piece, see)? {
            Some(_) if sums.next().is_none() => Ok(()),
            _ => Err(io::Error::other("the file changed while it was read")),
        }
    }
}

/// Shows all entries, as many at a time as there are whole ones in a piece, with the checksum of everything up to the end of
/// the piece. `see` returns how many bytes it left. `None`: it returned that, or there are bytes that are no entry.
fn walk(
    file: &dyn ReadFile,
    outline: &HintOutline,
    piece: &mut Vec<u8>,
    see: &mut dyn FnMut(u32, Entries<'_>) -> Option<usize>,
) -> io::Result<Option<crc32fast::Hasher>> {
    let mut sum = crc32fast::Hasher::new();
    let (mut at, end) = (outline.parts.header, outline.parts.entries_end);
    let Some(header) = next(file, piece, 0, 0, at)? else { return Ok(None) };
    sum.update(header);
    let mut held = 0;
    while at < end || held > 0 {
        let Some(bytes) = next(file, piece, held, at, end)? else { return Ok(None) };
        let new = bytes.get(held..).unwrap_or_default();
        sum.update(new);
        at += new.len() as u64;
        let len = bytes.len();
        let Some(left) = see(sum.clone().finalize(), outline.entries(bytes)).filter(|left| *left < len) else {
            return Ok(None);
        };
        piece.copy_within(len - left..len, 0);
        held = left;
    }
    Ok(Some(sum))
}

/// As much of the file from `at` to `end` as fits behind the first `held` bytes of a piece, together with these. `None`: the
/// file is shorter.
fn next<'p>(
    file: &dyn ReadFile,
    piece: &'p mut Vec<u8>,
    held: usize,
    at: u64,
    end: u64,
) -> io::Result<Option<&'p [u8]>> {
    piece.resize(PIECE, 0);
    let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(PIECE - held);
    let read = file.read_full_at(piece.get_mut(held..held + wanted).unwrap_or_default(), at)?;
    Ok(piece.get(..held + wanted).filter(|_| read == wanted))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::disk::FileIdentity;
    use crate::format::hint::HintBuilder;
    use crate::format::{Codec, HintEntry, Kind, record};
    use crate::primitives::Mutex;

    #[derive(Debug, Default)]
    struct Bytes(Mutex<Vec<u8>>);

    impl ReadFile for Bytes {
        fn len(&self) -> io::Result<u64> {
            Ok(self.0.lock().len() as u64)
        }

        fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
            let bytes = self.0.lock();
            let there = bytes.get(offset as usize..).unwrap_or_default();
            let len = there.len().min(buf.len());
            buf[..len].copy_from_slice(&there[..len]);
            Ok(len)
        }

        fn identity(&self) -> io::Result<FileIdentity> {
            Ok(FileIdentity(1, 1))
        }
    }

    /// A hint of keys of these lengths.
    fn hint(lens: &[usize]) -> Bytes {
        let mut builder = HintBuilder::default();
        for (i, len) in lens.iter().enumerate() {
            let (key, expires_at) = (vec![i as u8; *len], i.is_multiple_of(3).then_some(7));
            let (kind, flags) = (Kind::Put, u8::from(expires_at.is_some()));
            let len = record::encoded_len(*len, 5, expires_at.is_some());
            let (offset, tstamp, codec) = (40 + i as u64, i as u64, Codec::Raw);
            builder.add(&HintEntry { kind, flags, key: &key, offset, len, stored_len: 5, tstamp, expires_at, codec });
        }
        Bytes(Mutex::new(builder.finish(3, 9, 4000)))
    }

    fn checked(file: &Bytes) -> Option<Checked<'_>> {
        check(file, &record::Native, &mut Vec::new()).unwrap()
    }

    fn shown(checked: &Checked<'_>) -> io::Result<Vec<(Vec<u8>, u64)>> {
        let mut all = Vec::new();
        checked.read(&mut vec![1; 3], &mut |entries| {
            all.extend(entries.map(|entry| (entry.key.to_vec(), entry.offset)));
        })?;
        Ok(all)
    }

    /// Of no entries, of a few, and of so many that they lie across the ends of pieces, the longest keys among them.
    fn hints() -> Vec<Bytes> {
        let long: Vec<usize> = (0..40).map(|i| if i % 4 == 0 { record::MAX_KEY_LEN } else { i * 997 }).collect();
        vec![hint(&[]), hint(&[0, 6, 16]), hint(&[16; 20_000]), hint(&long)]
    }

    #[test]
    fn piece_by_piece_a_hint_says_the_same_as_whole() {
        for file in hints() {
            let bytes = file.0.lock().clone();
            let whole = record::Native.hint(&bytes).unwrap().unwrap();
            let entries: Vec<_> = whole.entries().map(|entry| (entry.key.to_vec(), entry.offset)).collect();
            let checked = checked(&file).unwrap();
            assert_eq!(shown(&checked).unwrap(), entries);
            assert_eq!((Some(checked.outline.coverage), checked.outline.count), (whole.coverage, whole.count));
        }
    }

    #[test]
    fn a_hint_that_does_not_hold_is_none() {
        for file in hints() {
            let bytes = file.0.lock().clone();
            let step = (bytes.len() / 200).max(1);
            for at in (0..bytes.len()).step_by(step).chain([8, 60, bytes.len() - 1]) {
                file.0.lock()[at] ^= 0x10;
                assert!(checked(&file).is_none(), "byte {at} of {}", bytes.len());
                *file.0.lock() = bytes[..at].to_vec();
                assert!(checked(&file).is_none(), "{at} of {} bytes", bytes.len());
                *file.0.lock() = bytes.clone();
            }
            assert!(checked(&file).is_some());
        }
    }

    /// A checksum that holds says nothing of what it was made over.
    #[test]
    fn entries_that_do_not_decode_or_are_too_few_are_none() {
        let spoilt = |at: usize, byte: u8| {
            let file = hint(&[16; 5]);
            let mut bytes = file.0.lock().clone();
            bytes[at] = byte;
            let body = bytes.len() - 4;
            let sum = crc32fast::hash(&bytes[..body]).to_le_bytes();
            bytes[body..].copy_from_slice(&sum);
            *file.0.lock() = bytes;
            file
        };
        assert!(checked(&spoilt(60, 1)).is_some());
        // An unknown kind; another number of entries; a key that is longer than what is left; a later version.
        for (at, byte) in [(60, 3), (20, 4), (62, 200), (8, 2)] {
            assert!(checked(&spoilt(at, byte)).is_none(), "{at}");
        }
    }

    #[test]
    fn nothing_is_shown_that_is_not_what_was_checked() {
        let file = hint(&[16; 20_000]);
        let bytes = file.0.lock().clone();
        let checked = checked(&file).unwrap();
        for at in [70, PIECE + 100, 2 * PIECE + 100, 3 * PIECE + 100] {
            file.0.lock()[at] ^= 1;
            let mut all = 0;
            let read = checked.read(&mut Vec::new(), &mut |entries| all += entries.count());
            assert!(read.is_err(), "byte {at}");
            assert!(all <= at / 36, "{all} entries before byte {at}");
            *file.0.lock() = bytes.clone();
        }
        file.0.lock().truncate(PIECE);
        assert!(shown(&checked).is_err());
    }
}
