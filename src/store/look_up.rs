//! get without a keydir: each segment's hint is asked, for those who ask once and go.
//!
//! # Invariants
//!
//! 1. The answer is that of a full open. Whatever a full open would have to judge (damage, a torn end, a missing segment,
//!    an unfinished merge, a newer version's records, another format) ends this, and a full open answers.
//! 2. A filter is asked only as part of a hint that was read whole, whose checksum held, and which is of this very file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::disk::{ReadDisk, ReadFile, RealDisk};
use crate::error::Result;
use crate::format::{FileHeader, FormatKind, Kind};

use super::keydir::newer;
use super::listing::list;
use super::load::Source;
use super::open::stands_still;
use super::parallel::in_parallel;
use super::read::{read_record, value_of};
use super::scan::{Scanner, What};
use super::{Answer, Effort, Entry, Found, Location, Options, Recovery, Store, hint_file};

/// Answers to keys that were asked for once.
#[derive(Clone, Debug)]
pub struct LookedUp {
    /// One a key, in the order of the question.
    pub answers: Vec<Result<Answer>>,
    /// What they cost; `None`: the whole store was opened for them.
    pub effort: Option<Effort>,
}

/// The newest value of each key, as a store that is opened for reading answers it; without building the keydir where
/// hints can be relied on. Errors: those of [`Store::open_read_only`].
pub fn look_up(dir: &Path, keys: &[&[u8]], options: Options) -> Result<LookedUp> {
    look_up_on(Arc::new(RealDisk), dir, keys, options)
}

/// [`look_up`] on any disk.
pub fn look_up_on(disk: Arc<dyn ReadDisk>, dir: &Path, keys: &[&[u8]], options: Options) -> Result<LookedUp> {
    if let Some(found) = by_hints(&*disk, dir, keys, &options) {
        return Ok(found);
    }
    let store = Store::open_read_only_on(disk, dir, options)?;
    Ok(LookedUp { answers: keys.iter().map(|key| store.get(key)).collect(), effort: None })
}

/// `None`: something needs judging.
fn by_hints(disk: &dyn ReadDisk, dir: &Path, keys: &[&[u8]], options: &Options) -> Option<LookedUp> {
    if options.recovery != Recovery::Tail || !options.observers.is_empty() {
        return None;
    }
    let listing = list(disk, dir, options.from, options.create).ok()?;
    if listing.format != FormatKind::Native || listing.has_merge || !listing.missing.is_empty() {
        return None;
    }
    let question = Question { disk, dir, keys: keys.iter().enumerate().map(|(i, key)| (*key, i)).collect() };
    let asked = in_parallel(&listing.sources, options.threads, |source| question.ask(source));
    let asked: Vec<Asked> = asked.into_iter().collect::<Option<_>>()?;
    let after = list(disk, dir, options.from, options.create).ok()?;
    if after.has_merge || !stands_still(disk, dir, &listing, &after) {
        return None;
    }
    let mut effort = Effort::default();
    asked.iter().for_each(|asked| effort += asked.effort);
    let now = options.clock.now();
    let mut answers = Vec::with_capacity(keys.len());
    for key in keys {
        let found = question.value(key, &asked, now)?;
        effort.read_bytes += found.as_ref().map_or(0, |found| found.entry.location.len);
        answers.push(Ok(Answer { found, suspect: false }));
    }
    Some(LookedUp { answers, effort: Some(effort) })
}

struct Question<'a> {
    disk: &'a dyn ReadDisk,
    dir: &'a Path,
    /// Which of the answers each key has.
    keys: BTreeMap<&'a [u8], usize>,
}

/// What one segment answered.
struct Asked {
    file: Arc<dyn ReadFile>,
    header: FileHeader,
    source: Source,
    /// The newest version of each key that it has.
    newest: BTreeMap<usize, Version>,
    effort: Effort,
}

#[derive(Clone, Copy)]
struct Version {
    entry: Entry,
    is_tombstone: bool,
}

impl Question<'_> {
    fn ask(&self, source: &Source) -> Option<Asked> {
        let format = FormatKind::Native.format();
        let file = self.disk.open_read(&self.dir.join(&source.name)).ok()?;
        let mut head = vec![0; format.max_file_header_len()];
        let read = file.read_full_at(&mut head, 0).ok()?;
        let header = format.file_header(head.get(..read)?).ok().filter(|header| header.id == Some(source.id))?;
        let (source, newest) = (source.clone(), BTreeMap::new());
        let mut asked = Asked { file, header, source, newest, effort: Effort::default() };
        let covered = self.hint(&mut asked)?;
        let len = asked.file.len().ok().filter(|len| *len >= covered)?;
        self.records(&mut asked, covered, len)?;
        let Asked { effort, source, .. } = &mut asked;
        effort.segments = 1;
        effort.walked = u64::from(covered < len);
        effort.denied *= 1 - effort.walked;
        effort.named = 1 - effort.denied - effort.walked;
        effort.read_bytes += len - covered;
        effort.spared_bytes = covered.min(source.len.max(len));
        Some(asked)
    }

    /// Takes what the hint says, and returns how much of the segment it speaks for.
    fn hint(&self, asked: &mut Asked) -> Option<u64> {
        let format = FormatKind::Native.format();
        if !asked.source.has_hint {
            return Some(asked.header.len);
        }
        let bytes = hint_file::read(self.disk, &self.dir.join(format.hint_name(asked.source.id)?)).ok()??;
        let hint = format.hint(&bytes)?.ok()?;
        let is_ours = |id, salt| id == asked.source.id && salt == asked.header.salt;
        let coverage = hint.coverage.filter(|it| is_ours(it.id, it.salt) && it.len >= asked.header.len)?;
        asked.effort.read_bytes = bytes.len() as u64;
        if !self.keys.keys().any(|key| hint.bloom.is_none_or(|bloom| bloom.may_contain(key))) {
            asked.effort.denied = 1;
            return Some(coverage.len);
        }
        for it in hint.entries() {
            if it.offset.saturating_add(it.len) > coverage.len {
                // It names what the segment never had.
                return None;
            }
            if let (Some(answer), Kind::Put | Kind::Tombstone) = (self.keys.get(it.key), it.kind) {
                let location = Location { segment: asked.source.id, offset: it.offset, len: it.len };
                let entry = Entry::hinted(&it, location);
                asked.offer(*answer, Version { entry, is_tombstone: it.kind == Kind::Tombstone });
            }
        }
        Some(coverage.len)
    }

    /// Takes what lies behind the hint. `None`: not all of it is whole.
    fn records(&self, asked: &mut Asked, from: u64, len: u64) -> Option<()> {
        let mut scan = Scanner::new(asked.file.clone(), FormatKind::Native.format(), asked.header, from, len);
        let mut in_batch = false;
        while let Some(item) = scan.next_item().ok()? {
            let What::Record(record, Ok(())) = &item.what else { return None };
            if record.needs_newer.is_some() {
                return None;
            }
            in_batch = record.batch_continues;
            if let (Some(answer), Kind::Put | Kind::Tombstone) = (self.keys.get(record.key), record.kind) {
                let location = Location { segment: asked.source.id, offset: item.offset, len: item.len };
                let entry = Entry::of(record, location);
                asked.offer(*answer, Version { entry, is_tombstone: record.kind == Kind::Tombstone });
            }
        }
        (!in_batch).then_some(())
    }

    /// The newest of what all segments answered, read and checked. `None`: it does not hold.
    fn value(&self, key: &[u8], asked: &[Asked], now: u64) -> Option<Option<Found>> {
        let answer = self.keys.get(key)?;
        let mut newest: Option<(&Asked, Version)> = None;
        for segment in asked {
            if let Some(version) = segment.newest.get(answer)
                && newest.is_none_or(|(_, old)| version.is_newer(&old))
            {
                newest = Some((segment, *version));
            }
        }
        let Some((segment, Version { entry, is_tombstone: false })) = newest else { return Some(None) };
        if entry.expires_at.is_some_and(|at| at <= now) {
            return Some(None);
        }
        let bytes = read_record(&*segment.file, entry.location.offset, entry.location.len).ok()?;
        let value = value_of(FormatKind::Native.format(), &segment.header, bytes.into(), key, &entry).ok()?;
        Some(Some(Found { value: value.into_owned(), entry }))
    }
}

impl Asked {
    fn offer(&mut self, answer: usize, version: Version) {
        let old = self.newest.entry(answer).or_insert(version);
        if version.is_newer(old) {
            *old = version;
        }
    }
}

impl Version {
    fn is_newer(&self, than: &Self) -> bool {
        newer(FormatKind::Native.format().version_order(), &self.entry, &than.entry)
    }
}
