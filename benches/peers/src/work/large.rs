//! Values of 4 KiB, 64 KiB and 1 MiB: put and get, in bytes of values a second.

use super::{Ground, usual};
use crate::Outcome;
use crate::engine::{Class, Engine};
use crate::key::{Dice, Values};
use crate::measure::paced;
use crate::results::Results;

/// Length, how many, names of put and get.
pub const SIZES: &[(usize, u64, &str, &str)] = &[
    (4 << 10, 1 << 16, "put-4k", "get-4k"),
    (64 << 10, 1 << 13, "put-64k", "get-64k"),
    (1 << 20, 1 << 9, "put-1m", "get-1m"),
];

pub fn run(ground: &Ground<'_>, engine: &dyn Engine, results: &mut Results) -> Outcome<()> {
    for &(len, count, put, get) in SIZES {
        if ground.wants(&[put, get]) {
            of_size(ground, engine, results, (len, count, put, get))?;
        }
    }
    Ok(())
}

fn of_size(
    ground: &Ground<'_>,
    engine: &dyn Engine,
    results: &mut Results,
    (len, count, put, get): (usize, u64, &'static str, &'static str),
) -> Outcome<()> {
    let (keys, values, dir) = (&ground.keys, Values::new(len), ground.fresh()?);
    let store = usual(engine, &dir, false)?;
    let mut pace = paced(ground.args.watch(1), count, |i| store.put(&keys.key(i), values.value(i, 0)))?;
    if engine.classes().contains(&Class::K) && ground.wants(&[put]) {
        results.add_scaled(put, engine.name(), &mut pace, len as f64);
    }
    store.settle()?;
    let mut value = Vec::new();
    for i in 0..pace.done {
        if !store.get(&keys.key(i), &mut value)? || value != values.value(i, 0) {
            return Err(format!("a value of {len} bytes came back wrong").into());
        }
    }
    if ground.wants(&[get]) {
        let mut dice = Dice::new(5);
        let mut pace =
            paced(ground.args.watch(1), count, |_| store.get(&keys.key(dice.below(pace.done)), &mut value).map(drop))?;
        results.add_scaled(get, engine.name(), &mut pace, len as f64);
    }
    Ok(())
}
