//! Walks one segment file record by record, and finds its way after damage.
//!
//! The only walker: opening, following, merging, listing and verifying all use it. It says what is there and decides
//! nothing: whether a stretch that does not decode is damage or the end of the log is `recover`'s to say.
//!
//! # Invariants
//!
//! 1. Items are contiguous: each starts where the one before ended, the last ends at `end` or where the walk was told
//!    to stop.
//! 2. Memory is bounded by the window and one key, whatever lengths the file claims; long values are checked in pieces.
//! 3. After damage, a place counts as a record again only if a checksum says so, or, in a format without checksums, if
//!    records follow each other from there to the very end or for long enough. The search has a work budget; past it the rest of the file
//!    is one gap.

use std::io;
use std::sync::Arc;

use crate::disk::ReadFile;
use crate::format::{Check, Decoded, FileHeader, Format, Record};

const WINDOW: usize = 256 << 10;
/// Below this many bytes left the window is moved on before it is asked for the next record.
const LOW_WATER: usize = 4 << 10;
/// Bytes of checksum and comparison that the searches after damage may cost, all together.
const RESYNC_BUDGET: u64 = 256 << 20;

/// What a closer look at a place costs at least.
const PLAUSIBLE_COST: u64 = 1 << 10;
/// So many records in a row are believed in a format without checksums.
const CHAIN: usize = 16;

/// Something in a segment file.
#[derive(Debug)]
pub struct Item<'a> {
    /// Where it starts.
    pub offset: u64,
    /// Its bytes.
    pub len: u64,
    /// What it is.
    pub what: What<'a>,
    /// The value as stored, where a short look brought it into memory along with the frame.
    pub value: Option<&'a [u8]>,
}

/// What an [`Item`] is.
#[derive(Debug)]
pub enum What<'a> {
    /// A record; the outcome of checking its value.
    Record(Record<'a>, Result<(), Check>),
    /// A stretch that does not decode.
    Gap(Gap),
}

/// Why a stretch does not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What the first record in it failed.
    pub check: Check,
    /// Nothing intact follows it.
    pub reaches_end: bool,
    /// All its bytes are zero, to the end of the file.
    pub zeros: bool,
    /// Its bytes begin like a record that the file is too short for.
    pub cut_short: bool,
    /// The search for what follows ran out of budget: something intact may be among its bytes.
    pub gave_up: bool,
}

/// A walk over one segment file.
#[derive(Debug)]
pub struct Scanner {
    file: Arc<dyn ReadFile>,
    format: &'static dyn Format,
    header: FileHeader,
    pos: u64,
    end: u64,
    stop: u64,
    check_values: bool,
    window: Window,
    last_tstamp: Option<u64>,
    budget: u64,
}

/// What stands at one place, before it becomes an item.
enum Place {
    Record { len: u64, value: Result<(), Check> },
    Invalid { check: Check, cut_short: bool },
}

/// An item before its bytes are shown.
struct Step {
    next: u64,
    found: Found,
}

enum Found {
    /// The outcome of checking its value.
    Record(Result<(), Check>),
    Gap(Gap),
}

impl Scanner {
    /// Walks `from..end`. `from` must be a record boundary, or any place: then the walk begins with a gap.
    pub fn new(file: Arc<dyn ReadFile>, format: &'static dyn Format, header: FileHeader, from: u64, end: u64) -> Self {
        let window = Window::default();
        Self {
            file,
            format,
            header,
            pos: from,
            end,
            stop: end,
            check_values: true,
            window,
            last_tstamp: None,
            budget: RESYNC_BUDGET,
        }
    }

    /// Leaves values unchecked where another checksum covers the frame; they are not even read then.
    #[must_use]
    pub fn without_value_checks(mut self) -> Self {
        self.check_values = false;
        self
    }

    /// Ends the walk at `stop`, a boundary of an earlier walk to the same end. What stands before it is judged by all that
    /// follows, as it was then: a shorter walk could take a damaged record that ends at its end for one that is followed.
    #[must_use]
    pub fn stopping_at(mut self, stop: u64) -> Self {
        self.stop = stop.min(self.end);
        self
    }

    /// Takes the file for one that ends at `end`, and reads nothing behind it: for a place of which a hint says what
    /// stands there.
    #[must_use]
    pub fn ending_at(mut self, end: u64) -> Self {
        self.end = self.end.min(end);
        self.stop = self.stop.min(end);
        self
    }

    /// Where the next item starts.
    pub fn position(&self) -> u64 {
        self.pos
    }

    /// Where the walk ends.
    pub fn stop(&self) -> u64 {
        self.stop
    }

    /// The next item, or `None` at the end. An error is the disk's: the walk can go on behind it only by a new scanner.
    pub fn next_item(&mut self) -> io::Result<Option<Item<'_>>> {
        if self.pos >= self.stop {
            return Ok(None);
        }
        let offset = self.pos;
        let mut step = self.step(offset)?;
        if step.next > self.stop {
            // It was no boundary: whoever named it was told of other records, as by a hint that lies.
            self.end = self.stop;
            step = self.step(offset)?;
        }
        self.pos = step.next;
        let len = step.next - offset;
        let value = match step.found {
            Found::Gap(gap) => return Ok(Some(Item { offset, len, what: What::Gap(gap), value: None })),
            Found::Record(value) => value,
        };
        let bytes = self.window.at(offset);
        let decoded = match value {
            // Nothing was read since it was decoded.
            Ok(()) => self.format.decode_again(&self.header, offset, bytes),
            Err(_) => self.format.decode(&self.header, offset, bytes),
        };
        let Decoded::Record(record) = decoded else {
            return Err(io::Error::other("the file changed while it was read"));
        };
        self.last_tstamp = Some(record.tstamp);
        let stored = usize::try_from(record.value_start).ok().zip(usize::try_from(len).ok());
        let stored = stored.and_then(|(start, end)| bytes.get(start..end));
        Ok(Some(Item { offset, len, what: What::Record(record, value), value: stored }))
    }

    /// What stands at `offset`, and where the next item starts.
    fn step(&mut self, offset: u64) -> io::Result<Step> {
        match self.look(offset)? {
            Place::Record { len, value } => Ok(Step { next: offset + len, found: Found::Record(value) }),
            Place::Invalid { check, cut_short } => {
                let (next, zeros) = self.resync(offset)?;
                let reaches_end = next == self.end;
                let gave_up = self.budget == 0 && reaches_end && !zeros;
                Ok(Step { next, found: Found::Gap(Gap { check, reaches_end, zeros, cut_short, gave_up }) })
            }
        }
    }

    /// Decodes what stands at `offset`. Afterwards the window holds the record's frame and key.
    fn look(&mut self, offset: u64) -> io::Result<Place> {
        let left = self.end - offset;
        self.window.ensure(&*self.file, offset, LOW_WATER, self.end)?;
        loop {
            match self.format.decode(&self.header, offset, self.window.at(offset)) {
                Decoded::Damaged(check) => return Ok(Place::Invalid { check, cut_short: false }),
                Decoded::Incomplete { needed } if needed > left => {
                    let check = Check::PastEnd { missing: needed - left };
                    return Ok(Place::Invalid { check, cut_short: true });
                }
                Decoded::Incomplete { needed } => {
                    let have = self.window.at(offset).len();
                    let needed = usize::try_from(needed).map_err(io::Error::other)?;
                    self.window.ensure(&*self.file, offset, needed.max(have + 1), self.end)?;
                    if self.window.at(offset).len() < needed {
                        let check = Check::PastEnd { missing: 1 };
                        return Ok(Place::Invalid { check, cut_short: true });
                    }
                }
                Decoded::Record(record) if record.len() > left => {
                    let check = Check::PastEnd { missing: record.len() - left };
                    if self.format.has_frame_checksum() && record.value_start <= left {
                        // Its header holds: the key is known, and the rest of the file is the begin of its value.
                        return Ok(Place::Record { len: left, value: Err(check) });
                    }
                    return Ok(Place::Invalid { check, cut_short: true });
                }
                Decoded::Record(record) => {
                    let (len, start) = (record.len(), record.value_start);
                    let check = record.value_check().filter(|_| self.check_values || !self.format.has_frame_checksum());
                    let value = match check {
                        Some(check) => self.window.check(&*self.file, check, offset + start, len - start)?,
                        None => Ok(()),
                    };
                    return self.believe(offset, len, value);
                }
            }
        }
    }

    /// In the native format the header's own checksum vouches for the frame. Where one checksum covers everything, a
    /// frame whose checksum fails is believed only if what follows it is a record or the end.
    fn believe(&mut self, offset: u64, len: u64, value: Result<(), Check>) -> io::Result<Place> {
        let Err(check) = value else { return Ok(Place::Record { len, value }) };
        // Frames that overlap make the same bytes be checked again and again.
        self.spend(len);
        if self.format.has_frame_checksum() || self.record_or_end(offset + len)? {
            self.window.ensure(&*self.file, offset, LOW_WATER, self.end)?;
            return self.reload(offset, len, Err(check));
        }
        Ok(Place::Invalid { check, cut_short: false })
    }

    /// Brings frame and key back into the window after a look further on.
    fn reload(&mut self, offset: u64, len: u64, value: Result<(), Check>) -> io::Result<Place> {
        while let Decoded::Incomplete { needed } = self.format.decode(&self.header, offset, self.window.at(offset)) {
            let needed = usize::try_from(needed).map_err(io::Error::other)?;
            self.window.ensure(&*self.file, offset, needed, self.end)?;
            if self.window.at(offset).len() < needed {
                break;
            }
        }
        Ok(Place::Record { len, value })
    }

    fn record_or_end(&mut self, offset: u64) -> io::Result<bool> {
        if offset >= self.end {
            return Ok(offset == self.end);
        }
        self.intact_at(offset)
    }

    /// The next place after `from` where a record starts, or the end; and whether all between is zero.
    fn resync(&mut self, from: u64) -> io::Result<(u64, bool)> {
        let zeros_until = self.zeros_from(from)?;
        if zeros_until == self.end {
            return Ok((self.end, true));
        }
        let mut at = from + 1;
        while at < self.end && self.budget > 0 {
            if self.intact_at(at)? {
                return Ok((at, false));
            }
            at += 1;
            self.spend(1);
        }
        Ok((self.end, false))
    }

    fn zeros_from(&mut self, from: u64) -> io::Result<u64> {
        let mut at = from;
        while at < self.end {
            self.window.ensure(&*self.file, at, 1, self.end)?;
            let bytes = self.window.at(at);
            match bytes.iter().position(|byte| *byte != 0) {
                Some(zeros) => return Ok(at + zeros as u64),
                None if bytes.is_empty() => break,
                None => at += bytes.len() as u64,
            }
        }
        Ok(at.min(self.end))
    }

    /// Whether a record starts here beyond doubt.
    fn intact_at(&mut self, offset: u64) -> io::Result<bool> {
        if self.format.has_checksum() { self.checksum_holds(offset) } else { self.chain_from(offset) }
    }

    fn spend(&mut self, work: u64) {
        self.budget = self.budget.saturating_sub(work);
    }

    fn checksum_holds(&mut self, offset: u64) -> io::Result<bool> {
        let left = self.end - offset;
        self.window.ensure(&*self.file, offset, 64, self.end)?;
        if !self.format.plausible(self.window.at(offset), left) {
            return Ok(false);
        }
        self.spend(PLAUSIBLE_COST);
        // A long key is shown only once it is paid for, even if it is in memory.
        let mut shown = 64;
        loop {
            let bytes = self.window.at(offset);
            match self.format.decode(&self.header, offset, bytes.get(..shown).unwrap_or(bytes)) {
                Decoded::Incomplete { needed } if needed <= left => {
                    self.spend(needed);
                    shown = usize::try_from(needed).map_err(io::Error::other)?;
                    self.window.ensure(&*self.file, offset, shown, self.end)?;
                    if self.window.at(offset).len() < shown {
                        return Ok(false);
                    }
                }
                Decoded::Record(record) if record.len() <= left => {
                    let (len, start) = (record.len(), record.value_start);
                    let check = record.value_check().filter(|_| !self.format.has_frame_checksum());
                    let Some(check) = check else { return Ok(true) };
                    if !self.plausible_time(record.tstamp) {
                        return Ok(false);
                    }
                    self.spend(len);
                    return Ok(self.window.check(&*self.file, check, offset + start, len - start)?.is_ok());
                }
                _ => return Ok(false),
            }
        }
    }

    /// Without checksums: records follow each other from here to exactly the end, or for long enough, with tstamps like
    /// those before.
    fn chain_from(&mut self, offset: u64) -> io::Result<bool> {
        let mut at = offset;
        for _ in 0..CHAIN {
            if at >= self.end {
                break;
            }
            let Some(len) = self.plausible_record(at)? else { return Ok(false) };
            // A hop out of the window costs reading the next one.
            self.spend(len.min(WINDOW as u64) + 64);
            at += len;
        }
        Ok(at > offset)
    }

    /// The length of what looks like a record, in a format where nothing can prove it.
    fn plausible_record(&mut self, at: u64) -> io::Result<Option<u64>> {
        let left = self.end - at;
        self.window.ensure(&*self.file, at, 64, self.end)?;
        if !self.format.plausible(self.window.at(at), left) {
            return Ok(None);
        }
        if let Decoded::Incomplete { needed } = self.format.decode(&self.header, at, self.window.at(at)) {
            let Some(needed) = usize::try_from(needed).ok().filter(|needed| *needed as u64 <= left) else {
                return Ok(None);
            };
            self.window.ensure(&*self.file, at, needed, self.end)?;
        }
        let Decoded::Record(record) = self.format.decode(&self.header, at, self.window.at(at)) else { return Ok(None) };
        let len = record.len();
        Ok((len <= left && self.plausible_time(record.tstamp)).then_some(len))
    }

    fn plausible_time(&self, tstamp: u64) -> bool {
        const THREE_YEARS: u64 = 3 * 366 * 24 * 3600 * 1_000_000;
        self.last_tstamp.is_none_or(|last| last.abs_diff(tstamp) < THREE_YEARS)
    }
}

/// A piece of the file in memory.
#[derive(Debug)]
struct Window {
    start: u64,
    bytes: Vec<u8>,
    /// Where the file turned out to end.
    eof: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self { start: 0, bytes: Vec::new(), eof: u64::MAX }
    }
}

impl Window {
    /// What is in memory from `offset` on.
    fn at(&self, offset: u64) -> &[u8] {
        let skip = offset.checked_sub(self.start).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.bytes.get(skip..)).unwrap_or_default()
    }

    /// Makes sure that `want` bytes from `offset` on are in memory, or all up to `end`.
    fn ensure(&mut self, file: &dyn ReadFile, offset: u64, want: usize, end: u64) -> io::Result<()> {
        let left = usize::try_from(end.min(self.eof).saturating_sub(offset)).unwrap_or(usize::MAX);
        if self.at(offset).len() >= want.min(left) {
            return Ok(());
        }
        let len = want.max(WINDOW).min(left);
        self.start = offset;
        self.bytes.clear();
        self.bytes.resize(len, 0);
        let read = file.read_full_at(&mut self.bytes, offset)?;
        self.bytes.truncate(read);
        if read < len {
            self.eof = offset + read as u64;
        }
        Ok(())
    }

    /// Checks a value without holding all of it, and without moving the window.
    fn check(
        &self,
        file: &dyn ReadFile,
        mut check: crate::format::ValueCheck,
        start: u64,
        len: u64,
    ) -> io::Result<Result<(), Check>> {
        let here = self.at(start);
        let here = here.get(..here.len().min(usize::try_from(len).unwrap_or(usize::MAX))).unwrap_or_default();
        check.update(here);
        let mut done = here.len() as u64;
        let mut piece = Vec::new();
        while done < len {
            piece.resize(usize::try_from(len - done).unwrap_or(usize::MAX).min(WINDOW), 0);
            let read = file.read_full_at(&mut piece, start + done)?;
            if read == 0 {
                return Ok(Err(Check::PastEnd { missing: len - done }));
            }
            check.update(piece.get(..read).unwrap_or_default());
            done += read as u64;
        }
        Ok(check.finish())
    }
}

#[cfg(test)]
mod tests;
