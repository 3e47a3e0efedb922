//! The result: one line a work, ours beside the best peer and the limit, and whether the goal is met; then what each store
//! came to, latencies, and what the limits are made of. Must not measure.

use crate::args::Args;
use crate::engine::{self, OURS};
use crate::goal::{Goal, PARTS, Unit, WORKS, Work};
use crate::key::Keys;
use crate::results::{LIMIT, Results};

pub fn print(args: &Args, keys: Keys, results: &Results) {
    println!(
        "{} keys of 16 bytes, values of 100 bytes, medians of {} rounds; ratios above 1 are ours ahead\n",
        count(keys.count),
        args.rounds()
    );
    let head = ["work", "name", "ours", "best peer", "×best", "limit", "×limit", "goal", ""];
    show(args, &head, &WORKS.iter().filter_map(|work| summary(work, keys, results)).collect::<Vec<_>>());
    println!();
    let engines: Vec<_> =
        engine::all().into_iter().map(|engine| engine.name()).filter(|name| args.wants_engine(name)).collect();
    let head: Vec<_> = ["name"].into_iter().chain(engines.iter().copied()).chain([LIMIT]).collect();
    show(args, &head, &WORKS.iter().filter_map(|work| everyone(work, &engines, results)).collect::<Vec<_>>());
    println!();
    show(
        args,
        &["name", "who", "p50", "p99"],
        &WORKS.iter().flat_map(|work| latencies(work, results)).collect::<Vec<_>>(),
    );
    let parts: Vec<_> = PARTS.iter().filter_map(|part| part_row(part, results)).collect();
    if !parts.is_empty() {
        println!();
        show(args, &["part of the limits", "name", "median", "p50", "p99"], &parts);
    }
}

/// Whether `a` is better than `b`.
fn better(unit: Unit, a: f64, b: f64) -> bool {
    if unit.more_is_better() { a > b } else { a < b }
}

/// How many times as good `ours` is.
fn ratio(unit: Unit, ours: f64, other: f64) -> f64 {
    if unit.more_is_better() { ours / other } else { other / ours }
}

fn summary(work: &'static Work, keys: Keys, results: &Results) -> Option<Vec<String>> {
    let ours = results.get(work.name, OURS)?.median()?;
    let peers = results.of(work.name).filter(|(subject, _)| ![OURS, LIMIT].contains(subject));
    let best = peers.reduce(|a, b| if better(work.unit, b.1, a.1) { b } else { a });
    let limit = results.get(work.name, LIMIT).and_then(|readings| readings.median());
    let verdicts: Vec<_> = work
        .goals
        .iter()
        .filter_map(|goal| judge(goal, work.unit, ours, best.map(|best| best.1), limit, keys))
        .collect();
    let (goals, met): (Vec<_>, Vec<_>) = verdicts.into_iter().unzip();
    let times =
        |other: Option<f64>| other.map_or_else(String::new, |other| format!("{:.2}", ratio(work.unit, ours, other)));
    Some(vec![
        work.title.to_owned(),
        work.name.to_owned(),
        figure(work.unit, ours),
        best.map_or_else(String::new, |(name, value)| format!("{} {name}", figure(work.unit, value))),
        times(best.map(|best| best.1)),
        limit.map_or_else(String::new, |limit| figure(work.unit, limit)),
        times(limit),
        goals.join(", "),
        met.join(", "),
    ])
}

/// A goal in words, and whether it is met or by how much it is missed.
fn judge(
    goal: &Goal,
    unit: Unit,
    ours: f64,
    best: Option<f64>,
    limit: Option<f64>,
    keys: Keys,
) -> Option<(String, String)> {
    let sign = if unit.more_is_better() { "≥" } else { "≤" };
    let (words, reached) = match *goal {
        Goal::Best(times) => (format!("≥ {times} × best"), ratio(unit, ours, best?) / times),
        Goal::Limit(share) => (format!("≥ {share} of limit"), ratio(unit, ours, limit?) / share),
        Goal::Figure(value) => (format!("{sign} {}", figure(unit, value)), ratio(unit, ours, value)),
        Goal::FigurePerMillion(value) => {
            let value = value * (keys.count as f64 / 1e6);
            (format!("{sign} {}", figure(unit, value)), ratio(unit, ours, value))
        }
    };
    let verdict = if reached >= 1.0 { "met".to_owned() } else { format!("missed by {:.0} %", (1.0 - reached) * 100.0) };
    Some((words, verdict))
}

fn everyone(work: &'static Work, engines: &[&'static str], results: &Results) -> Option<Vec<String>> {
    results.of(work.name).next()?;
    let cell = |subject: &'static str| {
        let median = results.get(work.name, subject).and_then(|readings| readings.median());
        median.map_or_else(|| "–".to_owned(), |value| figure(work.unit, value))
    };
    let cells = engines.iter().copied().chain([LIMIT]).map(cell);
    Some([work.name.to_owned()].into_iter().chain(cells).collect())
}

fn latencies(work: &'static Work, results: &Results) -> Vec<Vec<String>> {
    let row = |(subject, _): (&'static str, f64)| {
        let (p50, p99) = results.get(work.name, subject)?.latencies()?;
        Some(vec![work.name.to_owned(), subject.to_owned(), duration(p50 * 1e-9), duration(p99 * 1e-9)])
    };
    results.of(work.name).filter_map(row).collect()
}

fn part_row(part: &'static Work, results: &Results) -> Option<Vec<String>> {
    let readings = results.get(part.name, LIMIT)?;
    let (p50, p99) =
        readings.latencies().map_or_else(Default::default, |(p50, p99)| (duration(p50 * 1e-9), duration(p99 * 1e-9)));
    Some(vec![part.title.to_owned(), part.name.to_owned(), figure(part.unit, readings.median()?), p50, p99])
}

pub fn figure(unit: Unit, value: f64) -> String {
    match unit {
        Unit::PerSecond if value >= 1e6 => format!("{:.2} M/s", value / 1e6),
        Unit::PerSecond if value >= 1e3 => format!("{:.1} k/s", value / 1e3),
        Unit::PerSecond => format!("{value:.0} /s"),
        Unit::Bandwidth => format!("{:.2} GB/s", value / 1e9),
        Unit::Seconds => duration(value),
        Unit::BytesPerKey => format!("{value:.1} B"),
        Unit::Share => format!("{value:.2}"),
    }
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.1} ms", s * 1e3),
        s if s >= 1e-6 => format!("{:.2} µs", s * 1e6),
        s => format!("{:.0} ns", s * 1e9),
    }
}

pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// Columns under one another, or Markdown.
pub fn show(args: &Args, head: &[&str], rows: &[Vec<String>]) {
    let head: Vec<String> = head.iter().map(|&word| word.to_owned()).collect();
    let width = |column: usize| {
        rows.iter().chain([&head]).filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &[String]| {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let joined = cells.join(if args.markdown { " | " } else { "  " });
        if args.markdown { format!("| {joined} |") } else { joined.trim_end().to_owned() }
    };
    println!("{}", line(&head));
    if args.markdown {
        println!("|{}", "---|".repeat(head.len()));
    }
    rows.iter().for_each(|row| println!("{}", line(row)));
}
