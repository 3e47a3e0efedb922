//! Puts of a thousand keys a transaction.

use std::time::Instant;

use super::{BATCH, Ground, in_class};
use crate::Outcome;
use crate::engine::{Class, Engine};
use crate::key::Key;
use crate::results::Results;

pub fn run(ground: &Ground<'_>, engine: &dyn Engine, results: &mut Results) -> Outcome<()> {
    if !ground.wants(&["batch-k"]) || !engine.classes().contains(&Class::K) {
        return Ok(());
    }
    let dir = ground.fresh()?;
    let store = in_class(engine, &dir, Class::K, false)?;
    let mut items: Vec<(Key, &[u8])> = Vec::with_capacity(BATCH as usize);
    let (mut done, budget) = (0, ground.args.watch(1).budget);
    let started = Instant::now();
    while done < ground.keys.count && started.elapsed() < budget {
        items.clear();
        items.extend((done..done + BATCH).map(|i| (ground.keys.key(i), ground.values.value(i, 0))));
        store.put_batch(&items)?;
        done += BATCH;
    }
    results.add("batch-k", engine.name(), done as f64 / started.elapsed().as_secs_f64());
    ground.check(&*store, 0..done, |_| Some(0))
}
