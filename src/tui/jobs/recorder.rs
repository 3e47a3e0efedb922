//! Listens to the engine: progress of opening for the screen, the steps of one command for its trace, and what the strips
//! of the segments need to know.
//!
//! Called under the engine's locks, so it only notes and sends. Keeps: steps of one thread's work never get among those of
//! another's, and what a listening thread causes is not told a second time as news.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::thread::ThreadId;
use std::time::Instant;

use parking_lot::Mutex;

use super::Answers;
use super::keys::{Changes, KeyChange};
use super::maps::Maps;
use super::pace::Pace;
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
    /// That something moved was told, and nobody has taken it in yet.
    told: AtomicBool,
}

/// A thread whose steps are its own business.
struct Listener {
    thread: ThreadId,
    began: Instant,
    /// `None`: it knows what it does and wants no list of it.
    steps: Option<Vec<Step>>,
    merge: Option<Merge>,
}

/// The merge that a thread is about.
struct Merge {
    began: Instant,
    pace: Pace,
    is_committing: bool,
}

impl Listener {
    /// Takes in a step. While a merge runs, one that repeats the step before is counted and not kept: a merge moves every
    /// key that it copies.
    fn step(&mut self, event: &Event) {
        let after = self.began.elapsed();
        let is_merging = self.merge.is_some();
        let Some(steps) = &mut self.steps else { return };
        match steps.last_mut() {
            Some(Step { event: Event::KeydirMoved { .. }, times, .. })
                if is_merging && matches!(event, Event::KeydirMoved { .. }) =>
            {
                *times += 1;
            }
            Some(last) if matches!((&last.event, event), (Event::Merging { .. }, Event::Merging { .. })) => {
                *last = Step { after, event: event.clone(), times: 1 };
            }
            _ => steps.push(Step { after, event: event.clone(), times: 1 }),
        }
    }

    /// What the screen has to know of a merge on this thread.
    fn merge(&mut self, event: &Event) -> Option<Arrived> {
        match (event, &mut self.merge) {
            (Event::MergeStarted { inputs, .. }, merge) => {
                *merge = Some(Merge { began: Instant::now(), pace: Pace::default(), is_committing: false });
                Some(Arrived::MergeStarted(inputs.clone()))
            }
            (Event::Merging { done, total }, Some(merge)) => {
                let (done, total, took) = (*done, *total, merge.began.elapsed());
                merge.pace.is_due(done, total).then_some(Arrived::Merging { done, total, took })
            }
            (Event::KeydirMoved { .. }, Some(merge)) => {
                (!std::mem::replace(&mut merge.is_committing, true)).then_some(Arrived::Committing)
            }
            _ => None,
        }
    }
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
            told: AtomicBool::new(false),
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

    /// Somebody takes in that something moved: what moves from now on is news.
    pub(super) fn heard(&self) {
        self.told.store(false, Ordering::Release);
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
        self.listeners.lock().push(Listener { thread, began: Instant::now(), steps, merge: None });
        let result = work();
        let mut listeners = self.listeners.lock();
        let at = listeners.iter().rposition(|listener| listener.thread == thread);
        let heard = at.map(|at| listeners.remove(at)).and_then(|listener| listener.steps);
        (result, heard.unwrap_or_default())
    }

    /// Something moved that no command asked for, as a sync in the background.
    fn nudge(&self, event: &Event) {
        let nudge = if matches!(event, Event::Synced { .. }) { Nudge::Synced } else { Nudge::Moved };
        // Once is enough until it is taken in: a merge in the background moves millions of keys.
        if nudge == Nudge::Synced || !self.told.swap(true, Ordering::AcqRel) {
            // Nobody listens after the end.
            let _ = self.nudge.lock().send(nudge);
        }
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
            listener.step(event);
            let arrived = listener.merge(event);
            drop(listeners);
            arrived.into_iter().for_each(|arrived| (self.send)(Action::Arrived(arrived)));
        } else if event.is_change() {
            self.nudge(event);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use std::sync::mpsc::channel;

    use super::*;
    use crate::store::Entry;

    #[test]
    fn a_merge_of_a_million_keys_is_a_few_steps_and_a_hundred_words() {
        let (send, answers) = channel();
        let recorder = Recorder::new(Arc::new(move |action| drop(send.send(action))), channel().0);
        let at = |segment, offset| Location { segment, offset, len: 40 };
        let moved = |n| Event::KeydirMoved { from: Some(at(1, n)), to: Some(at(2, n)) };
        let ((), steps) = recorder.record(|| {
            recorder.event(&moved(7));
            recorder.event(&moved(8));
            recorder.event(&Event::MergeStarted { inputs: vec![1], bytes: 40 });
            (0..1_000_000).for_each(|done| recorder.event(&Event::Merging { done, total: 1_000_000 }));
            (0..1_000_000).for_each(|n| recorder.event(&moved(n)));
            recorder.event(&Event::Merged { inputs: vec![1], outputs: vec![2], freed_bytes: 0 });
        });
        let times: Vec<u64> = steps.iter().map(|step| step.times).collect();
        assert_eq!(times, [1, 1, 1, 1, 1_000_000, 1], "a command's own two moves stay two steps");
        assert_eq!(steps[3].event, Event::Merging { done: 999_999, total: 1_000_000 });
        let told: Vec<Action> = answers.try_iter().collect();
        let is_commit = |action: &&Action| matches!(action, Action::Arrived(Arrived::Committing));
        assert!(told.len() <= 104 && told.iter().filter(is_commit).count() == 1, "{}", told.len());
    }

    #[test]
    fn what_moves_in_the_background_is_told_once_until_it_is_taken_in() {
        let nudges = channel();
        let recorder = Recorder::new(Arc::new(|_| {}), nudges.0);
        let moved = || recorder.event(&Event::KeydirMoved { from: None, to: None });
        (0..1000).for_each(|_| moved());
        assert_eq!(nudges.1.try_iter().count(), 1);
        recorder.heard();
        moved();
        assert_eq!(nudges.1.try_iter().count(), 1);
    }

    /// Its row stayed in the key list, as one whose key is gone.
    #[test]
    fn a_key_that_expires_leaves_the_key_list() {
        let recorder = Recorder::new(Arc::new(|_| {}), channel().0);
        let location = Location { segment: 1, offset: 40, len: 30 };
        let entry = Entry { location, stored_len: 1, codec: crate::format::Codec::Raw, tstamp: 5, expires_at: Some(9) };
        recorder.event(&Event::Expired { key: Arc::from(&b"k"[..]), entry });
        let changes = recorder.changes().lock().take();
        let expected = |change: &KeyChange| match change {
            KeyChange::One { key, before, after } => (&**key, *before, *after) == (b"k", Some(entry), None),
            KeyChange::Anything => false,
        };
        assert!(matches!(changes.as_slice(), [change] if expected(change)), "{changes:?}");
    }
}
