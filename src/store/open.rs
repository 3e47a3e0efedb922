//! Opening: from a directory to a keydir, and for a writer to a log that can be appended to.
//!
//! # Invariants
//!
//! 1. Reading changes nothing in the directory; the writer changes nothing before it has decided what every byte means,
//!    but for what a killed process left in `TAIL`, which lengthens its segment by whole records.
//! 2. A second open of a store that was recovered changes no byte but the lock file's.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::disk::{Disk, ReadDisk};
use crate::error::{Error, Result};
use crate::format::{FileHeader, FormatKind, Origin, SegmentId, merge_file, tail};

use super::checkpoint::{self, Known};
use super::contents::Contents;
use super::events::Event;
use super::holes::{Bound, Hole, Holes};
use super::inner::Inner;
use super::keydir::Keydir;
use super::late_hints::LateHints;
use super::listing::{Listing, Missing, list};
use super::load::{Context, Loaded, Source, Spare, expected, load};
use super::parallel::in_parallel;
use super::recover::Cut;
use super::report::{Finding, FindingKind, Mode, Severity};
use super::segment::Segment;
use super::segments::{SegmentMap, Segments};
use super::tally::Tally;
use super::writer::Writer;
use super::{Options, Recovery, hint_file, holes, lock, merge, repair_tail, tail_file};

/// What all loads together gave.
pub(super) struct Loads {
    pub(super) contents: Contents,
    pub(super) findings: Vec<Finding>,
    /// The file that is appended to, if it may be continued.
    active: Option<Active>,
    /// Segments that may have a hint, and have none.
    without_hint: Vec<Arc<Segment>>,
}

/// The segment that was being written.
pub(super) struct Active {
    pub(super) segment: Arc<Segment>,
    pub(super) stable_len: u64,
    pub(super) cut: Cut,
    /// It has damage below its stable end, so nothing is appended to it any more.
    pub(super) damaged: bool,
}

/// Opens for reading: nothing in the directory is touched.
pub(super) fn open_reader(disk: Arc<dyn ReadDisk>, dir: &Path, options: Options) -> Result<Inner> {
    let (listing, loads) = read_all(&*disk, dir, &options)?;
    Ok(Inner::new(disk, dir, options, listing.format, Mode::ReadOnly, loads.contents, loads.findings, None))
}

/// Lists and loads until both belong together: a writer beside us may be merging.
pub(super) fn read_all(disk: &dyn ReadDisk, dir: &Path, options: &Options) -> Result<(Listing, Loads)> {
    const TRIES: usize = 20;
    for _ in 0..TRIES {
        let mut listing = list_settled(disk, dir, options)?;
        match load_all(disk, dir, options, &mut listing) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
            Ok(loads) if stands_still(disk, dir, &listing, &list_settled(disk, dir, options)?) => {
                return Ok((listing, loads));
            }
            Ok(_) => {}
        }
    }
    let why = io::Error::new(io::ErrorKind::ResourceBusy, "its writer merged at every look; try again");
    Err(Error::io("read", dir, why))
}

/// The listing as it is when a merge that is being committed, or was interrupted, has come to its end.
pub(super) fn list_settled(disk: &dyn ReadDisk, dir: &Path, options: &Options) -> Result<Listing> {
    let mut listing = list(disk, dir, options.from, options.create)?;
    if listing.has_merge {
        match merge::read(disk, dir) {
            // It went between the two looks, or all is certain.
            Ok(None) => {}
            Ok(Some(merge)) => {
                if !merge::apply(disk, dir, &merge, &mut listing) {
                    listing.broken_merge = Some("neither its inputs nor its outputs are all there".to_owned());
                }
            }
            Err(e @ Error::NeedsNewer { .. }) if !options.inspect => return Err(e),
            Err(e) => listing.broken_merge = Some(e.to_string()),
        }
    }
    Ok(listing)
}

/// Whether what was loaded is all of one state. Reading a directory is no snapshot of it: while a merge commits, a look
/// can miss both what goes and what comes. A segment that puts began meanwhile is no matter.
pub(super) fn stands_still(disk: &dyn ReadDisk, dir: &Path, before: &Listing, after: &Listing) -> bool {
    let has = |listing: &Listing, id| listing.sources.iter().any(|source| source.id == id);
    let is_new_and_plain =
        |source: &Source| header(disk, dir, source).is_some_and(|header| header.origin == Origin::Puts);
    before.sources.iter().all(|source| has(after, source.id))
        && after
            .sources
            .iter()
            .all(|source| has(before, source.id) || (after.format == FormatKind::Native && is_new_and_plain(source)))
}

/// Opens for writing, or, if the format is never written, for reading.
pub(super) fn open_writer(disk: Arc<dyn Disk>, dir: &Path, options: Options) -> Result<Inner> {
    if options.create {
        make_dir(&*disk, dir)?;
    }
    let format = list(&*disk, dir, options.from, options.create)?.format;
    if format != FormatKind::Native {
        return open_reader(disk.reader(), dir, options);
    }
    let lock = lock::acquire(&*disk, dir, options.clock.now())?;
    if let Err(why) = merge::resume(&*disk, dir) {
        return without_end(disk.reader(), dir, options, why);
    }
    if let Err(why) = tail_file::replay(&*disk, dir) {
        let why = format!("what a killed process left in {} could not be brought into its segment: {why}", tail::NAME);
        return for_reading(disk.reader(), dir, options, FindingKind::TornTail, &why);
    }
    let mut listing = list(&*disk, dir, options.from, options.create)?;
    let mut loads = load_all(&*disk, dir, &options, &mut listing)?;
    let settled = match loads.contents.needs_newer.clone() {
        // Bytes that are not understood here are not judged, let alone cut.
        Some(_) => Err(unwritable(dir, FindingKind::NeedsNewer, "a newer logkv has written parts of it")),
        None => settle(&*disk, dir, &options, &listing, &mut loads).map_err(|why| {
            let why = format!("the end of the log could not be brought into order: {why}");
            unwritable(dir, FindingKind::TornTail, &why)
        }),
    };
    if let Err(finding) = settled {
        loads.findings.push(finding);
        return Ok(Inner::new(
            disk.reader(),
            dir,
            options,
            format,
            Mode::ReadOnly,
            loads.contents,
            loads.findings,
            None,
        ));
    }
    if options.mapped_reads && options.recovery != Recovery::Salvage {
        map_sealed(&*disk, &loads);
    }
    let writer = Writer::new(disk.clone(), dir, &options, lock, loads.active, &loads.contents, listing.max_id)?;
    writer.late_hints.owe(loads.without_hint);
    let reader = disk.reader();
    Ok(Inner::new(reader, dir, options, format, Mode::ReadWrite, loads.contents, loads.findings, Some(writer)))
}

/// All but the one that is appended to: nobody writes to the others any more, or cuts them.
fn map_sealed(disk: &dyn Disk, loads: &Loads) {
    let active = loads.active.as_ref().map(|active| active.segment.id);
    for segment in loads.contents.segments.read().values().filter(|segment| Some(segment.id) != active) {
        segment.map_sealed(disk);
    }
}

/// Opens for reading, because an interrupted merge could not be brought to its end: it is tried again at the next open.
fn without_end(disk: Arc<dyn ReadDisk>, dir: &Path, options: Options, why: Error) -> Result<Inner> {
    if let Error::NeedsNewer { .. } = why {
        return Err(why);
    }
    let why = format!("a merge could not be brought to its end: {why}");
    for_reading(disk, dir, options, FindingKind::UnfinishedMerge, &why)
}

/// Opens for reading, and says why not for writing.
fn for_reading(disk: Arc<dyn ReadDisk>, dir: &Path, options: Options, kind: FindingKind, why: &str) -> Result<Inner> {
    let inner = open_reader(disk, dir, options)?;
    inner.findings.lock().push(unwritable(dir, kind, why));
    Ok(inner)
}

fn make_dir(disk: &dyn Disk, dir: &Path) -> Result<()> {
    let existed = match disk.list(dir) {
        Ok(entries) if !entries.is_empty() => return Ok(()),
        // Somebody may have made it and been killed before the sync below.
        Ok(_) => true,
        Err(_) => false,
    };
    let Some(parent) = dir.parent() else { return Ok(()) };
    if !existed {
        if !parent.as_os_str().is_empty() {
            make_dir(disk, parent)?;
        }
        match disk.create_dir(dir) {
            // Somebody else was quicker, or it is a file: listing tells which.
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(Error::io("create", dir, e)),
            _ => {}
        }
    }
    // The parent's entry for the directory must survive with the first record in it.
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    match disk.sync_dir(parent) {
        // Whoever gave us a directory in a place that is closed to us has made it durable.
        Err(e) if existed && e.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced.map_err(|e| Error::io("sync", parent, e)),
    }
}

/// Brings the log's end into order: the unsynced end goes to quarantine, what stays is made durable, hints that are
/// missing are written, or left for later where that takes long, leftovers go.
fn settle(disk: &dyn Disk, dir: &Path, options: &Options, listing: &Listing, loads: &mut Loads) -> Result<()> {
    // What repair is about to replace stays as it is until then.
    let stays = |active: &Active| options.recovery == Recovery::Salvage && active.damaged;
    if let Some(active) = loads.active.as_ref().filter(|active| !stays(active)) {
        let event = repair_tail::repair(disk, dir, active)?;
        active.segment.ledger.lock().torn_bytes = 0;
        event.iter().for_each(|event| tell(options, event));
    }
    for path in &listing.leftovers {
        // One that stays does no harm, and stays a finding.
        let _ = disk.remove(path);
    }
    // A repair goes on with the hints as they are then.
    let at_once = |segment: &Arc<Segment>| options.recovery == Recovery::Salvage || LateHints::is_short(segment);
    let (at_once, later): (Vec<_>, Vec<_>) = std::mem::take(&mut loads.without_hint).into_iter().partition(at_once);
    loads.without_hint = later;
    for segment in &at_once {
        // A hint is a convenience: without it the segment is read again at the next open.
        let event = match hint_file::write(disk, dir, segment) {
            Ok(Some(bytes)) => {
                segment.ledger.lock().has_hint = true;
                Event::HintWritten { segment: segment.id, bytes }
            }
            Ok(None) => continue,
            Err(e) => Event::HintFailed { segment: segment.id, reason: e.to_string() },
        };
        tell(options, &event);
    }
    if let Some(active) = loads.active.take_if(|active| active.damaged || active.may_lose_its_name()) {
        active.segment.ledger.lock().active = false;
    }
    Ok(())
}

impl Active {
    /// Nothing was ever written to it. Then the sync of its name may have been what failed, and nothing but another name
    /// is sure to be made durable by a second one.
    fn may_lose_its_name(&self) -> bool {
        let ledger = self.segment.ledger.lock();
        ledger.records == 0 && !ledger.has_hint
    }
}

/// Why a store that was to be written is open for reading only: said of the directory as a whole.
fn unwritable(dir: &Path, kind: FindingKind, why: &str) -> Finding {
    Finding {
        severity: Severity::Warning,
        kind,
        path: dir.to_owned(),
        segment: None,
        offset: None,
        len: None,
        key: None,
        message: format!("the store is open for reading only: {why}"),
    }
}

pub(super) fn tell(options: &Options, event: &Event) {
    options.observers.iter().for_each(|observer| observer.event(event));
}

/// Loads every segment of the listing, several at once.
pub(super) fn load_all(disk: &dyn ReadDisk, dir: &Path, options: &Options, listing: &mut Listing) -> Result<Loads> {
    mark_active(disk, dir, listing);
    let format = listing.format.format();
    let total: u64 = listing.sources.iter().map(|source| source.len).sum();
    let done = AtomicU64::new(0);
    let progress = |bytes: u64| {
        if !options.observers.is_empty() {
            let done = (done.fetch_add(bytes, Ordering::Relaxed) + bytes).min(total);
            tell(options, &Event::Loading { done, total });
        }
    };
    let salvage = options.recovery == Recovery::Salvage;
    // Before the segments: what it has beyond them now, they have later.
    let tail = if salvage || listing.format != FormatKind::Native { None } else { tail_file::read(disk, dir)? };
    let load_into = |keydir: &Keydir, checkpoint: Option<&Known>| {
        let spare = Spare::default();
        let tail = tail.as_ref();
        let context = Context { disk, dir, format, keydir, salvage, checkpoint, tail, progress: &progress, spare };
        if checkpoint.is_none() {
            keydir.expect(expected(&context, &listing.sources));
        }
        let loaded = in_parallel(&listing.sources, options.threads, |source| load(&context, source));
        keydir.finish_loading(options.threads);
        loaded.into_iter().collect::<Result<Vec<_>>>()
    };
    if let Some((keydir, known)) = checkpoint::read(disk, dir, format, options, listing, &progress) {
        let loaded = load_into(&keydir, Some(&known))?;
        if loaded.iter().all(Loaded::bears_out) {
            return gather(dir, Contents::of_checkpoint(keydir, &known), loaded, options, listing);
        }
        // Something does not go together: only reading everything tells what it means.
        done.store(0, Ordering::Relaxed);
    }
    let keydir = Keydir::new(format, seed(options));
    let loaded = load_into(&keydir, None)?;
    gather(dir, Contents::new(keydir), loaded, options, listing)
}

fn gather(
    dir: &Path,
    mut contents: Contents,
    loaded: Vec<Loaded>,
    options: &Options,
    listing: &Listing,
) -> Result<Loads> {
    let (mut findings, mut holes) = missing(dir, options, listing)?;
    let (mut active, mut tally) = (None, Tally::default());
    let (mut without_hint, mut segments) = (Vec::new(), SegmentMap::new());
    for (loaded, source) in loaded.into_iter().zip(&listing.sources) {
        refuse(options, &loaded)?;
        let (verdict, damaged) = (loaded.verdict, loaded.damaged);
        holes.extend(loaded.holes);
        tally.add(&loaded.tally);
        contents.needs_newer = contents.needs_newer.or(loaded.needs_newer);
        findings.extend(loaded.findings);
        let Some(segment) = loaded.segment else {
            contents.unloaded_bytes += source.len;
            continue;
        };
        if loaded.doubtful {
            contents.doubtful.insert(segment.id);
            segment.ledger.lock().active = false;
        } else if source.active {
            active =
                Some(Active { segment: segment.clone(), stable_len: verdict.stable_len, cut: verdict.cut, damaged });
        } else if listing.format == FormatKind::Native && !damaged && !segment.ledger.lock().has_hint {
            without_hint.push(segment.clone());
        }
        segments.insert(segment.id, segment);
    }
    contents.segments = Segments::of(segments);
    contents.finish(holes, &tally);
    if let Some(active) = active.as_ref().filter(|active| active.damaged) {
        active.segment.ledger.lock().active = false;
    }
    Ok(Loads { contents, findings, active, without_hint })
}

/// What a missing segment held is not known: every answer that it could have changed is suspect.
fn missing(dir: &Path, options: &Options, listing: &Listing) -> Result<(Vec<Finding>, Vec<Hole>)> {
    let (mut findings, mut holes) = (Vec::new(), Vec::new());
    for Missing { id, path, reason } in &listing.missing {
        if options.recovery == Recovery::Strict {
            return Err(Error::StrictDamage { path: path.clone(), offset: 0, what: (*reason).to_owned() });
        }
        holes.push(Hole { segment: *id, offset: 0, len: 0, below: Bound::of_hole(listing.format) });
        findings.push(Finding {
            severity: Severity::Damage,
            kind: FindingKind::MissingSegment,
            path: path.clone(),
            segment: Some(*id),
            offset: None,
            len: None,
            key: None,
            message: (*reason).to_owned(),
        });
    }
    if let Some(why) = &listing.broken_merge {
        let (path, why) = (dir.join(merge_file::NAME), format!("a merge was interrupted, and its end is open: {why}"));
        if options.recovery == Recovery::Strict {
            return Err(Error::StrictDamage { path, offset: 0, what: why });
        }
        // Deleted keys may be back, and others missing.
        holes.push(Hole { segment: SegmentId::MAX, offset: 0, len: 0, below: Bound::of_hole(listing.format) });
        let severity = Severity::Damage;
        findings.push(Finding { severity, path, message: why, ..unwritable(dir, FindingKind::UnfinishedMerge, "") });
    }
    Ok((findings, holes))
}

/// Recovery mode `strict`, and formats from the future.
fn refuse(options: &Options, loaded: &Loaded) -> Result<()> {
    if let Some(error) = loaded.needs_newer.as_ref().filter(|_| !options.inspect) {
        return Err(error.clone());
    }
    let damage = loaded.findings.iter().find(|finding| finding.severity == Severity::Damage);
    match damage.filter(|_| options.recovery == Recovery::Strict) {
        Some(finding) => Err(Error::StrictDamage {
            path: finding.path.clone(),
            offset: finding.offset.unwrap_or(0),
            what: finding.message.clone(),
        }),
        None => Ok(()),
    }
}

/// The active segment is the one of the highest id that puts wrote.
fn mark_active(disk: &dyn ReadDisk, dir: &Path, listing: &mut Listing) {
    if listing.format != FormatKind::Native {
        return;
    }
    let written_by_puts = |source: &&mut Source| header(disk, dir, source).is_none_or(|h| h.origin == Origin::Puts);
    if let Some(source) = listing.sources.iter_mut().rev().find(written_by_puts) {
        source.active = true;
    }
}

fn header(disk: &dyn ReadDisk, dir: &Path, source: &Source) -> Option<FileHeader> {
    let format = FormatKind::Native.format();
    let file = disk.open_read(&dir.join(&source.name)).ok()?;
    let mut bytes = vec![0; format.max_file_header_len()];
    let read = file.read_full_at(&mut bytes, 0).ok()?;
    format.file_header(bytes.get(..read)?).ok()
}

/// 0 asks the operating system, by way of the standard library's own randomly keyed hasher.
pub(super) fn seed(options: &Options) -> u64 {
    use std::hash::BuildHasher;
    match options.seed {
        0 => std::hash::RandomState::new().hash_one(options.clock.now()),
        seed => seed,
    }
}

impl Contents {
    /// Decides what could only be decided with every segment in view.
    fn finish(&mut self, mut holes: Vec<Hole>, tally: &Tally) {
        let segments = self.segments.read();
        let first_tstamps: Vec<_> = segments
            .values()
            .filter(|segment| segment.header.origin == Origin::Puts)
            .map(|segment| (segment.id, segment.ledger.lock().min_tstamp))
            .filter(|(_, tstamp)| *tstamp != u64::MAX)
            .collect();
        let last = segments.values().map(|segment| segment.ledger.lock().max_tstamp).max().unwrap_or(0);
        self.last_tstamp = last.into();
        holes::bound(&mut holes, &first_tstamps, last);
        self.holes = Holes::new(holes);
        self.count_live(tally);
    }
}
