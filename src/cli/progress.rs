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
    started: Instant,
}

impl Progress {
    /// Often enough to look alive, seldom enough to cost nothing.
    const PERIOD: Duration = Duration::from_millis(100);

    /// Visible where a person looks on and did not ask for quiet.
    pub(super) fn new(session: &Session) -> Self {
        Self { visible: session.notes.terminal && !session.global.quiet, drawn: None, started: Instant::now() }
    }

    /// Never asks to stop.
    pub(super) fn show(&mut self, done: u64, total: u64) -> ControlFlow<()> {
        let share = if total == 0 { 1.0 } else { done as f64 / total as f64 };
        self.draw(|_| format!("{:3.0}% of {}", share * 100.0, text::size(total)));
        ControlFlow::Continue(())
    }

    /// So many of a number that is known.
    pub(super) fn count(&mut self, done: u64, total: u64, what: &str) {
        self.draw(|_| format!("{} of {} {what}", text::count(done), text::count(total)));
    }

    /// Bytes that were read, of a number that may not be known, and how fast.
    pub(super) fn bytes(&mut self, done: u64, total: Option<u64>) {
        self.draw(|took| {
            let rate = text::size((done as f64 / took.as_secs_f64().max(1e-3)) as u64);
            match total {
                Some(total) => {
                    let share = if total == 0 { 100.0 } else { done as f64 / total as f64 * 100.0 };
                    format!("{share:3.0}% of {}, {rate} a second", text::size(total))
                }
                None => format!("{} read, {rate} a second", text::size(done)),
            }
        });
    }

    /// What is being done, where nobody knows how much of it there is.
    pub(super) fn words(&mut self, words: impl FnOnce() -> String) {
        self.draw(|_| words());
    }

    fn draw(&mut self, words: impl FnOnce(Duration) -> String) {
        if self.visible && self.drawn.is_none_or(|at| at.elapsed() >= Self::PERIOD) {
            self.drawn = Some(Instant::now());
            Self::write(&words(self.started.elapsed()));
        }
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
