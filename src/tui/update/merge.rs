//! Merging: the plan first, then the merge behind the panes, then what it did.
//!
//! Invariants:
//!
//! 1. Nothing is merged but after Enter on a plan, or on a line that says so.
//! 2. Whoever works on in the panes is not disturbed by the end of a merge: its page comes when it is asked for.

use super::answers::take_figures;
use crate::format::SegmentId;
use crate::text;
use crate::tui::action::{Extent, MergeEnded};
use crate::tui::app::{App, Content, MergePage, MergeStage, Merging, Page, Pane, Phase, PlanSeen, Tone, Traced};
use crate::tui::command::{Inputs, merge_line};
use crate::tui::effect::{Effect, MergeWanted};
use crate::tui::merging::refusal;

/// Shows the merge that runs, or what the last one did, or else what one would do.
pub(super) fn open(app: &mut App) -> Vec<Effect> {
    if let Some(running) = &app.merge.running {
        let inputs = running.inputs.clone();
        show(app, inputs, MergeStage::Running);
        return Vec::new();
    }
    if let Some(outcome) = app.merge.unseen.take() {
        let inputs = Inputs::These(outcome.merged.inputs.clone());
        // It said which key leads here.
        app.said = None;
        show(app, inputs, MergeStage::Ended(outcome));
        return Vec::new();
    }
    let inputs = match app.focus {
        Pane::Segments => selected(app).unwrap_or_default(),
        _ => Inputs::default(),
    };
    plan(app, inputs)
}

/// Asks what a merge would do.
pub(super) fn plan(app: &mut App, inputs: Inputs) -> Vec<Effect> {
    if app.figures.is_none() {
        return Vec::new();
    }
    show(app, inputs.clone(), MergeStage::Planning);
    vec![Effect::Plan(inputs)]
}

fn show(app: &mut App, inputs: Inputs, stage: MergeStage) {
    app.page = Some(Page { content: Content::Merge(MergePage { inputs, stage }), top: 0 });
}

/// Another plan than the one on the page.
pub(super) fn choose(app: &mut App, extent: Extent) -> Vec<Effect> {
    let Some(page) = page(app) else { return Vec::new() };
    let inputs = match extent {
        Extent::Policy => Inputs::Policy,
        Extent::All if page.inputs == Inputs::All => Inputs::Policy,
        Extent::All => Inputs::All,
        Extent::Selected => match selected(app) {
            Some(inputs) => inputs,
            None => {
                app.say(Tone::Plain, "the segment that is appended to is merged with all others only: a");
                return Vec::new();
            }
        },
    };
    if inputs == page.inputs { Vec::new() } else { plan(app, inputs) }
}

/// The marked segments, or else the selected one. The one that is appended to cannot be merged by itself.
fn selected(app: &App) -> Option<Inputs> {
    if !app.merge.marked.is_empty() {
        return Some(Inputs::These(app.merge.marked.iter().copied().collect()));
    }
    let segment = app.segment_rows().get(app.segments.at).filter(|segment| !segment.active)?;
    Some(Inputs::These(vec![segment.id]))
}

/// Marks the selected segment, or takes its mark away.
pub(super) fn mark(app: &mut App) {
    let Some(segment) = app.segment_rows().get(app.segments.at) else { return };
    let (id, active) = (segment.id, segment.active);
    if active {
        return app.say(Tone::Plain, "the segment that is appended to is merged with all others only: m, then a");
    }
    if !app.merge.marked.remove(&id) {
        app.merge.marked.insert(id);
    }
    let said = match app.merge.marked.len() {
        0 => "no segment is marked".to_owned(),
        1 => "1 segment is marked; m plans its merge".to_owned(),
        n => format!("{} segments are marked; m plans their merge", text::count(n as u64)),
    };
    app.say(Tone::Plain, said);
}

fn page(app: &App) -> Option<&MergePage> {
    match &app.page {
        Some(Page { content: Content::Merge(page), .. }) => Some(page),
        _ => None,
    }
}

fn stage(app: &mut App) -> Option<&mut MergeStage> {
    match &mut app.page {
        Some(Page { content: Content::Merge(page), .. }) => Some(&mut page.stage),
        _ => None,
    }
}

/// Enter on the page: the plan is carried out.
pub(super) fn enter(app: &mut App) -> Vec<Effect> {
    let Some(page) = page(app) else { return Vec::new() };
    match &page.stage {
        MergeStage::Planned(seen) if seen.plan.inputs.is_empty() => {
            app.say(Tone::Plain, "there is nothing to gain; a plans a merge of all segments");
            Vec::new()
        }
        MergeStage::Planned(_) => {
            let inputs = page.inputs.clone();
            let line = merge_line(&inputs);
            begin(app, inputs, line)
        }
        MergeStage::Planning => {
            app.say(Tone::Plain, "the plan comes first; it is being made");
            Vec::new()
        }
        MergeStage::Refused(_) | MergeStage::Running | MergeStage::Ended(_) => Vec::new(),
    }
}

/// Begins a merge, and shows how far it is.
pub(super) fn begin(app: &mut App, inputs: Inputs, line: String) -> Vec<Effect> {
    if app.merge.running.is_some() {
        app.say(Tone::Bad, "a merge is running already; m shows it");
        return Vec::new();
    }
    if let Some(reason) = refusal(app) {
        app.say(Tone::Bad, reason);
        return Vec::new();
    }
    app.said = None;
    app.merge.unseen = None;
    app.merge.begun += 1;
    app.merge.running = Some(Merging { inputs: inputs.clone(), ..Merging::default() });
    show(app, inputs.clone(), MergeStage::Running);
    vec![Effect::Merge(Box::new(MergeWanted { number: app.merge.begun, inputs, line }))]
}

/// Stops the merge that runs, unless it is too late for that.
pub(super) fn stop(app: &mut App) -> Option<Effect> {
    let number = app.merge.begun;
    let running = app.merge.running.as_mut()?;
    if running.phase == Phase::Committing {
        app.say(Tone::Plain, "it is too late: the merge puts what it wrote in its place, and is done in a moment");
        return None;
    }
    running.phase = Phase::Stopping;
    Some(Effect::StopMerge(number))
}

/// Leaves, after a question if a merge would be given up.
pub(super) fn quit(app: &mut App) -> Vec<Effect> {
    match &app.merge.running {
        Some(running) if running.phase != Phase::Committing => {
            app.asked_quit = true;
            Vec::new()
        }
        _ => vec![Effect::Quit],
    }
}

/// The page is being left: a plan that is still being made is for nobody.
pub(super) fn leave(app: &App) -> Vec<Effect> {
    let is_planning = page(app).is_some_and(|page| match &page.stage {
        MergeStage::Planning => true,
        MergeStage::Planned(seen) => seen.kept.is_none(),
        _ => false,
    });
    if is_planning { vec![Effect::StopPlan] } else { Vec::new() }
}

pub(super) fn planned(app: &mut App, inputs: &Inputs, plan: Result<Box<PlanSeen>, String>) {
    if page(app).is_none_or(|page| page.inputs != *inputs) {
        return;
    }
    if let Some(stage @ (MergeStage::Planning | MergeStage::Planned(_))) = stage(app) {
        *stage = match plan {
            Ok(seen) => MergeStage::Planned(seen),
            Err(reason) => MergeStage::Refused(reason),
        };
    }
}

pub(super) fn started(app: &mut App, taken: Vec<SegmentId>) {
    if let Some(running) = &mut app.merge.running {
        running.taken = taken;
        if running.phase == Phase::Planning {
            running.phase = Phase::Copying;
        }
    }
}

/// What it is told of how far the merge is.
pub(super) fn progress(app: &mut App, done: u64, total: u64, took: std::time::Duration) {
    if let Some(running) = &mut app.merge.running {
        (running.done, running.total, running.took) = (done, total, took);
    }
}

pub(super) fn committing(app: &mut App) {
    let Some(running) = &mut app.merge.running else { return };
    if std::mem::replace(&mut running.phase, Phase::Committing) == Phase::Stopping {
        app.say(Tone::Plain, "it was too late to stop: the merge is done in a moment");
    }
}

/// It is over: what it did is shown where it is waited for, else told.
pub(super) fn ended(app: &mut App, ended: MergeEnded) {
    app.merge.running = None;
    let MergeEnded { said, outcome, figures, line, steps } = ended;
    let at = app.now;
    app.trace.push(Traced { line, at, said: said.clone(), steps, more: 0 });
    app.said = Some(said);
    take_figures(app, figures);
    let is_waited_for = page(app).is_some_and(|page| page.stage == MergeStage::Running);
    match outcome {
        Ok(Some(outcome)) if is_waited_for => stage(app).into_iter().for_each(|stage| {
            *stage = MergeStage::Ended(outcome.clone());
        }),
        Ok(Some(outcome)) => {
            app.merge.unseen = Some(outcome);
            app.said.iter_mut().for_each(|said| said.text.push_str("; m shows it"));
        }
        Err(reason) if is_waited_for => stage(app).into_iter().for_each(|stage| {
            *stage = MergeStage::Refused(reason.clone());
        }),
        Ok(None) if is_waited_for => app.page = None,
        Ok(None) | Err(_) => {}
    }
}
