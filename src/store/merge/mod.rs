//! Merging: live records of sealed segments are written together into new ones, and what was dead gives its bytes back.
//!
//! [`choice`] and [`plan`] say what would be done, [`judge`] what becomes of each record and [`fates`] of all, [`copy`]
//! writes it ([`input`], [`outputs`], [`settling`]), [`commit`] puts it in its place and the keydir with it ([`moves`]),
//! [`resume`] ends what a crash interrupted, with [`again`] for names that the disk may not have, [`auto`] does it unasked.
//!
//! # Invariants
//!
//! 1. Puts, gets and deletes go on throughout. One merge at a time.
//! 2. Until `MERGE` is there nothing has changed; from then on the merge is done, whatever happens.
//! 3. A segment of which a byte does not hold is never an input: what is damaged stays for [`repair`](crate::store) and for
//!    people, and undamaged records are never lost for its sake.

mod again;
mod auto;
mod choice;
mod commit;
mod control;
mod copy;
mod entries;
mod fates;
mod input;
mod judge;
mod live;
mod moves;
mod output;
mod outputs;
mod plan;
mod resume;
mod settling;

use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::format::{MergePart, SegmentId};

use super::Store;
use super::events::Event;
use super::inner::Inner;
use super::report::{Finding, FindingKind, Severity};
use super::writer::Writer;

pub(super) use auto::{Auto, start as start_auto};
pub use choice::{AutoMerge, MergeChoice, MergePolicy};
pub(super) use commit::{commit, set_aside_names};
pub use control::MergeControl;
pub(super) use entries::{Stop, visit};
pub(super) use input::Input;
pub(super) use outputs::Outputs;
pub use plan::{KeptTombstone, LeftOut, MergeInput, MergePlan, WhyMerged};
pub(super) use resume::{apply, read, resume};

use copy::Copied;
use entries::Damage;
use plan::When;

/// What a merge did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// The segments that are gone.
    pub inputs: Vec<SegmentId>,
    /// The segments that took their place.
    pub outputs: Vec<SegmentId>,
    /// Bytes that were read.
    pub read_bytes: u64,
    /// Bytes of the new segments.
    pub written_bytes: u64,
    /// Bytes of segments that the directory has less now.
    pub freed_bytes: u64,
    /// Live records that were copied.
    pub records: u64,
    /// Tombstones, and puts whose time ran out, that had nothing left to hide and are gone.
    pub tombstones_dropped: u64,
    /// Those that stayed.
    pub tombstones_kept: u64,
    /// How long it took.
    pub took: Duration,
}

impl Store {
    /// What [`Store::merge`] would do now. Reads hints, and records of segments without one; changes nothing. Works on a
    /// store that was opened for reading too.
    pub fn merge_plan(&self, choice: &MergeChoice) -> Result<MergePlan> {
        self.merge_plan_until(choice, &MergeControl::default())
    }

    /// [`Store::merge_plan`] that can be cancelled.
    pub fn merge_plan_until(&self, choice: &MergeChoice, control: &MergeControl) -> Result<MergePlan> {
        self.flush()?;
        Ok(plan::plan(&self.inner, choice, When::Asked, control)?.0)
    }

    /// Tells of each tombstone that would stay in the merge of `plan`, and which segment holds it back.
    pub fn kept_tombstones(&self, plan: &MergePlan, tell: &mut dyn FnMut(KeptTombstone<'_>)) -> Result<()> {
        self.kept_tombstones_until(plan, &MergeControl::default(), tell)
    }

    /// [`Store::kept_tombstones`] that can be cancelled, as by who has heard enough.
    pub fn kept_tombstones_until(
        &self,
        plan: &MergePlan,
        control: &MergeControl,
        tell: &mut dyn FnMut(KeptTombstone<'_>),
    ) -> Result<()> {
        match fates::tell_of_kept(&self.inner, &plan.input_ids(), control, tell) {
            Err(Stop::Failed(error)) => Err(error),
            // What is damaged was planned to be left out, and will be.
            Ok(()) | Err(Stop::Damaged(_)) => Ok(()),
        }
    }

    /// Merges and returns when the bytes are free; `Ok(None)` if there was nothing to gain. Others may write and read
    /// meanwhile. What was durable stays durable: all that was written before is synced on return.
    ///
    /// Errors that leave the store as it was: [`Error::Merging`], [`Error::MergeCancelled`], [`Error::NoSpace`],
    /// [`Error::BadOption`], [`Error::Io`] about a file with a temporary name. Any other stops the writer; the next open
    /// brings the merge to its end.
    pub fn merge(&self, choice: &MergeChoice, control: &MergeControl) -> Result<Option<Merged>> {
        merge(&self.inner, choice, control)
    }
}

/// One merge, from the choice to the freed bytes.
pub(super) fn merge(inner: &Inner, choice: &MergeChoice, control: &MergeControl) -> Result<Option<Merged>> {
    let writer = inner.writer()?;
    let Some(_one_at_a_time) = writer.merging.try_lock() else {
        return Err(Error::Merging { dir: inner.dir.clone() });
    };
    let started = Instant::now();
    seal(inner, writer, choice)?;
    // None is written any more for a segment that is about to go.
    writer.late_hints.settle();
    loop {
        let (plan, judge) = plan::plan(inner, choice, When::Begun, control)?;
        if plan.inputs.is_empty() {
            return Ok(None);
        }
        check_space(inner, writer, &plan)?;
        control.begin(plan.written_bytes);
        inner.tell(|| Event::MergeStarted { inputs: plan.input_ids(), bytes: plan.input_bytes() });
        match copy::copy(writer, &judge, &plan.input_ids(), control) {
            Ok(copied) => return finish(inner, writer, &plan, copied, control, started).map(Some),
            // Damage that nobody knew of: that segment is left out from now on.
            Err((segment, Stop::Damaged(damage))) => inner.note(finding(inner, segment, &damage)),
            Err((_, Stop::Failed(error))) => return Err(abandoned(inner, error)),
        }
    }
}

/// `All` takes the active segment too: it is sealed, and puts go on in a new one.
fn seal(inner: &Inner, writer: &Writer, choice: &MergeChoice) -> Result<()> {
    let mut core = writer.core.lock();
    writer.check_alive()?;
    match &core.active {
        Some(log) if *choice == MergeChoice::All && log.len > log.segment.header.len => writer.rotate(inner, &mut core),
        _ => writer.flush(inner, &mut core),
    }
}

/// Outputs and inputs are there side by side for a while.
fn check_space(inner: &Inner, writer: &Writer, plan: &MergePlan) -> Result<()> {
    let needed = plan.written_bytes.saturating_add(plan.hint_bytes);
    match writer.disk.free_space(&inner.dir) {
        Some(free) if free < needed => {
            let error = Error::NoSpace { path: inner.dir.clone(), needed };
            Err(abandoned(inner, error))
        }
        // A file system that does not say is found out by writing.
        _ => Ok(()),
    }
}

fn finish(
    inner: &Inner,
    writer: &Writer,
    plan: &MergePlan,
    copied: Copied,
    control: &MergeControl,
    started: Instant,
) -> Result<Merged> {
    let ids: Vec<SegmentId> = copied.written.outputs.iter().map(|output| output.part.id).collect();
    let parts = parts(inner, plan);
    // Files that somebody counts on stay until he is done; those who come during the commit wait.
    let _files = inner.unpin_files();
    if control.is_cancelled() {
        output::discard(inner, &*writer.disk, ids.iter().copied());
        return Err(abandoned(inner, copy::cancelled(inner)));
    }
    control.commit();
    if let Err(error) = commit(inner, writer, &parts, &copied.written, false) {
        if writer.check_alive().is_ok() {
            output::discard(inner, &*writer.disk, ids.iter().copied());
        }
        return Err(abandoned(inner, error));
    }
    let freed_bytes = plan.input_bytes().saturating_sub(copied.written_bytes);
    inner.tell(|| Event::Merged { inputs: plan.input_ids(), outputs: ids.clone(), freed_bytes });
    Ok(Merged {
        inputs: plan.input_ids(),
        outputs: ids,
        read_bytes: copied.read_bytes,
        written_bytes: copied.written_bytes,
        freed_bytes,
        records: copied.records,
        tombstones_dropped: copied.tombstones_dropped,
        tombstones_kept: copied.tombstones_kept,
        took: started.elapsed(),
    })
}

fn parts(inner: &Inner, plan: &MergePlan) -> Vec<MergePart> {
    let contents = inner.contents();
    let segments = plan.inputs.iter().filter_map(|input| contents.segment(input.segment));
    segments.map(|segment| MergePart { id: segment.id, salt: segment.header.salt, len: segment.data_len() }).collect()
}

fn abandoned(inner: &Inner, error: Error) -> Error {
    inner.tell(|| Event::MergeAbandoned { reason: error.to_string() });
    error
}

/// What a merge found in a segment that was taken for whole.
fn finding(inner: &Inner, segment: SegmentId, damage: &Damage) -> Finding {
    Finding {
        severity: Severity::Damage,
        kind: FindingKind::DamagedRecord,
        path: inner.dir.join(inner.format.segment_name(segment)),
        segment: Some(segment),
        offset: Some(damage.offset),
        len: Some(damage.len),
        key: damage.key.clone(),
        message: format!("the record does not hold: {}; its segment is left out of merges", damage.check),
    }
}
