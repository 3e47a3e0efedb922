//! An earlier snapshot, for one that is made from it: which of its files are those that the store has now.
//!
//! Must not know what becomes of the answer. Keeps: a file counts as the same only if it is the same file, or if length
//! and header (which has the segment's id and salt) are equal and the store's bytes have the checksum of its manifest.

use std::path::{Path, PathBuf};

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::format::{Format, record};
use crate::store::MomentSegment;

use super::copying::{Meter, checksum};
use super::manifest::Manifest;
use super::source::read_manifest;

/// An earlier snapshot.
pub(super) struct Earlier<'a> {
    disk: &'a dyn Disk,
    dir: PathBuf,
    manifest: Manifest,
}

/// A file that need not be copied again.
pub(super) struct Same {
    pub(super) path: PathBuf,
    pub(super) crc: u32,
}

impl<'a> Earlier<'a> {
    pub(super) fn open(disk: &'a dyn Disk, dir: &Path) -> Result<Self> {
        Ok(Self { disk, dir: dir.to_owned(), manifest: read_manifest(disk, dir)? })
    }

    /// The file that has the bytes of this segment, if there is one.
    pub(super) fn same(&self, segment: &MomentSegment, meter: &mut Meter<'_>) -> Result<Option<Same>> {
        let Some(known) = self.manifest.file(&segment.name).filter(|file| file.len == segment.len) else {
            return Ok(None);
        };
        let path = self.dir.join(&segment.name);
        let failed = |e| Error::io("read", &path, e);
        let Ok(file) = self.disk.open_read(&path) else { return Ok(None) };
        let same = Same { path: path.clone(), crc: known.crc };
        if file.identity().map_err(failed)? == segment.file.identity().map_err(failed)? {
            meter.add(segment.len)?;
            return Ok(Some(same));
        }
        if file.len().map_err(failed)? != segment.len {
            return Ok(None);
        }
        let header_len = record::Native.max_file_header_len();
        let (mut here, mut there) = (vec![0; header_len], vec![0; header_len]);
        segment.file.read_full_at(&mut here, 0).map_err(failed)?;
        file.read_full_at(&mut there, 0).map_err(failed)?;
        if here != there {
            return Ok(None);
        }
        let before = meter.done;
        if checksum(&*segment.file, &segment.path, segment.len, meter)? == known.crc {
            return Ok(Some(same));
        }
        meter.done = before;
        Ok(None)
    }
}
