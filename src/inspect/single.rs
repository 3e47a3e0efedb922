//! One segment file looked at by itself, outside any store: of any known format, under any name, never locked, never
//! written.
//!
//! The file is shown to the engine as the only one of a directory, under the name that its format would give it; so
//! everything that works on a store works on it. Keeps: no other file is opened.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::detect::{Detected, detect};
use crate::disk::{DirEntry, ReadDisk, ReadFile};
use crate::error::{Error, Result};
use crate::format::{FormatKind, SegmentId};
use crate::store::{Options, Store};
use crate::text;

/// Opens a segment file for looking at; the id is the one that its header or its name says.
pub fn open_file(disk: Arc<dyn ReadDisk>, path: &Path, options: Options) -> Result<(Store, SegmentId)> {
    let (format, named) = match detect(&*disk, path)? {
        Detected::SegmentFile(format, id) => (format, id),
        Detected::Missing => return Err(Error::Missing { dir: path.to_owned() }),
        Detected::Checkpoint => {
            let reason = "it is a checkpoint of a keydir, and a segment file is wanted".to_owned();
            return Err(Error::NotAStore { path: path.to_owned(), reason });
        }
        Detected::Other(reason) => return Err(Error::NotAStore { path: path.to_owned(), reason }),
        _ => {
            let reason = "it is a directory, and a segment file is wanted".to_owned();
            return Err(Error::NotAStore { path: path.to_owned(), reason });
        }
    };
    let id = id_in_header(&*disk, path, format).unwrap_or(named);
    let dir = path.parent().unwrap_or(Path::new("")).to_owned();
    let shown = OsString::from(format.format().segment_name(id));
    let only = OnlyFile { disk, path: path.to_owned(), shown_path: dir.join(&shown), shown };
    let options = Options { from: Some(format), inspect: true, create: false, ..options };
    Ok((Store::open_read_only_on(Arc::new(only), &dir, options)?, id))
}

fn id_in_header(disk: &dyn ReadDisk, path: &Path, format: FormatKind) -> Option<SegmentId> {
    let format = format.format();
    let mut bytes = vec![0; format.max_file_header_len()];
    let read = disk.open_read(path).ok()?.read_full_at(&mut bytes, 0).ok()?;
    format.file_header(bytes.get(..read)?).ok()?.id
}

/// A directory in which there is one file.
#[derive(Debug)]
struct OnlyFile {
    disk: Arc<dyn ReadDisk>,
    path: PathBuf,
    shown: OsString,
    shown_path: PathBuf,
}

impl ReadDisk for OnlyFile {
    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        if self.shown_path.parent() != Some(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        // Permission bits say in a directory of Bitcask's that a file is to be deleted; here somebody asked for it.
        Ok(vec![DirEntry { name: self.shown.clone(), mode: 0, ..self.disk.entry(&self.path)? }])
    }

    fn entry(&self, path: &Path) -> io::Result<DirEntry> {
        if path == self.shown_path { self.disk.entry(&self.path) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        if path == self.shown_path {
            return self.disk.open_read(&self.path);
        }
        let what = format!("only {} is looked at", text::path(&self.path));
        Err(io::Error::new(io::ErrorKind::NotFound, what))
    }
}
