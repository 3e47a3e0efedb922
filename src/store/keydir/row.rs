//! One keydir row in memory, in words of 64 bits:
//!
//! ```text
//! ┌────────────────────────────┬────────────────────────────────┬─ ─ ─ ─ ─ ─ ┬─ ─ ─ ─ ─ ─
//! │ tstamp │ flags │ key length│ offset │ segment │ value length│ expires at │ key …          narrow
//! │ 52 bits│ 4     │ 8         │ 32     │ 16      │ 16          │ 64         │ padded to words
//! └────────────────────────────┴────────────────────────────────┴─ ─ ─ ─ ─ ─ ┴─ ─ ─ ─ ─ ─
//! ┌───────┬────────┬─────────┬────────┬───────────────┬──────────────┬────────────┬─ ─ ─ ─ ─ ─ ┬─ ─
//! │ flags │ tstamp │ segment │ offset │ record length │ value length │ key length │ expires at │ key   wide
//! └───────┴────────┴─────────┴────────┴───────────────┴──────────────┴────────────┴─ ─ ─ ─ ─ ─ ┴─ ─
//! ```
//!
//! The first field of a word is its lowest bits. Narrow is what a native record nearly always is: 16 bytes and the key.
//! Every word is read and written by itself, since readers take no lock: what they make of a row counts only if nobody
//! wrote meanwhile, which [`super::shard`] tells. So nothing here may panic on words that do not belong together.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::format::{Codec, Role};
use crate::store::{Entry, Location};

const TOMBSTONE: u64 = 1 << 52;
const LZ4: u64 = 1 << 53;
const EXPIRES: u64 = 1 << 54;
const WIDE: u64 = 1 << 55;

const TSTAMP_BITS: u32 = 52;
const KEY_LEN_SHIFT: u32 = 56;
const NARROW_WORDS: usize = 2;
const WIDE_WORDS: usize = 7;

/// A word of a row, in the index or on its way there.
pub(super) trait RowWord {
    fn get(&self) -> u64;
}

impl RowWord for AtomicU64 {
    #[inline]
    fn get(&self) -> u64 {
        self.load(Ordering::Relaxed)
    }
}

impl RowWord for u64 {
    #[inline]
    fn get(&self) -> u64 {
        *self
    }
}

/// Bytes of a record before its key, by whether it has an expiry.
pub(super) type FrameLen = fn(bool) -> u64;

/// What a row says but for the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) entry: Entry,
    pub(super) tombstone: bool,
    pub(super) key_len: usize,
    /// Words before the key.
    head: usize,
}

impl Row {
    /// Words that the row takes.
    pub(super) fn words(&self) -> usize {
        self.head.saturating_add(self.key_len.div_ceil(WORD))
    }
}

const WORD: usize = size_of::<u64>();

/// A row about to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewRow<'a> {
    head: [u64; WIDE_WORDS + 1],
    head_len: usize,
    key: &'a [u8],
}

impl<'a> NewRow<'a> {
    pub(super) fn new(key: &'a [u8], entry: &Entry, tombstone: bool, frame_len: FrameLen) -> Self {
        let bit = |on: bool, bit: u64| if on { bit } else { 0 };
        let flags =
            bit(tombstone, TOMBSTONE) | bit(entry.codec == Codec::Lz4, LZ4) | bit(entry.expires_at.is_some(), EXPIRES);
        let (mut head, mut head_len) = ([0; WIDE_WORDS + 1], NARROW_WORDS);
        match narrow(key, entry, frame_len) {
            Some([first, second]) => [head[0], head[1]] = [first | flags, second],
            None => {
                let Location { segment, offset, len } = entry.location;
                let wide = [flags | WIDE, entry.tstamp, segment, offset, len, entry.stored_len, key.len() as u64];
                head.iter_mut().zip(wide).for_each(|(word, wide)| *word = wide);
                head_len = WIDE_WORDS;
            }
        }
        if let (Some(expires_at), Some(word)) = (entry.expires_at, head.get_mut(head_len)) {
            *word = expires_at;
            head_len += 1;
        }
        Self { head, head_len, key }
    }

    fn all(&self) -> impl Iterator<Item = u64> {
        let (full, rest) = self.key.as_chunks::<WORD>();
        let key = full.iter().map(|word| u64::from_le_bytes(*word));
        let rest = Some(padded(rest)).filter(|_| !rest.is_empty());
        self.head.iter().take(self.head_len).copied().chain(key).chain(rest)
    }

    /// Writes it to where it waits for the index.
    pub(super) fn put_by(&self, words: &mut [u64]) {
        words.iter_mut().zip(self.all()).for_each(|(word, value)| *word = value);
    }
}

/// The words of a row that is about to be written to the index.
pub(super) trait RowWords {
    /// How many there are.
    fn words(&self) -> usize;
    /// Writes them to the start of `to`.
    fn write(&self, to: &[AtomicU64]);
}

impl RowWords for NewRow<'_> {
    fn words(&self) -> usize {
        self.head_len + self.key.len().div_ceil(WORD)
    }

    fn write(&self, to: &[AtomicU64]) {
        to.iter().zip(self.all()).for_each(|(to, word)| to.store(word, Ordering::Relaxed));
    }
}

/// A whole row.
impl RowWords for [u64] {
    fn words(&self) -> usize {
        self.len()
    }

    fn write(&self, to: &[AtomicU64]) {
        to.iter().zip(self).for_each(|(to, word)| to.store(*word, Ordering::Relaxed));
    }
}

/// The two words of a row that says everything in two.
fn narrow(key: &[u8], entry: &Entry, frame_len: FrameLen) -> Option<[u64; NARROW_WORDS]> {
    let Location { segment, offset, len } = entry.location;
    let key_len = u8::try_from(key.len()).ok()?;
    let (offset, segment) = (u32::try_from(offset).ok()?, u16::try_from(segment).ok()?);
    let stored_len = u16::try_from(entry.stored_len).ok()?;
    let told = frame_len(entry.expires_at.is_some()) + u64::from(key_len) + u64::from(stored_len);
    if entry.tstamp >> TSTAMP_BITS != 0 || len != told {
        return None;
    }
    let first = entry.tstamp | u64::from(key_len) << KEY_LEN_SHIFT;
    Some([first, u64::from(offset) | u64::from(segment) << 32 | u64::from(stored_len) << 48])
}

fn padded(bytes: &[u8]) -> u64 {
    let mut word = [0; WORD];
    word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(word)
}

#[inline]
fn word<W: RowWord>(words: &[W], at: usize) -> Option<u64> {
    words.get(at).map(W::get)
}

/// Unpacks the row at the start of `words`.
#[inline]
pub(super) fn read<W: RowWord>(words: &[W], frame_len: FrameLen) -> Option<Row> {
    let first = word(words, 0)?;
    let (mut head, key_len, tstamp, location, stored_len);
    if first & WIDE == 0 {
        let second = word(words, 1)?;
        head = NARROW_WORDS;
        key_len = (first >> KEY_LEN_SHIFT) as usize;
        tstamp = first & ((1 << TSTAMP_BITS) - 1);
        stored_len = second >> 48;
        let len = frame_len(first & EXPIRES != 0) + key_len as u64 + stored_len;
        location = Location { segment: second >> 32 & 0xffff, offset: second & 0xffff_ffff, len };
    } else {
        head = WIDE_WORDS;
        tstamp = word(words, 1)?;
        location = Location { segment: word(words, 2)?, offset: word(words, 3)?, len: word(words, 4)? };
        stored_len = word(words, 5)?;
        key_len = usize::try_from(word(words, 6)?).ok()?;
    }
    let mut expires_at = None;
    if first & EXPIRES != 0 {
        expires_at = Some(word(words, head)?);
        head += 1;
    }
    let codec = if first & LZ4 == 0 { Codec::Raw } else { Codec::Lz4 };
    let entry = Entry { location, stored_len, codec, tstamp, expires_at };
    Some(Row { entry, tombstone: first & TOMBSTONE != 0, key_len, head })
}

/// Whether the row at the start of `words` is this key's.
pub(super) fn is_of(words: &[AtomicU64], key: &[u8]) -> bool {
    let Some((head, key_len)) = key_place(words) else { return false };
    if key_len != key.len() as u64 {
        return false;
    }
    let (full, rest) = key.as_chunks::<WORD>();
    let Some(there) = words.get(head..) else { return false };
    there.len() >= key.len().div_ceil(WORD)
        && there.iter().zip(full).all(|(there, word)| there.load(Ordering::Relaxed) == u64::from_le_bytes(*word))
        && (rest.is_empty() || word(there, full.len()) == Some(padded(rest)))
}

/// Whether the row at the start of `words` is of the same key as this whole row.
pub(super) fn is_like(words: &[AtomicU64], row: &[u64]) -> bool {
    let (Some((head, len)), Some((own_head, own_len))) = (key_place(words), key_place(row)) else { return false };
    let (Some(there), Some(own)) = (words.get(head..), row.get(own_head..)) else { return false };
    len == own_len && there.len() >= own.len() && there.iter().zip(own).all(|(there, own)| there.get() == *own)
}

/// The word in which the key begins, and how many bytes it has.
#[inline]
fn key_place<W: RowWord>(words: &[W]) -> Option<(usize, u64)> {
    let first = word(words, 0)?;
    let expiry = usize::from(first & EXPIRES != 0);
    Some(match first & WIDE {
        0 => (NARROW_WORDS + expiry, first >> KEY_LEN_SHIFT),
        _ => (WIDE_WORDS + expiry, word(words, WIDE_WORDS - 1)?),
    })
}

/// How many words the row at the start of `words` takes.
pub(super) fn len(words: &[u64]) -> Option<usize> {
    let (head, key_len) = key_place(words)?;
    Some(head.saturating_add(usize::try_from(key_len).ok()?.div_ceil(WORD)))
}

/// Copies the key of the row at the start of `words`, which `row` was read from; `None` if the words end before it does.
pub(super) fn key<'k, W: RowWord>(words: &[W], row: &Row, key: &'k mut Vec<u8>) -> Option<&'k [u8]> {
    let there = words.get(row.head..row.words())?;
    key.clear();
    for word in there {
        key.extend_from_slice(&word.get().to_le_bytes());
    }
    key.truncate(row.key_len);
    Some(key)
}

/// A part of a row as it stands in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowPart {
    /// What it is.
    pub name: &'static str,
    /// What it stands for.
    pub role: Role,
    /// Its bytes; numbers stand little-endian.
    pub bytes: Vec<u8>,
    /// What they say, if they are a number.
    pub number: Option<u64>,
}

/// The row at the start of `words`, part by part, the padding behind its key included.
pub(super) fn parts(words: &[AtomicU64], frame_len: FrameLen) -> Option<Vec<RowPart>> {
    let row = read(words, frame_len)?;
    let bytes = words.get(..row.words())?.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes());
    let bytes: Vec<u8> = bytes.collect();
    let padding = row.key_len.next_multiple_of(WORD) - row.key_len;
    let narrow = [
        ("tstamp, flags", Role::Time, 7),
        ("key length", Role::Length, 1),
        ("offset", Role::Place, 4),
        ("segment", Role::Place, 2),
        ("value length", Role::Length, 2),
    ];
    let wide = [
        ("flags", Role::Kind, WORD),
        ("tstamp", Role::Time, WORD),
        ("segment", Role::Place, WORD),
        ("offset", Role::Place, WORD),
        ("record length", Role::Length, WORD),
        ("value length", Role::Length, WORD),
        ("key length", Role::Length, WORD),
    ];
    let expiry = if row.entry.expires_at.is_some() { WORD } else { 0 };
    let head: &[_] = if row.head < WIDE_WORDS { &narrow } else { &wide };
    let tail = [("expires at", Role::Time, expiry), ("key", Role::Key, row.key_len), ("padding", Role::Kind, padding)];
    let (mut at, mut parts) = (0, Vec::new());
    for (name, role, width) in head.iter().chain(&tail).filter(|(_, _, width)| *width > 0) {
        let bytes = bytes.get(at..at + *width)?.to_vec();
        let number = (*width <= WORD && *role != Role::Key).then(|| padded(&bytes));
        // The flags lie above it in the same bytes.
        let number = number.map(|number| if *width == 7 { number & ((1 << TSTAMP_BITS) - 1) } else { number });
        parts.push(RowPart { name, role: *role, bytes, number });
        at += width;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn words(row: &NewRow<'_>) -> Vec<AtomicU64> {
        let words: Vec<AtomicU64> = (0..row.words() + 3).map(|_| AtomicU64::new(u64::MAX)).collect();
        row.write(&words);
        words
    }

    #[test]
    fn every_shape_of_row_comes_back() {
        for key_len in [0, 1, 7, 8, 9, 255, 256, 70_000] {
            for (segment, offset) in [(3, 7), (u64::from(u16::MAX), u64::from(u32::MAX)), (1 << 16, 7), (3, 1 << 40)] {
                for tstamp in [0, (1 << 52) - 1, 1 << 52, u64::MAX] {
                    for (expires_at, stored_len) in [(None, 5), (Some(u64::MAX), 65_535), (Some(0), 65_536)] {
                        for (tombstone, codec) in [(false, Codec::Raw), (true, Codec::Raw), (false, Codec::Lz4)] {
                            let key = vec![b'k'; key_len];
                            let len = 14 + key_len as u64 + stored_len;
                            let location = Location { segment, offset, len };
                            let entry = Entry { location, stored_len, codec, tstamp, expires_at };
                            let new = NewRow::new(&key, &entry, tombstone, |_| 14);
                            let words = words(&new);
                            let row = read(&words, |_| 14).unwrap();
                            assert_eq!((row.entry, row.tombstone, row.words()), (entry, tombstone, new.words()));
                            assert_eq!(super::key(&words, &row, &mut Vec::new()), Some(&key[..]));
                            assert!(is_of(&words, &key));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_record_whose_length_is_not_the_sum_of_its_parts_keeps_it() {
        let location = Location { segment: 1, offset: 40, len: 999 };
        let entry = Entry { location, stored_len: 5, codec: Codec::Raw, tstamp: 9, expires_at: None };
        let words = words(&NewRow::new(b"k", &entry, false, |_| 24));
        assert_eq!(read(&words, |_| 24).unwrap().entry, entry);
    }

    #[test]
    fn a_key_is_told_from_all_that_are_nearly_the_same() {
        let entry = |len| Entry {
            location: Location { segment: 1, offset: 40, len },
            stored_len: 0,
            codec: Codec::Raw,
            tstamp: 9,
            expires_at: None,
        };
        for key in [&b""[..], b"k", b"12345678", b"123456789", &[7; 300]] {
            let words = words(&NewRow::new(key, &entry(24 + key.len() as u64), false, |_| 24));
            assert!(is_of(&words, key));
            let longer = [key, b"\0"].concat();
            let mut others = vec![longer];
            if let Some((last, before)) = key.split_last() {
                others.extend([before.to_vec(), [before, &[last ^ 1]].concat()]);
            }
            for other in others {
                assert!(!is_of(&words, &other), "{key:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_row_on_its_way_is_the_row_that_is_written_and_knows_its_like() {
        let entry = |tstamp, expires_at| Entry {
            location: Location { segment: 1, offset: 40, len: 24 },
            stored_len: 0,
            codec: Codec::Raw,
            tstamp,
            expires_at,
        };
        let keys = [&b""[..], b"k", b"j", b"12345678", b"123456789", b"12345678\0", &[7; 255], &[7; 256]];
        let versions = [entry(9, None), entry(1 << 60, None), entry(3, Some(77))];
        let mut rows = Vec::new();
        for (i, key) in keys.iter().enumerate() {
            for entry in versions {
                let new = NewRow::new(key, &entry, false, |_| 24);
                let mut waiting = vec![0; new.words()];
                new.put_by(&mut waiting);
                let there = words(&new);
                assert_eq!(len(&waiting), Some(waiting.len()));
                assert!(waiting.iter().zip(&there).all(|(waiting, there)| *waiting == there.get()));
                assert_eq!(read(&waiting, |_| 24), read(&there, |_| 24));
                rows.push((i, waiting, there));
            }
        }
        for (i, waiting, _) in &rows {
            for (j, _, there) in &rows {
                assert_eq!(is_like(there, waiting), i == j, "{i} {j}");
            }
        }
    }

    #[test]
    fn words_that_are_no_row_are_read_without_harm() {
        for filler in [0, u64::MAX, WIDE, EXPIRES, WIDE | EXPIRES] {
            for len in 0..12 {
                let words: Vec<AtomicU64> = (0..len).map(|_| AtomicU64::new(filler)).collect();
                if let Some(row) = read(&words, |_| 24) {
                    super::key(&words, &row, &mut Vec::new());
                }
                parts(&words, |_| 24);
                is_of(&words, b"key");
                let plain: Vec<u64> = words.iter().map(RowWord::get).collect();
                is_like(&words, &plain);
                super::len(&plain);
            }
        }
    }

    #[test]
    fn an_ordinary_row_takes_16_bytes_and_its_key() {
        let location = Location { segment: 9, offset: 1 << 30, len: 140 };
        let entry = Entry { location, stored_len: 100, codec: Codec::Raw, tstamp: 1 << 51, expires_at: None };
        assert_eq!(NewRow::new(&[0; 16], &entry, false, |_| 24).words() * WORD, 16 + 16);
    }
}
