//! `merge`: the plan, or the work with its progress. A plan takes no lock and changes nothing.

use std::time::Duration;

use serde::Serialize;

use super::args::Merge;
use super::exit::Exit;
use super::output::{KeyField, Tone};
use super::progress::Progress;
use super::session::Session;
use crate::format::SegmentId;
use crate::store::{KeptTombstone, MergeChoice, MergeControl, MergePlan, Merged, Store};
use crate::text;

/// `logkv merge`
pub(super) fn merge(session: &mut Session, args: &Merge) -> anyhow::Result<Exit> {
    if args.dry_run {
        let store = session.read()?;
        let plan = store.merge_plan(&args.choice())?;
        show(session, &store, &plan)?;
        return Ok(if plan.inputs.is_empty() { nothing_to_gain(session, args) } else { Exit::Yes });
    }
    let store = session.write(false)?;
    let known = store.findings();
    let merged = run(session, &store, args)?;
    // A merge reads what opening did not, and leaves out what does not hold.
    session.warn_of_findings(&store, &known);
    store.close()?;
    let Some(merged) = merged else {
        return Ok(nothing_to_gain(session, args));
    };
    if session.out.is_json() {
        session.out.json(&MergedRow::from(&merged))?;
    } else {
        session.out.line(&done(&merged, session.notes.verbose))?;
    }
    Ok(Exit::Yes)
}

fn nothing_to_gain(session: &Session, args: &Merge) -> Exit {
    session.notes.no(match args.choice() {
        MergeChoice::Policy(_) => "nothing to gain: no segment is worth merging by the policy; --all merges everything",
        MergeChoice::All | MergeChoice::Segments(_) => {
            "nothing to gain: no byte would be freed, and no file less be there"
        }
    })
}

/// Merges on a thread of its own, and shows how far it is.
fn run(session: &Session, store: &Store, args: &Merge) -> anyhow::Result<Option<Merged>> {
    let control = args.throttle.map_or_else(MergeControl::default, MergeControl::throttled);
    let mut progress = Progress::new(session);
    let merged = std::thread::scope(|scope| {
        let work = scope.spawn(|| store.merge(&args.choice(), &control));
        while !work.is_finished() {
            let (done, total) = control.progress();
            if total > 0 {
                let _ = progress.show(done, total);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        work.join()
    });
    progress.erase();
    match merged {
        Ok(merged) => Ok(merged?),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn done(merged: &Merged, verbose: bool) -> String {
    let mut line = format!(
        "{} became {}: {} freed, {} copied",
        text::several(merged.inputs.len() as u64, "segment"),
        text::count(merged.outputs.len() as u64),
        text::size(merged.freed_bytes),
        text::several(merged.records, "live record"),
    );
    if merged.tombstones_dropped + merged.tombstones_kept > 0 {
        let (gone, stay) = (merged.tombstones_dropped, merged.tombstones_kept);
        line.push_str(&format!("; tombstones: {} gone, {} stay", text::count(gone), text::count(stay)));
    }
    if verbose {
        let (read, written) = (text::size(merged.read_bytes), text::size(merged.written_bytes));
        line.push_str(&format!("; {read} read and {written} written in {}", text::duration(merged.took)));
    }
    line
}

fn show(session: &mut Session, store: &Store, plan: &MergePlan) -> anyhow::Result<()> {
    if session.out.is_json() {
        session.out.json(&PlanRow::from(plan))?;
    } else {
        lines(plan).iter().try_for_each(|line| session.out.line(line))?;
    }
    let mut told = Ok(());
    store.kept_tombstones(plan, &mut |kept| {
        if told.is_ok() {
            told = tell(session, kept);
        }
    })?;
    told
}

fn lines(plan: &MergePlan) -> Vec<String> {
    let mut lines: Vec<String> = plan
        .inputs
        .iter()
        .map(|input| {
            let freed = text::size(input.bytes.saturating_sub(input.kept_bytes));
            format!("segment {}: {} of {} freed ({})", input.segment, freed, text::size(input.bytes), input.why.name())
        })
        .collect();
    lines.extend(plan.left_out.iter().map(|(segment, why)| format!("segment {segment}: left out ({})", why.name())));
    if plan.inputs.is_empty() {
        return lines;
    }
    let amplification =
        plan.write_amplification().map_or_else(String::new, |times| format!("; write amplification {times:.2}"));
    lines.push(format!(
        "reads {}, writes {} into {}, frees {}{amplification}",
        text::size(plan.read_bytes),
        text::size(plan.written_bytes),
        text::several(plan.outputs, "segment"),
        text::size(plan.freed_bytes),
    ));
    lines.push(format!(
        "copies {}; tombstones: {} go, {} stay",
        text::several(plan.live_records, "live record"),
        text::count(plan.tombstones_dropped),
        text::count(plan.tombstones_kept()),
    ));
    if plan.let_go_by_filter > 0 {
        let saved = text::several(plan.let_go_by_filter, "tombstone");
        lines.push(format!("{saved} of them by bloom filters, without a look into the segments that stay"));
    }
    lines
}

/// Why a tombstone stays.
fn tell(session: &mut Session, kept: KeptTombstone<'_>) -> anyhow::Result<()> {
    if session.out.is_json() {
        return session.out.json(&KeptRow::from(&kept));
    }
    let what = if kept.is_expired { "expired put" } else { "tombstone" };
    let line = format!(
        "stays: {what} of {} in segment {} at offset {}: segment {} may hold an older version",
        text::key_word(kept.key),
        kept.segment,
        kept.offset,
        kept.held_by
    );
    let line = session.out.paint(Tone::Faint, &line);
    session.out.line(&line)
}

#[derive(Serialize)]
struct PlanRow {
    inputs: Vec<InputRow>,
    left_out: Vec<LeftOutRow>,
    read_bytes: u64,
    written_bytes: u64,
    freed_bytes: u64,
    write_amplification: Option<f64>,
    outputs: u64,
    live_records: u64,
    tombstones_dropped: u64,
    tombstones_kept: u64,
    let_go_by_filter: u64,
}

#[derive(Serialize)]
struct InputRow {
    segment: SegmentId,
    bytes: u64,
    kept_bytes: u64,
    why: &'static str,
}

#[derive(Serialize)]
struct LeftOutRow {
    segment: SegmentId,
    why: &'static str,
}

impl From<&MergePlan> for PlanRow {
    fn from(plan: &MergePlan) -> Self {
        let input = |input: &crate::store::MergeInput| InputRow {
            segment: input.segment,
            bytes: input.bytes,
            kept_bytes: input.kept_bytes,
            why: input.why.name(),
        };
        let left_out = plan.left_out.iter().map(|(segment, why)| LeftOutRow { segment: *segment, why: why.name() });
        Self {
            inputs: plan.inputs.iter().map(input).collect(),
            left_out: left_out.collect(),
            read_bytes: plan.read_bytes,
            written_bytes: plan.written_bytes,
            freed_bytes: plan.freed_bytes,
            write_amplification: plan.write_amplification(),
            outputs: plan.outputs,
            live_records: plan.live_records,
            tombstones_dropped: plan.tombstones_dropped,
            tombstones_kept: plan.tombstones_kept(),
            let_go_by_filter: plan.let_go_by_filter,
        }
    }
}

#[derive(Serialize)]
struct KeptRow {
    #[serde(flatten)]
    key: KeyField,
    segment: SegmentId,
    offset: u64,
    tstamp: u64,
    expired: bool,
    held_by: SegmentId,
}

impl From<&KeptTombstone<'_>> for KeptRow {
    fn from(kept: &KeptTombstone<'_>) -> Self {
        let KeptTombstone { key, segment, offset, tstamp, is_expired, held_by } = *kept;
        Self { key: key.into(), segment, offset, tstamp, expired: is_expired, held_by }
    }
}

#[derive(Serialize)]
struct MergedRow<'a> {
    inputs: &'a [SegmentId],
    outputs: &'a [SegmentId],
    read_bytes: u64,
    written_bytes: u64,
    freed_bytes: u64,
    records: u64,
    tombstones_dropped: u64,
    tombstones_kept: u64,
    took_micros: u64,
}

impl<'a> From<&'a Merged> for MergedRow<'a> {
    fn from(merged: &'a Merged) -> Self {
        Self {
            inputs: &merged.inputs,
            outputs: &merged.outputs,
            read_bytes: merged.read_bytes,
            written_bytes: merged.written_bytes,
            freed_bytes: merged.freed_bytes,
            records: merged.records,
            tombstones_dropped: merged.tombstones_dropped,
            tombstones_kept: merged.tombstones_kept,
            took_micros: u64::try_from(merged.took.as_micros()).unwrap_or(u64::MAX),
        }
    }
}
