//! Reading beside a writer in another process: records that it appended, segments that it began, segments that it took
//! away.
//!
//! # Invariants
//!
//! 1. Nothing in the directory is touched.
//! 2. A record that is not whole yet is not there yet, and neither is a batch: it is looked at again next time.
//! 3. Versions are applied in the order in which they were written. Where that cannot be known (a file is gone, shorter
//!    or another one, a merge wrote it, bytes do not decode), everything is loaded anew and swapped in whole, so that
//!    the outcome is always that of a fresh open.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::format::{FileHeader, FormatKind, Kind, Origin, SegmentId};

use super::contents::Contents;
use super::events::Event;
use super::inner::Inner;
use super::listing::Listing;
use super::load::Source;
use super::open;
use super::report::FindingKind;
use super::scan::{Item, What};
use super::segment::{Ledger, Segment};
use super::watch::Change;
use super::{Entry, Location, Moved, Options, Refreshed, tail_file};

/// Whether what is known of the store is still the beginning of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Footing {
    Firm,
    /// Only loading tells.
    Lost,
}

/// A record that was read and is not applied yet.
struct Arrived {
    kind: Kind,
    key: Vec<u8>,
    entry: Entry,
}

/// What a record did to the keydir.
struct Move {
    key: Vec<u8>,
    before: Option<Entry>,
    after: Option<Entry>,
    tstamp: u64,
}

impl Move {
    /// What those who watch are told of it.
    fn change(&self) -> Change {
        let key = self.key.as_slice().into();
        match self.after {
            Some(entry) => Change::Put { key, entry, batch_continues: false },
            None => Change::Deleted { key, tstamp: self.tstamp, batch_continues: false },
        }
    }
}

/// A `TAIL` that stands where it stood at an earlier look. A writer that lives brings its records into the segment soon,
/// and begins another; what stays was left behind.
#[derive(Debug)]
pub(super) struct WaitingTail {
    /// Its segment, and where in that it begins.
    place: (SegmentId, u64),
    since: Instant,
    /// The end of its records when they were loaded, as far as they can be.
    loaded: Option<u64>,
}

/// How long a writer that lives may take.
const PATIENCE: Duration = Duration::from_millis(300);

impl Inner {
    /// Whether a killed process left records behind that only loading takes in.
    fn is_left_behind(&self, contents: &Contents) -> Result<bool> {
        if self.format.kind() != FormatKind::Native {
            return Ok(false);
        }
        let mut waiting = self.waiting_tail.lock();
        let Some(place) = tail_file::place(&*self.disk, &self.dir)? else { return Ok(false) };
        let waiting = match waiting.as_mut().filter(|waiting| waiting.place == place) {
            Some(waiting) if waiting.since.elapsed() >= PATIENCE => waiting,
            Some(_) => return Ok(false),
            None => {
                *waiting = Some(WaitingTail { place, since: Instant::now(), loaded: None });
                return Ok(false);
            }
        };
        let tail = tail_file::read(&*self.disk, &self.dir)?.filter(|tail| (tail.segment, tail.offset) == place);
        let found = tail.as_ref().and_then(|tail| Some((tail, contents.segment(tail.segment)?)));
        let Some((tail, segment)) = found else { return Ok(false) };
        let end = tail.offset.saturating_add(tail.records(self.format, &segment.header).len() as u64);
        let is_new = end > segment.data_len() && waiting.loaded != Some(end);
        if is_new {
            waiting.loaded = Some(end);
        }
        Ok(is_new)
    }

    pub(super) fn refresh(&self, moved: &mut dyn FnMut(Moved<'_>)) -> Result<Refreshed> {
        if self.writer.is_some() {
            return Ok(Refreshed::default());
        }
        let _one_at_a_time = self.refreshing.lock();
        let contents = self.contents();
        let mut seen = Refreshed::default();
        let options =
            Options { create: true, from: self.options.from.or(Some(self.format.kind())), ..self.options.clone() };
        let listing = open::list_settled(&*self.disk, &self.dir, &options)?;
        match self.catch_up(&contents, &listing, &mut seen, moved)? {
            Footing::Firm if !self.is_left_behind(&contents)? => drop(self.unexpired()),
            Footing::Firm | Footing::Lost => {
                self.reload(&contents, &options, &mut seen)?;
                self.watchers.tell(|| vec![Change::Everything]);
                moved(Moved::Everything);
            }
        }
        Ok(seen)
    }

    fn reload(&self, before: &Contents, options: &Options, seen: &mut Refreshed) -> Result<()> {
        let (_, loads) = open::read_all(&*self.disk, &self.dir, options)?;
        let ids = |contents: &Contents| contents.segments.read().keys().copied().collect::<Vec<_>>();
        let (old, new) = (ids(before), ids(&loads.contents));
        let records = |contents: &Contents| -> u64 {
            contents.segments.read().values().map(|segment| segment.ledger.lock().records).sum()
        };
        seen.records += records(&loads.contents).saturating_sub(records(before));
        seen.new_segments += new.iter().filter(|id| !old.contains(id)).count() as u64;
        seen.vanished_segments = old.iter().filter(|id| !new.contains(id)).count() as u64;
        self.replace(loads.contents, loads.findings);
        self.tell(|| Event::Reloaded);
        Ok(())
    }

    fn catch_up(
        &self,
        contents: &Contents,
        listing: &Listing,
        seen: &mut Refreshed,
        moved: &mut dyn FnMut(Moved<'_>),
    ) -> Result<Footing> {
        if self.has_lost(contents, listing) {
            return Ok(Footing::Lost);
        }
        for source in listing.sources.iter().filter(|source| contents.segment(source.id).is_none()) {
            if is_known_not_to_load(contents, source) {
                continue;
            }
            let Some(segment) = self.begin(source)? else { return Ok(Footing::Lost) };
            contents.segments.insert(segment);
            seen.new_segments += 1;
        }
        let newest = seal_all_but_newest(contents);
        for source in &listing.sources {
            let Some(segment) = contents.segment(source.id) else { continue };
            let footing = self.read_on(contents, &segment, newest == Some(segment.id), seen, moved)?;
            if footing == Footing::Lost {
                return Ok(footing);
            }
        }
        Ok(Footing::Firm)
    }

    /// A segment that is gone, shorter, or now another file under the same name.
    fn has_lost(&self, contents: &Contents, listing: &Listing) -> bool {
        contents.segments.read().values().any(|segment| {
            let source = listing.sources.iter().find(|source| source.id == segment.id);
            // One that did not grow is not opened again at every look.
            source.is_none_or(|source| match source.len.cmp(&segment.data_len()) {
                std::cmp::Ordering::Less => true,
                std::cmp::Ordering::Equal => false,
                std::cmp::Ordering::Greater => !self.leads_to(&segment.path, segment).unwrap_or(false),
            })
        })
    }

    fn leads_to(&self, path: &Path, segment: &Segment) -> io::Result<bool> {
        Ok(self.disk.open_read(path)?.identity()? == segment.file().identity()?)
    }

    /// A segment that was not there before, without its records. `None` if it is not one that puts have begun since:
    /// what a merge wrote is older than what is known already, and a header that does not hold is for loading to judge.
    fn begin(&self, source: &Source) -> Result<Option<Arc<Segment>>> {
        let path = self.dir.join(&source.name);
        let file = match self.disk.open_read(&path) {
            Ok(file) => file,
            // It came and went between the listing and here.
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io("open", &path, e)),
        };
        let mut bytes = vec![0; self.format.max_file_header_len()];
        let read = file.read_full_at(&mut bytes, 0).map_err(|e| Error::io("read", &path, e))?;
        let header = self.format.file_header(bytes.get(..read).unwrap_or_default()).ok();
        let is_plain =
            |header: &FileHeader| header.origin == Origin::Puts && header.id.is_none_or(|id| id == source.id);
        Ok(header.filter(is_plain).map(|header| {
            let ledger = Ledger { active: header.version > 0, ..Ledger::new(header.len) };
            Arc::new(Segment::new(source.id, path, header, file, ledger))
        }))
    }

    /// Applies the whole records behind what is known of the segment.
    fn read_on(
        &self,
        contents: &Contents,
        segment: &Segment,
        is_newest: bool,
        seen: &mut Refreshed,
        moved: &mut dyn FnMut(Moved<'_>),
    ) -> Result<Footing> {
        // Not the length in the listing: this file may have grown before a newer one came into the listing, and what is
        // older must be applied first, or a delete there would be undone by a put here.
        let end = segment.file().len().map_err(|e| Error::io("read", &segment.path, e))?;
        let mut scan = segment.scan_to(self.format, end);
        let mut batch = Vec::new();
        let mut stopped = None;
        while stopped.is_none() {
            let at = scan.position();
            match scan.next_item().map_err(|e| Error::io_at("read", &segment.path, at, e))? {
                None => break,
                Some(Item { what: What::Record(record, _), .. }) if record.needs_newer.is_some() => {
                    return Ok(Footing::Lost);
                }
                Some(Item { offset, len, what: What::Record(record, Ok(())), .. }) => {
                    let location = Location { segment: segment.id, offset, len };
                    let entry = Entry::of(&record, location);
                    batch.push(Arrived { kind: record.kind, key: record.key.to_vec(), entry });
                    if !record.batch_continues {
                        seen.records += batch.len() as u64;
                        self.apply_batch(contents, segment, &mut batch, moved);
                    }
                }
                Some(item) => stopped = Some(item.offset + item.len),
            }
        }
        if stopped.is_some_and(|at| at < end) {
            // What is being written may lie in reserved space.
            let at = scan.position();
            let rest = scan.next_item().map_err(|e| Error::io_at("read", &segment.path, at, e))?;
            let is_reserved = |item: &Item<'_>| matches!(&item.what, What::Gap(gap) if gap.zeros && gap.reaches_end);
            stopped = if rest.as_ref().is_some_and(is_reserved) { Some(end) } else { stopped };
        }
        Ok(footing(segment, end, stopped, is_newest))
    }

    /// Applies the records of a batch, or one that is none; this process's readers see all of it or nothing.
    fn apply_batch(
        &self,
        contents: &Contents,
        segment: &Segment,
        batch: &mut Vec<Arrived>,
        moved: &mut dyn FnMut(Moved<'_>),
    ) {
        let moves: Vec<_> = {
            let _closed = (batch.len() > 1).then(|| contents.gate.close());
            let follow = |arrived: Arrived| {
                self.count(contents, segment, arrived.kind, &arrived.entry);
                self.follow(contents, arrived)
            };
            batch.drain(..).filter_map(follow).collect()
        };
        // Whoever is told may want to look.
        self.watchers.tell(|| moves.iter().map(Move::change).collect());
        for Move { key, before, after, .. } in moves {
            moved(Moved::Key { key: &key, before, after });
        }
    }

    fn count(&self, contents: &Contents, segment: &Segment, kind: Kind, entry: &Entry) {
        contents.last_tstamp.fetch_max(entry.tstamp, Ordering::Relaxed);
        let end = entry.location.offset + entry.location.len;
        let mut ledger = segment.ledger.lock();
        ledger.count(kind, entry.tstamp);
        (ledger.data_len, ledger.written_len, ledger.has_hint) = (end, end, false);
        let looked_torn = std::mem::take(&mut ledger.torn_bytes) > 0;
        // Not while the findings are locked: whoever notes one takes these locks in the other order.
        drop(ledger);
        if looked_torn {
            // It was only not finished.
            let is_this = |segment: Option<SegmentId>| segment == Some(entry.location.segment);
            self.findings.lock().retain(|found| found.kind != FindingKind::TornTail || !is_this(found.segment));
        }
        self.tell(|| Event::Appended { kind, location: entry.location, tstamp: entry.tstamp });
    }

    fn follow(&self, contents: &Contents, Arrived { kind, key, entry }: Arrived) -> Option<Move> {
        let is_news = contents.keydir.get(&key).is_none_or(|old| contents.keydir.is_newer(&entry, &old));
        let to = (kind == Kind::Put && is_news).then_some(entry.location);
        // Born before anybody can find it, as the writer does it.
        contents.moved(None, to);
        let before = match kind {
            Kind::Put if is_news => contents.set(&key, entry),
            Kind::Tombstone if is_news => contents.remove(&key),
            Kind::Put | Kind::Tombstone | Kind::Mark | Kind::Unknown(_) => return None,
        };
        let from = before.map(|old| old.location);
        contents.moved(from, None);
        self.tell(|| Event::KeydirMoved { from, to });
        Some(Move { key, before, after: to.map(|_| entry), tstamp: entry.tstamp })
    }
}

/// Whether loading has already said of this file, at this length, that it is none of ours to read.
fn is_known_not_to_load(contents: &Contents, source: &Source) -> bool {
    contents.holes.iter().any(|hole| (hole.segment, hole.offset, hole.len) == (source.id, 0, source.len))
}

/// Native stores append to the newest segment that puts wrote, and to no other.
fn seal_all_but_newest(contents: &Contents) -> Option<SegmentId> {
    let segments = contents.segments.read();
    let newest = segments.values().rev().find(|segment| segment.header.origin == Origin::Puts)?.id;
    for segment in segments.values().filter(|segment| segment.id != newest) {
        segment.ledger.lock().active = false;
    }
    Some(newest)
}

/// What it means that reading came to its end before the file did. `stopped`: where what does not decode ends.
fn footing(segment: &Segment, end: u64, stopped: Option<u64>, is_newest: bool) -> Footing {
    let ledger = segment.ledger.lock();
    let unread = end.saturating_sub(ledger.data_len);
    // At the very end of the newest segment it is what is being written; and what loading has judged stays judged.
    let is_unfinished = is_newest && stopped.is_none_or(|at| at == end);
    if unread == 0 || is_unfinished || unread == ledger.torn_bytes { Footing::Firm } else { Footing::Lost }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::disk::ReadDisk;
    use crate::disk::sim::SimDisk;

    #[test]
    fn only_the_end_of_the_newest_segment_may_be_unfinished() {
        let disk = SimDisk::from_files([("segment", "")]).unwrap();
        let file = disk.open_read(Path::new("segment")).unwrap();
        let segment = |torn_bytes| {
            let ledger = Ledger { torn_bytes, ..Ledger::new(100) };
            Segment::new(1, "segment".into(), FileHeader::NONE, file.clone(), ledger)
        };
        let cases = [
            ("all is read", 0, 100, None, false, Footing::Firm),
            ("half a record", 0, 120, Some(120), true, Footing::Firm),
            ("half a batch", 0, 120, None, true, Footing::Firm),
            ("half a record, and a newer segment", 0, 120, Some(120), false, Footing::Lost),
            ("half a batch, and a newer segment", 0, 120, None, false, Footing::Lost),
            ("intact records behind", 0, 120, Some(110), true, Footing::Lost),
            ("judged by loading", 20, 120, Some(110), true, Footing::Firm),
            ("judged when it was shorter", 10, 120, Some(110), true, Footing::Lost),
        ];
        for (what, torn_bytes, end, stopped, is_newest, expected) in cases {
            assert_eq!(footing(&segment(torn_bytes), end, stopped, is_newest), expected, "{what}");
        }
    }
}
