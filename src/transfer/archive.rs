//! A snapshot as one compressed file: a tar stream in an LZ4 frame, so that `lz4 -dc FILE | tar x` unpacks it to a
//! directory that is a store.
//!
//! The manifest is the first entry, the files follow in its order. Hints are left out: they are made again from the
//! records, which a restore reads in any case.
//!
//! # Invariants
//!
//! 1. The file is complete or absent, see [`super::new_file`].
//! 2. The checksums in the manifest are of bytes that were read once before they are written; if they are not the same
//!    the second time, there is no archive.
//! 3. What is written here is what [`super::unpack`] takes, to the byte: one frame, one kind of entry, one order.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use tar::{EntryType, Header};

use crate::disk::{Disk, ReadFile};
use crate::error::{Error, Result};
use crate::store::{Moment, Store};

use super::copying::{Meter, Span, Watch, checksum, pour};
use super::manifest::{MANIFEST, Manifest, ManifestFile};
use super::new_dir::parent;
use super::new_file::NewFile;
use super::snapshot::Snapshot;

/// The unit of a tar stream.
pub(super) const BLOCK: u64 = 512;
/// Zeros at its end.
pub(super) const END_BLOCKS: u64 = 2;

/// The one kind of frame that is written and read: blocks of 256 KiB, so that reading one takes little memory whoever
/// made it, each with its checksum, and one over all.
pub(super) fn frame_info() -> FrameInfo {
    FrameInfo::new()
        .block_size(BlockSize::Max256KB)
        .block_mode(BlockMode::Independent)
        .block_checksums(true)
        .content_checksum(true)
}

/// One entry's header. Also says what a header is compared with when it is read.
pub(super) fn entry_header(name: &str, len: u64, created: u64) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(len);
    header.set_mode(0o600);
    header.set_mtime(created / 1_000_000);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    Ok(header)
}

/// Zeros that fill the last block of an entry.
pub(super) fn padding(len: u64) -> usize {
    usize::try_from(len.next_multiple_of(BLOCK) - len).unwrap_or_default()
}

/// Packs a snapshot of `store` into the new file `dest`. Durable on return. Every byte is read twice: once for the
/// manifest, once to be packed. Puts go on meanwhile; merges of this process wait. Errors as for [`super::snapshot()`].
pub fn archive(store: &Store, disk: &Arc<dyn Disk>, dest: &Path, watch: Watch<'_>) -> Result<Snapshot> {
    let started = Instant::now();
    check_free(&**disk, dest)?;
    let moment = store.moment()?;
    let bytes: u64 = moment.segments.iter().map(|segment| segment.len).sum();
    let mut meter = Meter::new(watch, dest, bytes.saturating_mul(2));
    let orphans = orphans(&**disk, &moment)?;
    let parts = parts(&moment, &orphans);
    let mut files = Vec::new();
    for part in &parts {
        let crc = checksum(part.file, part.path, part.len, &mut meter)?;
        files.push(ManifestFile { name: part.name.to_owned(), len: part.len, crc });
    }
    let manifest = Manifest { created: moment.at, files };
    let file = NewFile::create(disk.clone(), dest, false)?;
    let mut packer = Packer { frame: FrameEncoder::with_frame_info(frame_info(), file), dest, created: moment.at };
    packer.manifest(&manifest)?;
    for (part, expected) in parts.iter().zip(&manifest.files) {
        packer.part(part, expected.crc, &mut meter)?;
    }
    let file = packer.finish()?;
    file.finish()?;
    let written_bytes = disk.entry(dest).map_err(|e| Error::io("look at", dest, e))?.len;
    let segments = moment.segments.len() as u64;
    let (created, copied) = (moment.at, segments);
    Ok(Snapshot { created, segments, bytes, copied, written_bytes, took: started.elapsed(), ..Snapshot::default() })
}

fn check_free(disk: &dyn Disk, dest: &Path) -> Result<()> {
    match disk.entry(dest) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::io("look at", dest, e)),
        Ok(_) => {
            let why = io::Error::new(io::ErrorKind::AlreadyExists, "it exists; choose a name that is free");
            Err(Error::io("create", dest, why))
        }
    }
}

/// A file that goes into the archive.
struct Part<'a> {
    name: &'a str,
    path: &'a Path,
    file: &'a dyn ReadFile,
    len: u64,
}

type Orphan = (String, std::path::PathBuf, Arc<dyn ReadFile>, u64);

fn orphans(disk: &dyn Disk, moment: &Moment<'_>) -> Result<Vec<Orphan>> {
    let mut found = Vec::new();
    for (name, path) in &moment.orphans {
        let file = match disk.open_read(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            file => file.map_err(|e| Error::io("open", path, e))?,
        };
        let len = file.len().map_err(|e| Error::io("read", path, e))?;
        found.push((name.clone(), path.clone(), file, len));
    }
    Ok(found)
}

/// In the order of names, as in the manifest.
fn parts<'a>(moment: &'a Moment<'_>, orphans: &'a [Orphan]) -> Vec<Part<'a>> {
    let segments = moment.segments.iter().map(|segment| Part {
        name: &segment.name,
        path: &segment.path,
        file: &*segment.file,
        len: segment.len,
    });
    let orphans = orphans.iter().map(|(name, path, file, len)| Part { name, path, file: &**file, len: *len });
    let mut parts: Vec<Part<'a>> = segments.chain(orphans).collect();
    parts.sort_by(|a, b| a.name.cmp(b.name));
    parts
}

struct Packer<'a> {
    frame: FrameEncoder<NewFile>,
    dest: &'a Path,
    created: u64,
}

impl Packer<'_> {
    fn manifest(&mut self, manifest: &Manifest) -> Result<()> {
        let bytes = manifest.encode();
        self.header(MANIFEST, bytes.len() as u64)?;
        self.put(&bytes)?;
        self.pad(bytes.len() as u64)
    }

    fn part(&mut self, part: &Part<'_>, expected: u32, meter: &mut Meter<'_>) -> Result<()> {
        self.header(part.name, part.len)?;
        let mut source = Span::new(part.file, part.len);
        let crc = pour(&mut source, part.path, part.len, meter, &mut |bytes| self.put(bytes))?;
        if crc != expected {
            let why =
                io::Error::other("it is not what it was a moment ago: somebody else writes to it, or the disk fails");
            return Err(Error::io("read", part.path, why));
        }
        self.pad(part.len)
    }

    fn header(&mut self, name: &str, len: u64) -> Result<()> {
        let header = entry_header(name, len, self.created).map_err(|e| Error::io("write", self.dest, e))?;
        self.put(header.as_bytes())
    }

    fn pad(&mut self, len: u64) -> Result<()> {
        self.put(&vec![0; padding(len)])
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.frame.write_all(bytes).map_err(|e| Error::of_write("write", self.dest, bytes.len() as u64, e))
    }

    fn finish(mut self) -> Result<NewFile> {
        let end = usize::try_from(BLOCK * END_BLOCKS).unwrap_or_default();
        self.put(&vec![0; end])?;
        self.frame.finish().map_err(|e| match e {
            lz4_flex::frame::Error::IoError(e) => Error::of_write("write", self.dest, 0, e),
            e => Error::io("write", self.dest, io::Error::other(e)),
        })
    }
}

/// Whether there is room for `bytes` beside `target`, as far as that is known.
pub(super) fn check_room(disk: &dyn Disk, target: &Path, bytes: u64) -> Result<()> {
    let dir = parent(target);
    match disk.free_space(dir) {
        Some(free) if free < bytes => Err(Error::NoSpace { path: dir.to_owned(), needed: bytes }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    /// A header is compared byte by byte when it is read, so a change here would refuse every archive that exists.
    #[test]
    fn the_header_of_an_entry_is_the_same_for_ever() {
        let header = entry_header("0000000001.data", 0o1234, 1_700_000_000_000_000).unwrap();
        let bytes = header.as_bytes();
        assert_eq!(&bytes[..15], b"0000000001.data");
        assert_eq!(&bytes[100..148], b"0000600\x000000000\x000000000\x0000000001234\x0014524770400\0");
        assert_eq!(&bytes[156..157], b"0");
        assert_eq!(&bytes[257..265], b"ustar\x0000");
        assert!([&bytes[15..100], &bytes[157..257], &bytes[265..]].concat().iter().all(|byte| *byte == 0));
    }

    #[test]
    fn padding_fills_a_block() {
        assert_eq!([0, 1, 511, 512, 513].map(padding), [0, 511, 1, 0, 511]);
    }
}
