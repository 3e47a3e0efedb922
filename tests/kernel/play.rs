//! The process that works, and what it reports.
//!
//! It is this test's own program, started anew. Each operation that is done is a line on its standard output: one `write`,
//! a call that the engine does not use, so that reporting changes no count. What is asked of it stands in its environment.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use logkv::disk::RealDisk;
use logkv::store::{Batch, Expiry, MergeControl, Mode, PutOptions};
use logkv::transfer::{SnapshotOptions, snapshot};
use logkv::{Error, Result, Store};

use super::history::{End, History};
use super::look::{contents, snapshot_is_whole};
use super::workload::{Op, Shape, State, Which, Workload};

/// What a run does when an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It ends: the rest of the machine is going down, too.
    Stop,
    /// It goes on as promised, and checks at each step that it does.
    GoOn,
}

/// What a process is to do.
#[derive(Clone, Debug)]
pub struct Play {
    pub dir: PathBuf,
    pub workload: Workload,
    pub then: Then,
}

const VARIABLE: &str = "LOGKV_KERNEL_PLAY";

impl Play {
    /// This program, about to do it, behind the words of `before` (of `strace`, or none).
    pub fn command(&self, before: &[String]) -> Command {
        let program = std::env::current_exe().unwrap().to_string_lossy().into_owned();
        let mut words: Vec<String> = before.to_vec();
        words.extend([&program, "--exact", "process", "--ignored", "--nocapture"].map(str::to_owned));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env(VARIABLE, self.to_text());
        command
    }

    fn to_text(&self) -> String {
        let Workload { seed, len, shape, sync } = &self.workload;
        format!("{seed} {len} {shape:?} {sync} {:?} {}", self.then, self.dir.display())
    }

    fn from_text(text: &str) -> Self {
        let words: Vec<&str> = text.splitn(6, ' ').collect();
        let shape = if words[2] == "Small" { Shape::Small } else { Shape::Large };
        let sync = words[3].parse().unwrap();
        let workload = Workload { seed: words[0].parse().unwrap(), len: words[1].parse().unwrap(), shape, sync };
        let then = if words[4] == "Stop" { Then::Stop } else { Then::GoOn };
        Self { dir: words[5].into(), workload, then }
    }
}

/// Does what the environment asks for, if it does.
pub fn run_if_asked() {
    let Ok(text) = std::env::var(VARIABLE) else { return };
    let play = Play::from_text(&text);
    // Calls are counted by thread and name. The start of the program opened some files on another thread; ours must
    // have a higher count, or that thread would be hit first.
    for _ in 0..100 {
        drop(std::fs::File::open("/dev/null"));
    }
    match play.then {
        Then::Stop => play.until_it_fails(),
        Then::GoOn => Failing::new(&play).go(),
    }
    // As if killed: whoever closes nothing is owed the same.
    std::process::exit(0);
}

fn tell(line: &str) {
    // Nobody may be there to hear it.
    let _ = std::io::stdout().lock().write_all(format!("@{line}\n").as_bytes());
}

impl Play {
    fn open(&self) -> Result<Store> {
        Store::open(&self.dir, self.workload.options())
    }

    fn until_it_fails(&self) {
        let Ok(mut store) = self.open() else { return tell("failed") };
        for (i, op) in self.workload.ops().iter().enumerate() {
            if *op == Op::Reopen {
                store = match store.close().and_then(|()| self.open()) {
                    Ok(store) => store,
                    Err(e) => return tell(&format!("failed {i} {e}")),
                };
            } else if let Err(e) = self.run(i, op, &store) {
                return tell(&format!("failed {i} {e}"));
            }
            tell(&format!("done {i}"));
        }
        if store.close().is_ok() {
            tell("closed");
        }
    }
}

impl Play {
    /// Where the snapshot goes that the operation of this number makes.
    pub fn snapshot(&self, i: usize) -> PathBuf {
        self.dir.parent().unwrap().join(format!("snapshot-{i}"))
    }

    fn run(&self, i: usize, op: &Op, store: &Store) -> Result<()> {
        let Op::Snapshot(copy) = *op else { return run(store, op) };
        tell("snapshotting");
        let options = SnapshotOptions { copy, ..SnapshotOptions::default() };
        snapshot(store, &RealDisk, &self.snapshot(i), &options, &mut |_, _| ControlFlow::Continue(())).map(drop)
    }
}

fn run(store: &Store, op: &Op) -> Result<()> {
    match op {
        Op::Put(key, value) => store.put(key, value).map(drop),
        Op::PutFor(key, value, ttl) => store.put_with(key, value, &living(*ttl)).map(drop),
        Op::Delete(key) => store.delete(key).map(drop),
        Op::Batch(ops) => store.write(&batch(ops)?).map(drop),
        Op::Sync | Op::Reopen => store.sync(),
        Op::Merge(which) => merge(store, *which),
        Op::Snapshot(_) => unreachable!("it needs a number"),
    }
}

fn living(ttl: Duration) -> PutOptions {
    PutOptions { expiry: Expiry::After(ttl), ..PutOptions::default() }
}

fn batch(ops: &[Op]) -> Result<Batch> {
    let mut batch = Batch::new();
    for op in ops {
        match op {
            Op::Put(key, value) => batch.put(key, value)?,
            Op::PutFor(key, value, ttl) => batch.put_with(key, value, &living(*ttl))?,
            Op::Delete(key) => batch.delete(key)?,
            op => panic!("{op:?} in a batch"),
        }
    }
    Ok(batch)
}

fn merge(store: &Store, which: Which) -> Result<()> {
    tell("merging");
    if store.merge(&which.choice(&store.segments()), &MergeControl::default())?.is_some() {
        tell("merged");
    }
    Ok(())
}

/// A run in which something is going to fail once.
struct Failing<'a> {
    play: &'a Play,
    history: History,
    poisoned: bool,
}

impl<'a> Failing<'a> {
    fn new(play: &'a Play) -> Self {
        Self { play, history: History::new(play.workload.sync, State::new()), poisoned: false }
    }

    fn go(mut self) {
        let mut store = self.open();
        for (i, op) in self.play.workload.ops().iter().enumerate() {
            if *op == Op::Reopen {
                store = self.reopen(i, store);
            } else {
                self.step(i, op, &store);
            }
            assert_eq!(&contents(&store, &format!("after {i} {op:?}")), self.history.current(), "after {i} {op:?}");
        }
        std::mem::forget(store);
    }

    /// Opens, at the second try at the latest.
    fn open(&self) -> Store {
        tell("opening");
        let first = match self.play.open() {
            Ok(store) if store.mode() == Mode::ReadWrite => {
                tell("opened");
                return store;
            }
            Ok(store) => store.findings()[0].message.clone(),
            Err(e) => {
                self.names_a_file(&e);
                e.to_string()
            }
        };
        let store = self.play.open().unwrap_or_else(|e| panic!("not opened the second time: {first}; {e}"));
        assert_eq!(store.mode(), Mode::ReadWrite, "{first}");
        tell("opened");
        store
    }

    fn reopen(&mut self, i: usize, store: Store) -> Store {
        tell("closing");
        if let Err(e) = store.close() {
            self.names_a_file(&e);
        }
        let store = self.open();
        let found = contents(&store, "after reopening");
        let place = self.history.find(&found, End::Killed);
        let place = place.unwrap_or_else(|| panic!("reopened at {i}: {found:?} is none of {:?}", self.history));
        self.history.reopened(place);
        self.poisoned = false;
        tell(&format!("reopened {i} {place}"));
        store
    }

    fn step(&mut self, i: usize, op: &Op, store: &Store) {
        self.history.asked(op);
        match self.play.run(i, op, store) {
            Ok(()) => {
                self.history.done(op);
                tell(&format!("done {i}"));
            }
            Err(e) => {
                self.names_a_file(&e);
                self.failed(i, &e);
                self.is_whole_or_absent(i);
                let stopped = matches!(store.sync(), Err(Error::Poisoned { .. }));
                assert!(stopped || !self.poisoned, "it was stopped, and goes on");
                self.poisoned = stopped;
                tell(if stopped { "stopped" } else { "goes on" });
            }
        }
    }

    fn failed(&mut self, i: usize, e: &Error) {
        match e {
            Error::Indeterminate { .. } => {
                self.history.unknown();
                tell(&format!("unknown {i} {e}"));
            }
            Error::Poisoned { .. } => {
                assert!(self.poisoned, "{e}");
                self.history.refused();
                tell(&format!("refused {i}"));
            }
            Error::Io { .. } | Error::NoSpace { .. } => {
                self.history.refused();
                tell(&format!("refused {i} {e}"));
            }
            e => panic!("{e}"),
        }
    }

    /// A snapshot that failed.
    fn is_whole_or_absent(&self, i: usize) {
        let dir = self.play.snapshot(i);
        if dir.exists() {
            snapshot_is_whole(&dir, self.history.current(), "after an error");
        }
    }

    fn names_a_file(&self, e: &Error) {
        let dir = Path::new(&self.play.dir).parent().unwrap().to_string_lossy().into_owned();
        assert!(e.to_string().contains(&dir), "{e} names no file");
    }
}

/// The line of the one who cuts the power, among those of the process. What is said behind it may be in error: ext4 answers
/// a sync that was under way at that moment with success, which a machine without power does not.
pub const CUT: &str = "@cut";

/// What a process said of itself until it ended.
#[derive(Debug)]
pub struct Told {
    pub history: History,
    /// Operations that were done.
    pub done: usize,
    /// Merges that had something to do, and did it.
    pub merges: usize,
    /// The snapshots that were made, and what must be in them; the last one may not have been finished.
    pub snapshots: Vec<(PathBuf, State, bool)>,
    /// The writer stopped at some time.
    pub stopped: bool,
    pub closed: bool,
}

/// Reads the report of a process that began with the state `base`.
pub fn told(play: &Play, base: State, output: &str) -> Told {
    let ops = play.workload.ops();
    let mut told = Told {
        history: History::new(play.workload.sync, base),
        done: 0,
        merges: 0,
        snapshots: vec![],
        stopped: false,
        closed: false,
    };
    let (mut next, mut cut) = (0, false);
    // A line that was not finished was not said; one that libtest began is finished by us.
    let whole = output.rsplit_once('\n').map_or("", |(whole, _)| whole);
    for line in whole.lines().filter_map(|line| line.split_once('@')).map(|(_, line)| line) {
        let words: Vec<&str> = line.split(' ').collect();
        let history = &mut told.history;
        if let "done" | "refused" | "unknown" = words[0] {
            history.asked(&ops[next]);
        }
        match words[0] {
            "cut" => cut = true,
            "done" if matches!(ops[next], Op::Snapshot(_)) => {
                told.snapshots.push((play.snapshot(next), history.last().clone(), !cut));
            }
            "done" | "closed" if cut => {}
            "done" => history.done(&ops[next]),
            "refused" => history.refused(),
            "unknown" => history.unknown(),
            "reopened" => history.reopened(words[2].parse().unwrap()),
            "merged" => told.merges += 1,
            "stopped" => told.stopped = true,
            "closed" => {
                history.done(&Op::Sync);
                told.closed = true;
            }
            _ => continue,
        }
        if let "done" | "refused" | "unknown" | "reopened" = words[0] {
            assert_eq!(words[1], next.to_string(), "{line}");
            next += 1;
            told.done += usize::from(words[0] == "done" || words[0] == "reopened");
        }
    }
    if let Some(op) = ops.get(next).filter(|_| !told.closed) {
        told.history.asked(op);
        if matches!(op, Op::Snapshot(_)) {
            told.snapshots.push((play.snapshot(next), told.history.last().clone(), false));
        }
    }
    told
}
