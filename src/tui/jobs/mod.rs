//! The workers: they carry out effects on the store, off the thread that draws.
//!
//! [`Desk`] does one effect at a time and answers through a callback; [`Jobs`] gives it threads. A test uses the desk
//! alone, so that a key press is over when the call returns. Invariants:
//!
//! 1. Opening and commands share one lane: they happen in the order in which they were asked for, and none is lost.
//! 2. Looks of one kind replace each other: the newest waits, a running one that is overtaken gives up.
//! 3. Nobody but a command and a merge, which has a lane of its own, writes to the store.

mod commands;
mod difference;
mod dissect;
mod findings;
mod hints;
mod history;
mod keys;
mod lane;
mod maps;
mod marks;
mod merge;
mod opening;
mod pace;
mod recorder;
mod records;
mod seek;
mod session;
mod value;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use self::lane::Lane;
use self::opening::Opening;
use self::session::Session;
use super::Settings;
use super::action::{Action, Arrived, List, SlotSeen};
use super::command::Command;
use super::effect::{Effect, MergeWanted};
use crate::disk::Disk;
use crate::error::Result;
use crate::store::{MergeControl, Options};

/// Where answers go.
pub type Answers = Arc<dyn Fn(Action) + Send + Sync>;

/// Completions that are offered at most.
const COMPLETIONS: usize = 64;

/// Does effects, one at a time and at once.
pub struct Desk {
    disk: Arc<dyn Disk>,
    options: Options,
    settings: Settings,
    send: Answers,
    session: Mutex<Option<Arc<Session>>>,
    stop: AtomicBool,
    stop_history: AtomicBool,
    stop_seek: AtomicBool,
    /// Of the plan that is being made.
    plan: Mutex<Arc<MergeControl>>,
    /// Of the merge with this number, the last that anybody spoke of.
    merge: Mutex<(u64, Arc<MergeControl>)>,
    closing: AtomicBool,
}

impl Desk {
    /// A desk that opens stores on `disk` and answers through `send`.
    pub fn new(disk: Arc<dyn Disk>, options: Options, settings: Settings, send: Answers) -> Self {
        Self {
            disk,
            options,
            settings,
            send,
            session: Mutex::new(None),
            stop: AtomicBool::new(false),
            stop_history: AtomicBool::new(false),
            stop_seek: AtomicBool::new(false),
            plan: Mutex::default(),
            merge: Mutex::default(),
            closing: AtomicBool::new(false),
        }
    }

    /// Does one thing. `overtaken` says whether its answer is no longer wanted.
    pub fn perform(&self, effect: Effect, overtaken: &dyn Fn() -> bool) {
        let session = self.session.lock().clone();
        match (effect, session) {
            (Effect::Open { path, create }, _) => {
                let opening = Opening { disk: &self.disk, options: &self.options, settings: &self.settings };
                let (arrived, session) = opening.open(&path, create, &self.send);
                *self.session.lock() = session;
                self.answer(arrived);
            }
            (Effect::StopHistory, _) => self.stop_history.store(true, Ordering::Relaxed),
            (Effect::StopSeek, _) => self.stop_seek.store(true, Ordering::Relaxed),
            (Effect::Stop, _) => self.stop.store(true, Ordering::Relaxed),
            (Effect::StopPlan, _) => self.plan.lock().cancel(),
            (Effect::StopMerge(number), _) => self.stop_merge(number),
            (effect, Some(session)) => self.look(&session, effect, overtaken),
            (_, None) => {}
        }
    }

    fn look(&self, session: &Session, effect: Effect, overtaken: &dyn Fn() -> bool) {
        match effect {
            Effect::Keys(wanted) => {
                if let Some(seen) = session.keys(wanted, overtaken, &|arrived| self.answer(arrived)) {
                    self.answer(Arrived::Keys(seen));
                }
            }
            Effect::Records(wanted) => {
                let read = session.records(&wanted, overtaken, &|arrived| self.answer(arrived));
                self.unless_read(List::Records, read);
            }
            Effect::Hints(wanted) => {
                let read = session.hints(&wanted, overtaken, &|arrived| self.answer(arrived));
                self.unless_read(List::Hint, read);
            }
            Effect::Seek(wanted) => {
                self.stop_seek.store(false, Ordering::Relaxed);
                let stopped = || self.stop_seek.load(Ordering::Relaxed) || overtaken();
                if let Some(seen) = seek::look(session, wanted, &|arrived| self.answer(arrived), &stopped) {
                    self.answer(Arrived::Sought(seen));
                }
            }
            Effect::LookUp(wanted) => {
                let entry = session.store().entry(&wanted.key);
                self.answer(Arrived::LookedUp { wanted, entry });
            }
            Effect::Record(wanted) => {
                dissect::dissect(session, &wanted, overtaken, &|seen| self.answer(Arrived::Record(seen)))
            }
            Effect::Value(wanted) => self.answer(Arrived::Value(value::value(session, wanted))),
            Effect::Diff(wanted) => {
                self.answer(Arrived::Diff(difference::compare(session, &wanted).map_err(|e| e.to_string())));
            }
            Effect::Rest(wanted) => {
                if history::rest(self.settings.rest, overtaken) {
                    self.answer(Arrived::Rested(wanted));
                }
            }
            Effect::History(wanted) => {
                self.stop_history.store(false, Ordering::Relaxed);
                let stopped = || self.stop_history.load(Ordering::Relaxed) || overtaken();
                if let Some(seen) = history::read(session, wanted, &|arrived| self.answer(arrived), &stopped) {
                    self.answer(Arrived::History(seen));
                }
            }
            Effect::Findings => self.answer(findings::known(session)),
            Effect::Maps(wanted) => maps::make(session, &wanted, &|arrived| self.answer(arrived), overtaken),
            Effect::Slot(wanted) => {
                let (shape, slot) = (session.store().keydir_shape(), session.store().keydir_slot(&wanted.key));
                self.answer(Arrived::Slot(Box::new(SlotSeen { wanted, shape, slot })));
            }
            Effect::Pause(paused) => session.pause(paused),
            Effect::Complete(prefix) => {
                if let Some(keys) = session.completions(&prefix, COMPLETIONS, overtaken) {
                    self.answer(Arrived::Completions { prefix, keys });
                }
            }
            Effect::Run(run) => {
                if run.command == Command::Verify {
                    self.stop.store(false, Ordering::Relaxed);
                }
                let progress = |progress| self.answer(Arrived::Progress(progress));
                let stopped = || self.stop.load(Ordering::Relaxed) || overtaken();
                let ran = commands::run(session, *run, &progress, &stopped);
                self.answer(Arrived::Ran(Box::new(ran)));
            }
            Effect::Plan(inputs) => {
                let control = Arc::new(MergeControl::default());
                *self.plan.lock() = Arc::clone(&control);
                merge::plan(session, &inputs, &control, &|arrived| self.answer(arrived));
            }
            Effect::Merge(wanted) => self.merge(session, *wanted),
            Effect::Open { .. }
            | Effect::Stop
            | Effect::StopPlan
            | Effect::StopMerge(_)
            | Effect::StopHistory
            | Effect::StopSeek
            | Effect::Copy(_)
            | Effect::Redraw
            | Effect::Suspend
            | Effect::Quit => {}
        }
    }

    fn merge(&self, session: &Session, wanted: MergeWanted) {
        let control = self.merge_control(wanted.number);
        if self.closing.load(Ordering::SeqCst) {
            control.cancel();
        }
        self.answer(Arrived::MergeEnded(Box::new(merge::merge(session, wanted, &control))));
    }

    /// Stops a merge, also one that waits for its turn.
    fn stop_merge(&self, number: u64) {
        let control = self.merge_control(number);
        control.cancel();
        if control.is_committing() {
            self.answer(Arrived::Committing);
        }
    }

    fn merge_control(&self, number: u64) -> Arc<MergeControl> {
        let mut last = self.merge.lock();
        if last.0 != number {
            *last = (number, Arc::default());
        }
        Arc::clone(&last.1)
    }

    /// Has whatever takes long come to its end.
    fn hurry(&self) {
        for stop in [&self.stop, &self.stop_history, &self.stop_seek] {
            stop.store(true, Ordering::Relaxed);
        }
        self.closing.store(true, Ordering::SeqCst);
        self.plan.lock().cancel();
        self.merge.lock().1.cancel();
    }

    fn unless_read(&self, list: List, read: Result<()>) {
        if let Err(e) = read {
            self.answer(Arrived::Unread { list, reason: e.to_string() });
        }
    }

    fn answer(&self, arrived: Arrived) {
        (self.send)(Action::Arrived(arrived));
    }

    /// Closes the store that is open, if one is.
    pub fn close(&self) -> Result<()> {
        match self.session.lock().take() {
            Some(session) => session.close(),
            None => Ok(()),
        }
    }
}

/// The desk with its threads.
pub struct Jobs {
    desk: Arc<Desk>,
    commands: Lane,
    long: Lane,
    keys: Lane,
    asides: Lane,
    records: Lane,
    hints: Lane,
    seek: Lane,
    anatomy: Lane,
    rest: Lane,
    history: Lane,
    values: Lane,
    maps: Lane,
    plan: Lane,
    merge: Lane,
}

impl Jobs {
    /// Starts the threads.
    pub fn start(desk: Desk) -> std::io::Result<Self> {
        let desk = Arc::new(desk);
        let lane = |name| Lane::start(name, Arc::clone(&desk));
        Ok(Self {
            commands: lane("commands")?,
            long: lane("long")?,
            keys: lane("keys")?,
            asides: lane("asides")?,
            records: lane("records")?,
            hints: lane("hints")?,
            seek: lane("seek")?,
            anatomy: lane("anatomy")?,
            rest: lane("rest")?,
            history: lane("history")?,
            values: lane("values")?,
            maps: lane("maps")?,
            plan: lane("plan")?,
            merge: lane("merge")?,
            desk,
        })
    }

    /// Hands an effect to the thread whose business it is.
    pub fn post(&self, effect: Effect) {
        match &effect {
            Effect::Open { .. } => self.commands.post(effect),
            Effect::Run(run) if run.command == Command::Verify => self.long.post(effect),
            Effect::Run(_) => self.commands.post(effect),
            Effect::Keys(_) => self.keys.post(effect),
            Effect::Complete(_) | Effect::Findings => self.asides.post(effect),
            Effect::Records(_) => self.records.post(effect),
            Effect::Hints(_) => self.hints.post(effect),
            Effect::Seek(_) => self.seek.post(effect),
            Effect::Record(_) | Effect::LookUp(_) => self.anatomy.post(effect),
            Effect::Value(_) | Effect::Diff(_) => self.values.post(effect),
            Effect::Rest(_) => self.rest.post(effect),
            Effect::History(_) => self.history.post(effect),
            Effect::Maps(_) => self.maps.post(effect),
            Effect::Slot(_) => self.anatomy.post(effect),
            Effect::Plan(_) => {
                // One that is under way is for nobody any more.
                self.desk.plan.lock().cancel();
                self.plan.post(effect);
            }
            Effect::Merge(_) => self.merge.post(effect),
            Effect::Stop
            | Effect::StopPlan
            | Effect::StopMerge(_)
            | Effect::StopHistory
            | Effect::StopSeek
            | Effect::Pause(_) => {
                self.desk.perform(effect, &|| false);
            }
            Effect::Copy(_) | Effect::Redraw | Effect::Suspend | Effect::Quit => {}
        }
    }

    /// Waits for what is running, gives up a merge that is not committing yet, does every command that was given, and closes the store.
    pub fn close(self) -> Result<()> {
        self.desk.hurry();
        let looks = [self.rest, self.history, self.keys, self.asides, self.records, self.anatomy, self.values];
        let more = [self.maps, self.hints, self.seek, self.plan, self.merge, self.long, self.commands];
        for lane in looks.into_iter().chain(more) {
            lane.finish();
        }
        self.desk.close()
    }
}
