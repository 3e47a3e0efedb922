//! The kernel writes pages out when it pleases, in any order. In the few milliseconds of a run it would not come to that; so
//! it is asked to, for pages chosen at random, by somebody who has nothing to do with the store.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::fs::{Advice, fadvise};

use super::support::Rng;

const PAGE: u64 = 4096;

/// A thread that has pages written until it is stopped.
pub struct Writeback {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Writeback {
    /// Begins below `dir`; `beside` is a file of its own on the same file system.
    pub fn start(dir: PathBuf, beside: PathBuf, seed: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut rng = Rng::new(seed);
            while !stopped.load(Ordering::Relaxed) {
                some_pages(&dir, &mut rng);
                if rng.below(3) == 0 {
                    the_journal(&beside);
                }
                std::thread::sleep(Duration::from_micros(rng.below(300)));
            }
        });
        Self { stop, thread }
    }

    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

/// A few pages of one of the newest segments. Told that nobody needs them, the kernel begins to write those that are dirty.
fn some_pages(dir: &Path, rng: &mut Rng) {
    let names = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<_> = names.filter(|path| path.extension().is_some_and(|ext| ext == "data")).collect();
    files.sort();
    let Some(path) = files.iter().rev().nth(rng.below(2) as usize) else { return };
    // It may be gone, or the power may be.
    let Ok(file) = File::open(path) else { return };
    let pages = file.metadata().map_or(0, |metadata| metadata.len() / PAGE) + 1;
    let from = rng.below(pages) * PAGE;
    let _ = fadvise(&file, from, std::num::NonZeroU64::new((1 + rng.below(3)) * PAGE), Advice::DontNeed);
}

/// Another file's sync takes along what the journal has of all files: also that some of their pages are in place.
fn the_journal(beside: &Path) {
    let synced = File::options().create(true).append(true).open(beside);
    let _ = synced.and_then(|mut file| file.write_all(b"x").and_then(|()| file.sync_data()));
}
