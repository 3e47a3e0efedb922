//! What a decoder says, piece by piece, and what becomes of it.
//!
//! A decoder walks over the bytes once and tells a [`Sink`] of brackets and of what stands between them. One sink prints,
//! one only takes note of the outermost piece: so the same code decides whether bytes are well formed and shows them.

use std::fmt::Display;

use super::pen::Class;

/// Why a walk ended before the item did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The bytes are not of this kind.
    Malformed,
    /// The bytes ended first.
    Cut,
    /// They are nested deeper than is looked into.
    Deep,
    /// The sink takes no more.
    Full,
}

/// What encloses items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bracket {
    /// A map as JSON, MessagePack and CBOR have it: its items are keys and values in turn.
    Map,
    /// A list of items.
    Array,
    /// An Erlang map.
    TermMap,
    /// An Erlang tuple.
    Tuple,
    /// Something around an item, as a tag: stays on its line.
    Call,
}

impl Bracket {
    /// What ends it.
    pub(super) fn close(self) -> &'static str {
        match self {
            Self::Map | Self::TermMap | Self::Tuple => "}",
            Self::Array => "]",
            Self::Call => ")",
        }
    }

    /// What stands between a key and its value; `None` if its items are no such pairs.
    pub(super) fn pair(self) -> Option<&'static str> {
        match self {
            Self::Map => Some(": "),
            Self::TermMap => Some(" => "),
            Self::Array | Self::Tuple | Self::Call => None,
        }
    }
}

/// Who listens to a decoder.
pub trait Sink {
    /// Items follow, up to [`Sink::close`]. `words` is the opening bracket and what belongs to it.
    fn open(&mut self, bracket: Bracket, words: &dyn Display) -> Result<(), Stop>;

    /// The innermost bracket ends.
    fn close(&mut self) -> Result<(), Stop>;

    /// One item that holds no others. Its words are formatted only by a sink that shows them, and are escaped already.
    fn leaf(&mut self, class: Class, words: &dyn Display) -> Result<(), Stop>;

    /// The next item is the tail of an Erlang list.
    fn tail(&mut self) {}
}

/// Takes note of the outermost item alone.
#[derive(Debug, Default)]
pub(super) struct Outline {
    items: usize,
    /// The outermost item is a map or an array.
    pub(super) is_container: bool,
}

impl Outline {
    /// The outermost item holds at least one other.
    pub(super) fn has_items(&self) -> bool {
        self.is_container && self.items > 1
    }
}

impl Sink for Outline {
    fn open(&mut self, bracket: Bracket, _: &dyn Display) -> Result<(), Stop> {
        self.is_container |= self.items == 0 && bracket != Bracket::Call;
        self.items += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        Ok(())
    }

    fn leaf(&mut self, _: Class, _: &dyn Display) -> Result<(), Stop> {
        self.items += 1;
        Ok(())
    }
}
