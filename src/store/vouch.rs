//! Reading every record of one segment file, and the hint that vouches for all of them: for directories that are put
//! together from files, before anybody opens them as a store.
//!
//! Must not know where the file came from. Keeps: a hint is written only for a file in which every byte decodes, and it
//! is made from the records, so that no hint from elsewhere need be believed.

use std::path::Path;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::format::{Check, FileRole, Format, HeaderFault, record};

use super::hint_file::{self, Built};
use super::segment::{Ledger, Segment};

/// What reading a segment file came to.
#[derive(Clone, Debug)]
pub struct Vouched {
    /// Records that hold; 0 where there is damage.
    pub records: u64,
    /// The first damage, as [`Error::Damaged`]. Then there is no hint.
    pub damage: Option<Error>,
}

/// Reads every record of the native segment file `name` in `dir` and, if all of them hold, writes its hint. The data must
/// be on stable storage; the hint is too on return, but for its name, which the caller's sync of `dir` saves. `told`
/// hears how many bytes were read so far.
///
/// Errors: [`Error::NeedsNewer`] if only a later version understands it, [`Error::Io`].
pub fn vouch(disk: &dyn Disk, dir: &Path, name: &str, told: &mut dyn FnMut(u64)) -> Result<Vouched> {
    let path = dir.join(name);
    let Some(FileRole::Segment(id)) = record::Native.role(name) else {
        return Err(Error::NotAStore { path, reason: "it is not named like a segment file".to_owned() });
    };
    let file = disk.open_read(&path).map_err(|e| Error::io("open", &path, e))?;
    let failed = |e| Error::io("read", &path, e);
    let len = file.len().map_err(failed)?;
    let mut head = vec![0; record::Native.max_file_header_len()];
    let read = file.read_full_at(&mut head, 0).map_err(failed)?;
    head.truncate(read);
    let damaged = |offset, check| {
        let damage = Error::Damaged { path: path.clone(), segment: id, offset, check };
        Ok(Vouched { records: 0, damage: Some(damage) })
    };
    let header = match record::Native.file_header(&head) {
        Ok(header) if header.id.is_none_or(|found| found == id) => header,
        Ok(_) => return damaged(0, Check::Implausible("its header names another segment")),
        Err(HeaderFault::NeedsNewer(what)) => return Err(Error::NeedsNewer { path, offset: None, what }),
        Err(HeaderFault::Damaged(check)) => return damaged(0, check),
        Err(HeaderFault::Incomplete) => {
            let missing = (record::Native.max_file_header_len() - read) as u64;
            return damaged(0, Check::PastEnd { missing });
        }
    };
    let segment = Segment::new(id, path.clone(), header, file, Ledger::new(len));
    match hint_file::read_all(&segment, told, true).map_err(failed)? {
        Built::Damaged(offset, check) => damaged(offset, check),
        Built::NeedsNewer(offset, what) => Err(Error::NeedsNewer { path, offset: Some(offset), what }),
        Built::Hint(bytes, records) => {
            hint_file::put(disk, dir, &segment, &bytes)?;
            Ok(Vouched { records, damage: None })
        }
    }
}
