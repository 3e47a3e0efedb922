//! logkv beside other embedded stores, and beside what the machine allows, measured in turn in one run.
//!
//! `engine` is what is compared, `work` what it is asked to do, `limit` the same work with nothing around it, `goal` the
//! table of works with their goals, `results` what was measured, `table` what is printed. `growth` is another run: ours
//! alone, at more and more keys. Start with `engine/mod.rs`: which stores stand in which comparison, and why.

mod args;
mod child;
mod engine;
mod goal;
mod growth;
mod key;
mod limit;
mod measure;
mod results;
mod table;
mod work;

use std::time::Instant;

use args::Args;
use engine::Engine;
use key::{Keys, Values};
use results::Results;
use work::Ground;

/// Any failure ends the run: a benchmark that goes on after one measures something else.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if child::run(&words)? {
        return Ok(());
    }
    let Some(args) = Args::read(words.into_iter())? else {
        println!("{}", args::USAGE);
        return Ok(());
    };
    if args.growth.is_some() { growth::run(&args) } else { compare(&args) }
}

/// The rounds: in each, every store after the other, so that what disturbs the machine meets all alike.
fn compare(args: &Args) -> Outcome<()> {
    let keys = Keys::new(args.keys.unwrap_or(1_000_000));
    let ground = Ground { args, keys, values: Values::new(100) };
    let engines: Vec<_> = engine::all().into_iter().filter(|engine| args.wants_engine(engine.name())).collect();
    let (mut results, started) = (Results::default(), Instant::now());
    for round in 1..=args.rounds() {
        let tell = |what: &str| eprintln!("[{:5.0} s] round {round}: {what}", started.elapsed().as_secs_f64());
        if args.limits {
            tell(results::LIMIT);
            limit::run(&ground, &mut results)?;
        }
        for engine in &engines {
            tell(engine.name());
            works(&ground, *engine, &mut results).map_err(|e| format!("{}: {e}", engine.name()))?;
        }
    }
    table::print(args, keys, &results);
    Ok(())
}

/// Some of the works of one store.
type Step = fn(&Ground<'_>, &dyn Engine, &mut Results) -> Outcome<()>;

/// All works of one store. Where the minutes go is told, as it is the stores that differ.
fn works(ground: &Ground<'_>, engine: &dyn Engine, results: &mut Results) -> Outcome<()> {
    let steps: [(&str, Step); 6] = [
        ("held back", work::point::held_back),
        ("batches", work::batch::run),
        ("durable", work::durable::run),
        ("large", work::large::run),
        ("life", work::life::run),
        ("merge beside puts", work::merge::beside_puts),
    ];
    for (name, step) in steps {
        let started = Instant::now();
        step(ground, engine, results)?;
        let took = started.elapsed().as_secs_f64();
        if took >= 1.0 {
            eprintln!("          {name}: {took:.0} s");
        }
    }
    Ok(())
}
