//! What a value is, and how it is shown: JSON, MessagePack, CBOR, Erlang terms and Riak objects as lines of words, each
//! of a [`Class`], and the keys of Riak.
//!
//! Pure functions on bytes: no file, no clock, no terminal; colours belong to whoever shows the lines. Invariants:
//!
//! 1. No function panics on any bytes or allocates by a length that they claim; nothing recurses with their nesting.
//! 2. What is shown went through [`crate::text`], and is no more than [`MOST_LINES`] lines.
//! 3. A decoder both recognises and shows (see [`sink`]), so that what is detected can be shown to its end.
//! 4. Numbers, strings, duplicate keys and their order are shown as they stand; nothing is made nicer than it is.
//!
//! # How a value is recognised
//!
//! Text and hexadecimal fit every value. The others fit a value that is one item of theirs to the last byte; of a value of
//! which only the head is at hand, JSON, terms and Riak objects fit if they are right as far as that goes. Of what fits,
//! the first of these is *detected*:
//!
//! 1. a Riak object: begins with the bytes of its version, and its parts fit;
//! 2. an Erlang term: begins with 131;
//! 3. JSON: an object or an array. Bare numbers, strings and words are as well called text;
//! 4. MessagePack, then CBOR: a map or an array that is not empty (or CBOR that describes itself), whole, in a value that
//!    does not look like text;
//! 5. text: valid UTF-8 with few control characters, judged by the first 512 bytes;
//! 6. else hexadecimal.

mod cbor;
mod family;
mod json;
mod msgpack;
mod numbers;
mod pen;
mod printer;
pub mod riak;
pub mod sink;
pub mod term;
mod text;
mod view;

pub use family::family;
pub use pen::{Class, Line, MOST_LINES, Span};
pub use printer::DEEPEST;
pub use text::looks_like_text;
pub use view::{Head, Known, View, lines, recognise};

#[cfg(test)]
mod tests;
