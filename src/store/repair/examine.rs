//! Which segments do not hold, and why. Reads every byte of every segment, around what cannot be read.
//!
//! Keeps: a segment that passes has every byte in order, and a hint, if it has one that holds, names exactly its records.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::format::{Coverage, FileHeader, Hint, HintEntry, Kind, MergePart, SegmentId};
use crate::store::contents::Contents;
use crate::store::hint_file;
use crate::store::inner::Inner;
use crate::store::listing::{Listing, Missing};
use crate::store::load::Source;
use crate::store::salvage::Around;
use crate::store::scan::{Scanner, What};
use crate::store::segment::Segment;

/// A segment that goes.
pub(super) struct Broken {
    /// What the record of the commit says of it.
    pub(super) part: MergePart,
    /// The file that there is.
    pub(super) path: PathBuf,
    /// A sentence.
    pub(super) why: String,
    /// Its file, if the records in it are of this store.
    pub(super) segment: Option<Arc<Segment>>,
    /// Its hint, if it holds and is of this very segment.
    pub(super) hint: Option<Vec<u8>>,
    /// What it held is in another file, which has its own entry here.
    pub(super) is_elsewhere: bool,
}

/// Finds them. The order is that of their ids.
pub(super) fn examine(inner: &Inner, listing: &Listing) -> Result<Vec<Broken>> {
    let contents = inner.contents();
    let mut broken = Vec::new();
    let mut found_again = Vec::new();
    for source in &listing.sources {
        let found = match contents.segment(source.id) {
            None => Some(unopened(inner, source)),
            Some(segment) if contents.doubtful.contains(&source.id) => {
                Some(doubtful(inner, listing, source, &segment, &mut found_again)?)
            }
            Some(segment) => sound(inner, &segment)?,
        };
        broken.extend(found);
    }
    broken.extend(listing.missing.iter().map(|missing| gone(inner, missing, found_again.contains(&missing.id))));
    broken.sort_by_key(|broken| broken.part.id);
    // What is no file and has a hint is missing twice.
    broken.dedup_by_key(|broken| broken.part.id);
    Ok(broken)
}

/// A walk over a segment that goes around what cannot be read, and where that was.
pub(super) fn walk(inner: &Inner, segment: &Segment) -> Result<(Scanner, Arc<Around>)> {
    let file = inner.disk.open_read(&segment.path).map_err(|e| Error::io("open", &segment.path, e))?;
    let around = Around::new(file);
    let end = segment.data_len();
    Ok((Scanner::new(around.clone(), inner.format, segment.header, segment.header.len, end), around))
}

/// The hint of a segment, if it holds and says that it is this segment's.
fn hint_of(inner: &Inner, id: SegmentId) -> Option<(Vec<u8>, Coverage)> {
    let path = inner.dir.join(inner.format.hint_name(id)?);
    let bytes = hint_file::read(&*inner.disk, &path).ok()??;
    let coverage = inner.format.hint(&bytes)?.ok()?.coverage.filter(|coverage| coverage.id == id)?;
    Some((bytes, coverage))
}

fn unopened(inner: &Inner, source: &Source) -> Broken {
    let (hint, coverage) = hint_of(inner, source.id).unzip();
    let salt = coverage.map_or(0, |coverage: Coverage| coverage.salt);
    Broken {
        part: MergePart { id: source.id, salt, len: source.len },
        path: inner.dir.join(&source.name),
        why: "it cannot be opened".to_owned(),
        segment: None,
        hint,
        is_elsewhere: false,
    }
}

/// A file whose header does not hold is what its records say; one of another id is that segment if only its hint is left
/// of that, and else nobody knows what it is.
fn doubtful(
    inner: &Inner,
    listing: &Listing,
    source: &Source,
    segment: &Arc<Segment>,
    found_again: &mut Vec<SegmentId>,
) -> Result<Broken> {
    let own = hint_of(inner, source.id).map(|(bytes, _)| bytes);
    let part = MergePart { id: source.id, salt: segment.header.salt, len: file_len(inner, segment)? };
    let broken = |why: String, is_ours: bool, hint| Broken {
        part,
        path: segment.path.clone(),
        why,
        segment: Some(segment.clone()).filter(|_| is_ours),
        hint,
        is_elsewhere: false,
    };
    let Some(id) = segment.header.id.filter(|id| *id != source.id) else {
        return Ok(broken("its header does not hold".to_owned(), true, own));
    };
    let is_gone = listing.missing.iter().any(|missing| missing.id == id);
    let hint = hint_of(inner, id).filter(|(_, coverage)| is_gone && coverage.salt == segment.header.salt);
    match hint {
        Some((hint, _)) => {
            found_again.push(id);
            Ok(broken(format!("it is segment {id} under another name"), true, Some(hint)))
        }
        None => Ok(broken(format!("its header says that it is segment {id}; its records are not taken"), false, own)),
    }
}

fn gone(inner: &Inner, missing: &Missing, is_elsewhere: bool) -> Broken {
    let (hint, coverage) = hint_of(inner, missing.id).unzip();
    let entry = inner.disk.entry(&missing.path);
    let name = inner.format.hint_name(missing.id).unwrap_or_default();
    Broken {
        part: MergePart { id: missing.id, salt: coverage.map_or(0, |coverage: Coverage| coverage.salt), len: 0 },
        path: if entry.is_ok() { missing.path.clone() } else { inner.dir.join(name) },
        why: missing.reason.to_owned(),
        segment: None,
        hint: hint.filter(|_| !is_elsewhere),
        is_elsewhere,
    }
}

/// `None`: every byte of it holds.
fn sound(inner: &Inner, segment: &Arc<Segment>) -> Result<Option<Broken>> {
    let hint = hint_of(inner, segment.id).filter(|(_, coverage)| coverage.salt == segment.header.salt);
    let hint = hint.map(|(bytes, _)| bytes);
    let (mut scan, around) = walk(inner, segment)?;
    let mut why = first_fault(&mut scan, hint.as_deref().and_then(|bytes| inner.format.hint(bytes)?.ok()))
        .map_err(|e| Error::io_at("read", &segment.path, scan.position(), e))?;
    if let Some(stretch) = around.unreadable().first() {
        why = Some(format!("{} bytes at offset {} cannot be read", stretch.end - stretch.start, stretch.start));
    }
    let Some(why) = why else { return Ok(None) };
    let part = MergePart { id: segment.id, salt: segment.header.salt, len: file_len(inner, segment)? };
    let (path, segment) = (segment.path.clone(), Some(segment.clone()));
    Ok(Some(Broken { part, path, why, segment, hint, is_elsewhere: false }))
}

/// Goes through the records and, side by side, through what the hint says of them.
fn first_fault(scan: &mut Scanner, hint: Option<Hint<'_>>) -> io::Result<Option<String>> {
    let covered = hint.as_ref().and_then(|hint| hint.coverage).map_or(0, |coverage| coverage.len);
    let mut named = hint.as_ref().map(Hint::entries);
    while let Some(item) = scan.next_item()? {
        let at = item.offset;
        match item.what {
            What::Gap(gap) => {
                return Ok(Some(format!("{} bytes at offset {at} do not decode: {}", item.len, gap.check)));
            }
            What::Record(_, Err(check)) => {
                return Ok(Some(format!("the record at offset {at} does not hold: {check}")));
            }
            What::Record(record, Ok(())) if record.kind == Kind::Mark || at >= covered => {}
            What::Record(record, Ok(())) => {
                let entry = HintEntry::of(&record, at);
                if named.as_mut().and_then(Iterator::next) != Some(entry) {
                    return Ok(Some(format!("its hint names other records than there are at offset {at}")));
                }
            }
        }
    }
    let is_short = covered > scan.position() || named.as_mut().and_then(Iterator::next).is_some();
    let ends = format!("its hint vouches for {covered} bytes, but it ends at {}", scan.position());
    Ok(is_short.then_some(ends))
}

fn file_len(inner: &Inner, segment: &Segment) -> Result<u64> {
    let entry = inner.disk.entry(&segment.path).map_err(|e| Error::io("read", &segment.path, e))?;
    Ok(entry.len)
}

/// The tstamps at which segments that puts wrote begin, for those that can be believed.
pub(super) fn first_tstamps(contents: &Contents) -> Vec<(SegmentId, u64)> {
    use crate::format::Origin;
    let segments = contents.segments.read();
    let ours = |segment: &&Arc<Segment>| {
        let FileHeader { origin, .. } = segment.header;
        origin == Origin::Puts && !contents.doubtful.contains(&segment.id)
    };
    let first = |segment: &Arc<Segment>| (segment.id, segment.ledger.lock().min_tstamp);
    segments.values().filter(ours).map(first).filter(|(_, tstamp)| *tstamp != u64::MAX).collect()
}
