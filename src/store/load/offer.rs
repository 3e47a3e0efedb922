//! From what a load reads to the keydir: versions are collected and offered many at once.
//!
//! Keeps: whatever a load was shown is with the keydir when the load has finished; an estimate of how much is to come
//! changes the time that it takes, and nothing else.

use crate::format::{Decoded, FileHeader, Format};
use crate::primitives::Mutex;
use crate::store::Entry;
use crate::store::keydir::Offers;

use super::{Context, Load, Source};

/// Room is made for so many keys at most: of how many records a key is the newest is not known beforehand.
const MAX_EXPECTED: u64 = 16 << 20;
/// So much of a file tells how long its records are.
const SAMPLE: usize = 64 << 10;
/// More than a hint's header takes.
pub(super) const HINT_HEAD: u64 = 64;

/// Memory that one load leaves to the next.
#[derive(Debug, Default)]
pub(in crate::store) struct Spare {
    offers: Mutex<Vec<Offers>>,
    pieces: Mutex<Vec<Vec<u8>>>,
}

impl Spare {
    pub(super) fn offers(&self) -> Offers {
        self.offers.lock().pop().unwrap_or_default()
    }

    pub(super) fn give_back(&self, offers: Offers) {
        self.offers.lock().push(offers);
    }

    /// A piece of another hint, to be overwritten.
    pub(super) fn piece(&self) -> Vec<u8> {
        self.pieces.lock().pop().unwrap_or_default()
    }

    pub(super) fn give_back_piece(&self, bytes: Vec<u8>) {
        self.pieces.lock().push(bytes);
    }
}

impl Load<'_> {
    /// Offers a version to the keydir, now or with others.
    pub(super) fn offer(&mut self, key: &[u8], entry: Entry, tombstone: bool) {
        // What is older than the checkpoint may be older than a tombstone that it no longer has.
        self.out.contradicts |= self.context.checkpoint.is_some_and(|known| entry.tstamp <= known.last_tstamp);
        self.context.keydir.collect(&mut self.offers, key, &entry, tombstone);
        if self.offers.is_full() {
            self.take_in();
        }
    }

    /// Offers what was collected.
    pub(super) fn take_in(&mut self) {
        self.context.keydir.take_in(&mut self.offers, &mut self.out.tally);
    }
}

/// About how many records there are, as hints say, or where there is none, what the first records of a file look like.
pub(in crate::store) fn expected(context: &Context<'_>, sources: &[Source]) -> u64 {
    sources.iter().map(|source| records(context, source).unwrap_or(0)).sum::<u64>().min(MAX_EXPECTED)
}

fn records(context: &Context<'_>, source: &Source) -> Option<u64> {
    let hinted = hint_head(context, source).and_then(|(head, len)| context.format.hint_count(&head, len));
    hinted.or_else(|| sampled(context, source))
}

/// The first bytes of a segment's hint, and how many it has; unchecked.
pub(super) fn hint_head(context: &Context<'_>, source: &Source) -> Option<(Vec<u8>, u64)> {
    let name = context.format.hint_name(source.id).filter(|_| source.has_hint)?;
    let file = context.disk.open_read(&context.dir.join(name)).ok()?;
    Some((file.read_vec_at(HINT_HEAD, 0).ok()?, file.len().ok()?))
}

fn sampled(context: &Context<'_>, source: &Source) -> Option<u64> {
    let bytes = context.disk.open_read(&context.dir.join(&source.name)).ok()?.read_vec_at(SAMPLE as u64, 0).ok()?;
    let header = context.format.file_header(&bytes).ok()?;
    let (count, len) = whole_records(context.format, &header, &bytes);
    (source.len / len.checked_div(count)?).checked_add(1)
}

/// The whole records at the start of a file, and their bytes.
fn whole_records(format: &dyn Format, header: &FileHeader, bytes: &[u8]) -> (u64, u64) {
    let (mut at, mut count) = (header.len, 0);
    while let Some(rest) = usize::try_from(at).ok().and_then(|at| bytes.get(at..)) {
        let Decoded::Record(record) = format.decode(header, at, rest) else { break };
        at += record.len();
        count += 1;
    }
    (count, at - header.len)
}
