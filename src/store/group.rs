//! Group commit: writers that wait share one write and one fdatasync.
//!
//! Whoever finds nobody at work leads: it takes what is queued, its own operation first, runs it as one group and hands
//! out the results. Those who come meanwhile queue up, and one of them leads next. A lone writer never waits.

use std::mem;
use std::sync::Arc;

use crate::primitives::{Mutex, MutexGuard};

use super::SyncPolicy;
use super::inner::Inner;
use super::writer::{Action, Op, Outcome, Writer};

/// Operations that wait for a leader.
#[derive(Debug, Default)]
pub(super) struct Queue {
    led: bool,
    waiting: Vec<Arc<Request>>,
}

/// An operation whose caller sleeps until another thread has run it.
#[derive(Debug)]
struct Request {
    key: Vec<u8>,
    action: OwnedAction,
    outcome: Mutex<Option<Outcome>>,
}

#[derive(Debug)]
enum OwnedAction {
    Put { value: Vec<u8>, expires_at: Option<u64>, if_absent: bool },
    Delete,
}

impl Request {
    fn new(op: &Op<'_>) -> Self {
        let action = match op.action {
            Action::Put { value, expires_at, if_absent } => {
                OwnedAction::Put { value: value.to_vec(), expires_at, if_absent }
            }
            Action::Delete => OwnedAction::Delete,
        };
        Self { key: op.key.to_vec(), action, outcome: Mutex::new(None) }
    }

    fn op(&self) -> Op<'_> {
        let action = match &self.action {
            OwnedAction::Put { value, expires_at, if_absent } => {
                Action::Put { value, expires_at: *expires_at, if_absent: *if_absent }
            }
            OwnedAction::Delete => Action::Delete,
        };
        Op { key: &self.key, action }
    }
}

impl Writer {
    /// Runs one operation by the policy and returns when its caller may be told.
    pub(super) fn submit(&self, inner: &Inner, op: &Op<'_>) -> Outcome {
        if inner.options.sync != SyncPolicy::Always {
            let mut core = self.core.lock();
            return only(self.process(inner, &mut core, &[*op]));
        }
        let mut queue = self.queue.lock();
        if !queue.led {
            return self.lead(inner, queue, Some(op));
        }
        let request = Arc::new(Request::new(op));
        queue.waiting.push(request.clone());
        loop {
            if let Some(outcome) = request.outcome.lock().take() {
                return outcome;
            }
            if queue.led {
                self.turn.wait(&mut queue);
                continue;
            }
            let _ = self.lead(inner, queue, None);
            queue = self.queue.lock();
        }
    }

    /// Runs what is queued; returns the outcome of `own`.
    fn lead(&self, inner: &Inner, mut queue: MutexGuard<'_, Queue>, own: Option<&Op<'_>>) -> Outcome {
        queue.led = true;
        let requests = mem::take(&mut queue.waiting);
        drop(queue);
        let lead = Lead(self);
        let ops: Vec<_> = own.copied().into_iter().chain(requests.iter().map(|request| request.op())).collect();
        let mut outcomes = {
            let mut core = self.core.lock();
            self.process(inner, &mut core, &ops)
        };
        let others = outcomes.split_off(usize::from(own.is_some()));
        for (request, outcome) in requests.iter().zip(others) {
            *request.outcome.lock() = Some(outcome);
        }
        drop(lead);
        only(outcomes)
    }
}

/// The turn to lead; given back even if an observer panics, or nobody would ever lead again.
struct Lead<'a>(&'a Writer);

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        self.0.queue.lock().led = false;
        self.0.turn.notify_all();
    }
}

fn only(mut outcomes: Vec<Outcome>) -> Outcome {
    outcomes.pop().unwrap_or(Ok(None))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::path::Path;

    use super::super::{Options, Store};
    use super::*;
    use crate::disk::sim::{Fault, SimDisk};
    use crate::error::Error;

    fn store(disk: &SimDisk) -> Store {
        let options = Options { create: true, seed: 1, ..Options::default() };
        Store::open_on(Arc::new(disk.clone()), Path::new("/data"), options).unwrap()
    }

    fn put<'a>(key: &'a [u8], value: &'a [u8], if_absent: bool) -> Op<'a> {
        Op { key, action: Action::Put { value, expires_at: None, if_absent } }
    }

    fn delete(key: &[u8]) -> Op<'_> {
        Op { key, action: Action::Delete }
    }

    /// Runs operations as one group, as a leader does.
    fn run(store: &Store, ops: &[Op<'_>]) -> Vec<Outcome> {
        let writer = store.inner.writer().unwrap();
        writer.process(&store.inner, &mut writer.core.lock(), ops)
    }

    fn value(store: &Store, key: &[u8]) -> Option<Vec<u8>> {
        store.get(key).unwrap().into_value()
    }

    #[test]
    fn a_group_is_one_write_and_one_sync() {
        let disk = SimDisk::new();
        let store = store(&disk);
        store.put(b"first", b"").unwrap();
        let before = disk.ops();
        let outcomes = run(&store, &[put(b"a", b"1", false), put(b"b", b"2", false), delete(b"first")]);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Some(_)))), "{outcomes:?}");
        assert_eq!(disk.ops() - before, 2, "{:?}", disk.trace());
    }

    #[test]
    fn a_group_that_does_not_fit_is_refused_one_by_one_and_the_small_ones_fit() {
        let disk = SimDisk::new();
        let store = store(&disk);
        store.put(b"first", b"").unwrap();
        let used: usize = disk.image().values().map(Vec::len).sum();
        disk.set_capacity(Some(used as u64 + 60));
        let outcomes = run(&store, &[put(b"a", b"1", false), put(b"b", &[0; 500], false), put(b"c", b"3", false)]);
        assert!(matches!(outcomes[0], Ok(Some(_))) && matches!(outcomes[2], Ok(Some(_))), "{outcomes:?}");
        assert!(matches!(outcomes[1], Err(Error::NoSpace { .. })), "{outcomes:?}");
        assert_eq!((value(&store, b"a"), value(&store, b"b")), (Some(b"1".to_vec()), None));
    }

    /// A put-if-absent was told that the key had a value, and a second delete that it had none, because of writes of the
    /// same group that were taken back.
    #[test]
    fn no_answer_rests_on_a_write_that_failed() {
        let disk = SimDisk::new();
        let store = store(&disk);
        store.put(b"there", b"1").unwrap();
        let used: usize = disk.image().values().map(Vec::len).sum();
        disk.set_capacity(Some(used as u64));
        let outcomes =
            run(&store, &[put(b"k", b"1", false), put(b"k", b"2", true), delete(b"there"), delete(b"there")]);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Error::NoSpace { .. }))), "{outcomes:?}");
        disk.set_capacity(None);
        let outcomes =
            run(&store, &[put(b"k", b"1", false), put(b"k", b"2", true), delete(b"there"), delete(b"there")]);
        let done: Vec<bool> = outcomes.into_iter().map(|outcome| outcome.unwrap().is_some()).collect();
        assert_eq!(done, [true, false, true, false]);
        assert_eq!((value(&store, b"k"), value(&store, b"there")), (Some(b"1".to_vec()), None));
    }

    #[test]
    fn all_of_a_group_is_indeterminate_when_its_sync_fails() {
        let disk = SimDisk::new();
        let store = store(&disk);
        store.put(b"first", b"").unwrap();
        disk.fail_at(disk.ops() + 2, Fault::Io);
        let outcomes = run(&store, &[put(b"a", b"1", false), put(b"b", b"2", false), delete(b"a")]);
        assert!(matches!(outcomes[0], Err(Error::Indeterminate { .. })), "{outcomes:?}");
        assert!(matches!(outcomes[1], Err(Error::Indeterminate { .. })), "{outcomes:?}");
        assert!(matches!(outcomes[2], Err(Error::Poisoned { .. })), "it was not in flight: {outcomes:?}");
        assert_eq!((value(&store, b"a"), value(&store, b"b")), (None, None));
    }
}
