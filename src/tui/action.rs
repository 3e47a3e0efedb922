//! Everything that can happen to the interface: keys, text, sizes, the time, and answers of workers.
//!
//! Plain data. Nothing happens to [`super::app::App`] but by one of these, so that a test is a list of them.

mod answers;

pub use self::answers::{
    Arrived, Branch, HintsSeen, HistorySeen, KeyRow, KeysSeen, KeysWork, List, Making, MergeEnded, Progress, Pulse,
    Ran, RecordSeen, RecordsSeen, SeekSeen, SlotSeen, ValuePart, ValueSeen,
};
use super::app::Pane;

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Action {
    /// A key of the table was pressed.
    Verb(Verb),
    /// A character was typed into the input that has the focus.
    Type(char),
    /// Text was pasted.
    Paste(String),
    /// The mouse was pressed on a cell.
    Click {
        /// Its column, from 0.
        x: u16,
        /// Its line, from 0.
        y: u16,
    },
    /// The mouse was moved while it was pressed.
    Drag {
        /// The column, from 0.
        x: u16,
        /// The line, from 0.
        y: u16,
    },
    /// The wheel was turned over a cell.
    Wheel {
        /// Its column, from 0.
        x: u16,
        /// Its line, from 0.
        y: u16,
        /// Towards the end.
        down: bool,
    },
    /// The terminal has this many cells.
    Resized(Size),
    /// It is this late: microseconds since 1970.
    Clock(u64),
    /// A worker has something to say.
    Arrived(Arrived),
}

/// Cells of a screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Size {
    pub width: u16,
    pub height: u16,
}

/// What a person can ask for with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table in keymap has a sentence on each")]
pub enum Verb {
    Move(Motion),
    Focus(Pane),
    NextPane,
    PreviousPane,
    Zoom,
    Unzoom,
    Enter,
    Leave,
    Filter,
    NextMatch,
    PreviousMatch,
    Sort,
    Tree,
    CommandLine,
    Help,
    Verify,
    Merge,
    PlanMerge(Extent),
    MarkSegment,
    StopMerge,
    Findings,
    Delete,
    NextView,
    DetectedView,
    Mark,
    Compare,
    PutBack,
    Copy,
    ChooseCopy,
    CopyPart(Part),
    CellBefore,
    CellAfter,
    Follow,
    Pause,
    HelpFilter,
    Redraw,
    Suspend,
    Quit,
    Interrupt,
    Edit(Edit),
    Submit,
    Cancel,
    Older,
    Newer,
    Complete,
    SearchHistory,
    Yes,
    No,
    ToggleHint,
    GoToOther,
    GoToKeydir,
    Seek(Target, bool),
    PreviousByte,
    NextByte,
}

/// Which segments a merge is planned of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Extent {
    Policy,
    All,
    Selected,
}

/// What can be looked for from a record on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Target {
    Version,
    Tombstone,
    Damage,
}

/// What can be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Part {
    Key,
    Value,
    Record,
    Place,
}

/// A step in a list or a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Motion {
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    First,
    Last,
}

impl Motion {
    /// Every motion.
    pub const ALL: [Self; 10] = [
        Self::Up,
        Self::Down,
        Self::Left,
        Self::Right,
        Self::PageUp,
        Self::PageDown,
        Self::HalfUp,
        Self::HalfDown,
        Self::First,
        Self::Last,
    ];
}

/// A change to the line being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Edit {
    Left,
    Right,
    Start,
    End,
    Backspace,
    Delete,
    CutToStart,
    CutToEnd,
    CutWord,
}

impl Edit {
    /// Every edit.
    pub const ALL: [Self; 9] = [
        Self::Left,
        Self::Right,
        Self::Start,
        Self::End,
        Self::Backspace,
        Self::Delete,
        Self::CutToStart,
        Self::CutToEnd,
        Self::CutWord,
    ];
}
