//! Limits of single operations on small records.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;

use super::slots::Slots;
use super::{log, map};
use crate::Outcome;
use crate::key::Dice;
use crate::measure::{Pace, paced};
use crate::results::{LIMIT, Results};
use crate::work::{EVERY, Ground};

/// Bytes held back by an appending buffer, and by which a mapped tail grows.
const BUFFER: usize = 1 << 20;

const WRITES: &[&str] =
    &["put-k", "put-u", "batch-k", "overwrite-k", "delete-k", "append-write", "append-buffer", "append-map"];
const READS: &[&str] = &[
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
    if ground.wants(WRITES) {
        let write = append_write(ground, 100)?;
        let tombstone = append_write(ground, 0)?;
        for work in ["put-k", "overwrite-k", "append-write"] {
            results.add(work, LIMIT, write.rate());
        }
        results.add("delete-k", LIMIT, tombstone.rate());
        let buffer = append_buffer(ground)?;
        for work in ["put-u", "batch-k", "append-buffer"] {
            results.add(work, LIMIT, buffer.rate());
        }
        results.add_pace("append-map", LIMIT, append_map(ground)?);
    }
    if ground.wants(READS) {
        reads(ground, results)?;
    }
    Ok(())
}

fn new_file(dir: &tempfile::TempDir) -> Outcome<File> {
    Ok(OpenOptions::new().create(true).truncate(true).read(true).write(true).open(dir.path().join("log"))?)
}

fn append_write(ground: &Ground<'_>, value_len: usize) -> Outcome<Pace> {
    let dir = ground.fresh()?;
    let (file, mut slots, mut record, mut offset) = (new_file(&dir)?, Slots::new(ground.keys.count), Vec::new(), 0_u64);
    paced(ground.args.watch(EVERY), ground.keys.count, |i| {
        let key = ground.keys.key(i);
        record.clear();
        log::build(&mut record, offset, &key, &ground.values.value(i, 0)[..value_len]);
        file.write_all_at(&record, offset)?;
        slots.insert(&key, offset);
        offset += record.len() as u64;
        Ok(())
    })
}

fn append_buffer(ground: &Ground<'_>) -> Outcome<Pace> {
    let dir = ground.fresh()?;
    let (file, mut slots) = (new_file(&dir)?, Slots::new(ground.keys.count));
    let (mut buffer, mut start) = (Vec::with_capacity(BUFFER + 4096), 0_u64);
    paced(ground.args.watch(EVERY), ground.keys.count, |i| {
        let (key, offset) = (ground.keys.key(i), start + buffer.len() as u64);
        log::build(&mut buffer, offset, &key, ground.values.value(i, 0));
        slots.insert(&key, offset);
        if buffer.len() >= BUFFER {
            file.write_all_at(&buffer, start)?;
            start += buffer.len() as u64;
            buffer.clear();
        }
        Ok(())
    })
}

fn append_map(ground: &Ground<'_>) -> Outcome<Pace> {
    let dir = ground.fresh()?;
    let (file, mut slots, mut record, mut offset) =
        (new_file(&dir)?, Slots::new(ground.keys.count), Vec::new(), 0_usize);
    file.set_len(ground.keys.count * 140 + BUFFER as u64)?;
    let mut tail = map::write(&file)?;
    paced(ground.args.watch(EVERY), ground.keys.count, |i| {
        let key = ground.keys.key(i);
        record.clear();
        log::build(&mut record, offset as u64, &key, ground.values.value(i, 0));
        tail[offset..offset + record.len()].copy_from_slice(&record);
        slots.insert(&key, offset as u64);
        offset += record.len();
        Ok(())
    })
}

/// A log of all keys on which gets are done.
fn reads(ground: &Ground<'_>, results: &mut Results) -> Outcome<()> {
    let (dir, keys, count) = (ground.fresh()?, ground.keys, ground.keys.count);
    let (file, mut slots) = (new_file(&dir)?, Slots::new(count));
    let len = (log::HEADER + 16 + 100) as u64;
    let watch = ground.args.watch(EVERY);
    results.add_pace(
        "table-insert",
        LIMIT,
        paced(watch, count, |i| {
            slots.insert(&keys.key(i), i * len);
            Ok(())
        })?,
    );
    let mut bytes = Vec::new();
    for i in 0..count {
        log::build(&mut bytes, i * len, &keys.key(i), ground.values.value(i, 0));
        slots.insert(&keys.key(i), i * len); // those that the budget cut off
        if bytes.len() > BUFFER || i + 1 == count {
            file.write_all_at(&bytes, (i + 1) * len - bytes.len() as u64)?;
            bytes.clear();
        }
    }
    let (mapped, slots) = (map::read(&file)?, &slots);
    let mut dice = Dice::new(0);
    results.add_pace(
        "table-hit",
        LIMIT,
        paced(watch, count, |_| {
            slots.find(&keys.key(dice.below(count)), Some).map(drop).ok_or_else(|| "no slot".into())
        })?,
    );
    let miss = paced(watch, count, |_| {
        std::hint::black_box(slots.find(&keys.missing(dice.below(count)), Some));
        Ok(())
    })?;
    results.add("get-miss", LIMIT, miss.rate());
    results.add_pace("table-miss", LIMIT, miss);
    let mut value = Vec::new();
    let mut get = |key: &[u8; 16]| {
        let found = slots.find(key, |place| {
            let (stored, bytes) = log::check(&mapped[place as usize..], place)?;
            (stored == key).then(|| {
                value.clear();
                value.extend_from_slice(bytes);
            })
        });
        found.ok_or_else(|| "a record did not hold".into())
    };
    let map = paced(watch, count, |_| get(&keys.key(dice.below(count))))?;
    results.add("get-hit", LIMIT, map.rate());
    results.add_pace("read-map", LIMIT, map);
    let (mut record, mut offset, file_len) = (Vec::new(), 0, count * len);
    let mixed = paced(watch, count, |i| {
        let key = keys.key(dice.below(count));
        if i % 2 == 0 {
            record.clear();
            log::build(&mut record, offset, &key, ground.values.value(i, 0));
            offset += len;
            Ok(file.write_all_at(&record, file_len + offset)?)
        } else {
            get(&key)
        }
    })?;
    results.add("mixed-k", LIMIT, mixed.rate());
    let mut buffer = vec![0; len as usize];
    let mut value = Vec::new();
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
