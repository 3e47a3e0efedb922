//! Listens to the engine: progress of opening for the screen, the steps of one command for its trace, and what the strips
//! of the segments need to know.
//!
//! Called under the engine's locks, so it only notes and sends. Keeps: steps of one thread's work never get among those of
//! another's, and what a listening thread causes is not told a second time as news.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::thread::ThreadId;
use std::time::Instant;

use parking_lot::Mutex;

use super::Answers;
use super::keys::{Changes, KeyChange};
use super::maps::Maps;
use super::watch::Nudge;
use crate::store::{Event, Location, Observer};
use crate::tui::action::{Action, Arrived};
use crate::tui::app::Step;

/// An observer of one store.
pub(super) struct Recorder {
    send: Answers,
    nudge: Mutex<Sender<Nudge>>,
    listeners: Mutex<Vec<Listener>>,
    maps: Arc<Mutex<Maps>>,
    changes: Arc<Mutex<Changes>>,
    last: Mutex<Option<Location>>,
    shown_percent: AtomicU64,
}

/// A thread whose steps are its own business.
struct Listener {
    thread: ThreadId,
    began: Instant,
    /// `None`: it knows what it does and wants no list of it.
    steps: Option<Vec<Step>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

impl Recorder {
    pub(super) fn new(send: Answers, nudge: Sender<Nudge>) -> Self {
        Self {
            send,
            nudge: Mutex::new(nudge),
            listeners: Mutex::default(),
            maps: Arc::default(),
            changes: Arc::default(),
            last: Mutex::default(),
            shown_percent: AtomicU64::new(u64::MAX),
        }
    }

    /// The strips, kept up to date.
    pub(super) fn maps(&self) -> Arc<Mutex<Maps>> {
        Arc::clone(&self.maps)
    }

    /// What the key lists have not taken in yet.
    pub(super) fn changes(&self) -> Arc<Mutex<Changes>> {
        Arc::clone(&self.changes)
    }

    /// The newest record that was appended since the store was opened.
    pub(super) fn last(&self) -> Option<Location> {
        *self.last.lock()
    }

    /// Runs `work` on this thread and returns the steps that the engine took for it.
    pub(super) fn record<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<Step>) {
        self.listen(Some(Vec::new()), work)
    }

    /// Runs `work` on this thread, which tells itself what came of it.
    pub(super) fn quietly<T>(&self, work: impl FnOnce() -> T) -> T {
        self.listen(None, work).0
    }

    fn listen<T>(&self, steps: Option<Vec<Step>>, work: impl FnOnce() -> T) -> (T, Vec<Step>) {
        let thread = std::thread::current().id();
        self.listeners.lock().push(Listener { thread, began: Instant::now(), steps });
        let result = work();
        let mut listeners = self.listeners.lock();
        let at = listeners.iter().rposition(|listener| listener.thread == thread);
        let heard = at.map(|at| listeners.remove(at)).and_then(|listener| listener.steps);
        (result, heard.unwrap_or_default())
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
        if let Event::Appended { location, .. } = event {
            *self.last.lock() = Some(*location);
        }
        if let Event::Expired { key, entry } = event {
            self.changes.lock().push(KeyChange::One { key: Arc::clone(key), before: Some(*entry), after: None });
        }
        self.maps.lock().apply(event);
        let thread = std::thread::current().id();
        let mut listeners = self.listeners.lock();
        if let Some(listener) = listeners.iter_mut().rfind(|listener| listener.thread == thread) {
            let after = listener.began.elapsed();
            let step = || Step { after, event: event.clone() };
            listener.steps.iter_mut().for_each(|steps| steps.push(step()));
        } else if event.is_change() {
            // Something moved that no command asked for, as a sync in the background. Nobody listens after the end.
            let is_sync = matches!(event, Event::Synced { .. });
            let _ = self.nudge.lock().send(if is_sync { Nudge::Synced } else { Nudge::Moved });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::store::Entry;

    /// Its row stayed in the key list, as one whose key is gone.
    #[test]
    fn a_key_that_expires_leaves_the_key_list() {
        let recorder = Recorder::new(Arc::new(|_| {}), channel().0);
        let location = Location { segment: 1, offset: 40, len: 30 };
        let entry = Entry { location, stored_len: 1, tstamp: 5, expires_at: Some(9) };
        recorder.event(&Event::Expired { key: Arc::from(&b"k"[..]), entry });
        let changes = recorder.changes().lock().take();
        let expected = |change: &KeyChange| match change {
            KeyChange::One { key, before, after } => (&**key, *before, *after) == (b"k", Some(entry), None),
            KeyChange::Anything => false,
        };
        assert!(matches!(changes.as_slice(), [change] if expected(change)), "{changes:?}");
    }
}
