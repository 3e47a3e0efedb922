//! Standard output: lines for people, JSON objects for programs, bytes as they are for pipes.
//!
//! # Invariants
//!
//! 1. One JSON object is one line, its fields in the order in which they are documented.
//! 2. Bytes that are not UTF-8 stand as base64 under a name that ends in `_b64`; no byte is replaced or lost.
//! 3. A reader that went away is [`ClosedPipe`], any other failure to write is an error: no answer is lost in silence.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use anyhow::anyhow;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;

use super::args::{Color, OutputFormat};
use super::exit::ClosedPipe;

/// Where answers go.
pub(super) struct Out {
    /// Not locked: the interface writes from a thread of its own.
    to: BufWriter<Stdout>,
    format: OutputFormat,
    terminal: bool,
    color: bool,
}

impl Out {
    pub(super) fn new(format: OutputFormat, color: Color) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        Self { to: BufWriter::new(stdout), format, terminal, color: wants_color(color, terminal) }
    }

    /// Whether programs read this.
    pub(super) fn is_json(&self) -> bool {
        self.format == OutputFormat::Json
    }

    /// Whether a person reads this.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// One line; what came from a store has been escaped by the caller.
    pub(super) fn line(&mut self, line: &str) -> anyhow::Result<()> {
        writeln!(self.to, "{line}").map_err(failed)
    }

    /// One object on one line.
    pub(super) fn json(&mut self, row: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer(&mut self.to, row).map_err(|e| failed(e.into()))?;
        self.to.write_all(b"\n").map_err(failed)
    }

    /// Bytes as they are, and nothing else.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.to.write_all(bytes).map_err(failed)
    }

    /// For those who write much. Their errors become those of this stream by [`failed`].
    pub(super) fn writer(&mut self) -> &mut impl Write {
        &mut self.to
    }

    /// Hands everything to the system.
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        self.to.flush().map_err(failed)
    }

    /// `words` in the colour of `tone`, where colours are wanted.
    pub(super) fn paint(&self, tone: Tone, words: &str) -> String {
        paint(self.color, tone, words)
    }
}

/// What a word stands for; which colour that is, is decided here alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Faint,
    Warning,
    Bad,
}

/// `words` between the escape sequences of a tone.
pub(super) fn paint(color: bool, tone: Tone, words: &str) -> String {
    if !color {
        return words.to_owned();
    }
    let code = match tone {
        Tone::Good => "32",
        Tone::Faint => "2",
        Tone::Warning => "33",
        Tone::Bad => "31",
    };
    format!("\x1b[{code}m{words}\x1b[0m")
}

/// What `--color` comes to on a stream; `NO_COLOR` counts when it is set and not empty (no-color.org).
pub(super) fn wants_color(color: Color, terminal: bool) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    }
}

/// What a failure to write to standard output means: invariant 3.
pub(super) fn failed(error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return ClosedPipe.into();
    }
    anyhow!("cannot write to standard output: {error}")
}

/// A key as a JSON field: `key`, or `key_b64` where it is not UTF-8.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum KeyField {
    Text { key: Option<String> },
    Base64 { key_b64: String },
}

impl From<&[u8]> for KeyField {
    fn from(key: &[u8]) -> Self {
        match std::str::from_utf8(key) {
            Ok(key) => Self::Text { key: Some(key.to_owned()) },
            Err(_) => Self::Base64 { key_b64: BASE64.encode(key) },
        }
    }
}

impl From<Option<&[u8]>> for KeyField {
    fn from(key: Option<&[u8]>) -> Self {
        key.map_or(Self::Text { key: None }, Self::from)
    }
}

/// A value as a JSON field: `value`, or `value_b64` where it is not UTF-8.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum ValueField {
    Text { value: Option<String> },
    Base64 { value_b64: String },
}

impl From<Option<Vec<u8>>> for ValueField {
    fn from(value: Option<Vec<u8>>) -> Self {
        match value.map(String::from_utf8) {
            None => Self::Text { value: None },
            Some(Ok(value)) => Self::Text { value: Some(value) },
            Some(Err(error)) => Self::Base64 { value_b64: BASE64.encode(error.as_bytes()) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(row: &impl Serialize) -> String {
        serde_json::to_string(row).unwrap_or_default()
    }

    #[test]
    fn bytes_that_are_not_utf8_change_the_name_of_the_field() {
        assert_eq!(json(&KeyField::from(&b"a\n"[..])), r#"{"key":"a\n"}"#);
        assert_eq!(json(&KeyField::from(&b"\xff\x00"[..])), r#"{"key_b64":"/wA="}"#);
        assert_eq!(json(&KeyField::from(None)), r#"{"key":null}"#);
        assert_eq!(json(&ValueField::from(Some(b"\xfe".to_vec()))), r#"{"value_b64":"/g=="}"#);
        assert_eq!(json(&ValueField::from(Some(Vec::new()))), r#"{"value":""}"#);
    }

    #[test]
    fn a_closed_pipe_is_told_from_a_full_disk() {
        assert!(failed(io::ErrorKind::BrokenPipe.into()).is::<ClosedPipe>());
        assert!(!failed(io::ErrorKind::StorageFull.into()).is::<ClosedPipe>());
    }

    #[test]
    fn colour_is_for_those_who_want_it() {
        assert_eq!(paint(false, Tone::Bad, "damaged"), "damaged");
        assert_eq!(paint(true, Tone::Bad, "damaged"), "\x1b[31mdamaged\x1b[0m");
        assert!(wants_color(Color::Always, false));
        assert!(!wants_color(Color::Never, true));
        assert!(!wants_color(Color::Auto, false));
    }
}
