//! Writing a checkpoint at a clean close, shard by shard, so that no second copy of the keydir is held in memory.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::disk::{Disk, WriteFile};
use crate::error::Error;
use crate::format::{Checkpoint, Covered, ShardImage, checkpoint};
use crate::store::contents::Contents;
use crate::store::events::Event;
use crate::store::inner::Inner;
use crate::store::keydir::Keydir;
use crate::store::new_file::{create_anew, write_all};
use crate::store::report::Severity;
use crate::store::segment::Segment;
use crate::store::{Options, Recovery};

use super::Extent;

/// Bytes that are written at once.
const PIECE: usize = 1 << 20;

/// Writes the checkpoint of a store whose data is all on stable storage, if it may have one and `known`, which is there,
/// does not suffice. A failure is an event, and leaves the one that was there.
pub(in crate::store) fn write(inner: &Inner, disk: &dyn Disk, known: Option<Extent>) {
    let contents = inner.contents();
    if !is_wanted(&inner.options) || !is_sound(inner, &contents) {
        return;
    }
    let records = contents.segments.read().values().map(|segment| segment.ledger.lock().records).sum();
    if known.is_some_and(|known| known.suffices(records)) {
        return;
    }
    let path = inner.dir.join(checkpoint::NAME);
    let tmp = path.with_extension("tmp");
    let written = put(disk, &tmp, &path, &contents, &|| inner.now());
    if written.is_err() {
        let _ = disk.remove(&tmp);
    }
    inner.tell(|| match written {
        Ok((keys, bytes)) => Event::CheckpointWritten { keys, bytes },
        Err(e) => Event::CheckpointFailed { reason: Error::io("write", &path, e).to_string() },
    });
}

fn is_wanted(options: &Options) -> bool {
    options.checkpoint && options.recovery != Recovery::Salvage
}

/// Whether nothing of the store is damaged, in doubt or unknown, which a checkpoint would have forgotten, and every segment
/// has the hint without which the checkpoint would not count: it would be written anew at every close.
fn is_sound(inner: &Inner, contents: &Contents) -> bool {
    let is_whole = |segment: &Segment| {
        let ledger = segment.ledger.lock();
        ledger.has_hint && ledger.gap_bytes == 0 && ledger.bad_value_bytes == 0 && ledger.torn_bytes == 0
    };
    let segments = contents.segments.read();
    !segments.is_empty()
        && segments.values().all(|segment| is_whole(segment))
        && contents.holes.iter().next().is_none()
        && contents.doubtful.is_empty()
        && contents.needs_newer.is_none()
        && contents.unloaded_bytes == 0
        && !contents.keydir.is_full()
        && inner.findings.lock().iter().all(|finding| finding.severity < Severity::Damage)
}

fn covered(segment: &Segment) -> Covered {
    let ledger = segment.ledger.lock();
    Covered {
        id: segment.id,
        salt: segment.header.salt,
        len: ledger.data_len,
        records: ledger.records,
        tombstones: ledger.tombstones,
        marks: ledger.marks,
        live_records: ledger.live_records,
        live_bytes: ledger.live_bytes,
        min_tstamp: ledger.min_tstamp,
        max_tstamp: ledger.max_tstamp,
    }
}

/// Writes the file beside its place, syncs it, and puts it there in one step. The directory is not synced: if a power cut
/// takes the new name away, the old one is there, or none. Returns keys and bytes.
fn put(disk: &dyn Disk, tmp: &Path, path: &Path, contents: &Contents, now: &dyn Fn() -> u64) -> io::Result<(u64, u64)> {
    let keydir = &contents.keydir;
    let with_keys: Vec<usize> = (0..Keydir::SHARDS).filter(|shard| keydir.has_keys(*shard)).collect();
    let segments = contents.segments.read().len();
    let mut pen = Pen::new(create_anew(disk, tmp)?, Checkpoint::head_len(segments, with_keys.len()));
    let mut images = Vec::with_capacity(with_keys.len());
    for shard in with_keys {
        images.push(pen.image(keydir, shard)?);
    }
    pen.flush()?;
    let expiries = keydir.expiries();
    for image in &mut images {
        image.expiring = expiries.get(&(image.shard as usize)).copied().unwrap_or(0);
    }
    let checkpoint = Checkpoint {
        seed: keydir.seed(),
        shards: u32::try_from(Keydir::SHARDS).map_err(io::Error::other)?,
        expired: contents.expired.load(std::sync::atomic::Ordering::Relaxed),
        written: now(),
        // After the images: what went meanwhile, because its time had run out, would not be in both.
        segments: contents.segments.read().values().map(|segment| covered(segment)).collect(),
        images,
    };
    let head = checkpoint.encode();
    // What is written is what is read: counts that do not agree are found here, not at the next open.
    if Checkpoint::decode(&head, pen.at).as_ref() != Ok(&checkpoint) {
        return Err(io::Error::other("the keydir changed meanwhile"));
    }
    write_all(&*pen.file, &head, 0)?;
    pen.file.sync_data()?;
    disk.rename(tmp, path)?;
    Ok((checkpoint.keys(), pen.at))
}

/// Images on their way to the file.
struct Pen {
    file: Arc<dyn WriteFile>,
    /// Where the next bytes go.
    at: u64,
    piece: Vec<u8>,
}

impl Pen {
    fn new(file: Arc<dyn WriteFile>, at: u64) -> Self {
        Self { file, at, piece: Vec::with_capacity(PIECE) }
    }

    /// Writes the image of a shard, or nothing if it has lost its keys.
    fn image(&mut self, keydir: &Keydir, shard: usize) -> io::Result<ShardImage> {
        let mut crc = crc32fast::Hasher::new();
        let image = keydir.image(shard, &mut |bytes| {
            crc.update(bytes);
            self.put(bytes)
        })?;
        image.map(|image| ShardImage { crc: crc.finalize(), ..image }).ok_or_else(|| io::Error::other("its keys went"))
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.piece.len() + bytes.len() > PIECE {
            self.flush()?;
        }
        self.piece.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        write_all(&*self.file, &self.piece, self.at)?;
        self.at += self.piece.len() as u64;
        self.piece.clear();
        Ok(())
    }
}
