//! How far a long reading is: one line on a terminal's standard error, redrawn in place and taken away at the end, so
//! that it is never part of what is kept.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::session::Session;
use crate::text;

/// One line on standard error.
pub(super) struct Progress {
    visible: bool,
    drawn: Option<Instant>,
}

impl Progress {
    /// Often enough to look alive, seldom enough to cost nothing.
    const PERIOD: Duration = Duration::from_millis(100);

    /// Visible where a person looks on and did not ask for quiet.
    pub(super) fn new(session: &Session) -> Self {
        Self { visible: session.notes.terminal && !session.global.quiet, drawn: None }
    }

    /// Never asks to stop.
    pub(super) fn show(&mut self, done: u64, total: u64) -> ControlFlow<()> {
        if self.visible && self.drawn.is_none_or(|at| at.elapsed() >= Self::PERIOD) {
            self.drawn = Some(Instant::now());
            let share = if total == 0 { 1.0 } else { done as f64 / total as f64 };
            Self::write(&format!("{:3.0}% of {}", share * 100.0, text::size(total)));
        }
        ControlFlow::Continue(())
    }

    /// Leaves the line as it was found.
    pub(super) fn erase(&self) {
        if self.drawn.is_some() {
            Self::write("");
        }
    }

    /// A progress line that cannot be written is no reason to stop.
    fn write(words: &str) {
        let mut stderr = io::stderr().lock();
        let _ = write!(stderr, "\r\x1b[K{words}").and_then(|()| stderr.flush());
    }
}
