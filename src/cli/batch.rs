//! `batch`: a file of operations, done as one step or not at all.
//!
//! The whole file is read before the store is opened, so that a fault in its last line leaves no trace. Memory is bounded
//! by what a batch may hold and by the longest line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};

use anyhow::anyhow;
use serde::Serialize;

use super::args;
use super::batch_line;
use super::exit::{Exit, Usage};
use super::session::Session;
use crate::error::Error;
use crate::format::record::MAX_VALUE_LEN;
use crate::store::{Batch, BatchWritten};
use crate::text;

/// `logkv batch`
pub(super) fn batch(session: &mut Session, args: &args::Batch) -> anyhow::Result<Exit> {
    let lines = match &args.file {
        Some(path) => {
            let failed = |error: io::Error| anyhow!("cannot read {}: {error}", text::path(path));
            Lines::read(BufReader::new(File::open(path).map_err(failed)?), MAX_LINE_LEN, &failed)?
        }
        None => {
            let stdin = io::stdin();
            if stdin.is_terminal() {
                session.notes.hint("reading operations from the terminal, one a line; Ctrl-d ends them");
            }
            Lines::read(stdin.lock(), MAX_LINE_LEN, &|error| anyhow!("cannot read standard input: {error}"))?
        }
    };
    let store = session.write(true)?;
    let written = match store.write(&lines.batch) {
        Err(Error::Refused { operation, key, reason }) => {
            store.close()?;
            let (line, key) = (lines.number_of(operation), text::key_word(&key));
            return Ok(session.notes.no(&format!("line {line}: {key} {reason}; nothing was written")));
        }
        written => written?,
    };
    store.close()?;
    told(session, &written)
}

fn told(session: &mut Session, written: &BatchWritten) -> anyhow::Result<Exit> {
    if session.out.is_json() {
        session.out.json(&Row::from(written))?;
        return Ok(Exit::Yes);
    }
    let mut line = format!("put {}, deleted {}", text::count(written.puts), text::count(written.deletes));
    if let Some(at) = written.location.filter(|_| session.notes.verbose) {
        line.push_str(&format!("  segment {} offset {} len {}", at.segment, at.offset, at.len));
    }
    session.out.line(&line)?;
    Ok(Exit::Yes)
}

#[derive(Serialize)]
struct Row {
    puts: u64,
    deletes: u64,
    segment: Option<u64>,
    offset: Option<u64>,
    len: Option<u64>,
    tstamp: Option<u64>,
}

impl From<&BatchWritten> for Row {
    fn from(written: &BatchWritten) -> Self {
        let at = written.location;
        Self {
            puts: written.puts,
            deletes: written.deletes,
            segment: at.map(|at| at.segment),
            offset: at.map(|at| at.offset),
            len: at.map(|at| at.len),
            tstamp: written.last_tstamp,
        }
    }
}

/// A batch, and which line each of its operations comes from.
#[derive(Debug, Default)]
struct Lines {
    batch: Batch,
    /// For each line with operations its number and the first operation.
    numbers: Vec<(u64, usize)>,
}

/// The longest line: the longest value, and room for the words before it.
const MAX_LINE_LEN: u64 = MAX_VALUE_LEN + (1 << 20);

impl Lines {
    fn read(mut from: impl BufRead, max_len: u64, failed: &dyn Fn(io::Error) -> anyhow::Error) -> anyhow::Result<Self> {
        let mut lines = Self::default();
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            let read = from.by_ref().take(max_len + 1).read_until(b'\n', &mut bytes).map_err(failed)?;
            let fault = |what: String| Usage(format!("line {number}: {what}; nothing was written"));
            if read as u64 > max_len {
                return Err(fault(format!("it is longer than {}", text::size(max_len))).into());
            }
            if read == 0 {
                break;
            }
            lines.add(number, &bytes).map_err(fault)?;
        }
        Ok(lines)
    }

    fn add(&mut self, number: u64, bytes: &[u8]) -> Result<(), String> {
        // Files of other systems end their lines in CR LF; a value that ends in CR is written in quotes.
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let line = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8; write other bytes as \\xHH".to_owned())?;
        let first = self.batch.len();
        batch_line::add(&mut self.batch, line)?;
        if self.batch.len() > first {
            self.numbers.push((number, first));
        }
        Ok(())
    }

    /// The line that an operation comes from.
    fn number_of(&self, operation: usize) -> u64 {
        let next = self.numbers.partition_point(|(_, first)| *first <= operation);
        next.checked_sub(1).and_then(|at| self.numbers.get(at)).map_or(0, |(number, _)| *number)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &[u8]) -> anyhow::Result<Lines> {
        Lines::read(text, 100, &|error| error.into())
    }

    #[test]
    fn an_operation_is_told_by_its_line() {
        let lines = read(b"# two\r\n\nput a 1\r\ndelete b c\n\nput d \"4\\r\"").unwrap();
        assert_eq!(lines.batch.len(), 4);
        assert_eq!([0, 1, 2, 3].map(|operation| lines.number_of(operation)), [3, 4, 4, 6]);
        assert_eq!(lines.batch.encoded_len(), 34 + 25 + 25 + 35);
    }

    #[test]
    fn a_fault_is_told_by_its_line() {
        for (text, told) in [
            (&b"put a 1\nput"[..], "line 2: something is missing; type put KEY VALUE; nothing was written"),
            (b"\nput \xff 1\n", "line 2: it is not UTF-8; write other bytes as \\xHH; nothing was written"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), told);
        }
    }

    /// A line without an end: it must be refused before it has filled the memory.
    #[test]
    fn an_endless_line_is_refused() {
        let endless = BufReader::new(io::repeat(b'x'));
        let told = Lines::read(endless, 5000, &|error| error.into()).unwrap_err().to_string();
        assert_eq!(told, "line 1: it is longer than 4.9 KiB; nothing was written");
    }
}
