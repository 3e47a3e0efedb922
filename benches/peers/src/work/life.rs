//! One store from its first put to its last delete, so that it is loaded once for all works on small values: put, read,
//! closed and opened, listed, written over, merged, deleted from. What nobody asked for is left out, or done without a
//! clock where a later work needs it.

use super::{Ground, merge, open, order, point, usual};
use crate::Outcome;
use crate::engine::{Class, Engine};
use crate::results::Results;

const WRITES: &[&str] = &["mixed-k", "overwrite-k", "merge", "disk-merged", "delete-k"];

pub fn run(ground: &Ground<'_>, engine: &dyn Engine, results: &mut Results) -> Outcome<()> {
    let (read, opened, listed) = (ground.wants(point::READS), ground.wants(open::WORKS), ground.wants(order::WORKS));
    let written = ground.wants(WRITES) && engine.classes().contains(&Class::K);
    if !(read || opened || listed || written || ground.wants(&["put-k"])) {
        return Ok(());
    }
    let dir = ground.fresh()?;
    let store = usual(engine, &dir, false)?;
    point::load(ground, engine, &*store, results)?;
    if read {
        point::reads(ground, &*store, engine.name(), results)?;
    }
    drop(store);
    if opened {
        open::run(ground, engine, &dir, results)?;
    }
    if listed {
        order::run(ground, engine, &dir, results)?;
    }
    if written {
        let store = usual(engine, &dir, false)?;
        point::overwrites(ground, engine, &*store, results)?;
        merge::run(ground, engine, &*store, &dir, results)?;
        point::deletes(ground, engine, &*store, results)?;
    }
    Ok(())
}
