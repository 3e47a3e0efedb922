//! Sealing a segment and beginning the next; the clean close.
//!
//! # Invariants
//!
//! 1. A segment is durable to its last byte before a newer one exists.
//! 2. A segment file has a durable header and a durable name before its first record.
//! 3. A hint is written only after the data that it covers was synced.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::disk::WriteFile;
use crate::error::{Error, Result};
use crate::format::{Origin, record};

use super::checkpoint;
use super::events::Event;
use super::inner::Inner;
use super::log::{Core, Log, Tail};
use super::new_file::{create_anew, write_all};
use super::segment::{Ledger, Segment};
use super::writer::Writer;

impl Writer {
    /// Seals the active segment, if there is one, and begins the next. On an error that poisons nothing, the old one
    /// stays active.
    pub(super) fn rotate(&self, inner: &Inner, core: &mut Core) -> Result<()> {
        if core.active.is_some() {
            // What is sealed is never judged by its marks again: it must be durable before a newer segment exists.
            self.flush(inner, core)?;
            self.sync_core(inner, core)?;
            self.cut_reserved(inner, core)?;
        }
        let next = self.create_segment(inner, core)?;
        *self.tail.write() = Tail::at(&next.segment, next.len);
        self.tail_start.set(&next.segment, next.len);
        inner.look().segments.insert(next.segment.clone());
        inner.tell(|| Event::SegmentCreated { segment: next.segment.id });
        if let Some(sealed) = core.active.replace(next) {
            sealed.segment.ledger.lock().active = false;
            inner.tell(|| Event::Sealed { segment: sealed.segment.id, bytes: sealed.len });
            self.hint_sealed(inner, &sealed.segment);
        }
        Ok(())
    }

    /// A new segment appears under its name with its header durable, or not at all.
    fn create_segment(&self, inner: &Inner, core: &mut Core) -> Result<Log> {
        let id = u32::try_from(core.next_id).map_err(|_| Error::NoMoreSegments { dir: inner.dir.clone() })?;
        let path = inner.dir.join(inner.format.segment_name(core.next_id));
        let mut header = Vec::new();
        let salt = core.next_salt();
        record::encode_file_header(id, salt, inner.now(), Origin::Puts, &mut header);
        let tmp = path.with_extension("data.tmp");
        let given_up = |e| {
            let _ = self.disk.remove(&tmp);
            Error::of_write("create", &path, header.len() as u64, e)
        };
        let file = self.create_file(&tmp, &header).map_err(given_up)?;
        file.sync_data().map_err(|e| self.die_of_sync(inner, &path, e))?;
        self.disk.rename(&tmp, &path).map_err(given_up)?;
        self.disk.sync_dir(&inner.dir).map_err(|e| self.die_of_sync(inner, &inner.dir, e))?;
        core.next_id += 1;
        let len = header.len() as u64;
        let header =
            inner.format.file_header(&header).map_err(|_| Error::io("create", &path, io::ErrorKind::Other.into()))?;
        let ledger = Ledger { active: true, ..Ledger::new(len) };
        let reader = file.mapped_reader(&path, inner.options.mapped_extent(), len);
        let segment = Arc::new(Segment::new(core.next_id - 1, path, header, reader, ledger));
        Ok(Log { segment, file, len, reserved: len, stable: len, vouched: len, appended: false })
    }

    fn create_file(&self, path: &Path, bytes: &[u8]) -> io::Result<Arc<dyn WriteFile>> {
        let file = create_anew(&*self.disk, path)?;
        write_all(&*file, bytes, 0)?;
        Ok(file)
    }

    /// The clean close: everything durable, and a hint that vouches for it. Gives up the lock in any case.
    pub(super) fn close(&self, inner: &Inner) -> Result<()> {
        let mut core = self.core.lock();
        let Some(lock) = self.lock.lock().take() else { return Ok(()) };
        self.late_hints.settle();
        let synced = self.sync(inner, &mut core).and_then(|()| self.cut_reserved(inner, &mut core));
        if synced.is_ok() {
            match core.active.as_ref() {
                Some(log) if log.appended || !log.segment.ledger.lock().has_hint => {
                    self.write_hint(inner, &log.segment)
                }
                None if inner.contents().segments.read().is_empty() => lock.leave_nothing(&*self.disk),
                _ => {}
            }
            if let Some(file) = core.tail_file.take() {
                file.remove(&*self.disk);
            }
            checkpoint::write(inner, &*self.disk, *self.checkpoint.lock());
        }
        synced
    }
}
