//! The append path: from a put to a record in the log and an entry in the keydir.
//!
//! All appends go through one lock, [`Core`]. A record is staged in the *tail*, a piece of the active segment in memory
//! from which gets can read; flushing writes the tail to the file, syncing makes it durable, and only then, as far as
//! the policy asks for it, the keydir moves.
//!
//! # Invariants
//!
//! 1. Log first, index second: the keydir points at nothing that was not appended, and under `always` at nothing that is
//!    not durable.
//! 2. tstamps rise strictly in the order of appends.
//! 3. A record carries bit 4, or a mark goes before it, whenever more is stable than the log says so far.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::format::record::{self, NewRecord};
use crate::format::{Kind, SegmentId};
use crate::primitives::{AtomicBool, Condvar, Mutex, RwLock};

use super::background::Alarm;
use super::contents::Contents;
use super::events::Event;
use super::group::Queue;
use super::inner::Inner;
use super::lock::Lock;
use super::log::{Before, Core, Log, Tail};
use super::open::{self, Active};
use super::{Entry, Location, Options, SyncPolicy, Written};

/// The writing half of a store.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) lock: Mutex<Option<Lock>>,
    pub(super) core: Mutex<Core>,
    pub(super) queue: Mutex<Queue>,
    pub(super) turn: Condvar,
    pub(super) alarm: Alarm,
    pub(super) sync_gate: Mutex<()>,
    pub(super) poison: OnceLock<Arc<Error>>,
    pub(super) tail: RwLock<Tail>,
    pub(super) unsynced: AtomicBool,
    /// One merge at a time.
    pub(super) merging: Mutex<()>,
}

/// What a caller wants done to a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Op<'a> {
    pub(super) key: &'a [u8],
    pub(super) action: Action<'a>,
}

/// What to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action<'a> {
    Put { value: &'a [u8], expires_at: Option<u64>, if_absent: bool },
    Delete,
}

impl Op<'_> {
    /// Bytes of the record that it appends.
    fn encoded_len(&self) -> u64 {
        let (stored_len, with_expiry) = match self.action {
            Action::Put { value, expires_at, .. } => (value.len() as u64, expires_at.is_some()),
            Action::Delete => (0, false),
        };
        record::encoded_len(self.key.len(), stored_len, with_expiry)
    }

    /// Whether it depends on what the key has now.
    fn is_conditional(&self) -> bool {
        !matches!(self.action, Action::Put { if_absent: false, .. })
    }
}

/// A record that is in the tail, and what it will do to the keydir.
struct Staged<'a> {
    op: Option<(usize, Op<'a>)>,
    kind: Kind,
    entry: Entry,
    before: Before,
}

/// The outcome of one operation: where it went, or that there was nothing to do.
pub(super) type Outcome = Result<Option<Written>>;

impl Writer {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: &Options,
        lock: Lock,
        active: Option<Active>,
        contents: &Contents,
        max_id: Option<SegmentId>,
    ) -> Result<Self> {
        let active = active.map(|active| Log::reopen(&*disk, active)).transpose()?;
        let tail = active.as_ref().map_or_else(Tail::default, |log| Tail::at(&log.segment, log.len));
        let next_id = max_id.map_or(1, |id| id.saturating_add(1));
        if next_id > SegmentId::from(u32::MAX) && active.is_none() {
            return Err(Error::NoMoreSegments { dir: dir.to_owned() });
        }
        let last_tstamp = contents.last_tstamp.load(Ordering::Relaxed);
        let core = Core { active, next_id, last_tstamp, salts: open::seed(options), starved: false };
        Ok(Self {
            disk,
            lock: Mutex::new(Some(lock)),
            core: Mutex::new(core),
            queue: Mutex::default(),
            turn: Condvar::new(),
            alarm: Alarm::default(),
            sync_gate: Mutex::new(()),
            poison: OnceLock::new(),
            tail: RwLock::new(tail),
            unsynced: AtomicBool::new(false),
            merging: Mutex::new(()),
        })
    }

    /// Whether something acknowledged is not durable yet.
    pub(super) fn is_unsynced(&self) -> bool {
        self.unsynced.load(Ordering::Relaxed)
    }

    /// The bytes of a record that may not be in the file yet.
    pub(super) fn read_tail(&self, location: &Location) -> Option<Vec<u8>> {
        self.tail.read().record(location).map(<[u8]>::to_vec)
    }

    /// Runs operations in order, as one group: under `always` they share the write and the sync.
    pub(super) fn process(&self, inner: &Inner, core: &mut Core, ops: &[Op<'_>]) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = ops.iter().map(|_| Ok(None)).collect();
        let mut staged = Vec::new();
        for (i, op) in ops.iter().enumerate() {
            if let Err(e) = self.stage_op(inner, core, (i, *op), &mut staged, &mut outcomes) {
                set(&mut outcomes, i, Err(e));
            }
        }
        self.commit(inner, core, &mut staged, &mut outcomes);
        outcomes
    }

    fn stage_op<'a>(
        &self,
        inner: &Inner,
        core: &mut Core,
        (i, op): (usize, Op<'a>),
        staged: &mut Vec<Staged<'a>>,
        outcomes: &mut [Outcome],
    ) -> Result<()> {
        self.check_alive()?;
        if op.is_conditional() {
            if staged.iter().any(|staged| staged.op.is_some_and(|(_, earlier)| earlier.key == op.key)) {
                // Its answer rests on a write that may still fail.
                self.commit(inner, core, staged, outcomes);
                self.check_alive()?;
            }
            if !is_wanted(inner, &op) {
                return Ok(());
            }
        }
        if core.must_rotate(inner, op.encoded_len()) {
            self.commit(inner, core, staged, outcomes);
            self.check_alive()?;
            self.rotate(inner, core)?;
        }
        if core.starved {
            self.flush(inner, core)?;
        }
        // Last of all: what is committed above may be appended again, under newer tstamps.
        let record = core.record(inner, &op)?;
        self.stage(inner, core, Some((i, op)), record, staged);
        Ok(())
    }

    /// Encodes the record, and a mark before it where one is due, into the tail.
    fn stage<'a>(
        &self,
        inner: &Inner,
        core: &mut Core,
        op: Option<(usize, Op<'a>)>,
        mut new: NewRecord<'_>,
        staged: &mut Vec<Staged<'a>>,
    ) {
        if let Some(stable) = core.active.as_ref().and_then(Log::due_mark) {
            let value = stable.to_le_bytes();
            let mark = NewRecord::mark(&value, core.last_tstamp);
            core.last_tstamp += 1;
            new.tstamp = core.last_tstamp;
            self.append(inner, core, None, &mark, staged);
        }
        new.barrier = core.active.as_ref().is_some_and(|log| log.stable == log.len);
        self.append(inner, core, op, &new, staged);
    }

    fn append<'a>(
        &self,
        inner: &Inner,
        core: &mut Core,
        op: Option<(usize, Op<'a>)>,
        new: &NewRecord<'_>,
        staged: &mut Vec<Staged<'a>>,
    ) {
        let Some(log) = core.active.as_mut() else { return };
        let before = Before { len: log.len, vouched: log.vouched };
        let location = Location { segment: log.segment.id, offset: log.len, len: new.encoded_len() };
        record::encode(new, log.segment.header.salt, log.len, &mut self.tail.write().bytes);
        inner.tell(|| Event::Encoded { kind: new.kind, bytes: location.len });
        log.len += location.len;
        log.appended = true;
        if new.barrier || new.kind == Kind::Mark {
            log.vouched = log.stable;
        }
        let stored_len = new.value.len() as u64;
        let entry = Entry { location, stored_len, tstamp: new.tstamp, expires_at: new.expires_at };
        staged.push(Staged { op, kind: new.kind, entry, before });
    }

    /// Does for the staged records what the policy asks for before their callers may be told, and moves the keydir.
    fn commit(&self, inner: &Inner, core: &mut Core, staged: &mut Vec<Staged<'_>>, outcomes: &mut [Outcome]) {
        if staged.is_empty() {
            return;
        }
        let before = staged.first().map(|staged| staged.before);
        match self.persist(inner, core, staged) {
            Ok(()) => {
                for staged in staged.drain(..) {
                    self.apply(inner, &staged, outcomes);
                }
            }
            Err(Error::NoSpace { path, needed }) => {
                self.take_back(core, before);
                let staged = std::mem::take(staged);
                self.one_by_one(inner, core, &staged, outcomes, &Error::NoSpace { path, needed });
            }
            Err(e) => {
                let cause = self.die(inner, e);
                for (i, _) in staged.drain(..).filter_map(|staged| staged.op) {
                    set(outcomes, i, Err(Error::Indeterminate { cause: cause.clone() }));
                }
            }
        }
    }

    /// A group that did not fit is tried again record by record: a small one need not fail with a large one.
    fn one_by_one(&self, inner: &Inner, core: &mut Core, staged: &[Staged<'_>], outcomes: &mut [Outcome], why: &Error) {
        let ops: Vec<_> = staged.iter().filter_map(|staged| staged.op).collect();
        for (i, op) in &ops {
            let outcome = match ops.len() {
                1 => Err(why.clone()),
                _ => self.process(inner, core, &[*op]).pop().unwrap_or(Ok(None)),
            };
            set(outcomes, *i, outcome);
        }
    }

    fn persist(&self, inner: &Inner, core: &mut Core, staged: &[Staged<'_>]) -> Result<()> {
        let flush = match inner.options.sync {
            SyncPolicy::Always | SyncPolicy::Interval(_) => true,
            SyncPolicy::Buffered => self.tail.read().bytes.len() >= inner.options.buffer_bytes,
        };
        if flush {
            self.flush(inner, core)?;
        }
        for staged in staged {
            let (kind, location, tstamp) = (staged.kind, staged.entry.location, staged.entry.tstamp);
            inner.tell(|| Event::Appended { kind, location, tstamp });
        }
        self.unsynced.store(true, Ordering::Relaxed);
        match inner.options.sync {
            SyncPolicy::Always => self.sync_core(inner, core),
            SyncPolicy::Interval(_) | SyncPolicy::Buffered => {
                self.alarm.ring();
                Ok(())
            }
        }
    }

    /// Takes staged records out of the tail again; the file does not have them.
    fn take_back(&self, core: &mut Core, before: Option<Before>) {
        if let Some((log, before)) = core.active.as_mut().zip(before) {
            self.tail.write().truncate(before.len);
            (log.len, log.vouched) = (before.len, before.vouched);
        }
    }

    fn apply(&self, inner: &Inner, staged: &Staged<'_>, outcomes: &mut [Outcome]) {
        let contents = inner.contents();
        let Entry { location, tstamp, .. } = staged.entry;
        contents.last_tstamp.fetch_max(tstamp, Ordering::Relaxed);
        if let Some(segment) = contents.segment(location.segment) {
            let mut ledger = segment.ledger.lock();
            ledger.count(staged.kind, tstamp);
            ledger.data_len = ledger.data_len.max(location.offset + location.len);
            ledger.has_hint = false;
        }
        let Some((i, op)) = staged.op else { return };
        let (superseded, to) = match op.action {
            Action::Put { .. } => (contents.keydir.set(op.key, staged.entry), Some(location)),
            Action::Delete => (contents.keydir.remove(op.key), None),
        };
        let superseded = superseded.map(|entry| entry.location);
        inner.tell(|| Event::KeydirMoved { from: superseded, to });
        if let Some(died) = contents.moved(superseded, to) {
            inner.tell(|| Event::BytesDied { segment: died.segment, bytes: died.len });
        }
        // A delete that found nothing but a suspicion still says that nothing was there.
        let existed = to.is_some() || superseded.is_some();
        set(outcomes, i, Ok(existed.then_some(Written { location, tstamp, superseded })));
    }
}

/// Whether a conditional operation has anything to do.
fn is_wanted(inner: &Inner, op: &Op<'_>) -> bool {
    let contents = inner.contents();
    let entry = contents.keydir.get(op.key).filter(|entry| entry.expires_at.is_none_or(|at| at > inner.now()));
    match op.action {
        // What damage may hide must be deleted for certain.
        Action::Delete => entry.is_some() || contents.is_suspect(None),
        Action::Put { .. } => entry.is_none(),
    }
}

fn set(outcomes: &mut [Outcome], i: usize, outcome: Outcome) {
    if let Some(slot) = outcomes.get_mut(i) {
        *slot = outcome;
    }
}
