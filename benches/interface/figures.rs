//! What is printed: a line a figure, beside its goal. Knows nothing of what is measured.

use std::time::Duration;

use logkv::text;

/// Begins a part of the table.
pub fn heading(title: &str) {
    println!("\n{title}\n{:<56}{:<34}{:<14}", "", "measured", "goal");
}

/// A figure without a goal.
pub fn told(what: &str, measured: &str) {
    println!("  {what:<54}{measured}");
}

/// A figure and what is aimed at.
pub fn judged(what: &str, measured: &str, goal: &str, holds: bool) {
    println!("  {what:<54}{measured:<34}{goal:<14}{}", if holds { "ok" } else { "MISSED" });
}

/// The middle of the times, and the one that 99 of 100 stay below, which has a goal.
pub fn spread(what: &str, times: &[Duration], goal: Option<Duration>) {
    let (p50, p99) = (quantile(times, 50), quantile(times, 99));
    let measured = format!("p50 {}, p99 {}", text::duration(p50), text::duration(p99));
    match goal {
        Some(goal) => judged(what, &measured, &format!("p99 < {}", whole_millis(goal)), p99 < goal),
        None => told(what, &measured),
    }
}

/// The middle of a few runs, and the longest.
pub fn runs(what: &str, times: &[Duration], goal: Duration) {
    let median = quantile(times, 50);
    let longest = times.iter().max().copied().unwrap_or_default();
    let measured = format!("{}, longest {}", text::duration(median), text::duration(longest));
    judged(what, &measured, &format!("< {}", whole_millis(goal)), median < goal);
}

fn whole_millis(goal: Duration) -> String {
    format!("{} ms", goal.as_millis())
}

/// The time that `percent` of all are no longer than.
pub fn quantile(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or_default()
}
