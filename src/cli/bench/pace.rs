//! Loops of single operations: how many a second, and how long one takes. Must not know what it times.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::cli::interrupt::Interrupt;

/// How a loop is to be run.
pub(super) struct Course<'a> {
    pub(super) threads: u64,
    /// Operations, if the time suffices.
    pub(super) most: u64,
    /// Ends it.
    pub(super) time: Duration,
    /// One operation in so many is timed by itself: a look at the clock takes as long as a fast operation.
    pub(super) every: u64,
    pub(super) interrupt: &'a Interrupt,
}

/// What a loop came to.
#[derive(Default)]
pub(super) struct Pace {
    pub(super) operations: u64,
    pub(super) took: Duration,
    samples: Vec<Duration>,
}

impl Pace {
    /// Operations a second, of all threads.
    pub(super) fn per_second(&self) -> f64 {
        self.operations as f64 / self.took.as_secs_f64().max(1e-9)
    }

    /// What so many percent of the single operations took at most.
    pub(super) fn percentile(&mut self, percent: usize) -> Duration {
        percentile(&mut self.samples, percent)
    }
}

/// Nothing, where there is no sample.
pub(super) fn percentile(samples: &mut [Duration], percent: usize) -> Duration {
    samples.sort_unstable();
    let at = (samples.len() * percent).div_ceil(100).saturating_sub(1);
    samples.get(at).copied().unwrap_or_default()
}

/// Does `operation` over and over, each thread with a state of its own and numbers that count from 0, and tells now and
/// then how many were done. Ends early when the end is asked for; that is for the caller to see.
pub(super) fn run<S: Send>(
    course: &Course<'_>,
    state: impl Fn(u64) -> S,
    operation: impl Fn(&mut S, u64) -> anyhow::Result<()> + Sync,
    mut tell: impl FnMut(u64),
) -> anyhow::Result<Pace> {
    let (start, done) = (Barrier::new(course.threads as usize), AtomicU64::new(0));
    let paces: Vec<_> = std::thread::scope(|scope| {
        let spawn = |thread| {
            let (start, done, operation, mut state) = (&start, &done, &operation, state(thread));
            scope.spawn(move || {
                start.wait();
                one(course, done, |i| operation(&mut state, i))
            })
        };
        let threads: Vec<_> = (0..course.threads).map(spawn).collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            tell(done.load(Ordering::Relaxed));
            std::thread::sleep(Duration::from_millis(5));
        }
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let mut all = Pace::default();
    for pace in paces {
        let mut pace = pace?;
        all.operations += pace.operations;
        all.took = all.took.max(pace.took);
        all.samples.append(&mut pace.samples);
    }
    Ok(all)
}

fn one(
    course: &Course<'_>,
    done: &AtomicU64,
    mut operation: impl FnMut(u64) -> anyhow::Result<()>,
) -> anyhow::Result<Pace> {
    let clock = clock();
    let (mut pace, started) = (Pace::default(), Instant::now());
    for i in 0..course.most {
        if i % course.every != 0 {
            operation(i)?;
        } else {
            let before = Instant::now();
            if (i > 0 && before - started > course.time) || course.interrupt.is_asked() {
                break;
            }
            operation(i)?;
            pace.samples.push(before.elapsed().saturating_sub(clock));
            done.fetch_add(course.every, Ordering::Relaxed);
        }
        pace.operations = i + 1;
    }
    pace.took = started.elapsed();
    Ok(pace)
}

/// What two looks at the clock take; no part of an operation between them.
fn clock() -> Duration {
    let mut looks: Vec<Duration> = (0..100).map(|_| Instant::now().elapsed()).collect();
    percentile(&mut looks, 50)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn course(interrupt: &Interrupt, threads: u64, most: u64) -> Course<'_> {
        Course { threads, most, time: Duration::from_secs(60), every: 3, interrupt }
    }

    #[test]
    fn every_operation_is_done_on_each_thread_and_a_part_is_timed() {
        let (interrupt, sum) = (Interrupt::default(), AtomicU64::new(0));
        let add = |_: &mut u64, i| {
            sum.fetch_add(i, Ordering::Relaxed);
            Ok(())
        };
        let pace = run(&course(&interrupt, 2, 10), |thread| thread, add, |_| {}).unwrap();
        assert_eq!((pace.operations, sum.into_inner(), pace.samples.len()), (20, 90, 8));
    }

    #[test]
    fn the_time_ends_it_but_not_before_one_operation() {
        let interrupt = Interrupt::default();
        let course = Course { time: Duration::ZERO, ..course(&interrupt, 1, 1000) };
        let pace = run(&course, |_| (), |(), _| Ok(()), |_| {}).unwrap();
        assert_eq!(pace.operations, 3);
    }

    #[test]
    fn an_error_ends_it() {
        let interrupt = Interrupt::default();
        let fail = |(): &mut (), i| if i == 4 { Err(anyhow::anyhow!("the fifth")) } else { Ok(()) };
        let error = run(&course(&interrupt, 1, 10), |_| (), fail, |_| {}).err().unwrap();
        assert_eq!(error.to_string(), "the fifth");
    }

    #[test]
    fn a_percentile_is_one_of_the_samples() {
        let mut hundred: Vec<_> = (1..=100).rev().map(Duration::from_nanos).collect();
        let of = |percent, samples: &mut Vec<Duration>| percentile(samples, percent).as_nanos();
        assert_eq!([50, 99, 100].map(|percent| of(percent, &mut hundred)), [50, 99, 100]);
        assert_eq!(of(99, &mut vec![Duration::from_nanos(7)]), 7);
        assert_eq!(of(99, &mut Vec::new()), 0);
    }
}
