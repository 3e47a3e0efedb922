//! Merging: one live record of two and a half, how long it takes, what puts make of it meanwhile, what disk remains.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::{Ground, usual};
use crate::Outcome;
use crate::engine::{Engine, Store};
use crate::measure::{disk_bytes, seconds};
use crate::results::Results;

pub fn run(ground: &Ground<'_>, engine: &dyn Engine, results: &mut Results) -> Outcome<()> {
    if ground.wants(&["merge", "disk-merged"]) {
        alone(ground, engine, results)?;
    }
    if ground.wants(&["merge-puts"]) {
        beside_puts(ground, engine, results)?;
    }
    Ok(())
}

/// Every key once, every key again, and half of them a third time.
fn loaded(ground: &Ground<'_>, store: &dyn Store) -> Outcome<()> {
    let (keys, count) = (&ground.keys, ground.keys.count);
    ground.load(store, 0..count, 0, |i| i)?;
    ground.load(store, 0..count, 1, |i| keys.stride(i))?;
    ground.load(store, 0..count / 2, 1, |i| 2 * i)?;
    store.settle()
}

fn alone(ground: &Ground<'_>, engine: &dyn Engine, results: &mut Results) -> Outcome<()> {
    let dir = ground.fresh()?;
    let store = usual(engine, &dir, false)?;
    loaded(ground, &*store)?;
    let (merged, took) = seconds(|| store.merge())?;
    if merged {
        results.add("merge", engine.name(), took);
    }
    ground.check(&*store, 0..ground.keys.count, |_| Some(1))?;
    drop(store);
    let bytes = disk_bytes(&dir.path().join("store"))?;
    results.add("disk-merged", engine.name(), bytes as f64 / ground.keys.count as f64);
    Ok(())
}

/// The rate of puts while a merge runs, as a share of the rate just before.
fn beside_puts(ground: &Ground<'_>, engine: &dyn Engine, results: &mut Results) -> Outcome<()> {
    let dir = ground.fresh()?;
    let store = usual(engine, &dir, false)?;
    loaded(ground, &*store)?;
    let before = puts_until(ground, &*store, |done| done == ground.keys.count / 4)?;
    let over = AtomicBool::new(false);
    let (merged, during) = std::thread::scope(|scope| {
        let merging = scope.spawn(|| {
            let merged = store.merge();
            over.store(true, Ordering::Release);
            merged
        });
        let during = puts_until(ground, &*store, |_| over.load(Ordering::Acquire));
        (merging.join(), during)
    });
    if merged.map_err(|_| "the merge panicked")?? {
        results.add("merge-puts", engine.name(), during? / before);
    }
    ground.check(&*store, 0..ground.keys.count, |_| Some(1))
}

/// Puts a second.
fn puts_until(ground: &Ground<'_>, store: &dyn Store, over: impl Fn(u64) -> bool) -> Outcome<f64> {
    let (started, mut done) = (Instant::now(), 0_u64);
    while !over(done) {
        let at = ground.keys.stride(done % ground.keys.count);
        store.put(&ground.keys.key(at), ground.values.value(at, 1))?;
        done += 1;
    }
    Ok(done as f64 / started.elapsed().as_secs_f64())
}
