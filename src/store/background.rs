//! The thread that syncs or flushes behind the writers' backs. Sleeps until there is something to do.

use std::sync::Arc;
use std::time::Duration;

use super::SyncPolicy;
use super::inner::Inner;
use crate::error::Error;
use crate::primitives::thread::{self, JoinHandle};
use crate::primitives::{Condvar, Mutex};

/// How long `buffered` keeps bytes from the kernel when nobody writes more.
const FLUSH_AFTER: Duration = Duration::from_secs(1);

/// Wakes the background thread.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    Rung,
    Stopped,
}

impl Alarm {
    /// Something was appended.
    pub(super) fn ring(&self) {
        let mut state = self.state.lock();
        if *state == State::Idle {
            *state = State::Rung;
            self.changed.notify_one();
        }
    }

    /// The store closes.
    pub(super) fn stop(&self) {
        *self.state.lock() = State::Stopped;
        self.changed.notify_one();
    }

    /// Sleeps until there was something to do for `period`; false when the store closes.
    fn wait(&self, period: Duration) -> bool {
        let mut state = self.state.lock();
        self.changed.wait_while(&mut state, |state| *state == State::Idle);
        if *state == State::Rung {
            self.changed.wait_while_for(&mut state, |state| *state != State::Stopped, period);
        }
        if *state == State::Rung {
            *state = State::Idle;
        }
        *state != State::Stopped
    }
}

/// Starts the thread if the policy needs one.
pub(super) fn start(inner: &Arc<Inner>) -> Option<JoinHandle<()>> {
    inner.writer.as_ref()?;
    let period = match inner.options.sync {
        SyncPolicy::Always => return None,
        SyncPolicy::Interval(period) => period,
        SyncPolicy::Buffered => FLUSH_AFTER,
    };
    let inner = inner.clone();
    thread::Builder::new().name("logkv-sync".into()).spawn(move || run(&inner, period)).ok()
}

fn run(inner: &Inner, period: Duration) {
    let Some(writer) = &inner.writer else { return };
    while writer.alarm.wait(period) {
        let done = match inner.options.sync {
            SyncPolicy::Buffered => writer.flush_in_background(inner),
            SyncPolicy::Always | SyncPolicy::Interval(_) => writer.sync_in_background(inner),
        };
        // Any other failure poisons the writer, and the next caller is told.
        if let Err(Error::NoSpace { .. }) = done {
            writer.alarm.ring();
        }
    }
}
