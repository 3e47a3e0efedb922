//! Which keys came or went since the list was brought up to date last.
//!
//! Only that something happened to a key is noted, not what: whoever reads the notes asks the keydir, so that it does not
//! matter in which order two threads noted. Costs nothing but a load while nobody keeps an order.
//!
//! Invariants:
//!
//! 1. A key is noted after the keydir has it, or has it no more.
//! 2. No more than `most` notes are kept; one more, and all are given up, with the list that they were for.

use std::sync::atomic::Ordering;

use crate::primitives::{AtomicBool, Mutex};

/// Notes for a list.
#[derive(Debug, Default)]
pub(super) struct Moves {
    on: AtomicBool,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    /// Each key after its length in four bytes.
    bytes: Vec<u8>,
    keys: usize,
    most: usize,
}

impl Moves {
    /// From now on keys are noted.
    pub(super) fn begin(&self, most: usize) {
        *self.log.lock() = Log { most, ..Log::default() };
        self.on.store(true, Ordering::SeqCst);
    }

    /// Sets how many notes are kept at most.
    pub(super) fn keep_at_most(&self, most: usize) {
        self.log.lock().most = most;
    }

    /// Nothing is noted any more.
    pub(super) fn end(&self) {
        let mut log = self.log.lock();
        self.on.store(false, Ordering::SeqCst);
        *log = Log::default();
    }

    /// A key came or went.
    pub(super) fn note(&self, key: &[u8]) {
        if self.on.load(Ordering::SeqCst) {
            self.put_down(key);
        }
    }

    #[cold]
    fn put_down(&self, key: &[u8]) {
        let mut log = self.log.lock();
        let Ok(len) = u32::try_from(key.len()) else { return };
        if !self.on.load(Ordering::SeqCst) {
            return;
        }
        if log.keys >= log.most {
            self.on.store(false, Ordering::SeqCst);
            *log = Log::default();
            return;
        }
        log.bytes.extend_from_slice(&len.to_le_bytes());
        log.bytes.extend_from_slice(key);
        log.keys += 1;
    }

    /// What was noted, handed over. `None`: more than is kept.
    pub(super) fn take(&self) -> Option<Noted> {
        let mut log = self.log.lock();
        if !self.on.load(Ordering::SeqCst) {
            return None;
        }
        log.keys = 0;
        Some(Noted(std::mem::take(&mut log.bytes)))
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.log.lock().bytes.capacity()
    }
}

/// Keys that came or went.
pub(super) struct Noted(Vec<u8>);

impl Noted {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each once, ascending.
    pub(super) fn sorted(&self) -> Vec<&[u8]> {
        let mut keys = Vec::new();
        let mut rest = &self.0[..];
        while let Some((len, more)) = rest.split_first_chunk() {
            let Some((key, more)) = more.split_at_checked(u32::from_le_bytes(*len) as usize) else { break };
            keys.push(key);
            rest = more;
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn notes_come_sorted_and_once_and_one_too_many_gives_all_of_them_up() {
        let moves = Moves::default();
        moves.note(b"before");
        assert!(moves.take().is_none());
        moves.begin(4);
        let long = vec![b'x'; 70_000];
        [&b"b"[..], &long, b"a", b"b"].iter().for_each(|key| moves.note(key));
        assert_eq!(moves.take().unwrap().sorted(), [b"a", b"b", &long[..]]);
        assert!(moves.take().unwrap().is_empty());
        (0..5).for_each(|_| moves.note(b"again"));
        assert!(moves.take().is_none());
        assert_eq!(moves.bytes(), 0);
    }
}
