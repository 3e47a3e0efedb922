//! Loading what a checkpoint knows already: the segment's line is taken over, and only what lies behind is offered.
//!
//! Evidence that reading hints gives is gathered here too: a hint's header says how much it covers, and what is not as the
//! checkpoint says speaks against all of it. So what is found, and what is not, is the same as with hints alone.
//!
//! # Invariants
//!
//! 1. A checkpoint that says anything else than the files is not used: [`Loaded::contradicts`](super::Loaded).
//! 2. Live records and bytes are counted as they move, so that nobody has to look at every key.

use super::Load;
use super::offer::hint_head;
use crate::error::Result;
use crate::format::{Coverage, Covered};

impl Load<'_> {
    /// Takes over what the checkpoint says, and then what the hint says beyond that. Returns how much that was.
    pub(super) fn covered(&mut self) -> Result<u64> {
        let Some(known) = self.context.checkpoint else { return self.hint() };
        let line = known.lines.get(&self.source.id).copied();
        if let Some(line) = line {
            self.out.contradicts |= line.salt != self.header.salt || !(self.header.len..=self.len).contains(&line.len);
            self.take_over(&line);
        }
        let coverage = self.hint_coverage().filter(|coverage| self.is_ours(coverage));
        if line.is_some() {
            // Without it the records would be read, and what is wrong with them would be found.
            self.out.contradicts |= coverage.is_none_or(|coverage| coverage.len < self.known_len);
        }
        if line.is_some() && coverage.is_some_and(|coverage| coverage.len == self.known_len) {
            self.out.ledger.has_hint = self.known_len >= self.len;
            return Ok(self.known_len);
        }
        // It says more, or something that only reading it tells.
        Ok(self.hint()?.max(self.known_len))
    }

    fn take_over(&mut self, line: &Covered) {
        let ledger = &mut self.out.ledger;
        (ledger.records, ledger.tombstones, ledger.marks) = (line.records, line.tombstones, line.marks);
        (ledger.live_records, ledger.live_bytes) = (line.live_records, line.live_bytes);
        (ledger.min_tstamp, ledger.max_tstamp) = (line.min_tstamp, line.max_tstamp);
        (self.known_len, self.known_marks) = (line.len, line.marks);
    }

    /// What the segment's hint says of itself, unchecked.
    fn hint_coverage(&self) -> Option<Coverage> {
        let (head, len) = hint_head(self.context, self.source)?;
        self.context.format.hint_parts(&head, len)?.coverage
    }
}
