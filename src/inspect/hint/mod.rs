//! The hint file of a segment, part by part: its header, one row an entry, the filter, what closes it.
//!
//! Reads by the layout's own table and believes nothing: of a hint that is damaged, stale or longer than the data, every
//! byte can be looked at all the same. Keeps: rows are contiguous and fill the file; no more is read at a time than one
//! entry can take, whatever lengths the file claims.

mod rows;
mod standing;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::anatomy::{Anatomy, Layout, SumAnatomy, crc_of, one_field, take_apart};
use crate::disk::ReadFile;
use crate::error::{Error, Result};
use crate::format::{Check, Encoding, Field, FileHeader, Format, HintParts, Kind, Role, SegmentId, Width};
use crate::store::Store;

pub use self::rows::HintRows;
pub use self::standing::Standing;

/// More than a header takes.
const HEAD: usize = 64;

static BLOOM: Field = Field {
    name: "bloom filter",
    width: Width::Value,
    encoding: Encoding::Bytes,
    role: Role::Place,
    meaning: "Ten bits a key, seven of them set for each: a key that finds one unset is not in the segment.",
};

static GAP: Field = Field {
    name: "bytes that do not decode",
    width: Width::Value,
    encoding: Encoding::Bytes,
    role: Role::Value,
    meaning: "No entry begins here, and where the next one would is not known.",
};

/// A part of a hint file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HintPart {
    /// What it says of the segment as a whole.
    Header,
    /// What it says of one record.
    Entry,
    /// A stretch that does not decode.
    Gap,
    /// The filter that tells which keys the segment cannot hold.
    Bloom,
    /// The checksum over all before it.
    Closing,
}

impl HintPart {
    /// The word on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Entry => "entry",
            Self::Gap => "gap",
            Self::Bloom => "bloom filter",
            Self::Closing => "closing crc",
        }
    }
}

/// One line of a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HintRow {
    /// The segment.
    pub segment: SegmentId,
    /// Where the part starts in the hint file.
    pub offset: u64,
    /// Its bytes.
    pub len: u64,
    /// What it is.
    pub part: HintPart,
    /// The key of an entry.
    pub key: Option<Vec<u8>>,
    /// What the record does that an entry points at.
    pub kind: Option<Kind>,
    /// The bytes of that record in the segment.
    pub points_at: Option<Range<u64>>,
    /// What is wrong with it.
    pub check: Option<Check>,
}

/// A hint file that is looked at.
#[derive(Clone, Debug)]
pub struct HintFile {
    segment: SegmentId,
    path: PathBuf,
    file: Arc<dyn ReadFile>,
    format: &'static dyn Format,
    parts: HintParts,
    header: FileHeader,
    data_len: u64,
}

impl HintFile {
    /// Opens the hint of a segment; `None` if there is none.
    pub fn open(store: &Store, segment: SegmentId) -> Result<Option<Self>> {
        let Some((path, file)) = store.hint_file(segment)? else { return Ok(None) };
        let format = store.format().format();
        let failed = |e| Error::io("read", &path, e);
        let len = file.len().map_err(failed)?;
        let mut head = vec![0; HEAD];
        let read = file.read_full_at(&mut head, 0).map_err(failed)?;
        head.truncate(read);
        let Some(parts) = format.hint_parts(&head, len) else { return Ok(None) };
        let (header, data_len) = (store.file_header(segment)?, super::boundaries(store, segment, 0)?.end());
        Ok(Some(Self { segment, path, file, format, parts, header, data_len }))
    }

    /// Its bytes.
    pub fn len(&self) -> u64 {
        self.parts.end
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.parts.end == 0
    }

    /// The rows from the one that starts exactly at `boundary`, which is 0 or was an earlier row's.
    pub fn rows_from(&self, boundary: u64) -> HintRows<'_> {
        HintRows::new(self, boundary)
    }

    /// What the whole is worth. Reads all of it, in pieces; `None`: stopped.
    pub fn standing(&self, stopped: &dyn Fn() -> bool) -> Result<Option<Standing>> {
        let read = |at, len| if stopped() { Ok(Vec::new()) } else { self.read(at, len) };
        let sum = self.closing_sum(&self.closing()?, &read)?;
        if stopped() {
            return Ok(None);
        }
        let (covers, has) = (self.parts.coverage.map_or(self.data_len, |coverage| coverage.len), self.data_len);
        Ok(Some(match sum {
            None => Standing::Damaged(Check::Implausible("it has no closing checksum")),
            Some(SumAnatomy { stored, computed, .. }) if stored != computed => {
                Standing::Damaged(Check::FileChecksum { stored, computed })
            }
            Some(_) if !self.is_ours() => Standing::OtherFile,
            Some(_) if covers > has => Standing::Beyond { covers, has },
            Some(_) if covers < has => Standing::Behind { covers, has },
            Some(_) => Standing::Holds,
        }))
    }

    fn is_ours(&self) -> bool {
        let ours = |id, salt| id == self.segment && salt == self.header.salt;
        self.parts.coverage.is_none_or(|coverage| ours(coverage.id, coverage.salt))
    }

    /// Takes one of its rows apart.
    pub fn anatomy(&self, part: HintPart, offset: u64, len: u64) -> Result<Anatomy> {
        let read = |at, len| self.read(at, len);
        let by_table = |fields| take_apart(&Layout { fields, ..Layout::default() }, self.segment, offset, &read);
        match part {
            HintPart::Header => by_table(self.format.hint_header_fields()),
            HintPart::Entry => by_table(self.format.hint_entry_fields()),
            HintPart::Bloom => one_field(&BLOOM, self.segment, offset, len, &read),
            HintPart::Gap => one_field(&GAP, self.segment, offset, len, &read),
            HintPart::Closing => {
                let mut closing = self.closing()?;
                closing.sums.extend(self.closing_sum(&closing, &read)?);
                Ok(closing)
            }
        }
    }

    fn closing(&self) -> Result<Anatomy> {
        let layout = Layout { fields: self.format.hint_closing_fields(), ..Layout::default() };
        take_apart(&layout, self.segment, self.parts.bloom_end, &|at, len| self.read(at, len))
    }

    /// `None` if what stands at the end closes nothing.
    fn closing_sum(
        &self,
        closing: &Anatomy,
        read: &dyn Fn(u64, usize) -> Result<Vec<u8>>,
    ) -> Result<Option<SumAnatomy>> {
        let Some(sum) = self.format.hint_sum() else { return Ok(None) };
        let stored = closing.fields.iter().find(|field| field.field.name == sum.field).and_then(|field| field.number);
        // Where the closing part is an entry, it is one without a key.
        let others = closing.fields.iter().filter(|field| field.field.name != sum.field);
        let is_closing = others.filter(|field| field.field.role == Role::Length).all(|field| field.number == Some(0));
        let Some(stored) = stored.and_then(|stored| u32::try_from(stored).ok()).filter(|_| is_closing) else {
            return Ok(None);
        };
        let end = self.parts.bloom_end;
        Ok(Some(SumAnatomy { sum, stored, computed: crc_of(end, read)?, covers: 0..end }))
    }

    /// At most `len` bytes, and no more than there are.
    fn read(&self, at: u64, len: usize) -> Result<Vec<u8>> {
        let left = usize::try_from(self.parts.end.saturating_sub(at)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; len.min(left)];
        let read = self.file.read_full_at(&mut bytes, at).map_err(|e| Error::io_at("read", &self.path, at, e))?;
        bytes.truncate(read);
        Ok(bytes)
    }
}
