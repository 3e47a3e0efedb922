//! Limits of gets: the table alone, and behind it a mapped read or a `pread`, each checked, compared and copied out.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::slots::Slots;
use super::{log, map, new_file};
use crate::Outcome;
use crate::key::{Dice, Key};
use crate::measure::{paced, paced_on};
use crate::results::{LIMIT, Results};
use crate::work::{EVERY, Ground};

const WORKS: &[&str] = &[
    "get-hit",
    "get-hit2",
    "get-miss",
    "mixed-k",
    "read-pread",
    "read-map",
    "table-insert",
    "table-hit",
    "table-miss",
];

pub(super) fn run(ground: &Ground<'_>, results: &mut Results) -> Outcome<()> {
    if !ground.wants(WORKS) {
        return Ok(());
    }
    let dir = ground.fresh()?;
    let file = new_file(&dir)?;
    let mut slots = table(ground, results)?;
    write_log(ground, &file)?;
    look_ups(ground, &slots, results)?;
    reads(ground, &file, &slots, results)?;
    mixed(ground, &file, &mut slots, results)
}

/// A table of all keys.
fn table(ground: &Ground<'_>, results: &mut Results) -> Outcome<Slots> {
    let mut slots = Slots::new(ground.keys.count);
    let mut insert = |i: u64| {
        slots.insert(&ground.keys.key(i), i * log::LEN);
        Ok(())
    };
    let pace = paced(ground.args.watch(EVERY), ground.keys.count, &mut insert)?;
    (pace.done..ground.keys.count).try_for_each(insert)?; // those that the time cut off
    results.add_pace("table-insert", LIMIT, pace);
    Ok(slots)
}

/// Their records, in the order of the keys.
fn write_log(ground: &Ground<'_>, file: &File) -> Outcome<()> {
    let mut bytes = Vec::new();
    for i in 0..ground.keys.count {
        log::build(&mut bytes, i * log::LEN, &ground.keys.key(i), ground.values.value(i, 0));
        if bytes.len() > 1 << 20 || i + 1 == ground.keys.count {
            file.write_all_at(&bytes, (i + 1) * log::LEN - bytes.len() as u64)?;
            bytes.clear();
        }
    }
    Ok(())
}

fn look_ups(ground: &Ground<'_>, slots: &Slots, results: &mut Results) -> Outcome<()> {
    let (keys, count, watch) = (ground.keys, ground.keys.count, ground.args.watch(EVERY));
    let mut dice = Dice::new(0);
    let hit = paced(watch, count, |_| {
        slots.find(&keys.key(dice.below(count)), Some).map(drop).ok_or_else(|| "no slot".into())
    })?;
    results.add_pace("table-hit", LIMIT, hit);
    let miss = paced(watch, count, |_| {
        std::hint::black_box(slots.find(&keys.missing(dice.below(count)), Some));
        Ok(())
    })?;
    results.add("get-miss", LIMIT, miss.rate());
    results.add_pace("table-miss", LIMIT, miss);
    Ok(())
}

/// A get in a mapped log.
fn get(log: &[u8], slots: &Slots, key: &Key, value: &mut Vec<u8>) -> Outcome<()> {
    let found = slots.find(key, |place| {
        let (stored, bytes) = log::check(log.get(place as usize..)?, place)?;
        (stored == key).then(|| {
            value.clear();
            value.extend_from_slice(bytes);
        })
    });
    found.ok_or_else(|| "a record did not hold".into())
}

fn reads(ground: &Ground<'_>, file: &File, slots: &Slots, results: &mut Results) -> Outcome<()> {
    let (keys, count, watch) = (ground.keys, ground.keys.count, ground.args.watch(EVERY));
    let mapped = map::read(file)?;
    let state = |thread| (Dice::new(thread), Vec::new());
    let hit = |(dice, value): &mut (Dice, Vec<u8>), _, _| get(&mapped, slots, &keys.key(dice.below(count)), value);
    let one = paced_on(1, watch, count, state, hit)?;
    results.add("get-hit2", LIMIT, paced_on(2, watch, count, state, hit)?.rate());
    results.add("get-hit", LIMIT, one.rate());
    results.add_pace("read-map", LIMIT, one);
    let (mut dice, mut buffer, mut value) = (Dice::new(3), vec![0; log::LEN as usize], Vec::new());
    let pread = paced(watch, count, |_| {
        let key = keys.key(dice.below(count));
        let found = slots.find(&key, |place| {
            file.read_exact_at(&mut buffer, place).ok()?;
            let (stored, bytes) = log::check(&buffer, place)?;
            (stored == key).then(|| {
                value.clear();
                value.extend_from_slice(bytes);
            })
        });
        found.ok_or_else(|| "a record did not hold".into())
    })?;
    results.add_pace("read-pread", LIMIT, pread);
    Ok(())
}

/// Puts by `write`, and gets of records from a mapping, the new ones too.
fn mixed(ground: &Ground<'_>, file: &File, slots: &mut Slots, results: &mut Results) -> Outcome<()> {
    let (keys, count) = (ground.keys, ground.keys.count);
    let mut offset = count * log::LEN;
    file.set_len(offset + count * log::LEN)?;
    let mapped = map::read(file)?;
    let (mut dice, mut record, mut value) = (Dice::new(7), Vec::new(), Vec::new());
    let pace = paced(ground.args.watch(EVERY), count, |i| {
        let key = keys.key(dice.below(count));
        if i % 2 == 1 {
            return get(&mapped, slots, &key, &mut value);
        }
        record.clear();
        log::build(&mut record, offset, &key, ground.values.value(i, 0));
        file.write_all_at(&record, offset)?;
        slots.insert(&key, offset);
        offset += log::LEN;
        Ok(())
    })?;
    results.add_pace("mixed-k", LIMIT, pace);
    Ok(())
}
