//! The engine: a log that is only ever appended to, and a hash index over it.
//!
//! # Promises
//!
//! 1. **Prefix.** After any crash the recovered store equals a prefix of the append history, a batch being one step. What was acknowledged under
//!    `sync = always`, or before a successful [`Store::sync`], is in it.
//! 2. **No ghosts.** A deleted key stays deleted.
//! 3. **No lies.** A get returns the newest value, or nothing, or an error that names segment and offset. Where damage
//!    hides which key it hit, every answer that it could have changed is marked suspect.
//! 4. **No destruction.** Opening removes no byte that could be data but the unsynced end of the log, and that is saved
//!    under `quarantine/` first.
//! 5. **One writer.** A second one is told at once who the first is. Readers touch nothing.
//! 6. **Fail stop.** After the first failed write or sync the store can be read, not written.
//!
//! # Where to read on
//!
//! Down: [`scan`] walks a file; `load` turns it into keydir entries; `recover` judges what does not decode;
//! `repair_tail` acts on that; `open` puts them together. Up: `op` says what is to be done, `writer` appends, `group` lets
//! writers share a sync, `sync` makes durable and fails safely, `rotate` begins segments; `gate` lets readers see batches
//! whole; `read` answers gets; `ordered` keeps the keys in byte order for those who ask for ranges; `follow` keeps a reader
//! up to date.
//!
//! Beside: `look_up` answers a few keys without a keydir; `salvage` reads around what the disk does not give back;
//! [`mod@repair`] takes damage out of a store and says what was lost.

mod answer;
mod background;
pub mod batch;
mod checkpoint;
mod contents;
mod current;
mod delete_range;
mod effort;
pub mod events;
mod files;
mod follow;
mod gate;
mod group;
mod hint_file;
mod hinted;
mod holes;
mod inner;
mod keydir;
mod late_hints;
mod listing;
mod load;
mod lock;
mod log;
mod look_up;
mod merge;
mod moment;
mod new_file;
mod op;
mod open;
pub mod options;
mod ordered;
pub(crate) mod parallel;
mod parts;
mod quarantine;
mod read;
mod recover;
pub mod repair;
mod repair_tail;
pub mod report;
mod reserve;
mod rotate;
mod salvage;
pub mod scan;
mod segment;
mod segments;
mod single;
mod sync;
mod tail_file;
mod tally;
pub(crate) mod varint;
mod view;
mod vouch;
mod watch;
mod writer;

use std::path::Path;
use std::sync::Arc;

use crate::disk::{Disk, ReadDisk, RealDisk};
use crate::error::{Error, Result};
use crate::format::{FileHeader, Format, FormatKind, SegmentId, record};
use crate::primitives::RwLockReadGuard;
use crate::primitives::thread::JoinHandle;

pub use answer::{Answer, Entry, Found, Location, Moved, Refreshed, Seen, Written};
pub use batch::{Batch, BatchWritten};
pub use delete_range::{RangeDeleted, prefix_end};
pub use effort::Effort;
pub use events::{Event, Observer};
pub use hinted::Hinted;
pub use keydir::{KeydirShape, KeydirSlot, RowPart};
pub use look_up::{LookedUp, look_up, look_up_on};
pub use merge::{
    AutoMerge, KeptTombstone, LeftOut, MergeChoice, MergeControl, MergeInput, MergePlan, MergePolicy, Merged, WhyMerged,
};
pub use moment::{Moment, MomentSegment};
pub use options::{Clock, Compression, Condition, Expiry, Options, PutOptions, Recovery, SyncPolicy, SystemClock};
pub use ordered::{KeyList, Keys, Order, Scan, Walk as KeyWalk};
pub use parts::KeyParts;
pub use repair::{Repair, plan_repair, repair};
pub use report::{Finding, FindingKind, Mode, SegmentInfo, Severity, Stats};
pub use view::View;
pub use vouch::{Vouched, vouch};
pub use watch::{Change, Watch};

use group::Task;
use inner::Inner;
use op::{Action, Done, Op};
use segment::Segment;

/// An open store. Every method takes `&self`; share it between threads behind an `Arc` or a reference.
///
/// Dropping it closes it as [`Store::close`] does, but nobody hears of errors.
#[derive(Debug)]
pub struct Store {
    inner: Arc<Inner>,
    background: Option<JoinHandle<()>>,
    auto_merge: Option<merge::Auto>,
}

/// While this is held, no merge of this process takes a file of the store away. A merge that is ready to commit waits.
#[derive(Debug)]
pub struct Pin<'a> {
    _files: RwLockReadGuard<'a, ()>,
}

impl Store {
    /// Opens a directory for writing; a directory in a foreign format opens for reading, which [`Store::mode`] tells.
    ///
    /// Takes the lock, judges the end of the log and brings it into order. Errors: [`Error::Missing`],
    /// [`Error::NotAStore`], [`Error::Locked`], [`Error::NeedsNewer`], [`Error::StrictDamage`], [`Error::Io`].
    pub fn open(dir: &Path, options: Options) -> Result<Self> {
        Self::open_on(Arc::new(RealDisk), dir, options)
    }

    /// Opens a directory for reading: takes no lock and changes nothing, not even an access time where the platform
    /// lets us. A writer in another process may go on; see [`Store::refresh`].
    pub fn open_read_only(dir: &Path, options: Options) -> Result<Self> {
        Self::open_read_only_on(Arc::new(RealDisk), dir, options)
    }

    /// [`Store::open`] on any disk.
    pub fn open_on(disk: Arc<dyn Disk>, dir: &Path, options: Options) -> Result<Self> {
        check(&options)?;
        if options.recovery == Recovery::Salvage {
            return Self::open_read_only_on(disk.reader(), dir, options);
        }
        let inner = Arc::new(open::open_writer(disk, dir, options)?);
        let background = background::start(&inner);
        inner.writer.iter().for_each(|writer| writer.late_hints.serve(&inner));
        let auto_merge = merge::start_auto(&inner);
        Ok(Self { inner, background, auto_merge })
    }

    /// [`Store::open_read_only`] on any disk.
    pub fn open_read_only_on(disk: Arc<dyn ReadDisk>, dir: &Path, options: Options) -> Result<Self> {
        check(&options)?;
        Ok(Self { inner: Arc::new(open::open_reader(disk, dir, options)?), background: None, auto_merge: None })
    }

    /// The newest value of a key. [`Error::Damaged`] if its newest record does not hold: an older one is never passed
    /// off for it.
    pub fn get(&self, key: &[u8]) -> Result<Answer> {
        let seen = self.inner.get(key, |value, entry| Found { value: value.into_owned(), entry })?;
        Ok(Answer { found: seen.found, suspect: seen.suspect })
    }

    /// [`Store::get`] that shows the value to `look` instead of giving it away: nothing is copied or allocated where the
    /// record lies in a mapped segment. `look` is called once, or not at all where there is no value; a merge that is ready
    /// to take files away does not wait for it, and the bytes stay all the same until it returns.
    pub fn get_with<T>(&self, key: &[u8], look: impl FnOnce(&[u8], &Entry) -> T) -> Result<Seen<T>> {
        let mut look = Some(look);
        let seen = self.inner.get(key, |value, entry| look.take().map(|look| look(&value, &entry)))?;
        Ok(Seen { found: seen.found.flatten(), suspect: seen.suspect })
    }

    /// Several gets: read in the order of the disk, answered in the order of `keys`. Of a batch that is being written they
    /// see all or nothing.
    pub fn get_many(&self, keys: &[&[u8]]) -> Vec<Result<Answer>> {
        self.inner.get_many(keys)
    }

    /// Gives a key a value. Durable on return as [`SyncPolicy`] says.
    ///
    /// Errors: [`Error::KeyTooLong`], [`Error::ValueTooLong`], [`Error::NoSpace`] and [`Error::Poisoned`] leave the
    /// store as it was; after [`Error::Indeterminate`] only reopening tells.
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<Written> {
        let written = self.put_with(key, value, &PutOptions::default())?;
        written.ok_or_else(|| Error::ReadOnly { dir: self.dir().to_owned(), reason: "nothing was appended".to_owned() })
    }

    /// [`Store::put`] with an expiry or a condition. `Ok(None)`: the condition does not hold, and nothing was written.
    pub fn put_with(&self, key: &[u8], value: &[u8], options: &PutOptions) -> Result<Option<Written>> {
        let writer = self.inner.writer()?;
        check_limits(key, value.len() as u64)?;
        let expires_at = self.inner.expires_at(options.expiry, || self.inner.now());
        let (value, codec) = self.inner.options.compression.store(value);
        let action = Action::Put { value: &value, codec, expires_at };
        let op = Op { key, action, condition: options.condition };
        Ok(writer.submit_one(&self.inner, op)?.written())
    }

    /// Takes a key away. `Ok(None)`: it had no value. Errors as for [`Store::put`].
    pub fn delete(&self, key: &[u8]) -> Result<Option<Written>> {
        self.delete_when(key, Condition::Always)
    }

    /// Takes a key away if its value is the one with this tstamp. `Ok(None)`: it has another, or none.
    pub fn delete_if(&self, key: &[u8], tstamp: u64) -> Result<Option<Written>> {
        self.delete_when(key, Condition::Tstamp(tstamp))
    }

    fn delete_when(&self, key: &[u8], condition: Condition) -> Result<Option<Written>> {
        let writer = self.inner.writer()?;
        check_limits(key, 0)?;
        let op = Op { key, action: Action::Delete, condition };
        Ok(writer.submit_one(&self.inner, op)?.written())
    }

    /// Does all operations of a batch as one step: readers and whoever opens the store after a crash find all of its
    /// effects or none. Of several operations on one key the last one stays. Conditions are judged by what the store holds
    /// before the batch.
    ///
    /// Errors: [`Error::Refused`] where a condition does not hold, [`Error::NoSpace`] and [`Error::Poisoned`] leave the
    /// store as it was; after [`Error::Indeterminate`] reopening tells whether all of it is there or nothing.
    pub fn write(&self, batch: &Batch) -> Result<BatchWritten> {
        let writer = self.inner.writer()?;
        let outcomes = writer.submit(
            &self.inner,
            Task::Batch { batch: &batch.stored(self.inner.options.compression), now: self.inner.now() },
        );
        let done: Done = outcomes.into_iter().next().unwrap_or(Ok(Done::default()))?;
        Ok(done.batch())
    }

    /// Does the operations of a batch in their order, each for itself: as [`Store::put_with`] and [`Store::delete`] do, but
    /// sharing writes and syncs. Answers each, in their order; a reader or a crash may find some done and others not.
    pub fn put_many(&self, operations: &Batch) -> Result<Vec<Result<Option<Written>>>> {
        let writer = self.inner.writer()?;
        let outcomes = writer.submit(
            &self.inner,
            Task::Each { batch: &operations.stored(self.inner.options.compression), now: self.inner.now() },
        );
        Ok(outcomes.into_iter().map(|outcome| outcome.map(|done| done.written())).collect())
    }

    /// The live keys with their entries in no order, a part at a time, as of now.
    pub fn key_parts(&self) -> KeyParts {
        KeyParts::of(&self.inner)
    }

    /// The keydir's entry of a key, without a look at the disk. An expired key has none.
    pub fn entry(&self, key: &[u8]) -> Option<Entry> {
        let (now, contents) = (self.inner.now(), self.inner.contents());
        contents.gate.pass();
        contents.keydir.get(key).filter(|entry| entry.expires_at.is_none_or(|at| at > now))
    }

    /// Bytes of a value. Of one that is stored as it is the entry knows; of one that is compressed the first bytes are read,
    /// unchecked.
    pub fn value_len(&self, entry: &Entry) -> Result<u64> {
        self.inner.value_len(entry)
    }

    /// Whether damage may hide a newer version of this key, or a key that is missing. Without a look at the disk.
    pub fn is_suspect(&self, key: &[u8]) -> bool {
        let contents = self.inner.contents();
        contents.gate.pass();
        contents.is_suspect(contents.keydir.get(key).as_ref())
    }

    /// Whether a record with this expiry is as good as a tombstone now.
    pub fn has_expired(&self, expires_at: Option<u64>) -> bool {
        expires_at.is_some_and(|at| at <= self.inner.now())
    }

    /// Makes everything acknowledged so far durable. Never tried again after a failure, see promise 6. Does nothing on
    /// a store that was opened for reading.
    pub fn sync(&self) -> Result<()> {
        match &self.inner.writer {
            Some(writer) => writer.sync(&self.inner, &mut writer.core.lock()),
            None => Ok(()),
        }
    }

    /// Brings a store that was opened for reading up to date with its writer. Does nothing on a writer's own store. What a
    /// killed writer left in `TAIL` comes with the first refresh that is 0.3 s later than one that found it there.
    pub fn refresh(&self) -> Result<Refreshed> {
        self.refresh_telling(&mut |_| {})
    }

    /// [`Store::refresh`] that tells of each key that moved, in the order in which it was written, before it returns, even
    /// where it then fails. Of keys that expired it tells nothing.
    pub fn refresh_telling(&self, moved: &mut dyn FnMut(Moved<'_>)) -> Result<Refreshed> {
        self.inner.refresh(moved)
    }

    /// Keeps every file of the store in its place for as long as the answer is held. A merge waits meanwhile with its last
    /// step, so who holds it must not merge himself.
    pub fn pin(&self) -> Pin<'_> {
        Pin { _files: self.inner.pin_files() }
    }

    /// Figures, as of now.
    pub fn stats(&self) -> Stats {
        self.inner.stats()
    }

    /// The ledger: one line a segment, by id.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        let contents = self.inner.unexpired();
        let _whole_batches = contents.gate.hold();
        contents.segments.read().values().map(|segment| segment.info()).collect()
    }

    /// Live records and bytes of each segment counted anew from the keydir. Equal to what [`Store::segments`] says at any
    /// moment without writes.
    pub fn recount(&self) -> Vec<(SegmentId, u64, u64)> {
        let contents = self.inner.unexpired();
        let _whole_batches = contents.gate.hold();
        contents.recount().into_iter().map(|(id, (records, bytes))| (id, records, bytes)).collect()
    }

    /// Takes note of damage that somebody who read the files has found, so that figures and ledger tell of it too. What is
    /// known already is not counted twice.
    pub fn note(&self, finding: Finding) {
        self.inner.note(finding);
    }

    /// What opening found, and what was noted since.
    pub fn findings(&self) -> Vec<Finding> {
        self.inner.findings.lock().clone()
    }

    /// What the directory's names say: files that are no part of the store, leftovers, what was set aside. Looks anew.
    pub fn directory_findings(&self) -> Result<Vec<Finding>> {
        listing::findings(&*self.inner.disk, self.dir(), self.format())
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Its layout.
    pub fn format(&self) -> FormatKind {
        self.inner.format.kind()
    }

    /// Whether what is known was read from `KEYDIR` and not from hints and records: [`Options::checkpoint`].
    pub fn is_from_checkpoint(&self) -> bool {
        self.inner.contents().checkpoint.is_some()
    }

    /// Whether it can be written.
    pub fn mode(&self) -> Mode {
        self.inner.mode
    }

    /// A walk over the records of a segment, from `from` (0: the first) to the end of what its file holds now; bytes
    /// that are still in this process's buffer are written out first.
    pub fn walk(&self, segment: SegmentId, from: u64) -> Result<Walk> {
        self.flush()?;
        let segment = self.segment(segment)?;
        let header = segment.header;
        let scanner = segment.scan(self.inner.format, from.max(header.len));
        let torn_bytes = segment.ledger.lock().torn_bytes;
        let is_loaded = self.inner.contents().segment(segment.id).is_some();
        Ok(Walk { scanner, is_loaded, header, format: self.inner.format, path: segment.path.clone(), torn_bytes })
    }

    /// At most `len` bytes of a segment file from `offset` on, as they are: fewer where the file ends. Bytes that are still
    /// in this process's buffer are written out first.
    pub fn bytes(&self, segment: SegmentId, offset: u64, len: usize) -> Result<Vec<u8>> {
        self.flush()?;
        let segment = self.segment(segment)?;
        let mut bytes = vec![0; len];
        let read = segment.file().read_full_at(&mut bytes, offset);
        let read = read.map_err(|e| Error::io_at("read", &segment.path, offset, e))?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// What a segment file says of itself before its first record.
    pub fn file_header(&self, segment: SegmentId) -> Result<FileHeader> {
        Ok(self.segment(segment)?.header)
    }

    fn segment(&self, id: SegmentId) -> Result<Arc<Segment>> {
        match self.inner.contents().segment(id) {
            Some(segment) => Ok(segment),
            None => self.unloaded_segment(id),
        }
    }

    fn flush(&self) -> Result<()> {
        match &self.inner.writer {
            Some(writer) if writer.check_alive().is_ok() => writer.flush(&self.inner, &mut writer.core.lock()),
            _ => Ok(()),
        }
    }

    /// Makes everything durable, writes the hint that vouches for it and, where that pays, the keydir as a file
    /// ([`Options::checkpoint`]), gives up the lock. On an error the lock is given up
    /// all the same, and what was not durable may be lost.
    pub fn close(mut self) -> Result<()> {
        self.shut()
    }

    fn shut(&mut self) -> Result<()> {
        self.inner.watchers.close();
        self.inner.contents().ordered.give_up();
        let Some(writer) = &self.inner.writer else { return Ok(()) };
        if let Some(mut auto) = self.auto_merge.take() {
            auto.stop();
        }
        writer.alarm.stop();
        if let Some(background) = self.background.take() {
            // It cannot have panicked; if it did, closing is still right.
            let _ = background.join();
        }
        writer.close(&self.inner)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.shut();
    }
}

/// A segment opened for a walk.
#[derive(Debug)]
pub struct Walk {
    /// Goes through the records.
    pub scanner: scan::Scanner,
    /// The keydir knows its records. It does not where the file header cannot be believed.
    pub is_loaded: bool,
    /// What the file says of itself.
    pub header: FileHeader,
    /// The decoder.
    pub format: &'static dyn Format,
    /// The file.
    pub path: std::path::PathBuf,
    /// Bytes of a torn tail behind the last record.
    pub torn_bytes: u64,
}

fn check(options: &Options) -> Result<()> {
    let range = 128..record::MAX_SEGMENT_LEN;
    if !range.contains(&options.max_segment_bytes) {
        let reason = format!("{} is not within {} to {}", options.max_segment_bytes, range.start, range.end - 1);
        return Err(Error::BadOption { name: "max-segment-bytes", reason });
    }
    Ok(())
}

/// Whether a key and a value of this length can be put at all; what [`Store::put`] checks before it writes anything.
pub fn check_limits(key: &[u8], value_len: u64) -> Result<()> {
    if key.len() > record::MAX_KEY_LEN {
        return Err(Error::KeyTooLong { len: key.len(), max: record::MAX_KEY_LEN });
    }
    if value_len > record::MAX_VALUE_LEN {
        return Err(Error::ValueTooLong { len: value_len, max: record::MAX_VALUE_LEN });
    }
    Ok(())
}
