//! From a store to rows, in byte order of the keys.
//!
//! # Invariants
//!
//! 1. The rows are those of one moment: of a store that was opened for reading the one when it was opened or refreshed last,
//!    of a writer's own store the one when the export began. Merges of this process wait until it is done.
//! 2. A value that cannot be read is told, counted and left out; the others are written.
//! 3. Besides the list of keys, no more is in memory than a page of values, or one long value.

use std::io::{self, Write};
use std::str::FromStr;

use super::row::RowRef;
use super::{csv, jsonl, resp};
use crate::error::{Error, Result};
use crate::store::{Answer, Entry, Found, Store, View};

/// Keys whose values are read at once, in the order of the disk.
const PAGE_KEYS: usize = 1024;
/// Bytes of their values as stored.
const PAGE_BYTES: u64 = 4 << 20;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// A JSON object a line.
    Jsonl,
    /// RFC 4180, with a first row that names the columns.
    Csv,
    /// Commands for `redis-cli --pipe`.
    Resp,
}

impl ExportFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Jsonl, Self::Csv, Self::Resp];

    /// The word for it on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Resp => "resp",
        }
    }

    fn write_head(self, to: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Csv => csv::write_head(to),
            Self::Jsonl | Self::Resp => Ok(()),
        }
    }

    fn write(self, row: &RowRef<'_>, to: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Jsonl => jsonl::write(row, to),
            Self::Csv => csv::write(row, to),
            Self::Resp => resp::write(row, to),
        }
    }
}

impl FromStr for ExportFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| "one of jsonl, csv, resp".to_owned())
    }
}

/// What became of a store's keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Rows that were written.
    pub exported: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// Keys that were left out because their value cannot be read.
    pub damaged: u64,
    /// Rows that were written although damage may have hidden a newer version.
    pub suspect: u64,
}

/// What an export tells on its way.
#[derive(Clone, Copy, Debug)]
pub enum ExportNews<'a> {
    /// Keys that are done, of all.
    Done(u64, u64),
    /// A key that is left out, and why.
    Damaged(&'a [u8], &'a Error),
}

/// Why an export ended early.
#[derive(Debug)]
pub enum ExportError {
    /// The store could not be read on.
    Store(Error),
    /// The rows could not be written.
    Write(io::Error),
}

impl From<io::Error> for ExportError {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// Writes the live keys that begin with `prefix`, with their values.
pub fn export(
    store: &Store,
    format: ExportFormat,
    prefix: &[u8],
    to: &mut dyn Write,
    news: &mut dyn FnMut(ExportNews<'_>),
) -> Result<Exported, ExportError> {
    let view = store.view(prefix).map_err(ExportError::Store)?;
    let mut keys = view.iter();
    let total = view.len() as u64;
    let (mut done, mut exported) = (0, Exported::default());
    format.write_head(to)?;
    loop {
        news(ExportNews::Done(done, total));
        let page = page(&mut keys);
        if page.is_empty() {
            return Ok(exported);
        }
        for (key, answer) in read(&view, &page) {
            write(key, answer, format, to, (&mut exported, news))?;
            done += 1;
        }
    }
}

type Key<'a> = (&'a [u8], &'a Entry);

/// The next keys, as many as may be in memory with their values.
fn page<'a>(keys: &mut impl Iterator<Item = Key<'a>>) -> Vec<Key<'a>> {
    let (mut page, mut bytes) = (Vec::new(), 0);
    while page.len() < PAGE_KEYS && bytes < PAGE_BYTES {
        let Some((key, entry)) = keys.next() else { break };
        bytes += entry.stored_len;
        page.push((key, entry));
    }
    page
}

/// The values of a page: read in the order of the disk, given in that of the keys.
fn read<'a>(view: &View<'_>, page: &[Key<'a>]) -> Vec<(&'a [u8], Result<Answer>)> {
    let mut order: Vec<_> = page.iter().enumerate().collect();
    order.sort_unstable_by_key(|(_, (_, entry))| entry.location);
    let mut answers: Vec<_> = order.into_iter().map(|(i, (key, entry))| (i, *key, view.get(key, entry))).collect();
    answers.sort_unstable_by_key(|(i, ..)| *i);
    answers.into_iter().map(|(_, key, answer)| (key, answer)).collect()
}

fn write(
    key: &[u8],
    answer: Result<Answer>,
    format: ExportFormat,
    to: &mut dyn Write,
    (exported, news): (&mut Exported, &mut dyn FnMut(ExportNews<'_>)),
) -> Result<(), ExportError> {
    match answer {
        Ok(Answer { found: Some(Found { value, entry }), suspect }) => {
            format.write(&RowRef { key, value: &value, expires_at: entry.expires_at, suspect }, to)?;
            exported.exported += 1;
            exported.bytes += (key.len() + value.len()) as u64;
            exported.suspect += u64::from(suspect);
            Ok(())
        }
        // A view has only keys with values.
        Ok(Answer { found: None, .. }) => Ok(()),
        // Copying from a disk that fails must not end at the first sector that cannot be read.
        Err(error @ (Error::Damaged { .. } | Error::Io { .. })) => {
            exported.damaged += 1;
            news(ExportNews::Damaged(key, &error));
            Ok(())
        }
        Err(error) => Err(ExportError::Store(error)),
    }
}
