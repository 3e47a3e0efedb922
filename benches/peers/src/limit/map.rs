//! Mappings: the one place of the limits that needs unsafe code.

#![allow(unsafe_code, reason = "a limit of this machine is a mapping")]

use std::fs::File;

use memmap2::{Mmap, MmapMut};

use crate::Outcome;

pub(super) fn read(file: &File) -> Outcome<Mmap> {
    // SAFETY: the file is in a fresh directory of this benchmark, which neither writes nor cuts it while it is mapped.
    Ok(unsafe { Mmap::map(file)? })
}

pub(super) fn write(file: &File) -> Outcome<MmapMut> {
    // SAFETY: as above; it is written through this mapping alone.
    Ok(unsafe { MmapMut::map_mut(file)? })
}
