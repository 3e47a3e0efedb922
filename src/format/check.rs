//! What can be wrong with bytes, and the checksum that is finished over a value.
//!
//! Must not know: what follows from a failed check.

use std::fmt;

/// A checksum whose last part is the value.
#[derive(Clone, Debug)]
pub struct Checksum {
    /// As it stands in the record.
    pub stored: u32,
    /// State after everything that the checksum covers before the value.
    pub before_value: crc32fast::Hasher,
}

/// A checksum under computation over a stored value.
#[derive(Clone, Debug)]
pub struct ValueCheck {
    stored: u32,
    hasher: crc32fast::Hasher,
}

impl ValueCheck {
    pub(super) fn new(checksum: Checksum) -> Self {
        Self { stored: checksum.stored, hasher: checksum.before_value }
    }

    /// Feeds the next bytes of the stored value.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// The verdict after the last byte.
    pub fn finish(self) -> Result<(), Check> {
        let computed = self.hasher.finalize();
        if computed == self.stored {
            return Ok(());
        }
        Err(Check::ValueChecksum { stored: self.stored, computed })
    }
}

/// The check that bytes failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// The checksum over header and key.
    HeaderChecksum {
        /// As stored.
        stored: u32,
        /// As computed from the bytes.
        computed: u32,
    },
    /// The checksum over the value (in Riak's format over the whole record).
    ValueChecksum {
        /// As stored.
        stored: u32,
        /// As computed from the bytes.
        computed: u32,
    },
    /// A checksum over a whole file (hint, file header).
    FileChecksum {
        /// As stored.
        stored: u32,
        /// As computed from the bytes.
        computed: u32,
    },
    /// A kind, flag or length that no writer produces.
    Implausible(&'static str),
    /// The file ends inside the record, `missing` bytes early.
    PastEnd {
        /// Bytes that are not there.
        missing: u64,
    },
    /// The record at that place holds another key.
    OtherKey,
    /// The file itself is gone or has another salt.
    OtherFile,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderChecksum { stored, computed } => {
                write!(f, "header checksum is {computed:08x}, stored {stored:08x}")
            }
            Self::ValueChecksum { stored, computed } => {
                write!(f, "value checksum is {computed:08x}, stored {stored:08x}")
            }
            Self::FileChecksum { stored, computed } => {
                write!(f, "file checksum is {computed:08x}, stored {stored:08x}")
            }
            Self::Implausible(what) => f.write_str(what),
            Self::PastEnd { missing } => write!(f, "the file ends {missing} bytes too early"),
            Self::OtherKey => f.write_str("the record there holds another key"),
            Self::OtherFile => f.write_str("the segment file is not the one that was indexed"),
        }
    }
}
