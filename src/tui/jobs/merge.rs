//! Planning merges and doing them, with what a screen shows of that: the tombstones that stay, the strips before and after.
//!
//! It must not know how they are painted. Invariant: what is held beside the engine's own work is bounded by [`KEPT`]
//! tombstones and [`STRIPS`] strips.

use super::session::Session;
use crate::error::Error;
use crate::format::SegmentId;
use crate::inspect::map::outlines;
use crate::store::{KeptTombstone, MergeChoice, MergeControl, MergePlan, MergePolicy, Merged, SegmentInfo};
use crate::text;
use crate::tui::action::{Arrived, MergeEnded};
use crate::tui::app::{Kept, MergeOutcome, PlanSeen, Said, SegmentStrip, Tone};
use crate::tui::command::Inputs;
use crate::tui::effect::MergeWanted;
use crate::tui::trace::ids;

/// Tombstones of a plan that are listed; its figures count all.
const KEPT: usize = 1000;
/// Cells of a key in that list.
const KEY_CELLS: usize = 120;
/// Segments whose strips are shown before and after.
const STRIPS: usize = 256;

fn choice(inputs: &Inputs) -> MergeChoice {
    match inputs {
        Inputs::Policy => MergeChoice::Policy(MergePolicy::default()),
        Inputs::All => MergeChoice::All,
        Inputs::These(ids) => MergeChoice::Segments(ids.clone()),
    }
}

/// Answers with the figures as soon as they are there, and again with the tombstones that stay, if any do.
pub(super) fn plan(session: &Session, inputs: &Inputs, control: &MergeControl, answer: &dyn Fn(Arrived)) {
    let told = |plan| answer(Arrived::Planned { inputs: inputs.clone(), plan });
    let plan = match session.store().merge_plan_until(&choice(inputs), control) {
        Ok(plan) => plan,
        Err(Error::MergeCancelled { .. }) => return,
        Err(e) => return told(Err(e.to_string())),
    };
    let stay = plan.tombstones_kept() > 0;
    let seen = PlanSeen { plan, kept: (!stay).then(Vec::new) };
    told(Ok(Box::new(seen.clone())));
    if stay {
        let kept = kept(session, &seen.plan, control);
        told(kept.map(|kept| Box::new(PlanSeen { kept: Some(kept), ..seen })).map_err(|e| e.to_string()));
    }
}

fn kept(session: &Session, plan: &MergePlan, control: &MergeControl) -> Result<Vec<Kept>, Error> {
    let mut kept = Vec::new();
    let read = session.store().kept_tombstones_until(plan, control, &mut |tombstone| {
        kept.push(row(&tombstone));
        if kept.len() >= KEPT {
            control.cancel();
        }
    });
    kept.truncate(KEPT);
    match read {
        Ok(()) | Err(Error::MergeCancelled { .. }) => Ok(kept),
        Err(e) => Err(e),
    }
}

fn row(tombstone: &KeptTombstone<'_>) -> Kept {
    let KeptTombstone { key, segment, offset, is_expired, held_by, .. } = *tombstone;
    let key = if key.is_empty() { "the empty key".to_owned() } else { text::escape_to_width(key, KEY_CELLS).text };
    Kept { key, segment, offset, is_expired, held_by }
}

/// Merges, and says what came of it.
pub(super) fn merge(session: &Session, wanted: MergeWanted, control: &MergeControl) -> MergeEnded {
    let before = strips(session, |_| true);
    let work = || session.store().merge(&choice(&wanted.inputs), control);
    let (result, steps) = session.recorder().record(work);
    session.merged();
    let (said, outcome) = match result {
        Ok(Some(merged)) => {
            let (tone, text) = (Tone::Good, told(&merged));
            (Said { tone, text }, Ok(Some(Box::new(outcome(session, merged, before)))))
        }
        Ok(None) => (plain("merge: there is nothing to gain"), Ok(None)),
        Err(Error::MergeCancelled { .. }) => (plain("merge: cancelled; nothing has changed"), Ok(None)),
        Err(e) => (Said { tone: Tone::Bad, text: e.to_string() }, Err(e.to_string())),
    };
    MergeEnded { said, outcome, figures: session.figures(), line: wanted.line, steps }
}

fn plain(text: &str) -> Said {
    Said { tone: Tone::Plain, text: text.to_owned() }
}

/// `merge: segments 1 and 2 became segment 4; 2.1 MiB came back in 1.1 s`.
fn told(merged: &Merged) -> String {
    let (inputs, outputs) = (ids(&merged.inputs), ids(&merged.outputs));
    let (freed, took) = (text::size(merged.freed_bytes), text::duration(merged.took));
    format!("merge: {inputs} became {outputs}; {freed} came back, in {took}")
}

fn outcome(session: &Session, merged: Merged, before: Vec<SegmentStrip>) -> MergeOutcome {
    let was_taken = |strip: &SegmentStrip| merged.inputs.contains(&strip.segment);
    let before = before.into_iter().filter(was_taken).collect();
    let after = strips(session, |segment| merged.outputs.contains(&segment.id));
    MergeOutcome { merged, before, after }
}

/// Strips of the segments that are meant, of those with the most dead bytes if there are too many. Those that nobody has
/// seen yet are made from the keydir.
fn strips(session: &Session, is_meant: impl Fn(&SegmentInfo) -> bool) -> Vec<SegmentStrip> {
    let mut segments = session.store().segments();
    segments.retain(is_meant);
    segments.sort_by_key(|segment| std::cmp::Reverse(segment.dead_bytes));
    segments.truncate(STRIPS);
    segments.sort_by_key(|segment| segment.id);
    make_outlines(session, &segments);
    let maps = session.recorder().maps();
    let maps = maps.lock();
    let strip = |segment: &SegmentInfo| SegmentStrip {
        segment: segment.id,
        bytes: segment.bytes,
        map: maps.get(segment.id).unwrap_or_default(),
    };
    segments.iter().map(strip).collect()
}

fn make_outlines(session: &Session, segments: &[SegmentInfo]) {
    let maps = session.recorder().maps();
    let unknown: Vec<SegmentId> = {
        let maps = maps.lock();
        segments.iter().map(|segment| segment.id).filter(|id| maps.get(*id).is_none()).collect()
    };
    if !unknown.is_empty() {
        let outlines = outlines(session.store(), &unknown);
        maps.lock().take_outlines(&outlines);
    }
}
