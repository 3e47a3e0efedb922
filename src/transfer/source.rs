//! A snapshot to restore from: the directory or the archive that it is in, and its manifest.
//!
//! Must not know where the bytes go. Keeps: files come in the order of the manifest, each with exactly its length, and
//! only from regular files directly in the directory, or from the one stream of the archive.

use std::path::{Path, PathBuf};

use crate::disk::{Disk, EntryKind};
use crate::error::{Error, Result};

use super::copying::{Meter, Span, pour};
use super::manifest::{MANIFEST, MAX_MANIFEST_BYTES, Manifest, ManifestFile};
use super::new_dir;
use super::unpack::Unpacker;

/// Where a snapshot is read from.
pub(super) enum Source<'a> {
    Dir { disk: &'a dyn Disk, dir: PathBuf },
    Archive(Box<Unpacker>),
}

impl<'a> Source<'a> {
    /// Opens a directory or an archive and reads its manifest.
    pub(super) fn open(disk: &'a dyn Disk, path: &Path) -> Result<(Self, Manifest)> {
        let entry = disk.entry(path).map_err(|e| Error::io("open", path, e))?;
        match entry.kind {
            EntryKind::Dir => {
                let manifest = read_manifest(disk, path)?;
                Ok((Self::Dir { disk, dir: path.to_owned() }, manifest))
            }
            EntryKind::File => {
                let file = disk.open_read(path).map_err(|e| Error::io("open", path, e))?;
                let (unpacker, manifest) = Unpacker::open(file, path)?;
                Ok((Self::Archive(Box::new(unpacker)), manifest))
            }
            EntryKind::Other => Err(bad(path, "it is neither a directory nor a regular file")),
        }
    }

    /// Shows the bytes of the next file of the manifest to `sink`, and checks them.
    pub(super) fn next(
        &mut self,
        file: &ManifestFile,
        meter: &mut Meter<'_>,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let (path, crc) = match self {
            Self::Dir { disk, dir } => {
                let path = dir.join(&file.name);
                let open = disk.open_read(&path).map_err(|e| Error::io("open", &path, e))?;
                let len = open.len().map_err(|e| Error::io("read", &path, e))?;
                if len != file.len {
                    return Err(bad(dir, &format!("{} has {len} bytes instead of {}", file.name, file.len)));
                }
                let crc = pour(&mut Span::new(&*open, len), &path, len, meter, sink)?;
                (dir.clone(), crc)
            }
            Self::Archive(unpacker) => (unpacker.path().to_owned(), unpacker.next(file, meter, sink)?),
        };
        match crc == file.crc {
            true => Ok(()),
            false => Err(bad(&path, &format!("{} does not have the checksum that its manifest names", file.name))),
        }
    }

    /// Checks that nothing follows the last file.
    pub(super) fn finish(self) -> Result<()> {
        match self {
            Self::Dir { .. } => Ok(()),
            Self::Archive(unpacker) => unpacker.finish(),
        }
    }
}

/// The manifest of a snapshot in a directory.
pub(super) fn read_manifest(disk: &dyn Disk, dir: &Path) -> Result<Manifest> {
    new_dir::check_source(dir)?;
    let path = dir.join(MANIFEST);
    let file = match disk.open_read(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let reason = format!("it has no manifest, the file {MANIFEST}; `logkv snapshot` makes one of a store");
            return Err(Error::BadSnapshot { path: dir.to_owned(), reason });
        }
        file => file.map_err(|e| Error::io("open", &path, e))?,
    };
    let failed = |e| Error::io("read", &path, e);
    let len = file.len().map_err(failed)?;
    if len > MAX_MANIFEST_BYTES {
        return Err(bad(dir, "its manifest is longer than any"));
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
    let read = file.read_full_at(&mut bytes, 0).map_err(failed)?;
    bytes.truncate(read);
    Manifest::decode(&bytes).map_err(|why| bad(dir, why))
}

pub(super) fn bad(path: &Path, reason: &str) -> Error {
    Error::BadSnapshot { path: path.to_owned(), reason: format!("{reason}; use another copy") }
}
