//! What an invalid record means: damage, or the end of the log.
//!
//! Pure judgement over what a scan saw; cutting and saving is [`super::repair_tail`]'s. The kernel may have written
//! the unsynced pages of the active segment in any order, so an invalid record there proves nothing by itself. What
//! proves it is how far the file is known to have been on stable storage ([`Survey::stable_len`], the one place where
//! all that evidence comes together): below that, damage; from there on, the end of the log.
//!
//! # Invariants
//!
//! 1. Nothing below `stable_len` is ever cut, and nothing that could not be looked at. What is kept for that reason
//!    alone does not count as stable: it is made durable before the first append, or there is none.
//! 2. A cut falls on a record boundary, and never between the records of one batch.
//! 3. In a sealed segment nothing is cut.

use super::scan::{Gap, Item, What};
use crate::format::{FormatKind, Kind};

/// Which rules apply to a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Native, closed for good: all of it is stable.
    Sealed,
    /// Native, the one that was being written.
    Active,
    /// Of another program: no evidence of syncs, and any file may have been the last.
    Foreign,
}

impl Standing {
    pub(super) fn of(format: FormatKind, active: bool) -> Self {
        match (format, active) {
            (FormatKind::Native, true) => Self::Active,
            (FormatKind::Native, false) => Self::Sealed,
            _ => Self::Foreign,
        }
    }
}

/// An invalid place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Invalid {
    offset: u64,
    /// The first record of the batch that was still going on there.
    batch_start: u64,
    torn: bool,
    zeros_to_end: bool,
}

/// What a scan of one segment saw that bears on its end.
#[derive(Debug)]
pub(super) struct Survey {
    /// Bytes from the start of the file that were on stable storage at some time.
    stable_len: u64,
    /// Bytes from the start of the file that are not to be cut: what could not be searched or read may be evidence.
    kept_len: u64,
    invalid: Vec<Invalid>,
    batch_start: Option<u64>,
    last_intact: Option<u64>,
    end: u64,
}

/// The judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Where the log ends: records are served up to here.
    pub(super) data_len: u64,
    /// Why it ends before the file does.
    pub(super) cut: Cut,
    /// How much of `data_len` is known to be on stable storage.
    pub(super) stable_len: u64,
}

/// What lies between the end of the log and the end of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Nothing.
    Nothing,
    /// Zeros: space reserved for records that were never written.
    Reserved,
    /// The unsynced end; whether intact records are among it.
    Tail {
        /// They are.
        intact_records: bool,
    },
}

impl Survey {
    /// Begins a survey of a file in which `vouched` bytes are known to be stable by a hint or checkpoint.
    pub(super) fn new(vouched: u64, end: u64) -> Self {
        Self { stable_len: vouched, kept_len: 0, invalid: Vec::new(), batch_start: None, last_intact: None, end }
    }

    /// Takes in the next item of the scan.
    pub(super) fn see(&mut self, item: &Item<'_>) {
        match &item.what {
            What::Record(record, Ok(())) => {
                self.last_intact = Some(item.offset);
                if record.barrier {
                    self.stable_len = self.stable_len.max(item.offset);
                }
                if let Some(stable_len) = mark_value(record.kind, item.value) {
                    self.stable_len = self.stable_len.max(stable_len.min(self.end));
                }
                let start = self.batch_start.unwrap_or(item.offset);
                self.batch_start = record.batch_continues.then_some(start);
            }
            What::Record(record, Err(_)) => {
                // The header holds, so what it says of the bytes before it does too.
                if record.barrier {
                    self.stable_len = self.stable_len.max(item.offset);
                }
                self.invalid(item.offset, false, false);
            }
            What::Gap(gap) => {
                if gap.gave_up {
                    // What follows was not searched to its end: a barrier may be among it.
                    self.kept_len = self.end;
                }
                self.invalid(item.offset, is_torn(gap), gap.zeros);
            }
        }
    }

    fn invalid(&mut self, offset: u64, torn: bool, zeros_to_end: bool) {
        let batch_start = self.batch_start.take().unwrap_or(offset);
        self.invalid.push(Invalid { offset, batch_start, torn, zeros_to_end });
    }

    /// The bytes from here on cannot be read: they may hold anything.
    pub(super) fn unreadable(&mut self) {
        self.kept_len = self.end;
    }

    /// Decides, by the rules for this kind of segment.
    pub(super) fn judge(&self, standing: Standing) -> Verdict {
        match standing {
            Standing::Sealed => self.whole(self.end),
            Standing::Active => self.judge_active(),
            Standing::Foreign => match self.invalid.last().filter(|last| last.torn) {
                Some(last) => self.ends_at(last.offset, Cut::Tail { intact_records: false }),
                None => self.whole(0),
            },
        }
    }

    fn whole(&self, stable_len: u64) -> Verdict {
        Verdict { data_len: self.end, cut: Cut::Nothing, stable_len }
    }

    fn ends_at(&self, data_len: u64, cut: Cut) -> Verdict {
        Verdict { data_len, cut, stable_len: self.stable_len.min(data_len) }
    }

    fn judge_active(&self) -> Verdict {
        let kept_len = self.kept_len.max(self.stable_len);
        let unsynced = self.invalid.iter().position(|invalid| invalid.offset >= kept_len);
        let Some(first) = unsynced.and_then(|i| self.invalid.get(i)) else {
            return match self.batch_start {
                Some(start) if start >= kept_len => self.ends_at(start, Cut::Tail { intact_records: false }),
                _ => self.whole(self.stable_len),
            };
        };
        let reserved = first.zeros_to_end && first.batch_start == first.offset;
        let intact_records = self.last_intact.is_some_and(|last| last >= first.batch_start);
        let cut = if reserved { Cut::Reserved } else { Cut::Tail { intact_records } };
        self.ends_at(first.batch_start.max(kept_len), cut)
    }
}

/// The length that a mark vouches for.
fn mark_value(kind: Kind, value: Option<&[u8]>) -> Option<u64> {
    value.filter(|_| kind == Kind::Mark)?.try_into().ok().map(u64::from_le_bytes)
}

/// An incomplete end with nothing intact after it.
pub(super) fn is_torn(gap: &Gap) -> bool {
    gap.cut_short && gap.reaches_end && !gap.gave_up
}

#[cfg(test)]
mod tests;
