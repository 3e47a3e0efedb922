//! Listings: all keys in no order, all in order, and those of a prefix. Where order costs a store something beforehand, it
//! is opened for it, and ours has built its order when the clock of a prefix starts.

use tempfile::TempDir;

use super::{Ground, usual};
use crate::Outcome;
use crate::engine::{self, Engine, Store};
use crate::measure::{paced, seconds};
use crate::results::Results;

const PREFIXES: u64 = 200;

pub const WORKS: &[&str] = &["list", "list-order", "order-build", "prefix"];

/// On a store that holds every key once.
pub fn run(ground: &Ground<'_>, engine: &dyn Engine, dir: &TempDir, results: &mut Results) -> Outcome<()> {
    if ground.wants(&["list"]) {
        let store = usual(engine, dir, false)?;
        results.add("list", engine.name(), list(ground, &*store, false)?);
    }
    if ground.wants(&["list-order", "order-build", "prefix"]) {
        let store = usual(engine, dir, true)?;
        if engine.name() == engine::OURS {
            let build = seconds(|| store.keep_order())?.1;
            results.add("order-build", engine.name(), build);
        }
        results.add("list-order", engine.name(), list(ground, &*store, true)?);
        prefixes(ground, &*store, engine.name(), results)?;
    }
    Ok(())
}

/// Keys a second.
fn list(ground: &Ground<'_>, store: &dyn Store, ordered: bool) -> Outcome<f64> {
    let (mut sum, mut count) = (0_u64, 0_u64);
    let visit = &mut |key: &[u8]| {
        sum = sum.wrapping_add(u64::from(key[15]));
        count += 1;
    };
    let took = seconds(|| store.list(visit))?.1;
    let mut last: Vec<u8> = Vec::new();
    let mut sorted = true;
    store.list(&mut |key| {
        sorted &= *last <= *key;
        last.clear();
        last.extend_from_slice(key);
    })?;
    if count != ground.keys.count || (ordered && !sorted) {
        return Err(format!("{count} keys of {} listed, in order: {sorted}, checksum {sum}", ground.keys.count).into());
    }
    Ok(count as f64 / took)
}

fn prefixes(ground: &Ground<'_>, store: &dyn Store, name: &'static str, results: &mut Results) -> Outcome<()> {
    let mut keys = 0_u64;
    let pace = paced(ground.args.watch(1), PREFIXES, |i| {
        let prefix = ground.keys.prefix(i);
        store.prefix(&prefix, &mut |key| keys += u64::from(key.starts_with(&prefix)))
    })?;
    let expected = ground.keys.count.min(1000) * pace.done;
    if keys * 10 < expected * 8 || keys * 10 > expected * 15 {
        return Err(format!("{keys} keys in {} prefixes", pace.done).into());
    }
    results.add_duration("prefix", name, pace);
    Ok(())
}
