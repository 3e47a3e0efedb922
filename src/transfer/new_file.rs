//! A file that is complete or absent: written beside its place, synced, and only then given its name.
//!
//! Invariant: under its own name there is, at any moment and after any crash, what was there before or all of the new file.
//! What is written beside it is locked, so that two who write the same file do not get into each other's way, and what a
//! crash left there is written over.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, EntryKind, WriteFile};
use crate::error::{Error, Result};

/// Behind the name of the file while it is written.
const SUFFIX: &str = ".logkv-tmp";

/// A file on its way. Dropped before [`NewFile::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct NewFile {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    tmp: PathBuf,
    file: Arc<dyn WriteFile>,
    overwrite: bool,
    len: u64,
    finished: bool,
}

impl NewFile {
    /// Begins a file. Fails with [`io::ErrorKind::AlreadyExists`] if there is one and it is not to be overwritten, or if
    /// somebody else is writing it.
    pub fn create(disk: Arc<dyn Disk>, path: &Path, overwrite: bool) -> Result<Self> {
        check(&*disk, path, overwrite)?;
        let mut tmp = path.as_os_str().to_owned();
        tmp.push(SUFFIX);
        let tmp = PathBuf::from(tmp);
        let file = match disk.lock(&tmp) {
            Ok(Some(file)) => file,
            Ok(None) => return Err(exists(path, "another process is writing it")),
            Err(e) => return Err(Error::io("create", &tmp, e)),
        };
        let new = Self { disk, path: path.to_owned(), tmp, file, overwrite, len: 0, finished: false };
        new.file.set_len(0).map_err(|e| Error::io("cut", &new.tmp, e))?;
        Ok(new)
    }

    /// Gives the file its name. Durable on return.
    pub fn finish(mut self) -> Result<()> {
        // The rename must not become durable before the bytes: after a power cut the name would lead to a part of them.
        self.file.sync_data().map_err(|e| Error::io("sync", &self.tmp, e))?;
        check(&*self.disk, &self.path, self.overwrite)?;
        self.disk.rename(&self.tmp, &self.path).map_err(|e| Error::io("create", &self.path, e))?;
        self.finished = true;
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Without it a power cut could take the new name away after success was told.
        self.disk.sync_dir(dir).map_err(|e| Error::io("sync", dir, e))
    }
}

/// Only a regular file is ever replaced: a device would be gone, and a link would no longer be one.
fn check(disk: &dyn Disk, path: &Path, overwrite: bool) -> Result<()> {
    match disk.entry(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::io("look at", path, e)),
        Ok(entry) if entry.kind != EntryKind::File => Err(exists(path, "what is there is not a regular file")),
        Ok(_) if !overwrite => Err(exists(path, "it exists; --force overwrites it")),
        Ok(_) => Ok(()),
    }
}

fn exists(path: &Path, why: &str) -> Error {
    Error::io("create", path, io::Error::new(io::ErrorKind::AlreadyExists, why))
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(bytes, self.len)?;
        self.len += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.finished {
            // One that stays does no harm: the next export to the same file writes over it.
            let _ = self.disk.remove(&self.tmp);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::disk::sim::{CrashPolicy, Fault, SimDisk};

    const PATH: &str = "out/file";

    fn disk() -> SimDisk {
        let disk = SimDisk::new();
        disk.insert_dir("out").unwrap();
        disk
    }

    fn write(disk: &SimDisk, overwrite: bool) -> Result<()> {
        let mut file = NewFile::create(Arc::new(disk.clone()), Path::new(PATH), overwrite)?;
        file.write_all(b"first, ").map_err(|e| Error::io("write", PATH, e))?;
        file.write_all(b"second").map_err(|e| Error::io("write", PATH, e))?;
        file.finish()
    }

    fn content(disk: &SimDisk) -> Option<Vec<u8>> {
        disk.image().get(Path::new(PATH)).cloned()
    }

    #[test]
    fn a_failure_at_any_step_leaves_what_was_there_and_nothing_beside_it() {
        for old in [None, Some(b"old".to_vec())] {
            let mut step = 0;
            loop {
                step += 1;
                let disk = disk();
                old.iter().for_each(|old| disk.insert(PATH, old.clone()).unwrap());
                disk.fail_at(disk.ops() + step, Fault::Io);
                match write(&disk, true) {
                    Ok(()) => break assert_eq!(content(&disk), Some(b"first, second".to_vec())),
                    Err(_) if content(&disk) == old => assert_eq!(disk.image().len(), usize::from(old.is_some())),
                    // Only the sync of the directory is behind the rename.
                    Err(_) => assert_eq!(content(&disk), Some(b"first, second".to_vec())),
                }
            }
            assert!(step > 5, "{step}");
        }
    }

    #[test]
    fn a_power_cut_at_any_step_leaves_what_was_there_or_all_of_the_new_file() {
        let mut step = 0;
        let mut cuts = 0;
        loop {
            step += 1;
            let disk = disk();
            disk.insert(PATH, "old").unwrap();
            disk.crash_at(disk.ops() + step);
            let result = write(&disk, true);
            for policy in [CrashPolicy::Drop, CrashPolicy::Keep, CrashPolicy::Torn] {
                for seed in 0..8 {
                    let after = content(&disk.crash(policy, seed)).unwrap();
                    assert!(after == b"first, second" || result.is_err() && after == b"old", "{step} {policy:?}");
                    cuts += 1;
                }
            }
            if result.is_ok() {
                break;
            }
        }
        assert!(cuts > 150, "{cuts}");
    }

    #[test]
    fn what_exists_is_overwritten_only_when_asked_and_only_a_regular_file() {
        let disk = disk();
        write(&disk, false).unwrap();
        let refused = write(&disk, false).unwrap_err().to_string();
        assert!(refused.contains("--force"), "{refused}");
        write(&disk, true).unwrap();
        let other = self::disk();
        other.insert_other(PATH).unwrap();
        assert!(write(&other, true).unwrap_err().to_string().contains("not a regular file"));
    }

    #[test]
    fn two_at_once_do_not_mix() {
        let disk = disk();
        let first = NewFile::create(Arc::new(disk.clone()), Path::new(PATH), false).unwrap();
        assert!(write(&disk, false).unwrap_err().to_string().contains("another process"));
        drop(first);
        disk.insert(format!("{PATH}{SUFFIX}"), "left behind by a crash, and longer than what comes").unwrap();
        write(&disk, false).unwrap();
        assert_eq!(content(&disk), Some(b"first, second".to_vec()));
    }
}
