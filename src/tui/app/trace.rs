//! What the last commands did, step by step, as the engine told it.
//!
//! Plain data. Invariant: no more than [`RUNS`] commands are kept, and of each no more than [`STEPS`] steps.

use std::collections::VecDeque;
use std::time::Duration;

use super::Said;
use crate::store::Event;

/// Commands that are kept.
const RUNS: usize = 100;
/// Steps of one command that are kept.
const STEPS: usize = 1000;

/// One step of the engine's work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How long after the command began.
    pub after: Duration,
    /// What was done; if it was done several times on end, one of them.
    pub event: Event,
    /// How often it was done.
    pub times: u64,
}

/// One command that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// The command as it was typed.
    pub line: String,
    /// When it ended: microseconds since 1970.
    pub at: u64,
    /// What it answered.
    pub said: Said,
    /// What the engine did for it.
    pub steps: Vec<Step>,
    /// Steps that are not among them.
    pub more: usize,
}

/// The last commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TracePane {
    /// The commands, newest first.
    pub runs: VecDeque<Traced>,
    /// The first line on the screen.
    pub top: usize,
}

impl TracePane {
    /// Puts a command before the others.
    pub fn push(&mut self, mut run: Traced) {
        run.more = run.steps.len().saturating_sub(STEPS);
        run.steps.truncate(STEPS);
        self.runs.push_front(run);
        self.runs.truncate(RUNS);
        self.top = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::app::Tone;

    #[test]
    fn the_newest_come_first_and_all_is_bounded() {
        let mut trace = TracePane::default();
        for at in 0..200 {
            let step = Step { after: Duration::ZERO, event: Event::SegmentCreated { segment: 1 }, times: 1 };
            let said = Said { tone: Tone::Plain, text: String::new() };
            trace.push(Traced { line: String::new(), at, said, steps: vec![step; 1500], more: 0 });
        }
        assert_eq!((trace.runs.len(), trace.runs.front().map(|run| (run.at, run.more))), (RUNS, Some((199, 500))));
    }
}
