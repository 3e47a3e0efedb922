//! Puts that are on stable storage when they return, by one writer and by eight. A count would take minutes on a slow
//! disk: they end with the time.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Ground, in_class};
use crate::Outcome;
use crate::engine::{Class, Engine};
use crate::measure::paced_on;
use crate::results::Results;

pub fn run(ground: &Ground<'_>, engine: &dyn Engine, results: &mut Results) -> Outcome<()> {
    if !engine.classes().contains(&Class::D) {
        return Ok(());
    }
    for (work, writers) in [("put-d1", 1), ("put-d8", 8)] {
        if !ground.wants(&[work]) {
            continue;
        }
        let dir = ground.fresh()?;
        let store = in_class(engine, &dir, Class::D, false)?;
        let each = ground.keys.count / writers;
        let done: Vec<_> = (0..writers).map(|_| AtomicU64::new(0)).collect();
        let put = |_: &mut (), writer: u64, i: u64| {
            let at = writer * each + i;
            done[writer as usize].store(i + 1, Ordering::Relaxed);
            store.put(&ground.keys.key(at), ground.values.value(at, 0))
        };
        let pace = paced_on(writers, ground.args.watch(1), each, |_| (), put)?;
        for (start, done) in (0..).step_by(each as usize).zip(done) {
            ground.check(&*store, start..start + done.into_inner(), |_| Some(0))?;
        }
        results.add_pace(work, engine.name(), pace);
    }
    Ok(())
}
