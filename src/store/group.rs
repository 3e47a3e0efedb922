//! Group commit: writers that wait share one write and one fdatasync.
//!
//! Whoever finds nobody at work leads: it takes what is queued, its own task first, runs it as one group and hands
//! out the results. Those who come meanwhile queue up, and one of them leads next. A lone writer never waits.

use std::mem;
use std::sync::Arc;

use crate::primitives::{Mutex, MutexGuard};

use crate::format::Codec;

use super::inner::Inner;
use super::op::{Action, Done, Op, Outcome, Work};
use super::writer::Writer;
use super::{Batch, Condition, SyncPolicy};

/// Tasks that wait for a leader.
#[derive(Debug, Default)]
pub(super) struct Queue {
    led: bool,
    waiting: Vec<Arc<Request>>,
}

/// Something to do whose caller sleeps until another thread has done it.
#[derive(Debug)]
struct Request {
    task: OwnedTask,
    outcomes: Mutex<Option<Vec<Outcome>>>,
}

/// What a caller asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Task<'a> {
    One(Op<'a>),
    /// All of it or nothing.
    Batch {
        batch: &'a Batch,
        now: u64,
    },
    /// Each operation for itself.
    Each {
        batch: &'a Batch,
        now: u64,
    },
}

#[derive(Debug)]
enum OwnedTask {
    Put { key: Vec<u8>, value: Vec<u8>, codec: Codec, expires_at: Option<u64>, condition: Condition },
    Delete { key: Vec<u8>, condition: Condition },
    Batch { batch: Batch, now: u64 },
    Each { batch: Batch, now: u64 },
}

impl<'a> Task<'a> {
    fn works(self, inner: &Inner) -> Vec<Work<'a>> {
        match self {
            Self::One(op) => vec![Work::One(op)],
            Self::Batch { batch, now } => vec![Work::Batch { batch, now }],
            Self::Each { batch, now } => {
                batch.ops(|expiry| inner.expires_at(expiry, || now)).into_iter().map(Work::One).collect()
            }
        }
    }

    fn to_owned(self) -> OwnedTask {
        match self {
            Self::One(Op { key, action: Action::Put { value, codec, expires_at }, condition }) => {
                OwnedTask::Put { key: key.to_vec(), value: value.to_vec(), codec, expires_at, condition }
            }
            Self::One(Op { key, action: Action::Delete, condition }) => {
                OwnedTask::Delete { key: key.to_vec(), condition }
            }
            Self::Batch { batch, now } => OwnedTask::Batch { batch: batch.clone(), now },
            Self::Each { batch, now } => OwnedTask::Each { batch: batch.clone(), now },
        }
    }
}

impl OwnedTask {
    fn task(&self) -> Task<'_> {
        match self {
            Self::Put { key, value, codec, expires_at, condition } => {
                let action = Action::Put { value, codec: *codec, expires_at: *expires_at };
                Task::One(Op { key, action, condition: *condition })
            }
            Self::Delete { key, condition } => Task::One(Op { key, action: Action::Delete, condition: *condition }),
            Self::Batch { batch, now } => Task::Batch { batch, now: *now },
            Self::Each { batch, now } => Task::Each { batch, now: *now },
        }
    }
}

impl Writer {
    /// Does one task by the policy and returns when its caller may be told.
    pub(super) fn submit(&self, inner: &Inner, task: Task<'_>) -> Vec<Outcome> {
        if inner.options.sync != SyncPolicy::Always {
            let works = task.works(inner);
            return self.process(inner, &mut self.core.lock(), &works);
        }
        let mut queue = self.queue.lock();
        if !queue.led {
            return self.lead(inner, queue, Some(task));
        }
        let request = Arc::new(Request { task: task.to_owned(), outcomes: Mutex::new(None) });
        queue.waiting.push(request.clone());
        loop {
            if let Some(outcomes) = request.outcomes.lock().take() {
                return outcomes;
            }
            if queue.led {
                self.turn.wait(&mut queue);
                continue;
            }
            self.lead(inner, queue, None);
            queue = self.queue.lock();
        }
    }

    /// Does one operation.
    pub(super) fn submit_one(&self, inner: &Inner, op: Op<'_>) -> Outcome {
        if inner.options.sync != SyncPolicy::Always
            && let Some(outcome) = self.single(inner, &mut self.core.lock(), &op)
        {
            return outcome;
        }
        self.submit(inner, Task::One(op)).pop().unwrap_or(Ok(Done::default()))
    }

    /// Does what is queued; returns the outcomes of `own`.
    fn lead(&self, inner: &Inner, mut queue: MutexGuard<'_, Queue>, own: Option<Task<'_>>) -> Vec<Outcome> {
        queue.led = true;
        let requests = mem::take(&mut queue.waiting);
        drop(queue);
        let lead = Lead(self);
        let tasks = own.into_iter().chain(requests.iter().map(|request| request.task.task()));
        let mut works = Vec::new();
        let ends: Vec<usize> = tasks
            .map(|task| {
                works.extend(task.works(inner));
                works.len()
            })
            .collect();
        let mut outcomes = self.process(inner, &mut self.core.lock(), &works);
        // From the last to the first, so that each takes what is behind the one before it.
        let first_of_others = usize::from(own.is_some());
        for (i, request) in requests.iter().enumerate().rev() {
            let start = (i + first_of_others).checked_sub(1).and_then(|before| ends.get(before));
            *request.outcomes.lock() = Some(outcomes.split_off(start.copied().unwrap_or(0)));
        }
        drop(lead);
        outcomes
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::path::Path;

    use super::super::{Options, Store, Written};
    use super::*;
    use crate::disk::sim::{Fault, SimDisk};
    use crate::error::{Error, Result};

    fn store(disk: &SimDisk) -> Store {
        let options = Options { create: true, seed: 1, ..Options::default() };
        Store::open_on(Arc::new(disk.clone()), Path::new("/data"), options).unwrap()
    }

    fn put<'a>(key: &'a [u8], value: &'a [u8], if_absent: bool) -> Work<'a> {
        let condition = if if_absent { Condition::Absent } else { Condition::Always };
        Work::One(Op { key, action: Action::Put { value, codec: Codec::Raw, expires_at: None }, condition })
    }

    fn delete(key: &[u8]) -> Work<'_> {
        Work::One(Op { key, action: Action::Delete, condition: Condition::Always })
    }

    /// Runs work as one group, as a leader does.
    fn run(store: &Store, works: &[Work<'_>]) -> Vec<Result<Option<Written>>> {
        let writer = store.inner.writer().unwrap();
        let outcomes = writer.process(&store.inner, &mut writer.core.lock(), works);
        outcomes.into_iter().map(|outcome| outcome.map(|done| done.written())).collect()
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
