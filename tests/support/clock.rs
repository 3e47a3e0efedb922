//! Clocks that make every run the same.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use logkv::store::Clock;

/// A clock that goes on by one millisecond at each look, so that runs are the same every time.
#[derive(Debug)]
pub struct TickingClock(AtomicU64);

impl Default for TickingClock {
    fn default() -> Self {
        Self(AtomicU64::new(1_700_000_000_000_000))
    }
}

impl Clock for TickingClock {
    fn now(&self) -> u64 {
        self.0.fetch_add(1000, Ordering::Relaxed)
    }
}

/// A clock that stands still until it is told to go on, so that a test decides what expires.
#[derive(Debug)]
pub struct ManualClock(AtomicU64);

impl Default for ManualClock {
    /// 2025-01-01 00:00 UTC.
    fn default() -> Self {
        Self(AtomicU64::new(1_735_689_600_000_000))
    }
}

impl ManualClock {
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_micros()).unwrap(), Ordering::Relaxed);
    }

    /// What a person or a time server does to a wall clock.
    pub fn set_back(&self, by: Duration) {
        self.0.fetch_sub(u64::try_from(by.as_micros()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
