//! Group commit: writers that wait share one write and one fdatasync.
//!
//! Whoever finds nobody at work leads: it takes what is queued, its own operation first, runs it as one group and hands
//! out the results. Those who come meanwhile queue up, and one of them leads next. A lone writer never waits.

use std::mem;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

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
