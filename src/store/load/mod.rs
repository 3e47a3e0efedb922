//! Loads one segment into the keydir, from its hint where that can be believed, else by reading its records.
//!
//! Runs on several segments at once: it shares nothing with other loads but the keydir, which puts versions in order by
//! itself. It changes no file.
//!
//! # Invariants
//!
//! 1. Every version in the segment is offered to the keydir, damaged ones included, so that no older version can pass
//!    for the newest.
//! 2. Where the key of a damaged stretch is not beyond doubt, a hole is reported.

mod covered;
mod hint;
mod hint_pieces;
mod offer;
mod salvage;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{ReadDisk, ReadFile};
use crate::error::{Error, Result};
use crate::format::{Check, FileHeader, Format, HeaderFault, Kind, Origin, Record, SegmentId, tail};

use super::checkpoint::Known;
use super::holes::{Bound, Hole};
use super::keydir::{Keydir, Offers};
use super::recover::{Cut, Standing, Survey, Verdict, is_torn};
use super::report::{Finding, FindingKind, Severity};
use super::salvage::Around;
use super::scan::{Gap, Item, Scanner, What};
use super::segment::{Ledger, Segment};
use super::tail_file::lengthened;
use super::tally::Tally;
use super::{Entry, Location};
pub(super) use offer::{Spare, expected};

/// What every load of one store needs.
pub(super) struct Context<'a> {
    pub(super) disk: &'a dyn ReadDisk,
    pub(super) dir: &'a Path,
    pub(super) format: &'static dyn Format,
    pub(super) keydir: &'a Keydir,
    /// Whatever can be read takes part: see [`Recovery::Salvage`](super::Recovery::Salvage).
    pub(super) salvage: bool,
    /// What the keydir has been read from already.
    pub(super) checkpoint: Option<&'a Known>,
    /// What the segments may lack.
    pub(super) tail: Option<&'a tail::Tail>,
    /// Told of bytes as they are read.
    pub(super) progress: &'a (dyn Fn(u64) + Sync),
    pub(super) spare: Spare,
}

/// A segment file to load.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) id: SegmentId,
    pub(super) name: String,
    pub(super) len: u64,
    pub(super) has_hint: bool,
    pub(super) active: bool,
}

/// What loading one file gave.
#[derive(Debug)]
pub(super) struct Loaded {
    /// `None` if the file's header cannot be believed.
    pub(super) segment: Option<Arc<Segment>>,
    pub(super) verdict: Verdict,
    pub(super) holes: Vec<Hole>,
    pub(super) findings: Vec<Finding>,
    pub(super) needs_newer: Option<Error>,
    /// Something that was durable is not as it was: no hint, no more appends.
    pub(super) damaged: bool,
    /// Its header cannot be believed, so that nothing vouches for its records being of this store.
    pub(super) doubtful: bool,
    /// How the keydir's entries moved meanwhile.
    pub(super) tally: Tally,
    /// The checkpoint that the keydir was read from says something else.
    pub(super) contradicts: bool,
}

impl Loaded {
    /// Whether all that the file says goes together with a checkpoint.
    pub(super) fn bears_out(&self) -> bool {
        let is_damage = |finding: &Finding| finding.severity == Severity::Damage;
        let is_sound = self.segment.is_some() && !self.damaged && !self.doubtful && self.needs_newer.is_none();
        is_sound && !self.contradicts && self.holes.is_empty() && !self.findings.iter().any(is_damage)
    }
}

/// Loads one segment file.
pub(super) fn load(context: &Context<'_>, source: &Source) -> Result<Loaded> {
    let path = context.dir.join(&source.name);
    let file: Arc<dyn ReadFile> = match context.disk.open_read(&path) {
        Ok(file) => file,
        Err(e) if context.salvage && e.kind() != std::io::ErrorKind::NotFound => {
            return Ok(salvage::unopened(context, source, path, e));
        }
        Err(e) => return Err(Error::io("open", &path, e)),
    };
    let file = match context.tail.filter(|tail| tail.segment == source.id) {
        Some(tail) => lengthened(file, tail, context.format).map_err(|e| Error::io("read", &path, e))?,
        None => file,
    };
    let around = context.salvage.then(|| Around::new(file.clone()));
    let file = around.clone().map_or(file, |around| around);
    let len = file.len().map_err(|e| Error::io("read", &path, e))?;
    let standing = Standing::of(context.format.kind(), source.active);
    let (header, out, offers) = (FileHeader::NONE, Outcome::new(len), context.spare.offers());
    let (known_len, known_marks) = (0, 0);
    let mut load =
        Load { context, source, path, file, around, len, standing, header, known_len, known_marks, out, offers };
    match load.header()? {
        Some(header) => load.header = header,
        None if context.salvage && load.out.needs_newer.is_none() => load.presume_header(),
        None => return Ok(load.unloaded()),
    }
    let covered = load.covered()?;
    load.records(covered)
}

struct Outcome {
    ledger: Ledger,
    holes: Vec<Hole>,
    findings: Vec<Finding>,
    needs_newer: Option<Error>,
    damaged: bool,
    doubtful: bool,
    tally: Tally,
    contradicts: bool,
    /// Findings beyond [`MAX_FINDINGS`].
    untold: u64,
}

impl Outcome {
    fn new(len: u64) -> Self {
        Self {
            ledger: Ledger::new(len),
            holes: Vec::new(),
            findings: Vec::new(),
            needs_newer: None,
            damaged: false,
            doubtful: false,
            tally: Tally::default(),
            contradicts: false,
            untold: 0,
        }
    }
}

struct Load<'a> {
    context: &'a Context<'a>,
    source: &'a Source,
    path: PathBuf,
    file: Arc<dyn ReadFile>,
    /// The same file, where what cannot be read is read around.
    around: Option<Arc<Around>>,
    len: u64,
    standing: Standing,
    header: FileHeader,
    /// Bytes and marks that the checkpoint knows.
    known_len: u64,
    known_marks: u64,
    out: Outcome,
    /// Versions that the keydir has not got yet.
    offers: Offers,
}

impl Load<'_> {
    fn header(&mut self) -> Result<Option<FileHeader>> {
        let mut bytes = vec![0; self.context.format.max_file_header_len()];
        let read = match self.file.read_full_at(&mut bytes, 0) {
            Ok(read) => read,
            Err(e) => {
                let message = Error::io_at("read", &self.path, 0, e).to_string();
                self.finding(Severity::Damage, FindingKind::Unreadable, 0, self.len, None, message);
                return Ok(None);
            }
        };
        bytes.truncate(read);
        let check = match self.context.format.file_header(&bytes) {
            Ok(header) if header.id.is_none_or(|id| id == self.source.id) => return Ok(Some(header)),
            Ok(header) => {
                let id = header.id.unwrap_or_default();
                let message = format!("its header says that it is segment {id}: it was renamed, and is not loaded");
                self.finding(Severity::Damage, FindingKind::WrongId, 0, read as u64, None, message);
                return Ok(None);
            }
            Err(HeaderFault::NeedsNewer(what)) => {
                let message = format!("only a newer logkv can read it: it has {what}");
                self.finding(Severity::Warning, FindingKind::NeedsNewer, 0, self.len, None, message);
                self.out.needs_newer = Some(Error::NeedsNewer { path: self.path.clone(), offset: None, what });
                return Ok(None);
            }
            Err(HeaderFault::Damaged(check)) => check,
            Err(HeaderFault::Incomplete) => {
                Check::PastEnd { missing: (self.context.format.max_file_header_len() - read) as u64 }
            }
        };
        let message = format!("the file header does not hold ({check}): the segment is not loaded");
        self.finding(Severity::Damage, FindingKind::DamagedHeader, 0, self.len, None, message);
        Ok(None)
    }

    /// The outcome for a file whose records cannot be told: all of it is a hole.
    fn unloaded(mut self) -> Loaded {
        self.hole(0, self.len);
        self.out.damaged = true;
        let verdict = Verdict { data_len: self.len, cut: Cut::Nothing, stable_len: self.len };
        self.finish(None, verdict)
    }

    /// Reads the records from `from` on.
    fn records(mut self, from: u64) -> Result<Loaded> {
        let mut survey = Survey::new(from.min(self.len), self.len);
        let mut verdict = None;
        if self.standing == Standing::Active {
            // What an invalid record means depends on what comes after it, so the first walk only looks.
            if self.walk(from, self.len, |_, item| survey.see(item)).is_some() || self.is_unreadable() {
                survey.unreadable();
            }
            verdict = Some(survey.judge(self.standing));
        }
        let end = verdict.map_or(self.len, |verdict| verdict.data_len);
        let mut open_hole = None;
        let unreadable = self.walk(from, end, |load, item| {
            if load.standing != Standing::Active {
                survey.see(item);
            }
            load.take(item, &mut open_hole);
        });
        if let Some((at, e)) = unreadable {
            self.unreadable(at, end, e);
        }
        self.tell_of_unreadable();
        let verdict = verdict.unwrap_or_else(|| survey.judge(self.standing));
        (self.out.ledger.data_len, self.out.ledger.written_len) = (verdict.data_len, verdict.data_len);
        if let Cut::Tail { intact_records } = verdict.cut {
            self.out.ledger.torn_bytes = self.len - verdict.data_len;
            self.torn_tail(verdict.data_len, intact_records);
        }
        let segment = Segment::new(
            self.source.id,
            self.path.clone(),
            self.header,
            self.file.clone(),
            Ledger { active: self.source.active, ..self.out.ledger.clone() },
        );
        Ok(self.finish(Some(Arc::new(segment)), verdict))
    }

    /// Shows every item to `see`. Returns the place and the error where the disk would not go on.
    fn walk(
        &mut self,
        from: u64,
        end: u64,
        mut see: impl FnMut(&mut Self, &Item<'_>),
    ) -> Option<(u64, std::io::Error)> {
        let mut scan = Scanner::new(self.file.clone(), self.context.format, self.header, from, end);
        let mut told = from;
        loop {
            let at = scan.position();
            let item = match scan.next_item() {
                Ok(Some(item)) => item,
                Ok(None) => break,
                Err(e) => return Some((at, e)),
            };
            see(self, &item);
            let done = item.offset + item.len;
            if done - told >= PROGRESS_STEP {
                (self.context.progress)(done - told);
                told = done;
            }
        }
        (self.context.progress)(end.saturating_sub(told));
        None
    }

    /// What the disk does not give back may be anything, like what does not decode.
    fn unreadable(&mut self, at: u64, end: u64, e: std::io::Error) {
        self.out.damaged = true;
        self.out.ledger.gap_bytes += end - at;
        let message = Error::io_at("read", &self.path, at, e).to_string();
        self.finding(Severity::Damage, FindingKind::Unreadable, at, end - at, None, message);
        self.hole(at, end - at);
    }

    fn take(&mut self, item: &Item<'_>, open_hole: &mut Option<usize>) {
        match &item.what {
            What::Record(record, value) => {
                self.close_hole(open_hole, record.tstamp);
                self.record(item, record, *value);
                // A checksum over everything does not say whether it is the key that is wrong.
                if value.is_err() && !self.context.format.has_frame_checksum() {
                    *open_hole = self.hole(item.offset, item.len);
                }
            }
            What::Gap(gap) if self.standing == Standing::Foreign && is_torn(gap) => {}
            What::Gap(gap) => {
                self.gap(item, gap);
                *open_hole = self.hole(item.offset, item.len);
            }
        }
    }

    /// The first record after a hole bounds what the hole can have hidden, if the segment is in order of tstamps.
    fn close_hole(&mut self, open_hole: &mut Option<usize>, tstamp: u64) {
        let hole = open_hole.take().and_then(|i| self.out.holes.get_mut(i));
        if let Some(hole) = hole.filter(|hole| hole.below == Bound::Later && self.header.origin == Origin::Puts) {
            hole.below = Bound::Tstamp(tstamp);
        }
    }

    fn record(&mut self, item: &Item<'_>, record: &Record<'_>, value: Result<(), Check>) {
        self.out.ledger.count(record.kind, record.tstamp);
        if let Some(what) = record.needs_newer.clone().filter(|_| self.out.needs_newer.is_none()) {
            let offset = Some(item.offset);
            self.out.needs_newer = Some(Error::NeedsNewer { path: self.path.clone(), offset, what });
        }
        let entry = Entry::of(record, self.location(item.offset, item.len));
        match value {
            Ok(()) if matches!(record.kind, Kind::Put | Kind::Tombstone) => {
                self.offer(record.key, entry, record.kind == Kind::Tombstone);
            }
            Ok(()) => {}
            Err(check) => {
                self.out.damaged = true;
                self.out.ledger.bad_value_bytes += item.len;
                let message = format!("the record does not hold: {check}");
                let (offset, key) = (item.offset, Some(record.key));
                self.finding(Severity::Damage, FindingKind::DamagedRecord, offset, item.len, key, message);
                if !matches!(record.kind, Kind::Mark | Kind::Unknown(_)) {
                    self.offer(record.key, entry, false);
                }
            }
        }
    }

    fn location(&self, offset: u64, len: u64) -> Location {
        Location { segment: self.source.id, offset, len }
    }

    fn gap(&mut self, item: &Item<'_>, gap: &Gap) {
        self.out.damaged = true;
        self.out.ledger.gap_bytes += item.len;
        let what = if gap.zeros { "the file is zeros from here to its end".to_owned() } else { gap.check.to_string() };
        let after = match (gap.reaches_end, gap.gave_up) {
            (false, _) => "what follows is intact",
            (true, false) => "nothing intact follows",
            (true, true) => "the search for what follows was given up",
        };
        let message = format!("{} bytes do not decode ({what}); {after}", item.len);
        self.finding(Severity::Damage, FindingKind::DamagedRecord, item.offset, item.len, None, message);
    }

    fn torn_tail(&mut self, at: u64, intact_records: bool) {
        let len = self.len - at;
        let among = if intact_records { "; intact records are among them" } else { "" };
        let message = format!("the last {len} bytes were being written when the writer stopped{among}");
        self.finding(Severity::Warning, FindingKind::TornTail, at, len, None, message);
    }

    fn hole(&mut self, offset: u64, len: u64) -> Option<usize> {
        let below = Bound::of_hole(self.context.format.kind());
        self.out.holes.push(Hole { segment: self.source.id, offset, len, below });
        Some(self.out.holes.len() - 1)
    }

    fn finding(
        &mut self,
        severity: Severity,
        kind: FindingKind,
        offset: u64,
        len: u64,
        key: Option<&[u8]>,
        message: String,
    ) {
        if self.out.findings.len() >= MAX_FINDINGS {
            self.out.untold += 1;
            return;
        }
        let (path, segment) = (self.path.clone(), Some(self.source.id));
        let key = key.map(<[u8]>::to_vec);
        let finding = Finding { severity, kind, path, segment, offset: Some(offset), len: Some(len), key, message };
        self.out.findings.push(finding);
    }

    fn finish(mut self, segment: Option<Arc<Segment>>, verdict: Verdict) -> Loaded {
        self.take_in();
        if let Some(last) = self.out.findings.last_mut().filter(|_| self.out.untold > 0) {
            last.message = format!("{}; and {} findings more in this segment", last.message, self.out.untold);
        }
        let Outcome { holes, findings, needs_newer, damaged, doubtful, contradicts, tally, .. } = self.out;
        self.context.spare.give_back(self.offers);
        Loaded { segment, verdict, holes, findings, needs_newer, damaged, doubtful, tally, contradicts }
    }
}

const PROGRESS_STEP: u64 = 8 << 20;
/// Findings of one segment that are kept: a file of nothing but damage must not fill the memory with them.
const MAX_FINDINGS: usize = 1000;
