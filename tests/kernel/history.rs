//! What may be found in a store, from what its process said before it ended: promise 1 as a list of states.
//!
//! Kept by the process that works and, from what that reports, by the one that judges. Must not know who fails, nor how.

use logkv::store::SyncPolicy;

use super::workload::{Op, State};

/// The states that a store went through, in order. What is behind the last one acknowledged may be there or not.
#[derive(Clone, Debug)]
pub struct History {
    sync: SyncPolicy,
    states: Vec<State>,
    acknowledged: usize,
    durable: usize,
    /// A write had an unknown outcome: until the store is opened again there are no others.
    halted: bool,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was killed, and the kernel went on.
    Killed,
    /// The machine stopped.
    PowerCut,
}

impl History {
    /// Begins with what was there.
    pub fn new(sync: SyncPolicy, base: State) -> Self {
        Self { sync, states: vec![base], acknowledged: 0, durable: 0, halted: false }
    }

    /// The operation is about to be run.
    pub fn asked(&mut self, op: &Op) {
        if !self.halted {
            let after = op.states_after(self.last());
            self.states.extend(after);
        }
    }

    /// It succeeded.
    pub fn done(&mut self, op: &Op) {
        assert!(!self.halted, "a stopped writer did {op:?}");
        self.acknowledged = self.states.len() - 1;
        if self.sync == SyncPolicy::Always || op.makes_durable() {
            self.durable = self.acknowledged;
        }
    }

    /// It failed, and must have left nothing behind.
    pub fn refused(&mut self) {
        if !self.halted {
            self.states.truncate(self.acknowledged + 1);
        }
    }

    /// It failed, and only opening the store again tells how far it came.
    pub fn unknown(&mut self) {
        assert!(!self.halted, "a stopped writer wrote");
        self.halted = true;
    }

    /// The store was opened again, and the state of this number was found.
    pub fn reopened(&mut self, found: usize) {
        self.states.push(self.states[found].clone());
        self.acknowledged = self.states.len() - 1;
        self.durable = self.acknowledged;
        self.halted = false;
    }

    /// What gets answer from while the process lives.
    pub fn current(&self) -> &State {
        &self.states[self.acknowledged]
    }

    /// With all that was asked for.
    pub fn last(&self) -> &State {
        self.states.last().unwrap()
    }

    /// The number of the newest state that is this one, among those that may be found.
    pub fn find(&self, found: &State, end: End) -> Option<usize> {
        (self.first(end)..self.states.len()).rev().find(|i| self.states[*i] == *found)
    }

    /// What may be found, for messages.
    pub fn allowed(&self, end: End) -> &[State] {
        &self.states[self.first(end)..]
    }

    fn first(&self, end: End) -> usize {
        match (end, self.sync) {
            (End::PowerCut, _) | (End::Killed, SyncPolicy::Buffered) => self.durable,
            (End::Killed, SyncPolicy::Always | SyncPolicy::Interval(_)) => self.acknowledged,
        }
    }
}
