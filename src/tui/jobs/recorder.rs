//! Listens to the engine: progress of opening for the screen, and the steps of one command for its answer.
//!
//! Called under the engine's locks, so it only notes and sends. It keeps nothing between commands.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;

use parking_lot::Mutex;

use super::Answers;
use super::watch::Nudge;
use crate::store::{Event, Observer};
use crate::tui::action::{Action, Arrived};

/// An observer of one store.
pub(super) struct Recorder {
    send: Answers,
    nudge: Mutex<Sender<Nudge>>,
    steps: Mutex<Option<Vec<Event>>>,
    shown_percent: AtomicU64,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

impl Recorder {
    pub(super) fn new(send: Answers, nudge: Sender<Nudge>) -> Self {
        let shown_percent = AtomicU64::new(u64::MAX);
        Self { send, nudge: Mutex::new(nudge), steps: Mutex::new(None), shown_percent }
    }

    /// Runs `work` and returns the steps that the engine took meanwhile.
    pub(super) fn record<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<Event>) {
        *self.steps.lock() = Some(Vec::new());
        let result = work();
        (result, self.steps.lock().take().unwrap_or_default())
    }

    /// A hundred redraws are enough for any store.
    fn loading(&self, done: u64, total: u64) {
        let percent = u128::from(done) * 100 / u128::from(total.max(1));
        let percent = u64::try_from(percent).unwrap_or(100);
        if self.shown_percent.swap(percent, Ordering::Relaxed) != percent {
            (self.send)(Action::Arrived(Arrived::Loading { done, total }));
        }
    }
}

impl Observer for Recorder {
    fn event(&self, event: &Event) {
        if let Event::Loading { done, total } = event {
            return self.loading(*done, *total);
        }
        if let Some(steps) = self.steps.lock().as_mut() {
            steps.push(event.clone());
        } else if event.is_change() {
            // Something moved that no command asked for, as a sync in the background. Nobody listens after the end.
            let _ = self.nudge.lock().send(Nudge::Moved);
        }
    }
}
