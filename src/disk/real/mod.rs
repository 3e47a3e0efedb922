//! The machine's own file system.
//!
//! The only file-system calls of the crate are here and in the platform's file beside this one; what they do
//! differently from one system to the next ends here. Nothing below knows what a segment is.
//!
//! # Invariants
//!
//! 1. What is not a regular file is refused before it is opened: merely opening a pipe wakes whoever writes to it, and
//!    some devices act on being opened. The name is looked at first; the flags of the open itself (no symbolic links, no
//!    waiting) and a look at the open file cover the moment between.
//! 2. Syncing reaches the medium. On Linux that is `fdatasync` and `fsync`; on Apple systems, where those only reach the
//!    drive's cache, std's `sync_data` and `sync_all` are `fcntl(F_FULLFSYNC)` already.
//! 3. Error kinds are std's: a full disk is `StorageFull`, a used-up quota `QuotaExceeded`.
//! 4. What needs a descriptor and finds none left takes one from the files that are only kept open for later: [`pool`].

mod file;
#[cfg(all(unix, target_pointer_width = "64"))]
mod map;
#[cfg(not(all(unix, target_pointer_width = "64")))]
#[path = "no_map.rs"]
mod map;
#[cfg(not(unix))]
#[path = "portable.rs"]
mod platform;
#[cfg(unix)]
#[path = "unix.rs"]
mod platform;
mod pool;
#[cfg(all(test, unix))]
mod tests;

use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use super::{DirEntry, Disk, EntryKind, ReadDisk, ReadFile, SharedBytes, WriteFile, not_regular};
use file::{HeldLock, PooledFile, RealFile};
use map::{Map, Shared};
use platform::Access;
use pool::{Slot, with_room};

/// How often a lock file may be replaced under our hands before we call it a fault.
const LOCK_ATTEMPTS: usize = 64;

/// Whether a process of this number runs on this system, as far as this process can see. `None`: not known.
pub fn is_running(pid: u32) -> Option<bool> {
    platform::is_running(pid)
}

/// The machine's file system; paths mean what they mean to the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl ReadDisk for RealDisk {
    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        describe_all(with_room(|| fs::read_dir(dir))?)
    }

    fn entry(&self, path: &Path) -> io::Result<DirEntry> {
        let name = path.file_name().unwrap_or(path.as_os_str());
        Ok(describe(name.to_owned(), &fs::symlink_metadata(path)?))
    }

    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        let slot = Slot::opened(path, open_regular(path, Access::Read)?)?;
        Ok(Arc::new(PooledFile::new(slot, None)))
    }
}

impl Disk for RealDisk {
    fn reader(&self) -> Arc<dyn ReadDisk> {
        Arc::new(*self)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        platform::create_dir(path)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn WriteFile>> {
        Ok(Arc::new(RealFile::new(create_regular(path)?)))
    }

    fn open_sealed(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        let file = open_regular(path, Access::Read)?;
        let map = Map::sealed(&file);
        Ok(Arc::new(PooledFile::new(Slot::opened(path, file)?, map)))
    }

    fn create_shared(&self, path: &Path, len: usize) -> io::Result<Option<Box<dyn SharedBytes>>> {
        let file = create_regular(path)?;
        let made = (|| {
            // Written, so that a full disk is an error here and not a signal later.
            (&file).write_all(&vec![0; len])?;
            let shared = if platform::writes_in_place(&file) { Shared::over(&file, len) } else { None };
            Ok(shared.map(|shared| Box::new(shared) as Box<dyn SharedBytes>))
        })();
        if !matches!(made, Ok(Some(_))) {
            let _ = fs::remove_file(path);
        }
        made
    }

    fn open_write(&self, path: &Path) -> io::Result<Arc<dyn WriteFile>> {
        Ok(Arc::new(RealFile::new(open_regular(path, Access::Write)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        refuse_irregular(&fs::symlink_metadata(from)?)?;
        fs::hard_link(from, to)?;
        // Between the look and the link the name may have come to mean something else.
        refuse_irregular(&fs::symlink_metadata(to)?).inspect_err(|_| {
            let _ = fs::remove_file(to);
        })
    }

    fn clone_file(&self, from: &Path, to: &Path) -> io::Result<Arc<dyn WriteFile>> {
        let source = open_regular(from, Access::Read)?;
        let file = create_regular(to)?;
        if let Err(e) = platform::share_bytes(&file, &source) {
            let _ = fs::remove_file(to);
            return Err(e);
        }
        Ok(Arc::new(RealFile::new(file)))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn free_space(&self, dir: &Path) -> Option<u64> {
        platform::free_space(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        with_room(|| platform::sync_dir(dir))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Arc<dyn WriteFile>>> {
        for _ in 0..LOCK_ATTEMPTS {
            let Some(file) = open_lock(path)? else { continue };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(e)) => return Err(e),
            }
            // Somebody may have removed or replaced the file between our open and our lock. A lock on a file that has
            // lost its name excludes nobody, so it does not count.
            if still_named(path, &file)? {
                return Ok(Some(Arc::new(HeldLock::new(file))));
            }
        }
        Err(io::Error::other("the lock file is replaced again and again"))
    }
}

/// Opens what exists, if it is a regular file (invariant 1).
fn open_regular(path: &Path, access: Access) -> io::Result<File> {
    refuse_irregular(&fs::symlink_metadata(path)?)?;
    let file = with_room(|| platform::open(path, access))?;
    refuse_irregular(&file.metadata()?)?;
    Ok(file)
}

fn create_regular(path: &Path) -> io::Result<File> {
    with_room(|| platform::open(path, Access::Create))
}

/// Opens the lock file, or creates it. Nothing if another process made it in between: then there is one to open.
fn open_lock(path: &Path) -> io::Result<Option<File>> {
    match open_regular(path, Access::Write) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        result => return result.map(Some),
    }
    match create_regular(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        result => result.map(Some),
    }
}

/// Whether `path` still names the open `file`.
fn still_named(path: &Path, file: &File) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(there) => Ok(platform::identity(&there) == platform::identity(&file.metadata()?)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

fn refuse_irregular(metadata: &Metadata) -> io::Result<()> {
    match kind(metadata) {
        EntryKind::File => Ok(()),
        other => Err(not_regular(other)),
    }
}

fn describe_all(names: impl Iterator<Item = io::Result<fs::DirEntry>>) -> io::Result<Vec<DirEntry>> {
    let mut entries = Vec::new();
    for name in names {
        let name = name?;
        // This metadata is the link's own if it is a link.
        match name.metadata() {
            Ok(metadata) => entries.push(describe(name.file_name(), &metadata)),
            // Removed since the directory was read: a listing after the removal would not have it either.
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(entries)
}

fn describe(name: std::ffi::OsString, metadata: &Metadata) -> DirEntry {
    let kind = kind(metadata);
    let len = if kind == EntryKind::File { metadata.len() } else { 0 };
    DirEntry { name, kind, len, mode: platform::mode(metadata) }
}

fn kind(metadata: &Metadata) -> EntryKind {
    if metadata.is_file() {
        EntryKind::File
    } else if metadata.is_dir() {
        EntryKind::Dir
    } else {
        EntryKind::Other
    }
}
