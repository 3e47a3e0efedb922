//! Open files of the machine's file system.
//!
//! Places are always given with the call; nothing uses the file's cursor, so any number of threads may share one file.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::platform;
use crate::disk::{FileIdentity, ReadFile, WriteFile};

/// An open regular file.
#[derive(Debug)]
pub(super) struct RealFile {
    file: Arc<File>,
}

impl RealFile {
    pub(super) fn new(file: File) -> Self {
        Self { file: Arc::new(file) }
    }
}

impl ReadFile for RealFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        // Past the end of any file; the system would not say so, but that the place is invalid.
        if i64::try_from(offset.saturating_add(buf.len() as u64)).is_err() {
            return Ok(0);
        }
        platform::read_at(&self.file, buf, offset)
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        Ok(platform::identity(&self.file.metadata()?))
    }
}

impl WriteFile for RealFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        platform::write_at(&self.file, bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn reader(&self) -> Arc<dyn ReadFile> {
        Arc::new(Self { file: Arc::clone(&self.file) })
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
