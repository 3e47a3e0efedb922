//! A store that is open, with the orders and indexes that its lists are windows of.
//!
//! Lists are kept here, off the screen's thread; the screen gets windows. What they cost: a key and 32 bytes for each in
//! the list by name, 24 bytes more in another order; 16 bytes for every 256 records walked.
//! Invariant: a window says of which generation it is, read before the window was made, so it is at least that new.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::thread::JoinHandle;

use parking_lot::Mutex;

use super::Answers;
use super::hints::HintIndex;
use super::keys::{KeyChange, KeyIndex};
use super::recorder::Recorder;
use super::records::{Look, RecordIndex};
use super::watch::{self, Nudge};
use crate::disk::ReadDisk;
use crate::error::Result;
use crate::store::Store;
use crate::tui::action::{Arrived, KeysSeen, RecordsSeen};
use crate::tui::app::Figures;
use crate::tui::effect::{HintsWanted, KeysWanted, RecordsWanted};

/// An open store and its watcher.
pub(super) struct Session {
    inner: Arc<Inner>,
    nudge: Sender<Nudge>,
    watcher: JoinHandle<()>,
}

/// What lookers and watcher share.
pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) recorder: Arc<Recorder>,
    generation: AtomicU64,
    keys: Mutex<KeyIndex>,
    changes: Mutex<Vec<KeyChange>>,
    records: RecordIndex,
    hints: HintIndex,
}

impl Session {
    /// Takes over a store and begins to watch it.
    pub(super) fn begin(
        store: Store,
        recorder: Arc<Recorder>,
        (nudge, nudges): (Sender<Nudge>, Receiver<Nudge>),
        disk: Arc<dyn ReadDisk>,
        send: Answers,
    ) -> std::io::Result<Arc<Self>> {
        let inner = Arc::new(Inner {
            store,
            recorder,
            generation: AtomicU64::new(1),
            keys: Mutex::default(),
            changes: Mutex::default(),
            records: RecordIndex::default(),
            hints: HintIndex::default(),
        });
        let watcher = watch::start(Arc::clone(&inner), disk, nudges, send)?;
        Ok(Arc::new(Self { inner, nudge, watcher }))
    }

    pub(super) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(super) fn recorder(&self) -> &Recorder {
        &self.inner.recorder
    }

    /// How often the store has been seen to change.
    pub(super) fn generation(&self) -> u64 {
        self.inner.generation()
    }

    /// The whole store as of now.
    pub(super) fn figures(&self) -> Figures {
        self.inner.figures()
    }

    /// Reads on what another process appends, or stops doing so for a while.
    pub(super) fn pause(&self, paused: bool) {
        // A watcher that is gone has nothing to pause.
        let _ = self.nudge.send(Nudge::Pause(paused));
    }

    /// Notes that a command moved a key, or with `None` that something else moved.
    pub(super) fn changed(&self, change: Option<KeyChange>) {
        self.inner.changes.lock().extend(change);
        self.inner.moved();
    }

    /// A window of the key list. Waits while the list is being sorted.
    pub(super) fn keys(&self, wanted: KeysWanted) -> KeysSeen {
        let generation = self.inner.generation();
        let mut index = self.inner.keys.lock();
        self.inner.catch_up(&mut index);
        index.window(self.store(), wanted, generation)
    }

    /// A window of the key list, unless that would mean to wait.
    pub(super) fn keys_now(&self, wanted: KeysWanted) -> Option<KeysSeen> {
        let generation = self.inner.generation();
        let mut index = self.inner.keys.try_lock()?;
        self.inner.catch_up(&mut index);
        Some(index.window(self.store(), wanted, generation))
    }

    /// The first keys that begin with `prefix`.
    pub(super) fn completions(&self, prefix: &[u8], most: usize) -> Vec<Arc<[u8]>> {
        let mut index = self.inner.keys.lock();
        self.inner.catch_up(&mut index);
        index.beginning_with(self.store(), prefix).iter().take(most).cloned().collect()
    }

    /// Windows of a record list, as they become known.
    pub(super) fn records(
        &self,
        wanted: &RecordsWanted,
        overtaken: &dyn Fn() -> bool,
        answer: &dyn Fn(Arrived),
    ) -> Result<()> {
        let look = Look { generation: self.inner.generation(), overtaken, answer };
        self.inner.records.look(self.store(), wanted, &look)
    }

    /// A window of a record list, unless that would mean to wait.
    pub(super) fn records_now(&self, wanted: &RecordsWanted) -> Result<Option<RecordsSeen>> {
        let generation = self.inner.generation();
        self.inner.records.now(self.store(), wanted, generation)
    }

    /// A window of a hint's rows, and what the hint is worth.
    pub(super) fn hints(
        &self,
        wanted: &HintsWanted,
        overtaken: &dyn Fn() -> bool,
        answer: &dyn Fn(Arrived),
    ) -> Result<()> {
        let look = Look { generation: self.inner.generation(), overtaken, answer };
        self.inner.hints.look(self.store(), wanted, &look)
    }

    /// Stops the watcher and closes the store. Whoever still looks keeps it from being closed in order, so the lanes
    /// are finished first.
    pub(super) fn close(self: Arc<Self>) -> Result<()> {
        let Some(session) = Arc::into_inner(self) else { return Ok(()) };
        // A watcher that is gone already needs no telling.
        let _ = session.nudge.send(Nudge::Stop);
        let _ = session.watcher.join();
        match Arc::into_inner(session.inner) {
            Some(inner) => inner.store.close(),
            None => Ok(()),
        }
    }
}

impl Inner {
    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn figures(&self) -> Figures {
        let generation = self.generation();
        let (stats, segments) = (self.store.stats(), self.store.segments());
        Figures { generation, stats, segments, maps: self.recorder.maps().lock().shown(), last: self.recorder.last() }
    }

    /// Something moved that the key list is told of otherwise, or not concerned by.
    pub(super) fn moved(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Another process moved anything: the key list is made anew when it is looked at next.
    pub(super) fn followed(&self) {
        self.changes.lock().push(KeyChange::Anything);
        self.moved();
    }

    fn catch_up(&self, index: &mut KeyIndex) {
        for change in self.changes.lock().drain(..) {
            index.apply(change);
        }
    }
}
