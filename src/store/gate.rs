//! What makes a batch one step to readers: they meet all of it in the keydir, or nothing.
//!
//! Must not know what a batch is. The writer closes the gate, moves the keydir entry by entry, and opens it again.
//!
//! # Invariants
//!
//! 1. Whoever saw one effect of what was done behind the gate sees all of it from then on. One look before a lookup is
//!    enough for that: an effect can be seen only after the gate was closed, and whoever comes then waits.
//! 2. While somebody holds the gate open, nothing is done behind it: several lookups are then as of one moment, as far as
//!    batches go. Who holds it open may look things up one by one as well, for then it is not closed.

use std::sync::atomic::Ordering;

use crate::primitives::{AtomicBool, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A gate that every reader passes and that stands open nearly always. Passing costs one load.
#[derive(Debug, Default)]
pub(super) struct Gate {
    closed: AtomicBool,
    lock: RwLock<()>,
}

impl Gate {
    /// Waits while something is being done that must not be seen in part.
    pub(super) fn pass(&self) {
        if self.closed.load(Ordering::Acquire) {
            drop(self.lock.read());
        }
    }

    /// Keeps the gate open until the answer is dropped.
    pub(super) fn hold(&self) -> RwLockReadGuard<'_, ()> {
        self.lock.read()
    }

    /// Waits until nobody holds the gate, and closes it until the answer is dropped.
    pub(super) fn close(&self) -> Closed<'_> {
        let lock = self.lock.write();
        self.closed.store(true, Ordering::SeqCst);
        Closed { gate: self, _lock: lock }
    }
}

/// The gate is closed while this lives.
#[derive(Debug)]
pub(super) struct Closed<'a> {
    gate: &'a Gate,
    _lock: RwLockWriteGuard<'a, ()>,
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.gate.closed.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn whoever_comes_while_it_is_closed_waits_until_it_opens() {
        let gate = Gate::default();
        gate.pass();
        thread::scope(|scope| {
            let (passed, seen) = mpsc::channel();
            let closed = gate.close();
            let gate = &gate;
            for hold in [false, true] {
                let passed = passed.clone();
                scope.spawn(move || {
                    if hold {
                        drop(gate.hold())
                    } else {
                        gate.pass()
                    }
                    let _ = passed.send(());
                });
            }
            assert_eq!(seen.recv_timeout(Duration::from_millis(30)), Err(mpsc::RecvTimeoutError::Timeout));
            drop(closed);
            assert_eq!((seen.recv(), seen.recv()), (Ok(()), Ok(())));
        });
    }

    #[test]
    fn whoever_holds_it_can_look_things_up_while_a_writer_waits() {
        let gate = Gate::default();
        thread::scope(|scope| {
            let held = gate.hold();
            let writer = scope.spawn(|| drop(gate.close()));
            // Whether or not the writer waits already.
            for _ in 0..1000 {
                gate.pass();
                thread::yield_now();
            }
            drop(held);
            writer.join().unwrap_or_default();
        });
    }
}
