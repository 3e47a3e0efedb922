//! Words for people: showing bytes, reading literals and command lines, sizes and times.
//!
//! The lowest layer: it knows nothing of stores, files or terminals, and imports no other layer.
//!
//! - [`escape()`]: the one function through which an untrusted byte reaches a terminal, a title, a message.
//! - [`literal`]: what a person types for a key or a value; it reads back what `escape` shows.
//! - [`words`]: a command line, as typed in the interface or found in a batch file, word by word.
//! - [`units`] and [`time`]: numbers as people read and write them.

mod elide;
pub mod escape;
pub mod literal;
mod literal_error;
pub mod time;
pub mod units;
pub mod words;

pub use elide::{escape_around, escape_ends};
pub use escape::{Clipped, Escaped, escape, escape_into, escape_str, escape_to_width, path};
pub use literal::{FilesAllowed, ValueLiteral, key_literal, parse_key, parse_value, value_literal};
pub use literal_error::{LiteralError, LiteralProblem};
pub use time::{age, duration, parse_duration, rfc3339, timestamp};
pub use units::{UnitError, count, parse_size, percent, several, size};
pub use words::{CommandLine, CursorWord, Word, key_word};
