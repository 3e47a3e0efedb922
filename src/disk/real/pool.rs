//! Descriptors of files that are read: a store may have more segments than the process may open files.
//!
//! A file that was opened for reading keeps its path and its identity, and gives its descriptor back when others need one
//! more. Whoever reads it then opens it again by its path. If another file is there by now, or none, it is `NotFound`: to
//! the caller the file is gone, as after a merge.
//!
//! # Invariants
//!
//! 1. At most [`limit`] descriptors are open here, and those besides that are being read from at this moment.
//! 2. No lock is held during a read, and none that is shared by several files is taken while all are open.
//! 3. A path that leads to another file than the one that was opened first is never read.

use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use super::open_regular;
use super::platform::{self, Access};
use crate::disk::FileIdentity;
use crate::primitives::{AtomicBool, AtomicU64, Mutex, RwLock};

static POOL: Pool = Pool { order: Mutex::new(VecDeque::new()), open: AtomicU64::new(0) };

/// A share of what the process may open: the rest is for what is written, for directories, and for the program around.
fn limit() -> u64 {
    const FEWEST: u64 = 8;
    const MOST: u64 = 4096;
    platform::max_descriptors().map_or(MOST, |all| (all / 2).clamp(FEWEST, MOST))
}

/// A file that is opened when it is needed.
#[derive(Debug)]
pub(super) struct Slot {
    path: PathBuf,
    identity: Identity,
    open: RwLock<Option<Arc<File>>>,
    /// Since it was last passed over.
    used: AtomicBool,
}

/// Inodes are given out anew once their file is gone; two files of one inode and one time of birth there are not.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    file: FileIdentity,
    born: Option<SystemTime>,
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self { file: platform::identity(metadata), born: metadata.created().ok() }
    }
}

impl Slot {
    /// Of a file that was opened just now by this path.
    pub(super) fn opened(path: &Path, file: File) -> io::Result<Arc<Self>> {
        let slot = Self::closed(path, &file)?;
        *slot.open.write() = Some(Arc::new(file));
        POOL.admit(&slot);
        Ok(slot)
    }

    /// Of the file that this is, under this path; it is opened when it is read.
    pub(super) fn closed(path: &Path, file: &File) -> io::Result<Arc<Self>> {
        let identity = Identity::of(&file.metadata()?);
        Ok(Arc::new(Self { path: path.to_owned(), identity, open: RwLock::new(None), used: AtomicBool::new(false) }))
    }

    pub(super) fn identity(&self) -> FileIdentity {
        self.identity.file
    }

    /// The open file.
    pub(super) fn file(self: &Arc<Self>) -> io::Result<Arc<File>> {
        if let Some(file) = self.open.read().as_ref() {
            // Looked at first: a flag that every read set would travel between the processors.
            if !self.used.load(Ordering::Relaxed) {
                self.used.store(true, Ordering::Relaxed);
            }
            return Ok(Arc::clone(file));
        }
        self.open_again()
    }

    fn open_again(self: &Arc<Self>) -> io::Result<Arc<File>> {
        let file = open_regular(&self.path, Access::Read)?;
        if Identity::of(&file.metadata()?) != self.identity {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the file is gone, and another has its name"));
        }
        let mut open = self.open.write();
        if let Some(file) = open.as_ref() {
            // Somebody else was quicker.
            return Ok(Arc::clone(file));
        }
        let file = Arc::clone(open.insert(Arc::new(file)));
        drop(open);
        POOL.admit(self);
        Ok(file)
    }

    /// Gives the descriptor back. Whether there was one.
    fn close(&self) -> bool {
        self.open.write().take().is_some()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.close() {
            POOL.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[derive(Debug)]
struct Pool {
    /// Those that are open, the one that was opened or passed over last at the end, among some that are gone.
    order: Mutex<VecDeque<Weak<Slot>>>,
    open: AtomicU64,
}

impl Pool {
    /// Counts one that was opened, and closes others for it: of those that were not used for a whole round the one that
    /// was opened first. That is nearly the one that was used the longest time ago, at the price of a flag.
    fn admit(&self, slot: &Arc<Slot>) {
        self.open.fetch_add(1, Ordering::Relaxed);
        let limit = limit();
        let mut order = self.order.lock();
        let mut chances = order.len();
        while self.open.load(Ordering::Relaxed) > limit {
            let Some(oldest) = order.pop_front() else { break };
            let Some(oldest) = oldest.upgrade() else { continue };
            if chances > 0 && oldest.used.swap(false, Ordering::Relaxed) {
                chances -= 1;
                order.push_back(Arc::downgrade(&oldest));
            } else {
                self.close(&oldest);
            }
        }
        order.push_back(Arc::downgrade(slot));
        if order.len() as u64 > 2 * limit {
            order.retain(|slot| slot.strong_count() > 0);
        }
    }

    fn close(&self, slot: &Slot) -> bool {
        let was_open = slot.close();
        if was_open {
            self.open.fetch_sub(1, Ordering::Relaxed);
        }
        was_open
    }

    /// Closes all; how many there were.
    fn close_all(&self) -> usize {
        let all = std::mem::take(&mut *self.order.lock());
        all.iter().filter_map(Weak::upgrade).filter(|slot| self.close(slot)).count()
    }
}

/// Calls what needs a descriptor; where there is none left, once more after all that are only kept for later were closed.
/// So many threads may take what one of them made free.
pub(super) fn with_room<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    const TRIES: usize = 16;
    for _ in 0..TRIES {
        match call() {
            Err(e) if platform::is_out_of_descriptors(&e) && POOL.close_all() > 0 => {}
            result => return result,
        }
    }
    call()
}
