//! The anatomy of one record: every byte by the field it belongs to, each field read and explained, each checksum
//! computed over what it covers.
//!
//! Driven by the layout's tables alone ([`Format::record_fields`], [`Format::record_sums`]), so that it shows what the
//! decoder reads, for a record that the decoder refuses too. Keeps: fields are contiguous, in file order, and clamped to
//! what the file has; no more of a value is held than [`SHOWN`] bytes.

use std::ops::Range;

use crate::error::Result;
use crate::format::{Encoding, Field, FileHeader, Format, Role, SegmentId, Sum, Width};
use crate::store::Store;
use crate::text;

/// Bytes of one field that are kept for showing.
pub const SHOWN: usize = 64 << 10;
/// More than any frame and key of a format with 16-bit key lengths.
const FRAME: usize = 80 << 10;
const PIECE: usize = 1 << 20;

/// A record taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anatomy {
    /// The segment.
    pub segment: SegmentId,
    /// Where the record starts.
    pub offset: u64,
    /// Bytes of the record, as its own lengths say, no more than the file has.
    pub len: u64,
    /// Its fields in file order.
    pub fields: Vec<FieldAnatomy>,
    /// Its checksums.
    pub sums: Vec<SumAnatomy>,
    /// Bytes that the lengths claim and the file does not have.
    pub missing: u64,
}

/// One field of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldAnatomy {
    /// The row of the layout's table.
    pub field: &'static Field,
    /// Where it starts, from the start of the record.
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

/// One checksum of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SumAnatomy {
    /// The row of the layout's table.
    pub sum: &'static Sum,
    /// As stored.
    pub stored: u32,
    /// As computed: what a good record would read.
    pub computed: u32,
    /// The bytes that it covers, from the start of the record.
    pub covers: Range<u64>,
}

impl SumAnatomy {
    /// Whether the checksum holds.
    pub fn holds(&self) -> bool {
        self.stored == self.computed
    }
}

impl Anatomy {
    /// The field that the byte at `at`, counted from the start of the record, belongs to.
    pub fn field_at(&self, at: u64) -> Option<&FieldAnatomy> {
        self.fields.iter().find(|field| (field.start..field.start + field.len).contains(&at))
    }
}

/// Takes apart what stands at `offset` of a segment, record or not.
pub fn anatomy(store: &Store, segment: SegmentId, offset: u64) -> Result<Anatomy> {
    let format = store.format().format();
    let frame = store.bytes(segment, offset, FRAME)?;
    let lens = Lens::of(format, &frame);
    let file_left = left(store, segment, offset, lens.total(format))?;
    let mut fields = Vec::new();
    let mut start = 0;
    for field in format.record_fields() {
        let claimed = lens.of_field(field);
        let len = claimed.min(file_left.saturating_sub(start));
        if claimed > 0 || matches!(field.width, Width::Key | Width::Value) {
            let shown =
                store.bytes(segment, offset.saturating_add(start), usize::try_from(len).unwrap_or(SHOWN).min(SHOWN))?;
            fields.push(describe(field, start, len, shown));
        }
        start += len;
    }
    let header = store.file_header(segment)?;
    let record = Place { store, segment, offset };
    let sums = format.record_sums().iter().map(|sum| record.check(sum, &fields, &header));
    let sums = sums.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    Ok(Anatomy { segment, offset, len: start, fields, sums, missing: lens.total(format).saturating_sub(start) })
}

/// The lengths that the record claims.
struct Lens {
    with_expiry: bool,
    key: u64,
    value: u64,
}

impl Lens {
    fn of(format: &dyn Format, frame: &[u8]) -> Self {
        let mut lens = Self { with_expiry: false, key: 0, value: 0 };
        let mut at = 0usize;
        for field in format.record_fields() {
            let Width::Fixed(width) = field.width else { break };
            let number = frame.get(at..at + width).and_then(|bytes| field.encoding.number(bytes)).unwrap_or(0);
            match field.name {
                "flags" => lens.with_expiry = number & 1 != 0,
                "key length" => lens.key = number,
                "value length" => lens.value = number,
                _ => {}
            }
            at += width;
        }
        lens
    }

    fn of_field(&self, field: &Field) -> u64 {
        field.width.len(self.with_expiry, self.key, self.value)
    }

    fn total(&self, format: &dyn Format) -> u64 {
        format.record_fields().iter().map(|field| self.of_field(field)).fold(0, u64::saturating_add)
    }
}

/// How many of the `claimed` bytes the file has.
fn left(store: &Store, segment: SegmentId, offset: u64, claimed: u64) -> Result<u64> {
    let last = offset.saturating_add(claimed).saturating_sub(1);
    if claimed > 0 && !store.bytes(segment, last, 1)?.is_empty() {
        return Ok(claimed);
    }
    let (mut has, mut lacks) = (0, claimed);
    while has < lacks {
        let middle = has + (lacks - has) / 2;
        match store.bytes(segment, offset.saturating_add(middle), 1)?.is_empty() {
            true => lacks = middle,
            false => has = middle + 1,
        }
    }
    Ok(has)
}

fn describe(field: &'static Field, start: u64, len: u64, bytes: Vec<u8>) -> FieldAnatomy {
    let number = field.encoding.number(&bytes).filter(|_| !bytes.is_empty());
    let value = match (number, field.role) {
        (Some(number), Role::Checksum) => format!("{number:08x}"),
        (Some(number), Role::Time) => text::timestamp(micros(number, len)).to_string(),
        (Some(number), Role::Length) => text::size(number).to_string(),
        (Some(number), Role::Kind) => words(field, number),
        (Some(number), _) => number.to_string(),
        (None, _) => text::escape_to_width(&bytes, 60).text,
    };
    FieldAnatomy { field, start, len, bytes, number, value }
}

/// Four bytes of time are seconds, eight are microseconds, in every layout.
fn micros(number: u64, width: u64) -> u64 {
    if width == 4 { number.saturating_mul(1_000_000) } else { number }
}

fn words(field: &Field, number: u64) -> String {
    let known: &[(u64, &str)] = match field.name {
        "kind" => &[(1, "put"), (2, "tombstone"), (0x83, "mark")],
        _ => &[],
    };
    let bits: &[(u64, &str)] = match field.name {
        "flags" => &[(1, "has an expiry"), (2, "batch goes on"), (4, "lz4"), (16, "barrier")],
        _ => &[],
    };
    let named = known.iter().find(|(value, _)| *value == number).map(|(_, word)| (*word).to_owned());
    let set: Vec<_> = bits.iter().filter(|(bit, _)| number & bit != 0).map(|(_, word)| *word).collect();
    match named {
        Some(word) => word,
        None if field.name == "flags" && number == 0 => "none".to_owned(),
        None if !set.is_empty() => set.join(", "),
        None => format!("{number:#04x}"),
    }
}

struct Place<'a> {
    store: &'a Store,
    segment: SegmentId,
    offset: u64,
}

impl Place<'_> {
    /// `None` where the file is too short to have the checksum itself.
    fn check(&self, sum: &'static Sum, fields: &[FieldAnatomy], header: &FileHeader) -> Result<Option<SumAnatomy>> {
        let named = |name: &str| fields.iter().find(|field| field.field.name == name);
        let Some((field, from)) = named(sum.field).zip(named(sum.from)) else { return Ok(None) };
        let Some(stored) = field.number.and_then(|number| u32::try_from(number).ok()) else { return Ok(None) };
        // A layout's optional fields may be absent at the end of the range, never at its start.
        let end = named(sum.to).map_or(from.start + from.len, |to| to.start + to.len);
        let covers = from.start..end;
        let mut crc = crc32fast::Hasher::new();
        if sum.salted {
            crc.update(&header.salt.to_le_bytes());
            crc.update(&self.offset.to_le_bytes());
        }
        let mut at = covers.start;
        while at < covers.end {
            let want = usize::try_from(covers.end - at).unwrap_or(PIECE).min(PIECE);
            let piece = self.store.bytes(self.segment, self.offset.saturating_add(at), want)?;
            if piece.is_empty() {
                break;
            }
            crc.update(&piece);
            at += piece.len() as u64;
        }
        Ok(Some(SumAnatomy { sum, stored, computed: crc.finalize(), covers }))
    }
}

/// Both readings of a number's bytes, for those who look at them: as stored, and the other way round.
pub fn both_orders(field: &FieldAnatomy) -> Option<(u64, u64)> {
    field.number?;
    Some((Encoding::LittleEndian.number(&field.bytes)?, Encoding::BigEndian.number(&field.bytes)?))
}
