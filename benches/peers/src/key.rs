//! Keys and values that are computed, so that none has to be remembered and every answer can be compared.
//!
//! Invariants: key `i` of a set is always the same and differs from every other; a value follows from the key's index,
//! its version and its length.

/// A key of every work.
pub type Key = [u8; 16];

/// How many bytes of a value's stock lie beyond its length: as many different values there are.
const SPREAD: usize = 1 << 16;

/// Spreads 64 bits over 64 bits, one to one (SplitMix64's last step).
fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// A set of random keys, of which about a thousand share their first two bytes.
#[derive(Clone, Copy)]
pub struct Keys {
    /// How many there are.
    pub count: u64,
    groups: u64,
}

impl Keys {
    pub fn new(count: u64) -> Self {
        Self { count, groups: (count / 1000).clamp(1, 1 << 16) }
    }

    /// Key `i`.
    pub fn key(&self, i: u64) -> Key {
        let (first, second) = (mix(i), mix(i ^ 0x9e37_79b9_7f4a_7c15));
        let group = ((second >> 32) * self.groups) >> 32;
        let mut key = [0; 16];
        key[..8].copy_from_slice(&second.to_le_bytes());
        key[8..].copy_from_slice(&first.to_le_bytes());
        key[..2].copy_from_slice(&(group as u16).to_be_bytes());
        key
    }

    /// A key that looks like the others and is never put.
    pub fn missing(&self, i: u64) -> Key {
        self.key(i | 1 << 63)
    }

    /// The bytes that the keys of one group begin with.
    pub fn prefix(&self, i: u64) -> [u8; 2] {
        ((i % self.groups) as u16).to_be_bytes()
    }

    /// Visits every index once, for `i` from 0 to the count, each far from the one before.
    pub fn stride(&self, i: u64) -> u64 {
        // A prime above any count here, so that it shares no factor with it.
        let step = 618_033_988_751_u64;
        ((u128::from(i) * u128::from(step)) % u128::from(self.count)) as u64
    }
}

/// Random values, all slices of one stock.
pub struct Values {
    stock: Vec<u8>,
    /// Bytes of each value.
    pub len: usize,
}

impl Values {
    pub fn new(len: usize) -> Self {
        let words = (0..((len + SPREAD) / 8 + 1) as u64).flat_map(|i| mix(i ^ 0x5157_cafe).to_le_bytes());
        Self { stock: words.collect(), len }
    }

    /// The value of a version of key `i`.
    pub fn value(&self, i: u64, version: u64) -> &[u8] {
        let at = (mix(i.wrapping_add(version << 40)) >> 48) as usize;
        &self.stock[at..at + self.len]
    }
}

/// Random indices.
pub struct Dice {
    state: u64,
}

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self { state: mix(seed ^ 0x1234_5678_9abc_def1) | 1 }
    }

    /// One below `count`.
    pub fn below(&mut self, count: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        ((u128::from(self.state) * u128::from(count)) >> 64) as u64
    }
}
