//! The work of a merge: goes over the inputs in the order of their bytes and writes what is kept.
//!
//! Puts, gets and deletes go on meanwhile: the judge asks the keydir of the moment, and what moves on later is dead in
//! the output, as it would be anywhere. Keeps: an error leaves nothing behind and changes nothing.

use std::time::Instant;

use crate::error::{Error, Result};
use crate::format::{HintEntry, Kind, SegmentId};
use crate::store::events::Event;
use crate::store::inner::Inner;
use crate::store::writer::Writer;

use super::MergeControl;
use super::entries::{self, Stop};
use super::input::Input;
use super::judge::{Fate, Judge};
use super::outputs::{Outputs, Written};

/// Progress is told after so many bytes.
const STEP: u64 = 4 << 20;

/// What copying gave.
#[derive(Debug, Default)]
pub(super) struct Copied {
    pub(super) written: Written,
    pub(super) read_bytes: u64,
    pub(super) written_bytes: u64,
    pub(super) records: u64,
    pub(super) tombstones_kept: u64,
    pub(super) tombstones_dropped: u64,
}

/// Copies what is kept of the inputs. On an error, which names the input that was read, nothing is left behind.
pub(super) fn copy(
    writer: &Writer,
    judge: &Judge<'_>,
    inputs: &[SegmentId],
    control: &MergeControl,
) -> Result<Copied, (SegmentId, Stop)> {
    let inner = judge.inner();
    std::thread::scope(|scope| {
        let pace = Pace { inner, writer, control, started: Instant::now(), told: 0 };
        let outputs = Outputs::settled_in(scope, inner, writer);
        let mut copier = Copier { inner, judge, pace, outputs, out: Copied::default() };
        if let Err(stop) = copier.all(inputs) {
            copier.outputs.discard();
            return Err(stop);
        }
        let written_bytes = copier.outputs.bytes();
        Ok(Copied { written: copier.outputs.into_done(), written_bytes, ..copier.out })
    })
}

struct Copier<'a> {
    inner: &'a Inner,
    judge: &'a Judge<'a>,
    pace: Pace<'a>,
    outputs: Outputs<'a>,
    out: Copied,
}

/// How fast it goes, how far it is, and whether it goes on.
struct Pace<'a> {
    inner: &'a Inner,
    writer: &'a Writer,
    control: &'a MergeControl,
    started: Instant,
    told: u64,
}

impl Copier<'_> {
    fn all(&mut self, inputs: &[SegmentId]) -> Result<(), (SegmentId, Stop)> {
        for id in inputs {
            self.segment(*id).map_err(|stop| (*id, stop))?;
        }
        let last = inputs.last().copied().unwrap_or_default();
        self.outputs.finish().map_err(|error| (last, Stop::Failed(error)))
    }

    fn segment(&mut self, id: SegmentId) -> Result<(), Stop> {
        self.pace.go_on()?;
        let (inner, judge) = (self.inner, self.judge);
        let Some(segment) = inner.contents().segment(id) else { return Ok(()) };
        let mut input = Input::new(segment.clone(), inner.format);
        let read = entries::visit(inner, &segment, &mut |entry| match judge.fate(id, entry) {
            Fate::Copied => self.record(&mut input, entry),
            Fate::Hides { .. } => self.tombstone(entry),
            Fate::LetGo { .. } => {
                self.out.tombstones_dropped += 1;
                Ok(())
            }
            Fate::Superseded => Ok(()),
        })?;
        self.out.read_bytes += read;
        Ok(())
    }

    fn record(&mut self, input: &mut Input, entry: &HintEntry<'_>) -> Result<(), Stop> {
        let pace = &mut self.pace;
        self.outputs.copy(input, entry, &mut |done| pace.tell(done))?;
        self.out.records += u64::from(entry.kind == Kind::Put);
        self.out.read_bytes += entry.len;
        Ok(())
    }

    fn tombstone(&mut self, entry: &HintEntry<'_>) -> Result<(), Stop> {
        self.outputs.tombstone(entry.key, entry.tstamp)?;
        self.out.tombstones_kept += 1;
        self.pace.tell(self.outputs.bytes())
    }
}

impl Pace<'_> {
    /// Tells how far it is, from time to time.
    fn tell(&mut self, done: u64) -> Result<(), Stop> {
        if done < self.told + STEP.min(self.inner.options.max_segment_bytes) {
            return Ok(());
        }
        self.told = done;
        self.control.advance(done);
        let (_, total) = self.control.progress();
        self.inner.tell(|| Event::Merging { done, total });
        self.control.pace(self.started, done);
        self.go_on()
    }

    /// Stops where somebody has asked for it, or where nothing is written any more.
    fn go_on(&self) -> Result<(), Stop> {
        self.writer.check_alive()?;
        if self.control.is_cancelled() { Err(cancelled(self.inner).into()) } else { Ok(()) }
    }
}

pub(super) fn cancelled(inner: &Inner) -> Error {
    Error::MergeCancelled { dir: inner.dir.clone() }
}
