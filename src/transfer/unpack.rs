//! Reading an archive: one pass over bytes that anybody may have made.
//!
//! Must not know where the files go, and makes none. The manifest comes first and says what is to come; from then on
//! every byte of the stream is either expected or refused.
//!
//! # Invariants
//!
//! 1. An entry is a regular file with exactly the name and the length that the manifest names next; links, other names,
//!    other orders and anything beside them end the reading. So no more comes out than the manifest says.
//! 2. The frame is of the one kind that [`super::archive`] writes, so its blocks, and the memory for them, are small.
//! 3. The stream ends where the file does: with its end mark and its checksum, and nothing behind.

use std::cell::Cell;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use lz4_flex::frame::{self, FrameDecoder, FrameEncoder};
use tar::Header;

use crate::disk::ReadFile;
use crate::error::{Error, Result};

use super::archive::{BLOCK, END_BLOCKS, entry_header, frame_info, padding};
use super::copying::{Meter, pour};
use super::manifest::{MANIFEST, MAX_MANIFEST_BYTES, Manifest, ManifestFile};
use super::source::bad;

const BLOCK_LEN: usize = BLOCK as usize;

/// An archive that is being read.
pub(super) struct Unpacker {
    frame: FrameDecoder<Whole>,
    path: PathBuf,
    created: u64,
    progress: Rc<Progress>,
    file_len: u64,
}

/// How far the file was read, seen from outside the decoder.
#[derive(Debug, Default)]
struct Progress {
    at: Cell<u64>,
    /// Something was asked for behind the end of the file.
    ran_out: Cell<bool>,
}

/// The file from its start to its end.
struct Whole {
    file: Arc<dyn ReadFile>,
    progress: Rc<Progress>,
}

impl Read for Whole {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let at = self.progress.at.get();
        let read = self.file.read_at(buf, at)?;
        self.progress.at.set(at + read as u64);
        self.progress.ran_out.set(self.progress.ran_out.get() || (read == 0 && !buf.is_empty()));
        Ok(read)
    }
}

impl Unpacker {
    /// Begins with the frame and the manifest.
    pub(super) fn open(file: Arc<dyn ReadFile>, path: &Path) -> Result<(Self, Manifest)> {
        let file_len = file.len().map_err(|e| Error::io("read", path, e))?;
        check_frame(&*file, path)?;
        let progress = Rc::new(Progress::default());
        let frame = FrameDecoder::new(Whole { file, progress: progress.clone() });
        let mut this = Self { frame, path: path.to_owned(), created: 0, progress, file_len };
        let manifest = this.manifest()?;
        this.created = manifest.created;
        Ok((this, manifest))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn manifest(&mut self) -> Result<Manifest> {
        let header = self.header()?;
        let len = header.entry_size().unwrap_or(u64::MAX);
        if len > MAX_MANIFEST_BYTES || header.path_bytes().as_ref() != MANIFEST.as_bytes() {
            return Err(self.bad("it does not begin with a manifest"));
        }
        let mut bytes = Vec::new();
        let read = (&mut self.frame).take(len).read_to_end(&mut bytes).map_err(|e| self.broken(&e))?;
        if read as u64 != len {
            return Err(self.bad("it ends within its manifest"));
        }
        self.padding(len)?;
        let manifest = Manifest::decode(&bytes).map_err(|why| self.bad(why))?;
        self.check(&header, MANIFEST, len, manifest.created)?;
        Ok(manifest)
    }

    /// The next file, which must be this one; returns the checksum of its bytes.
    pub(super) fn next(
        &mut self,
        file: &ManifestFile,
        meter: &mut Meter<'_>,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<u32> {
        let header = self.header()?;
        self.check(&header, &file.name, file.len, self.created)?;
        let path = self.path.clone();
        let crc = pour(&mut self.frame, &path, file.len, meter, sink).map_err(|e| match e {
            Error::Io { action: "read", source, .. } => self.broken(&source),
            e => e,
        })?;
        self.padding(file.len)?;
        Ok(crc)
    }

    /// Two blocks of zeros, the end of the frame, the end of the file.
    pub(super) fn finish(mut self) -> Result<()> {
        self.zeros(BLOCK_LEN * END_BLOCKS as usize)?;
        let more = self.frame.read(&mut [0]).map_err(|e| self.broken(&e))?;
        if more > 0 {
            return Err(self.bad("it has more in it than its manifest names"));
        }
        if self.progress.ran_out.get() {
            return Err(self.bad("its end is missing"));
        }
        match self.progress.at.get() == self.file_len {
            true => Ok(()),
            false => Err(self.bad("something follows its end")),
        }
    }

    fn header(&mut self) -> Result<Header> {
        let mut block = [0; BLOCK_LEN];
        self.frame.read_exact(&mut block).map_err(|e| self.broken(&e))?;
        Ok(Header::from_byte_slice(&block).clone())
    }

    /// Every field of a header must be as it would be written: a link, a device, a path or an owner is a refusal.
    fn check(&self, header: &Header, name: &str, len: u64, created: u64) -> Result<()> {
        let expected = entry_header(name, len, created).map_err(|e| self.broken(&e))?;
        match header.as_bytes() == expected.as_bytes() {
            true => Ok(()),
            false => Err(self.bad(&format!("where {name} should be there is something else"))),
        }
    }

    fn padding(&mut self, len: u64) -> Result<()> {
        self.zeros(padding(len))
    }

    fn zeros(&mut self, len: usize) -> Result<()> {
        let mut bytes = vec![0; len];
        self.frame.read_exact(&mut bytes).map_err(|e| self.broken(&e))?;
        match bytes.iter().all(|byte| *byte == 0) {
            true => Ok(()),
            false => Err(self.bad("it has more in it than its manifest names")),
        }
    }

    /// The disk's failure is the disk's; all else says that the bytes are not those of an archive.
    fn broken(&self, e: &io::Error) -> Error {
        let at = self.progress.at.get();
        match frame_error(e) {
            _ if e.kind() == io::ErrorKind::UnexpectedEof => self.bad("it ends too early"),
            Some(frame::Error::BlockChecksumError | frame::Error::ContentChecksumError) => {
                self.bad(&format!("its bytes before offset {at} do not have their checksum"))
            }
            Some(_) => self.bad(&format!("its bytes before offset {at} do not decode")),
            None => Error::io_at("read", &self.path, at, io::Error::new(e.kind(), e.to_string())),
        }
    }

    fn bad(&self, reason: &str) -> Error {
        bad(&self.path, reason)
    }
}

fn frame_error(e: &io::Error) -> Option<&frame::Error> {
    e.get_ref()?.downcast_ref()
}

/// The frame must begin exactly as ours do.
fn check_frame(file: &dyn ReadFile, path: &Path) -> Result<()> {
    let mut expected = FrameEncoder::with_frame_info(frame_info(), Vec::new());
    let begun = io::Write::write_all(&mut expected, &[0]).and_then(|()| io::Write::flush(&mut expected));
    begun.map_err(|e| Error::io("read", path, e))?;
    let expected = expected.into_inner();
    // Magic, flags, block size, and the checksum of these.
    let expected = expected.get(..7).unwrap_or_default();
    let mut found = [0; 7];
    let read = file.read_full_at(&mut found, 0).map_err(|e| Error::io("read", path, e))?;
    match found.get(..read) == Some(expected) {
        true => Ok(()),
        false => Err(bad(path, "it does not begin like an archive of logkv")),
    }
}
