//! Reading beside a writer in another process: records that it appended, segments that it began, segments that it took
//! away.
//!
//! # Invariants
//!
//! 1. Nothing in the directory is touched.
//! 2. A record that is not whole yet is not there yet: it is looked at again next time.
//! 3. When a file is gone, shorter or another one, everything is loaded anew and swapped in whole.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::format::Kind;

use super::contents::Contents;
use super::inner::Inner;
use super::listing::{Listing, list};
use super::load::Source;
use super::open;
use super::scan::What;
use super::segment::{Ledger, Segment};
use super::{Entry, Location, Refreshed};

impl Inner {
    pub(super) fn refresh(&self) -> Result<Refreshed> {
        if self.writer.is_some() {
            return Ok(Refreshed::default());
        }
        let _one_at_a_time = self.refreshing.lock();
        let contents = self.contents();
        let listing = list(&*self.disk, &self.dir, self.options.from.or(Some(self.format.kind())), true)?;
        if self.must_reload(&contents, &listing) {
            return self.reload(&contents);
        }
        let mut seen = Refreshed::default();
        for source in &listing.sources {
            let segment = match contents.segment(source.id) {
                Some(segment) => segment,
                None => match self.begin(&contents, source)? {
                    Some(segment) => segment,
                    None => continue,
                },
            };
            seen.new_segments += u64::from(segment.ledger.lock().records == 0 && source.len > segment.header.len);
            seen.records += self.read_on(&contents, &segment, source.len)?;
        }
        self.move_active_mark(&contents);
        contents.expire(self.now());
        Ok(seen)
    }

    /// A segment that is gone or shorter, or one that a merge wrote: places that the keydir knows are no longer right.
    fn must_reload(&self, contents: &Contents, listing: &Listing) -> bool {
        let segments = contents.segments.read();
        segments.values().any(|segment| {
            let source = listing.sources.iter().find(|source| source.id == segment.id);
            source.is_none_or(|source| source.len < segment.data_len())
        })
    }

    fn reload(&self, before: &Contents) -> Result<Refreshed> {
        let options = super::Options { create: true, ..self.options.clone() };
        let (_, loads) = open::read_all(&*self.disk, &self.dir, &options)?;
        let ids = |contents: &Contents| contents.segments.read().keys().copied().collect::<Vec<_>>();
        let (old, new) = (ids(before), ids(&loads.contents));
        let vanished = old.iter().filter(|id| !new.contains(id)).count() as u64;
        let new_segments = new.iter().filter(|id| !old.contains(id)).count() as u64;
        let records = |contents: &Contents| -> u64 {
            contents.segments.read().values().map(|segment| segment.ledger.lock().records).sum()
        };
        let records = records(&loads.contents).saturating_sub(records(before));
        self.replace(loads.contents, loads.findings);
        Ok(Refreshed { records, new_segments, vanished_segments: vanished })
    }

    /// Takes in a segment file that was not there before; `None` while its header is not whole.
    fn begin(&self, contents: &Contents, source: &Source) -> Result<Option<Arc<Segment>>> {
        let path = self.dir.join(&source.name);
        let file = match self.disk.open_read(&path) {
            Ok(file) => file,
            // It came and went between the listing and here; the next refresh sees what took its place.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io("open", &path, e)),
        };
        let mut bytes = vec![0; self.format.max_file_header_len()];
        let read = file.read_full_at(&mut bytes, 0).map_err(|e| Error::io("read", &path, e))?;
        let Ok(header) = self.format.file_header(bytes.get(..read).unwrap_or_default()) else { return Ok(None) };
        let segment = Arc::new(Segment::new(source.id, path, header, file, Ledger::new(header.len)));
        contents.segments.write().insert(source.id, segment.clone());
        Ok(Some(segment))
    }

    /// Applies the whole records between what is known of the segment and `end`.
    fn read_on(&self, contents: &Contents, segment: &Segment, end: u64) -> Result<u64> {
        let from = segment.data_len();
        let mut scan = super::scan::Scanner::new(segment.file().clone(), self.format, segment.header, from, end);
        let mut records = 0;
        loop {
            let at = scan.position();
            let item = scan.next_item().map_err(|e| Error::io_at("read", &segment.path, at, e))?;
            let Some(item) = item else { return Ok(records) };
            let What::Record(record, Ok(())) = &item.what else { return Ok(records) };
            let location = Location { segment: segment.id, offset: item.offset, len: item.len };
            let (stored_len, tstamp, expires_at) = (record.stored_len, record.tstamp, record.expires_at);
            let entry = Entry { location, stored_len, tstamp, expires_at };
            self.count(contents, segment, record.kind, &entry);
            self.follow(contents, record.kind, record.key, entry);
            records += 1;
        }
    }

    fn count(&self, contents: &Contents, segment: &Segment, kind: Kind, entry: &Entry) {
        contents.last_tstamp.fetch_max(entry.tstamp, std::sync::atomic::Ordering::Relaxed);
        let end = entry.location.offset + entry.location.len;
        let mut ledger = segment.ledger.lock();
        ledger.count(kind, entry.tstamp);
        (ledger.data_len, ledger.written_len) = (end, end);
        // What looked torn was only not finished.
        (ledger.torn_bytes, ledger.has_hint) = (0, false);
    }

    fn follow(&self, contents: &Contents, kind: Kind, key: &[u8], entry: Entry) {
        let old = match kind {
            Kind::Put => match contents.keydir.get(key) {
                Some(old) if !contents.keydir.is_newer(&entry, &old) => return,
                _ => contents.keydir.set(key, entry),
            },
            Kind::Tombstone => match contents.keydir.get(key) {
                Some(old) if contents.keydir.is_newer(&entry, &old) => contents.keydir.remove(key),
                _ => return,
            },
            Kind::Mark | Kind::Unknown(_) => return,
        };
        let to = (kind == Kind::Put).then_some(entry.location);
        contents.moved(old.map(|old| old.location), to);
    }

    /// Native stores append to the newest segment alone.
    fn move_active_mark(&self, contents: &Contents) {
        let segments = contents.segments.read();
        let newest = segments.keys().next_back().copied();
        for segment in segments.values().filter(|segment| segment.header.version > 0) {
            segment.ledger.lock().active = Some(segment.id) == newest;
        }
    }
}
