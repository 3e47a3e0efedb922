//! The checkpoint: the whole keydir in one file, `KEYDIR`, so that opening reads neither records nor hints.
//!
//! A clean close writes it, opening reads it and replays what lies behind it. It is a cache: whatever speaks against it,
//! opening goes the ordinary way, by hints and records, and says nothing.
//!
//! # When it counts
//!
//! Every segment that it names is there under its id and salt, at least as long as it says, with a hint that covers as
//! much; nothing is damaged, in doubt or a later version's; every record that it does not cover is newer than all that it
//! does; and no key had expired by then that has not by now. Else tombstones that it no longer has could be needed, or
//! evidence of damage would be passed over.
//!
//! # When it is written
//!
//! At a clean close of a store of which nothing is damaged or in doubt, if there is none that counts, or if more records
//! were written since than a sixteenth of its keys (and than [`FEW`]): replaying costs little, and a process that puts one
//! value must not write all keys.
//!
//! # Invariants
//!
//! 1. All that it covers was on stable storage before it was written.
//! 2. It appears under its name whole or not at all; a failure leaves the one before, and fails nothing.
//! 3. It is gone for good before a merge takes away a segment that it names.

mod read;
mod write;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::format::{Checkpoint, Covered, SegmentId, checkpoint};

pub(super) use read::read;
pub(super) use write::write;

/// So many records are replayed rather than a checkpoint written, however few keys there are.
const FEW: u64 = 64;
/// More than this share of the keys is not replayed.
const SHARE: u64 = 16;

/// What a checkpoint that counts says of segments.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) lines: BTreeMap<SegmentId, Covered>,
    /// Nothing that it covers is newer.
    pub(super) last_tstamp: u64,
    /// Keys whose time had run out before it was written.
    pub(super) expired: u64,
    /// How much it saves.
    pub(super) extent: Extent,
}

/// What a checkpoint covers, for the judgement whether a new one pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) records: u64,
    pub(super) keys: u64,
}

impl Extent {
    fn of(checkpoint: &Checkpoint) -> Self {
        let records = checkpoint.segments.iter().map(|covered| covered.records).sum();
        Self { records, keys: checkpoint.keys() }
    }

    /// Whether it still pays to replay what was written since, with so many records in all segments.
    fn suffices(self, records: u64) -> bool {
        records.saturating_sub(self.records) <= FEW.max(self.keys / SHARE)
    }
}

/// Takes the file away, before a segment that it may name goes. Durable after a sync of the directory.
pub(super) fn forget(disk: &dyn Disk, dir: &Path) -> Result<()> {
    let path = dir.join(checkpoint::NAME);
    match disk.remove(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", &path, e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_one_pays_when_more_was_written_than_a_sixteenth_of_the_keys() {
        let small = Extent { records: 10, keys: 10 };
        assert!(small.suffices(10) && small.suffices(74) && !small.suffices(75));
        let large = Extent { records: 5_000, keys: 3_200 };
        assert!(large.suffices(5_200) && !large.suffices(5_201));
        assert!(large.suffices(0), "records that went were known to it");
    }
}
