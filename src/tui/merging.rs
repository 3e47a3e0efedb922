//! The page about a merge in words: the plan, how far it is, what it did.
//!
//! It must not know colours or terminals. Invariant: a page has a bounded number of rows, however much there is to tell.

mod outcome;
mod plan;

use std::time::Duration;

use super::app::{App, Content, MergePage, MergeStage, Merging, Page, Phase};
use super::command::Inputs;
use super::trace::ids;
use super::wrap::words;
use crate::inspect::RowState;
use crate::text;

/// What a row tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What the rows below it are about.
    Heading,
    /// What matters most.
    Strong,
    /// Words.
    Plain,
    /// Words that may be overlooked.
    Dim,
    /// Something to be noticed.
    Notice,
    /// Something went wrong.
    Bad,
}

/// One row. Its text is escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it tells.
    pub part: Part,
    /// Its words.
    pub text: String,
    /// Cells behind them: a strip, or a gauge.
    pub strip: Vec<RowState>,
}

fn row(part: Part, text: impl Into<String>) -> Row {
    Row { part, text: text.into(), strip: Vec::new() }
}

/// An empty row.
fn gap() -> Row {
    row(Part::Plain, "")
}

/// A sentence in as many rows as it takes.
fn sentence(part: Part, text: &str, cells: usize) -> impl Iterator<Item = Row> {
    words(text, cells.saturating_sub(2)).into_iter().map(move |text| row(part, format!(" {text}")))
}

/// A figure with its name and what it means.
fn figure(name: &str, value: &str, note: &str) -> Row {
    row(Part::Plain, format!("   {name:<20}{value:>12}  {note}"))
}

/// `1 segment`, `2 segments`.
fn segments(number: u64) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} segment{plural}", text::count(number))
}

/// What stands on the border.
pub fn title(page: &MergePage) -> String {
    let what = match &page.inputs {
        Inputs::Policy => "by policy".to_owned(),
        Inputs::All => "of all segments".to_owned(),
        Inputs::These(these) => format!("of {}", ids(these)),
    };
    match page.stage {
        MergeStage::Planning | MergeStage::Planned(_) => format!("plan of a merge  {what}"),
        MergeStage::Refused(_) => format!("no merge  {what}"),
        MergeStage::Running => format!("merging  {what}"),
        MergeStage::Ended(_) => format!("merged  {what}"),
    }
}

/// The rows of the page, in so many cells.
pub fn rows(app: &App, page: &MergePage, cells: usize) -> Vec<Row> {
    match &page.stage {
        MergeStage::Planning => {
            let told = "planning: hints, and records of segments that have none, are being read; esc leaves it";
            sentence(Part::Dim, told, cells).collect()
        }
        MergeStage::Refused(reason) => sentence(Part::Bad, reason, cells).collect(),
        MergeStage::Planned(seen) => plan::rows(app, &page.inputs, seen, cells),
        MergeStage::Running => app.merge.running.as_ref().map_or_else(Vec::new, |merging| running(merging, cells)),
        MergeStage::Ended(outcome) => outcome::rows(app, outcome, cells),
    }
}

/// Why nothing can be merged here, whatever a plan says.
pub fn refusal(app: &App) -> Option<String> {
    match app.writer {
        Some(_) => Some(app.held()),
        None if !app.is_writable() => Some("this store is open read-only: a merge can be planned, not done".to_owned()),
        None => None,
    }
}

/// Whether Enter on the page would do nothing.
pub fn is_in_vain(app: &App) -> bool {
    let Some(Page { content: Content::Merge(page), .. }) = &app.page else { return false };
    match &page.stage {
        MergeStage::Planned(seen) => seen.plan.inputs.is_empty() || refusal(app).is_some(),
        _ => true,
    }
}

fn running(merging: &Merging, cells: usize) -> Vec<Row> {
    let taken = if merging.taken.is_empty() { "…".to_owned() } else { ids(&merging.taken) };
    let room = cells.saturating_sub(2).min(80) as u64;
    let full = merging.done.min(merging.total) * room / merging.total.max(1);
    let gauge = (0..room).map(|cell| if cell < full { RowState::Live } else { RowState::Superseded });
    let mut rows = vec![
        row(Part::Strong, format!(" {taken}")),
        row(Part::Plain, format!(" {}", how_far(merging))),
        Row { strip: gauge.collect(), ..row(Part::Plain, " ") },
        gap(),
    ];
    let told = match merging.phase {
        Phase::Planning => "it looks what there is to do",
        Phase::Copying => {
            "what is kept is copied, and nothing has changed yet; puts, gets and deletes go on. c gives it up; esc goes \
             back to the panes, and m comes here again"
        }
        Phase::Stopping => "it stops; nothing will have changed",
        Phase::Committing => {
            "what was written takes the place of what was there; this cannot be stopped, and takes a moment"
        }
    };
    rows.extend(sentence(Part::Dim, told, cells));
    rows
}

/// Bytes, and how fast they come.
pub fn how_far(merging: &Merging) -> String {
    let Merging { phase, done, total, took, .. } = merging;
    match phase {
        Phase::Planning => "planning…".to_owned(),
        Phase::Stopping => "stopping…".to_owned(),
        Phase::Committing => "putting it in its place…".to_owned(),
        Phase::Copying if *done == 0 => "copying…".to_owned(),
        Phase::Copying => {
            let far = format!("{}  {} of {}", share(merging), text::size(*done), text::size(*total));
            rate(*done, *took).map_or(far.clone(), |rate| format!("{far}  {}/s", text::size(rate)))
        }
    }
}

/// Bytes a second.
fn rate(done: u64, took: Duration) -> Option<u64> {
    let rate = u128::from(done) * 1_000_000 / Some(took.as_micros()).filter(|micros| *micros > 0)?;
    u64::try_from(rate).ok()
}

/// The share that is done, as far as it is known.
pub fn share(merging: &Merging) -> String {
    match merging.total {
        0 => "…".to_owned(),
        total => text::percent(merging.done as f64 / total as f64),
    }
}
