//! The store as of one moment, for those who go through all of it while writes go on.
//!
//! # Invariants
//!
//! 1. A view holds every key that had a value at its moment, with the version that was the newest then, whatever is
//!    written, expires or is merged while it is held.
//! 2. No merge of this process takes a file away that a view may still read; one that is ready to commit waits.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::error::Result;
use crate::primitives::RwLockReadGuard;

use super::contents::Contents;
use super::inner::Inner;
use super::ordered::of_prefix;
use super::{Answer, Entry, Found, Scan, Store};

/// The keys of a store as of one moment, in byte order. Made by [`Store::view`].
#[derive(Debug)]
pub struct View<'a> {
    inner: &'a Inner,
    contents: Arc<Contents>,
    keys: Vec<(Arc<[u8]>, Entry)>,
    _files: RwLockReadGuard<'a, ()>,
}

impl Store {
    /// The live keys that begin with `prefix` and their values, as of now. Holds a copy of the keys; writers wait while
    /// it is made, and not afterwards. A merge waits with its last step until it is dropped, so who holds it must not
    /// merge himself.
    ///
    /// [`crate::Error::NeedsNewer`] as for a get.
    pub fn view(&self, prefix: &[u8]) -> Result<View<'_>> {
        View::of(&self.inner, prefix)
    }

    /// Goes through the live keys that begin with `prefix` and their values, in byte order and as of one moment, until
    /// `visit` breaks off. A value that cannot be read is an error of its own, and the next key follows.
    pub fn fold(
        &self,
        prefix: &[u8],
        mut visit: impl FnMut(&[u8], &Entry, Result<Answer>) -> ControlFlow<()>,
    ) -> Result<()> {
        let view = self.view(prefix)?;
        let _ = view.iter().try_for_each(|(key, entry)| visit(key, entry, view.get(key, entry)));
        Ok(())
    }
}

impl<'a> View<'a> {
    fn of(inner: &'a Arc<Inner>, prefix: &[u8]) -> Result<Self> {
        // First of all: a merge that commits must be done, or not have begun.
        let files = inner.pin_files();
        let appends = inner.writer.as_ref().map(|writer| writer.core.lock());
        let refreshes = inner.refreshing.lock();
        let contents = inner.contents();
        if let Some(error) = &contents.needs_newer {
            return Err(error.clone());
        }
        let keys = Scan::begin(inner, of_prefix(prefix, &mut None)).collect();
        drop((appends, refreshes));
        Ok(Self { inner, contents, keys, _files: files })
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys and their entries, in byte order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Entry)> {
        self.keys.iter().map(|(key, entry)| (&**key, entry))
    }

    /// The value that a key of this view had at its moment.
    pub fn get(&self, key: &[u8], entry: &Entry) -> Result<Answer> {
        let suspect = self.contents.is_suspect(Some(entry));
        let value = self.inner.value_at(&self.contents, key, entry, |value| value.into_owned())?;
        Ok(Answer { found: Some(Found { value, entry: *entry }), suspect })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::super::{MergeChoice, MergeControl, Options};
    use super::*;
    use crate::disk::sim::SimDisk;

    fn store() -> Store {
        let options = Options { create: true, max_segment_bytes: 200, seed: 1, ..Options::default() };
        Store::open_on(Arc::new(SimDisk::new()), Path::new("/data"), options).unwrap()
    }

    fn seen(view: &View<'_>) -> Vec<(Vec<u8>, Vec<u8>)> {
        view.iter().map(|(key, entry)| (key.to_vec(), view.get(key, entry).unwrap().into_value().unwrap())).collect()
    }

    #[test]
    fn a_view_stays_what_it_was_while_everything_changes() {
        let store = store();
        for n in 0..9_u8 {
            store.put(&[b'k', n], &[n; 40]).unwrap();
        }
        store.put(b"other", b"").unwrap();
        let expected: Vec<_> = (0..9_u8).map(|n| (vec![b'k', n], vec![n; 40])).collect();
        std::thread::scope(|scope| {
            let view = store.view(b"k").unwrap();
            assert_eq!((view.len(), seen(&view)), (9, expected.clone()));
            (0..5_u8).for_each(|n| assert!(store.delete(&[b'k', n]).unwrap().is_some()));
            store.put(b"k\x07", b"overwritten").unwrap();
            store.put(b"knew", b"").unwrap();
            let merge = scope.spawn(|| store.merge(&MergeChoice::All, &MergeControl::default()).unwrap().unwrap());
            std::thread::sleep(std::time::Duration::from_millis(30));
            assert_eq!(seen(&view), expected);
            drop(view);
            merge.join().unwrap();
        });
        let view = store.view(b"k").unwrap();
        assert_eq!(
            view.iter().map(|(key, _)| key.to_vec()).collect::<Vec<_>>(),
            [&[b'k', 5][..], &[b'k', 6], &[b'k', 7], &[b'k', 8], b"knew"]
        );
    }

    /// It waited for the merge, which waited for the first view.
    #[test]
    fn whoever_holds_a_view_may_take_another_while_a_merge_waits() {
        let store = store();
        (0..9_u8).for_each(|n| drop(store.put(b"k", &[n; 40]).map(drop)));
        std::thread::scope(|scope| {
            let view = store.view(b"").unwrap();
            let merge = scope.spawn(|| store.merge(&MergeChoice::All, &MergeControl::default()).unwrap().unwrap());
            // Whether or not it waits already.
            std::thread::sleep(std::time::Duration::from_millis(30));
            let (another, pin) = (store.view(b"").unwrap(), store.pin());
            assert_eq!(seen(&another), seen(&view));
            drop((another, pin, view));
            merge.join().unwrap();
        });
    }

    #[test]
    fn a_fold_ends_where_it_is_told_to() {
        let store = store();
        (0..9_u8).for_each(|n| drop(store.put(&[n], b"v").map(drop)));
        let mut seen = Vec::new();
        let visit = |key: &[u8], _: &Entry, value: Result<Answer>| {
            seen.push((key.to_vec(), value.unwrap().into_value()));
            if seen.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        store.fold(b"", visit).unwrap();
        let value = || Some(b"v".to_vec());
        assert_eq!(seen, [(vec![0], value()), (vec![1], value()), (vec![2], value())]);
    }
}
