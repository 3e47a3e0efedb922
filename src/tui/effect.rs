//! What the interface wants done outside of itself. `update` returns these; workers and the terminal carry them out.
//!
//! Plain data, comparable, so that a test can say what a key press led to.

mod keys;

use std::path::PathBuf;
use std::sync::Arc;

pub use self::keys::{KeyPlace, KeyView, KeysWanted, OpenBranches, Sort, open_around};
use super::command::{Command, Inputs};
use crate::format::SegmentId;
use crate::inspect::{HintPart, Sought};
use crate::store::Location;
use crate::value::View;

/// One thing to do. Where it says "newest", a later request of the kind takes the place of one that has not begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Open what lies at a path.
    Open {
        /// The path.
        path: PathBuf,
        /// Make the directory if it is missing.
        create: bool,
    },
    /// Look at the key list (newest).
    Keys(KeysWanted),
    /// Look at a record list (newest).
    Records(RecordsWanted),
    /// Look at the entries of a hint (newest).
    Hints(HintsWanted),
    /// Look for a record elsewhere (newest).
    Seek(SeekWanted),
    /// Stop looking for it.
    StopSeek,
    /// Look up where the keydir points for the key of a record (newest).
    LookUp(LookUpWanted),
    /// Take a record apart (newest).
    Record(RecordWanted),
    /// Read a value (newest).
    Value(ValueWanted),
    /// Compare two versions of a key (newest).
    Diff(DiffWanted),
    /// List what is known to be amiss (newest).
    Findings,
    /// Make strips of segments (newest).
    Maps(MapsWanted),
    /// Look where a key sits in the index (newest).
    Slot(SlotWanted),
    /// Read on what another process appends, or stop doing so for a while.
    Pause(bool),
    /// Say when a selection has rested (newest).
    Rest(HistoryWanted),
    /// Find every version of a key (newest).
    History(HistoryWanted),
    /// Stop looking for versions.
    StopHistory,
    /// Find keys that complete a prefix (newest).
    Complete(Vec<u8>),
    /// Run a command; commands run one after the other, and none is skipped.
    Run(Box<Run>),
    /// Say what a merge would do (newest).
    Plan(Inputs),
    /// Stop planning.
    StopPlan,
    /// Merge, in the background.
    Merge(Box<MergeWanted>),
    /// Stop the merge of this number, whether or not it has begun.
    StopMerge(u64),
    /// Stop the command that is running, if it can be stopped.
    Stop,
    /// Hand a text to the terminal's clipboard.
    Copy(String),
    /// Draw everything anew.
    Redraw,
    /// Put the program to sleep.
    Suspend,
    /// Leave.
    Quit,
}

/// A command, and what was on the screen when it was given, so that one answer can renew all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The command.
    pub command: Command,
    /// The same as it was typed.
    pub line: String,
    /// The key list on the screen.
    pub keys: KeysWanted,
    /// The record list on the screen.
    pub records: Option<RecordsWanted>,
}

/// A merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeWanted {
    /// Tells it from others; counts up.
    pub number: u64,
    /// What it is to take.
    pub inputs: Inputs,
    /// The command as it was typed, or would be.
    pub line: String,
}

/// A window of the records of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordsWanted {
    /// The segment.
    pub segment: SegmentId,
    /// Where the window lies.
    pub at: RecordPlace,
    /// How many rows it has.
    pub rows: usize,
}

/// A place in a record list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordPlace {
    /// By number.
    Row(usize),
    /// The row that this byte of the file belongs to.
    Offset(u64),
    /// The last one.
    Last,
}

/// A window of the rows of a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HintsWanted {
    /// The segment whose hint it is.
    pub segment: SegmentId,
    /// Where the window lies.
    pub at: HintPlace,
    /// How many rows it has.
    pub rows: usize,
}

/// A place in a hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HintPlace {
    /// By number.
    Row(usize),
    /// The entry that points at the record which starts at this byte of the segment.
    PointingAt(u64),
    /// The last one.
    Last,
}

/// A record to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeekWanted {
    /// Segment and offset to start from.
    pub from: (SegmentId, u64),
    /// Towards newer segments and the ends of files.
    pub forward: bool,
    /// What it must be.
    pub sought: Sought,
}

/// A key of a record, to be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookUpWanted {
    /// The key.
    pub key: Arc<[u8]>,
    /// Segment and offset of the record.
    pub from: (SegmentId, u64),
}

/// Strips of segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapsWanted {
    /// Those on the screen.
    pub segments: Vec<SegmentId>,
    /// The one that is worth a walk, however long it is.
    pub selected: Option<SegmentId>,
}

/// A look at the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotWanted {
    /// The key.
    pub key: Arc<[u8]>,
    /// The generation of the store: later ones are another look.
    pub generation: u64,
}

/// The past of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryWanted {
    /// The key.
    pub key: Arc<[u8]>,
}

/// A row of a record list to be taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordWanted {
    /// The segment.
    pub segment: SegmentId,
    /// Where the row starts.
    pub offset: u64,
    /// Its bytes.
    pub len: u64,
    /// What it is, if it is no record.
    pub stretch: Option<Stretch>,
}

/// Bytes that are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// They do not decode.
    Gap,
    /// They are the unsynced end of the log.
    Torn,
    /// They are the header of the file.
    Header,
    /// They are a part of the segment's hint, and the offset is one in the hint file.
    Hint(HintPart),
}

/// A value to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueWanted {
    /// The key.
    pub key: Arc<[u8]>,
    /// The record that is selected.
    pub location: Location,
    /// Whose value.
    pub of: ValueOf,
    /// As what it is to be shown, if it can be. `None`: as what it is.
    pub view: Option<View>,
    /// Which part of it.
    pub portion: Portion,
}

/// A part of a value. Only one that is longer than a window has more than a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Portion {
    /// Its start, by which it is told what it is.
    Start,
    /// What follows a byte, as it is shown already.
    From(u64, View),
}

impl Portion {
    /// Its first byte.
    pub fn from(self) -> u64 {
        match self {
            Self::Start => 0,
            Self::From(from, _) => from,
        }
    }
}

/// Whose value is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueOf {
    /// The key's, as the store answers.
    Key,
    /// The record's, whatever the keydir points at.
    Record,
}

/// Two versions of a key to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffWanted {
    /// The key.
    pub key: Arc<[u8]>,
    /// The record that was written earlier.
    pub older: Location,
    /// The record that was written later.
    pub newer: Location,
    /// As what both are to be shown, if they can be.
    pub view: Option<View>,
}
