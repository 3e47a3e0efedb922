//! The segments that a merge or a repair writes, one after the other, none beyond the length of a segment.
//!
//! Keeps: what was begun and came to nothing can be taken away again, whole or not.

use std::thread::Scope;

use crate::error::Result;
use crate::format::{HintEntry, Kind, SegmentId, record};
use crate::store::Location;
use crate::store::inner::Inner;
use crate::store::writer::Writer;

use super::entries::Stop;
use super::input::Input;
use super::moves::Moves;
use super::output::{NewOutput, Output, discard};
use super::settling::Settling;

/// So many bytes of an output are worth a sync of their own.
const SETTLED_AT_ONCE: u64 = 8 << 20;

/// Outputs, of which the last may not be finished.
pub(in crate::store) struct Outputs<'a> {
    inner: &'a Inner,
    writer: &'a Writer,
    current: Option<NewOutput>,
    begun: Vec<SegmentId>,
    done: Written,
    done_bytes: u64,
    /// Where they are made durable, if not here.
    settling: Option<Settling<'a>>,
    /// Bytes of the current one that it was told of.
    told: u64,
}

/// Outputs that are finished, and what they are copies of.
#[derive(Debug, Default)]
pub(in crate::store) struct Written {
    pub(in crate::store) outputs: Vec<Output>,
    pub(in crate::store) moves: Moves,
}

impl<'a> Outputs<'a> {
    pub(in crate::store) fn new(inner: &'a Inner, writer: &'a Writer) -> Self {
        let (begun, done) = (Vec::new(), Written::default());
        Self { inner, writer, current: None, begun, done, done_bytes: 0, settling: None, told: 0 }
    }

    /// Outputs that are made durable beside the thread that writes them, where there may be more than one.
    pub(super) fn settled_in<'env: 'a>(scope: &'a Scope<'a, 'env>, inner: &'env Inner, writer: &'env Writer) -> Self {
        let settling = if inner.options.threads > 1 { Settling::start(inner, &*writer.disk, scope) } else { None };
        Self { settling, ..Self::new(inner, writer) }
    }

    /// Bytes that were given to them so far.
    pub(in crate::store) fn bytes(&self) -> u64 {
        self.done_bytes + self.current.as_ref().map_or(0, NewOutput::len)
    }

    /// Copies a record of an input, piece by piece. `go_on` is asked after each, with the bytes so far.
    pub(in crate::store) fn copy(
        &mut self,
        input: &mut Input,
        entry: &HintEntry<'_>,
        go_on: &mut dyn FnMut(u64) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if let Some((bytes, value_start)) = input.whole(entry)? {
            let output = self.room_for(entry.len)?;
            let to = output.place(entry.len);
            output.record(bytes, value_start, entry)?;
            self.note(input, entry, to);
            self.settle_what_is_written();
            return go_on(self.bytes());
        }
        let mut head = input.head(entry)?;
        let output = self.room_for(entry.len)?;
        let to = output.place(entry.len);
        output.head(&head.bytes, entry)?;
        self.note(input, entry, to);
        loop {
            let piece = input.piece(entry, &mut head)?;
            if piece.is_empty() {
                return Ok(());
            }
            // However long it is, it stands in the output in which it begins.
            self.current.as_mut().map_or(Ok(()), |output| output.value(piece))?;
            self.settle_what_is_written();
            go_on(self.bytes())?;
        }
    }

    /// Only puts are what keys point at.
    fn note(&mut self, input: &Input, entry: &HintEntry<'_>, to: Location) {
        if entry.kind == Kind::Put {
            self.done.moves.note(Location { segment: input.id(), offset: entry.offset, len: entry.len }, to);
        }
    }

    /// Writes a tombstone of this tstamp.
    pub(in crate::store) fn tombstone(&mut self, key: &[u8], tstamp: u64) -> Result<()> {
        self.room_for(record::encoded_len(key.len(), 0, false))?.tombstone(key, tstamp)
    }

    /// Makes all of them durable. No more can be written to the last one.
    pub(in crate::store) fn finish(&mut self) -> Result<()> {
        self.finish_current()?;
        self.settle()
    }

    fn settle(&mut self) -> Result<()> {
        let Some(settling) = self.settling.take() else { return Ok(()) };
        self.done.outputs.extend(settling.finish()?);
        Ok(())
    }

    fn finish_current(&mut self) -> Result<()> {
        let Some(output) = self.current.take() else { return Ok(()) };
        self.done_bytes += output.len();
        self.told = 0;
        let Some(settling) = &self.settling else {
            self.done.outputs.push(output.finish(self.inner, &*self.writer.disk)?);
            return Ok(());
        };
        // One that has come to its end says why.
        if settling.whole(output) { Ok(()) } else { self.settle() }
    }

    /// The disk has something to do before an output is whole.
    fn settle_what_is_written(&mut self) {
        let (Some(settling), Some(output)) = (&self.settling, &self.current) else { return };
        if output.flushed() >= self.told + SETTLED_AT_ONCE {
            output.begin_to_settle(settling);
            self.told = output.flushed();
        }
    }

    /// Those that are finished.
    pub(in crate::store) fn done(&self) -> &Written {
        &self.done
    }

    /// Those that are finished, given away.
    pub(in crate::store) fn into_done(self) -> Written {
        self.done
    }

    /// Takes away all that was begun.
    pub(in crate::store) fn discard(self) {
        let Self { inner, writer, begun, current, done, settling, .. } = self;
        // Closed first: not every platform lets an open file go.
        drop((current, done, settling.map(Settling::finish)));
        discard(inner, &*writer.disk, begun.into_iter());
    }

    /// The output that takes a record of this length.
    fn room_for(&mut self, len: u64) -> Result<&mut NewOutput> {
        let limit = self.inner.options.max_segment_bytes;
        let is_full = |output: &NewOutput| !output.is_empty() && output.len().saturating_add(len) > limit;
        if self.current.as_ref().is_some_and(is_full) {
            self.finish_current()?;
        }
        let output = match self.current.take() {
            Some(output) => output,
            None => {
                let output = NewOutput::begin(self.inner, self.writer)?;
                self.begun.push(output.id());
                output
            }
        };
        Ok(self.current.insert(output))
    }
}
