//! The segments that a merge or a repair writes, one after the other, none beyond the length of a segment.
//!
//! Keeps: what was begun and came to nothing can be taken away again, whole or not.

use crate::error::Result;
use crate::format::{HintEntry, Kind, SegmentId, record};
use crate::store::Location;
use crate::store::inner::Inner;
use crate::store::writer::Writer;

use super::entries::Stop;
use super::input::Input;
use super::moves::Moves;
use super::output::{NewOutput, Output, discard};

/// Outputs, of which the last may not be finished.
pub(in crate::store) struct Outputs<'a> {
    inner: &'a Inner,
    writer: &'a Writer,
    current: Option<NewOutput>,
    begun: Vec<SegmentId>,
    done: Written,
    done_bytes: u64,
}

/// Outputs that are finished, and what they are copies of.
#[derive(Debug, Default)]
pub(in crate::store) struct Written {
    pub(in crate::store) outputs: Vec<Output>,
    pub(in crate::store) moves: Moves,
}

impl<'a> Outputs<'a> {
    pub(in crate::store) fn new(inner: &'a Inner, writer: &'a Writer) -> Self {
        Self { inner, writer, current: None, begun: Vec::new(), done: Written::default(), done_bytes: 0 }
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

    /// Makes the last one durable. No more can be written to it.
    pub(in crate::store) fn finish(&mut self) -> Result<()> {
        let Some(output) = self.current.take() else { return Ok(()) };
        self.done_bytes += output.len();
        self.done.outputs.push(output.finish(self.inner, &*self.writer.disk)?);
        Ok(())
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
        let Self { inner, writer, begun, current, done, .. } = self;
        // Closed first: not every platform lets an open file go.
        drop((current, done));
        discard(inner, &*writer.disk, begun.into_iter());
    }

    /// The output that takes a record of this length.
    fn room_for(&mut self, len: u64) -> Result<&mut NewOutput> {
        let limit = self.inner.options.max_segment_bytes;
        let is_full = |output: &NewOutput| !output.is_empty() && output.len().saturating_add(len) > limit;
        if self.current.as_ref().is_some_and(is_full) {
            self.finish()?;
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
