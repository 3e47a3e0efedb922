//! The bytes of one file: as programs see them, and as the medium has them.
//!
//! Kept as the live bytes and, for each page that differs or may differ, what the medium has in its place. So a sync
//! costs what was written since the last one, and a copy for another branch of a test is one reference count.
//!
//! # Invariants
//!
//! 1. A page that is not in `unsynced` has the same bytes in memory and on the medium, each up to its own length.
//! 2. A `lost` page is one whose sync failed: the system takes it for clean, so no later sync writes it, unless it is
//!    written to again. `len_lost` says the same of a growth: the file then reaches only as far as what is written
//!    again. A cut is the file system's own record, and no failure of data takes it away.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::faults::device_error;

/// Longest file: more is a mistake of the test, or of a program that believed a length it read.
const MAX_LEN: u64 = 1 << 32;

/// A page that the medium does not have as it is.
#[derive(Clone, Debug)]
pub(super) struct Unsynced {
    /// What the medium has; what is missing at its end is zeros.
    pub(super) durable: Arc<[u8]>,
    pub(super) lost: bool,
}

/// One file's bytes.
#[derive(Clone, Debug)]
pub(super) struct Content {
    page: u64,
    pub(super) live: Vec<u8>,
    pub(super) durable_len: u64,
    pub(super) unsynced: BTreeMap<u64, Unsynced>,
    /// Where the length turned between growing and shrinking since it was durable, ending with the live length.
    pub(super) turns: Vec<u64>,
    pub(super) len_lost: bool,
    unreadable: Vec<Range<u64>>,
}

impl Content {
    /// A file whose bytes are on the medium.
    pub(super) fn durable(bytes: Vec<u8>, page: u64) -> Self {
        Self {
            page: page.max(1),
            durable_len: bytes.len() as u64,
            live: bytes,
            unsynced: BTreeMap::new(),
            turns: Vec::new(),
            len_lost: false,
            unreadable: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.live.len() as u64
    }

    pub(super) fn page_size(&self) -> u64 {
        self.page
    }

    pub(super) fn read(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut end = offset.saturating_add(buf.len() as u64).min(self.len());
        if self.unreadable.iter().any(|bad| bad.contains(&offset)) && offset < end {
            return Err(device_error());
        }
        // As the system does: first what can be read before the bad place, then, at the next call, the error.
        let bad = self.unreadable.iter().filter(|bad| !bad.is_empty()).map(|bad| bad.start).filter(|&at| at > offset);
        end = bad.fold(end, u64::min);
        let bytes = slice(&self.live, offset, end);
        if let Some(target) = buf.get_mut(..bytes.len()) {
            target.copy_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    pub(super) fn write(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let end = checked_len(offset.saturating_add(bytes.len() as u64))?;
        self.touch(offset, end);
        if end > self.len() {
            self.resize(end);
        }
        if let Some(target) = slice_mut(&mut self.live, offset, end) {
            target.copy_from_slice(bytes);
        }
        Ok(())
    }

    pub(super) fn set_len(&mut self, len: u64) -> io::Result<()> {
        let len = checked_len(len)?;
        if len < self.len() {
            self.touch(len, self.len());
        }
        if len != self.len() {
            self.resize(len);
        }
        Ok(())
    }

    /// A sync that goes well, or says so.
    pub(super) fn sync(&mut self) {
        let written = self.unsynced.iter().rfind(|(_, page)| !page.lost).map(|(number, _)| number + 1);
        let reach = written.map_or(0, |pages| pages.saturating_mul(self.page)).min(self.len());
        self.unsynced.retain(|_, page| page.lost);
        self.durable_len = if self.len_lost { self.durable_len.max(reach) } else { self.len() };
        if self.durable_len == self.len() {
            self.turns.clear();
            self.len_lost = false;
        }
    }

    /// A sync that fails: what was to be written is taken for clean and never will be (Linux since 4.13; see the
    /// "fsyncgate" discussion of PostgreSQL in 2018).
    pub(super) fn fail_sync(&mut self) {
        for page in self.unsynced.values_mut() {
            page.lost = true;
        }
        self.len_lost = self.len() > self.durable_len;
    }

    /// What the medium has.
    pub(super) fn durable_bytes(&self) -> Vec<u8> {
        let mut bytes = self.live.clone();
        resize(&mut bytes, self.durable_len);
        for (&page, unsynced) in &self.unsynced {
            let start = page.saturating_mul(self.page);
            put_zero_padded(&mut bytes, start..start.saturating_add(self.page), &unsynced.durable);
        }
        bytes
    }

    /// What the medium would have after the system has written all that it still means to write.
    pub(super) fn flushed_bytes(&self) -> Vec<u8> {
        let mut flushed = self.clone();
        flushed.sync();
        flushed.durable_bytes()
    }

    /// Whether the medium has all of it.
    pub(super) fn is_durable(&self) -> bool {
        self.unsynced.is_empty() && self.turns.is_empty()
    }

    /// Damages the bytes at `offset` in memory and on the medium alike.
    pub(super) fn poke(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let end = offset.saturating_add(bytes.len() as u64);
        let target = slice_mut(&mut self.live, offset, end)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "past the end of the simulated file"))?;
        target.copy_from_slice(bytes);
        for page in pages(offset, end, self.page) {
            let Some(unsynced) = self.unsynced.get_mut(&page) else { continue };
            let start = page.saturating_mul(self.page);
            let mut durable = unsynced.durable.to_vec();
            resize(&mut durable, self.page);
            let both = offset.max(start)..end.min(start.saturating_add(self.page));
            let from = slice(bytes, both.start.saturating_sub(offset), both.end.saturating_sub(offset));
            put_zero_padded(&mut durable, both.start.saturating_sub(start)..both.end.saturating_sub(start), from);
            unsynced.durable = durable.into();
        }
        Ok(())
    }

    /// Cuts or extends the file in memory and on the medium alike.
    pub(super) fn poke_len(&mut self, len: u64) -> io::Result<()> {
        let mut live = std::mem::take(&mut self.live);
        resize(&mut live, checked_len(len)?);
        let unreadable = std::mem::take(&mut self.unreadable);
        *self = Self { unreadable, ..Self::durable(live, self.page) };
        Ok(())
    }

    pub(super) fn make_unreadable(&mut self, range: Range<u64>) {
        self.unreadable.push(range);
    }

    pub(super) fn unreadable_as(self, old: &Self) -> Self {
        Self { unreadable: old.unreadable.clone(), ..self }
    }

    /// Keeps, for each page that is about to change, what the medium has there.
    fn touch(&mut self, start: u64, end: u64) {
        for page in pages(start, end, self.page) {
            let from = page.saturating_mul(self.page);
            let bytes = slice(&self.live, from, from.saturating_add(self.page));
            let entry = self.unsynced.entry(page).or_insert_with(|| Unsynced { durable: bytes.into(), lost: false });
            entry.lost = false; // written again, so it will be written back again
        }
    }

    fn resize(&mut self, len: u64) {
        let now = self.len();
        let before = self.turns.iter().rev().nth(1).copied().unwrap_or(self.durable_len);
        // Still growing, or still shrinking: the step gets longer.
        if self.turns.last().is_some_and(|_| (now > before) == (len > now)) {
            self.turns.pop();
        }
        self.turns.push(len);
        self.len_lost = false;
        resize(&mut self.live, len);
    }
}

fn checked_len(len: u64) -> io::Result<u64> {
    if len > MAX_LEN { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(len) }
}

/// The pages that `start..end` touches.
fn pages(start: u64, end: u64, page: u64) -> Range<u64> {
    if start < end { start / page..end.div_ceil(page) } else { 0..0 }
}

fn index(place: u64) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// The part of `start..end` that there is.
pub(super) fn slice(bytes: &[u8], start: u64, end: u64) -> &[u8] {
    let end = index(end).min(bytes.len());
    bytes.get(index(start)..end).unwrap_or_default()
}

/// All of `start..end`, or nothing.
fn slice_mut(bytes: &mut [u8], start: u64, end: u64) -> Option<&mut [u8]> {
    bytes.get_mut(index(start)..index(end))
}

/// Cuts, or extends with zeros. Lengths have been checked against [`MAX_LEN`].
pub(super) fn resize(bytes: &mut Vec<u8>, len: u64) {
    bytes.resize(index(len), 0);
}

/// Writes `from` over `place`, as far as `bytes` reaches; zeros where `from` is shorter.
pub(super) fn put_zero_padded(bytes: &mut [u8], place: Range<u64>, from: &[u8]) {
    let end = index(place.end).min(bytes.len());
    let Some(target) = bytes.get_mut(index(place.start)..end) else { return };
    let padded = from.iter().copied().chain(std::iter::repeat(0));
    for (byte, new) in target.iter_mut().zip(padded) {
        *byte = new;
    }
}
