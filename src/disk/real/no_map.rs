//! Where files are not mapped: there is no Unix, or a process has too few addresses for the segments of a store.
//!
//! On Windows a file that is mapped can neither be cut nor removed, and no longer than it is; plain reads serve there.

use std::fs::File;
use std::io;
use std::sync::Arc;

use crate::disk::SharedBytes;

/// Never made.
#[derive(Debug)]
pub(super) enum Map {}

impl Map {
    pub(super) fn sealed(_: &File) -> Option<Self> {
        None
    }

    pub(super) fn growing(_: &File, _: u64, _: &Arc<Growth>) -> Option<Self> {
        None
    }

    pub(super) fn lend(&self, _: u64, _: u64) -> Option<&[u8]> {
        match *self {}
    }
}

/// Never made.
#[derive(Debug)]
pub(super) enum Shared {}

impl Shared {
    pub(super) fn over(_: &File, _: usize) -> Option<Self> {
        None
    }
}

impl SharedBytes for Shared {
    fn put(&mut self, _: &[u8], _: usize) -> io::Result<()> {
        match *self {}
    }
}

/// Nothing is lent, so nothing has to be final.
#[derive(Debug, Default)]
pub(super) struct Growth;

impl Growth {
    pub(super) fn begin(&self, _: &File, _: u64) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn publish(&self, _: u64) {}

    pub(super) fn write(&self, _: u64, write: impl FnOnce() -> io::Result<usize>) -> io::Result<usize> {
        write()
    }

    pub(super) fn write_final(&self, _: u64, _: usize, write: impl FnOnce() -> io::Result<usize>) -> io::Result<usize> {
        write()
    }

    pub(super) fn set_len(&self, _: u64, set: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        set()
    }
}
