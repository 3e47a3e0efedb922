//! The plan of a merge in rows: what it costs and brings, which segments it takes and leaves, which tombstones stay.

use std::collections::BTreeMap;

use super::{Part, Row, figure, gap, refusal, row, segments, sentence};
use crate::format::SegmentId;
use crate::store::{MergeInput, MergePlan};
use crate::text;
use crate::tui::app::{App, Kept, PlanSeen};
use crate::tui::command::Inputs;
use crate::tui::wrap::words;

/// Segments that are listed; the figures count all.
const LISTED: usize = 500;

pub(super) fn rows(app: &App, inputs: &Inputs, seen: &PlanSeen, cells: usize) -> Vec<Row> {
    let plan = &seen.plan;
    let mut rows: Vec<Row> = sentence(Part::Strong, &headline(inputs, plan), cells).collect();
    if let Some(reason) = refusal(app) {
        rows.extend(sentence(Part::Notice, &reason, cells));
    }
    if !plan.inputs.is_empty() {
        rows.push(gap());
        rows.extend(figures(plan));
    }
    rows.extend(taken(app, inputs, &plan.inputs, cells));
    rows.extend(left_out(plan, cells));
    rows.extend(stay(seen, cells));
    rows
}

fn headline(inputs: &Inputs, plan: &MergePlan) -> String {
    match (plan.inputs.is_empty(), inputs) {
        (false, _) => {
            let (freed, all) = (text::size(plan.freed_bytes), text::size(plan.input_bytes()));
            format!("this merge would free {freed} of {all}")
        }
        (true, Inputs::All) => "there is nothing to gain: all that could be merged is live".to_owned(),
        (true, Inputs::Policy) => "there is nothing to gain by the policy; a plans a merge of all segments".to_owned(),
        (true, Inputs::These(_)) => "there is nothing to gain from these; a plans a merge of all segments".to_owned(),
    }
}

fn figures(plan: &MergePlan) -> Vec<Row> {
    let amplification = plan.write_amplification().map_or("…".to_owned(), |times| format!("{times:.2}"));
    let mut rows = vec![
        figure("frees", &text::size(plan.freed_bytes), &format!("in {}", segments(plan.inputs.len() as u64))),
        figure("writes", &text::size(plan.written_bytes), &format!("into {}", segments(plan.outputs))),
        figure("reads", &text::size(plan.read_bytes), "hints, and the records that stay"),
    ];
    if plan.freed_bytes > 0 {
        rows.push(figure("write amplification", &amplification, "written in all for each byte of room won"));
    }
    rows.push(figure("live records", &text::count(plan.live_records), "are copied"));
    if plan.tombstones_dropped > 0 {
        rows.push(figure(
            "tombstones",
            &text::count(plan.tombstones_dropped),
            "go: nothing is left that they could hide",
        ));
    }
    if plan.let_go_by_filter > 0 {
        rows.push(figure("", &text::count(plan.let_go_by_filter), "of these as bloom filters say"));
    }
    if plan.tombstones_kept() > 0 {
        rows.push(figure("tombstones", &text::count(plan.tombstones_kept()), "stay, see below"));
    }
    rows
}

fn taken(app: &App, inputs: &Inputs, taken: &[MergeInput], cells: usize) -> Vec<Row> {
    if taken.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![
        gap(),
        row(Part::Heading, format!(" taken  {}", text::count(taken.len() as u64))),
        row(Part::Dim, "    segment       size      keeps  frees  why"),
    ];
    rows.extend(taken.iter().take(LISTED).map(|input| row(Part::Plain, taken_line(input))));
    rows.extend(and_more(taken.len(), LISTED));
    let is_taken = |id| *inputs == Inputs::All && taken.iter().any(|input| input.segment == id);
    if let Some(active) = app.segment_rows().iter().find(|segment| segment.active && is_taken(segment.id)) {
        let told = format!("segment {}, which is appended to, is sealed first; puts go on in a new one", active.id);
        rows.extend(sentence(Part::Dim, &told, cells));
    }
    rows
}

fn taken_line(input: &MergeInput) -> String {
    let MergeInput { segment, bytes, kept_bytes, why } = *input;
    let freed = text::percent(bytes.saturating_sub(kept_bytes) as f64 / bytes.max(1) as f64);
    let (size, kept) = (text::size(bytes), text::size(kept_bytes));
    format!("    {segment:>7} {size:>10} {kept:>10} {freed:>6}  {}", why.name())
}

fn and_more(all: usize, listed: usize) -> Option<Row> {
    let more = all.checked_sub(listed).filter(|more| *more > 0)?;
    Some(row(Part::Dim, format!("    and {} more", text::count(more as u64))))
}

/// The segments that stay as they are, by the reason.
fn left_out(plan: &MergePlan, cells: usize) -> Vec<Row> {
    if plan.left_out.is_empty() {
        return Vec::new();
    }
    let mut by_reason: BTreeMap<&str, Vec<SegmentId>> = BTreeMap::new();
    plan.left_out.iter().for_each(|(id, why)| by_reason.entry(why.name()).or_default().push(*id));
    let mut rows =
        vec![gap(), row(Part::Heading, format!(" left as they are  {}", text::count(plan.left_out.len() as u64)))];
    for (why, ids) in by_reason {
        let named: Vec<String> = ids.iter().take(LISTED).map(SegmentId::to_string).collect();
        let more = if ids.len() > LISTED { " and more" } else { "" };
        let told = format!("{why}: {}{more}", named.join(", "));
        rows.extend(
            words(&told, cells.saturating_sub(5)).into_iter().map(|text| row(Part::Plain, format!("    {text}"))),
        );
    }
    rows
}

/// The tombstones that stay, and what holds them back.
fn stay(seen: &PlanSeen, cells: usize) -> Vec<Row> {
    let held_by = &seen.plan.tombstones_held_by;
    if held_by.is_empty() {
        return Vec::new();
    }
    let all = seen.plan.tombstones_kept();
    let mut rows = vec![gap(), row(Part::Heading, format!(" tombstones that stay  {}", text::count(all)))];
    for (id, count) in held_by.iter().take(LISTED) {
        let told = format!("{} because segment {id} may hold an older version of the key", text::count(*count));
        rows.extend(
            words(&told, cells.saturating_sub(5)).into_iter().map(|text| row(Part::Plain, format!("    {text}"))),
        );
    }
    let Some(kept) = &seen.kept else {
        rows.push(row(Part::Dim, "    which they are is being read…"));
        return rows;
    };
    if !kept.is_empty() {
        rows.push(row(Part::Dim, "    stands at           held by  key"));
    }
    rows.extend(kept.iter().map(|kept| row(Part::Plain, kept_line(kept, cells))));
    rows.extend(and_more(usize::try_from(all).unwrap_or(usize::MAX), kept.len()).filter(|_| !kept.is_empty()));
    rows
}

fn kept_line(kept: &Kept, cells: usize) -> String {
    let place = format!("{} @ {}", kept.segment, text::count(kept.offset));
    let expired = if kept.is_expired { "  expired" } else { "" };
    let room = cells.saturating_sub(34 + expired.len()).max(8);
    let mut lines = words(&kept.key, room).into_iter();
    let key = lines.next().unwrap_or_default();
    let more = if lines.next().is_some() { "…" } else { "" };
    format!("    {place:<20}{:>7}  {key}{more}{expired}", kept.held_by)
}
