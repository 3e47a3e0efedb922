//! A few thousand facts that ship in the binary, and the order in which a demonstration writes them down.
//!
//! The facts are true and free to use: tables of the public domain (tzdb) and plain facts of public registries and
//! standards. Each file of `assets/sample/` begins with its columns and its origin. Everything else is computed from
//! them: systematic names of elements, flags, primes. Keys form a tree split at `:`, as in `zone:Europe/Rome`.
//!
//! A log is worth looking into when it has a past, so many facts are written more than once, a short edition first and
//! a full one later, and some are withdrawn: zones and countries that were renamed or are no more, currencies that the
//! euro replaced, a planet. Invariant: [`steps`] is the same at every call, and no edition of a fact is untrue.
//!
//! It writes to a [`Store`] like any other caller, and must not know who looks.

mod machines;
mod nature;
mod packed;
mod places;
mod signs;
mod table;

use crate::error::Result;
use crate::store::{Options, Store, SyncPolicy};

/// One write of the sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A fact, or a newer edition of one.
    Put {
        /// Where in the tree.
        key: Vec<u8>,
        /// JSON, plain text or bytes.
        value: Vec<u8>,
    },
    /// A fact is withdrawn. Its key has a value.
    Delete {
        /// Where in the tree.
        key: Vec<u8>,
    },
}

impl Step {
    fn put(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Self::Put { key: key.into(), value: value.into() }
    }

    fn json(key: impl Into<Vec<u8>>, value: &serde_json::Value) -> Self {
        Self::put(key, value.to_string())
    }

    fn delete(key: impl Into<Vec<u8>>) -> Self {
        Self::Delete { key: key.into() }
    }
}

/// The story in order. Under [`options`] its beginning ends up in segments that are nearly all dead, its middle in ones
/// that are nearly all live, with mixed ones between, and the tombstones in the last.
const CHAPTERS: &[fn() -> Vec<Step>] = &[
    places::first_countries,
    places::former_names,
    places::first_zones,
    nature::first_editions,
    signs::names,
    machines::first_editions,
    signs::characters,
    signs::entities,
    signs::colors,
    places::coordinates,
    machines::protocols,
    nature::elements,
    nature::bodies,
    signs::letters,
    nature::primes,
    places::zones,
    places::countries,
    places::withdrawals,
    nature::withdrawals,
    machines::withdrawals,
];

/// Every write of the sample, from the first to the last.
pub fn steps() -> impl Iterator<Item = Step> {
    CHAPTERS.iter().flat_map(|chapter| chapter())
}

/// How to open a store for the sample: small segments, so that there are several, and no wait for the disk.
pub fn options() -> Options {
    Options { create: true, sync: SyncPolicy::Buffered, max_segment_bytes: 64 << 10, ..Options::default() }
}

/// What [`fill`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SampleSummary {
    /// Records written with a value.
    pub puts: u64,
    /// Those of them that superseded an older one.
    pub overwrites: u64,
    /// Tombstones written.
    pub deletes: u64,
}

/// Runs the [`steps`] on a store; all of it is durable on return.
pub fn fill(store: &Store) -> Result<SampleSummary> {
    let mut summary = SampleSummary::default();
    for step in steps() {
        match step {
            Step::Put { key, value } => {
                let written = store.put(&key, &value)?;
                summary.puts += 1;
                summary.overwrites += u64::from(written.superseded.is_some());
            }
            Step::Delete { key } => summary.deletes += u64::from(store.delete(&key)?.is_some()),
        }
    }
    store.sync()?;
    Ok(summary)
}

#[cfg(test)]
mod tests;
