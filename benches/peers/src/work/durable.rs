//! Puts that are on stable storage when they return, by one writer and by eight. A count would take minutes on a slow
//! disk: they end with the time.

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
        let put = |_: &mut (), writer: u64, i: u64| {
            let i = writer * each + i;
            store.put(&ground.keys.key(i), ground.values.value(i, 0))
        };
        let pace = paced_on(writers, ground.args.watch(1), each, |_| (), put)?;
        ground.check(&*store, 0..pace.done / writers / 2, |_| Some(0))?;
        results.add_pace(work, engine.name(), pace);
    }
    Ok(())
}
