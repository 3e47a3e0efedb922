//! Directories and the operations on names that are not durable yet.
//!
//! Each operation is a set of names that come to mean a file, or nothing, in one step; a rename is two of them.
//!
//! # Invariants
//!
//! 1. An operation is durable wholly or not at all, so a rename leaves the file under its old name or its new one.
//! 2. Operations that share a name become durable in their order: whoever has the later has the earlier. Others are
//!    free, so a file system may keep a newer name and lose an older one.
//! 3. A move between directories is durable once both have been synced.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

/// A file or directory, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NodeId(pub(super) u64);

/// One name in one directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) dir: NodeId,
    pub(super) name: OsString,
}

/// What the names in a directory mean.
pub(super) type Names = BTreeMap<OsString, NodeId>;

/// A directory as programs see it, and as the medium has it.
#[derive(Clone, Debug, Default)]
pub(super) struct Dir {
    pub(super) live: Names,
    pub(super) durable: Names,
}

/// An operation on names.
#[derive(Clone, Debug)]
pub(super) struct NameOp {
    /// The names and what they mean from now on.
    pub(super) changes: Vec<(Place, Option<NodeId>)>,
    /// The directories that are still to be synced.
    waits: BTreeSet<NodeId>,
    /// Whether a sync of it failed, so that no later one will write it.
    lost: bool,
}

impl NameOp {
    pub(super) fn new(changes: Vec<(Place, Option<NodeId>)>) -> Self {
        let waits = changes.iter().map(|(place, _)| place.dir).collect();
        Self { changes, waits, lost: false }
    }

    fn is_done(&self) -> bool {
        self.waits.is_empty() && !self.lost
    }
}

/// The operations that are not durable yet, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending(Vec<NameOp>);

impl Pending {
    pub(super) fn push(&mut self, op: NameOp) {
        self.0.push(op);
    }

    /// Takes out what a sync of `dir` makes durable, in order.
    pub(super) fn sync(&mut self, dir: NodeId) -> Vec<NameOp> {
        for op in &mut self.0 {
            op.waits.remove(&dir);
        }
        let chosen = with_their_past(&self.0, self.0.iter().map(NameOp::is_done).collect());
        let (done, rest) = split(std::mem::take(&mut self.0), &chosen);
        self.0 = rest;
        done
    }

    /// A sync of `dir` failed: the system takes its names for written.
    pub(super) fn fail_sync(&mut self, dir: NodeId) {
        for op in self.0.iter_mut().filter(|op| op.waits.contains(&dir)) {
            op.lost = true;
        }
    }

    /// All but the lost ones, and those they rest on.
    pub(super) fn kept(&self) -> Vec<NameOp> {
        self.survivors(|op| !op.lost)
    }

    /// Those that `choose` picks, and those they rest on.
    pub(super) fn survivors(&self, choose: impl FnMut(&NameOp) -> bool) -> Vec<NameOp> {
        let chosen = with_their_past(&self.0, self.0.iter().map(choose).collect());
        split(self.0.clone(), &chosen).0
    }
}

/// Adds to the chosen operations every earlier one that shares a name with them (invariant 2).
fn with_their_past(ops: &[NameOp], mut chosen: Vec<bool>) -> Vec<bool> {
    let mut names = BTreeSet::new();
    for (op, chosen) in ops.iter().zip(&mut chosen).rev() {
        *chosen |= op.changes.iter().any(|(place, _)| names.contains(place));
        if *chosen {
            names.extend(op.changes.iter().map(|(place, _)| place));
        }
    }
    chosen
}

/// The chosen operations, and the others.
fn split(ops: Vec<NameOp>, chosen: &[bool]) -> (Vec<NameOp>, Vec<NameOp>) {
    let mut chosen = chosen.iter().copied();
    ops.into_iter().partition(|_| chosen.next().unwrap_or(false))
}
