//! What a question cost that the keydir could not answer, and what hints saved it. Plain data.

use std::fmt;

use crate::text;

/// Segments asked, and bytes read or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Segments that were asked: the sum of the next three.
    pub segments: u64,
    /// Those whose filter said that the key is not in them: no record was read.
    pub denied: u64,
    /// Those whose hint named the places: only the records there were read, if any.
    pub named: u64,
    /// Those that were read record by record, all of them or what their hint does not cover.
    pub walked: u64,
    /// Bytes read, those of hints included.
    pub read_bytes: u64,
    /// Bytes of segments that did not have to be read.
    pub spared_bytes: u64,
}

impl std::ops::AddAssign for Effort {
    fn add_assign(&mut self, other: Self) {
        self.segments += other.segments;
        self.denied += other.denied;
        self.named += other.named;
        self.walked += other.walked;
        self.read_bytes += other.read_bytes;
        self.spared_bytes += other.spared_bytes;
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.segments == 1 { "segment" } else { "segments" };
        write!(
            f,
            "{} {noun}: {} denied by the filter, {} asked by the hint, {} read through; {} read, {} not",
            text::count(self.segments),
            text::count(self.denied),
            text::count(self.named),
            text::count(self.walked),
            text::size(self.read_bytes),
            text::size(self.spared_bytes)
        )
    }
}
