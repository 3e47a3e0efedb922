//! Merging as the interface knows it: the plan on a page, the merge that runs behind the panes, what the last one did.
//!
//! Plain data. Invariant: what is held of a merge is bounded, however many segments and tombstones it has to do with.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::format::SegmentId;
use crate::inspect::StripMap;
use crate::store::{MergePlan, Merged};
use crate::tui::command::Inputs;

/// What is known of merges, whatever lies over the panes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergePane {
    /// Merges that were begun since the interface was.
    pub begun: u64,
    /// The one that runs; its number is [`MergePane::begun`].
    pub running: Option<Merging>,
    /// What the last one did, if nobody has looked at it yet.
    pub unseen: Option<Box<MergeOutcome>>,
    /// Segments that are to be merged together.
    pub marked: BTreeSet<SegmentId>,
}

/// A merge that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merging {
    /// What it was asked to take.
    pub inputs: Inputs,
    /// What it takes, once that is decided.
    pub taken: Vec<SegmentId>,
    /// How far it is.
    pub phase: Phase,
    /// Bytes written.
    pub done: u64,
    /// Bytes to write in all.
    pub total: u64,
    /// Time in which they were written.
    pub took: Duration,
}

/// How far a merge is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It looks what there is to do.
    #[default]
    Planning,
    /// It copies what is kept; nothing has changed yet.
    Copying,
    /// It was told to stop.
    Stopping,
    /// It puts what it wrote in its place, and cannot be stopped any more.
    Committing,
}

/// The page about a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergePage {
    /// What is, or would be, merged.
    pub inputs: Inputs,
    /// What there is to say of it.
    pub stage: MergeStage,
}

/// What a page about a merge shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MergeStage {
    /// A worker looks what would be done.
    Planning,
    /// What would be done.
    Planned(Box<PlanSeen>),
    /// Why nothing can be planned or was done; a sentence.
    Refused(String),
    /// The merge that runs.
    Running,
    /// What it did.
    Ended(Box<MergeOutcome>),
}

/// A plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanSeen {
    /// The figures.
    pub plan: MergePlan,
    /// The first of the tombstones that stay; `None` while they are looked for.
    pub kept: Option<Vec<Kept>>,
}

/// A tombstone that stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its key, escaped, and no more of it than a screen has room for.
    pub key: String,
    /// The segment that it stands in.
    pub segment: SegmentId,
    /// Where.
    pub offset: u64,
    /// It is a put whose time ran out.
    pub is_expired: bool,
    /// The segment that may hold an older version of its key.
    pub held_by: SegmentId,
}

/// What a merge did, and what it looked like before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeOutcome {
    /// The figures.
    pub merged: Merged,
    /// Its inputs as they were, or the first of them.
    pub before: Vec<SegmentStrip>,
    /// Its outputs, or the first of them.
    pub after: Vec<SegmentStrip>,
}

/// A segment of which there is a strip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentStrip {
    /// Which.
    pub segment: SegmentId,
    /// Bytes of its file.
    pub bytes: u64,
    /// The bytes by their states.
    pub map: Arc<StripMap>,
}
