//! Text as it comes in: bytes, counted, with the number of the line that they are on.
//!
//! Invariant: a line is never longer in memory than the limit, whatever the input does. A byte order mark at the start is
//! no part of the text.

use std::io::{self, BufRead, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

const BOM: &[u8] = b"\xef\xbb\xbf";
/// What a buffer may keep between rows: one long row must not hold its memory to the end.
const KEPT: usize = 1 << 20;

/// How a line was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Whole,
    /// Longer than the limit; the rest of it was passed over.
    TooLong,
    /// There is none.
    End,
}

/// A text that is read from its start to its end.
#[derive(Debug)]
pub(super) struct Input<R> {
    reader: Chain<Cursor<Vec<u8>>, R>,
    name: PathBuf,
    pub(super) limit: usize,
    /// Line feeds that were passed.
    passed: u64,
    bytes: u64,
}

impl<R: BufRead> Input<R> {
    /// `name` stands for the text in messages.
    pub(super) fn new(mut reader: R, name: &Path, limit: usize) -> Result<Self> {
        let mut start = Vec::new();
        while start.len() < BOM.len() && BOM.starts_with(&start) {
            let mut byte = [0];
            match reader.read(&mut byte) {
                Ok(0) => break,
                Ok(_) => start.extend_from_slice(&byte),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::io("read", name, e)),
            }
        }
        let bytes = if start == BOM { BOM.len() as u64 } else { 0 };
        let start = if start == BOM { Vec::new() } else { start };
        Ok(Self { reader: Cursor::new(start).chain(reader), name: name.to_owned(), limit, passed: 0, bytes })
    }

    /// The number of the line that is read next.
    pub(super) fn line(&self) -> u64 {
        self.passed + 1
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes
    }

    /// What is there to be read, at least a byte unless the text is at its end.
    pub(super) fn fill(&mut self) -> Result<&[u8]> {
        loop {
            match self.reader.fill_buf() {
                Ok(_) => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::io("read", &self.name, e)),
            }
        }
        // What is in the buffer is given again without a read.
        self.reader.fill_buf().map_err(|e| Error::io("read", &self.name, e))
    }

    /// Passes over bytes that [`Input::fill`] gave.
    pub(super) fn pass(&mut self, len: usize, line_feeds: u64) {
        self.reader.consume(len);
        self.bytes += len as u64;
        self.passed += line_feeds;
    }

    /// Reads to the end of the line, which is left out.
    pub(super) fn read_line(&mut self, line: &mut Vec<u8>) -> Result<Line> {
        recycle(line);
        let mut read = Line::End;
        loop {
            let limit = self.limit;
            let piece = self.fill()?;
            if piece.is_empty() {
                return Ok(read);
            }
            let end = piece.iter().position(|byte| *byte == b'\n');
            let text = piece.get(..end.unwrap_or(piece.len())).unwrap_or_default();
            if read == Line::TooLong || line.len() + text.len() > limit {
                read = Line::TooLong;
                line.clear();
            } else {
                read = Line::Whole;
                line.extend_from_slice(text);
            }
            let len = text.len() + usize::from(end.is_some());
            self.pass(len, u64::from(end.is_some()));
            if end.is_some() {
                return Ok(read);
            }
        }
    }
}

/// Empties a buffer, and gives its memory back if one long row made it grow.
pub(super) fn recycle(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.shrink_to(KEPT);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::BufReader;

    use super::*;

    fn lines(text: &[u8], buffer: usize, limit: usize) -> Vec<(Line, String, u64)> {
        let mut input = Input::new(BufReader::with_capacity(buffer, text), Path::new("text"), limit).unwrap();
        let (mut line, mut lines) = (Vec::new(), Vec::new());
        loop {
            let number = input.line();
            let read = input.read_line(&mut line).unwrap();
            if read == Line::End {
                assert_eq!(input.bytes_read(), text.len() as u64);
                return lines;
            }
            lines.push((read, String::from_utf8(line.clone()).unwrap(), number));
        }
    }

    #[test]
    fn lines_are_the_same_whatever_the_buffer_and_a_long_one_is_passed_over() {
        let text = b"\xef\xbb\xbfone\n\na line that is long\nlast";
        let whole = |text: &str, number| (Line::Whole, text.to_owned(), number);
        let expected = [whole("one", 1), whole("", 2), (Line::TooLong, String::new(), 3), whole("last", 4)];
        for buffer in [1, 2, 3, 5, 64] {
            assert_eq!(lines(text, buffer, 10), expected, "{buffer}");
        }
    }

    #[test]
    fn only_a_whole_byte_order_mark_is_taken_away() {
        assert_eq!(lines(b"\xef\xbb\xbf", 1, 10), []);
        assert_eq!(lines(b"ab", 1, 10).len(), 1);
        assert_eq!(lines(b"\xef\xbb\xbf\xef\xbb\xbfa\n", 8, 10).first().unwrap().1, "\u{feff}a");
        let mut input = Input::new(&b"\xef\xbba\n"[..], Path::new("text"), 10).unwrap();
        let mut line = Vec::new();
        input.read_line(&mut line).unwrap();
        assert_eq!(line, b"\xef\xbba");
    }

    #[test]
    fn a_line_without_end_takes_no_memory_beyond_the_limit() {
        let endless = io::Read::take(io::repeat(b'x'), 100 << 20);
        let mut input = Input::new(BufReader::new(endless), Path::new("text"), 1 << 16).unwrap();
        let mut line = Vec::new();
        assert_eq!(input.read_line(&mut line).unwrap(), Line::TooLong);
        assert!(line.capacity() <= 1 << 18, "{}", line.capacity());
        assert_eq!((input.read_line(&mut line).unwrap(), input.bytes_read()), (Line::End, 100 << 20));
    }
}
