//! What Unix systems do: open flags, modes, reads and writes at a place, syncing of directories.
//!
//! Callers have already refused what is not a regular file; see the parent's invariant 1 for what is left to the flags.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl, statvfs};
use rustix::io::Errno;
use rustix::process::{Pid, Resource, getrlimit, test_kill_process};

use crate::disk::FileIdentity;

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
    /// Reading and writing a file that does not exist yet.
    Create,
}

/// Whether there is a process of this number; one of somebody else's counts.
pub(super) fn is_running(pid: u32) -> Option<bool> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    match test_kill_process(pid) {
        Ok(()) | Err(Errno::PERM) => Some(true),
        Err(Errno::SRCH) => Some(false),
        Err(_) => None,
    }
}

/// How many files this process may have open; `None`: as many as it likes.
pub(super) fn max_descriptors() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Whether a call failed because this process, or the system, has too many files open.
pub(super) fn is_out_of_descriptors(error: &io::Error) -> bool {
    [Errno::MFILE, Errno::NFILE].iter().any(|no| error.raw_os_error() == Some(no.raw_os_error()))
}

/// Opens without following a link in the last component and without waiting for the other end of a pipe. std adds
/// `O_CLOEXEC`.
pub(super) fn open(path: &Path, access: Access) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match access {
        Access::Read => open_quietly(path, flags)?,
        Access::Write => options(flags).write(true).open(path)?,
        Access::Create => options(flags).write(true).create_new(true).open(path)?,
    };
    // Only the open must not wait. A user-space file system may see the flag on reads and answer "try again".
    fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    Ok(file)
}

fn options(flags: OFlags) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).mode(0o600).custom_flags(flags.bits().cast_signed());
    options
}

/// Opens for reading without leaving an access time behind. Only the owner and root may ask for that.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn open_quietly(path: &Path, flags: OFlags) -> io::Result<File> {
    match options(flags | OFlags::NOATIME).open(path) {
        Err(e) if e.raw_os_error() == Some(Errno::PERM.raw_os_error()) => options(flags).open(path),
        result => result,
    }
}

/// Opens for reading; there is no such flag here.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn open_quietly(path: &Path, flags: OFlags) -> io::Result<File> {
    options(flags).open(path)
}

pub(super) fn create_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Syncs the names in `dir`, which may be reached through a link: the directory is the user's choice, unlike what lies
/// in it.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    let flags = OFlags::DIRECTORY | OFlags::NONBLOCK;
    match options(flags).open(dir)?.sync_all() {
        // What some systems say when a file system has nothing to sync in a directory; PostgreSQL's fsync_fname_ext
        // takes both for success too.
        Err(e) if [Errno::INVAL, Errno::BADF].iter().any(|no| e.raw_os_error() == Some(no.raw_os_error())) => Ok(()),
        result => result,
    }
}

/// What an unprivileged user may use of what is free.
pub(super) fn free_space(dir: &Path) -> Option<u64> {
    let figures = statvfs(dir).ok()?;
    Some(figures.f_bavail.saturating_mul(figures.f_frsize))
}

/// Whether what was written once to a file is written again in the same place, whatever else fills the disk. Not where
/// every write goes to new blocks; those that are known to write in place are named.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn writes_in_place(file: &File) -> bool {
    const EXT: u64 = 0xef53;
    const XFS: u64 = 0x5846_5342;
    const TMPFS: u64 = 0x0102_1994;
    rustix::fs::fstatfs(file).is_ok_and(|figures| matches!(figures.f_type as u64, EXT | XFS | TMPFS))
}

/// Not known.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn writes_in_place(_: &File) -> bool {
    false
}

/// Lets `file` have the bytes of `source` without copying them.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn share_bytes(file: &File, source: &File) -> io::Result<()> {
    rustix::fs::ioctl_ficlone(file, source).map_err(|e| match e {
        // What file systems without it say, and two file systems.
        Errno::NOTSUP | Errno::NOTTY | Errno::INVAL | Errno::NOSYS | Errno::XDEV => io::ErrorKind::Unsupported.into(),
        e => e.into(),
    })
}

/// There is no such call on an open file here.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn share_bytes(_: &File, _: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    FileExt::read_at(file, buf, offset)
}

pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    FileExt::write_at(file, bytes, offset)
}

pub(super) fn identity(metadata: &Metadata) -> FileIdentity {
    FileIdentity(metadata.dev(), metadata.ino())
}

pub(super) fn mode(metadata: &Metadata) -> u32 {
    metadata.mode() & 0o7777
}
