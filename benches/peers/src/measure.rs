//! Time, latencies, medians, memory. Must not know what it measures.

use std::sync::{Barrier, LazyLock};
use std::time::{Duration, Instant};

use crate::Outcome;

/// What a loop of single operations came to.
pub struct Pace {
    pub done: u64,
    pub seconds: f64,
    /// Nanoseconds of single operations.
    pub samples: Vec<u32>,
}

impl Pace {
    pub fn rate(&self) -> f64 {
        self.done as f64 / self.seconds
    }
}

/// How long and how closely to look.
#[derive(Clone, Copy)]
pub struct Watch {
    /// Ends a loop that takes longer.
    pub budget: Duration,
    /// One operation in this many is timed by itself: a look at the clock costs as much as a fast miss.
    pub every: u64,
}

/// What two looks at the clock take, in nanoseconds; no part of an operation between them.
static CLOCK: LazyLock<u32> = LazyLock::new(|| {
    let mut looks: Vec<u32> = (0..1000).map(|_| nanos(Instant::now().elapsed())).collect();
    percentile(&mut looks, 50).unwrap_or_default() as u32
});

fn nanos(duration: Duration) -> u32 {
    u32::try_from(duration.as_nanos()).unwrap_or(u32::MAX)
}

/// Does at most `ops` operations, numbered from 0.
pub fn paced(watch: Watch, ops: u64, mut op: impl FnMut(u64) -> Outcome<()>) -> Outcome<Pace> {
    let mut samples = Vec::with_capacity((ops / watch.every + 1).min(1 << 20) as usize);
    let started = Instant::now();
    let mut done = 0;
    while done < ops {
        if done % watch.every == 0 {
            let before = Instant::now();
            if before - started > watch.budget {
                break;
            }
            op(done)?;
            samples.push(nanos(before.elapsed()).saturating_sub(*CLOCK));
        } else {
            op(done)?;
        }
        done += 1;
    }
    Ok(Pace { done, seconds: started.elapsed().as_secs_f64(), samples })
}

/// [`paced`] on several threads at once; `op` is told which thread it is on. Rates add up.
pub fn paced_on<S: Send>(
    threads: u64,
    watch: Watch,
    ops_each: u64,
    state: impl Fn(u64) -> S,
    op: impl Fn(&mut S, u64, u64) -> Outcome<()> + Sync,
) -> Outcome<Pace> {
    let start = Barrier::new(threads as usize);
    let paces = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                let (start, op, mut state) = (&start, &op, state(thread));
                scope.spawn(move || {
                    start.wait();
                    paced(watch, ops_each, |i| op(&mut state, thread, i))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked")).collect::<Vec<_>>()
    });
    let mut all = Pace { done: 0, seconds: 0.0, samples: Vec::new() };
    for pace in paces {
        let mut pace = pace??;
        all.done += pace.done;
        all.seconds = all.seconds.max(pace.seconds);
        all.samples.append(&mut pace.samples);
    }
    Ok(all)
}

/// Seconds that something takes.
pub fn seconds<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<(T, f64)> {
    let started = Instant::now();
    let answer = work()?;
    Ok((answer, started.elapsed().as_secs_f64()))
}

/// The middle one; of an even number the mean of the two. `None` of none.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    Some((low + high) / 2.0)
}

/// A percentile of samples, in their unit.
pub fn percentile(samples: &mut [u32], per_cent: usize) -> Option<f64> {
    samples.sort_unstable();
    samples.get((samples.len() * per_cent / 100).min(samples.len().checked_sub(1)?)).map(|&ns| f64::from(ns))
}

/// Bytes of this process that are backed by no file.
pub fn anonymous_bytes() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("RssAnon:")).ok_or("no RssAnon in /proc/self/status")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib << 10)
}

/// Bytes that the files of a directory take on disk.
pub fn disk_bytes(dir: &std::path::Path) -> Outcome<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { disk_bytes(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}
