//! get: from a key to a checked value.
//!
//! # Invariants
//!
//! 1. A value is returned only if the record at the keydir's place has both checksums right, the same key and the same
//!    tstamp: promise 3.
//! 2. No lock is held while the disk is read. Before each look at the keydir the gate is passed, or held for several
//!    looks, so that a batch is seen whole: [`super::gate`].

use std::borrow::Cow;
use std::io;
use std::time::Instant;

use crate::disk::ReadFile;
use crate::error::{Error, Result};
use crate::format::{Check, Codec, Decoded, FileHeader, Format, Kind, lz4};

use super::contents::Contents;
use super::events::Event;
use super::inner::Inner;
use super::{Answer, Entry, Found, Location, Seen};

impl Inner {
    /// Shows the newest value of a key to `take`, where it lies if it lies in memory; `take` is asked once at most.
    pub(super) fn get<T>(&self, key: &[u8], mut take: impl FnMut(Cow<'_, [u8]>, Entry) -> T) -> Result<Seen<T>> {
        let contents = &*self.look();
        if let Some(error) = &contents.needs_newer {
            return Err(error.clone());
        }
        loop {
            contents.gate.pass();
            let entry = contents.keydir.get(key);
            self.tell(|| Event::LookedUp { at: entry.map(|entry| entry.location) });
            let Some(entry) = entry else {
                return Ok(Seen { found: None, suspect: contents.is_suspect(None) });
            };
            let suspect = contents.is_suspect(Some(&entry));
            if entry.expires_at.is_some_and(|at| at <= self.now()) {
                return Ok(Seen { found: None, suspect });
            }
            match self.timed(&entry, || self.value_at(contents, key, &entry, |value| take(value, entry))) {
                Ok(found) => return Ok(Seen { found: Some(found), suspect }),
                // The key moved on while its old place was read.
                Err(_) if contents.keydir.get(key) != Some(entry) => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Reads a record; where somebody watches, they are told how long that took.
    fn timed<T>(&self, entry: &Entry, read: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.options.observers.is_empty() {
            return read();
        }
        let started = Instant::now();
        let value = read();
        self.tell(|| Event::Read { location: entry.location, ok: value.is_ok(), took: started.elapsed() });
        value
    }

    /// Answers in the caller's order, reads in the disk's; what is answered is of one moment, as far as batches go.
    pub(super) fn get_many(&self, keys: &[&[u8]]) -> Vec<Result<Answer>> {
        let contents = self.look();
        if let Some(error) = &contents.needs_newer {
            return keys.iter().map(|_| Err(error.clone())).collect();
        }
        loop {
            if let Some(answers) = self.get_at_once(&contents, keys) {
                return answers;
            }
        }
    }

    /// `None`: a key moved on and its old record could not be read any more, so that its answer would be of another moment
    /// than the others.
    fn get_at_once(&self, contents: &Contents, keys: &[&[u8]]) -> Option<Vec<Result<Answer>>> {
        let mut order = self.look_up_all(contents, keys);
        order.sort_unstable_by_key(|(i, _, entry)| {
            (entry.map(|entry| (entry.location.segment, entry.location.offset)), *i)
        });
        let mut answers = Vec::with_capacity(keys.len());
        for (i, key, entry) in order {
            let suspect = contents.is_suspect(entry.as_ref());
            let live = entry.filter(|entry| entry.expires_at.is_none_or(|at| at > self.now()));
            let read = |entry| self.timed(&entry, || self.value_at(contents, key, &entry, |value| value.into_owned()));
            let found = match live.map(|entry| (entry, read(entry))) {
                Some((entry, Err(_))) if contents.keydir.get(key) != Some(entry) => return None,
                Some((entry, value)) => value.map(|value| Some(Found { value, entry })),
                None => Ok(None),
            };
            answers.push((i, found.map(|found| Answer { found, suspect })));
        }
        answers.sort_unstable_by_key(|(i, _)| *i);
        Some(answers.into_iter().map(|(_, answer)| answer).collect())
    }

    fn look_up_all<'k>(&self, contents: &Contents, keys: &[&'k [u8]]) -> Vec<(usize, &'k [u8], Option<Entry>)> {
        let _whole_batches = contents.gate.hold();
        let look_up = |(i, key): (usize, &&'k [u8])| {
            let entry = contents.keydir.get(key);
            self.tell(|| Event::LookedUp { at: entry.map(|entry| entry.location) });
            (i, *key, entry)
        };
        keys.iter().enumerate().map(look_up).collect()
    }

    /// Bytes of the raw value of the record that `entry` points at, as the record says; it is not checked.
    pub(super) fn value_len(&self, entry: &Entry) -> Result<u64> {
        if entry.codec == Codec::Raw {
            return Ok(entry.stored_len);
        }
        let contents = self.contents();
        let Location { segment, offset, len } = entry.location;
        let at = offset + len.saturating_sub(entry.stored_len);
        let damaged = |path, check| Error::Damaged { path, segment, offset, check };
        let head = Location { segment, offset: at, len: entry.stored_len.min(4) };
        let Some(segment) = contents.segment(segment) else {
            return Err(damaged(self.dir.join(self.format.segment_name(segment)), Check::OtherFile));
        };
        let head = match self.writer.as_ref().and_then(|writer| writer.read_tail(&head)) {
            Some(head) => head,
            None => read_record(&**segment.file(), head.offset, head.len)
                .map_err(|e| Error::io_at("read", &segment.path, head.offset, e))?,
        };
        lz4::raw_len(&head).map_err(|check| damaged(segment.path.clone(), check))
    }

    /// Shows the value of the record that `entry` points at to `take`, where it lies if it lies in memory.
    pub(super) fn value_at<T>(
        &self,
        contents: &Contents,
        key: &[u8],
        entry: &Entry,
        take: impl FnOnce(Cow<'_, [u8]>) -> T,
    ) -> Result<T> {
        let Location { segment: id, offset, len } = entry.location;
        let damaged = |path, check| Error::Damaged { path, segment: id, offset, check };
        let segments = contents.segments.read();
        let Some(segment) = segments.get(&id) else {
            return Err(damaged(self.dir.join(self.format.segment_name(id)), Check::OtherFile));
        };
        let bytes = if let Some(bytes) = self.writer.as_ref().and_then(|writer| writer.read_tail(&entry.location)) {
            bytes.into()
        } else if let Some(bytes) = segment.file().lend(offset, len) {
            bytes.into()
        } else {
            let bytes = read_record(&**segment.file(), offset, len);
            bytes.map_err(|e| Error::io_at("read", &segment.path, offset, e))?.into()
        };
        let value = value_of(self.format, &segment.header, bytes, key, entry);
        value.map(take).map_err(|check| damaged(segment.path.clone(), check))
    }
}

/// The value in the bytes of the record that `entry` points at, where they lie if they were lent.
pub(super) fn value_of<'a>(
    format: &dyn Format,
    header: &FileHeader,
    bytes: Cow<'a, [u8]>,
    key: &[u8],
    entry: &Entry,
) -> Result<Cow<'a, [u8]>, Check> {
    let (start, codec) = check(format.decode(header, entry.location.offset, &bytes), &bytes, key, entry)?;
    match (codec, bytes) {
        (Codec::Raw, Cow::Borrowed(bytes)) => Ok(bytes.get(start..).unwrap_or_default().into()),
        (Codec::Raw, Cow::Owned(mut bytes)) => {
            bytes.drain(..start);
            Ok(bytes.into())
        }
        (Codec::Lz4, bytes) => lz4::decompress(bytes.get(start..).unwrap_or_default()).map(Cow::Owned),
    }
}

const SHORT: u64 = 64 << 10;

/// Reads a record of a length that the keydir vouches for; what a damaged file is short of is missing in the answer.
pub(super) fn read_record(file: &dyn ReadFile, offset: u64, len: u64) -> io::Result<Vec<u8>> {
    // A long one from another program's hint is believed no further than the file goes; for short ones asking the file
    // would cost more than it saves.
    let there = if len <= SHORT { len } else { file.len()?.saturating_sub(offset).min(len) };
    file.read_vec_at(there, offset)
}

fn check(decoded: Decoded<'_>, bytes: &[u8], key: &[u8], entry: &Entry) -> Result<(usize, Codec), Check> {
    let missing = entry.location.len.saturating_sub(bytes.len() as u64);
    let record = match decoded {
        Decoded::Record(record) => record,
        Decoded::Damaged(check) => return Err(check),
        Decoded::Incomplete { .. } => return Err(Check::PastEnd { missing: missing.max(1) }),
    };
    if record.len() != entry.location.len {
        return Err(Check::Implausible("the record there has another length"));
    }
    if missing > 0 {
        return Err(Check::PastEnd { missing });
    }
    let start = usize::try_from(record.value_start).map_err(|_| Check::OtherKey)?;
    record.check_value(bytes.get(start..).unwrap_or_default())?;
    if record.key != key || record.tstamp != entry.tstamp {
        return Err(Check::OtherKey);
    }
    if record.kind != Kind::Put {
        return Err(Check::Implausible("the record there is not a put"));
    }
    Ok((start, record.codec))
}
