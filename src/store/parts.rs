//! All live keys in pieces, for those who go through millions of them and want to look up in between.
//!
//! Invariant: a key is in one part, the same as long as these parts are held; a part is visited as of one moment, and
//! what is written between two visits is seen or not. A batch between two visits is seen in the later part and not in the
//! earlier one; [`KeyParts::visit_all`] sees all of a batch or nothing.

use std::sync::Arc;

use super::Entry;
use super::contents::Contents;
use super::inner::Inner;
use super::keydir::Keydir;

/// The keys of a store in pieces of about the same size. Made by [`super::Store::key_parts`]; holds the index that was in
/// force then, even if a reader's store is loaded anew meanwhile.
#[derive(Debug)]
pub struct KeyParts {
    contents: Arc<Contents>,
    now: u64,
}

impl KeyParts {
    /// How many parts there are, whatever the number of keys.
    pub const COUNT: usize = Keydir::SHARDS;

    pub(super) fn of(inner: &Inner) -> Self {
        Self { contents: inner.contents(), now: inner.now() }
    }

    /// Visits the keys of one part, in no order. Writes to them wait meanwhile, so that `visit` has to be quick and must
    /// not ask the store.
    pub fn visit(&self, part: usize, visit: impl FnMut(&[u8], &Entry)) {
        let _whole_batches = self.contents.gate.hold();
        self.visit_held(part, visit);
    }

    fn visit_held(&self, part: usize, mut visit: impl FnMut(&[u8], &Entry)) {
        self.contents.keydir.for_each_in(part, |key, entry| {
            if entry.expires_at.is_none_or(|at| at > self.now) {
                visit(key, entry);
            }
        });
    }

    /// The entry that a key has now, if it had not expired when the parts were made. For those who ask for millions: it does
    /// not look at the clock.
    pub fn entry(&self, key: &[u8]) -> Option<Entry> {
        self.contents.gate.pass();
        self.contents.keydir.get(key).filter(|entry| entry.expires_at.is_none_or(|at| at > self.now))
    }

    /// Visits all of them.
    pub fn visit_all(&self, mut visit: impl FnMut(&[u8], &Entry)) {
        let _whole_batches = self.contents.gate.hold();
        (0..Self::COUNT).for_each(|part| self.visit_held(part, &mut visit));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;
    use std::path::Path;
    use std::time::Duration;

    use super::super::{Options, PutOptions, Store};
    use super::*;
    use crate::disk::sim::SimDisk;

    #[test]
    fn the_parts_together_are_the_live_keys_each_once() {
        let options = Options { create: true, ..Options::default() };
        let store = Store::open_on(Arc::new(SimDisk::new()), Path::new("data"), options).unwrap();
        for n in 0..3000_u32 {
            store.put(&n.to_be_bytes(), b"value").unwrap();
        }
        store.delete(&7_u32.to_be_bytes()).unwrap();
        let expired = PutOptions::ttl(Duration::ZERO);
        store.put_with(b"expired", b"value", &expired).unwrap();
        let parts = store.key_parts();
        let mut seen = BTreeSet::new();
        for part in 0..KeyParts::COUNT {
            let before = seen.len();
            parts.visit(part, |key, entry| {
                assert_eq!(store.inner.contents().keydir.get(key).as_ref(), Some(entry));
                assert!(seen.insert(key.to_vec()), "twice");
            });
            assert!(seen.len() - before < 300, "a part is a small piece");
        }
        parts.visit(KeyParts::COUNT, |_, _| unreachable!("there is no such part"));
        let scanned: BTreeSet<Vec<u8>> = store.scan(b"").map(|(key, _)| key.to_vec()).collect();
        assert_eq!((seen.len(), seen), (2999, scanned));
        assert_eq!(
            (parts.entry(b"expired"), parts.entry(&9_u32.to_be_bytes())),
            (None, store.entry(&9_u32.to_be_bytes()))
        );
    }
}
