//! Keys and values that are computed from a number, so that none has to be remembered.

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 16;

/// As many bytes more than one value has, so that values differ.
const SPREAD: usize = 1 << 16;

/// Spreads 64 bits over 64 bits, one to one (the last step of SplitMix64).
fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Key `i`: unlike all others, and far from its neighbours.
pub(super) fn key(i: u64) -> [u8; KEY_BYTES] {
    let halves = u128::from(mix(i)) << 64 | u128::from(mix(!i));
    halves.to_be_bytes()
}

/// A key that looks like the others and is never put.
pub(super) fn missing(i: u64) -> [u8; KEY_BYTES] {
    key(i | 1 << 63)
}

/// Random values of one length, all of them parts of one stock.
pub(super) struct Values {
    stock: Vec<u8>,
    len: usize,
}

impl Values {
    pub(super) fn new(len: usize) -> Self {
        let words = (len.saturating_add(SPREAD) / 8 + 1) as u64;
        Self { stock: (0..words).flat_map(|i| mix(i ^ 0x5157_cafe).to_le_bytes()).collect(), len }
    }

    pub(super) fn value(&self, i: u64) -> &[u8] {
        let at = (mix(i) >> 48) as usize;
        self.stock.get(at..at + self.len).unwrap_or_default()
    }
}

/// Random numbers.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(mix(seed ^ 0x1234_5678_9abc_def1) | 1)
    }

    /// One below `count`.
    pub(super) fn below(&mut self, count: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((u128::from(self.0) * u128::from(count)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_comes_twice_and_no_missing_one_is_there() {
        let all: std::collections::HashSet<_> = (0..10_000).flat_map(|i| [key(i), missing(i)]).collect();
        assert_eq!(all.len(), 20_000);
    }

    #[test]
    fn values_have_their_length_and_differ() {
        for len in [0, 1, 100, 1 << 20] {
            let values = Values::new(len);
            assert!((0..1000).all(|i| values.value(i).len() == len));
            assert!(len < 100 || values.value(1) != values.value(2));
        }
    }

    #[test]
    fn dice_stay_below_their_count() {
        let mut dice = Dice::new(1);
        assert!((0..1000).all(|_| dice.below(7) < 7));
        assert_eq!(dice.below(1), 0);
    }
}
