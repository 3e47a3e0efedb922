//! The filter in a hint that tells which keys a segment cannot hold.
//!
//! Must not know: the rest of the hint. Keeps: never says no to a key that was built in. Bits and hash are part of the
//! layout, the same on every machine and in every version.

const BITS_PER_KEY: u64 = 10;
const PROBES: u64 = 7;

/// A bloom filter: 10 bits a key, 7 probes, about 1 % of wrong "maybe".
#[derive(Clone, Copy, Debug)]
pub struct Bloom<'a> {
    bits: &'a [u8],
}

impl<'a> Bloom<'a> {
    pub(super) fn new(bits: &'a [u8]) -> Self {
        Self { bits }
    }

    /// False means: no record of this key is in the segment.
    pub fn may_contain(&self, key: &[u8]) -> bool {
        bloom_probes(key, self.bits.len() as u64)
            .all(|(byte, bit)| self.bits.get(byte as usize).is_some_and(|byte| byte & bit != 0))
    }
}

/// The places that a filter of `len` bytes is asked about a key: a byte, and the bit in it. If one of the bits is not
/// set, the key was not built in. So a filter need not be read to be asked.
pub fn bloom_probes(key: &[u8], len: u64) -> impl Iterator<Item = (u64, u8)> {
    probes(key_hash(key), len.saturating_mul(8)).map(|bit| (bit / 8, 1 << (bit % 8)))
}

/// The same on every machine and in every version: it is part of the layout.
pub(super) fn key_hash(key: &[u8]) -> u64 {
    rapidhash::v3::rapidhash_v3(key)
}

/// Double hashing (Kirsch and Mitzenmacher): two halves of one hash make all probes. Yields nothing for an empty filter.
fn probes(hash: u64, bits: u64) -> impl Iterator<Item = u64> {
    let step = (hash >> 32) | 1;
    (0..if bits == 0 { 0 } else { PROBES }).map(move |i| hash.wrapping_add(i.wrapping_mul(step)) % bits)
}

/// The filter over the keys with these hashes.
pub(super) fn build(hashes: &[u64]) -> Vec<u8> {
    let len = (hashes.len() as u64 * BITS_PER_KEY).div_ceil(8);
    let mut bits = vec![0u8; len as usize];
    for bit in hashes.iter().flat_map(|hash| probes(*hash, len * 8)) {
        if let Some(byte) = bits.get_mut((bit / 8) as usize) {
            *byte |= 1 << (bit % 8);
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn built(keys: impl Iterator<Item = u32>) -> Vec<u8> {
        build(&keys.map(|key| key_hash(&key.to_le_bytes())).collect::<Vec<_>>())
    }

    #[test]
    fn a_key_that_was_built_in_is_never_denied() {
        for keys in [1, 2, 7, 1000, 20_000] {
            let bits = built(0..keys);
            let bloom = Bloom::new(&bits);
            assert!((0..keys).all(|key| bloom.may_contain(&key.to_le_bytes())), "{keys} keys");
        }
    }

    #[test]
    fn one_absent_key_in_a_hundred_gets_a_wrong_maybe() {
        let bits = built(0..20_000);
        assert_eq!(bits.len(), 25_000);
        let bloom = Bloom::new(&bits);
        let wrong = (20_000u32..120_000).filter(|key| bloom.may_contain(&key.to_le_bytes())).count();
        assert!((400..1600).contains(&wrong), "{wrong} of 100000");
    }

    #[test]
    fn a_filter_without_bits_denies_nothing() {
        assert!(Bloom::new(&built(0..0)).may_contain(b"a"));
    }

    /// A change of hash or probes would make filters on disk deny keys that they hold.
    #[test]
    fn hash_and_bits_stay_what_they_were() {
        // The first is what the authors of rapidhash publish for its third version.
        assert_eq!(key_hash(b""), 0x0338_dc4b_e2ce_cdae);
        assert_eq!(key_hash(b"a"), 0x599f_47df_33a2_e1eb);
        assert_eq!(key_hash(b"user:1"), 0xd909_ac96_2d7d_8597);
        assert_eq!(build(&[key_hash(b"a"), key_hash(b"user:1")]), [79, 146, 228]);
    }
}
