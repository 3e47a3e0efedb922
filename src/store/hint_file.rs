//! Hint files on disk: read when they can be believed, written for segments without damage.
//!
//! # Invariants
//!
//! 1. A hint is written only after the segment's data was synced, and only if every byte that it covers decoded: else it
//!    would launder damage.
//! 2. A hint appears under its name whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{Disk, ReadDisk};
use crate::error::{Error, Result};
use crate::format::hint::HintBuilder;
use crate::format::{Check, Format, HintEntry, Kind, record};

use super::new_file::{create_anew, write_all};
use super::scan::What;
use super::segment::Segment;

/// A segment is under 4 GiB, and so is what a hint says of it, unless all its records are deletions of the empty key.
pub(super) const MAX_LEN: u64 = 4 << 30;

/// Reads a whole hint file; `None` if there is none.
pub(super) fn read(disk: &dyn ReadDisk, path: &Path) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let file = match disk.open_read(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io("open", path, e)),
    };
    let mut read = || -> io::Result<()> {
        let len = file.len()?;
        if len > MAX_LEN {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "no hint is this long"));
        }
        let len = usize::try_from(len).map_err(io::Error::other)?;
        bytes.try_reserve_exact(len)?;
        bytes.resize(len, 0);
        let read = file.read_full_at(&mut bytes, 0)?;
        bytes.truncate(read);
        Ok(())
    };
    read().map_err(|e| Error::io("read", path, e))?;
    Ok(Some(bytes))
}

/// What reading all records of a segment for its hint comes to.
pub(super) enum Built {
    /// The hint as the data says it must be, and of how many records.
    Hint(Vec<u8>, u64),
    /// The place of the first byte that does not decode.
    Damaged(u64, Check),
    /// The place of a record that only a later version understands, and what it has.
    NeedsNewer(u64, String),
}

/// The hint of a segment as its data says it must be; `None` if a byte of the data does not decode.
pub(super) fn build(segment: &Segment) -> io::Result<Option<Vec<u8>>> {
    match read_all(segment, &mut |_| {}, false)? {
        Built::Hint(bytes, _) => Ok(Some(bytes)),
        Built::Damaged(..) | Built::NeedsNewer(..) => Ok(None),
    }
}

/// Reads every record. `told` hears how far that is; `strict` also stops at what only a later version understands.
pub(super) fn read_all(segment: &Segment, told: &mut dyn FnMut(u64), strict: bool) -> io::Result<Built> {
    // A header from the future may claim more bytes than there are: nothing can vouch for those.
    if let Some(missing) = segment.header.len.checked_sub(segment.data_len()).filter(|missing| *missing > 0) {
        return Ok(Built::Damaged(0, Check::PastEnd { missing }));
    }
    let (mut builder, mut records) = (HintBuilder::default(), 0);
    let mut scan = segment.scan(&record::Native, segment.header.len);
    while let Some(item) = scan.next_item()? {
        match item.what {
            What::Record(record, Ok(())) => {
                if let Some(what) = record.needs_newer.clone().filter(|_| strict) {
                    return Ok(Built::NeedsNewer(item.offset, what));
                }
                records += 1;
                match record.kind {
                    Kind::Mark => builder.add_mark(record.tstamp),
                    _ => builder.add(&HintEntry::of(&record, item.offset)),
                }
                told(item.offset + item.len);
            }
            What::Record(_, Err(check)) => return Ok(Built::Damaged(item.offset, check)),
            What::Gap(gap) => return Ok(Built::Damaged(item.offset, gap.check)),
        }
    }
    let id = u32::try_from(segment.id).map_err(io::Error::other)?;
    Ok(Built::Hint(builder.finish(id, segment.header.salt, scan.position()), records))
}

/// Writes the hint of a segment whose data is on stable storage. Returns its bytes; `None` if the segment is damaged and
/// so must not have one.
pub(super) fn write(disk: &dyn Disk, dir: &Path, segment: &Segment) -> Result<Option<u64>> {
    let Some(bytes) = build(segment).map_err(|e| Error::io("read", &segment.path, e))? else { return Ok(None) };
    put(disk, dir, segment, &bytes)?;
    Ok(Some(bytes.len() as u64))
}

/// Puts a hint that was built beside its segment.
pub(super) fn put(disk: &dyn Disk, dir: &Path, segment: &Segment, bytes: &[u8]) -> Result<()> {
    let path = path_of(dir, segment);
    let tmp = path.with_extension("hint.tmp");
    let done = replace(disk, &tmp, &path, bytes);
    if done.is_err() {
        let _ = disk.remove(&tmp);
    }
    done.map_err(|e| Error::io("write", &path, e))
}

/// Writes a file beside its place, syncs it, and puts it there in one step. The directory is not synced: a hint that a
/// power cut takes away is written again.
fn replace(disk: &dyn Disk, tmp: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = create_anew(disk, tmp)?;
    write_all(&*file, bytes, 0)?;
    file.sync_data()?;
    disk.rename(tmp, path)
}

fn path_of(dir: &Path, segment: &Segment) -> PathBuf {
    dir.join(record::Native.hint_name(segment.id).unwrap_or_default())
}
