//! Open files of a simulated disk.
//!
//! A handle names a file, not a path, so it keeps reading after a removal or a rename. It belongs to its machine and
//! dies with it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::machine::Machine;
use super::names::NodeId;
use crate::disk::{FileIdentity, ReadFile, SharedBytes, WriteFile};
use crate::primitives::Mutex;

/// An open file.
#[derive(Debug)]
pub(super) struct SimFile {
    machine: Arc<Mutex<Machine>>,
    node: NodeId,
    /// The path it was opened by, for the trace.
    path: PathBuf,
    holds_lock: bool,
    lent: Option<Arc<[u8]>>,
}

impl SimFile {
    pub(super) fn new(machine: &Arc<Mutex<Machine>>, node: NodeId, path: &Path) -> Self {
        Self { machine: Arc::clone(machine), node, path: path.to_owned(), holds_lock: false, lent: None }
    }

    /// A handle that lends the first `len` bytes as they are now, if the machine does.
    pub(super) fn lending(mut self, len: u64) -> Self {
        self.lent = self.machine.lock().lent(self.node, len);
        self
    }

    /// The handle of a lock file, whose lock goes with it.
    pub(super) fn holding_lock(mut self) -> Self {
        self.holds_lock = true;
        self
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        if self.holds_lock {
            self.machine.lock().locks.remove(&self.node);
        }
    }
}

impl ReadFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        let machine = self.machine.lock();
        machine.plan.check_running()?;
        machine.tree.file(self.node).map(|content| content.len())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.machine.lock().read(self.node, buf, offset)
    }

    fn lend(&self, offset: u64, len: u64) -> Option<&[u8]> {
        let from = usize::try_from(offset).ok()?;
        self.lent.as_ref()?.get(from..from.checked_add(usize::try_from(len).ok()?)?)
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        self.machine.lock().plan.check_running()?;
        Ok(FileIdentity(0, self.node.0))
    }
}

impl WriteFile for SimFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.machine.lock().write(self.node, &self.path, bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.machine.lock().set_len(self.node, &self.path, len)
    }

    fn writes_in_place(&self) -> bool {
        true
    }

    fn sync_data(&self) -> io::Result<()> {
        self.machine.lock().sync_data(self.node, &self.path)
    }

    fn reader(&self) -> Arc<dyn ReadFile> {
        Arc::new(Self::new(&self.machine, self.node, &self.path))
    }

    fn mapped_reader(&self, path: &Path, extent: u64, final_len: u64) -> Arc<dyn ReadFile> {
        Arc::new(Self::new(&self.machine, self.node, path).lending(extent.min(final_len)))
    }
}

/// A file that is written to as memory is: each time counts as one operation, and takes all of its bytes or fails.
#[derive(Debug)]
pub(super) struct SimShared(pub(super) Arc<dyn WriteFile>);

impl SharedBytes for SimShared {
    fn put(&mut self, bytes: &[u8], at: usize) -> io::Result<()> {
        let there = self.0.len()?;
        if at.checked_add(bytes.len()).is_none_or(|end| end as u64 > there) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let n = self.0.write_at(bytes, at as u64)?;
        if n == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }
}
