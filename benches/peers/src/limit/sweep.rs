//! Limits of what goes through everything: opening, scanning, merging; and bandwidths.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;

use super::slots::Slots;
use super::{log, map};
use crate::Outcome;
use crate::key::Key;
use crate::measure::seconds;
use crate::results::{LIMIT, Results};
use crate::work::Ground;

/// Bytes a key of an image of the index.
const ENTRY: usize = 38;

pub(super) fn run(ground: &Ground<'_>, results: &mut Results) -> Outcome<()> {
    if ground.wants(&["open-clean", "open-crash", "image"]) {
        image(ground, results)?;
    }
    if ground.wants(&["open-scan", "merge", "sequential"]) {
        log_of_all(ground, results)?;
    }
    if ground.wants(&["crc", "copy"]) {
        bandwidths(results)?;
    }
    results.add("disk-load", LIMIT, 116.0);
    results.add("disk-merged", LIMIT, 116.0);
    results.add("memory", LIMIT, 16.0);
    Ok(())
}

/// An image of the index read and checked; and read as hints are, its entries put into a table by two threads.
fn image(ground: &Ground<'_>, results: &mut Results) -> Outcome<()> {
    let (dir, count) = (ground.fresh()?, ground.keys.count);
    let path = dir.path().join("image");
    let mut bytes = Vec::with_capacity(count as usize * ENTRY);
    for i in 0..count {
        bytes.extend_from_slice(&ground.keys.key(i));
        bytes.extend_from_slice(&(i * log::LEN).to_le_bytes());
        bytes.extend_from_slice(&[0; ENTRY - 24]);
    }
    std::fs::write(&path, &bytes)?;
    let crc = crc32fast::hash(&bytes);
    drop(bytes);
    let checked = || {
        let bytes = std::fs::read(&path)?;
        if crc32fast::hash(&bytes) == crc { Ok(bytes) } else { Err("the image does not hold".into()) }
    };
    let took = seconds(checked)?.1;
    results.add("image", LIMIT, took);
    results.add("open-clean", LIMIT, took);
    let replayed = seconds(|| {
        let file = std::fs::File::open(&path)?;
        let half = (count / 2) as usize * ENTRY;
        let load = |from: u64, len: usize| -> Outcome<(u32, Slots)> {
            let mut bytes = vec![0; len];
            file.read_exact_at(&mut bytes, from)?;
            let mut slots = Slots::new((len / ENTRY) as u64);
            for entry in bytes.chunks_exact(ENTRY) {
                let (key, rest) = entry.split_first_chunk::<16>().ok_or("short")?;
                let place = rest.first_chunk::<8>().ok_or("short")?;
                slots.insert(key, u64::from_le_bytes(*place));
            }
            Ok((crc32fast::hash(&bytes), slots))
        };
        std::thread::scope(|scope| {
            let other = scope.spawn(|| load(half as u64, count as usize * ENTRY - half));
            let own = load(0, half)?;
            Ok((own, other.join().map_err(|_| "a thread panicked")??))
        })
    })?;
    results.add("open-crash", LIMIT, replayed.1);
    Ok(())
}

/// A log of every key two and a half times: scanned by two threads, and its live records copied.
fn log_of_all(ground: &Ground<'_>, results: &mut Results) -> Outcome<()> {
    let (dir, keys, count) = (ground.fresh()?, ground.keys, ground.keys.count);
    let mut file = OpenOptions::new().create_new(true).read(true).write(true).open(dir.path().join("log"))?;
    let len = log::LEN;
    let key_of = |i: u64| if i < count { keys.key(i) } else { keys.key(keys.stride(i % count)) };
    let (mut bytes, total) = (Vec::new(), count * 5 / 2);
    let mut slots = Slots::new(count);
    for i in 0..total {
        log::build(&mut bytes, i * len, &key_of(i), ground.values.value(i, 0));
        slots.insert(&key_of(i), i * len);
        if bytes.len() > 1 << 20 || i + 1 == total {
            file.write_all(&bytes)?;
            bytes.clear();
        }
    }
    let mapped = map::read(&file)?;
    let scanned = seconds(|| {
        let half = count / 2 * len;
        std::thread::scope(|scope| {
            let other = scope.spawn(|| scan(&mapped, half, count * len));
            let own = scan(&mapped, 0, half)?;
            Ok((own, other.join().map_err(|_| "a thread panicked")??))
        })
    })?;
    results.add("open-scan", LIMIT, scanned.1);
    let merged = seconds(|| merge(&dir, &mapped, &slots))?;
    results.add("merge", LIMIT, merged.1);
    let mut buffer = vec![0; 1 << 20];
    let mut file = std::fs::File::open(dir.path().join("log"))?;
    let read = seconds(|| {
        while file.read(&mut buffer)? > 0 {}
        Ok(())
    })?;
    results.add("sequential", LIMIT, (total * len) as f64 / read.1);
    Ok(())
}

fn scan(log: &[u8], from: u64, to: u64) -> Outcome<Slots> {
    let (mut at, mut slots) = (from, Slots::new((to - from) / log::LEN));
    while at < to {
        let bytes = &log[at as usize..];
        let (key, _) = log::check(bytes, at).ok_or("a record did not hold")?;
        slots.insert(key.first_chunk().ok_or("short")?, at);
        at += log::len(bytes).ok_or("short")? as u64;
    }
    Ok(slots)
}

/// Live records in the order of the log, with their header's checksum new and their value's kept.
fn merge(dir: &tempfile::TempDir, log: &[u8], slots: &Slots) -> Outcome<u64> {
    let mut output = OpenOptions::new().create_new(true).write(true).open(dir.path().join("merged"))?;
    let (mut at, mut written, mut buffer) = (0, 0_u64, Vec::with_capacity(2 << 20));
    while at < log.len() {
        let record = log.get(at..at + log::len(&log[at..]).ok_or("short")?).ok_or("short")?;
        let key: &Key = record[log::HEADER..].first_chunk().ok_or("short")?;
        if slots.find(key, |place| (place == at as u64).then_some(())).is_some() {
            log::rebuild(&mut buffer, written, record);
            written += record.len() as u64;
        }
        if buffer.len() > 1 << 20 {
            output.write_all(&buffer)?;
            buffer.clear();
        }
        at += record.len();
    }
    output.write_all(&buffer)?;
    output.sync_data()?;
    Ok(written)
}

/// On 64 MiB, which no cache of a small machine holds.
fn bandwidths(results: &mut Results) -> Outcome<()> {
    let from = vec![0x5a_u8; 64 << 20];
    let mut to = vec![0; from.len()];
    let crc = seconds(|| Ok(std::hint::black_box(crc32fast::hash(&from))))?.1;
    std::hint::black_box(&mut to).fill(1); // its pages are there before the clock starts
    let copy = seconds(|| {
        to.copy_from_slice(&from);
        std::hint::black_box(&mut to);
        Ok(())
    })?;
    results.add("crc", LIMIT, from.len() as f64 / crc);
    results.add("copy", LIMIT, from.len() as f64 / copy.1);
    Ok(())
}
