//! A directory that is complete or absent: filled beside its place, synced, and only then given its name.
//!
//! Must not know what the files mean. Those who are at work on the same directory at the same time, and what a crash left
//! of an earlier attempt, are told apart by a lock.
//!
//! # Invariants
//!
//! 1. Under its own name there is, at any moment and after any crash, nothing (or the empty directory that was there), or
//!    all of it.
//! 2. Nothing is removed but regular files with names of a store's, in a directory whose name says that it is ours.
//! 3. The lock is held, under its name, until the directory has its own: nobody takes it for what a crash left before.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, EntryKind, WriteFile};
use crate::error::{Error, Result};
use crate::format::{Format, record};

use super::copying::Pen;

/// Behind the name of the directory while it is filled.
const SUFFIX: &str = ".logkv-partial";
const LOCK: &str = "LOCK";

/// A directory on its way. Dropped before [`NewDir::finish`], it leaves nothing behind.
pub(super) struct NewDir<'a> {
    disk: &'a dyn Disk,
    target: PathBuf,
    partial: PathBuf,
    lock: Option<Arc<dyn WriteFile>>,
    finished: bool,
}

impl<'a> NewDir<'a> {
    /// Begins a directory whose place is free or an empty directory; its parent must exist.
    pub(super) fn create(disk: &'a dyn Disk, target: &Path) -> Result<Self> {
        check(disk, target)?;
        let partial = beside(target)?;
        match disk.create_dir(&partial) {
            Ok(()) => {}
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Error::of_write("create", &partial, 0, e));
            }
            // A link would lead to a directory whose name says nothing.
            Err(_) => match disk.entry(&partial).map_err(|e| Error::io("look at", &partial, e))?.kind {
                EntryKind::Dir => {}
                EntryKind::File | EntryKind::Other => {
                    let why = format!("{} is in the way and no directory; move it away", crate::text::path(&partial));
                    return Err(busy(target, why));
                }
            },
        }
        let lock = match disk.lock(&partial.join(LOCK)) {
            Ok(Some(lock)) => lock,
            Ok(None) => return Err(busy(target, "another process is making it".to_owned())),
            Err(e) => return Err(Error::of_write("lock", &partial.join(LOCK), 0, e)),
        };
        let new = Self { disk, target: target.to_owned(), partial, lock: Some(lock), finished: false };
        new.empty()?;
        Ok(new)
    }

    /// Where the files go until it is finished.
    pub(super) fn path(&self) -> &Path {
        &self.partial
    }

    /// A new file in it.
    pub(super) fn file(&self, name: &str) -> Result<Pen> {
        let path = self.partial.join(name);
        let file = self.disk.create(&path).map_err(|e| Error::of_write("create", &path, 0, e))?;
        Ok(Pen::new(file, path))
    }

    /// Gives it its name. Durable on return; after an error of the last step it is complete, and durable or not.
    pub(super) fn finish(mut self) -> Result<()> {
        // The name of the directory must not become durable before the names in it.
        self.disk.sync_dir(&self.partial).map_err(|e| Error::io("sync", &self.partial, e))?;
        check(self.disk, &self.target)?;
        self.disk.rename(&self.partial, &self.target).map_err(|e| Error::io("create", &self.target, e))?;
        self.finished = true;
        // One that stays, for a crash or a failure here, says nothing wrong: every store has one.
        let _ = self.disk.remove(&self.target.join(LOCK));
        // Without it a power cut could take the name away after success was told.
        let parent = parent(&self.target);
        self.disk.sync_dir(parent).map_err(|e| Error::io("sync", parent, e))
    }

    /// Takes away what an earlier attempt left, which is ours by the name of the directory and by those in it.
    fn empty(&self) -> Result<()> {
        let entries = self.disk.list(&self.partial).map_err(|e| Error::io("list", &self.partial, e))?;
        let is_ours = |name: &OsString| name.to_str().is_some_and(|name| record::Native.role(name).is_some());
        if let Some(other) = entries.iter().find(|entry| entry.kind != EntryKind::File || !is_ours(&entry.name)) {
            let other = self.partial.join(&other.name);
            let why = format!("{} is in the way and not of a snapshot's; move it away", crate::text::path(&other));
            return Err(busy(&self.target, why));
        }
        entries.into_iter().filter(|entry| entry.name != LOCK).try_for_each(|entry| self.remove(entry.name))
    }

    fn remove(&self, name: OsString) -> Result<()> {
        let path = self.partial.join(name);
        self.disk.remove(&path).map_err(|e| Error::io("remove", path, e))
    }
}

impl Drop for NewDir<'_> {
    fn drop(&mut self) {
        // What stays does no harm: the next attempt at the same place takes it away.
        if !self.finished && self.empty().is_ok() {
            let _ = self.remove(OsString::from(LOCK));
            self.lock = None;
            let _ = self.disk.remove_dir(&self.partial);
        }
    }
}

/// The place must be free, or an empty directory.
pub(super) fn check(disk: &dyn Disk, target: &Path) -> Result<()> {
    match disk.entry(target) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Error::io("look at", target, e)),
        Ok(entry) if entry.kind != EntryKind::Dir => {
            return Err(busy(target, "what is there is not a directory".to_owned()));
        }
        Ok(_) => {}
    }
    match disk.list(target) {
        Err(e) => Err(Error::io("list", target, e)),
        Ok(entries) if !entries.is_empty() => {
            Err(busy(target, "it is not empty; choose a directory that is, or that does not exist".to_owned()))
        }
        Ok(_) => Ok(()),
    }
}

fn busy(target: &Path, why: String) -> Error {
    Error::io("create", target, io::Error::new(io::ErrorKind::AlreadyExists, why))
}

/// Refuses to read from where a directory is being made: what a crash left there is complete or not, and is taken away by
/// the next attempt.
pub(super) fn check_source(dir: &Path) -> Result<()> {
    match dir.file_name() {
        Some(name) if name.as_encoded_bytes().ends_with(SUFFIX.as_bytes()) => {
            let reason =
                format!("a name that ends with {SUFFIX} is that of unfinished work; give it another to read it");
            Err(Error::BadSnapshot { path: dir.to_owned(), reason })
        }
        _ => Ok(()),
    }
}

fn beside(target: &Path) -> Result<PathBuf> {
    let Some(name) = target.file_name() else {
        let why =
            io::Error::new(io::ErrorKind::InvalidInput, "give it a name, so that it can be made beside its place");
        return Err(Error::io("create", target, why));
    };
    let mut name = name.to_owned();
    name.push(SUFFIX);
    Ok(target.with_file_name(name))
}

pub(super) fn parent(target: &Path) -> &Path {
    target.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
