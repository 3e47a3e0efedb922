//! One life of a small store, told step by step: puts, deletes, batches, rotations, merges of all kinds, reopening. The
//! tests that stop or fail the disk at each of its operations all live it.

use std::collections::BTreeMap;

use logkv::store::{Batch, MergeChoice, MergeControl, MergePolicy};
use logkv::{Result, Store};

/// Keys and values.
pub type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// One step.
#[derive(Clone, Debug)]
pub enum Op {
    Put(&'static str, String),
    Delete(&'static str),
    /// Puts, and deletes where there is no value.
    Batch(Vec<(&'static str, Option<&'static str>)>),
    Sync,
    Merge(Which),
    Reopen,
}

/// What is merged.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    All,
    /// The sealed segment of the lowest id, and so on.
    Oldest(usize),
    /// The sealed segment of the highest id.
    Newest,
    /// What has a byte to give back.
    Wasteful,
}

/// The steps. Segments are of a few hundred bytes.
pub fn workload() -> Vec<Op> {
    let mut ops = Vec::new();
    let put = |i: usize| {
        let key = ["a", "b", "c", "dd", "eee"][i % 5];
        Op::Put(key, format!("{key}-{i}-{}", "v".repeat(i * 11 % 47)))
    };
    ops.push(Op::Put("ghost", "it must not come back".into()));
    for i in 0..9 {
        ops.push(put(i));
        match i {
            3 => ops.push(Op::Delete("b")),
            4 => ops.push(Op::Sync),
            5 => ops.push(Op::Put("", "the empty key".into())),
            6 => ops.push(Op::Reopen),
            8 => ops.push(Op::Delete("nothing")),
            _ => {}
        }
    }
    ops.push(Op::Batch(vec![("a", Some("of a batch")), ("b", Some("the same")), ("c", None), ("nothing", None)]));
    ops.push(Op::Merge(Which::All));
    ops.push(Op::Put("a", String::new()));
    ops.extend([9, 10, 11].map(put));
    ops.push(Op::Delete("eee"));
    ops.extend([12, 13, 14].map(put));
    // What supersedes is in the buffer or with the kernel; what is superseded is in the input.
    ops.push(Op::Merge(Which::Oldest(1)));
    ops.push(Op::Delete("dd"));
    ops.push(Op::Batch(vec![("x", Some("first of three")), ("a", None), ("x", Some("second of three"))]));
    ops.push(Op::Reopen);
    ops.extend([15, 16].map(put));
    ops.push(Op::Delete("b"));
    ops.extend([17, 18].map(put));
    // The tombstone ends its segment, and has a version left to hide.
    ops.push(Op::Delete("ghost"));
    ops.push(Op::Put("pad", "p".repeat(330)));
    ops.push(Op::Merge(Which::Newest));
    ops.push(Op::Sync);
    ops.extend([20, 22].map(put));
    ops.push(Op::Merge(Which::Wasteful));
    ops.push(put(23));
    ops.push(Op::Merge(Which::All));
    ops.push(put(24));
    ops
}

impl Op {
    /// What it makes of the contents.
    pub fn apply(&self, state: &mut State) {
        let mut set = |key: &str, value: Option<&str>| match value {
            Some(value) => drop(state.insert(key.into(), value.into())),
            None => drop(state.remove(key.as_bytes())),
        };
        match self {
            Self::Put(key, value) => set(key, Some(value)),
            Self::Delete(key) => set(key, None),
            Self::Batch(steps) => steps.iter().for_each(|(key, value)| set(key, *value)),
            Self::Sync | Self::Merge(_) | Self::Reopen => {}
        }
    }

    /// Whether all that was written before it is on stable storage once it is done.
    pub fn makes_durable(&self) -> bool {
        matches!(self, Self::Sync | Self::Merge(_))
    }

    /// Does it to a store; reopening is the caller's.
    pub fn run(&self, store: &Store) -> Result<()> {
        match self {
            Self::Put(key, value) => store.put(key.as_bytes(), value.as_bytes()).map(drop),
            Self::Delete(key) => store.delete(key.as_bytes()).map(drop),
            Self::Batch(steps) => {
                let mut batch = Batch::new();
                for (key, value) in steps {
                    match value {
                        Some(value) => batch.put(key.as_bytes(), value.as_bytes())?,
                        None => batch.delete(key.as_bytes())?,
                    }
                }
                store.write(&batch).map(drop)
            }
            Self::Sync => store.sync(),
            // One that finds nothing to do has made nothing durable.
            Self::Merge(which) => match store.merge(&which.choice(store), &MergeControl::default())? {
                Some(_) => Ok(()),
                None => store.sync(),
            },
            Self::Reopen => Ok(()),
        }
    }
}

impl Which {
    fn choice(self, store: &Store) -> MergeChoice {
        let sealed: Vec<_> =
            store.segments().into_iter().filter(|segment| !segment.active).map(|segment| segment.id).collect();
        match self {
            Self::All => MergeChoice::All,
            Self::Oldest(count) => MergeChoice::Segments(sealed.into_iter().take(count).collect()),
            Self::Newest => MergeChoice::Segments(sealed.into_iter().rev().take(1).collect()),
            Self::Wasteful => {
                MergeChoice::Policy(MergePolicy { dead_bytes: 1, small_bytes: 0, ..MergePolicy::default() })
            }
        }
    }
}
