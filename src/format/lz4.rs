//! Doing and undoing [`Codec::Lz4`](super::Codec::Lz4): the length of the raw value as a little-endian u32, then one LZ4
//! block.
//!
//! Knows no record. Keeps: what the length claims is believed no further than a block of that size could reach, and
//! [`head`] makes no more bytes than it is asked for.

use super::Check;
use super::record::MAX_VALUE_LEN;

/// Bytes before the block.
const HEAD: usize = size_of::<u32>();
const BAD: Check = Check::Implausible("the compressed value does not decompress");
/// The shortest match.
const MATCH: usize = 4;
/// A length that goes on in the next byte.
const MORE: usize = 15;

/// Shorter values are stored as they are: there is little to gain, and a get of them should do nothing but read.
pub const MIN_LEN: usize = 64;
/// What is stored must be shorter by this share of the raw value at least, or every get would decompress for nothing.
const MIN_GAIN: usize = 8;

/// The value as it is to be stored, if that is shorter by an eighth. At most [`MAX_VALUE_LEN`] bytes, as for every value.
pub fn compress(value: &[u8]) -> Option<Vec<u8>> {
    let len = u32::try_from(value.len()).ok().filter(|_| value.len() >= MIN_LEN)?;
    let mut stored = vec![0; HEAD + lz4_flex::block::get_maximum_output_size(value.len())];
    let (head, block) = stored.split_at_mut(HEAD);
    head.copy_from_slice(&len.to_le_bytes());
    let block_len = lz4_flex::block::compress_into(value, block).ok()?;
    stored.truncate(HEAD + block_len);
    stored.shrink_to_fit();
    (stored.len() <= value.len() - value.len() / MIN_GAIN).then_some(stored)
}

/// Bytes of the raw value, and the block.
fn parts(stored: &[u8]) -> Option<(u64, &[u8])> {
    let (len, block) = stored.split_first_chunk::<4>()?;
    Some((u64::from(u32::from_le_bytes(*len)), block))
}

/// Bytes of the raw value, as the first four bytes of what is stored claim.
pub fn raw_len(stored: &[u8]) -> Result<u64, Check> {
    parts(stored).map(|(len, _)| len).ok_or(BAD)
}

/// The raw value.
pub fn decompress(stored: &[u8]) -> Result<Vec<u8>, Check> {
    let (len, block) = parts(stored).ok_or(BAD)?;
    // One byte of a block stands for 255 bytes at most: a short block that claims a long value is none.
    let possible = (block.len() as u64).saturating_mul(255).saturating_add(64);
    if len > MAX_VALUE_LEN.min(possible) {
        return Err(BAD);
    }
    let len = usize::try_from(len).map_err(|_| BAD)?;
    let value = lz4_flex::block::decompress(block, len).map_err(|_| BAD)?;
    if value.len() == len { Ok(value) } else { Err(BAD) }
}

/// The first `most` bytes of the raw value, of which only the first bytes as stored need be there.
pub fn head(stored: &[u8], most: usize) -> Result<Vec<u8>, Check> {
    let (len, mut block) = parts(stored).ok_or(BAD)?;
    let most = usize::try_from(len).unwrap_or(most).min(most);
    let mut value = Vec::new();
    while value.len() < most && sequence(&mut block, &mut value, most).map_err(|()| BAD)?.is_some() {}
    value.truncate(most);
    Ok(value)
}

/// One sequence: bytes as they are, then bytes from before. `None`: what is there of the block ended.
fn sequence(block: &mut &[u8], value: &mut Vec<u8>, most: usize) -> Result<Option<()>, ()> {
    let Some(token) = take(block) else { return Ok(None) };
    let Some(literals) = length(block, usize::from(token >> 4)) else { return Ok(None) };
    let there = literals.min(block.len());
    let (bytes, rest) = block.split_at_checked(there).ok_or(())?;
    value.extend_from_slice(bytes);
    *block = rest;
    let (Some(low), Some(high)) = (take(block), take(block)) else { return Ok(None) };
    let distance = usize::from(u16::from_le_bytes([low, high]));
    let Some(len) = length(block, usize::from(token & 0x0f)) else { return Ok(None) };
    let start = value.len().checked_sub(distance).filter(|_| distance > 0).ok_or(())?;
    // What is copied may be part of what is copied.
    for at in (start..).take((len + MATCH).min(most.saturating_sub(value.len()))) {
        value.push(*value.get(at).ok_or(())?);
    }
    Ok(Some(()))
}

fn take(block: &mut &[u8]) -> Option<u8> {
    let (first, rest) = block.split_first()?;
    *block = rest;
    Some(*first)
}

fn length(block: &mut &[u8], nibble: usize) -> Option<usize> {
    let mut len = nibble;
    let mut last = if nibble == MORE { u8::MAX } else { 0 };
    while last == u8::MAX {
        last = take(block)?;
        len = len.saturating_add(usize::from(last));
    }
    Some(len)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use proptest::prelude::*;

    use super::*;

    fn stored(value: &[u8]) -> Vec<u8> {
        [&(value.len() as u32).to_le_bytes()[..], &lz4_flex::block::compress(value)].concat()
    }

    #[test]
    fn a_short_block_that_claims_a_gigabyte_makes_few_bytes() {
        let mut bomb = stored(&[b'a'; 5000]);
        bomb[..4].copy_from_slice(&(1_u32 << 30).to_le_bytes());
        assert_eq!(decompress(&bomb), Err(BAD));
        assert_eq!(head(&bomb, 100).unwrap(), [b'a'; 100]);
        assert_eq!(raw_len(&bomb), Ok(1 << 30));
    }

    #[test]
    fn a_match_from_before_the_value_is_refused() {
        assert_eq!(head(&[9, 0, 0, 0, 0x10, b'a', 2, 0], 9), Err(BAD));
        assert_eq!(head(&[9, 0, 0, 0, 0x10, b'a', 0, 0], 9), Err(BAD));
        assert_eq!(head(&[1, 2, 3], 9), Err(BAD));
    }

    #[test]
    fn only_what_becomes_shorter_by_an_eighth_is_compressed() {
        assert_eq!(compress(&[b'a'; MIN_LEN - 1]), None);
        assert!(compress(&[b'a'; MIN_LEN]).is_some_and(|stored| stored.len() < 24));
        // No byte comes again: nothing to gain.
        let mut seed = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        })
        .take(4000)
        .collect();
        assert_eq!(compress(&noise), None);
        let some_gain = [&noise[..], &[0; 400]].concat();
        assert_eq!(compress(&some_gain), None, "a tenth");
        let more_gain = [&noise[..], &[0; 800]].concat();
        assert!(compress(&more_gain).is_some_and(|stored| stored.len() <= 4200));
    }

    proptest! {
        #[test]
        fn what_is_compressed_comes_back(
            value in proptest::collection::vec(prop_oneof![5 => Just(b'a'), 1 => any::<u8>()], 0..5000),
        ) {
            if let Some(stored) = compress(&value) {
                prop_assert!(stored.len() <= value.len() - value.len() / MIN_GAIN);
                prop_assert_eq!(raw_len(&stored), Ok(value.len() as u64));
                prop_assert_eq!(decompress(&stored).unwrap(), value);
            }
        }

        #[test]
        fn a_head_is_the_beginning_of_the_value(
            value in proptest::collection::vec(prop_oneof![3 => Just(b'a'), 1 => any::<u8>()], 0..2000),
            most in 0..2500_usize, cut in 0..400_usize,
        ) {
            let stored = stored(&value);
            prop_assert_eq!(&decompress(&stored).unwrap(), &value);
            prop_assert_eq!(&head(&stored, most).unwrap()[..], &value[..most.min(value.len())]);
            let there = stored.len().saturating_sub(cut).max(4);
            prop_assert!(value.starts_with(&head(&stored[..there], most).unwrap()));
        }

        #[test]
        fn no_block_panics(stored in proptest::collection::vec(any::<u8>(), 0..200), most in 0..10_000_usize) {
            prop_assert!(head(&stored, most).map_or(0, |value| value.len()) <= most);
            let _ = decompress(&stored);
        }
    }
}
