//! A line a number of keys, and below it where keys stop fitting into memory. Must not measure.

use std::time::Duration;

use logkv::text::duration;

use super::Size;
use super::room::{gigabytes, memory};
use crate::Outcome;
use crate::args::Args;
use crate::engine::OURS;
use crate::goal::Unit;
use crate::table::{count, figure, show};

/// What the arithmetic goes up to.
const MANY: u64 = 1_000_000_000;

/// The columns: a work, what is said of it, its unit.
const COLUMNS: &[(&str, &str, Unit)] = &[
    ("put-k", "put", Unit::PerSecond),
    ("get-hit", "get", Unit::PerSecond),
    ("get-hit2", "2 threads", Unit::PerSecond),
    ("memory", "memory a key", Unit::BytesPerKey),
    ("open-clean", "open, clean", Unit::Seconds),
    ("open-crash", "from hints", Unit::Seconds),
    ("merge", "merge", Unit::Seconds),
    ("disk-load", "disk a key", Unit::BytesPerKey),
];

pub fn print(args: &Args, sizes: &[Size]) -> Outcome<()> {
    let total = memory("MemTotal")?;
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "{OURS} as keys of 16 bytes with values of 100 become more, on {cores} cores and {} of memory; each key put by a \
         call of its own, with the kernel on return; medians of rounds: {}\n",
        gigabytes(total),
        args.rounds()
    );
    let head: Vec<&str> = ["keys"].into_iter().chain(COLUMNS.iter().map(|column| column.1)).collect();
    show(args, &head, &sizes.iter().map(row).collect::<Vec<_>>());
    println!();
    for size in sizes {
        if let Some(sentence) = &size.left_out {
            println!("{} keys: {sentence}.", count(size.keys));
        }
    }
    println!(
        "Memory is what a process takes that has just opened the store; merging copies 1 record of 2.5; disk is that of a \
         store loaded and closed."
    );
    if let Some(largest) = sizes.iter().rev().find(|size| median(size, "memory").is_some()) {
        println!();
        beyond(largest, total);
    }
    Ok(())
}

fn row(size: &Size) -> Vec<String> {
    let cell = |&(work, _, unit): &(&'static str, &str, Unit)| {
        median(size, work).map_or_else(|| "–".to_owned(), |value| figure(unit, value))
    };
    [count(size.keys)].into_iter().chain(COLUMNS.iter().map(cell)).collect()
}

fn median(size: &Size, work: &'static str) -> Option<f64> {
    size.results.get(work, OURS)?.median()
}

/// What follows from the largest number of keys that was measured, as everything here grows in proportion to it.
fn beyond(size: &Size, total: u64) {
    let Some(memory) = median(size, "memory") else { return };
    println!(
        "Where Bitcask stops being the right choice: where the keys do not fit into memory. At {} a key, all {} of this \
         machine hold {} million of them, and nothing else.",
        figure(Unit::BytesPerKey, memory),
        gigabytes(total),
        count((total as f64 / memory / 1e6) as u64)
    );
    let times = MANY as f64 / size.keys as f64;
    let bytes = |a_key: f64| gigabytes((a_key * MANY as f64) as u64);
    let seconds = |work| median(size, work).map(|seconds| duration(Duration::from_secs_f64(seconds * times)));
    let mut needs = vec![format!("{} of memory", bytes(memory))];
    needs.extend(median(size, "disk-load").map(|disk| format!("{} of disk", bytes(disk))));
    needs.extend(seconds("open-clean").map(|took| format!("{took} to open after a clean close")));
    needs.extend(seconds("open-crash").map(|took| format!("{took} from hints after a crash")));
    needs.extend(seconds("merge").map(|took| format!("{took} to merge")));
    println!("{} of them would need, by arithmetic from {}: {}.", count(MANY), count(size.keys), needs.join(", "));
}
