//! What keys had when scans began that are still under way.
//!
//! A scan that is longer than a glance looks at its keys later than at its moment. While it lives, whoever moves a key that
//! it still has before it puts the old entry down here, once a key. Without such scans that costs a load.
//!
//! Invariants:
//!
//! 1. A key is moved, and its old entry put down, under one lock, the same under which a scan looks.
//! 2. What a scan holds is a key that is still before it, with the entry that it had at the scan's moment; of the first
//!    move only.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::primitives::{AtomicU64, Mutex, MutexGuard};
use crate::store::Entry;
use crate::store::contents::Contents;

/// The scans that are under way.
#[derive(Debug, Default)]
pub(in crate::store) struct Past {
    open: AtomicU64,
    scans: Mutex<Scans>,
}

/// They, locked.
#[derive(Debug, Default)]
pub(in crate::store) struct Scans {
    next: u64,
    scans: Vec<Under>,
}

/// One of them.
#[derive(Debug)]
struct Under {
    number: u64,
    /// The key that it came to last, and the one behind its last one.
    from: Option<Box<[u8]>>,
    end: Option<Box<[u8]>>,
    entries: HashMap<Box<[u8]>, Option<Entry>>,
}

impl Past {
    /// To be held while a key is moved, and told of it; `None`: nobody needs it.
    pub(in crate::store) fn hold(&self) -> Option<MutexGuard<'_, Scans>> {
        (self.open.load(Ordering::SeqCst) > 0).then(|| self.scans.lock())
    }

    /// Keeps entries for a scan of keys before `end` until the answer is dropped.
    pub(super) fn begin(contents: &Arc<Contents>, end: Option<Box<[u8]>>) -> Held {
        let past = &contents.ordered.past;
        let mut scans = past.scans.lock();
        let number = scans.next;
        scans.next += 1;
        scans.scans.push(Under { number, from: None, end, entries: HashMap::new() });
        past.open.fetch_add(1, Ordering::SeqCst);
        Held { contents: Arc::clone(contents), number }
    }

    /// Bytes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        let each = size_of::<(Box<[u8]>, Option<Entry>)>() + 1;
        let of = |scan: &Under| {
            scan.entries.capacity() * each + scan.entries.keys().map(|key| key.len() + 16).sum::<usize>()
        };
        self.hold().map_or(0, |scans| scans.scans.iter().map(of).sum())
    }
}

impl Scans {
    /// A key had this entry until now.
    pub(in crate::store) fn moved(&mut self, key: &[u8], before: Option<Entry>) {
        for scan in &mut self.scans {
            let is_behind = scan.from.as_ref().is_some_and(|from| key <= &**from);
            let is_past = scan.end.as_ref().is_some_and(|end| key >= &**end);
            if !is_behind && !is_past && !scan.entries.contains_key(key) {
                scan.entries.insert(key.into(), before);
            }
        }
    }
}

/// A scan that is under way.
#[derive(Debug)]
pub(super) struct Held {
    contents: Arc<Contents>,
    number: u64,
}

impl Held {
    /// Looks at keys as they were, each after the one before: `look` gets a function for one key.
    pub(super) fn look(&self, look: impl FnOnce(&mut dyn FnMut(&[u8]) -> Option<Entry>)) {
        let mut scans = self.contents.ordered.past.scans.lock();
        let Some(scan) = scans.scans.iter_mut().find(|scan| scan.number == self.number) else { return };
        let mut last: Option<Box<[u8]>> = None;
        look(&mut |key| {
            last = Some(key.into());
            // Most of the time nothing has moved.
            match scan.entries.is_empty() {
                true => self.contents.keydir.get(key),
                false => scan.entries.remove(key).unwrap_or_else(|| self.contents.keydir.get(key)),
            }
        });
        scan.from = last.or(scan.from.take());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let past = &self.contents.ordered.past;
        past.scans.lock().scans.retain(|scan| scan.number != self.number);
        past.open.fetch_sub(1, Ordering::SeqCst);
    }
}
