//! Merging: one live record of two and a half, how long it takes, what puts make of it meanwhile, what disk remains.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tempfile::TempDir;

use super::{Ground, usual};
use crate::Outcome;
use crate::engine::{Class, Engine, Store};
use crate::measure::{disk_bytes, seconds};
use crate::results::Results;

/// On a store with two and a half records of every key.
pub fn run(
    ground: &Ground<'_>,
    engine: &dyn Engine,
    store: &dyn Store,
    dir: &TempDir,
    results: &mut Results,
) -> Outcome<()> {
    if !ground.wants(&["merge", "disk-merged"]) {
        return Ok(());
    }
    let (merged, took) = seconds(|| store.merge())?;
    if merged {
        results.add("merge", engine.name(), took);
    }
    ground.check(store, 0..ground.keys.count, |_| Some(1))?;
    let bytes = disk_bytes(&dir.path().join("store"))?;
    results.add("disk-merged", engine.name(), bytes as f64 / ground.keys.count as f64);
    Ok(())
}

/// On a fresh store, the rate of puts while a merge runs, as a share of the rate just before.
pub fn beside_puts(ground: &Ground<'_>, engine: &dyn Engine, results: &mut Results) -> Outcome<()> {
    if !ground.wants(&["merge-puts"]) || !engine.classes().contains(&Class::K) {
        return Ok(());
    }
    let dir = ground.fresh()?;
    let store = usual(engine, &dir, false)?;
    ground.load(&*store, 0..ground.keys.count, 0, |i| i)?;
    ground.load(&*store, 0..ground.keys.count, 1, |i| ground.keys.stride(i))?;
    store.settle()?;
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
    let budget = ground.args.watch(1).budget;
    while !over(done) && started.elapsed() < budget {
        let at = ground.keys.stride(done % ground.keys.count);
        store.put(&ground.keys.key(at), ground.values.value(at, 1))?;
        done += 1;
    }
    Ok(done as f64 / started.elapsed().as_secs_f64())
}
