//! A thread that does effects one after the other, and the line in front of it.
//!
//! Invariant: of two looks of one kind in the line only the later stays; commands all stay, in order.

use std::collections::VecDeque;
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};

use super::Desk;
use crate::tui::action::{Action, Arrived};
use crate::tui::effect::Effect;

/// One thread and its line.
pub(super) struct Lane {
    line: Arc<Line>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Line {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    effects: VecDeque<Effect>,
    finishing: bool,
}

impl Lane {
    /// Starts the thread.
    pub(super) fn start(name: &str, desk: Arc<Desk>) -> std::io::Result<Self> {
        let line = Arc::new(Line::default());
        let theirs = Arc::clone(&line);
        let thread = std::thread::Builder::new().name(format!("logkv-{name}")).spawn(move || {
            let _fallen = Fallen(&desk);
            while let Some(effect) = theirs.next() {
                let kind = discriminant(&effect);
                desk.perform(effect, &|| theirs.is_overtaken(kind));
            }
        })?;
        Ok(Self { line, thread })
    }

    /// Puts an effect into the line.
    pub(super) fn post(&self, effect: Effect) {
        self.line.join(effect);
    }

    /// Lets the thread do the commands that wait, and waits for its end. Looks that wait are dropped.
    pub(super) fn finish(self) {
        self.line.finish();
        // A thread that panicked has told so already, and there is nothing more to wait for.
        let _ = self.thread.join();
    }
}

impl Line {
    fn join(&self, effect: Effect) {
        let mut state = self.state.lock();
        if !is_command(&effect) {
            state.effects.retain(|waiting| discriminant(waiting) != discriminant(&effect));
        }
        state.effects.push_back(effect);
        self.changed.notify_one();
    }

    fn finish(&self) {
        let mut state = self.state.lock();
        state.finishing = true;
        state.effects.retain(is_command);
        self.changed.notify_one();
    }

    /// The next effect; `None` when there will be no more.
    fn next(&self) -> Option<Effect> {
        let mut state = self.state.lock();
        loop {
            if let Some(effect) = state.effects.pop_front() {
                return Some(effect);
            }
            if state.finishing {
                return None;
            }
            self.changed.wait(&mut state);
        }
    }

    /// Whether a later look of the kind waits, so that the running one is for nobody. One of another kind only waits its
    /// turn: whoever asked for the running one still waits for its answer.
    fn is_overtaken(&self, kind: Discriminant<Effect>) -> bool {
        let state = self.state.lock();
        state.finishing || state.effects.iter().any(|effect| !is_command(effect) && discriminant(effect) == kind)
    }
}

fn is_command(effect: &Effect) -> bool {
    matches!(effect, Effect::Run(_) | Effect::Open { .. })
}

/// Tells the interface when its thread panics, which would otherwise wait for an answer for ever.
struct Fallen<'a>(&'a Desk);

impl Drop for Fallen<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let reason = "a worker failed: this is a bug in logkv; leave with q and open the store again".to_owned();
            (self.0.send)(Action::Arrived(Arrived::Failed(reason)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::effect::{KeyPlace, KeysWanted};

    fn look(row: usize) -> Effect {
        Effect::Keys(KeysWanted { at: KeyPlace::Row(row), ..KeysWanted::default() })
    }

    fn open(path: &str) -> Effect {
        Effect::Open { path: path.into(), create: false }
    }

    #[test]
    fn the_newest_look_stays_and_every_command() {
        let line = Line::default();
        for effect in [look(1), open("a"), look(2), Effect::Complete(Vec::new()), open("a"), look(3)] {
            line.join(effect);
        }
        assert!(line.is_overtaken(discriminant(&look(0))));
        assert!(!line.is_overtaken(discriminant(&Effect::Findings)), "one of another kind waits its turn");
        assert!(!line.is_overtaken(discriminant(&open("a"))), "a command is never replaced");
        line.state.lock().finishing = true;
        let done: Vec<Effect> = std::iter::from_fn(|| line.next()).collect();
        assert_eq!(done, [open("a"), Effect::Complete(Vec::new()), open("a"), look(3)]);
    }

    #[test]
    fn at_the_end_commands_are_still_done_and_looks_are_not() {
        let line = Line::default();
        [look(1), open("a")].into_iter().for_each(|effect| line.join(effect));
        line.finish();
        assert_eq!((line.next(), line.next()), (Some(open("a")), None));
    }
}
