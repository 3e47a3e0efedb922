//! A disk in memory that can fail, stop and lose power at any operation.
//!
//! It keeps two images: the live one, which programs see, and the durable one, which a power cut leaves. Every call
//! that could change the disk has a number, so a test can run a workload once, count, and run it again with a fault, a
//! stop or a power cut at each number in turn. One seed gives one crash, always.
//!
//! ```
//! use logkv::disk::sim::{CrashPolicy, SimDisk};
//! use logkv::disk::Disk;
//! # fn main() -> std::io::Result<()> {
//! let disk = SimDisk::new();
//! let file = disk.create("log".as_ref())?;
//! file.write_at(b"first", 0)?;
//! file.sync_data()?;
//! disk.sync_dir("/".as_ref())?;
//! file.write_at(b"second", 5)?;
//!
//! let disk = disk.crash(CrashPolicy::Drop, 0);
//! assert_eq!(disk.image()["log".as_ref() as &std::path::Path], b"first");
//! # Ok(())
//! # }
//! ```
//!
//! # What it allows, after what real file systems do
//!
//! 1. Data is durable once `sync_data` has returned, a name once `sync_dir` has. A file whose data was synced but not
//!    its directory may be gone; one that was removed may be back, with its durable bytes.
//! 2. Unsynced pages, lengths and names survive a crash in any combination. Where a file grew and a page did not make
//!    it, there are zeros. A page may be torn between its sectors.
//! 3. Never torn: a rename (the file is there under the old name or the new one), and the order of operations that
//!    share a name.
//! 4. A sync that fails leaves its pages clean but not durable, as Linux does: the live image still shows them, a second
//!    sync says that all is well, and a crash takes them, unless they were written again. The same goes for names.
//! 5. A killed program loses nothing but its locks; the system still has what was written.
//!
//! A disk handle is one machine. [`SimDisk::crash`], [`SimDisk::kill`] and [`SimDisk::fork`] give another, which counts
//! from 1, with nothing planned and no lock held; unreadable places, the capacity and whether files can be linked or
//! lent come along, being the medium's.

mod content;
mod crash;
mod damage;
mod disk;
mod faults;
mod handle;
mod machine;
mod names;
mod rng;
#[cfg(test)]
mod tests;
mod tree;

use std::sync::Arc;

use crate::primitives::Mutex;

pub use crash::CrashPolicy;
pub use damage::Image;
pub use faults::Fault;
use machine::Machine;
use tree::Tree;

/// The units in which a simulated disk loses data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes that are written to the medium together; at least 1.
    pub page: u64,
    /// Bytes of a page that are never torn; at least 1.
    pub sector: u64,
}

impl Default for Geometry {
    /// Smaller than any real disk's, so that small files have many ways to be torn.
    fn default() -> Self {
        Self { page: 512, sector: 64 }
    }
}

/// A disk in memory; clones are the same disk.
#[derive(Clone, Debug)]
pub struct SimDisk {
    machine: Arc<Mutex<Machine>>,
}

impl Default for SimDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl SimDisk {
    /// An empty disk: there is a root directory. Relative paths begin there too.
    pub fn new() -> Self {
        Self::with_geometry(Geometry::default())
    }

    /// An empty disk that loses data in these units.
    pub fn with_geometry(geometry: Geometry) -> Self {
        Self::running(Machine::start(Tree::new(), geometry))
    }

    fn running(machine: Machine) -> Self {
        Self { machine: Arc::new(Mutex::new(machine)) }
    }

    /// How many mutating operations there were: creating, writing, setting a length, syncing, linking, renaming,
    /// removing, whether they went well or not.
    pub fn ops(&self) -> u64 {
        self.machine.lock().plan.ops()
    }

    /// The mutating operations in words, as in `17: write data/0000000001.data 40..120`.
    pub fn trace(&self) -> Vec<String> {
        self.machine.lock().plan.trace().to_vec()
    }

    /// Lets mutating operation `op` go wrong; the next one is `ops() + 1`.
    pub fn fail_at(&self, op: u64, fault: Fault) {
        self.machine.lock().plan.fail_at(op, fault);
    }

    /// Limits the sum of all files' lengths. A write takes what still fits, and nothing is `StorageFull`.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.machine.lock().capacity = bytes;
    }

    /// Whether files can have a second name, or share their bytes with another: yes, until this says otherwise. Without
    /// it every two places are on different file systems to [`crate::disk::Disk::hard_link`].
    pub fn set_sharing(&self, can_share: bool) {
        self.machine.lock().can_share = can_share;
    }

    /// Whether files lend their bytes as mapped ones do: no, until this says otherwise. What is lent is a copy of what was
    /// final when the file was opened; a place that is made unreadable or changed later stays as it was there.
    pub fn set_lending(&self, lends: bool) {
        self.machine.lock().lends = lends;
    }

    /// Stops the machine in place of mutating operation `op`, which does not happen; of a write, a later
    /// [`SimDisk::crash`] decides how much did. From then on every call fails.
    pub fn crash_at(&self, op: u64) {
        self.machine.lock().plan.stop_at(op);
    }

    /// Whether the machine has stopped.
    pub fn is_crashed(&self) -> bool {
        self.machine.lock().plan.is_stopped()
    }

    /// Cuts the power, if that has not happened yet, and starts a machine with what is left. Calling it again gives
    /// another outcome of the same crash.
    pub fn crash(&self, policy: CrashPolicy, seed: u64) -> Self {
        let mut machine = self.machine.lock();
        machine.plan.stop();
        let tree = crash::after_crash(&machine, policy, seed);
        Self::running(machine.successor(tree))
    }

    /// Ends all programs as `kill -9` does. What they wrote is there, and as durable as it was.
    pub fn kill(&self) -> Self {
        self.machine.lock().plan.stop();
        self.fork()
    }

    /// Another machine with the same disk, synced and unsynced alike. Files are shared until one side writes to them.
    pub fn fork(&self) -> Self {
        let machine = self.machine.lock();
        Self::running(machine.successor(machine.tree.clone()))
    }
}
