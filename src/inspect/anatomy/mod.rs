//! The anatomy of what stands in a file: every byte by the field it belongs to, each field read and explained, each
//! checksum computed over what it covers.
//!
//! Driven by the layout's tables alone, so that it shows what the decoder reads, for what the decoder refuses too. Keeps:
//! fields are contiguous, in file order, and clamped to what the file has; no more of a value is held than [`SHOWN`]
//! bytes.

mod taking;
mod words;

use std::ops::Range;

use crate::error::Result;
use crate::format::{Encoding, Field, SegmentId, Sum};
use crate::store::Store;

pub(super) use self::taking::{Layout, crc_of, one_field, take_apart};

/// Bytes of one field that are kept for showing.
pub const SHOWN: usize = 64 << 10;

/// Something taken apart: a record, a file header, a part of a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anatomy {
    /// The segment.
    pub segment: SegmentId,
    /// Where it starts in its file.
    pub offset: u64,
    /// Its bytes, as its own lengths say, no more than the file has.
    pub len: u64,
    /// Its fields in file order.
    pub fields: Vec<FieldAnatomy>,
    /// Its checksums.
    pub sums: Vec<SumAnatomy>,
    /// Bytes that the lengths claim and the file does not have.
    pub missing: u64,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldAnatomy {
    /// The row of the layout's table.
    pub field: &'static Field,
    /// Where it starts, from the start of the whole.
    pub start: u64,
    /// Its bytes in the file.
    pub len: u64,
    /// The first of them, at most [`SHOWN`].
    pub bytes: Vec<u8>,
    /// The number that they are, where they are one.
    pub number: Option<u64>,
    /// What they say, in words.
    pub value: String,
}

/// One checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SumAnatomy {
    /// The row of the layout's table.
    pub sum: &'static Sum,
    /// As stored.
    pub stored: u32,
    /// As computed: what a good one would read.
    pub computed: u32,
    /// The bytes of the file that it covers.
    pub covers: Range<u64>,
}

impl SumAnatomy {
    /// Whether the checksum holds.
    pub fn holds(&self) -> bool {
        self.stored == self.computed
    }
}

impl Anatomy {
    /// The field that the byte at `at`, counted from the start of the whole, belongs to.
    pub fn field_at(&self, at: u64) -> Option<&FieldAnatomy> {
        self.fields.iter().find(|field| (field.start..field.start + field.len).contains(&at))
    }

    /// The checksum that is stored in field number `field`.
    pub fn sum_in(&self, field: usize) -> Option<&SumAnatomy> {
        let name = self.fields.get(field)?.field.name;
        self.sums.iter().find(|sum| sum.sum.field == name)
    }
}

/// Takes apart what stands at `offset` of a segment, record or not.
pub fn anatomy(store: &Store, segment: SegmentId, offset: u64) -> Result<Anatomy> {
    anatomy_unless(store, segment, offset, &|| false)
}

/// The same for those who may lose patience: checksums cover all of a long value. Once `stopped` says so, they are what
/// was computed so far, and so nothing to rely on.
pub fn anatomy_unless(store: &Store, segment: SegmentId, offset: u64, stopped: &dyn Fn() -> bool) -> Result<Anatomy> {
    let format = store.format().format();
    let salt = store.file_header(segment)?.salt;
    let layout = Layout { fields: format.record_fields(), sums: format.record_sums(), salt, stopped };
    take_apart(&layout, segment, offset, &|at, len| store.bytes(segment, at, len))
}

/// Its fields alone, whose number and length do not depend on how long the value is.
pub fn fields_alone(store: &Store, segment: SegmentId, offset: u64) -> Result<Anatomy> {
    let layout = Layout { fields: store.format().format().record_fields(), ..Layout::default() };
    take_apart(&layout, segment, offset, &|at, len| store.bytes(segment, at, len))
}

/// Takes apart the header of a segment's file, whether it holds or not. Without fields where the format has none.
pub fn file_header_anatomy(store: &Store, segment: SegmentId) -> Result<Anatomy> {
    let format = store.format().format();
    let (fields, sums) = (format.file_header_fields(), format.file_header_sums());
    let layout = Layout { fields, sums, ..Layout::default() };
    take_apart(&layout, segment, 0, &|at, len| store.bytes(segment, at, len))
}

/// Both readings of a number's bytes, for those who look at them: as stored, and the other way round.
pub fn both_orders(field: &FieldAnatomy) -> Option<(u64, u64)> {
    field.number?;
    Some((Encoding::LittleEndian.number(&field.bytes)?, Encoding::BigEndian.number(&field.bytes)?))
}
