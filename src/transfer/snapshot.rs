//! A consistent copy of a store, made while writes go on: a directory that is a store itself, or an archive.
//!
//! Works on a [`Moment`], so the copy equals a prefix of the history up to one moment. Sealed segments and their hints
//! are linked where that is possible; the segment that may still be written is always copied, up to the length that it
//! had at that moment.
//!
//! # Invariants
//!
//! 1. A file with a name in two stores is never written by either. Opening writes in place only to the newest segment
//!    that puts wrote, which is never linked; hints, checkpoints and merges are written beside their place and renamed;
//!    merges and repairs take names away, not bytes.
//! 2. The directory is complete or absent, see [`super::new_dir`].
//! 3. The manifest names every segment with the checksum of the bytes that are in the snapshot, read where they lie; only
//!    of a file that is the very same as in an earlier snapshot, the checksum in its manifest is taken over.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::disk::{Disk, cannot_share};
use crate::error::{Error, Result};
use crate::format::{Format, record};
use crate::store::{Moment, MomentSegment, Store, vouch};

use super::copying::{Meter, Span, Watch, checksum, pour};
use super::earlier::Earlier;
use super::manifest::{MANIFEST, Manifest, ManifestFile};
use super::new_dir::{NewDir, check_source, parent};

/// How to make a snapshot.
#[derive(Clone, Debug, Default)]
pub struct SnapshotOptions {
    /// Never give a file of the store a second name: the snapshot shares nothing that a person could change by hand.
    pub copy: bool,
    /// An earlier snapshot: what it has already is linked from there.
    pub earlier: Option<PathBuf>,
}

/// What was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The moment that it shows: microseconds since 1970.
    pub created: u64,
    /// Segments.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Segments that are the store's own files under a second name.
    pub linked: u64,
    /// Segments that share the bytes of the store's files.
    pub cloned: u64,
    /// Segments that were copied.
    pub copied: u64,
    /// Segments that are an earlier snapshot's files under a second name.
    pub reused: u64,
    /// Bytes that were written for it.
    pub written_bytes: u64,
    /// How long it took.
    pub took: Duration,
}

/// Makes a snapshot of `store` in the directory `dest`, which must not exist or be empty; its parent must exist. Durable
/// on return. After an error, or when `watch` asks to stop ([`Error::Stopped`]), nothing of it is there; only if the last
/// sync fails it may be there, whole.
///
/// Puts go on meanwhile; merges of this process wait. Errors: those of [`Store::moment`], [`Error::NoSpace`] before
/// anything is written if that is known, [`Error::Io`], [`Error::BadSnapshot`] for an earlier snapshot that is none.
pub fn snapshot(
    store: &Store,
    disk: &dyn Disk,
    dest: &Path,
    options: &SnapshotOptions,
    watch: Watch<'_>,
) -> Result<Snapshot> {
    let started = Instant::now();
    if dest.parent() == Some(store.dir()) {
        let why = "a snapshot inside the store that it shows would be a foreign file there";
        return Err(Error::io("create", dest, io::Error::new(io::ErrorKind::InvalidInput, why)));
    }
    check_source(store.dir())?;
    let earlier = options.earlier.as_deref().map(|dir| Earlier::open(disk, dir)).transpose()?;
    let dir = NewDir::create(disk, dest)?;
    let moment = store.moment()?;
    let total = moment.segments.iter().map(|segment| segment.len).sum();
    let meter = Meter::new(watch, dest, total);
    let mut work = Work { disk, dir: &dir, options, earlier, meter, made: Snapshot::default() };
    let files = work.all(&moment)?;
    let mut made = work.made;
    made.created = moment.at;
    drop(moment);
    let mut pen = dir.file(MANIFEST)?;
    pen.put(&Manifest { created: made.created, files }.encode())?;
    pen.sync()?;
    dir.finish()?;
    made.took = started.elapsed();
    Ok(made)
}

struct Work<'a> {
    disk: &'a dyn Disk,
    dir: &'a NewDir<'a>,
    options: &'a SnapshotOptions,
    earlier: Option<Earlier<'a>>,
    meter: Meter<'a>,
    made: Snapshot,
}

impl Work<'_> {
    fn all(&mut self, moment: &Moment<'_>) -> Result<Vec<ManifestFile>> {
        self.check_room(moment)?;
        let mut files = Vec::new();
        for segment in &moment.segments {
            let crc = self.segment(segment)?;
            files.push(ManifestFile { name: segment.name.clone(), len: segment.len, crc });
            self.made.segments += 1;
            self.made.bytes += segment.len;
        }
        for (name, path) in &moment.orphans {
            // Without it nothing would tell that answers may be missing.
            files.extend(self.copy_hint(name, path)?);
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    /// What is copied in any case must fit; what can be linked takes no room.
    fn check_room(&self, moment: &Moment<'_>) -> Result<()> {
        let needed = moment.segments.iter().filter(|segment| !segment.sealed).map(|segment| segment.len).sum();
        let dir = parent(self.dir.path());
        match self.disk.free_space(dir) {
            Some(free) if free < needed => Err(Error::NoSpace { path: dir.to_owned(), needed }),
            _ => Ok(()),
        }
    }

    /// Brings one segment into the snapshot; returns its checksum.
    fn segment(&mut self, segment: &MomentSegment) -> Result<u32> {
        let to = self.dir.path().join(&segment.name);
        if !segment.sealed {
            return self.copy(segment);
        }
        if let Some(crc) = self.reuse(segment, &to)? {
            self.hint(segment)?;
            return Ok(crc);
        }
        let crc = if !self.options.copy && self.link(segment, &to)? {
            self.made.linked += 1;
            checksum(&*segment.file, &segment.path, segment.len, &mut self.meter)?
        } else if self.clone_file(segment, &to)? {
            self.made.cloned += 1;
            checksum(&*segment.file, &segment.path, segment.len, &mut self.meter)?
        } else {
            self.copy_bytes(segment)?
        };
        self.hint(segment)?;
        Ok(crc)
    }

    /// Links what an earlier snapshot has of the same file, or of one with the same bytes.
    fn reuse(&mut self, segment: &MomentSegment, to: &Path) -> Result<Option<u32>> {
        let Some(earlier) = &self.earlier else { return Ok(None) };
        let Some(same) = earlier.same(segment, &mut self.meter)? else { return Ok(None) };
        match self.disk.hard_link(&same.path, to) {
            Ok(()) => {
                self.made.reused += 1;
                Ok(Some(same.crc))
            }
            Err(e) if cannot_share(&e) || e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::of_write("link", to, 0, e)),
        }
    }

    /// Whether the file could be linked. Not if its name has come to mean another: a merge in another process goes on.
    fn link(&self, segment: &MomentSegment, to: &Path) -> Result<bool> {
        match self.disk.hard_link(&segment.path, to) {
            Err(e) if cannot_share(&e) || e.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(e) => return Err(Error::of_write("link", to, 0, e)),
            Ok(()) => {}
        }
        let identity = |file: io::Result<_>| file.map_err(|e| Error::io("look at", to, e));
        let linked = self.disk.open_read(to).map_err(|e| Error::io("open", to, e))?;
        if identity(linked.identity())? == identity(segment.file.identity())? {
            return Ok(true);
        }
        self.disk.remove(to).map_err(|e| Error::io("remove", to, e))?;
        Ok(false)
    }

    /// Whether the file system lets two files share their bytes.
    fn clone_file(&self, segment: &MomentSegment, to: &Path) -> Result<bool> {
        let clone = match self.disk.clone_file(&segment.path, to) {
            Err(e) if cannot_share(&e) || e.kind() == io::ErrorKind::NotFound => return Ok(false),
            clone => clone.map_err(|e| Error::of_write("clone", to, segment.len, e))?,
        };
        // A name that is durable must not lead to a part of the file.
        clone.sync_data().map_err(|e| Error::of_write("sync", to, segment.len, e))?;
        Ok(true)
    }

    /// Copies the segment that may still be written, and vouches for the copy: no open of the snapshot takes the last
    /// bytes of it for the end of a log that was being written.
    fn copy(&mut self, segment: &MomentSegment) -> Result<u32> {
        let crc = self.copy_bytes(segment)?;
        match vouch(self.disk, self.dir.path(), &segment.name, &mut |_| {}) {
            // Damage, and what only a later version reads, is copied as it is and speaks for itself there.
            Ok(_) | Err(Error::NeedsNewer { .. }) => Ok(crc),
            Err(e) => Err(e),
        }
    }

    fn copy_bytes(&mut self, segment: &MomentSegment) -> Result<u32> {
        let mut pen = self.dir.file(&segment.name)?;
        let mut source = Span::new(&*segment.file, segment.len);
        let crc = pour(&mut source, &segment.path, segment.len, &mut self.meter, &mut |bytes| pen.put(bytes))?;
        pen.sync()?;
        self.made.copied += 1;
        self.made.written_bytes += segment.len;
        Ok(crc)
    }

    /// A hint saves the snapshot's first open from reading the values. One that went meanwhile is made again then.
    fn hint(&mut self, segment: &MomentSegment) -> Result<()> {
        let Some(hint) = segment.hint.as_deref() else { return Ok(()) };
        let name = record::Native.hint_name(segment.id).unwrap_or_default();
        let to = self.dir.path().join(&name);
        let linked = match self.options.copy {
            true => Err(io::ErrorKind::Unsupported.into()),
            false => self.disk.hard_link(hint, &to),
        };
        match linked {
            Err(e) if cannot_share(&e) => self.copy_hint(&name, hint).map(drop),
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::of_write("link", &to, 0, e)),
            _ => Ok(()),
        }
    }

    /// Copies a hint, if it is still there.
    fn copy_hint(&mut self, name: &str, path: &Path) -> Result<Option<ManifestFile>> {
        let file = match self.disk.open_read(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|e| Error::io("open", path, e))?,
        };
        let len = file.len().map_err(|e| Error::io("read", path, e))?;
        let mut pen = self.dir.file(name)?;
        let crc = pour(&mut Span::new(&*file, len), path, len, &mut self.meter, &mut |bytes| pen.put(bytes))?;
        pen.sync()?;
        self.made.written_bytes += len;
        Ok(Some(ManifestFile { name: name.to_owned(), len, crc }))
    }
}
