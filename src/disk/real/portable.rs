//! What is left to std where there is no Unix; in practice, Windows.
//!
//! Weaker in two named places: directories are not synced, and a file's identity is its time of creation.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

use crate::disk::FileIdentity;

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
    /// Reading and writing a file that does not exist yet.
    Create,
}

/// Opens a link itself rather than its target, so that the caller's look at the open file refuses it.
#[cfg(windows)]
const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;

/// Not known.
pub(super) fn is_running(_: u32) -> Option<bool> {
    None
}

/// Not known, and high.
pub(super) fn max_descriptors() -> Option<u64> {
    None
}

/// Not told apart.
pub(super) fn is_out_of_descriptors(_: &io::Error) -> bool {
    false
}

pub(super) fn open(path: &Path, access: Access) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    match access {
        Access::Read => &mut options,
        Access::Write => options.write(true),
        Access::Create => options.write(true).create_new(true),
    };
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::custom_flags(&mut options, FILE_FLAG_OPEN_REPARSE_POINT);
    options.open(path)
}

pub(super) fn create_dir(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Does nothing: std cannot open a directory for flushing here, and NTFS keeps names in its own journal.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    fs::metadata(dir).map(|_| ())
}

/// Not known: std does not tell.
pub(super) fn free_space(_: &Path) -> Option<u64> {
    None
}

/// Not known.
pub(super) fn writes_in_place(_: &File) -> bool {
    false
}

/// There is no such call in std.
pub(super) fn share_bytes(_: &File, _: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(windows)]
pub(super) fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::os::windows::fs::FileExt;
    match file.seek_read(buf, offset) {
        // ERROR_HANDLE_EOF: how Windows says that the place is past the end.
        Err(e) if e.raw_os_error() == Some(38) => Ok(0),
        result => result,
    }
}

#[cfg(windows)]
pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(file, bytes, offset)
}

/// A file has one cursor, and without a call that takes the place along, moving it and using it must be one step.
#[cfg(not(windows))]
static CURSOR: parking_lot::Mutex<()> = parking_lot::Mutex::new(());

#[cfg(not(windows))]
pub(super) fn read_at(mut file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::io::{Read, Seek, SeekFrom};
    let _one_at_a_time = CURSOR.lock();
    file.seek(SeekFrom::Start(offset))?;
    file.read(buf)
}

#[cfg(not(windows))]
pub(super) fn write_at(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    use std::io::{Seek, SeekFrom, Write};
    let _one_at_a_time = CURSOR.lock();
    file.seek(SeekFrom::Start(offset))?;
    file.write(bytes)
}

/// The nearest that std offers: two files with one name in turn differ, unless the system hands the old file's time on
/// to a successor made within seconds.
pub(super) fn identity(metadata: &Metadata) -> FileIdentity {
    let created = metadata.created().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    FileIdentity(0, created.map_or(0, |at| u64::try_from(at.as_nanos()).unwrap_or(u64::MAX)))
}

pub(super) fn mode(_metadata: &Metadata) -> u32 {
    0
}
