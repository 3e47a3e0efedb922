//! What workers have to say: answers to looks, the outcome of commands, and what moved by itself.
//!
//! Plain data. An answer says what was asked, and which state of the store it shows, so that one that nobody waits for any
//! more, or that is older than what the screen shows, can be told.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::format::SegmentId;
use crate::inspect::hint::Standing;
use crate::inspect::{Anatomy, Found, HintRow, RecordRow, Version};
use crate::store::{Effort, Entry, KeydirShape, KeydirSlot};
use crate::tui::app::{Content, Figures, MergeOutcome, Opened, PlanSeen, Said, Step};
use crate::tui::command::Inputs;
use crate::tui::difference::DiffPage;
use crate::tui::effect::{
    HintsWanted, HistoryWanted, KeyView, KeysWanted, LookUpWanted, RecordWanted, RecordsWanted, SeekWanted, SlotWanted,
    ValueWanted,
};
use crate::tui::findings::FindingsPage;
use crate::tui::wrap::{HexShape, hex_shape};
use crate::value::{Known, Line, View};

/// What a worker has to say.
#[derive(Clone, Debug)]
pub enum Arrived {
    /// Opening has read this much.
    Loading {
        /// Bytes read.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// A store is open.
    Opened(Box<Opened>),
    /// The directory does not exist.
    Missing(PathBuf),
    /// The directory holds stores; one is to be chosen.
    Choose(Vec<PathBuf>),
    /// There is nothing that could be opened; a sentence says why.
    Refused(String),
    /// A window of the key list.
    Keys(KeysSeen),
    /// A key list is being made, and nothing of it can be shown yet.
    MakingKeys {
        /// Which.
        view: KeyView,
        /// How far.
        work: KeysWork,
    },
    /// A window of a record list.
    Records(RecordsSeen),
    /// Rows of a record list that were counted so far.
    Counting {
        /// Whose.
        segment: SegmentId,
        /// How many.
        rows: usize,
        /// Bytes walked.
        done: u64,
        /// Bytes to walk.
        total: u64,
    },
    /// A window of a hint's rows.
    Hints(HintsSeen),
    /// Rows of a hint that were counted so far.
    CountingHint {
        /// Whose.
        segment: SegmentId,
        /// Bytes walked.
        done: u64,
        /// Bytes to walk.
        total: u64,
    },
    /// What a hint is worth as a whole.
    HintStanding {
        /// Whose.
        segment: SegmentId,
        /// The verdict.
        standing: Standing,
    },
    /// A record is being looked for.
    Seeking {
        /// Which.
        wanted: SeekWanted,
        /// How far.
        progress: Progress,
    },
    /// The outcome of looking for a record.
    Sought(SeekSeen),
    /// Where the keydir points for a record's key.
    LookedUp {
        /// What was asked for.
        wanted: LookUpWanted,
        /// Its entry; `None` if the key has none.
        entry: Option<Entry>,
    },
    /// A record taken apart.
    Record(RecordSeen),
    /// A value.
    Value(ValueSeen),
    /// A selection has rested.
    Rested(HistoryWanted),
    /// The versions of a key are being looked for.
    ReadingHistory {
        /// Whose.
        wanted: HistoryWanted,
        /// How far.
        progress: Progress,
    },
    /// The versions of a key.
    History(HistorySeen),
    /// A command ended.
    Ran(Box<Ran>),
    /// The store moved by itself, or more is known of it.
    Followed(Box<Figures>),
    /// Another process moved the store.
    Pulse {
        /// The store afterwards.
        figures: Box<Figures>,
        /// How much.
        pulse: Pulse,
    },
    /// Bytes that another process appended during a pause.
    Behind(u64),
    /// Where a key sits in the index.
    Slot(Box<SlotSeen>),
    /// The difference between two versions. An error is a sentence.
    Diff(Result<DiffPage, String>),
    /// What is known to be amiss.
    Findings(FindingsPage),
    /// A long command has done this much.
    Progress(Progress),
    /// What a merge would do.
    Planned {
        /// The merge of what.
        inputs: Inputs,
        /// The plan. An error is a sentence.
        plan: Result<Box<PlanSeen>, String>,
    },
    /// A merge has begun to copy these segments.
    MergeStarted(Vec<SegmentId>),
    /// A merge has written so much.
    Merging {
        /// Bytes written.
        done: u64,
        /// Bytes to write in all.
        total: u64,
        /// Since it began to copy.
        took: Duration,
    },
    /// A merge puts what it wrote in its place, or is done with that: it cannot be stopped any more.
    Committing,
    /// A merge ended.
    MergeEnded(Box<MergeEnded>),
    /// Keys that complete what is typed.
    Completions {
        /// What they complete.
        prefix: Vec<u8>,
        /// The first of them in byte order.
        keys: Vec<Arc<[u8]>>,
    },
    /// A list could not be read; a sentence says why.
    Unread {
        /// Which list.
        list: List,
        /// Why.
        reason: String,
    },
    /// What another process appended cannot be read on; it is tried again. A sentence says why.
    Stalled(String),
    /// The process that had the store open for writing has ended.
    WriterEnded,
    /// A worker is gone for good; a sentence says so.
    Failed(String),
}

/// A list that is read from a segment's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Its records.
    Records,
    /// The parts of its hint.
    Hint,
}

/// What another process did since the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Records that it appended.
    pub records: u64,
    /// Bytes by which files grew.
    pub bytes: u64,
    /// Since when.
    pub took: Duration,
}

/// The index as it is built, and where one key sits in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotSeen {
    /// What was asked for.
    pub wanted: SlotWanted,
    /// The whole.
    pub shape: KeydirShape,
    /// The key's slot; `None` if the index has no such key.
    pub slot: Option<KeydirSlot>,
}

/// How far a long command has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Progress {
    pub what: &'static str,
    pub done: u64,
    pub total: u64,
}

/// One line of the key list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// The key; on the line of a branch, what its keys begin with.
    pub key: Arc<[u8]>,
    /// Its entry; `None` if it went away since the list was made, or for a branch.
    pub entry: Option<Entry>,
    /// How many branches it is in.
    pub depth: usize,
    /// Bytes of the key that these branches tell already.
    pub stem: usize,
    /// What a branch has to say.
    pub branch: Option<Branch>,
}

/// A branch of the key tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// How many keys it holds, those of branches in it included.
    pub keys: usize,
    /// Its keys are on the lines below.
    pub open: bool,
}

/// What a worker does to make a key list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    /// It reads the keydir.
    Reading,
    /// It looks which keys pass the filter.
    Filtering,
    /// It puts them in order.
    Sorting,
    /// It gathers them into branches.
    Branching,
}

impl Making {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Filtering => "filtering",
            Self::Sorting => "sorting",
            Self::Branching => "branching",
        }
    }
}

/// How far the making of a key list has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct KeysWork {
    pub making: Making,
    pub done: usize,
    pub total: usize,
}

/// A window of the key list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysSeen {
    /// What was asked for.
    pub wanted: KeysWanted,
    /// The state of the store that it shows; higher is later.
    pub generation: u64,
    /// Lines of the list.
    pub total: usize,
    /// Keys that pass the filter.
    pub keys: usize,
    /// The number of the first line at hand.
    pub from: usize,
    /// The lines.
    pub rows: Vec<KeyRow>,
    /// The line that was asked about, or the one that took its place.
    pub place: usize,
    /// What the tree is split at; `None`: it is no tree.
    pub delimiter: Option<u8>,
    /// It is still being made: more lines follow those that are there.
    pub work: Option<KeysWork>,
}

/// A window of a record list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordsSeen {
    /// What was asked for.
    pub wanted: RecordsWanted,
    /// The state of the store that it shows; higher is later.
    pub generation: u64,
    /// Rows of the segment as far as they have been counted.
    pub total: usize,
    /// The number of the first row.
    pub from: usize,
    /// The rows.
    pub rows: Vec<RecordRow>,
    /// The row that was asked about, or the one that took its place.
    pub place: usize,
    /// The numbers are those of the whole list; else they begin with the first row of the window.
    pub is_numbered: bool,
    /// All rows of the segment have been counted.
    pub is_counted: bool,
    /// The first row of the list is the file header.
    pub has_header: bool,
}

/// A window of a hint's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HintsSeen {
    /// What was asked for.
    pub wanted: HintsWanted,
    /// There is a hint.
    pub is_there: bool,
    /// Rows of the hint as far as they have been counted.
    pub total: usize,
    /// All rows of the hint have been counted.
    pub is_counted: bool,
    /// The number of the first row.
    pub from: usize,
    /// The rows.
    pub rows: Vec<HintRow>,
    /// The row that was asked about.
    pub place: usize,
}

/// The outcome of looking for a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeekSeen {
    /// What was asked for.
    pub wanted: SeekWanted,
    /// Where it is, if there is one. An error is a sentence.
    pub found: Result<Option<Found>, String>,
}

/// A record taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSeen {
    /// What was asked for.
    pub wanted: RecordWanted,
    /// The record. An error is a sentence.
    pub anatomy: Result<Arc<Anatomy>, String>,
    /// Its checksums are there too; else they follow.
    pub is_whole: bool,
}

/// The versions of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistorySeen {
    /// What was asked for.
    pub wanted: HistoryWanted,
    /// The state of the store that it shows; higher is later.
    pub generation: u64,
    /// The newest of them, newest first. An error is a sentence.
    pub versions: Result<Vec<Version>, String>,
    /// How many there are.
    pub total: usize,
    /// What finding them cost.
    pub effort: Effort,
}

/// The answer to a look at a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueSeen {
    /// What was asked for.
    pub wanted: ValueWanted,
    /// The value, or a part of it; `Ok(None)`: the key has none. An error is a sentence.
    pub value: Result<Option<Arc<ValuePart>>, String>,
    /// Damage may have hidden a newer version.
    pub suspect: bool,
}

/// As much of a value as is shown: no more than a window of its bytes, and their lines in one view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuePart {
    /// The bytes at hand.
    pub bytes: Vec<u8>,
    /// Where they begin in the value.
    pub from: u64,
    /// Bytes of the whole value.
    pub whole: u64,
    /// What the value is; told by its head alone.
    pub known: Option<Known>,
    /// As what it is shown.
    pub view: View,
    /// The lines of a view that shows parts; text and hexadecimal are laid out as they are painted.
    pub lines: Vec<Line>,
    /// The value was too long to be read whole, so its checksum, which the format has, was not computed.
    pub unchecked: bool,
    /// It is stored compressed, so only its head can be shown.
    pub compressed: bool,
}

impl ValuePart {
    /// Its rows in hexadecimal, in so many cells.
    pub fn hex_shape(&self, cells: usize) -> HexShape {
        hex_shape(usize::try_from(self.whole).unwrap_or(usize::MAX), cells)
    }
}

/// How a merge ended.
#[derive(Clone, Debug)]
pub struct MergeEnded {
    /// The line under the command.
    pub said: Said,
    /// What it did; `None` if nothing has changed. An error is a sentence.
    pub outcome: Result<Option<Box<MergeOutcome>>, String>,
    /// The store's figures afterwards.
    pub figures: Figures,
    /// The command as it was typed.
    pub line: String,
    /// What the engine did for it.
    pub steps: Vec<Step>,
}

/// How a command ended: its answer, and the whole screen's new state as of one moment.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The line under the command.
    pub said: Said,
    /// The store's figures afterwards.
    pub figures: Figures,
    /// The key list afterwards; `None` while it is still being sorted.
    pub keys: Option<KeysSeen>,
    /// The record list of the segment that was written to.
    pub records: Option<RecordsSeen>,
    /// A page to show.
    pub page: Option<Content>,
    /// It was the one whose progress is on the screen.
    pub was_long: bool,
    /// The command as it was typed.
    pub line: String,
    /// What the engine did for it.
    pub steps: Vec<Step>,
}
