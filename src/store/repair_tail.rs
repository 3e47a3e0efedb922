//! Puts the end of the log in order before the first append: promises 1 and 4.
//!
//! # Invariants
//!
//! 1. No byte is cut before its copy under `quarantine/` is on stable storage.
//! 2. When this returns, all of the segment's data is on stable storage.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{Disk, ReadFile, WriteFile};
use crate::error::{Error, Result};
use crate::format::QUARANTINE;

use super::events::Event;
use super::new_file::{create_anew, write_all};
use super::open::Active;
use super::quarantine;
use super::recover::Cut;

const PIECE: usize = 1 << 20;

/// Saves and cuts what lies behind the end of the log, then makes durable what lies before it.
pub(super) fn repair(disk: &dyn Disk, dir: &Path, active: &Active) -> Result<Option<Event>> {
    let path = &active.segment.path;
    let data_len = active.segment.data_len();
    let file_len = active.segment.file().len().map_err(|e| Error::io("read", path, e))?;
    if active.cut == Cut::Nothing && active.stable_len >= data_len {
        return Ok(None);
    }
    let file = disk.open_write(path).map_err(|e| Error::io("open", path, e))?;
    if let Cut::Tail { .. } = active.cut {
        save(disk, dir, active, data_len..file_len)?;
    }
    if file_len > data_len {
        file.set_len(data_len).map_err(|e| Error::io_at("cut", path, data_len, e))?;
    }
    rewrite(&*file, active.stable_len, data_len).map_err(|e| Error::io("rewrite", path, e))?;
    file.sync_data().map_err(|e| Error::io("sync", path, e))?;
    let (segment, offset, bytes) = (active.segment.id, data_len, file_len - data_len);
    Ok((bytes > 0).then_some(Event::Cut { segment, offset, bytes }))
}

/// Writes bytes over themselves. After a failed sync in an earlier life the cache may hold, marked clean, what the disk
/// never got; only a new write makes the kernel write it.
fn rewrite(file: &dyn WriteFile, from: u64, to: u64) -> io::Result<()> {
    copy(file, from..to, |piece, at| write_all(file, piece, at))
}

/// Copies the bytes to `quarantine/`, under a name that says where they were. A crash may have come between the copy
/// and the cut before: then the same copy is there already.
fn save(disk: &dyn Disk, dir: &Path, active: &Active, range: std::ops::Range<u64>) -> Result<()> {
    quarantine::make(disk, dir)?;
    let quarantine = dir.join(QUARANTINE);
    let source = active.segment.file();
    let sum = checksum(&**source, range.clone()).map_err(|e| Error::io("read", &active.segment.path, e))?;
    let path = quarantine.join(format!("{:010}-{}-{sum:08x}.tail", active.segment.id, range.start));
    if already_there(disk, &path, &range, sum) {
        return Ok(());
    }
    write_copy(disk, &**source, &path, range).map_err(|e| Error::io("write", &path, e))?;
    disk.sync_dir(&quarantine).map_err(|e| Error::io("sync", quarantine, e))
}

fn write_copy(disk: &dyn Disk, source: &dyn ReadFile, path: &Path, range: std::ops::Range<u64>) -> io::Result<()> {
    let tmp: PathBuf = path.with_extension("tmp");
    let file = create_anew(disk, &tmp)?;
    let start = range.start;
    copy(source, range, |piece, at| write_all(&*file, piece, at - start))?;
    file.sync_data()?;
    disk.rename(&tmp, path)
}

fn already_there(disk: &dyn Disk, path: &Path, range: &std::ops::Range<u64>, sum: u32) -> bool {
    let same = || -> io::Result<bool> {
        let file = disk.open_read(path)?;
        let len = file.len()?;
        Ok(len == range.end - range.start && checksum(&*file, 0..len)? == sum)
    };
    // An unreadable copy is no copy: it is written again.
    same().unwrap_or(false) && disk.sync_dir(path.parent().unwrap_or(path)).is_ok()
}

fn checksum(file: &dyn ReadFile, range: std::ops::Range<u64>) -> io::Result<u32> {
    let mut crc = crc32fast::Hasher::new();
    copy(file, range, |piece, _| {
        crc.update(piece);
        Ok(())
    })?;
    Ok(crc.finalize())
}

fn copy(
    file: &(impl ReadFile + ?Sized),
    range: std::ops::Range<u64>,
    mut sink: impl FnMut(&[u8], u64) -> io::Result<()>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut at = range.start;
    while at < range.end {
        let want = usize::try_from(range.end - at).unwrap_or(PIECE).min(PIECE);
        let read = file.read_full_at(piece.get_mut(..want).unwrap_or_default(), at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        sink(piece.get(..read).unwrap_or_default(), at)?;
        at += read as u64;
    }
    Ok(())
}
