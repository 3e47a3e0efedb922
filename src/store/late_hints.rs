//! Hints of segments that were sealed by a rotation, or found without one when the store was opened, written while puts go
//! on.
//!
//! Reading a segment of 64 MiB for its hint takes longer than filling a good part of the next one, and nobody who appends
//! has to wait for it: a sealed segment is durable by itself, and a store that is opened without the hint reads the data.
//! A thread is started when there is something to do, and ends when there is nothing more. Short segments are not worth
//! one. Must not know what is in a hint.
//!
//! # Invariants
//!
//! 1. Only sealed segments come here, durable to their last byte.
//! 2. Whoever takes segment files away, or counts on every hint being there, waits until none is due: [`LateHints::settle`].

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock, Weak};

use super::events::Event;
use super::hint_file;
use super::inner::Inner;
use super::segment::Segment;
use super::writer::Writer;
use crate::primitives::{Condvar, Mutex, thread};

/// Shorter segments get their hint at once.
const WORTH_A_THREAD: u64 = 1 << 20;

/// Segments whose hint is due.
#[derive(Debug, Default)]
pub(super) struct LateHints {
    state: Mutex<State>,
    settled: Condvar,
    /// The engine, for the thread.
    inner: OnceLock<Weak<Inner>>,
}

#[derive(Debug, Default)]
struct State {
    due: VecDeque<Arc<Segment>>,
    running: bool,
}

impl LateHints {
    /// Whether a segment is too short for a thread to be worth it: it gets its hint at once.
    pub(super) fn is_short(segment: &Segment) -> bool {
        segment.data_len() < WORTH_A_THREAD
    }

    /// Segments that were found without a hint, while there is no engine yet.
    pub(super) fn owe(&self, segments: Vec<Arc<Segment>>) {
        self.state.lock().due.extend(segments);
    }

    /// The engine is whole: threads may be started for it, and one is if something is due already.
    pub(super) fn serve(&self, inner: &Arc<Inner>) {
        let _ = self.inner.set(Arc::downgrade(inner));
        let mut state = self.state.lock();
        if !state.due.is_empty() && !Self::start(&mut state, inner.clone()) {
            // They do without: the next open looks for them again.
            state.due.clear();
        }
    }

    /// Starts a thread for what is due, unless there is one; false if there is none to be had.
    fn start(state: &mut State, inner: Arc<Inner>) -> bool {
        if !state.running {
            let work =
                move || inner.writer.as_ref().into_iter().for_each(|writer| writer.late_hints.run(writer, &inner));
            state.running = thread::Builder::new().name("logkv-hint".into()).spawn(work).is_ok();
        }
        state.running
    }

    /// Waits until no hint is due.
    pub(super) fn settle(&self) {
        let mut state = self.state.lock();
        self.settled.wait_while(&mut state, |state| state.running);
    }

    /// Hands a segment over to a thread; false where its hint has to be written by the caller.
    fn hand_over(&self, segment: &Arc<Segment>) -> bool {
        let Some(inner) = self.inner.get().and_then(Weak::upgrade) else { return false };
        if Self::is_short(segment) {
            return false;
        }
        let mut state = self.state.lock();
        let starts = Self::start(&mut state, inner);
        if starts {
            state.due.push_back(segment.clone());
        }
        starts
    }

    fn run(&self, writer: &Writer, inner: &Inner) {
        let _nobody_waits_for_ever = Running(self);
        loop {
            let mut state = self.state.lock();
            let Some(segment) = state.due.pop_front() else {
                state.running = false;
                self.settled.notify_all();
                return;
            };
            drop(state);
            // After a failure that stopped the writer nothing is written any more.
            if writer.check_alive().is_ok() {
                writer.write_hint(inner, &segment);
            }
        }
    }
}

/// A thread at work. Should it panic, its segments do without.
struct Running<'a>(&'a LateHints);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0.state.lock() = State::default();
            self.0.settled.notify_all();
        }
    }
}

impl Writer {
    /// Gives a segment that was just sealed its hint, now or soon.
    pub(super) fn hint_sealed(&self, inner: &Inner, segment: &Arc<Segment>) {
        if !self.late_hints.hand_over(segment) {
            self.write_hint(inner, segment);
        }
    }

    /// Writes the hint of a segment whose data is durable. A failure is an event: the segment does without.
    pub(super) fn write_hint(&self, inner: &Inner, segment: &Segment) {
        match hint_file::write(&*self.disk, &inner.dir, segment) {
            Ok(Some(bytes)) => {
                segment.ledger.lock().has_hint = true;
                inner.tell(|| Event::HintWritten { segment: segment.id, bytes });
            }
            Ok(None) => {}
            Err(e) => inner.tell(|| Event::HintFailed { segment: segment.id, reason: e.to_string() }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;
    use std::path::Path;

    use crate::store::{MergeChoice, MergeControl, Options, Store, SyncPolicy};

    /// Ten segments long enough for a thread, the last of them active.
    fn filled(dir: &Path) -> Store {
        let options =
            Options { sync: SyncPolicy::Buffered, create: true, max_segment_bytes: 3 << 19, ..Options::default() };
        let store = Store::open(dir, options).unwrap();
        let value = vec![7; 1 << 16];
        for i in 0..200_u32 {
            store.put(&(i % 120).to_be_bytes(), &value).unwrap();
        }
        store
    }

    fn names(dir: &Path, extension: &str) -> BTreeSet<String> {
        let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter_map(|name| Some(name.strip_suffix(extension)?.to_owned())).collect()
    }

    #[test]
    fn every_segment_has_its_hint_when_the_store_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path()).close().unwrap();
        assert_eq!(names(dir.path(), ".data").len(), 9);
        assert_eq!(names(dir.path(), ".hint"), names(dir.path(), ".data"));
        assert!(names(dir.path(), ".tmp").is_empty());
    }

    #[test]
    fn hints_that_are_missing_when_a_store_is_opened_are_there_when_it_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path()).close().unwrap();
        let hint_of = |name: &String| std::fs::read(dir.path().join(format!("{name}.hint"))).unwrap();
        let before: Vec<_> = names(dir.path(), ".hint").iter().map(hint_of).collect();
        for name in names(dir.path(), ".hint") {
            std::fs::remove_file(dir.path().join(format!("{name}.hint"))).unwrap();
        }
        std::fs::remove_file(dir.path().join("KEYDIR")).unwrap();
        let store = Store::open(dir.path(), Options::default()).unwrap();
        assert_eq!(store.stats().keys, 120);
        store.close().unwrap();
        assert_eq!(names(dir.path(), ".hint").iter().map(hint_of).collect::<Vec<_>>(), before);
    }

    #[test]
    fn a_merge_leaves_no_hint_of_a_segment_that_is_gone() {
        for _ in 0..5 {
            let dir = tempfile::tempdir().unwrap();
            let store = filled(dir.path());
            store.merge(&MergeChoice::All, &MergeControl::default()).unwrap();
            let (hints, segments) = (names(dir.path(), ".hint"), names(dir.path(), ".data"));
            assert!(hints.is_subset(&segments), "{hints:?} {segments:?}");
            store.close().unwrap();
        }
    }
}
