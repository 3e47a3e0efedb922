//! The whole state of the interface: plain data, changed by `update` alone and read by the view.
//!
//! No terminal type, no clock, no file and no store: what is known of the store arrived as an answer. Lists are held
//! as the window that the screen shows and a margin, never whole.

mod follow;
mod merge;
mod panes;
mod trace;

use std::path::PathBuf;
use std::sync::Arc;

pub use self::follow::Follow;
pub use self::merge::{Kept, MergeOutcome, MergePage, MergePane, MergeStage, Merging, Phase, PlanSeen, SegmentStrip};
pub use self::panes::{
    HintPane, HistoryPane, KeydirPane, KeysPane, RecordPane, RecordsPane, Strip, StripCursor, ValuePane, ValuePlace,
};
pub use self::trace::{Step, TracePane, Traced};
use super::action::{Progress, Size};
use super::difference::DiffPage;
use super::field::Field;
use super::findings::FindingsPage;
use super::list::Cursor;
use crate::error::LockHolder;
use crate::format::SegmentId;
use crate::store::{Location, Mode, SegmentInfo, Stats};

/// A part of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// The key browser.
    #[default]
    Keys,
    /// The segment files.
    Segments,
    /// The records of one segment.
    Records,
    /// One record.
    Record,
    /// One value.
    Value,
    /// The versions of one key.
    History,
    /// The index.
    Keydir,
    /// What the last commands did.
    Trace,
}

impl Pane {
    /// Every pane, in the order of Tab.
    pub const ALL: [Self; 8] = [
        Self::Keys,
        Self::Segments,
        Self::Records,
        Self::Record,
        Self::Value,
        Self::History,
        Self::Keydir,
        Self::Trace,
    ];

    /// Its name, on its border and in the help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Keys => "Keys",
            Self::Segments => "Segments",
            Self::Records => "Records",
            Self::Record => "Record",
            Self::Value => "Value",
            Self::History => "History",
            Self::Keydir => "Keydir",
            Self::Trace => "Trace",
        }
    }

    /// The digit that leads to it; records are reached through their segment.
    pub fn digit(self) -> Option<char> {
        match self {
            Self::Keys => Some('1'),
            Self::Segments => Some('2'),
            Self::Records => None,
            Self::Record => Some('3'),
            Self::Value => Some('4'),
            Self::History => Some('5'),
            Self::Keydir => Some('6'),
            Self::Trace => Some('7'),
        }
    }

    /// Whether its first line names columns.
    pub fn has_headings(self) -> bool {
        matches!(self, Self::Keys | Self::Segments | Self::Records | Self::History)
    }
}

/// Which list decides what the other panes show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lead {
    /// The selected key: its segment, its record, its value.
    #[default]
    Keys,
    /// The selected segment: its first record.
    Segments,
    /// The selected record.
    Records,
}

/// How far opening has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// A worker is at it; bytes read and to read, once it knows.
    #[default]
    Opening,
    /// Records are being loaded.
    Loading {
        /// Bytes read.
        done: u64,
        /// Bytes to read.
        total: u64,
    },
    /// There is no such directory: shall it be made?
    AskCreate(PathBuf),
    /// Several stores lie there.
    Choose {
        /// Their directories.
        members: Vec<PathBuf>,
        /// Which is selected.
        cursor: Cursor,
    },
    /// There is nothing to open; a sentence says why.
    Refused(String),
    /// A store is open.
    Open,
}

/// What a freshly opened store says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its figures.
    pub figures: Figures,
    /// The process that has it open for writing.
    pub writer: Option<Writer>,
}

/// Another process that writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writer {
    /// Known by its lock file.
    Known(LockHolder),
    /// It did not say who it is.
    Unknown,
}

/// The store as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// How often this process has seen it change; higher is later.
    pub generation: u64,
    /// Tells those of one generation apart, as by what is durable of it; higher is later.
    pub number: u64,
    /// The whole.
    pub stats: Stats,
    /// Each segment, by id.
    pub segments: Vec<SegmentInfo>,
    /// The strips that are made so far, by segment.
    pub maps: Vec<(SegmentId, Strip)>,
    /// The newest record that was appended since the store was opened.
    pub last: Option<Location>,
}

/// What is being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// A command.
    Command,
    /// The keys' filter.
    Filter,
    /// The help's filter.
    HelpFilter,
}

/// The command line.
#[derive(Clone, Debug, Default)]
pub struct CommandPane {
    /// What is typed.
    pub field: Field,
    /// Earlier commands, oldest first.
    pub history: Vec<String>,
    /// Which of them is shown, and what was typed before.
    pub recalled: Option<(usize, String)>,
    /// What the history is being searched for.
    pub search: Option<String>,
    /// Keys that complete what is typed, where there are several.
    pub offered: Vec<Arc<[u8]>>,
}

/// The character of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It worked.
    Good,
    /// It is so.
    Plain,
    /// It did not work, or something is wrong.
    Bad,
}

/// The line under the command. Its text is escaped already.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Said {
    pub tone: Tone,
    pub text: String,
}

/// A page of text that lies over the panes. Its lines are escaped already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// On its border.
    pub title: String,
    /// Its lines.
    pub lines: Vec<String>,
}

/// What lies over the panes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The keys and the commands.
    Help,
    /// What a command had to say at length.
    Report(Report),
    /// What was found to be amiss.
    Findings(FindingsPage),
    /// The difference between two versions.
    Diff(DiffPage),
    /// What a merge would do, does, or did.
    Merge(MergePage),
}

/// An old value to be put back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PutBack {
    pub key: Arc<[u8]>,
    pub from: Location,
}

/// A page and how far it is scrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Page {
    pub content: Content,
    pub top: usize,
}

/// Everything.
#[derive(Clone, Debug, Default)]
pub struct App {
    /// The screen.
    pub size: Size,
    /// Microseconds since 1970.
    pub now: u64,
    /// The path that was asked for.
    pub path: PathBuf,
    /// How far opening has come.
    pub stage: Stage,
    /// The store, once it is open.
    pub figures: Option<Figures>,
    /// Another process that writes to it.
    pub writer: Option<Writer>,
    /// The pane that keys go to.
    pub focus: Pane,
    /// The list that the panes follow.
    pub lead: Lead,
    /// The pane with the focus has the whole screen.
    pub zoomed: bool,
    /// Which of record, value, history and keydir is shown where they take turns.
    pub tab: Pane,
    /// Pane 1.
    pub keys: KeysPane,
    /// The selected segment of pane 2.
    pub segments: Cursor,
    /// The strips of the segments.
    pub strips: StripCursor,
    /// The records below it.
    pub records: RecordsPane,
    /// Pane 3.
    pub record: RecordPane,
    /// Pane 4.
    pub value: ValuePane,
    /// Pane 5.
    pub history: HistoryPane,
    /// Pane 6.
    pub keydir: KeydirPane,
    /// Pane 7.
    pub trace: TracePane,
    /// Going along with what is appended.
    pub follow: Follow,
    /// Merging.
    pub merge: MergePane,
    /// What is being typed.
    pub typing: Option<Typing>,
    /// The command line.
    pub command: CommandPane,
    /// The key that is to be deleted, if the answer is yes.
    pub asked_delete: Option<Arc<[u8]>>,
    /// What is to be copied is being chosen.
    pub copying: bool,
    /// What lines of the help must hold.
    pub help_filter: Field,
    /// The merge that is to be given up for leaving, if the answer is yes.
    pub asked_quit: bool,
    /// The old value that is to be put back, if the answer is yes.
    pub asked_put_back: Option<PutBack>,
    /// What lies over the panes.
    pub page: Option<Page>,
    /// The line under the command.
    pub said: Option<Said>,
    /// How far a long command has come.
    pub progress: Option<Progress>,
    /// Ctrl-c was pressed once.
    pub interrupted: bool,
}

impl App {
    /// An interface that is about to open `path`.
    pub fn new(path: PathBuf, size: Size, now: u64) -> Self {
        Self { path, size, now, tab: Pane::Value, ..Self::default() }
    }

    /// Whether a yes or a no is wanted.
    pub fn is_asking(&self) -> bool {
        let is_asking = self.asked_delete.is_some() || self.asked_put_back.is_some() || self.asked_quit;
        is_asking || matches!(self.stage, Stage::AskCreate(_))
    }

    /// Whether this process may write to the store.
    pub fn is_writable(&self) -> bool {
        self.figures.as_ref().is_some_and(|figures| figures.stats.mode == Mode::ReadWrite)
    }

    /// Whether one of several stores is to be chosen.
    pub fn is_choosing(&self) -> bool {
        matches!(self.stage, Stage::Choose { .. })
    }

    /// The segments of the store.
    pub fn segment_rows(&self) -> &[SegmentInfo] {
        self.figures.as_ref().map_or(&[], |figures| &figures.segments)
    }

    /// The strip of a segment, if it is made.
    pub fn strip(&self, segment: SegmentId) -> Option<&Strip> {
        let maps = self.figures.as_ref().map(|figures| figures.maps.as_slice())?;
        let at = maps.binary_search_by_key(&segment, |(id, _)| *id).ok()?;
        maps.get(at).map(|(_, strip)| strip)
    }

    /// Why nothing can be written beside another process that does, to somebody who has not asked for that.
    pub fn held(&self) -> String {
        let holder = match &self.writer {
            Some(Writer::Known(holder)) => format!("process {}", holder.pid),
            _ => "another process".to_owned(),
        };
        format!("nothing can be written until its writer has ended and the store is opened again: held by {holder}")
    }

    /// Says something on the line under the command. `text` is escaped already.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.said = Some(Said { tone, text: text.into() });
    }
}
