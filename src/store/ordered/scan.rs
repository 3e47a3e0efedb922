//! Going through keys in byte order, a few at a time.
//!
//! # Invariants
//!
//! 1. A scan is as of one moment: of a batch it has all or nothing, and entries are those of the moment, however long it
//!    takes ([`super::past`]). A write that is under way at the moment is seen or not.
//! 2. What it costs to begin does not grow with the keys, if their order is kept.

use std::ops::Bound;
use std::sync::Arc;

use super::build::{Progress, build};
use super::list::{Cursor, KeyList};
use super::past::{Held, Past};
use crate::store::Entry;
use crate::store::contents::Contents;
use crate::store::delete_range::prefix_end;
use crate::store::inner::Inner;

/// Keys that are looked at in one go. A scan of no more is over when it begins.
const FEW: usize = 512;

/// Keys between two bounds.
type Range<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// Keys in byte order, as of the moment when this was made. Costs a twentieth of a [`Scan`]: no entry is looked up.
#[derive(Clone, Debug)]
pub struct Keys {
    list: Arc<KeyList>,
    cursor: Cursor,
    left: usize,
}

impl Keys {
    pub(in crate::store) fn begin(inner: &Arc<Inner>, range: Range<'_>) -> Self {
        let contents = inner.unexpired();
        contents.ordered.asked(inner, &contents);
        let _whole_batches = contents.gate.hold();
        let list = contents.ordered.list(&contents.keydir);
        Self::within(list.unwrap_or_else(|| look_at_all(inner, &contents, range)), range)
    }

    fn within(list: Arc<KeyList>, range: Range<'_>) -> Self {
        let (start, end) = ranks(&list, range);
        Self { cursor: list.cursor(start), left: end.saturating_sub(start), list }
    }

    /// The next key, lent.
    pub fn next_key(&mut self) -> Option<&[u8]> {
        self.left = self.left.checked_sub(1)?;
        self.cursor.step(&self.list).then(|| self.cursor.key())
    }
}

impl Iterator for Keys {
    type Item = Arc<[u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_key().map(Arc::from)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Keys {}

/// The keys of a range where no order is kept.
fn look_at_all(inner: &Inner, contents: &Contents, range: Range<'_>) -> Arc<KeyList> {
    let wanted = |key: &[u8]| std::ops::RangeBounds::<[u8]>::contains(&range, key);
    Arc::new(build(&contents.keydir, &wanted, inner.options.threads, &Progress::default()).unwrap_or_default())
}

/// Keys and entries in byte order, as of the moment when the scan began. A longer one looks at its keys as they come: while
/// it lives, each key that is still before it and moves costs its old entry and a copy of itself in memory. On a store
/// whose order is not kept it holds the packed keys of its range.
#[derive(Debug)]
pub struct Scan {
    contents: Arc<Contents>,
    /// The moment, for what expires.
    now: u64,
    /// Those that were not looked at yet.
    keys: Keys,
    ready: std::vec::IntoIter<(Arc<[u8]>, Entry)>,
    /// If it is a longer one.
    held: Option<Held>,
}

impl Scan {
    pub(in crate::store) fn begin(inner: &Arc<Inner>, range: Range<'_>) -> Self {
        let contents = inner.contents();
        contents.ordered.asked(inner, &contents);
        let now = inner.now();
        let _whole_batches = contents.gate.hold();
        let kept = contents.ordered.list(&contents.keydir);
        // Before all keys are looked at, so that what moves meanwhile is as it was before.
        let early = kept.is_none().then(|| Past::begin(&contents, end_of(range)));
        let list = kept.unwrap_or_else(|| look_at_all(inner, &contents, range));
        let keys = Keys::within(list, range);
        let held = (keys.left > FEW).then(|| early.unwrap_or_else(|| Past::begin(&contents, end_of(range))));
        let mut scan = Self { contents: Arc::clone(&contents), now, keys, ready: Vec::new().into_iter(), held };
        scan.look();
        scan
    }

    /// Looks at the next keys.
    fn look(&mut self) {
        let Self { contents, now, keys, held, .. } = self;
        let count = keys.left.min(FEW);
        let mut ready = Vec::with_capacity(count);
        let mut take = |entry: &mut dyn FnMut(&[u8]) -> Option<Entry>| {
            for _ in 0..count {
                let Some(key) = keys.next_key() else { break };
                // What was taken away while the scan began, or has expired, is not there.
                let entry = entry(key).filter(|entry| entry.expires_at.is_none_or(|at| at > *now));
                ready.extend(entry.map(|entry| (Arc::from(key), entry)));
            }
        };
        match held {
            Some(held) => held.look(take),
            None => take(&mut |key| contents.keydir.get(key)),
        }
        if keys.left == 0 {
            *held = None;
        }
        self.ready = ready.into_iter();
    }
}

impl Iterator for Scan {
    type Item = (Arc<[u8]>, Entry);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.ready.next() {
                None if self.keys.left > 0 => self.look(),
                next => return next,
            }
        }
    }

    /// No more than these; fewer where keys have expired.
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.ready.len(), Some(self.ready.len() + self.keys.left))
    }
}

/// The keys that begin with `prefix`, as a range, whose end is to be held.
pub(in crate::store) fn of_prefix<'a>(prefix: &'a [u8], end: &'a mut Option<Vec<u8>>) -> Range<'a> {
    *end = prefix_end(prefix);
    (Bound::Included(prefix), end.as_deref().map_or(Bound::Unbounded, Bound::Excluded))
}

/// The numbers of the keys in a range.
fn ranks(list: &KeyList, (start, end): Range<'_>) -> (usize, usize) {
    let behind = |key: &[u8]| {
        let (rank, found) = list.find(key);
        rank + usize::from(found)
    };
    let start = match start {
        Bound::Unbounded => 0,
        Bound::Included(key) => list.rank(key),
        Bound::Excluded(key) => behind(key),
    };
    let end = match end {
        Bound::Unbounded => list.len(),
        Bound::Included(key) => behind(key),
        Bound::Excluded(key) => list.rank(key),
    };
    (start, end)
}

/// The first key behind a range.
fn end_of((_, end): Range<'_>) -> Option<Box<[u8]>> {
    match end {
        Bound::Unbounded => None,
        Bound::Excluded(key) => Some(key.into()),
        // The least key that is greater.
        Bound::Included(key) => Some([key, &[0]].concat().into()),
    }
}
