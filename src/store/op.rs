//! What callers ask the writer to do, one operation or a batch, and what it answers.
//!
//! Plain data: how a condition is judged is here, when it is judged is [`super::writer`]'s.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::format::Codec;
use crate::format::record::{self, NewRecord};

use super::inner::Inner;
use super::{Batch, BatchWritten, Condition, Entry, Location, Written};

/// What a caller wants done to a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Op<'a> {
    pub(super) key: &'a [u8],
    pub(super) action: Action<'a>,
    pub(super) condition: Condition,
}

/// What to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action<'a> {
    /// The value as stored.
    Put {
        value: &'a [u8],
        codec: Codec,
        expires_at: Option<u64>,
    },
    Delete,
}

/// Whether an operation has anything to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Wanted,
    /// A delete of a key that has no value.
    NothingThere,
    /// Its condition does not hold; what is the case instead.
    Refused(&'static str),
}

impl<'a> Op<'a> {
    /// The record that it appends.
    pub(super) fn record(&self, tstamp: u64) -> NewRecord<'a> {
        match self.action {
            Action::Put { value, codec, expires_at } => {
                NewRecord { codec, expires_at, ..NewRecord::put(self.key, value, tstamp) }
            }
            Action::Delete => NewRecord::tombstone(self.key, tstamp),
        }
    }

    /// Bytes of the record that it appends.
    pub(super) fn encoded_len(&self) -> u64 {
        let (stored_len, with_expiry) = match self.action {
            Action::Put { value, expires_at, .. } => (value.len() as u64, expires_at.is_some()),
            Action::Delete => (0, false),
        };
        record::encoded_len(self.key.len(), stored_len, with_expiry)
    }

    /// Whether it depends on what the key has now.
    pub(super) fn is_conditional(&self) -> bool {
        self.condition != Condition::Always || matches!(self.action, Action::Delete)
    }

    /// Judges it by what was appended so far; `before`: whether the key has a value after those operations of its batch
    /// that come before, if one of them is about it.
    pub(super) fn judge(&self, inner: &Inner, before: Option<bool>) -> Verdict {
        if !self.is_conditional() {
            return Verdict::Wanted;
        }
        let contents = inner.look();
        let entry = contents.keydir.get(self.key).filter(|entry| entry.expires_at.is_none_or(|at| at > inner.now()));
        if let Some(reason) = refusal(self.condition, entry.as_ref()) {
            return Verdict::Refused(reason);
        }
        // What damage may hide must be deleted for certain.
        let is_there = || before.unwrap_or_else(|| entry.is_some() || contents.is_suspect(None));
        match self.action {
            Action::Delete if !is_there() => Verdict::NothingThere,
            Action::Put { .. } | Action::Delete => Verdict::Wanted,
        }
    }
}

/// Why a condition does not hold.
fn refusal(condition: Condition, entry: Option<&Entry>) -> Option<&'static str> {
    match (condition, entry) {
        (Condition::Absent, Some(_)) => Some("has a value already"),
        (Condition::Tstamp(_), None) => Some("has no value"),
        (Condition::Tstamp(tstamp), Some(entry)) if entry.tstamp != tstamp => Some("has another value by now"),
        _ => None,
    }
}

/// What is done or fails as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work<'a> {
    One(Op<'a>),
    /// Written at `now`, by the store's clock.
    Batch {
        batch: &'a Batch,
        now: u64,
    },
}

/// What came of one piece of work: nothing, where nothing was to be done.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    /// Its records.
    place: Option<Location>,
    tstamp: u64,
    superseded: Option<Location>,
    puts: u64,
    deletes: u64,
}

/// The outcome of one piece of work.
pub(super) type Outcome = Result<Done>;

impl Done {
    /// One more record is in the log and the keydir.
    pub(super) fn add(&mut self, op: &Op<'_>, entry: &Entry, superseded: Option<Location>) {
        let at = entry.location;
        self.place = Some(self.place.map_or(at, |place| Location { len: place.len + at.len, ..place }));
        (self.tstamp, self.superseded) = (entry.tstamp, superseded);
        match op.action {
            Action::Put { .. } => self.puts += 1,
            // A delete that found nothing but a suspicion still says that nothing was there.
            Action::Delete => self.deletes += u64::from(superseded.is_some()),
        }
    }

    /// The answer to a single operation.
    pub(super) fn written(&self) -> Option<Written> {
        let location = self.place.filter(|_| self.puts + self.deletes > 0)?;
        Some(Written { location, tstamp: self.tstamp, superseded: self.superseded })
    }

    /// The answer to a batch.
    pub(super) fn batch(&self) -> BatchWritten {
        let Self { place: location, tstamp, puts, deletes, .. } = *self;
        BatchWritten { location, last_tstamp: location.map(|_| tstamp), puts, deletes }
    }
}

/// The operations of a batch that have something to do. Conditions are judged by what the store holds before the batch.
pub(super) fn wanted<'a>(inner: &Inner, ops: Vec<Op<'a>>) -> Result<Vec<Op<'a>>> {
    if !ops.iter().any(Op::is_conditional) {
        return Ok(ops);
    }
    let mut before = HashMap::new();
    let mut wanted = Vec::with_capacity(ops.len());
    for (operation, op) in ops.into_iter().enumerate() {
        match op.judge(inner, before.get(op.key).copied()) {
            Verdict::Refused(reason) => return Err(Error::Refused { operation, key: op.key.to_vec(), reason }),
            Verdict::NothingThere => {}
            Verdict::Wanted => {
                before.insert(op.key, matches!(op.action, Action::Put { .. }));
                wanted.push(op);
            }
        }
    }
    Ok(wanted)
}
