//! Single operations on keys and values of 16 and 100 bytes: put, get, miss, overwrite, delete.

use super::{EVERY, Ground, in_class};
use crate::Outcome;
use crate::engine::{Class, Engine, Store};
use crate::key::Dice;
use crate::measure::{Pace, paced, paced_on};
use crate::results::Results;

pub const READS: &[&str] = &["get-hit", "get-hit2", "get-scale", "get-miss"];

/// Puts that may still be in the process when they return.
pub fn held_back(ground: &Ground<'_>, engine: &dyn Engine, results: &mut Results) -> Outcome<()> {
    if ground.wants(&["put-u"]) && engine.classes().contains(&Class::U) {
        let dir = ground.fresh()?;
        let store = in_class(engine, &dir, Class::U, false)?;
        let pace = puts(ground, &*store)?;
        ground.check(&*store, 0..pace.done, |_| Some(0))?;
        results.add_pace("put-u", engine.name(), pace);
    }
    Ok(())
}

/// One key after the other.
fn puts(ground: &Ground<'_>, store: &dyn Store) -> Outcome<Pace> {
    paced(ground.args.watch(EVERY), ground.keys.count, |i| store.put(&ground.keys.key(i), ground.values.value(i, 0)))
}

/// Puts every key: one a call as long as that is measured and the time allows, the rest in batches.
pub fn load(ground: &Ground<'_>, engine: &dyn Engine, store: &dyn Store, results: &mut Results) -> Outcome<()> {
    let mut done = 0;
    if ground.wants(&["put-k"]) && engine.classes().contains(&Class::K) {
        let pace = puts(ground, store)?;
        done = pace.done;
        results.add_pace("put-k", engine.name(), pace);
    }
    ground.load(store, done..ground.keys.count, 0, |i| i)?;
    store.settle()?;
    ground.check(store, 0..ground.keys.count, |_| Some(0))
}

pub fn reads(ground: &Ground<'_>, store: &dyn Store, name: &'static str, results: &mut Results) -> Outcome<()> {
    let hit = |(dice, value): &mut (Dice, Vec<u8>), _, _| {
        let found = store.get(&ground.keys.key(dice.below(ground.keys.count)), value)?;
        if found { Ok(()) } else { Err("a key that was put was not found".into()) }
    };
    let miss = |(dice, value): &mut (Dice, Vec<u8>), _, _| {
        let found = store.get(&ground.keys.missing(dice.below(ground.keys.count)), value)?;
        if found { Err("a key that was not put was found".into()) } else { Ok(()) }
    };
    let state = |thread| (Dice::new(thread), Vec::new());
    let (watch, count) = (ground.args.watch(EVERY), ground.keys.count);
    if ground.wants(&["get-hit", "get-hit2", "get-scale"]) {
        let one = paced_on(1, watch, count, state, hit)?;
        let two = paced_on(2, watch, count, state, hit)?;
        results.add("get-scale", name, two.rate() / one.rate());
        results.add_pace("get-hit", name, one);
        results.add_pace("get-hit2", name, two);
    }
    if ground.wants(&["get-miss"]) {
        results.add_pace("get-miss", name, paced_on(1, watch, count, state, miss)?);
    }
    Ok(())
}

/// Half a million puts among gets for each million keys, and then every key: one live record of two and a half.
pub fn overwrites(ground: &Ground<'_>, engine: &dyn Engine, store: &dyn Store, results: &mut Results) -> Outcome<()> {
    let (keys, values, count) = (&ground.keys, &ground.values, ground.keys.count);
    let watch = ground.args.watch(EVERY);
    let mut done = 0;
    if ground.wants(&["mixed-k"]) {
        let (mut dice, mut value) = (Dice::new(7), Vec::new());
        let pace = paced(watch, count, |i| {
            let at = dice.below(count);
            if i % 2 == 0 {
                store.put(&keys.key(at), values.value(at, 0))
            } else {
                store.get(&keys.key(at), &mut value).map(drop)
            }
        })?;
        done = pace.done / 2;
        results.add_pace("mixed-k", engine.name(), pace);
        ground.check(store, 0..count, |_| Some(0))?;
    }
    ground.load(store, done..count / 2, 0, |i| 2 * i)?;
    done = 0;
    if ground.wants(&["overwrite-k"]) {
        let pace = paced(watch, count, |i| {
            let at = keys.stride(i);
            store.put(&keys.key(at), values.value(at, 1))
        })?;
        done = pace.done;
        results.add_pace("overwrite-k", engine.name(), pace);
    }
    ground.load(store, done..count, 1, |i| keys.stride(i))?;
    store.settle()?;
    ground.check(store, 0..count, |_| Some(1))
}

pub fn deletes(ground: &Ground<'_>, engine: &dyn Engine, store: &dyn Store, results: &mut Results) -> Outcome<()> {
    if !ground.wants(&["delete-k"]) {
        return Ok(());
    }
    let (keys, count) = (&ground.keys, ground.keys.count);
    let pace = paced(ground.args.watch(EVERY), count, |i| store.delete(&keys.key(keys.stride(i))))?;
    let mut gone = vec![false; count as usize];
    (0..pace.done).for_each(|i| gone[keys.stride(i) as usize] = true);
    results.add_pace("delete-k", engine.name(), pace);
    ground.check(store, 0..count, |i| (!gone[i as usize]).then_some(1))
}
