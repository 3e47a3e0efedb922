//! The strings on a merge that runs: how far it is, how fast it may be, and a way to stop it.
//!
//! Must not know: what is merged. Keeps: a merge that has begun to commit is not stopped any more.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::primitives::{AtomicBool, AtomicU64, Condvar, Mutex};

/// Shared between the thread that merges and those who watch it.
#[derive(Debug, Default)]
pub struct MergeControl {
    done: AtomicU64,
    total: AtomicU64,
    bytes_per_second: Option<u64>,
    cancelled: Mutex<bool>,
    wake: Condvar,
    committing: AtomicBool,
}

impl MergeControl {
    /// One that writes at most so many bytes a second.
    pub fn throttled(bytes_per_second: u64) -> Self {
        Self { bytes_per_second: Some(bytes_per_second.max(1)), ..Self::default() }
    }

    /// Stops the merge, and those that are begun with this control later: nothing has changed then. Comes too late once
    /// the merge commits, which takes a moment.
    pub fn cancel(&self) {
        *self.cancelled.lock() = true;
        self.wake.notify_all();
    }

    /// Whether somebody has asked for the end.
    pub fn is_cancelled(&self) -> bool {
        *self.cancelled.lock()
    }

    /// Whether it is too late to cancel.
    pub fn is_committing(&self) -> bool {
        self.committing.load(Ordering::Relaxed)
    }

    /// Bytes of the outputs that are written, and that will be written in all.
    pub fn progress(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    pub(super) fn begin(&self, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        self.committing.store(false, Ordering::Relaxed);
    }

    pub(super) fn advance(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.total.fetch_max(done, Ordering::Relaxed);
    }

    pub(super) fn commit(&self) {
        self.committing.store(true, Ordering::Relaxed);
    }

    /// Waits as long as it takes for `done` bytes since `started` not to be too many; less if it is cancelled.
    pub(super) fn pace(&self, started: Instant, done: u64) {
        let Some(rate) = self.bytes_per_second else { return };
        let due = started + Duration::from_secs_f64(done as f64 / rate as f64);
        let mut cancelled = self.cancelled.lock();
        self.wake.wait_while_for(
            &mut cancelled,
            |cancelled| !*cancelled,
            due.saturating_duration_since(Instant::now()),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_merge_wakes_up_when_it_is_cancelled() {
        let control = MergeControl::throttled(1);
        std::thread::scope(|scope| {
            scope.spawn(|| control.pace(Instant::now(), 1 << 40));
            control.cancel();
        });
        assert!(control.is_cancelled());
        MergeControl::default().pace(Instant::now(), 1 << 40);
    }
}
