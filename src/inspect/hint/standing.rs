//! What a hint is worth as a whole.

use std::fmt;

use crate::format::Check;

/// What a hint is worth as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It holds.
    Holds,
    /// It has no closing checksum, or another one.
    Damaged(Check),
    /// It is about another file of the segment's name.
    OtherFile,
    /// It vouches for more bytes than the segment has.
    Beyond {
        /// Bytes that it vouches for.
        covers: u64,
        /// Bytes that are there.
        has: u64,
    },
    /// The segment has grown since.
    Behind {
        /// Bytes that it covers.
        covers: u64,
        /// Bytes that are there.
        has: u64,
    },
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => f.write_str("it holds"),
            Self::Damaged(check) => write!(f, "damaged: {check}"),
            Self::OtherFile => f.write_str("stale: it belongs to another file of this name"),
            Self::Beyond { covers, has } => write!(f, "it vouches for {covers} bytes, but the segment has {has}"),
            Self::Behind { covers, has } => write!(f, "it covers {covers} of the segment's {has} bytes"),
        }
    }
}
