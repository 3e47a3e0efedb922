//! What is done to the store, one thing after the other: put, get, closed and opened, written over, merged.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};

use super::data::{Dice, KEY_BYTES, Values, key, missing};
use super::pace::{Course, Pace, percentile, run};
use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Progress;
use crate::store::{Batch, MergeChoice, MergeControl, Merged, Options, Store, SyncPolicy};
use crate::text;

/// Keys in a batch, if they are not long.
const BATCH_KEYS: u64 = 1000;
/// Bytes of values in a batch, if there is more than one.
const BATCH_BYTES: u64 = 8 << 20;
/// One get in so many is timed by itself.
const EVERY_GET: u64 = 64;
/// So many puts are timed by themselves, if there are as many.
const TIMED_PUTS: u64 = 4096;
/// How often the store is opened, if the time suffices.
const OPENS: usize = 5;

/// What is to be measured.
pub(super) struct Bench {
    pub(super) dir: PathBuf,
    pub(super) options: Options,
    pub(super) keys: u64,
    pub(super) value_bytes: u64,
    pub(super) threads: u64,
    pub(super) time: Duration,
    pub(super) interrupt: Interrupt,
}

/// What was measured.
pub(super) struct Measured {
    pub(super) rows: Vec<Row>,
    /// Memory that the keydir takes.
    pub(super) keydir_bytes: u64,
    /// Bytes of the segments when every key was put once.
    pub(super) disk_bytes: u64,
}

/// One kind of operation.
pub(super) struct Row {
    /// Its name, for programs.
    pub(super) work: &'static str,
    pub(super) threads: u64,
    /// How many were done.
    pub(super) operations: u64,
    /// Of operations that are many.
    pub(super) per_second: Option<f64>,
    pub(super) bytes_per_second: Option<f64>,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

impl Bench {
    pub(super) fn run(&self, progress: &mut Progress) -> anyhow::Result<Measured> {
        let values = Values::new(usize::try_from(self.value_bytes)?);
        let store = self.open(true)?;
        let mut rows = vec![self.puts(&store, &values, progress)?];
        let in_order = |i| i;
        self.fill(&store, &values, rows.iter().map(|row| row.operations).sum()..self.keys, in_order, progress)?;
        let stats = store.stats();
        rows.push(self.gets(&store, "get", 1, progress)?);
        if self.threads > 1 {
            rows.push(self.gets(&store, "get", self.threads, progress)?);
        }
        rows.push(self.gets(&store, "miss", 1, progress)?);
        store.close()?;
        rows.push(self.opens("open", true, progress)?);
        rows.push(self.opens("open-hints", false, progress)?);
        rows.push(self.merge(&values, progress)?);
        Ok(Measured { rows, keydir_bytes: stats.keydir_bytes, disk_bytes: stats.disk_bytes })
    }

    fn open(&self, checkpoint: bool) -> anyhow::Result<Store> {
        Ok(Store::open(&self.dir, Options { checkpoint, ..self.options.clone() })?)
    }

    /// One key a call, as many as the time allows.
    fn puts(&self, store: &Store, values: &Values, progress: &mut Progress) -> anyhow::Result<Row> {
        // A put that waits for the disk is so slow that a look at the clock does not count.
        let waits = self.options.sync == SyncPolicy::Always;
        let every = if waits { 1 } else { (self.keys / TIMED_PUTS).clamp(1, EVERY_GET) };
        let course = Course { every, ..self.course(1, self.keys) };
        let put = |(): &mut (), i| {
            store.put(&key(i), values.value(i))?;
            Ok(())
        };
        let pace = run(&course, |_| (), put, |done| progress.count(done, self.keys, "keys put"))?;
        self.interrupt.check()?;
        Ok(self.row("put", 1, pace, self.value_bytes))
    }

    /// Puts the rest, a batch a call. Nobody measures it.
    fn fill(
        &self,
        store: &Store,
        values: &Values,
        range: std::ops::Range<u64>,
        number: impl Fn(u64) -> u64,
        progress: &mut Progress,
    ) -> anyhow::Result<()> {
        let at_once = (BATCH_BYTES / self.value_bytes.max(1)).clamp(1, BATCH_KEYS);
        let mut from = range.start;
        while from < range.end {
            self.interrupt.check()?;
            let until = range.end.min(from + at_once);
            let mut batch = Batch::new();
            for i in from..until {
                batch.put(&key(number(i)), values.value(i))?;
            }
            store.write(&batch)?;
            from = until;
            progress.count(from, range.end, "keys put in batches");
        }
        Ok(())
    }

    /// Random gets, of keys that are there or of keys that are not; each value copied to where it was copied before.
    fn gets(&self, store: &Store, work: &'static str, threads: u64, progress: &mut Progress) -> anyhow::Result<Row> {
        let miss = work == "miss";
        let get = |(dice, value): &mut (Dice, Vec<u8>), _| {
            let i = dice.below(self.keys);
            let wanted = if miss { missing(i) } else { key(i) };
            value.clear();
            let seen = store.get_with(&wanted, |found, _| value.extend_from_slice(found))?;
            if seen.found.is_some() == miss || value.len() as u64 != if miss { 0 } else { self.value_bytes } {
                bail!("the store gave a wrong answer for key {}", text::escape(&wanted));
            }
            Ok(())
        };
        let course = self.course(threads, u64::MAX);
        let tell = |done| progress.words(|| format!("{work}: {}", text::count(done)));
        let pace = run(&course, |thread| (Dice::new(thread), Vec::new()), get, tell)?;
        self.interrupt.check()?;
        let mut row = self.row(work, threads, pace, self.value_bytes);
        row.bytes_per_second = row.bytes_per_second.filter(|_| !miss);
        Ok(row)
    }

    fn course(&self, threads: u64, most: u64) -> Course<'_> {
        Course { threads, most, time: self.time, every: EVERY_GET, interrupt: &self.interrupt }
    }

    fn row(&self, work: &'static str, threads: u64, mut pace: Pace, value_bytes: u64) -> Row {
        let per_second = pace.per_second();
        Row {
            work,
            threads,
            operations: pace.operations,
            per_second: Some(per_second),
            bytes_per_second: Some(per_second * (KEY_BYTES as u64 + value_bytes) as f64),
            p50: pace.percentile(50),
            p99: pace.percentile(99),
        }
    }

    /// From the call that opens to the first answer: after a clean close, or without the file that it left, as after a
    /// crash.
    fn opens(&self, work: &'static str, checkpoint: bool, progress: &mut Progress) -> anyhow::Result<Row> {
        let (mut times, began) = (Vec::new(), Instant::now());
        while times.is_empty() || (times.len() < OPENS && began.elapsed() < self.time) {
            progress.words(|| format!("{work}: {} times", times.len()));
            let started = Instant::now();
            let store = self.open(checkpoint)?;
            let found = store.get(&key(self.keys / 2))?.found;
            times.push(started.elapsed());
            found.ok_or_else(|| anyhow!("a key that was put was not found"))?;
            store.close()?;
            self.interrupt.check()?;
        }
        Ok(Row {
            work,
            threads: self.options.threads as u64,
            operations: times.len() as u64,
            per_second: None,
            bytes_per_second: None,
            p50: percentile(&mut times, 50),
            p99: percentile(&mut times, 99),
        })
    }

    /// One live record of one and a half: every other key is put again first.
    fn merge(&self, values: &Values, progress: &mut Progress) -> anyhow::Result<Row> {
        let store = self.open(true)?;
        self.fill(&store, values, 0..self.keys.div_ceil(2), |i| 2 * i, progress)?;
        let Some(merged) = self.merged(&store, progress)? else { bail!("the merge found nothing to gain") };
        store.close()?;
        Ok(Row {
            work: "merge",
            threads: 1,
            operations: 1,
            per_second: None,
            bytes_per_second: Some(merged.read_bytes as f64 / merged.took.as_secs_f64().max(1e-9)),
            p50: merged.took,
            p99: merged.took,
        })
    }

    fn merged(&self, store: &Store, progress: &mut Progress) -> anyhow::Result<Option<Merged>> {
        let control = MergeControl::default();
        let merged = std::thread::scope(|scope| {
            let work = scope.spawn(|| store.merge(&MergeChoice::All, &control));
            while !work.is_finished() {
                if self.interrupt.is_asked() {
                    control.cancel();
                }
                let (done, total) = control.progress();
                progress.words(|| format!("merge: {} of {}", text::size(done), text::size(total)));
                std::thread::sleep(Duration::from_millis(5));
            }
            work.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        self.interrupt.check()?;
        Ok(merged?)
    }
}
