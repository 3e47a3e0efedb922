//! The trace in words: a line for each command, and one for each step that the engine took for it.
//!
//! It must not know colours. Only lines near the screen are made.

use super::app::{Step, TracePane, Traced};
use crate::format::SegmentId;
use crate::store::{Event, Location};
use crate::text;

/// What a line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The command.
    Command,
    /// A step that changed something, or tried to.
    Step,
    /// A step that went wrong.
    Failure,
    /// That there is more.
    More,
}

/// One line. Its text is escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What it tells.
    pub part: Part,
    /// The time since the command began, for steps.
    pub after: String,
    /// Its words.
    pub text: String,
}

/// Lines of a whole trace.
pub fn total(trace: &TracePane) -> usize {
    trace.runs.iter().map(height).sum()
}

/// The command, its steps, and a line for what is left out.
fn height(run: &Traced) -> usize {
    1 + run.steps.len() + usize::from(run.more > 0)
}

/// The lines from `top` on, no more than `page`.
pub fn shown(trace: &TracePane, top: usize, page: usize) -> Vec<Told> {
    let mut skip = top;
    let mut lines = Vec::new();
    for run in &trace.runs {
        if lines.len() >= page {
            break;
        }
        let height = height(run);
        if skip >= height {
            skip -= height;
            continue;
        }
        lines.extend(told(run).skip(skip).take(page - lines.len()));
        skip = 0;
    }
    lines
}

fn told(run: &Traced) -> impl Iterator<Item = Told> + '_ {
    let head = Told {
        part: Part::Command,
        after: text::timestamp(run.at).get(11..19).unwrap_or_default().to_owned(),
        text: text::escape_to_width(run.line.as_bytes(), 200).text,
    };
    let more = (run.more > 0).then(|| Told {
        part: Part::More,
        after: String::new(),
        text: format!("{} more steps", text::count(run.more as u64)),
    });
    std::iter::once(head).chain(run.steps.iter().enumerate().map(|(at, step)| step_line(at + 1, step))).chain(more)
}

fn step_line(number: usize, step: &Step) -> Told {
    let part = match step.event {
        Event::Poisoned { .. }
        | Event::HintFailed { .. }
        | Event::CheckpointFailed { .. }
        | Event::MergeAbandoned { .. }
        | Event::Read { ok: false, .. } => Part::Failure,
        _ => Part::Step,
    };
    Told { part, after: text::duration(step.after), text: format!("{number} {}{}", words(&step.event), more(step)) }
}

/// What was done many times on end is told once.
fn more(step: &Step) -> String {
    match step.times {
        0 | 1 => String::new(),
        times => format!(", and {} more", text::count(times - 1)),
    }
}

/// A step in words.
pub fn words(event: &Event) -> String {
    match event {
        Event::Loading { done, total } => format!("load {} of {}", text::size(*done), text::size(*total)),
        Event::Encoded { kind, bytes } => format!("encode {}, {}", kind.name(), text::size(*bytes)),
        Event::Appended { kind, location, .. } => {
            format!("append {} at {}, {}", kind.name(), place(location), text::size(location.len))
        }
        Event::Synced { segment, stable_len, took } => {
            format!("sync segment {segment} up to byte {}, {}", text::count(*stable_len), text::duration(*took))
        }
        Event::KeydirMoved { from, to } => match (from, to) {
            (Some(from), Some(to)) => format!("keydir {} → {}", place(from), place(to)),
            (None, Some(to)) => format!("keydir new → {}", place(to)),
            (Some(from), None) => format!("keydir {} → gone", place(from)),
            (None, None) => "keydir as it was: there is no such key".to_owned(),
        },
        Event::Expired { entry, .. } => format!("the time of {} ran out", place(&entry.location)),
        Event::LookedUp { at: Some(at) } => format!("keydir says {}, {}", place(at), text::size(at.len)),
        Event::LookedUp { at: None } => "keydir has no such key".to_owned(),
        Event::Read { location, ok: true, took } => {
            format!("read {}, checks hold, {}", place(location), text::duration(*took))
        }
        Event::Read { location, ok: false, took } => {
            format!("read {}: it does not hold, {}", place(location), text::duration(*took))
        }
        Event::Reloaded => "load everything anew".to_owned(),
        Event::BytesDied { segment, bytes } => format!("segment {segment}: +{} dead", text::size(*bytes)),
        Event::SegmentCreated { segment } => format!("segment {segment} begun"),
        Event::Sealed { segment, bytes } => format!("segment {segment} sealed at {}", text::size(*bytes)),
        Event::HintWritten { segment, bytes } => format!("hint of segment {segment} written, {}", text::size(*bytes)),
        Event::HintFailed { segment, reason } => format!("no hint of segment {segment}: {reason}"),
        Event::CheckpointWritten { keys, bytes } => {
            format!("checkpoint of {} written, {}", text::several(*keys, "key"), text::size(*bytes))
        }
        Event::CheckpointFailed { reason } => format!("no checkpoint: {reason}"),
        Event::MergeStarted { inputs, bytes } => {
            format!("merge begins: {} of {}", ids(inputs), text::size(*bytes))
        }
        Event::Merging { done, total } => format!("merged {} of {}", text::size(*done), text::size(*total)),
        Event::Merged { inputs, outputs, freed_bytes } => {
            format!("merge done: {} became {}, {} freed", ids(inputs), ids(outputs), text::size(*freed_bytes))
        }
        Event::MergeAbandoned { reason } => format!("merge given up: {reason}"),
        Event::Cut { segment, offset, bytes } => {
            format!("segment {segment} cut at {}, {} saved under quarantine/", text::count(*offset), text::size(*bytes))
        }
        Event::Poisoned { reason } => format!("the writer stops: {reason}"),
    }
}

fn place(at: &Location) -> String {
    format!("{}:{}", at.segment, at.offset)
}

/// Segments by their numbers, as far as there is room.
pub fn ids(ids: &[SegmentId]) -> String {
    match ids {
        [] => "nothing".to_owned(),
        [id] => format!("segment {id}"),
        [first, second] => format!("segments {first} and {second}"),
        [first, .., last] => format!("{} segments from {first} to {last}", ids.len()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::tui::app::{Said, Tone};

    fn trace(lens: &[usize]) -> TracePane {
        let mut trace = TracePane::default();
        for len in lens {
            let step =
                |n| Step { after: Duration::from_micros(n), event: Event::SegmentCreated { segment: n }, times: 1 };
            let steps = (0..*len as u64).map(step).collect();
            let said = Said { tone: Tone::Plain, text: String::new() };
            trace.push(Traced { line: format!("put {len}"), at: 0, said, steps, more: 0 });
        }
        trace
    }

    proptest! {
        #[test]
        fn any_part_of_the_trace_is_that_part_of_all_of_it(
            lens in proptest::collection::vec(0..5_usize, 0..8), top in 0..40_usize, page in 0..20_usize,
        ) {
            let trace = trace(&lens);
            let all = shown(&trace, 0, usize::MAX);
            prop_assert_eq!(all.len(), total(&trace));
            let part: Vec<_> = all.into_iter().skip(top).take(page).collect();
            prop_assert_eq!(shown(&trace, top, page), part);
        }
    }
}
