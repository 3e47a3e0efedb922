//! The locks and threads of disk and engine, behind one door, so that a test can put a scheduler in their place.
//!
//! Normally these are `parking_lot`'s locks and the standard library's atomics and threads, by another name. Built with
//! `--cfg logkv_shuttle` they belong to shuttle, which decides at each of them which thread goes on: the same engine, on
//! the simulated disk, then runs through thousands of interleavings, and one that fails can be run again:
//!
//! ```text
//! RUSTFLAGS="--cfg logkv_shuttle" cargo test --target-dir target/shuttle --test handover
//! ```
//!
//! It knows nothing of what is locked. Whoever takes a lock in `disk` or `store` takes it from here, or the scheduler
//! does not see it.

#[cfg(not(logkv_shuttle))]
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
#[cfg(not(logkv_shuttle))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64};
#[cfg(not(logkv_shuttle))]
pub(crate) use std::thread;

#[cfg(logkv_shuttle)]
mod scheduled;
#[cfg(logkv_shuttle)]
pub(crate) use scheduled::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
#[cfg(logkv_shuttle)]
pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU64};
#[cfg(logkv_shuttle)]
pub(crate) use shuttle::thread;
