//! Bytes from one file to another, with their checksum, in pieces.
//!
//! Must not know what is in them. Keeps: memory is bounded by one piece, and a source that ends early is an error, never
//! a shorter copy.

use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{ReadFile, WriteFile};
use crate::error::{Error, Result};

const PIECE: usize = 256 << 10;

/// Told how many bytes are done and how many there are in all; may ask to stop.
pub type Watch<'a> = &'a mut dyn FnMut(u64, u64) -> ControlFlow<()>;

/// How far the work is, for the one who watches it.
pub(super) struct Meter<'a> {
    pub(super) done: u64,
    pub(super) total: u64,
    watch: Watch<'a>,
    /// What is not there when the work is stopped.
    what: PathBuf,
}

impl<'a> Meter<'a> {
    pub(super) fn new(watch: Watch<'a>, what: &Path, total: u64) -> Self {
        Self { done: 0, total, watch, what: what.to_owned() }
    }

    /// So many bytes more. [`Error::Stopped`] if that was enough.
    pub(super) fn add(&mut self, bytes: u64) -> Result<()> {
        self.done = self.done.saturating_add(bytes).min(self.total);
        match (self.watch)(self.done, self.total) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Stopped { path: self.what.clone() }),
        }
    }
}

/// The first `len` bytes of a file, one after another.
pub(super) struct Span<'a> {
    file: &'a dyn ReadFile,
    at: u64,
    end: u64,
}

impl<'a> Span<'a> {
    pub(super) fn new(file: &'a dyn ReadFile, len: u64) -> Self {
        Self { file, at: 0, end: len }
    }
}

impl Read for Span<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(buf.len());
        let read = self.file.read_at(buf.get_mut(..most).unwrap_or_default(), self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Reads `len` bytes and shows them to `sink` in pieces; returns their CRC-32.
pub(super) fn pour(
    source: &mut dyn Read,
    path: &Path,
    len: u64,
    meter: &mut Meter<'_>,
    sink: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<u32> {
    let mut crc = crc32fast::Hasher::new();
    let mut piece = vec![0; PIECE.min(usize::try_from(len).unwrap_or(PIECE))];
    let mut left = len;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let buf = piece.get_mut(..most).unwrap_or_default();
        let read = match source.read(buf) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            read => read,
        };
        let read = read.map_err(|e| Error::io_at("read", path, len - left, e))?;
        let bytes = buf.get(..read).unwrap_or_default();
        crc.update(bytes);
        sink(bytes)?;
        left -= read as u64;
        meter.add(read as u64)?;
    }
    Ok(crc.finalize())
}

/// The CRC-32 of a file's first `len` bytes.
pub(super) fn checksum(file: &dyn ReadFile, path: &Path, len: u64, meter: &mut Meter<'_>) -> Result<u32> {
    pour(&mut Span::new(file, len), path, len, meter, &mut |_| Ok(()))
}

/// A new file that is written from its start to its end.
pub(super) struct Pen {
    file: Arc<dyn WriteFile>,
    path: PathBuf,
    len: u64,
}

impl Pen {
    pub(super) fn new(file: Arc<dyn WriteFile>, path: PathBuf) -> Self {
        Self { file, path, len: 0 }
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(|e| Error::of_write("write", &self.path, bytes.len() as u64, e))
    }

    /// Makes the bytes durable. Guards against a name, durable later, that leads to a part of the file.
    pub(super) fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|e| Error::of_write("sync", &self.path, 0, e))
    }
}

impl Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(bytes, self.len)?;
        self.len += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
