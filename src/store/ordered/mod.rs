//! The keys in byte order: kept beside the keydir for those who ask for ranges.
//!
//! A hash index knows no order, so without help a range means a look at every key. The first range that a store is asked
//! for is answered that way. The second one, or [`Store::keep_order`], has the order made in the background, and ranges
//! that come when it is there cost what they show. It holds keys alone, packed ([`list`]); entries are the keydir's. Writes
//! pay for it only where a key comes or goes, with a note of the key ([`moves`]), and whoever asks next pays for bringing
//! the list up to date. When there is more to be noted than is worth it, the order is given up, and made again when it is
//! asked for.
//!
//! Must not know files. Layout: [`run`] sorts a part, [`merge`] makes one of many, [`build`] does both in threads; [`scan`]
//! goes through the list, [`past`] keeps what is moved under it.
//!
//! # Invariants
//!
//! 1. Every key that comes to the keydir or leaves it is noted afterwards. All but expiry happens under the lock for appends,
//!    or the one for refreshing: whoever begins to note takes each of them once before he reads the first key, so that
//!    what is not noted was there before.
//! 2. A list that is handed out has every key of whose coming its asker can know: notes are taken while the gate is held.

mod block;
mod build;
mod list;
mod merge;
mod moves;
mod past;
mod run;
mod scan;
#[cfg(test)]
mod tests;

use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::primitives::{AtomicU64, Condvar, Mutex, MutexGuard, thread};

use self::build::{Progress, build};
use self::moves::{Moves, Noted};
use self::past::{Past, Scans};
use super::contents::Contents;
use super::inner::Inner;
use super::keydir::Keydir;
use super::{Entry, Store};

pub use list::{KeyList, Walk};
pub(super) use scan::of_prefix;
pub use scan::{Keys, Scan};

/// With fewer keys a look at each is quick, and nothing is kept unless that is asked for.
const FEW_KEYS: u64 = 4096;
/// Changes that are brought in one time, beside a share of the keys; beyond, making the list anew is quicker.
const FEW_CHANGES: usize = 1 << 12;
/// Changes that are noted while a list is made, beside a share of the keys.
const MANY_CHANGES: usize = 1 << 20;

/// The order of the keys of one keydir, if it is kept.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    state: Mutex<State>,
    changed: Condvar,
    moves: Moves,
    pub(super) past: Past,
    /// Ranges that were asked for.
    asked: AtomicU64,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Absent,
    Making(Arc<Progress>),
    Kept(Arc<KeyList>),
}

/// What a store knows of the order of its keys.
#[derive(Clone, Debug)]
pub enum Order {
    /// Nothing: a range is a look at every key.
    Absent,
    /// It is being made.
    Making {
        /// Steps done; a key is two.
        done: u64,
        /// Steps in all.
        total: u64,
        /// The first keys, as far as they are known already.
        beginning: KeyList,
    },
    /// All keys as of now.
    Kept(Arc<KeyList>),
}

impl Ordered {
    /// To be held while a key is moved, and then given to [`Ordered::moved`].
    pub(super) fn hold(&self) -> Option<MutexGuard<'_, Scans>> {
        self.past.hold()
    }

    /// A key was moved, and had this entry before.
    pub(super) fn moved(&self, held: Option<MutexGuard<'_, Scans>>, key: &[u8], before: Option<Entry>, is_there: bool) {
        if let Some(mut scans) = held {
            scans.moved(key, before);
        }
        if before.is_some() != is_there {
            self.moves.note(key);
        }
    }

    /// Keys were taken away that had expired.
    pub(super) fn expired(&self, held: Option<MutexGuard<'_, Scans>>, keys: &[(Arc<[u8]>, Entry)]) {
        if let Some(mut scans) = held {
            keys.iter().for_each(|(key, entry)| scans.moved(key, Some(*entry)));
        }
        // Whoever expires keys holds neither of the locks that order notes.
        if !keys.is_empty() {
            fence(Ordering::SeqCst);
        }
        keys.iter().for_each(|(key, _)| self.moves.note(key));
    }

    /// A range is asked for. The second one has the order made.
    fn asked(&self, inner: &Arc<Inner>, contents: &Arc<Contents>) {
        let is_first = self.asked.fetch_add(1, Ordering::Relaxed) == 0;
        let is_absent = || matches!(*self.state.lock(), State::Absent);
        if !is_first && is_absent() && contents.keydir.len() >= FEW_KEYS {
            self.keep(inner, contents);
        }
    }

    /// This is the order of a keydir that takes the other one's place.
    pub(super) fn inherit(&self, other: &Self) {
        self.asked.store(other.asked.load(Ordering::Relaxed), Ordering::Relaxed);
        other.give_up();
    }

    /// Begins to make the order in the background, unless it is there or being made.
    fn keep(&self, inner: &Arc<Inner>, contents: &Arc<Contents>) {
        let mut state = self.state.lock();
        if !matches!(*state, State::Absent) {
            return;
        }
        let progress = Arc::new(Progress::default());
        let keys = usize::try_from(contents.keydir.len()).unwrap_or(usize::MAX);
        self.moves.begin(MANY_CHANGES.saturating_add(keys / 4));
        fence(Ordering::SeqCst);
        let (theirs, inner, threads) = (Arc::clone(&progress), Arc::downgrade(inner), inner.options.threads);
        let contents = Arc::clone(contents);
        let work = move || contents.ordered.make(&contents, &inner, &theirs, threads);
        match thread::Builder::new().name("logkv-order".into()).spawn(work) {
            Ok(_) => *state = State::Making(progress),
            // Without a thread to be had, ranges go on as they did.
            Err(_) => self.moves.end(),
        }
    }

    fn make(&self, contents: &Contents, inner: &Weak<Inner>, progress: &Arc<Progress>, threads: usize) {
        // Whoever moved a key without seeing that it is to be noted is done with it then.
        if let Some(inner) = inner.upgrade() {
            drop(inner.writer.as_ref().map(|writer| writer.core.lock()));
            drop(inner.refreshing.lock());
        }
        let mut list = build(&contents.keydir, &|_| true, threads, progress);
        loop {
            let noted = {
                // Once it is given up, notes are for somebody else.
                let state = self.state.lock();
                is_this(&state, progress).then(|| self.moves.take()).flatten()
            };
            let (Some(keys), Some(noted)) = (&mut list, noted) else { return self.give_up_making(progress) };
            if bring_in(keys, &noted, &contents.keydir) < FEW_CHANGES {
                break;
            }
        }
        let list = list.unwrap_or_default();
        let mut state = self.state.lock();
        if is_this(&state, progress) {
            self.moves.keep_at_most(FEW_CHANGES + list.len() / 32);
            *state = State::Kept(Arc::new(list));
        }
        self.changed.notify_all();
    }

    fn give_up_making(&self, progress: &Arc<Progress>) {
        let mut state = self.state.lock();
        if is_this(&state, progress) {
            self.moves.end();
            *state = State::Absent;
        }
        self.changed.notify_all();
    }

    /// Lets go of the order, or of its making.
    pub(super) fn give_up(&self) {
        let mut state = self.state.lock();
        if let State::Making(progress) = &*state {
            progress.give_up();
        }
        self.moves.end();
        *state = State::Absent;
        self.changed.notify_all();
    }

    /// The list, brought up to date. The gate is held.
    fn list(&self, keydir: &Keydir) -> Option<Arc<KeyList>> {
        let mut state = self.state.lock();
        let State::Kept(list) = &mut *state else { return None };
        let Some(noted) = self.moves.take() else {
            *state = State::Absent;
            return None;
        };
        if !noted.is_empty() {
            let list = Arc::make_mut(list);
            bring_in(list, &noted, keydir);
            self.moves.keep_at_most(FEW_CHANGES + list.len() / 32);
        }
        Some(Arc::clone(list))
    }

    /// Bytes of memory.
    fn bytes(&self) -> usize {
        let list = match &*self.state.lock() {
            State::Absent => 0,
            State::Making(progress) => progress.beginning().bytes(),
            State::Kept(list) => list.bytes(),
        };
        list + self.moves.bytes() + self.past.bytes()
    }
}

fn is_this(state: &State, progress: &Arc<Progress>) -> bool {
    matches!(state, State::Making(making) if Arc::ptr_eq(making, progress))
}

/// Brings noted keys in line with the keydir; says how many there were.
fn bring_in(list: &mut KeyList, noted: &Noted, keydir: &Keydir) -> usize {
    let changes: Vec<(&[u8], bool)> = noted.sorted().into_iter().map(|key| (key, keydir.get(key).is_some())).collect();
    list.apply(&changes);
    changes.len()
}

impl Store {
    /// The live keys that begin with `prefix`, in byte order, as of now. Lazy: what is not asked for is not looked up. Where
    /// the order of the keys is kept ([`Store::keep_order`]) it costs what it shows; else all keys are looked at first, and
    /// the second time that happens the order is made in the background.
    pub fn scan(&self, prefix: &[u8]) -> Scan {
        Scan::begin(&self.inner, of_prefix(prefix, &mut None))
    }

    /// The live keys that begin with `prefix`, in byte order, as of now, without their entries: [`Store::scan`] for those who
    /// want nothing but keys, and quicker.
    pub fn keys(&self, prefix: &[u8]) -> Keys {
        Keys::begin(&self.inner, of_prefix(prefix, &mut None))
    }

    /// The live keys in the range, in byte order, as of now. As [`Store::scan`].
    pub fn range(&self, range: (std::ops::Bound<&[u8]>, std::ops::Bound<&[u8]>)) -> Scan {
        Scan::begin(&self.inner, range)
    }

    /// Has the byte order of the keys made in the background, and kept up to date, so that ranges cost what they show.
    /// Returns at once; [`Store::order`] tells how far it is. It takes 4 to 18 bytes a key ([`Store::order_bytes`]), and is
    /// given up when more keys come and go between two ranges than a thirty-second of all; the next range then has it made
    /// again.
    pub fn keep_order(&self) {
        let contents = self.inner.contents();
        contents.ordered.asked.fetch_add(2, Ordering::Relaxed);
        contents.ordered.keep(&self.inner, &contents);
    }

    /// Gives the memory of the order back. The second range from here on has it made again.
    pub fn drop_order(&self) {
        let contents = self.inner.contents();
        contents.ordered.asked.store(0, Ordering::Relaxed);
        contents.ordered.give_up();
    }

    /// The order of the keys, brought up to date, if it is kept. If it is being made, waits for it up to `limit`.
    pub fn order(&self, limit: Duration) -> Order {
        let contents = self.inner.unexpired();
        let ordered = &contents.ordered;
        {
            let mut state = ordered.state.lock();
            let is_making = |state: &mut State| matches!(state, State::Making(_));
            ordered.changed.wait_while_for(&mut state, is_making, limit);
            if let State::Making(progress) = &*state {
                let (done, total) = progress.so_far();
                return Order::Making { done, total, beginning: progress.beginning() };
            }
        }
        let _whole_batches = contents.gate.hold();
        ordered.list(&contents.keydir).map_or(Order::Absent, Order::Kept)
    }

    /// Bytes of memory that the order of the keys takes, with what is kept for scans that are under way.
    pub fn order_bytes(&self) -> u64 {
        self.inner.contents().ordered.bytes() as u64
    }
}
