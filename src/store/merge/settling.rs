//! Makes outputs durable in a thread of its own, while the next ones are written.
//!
//! What is written of an output goes to the disk before the output is whole, so that the disk has something to do from the
//! beginning. Keeps: outputs come back in the order in which they came; the first failure is the end, and nothing that was
//! written before it counts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::disk::{Disk, WriteFile};
use crate::error::{Error, Result};
use crate::store::inner::Inner;

use super::output::{NewOutput, Output};

/// The thread, and the way to it.
#[derive(Debug)]
pub(super) struct Settling<'scope> {
    jobs: SyncSender<Job>,
    thread: ScopedJoinHandle<'scope, Result<Vec<Output>>>,
}

#[derive(Debug)]
enum Job {
    /// More of the file at this path was written.
    Begun(PathBuf, Arc<dyn WriteFile>),
    /// No more will be.
    Whole(Box<NewOutput>),
}

impl<'scope> Settling<'scope> {
    /// Starts it; `None` without a thread to be had.
    pub(super) fn start<'env>(
        inner: &'env Inner,
        disk: &'env dyn Disk,
        scope: &'scope Scope<'scope, 'env>,
    ) -> Option<Self> {
        // Few wait at a time: each keeps its hint in memory.
        let (jobs, waiting) = sync_channel(1);
        let settle = move || settle(inner, disk, &waiting);
        let thread = Builder::new().name("logkv-settle".into()).spawn_scoped(scope, settle).ok()?;
        Some(Self { jobs, thread })
    }

    /// Lets the disk begin with what is there of a file. Where it has enough to do, it comes to that later.
    pub(super) fn begun(&self, path: &Path, file: &Arc<dyn WriteFile>) {
        let _ = self.jobs.try_send(Job::Begun(path.to_owned(), file.clone()));
    }

    /// Hands over an output. False if one before it has failed.
    pub(super) fn whole(&self, output: NewOutput) -> bool {
        self.jobs.send(Job::Whole(Box::new(output))).is_ok()
    }

    /// Waits for all outputs.
    pub(super) fn finish(self) -> Result<Vec<Output>> {
        drop(self.jobs);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn settle(inner: &Inner, disk: &dyn Disk, jobs: &Receiver<Job>) -> Result<Vec<Output>> {
    let mut outputs = Vec::new();
    for job in jobs {
        match job {
            Job::Begun(path, file) => file.sync_data().map_err(|e| Error::io("sync", path, e))?,
            Job::Whole(output) => outputs.push(output.finish(inner, disk)?),
        }
    }
    Ok(outputs)
}
