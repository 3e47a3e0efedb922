//! Making the list out of the keydir, in as many threads as there are to be had.
//!
//! Some shards at a time are copied, sorted and packed, each thread its own; then each thread merges a piece of all of
//! them. At no time is there more than the packed keys, the copy of some shards a thread, and a few blocks. Keys that come
//! and go meanwhile are the caller's to add.

use std::ops::Range;
use std::sync::atomic::Ordering;

use crate::primitives::{AtomicBool, AtomicU64, Mutex};

use super::list::KeyList;
use super::merge::{merge, split};
use super::run::{self, Heap};
use crate::store::keydir::Keydir;
use crate::store::parallel::in_parallel;

/// Keys that are sorted at once, about.
const RUN: u64 = 1 << 16;
/// Keys of fewer than so many are not worth a second thread.
const FEW: u64 = 1 << 15;

/// How far the making of a list has come. Each key is read, and merged.
#[derive(Debug, Default)]
pub(super) struct Progress {
    done: AtomicU64,
    total: AtomicU64,
    given_up: AtomicBool,
    /// What is there of the first piece.
    first: Mutex<KeyList>,
}

impl Progress {
    /// Keys read and merged, of how many.
    pub(super) fn so_far(&self) -> (u64, u64) {
        let (done, total) = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed).max(1));
        (done.min(total), total)
    }

    /// The beginning of the list as far as it is there.
    pub(super) fn beginning(&self) -> KeyList {
        self.first.lock().clone()
    }

    /// Nobody needs it any more.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }

    fn add(&self, keys: u64) {
        self.done.fetch_add(keys, Ordering::Relaxed);
    }
}

/// The keys that are wanted, in byte order. `None`: it was given up.
pub(super) fn build(
    keydir: &Keydir,
    wanted: &(dyn Fn(&[u8]) -> bool + Sync),
    threads: usize,
    progress: &Progress,
) -> Option<KeyList> {
    let keys = keydir.len();
    progress.total.store(keys * 2, Ordering::Relaxed);
    let threads = if keys < FEW { 1 } else { threads.max(1) };
    // A thread's copies are made in the same memory: given back between packed keys, it would stay with the process.
    let resting: Mutex<Vec<Heap>> = Mutex::default();
    let groups = groups(keys);
    let packer = || if groups.len() > 1 { run::packer() } else { KeyList::packer() };
    let runs = in_parallel(&groups, threads, |shards| {
        let mut heap = resting.lock().pop().unwrap_or_default();
        collect(keydir, shards.clone(), wanted, progress, &mut heap);
        let run = heap.take_sorted(packer());
        resting.lock().push(heap);
        run
    });
    drop(resting);
    if progress.is_given_up() {
        return None;
    }
    let mut runs: Vec<KeyList> = runs.into_iter().filter(|run| !run.is_empty()).collect();
    if groups.len() <= 1 || runs.is_empty() {
        return Some(runs.pop().unwrap_or_default());
    }
    pieces(runs, threads, progress)
}

/// Shards that are sorted together.
fn groups(keys: u64) -> Vec<Range<usize>> {
    let count = usize::try_from(keys / RUN).unwrap_or(usize::MAX).clamp(1, 64).min(Keydir::SHARDS);
    (0..count).map(|at| Keydir::SHARDS * at / count..Keydir::SHARDS * (at + 1) / count).collect()
}

/// Takes the keys of some shards.
fn collect(
    keydir: &Keydir,
    shards: Range<usize>,
    wanted: &dyn Fn(&[u8]) -> bool,
    progress: &Progress,
    heap: &mut Heap,
) {
    for shard in shards {
        if progress.is_given_up() {
            return;
        }
        let mut visited = 0;
        keydir.for_each_in(shard, |key, _| {
            visited += 1;
            if wanted(key) {
                heap.push(key);
            }
        });
        progress.add(visited);
    }
}

/// Each thread merges the keys of a piece.
fn pieces(runs: Vec<KeyList>, threads: usize, progress: &Progress) -> Option<KeyList> {
    let splits = split(&runs, threads);
    let starts = std::iter::once(None).chain(splits.iter().map(|key| Some(&key[..])));
    let ends = splits.iter().map(|key| Some(&key[..])).chain([None]);
    let parts: Vec<_> = starts.zip(ends).map(|range| (range, Mutex::new(runs.clone()))).collect();
    drop(runs);
    let lists = in_parallel(&parts, threads, |(range, runs)| {
        let runs = std::mem::take(&mut *runs.lock());
        let mut list = KeyList::new();
        let whole = merge(runs, *range, &mut |blocks, keys| {
            match range.0 {
                None => progress.first.lock().extend(blocks),
                Some(_) => list.extend(blocks),
            }
            progress.add(keys as u64);
            !progress.is_given_up()
        });
        whole.then_some(list)
    });
    let mut whole = progress.beginning();
    for list in lists {
        whole.append(list?);
    }
    Some(whole)
}
