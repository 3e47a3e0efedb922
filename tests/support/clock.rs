//! A clock that makes every run the same.

use std::sync::atomic::{AtomicU64, Ordering};

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
