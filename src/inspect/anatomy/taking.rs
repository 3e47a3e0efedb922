//! Taking bytes apart by a table of fields. Knows neither what the file is nor where its bytes come from.

use std::ops::Range;

use crate::error::Result;
use crate::format::{Field, SegmentId, Sum, Width};

use super::words::describe;
use super::{Anatomy, FieldAnatomy, SHOWN, SumAnatomy};

/// More than any frame and key of a format with 16-bit key lengths.
const FRAME: usize = 80 << 10;
const PIECE: usize = 1 << 20;

/// Reads at most so many bytes of a file from an offset on; fewer where it ends.
pub(in crate::inspect) type Read<'a> = &'a dyn Fn(u64, usize) -> Result<Vec<u8>>;

/// What is taken apart.
pub(in crate::inspect) struct Layout<'a> {
    pub(in crate::inspect) fields: &'static [Field],
    pub(in crate::inspect) sums: &'static [Sum],
    /// The file's, for checksums that it is part of.
    pub(in crate::inspect) salt: u32,
    /// Nobody waits for the checksums any more.
    pub(in crate::inspect) stopped: &'a dyn Fn() -> bool,
}

impl Default for Layout<'_> {
    fn default() -> Self {
        Self { fields: &[], sums: &[], salt: 0, stopped: &|| false }
    }
}

/// Takes apart what stands at `offset` of a file.
pub(in crate::inspect) fn take_apart(
    layout: &Layout<'_>,
    segment: SegmentId,
    offset: u64,
    read: Read<'_>,
) -> Result<Anatomy> {
    let lens = Lens::of(layout.fields, &read(offset, FRAME)?);
    let total = lens.total(layout.fields);
    let file_left = left(read, offset, total)?;
    let mut fields = Vec::new();
    let mut start = 0;
    for field in layout.fields {
        let claimed = lens.of_field(field);
        let len = claimed.min(file_left.saturating_sub(start));
        if claimed > 0 || matches!(field.width, Width::Key | Width::Value) {
            let shown = usize::try_from(len).unwrap_or(SHOWN).min(SHOWN);
            fields.push(describe(field, start, len, read(offset.saturating_add(start), shown)?));
        }
        start += len;
    }
    let check = |sum| check(layout, sum, offset, &fields, read);
    let sums = layout.sums.iter().map(check).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    Ok(Anatomy { segment, offset, len: start, fields, sums, missing: total.saturating_sub(start) })
}

/// All of `len` bytes as one field.
pub(in crate::inspect) fn one_field(
    field: &'static Field,
    segment: SegmentId,
    offset: u64,
    len: u64,
    read: Read<'_>,
) -> Result<Anatomy> {
    let bytes = read(offset, usize::try_from(len).unwrap_or(SHOWN).min(SHOWN))?;
    let field = FieldAnatomy { field, start: 0, len, bytes, number: None, value: String::new() };
    Ok(Anatomy { segment, offset, len, fields: vec![field], sums: Vec::new(), missing: 0 })
}

/// The lengths that the bytes claim.
struct Lens {
    with_expiry: bool,
    key: u64,
    value: u64,
}

impl Lens {
    fn of(fields: &[Field], frame: &[u8]) -> Self {
        let mut lens = Self { with_expiry: false, key: 0, value: 0 };
        let mut at = 0usize;
        for field in fields {
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

    fn total(&self, fields: &[Field]) -> u64 {
        fields.iter().map(|field| self.of_field(field)).fold(0, u64::saturating_add)
    }
}

/// How many of the `claimed` bytes the file has.
fn left(read: Read<'_>, offset: u64, claimed: u64) -> Result<u64> {
    let last = offset.saturating_add(claimed).saturating_sub(1);
    if claimed > 0 && !read(last, 1)?.is_empty() {
        return Ok(claimed);
    }
    let (mut has, mut lacks) = (0, claimed);
    while has < lacks {
        let middle = has + (lacks - has) / 2;
        match read(offset.saturating_add(middle), 1)?.is_empty() {
            true => lacks = middle,
            false => has = middle + 1,
        }
    }
    Ok(has)
}

/// `None` where the file is too short to have the checksum itself.
fn check(
    layout: &Layout<'_>,
    sum: &'static Sum,
    offset: u64,
    fields: &[FieldAnatomy],
    read: Read<'_>,
) -> Result<Option<SumAnatomy>> {
    let named = |name: &str| fields.iter().find(|field| field.field.name == name);
    let Some((field, from)) = named(sum.field).zip(named(sum.from)) else { return Ok(None) };
    let Some(stored) = field.number.and_then(|number| u32::try_from(number).ok()) else { return Ok(None) };
    // A layout's optional fields may be absent at the end of the range, never at its start.
    let end = named(sum.to).map_or(from.start + from.len, |to| to.start + to.len);
    let mut crc = crc32fast::Hasher::new();
    if sum.salted {
        crc.update(&layout.salt.to_le_bytes());
        crc.update(&offset.to_le_bytes());
    }
    let covers = offset.saturating_add(from.start)..offset.saturating_add(end);
    feed(&mut crc, covers.clone(), &|at, len| if (layout.stopped)() { Ok(Vec::new()) } else { read(at, len) })?;
    Ok(Some(SumAnatomy { sum, stored, computed: crc.finalize(), covers }))
}

/// The CRC-32 of a file's first `len` bytes.
pub(in crate::inspect) fn crc_of(len: u64, read: Read<'_>) -> Result<u32> {
    let mut crc = crc32fast::Hasher::new();
    feed(&mut crc, 0..len, read)?;
    Ok(crc.finalize())
}

/// Ends early where there is nothing to be read.
fn feed(crc: &mut crc32fast::Hasher, range: Range<u64>, read: Read<'_>) -> Result<()> {
    let mut at = range.start;
    while at < range.end {
        let piece = read(at, usize::try_from(range.end - at).unwrap_or(PIECE).min(PIECE))?;
        if piece.is_empty() {
            break;
        }
        crc.update(&piece);
        at += piece.len() as u64;
    }
    Ok(())
}
