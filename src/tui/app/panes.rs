//! What each pane knows: its cursor, what it asked for last, and what arrived.
//!
//! Plain data. Invariant: a list is held as the window that the screen shows and a margin, never whole, and so is a value;
//! only versions of a key, of which there are few, come in one piece of bounded length.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::format::SegmentId;
use crate::inspect::hint::Standing;
use crate::inspect::{Anatomy, HintRow, RecordRow, StripMap, Version};
use crate::store::{Effort, KeydirShape, KeydirSlot, Location};
use crate::tui::action::{KeyRow, KeysWork, Progress, ValuePart};
use crate::tui::dump::DumpCursor;
use crate::tui::effect::{
    HintPlace, HintsWanted, HistoryWanted, KeyView, KeysWanted, MapsWanted, OpenBranches, RecordWanted, RecordsWanted,
    SeekWanted, SlotWanted, Sort, ValueWanted,
};
use crate::tui::field::Field;
use crate::tui::filter::KeyFilter;
use crate::tui::list::{Cursor, Window};
use crate::value::{Known, View};

/// The key browser.
#[derive(Clone, Debug, Default)]
pub struct KeysPane {
    /// The selected row.
    pub cursor: Cursor,
    /// The key on it: what the selection follows when rows move.
    pub selected: Option<Arc<[u8]>>,
    /// The branch on it, if it is none of a key.
    pub branch: Option<Arc<[u8]>>,
    /// The rows at hand.
    pub window: Window<KeyRow>,
    /// How many keys pass the filter.
    pub passing: usize,
    /// The order.
    pub sort: Sort,
    /// As a tree.
    pub tree: bool,
    /// The branches that are open, whether or not they are to be seen.
    pub open: OpenBranches,
    /// What the tree is split at.
    pub delimiter: Option<u8>,
    /// The filter as typed.
    pub typed: Field,
    /// The same as understood; stays behind while what is typed cannot be read.
    pub filter: KeyFilter,
    /// What was asked for last.
    pub asked: Option<KeysWanted>,
    /// The answer to that is still to come.
    pub waiting: bool,
    /// How far the answer has come, if it takes long.
    pub work: Option<KeysWork>,
    /// The list that the rows are of.
    pub shown: Option<KeyView>,
    /// The generation of the rows.
    pub generation: u64,
}

impl KeysPane {
    /// The selected row, if it is at hand.
    pub fn row(&self) -> Option<&KeyRow> {
        self.window.get(self.cursor.at)
    }

    /// The list that is wanted now.
    pub fn view(&self) -> KeyView {
        let tree = self.tree.then(|| Arc::clone(&self.open));
        let sort = if self.tree { Sort::Name } else { self.sort };
        KeyView { filter: self.filter.clone(), sort, tree }
    }

    /// Whether the rows are of another list than the one that is being made.
    pub fn is_old(&self) -> bool {
        self.work.is_some() && self.shown.as_ref() != self.asked.as_ref().map(|asked| &asked.view)
    }
}

/// The records of one segment.
#[derive(Clone, Debug, Default)]
pub struct RecordsPane {
    /// Which segment's.
    pub segment: Option<SegmentId>,
    /// The selected row.
    pub cursor: Cursor,
    /// The offset that it is at, or that is being looked for: what the selection follows.
    pub offset: Option<u64>,
    /// The rows at hand.
    pub window: Window<RecordRow>,
    /// What was asked for last.
    pub asked: Option<RecordsWanted>,
    /// The answer to that is still to come.
    pub waiting: bool,
    /// Stay at this record though the selected key is another one: it is what the last command wrote.
    pub pinned: bool,
    /// The generation of the rows.
    pub generation: u64,
    /// The rows have their numbers of the whole list; else those begin where the window does.
    pub is_numbered: bool,
    /// The whole list is counted.
    pub is_counted: bool,
    /// The list begins with a row for the file header.
    pub has_header: bool,
    /// Bytes walked of so many, while a long segment is being walked.
    pub walking: Option<(u64, u64)>,
    /// The generation at which the rows could not be read.
    pub failed_at: Option<u64>,
    /// The segment is not among those that are loaded: its header cannot be believed.
    pub is_unlisted: bool,
    /// The segment's hint, which is shown instead of its records.
    pub hint: Option<HintPane>,
    /// The record that is being looked for in all segments.
    pub sought: Option<SeekWanted>,
    /// How far that has come.
    pub seeking: Option<Progress>,
}

impl RecordsPane {
    /// The selected row, if it is at hand. None while the hint is shown in the place of the records.
    pub fn row(&self) -> Option<&RecordRow> {
        self.window.get(self.cursor.at).filter(|_| self.hint.is_none())
    }
}

/// The hint of one segment.
#[derive(Clone, Debug, Default)]
pub struct HintPane {
    /// The selected row.
    pub cursor: Cursor,
    /// The rows at hand.
    pub window: Window<HintRow>,
    /// Where to go first.
    pub goal: Option<HintPlace>,
    /// What was asked for last.
    pub asked: Option<HintsWanted>,
    /// The answer to that is still to come.
    pub waiting: bool,
    /// The generation when it was asked for.
    pub seen_at: u64,
    /// There is a hint; `None`: not known yet.
    pub is_there: Option<bool>,
    /// All of its rows are counted.
    pub is_counted: bool,
    /// Bytes walked of so many, while a long hint is being walked.
    pub walking: Option<(u64, u64)>,
    /// What it is worth as a whole.
    pub standing: Option<Standing>,
}

impl HintPane {
    /// A hint whose rows are to be asked for around a place.
    pub fn at(goal: HintPlace) -> Self {
        Self { goal: Some(goal), ..Self::default() }
    }

    /// The selected row, if it is at hand.
    pub fn row(&self) -> Option<&HintRow> {
        self.window.get(self.cursor.at)
    }
}

/// One record.
#[derive(Clone, Debug, Default)]
pub struct RecordPane {
    /// What was asked for last.
    pub asked: Option<RecordWanted>,
    /// The answer to that, once it is there.
    pub anatomy: Option<Result<Arc<Anatomy>, String>>,
    /// The checksums are there too.
    pub is_whole: bool,
    /// The byte and the field that is looked at.
    pub cursor: DumpCursor,
}

/// One value.
#[derive(Clone, Debug, Default)]
pub struct ValuePane {
    /// What was asked for last.
    pub asked: Option<ValueWanted>,
    /// The answer to that once it is there; until then, of the same value, the part that was there before.
    pub value: Option<Result<Option<Arc<ValuePart>>, String>>,
    /// What the value is.
    pub known: Option<Known>,
    /// Damage may have hidden a newer version.
    pub suspect: bool,
    /// What is on the first line.
    pub top: ValuePlace,
    /// The end is to be on the last line once it is there.
    pub to_end: bool,
    /// Views that were asked for, by the family of the key.
    pub forced: BTreeMap<Vec<u8>, View>,
}

impl ValuePane {
    /// The part that is shown.
    pub fn part(&self) -> Option<&Arc<ValuePart>> {
        self.value.as_ref()?.as_ref().ok()?.as_ref()
    }
}

/// A place in a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ValuePlace {
    /// The byte, or the line in a view that shows parts.
    pub at: u64,
    /// The row of that line.
    pub row: usize,
}

/// The versions of one key.
#[derive(Clone, Debug, Default)]
pub struct HistoryPane {
    /// What was asked for last.
    pub asked: Option<HistoryWanted>,
    /// The selection has to rest before anything is read.
    pub resting: bool,
    /// How far the reading has come, while there is one.
    pub reading: Option<Progress>,
    /// The reading was stopped, or failed.
    pub stopped: bool,
    /// The versions, newest first.
    pub versions: Vec<Version>,
    /// How many there are on disk.
    pub total: usize,
    /// What finding them cost.
    pub effort: Effort,
    /// The selected one.
    pub cursor: Cursor,
    /// It was chosen: its value is shown rather than the key's.
    pub chosen: bool,
    /// The version that others are compared with.
    pub mark: Option<Location>,
    /// The generation of the versions.
    pub generation: u64,
}

impl HistoryPane {
    /// The selected version.
    pub fn selected(&self) -> Option<&Version> {
        self.versions.get(self.cursor.at)
    }
}

/// The strip of a segment as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strip {
    /// The bytes by their states.
    pub map: Arc<StripMap>,
    /// It comes from a walk, which tells tombstones from other dead bytes.
    pub exact: bool,
}

/// The strips on the screen.
#[derive(Clone, Debug, Default)]
pub struct StripCursor {
    /// What was asked for last.
    pub asked: Option<MapsWanted>,
    /// The selected cell of the selected segment's strip.
    pub cell: Option<usize>,
}

/// The index.
#[derive(Clone, Debug, Default)]
pub struct KeydirPane {
    /// Bytes of the keydir over time, oldest first.
    pub growth: Vec<u64>,
    /// What was asked for last.
    pub asked: Option<SlotWanted>,
    /// How full the index is.
    pub shape: Option<KeydirShape>,
    /// Where the selected key sits.
    pub slot: Option<KeydirSlot>,
    /// The first line on the screen.
    pub top: usize,
}
