//! The grammar of RFC 4180: from bytes to fields, strictly. A line feed alone ends a row too.
//!
//! Must not know what the columns mean. Keeps: a row and its fields are bounded, whatever the text does; behind a row that
//! does not hold, the next line begins a row.

use std::io::BufRead;

use crate::error::Result;
use crate::transfer::input::{Input, recycle};

/// Fields of a row; each is counted in memory even if it is empty.
const MAX_FIELDS: usize = 1024;

/// How a row was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Whole,
    /// What is wrong with it.
    Malformed(String),
    End,
}

/// Where in a row the reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    FieldStart,
    Bare,
    Quoted,
    /// Behind a quote within a quoted field: its end, or the first of two.
    Quote,
    /// Behind a carriage return that ends the row, if a line feed follows.
    Return,
}

/// What a piece of text came to.
enum Fed {
    More,
    Row,
    Fault(String),
}

/// Reads row by row.
#[derive(Debug)]
pub(super) struct Records<R> {
    input: Input<R>,
    row: Row,
}

#[derive(Debug)]
struct Row {
    at: At,
    limit: usize,
    bytes: Vec<u8>,
    /// Where each field ends in `bytes`.
    ends: Vec<usize>,
    /// Where the field that is being read has its opening quote.
    quote_line: u64,
    /// Line feeds in the piece that is being read.
    line_feeds: u64,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(input: Input<R>) -> Self {
        let (limit, bytes, ends) = (input.limit, Vec::new(), Vec::new());
        Self { input, row: Row { at: At::FieldStart, limit, bytes, ends, quote_line: 0, line_feeds: 0 } }
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.input.bytes_read()
    }

    /// The fields of the row that was read last.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.row.ends.iter().copied());
        starts.zip(&self.row.ends).filter_map(|(start, end)| self.row.bytes.get(start..*end))
    }

    /// Reads the next row that is not an empty line, with the number of the line where it begins.
    pub(super) fn next_record(&mut self) -> Result<(u64, Record)> {
        loop {
            let line = self.input.line();
            let record = self.read()?;
            let is_empty = record == Record::Whole && self.row.ends.len() == 1 && self.row.bytes.is_empty();
            if !is_empty {
                return Ok((line, record));
            }
        }
    }

    fn read(&mut self) -> Result<Record> {
        self.row.restart();
        loop {
            let line = self.input.line();
            let piece = self.input.fill()?;
            if piece.is_empty() {
                return Ok(self.row.end_of_text());
            }
            let (len, fed) = self.row.feed(piece, line);
            let line_feeds = self.row.line_feeds;
            self.input.pass(len, line_feeds);
            match fed {
                Fed::More => {}
                Fed::Row => return Ok(Record::Whole),
                Fed::Fault(what) => {
                    self.pass_line()?;
                    return Ok(Record::Malformed(what));
                }
            }
        }
    }

    /// Passes over the rest of the line.
    fn pass_line(&mut self) -> Result<()> {
        loop {
            let piece = self.input.fill()?;
            let end = piece.iter().position(|byte| *byte == b'\n');
            let len = end.map_or(piece.len(), |end| end + 1);
            self.input.pass(len, u64::from(end.is_some()));
            if end.is_some() || len == 0 {
                return Ok(());
            }
        }
    }
}

impl Row {
    fn restart(&mut self) {
        recycle(&mut self.bytes);
        self.ends.clear();
        self.at = At::FieldStart;
    }

    /// Takes in a piece of text that begins on `line`, up to the end of the row, and says how much of it that was.
    fn feed(&mut self, piece: &[u8], line: u64) -> (usize, Fed) {
        self.line_feeds = 0;
        let mut len = 0;
        while let Some(rest) = piece.get(len..).filter(|rest| !rest.is_empty()) {
            let run = self.run(rest);
            if run > 0 {
                // Up to the limit and no further, so that the fault does not depend on how the text came in pieces.
                let text = rest.get(..run.min(self.limit.saturating_sub(self.bytes.len()))).unwrap_or_default();
                self.line_feeds += text.iter().filter(|byte| **byte == b'\n').count() as u64;
                self.bytes.extend_from_slice(text);
                len += text.len();
                if text.len() < run {
                    return (len, Fed::Fault(self.too_long()));
                }
                continue;
            }
            let Some(byte) = rest.first() else { break };
            match self.step(*byte, line) {
                Fed::More => len += 1,
                Fed::Row => {
                    self.line_feeds += 1;
                    return (len + 1, Fed::Row);
                }
                // The byte stays, so that a line feed still ends the line.
                Fed::Fault(what) => return (len, Fed::Fault(what)),
            }
        }
        (len, Fed::More)
    }

    /// How many bytes are text of the field beyond doubt.
    fn run(&mut self, rest: &[u8]) -> usize {
        let is_sign = |byte: &u8| matches!(byte, b'"' | b',' | b'\r' | b'\n');
        match self.at {
            At::Quoted => rest.iter().position(|byte| *byte == b'"').unwrap_or(rest.len()),
            At::Bare => rest.iter().position(is_sign).unwrap_or(rest.len()),
            At::FieldStart if rest.first().is_some_and(|byte| !is_sign(byte)) => {
                self.at = At::Bare;
                self.run(rest)
            }
            At::FieldStart | At::Quote | At::Return => 0,
        }
    }

    /// A byte that may be a sign.
    fn step(&mut self, byte: u8, line: u64) -> Fed {
        match (self.at, byte) {
            (At::FieldStart, b'"') => {
                self.at = At::Quoted;
                self.quote_line = line + self.line_feeds;
                Fed::More
            }
            (At::Quoted, b'"') => self.go(At::Quote),
            (At::Quote, b'"') if self.bytes.len() == self.limit => Fed::Fault(self.too_long()),
            (At::Quote, b'"') => {
                self.bytes.push(b'"');
                self.go(At::Quoted)
            }
            (At::FieldStart | At::Bare | At::Quote, b',') => match self.end_field() {
                Ok(()) => self.go(At::FieldStart),
                Err(what) => Fed::Fault(what),
            },
            (At::FieldStart | At::Bare | At::Quote, b'\r') => self.go(At::Return),
            (At::FieldStart | At::Bare | At::Quote | At::Return, b'\n') => match self.end_field() {
                Ok(()) => Fed::Row,
                Err(what) => Fed::Fault(what),
            },
            (At::Bare, _) => Fed::Fault("a quote stands within a field that does not begin with one".to_owned()),
            (At::Return, _) => {
                Fed::Fault("a carriage return stands outside quotes, and no line feed follows it".to_owned())
            }
            (At::Quote | At::FieldStart | At::Quoted, _) => {
                let line = self.quote_line;
                Fed::Fault(format!("the field whose quote opens on line {line} goes on behind its closing quote"))
            }
        }
    }

    fn go(&mut self, at: At) -> Fed {
        self.at = at;
        Fed::More
    }

    fn end_field(&mut self) -> Result<(), String> {
        if self.ends.len() == MAX_FIELDS {
            return Err(format!("it has more than {MAX_FIELDS} fields"));
        }
        self.ends.push(self.bytes.len());
        Ok(())
    }

    fn end_of_text(&mut self) -> Record {
        match self.at {
            At::FieldStart if self.ends.is_empty() => Record::End,
            At::Quoted => {
                Record::Malformed(format!("the quote that opens on line {} is never closed", self.quote_line))
            }
            At::Return => Record::Malformed("the text ends behind a carriage return outside quotes".to_owned()),
            At::FieldStart | At::Bare | At::Quote => {
                self.end_field().map_or_else(Record::Malformed, |()| Record::Whole)
            }
        }
    }

    fn too_long(&self) -> String {
        let open = match self.at {
            At::Quoted => format!("; is the quote that opens on line {} never closed?", self.quote_line),
            _ => String::new(),
        };
        format!("it is longer than {} bytes, which no row needs{open}", self.limit)
    }
}
