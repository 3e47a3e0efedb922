//! Merging unasked: a thread of a store that was opened for it. Looking at a store never begins one.

use std::sync::Arc;

use crate::primitives::thread::{self, JoinHandle};
use crate::primitives::{Condvar, Mutex};

use crate::store::inner::Inner;

use super::choice::{AutoMerge, MergeChoice};
use super::control::MergeControl;

/// The thread, and how it is stopped.
#[derive(Debug)]
pub(in crate::store) struct Auto {
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    control: MergeControl,
    stopped: Mutex<bool>,
    wake: Condvar,
}

/// Starts it, if the options ask for it and the store can be written.
pub(in crate::store) fn start(inner: &Arc<Inner>) -> Option<Auto> {
    let auto = inner.options.auto_merge.filter(|_| inner.writer.is_some())?;
    let control = auto.bytes_per_second.map_or_else(MergeControl::default, MergeControl::throttled);
    let shared = Arc::new(Shared { control, stopped: Mutex::new(false), wake: Condvar::new() });
    let (inner, mine) = (inner.clone(), shared.clone());
    let run = move || mine.run(&inner, &auto);
    let thread = thread::Builder::new().name("logkv-merge".into()).spawn(run).ok();
    Some(Auto { thread, shared })
}

impl Auto {
    /// Stops it; a merge that is not committing yet is given up, and has changed nothing.
    pub(in crate::store) fn stop(&mut self) {
        *self.shared.stopped.lock() = true;
        self.shared.control.cancel();
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // It cannot have panicked; if it did, closing is still right.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self, inner: &Inner, auto: &AutoMerge) {
        let choice = MergeChoice::Policy(auto.policy);
        while self.wait(auto) {
            if auto.is_open(inner.now()) {
                // What went wrong was told to the observers; the next look may find it mended.
                let _ = super::merge(inner, &choice, &self.control);
            }
        }
    }

    /// Sleeps until the next look; false when the store closes.
    fn wait(&self, auto: &AutoMerge) -> bool {
        let mut stopped = self.stopped.lock();
        self.wake.wait_while_for(&mut stopped, |stopped| !*stopped, auto.every);
        !*stopped
    }
}
