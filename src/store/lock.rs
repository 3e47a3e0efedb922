//! The writer's lock: promise 5.
//!
//! The lock is the operating system's on the open file, so it goes when its holder does, however that ends. The text in
//! the file (process, start time, version) is for messages only and is never believed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, ReadDisk, WriteFile};
use crate::error::{Error, LockHolder, Result};

use super::new_file::write_all;

pub(super) const FILE_NAME: &str = "LOCK";
/// More than the text ever takes.
const MAX_TEXT: usize = 256;

/// The lock, held until this is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: Arc<dyn WriteFile>,
    path: PathBuf,
}

/// Takes the lock or says who has it.
pub(super) fn acquire(disk: &dyn Disk, dir: &Path, now: u64) -> Result<Lock> {
    let path = dir.join(FILE_NAME);
    let file = disk.lock(&path).map_err(|e| Error::io("lock", &path, e))?;
    let Some(file) = file else {
        return Err(Error::Locked { dir: dir.to_owned(), holder: holder(disk, dir) });
    };
    let text = format!("{} {now} logkv {}\n", std::process::id(), env!("CARGO_PKG_VERSION"));
    file.set_len(0).map_err(|e| Error::io("write", &path, e))?;
    if write_all(&*file, text.as_bytes(), 0).is_err() {
        // On a full disk the lock holds without a name; half a name would be a wrong one.
        file.set_len(0).map_err(|e| Error::io("write", &path, e))?;
    }
    Ok(Lock { _file: file, path })
}

impl Lock {
    /// Takes the lock file away too: a look at an empty directory leaves it empty. The lock is held meanwhile, and
    /// whoever waits at the old file checks that its name still leads to it.
    pub(super) fn leave_nothing(self, disk: &dyn Disk) {
        // One that stays says nothing wrong.
        let _ = disk.remove(&self.path);
    }
}

/// Who wrote the lock file last.
pub(super) fn holder(disk: &dyn ReadDisk, dir: &Path) -> Option<LockHolder> {
    let file = disk.open_read(&dir.join(FILE_NAME)).ok()?;
    let mut text = vec![0; MAX_TEXT];
    let read = file.read_full_at(&mut text, 0).ok()?;
    let text = std::str::from_utf8(text.get(..read)?).ok()?;
    let mut words = text.split_ascii_whitespace();
    Some(LockHolder { pid: words.next()?.parse().ok()?, since: words.next()?.parse().ok()? })
}
