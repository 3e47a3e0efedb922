//! Some consecutive keys, each without the beginning that it shares with the one before:
//!
//! ```text
//! ┌────────┬──────┬────────┬────────┬──────┬────────┬─ ─
//! │ shared │ rest │ bytes  │ shared │ rest │ bytes  │
//! │ 1..    │ 1..  │ of key │ 1..    │ 1..  │ of key │
//! └────────┴──────┴────────┴────────┴──────┴────────┴─ ─
//! ```
//!
//! Numbers are as [`varint`] has them. The first key shares nothing.
//! Must not know what a block is part of. Invariants: keys ascend, and none comes twice; a block never changes, so that
//! lists may share it.

use std::sync::Arc;

use crate::store::varint;

/// The keys of one block.
#[derive(Clone, Debug)]
pub(super) struct Block {
    bytes: Arc<[u8]>,
    keys: u32,
}

impl Block {
    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.keys as usize
    }

    /// Bytes of memory: this struct, what it points at with its two counts, and the two words that an allocator keeps.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.bytes.len() + 4 * size_of::<usize>()
    }

    /// The first key.
    pub(super) fn first(&self) -> &[u8] {
        let mut rest = &*self.bytes;
        varint::take(&mut rest);
        let len = varint::take(&mut rest).map_or(0, |len| len as usize);
        rest.get(..len).unwrap_or_default()
    }

    /// How many keys are less than `key`, and whether it is the next one.
    pub(super) fn find(&self, key: &[u8]) -> (usize, bool) {
        let mut reader = Reader::default();
        let mut less = 0;
        while reader.step(self) {
            if reader.key() >= key {
                return (less, reader.key() == key);
            }
            less += 1;
        }
        (less, false)
    }
}

/// A place in a block. It holds no reference, so that a block can be kept beside it.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    at: usize,
    key: Vec<u8>,
    shared: usize,
}

impl Reader {
    /// Goes to the next key of `block`, the same at each call; says whether there is one.
    pub(super) fn step(&mut self, block: &Block) -> bool {
        self.try_step(block).is_some()
    }

    fn try_step(&mut self, block: &Block) -> Option<()> {
        let mut rest = block.bytes.get(self.at..)?;
        let shared = varint::take(&mut rest)? as usize;
        let len = varint::take(&mut rest)? as usize;
        let (bytes, rest) = rest.split_at_checked(len)?;
        self.shared = shared;
        self.key.truncate(shared);
        self.key.extend_from_slice(bytes);
        self.at = block.bytes.len() - rest.len();
        Some(())
    }

    /// The key that it is at.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// How many bytes that key has in common with the one before it in the block.
    pub(super) fn shared(&self) -> usize {
        self.shared
    }

    /// Goes before the first key.
    pub(super) fn rewind(&mut self) {
        self.at = 0;
        self.key.clear();
    }
}

/// Packs ascending keys into blocks.
#[derive(Debug)]
pub(super) struct Packer {
    /// Keys and bytes at which a block is full.
    full: (usize, usize),
    bytes: Vec<u8>,
    keys: u32,
    last: Vec<u8>,
    blocks: Vec<Block>,
}

impl Packer {
    /// Blocks of at most so many keys, and not many more bytes than so many.
    pub(super) fn new(keys: usize, bytes: usize) -> Self {
        Self { full: (keys, bytes), bytes: Vec::new(), keys: 0, last: Vec::new(), blocks: Vec::new() }
    }

    /// Takes the next key.
    pub(super) fn push(&mut self, key: &[u8]) {
        if self.keys as usize >= self.full.0 || self.bytes.len() >= self.full.1 {
            self.seal();
        }
        let shared = match self.keys {
            0 => 0,
            _ => common(&self.last, key),
        };
        let rest = key.get(shared..).unwrap_or_default();
        varint::push(&mut self.bytes, shared as u64);
        varint::push(&mut self.bytes, rest.len() as u64);
        self.bytes.extend_from_slice(rest);
        self.last.truncate(shared);
        self.last.extend_from_slice(rest);
        self.keys += 1;
    }

    fn seal(&mut self) {
        if self.keys > 0 {
            self.blocks.push(Block { bytes: self.bytes.as_slice().into(), keys: self.keys });
            self.bytes.clear();
            self.keys = 0;
        }
    }

    /// The blocks.
    pub(super) fn finish(mut self) -> Vec<Block> {
        self.seal();
        self.blocks
    }

    /// The blocks that are full so far.
    pub(super) fn take_full(&mut self) -> impl Iterator<Item = Block> + '_ {
        self.blocks.drain(..)
    }
}

/// How many bytes two keys begin with alike.
pub(super) fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
