//! JSONL: one JSON object a line. `key` and `value` are text; `key_b64` or `value_b64` stands in their place where the bytes
//! are not UTF-8; `expires_at`, in microseconds since 1970, where there is one.
//!
//! Must not know: where lines come from, and what becomes of rows. Keeps: what [`write`] writes, [`JsonlReader`] reads as
//! the same row.

mod object;

use std::io::{self, BufRead, Write};
use std::path::Path;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::input::{Input, Line};
use super::row::{Fault, MAX_ROW, MAX_VALUE_TEXT, Place, RowRef, Source, Step};
use crate::error::Result;

/// Writes a row as a line.
pub(super) fn write(row: &RowRef<'_>, to: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *to, &Object(row))?;
    to.write_all(b"\n")
}

struct Object<'a>(&'a RowRef<'a>);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let row = self.0;
        let mut object = to.serialize_map(None)?;
        bytes(&mut object, ("key", "key_b64"), row.key)?;
        bytes(&mut object, ("value", "value_b64"), row.value)?;
        if let Some(expires_at) = row.expires_at {
            object.serialize_entry("expires_at", &expires_at)?;
        }
        if row.suspect {
            object.serialize_entry("suspect", &true)?;
        }
        object.end()
    }
}

fn bytes<M: SerializeMap>(object: &mut M, (text, base64): (&str, &str), bytes: &[u8]) -> Result<(), M::Error> {
    match std::str::from_utf8(bytes) {
        Ok(bytes) if fits(bytes, MAX_VALUE_TEXT) => object.serialize_entry(text, bytes),
        _ => object.serialize_entry(base64, &Collected(Base64Display::new(bytes, &STANDARD))),
    }
}

/// Written piece by piece: the base64 of a long value is never in memory as a whole.
struct Collected<T>(T);

impl<T: std::fmt::Display> Serialize for Collected<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

/// Whether a text stays below a limit with its escapes, of which the longest makes six bytes of one. Long texts of control
/// characters would become lines that are too long to be read again.
fn fits(text: &str, limit: usize) -> bool {
    text.len() <= limit / 6 || text.bytes().map(escaped_len).sum::<usize>() <= limit
}

fn escaped_len(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | 0x08 | 0x09 | 0x0a | 0x0c | 0x0d => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

/// Reads rows from lines. Empty lines are none; fields that are none of ours are left out, and their names kept.
#[derive(Debug)]
pub struct JsonlReader<R> {
    input: Input<R>,
    from_line: u64,
    line: Vec<u8>,
    ignored: Vec<(String, u64)>,
}

impl<R: BufRead> JsonlReader<R> {
    /// Reads from the line of this number on, 1 is the first. `name` stands for the text in messages.
    pub fn new(reader: R, name: &Path, from_line: u64) -> Result<Self> {
        Self::with_limit(reader, name, from_line, MAX_ROW)
    }

    /// The same with another limit for the length of a line.
    pub fn with_limit(reader: R, name: &Path, from_line: u64, limit: usize) -> Result<Self> {
        Ok(Self { input: Input::new(reader, name, limit)?, from_line, line: Vec::new(), ignored: Vec::new() })
    }

    fn row(&mut self, number: u64) -> Step {
        let place = Place::Line(number);
        match object::read(&self.line) {
            Ok((row, ignored)) => {
                for name in ignored {
                    object::remember(&mut self.ignored, name, number);
                }
                Step::Row { row, place, suspect: false }
            }
            Err(what) => Step::Fault(Fault { place, key: None, what }),
        }
    }
}

impl<R: BufRead> Source for JsonlReader<R> {
    fn next_step(&mut self) -> Result<Option<Step>> {
        loop {
            let number = self.input.line();
            match self.input.read_line(&mut self.line)? {
                Line::End => return Ok(None),
                _ if number < self.from_line => {}
                Line::Whole if self.line.trim_ascii().is_empty() => {}
                Line::Whole => return Ok(Some(self.row(number))),
                Line::TooLong => {
                    let what = format!("it is longer than {} bytes, which no row needs", self.input.limit);
                    return Ok(Some(Step::Fault(Fault { place: Place::Line(number), key: None, what })));
                }
            }
        }
    }

    fn bytes_read(&self) -> u64 {
        self.input.bytes_read()
    }

    fn ignored(&self) -> &[(String, u64)] {
        &self.ignored
    }
}

#[cfg(test)]
mod tests;
