//! The records of a segment as a merge needs them: kinds, places and keys, no values.
//!
//! They come from the segment's hint, which was written when all of its data was durable and whole; where there is none
//! that holds, from the data itself. Keeps: what is visited is all that the segment holds, or the visit fails.

use crate::error::{Error, Result};
use crate::format::{Check, Format, HintEntry, Kind};
use crate::store::hint_file;
use crate::store::inner::Inner;
use crate::store::scan::What;
use crate::store::segment::Segment;

/// A place of a segment that does not hold.
#[derive(Clone, Debug)]
pub(in crate::store) struct Damage {
    pub(in crate::store) offset: u64,
    pub(in crate::store) len: u64,
    pub(in crate::store) key: Option<Vec<u8>>,
    pub(in crate::store) check: Check,
}

/// Why not all records were visited.
#[derive(Debug)]
pub(in crate::store) enum Stop {
    /// The segment is damaged.
    Damaged(Damage),
    /// Something else failed.
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Shows every record that is no mark to `see`, in file order. Returns the bytes that were read for it.
pub(in crate::store) fn visit(
    inner: &Inner,
    segment: &Segment,
    see: &mut dyn FnMut(&HintEntry<'_>) -> Result<(), Stop>,
) -> Result<u64, Stop> {
    match hint(inner, segment)? {
        Some(bytes) => {
            if let Some(Ok(hint)) = inner.format.hint(&bytes) {
                hint.entries().try_for_each(|entry| see(&entry))?;
            }
            Ok(bytes.len() as u64)
        }
        None => {
            from_data(inner.format, segment, see)?;
            Ok(segment.data_len())
        }
    }
}

/// The bytes of the segment's hint, if it holds, belongs to it and covers all of it.
pub(in crate::store) fn hint(inner: &Inner, segment: &Segment) -> Result<Option<Vec<u8>>> {
    let (has_hint, data_len) = {
        let ledger = segment.ledger.lock();
        (ledger.has_hint, ledger.data_len)
    };
    let Some(name) = inner.format.hint_name(segment.id).filter(|_| has_hint) else { return Ok(None) };
    // One that went away or cannot be read is a convenience less.
    let Ok(Some(bytes)) = hint_file::read(&*inner.disk, &inner.dir.join(name)) else { return Ok(None) };
    let fits = match inner.format.hint(&bytes) {
        Some(Ok(hint)) => hint.coverage.is_some_and(|coverage| {
            (coverage.id, coverage.salt, coverage.len) == (segment.id, segment.header.salt, data_len)
        }),
        _ => false,
    };
    Ok(Some(bytes).filter(|_| fits))
}

fn from_data(
    format: &'static dyn Format,
    segment: &Segment,
    see: &mut dyn FnMut(&HintEntry<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut scan = segment.scan(format, segment.header.len).without_value_checks();
    loop {
        let at = scan.position();
        let item = scan.next_item().map_err(|e| Error::io_at("read", &segment.path, at, e))?;
        let Some(item) = item else { return Ok(()) };
        let (offset, len) = (item.offset, item.len);
        match item.what {
            What::Record(record, Ok(())) if record.kind == Kind::Mark => {}
            What::Record(record, Ok(())) => see(&HintEntry::of(&record, offset))?,
            What::Record(record, Err(check)) => {
                return Err(Stop::Damaged(Damage { offset, len, key: Some(record.key.to_vec()), check }));
            }
            What::Gap(gap) => return Err(Stop::Damaged(Damage { offset, len, key: None, check: gap.check })),
        }
    }
}
