//! The segments that a merge writes, under temporary names, with their hints.
//!
//! Nothing here is visible to a reader or counted by anybody until it is committed; what fails is taken away again and
//! has changed nothing. Keeps: an output that is finished is whole and durable, and so is its hint.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, WriteFile};
use crate::error::{Error, Result};
use crate::format::hint::HintBuilder;
use crate::format::record::{self, NewRecord};
use crate::format::{FileHeader, Format, HintEntry, Kind, MergePart, Origin, SegmentId};
use crate::store::Location;
use crate::store::inner::Inner;
use crate::store::new_file::{create_anew, write_all};
use crate::store::segment::{Ledger, Segment};
use crate::store::writer::Writer;

use super::settling::Settling;

/// Bytes that wait before they are written.
const BUFFER: usize = 1 << 20;

/// A whole output.
#[derive(Debug)]
pub(in crate::store) struct Output {
    pub(in crate::store) segment: Arc<Segment>,
    pub(in crate::store) part: MergePart,
}

/// An output that is being written.
#[derive(Debug)]
pub(in crate::store) struct NewOutput {
    id: SegmentId,
    path: PathBuf,
    header: FileHeader,
    file: Arc<dyn WriteFile>,
    buffer: Vec<u8>,
    /// Bytes of the file, the buffer not counted.
    flushed: u64,
    hint: HintBuilder,
    ledger: Ledger,
}

/// The temporary names of a segment and its hint.
pub(in crate::store) fn temporary_names(dir: &Path, format: &dyn Format, id: SegmentId) -> [PathBuf; 2] {
    let hint = format.hint_name(id).unwrap_or_default();
    [dir.join(format!("{}.tmp", format.segment_name(id))), dir.join(format!("{hint}.tmp"))]
}

impl NewOutput {
    /// Begins a segment under a new id. The id is used up even if the merge comes to nothing.
    pub(in crate::store) fn begin(inner: &Inner, writer: &Writer) -> Result<Self> {
        let (id, salt) = {
            let mut core = writer.core.lock();
            let id = u32::try_from(core.next_id).map_err(|_| Error::NoMoreSegments { dir: inner.dir.clone() })?;
            core.next_id += 1;
            (id, core.next_salt())
        };
        let mut buffer = Vec::new();
        record::encode_file_header(id, salt, inner.now(), Origin::Merge, &mut buffer);
        let id = SegmentId::from(id);
        let path = inner.dir.join(inner.format.segment_name(id));
        let header = inner
            .format
            .file_header(&buffer)
            .map_err(|_| Error::io("create", &path, std::io::ErrorKind::Other.into()))?;
        let [tmp, _] = temporary_names(&inner.dir, inner.format, id);
        let file = create_anew(&*writer.disk, &tmp).map_err(|e| Error::of_write("create", &tmp, header.len, e))?;
        let ledger = Ledger { has_hint: true, ..Ledger::new(header.len) };
        Ok(Self { id, path, header, file, buffer, flushed: 0, hint: HintBuilder::default(), ledger })
    }

    /// Bytes so far.
    pub(in crate::store) fn len(&self) -> u64 {
        self.flushed + self.buffer.len() as u64
    }

    /// Whether no record is in it.
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.len() == self.header.len
    }

    /// Where a record of this length would stand.
    pub(in crate::store) fn place(&self, len: u64) -> Location {
        Location { segment: self.id, offset: self.len(), len }
    }

    /// A tombstone of this tstamp.
    pub(in crate::store) fn tombstone(&mut self, key: &[u8], tstamp: u64) -> Result<()> {
        let new = NewRecord::tombstone(key, tstamp);
        let offset = self.len();
        record::encode(&new, self.header.salt, offset, &mut self.buffer);
        self.note(&HintEntry {
            kind: Kind::Tombstone,
            flags: 0,
            key,
            offset,
            len: new.encoded_len(),
            stored_len: 0,
            tstamp,
            expires_at: None,
            codec: new.codec,
        });
        self.flush_full()
    }

    /// Frame and key of a record that is copied from elsewhere; all of its value has to follow.
    pub(in crate::store) fn head(&mut self, head: &[u8], entry: &HintEntry<'_>) -> Result<()> {
        let offset = self.len();
        record::transplant(head, self.header.salt, offset, &mut self.buffer);
        let flags = record::transplanted_flags(entry.kind, entry.flags);
        self.note(&HintEntry { offset, flags, ..*entry });
        self.flush_full()
    }

    /// All of a record that is copied from elsewhere, whose value begins at `value_start`.
    pub(in crate::store) fn record(&mut self, bytes: &[u8], value_start: usize, entry: &HintEntry<'_>) -> Result<()> {
        let offset = self.len();
        let (head, value) = bytes.split_at_checked(value_start).unwrap_or((bytes, &[]));
        record::transplant(head, self.header.salt, offset, &mut self.buffer);
        self.buffer.extend_from_slice(value);
        let flags = record::transplanted_flags(entry.kind, entry.flags);
        self.note(&HintEntry { offset, flags, ..*entry });
        self.flush_full()
    }

    /// The next bytes of its value.
    pub(in crate::store) fn value(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        self.flush_full()
    }

    fn note(&mut self, entry: &HintEntry<'_>) {
        self.hint.add(entry);
        self.ledger.count(entry.kind, entry.tstamp);
    }

    fn flush_full(&mut self) -> Result<()> {
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let written = write_all(&*self.file, &self.buffer, self.flushed);
        written.map_err(|e| Error::of_write("write", &self.path, self.buffer.len() as u64, e))?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Makes the segment and its hint durable: once they are named in `MERGE`, the inputs may go.
    pub(in crate::store) fn finish(mut self, inner: &Inner, disk: &dyn Disk) -> Result<Output> {
        self.flush()?;
        self.file.sync_data().map_err(|e| Error::io("sync", &self.path, e))?;
        let [_, tmp] = temporary_names(&inner.dir, inner.format, self.id);
        // An id of the native format has 32 bits.
        let hint = self.hint.finish(self.id as u32, self.header.salt, self.flushed);
        let failed = |e| Error::of_write("write", &tmp, hint.len() as u64, e);
        let file = create_anew(disk, &tmp).map_err(failed)?;
        write_all(&*file, &hint, 0).map_err(failed)?;
        file.sync_data().map_err(|e| Error::io("sync", &tmp, e))?;
        let part = MergePart { id: self.id, salt: self.header.salt, len: self.flushed };
        let ledger = Ledger { data_len: part.len, written_len: part.len, ..self.ledger };
        // It gets its own name before anybody reads it.
        let extent = if inner.options.mapped_reads { part.len } else { 0 };
        let reader = self.file.mapped_reader(&self.path, extent, part.len);
        let segment = Arc::new(Segment::new(self.id, self.path, self.header, reader, ledger));
        Ok(Output { segment, part })
    }

    /// Bytes that are in its file, the header among them.
    pub(super) fn flushed(&self) -> u64 {
        self.flushed
    }

    /// Lets the disk begin with it.
    pub(super) fn begin_to_settle(&self, settling: &Settling<'_>) {
        settling.begun(&self.path, &self.file);
    }

    /// Its id.
    pub(in crate::store) fn id(&self) -> SegmentId {
        self.id
    }
}

/// Takes away what was written under temporary names. What stays all the same is a leftover that the next open removes.
pub(in crate::store) fn discard(inner: &Inner, disk: &dyn Disk, ids: impl Iterator<Item = SegmentId>) {
    for path in ids.flat_map(|id| temporary_names(&inner.dir, inner.format, id)) {
        let _ = disk.remove(&path);
    }
}
