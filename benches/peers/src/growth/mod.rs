//! What becomes of ours when the keys become more: put, get, memory, opening, merging at one number of keys after the
//! other, and from there by arithmetic what fits into the machine's memory and what a thousand million would need.
//!
//! The works are those of the comparison, on the same keys and values, so that a figure here means what it means there;
//! but every key is put by a call of its own. `room` says what of it the machine has the memory and the disk for, before
//! anything is begun; `table` prints.

mod room;
mod table;

use std::time::Instant;

use crate::Outcome;
use crate::args::Args;
use crate::engine::{self, OURS};
use crate::key::{Keys, Values};
use crate::results::Results;
use crate::work::{Ground, life};

use room::Room;

/// What is measured where there is room for it.
const WORKS: &[&str] = &["put-k", "get-hit", "memory", "open-clean", "open-crash", "disk-load"];

/// What needs several times as much disk.
const MERGE: &[&str] = &["merge"];

/// What one number of keys came to.
struct Size {
    keys: u64,
    results: Results,
    /// Why something of it, or all, was left out.
    left_out: Option<String>,
}

pub fn run(args: &Args) -> Outcome<()> {
    let started = Instant::now();
    let mut sizes = Vec::new();
    for &keys in args.growth.iter().flatten() {
        let room = Room::for_keys(keys, &args.dir)?;
        eprintln!("[{:5.0} s] {} keys", started.elapsed().as_secs_f64(), crate::table::count(keys));
        let (works, left_out) = match room.first_lack() {
            Some(lack) => (Vec::new(), Some(format!("left out: {lack}"))),
            None => match room.lack_for_merge() {
                Some(lack) => (WORKS.to_vec(), Some(format!("merge left out: {lack}"))),
                None => ([WORKS, MERGE].concat(), None),
            },
        };
        if let Some(sentence) = &left_out {
            eprintln!("          {sentence}");
        }
        sizes.push(Size { keys, results: measured(args, keys, &works)?, left_out });
    }
    table::print(args, &sizes)
}

/// These works at one number of keys.
fn measured(args: &Args, keys: u64, works: &[&str]) -> Outcome<Results> {
    let (args, mut results) = (args.of_works(works), Results::default());
    let ours = engine::all().into_iter().find(|engine| engine.name() == OURS).ok_or("ours is not among the stores")?;
    if !works.is_empty() {
        let ground = Ground { args: &args, keys: Keys::new(keys), values: Values::new(100) };
        for _ in 0..args.rounds() {
            life::run(&ground, ours, &mut results)?;
        }
    }
    Ok(results)
}
