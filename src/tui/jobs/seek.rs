//! Looking for the next version, tombstone or damage through all segments, and looking a key up in the keydir.

use std::ops::ControlFlow;

use super::pace::Pace;
use super::session::{Session, despite_merges};
use crate::inspect::{Sought, seek};
use crate::tui::action::{Arrived, Progress, SeekSeen};
use crate::tui::effect::SeekWanted;

/// What is being looked for, for the line that tells how far it has come.
pub(super) fn what(sought: &Sought) -> &'static str {
    match sought {
        Sought::Version(_) => "looking for a version",
        Sought::Tombstone => "looking for a tombstone",
        Sought::Damage => "looking for damage",
    }
}

/// Looks. `None`: stopped, or overtaken.
pub(super) fn look(
    session: &Session,
    wanted: SeekWanted,
    answer: &dyn Fn(Arrived),
    stopped: &dyn Fn() -> bool,
) -> Option<SeekSeen> {
    let what = what(&wanted.sought);
    let mut was_stopped = false;
    let mut pace = Pace::default();
    let mut told = |done, total| {
        was_stopped = stopped();
        if pace.is_due(done, total) {
            answer(Arrived::Seeking { wanted: wanted.clone(), progress: Progress { what, done, total } });
        }
        if was_stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let found = despite_merges(|| seek(session.store(), wanted.from, wanted.forward, &wanted.sought, &mut told));
    (!was_stopped).then(|| SeekSeen { wanted, found: found.map_err(|e| e.to_string()) })
}
