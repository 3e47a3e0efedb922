//! Carrying a repair out: what stays is written into new segments, and these take the place of those that go.
//!
//! The steps and what each guards against are those of a merge's commit, with the flag that sets the inputs aside. Keeps:
//! an error before that leaves nothing behind.

use std::path::Path;
use std::sync::Arc;

use crate::disk::ReadDisk;
use crate::error::{Error, Result};
use crate::format::{HintEntry, Kind, MergePart, QUARANTINE, SegmentId};
use crate::store::inner::Inner;
use crate::store::merge::{Input, Outputs, Stop, commit, set_aside_names};
use crate::store::quarantine;
use crate::store::scan::What;
use crate::store::segment::Segment;
use crate::store::writer::Writer;

use super::evidence::Evidence;
use super::examine::walk;

/// Writes what stays and sets aside what does not hold.
pub(super) fn carry_out(inner: &Inner, writer: &Writer, evidence: &Evidence) -> Result<()> {
    retire(writer, evidence);
    let mut new = New { inner, outputs: Outputs::new(inner, writer) };
    let committed = new.write(evidence).and_then(|()| {
        let parts: Vec<MergePart> =
            evidence.broken.iter().map(|broken| free_name(&*inner.disk, &inner.dir, broken.part)).collect();
        commit(inner, writer, &parts, new.outputs.done(), true)
    });
    if committed.is_err() && writer.check_alive().is_ok() {
        new.outputs.discard();
    }
    committed
}

/// A segment that goes is not appended to any more, nor given a hint when the store is closed.
fn retire(writer: &Writer, evidence: &Evidence) {
    let goes = |id: SegmentId| evidence.broken.iter().any(|broken| broken.part.id == id);
    let retired = writer.core.lock().active.take_if(|log| goes(log.segment.id));
    if let Some(log) = retired {
        log.segment.ledger.lock().active = false;
    }
}

/// Sets aside a hint that does not hold and that nobody writes anew: a segment without records has none.
pub(super) fn set_hint_aside(inner: &Inner, writer: &Writer, id: SegmentId) -> Result<()> {
    let is_active = writer.core.lock().active.as_ref().is_some_and(|log| log.segment.id == id);
    let contents = inner.contents();
    let Some(segment) = contents.segment(id).filter(|it| !is_active && !it.ledger.lock().has_hint) else {
        return Ok(());
    };
    let path = inner.dir.join(inner.format.hint_name(id).unwrap_or_default());
    let part = MergePart { id, salt: segment.header.salt, len: 0 };
    let [_, name] = set_aside_names(&free_name(&*inner.disk, &inner.dir, part));
    quarantine::take(&*writer.disk, &inner.dir, &path, &name)
}

/// The part under a salt with which no file was set aside before: nothing in `quarantine/` is ever replaced.
fn free_name(disk: &dyn ReadDisk, dir: &Path, part: MergePart) -> MergePart {
    let is_taken = |part: &MergePart| {
        let taken = |name: &String| disk.entry(&dir.join(QUARANTINE).join(name)).is_ok();
        set_aside_names(part).iter().any(taken)
    };
    let mut part = part;
    while is_taken(&part) {
        part.salt = part.salt.wrapping_add(1);
    }
    part
}

struct New<'a> {
    inner: &'a Inner,
    outputs: Outputs<'a>,
}

impl New<'_> {
    fn write(&mut self, evidence: &Evidence) -> Result<()> {
        for segment in evidence.broken.iter().filter_map(|broken| broken.segment.as_ref()) {
            self.records(segment, evidence)?;
        }
        // An older value must not pass for the one that is lost.
        for (key, versions) in evidence.versions.iter().filter(|(_, versions)| !versions.newest.is_intact) {
            self.outputs.tombstone(key, versions.newest.tstamp)?;
        }
        self.outputs.finish()
    }

    /// Copies the records of one segment that are the newest of their keys, and those of unknown kinds.
    fn records(&mut self, segment: &Arc<Segment>, evidence: &Evidence) -> Result<()> {
        let mut input = Input::new(segment.clone(), self.inner.format);
        let (mut scan, _) = walk(self.inner, segment)?;
        loop {
            let at = scan.position();
            let item = scan.next_item().map_err(|e| Error::io_at("read", &segment.path, at, e))?;
            let Some(item) = item else { return Ok(()) };
            let What::Record(record, Ok(())) = &item.what else { continue };
            let entry = HintEntry::of(record, at);
            let is_newest = || {
                let newest = evidence.versions.get(record.key).map(|versions| versions.newest);
                newest.is_some_and(|it| (it.place.segment, it.place.offset, it.is_intact) == (segment.id, at, true))
            };
            if matches!(record.kind, Kind::Unknown(_)) || (record.kind != Kind::Mark && is_newest()) {
                let copied = self.outputs.copy(&mut input, &entry, &mut |_| Ok(()));
                copied.map_err(|stop| failed(segment, at, stop))?;
            }
        }
    }
}

/// A record that held a moment ago.
fn failed(segment: &Segment, offset: u64, stop: Stop) -> Error {
    match stop {
        Stop::Failed(error) => error,
        Stop::Damaged(damage) => {
            Error::Damaged { path: segment.path.clone(), segment: segment.id, offset, check: damage.check }
        }
    }
}
