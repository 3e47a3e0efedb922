//! Reading a checkpoint into an empty keydir.
//!
//! Must not decide whether what lies in the segments agrees with it: loading does. Keeps: no error and no damage here is
//! more than a `None`; no more memory is taken than the file has bytes.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::disk::{ReadDisk, ReadFile};
use crate::format::checkpoint::{self, HEADER_LEN};
use crate::format::{Checkpoint, Format, FormatKind, ShardImage};
use crate::store::keydir::{Keydir, Pieces, ReadShard};
use crate::store::listing::Listing;
use crate::store::parallel::in_parallel;
use crate::store::{Options, Recovery};

use super::{Extent, Known};

/// The keydir that the checkpoint of a store holds, if it fits the listing; told of bytes as they are read.
pub(in crate::store) fn read(
    disk: &dyn ReadDisk,
    dir: &Path,
    format: &dyn Format,
    options: &Options,
    listing: &Listing,
    progress: &(dyn Fn(u64) + Sync),
) -> Option<(Keydir, Known)> {
    let wanted = options.checkpoint && options.recovery != Recovery::Salvage && listing.format == FormatKind::Native;
    if !wanted || !listing.has_checkpoint || !is_whole(listing) {
        return None;
    }
    let file = disk.open_read(&dir.join(checkpoint::NAME)).ok()?;
    let head = head(&*file).ok()??;
    // A clock that was set back may have keys live again that had expired.
    if !fits(&head, listing) || (head.expired > 0 && options.clock.now() < head.written) {
        return None;
    }
    let keydir = Keydir::new(format, head.seed);
    let places: Vec<(u64, &ShardImage)> = head.places().collect();
    let share = places.len().div_ceil(options.threads.max(1)).max(1);
    let shares: Vec<_> = places.chunks(share).collect();
    let taken = in_parallel(&shares, options.threads, |share| {
        let mut piece = Vec::new();
        share.iter().all(|(at, image)| {
            progress(image.len());
            take(&*file, *at, image, &keydir, &mut piece).unwrap_or(false)
        })
    });
    taken.into_iter().all(|taken| taken).then(|| (keydir, known(&head)))
}

/// Whether names alone say that nothing is missing and nothing pending.
fn is_whole(listing: &Listing) -> bool {
    !listing.has_merge && listing.broken_merge.is_none() && listing.missing.is_empty()
}

/// What a checkpoint says of itself; `None` if it does not hold, or is a later version's.
fn head(file: &dyn ReadFile) -> io::Result<Option<Checkpoint>> {
    let len = file.len()?;
    let start = file.read_vec_at(HEADER_LEN as u64, 0)?;
    let Ok(head_len) = Checkpoint::claimed_head_len(&start, len) else { return Ok(None) };
    Ok(Checkpoint::decode(&file.read_vec_at(head_len, 0)?, len).ok())
}

fn fits(head: &Checkpoint, listing: &Listing) -> bool {
    let lens: BTreeMap<_, _> = listing.sources.iter().map(|source| (source.id, source.len)).collect();
    head.shards as usize == Keydir::SHARDS
        && head.segments.iter().all(|covered| lens.get(&covered.id).is_some_and(|len| *len >= covered.len))
}

fn known(head: &Checkpoint) -> Known {
    Known {
        lines: head.segments.iter().map(|covered| (covered.id, *covered)).collect(),
        last_tstamp: head.last_tstamp(),
        expired: head.expired,
        extent: Extent::of(head),
    }
}

/// Reads one image into its shard. False: it does not hold.
fn take(file: &dyn ReadFile, at: u64, image: &ShardImage, keydir: &Keydir, piece: &mut Vec<u8>) -> io::Result<bool> {
    let mut reading = Reading { file, at, left: image.len(), crc: crc32fast::Hasher::new(), piece };
    let Some(read) = ReadShard::read(image, &mut reading)? else { return Ok(false) };
    if reading.left > 0 || reading.crc.finalize() != image.crc {
        return Ok(false);
    }
    keydir.adopt(read);
    if image.expiring > 0 {
        keydir.await_expiries(image.shard as usize);
    }
    Ok(true)
}

/// An image on its way through the processor's cache: most of its parts are small enough to stay there while they are
/// checked and taken over.
struct Reading<'a> {
    file: &'a dyn ReadFile,
    at: u64,
    left: u64,
    crc: crc32fast::Hasher,
    piece: &'a mut Vec<u8>,
}

impl Pieces for Reading<'_> {
    fn next(&mut self, len: usize) -> io::Result<&[u8]> {
        if len as u64 > self.left {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if self.piece.len() < len {
            self.piece.resize(len, 0);
        }
        let piece = self.piece.get_mut(..len).unwrap_or_default();
        if self.file.read_full_at(piece, self.at)? < len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.crc.update(piece);
        self.at += len as u64;
        self.left -= len as u64;
        Ok(piece)
    }
}
