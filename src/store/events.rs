//! What the engine says about its own work: one typed event a step. The trace line, the metrics and the tests are all
//! observers of these. Without observers nothing is built and nothing is measured.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Entry, Location};
use crate::format::{Kind, SegmentId};

/// One step of real work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Opening has read this many of so many bytes.
    Loading {
        /// Bytes read so far.
        done: u64,
        /// Bytes to read in all.
        total: u64,
    },
    /// A record was put into bytes, checksums and all. It is nowhere yet.
    Encoded {
        /// What it does.
        kind: Kind,
        /// Its bytes.
        bytes: u64,
    },
    /// A record was appended (under `buffered`: to the process's buffer), or was found behind what another process had
    /// appended before.
    Appended {
        /// What it does.
        kind: Kind,
        /// Where it is.
        location: Location,
        /// Its tstamp.
        tstamp: u64,
    },
    /// The active segment's bytes up to `stable_len` are on stable storage.
    Synced {
        /// Which segment.
        segment: SegmentId,
        /// Bytes from its start.
        stable_len: u64,
        /// How long the call took.
        took: Duration,
    },
    /// A key's entry in the keydir changed.
    KeydirMoved {
        /// Where it pointed; `None` for a new key.
        from: Option<Location>,
        /// Where it points; `None` for a deleted key.
        to: Option<Location>,
    },
    /// The time of a live record ran out.
    Expired {
        /// Whose.
        key: Arc<[u8]>,
        /// Its entry until now.
        entry: Entry,
    },
    /// A get asked the keydir.
    LookedUp {
        /// Where it pointed.
        at: Option<Location>,
    },
    /// A get read a record and checked it.
    Read {
        /// Which record.
        location: Location,
        /// Whether the record held.
        ok: bool,
        /// How long reading and checking took.
        took: Duration,
    },
    /// Everything was loaded anew, because another process changed more than it appended.
    Reloaded,
    /// Bytes of a segment stopped being live.
    BytesDied {
        /// Which segment.
        segment: SegmentId,
        /// How many.
        bytes: u64,
    },
    /// A new segment became the active one.
    SegmentCreated {
        /// Which.
        segment: SegmentId,
    },
    /// The active segment was closed for good.
    Sealed {
        /// Which.
        segment: SegmentId,
        /// Its length.
        bytes: u64,
    },
    /// A hint was written.
    HintWritten {
        /// For which segment.
        segment: SegmentId,
        /// Bytes of the hint.
        bytes: u64,
    },
    /// A hint could not be written; the segment will be scanned at the next open.
    HintFailed {
        /// For which segment.
        segment: SegmentId,
        /// Why.
        reason: String,
    },
    /// The keydir was written to `KEYDIR`.
    CheckpointWritten {
        /// Keys in it.
        keys: u64,
        /// Its bytes.
        bytes: u64,
    },
    /// The keydir could not be written to `KEYDIR`; the next open reads hints, or replays more.
    CheckpointFailed {
        /// Why.
        reason: String,
    },
    /// The end of the log was saved and cut.
    Cut {
        /// Of which segment.
        segment: SegmentId,
        /// Where the segment ends now.
        offset: u64,
        /// Bytes that were cut.
        bytes: u64,
    },
    /// A merge began to copy.
    MergeStarted {
        /// The segments that it takes.
        inputs: Vec<SegmentId>,
        /// Their bytes.
        bytes: u64,
    },
    /// A merge has written this many of about so many bytes.
    Merging {
        /// Bytes written so far.
        done: u64,
        /// Bytes to write in all.
        total: u64,
    },
    /// A merge is done: its inputs are gone.
    Merged {
        /// The segments that are gone.
        inputs: Vec<SegmentId>,
        /// The segments that took their place.
        outputs: Vec<SegmentId>,
        /// Bytes of segments that the directory has less now.
        freed_bytes: u64,
    },
    /// A merge came to nothing.
    MergeAbandoned {
        /// Why.
        reason: String,
    },
    /// The writer stopped for good.
    Poisoned {
        /// Why.
        reason: String,
    },
}

impl Event {
    /// Whether the store is another one after this step: neither looking at it nor what is nowhere yet makes it that.
    pub fn is_change(&self) -> bool {
        use Event::{Encoded, Loading, LookedUp, MergeAbandoned, MergeStarted, Merging, Read};
        !matches!(
            self,
            Loading { .. }
                | Encoded { .. }
                | LookedUp { .. }
                | Read { .. }
                | MergeStarted { .. }
                | Merging { .. }
                | MergeAbandoned { .. }
        )
    }
}

/// Somebody who is told. Called on the thread that did the work, sometimes under the writer's lock: be quick, and do
/// not call the store.
pub trait Observer: Send + Sync + fmt::Debug {
    /// One step was done.
    fn event(&self, event: &Event);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nowhere_yet_is_no_change() {
        let kind = Kind::Put;
        let location = Location { segment: 1, offset: 0, len: 40 };
        assert!(!Event::Encoded { kind, bytes: 40 }.is_change());
        assert!(Event::Appended { kind, location, tstamp: 1 }.is_change());
    }
}
