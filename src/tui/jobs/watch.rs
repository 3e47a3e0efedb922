//! Watches for what moves without a command of ours: another process that writes, or our own store's background work.
//!
//! Where this process only reads, it looks at names and lengths now and then, and at nothing more unless they changed.
//! Invariant: what did not change is not sent, so that an idle screen is never drawn.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Answers;
use super::session::Inner;
use crate::disk::ReadDisk;
use crate::store::{Mode, Refreshed};
use crate::tui::action::{Action, Arrived};

/// How often names and lengths are looked at.
const PERIOD: Duration = Duration::from_millis(500);

/// Names and lengths of a directory's files.
type Names = Vec<(OsString, u64)>;

/// What the watcher is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nudge {
    /// The store moved.
    Moved,
    /// There is nothing to watch any more.
    Stop,
}

/// Watches until told to stop.
pub(super) fn start(
    session: Arc<Inner>,
    disk: Arc<dyn ReadDisk>,
    nudges: Receiver<Nudge>,
    send: Answers,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("logkv-watch".into()).spawn(move || {
        // The first look always reads on: something may have moved between opening and now.
        let mut seen = Vec::new();
        while let Some(nudged) = next(&nudges, session.store.mode()) {
            let moved = if nudged {
                session.moved();
                true
            } else {
                look(&session, &*disk, &mut seen)
            };
            if moved {
                send(Action::Arrived(Arrived::Followed(session.figures())));
            }
        }
    })
}

/// `Some(true)`: something moved; `Some(false)`: time to look; `None`: stop.
fn next(nudges: &Receiver<Nudge>, mode: Mode) -> Option<bool> {
    let nudge = match mode {
        Mode::ReadWrite => nudges.recv().map_err(|_| RecvTimeoutError::Disconnected),
        Mode::ReadOnly => nudges.recv_timeout(PERIOD),
    };
    match nudge {
        Ok(Nudge::Moved) => {
            // Many steps make one answer.
            let stop = nudges.try_iter().any(|nudge| nudge == Nudge::Stop);
            (!stop).then_some(true)
        }
        Err(RecvTimeoutError::Timeout) => Some(false),
        Ok(Nudge::Stop) | Err(RecvTimeoutError::Disconnected) => None,
    }
}

/// Names and lengths; empty where the directory cannot be listed just now.
fn listing(disk: &dyn ReadDisk, dir: &Path) -> Names {
    let mut entries: Vec<_> =
        disk.list(dir).unwrap_or_default().into_iter().map(|entry| (entry.name, entry.len)).collect();
    entries.sort();
    entries
}

/// Takes in what another process did; says whether there was anything. What cannot be read now is tried again.
fn look(session: &Inner, disk: &dyn ReadDisk, seen: &mut Names) -> bool {
    let now = listing(disk, session.store.dir());
    if now == *seen {
        return false;
    }
    let Ok(refreshed) = session.store.refresh() else { return false };
    *seen = now;
    let moved = refreshed != Refreshed::default();
    if moved {
        session.followed();
    }
    moved
}
