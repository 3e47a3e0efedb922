//! Telling of changes as they are made, to whoever subscribed to them.
//!
//! Each watcher has a queue of its own, bounded in changes and in bytes of keys. A full one makes no writer wait: what does
//! not fit is counted, and the count stands in its place among the changes. Without watchers a write costs one load more.
//!
//! # Invariants
//!
//! 1. Puts and deletes come in the order of appends, each after it is visible; those of a batch come together, or are
//!    counted together.
//! 2. A queue never holds more than [`MAX_CHANGES`] changes and [`MAX_KEY_BYTES`] bytes, and counts between them.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::primitives::{AtomicBool, Condvar, Mutex};

use super::op::{Action, Op};
use super::{Entry, Store};

/// Changes that a queue holds at most. A batch of more is counted, not told.
const MAX_CHANGES: usize = 1 << 16;
/// Bytes of keys that a queue holds at most.
const MAX_KEY_BYTES: usize = 16 << 20;

/// Something that happened to a key, or to all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A key was given a value.
    Put {
        /// Which.
        key: Arc<[u8]>,
        /// Where its record is.
        entry: Entry,
        /// The next change came with this one, in one batch.
        batch_continues: bool,
    },
    /// A key was taken away.
    Deleted {
        /// Which.
        key: Arc<[u8]>,
        /// The tombstone's.
        tstamp: u64,
        /// The next change came with this one, in one batch.
        batch_continues: bool,
    },
    /// The engine noticed that the time of a value has run out. While the key is being written anew this may come after
    /// that write; the entry's tstamp is then the lower one.
    Expired {
        /// Whose.
        key: Arc<[u8]>,
        /// Its entry until then.
        entry: Entry,
    },
    /// A store that was opened for reading was loaded anew: anything may have changed.
    Everything,
    /// So many changes came faster than they were taken, and are not told.
    Lagged(u64),
}

impl Change {
    /// What an operation did whose record `entry` points at.
    pub(super) fn of(op: &Op<'_>, entry: &Entry) -> Self {
        let key = op.key.into();
        match op.action {
            Action::Put { .. } => Self::Put { key, entry: *entry, batch_continues: false },
            Action::Delete => Self::Deleted { key, tstamp: entry.tstamp, batch_continues: false },
        }
    }

    fn key(&self) -> Option<&Arc<[u8]>> {
        match self {
            Self::Put { key, .. } | Self::Deleted { key, .. } | Self::Expired { key, .. } => Some(key),
            Self::Everything | Self::Lagged(_) => None,
        }
    }

    fn set_batch_continues(&mut self, continues: bool) {
        if let Self::Put { batch_continues, .. } | Self::Deleted { batch_continues, .. } = self {
            *batch_continues = continues;
        }
    }
}

/// A subscription, made by [`Store::watch`]. Dropping it ends it.
#[derive(Debug)]
pub struct Watch {
    queue: Arc<Queue>,
}

impl Watch {
    /// The next change. Waits for one; `None`: the store was closed, and there will be none.
    pub fn next_change(&self) -> Option<Change> {
        let mut state = self.queue.state.lock();
        loop {
            match state.take() {
                None if state.closed => return None,
                None => self.queue.arrived.wait(&mut state),
                change => return change,
            }
        }
    }

    /// The next change, if one is there or comes within this time.
    pub fn next_within(&self, limit: Duration) -> Option<Change> {
        let mut state = self.queue.state.lock();
        self.queue.arrived.wait_while_for(&mut state, |state| state.changes.is_empty() && !state.closed, limit);
        state.take()
    }

    /// Whether the store was closed.
    pub fn is_closed(&self) -> bool {
        self.queue.state.lock().closed
    }
}

#[derive(Debug)]
struct Queue {
    prefix: Vec<u8>,
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct State {
    changes: VecDeque<Change>,
    key_bytes: usize,
    closed: bool,
}

impl State {
    fn take(&mut self) -> Option<Change> {
        let change = self.changes.pop_front()?;
        self.key_bytes -= change.key().map_or(0, |key| key.len());
        Some(change)
    }

    fn push_all(&mut self, changes: Vec<Change>) {
        let key_bytes: usize = changes.iter().filter_map(Change::key).map(|key| key.len()).sum();
        if self.changes.len() + changes.len() <= MAX_CHANGES && self.key_bytes + key_bytes <= MAX_KEY_BYTES {
            self.key_bytes += key_bytes;
            self.changes.extend(changes);
            return;
        }
        let missed = changes.len() as u64;
        match self.changes.back_mut() {
            Some(Change::Lagged(before)) => *before += missed,
            _ => self.changes.push_back(Change::Lagged(missed)),
        }
    }
}

impl Queue {
    fn push(&self, changes: &[Change]) {
        let is_wanted = |change: &&Change| change.key().is_none_or(|key| key.starts_with(&self.prefix));
        let mut wanted: Vec<Change> = changes.iter().filter(is_wanted).cloned().collect();
        let Some((last, others)) = wanted.split_last_mut() else { return };
        last.set_batch_continues(false);
        others.iter_mut().for_each(|change| change.set_batch_continues(true));
        self.state.lock().push_all(wanted);
        self.arrived.notify_all();
    }

    fn close(&self) {
        self.state.lock().closed = true;
        self.arrived.notify_all();
    }
}

/// Those who watch a store.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    queues: Mutex<Vec<Weak<Queue>>>,
    /// There may be some.
    some: AtomicBool,
}

impl Watchers {
    fn subscribe(&self, prefix: &[u8]) -> Watch {
        let queue = Queue { prefix: prefix.to_vec(), state: Mutex::default(), arrived: Condvar::default() };
        let queue = Arc::new(queue);
        let mut queues = self.queues.lock();
        queues.push(Arc::downgrade(&queue));
        self.some.store(true, Ordering::SeqCst);
        Watch { queue }
    }

    /// Tells of changes that came in one step; they are made only if somebody watches.
    pub(super) fn tell(&self, changes: impl FnOnce() -> Vec<Change>) {
        if !self.some.load(Ordering::SeqCst) {
            return;
        }
        let changes = changes();
        self.each(|queue| queue.push(&changes));
    }

    /// There will be no more changes.
    pub(super) fn close(&self) {
        self.each(Queue::close);
    }

    /// Goes through the queues that somebody still reads, and forgets the others.
    fn each(&self, visit: impl Fn(&Queue)) {
        let mut queues = self.queues.lock();
        queues.retain(|queue| queue.upgrade().inspect(|queue| visit(queue)).is_some());
        self.some.store(!queues.is_empty(), Ordering::SeqCst);
    }
}

impl Store {
    /// Subscribes to changes of the keys that begin with `prefix`, from now on. On a store that was opened for reading they
    /// come as [`Store::refresh`] finds them; expiry comes where the engine notices it, which [`Store::stats`] and
    /// [`Store::refresh`] make it do.
    pub fn watch(&self, prefix: &[u8]) -> Watch {
        self.inner.watchers.subscribe(prefix)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::super::{Batch, Options, PutOptions};
    use super::*;
    use crate::disk::Disk;
    use crate::disk::sim::SimDisk;

    fn options() -> Options {
        Options { create: true, seed: 1, ..Options::default() }
    }

    fn open(disk: &SimDisk) -> Store {
        Store::open_on(Arc::new(disk.clone()), Path::new("/data"), options()).unwrap()
    }

    fn batch(keys: &[&[u8]]) -> Batch {
        let mut batch = Batch::new();
        keys.iter().for_each(|key| batch.put(key, b"v").unwrap());
        batch.delete(b"a1").unwrap();
        batch
    }

    /// What has come so far: a sign for what happened, the key, and whether the batch goes on.
    fn told(watch: &Watch) -> Vec<(char, String, bool)> {
        let text = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
        let sign = |change| match change {
            Change::Put { key, batch_continues, .. } => ('+', text(&key), batch_continues),
            Change::Deleted { key, batch_continues, .. } => ('-', text(&key), batch_continues),
            Change::Expired { key, .. } => ('e', text(&key), false),
            Change::Everything => ('*', String::new(), false),
            Change::Lagged(missed) => ('!', missed.to_string(), false),
        };
        std::iter::from_fn(|| watch.next_within(Duration::ZERO)).map(sign).collect()
    }

    fn one(sign: char, key: &str, continues: bool) -> (char, String, bool) {
        (sign, key.to_owned(), continues)
    }

    #[test]
    fn changes_come_in_order_and_those_of_a_batch_together() {
        let disk = SimDisk::new();
        let store = open(&disk);
        store.put(b"a1", b"before").unwrap();
        let (all, some) = (store.watch(b""), store.watch(b"a"));
        let entry = store.put(b"a2", b"1").map(|_| store.entry(b"a2")).unwrap().unwrap();
        let put = Change::Put { key: b"a2"[..].into(), entry, batch_continues: false };
        assert_eq!(all.next_change(), Some(put), "with its entry, which can be read");
        store.delete(b"nothing").unwrap();
        store.write(&batch(&[b"b1", b"a3", b"b2"])).unwrap();
        let seen = [one('+', "b1", true), one('+', "a3", true), one('+', "b2", true), one('-', "a1", false)];
        assert_eq!(told(&all), seen);
        assert_eq!(told(&some), [one('+', "a2", false), one('+', "a3", true), one('-', "a1", false)]);
        assert_eq!(told(&all), []);
        store.close().unwrap();
        assert_eq!((all.next_change(), some.is_closed()), (None, true));
    }

    #[test]
    fn what_was_refused_is_not_told() {
        let disk = SimDisk::new();
        let store = open(&disk);
        store.put(b"a", b"").unwrap();
        let watch = store.watch(b"");
        let used: usize = disk.image().values().map(Vec::len).sum();
        disk.set_capacity(Some(used as u64 + 10));
        assert!(store.put(b"b", b"").is_err());
        assert!(store.write(&batch(&[b"c", b"d"])).is_err());
        assert_eq!(told(&watch), []);
    }

    #[test]
    fn who_is_slow_is_told_how_much_was_missed_and_where() {
        let store = open(&SimDisk::new());
        let watch = store.watch(b"");
        let key = vec![b'k'; 60_000];
        let fits = MAX_KEY_BYTES / key.len();
        for _ in 0..fits {
            store.put(&key, b"").unwrap();
        }
        store.write(&batch(&[&key, &key])).unwrap();
        store.put(&key, b"").unwrap();
        assert!(matches!(watch.next_change(), Some(Change::Put { .. })));
        store.put(b"after", b"").unwrap();
        let told = told(&watch);
        let end: Vec<_> = told.iter().skip(fits - 1).cloned().collect();
        assert_eq!(
            end,
            [one('!', "3", false), one('+', "after", false)],
            "two of the batch, which comes whole, and one"
        );
    }

    #[test]
    fn a_reader_in_another_process_is_told_what_refreshing_finds() {
        let disk = SimDisk::new();
        let store = open(&disk);
        store.put(b"a1", b"").unwrap();
        let reader = Store::open_read_only_on(disk.reader(), Path::new("/data"), options()).unwrap();
        let watch = reader.watch(b"a");
        store.write(&batch(&[b"a2", b"b1"])).unwrap();
        store.put_with(b"a3", b"", &PutOptions::ttl(Duration::ZERO)).unwrap();
        assert_eq!(told(&watch), []);
        reader.refresh().unwrap();
        let seen = [one('+', "a2", true), one('-', "a1", false), one('+', "a3", false), one('e', "a3", false)];
        assert_eq!(told(&watch), seen);
    }

    #[test]
    fn a_watch_that_was_dropped_costs_nothing() {
        let store = open(&SimDisk::new());
        drop(store.watch(b""));
        store.put(b"a", b"").unwrap();
        store.inner.watchers.tell(|| unreachable!("nobody watches"));
    }
}
