//! CSV by RFC 4180, as UTF-8, with a first row that names the columns. `key` and `value` are text; where the bytes are not
//! UTF-8, or hold a zero, which many readers of CSV stop at, the field is empty and `key_b64` or `value_b64` carries them.
//! `expires_at` is in microseconds since 1970. Only `key` and `value`, or their other forms, must be there.
//!
//! The crate `csv` is not used because it reads anything: a quote that is never closed, or stands in the middle of a field,
//! would be taken for data without a word.
//!
//! Must not know: where text comes from, and what becomes of rows. Keeps: what [`write`] writes, [`CsvReader`] reads as the
//! same row.

mod columns;
mod record;

use std::io::{self, BufRead, Write};
use std::path::Path;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;

use super::input::Input;
use super::row::{Fault, MAX_ROW, Place, RowRef, Source, Step};
use crate::error::Result;
use columns::Columns;
use record::{Record, Records};

/// The columns that are written.
const HEAD: &[u8] = b"key,value,key_b64,value_b64,expires_at\r\n";

/// Writes the names of the columns.
pub(super) fn write_head(to: &mut dyn Write) -> io::Result<()> {
    to.write_all(HEAD)
}

/// Writes a row.
pub(super) fn write(row: &RowRef<'_>, to: &mut dyn Write) -> io::Result<()> {
    for bytes in [row.key, row.value] {
        if is_text(bytes) {
            write_field(bytes, to)?;
        }
        to.write_all(b",")?;
    }
    for bytes in [row.key, row.value] {
        if !is_text(bytes) {
            write!(to, "{}", Base64Display::new(bytes, &STANDARD))?;
        }
        to.write_all(b",")?;
    }
    if let Some(expires_at) = row.expires_at {
        write!(to, "{expires_at}")?;
    }
    to.write_all(b"\r\n")
}

/// Whether bytes travel as they are.
fn is_text(bytes: &[u8]) -> bool {
    !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok()
}

fn write_field(field: &[u8], to: &mut dyn Write) -> io::Result<()> {
    let is_bare = |byte: &u8| !matches!(byte, b'"' | b',' | b'\r' | b'\n');
    let is_padded = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
    if field.iter().all(is_bare) && !is_padded(field.first()) && !is_padded(field.last()) {
        return to.write_all(field);
    }
    to.write_all(b"\"")?;
    for (i, piece) in field.split(|byte| *byte == b'"').enumerate() {
        if i > 0 {
            to.write_all(b"\"\"")?;
        }
        to.write_all(piece)?;
    }
    to.write_all(b"\"")
}

/// Reads rows. Empty lines are none; columns that are none of ours are left out, and their names kept.
#[derive(Debug)]
pub struct CsvReader<R> {
    records: Records<R>,
    from_line: u64,
    columns: Option<Columns>,
    ignored: Vec<(String, u64)>,
    done: bool,
}

impl<R: BufRead> CsvReader<R> {
    /// Reads the rows that begin at the line of this number or after it, 1 is the first. The names of the columns are read
    /// in any case. `name` stands for the text in messages.
    pub fn new(reader: R, name: &Path, from_line: u64) -> Result<Self> {
        Self::with_limit(reader, name, from_line, MAX_ROW)
    }

    /// The same with another limit for the length of a row.
    pub fn with_limit(reader: R, name: &Path, from_line: u64, limit: usize) -> Result<Self> {
        let records = Records::new(Input::new(reader, name, limit)?);
        Ok(Self { records, from_line, columns: None, ignored: Vec::new(), done: false })
    }

    /// Reads the first row. Without the names of the columns nothing behind it can be understood.
    fn read_head(&mut self) -> Result<Option<Step>> {
        let (line, head) = self.records.next_record()?;
        let columns = match head {
            Record::End => {
                self.done = true;
                return Ok(None);
            }
            Record::Whole => Columns::of(self.records.fields()),
            Record::Malformed(what) => Err(what),
        };
        match columns {
            Ok((columns, ignored)) => {
                self.ignored = ignored.into_iter().map(|name| (name, line)).collect();
                self.columns = Some(columns);
                self.next_row()
            }
            Err(what) => {
                self.done = true;
                Ok(Some(fault(line, what)))
            }
        }
    }

    fn next_row(&mut self) -> Result<Option<Step>> {
        loop {
            let (line, record) = self.records.next_record()?;
            let row = match record {
                Record::End => return Ok(None),
                _ if line < self.from_line => continue,
                Record::Whole => self.columns.iter().map(|columns| columns.row(self.records.fields())).next(),
                Record::Malformed(what) => Some(Err(what)),
            };
            return Ok(row.map(|row| match row {
                Ok(row) => Step::Row { row, place: Place::Line(line), suspect: false },
                Err(what) => fault(line, what),
            }));
        }
    }
}

fn fault(line: u64, what: String) -> Step {
    Step::Fault(Fault { place: Place::Line(line), key: None, what })
}

impl<R: BufRead> Source for CsvReader<R> {
    fn next_step(&mut self) -> Result<Option<Step>> {
        match &self.columns {
            _ if self.done => Ok(None),
            None => self.read_head(),
            Some(_) => self.next_row(),
        }
    }

    fn bytes_read(&self) -> u64 {
        self.records.bytes_read()
    }

    fn ignored(&self) -> &[(String, u64)] {
        &self.ignored
    }
}

#[cfg(test)]
mod tests;
