//! Reading every version of a key, and waiting for a selection to rest.
//!
//! The screen gets no more than [`MOST`] versions, and is told how many there are.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::pace::Pace;
use super::session::{Session, despite_merges};
use crate::inspect::newest_versions;
use crate::tui::action::{Arrived, HistorySeen, Progress};
use crate::tui::effect::HistoryWanted;

/// Versions that the screen gets, the newest.
const MOST: usize = 10_000;
/// How often a rest looks whether it was disturbed.
const GLANCE: Duration = Duration::from_millis(10);

/// Reads all segments. `None`: overtaken or stopped.
pub(super) fn read(
    session: &Session,
    wanted: HistoryWanted,
    answer: &dyn Fn(Arrived),
    stopped: &dyn Fn() -> bool,
) -> Option<HistorySeen> {
    let generation = session.generation();
    let mut was_stopped = false;
    let mut pace = Pace::default();
    let mut told = |done, total| {
        was_stopped = stopped();
        let progress = Progress { what: "history", done, total };
        if pace.is_due(done, total) {
            answer(Arrived::ReadingHistory { wanted: wanted.clone(), progress });
        }
        if was_stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let history = despite_merges(|| newest_versions(session.store(), &wanted.key, MOST, &mut told));
    if was_stopped {
        return None;
    }
    let (total, effort) = history.as_ref().map(|history| (history.total, history.effort)).unwrap_or_default();
    let versions = history.map(|history| history.versions).map_err(|e| e.to_string());
    Some(HistorySeen { wanted, generation, versions, total, effort })
}

/// Waits so long; `false` if a later selection came before.
pub(super) fn rest(long: Duration, overtaken: &dyn Fn() -> bool) -> bool {
    let until = Instant::now() + long;
    loop {
        if overtaken() {
            return false;
        }
        match until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => return true,
            left => std::thread::sleep(left.min(GLANCE)),
        }
    }
}
