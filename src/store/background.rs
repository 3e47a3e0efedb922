//! The thread that syncs or flushes behind the writers' backs. Sleeps until there is something to do.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::SyncPolicy;
use super::inner::Inner;
use crate::error::Error;
use crate::primitives::thread::{self, JoinHandle};
use crate::primitives::{AtomicU64, Condvar, Mutex};

/// How long `buffered` keeps bytes from the kernel when nobody writes more; and how long a full disk is left alone.
const FLUSH_AFTER: Duration = Duration::from_secs(1);
/// How long `interval` keeps records from the segment, where other processes look for them: [`super::tail_file`].
const SHOW_AFTER: Duration = Duration::from_millis(100);

/// Wakes the background thread.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    state: Mutex<State>,
    changed: Condvar,
    /// The state once more, as a number, so that ringing again costs one load. Whoever rings holds the writers' lock, and
    /// whoever went back to idle takes it before he looks for work: what is appended behind a stale number is not missed.
    heard: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    #[default]
    Idle,
    Rung,
    Hurried,
    Stopped,
}

/// Why the background thread woke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woken {
    InTime,
    /// Much is waiting for the disk.
    Hurried,
}

impl Alarm {
    /// Something was appended.
    pub(super) fn ring(&self) {
        self.raise(State::Rung);
    }

    /// So much was appended that the disk should begin with it now.
    pub(super) fn hurry(&self) {
        self.raise(State::Hurried);
    }

    /// The store closes.
    pub(super) fn stop(&self) {
        self.raise(State::Stopped);
    }

    fn raise(&self, to: State) {
        if self.heard.load(Ordering::Relaxed) >= to as u64 {
            return;
        }
        let mut state = self.state.lock();
        if *state < to {
            *state = to;
            self.heard.store(to as u64, Ordering::Relaxed);
            self.changed.notify_one();
        }
    }

    /// Sleeps until there was something to do for `period`, or there is much to do; not beyond `until`. `None` when the
    /// store closes.
    fn wait(&self, period: Duration, until: Option<Instant>) -> Option<Woken> {
        let mut state = self.state.lock();
        let is_idle = |state: &mut State| *state == State::Idle;
        match until {
            None => self.changed.wait_while(&mut state, is_idle),
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                self.changed.wait_while_for(&mut state, is_idle, left);
            }
        }
        if *state == State::Rung {
            self.changed.wait_while_for(&mut state, |state| *state == State::Rung, period);
        }
        let woken = match *state {
            State::Stopped => return None,
            State::Hurried => Woken::Hurried,
            State::Rung | State::Idle => Woken::InTime,
        };
        *state = State::Idle;
        self.heard.store(State::Idle as u64, Ordering::Relaxed);
        Some(woken)
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
    let syncs = inner.options.sync != SyncPolicy::Buffered;
    let hold = if syncs { period.min(SHOW_AFTER) } else { period };
    // When what was flushed has to be synced.
    let mut due: Option<Instant> = None;
    let mut patience = hold;
    while let Some(woken) = writer.alarm.wait(patience, due) {
        // Rather a little early than late.
        let soon = Instant::now().checked_add(hold);
        let is_due = syncs && (hold == period || due.is_some_and(|due| soon.is_none_or(|soon| due <= soon)));
        let done = if woken == Woken::Hurried || is_due {
            due = None;
            writer.sync_in_background(inner)
        } else {
            due = due.or_else(|| Instant::now().checked_add(period.saturating_sub(hold)).filter(|_| syncs));
            writer.flush_in_background(inner)
        };
        // Any other failure poisons the writer, and the next caller is told.
        patience = hold;
        if let Err(Error::NoSpace { .. }) = done {
            patience = hold.max(FLUSH_AFTER);
            writer.alarm.ring();
        }
    }
}
