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
use crate::format::{Format, HintEntry, Kind, record};

use super::new_file::{create_anew, write_all};
use super::scan::What;
use super::segment::Segment;

/// A segment is under 4 GiB, and so is what a hint says of it, unless all its records are deletions of the empty key.
const MAX_LEN: u64 = 4 << 30;

/// Reads a whole hint file; `None` if there is none.
pub(super) fn read(disk: &dyn ReadDisk, path: &Path) -> Result<Option<Vec<u8>>> {
    let file = match disk.open_read(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io("open", path, e)),
    };
    let failed = |e| Error::io("read", path, e);
    let len = file.len().map_err(failed)?;
    if len > MAX_LEN {
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, "no hint is this long")));
    }
    let len = usize::try_from(len).map_err(|e| failed(io::Error::other(e)))?;
    let mut bytes = vec![0; len];
    let read = file.read_full_at(&mut bytes, 0).map_err(failed)?;
    bytes.truncate(read);
    Ok(Some(bytes))
}

/// The hint of a segment as its data says it must be; `None` if a byte of the data does not decode.
pub(super) fn build(segment: &Segment) -> io::Result<Option<Vec<u8>>> {
    let mut builder = HintBuilder::default();
    let mut scan = segment.scan(&record::Native, segment.header.len);
    while let Some(item) = scan.next_item()? {
        match item.what {
            What::Record(record, Ok(())) if record.kind == Kind::Mark => builder.add_mark(record.tstamp),
            What::Record(record, Ok(())) => builder.add(&HintEntry::of(&record, item.offset)),
            What::Record(_, Err(_)) | What::Gap(_) => return Ok(None),
        }
    }
    let id = u32::try_from(segment.id).map_err(io::Error::other)?;
    Ok(Some(builder.finish(id, segment.header.salt, scan.position())))
}

/// Writes the hint of a segment whose data is on stable storage. Returns its bytes; `None` if the segment is damaged and
/// so must not have one.
pub(super) fn write(disk: &dyn Disk, dir: &Path, segment: &Segment) -> Result<Option<u64>> {
    let path = path_of(dir, segment);
    let tmp = path.with_extension("hint.tmp");
    let Some(bytes) = build(segment).map_err(|e| Error::io("read", &segment.path, e))? else { return Ok(None) };
    let done = replace(disk, &tmp, &path, &bytes);
    if done.is_err() {
        let _ = disk.remove(&tmp);
    }
    done.map_err(|e| Error::io("write", &path, e))?;
    Ok(Some(bytes.len() as u64))
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
