//! From memory to the file to stable storage, and what happens when one of these steps fails.
//!
//! # Invariants
//!
//! 1. After the first failure that leaves unknown what is on disk, nothing is written any more: promise 6. A sync is
//!    never tried again: the kernel may have dropped the pages and would answer that all is well.
//! 2. Syncs are serialised, so that no second call can swallow the one report that the kernel makes of a failure.
//! 3. A full disk is no such failure: the file is cut back to what it was.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use crate::disk::WriteFile;
use crate::error::{Error, Result};

use super::events::Event;
use super::inner::Inner;
use super::log::Core;
use super::segment::Segment;
use super::writer::Writer;

impl Writer {
    /// Refuses after a failure that left the disk's state unknown.
    pub(super) fn check_alive(&self) -> Result<()> {
        match self.poison.get() {
            Some(cause) => Err(Error::Poisoned { cause: cause.clone() }),
            None => Ok(()),
        }
    }

    /// Stops writing for good.
    pub(super) fn die(&self, inner: &Inner, error: Error) -> Arc<Error> {
        let cause = Arc::new(error);
        if self.poison.set(cause.clone()).is_ok() {
            inner.tell(|| Event::Poisoned { reason: cause.to_string() });
        }
        cause
    }

    /// Stops writing because a sync failed; what cannot be made durable once is not tried twice.
    pub(super) fn die_of_sync(&self, inner: &Inner, path: &Path, e: io::Error) -> Error {
        let error = Error::io("sync", path, e);
        self.die(inner, error.clone());
        error
    }

    /// Writes the tail to the file. On `NoSpace` the file is as it was, and the tail too; nothing more is appended then
    /// before the tail is written.
    pub(super) fn flush(&self, inner: &Inner, core: &mut Core) -> Result<()> {
        let Some(log) = core.active.as_mut() else { return Ok(()) };
        let (written, start) = {
            let tail = self.tail.read();
            (write_or_cut(&*log.file, &log.segment.path, &tail.bytes, tail.start), tail.start)
        };
        core.starved = matches!(written, Err(Error::NoSpace { .. }));
        match written {
            Ok(()) => {
                let mut tail = self.tail.write();
                tail.start = log.len;
                tail.bytes.clear();
                self.tail_start.set(&log.segment, log.len);
                // One long value must not keep its memory for good.
                tail.bytes.shrink_to(inner.options.buffer_bytes);
                log.segment.ledger.lock().written_len = log.len;
                Ok(())
            }
            Err(e @ Error::NoSpace { .. }) => {
                log.reserved = start;
                Err(e)
            }
            Err(e) => {
                self.die(inner, e.clone());
                Err(e)
            }
        }
    }

    /// Makes all appended bytes durable.
    pub(super) fn sync(&self, inner: &Inner, core: &mut Core) -> Result<()> {
        self.check_alive()?;
        self.flush(inner, core)?;
        self.sync_core(inner, core)
    }

    /// Makes what is in the file durable.
    pub(super) fn sync_core(&self, inner: &Inner, core: &mut Core) -> Result<()> {
        let Some(log) = core.active.as_mut() else { return Ok(()) };
        if log.stable < log.len {
            self.sync_file(inner, &log.segment, &*log.file, log.len)?;
            log.stable = log.len;
        }
        self.unsynced.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Without the appenders' lock: puts go on while the disk works.
    pub(super) fn sync_in_background(&self, inner: &Inner) -> Result<()> {
        let log = {
            let mut core = self.core.lock();
            self.check_alive()?;
            self.flush(inner, &mut core)?;
            core.active.clone()
        };
        let Some(log) = log.filter(|log| log.stable < log.len) else { return Ok(()) };
        self.sync_file(inner, &log.segment, &*log.file, log.len)?;
        let mut core = self.core.lock();
        if let Some(now) = core.active.as_mut().filter(|now| now.segment.id == log.segment.id) {
            now.stable = now.stable.max(log.len);
            self.unsynced.store(now.stable < now.len, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Writes the buffer out without syncing, so that a killed process loses little.
    pub(super) fn flush_in_background(&self, inner: &Inner) -> Result<()> {
        let mut core = self.core.lock();
        self.check_alive()?;
        self.flush(inner, &mut core)
    }

    pub(super) fn sync_file(&self, inner: &Inner, segment: &Segment, file: &dyn WriteFile, len: u64) -> Result<()> {
        let _one_at_a_time = self.sync_gate.lock();
        self.check_alive()?;
        let started = Instant::now();
        file.sync_data().map_err(|e| self.die_of_sync(inner, &segment.path, e))?;
        inner.tell(|| Event::Synced { segment: segment.id, stable_len: len, took: started.elapsed() });
        Ok(())
    }
}

/// Writes all bytes, or none: a file that ran into the end of the disk is cut back. What was written whole is never cut
/// any more, and published.
pub(super) fn write_or_cut(file: &dyn WriteFile, path: &Path, bytes: &[u8], start: u64) -> Result<()> {
    let mut done = 0;
    while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
        match file.write_final_at(rest, start + done as u64) {
            Ok(0) => return Err(Error::io_at("write", path, start + done as u64, io::ErrorKind::WriteZero.into())),
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => {
                let error = Error::of_write("write", path, bytes.len() as u64, e);
                if let Error::NoSpace { .. } = error {
                    file.set_len(start).map_err(|e| Error::io_at("cut", path, start, e))?;
                }
                return Err(error);
            }
        }
    }
    Ok(())
}
