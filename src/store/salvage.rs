//! A file read around the sectors that the disk does not give back.
//!
//! In place of what cannot be read stand zeros, and where is remembered. No checksum holds over bytes that were replaced,
//! unless they were zeros; so a walk finds its way behind them as behind any damage. Must not know what is in the file.
//!
//! Keeps: what can be read is given out as it is.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;

use crate::disk::{FileIdentity, ReadFile};
use crate::primitives::Mutex;

/// What a disk loses at once, at least.
const SECTOR: u64 = 512;
/// So many sectors of a file are tried one by one: a disk that answers nothing at all must not be asked for ever.
const MOST_SECTORS: usize = 1 << 14;

/// The file, and what of it could not be read so far.
#[derive(Debug)]
pub(super) struct Around {
    file: Arc<dyn ReadFile>,
    unreadable: Mutex<Vec<Range<u64>>>,
}

impl Around {
    pub(super) fn new(file: Arc<dyn ReadFile>) -> Arc<Self> {
        Arc::new(Self { file, unreadable: Mutex::default() })
    }

    /// The stretches that could not be read, in the order in which they were met.
    pub(super) fn unreadable(&self) -> Vec<Range<u64>> {
        self.unreadable.lock().clone()
    }

    /// Reads no further than the sector goes; one that cannot be read is zeros.
    fn sector(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = SECTOR - offset % SECTOR;
        let len = buf.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let Some(buf) = buf.get_mut(..len) else { return Ok(0) };
        let error = match self.file.read_at(buf, offset) {
            Err(e) if e.kind() != ErrorKind::Interrupted => e,
            read => return read,
        };
        let there = self.file.len()?.saturating_sub(offset).min(len as u64);
        self.remember(offset..offset + there).map_err(|()| error)?;
        let there = usize::try_from(there).unwrap_or(0);
        buf.iter_mut().take(there).for_each(|byte| *byte = 0);
        Ok(there)
    }

    fn remember(&self, range: Range<u64>) -> Result<(), ()> {
        let mut known = self.unreadable.lock();
        if known.iter().any(|known| known.start <= range.start && range.end <= known.end) {
            return Ok(());
        }
        if let Some(last) = known.last_mut().filter(|last| last.end == range.start) {
            last.end = range.end;
            return if last.end - last.start > MOST_SECTORS as u64 * SECTOR { Err(()) } else { Ok(()) };
        }
        known.push(range);
        if known.len() > MOST_SECTORS { Err(()) } else { Ok(()) }
    }
}

impl ReadFile for Around {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        match self.file.read_at(buf, offset) {
            Err(e) if e.kind() != ErrorKind::Interrupted => self.sector(buf, offset),
            read => read,
        }
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        self.file.identity()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;
    use crate::disk::ReadDisk;
    use crate::disk::sim::SimDisk;

    #[test]
    fn what_can_be_read_is_given_out_and_the_rest_is_zeros_and_remembered() {
        let bytes: Vec<u8> = (0..5000_u32).map(|n| n as u8 | 1).collect();
        let disk = SimDisk::from_files([("f", bytes.clone())]).unwrap();
        for bad in [0..1, 600..601, 1000..3000, 4999..5000, 0..5000] {
            let disk = disk.fork();
            disk.fail_reads_at("f", bad.clone()).unwrap();
            let file = Around::new(disk.open_read(Path::new("f")).unwrap());
            let mut read = vec![7; 6000];
            assert_eq!(file.read_full_at(&mut read, 0).unwrap(), 5000);
            let lost: Vec<usize> = (0..5000).filter(|at| read.get(*at) != bytes.get(*at)).collect();
            assert!(bad.clone().all(|at| lost.contains(&(at as usize))), "{bad:?}");
            let within = |at: &usize| (*at as u64) + SECTOR > bad.start && (*at as u64) < bad.end + SECTOR;
            assert!(lost.iter().all(within), "{bad:?}: no more than its sectors");
            let told = file.unreadable();
            assert!(lost.iter().all(|at| told.iter().any(|range| range.contains(&(*at as u64)))), "{told:?}");
        }
    }
}
