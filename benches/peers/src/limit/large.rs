//! Limits of long values: header and value checksummed and written without a copy, and one fdatasync for 64 MiB; a mapped
//! read checked and copied out.

use std::fs::OpenOptions;
use std::io::{IoSlice, Write};

use super::{log, map};
use crate::Outcome;
use crate::key::{Dice, Values};
use crate::measure::paced;
use crate::results::{LIMIT, Results};
use crate::work::Ground;
use crate::work::large::SIZES;

const SEGMENT: usize = 64 << 20;

pub(super) fn run(ground: &Ground<'_>, results: &mut Results) -> Outcome<()> {
    for &(len, count, put, get) in SIZES {
        if ground.wants(&[put, get]) {
            of_size(ground, results, (len, count, put, get))?;
        }
    }
    Ok(())
}

fn of_size(
    ground: &Ground<'_>,
    results: &mut Results,
    (len, count, put, get): (usize, u64, &'static str, &'static str),
) -> Outcome<()> {
    let (dir, values, watch) = (ground.fresh()?, Values::new(len), ground.args.watch(1));
    let mut file =
        OpenOptions::new().create(true).truncate(true).read(true).write(true).open(dir.path().join("log"))?;
    let (mut head, mut offset, mut since) = (Vec::new(), 0, 0);
    let mut pace = paced(watch, count, |i| {
        let value = values.value(i, 0);
        head.clear();
        log::build_head(&mut head, offset, &ground.keys.key(i), value);
        write_both(&mut file, &head, value)?;
        offset += (head.len() + len) as u64;
        since += head.len() + len;
        if since > SEGMENT {
            file.sync_data()?;
            since = 0;
        }
        Ok(())
    })?;
    results.add_scaled(put, LIMIT, &mut pace, len as f64);
    let (mapped, mut dice, mut out) = (map::read(&file)?, Dice::new(5), Vec::new());
    let record = (log::HEADER + 16 + len) as u64;
    let mut pace = paced(watch, count, |_| {
        let place = dice.below(pace.done) * record;
        let (_, value) = log::check(&mapped[place as usize..], place).ok_or("a record did not hold")?;
        out.clear();
        out.extend_from_slice(value);
        Ok(())
    })?;
    results.add_scaled(get, LIMIT, &mut pace, len as f64);
    Ok(())
}

fn write_both(file: &mut impl Write, head: &[u8], value: &[u8]) -> Outcome<()> {
    let mut slices = [IoSlice::new(head), IoSlice::new(value)];
    let mut left = &mut slices[..];
    while !left.is_empty() {
        let written = file.write_vectored(left)?;
        IoSlice::advance_slices(&mut left, written);
    }
    Ok(())
}
