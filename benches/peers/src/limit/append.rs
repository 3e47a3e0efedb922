//! Limits of puts: one `write` a record, a buffer, a mapped tail.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::slots::Slots;
use super::{log, map, new_file};
use crate::Outcome;
use crate::measure::{Pace, paced};
use crate::results::{LIMIT, Results};
use crate::work::{EVERY, Ground};

/// Bytes held back by an appending buffer.
const BUFFER: usize = 1 << 20;

pub(super) fn run(ground: &Ground<'_>, results: &mut Results) -> Outcome<()> {
    if ground.wants(&["put-k", "overwrite-k", "append-write"]) {
        let write = by_write(ground, 100)?;
        results.add("put-k", LIMIT, write.rate());
        results.add("overwrite-k", LIMIT, write.rate());
        results.add_pace("append-write", LIMIT, write);
    }
    if ground.wants(&["delete-k"]) {
        results.add("delete-k", LIMIT, by_write(ground, 0)?.rate());
    }
    if ground.wants(&["put-u", "batch-k", "append-buffer"]) {
        let buffer = by_buffer(ground)?;
        results.add("put-u", LIMIT, buffer.rate());
        results.add("batch-k", LIMIT, buffer.rate());
        results.add_pace("append-buffer", LIMIT, buffer);
    }
    if ground.wants(&["append-map"]) {
        results.add_pace("append-map", LIMIT, by_map(ground)?);
    }
    Ok(())
}

/// Does `append` with every key in turn: the record, its offset. It is built and its slot taken for it.
fn appending(
    ground: &Ground<'_>,
    value_len: usize,
    mut append: impl FnMut(&File, &[u8], u64) -> Outcome<()>,
) -> Outcome<Pace> {
    let dir = ground.fresh()?;
    let (file, mut slots) = (new_file(&dir)?, Slots::new(ground.keys.count));
    let (mut record, mut offset) = (Vec::new(), 0_u64);
    paced(ground.args.watch(EVERY), ground.keys.count, |i| {
        let key = ground.keys.key(i);
        record.clear();
        log::build(&mut record, offset, &key, &ground.values.value(i, 0)[..value_len]);
        append(&file, &record, offset)?;
        slots.insert(&key, offset);
        offset += record.len() as u64;
        Ok(())
    })
}

fn by_write(ground: &Ground<'_>, value_len: usize) -> Outcome<Pace> {
    appending(ground, value_len, |file, record, offset| Ok(file.write_all_at(record, offset)?))
}

fn by_buffer(ground: &Ground<'_>) -> Outcome<Pace> {
    let mut buffer = Vec::with_capacity(BUFFER + 4096);
    appending(ground, 100, |file, record, offset| {
        if buffer.len() >= BUFFER {
            file.write_all_at(&buffer, offset - buffer.len() as u64)?;
            buffer.clear();
        }
        buffer.extend_from_slice(record);
        Ok(())
    })
}

/// The file's space is reserved, as it must be for a full disk to be an error and no signal.
fn by_map(ground: &Ground<'_>) -> Outcome<Pace> {
    let mut tail = None;
    appending(ground, 100, |file, record, offset| {
        if tail.is_none() {
            file.set_len(ground.keys.count * log::LEN)?;
            tail = Some(map::write(file)?);
        }
        let at = offset as usize;
        tail.as_mut().ok_or("no mapping")?[at..at + record.len()].copy_from_slice(record);
        Ok(())
    })
}
