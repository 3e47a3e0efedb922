//! Open files of the machine's file system.
//!
//! Places are always given with the call; nothing uses the file's cursor, so any number of threads may share one file.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::map::{Growth, Map};
use super::platform;
use super::pool::Slot;
use crate::disk::{FileIdentity, ReadFile, WriteFile};

/// A file that is only read: its descriptor is one of a pool, and it may be mapped.
#[derive(Debug)]
pub(super) struct PooledFile {
    slot: Arc<Slot>,
    map: Option<Map>,
}

impl PooledFile {
    pub(super) fn new(slot: Arc<Slot>, map: Option<Map>) -> Self {
        Self { slot, map }
    }
}

impl ReadFile for PooledFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.slot.file()?.metadata()?.len())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        read_at(&*self.slot.file()?, buf, offset)
    }

    fn lend(&self, offset: u64, len: u64) -> Option<&[u8]> {
        self.map.as_ref()?.lend(offset, len)
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        Ok(self.slot.identity())
    }
}

fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    // Past the end of any file; the system would not say so, but that the place is invalid.
    if i64::try_from(offset.saturating_add(buf.len() as u64)).is_err() {
        return Ok(0);
    }
    platform::read_at(file, buf, offset)
}

/// A regular file that is open for writing, and stays open.
#[derive(Debug)]
pub(super) struct RealFile {
    file: Arc<File>,
    growth: Arc<Growth>,
}

impl RealFile {
    pub(super) fn new(file: File) -> Self {
        Self { file: Arc::new(file), growth: Arc::default() }
    }

    fn pooled(&self, path: &Path, extent: u64, final_len: u64) -> io::Result<PooledFile> {
        let slot = Slot::closed(path, &self.file)?;
        if extent == 0 {
            return Ok(PooledFile::new(slot, None));
        }
        self.growth.begin(&self.file, final_len)?;
        Ok(PooledFile::new(slot, Map::growing(&self.file, extent, &self.growth)))
    }
}

impl ReadFile for RealFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        read_at(&self.file, buf, offset)
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        Ok(platform::identity(&self.file.metadata()?))
    }
}

impl WriteFile for RealFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.growth.write(offset, || platform::write_at(&self.file, bytes, offset))
    }

    fn write_final_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.growth.write_final(offset, bytes.len(), || platform::write_at(&self.file, bytes, offset))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.growth.set_len(len, || self.file.set_len(len))
    }

    fn writes_in_place(&self) -> bool {
        platform::writes_in_place(&self.file)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn reader(&self) -> Arc<dyn ReadFile> {
        Arc::new(Self { file: Arc::clone(&self.file), growth: Arc::clone(&self.growth) })
    }

    fn mapped_reader(&self, path: &Path, extent: u64, final_len: u64) -> Arc<dyn ReadFile> {
        self.pooled(path, extent, final_len).map_or_else(|_| self.reader(), |file| Arc::new(file))
    }

    fn publish(&self, len: u64) {
        self.growth.publish(len);
    }
}

/// A lock file whose lock we hold.
#[derive(Debug)]
pub(super) struct HeldLock {
    file: RealFile,
}

impl HeldLock {
    pub(super) fn new(file: File) -> Self {
        Self { file: RealFile::new(file) }
    }
}

impl Drop for HeldLock {
    /// Gives the lock back at once: closing alone would not, while a reader of this file or a child process that is
    /// between fork and exec still has it open.
    fn drop(&mut self) {
        // Nothing can be done about a failure, and the lock goes with the last descriptor at the latest.
        let _ = self.file.file.unlock();
    }
}

impl ReadFile for HeldLock {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        self.file.identity()
    }
}

impl WriteFile for HeldLock {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn reader(&self) -> Arc<dyn ReadFile> {
        self.file.reader()
    }
}
