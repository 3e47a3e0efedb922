//! One operation by itself under `interval` and `buffered`, the way most of them come: the steps of [`super::writer`] in the
//! same order, without what only groups and batches need.
//!
//! Takes on nothing that changes more than the record, its ledger line and its keydir entry: a rotation, a mark that is due
//! and a full disk's leftovers go the long way.
//!
//! # Invariants
//!
//! 1. Those of [`super::writer`]: log first, index second; a failed append changes nothing.
//! 2. Under `interval` the record is in the file before the tail's start moves behind it, so that whoever finds it in the
//!    keydir finds it in the file; or it stays in the tail, and is in [`TailFile`] before its caller is told.

use std::sync::atomic::Ordering;

use crate::error::{Error, Result};
use crate::format::{Kind, record};

use super::events::Event;
use super::inner::Inner;
use super::log::{Before, Core, is_due};
use super::op::{Action, Done, Op, Outcome, Verdict};
use super::sync::write_or_cut;
use super::tail_file::TailFile;
use super::watch::Change;
use super::writer::{Writer, take_effect};
use super::{Entry, Location, SyncPolicy};

impl Writer {
    /// Does one operation; `None` where it has to go the long way, and then nothing was done.
    pub(super) fn single(&self, inner: &Inner, core: &mut Core, op: &Op<'_>) -> Option<Outcome> {
        let len = op.encoded_len();
        let active = core.active.as_ref()?;
        if core.starved || active.due_mark().is_some() || core.must_rotate(inner, len) {
            return None;
        }
        Some(self.single_here(inner, core, op))
    }

    fn single_here(&self, inner: &Inner, core: &mut Core, op: &Op<'_>) -> Outcome {
        self.check_alive()?;
        self.think_of_tail_file(inner, core);
        let mut done = Done::default();
        if op.judge(inner, None) != Verdict::Wanted {
            return Ok(done);
        }
        core.reserve_tstamps(inner, 1)?;
        let Some(entry) = self.append_single(inner, core, op)? else { return Ok(done) };
        self.unsynced.store(true, Ordering::Relaxed);
        self.ring(core);
        let kind = if matches!(op.action, Action::Put { .. }) { Kind::Put } else { Kind::Tombstone };
        let Some(log) = core.active.as_ref() else { return Ok(done) };
        let superseded = take_effect(inner, &inner.look(), &log.segment, kind, Some(op), &entry);
        inner.watchers.tell(|| vec![Change::of(op, &entry)]);
        done.add(op, &entry, superseded);
        Ok(done)
    }

    /// The record is where the policy wants it before its caller may be told.
    fn append_single(&self, inner: &Inner, core: &mut Core, op: &Op<'_>) -> Result<Option<Entry>> {
        let tstamp = core.take_tstamp();
        let held_back = inner.options.sync == SyncPolicy::Buffered || core.tail_file.is_some();
        let Core { active, scratch, .. } = &mut *core;
        let Some(log) = active.as_mut() else { return Ok(None) };
        let mut new = op.record(tstamp);
        new.barrier = log.stable == log.len;
        let location = Location { segment: log.segment.id, offset: log.len, len: new.encoded_len() };
        let salt = log.segment.header.salt;
        if held_back {
            self.tail.write().push(&new, salt, log.len);
        } else {
            scratch.clear();
            record::encode(&new, salt, log.len, scratch);
        }
        inner.tell(|| Event::Encoded { kind: new.kind, bytes: location.len });
        let end = location.offset + location.len;
        if !held_back {
            if let Err(e) = write_or_cut(&*log.file, &log.segment.path, scratch, log.len) {
                return Err(self.failed(inner, e));
            }
            // One long value must not keep its memory for good.
            scratch.shrink_to(inner.options.buffer_bytes);
            self.tail_start.set(&log.segment, end);
            log.segment.ledger.lock().written_len = end;
        }
        let vouched = log.vouched;
        log.len = end;
        log.appended = true;
        if new.barrier {
            log.vouched = log.stable;
        }
        if held_back && !self.may_hold_back(inner, core) {
            match self.flush(inner, core) {
                Ok(()) => {}
                Err(e @ Error::NoSpace { .. }) => {
                    self.take_back(core, Before { len: location.offset, vouched });
                    return Err(e);
                }
                Err(e) => return Err(self.failed(inner, e)),
            }
        }
        inner.tell(|| Event::Appended { kind: new.kind, location, tstamp });
        let (stored_len, codec, expires_at) = (new.value.len() as u64, new.codec, new.expires_at);
        Ok(Some(Entry { location, stored_len, codec, tstamp, expires_at }))
    }

    /// Makes the file that the tail is kept in when there were enough single operations.
    fn think_of_tail_file(&self, inner: &Inner, core: &mut Core) {
        if is_due(&mut core.until_tail_file) {
            core.until_tail_file = None;
            core.tail_file = TailFile::create(&*self.disk, &inner.dir, inner.options.buffer_bytes);
        }
    }

    /// What its caller is told of a record that may be in the file, or not.
    fn failed(&self, inner: &Inner, e: Error) -> Error {
        match e {
            Error::NoSpace { .. } => e,
            e => Error::Indeterminate { cause: self.die(inner, e) },
        }
    }

    /// Something was appended that is not durable. When a quarter of a segment is waiting, the disk begins with it: what a
    /// rotation has to wait for is then what came last.
    pub(super) fn ring(&self, core: &Core) {
        let waiting = core.active.as_ref().map_or(0, |log| log.len - log.stable);
        if waiting >= HURRY { self.alarm.hurry() } else { self.alarm.ring() }
    }
}

/// Bytes that wait for the disk at most before somebody starts it.
const HURRY: u64 = 16 << 20;
