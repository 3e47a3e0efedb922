//! Limits of durable writes: one record and one fdatasync into a file whose space is reserved and written; and eight
//! writers that share both, one of them leading.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::sync::{Condvar, Mutex};

use super::log;
use crate::Outcome;
use crate::measure::{Pace, paced, paced_on};
use crate::results::{LIMIT, Results};
use crate::work::Ground;

const RESERVED: u64 = 64 << 20;

pub(super) fn run(ground: &Ground<'_>, results: &mut Results) -> Outcome<()> {
    if ground.wants(&["put-d1", "fdatasync-1"]) {
        let pace = alone(ground)?;
        results.add("put-d1", LIMIT, pace.rate());
        results.add_pace("fdatasync-1", LIMIT, pace);
    }
    if ground.wants(&["put-d8", "fdatasync-8"]) {
        let pace = shared(ground, 8)?;
        results.add("put-d8", LIMIT, pace.rate());
        results.add_pace("fdatasync-8", LIMIT, pace);
    }
    Ok(())
}

/// A file whose blocks are there and written, so that a sync has no metadata to take along.
fn reserved(dir: &tempfile::TempDir) -> Outcome<File> {
    let file = OpenOptions::new().create(true).truncate(true).write(true).open(dir.path().join("log"))?;
    let zeros = vec![0; 1 << 20];
    for at in (0..RESERVED).step_by(zeros.len()) {
        file.write_all_at(&zeros, at)?;
    }
    file.sync_all()?;
    Ok(file)
}

fn alone(ground: &Ground<'_>) -> Outcome<Pace> {
    let dir = ground.fresh()?;
    let (file, mut record, mut offset) = (reserved(&dir)?, Vec::new(), 0);
    paced(ground.args.watch(1), RESERVED / log::LEN, |i| {
        record.clear();
        log::build(&mut record, offset, &ground.keys.key(i), ground.values.value(i, 0));
        file.write_all_at(&record, offset)?;
        file.sync_data()?;
        offset += record.len() as u64;
        Ok(())
    })
}

/// What writers wait in line for.
#[derive(Default)]
struct Line {
    waiting: Vec<u8>,
    /// Groups begun, groups done.
    begun: u64,
    done: u64,
    is_led: bool,
    offset: u64,
}

fn shared(ground: &Ground<'_>, writers: u64) -> Outcome<Pace> {
    let dir = ground.fresh()?;
    let (file, line, moved) = (reserved(&dir)?, Mutex::new(Line::default()), Condvar::new());
    let put = |record: &mut Vec<u8>, writer: u64, i: u64| -> Outcome<()> {
        record.clear();
        log::build(record, i, &ground.keys.key(i * writers + writer), ground.values.value(i, 0));
        let mut own = line.lock().map_err(|_| "poisoned")?;
        own.waiting.extend_from_slice(record);
        let group = own.begun + 1;
        loop {
            if own.done >= group {
                return Ok(());
            }
            if !own.is_led {
                break;
            }
            own = moved.wait(own).map_err(|_| "poisoned")?;
        }
        own.is_led = true;
        own.begun += 1;
        let (bytes, offset) = (std::mem::take(&mut own.waiting), own.offset);
        own.offset += bytes.len() as u64;
        drop(own);
        file.write_all_at(&bytes, offset)?;
        file.sync_data()?;
        let mut own = line.lock().map_err(|_| "poisoned")?;
        own.is_led = false;
        own.done = group;
        moved.notify_all();
        Ok(())
    };
    paced_on(writers, ground.args.watch(1), RESERVED / log::LEN / writers, |_| Vec::new(), put)
}
