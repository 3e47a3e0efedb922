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
//! 3. Records of a batch lie back to back in one segment, and nothing stands between them.
//! 4. A record carries bit 4, or a mark goes before it, whenever more is stable than the log says so far.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::format::record::NewRecord;
use crate::format::{Kind, SegmentId};
use crate::primitives::{AtomicBool, Condvar, Mutex, RwLock};

use super::background::Alarm;
use super::checkpoint::Extent;
use super::contents::Contents;
use super::events::Event;
use super::group::Queue;
use super::inner::Inner;
use super::late_hints::LateHints;
use super::lock::Lock;
use super::log::{Before, Core, Log, Tail, TailStart};
use super::op::{Action, Done, Op, Outcome, Verdict, Work, wanted};
use super::open::{self, Active};
use super::segment::Segment;
use super::watch::Change;
use super::{Entry, Location, Options, SyncPolicy};

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
    pub(super) tail_start: TailStart,
    pub(super) unsynced: AtomicBool,
    pub(super) late_hints: LateHints,
    /// One merge at a time.
    pub(super) merging: Mutex<()>,
    /// What the checkpoint covers that is there, if it counts.
    pub(super) checkpoint: Mutex<Option<Extent>>,
}

/// A record that is in the tail, and what it will do to the keydir.
struct Staged<'a> {
    /// The work that it belongs to, and the operation that it carries out. A mark does neither.
    op: Option<(usize, Op<'a>)>,
    kind: Kind,
    entry: Entry,
    before: Before,
}

impl Staged<'_> {
    /// What those who watch are told of it.
    fn change(&self) -> Option<Change> {
        self.op.map(|(_, op)| Change::of(&op, &self.entry))
    }
}

/// Work that shares a write and a sync, and what came of it so far.
struct Group<'a> {
    works: &'a [Work<'a>],
    outcomes: Vec<Outcome>,
    staged: Vec<Staged<'a>>,
    /// The keys of the first records in `staged`, once there are many.
    keys: HashSet<&'a [u8]>,
    keys_of: usize,
}

impl<'a> Group<'a> {
    fn new(works: &'a [Work<'a>]) -> Self {
        let outcomes = works.iter().map(|_| Ok(Done::default())).collect();
        Self { works, outcomes, staged: Vec::new(), keys: HashSet::new(), keys_of: 0 }
    }

    fn set(&mut self, work: usize, outcome: Outcome) {
        if let Some(slot) = self.outcomes.get_mut(work) {
            *slot = outcome;
        }
    }

    /// Whether a staged record is about this key.
    fn is_staged(&mut self, key: &[u8]) -> bool {
        const FEW: usize = 16;
        if self.staged.len() <= FEW {
            return self.staged.iter().any(|staged| staged.op.is_some_and(|(_, op)| op.key == key));
        }
        let new = self.staged.get(self.keys_of..).unwrap_or_default();
        self.keys.extend(new.iter().filter_map(|staged| staged.op).map(|(_, op)| op.key));
        self.keys_of = self.staged.len();
        self.keys.contains(key)
    }

    fn take_staged(&mut self) -> Vec<Staged<'a>> {
        self.keys.clear();
        self.keys_of = 0;
        std::mem::take(&mut self.staged)
    }
}

/// The numbers of the works that these records belong to, each once.
fn works_of(staged: &[Staged<'_>]) -> Vec<usize> {
    let mut works: Vec<usize> = staged.iter().filter_map(|staged| staged.op).map(|(work, _)| work).collect();
    works.dedup();
    works
}

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
        let active = active.map(|active| Log::reopen(&*disk, active, options.mapped_extent())).transpose()?;
        let tail = active.as_ref().map_or_else(Tail::default, |log| Tail::at(&log.segment, log.len));
        let next_id = max_id.map_or(1, |id| id.saturating_add(1));
        if next_id > SegmentId::from(u32::MAX) && active.is_none() {
            return Err(Error::NoMoreSegments { dir: dir.to_owned() });
        }
        let last_tstamp = contents.last_tstamp.load(Ordering::Relaxed);
        let core = Core {
            active,
            next_id,
            last_tstamp,
            salts: open::seed(options),
            starved: false,
            scratch: Vec::new(),
            tail_file: None,
            until_tail_file: options.tail_file_after.filter(|_| matches!(options.sync, SyncPolicy::Interval(_))),
            until_reserve: options.reserve_after.filter(|_| options.sync == SyncPolicy::Always),
        };
        Ok(Self {
            disk,
            lock: Mutex::new(Some(lock)),
            core: Mutex::new(core),
            queue: Mutex::default(),
            turn: Condvar::new(),
            alarm: Alarm::default(),
            sync_gate: Mutex::new(()),
            poison: OnceLock::new(),
            tail_start: TailStart::of(&tail),
            tail: RwLock::new(tail),
            unsynced: AtomicBool::new(false),
            late_hints: LateHints::default(),
            merging: Mutex::new(()),
            checkpoint: Mutex::new(contents.checkpoint),
        })
    }

    /// Whether something acknowledged is not durable yet.
    pub(super) fn is_unsynced(&self) -> bool {
        self.unsynced.load(Ordering::Relaxed)
    }

    /// The bytes of a record that may not be in the file yet.
    pub(super) fn read_tail(&self, location: &Location) -> Option<Vec<u8>> {
        if !self.tail_start.may_hold(location) {
            return None;
        }
        self.tail.read().record(location).map(<[u8]>::to_vec)
    }

    /// Runs work in order, as one group: under `always` all of it shares the write and the sync.
    pub(super) fn process(&self, inner: &Inner, core: &mut Core, works: &[Work<'_>]) -> Vec<Outcome> {
        let mut group = Group::new(works);
        for (i, work) in works.iter().enumerate() {
            let staged = match work {
                Work::One(op) => self.stage_one(inner, core, i, op, &mut group),
                Work::Batch { batch, now } => {
                    self.stage_batch(inner, core, i, batch.ops(|expiry| inner.expires_at(expiry, || *now)), &mut group)
                }
            };
            if let Err(e) = staged {
                group.set(i, Err(e));
            }
        }
        self.commit(inner, core, &mut group);
        group.outcomes
    }

    fn stage_one<'a>(
        &self,
        inner: &Inner,
        core: &mut Core,
        i: usize,
        op: &Op<'a>,
        group: &mut Group<'a>,
    ) -> Result<()> {
        self.settle(inner, core, std::slice::from_ref(op), group)?;
        match op.judge(inner, None) {
            Verdict::Wanted => self.stage(inner, core, i, std::slice::from_ref(op), group),
            Verdict::NothingThere | Verdict::Refused(_) => Ok(()),
        }
    }

    fn stage_batch<'a>(
        &self,
        inner: &Inner,
        core: &mut Core,
        i: usize,
        ops: Vec<Op<'a>>,
        group: &mut Group<'a>,
    ) -> Result<()> {
        self.settle(inner, core, &ops, group)?;
        let ops = wanted(inner, ops)?;
        if ops.is_empty() { Ok(()) } else { self.stage(inner, core, i, &ops, group) }
    }

    /// Commits what is staged where an operation would be judged by it: no answer may rest on a write that may still fail.
    fn settle(&self, inner: &Inner, core: &mut Core, ops: &[Op<'_>], group: &mut Group<'_>) -> Result<()> {
        self.check_alive()?;
        if ops.iter().any(|op| op.is_conditional() && group.is_staged(op.key)) {
            self.commit(inner, core, group);
            self.check_alive()?;
        }
        Ok(())
    }

    /// Encodes records that must not be parted, and a mark before them where one is due, into the tail.
    fn stage<'a>(&self, inner: &Inner, core: &mut Core, i: usize, ops: &[Op<'a>], group: &mut Group<'a>) -> Result<()> {
        if core.must_rotate(inner, ops.iter().map(Op::encoded_len).sum()) {
            self.commit(inner, core, group);
            self.check_alive()?;
            self.rotate(inner, core)?;
        }
        if core.starved {
            self.flush(inner, core)?;
        }
        // Last of all: what is committed above may be appended again, under newer tstamps.
        core.reserve_tstamps(inner, ops.len() as u64)?;
        if let Some(stable) = core.active.as_ref().and_then(Log::due_mark) {
            let value = stable.to_le_bytes();
            let mark = NewRecord::mark(&value, core.take_tstamp());
            self.append(inner, core, None, &mark, group);
        }
        for (n, op) in ops.iter().enumerate() {
            let mut new = op.record(core.take_tstamp());
            new.batch_continues = n + 1 < ops.len();
            new.barrier = core.active.as_ref().is_some_and(|log| log.stable == log.len);
            self.append(inner, core, Some((i, *op)), &new, group);
        }
        Ok(())
    }

    fn append<'a>(
        &self,
        inner: &Inner,
        core: &mut Core,
        op: Option<(usize, Op<'a>)>,
        new: &NewRecord<'_>,
        group: &mut Group<'a>,
    ) {
        let Some(log) = core.active.as_mut() else { return };
        let before = Before { len: log.len, vouched: log.vouched };
        let location = Location { segment: log.segment.id, offset: log.len, len: new.encoded_len() };
        self.tail.write().push(new, log.segment.header.salt, log.len);
        inner.tell(|| Event::Encoded { kind: new.kind, bytes: location.len });
        log.len += location.len;
        log.appended = true;
        if new.barrier || new.kind == Kind::Mark {
            log.vouched = log.stable;
        }
        let stored_len = new.value.len() as u64;
        let (codec, tstamp, expires_at) = (new.codec, new.tstamp, new.expires_at);
        let entry = Entry { location, stored_len, codec, tstamp, expires_at };
        group.staged.push(Staged { op, kind: new.kind, entry, before });
    }

    /// Does for the staged records what the policy asks for before their callers may be told, and moves the keydir.
    fn commit(&self, inner: &Inner, core: &mut Core, group: &mut Group<'_>) {
        let staged = group.take_staged();
        let Some(first) = staged.first() else { return };
        match self.persist(inner, core, &staged) {
            Ok(()) => {
                let contents = inner.look();
                let Some(segment) = core.active.as_ref().map(|log| &*log.segment) else { return };
                let work = |staged: &Staged<'_>| staged.op.map(|(i, _)| i);
                for records in staged.chunk_by(|a, b| work(a) == work(b)) {
                    apply(inner, &contents, segment, records, &mut group.outcomes);
                    inner.watchers.tell(|| records.iter().filter_map(Staged::change).collect());
                }
            }
            Err(e @ Error::NoSpace { .. }) => {
                self.take_back(core, first.before);
                self.one_by_one(inner, core, &works_of(&staged), group, &e);
            }
            Err(e) => {
                let cause = self.die(inner, e);
                for i in works_of(&staged) {
                    group.set(i, Err(Error::Indeterminate { cause: cause.clone() }));
                }
            }
        }
    }

    /// A group that did not fit is tried again piece by piece: a small one need not fail with a large one.
    fn one_by_one(&self, inner: &Inner, core: &mut Core, works: &[usize], group: &mut Group<'_>, why: &Error) {
        for i in works {
            let outcome = match group.works.get(*i) {
                Some(work) if works.len() > 1 => {
                    self.process(inner, core, std::slice::from_ref(work)).pop().unwrap_or(Ok(Done::default()))
                }
                _ => Err(why.clone()),
            };
            group.set(*i, outcome);
        }
    }

    fn persist(&self, inner: &Inner, core: &mut Core, staged: &[Staged<'_>]) -> Result<()> {
        if !self.may_hold_back(inner, core) {
            self.flush(inner, core)?;
        }
        for staged in staged {
            let (kind, location, tstamp) = (staged.kind, staged.entry.location, staged.entry.tstamp);
            inner.tell(|| Event::Appended { kind, location, tstamp });
        }
        self.unsynced.store(true, Ordering::Relaxed);
        match inner.options.sync {
            SyncPolicy::Always => {
                self.reserve(inner, core)?;
                self.sync_core(inner, core)
            }
            SyncPolicy::Interval(_) | SyncPolicy::Buffered => {
                self.ring(core);
                Ok(())
            }
        }
    }

    /// Whether what is in the tail may stay there when its callers are told, and is kept where the policy wants it.
    pub(super) fn may_hold_back(&self, inner: &Inner, core: &mut Core) -> bool {
        let tail = self.tail.read();
        match inner.options.sync {
            SyncPolicy::Always => false,
            SyncPolicy::Buffered => tail.bytes.len() < inner.options.buffer_bytes,
            SyncPolicy::Interval(_) => {
                let Some(file) = core.tail_file.as_mut().filter(|file| tail.bytes.len() < file.room()) else {
                    return false;
                };
                let is_kept = file.keep(&tail).is_ok();
                if !is_kept {
                    // It is not tried again: each record goes into the segment from then on.
                    core.tail_file = None;
                }
                is_kept
            }
        }
    }

    /// Takes staged records out of the tail again; the file does not have them.
    pub(super) fn take_back(&self, core: &mut Core, before: Before) {
        if let Some(log) = core.active.as_mut() {
            self.tail.write().truncate(before.len);
            (log.len, log.vouched) = (before.len, before.vouched);
        }
    }
}

/// Moves ledger and keydir along with the records of one piece of work; readers see all of that or nothing.
fn apply(inner: &Inner, contents: &Contents, segment: &Segment, records: &[Staged<'_>], outcomes: &mut [Outcome]) {
    let _closed = (records.len() > 1).then(|| contents.gate.close());
    for staged in records {
        let op = staged.op.as_ref().map(|(_, op)| op);
        let superseded = take_effect(inner, contents, segment, staged.kind, op, &staged.entry);
        if let Some((i, op)) = &staged.op
            && let Some(Ok(done)) = outcomes.get_mut(*i)
        {
            done.add(op, &staged.entry, superseded);
        }
    }
}

/// Counts a record of `segment`, the active one, in its ledger and moves the keydir; a mark has no operation. Returns the
/// place that the keydir pointed at before.
pub(super) fn take_effect(
    inner: &Inner,
    contents: &Contents,
    segment: &Segment,
    kind: Kind,
    op: Option<&Op<'_>>,
    entry: &Entry,
) -> Option<Location> {
    let Entry { location, tstamp, .. } = *entry;
    let to = op.and_then(|op| matches!(op.action, Action::Put { .. }).then_some(location));
    // tstamps come in the order of appends.
    contents.last_tstamp.store(tstamp, Ordering::Relaxed);
    {
        let mut ledger = segment.ledger.lock();
        ledger.count(kind, tstamp);
        ledger.data_len = ledger.data_len.max(location.offset + location.len);
        ledger.has_hint = false;
        // Born before anybody can find it: who lets it expire in the next moment counts it dead.
        if let Some(to) = to {
            ledger.born(to.len);
        }
    }
    let op = op?;
    let superseded = match op.action {
        Action::Put { .. } => contents.set(op.key, *entry),
        Action::Delete => contents.remove(op.key),
    };
    let superseded = superseded.map(|entry| entry.location);
    inner.tell(|| Event::KeydirMoved { from: superseded, to });
    if let Some(died) = contents.moved(superseded, None) {
        inner.tell(|| Event::BytesDied { segment: died.segment, bytes: died.len });
    }
    superseded
}
