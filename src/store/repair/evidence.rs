//! What the segments that go have held: every version of every key that their bytes or their hints still name.
//!
//! # Invariants
//!
//! 1. A version counts as intact only if its record holds, value and all.
//! 2. Bytes that do not decode count as known only where a hint names every record in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use crate::error::{Error, Result};
use crate::format::{HintEntry, Kind, Origin, SegmentId};
use crate::store::Location;
use crate::store::holes::{self, Bound, Hole};
use crate::store::inner::Inner;
use crate::store::listing::list;
use crate::store::merge::{Stop, visit};
use crate::store::scan::What;

use super::examine::{Broken, examine, first_tstamps, walk};
use super::{LostBytes, LostKey, OlderValue, Repair, SetAside};

/// Everything that is known of the segments that go.
pub(super) struct Evidence {
    pub(super) broken: Vec<Broken>,
    /// Of each key that they name, what is known of it in the whole store.
    pub(super) versions: BTreeMap<Vec<u8>, Versions>,
    unknown: Vec<LostBytes>,
    /// Records of kinds that are not known here; they are carried along.
    carried: (u64, u64),
}

/// The newest version of a key, and the newest intact one before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Versions {
    pub(super) newest: Known,
    older: Option<Known>,
}

/// A version of a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) place: Location,
    pub(super) tstamp: u64,
    is_put: bool,
    expires_at: Option<u64>,
    pub(super) is_intact: bool,
    /// It is in a segment that goes.
    pub(super) goes: bool,
}

impl Known {
    fn of(entry: &HintEntry<'_>, segment: SegmentId, is_intact: bool, goes: bool) -> Self {
        let place = Location { segment, offset: entry.offset, len: entry.len };
        let (tstamp, expires_at) = (entry.tstamp, entry.expires_at);
        Self { place, tstamp, is_put: entry.kind == Kind::Put, expires_at, is_intact, goes }
    }
}

impl Versions {
    /// A version of the same tstamp is the same version: one copy of it that is intact is enough, best where it stays.
    fn offer(&mut self, known: Known) {
        if known.tstamp == self.newest.tstamp {
            if (known.is_intact, !known.goes) > (self.newest.is_intact, !self.newest.goes) {
                self.newest = known;
            }
            return;
        }
        let older = if known.tstamp > self.newest.tstamp { std::mem::replace(&mut self.newest, known) } else { known };
        if older.is_intact && self.older.is_none_or(|best| older.tstamp > best.tstamp) {
            self.older = Some(older);
        }
    }
}

/// Examines all segments of the store.
pub(super) fn gather(inner: &Inner) -> Result<Evidence> {
    if let Some(error) = inner.contents().needs_newer.clone() {
        return Err(error);
    }
    let listing = list(&*inner.disk, &inner.dir, inner.options.from, true)?;
    let broken = examine(inner, &listing)?;
    let mut evidence = Evidence { broken: Vec::new(), versions: BTreeMap::new(), unknown: Vec::new(), carried: (0, 0) };
    let mut holes = Vec::new();
    for broken in &broken {
        evidence.read(inner, broken, &mut holes)?;
    }
    let contents = inner.contents();
    let known = evidence.versions.values().map(|versions| versions.newest.tstamp).max().unwrap_or(0);
    let last = contents.last_tstamp.load(Ordering::Relaxed).max(known);
    holes::bound(&mut holes, &first_tstamps(&contents), last);
    for (lost, hole) in evidence.unknown.iter_mut().zip(&holes) {
        lost.stale_before = match hole.below {
            Bound::Tstamp(tstamp) => tstamp,
            Bound::Later | Bound::Place => last.saturating_add(1),
        };
    }
    if !evidence.versions.is_empty() {
        evidence.elsewhere(inner, &broken)?;
    }
    Ok(Evidence { broken, ..evidence })
}

impl Evidence {
    /// Takes in what one segment that goes still says.
    fn read(&mut self, inner: &Inner, broken: &Broken, holes: &mut Vec<Hole>) -> Result<()> {
        if broken.is_elsewhere {
            return Ok(());
        }
        let id = broken.part.id;
        let hint = broken.hint.as_deref().and_then(|bytes| inner.format.hint(bytes)?.ok());
        let covered = hint.as_ref().and_then(|hint| hint.coverage).map_or(0, |coverage| coverage.len);
        let mut intact = BTreeSet::new();
        let end = match &broken.segment {
            Some(_) => self.records(inner, broken, covered, &mut intact, holes)?,
            None => 0,
        };
        for entry in hint.iter().flat_map(|hint| hint.entries()).filter(|entry| !intact.contains(&entry.offset)) {
            self.offer(&entry, id, false);
        }
        if broken.segment.is_none() || covered > end {
            // What was behind the hint is not known, nor whether there was anything.
            let len = if broken.segment.is_none() { broken.part.len.saturating_sub(covered) } else { 0 };
            self.lost(holes, id, covered, Some(len).filter(|len| *len > 0));
        }
        Ok(())
    }

    /// Goes through its records. Returns where they end.
    fn records(
        &mut self,
        inner: &Inner,
        broken: &Broken,
        covered: u64,
        intact: &mut BTreeSet<u64>,
        holes: &mut Vec<Hole>,
    ) -> Result<u64> {
        let Some(segment) = &broken.segment else { return Ok(0) };
        let (mut scan, _) = walk(inner, segment)?;
        let in_order = segment.header.origin == Origin::Puts && !inner.contents().doubtful.contains(&segment.id);
        let mut open = holes.len();
        loop {
            let at = scan.position();
            let item = scan.next_item().map_err(|e| Error::io_at("read", &segment.path, at, e))?;
            let Some(item) = item else { return Ok(at) };
            match &item.what {
                What::Record(record, value) => {
                    if let Some(what) = record.needs_newer.clone() {
                        let (path, offset) = (segment.path.clone(), Some(at));
                        return Err(Error::NeedsNewer { path, offset, what });
                    }
                    for hole in holes.iter_mut().skip(open).filter(|_| in_order) {
                        hole.below = Bound::Tstamp(record.tstamp);
                    }
                    open = holes.len();
                    let entry = HintEntry { len: item.len, ..HintEntry::of(record, at) };
                    if value.is_ok() {
                        intact.insert(at);
                    }
                    match record.kind {
                        Kind::Put | Kind::Tombstone => self.offer(&entry, segment.id, value.is_ok()),
                        Kind::Unknown(_) if value.is_ok() => {
                            self.carried = (self.carried.0 + 1, self.carried.1 + item.len);
                        }
                        Kind::Mark | Kind::Unknown(_) => {}
                    }
                }
                What::Gap(_) => {
                    let from = at.max(covered);
                    if from < at + item.len {
                        self.lost(holes, segment.id, from, Some(at + item.len - from));
                    }
                }
            }
        }
    }

    fn offer(&mut self, entry: &HintEntry<'_>, segment: SegmentId, is_intact: bool) {
        if !matches!(entry.kind, Kind::Put | Kind::Tombstone) {
            return;
        }
        let known = Known::of(entry, segment, is_intact, true);
        match self.versions.get_mut(entry.key) {
            Some(versions) => versions.offer(known),
            None => drop(self.versions.insert(entry.key.to_vec(), Versions { newest: known, older: None })),
        }
    }

    fn lost(&mut self, holes: &mut Vec<Hole>, segment: SegmentId, offset: u64, len: Option<u64>) {
        holes.push(Hole { segment, offset, len: len.unwrap_or(0), below: Bound::Later });
        self.unknown.push(LostBytes { segment, offset, len, stale_before: 0 });
    }

    /// Takes in the versions of the same keys in segments that stay.
    fn elsewhere(&mut self, inner: &Inner, broken: &[Broken]) -> Result<()> {
        let contents = inner.contents();
        let segments: Vec<_> = contents.segments.read().values().cloned().collect();
        for segment in segments.iter().filter(|segment| broken.iter().all(|broken| broken.part.id != segment.id)) {
            let visited = visit(inner, segment, &mut |entry| {
                if let (Some(versions), Kind::Put | Kind::Tombstone) = (self.versions.get_mut(entry.key), entry.kind) {
                    versions.offer(Known::of(entry, segment.id, true, false));
                }
                Ok(())
            });
            visited.map_err(|stop| match stop {
                Stop::Failed(error) => error,
                Stop::Damaged(damage) => Error::Damaged {
                    path: segment.path.clone(),
                    segment: segment.id,
                    offset: damage.offset,
                    check: damage.check,
                },
            })?;
        }
        Ok(())
    }

    /// In words for people.
    pub(super) fn told(&self, now: u64) -> Repair {
        let set_aside = self.broken.iter().map(|broken| SetAside {
            segment: broken.part.id,
            path: broken.path.clone(),
            bytes: broken.part.len,
            why: broken.why.clone(),
        });
        let saved = || self.versions.values().map(|versions| versions.newest).filter(|it| it.is_intact && it.goes);
        let is_lost = |known: &Known| !known.is_intact && known.is_put && known.expires_at.is_none_or(|at| at > now);
        let lost = self.versions.iter().filter(|(_, versions)| is_lost(&versions.newest));
        let older = |known: Known| OlderValue { place: known.place, tstamp: known.tstamp };
        Repair {
            mended: Vec::new(),
            set_aside: set_aside.collect(),
            saved_records: self.carried.0 + saved().count() as u64,
            saved_bytes: self.carried.1 + saved().map(|known| known.place.len).sum::<u64>(),
            lost: lost
                .map(|(key, versions)| LostKey {
                    key: key.clone(),
                    place: versions.newest.place,
                    tstamp: versions.newest.tstamp,
                    older: versions.older.filter(|known| known.is_put).map(older),
                })
                .collect(),
            unknown: self.unknown.clone(),
        }
    }
}
