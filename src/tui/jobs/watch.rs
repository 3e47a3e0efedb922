//! Watches for what moves without a command of ours: another process that writes, or our own store's background work.
//!
//! Where this process only reads, it looks at names and lengths now and then, more often while they change, and at nothing
//! more unless they did. Invariants:
//!
//! 1. What did not change is not sent, so that an idle screen is never drawn.
//! 2. While it is paused nothing is read on; what was appended meanwhile is read afterwards, all of it and in order.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Answers;
use super::session::Inner;
use crate::disk::{ReadDisk, is_running};
use crate::store::{Mode, Moved, Refreshed};
use crate::tui::action::{Action, Arrived, Pulse};

/// How often names and lengths are looked at.
const PERIOD: Duration = Duration::from_millis(500);
/// The same while something moves.
const BUSY_PERIOD: Duration = Duration::from_millis(100);
/// Looks at a writer's store after its end.
const LAST_LOOKS: u32 = 8;
/// How long nothing must move until that is told.
const QUIET: Duration = Duration::from_secs(1);

/// Names and lengths of a directory's files.
type Names = Vec<(OsString, u64)>;

/// What the watcher is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nudge {
    /// The store moved.
    Moved,
    /// What it holds became durable.
    Synced,
    /// Read on, or do not.
    Pause(bool),
    /// There is nothing to watch any more.
    Stop,
}

/// What is to be done next.
enum Next {
    Move,
    Tell,
    Look,
    Stop,
}

struct Watch {
    session: Arc<Inner>,
    disk: Arc<dyn ReadDisk>,
    send: Answers,
    seen: Names,
    /// Bytes of the directory when it was opened.
    opened_at: u64,
    paused: bool,
    /// Bytes that were appended during a pause, as told last.
    behind: u64,
    /// The process that writes, while it runs.
    writer: Option<u32>,
    /// Why nothing could be read on, as told last.
    stalled: Option<String>,
    /// Looks to come although nothing seems to change: the writer ended, and may have left something in memory it shared.
    last_looks: u32,
    /// When something moved last, while that is still news.
    moved: Option<Instant>,
    looked: Instant,
}

/// Watches until told to stop.
pub(super) fn start(
    session: Arc<Inner>,
    disk: Arc<dyn ReadDisk>,
    nudges: Receiver<Nudge>,
    send: Answers,
    writer: Option<u32>,
) -> std::io::Result<JoinHandle<()>> {
    // A number that means nothing here is of another system, or of another room of this one.
    let writer = writer.filter(|pid| is_running(*pid) == Some(true));
    // The first look always reads on: something may have moved between opening and now.
    let opened_at = bytes(&listing(&*disk, session.store.dir()));
    let mut watch = Watch {
        session,
        disk,
        send,
        seen: Vec::new(),
        opened_at,
        paused: false,
        behind: 0,
        writer,
        stalled: None,
        last_looks: 0,
        moved: None,
        looked: Instant::now(),
    };
    std::thread::Builder::new().name("logkv-watch".into()).spawn(move || {
        loop {
            match watch.next(&nudges) {
                Next::Move => {
                    watch.session.moved();
                    watch.tell(None);
                }
                Next::Tell => watch.tell(None),
                Next::Look => {
                    if watch.paused {
                        watch.measure()
                    } else {
                        watch.look()
                    }
                    watch.look_after_writer();
                }
                Next::Stop => return,
            }
        }
    })
}

impl Watch {
    fn next(&mut self, nudges: &Receiver<Nudge>) -> Next {
        let period = if self.moved.is_some() { BUSY_PERIOD } else { PERIOD };
        let first = match self.session.store.mode() {
            Mode::ReadWrite => nudges.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Mode::ReadOnly => nudges.recv_timeout(period),
        };
        let first = match first {
            Ok(nudge) => nudge,
            Err(RecvTimeoutError::Timeout) => return Next::Look,
            Err(RecvTimeoutError::Disconnected) => return Next::Stop,
        };
        // Many steps make one answer.
        let mut next = Next::Look;
        for nudge in std::iter::once(first).chain(nudges.try_iter()) {
            match nudge {
                Nudge::Stop => return Next::Stop,
                Nudge::Pause(paused) => (self.paused, self.behind) = (paused, 0),
                Nudge::Moved => {
                    self.session.recorder.heard();
                    next = Next::Move;
                }
                // Lists and histories stay as they are: reading them again would be for nothing.
                Nudge::Synced if matches!(next, Next::Move) => {}
                Nudge::Synced => next = Next::Tell,
            }
        }
        next
    }

    fn tell(&self, pulse: Option<Pulse>) {
        let figures = Box::new(self.session.figures());
        let arrived = match pulse {
            Some(pulse) => Arrived::Pulse { figures, pulse },
            None => Arrived::Followed(figures),
        };
        (self.send)(Action::Arrived(arrived));
    }

    /// Takes in what another process did. What cannot be read now is tried again.
    fn look(&mut self) {
        let now = listing(&*self.disk, self.session.store.dir());
        if now == self.seen && self.last_looks == 0 {
            return self.rest();
        }
        self.last_looks = self.last_looks.saturating_sub(1);
        let store = &self.session.store;
        let mut any = false;
        let mut moved = |moved: Moved<'_>| {
            any = true;
            self.session.followed(moved);
        };
        let refreshed = self.session.recorder.quietly(|| store.refresh_telling(&mut moved));
        if any {
            self.session.moved();
        }
        let refreshed = match refreshed {
            Ok(refreshed) => refreshed,
            Err(e) => return self.stall(e.to_string()),
        };
        self.stalled = None;
        let bytes = bytes(&now).saturating_sub(bytes(&self.seen));
        let is_first = self.seen.is_empty();
        self.seen = now;
        let took = std::mem::replace(&mut self.looked, Instant::now()).elapsed();
        if refreshed == Refreshed::default() {
            return;
        }
        self.session.moved();
        self.moved = Some(Instant::now());
        let bytes = if is_first { 0 } else { bytes };
        self.tell(Some(Pulse { records: refreshed.records, bytes, took }));
    }

    /// Says that the process that writes has ended.
    fn look_after_writer(&mut self) {
        if self.writer.is_some_and(|pid| is_running(pid) == Some(false)) {
            self.writer = None;
            self.last_looks = LAST_LOOKS;
            (self.send)(Action::Arrived(Arrived::WriterEnded));
        }
    }

    /// Says why nothing can be read on, once for each reason.
    fn stall(&mut self, reason: String) {
        if self.stalled.as_ref() != Some(&reason) {
            self.stalled = Some(reason.clone());
            (self.send)(Action::Arrived(Arrived::Stalled(reason)));
        }
    }

    /// Says once that nothing moves any more.
    fn rest(&mut self) {
        self.looked = Instant::now();
        if self.moved.is_some_and(|at| at.elapsed() > QUIET) {
            self.moved = None;
            self.tell(Some(Pulse { took: QUIET, ..Pulse::default() }));
        }
    }

    /// Says how much there is to read after a pause.
    fn measure(&mut self) {
        let now = listing(&*self.disk, self.session.store.dir());
        let read = if self.seen.is_empty() { self.opened_at } else { bytes(&self.seen) };
        let behind = bytes(&now).saturating_sub(read);
        if std::mem::replace(&mut self.behind, behind) != behind {
            (self.send)(Action::Arrived(Arrived::Behind(behind)));
        }
    }
}

fn bytes(names: &Names) -> u64 {
    names.iter().map(|(_, len)| *len).sum()
}

/// Names and lengths; empty where the directory cannot be listed just now.
fn listing(disk: &dyn ReadDisk, dir: &Path) -> Names {
    let mut entries: Vec<_> =
        disk.list(dir).unwrap_or_default().into_iter().map(|entry| (entry.name, entry.len)).collect();
    entries.sort();
    entries
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::mpsc::channel;

    use super::*;
    use crate::disk::Disk;
    use crate::disk::sim::SimDisk;
    use crate::store::{Event, Observer, Options, Store};
    use crate::tui::jobs::recorder::Recorder;
    use crate::tui::jobs::session::Session;

    #[test]
    fn a_sync_is_told_and_is_no_reason_to_read_anything_again() {
        let disk = Arc::new(SimDisk::new());
        let store = Options { create: true, ..Options::default() };
        let store = Store::open_on(Arc::clone(&disk) as _, Path::new("data"), store).unwrap();
        let (send, answers) = channel();
        let send: Answers = Arc::new(move |action| drop(send.send(action)));
        let nudges = channel();
        let recorder = Arc::new(Recorder::new(Arc::clone(&send), nudges.0.clone()));
        let session = Session::begin(store, Arc::clone(&recorder), nudges, disk.reader(), send, None).unwrap();
        let before = session.figures();
        let told = |event: &Event| {
            recorder.event(event);
            let answer = answers.recv_timeout(Duration::from_secs(10)).unwrap();
            let Action::Arrived(Arrived::Followed(figures)) = answer else { return (0, false) };
            (figures.generation - before.generation, figures.number > before.number)
        };
        assert_eq!(told(&Event::Synced { segment: 1, stable_len: 40, took: Duration::ZERO }), (0, true));
        assert_eq!(told(&Event::Sealed { segment: 1, bytes: 40 }), (1, true));
        session.close().unwrap();
    }
}
