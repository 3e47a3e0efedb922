//! Directories for runs, gone afterwards.

use std::path::{Path, PathBuf};

/// A directory of its own.
pub struct Scratch {
    dir: tempfile::TempDir,
}

impl Scratch {
    /// In memory where the system has a place for that: what ends with a process and not with the machine needs no disk.
    pub fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        let dir = tempfile::Builder::new().prefix("logkv-kernel-").tempdir_in(memory);
        Self { dir: dir.or_else(|_| tempfile::tempdir()).unwrap() }
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A new directory in it.
    pub fn dir(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir(&path).unwrap();
        path
    }
}
