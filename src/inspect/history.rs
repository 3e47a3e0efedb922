//! Every version of one key that is still on disk.
//!
//! Bitcask never overwrites, so a key's past is in the segments until a merge takes it. The keydir knows only the newest:
//! each segment's hint is asked, and those without one that can be relied on are read. Decides nothing: why a version is
//! live or dead follows from the order of versions that the format prescribes. Keeps: hints change what it costs, never
//! what it finds.

use std::fmt;
use std::ops::ControlFlow;

use super::records::{RecordRow, RowKind, RowState, record_at, records_from};
use crate::error::Result;
use crate::format::{Kind, SegmentId, VersionOrder};
use crate::store::{Effort, Hinted, Location, SegmentInfo, Store};

/// Bytes between two words on how far it has come.
const TELL: u64 = 4 << 20;
/// Records of one segment that are read one by one; a key that has more is in all of it.
const MOST_PLACES: usize = 1 << 12;

/// One version of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The record.
    pub row: RecordRow,
    /// Why it is what it is.
    pub reason: Reason,
}

/// Why a version is live or dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The keydir points at it.
    Live,
    /// It is the newest, and says that the key is gone.
    Deletes,
    /// It is the newest, and its time ran out.
    Expired,
    /// It is the newest, and does not hold: the key answers with an error.
    Damaged,
    /// What it does is not known here, so it takes nothing's place.
    Unknown,
    /// This one took its place.
    SupersededBy(Location),
    /// This one deleted it.
    DeletedBy(Location),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live => f.write_str("the keydir points here"),
            Self::Deletes => f.write_str("the newest version: the key is deleted"),
            Self::Expired => f.write_str("the newest version: its time ran out"),
            Self::Damaged => f.write_str("the newest version: it does not hold, so the key has no answer"),
            Self::Unknown => f.write_str("of a kind that only a newer logkv knows"),
            Self::SupersededBy(by) => write!(f, "superseded by {}:{}", by.segment, by.offset),
            Self::DeletedBy(by) => write!(f, "deleted by {}:{}", by.segment, by.offset),
        }
    }
}

/// What is left of a key's past.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The newest versions, newest first.
    pub versions: Vec<Version>,
    /// How many there are in all.
    pub total: usize,
    /// What finding them cost.
    pub effort: Effort,
}

/// The versions of `key`, newest first; `progress` is told bytes done and in all, and may stop it: then only what was read
/// so far is in the answer.
pub fn history(
    store: &Store,
    key: &[u8],
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Vec<Version>> {
    newest_versions(store, key, usize::MAX, progress).map(|history| history.versions)
}

/// The `most` newest of them. Holds no more than twice as many: a counter may have millions.
pub fn newest_versions(
    store: &Store,
    key: &[u8],
    most: usize,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<History> {
    let segments = store.segments();
    let total = segments.iter().map(|segment| segment.bytes).sum();
    let order = store.format().format().version_order();
    let newest = Newest { order, most, rows: Vec::new(), seen: 0 };
    let mut search = Search { store, key, newest, effort: Effort::default() };
    let mut done = 0;
    for segment in &segments {
        let mut come = |here: u64| progress(done + here.min(segment.bytes), total);
        if search.segment(segment, &mut come)?.is_break() {
            break;
        }
        done += segment.bytes;
        if progress(done, total).is_break() {
            break;
        }
    }
    let Search { mut newest, effort, .. } = search;
    newest.cut();
    Ok(History { versions: explain(newest.rows), total: newest.seen, effort })
}

struct Search<'a> {
    store: &'a Store,
    key: &'a [u8],
    newest: Newest,
    effort: Effort,
}

impl Search<'_> {
    /// Adds the versions of one segment; `Break`: stopped.
    fn segment(
        &mut self,
        segment: &SegmentInfo,
        come: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let hinted = self.store.hinted(segment.id, self.key);
        let hinted = hinted.filter(|hinted| hinted.places.len() <= MOST_PLACES);
        let mut effort = Effort { segments: 1, ..Effort::default() };
        effort.read_bytes = hinted.as_ref().map_or(0, |hinted| hinted.hint_bytes);
        let rows = hinted.as_ref().map(|hinted| self.named(hinted)).transpose()?.flatten();
        let from = match (&rows, hinted) {
            (Some(_), Some(hinted)) => {
                let is_all = hinted.covered >= segment.bytes;
                effort.denied = u64::from(is_all && hinted.denied);
                effort.named = u64::from(is_all && !hinted.denied);
                hinted.covered
            }
            _ => 0,
        };
        let named: u64 = rows.iter().flatten().map(|row| row.len).sum();
        rows.into_iter().flatten().for_each(|row| self.newest.push(row));
        effort.walked = 1 - effort.denied - effort.named;
        let rest = segment.bytes.saturating_sub(from);
        effort.read_bytes += named + rest;
        effort.spared_bytes = segment.bytes - rest - named.min(segment.bytes - rest);
        self.effort += effort;
        if rest == 0 { Ok(ControlFlow::Continue(())) } else { self.walk(segment.id, from, come) }
    }

    /// The records that a hint names, as they are in the file. `None`: one of them is not there, so that the hint does
    /// not tell the truth and all has to be read.
    fn named(&self, hinted: &Hinted) -> Result<Option<Vec<RecordRow>>> {
        let rows = hinted.places.iter().map(|place| record_at(self.store, *place, self.key));
        rows.collect()
    }

    /// Reads record by record from `from` on.
    fn walk(
        &mut self,
        segment: SegmentId,
        from: u64,
        come: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let mut told = from;
        for row in records_from(self.store, segment, from)? {
            let row = row?;
            if row.offset.saturating_sub(told) >= TELL {
                told = row.offset;
                if come(told).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            if row.key.as_deref() == Some(self.key) {
                self.newest.push(row);
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// The newest of all rows that were pushed, and as many others at most.
struct Newest {
    order: VersionOrder,
    most: usize,
    rows: Vec<RecordRow>,
    /// How many were pushed.
    seen: usize,
}

impl Newest {
    fn push(&mut self, row: RecordRow) {
        self.seen += 1;
        self.rows.push(row);
        if self.rows.len() >= self.most.saturating_mul(2) {
            self.cut();
        }
    }

    /// Puts the newest first and drops the others.
    fn cut(&mut self) {
        self.rows.sort_by_key(|row| std::cmp::Reverse(age(self.order, row)));
        self.rows.truncate(self.most);
    }
}

fn age(order: VersionOrder, row: &RecordRow) -> (u64, u64, u64) {
    match order {
        VersionOrder::Tstamp => (row.tstamp.unwrap_or(0), row.segment, row.offset),
        VersionOrder::Place => (row.segment, row.offset, 0),
    }
}

fn explain(rows: Vec<RecordRow>) -> Vec<Version> {
    let mut newer: Option<(Location, bool)> = None;
    let mut versions = Vec::with_capacity(rows.len());
    for row in rows {
        let is_tombstone = row.kind == RowKind::Record(Kind::Tombstone);
        if row.state == RowState::Unknown {
            versions.push(Version { row, reason: Reason::Unknown });
            continue;
        }
        let reason = match newer {
            Some((by, true)) => Reason::DeletedBy(by),
            Some((by, false)) => Reason::SupersededBy(by),
            None => match row.state {
                RowState::Tombstone => Reason::Deletes,
                RowState::Expired => Reason::Expired,
                RowState::Damaged | RowState::Torn => Reason::Damaged,
                _ => Reason::Live,
            },
        };
        newer = Some((Location { segment: row.segment, offset: row.offset, len: row.len }, is_tombstone));
        versions.push(Version { row, reason });
    }
    versions
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::disk::sim::SimDisk;
    use crate::store::Options;

    #[test]
    fn reading_one_long_segment_can_be_stopped_on_the_way() {
        let options = Options { create: true, max_segment_bytes: 64 << 20, ..Options::default() };
        let store = Store::open_on(Arc::new(SimDisk::new()), Path::new("data"), options).unwrap();
        for _ in 0..10 {
            store.put(b"k", &vec![7; 1 << 20]).unwrap();
        }
        let mut told = Vec::new();
        let mut stop = |done, total| {
            told.push((done, total));
            ControlFlow::Break(())
        };
        let versions = history(&store, b"k", &mut stop).unwrap();
        assert!(told.len() == 1 && told.iter().all(|(done, total)| done < total), "{told:?}");
        assert!(versions.len() < 10);
        assert_eq!(history(&store, b"k", &mut |_, _| ControlFlow::Continue(())).unwrap().len(), 10);
    }

    #[test]
    fn of_many_versions_the_newest_are_those_of_the_whole_history_and_few_are_held() {
        let options = Options { create: true, max_segment_bytes: 900, ..Options::default() };
        let store = Store::open_on(Arc::new(SimDisk::new()), Path::new("data"), options).unwrap();
        for n in 0..50u8 {
            store.put(b"k", &[n]).unwrap();
            store.put(b"other", &[n]).unwrap();
            if n % 7 == 0 {
                store.delete(b"k").unwrap();
            }
        }
        let go_on = &mut |_, _| ControlFlow::Continue(());
        let all = history(&store, b"k", go_on).unwrap();
        assert_eq!(all.len(), 58);
        for most in [0, 1, 3, 57, 58, 99] {
            let newest = newest_versions(&store, b"k", most, go_on).unwrap();
            assert_eq!((&*newest.versions, newest.total), (all.get(..most).unwrap_or(&all), 58), "{most}");
        }
        let mut newest = Newest { order: VersionOrder::Place, most: 5, rows: Vec::new(), seen: 0 };
        for version in &all {
            newest.push(version.row.clone());
            assert!(newest.rows.len() < 10);
        }
    }
}
