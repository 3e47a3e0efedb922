//! The same work on many things, several at once. Must not know what the work is.
//!
//! Keeps: the outcomes are in the order of the things; with one thread, or none to be had, all of it is done all the same.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::primitives::Mutex;

/// Does `work` on each of `things`, in at most so many threads, this one among them.
pub(crate) fn in_parallel<T: Sync, R: Send>(things: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, R)>> = Mutex::default();
    let turn = || {
        while let Some((i, thing)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, things.get(i)?)))
        {
            let result = work(thing);
            results.lock().push((i, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(things.len()) {
            // Without more threads this one does all of it.
            let _ = std::thread::Builder::new().name("logkv-load".into()).spawn_scoped(scope, turn);
        }
        turn();
    });
    let mut results = results.into_inner();
    results.sort_by_key(|(i, _)| *i);
    results.into_iter().map(|(_, result)| result).collect()
}
