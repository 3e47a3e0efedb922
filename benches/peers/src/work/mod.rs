//! What every store is asked to do, one file a kind of work.
//!
//! Invariants: each work begins in a fresh directory of the same file system; what a store answered is compared with what
//! it was given in a pass that no clock sees, so that an adapter that answers nothing cannot look fast.

pub mod batch;
pub mod durable;
pub mod large;
pub mod life;
pub mod merge;
pub mod open;
pub mod order;
pub mod point;

use tempfile::TempDir;

use crate::Outcome;
use crate::args::Args;
use crate::engine::{Class, Engine, Opening, Store};
use crate::key::{Key, Keys, Values};

/// Keys in one batch.
pub const BATCH: u64 = 1000;

/// One operation in so many is timed by itself where a single one takes less than a microsecond or a few.
pub const EVERY: u64 = 64;

/// What all works have in common.
pub struct Ground<'a> {
    pub args: &'a Args,
    pub keys: Keys,
    pub values: Values,
}

impl Ground<'_> {
    pub fn fresh(&self) -> Outcome<TempDir> {
        Ok(tempfile::Builder::new().prefix("peers-").tempdir_in(&self.args.dir)?)
    }

    /// Whether any of these works was asked for.
    pub fn wants(&self, works: &[&str]) -> bool {
        works.iter().any(|work| self.args.wants(work))
    }

    /// Puts a version of keys in batches, in the order of `index`.
    pub fn load(
        &self,
        store: &dyn Store,
        range: std::ops::Range<u64>,
        version: u64,
        index: impl Fn(u64) -> u64,
    ) -> Outcome<()> {
        let mut items: Vec<(Key, &[u8])> = Vec::with_capacity(BATCH as usize);
        for i in range {
            items.push((self.keys.key(index(i)), self.values.value(index(i), version)));
            if items.len() as u64 == BATCH {
                store.put_batch(&items)?;
                items.clear();
            }
        }
        if !items.is_empty() {
            store.put_batch(&items)?;
        }
        Ok(())
    }

    /// Compares the answers of about a hundred thousand keys of a range, `version` saying which they must have, `None`
    /// none.
    pub fn check(
        &self,
        store: &dyn Store,
        range: std::ops::Range<u64>,
        version: impl Fn(u64) -> Option<u64>,
    ) -> Outcome<()> {
        let mut value = Vec::new();
        let step = ((range.end - range.start) / 100_000).max(1);
        for i in range.step_by(step as usize) {
            let found = store.get(&self.keys.key(i), &mut value)?;
            let right = match version(i) {
                Some(version) => found && value == self.values.value(i, version),
                None => !found,
            };
            if !right {
                return Err(format!("key {i} has a wrong answer: found {found}, {} bytes", value.len()).into());
            }
        }
        Ok(())
    }
}

/// A store in the class that reads are measured with.
pub fn usual(engine: &dyn Engine, dir: &TempDir, ordered: bool) -> Outcome<Box<dyn Store>> {
    in_class(engine, dir, engine.usual(), ordered)
}

pub fn in_class(engine: &dyn Engine, dir: &TempDir, class: Class, ordered: bool) -> Outcome<Box<dyn Store>> {
    engine.open(&dir.path().join("store"), Opening { class, ordered })
}
