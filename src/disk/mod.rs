//! The only door to the file system.
//!
//! Reading and writing are different types: what holds a `dyn ReadDisk` cannot change a byte, and the compiler says so.
//! [`RealDisk`] is the machine's file system; [`sim`] keeps two images, the live one and what a power cut would leave,
//! and can fail or stop at any operation. Nothing here knows what the files mean.
//!
//! # Invariants
//!
//! 1. Every file is opened without following a symbolic link in its last component, and only if it is regular.
//! 2. A short write is reported as its length, never retried here: the caller knows what a partial record means.
//! 3. Nothing is durable until a sync of the file *and*, for its name, of the directory returned.

#[cfg(test)]
mod contract;
mod real;
pub mod sim;

use std::ffi::OsString;
use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub use real::{RealDisk, is_running};

/// What a directory entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// Anything else: a symbolic link, a pipe, a device. Never opened.
    Other,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The name, without the directory.
    pub name: OsString,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes, for a regular file.
    pub len: u64,
    /// Unix permission bits with set-uid and the like (`st_mode & 0o7777`); 0 where the platform has none.
    pub mode: u32,
}

/// What tells one file from another of the same name: device and inode on Unix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity(pub u64, pub u64);

/// Reading, and nothing else.
pub trait ReadDisk: Send + Sync + Debug {
    /// The entries of a directory, in no order.
    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>>;

    /// What lies at `path`, the link itself if it is one. `NotFound` if there is nothing.
    fn entry(&self, path: &Path) -> io::Result<DirEntry>;

    /// Opens a regular file for reading. Does not change its access time where the platform lets us. Any number may be
    /// open: where descriptors run short, one that was not read for a while is opened again by its path when it is, and is
    /// `NotFound` if that leads elsewhere by then.
    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>>;
}

/// A file open for reading; any number of threads may read at once.
pub trait ReadFile: Send + Sync + Debug {
    /// Its length now.
    fn len(&self) -> io::Result<u64>;

    /// Reads at most `buf.len()` bytes at `offset`; 0 only at or after the end of the file, or for an empty `buf`.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// The bytes of a stretch as they lie in a memory map: nothing is copied and nothing called. `None` if this file is not
    /// mapped, or the stretch goes beyond what of it is final; then reading tells.
    fn lend(&self, _offset: u64, _len: u64) -> Option<&[u8]> {
        None
    }

    /// Which file this is, whatever its name has become since.
    fn identity(&self) -> io::Result<FileIdentity>;

    /// Whether it has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills as much of `buf` as the file has from `offset` on, and says how much that was.
    fn read_full_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.read_at(rest, offset + done as u64) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(done)
    }

    /// At most `len` bytes from `offset` on: fewer where the file ends. What a file makes us ask for may be more memory than
    /// there is; that is an error (`OutOfMemory`), and not the end of the process.
    fn read_vec_at(&self, len: u64, offset: u64) -> io::Result<Vec<u8>> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(len)?;
        bytes.resize(len, 0);
        let read = self.read_full_at(&mut bytes, offset)?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// Reading and writing.
pub trait Disk: ReadDisk {
    /// This disk's reading half.
    fn reader(&self) -> Arc<dyn ReadDisk>;

    /// Creates a directory (mode 0700); its parent must exist. `AlreadyExists` if something is there.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Creates a regular file (mode 0600). `AlreadyExists` if something is there.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn WriteFile>>;

    /// Opens for reading a file that nobody writes to or cuts any more, in a store whose lock the caller holds. It is
    /// mapped where that can be done, so that [`ReadFile::lend`] has something to lend; else this is
    /// [`ReadDisk::open_read`].
    fn open_sealed(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        self.open_read(path)
    }

    /// Creates a file (mode 0600) of `len` bytes, all of them zero, that is written to as memory is: see [`SharedBytes`].
    /// `Ok(None)`, and no file, where that cannot be had. `AlreadyExists` if something is there.
    fn create_shared(&self, _path: &Path, _len: usize) -> io::Result<Option<Box<dyn SharedBytes>>> {
        Ok(None)
    }

    /// Opens an existing regular file for reading and writing.
    fn open_write(&self, path: &Path) -> io::Result<Arc<dyn WriteFile>>;

    /// Gives a file another name in one step, replacing a file that had that name; a directory likewise, replacing an
    /// empty directory at most. Durable after [`Disk::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a regular file a second name, so that both mean the same bytes from now on. `AlreadyExists` if something is
    /// there; [`cannot_share`] tells the errors of a place where links are impossible. Durable after [`Disk::sync_dir`].
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Creates a file (mode 0600) that shares the bytes of a regular file until either is written to. `AlreadyExists` if
    /// something is there; `Unsupported` where the file system cannot. Durable as a file that was written is.
    fn clone_file(&self, from: &Path, to: &Path) -> io::Result<Arc<dyn WriteFile>>;

    /// Takes a file's name away. Those who have it open keep reading. Durable after [`Disk::sync_dir`].
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Takes an empty directory away. Durable after [`Disk::sync_dir`] of the one that it was in.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;

    /// Bytes that this user could still write to the file system on which `dir` lies; `None` if that is not known. Only a
    /// hint: others write too.
    fn free_space(&self, dir: &Path) -> Option<u64>;

    /// Makes the directory's names durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Opens or creates `path` (mode 0600) and takes an exclusive lock on it, without waiting. `Ok(None)` if another
    /// open file, of this process or another, holds the lock. The lock goes when the returned file is dropped.
    fn lock(&self, path: &Path) -> io::Result<Option<Arc<dyn WriteFile>>>;
}

/// A file open for writing. Bytes are with the kernel when a write returns.
pub trait WriteFile: ReadFile {
    /// Writes at most `bytes.len()` bytes at `offset` and says how many were taken: at least one, unless `bytes` is
    /// empty.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// [`WriteFile::write_at`], and [`WriteFile::publish`] where all of `bytes` were taken.
    fn write_final_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let n = self.write_at(bytes, offset)?;
        if n == bytes.len() {
            self.publish(offset + n as u64);
        }
        Ok(n)
    }

    /// Cuts the file, or extends it with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Whether bytes that take the place of others in this file take their place on the medium too, so that neither room nor
    /// anything else about the file has to be found, or made durable, for them. False where that is not known.
    fn writes_in_place(&self) -> bool {
        false
    }

    /// Makes the bytes durable, and the length that is needed to find them again. After an error nothing is known of
    /// any byte written since the last success; a later success does not repair that.
    fn sync_data(&self) -> io::Result<()>;

    /// This file as a reader of it sees it.
    fn reader(&self) -> Arc<dyn ReadFile>;

    /// This file as a reader of it sees it, without keeping it open: `path` is the name that it has, or gets before it is
    /// read. Its first `extent` bytes are mapped, whether they are there already or not, as far as that can be done; 0
    /// for none. Where they are, the first `final_len` bytes, and what [`WriteFile::publish`] says later, may be lent,
    /// and so cannot be written or cut any more, by this handle (`InvalidInput`) or by anybody else.
    fn mapped_reader(&self, _path: &Path, _extent: u64, _final_len: u64) -> Arc<dyn ReadFile> {
        self.reader()
    }

    /// Makes final what was written below `len`: to be called when a write has succeeded to its last byte, so that none
    /// of it will be taken back. What is not published is read as ever, by a copy.
    fn publish(&self, _len: u64) {}
}

/// Bytes of a file that are with the kernel as soon as they were put there, without a call: they outlive the process, but
/// nothing is durable.
pub trait SharedBytes: Send + Sync + Debug {
    /// Puts `bytes` at `at`. After an error what is there is unknown.
    fn put(&mut self, bytes: &[u8], at: usize) -> io::Result<()>;
}

/// Whether a failed [`Disk::hard_link`] or [`Disk::clone_file`] says that the two places cannot share bytes, so that
/// copying them is right: another file system, one without links, a file with too many of them, or one that the system
/// does not let us link because it is somebody else's.
pub fn cannot_share(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, TooManyLinks, Unsupported};
    matches!(error.kind(), CrossesDevices | PermissionDenied | TooManyLinks | Unsupported)
}

/// Why something that is not a regular file was not opened; the same words on every disk.
fn not_regular(kind: EntryKind) -> io::Error {
    match kind {
        EntryKind::Dir => io::Error::new(io::ErrorKind::IsADirectory, "it is a directory, not a regular file"),
        EntryKind::File | EntryKind::Other => io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"),
    }
}
