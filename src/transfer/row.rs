//! A row on its way: a key with its value, where it was found, and what can be wrong with it. Plain data.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::Result;
use crate::format::SegmentId;
use crate::format::record::{self, MAX_VALUE_LEN};
use crate::text;

/// The longest value as text: in base64, which makes four bytes of three.
pub(super) const MAX_VALUE_TEXT: usize = MAX_VALUE_LEN.div_ceil(3) as usize * 4;

/// The longest row that is read, in bytes of the text. What is more than the value has room for the longest key, whatever
/// its escapes, and for names and signs.
pub const MAX_ROW: usize = MAX_VALUE_TEXT + (1 << 20);

const _: () = assert!(record::MAX_KEY_LEN * 6 < 1 << 19);

/// A key with its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
    /// Microseconds since 1970; `None` lives for ever.
    pub expires_at: Option<u64>,
}

/// The same, borrowed, on its way out.
#[derive(Clone, Copy, Debug)]
pub struct RowRef<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The value.
    pub value: &'a [u8],
    /// Microseconds since 1970.
    pub expires_at: Option<u64>,
    /// Damage elsewhere may have hidden a newer version.
    pub suspect: bool,
}

/// Where a row was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The line of a text at which the row begins, from 1.
    Line(u64),
    /// A record of a store.
    Record {
        /// The store's directory.
        dir: PathBuf,
        /// The segment.
        segment: SegmentId,
        /// The record's place in it; `None` where nothing of the segment could be read.
        offset: Option<u64>,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Record { dir, segment, offset: Some(offset) } => {
                write!(f, "segment {segment} of {} at offset {offset}", text::path(dir))
            }
            Self::Record { dir, segment, offset: None } => write!(f, "segment {segment} of {}", text::path(dir)),
        }
    }
}

/// Something in a source that is no row. Its text is safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// The key, where it is known.
    pub key: Option<Vec<u8>>,
    /// What is wrong; a clause that goes on after the place and a colon.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(key) = &self.key {
            write!(f, "key {}: ", text::key_word(key))?;
        }
        f.write_str(&self.what)
    }
}

/// Bytes that a text carries. `Err`: what is wrong with the field of this name.
pub(super) fn from_base64(name: &str, text: &[u8]) -> Result<Vec<u8>, String> {
    STANDARD.decode(text).map_err(|error| format!("`{name}` is not base64: {error}"))
}

/// What a source gives next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A row.
    Row {
        /// The row itself.
        row: Row,
        /// Where it was found.
        place: Place,
        /// Damage elsewhere may have hidden a newer version.
        suspect: bool,
    },
    /// No row; the source can go on behind it.
    Fault(Fault),
}

/// Where rows come from.
pub trait Source {
    /// The next row or fault, `None` at the end. An error ends the source.
    fn next_step(&mut self) -> Result<Option<Step>>;

    /// Bytes of the source that were read so far.
    fn bytes_read(&self) -> u64;

    /// Fields that are none of ours and were left out, by name and with the line where each came first.
    fn ignored(&self) -> &[(String, u64)] {
        &[]
    }

    /// Versions of keys that were left out because another part of the source has a newer one.
    fn older(&self) -> u64 {
        0
    }
}
