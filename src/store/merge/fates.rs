//! What becomes of the records of a merge's inputs, all together: the figures of a plan.
//!
//! Keeps: the outputs are counted as copying will fill them, whoever has looked at which input.

use std::collections::BTreeMap;

use crate::format::{HintEntry, Kind, SegmentId, record};
use crate::store::inner::Inner;
use crate::store::parallel::in_parallel;

use super::control::MergeControl;
use super::entries::{self, Stop};
use super::judge::{Fate, Judge};
use super::plan::KeptTombstone;

/// Records between two looks whether somebody wants the planning to end.
const GLANCE: u64 = 1 << 10;

/// Told of each tombstone that stays.
pub(super) type Tell<'a> = &'a mut dyn FnMut(KeptTombstone<'_>);

/// What becomes of the records of all inputs.
#[derive(Debug, Default)]
pub(super) struct Fates {
    pub(super) kept_bytes: BTreeMap<SegmentId, u64>,
    pub(super) hint_bytes: u64,
    pub(super) copied_bytes: u64,
    pub(super) live_records: u64,
    pub(super) let_go: u64,
    pub(super) let_go_by_filter: u64,
    pub(super) held_by: BTreeMap<SegmentId, u64>,
    pub(super) outputs: u64,
    /// Bytes of the last output.
    filled: u64,
}

/// What becomes of the records of one input.
#[derive(Debug, Default)]
struct Own {
    hint_bytes: u64,
    copied_bytes: u64,
    live_records: u64,
    let_go: u64,
    let_go_by_filter: u64,
    held_by: BTreeMap<SegmentId, u64>,
    /// The lengths of the records that are written, each with how many in a row have it.
    kept: Vec<(u64, u64)>,
}

/// Counts the fates of the records of these segments, several at once.
pub(super) fn count(judge: &Judge<'_>, ids: &[SegmentId], control: &MergeControl) -> Result<Fates, (SegmentId, Stop)> {
    let inner = judge.inner();
    let own = in_parallel(ids, inner.options.threads, |id| Own::count(judge, *id, control, &mut |_| {}));
    let mut fates = Fates::default();
    for (id, own) in ids.iter().zip(own) {
        fates.add(*id, own.map_err(|stop| (*id, stop))?, inner.options.max_segment_bytes);
    }
    Ok(fates)
}

/// Tells of the tombstones that stay in a merge of these segments.
pub(super) fn tell_of_kept(
    inner: &Inner,
    ids: &[SegmentId],
    control: &MergeControl,
    tell: Tell<'_>,
) -> Result<(), Stop> {
    let judge = Judge::new(inner, ids);
    ids.iter().try_for_each(|id| Own::count(&judge, *id, control, tell).map(drop))
}

impl Fates {
    /// Bytes of this input's records that are written again.
    pub(super) fn kept(&self, id: SegmentId) -> u64 {
        self.kept_bytes.get(&id).copied().unwrap_or_default()
    }

    fn add(&mut self, id: SegmentId, own: Own, max_segment_bytes: u64) {
        self.hint_bytes += own.hint_bytes;
        self.copied_bytes += own.copied_bytes;
        self.live_records += own.live_records;
        self.let_go += own.let_go;
        self.let_go_by_filter += own.let_go_by_filter;
        own.held_by.iter().for_each(|(held_by, count)| *self.held_by.entry(*held_by).or_default() += count);
        let kept: u64 = own.kept.iter().map(|(len, count)| len * count).sum();
        if kept > 0 {
            self.kept_bytes.insert(id, kept);
        }
        for (len, count) in own.kept {
            (0..count).for_each(|_| self.pack(len, max_segment_bytes));
        }
    }

    /// Puts a record where copying will put it, since outputs are not filled to the last byte.
    fn pack(&mut self, len: u64, max_segment_bytes: u64) {
        if self.outputs == 0 || self.filled.saturating_add(len) > max_segment_bytes {
            self.outputs += 1;
            self.filled = record::FILE_HEADER_LEN as u64;
        }
        self.filled += len;
    }
}

impl Own {
    fn count(judge: &Judge<'_>, id: SegmentId, control: &MergeControl, tell: Tell<'_>) -> Result<Self, Stop> {
        let (inner, mut own, mut seen) = (judge.inner(), Self::default(), 0_u64);
        let Some(segment) = inner.contents().segment(id) else { return Ok(own) };
        own.hint_bytes = entries::visit(inner, &segment, &mut |entry| {
            if seen.is_multiple_of(GLANCE) && control.is_cancelled() {
                return Err(super::copy::cancelled(inner).into());
            }
            seen += 1;
            let fate = judge.fate(id, entry);
            if let Fate::Hides { held_by } = fate {
                let is_expired = entry.kind == Kind::Put;
                let HintEntry { key, offset, tstamp, .. } = *entry;
                tell(KeptTombstone { key, segment: id, offset, tstamp, is_expired, held_by });
            }
            own.take(entry, fate);
            Ok(())
        })?;
        Ok(own)
    }

    fn take(&mut self, entry: &HintEntry<'_>, fate: Fate) {
        match fate {
            Fate::Copied => {
                self.live_records += u64::from(entry.kind == Kind::Put);
                self.copied_bytes += entry.len;
                self.keep(entry.len);
            }
            Fate::Hides { held_by } => {
                *self.held_by.entry(held_by).or_default() += 1;
                self.keep(record::encoded_len(entry.key.len(), 0, false));
            }
            Fate::LetGo { by_filter } => {
                self.let_go += 1;
                self.let_go_by_filter += u64::from(by_filter);
            }
            Fate::Superseded => {}
        }
    }

    fn keep(&mut self, len: u64) {
        match self.kept.last_mut() {
            Some((last, count)) if *last == len => *count += 1,
            _ => self.kept.push((len, 1)),
        }
    }
}
