//! Repair: what is intact in a damaged segment is written anew, the segment goes whole to `quarantine/`, and what is lost
//! is said.
//!
//! `examine` finds the segments that do not hold, `evidence` what they held, `carry` writes what stays and puts it in
//! their place, by the steps of a merge. Opening for writing has cut a torn tail, written hints and removed leftovers
//! before.
//!
//! # Invariants
//!
//! 1. No byte is destroyed: a file that goes is kept under `quarantine/`.
//! 2. No ghosts: where the newest version of a key is lost and the key is known, a tombstone of that version's tstamp
//!    stands in its place. An older value is still in the files that were set aside, and never an answer.
//! 3. All that is lost is told: a key, or bytes whose keys nobody knows and up to which tstamp answers may be stale.
//! 4. A crash at any step leaves the store as it was, or repaired.

mod carry;
mod evidence;
mod examine;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, ReadDisk, RealDisk};
use crate::error::{Error, Result};
use crate::format::{FormatKind, SegmentId};

use super::inner::Inner;
use super::listing::{Listing, list};
use super::report::{Finding, FindingKind};
use super::{Location, Options, Recovery, Store, open};

/// What a repair does, or has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repair {
    /// What opening for writing puts in order: a torn tail, hints, leftovers.
    pub mended: Vec<Finding>,
    /// Files that go to `quarantine/`.
    pub set_aside: Vec<SetAside>,
    /// Records of them that are written anew.
    pub saved_records: u64,
    /// Bytes of those.
    pub saved_bytes: u64,
    /// Keys whose newest value is lost, in byte order.
    pub lost: Vec<LostKey>,
    /// Bytes whose keys are not known.
    pub unknown: Vec<LostBytes>,
}

/// A file that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// The segment that it is, by its name.
    pub segment: SegmentId,
    /// The file, or the hint where there is nothing else.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: u64,
    /// What is wrong with it, as a sentence.
    pub why: String,
}

/// A key whose newest value is lost: it has no value afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostKey {
    /// Which.
    pub key: Vec<u8>,
    /// Where its value was.
    pub place: Location,
    /// When it was written: microseconds since 1970.
    pub tstamp: u64,
    /// An older value that is still on disk, though no answer.
    pub older: Option<OlderValue>,
}

/// A value that was superseded by one that is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OlderValue {
    /// Where it is; its segment may be one that is set aside.
    pub place: Location,
    /// When it was written: microseconds since 1970.
    pub tstamp: u64,
}

/// Bytes that may have held newer versions of any key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostBytes {
    /// The segment.
    pub segment: SegmentId,
    /// Where they start.
    pub offset: u64,
    /// How many; `None` where nothing says so.
    pub len: Option<u64>,
    /// A value with a lower tstamp may be older than what was lost, and a key may be back that they had deleted.
    pub stale_before: u64,
}

impl Repair {
    /// Whether there is nothing to do, or was nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What [`repair`] would do. Takes no lock and changes nothing.
pub fn plan_repair(dir: &Path, options: Options) -> Result<Repair> {
    plan_repair_on(Arc::new(RealDisk), dir, options)
}

/// [`plan_repair`] on any disk.
pub fn plan_repair_on(disk: Arc<dyn ReadDisk>, dir: &Path, options: Options) -> Result<Repair> {
    let listing = native(&*disk, dir, &options)?;
    let inner = open::open_reader(disk, dir, salvaging(options))?;
    let evidence = evidence::gather(&inner)?;
    Ok(Repair { mended: mended(&inner, &listing, &evidence), ..evidence.told(inner.now()) })
}

/// Repairs a store that nobody has open for writing, and says what was done and lost. Errors: those of [`Store::open`];
/// [`Error::NoSpace`] leaves the store as it was, after any other failure a second repair goes on.
pub fn repair(dir: &Path, options: Options) -> Result<Repair> {
    repair_on(Arc::new(RealDisk), dir, options)
}

/// [`repair`] on any disk.
pub fn repair_on(disk: Arc<dyn Disk>, dir: &Path, options: Options) -> Result<Repair> {
    let listing = native(&*disk, dir, &options)?;
    let inner = Arc::new(open::open_writer(disk, dir, salvaging(options))?);
    let store = Store { inner: inner.clone(), background: None, auto_merge: None };
    let evidence = evidence::gather(&inner)?;
    let done = Repair { mended: mended(&inner, &listing, &evidence), ..evidence.told(inner.now()) };
    let writer = inner.writer()?;
    if !evidence.broken.is_empty() {
        carry::carry_out(&inner, writer, &evidence)?;
    }
    let hints = done.mended.iter().filter(|finding| finding.kind != FindingKind::TornTail).filter_map(|it| it.segment);
    for segment in hints {
        carry::set_hint_aside(&inner, writer, segment)?;
    }
    store.close()?;
    Ok(done)
}

/// The listing of a store that can be repaired.
fn native(disk: &dyn ReadDisk, dir: &Path, options: &Options) -> Result<Listing> {
    let listing = list(disk, dir, options.from, options.create)?;
    match listing.format {
        FormatKind::Native => Ok(listing),
        other => {
            let reason =
                format!("its format is {other}, which logkv reads and never writes; import it into a new store");
            Err(Error::ReadOnly { dir: dir.to_owned(), reason })
        }
    }
}

fn salvaging(options: Options) -> Options {
    Options { recovery: Recovery::Salvage, ..options }
}

/// What opening for writing puts in order, in segments that stay.
fn mended(inner: &Inner, listing: &Listing, evidence: &evidence::Evidence) -> Vec<Finding> {
    let stays = |finding: &&Finding| evidence.broken.iter().all(|broken| finding.segment != Some(broken.part.id));
    let is_hint = |kind| matches!(kind, FindingKind::DamagedHint | FindingKind::StaleHint);
    let findings = inner.findings.lock();
    let torn = findings.iter().filter(|finding| finding.kind == FindingKind::TornTail);
    let hints = findings.iter().filter(stays).filter(|finding| is_hint(finding.kind));
    let leftovers = listing.findings.iter().filter(|finding| finding.kind == FindingKind::Leftover);
    torn.chain(hints).chain(leftovers).cloned().collect()
}
