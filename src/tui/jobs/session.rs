//! A store that is open, with the orders and indexes that its lists are windows of.
//!
//! Lists are kept here, off the screen's thread; the screen gets windows. What they cost is said in [`super::keys`]; 16
//! bytes for every 256 records walked.
//! Invariant: a window says of which generation it is, read before the window was made, so it is at least that new.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::Answers;
use super::hints::HintIndex;
use super::keys::{KeyChange, KeyLists};
use super::recorder::Recorder;
use super::records::{Look, RecordIndex};
use super::watch::{self, Nudge};
use crate::disk::ReadDisk;
use crate::error::{Error, Result};
use crate::store::{Moved, Store};
use crate::tui::action::{Arrived, KeysSeen, RecordsSeen};
use crate::tui::app::Figures;
use crate::tui::effect::{HintsWanted, KeyView, KeysWanted, RecordsWanted};

/// A list that takes longer to make is told of, so that it is known that what is on the screen is an older one.
const FIRST: Duration = Duration::from_millis(15);
/// How often it is told how far the making has come.
const BETWEEN: Duration = Duration::from_millis(100);

/// Readings of a whole store that a merge interrupts, until that is told.
const TRIES: usize = 4;

/// Reads what goes over all segments, and begins anew where a merge took one of them away meanwhile.
pub(super) fn despite_merges<T>(mut read: impl FnMut() -> Result<T>) -> Result<T> {
    let is_whole = |result: &Result<T>| !matches!(result, Err(Error::NoSuchSegment { .. }));
    for _ in 1..TRIES {
        let result = read();
        if is_whole(&result) {
            return result;
        }
    }
    read()
}

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
    /// How often figures were made.
    figures: AtomicU64,
    keys: Mutex<KeyLists>,
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
        writer: Option<u32>,
    ) -> std::io::Result<Arc<Self>> {
        let inner = Arc::new(Inner {
            store,
            recorder,
            generation: AtomicU64::new(1),
            figures: AtomicU64::new(0),
            keys: Mutex::default(),
            records: RecordIndex::default(),
            hints: HintIndex::default(),
        });
        let watcher = watch::start(Arc::clone(&inner), disk, nudges, send, writer)?;
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

    /// Notes that a command moved a key.
    pub(super) fn changed(&self, change: KeyChange) {
        self.inner.recorder.changes().lock().push(change);
        self.inner.moved();
    }

    /// Notes that records moved and no key did: lists and what they point at are to be looked at again.
    pub(super) fn merged(&self) {
        self.inner.moved();
    }

    /// A window of the key list. `None`: overtaken by a later look. Whatever takes long is done in steps, between which
    /// commands find the lists free, and told of.
    pub(super) fn keys(
        &self,
        wanted: KeysWanted,
        overtaken: &dyn Fn() -> bool,
        tell: &dyn Fn(Arrived),
    ) -> Option<KeysSeen> {
        let asked = self.inner.generation();
        let mut told = Instant::now().checked_sub(BETWEEN).unwrap_or_else(Instant::now) + FIRST;
        loop {
            let generation = self.inner.generation();
            let mut lists = self.inner.keys.lock();
            self.inner.catch_up(&mut lists, generation);
            let Some(work) = lists.work(self.store(), &wanted.view, (asked, generation)) else {
                return Some(lists.window(self.store(), wanted));
            };
            let gives_up = overtaken();
            if gives_up || told.elapsed() >= BETWEEN {
                let partial = lists.partial(self.store(), &wanted, work);
                drop(lists);
                tell(partial.map_or(Arrived::MakingKeys { view: wanted.view.clone(), work }, Arrived::Keys));
                told = Instant::now();
            }
            if gives_up {
                return None;
            }
        }
    }

    /// A window of the key list, unless that would mean to wait.
    pub(super) fn keys_now(&self, wanted: KeysWanted) -> Option<KeysSeen> {
        let generation = self.inner.generation();
        let mut lists = self.inner.keys.try_lock()?;
        self.inner.catch_up(&mut lists, generation);
        let ready = lists.work_at_once(self.store(), &wanted.view, generation);
        ready.then(|| lists.window(self.store(), wanted))
    }

    /// The view with the branches open that a key is in, unless that would mean to wait.
    pub(super) fn revealing(&self, view: KeyView, key: &[u8]) -> KeyView {
        match self.inner.keys.try_lock() {
            Some(lists) => lists.revealing(view, key),
            None => view,
        }
    }

    /// The first keys that begin with `prefix`. `None`: overtaken by a later look.
    pub(super) fn completions(
        &self,
        prefix: &[u8],
        most: usize,
        overtaken: &dyn Fn() -> bool,
    ) -> Option<Vec<Arc<[u8]>>> {
        while !overtaken() {
            let generation = self.inner.generation();
            let mut lists = self.inner.keys.lock();
            self.inner.catch_up(&mut lists, generation);
            if let Some(keys) = lists.beginning_with(prefix, most) {
                return Some(keys);
            }
            lists.work(self.store(), &KeyView::default(), (0, generation));
        }
        None
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
        let number = self.figures.fetch_add(1, Ordering::AcqRel);
        let generation = self.generation();
        let (stats, segments) = (self.store.stats(), self.store.segments());
        let maps = self.recorder.maps().lock().shown();
        // A merge may have taken the segment away since.
        let last = self.recorder.last().filter(|at| segments.iter().any(|segment| segment.id == at.segment));
        Figures { generation, number, stats, segments, maps, last }
    }

    /// Something moved that the key list is told of otherwise, or not concerned by.
    pub(super) fn moved(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Another process moved something; [`Inner::moved`] is to follow.
    pub(super) fn followed(&self, moved: Moved<'_>) {
        self.recorder.changes().lock().push(match moved {
            Moved::Key { key, before, after } => KeyChange::One { key: key.into(), before, after },
            Moved::Everything => KeyChange::Anything,
        });
    }

    fn catch_up(&self, lists: &mut KeyLists, generation: u64) {
        let changes = self.recorder.changes().lock().take();
        lists.take(changes, generation);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The past of a key could not be read because a segment was merged between the listing and its turn.
    #[test]
    fn what_a_merge_interrupts_is_read_again_but_not_for_ever() {
        let gone = || Error::NoSuchSegment { dir: "data".into(), segment: 1 };
        let mut reads = 0;
        let read = despite_merges(|| {
            reads += 1;
            if reads < 3 { Err(gone()) } else { Ok(reads) }
        });
        assert_eq!(read.unwrap(), 3);
        let mut reads = 0;
        let read: Result<()> = despite_merges(|| {
            reads += 1;
            Err(gone())
        });
        assert!(matches!(read, Err(Error::NoSuchSegment { .. })));
        assert_eq!(reads, TRIES);
    }
}
