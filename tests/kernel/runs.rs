//! Runs of the process that works: undisturbed, to list its calls, and with one of them hit.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use logkv::store::SyncPolicy;

use super::allowed;
use super::play::{Play, Then, Told, told};
use super::strace::{self, Point};
use super::support::KEPT;
use super::workload::{Shape, State, Workload};

pub const POLICIES: [SyncPolicy; 4] =
    [SyncPolicy::Always, SyncPolicy::Interval(Duration::from_secs(3600)), KEPT, SyncPolicy::Buffered];

/// What all runs here do.
pub fn workload(sync: SyncPolicy) -> Workload {
    Workload { seed: 10, len: 60, shape: Shape::Small, sync }
}

pub fn play(dir: &Path, workload: Workload, then: Then) -> Play {
    Play { dir: dir.join("data"), workload, then }
}

/// Runs it undisturbed and lists its calls.
pub fn dry_run(play: &Play, log: &Path) -> (Told, Vec<Point>) {
    let output = play.command(&strace::listening(log)).output().unwrap();
    ended_well(&output, "the dry run");
    let told = told(play, State::new(), &String::from_utf8_lossy(&output.stdout));
    (told, strace::points(log, play.dir.parent().unwrap()))
}

/// Runs it with `what` done to one call.
pub fn hit(play: &Play, point: &Point, what: &str) -> Ended {
    let output = play.command(&strace::hitting(point, what)).output().unwrap();
    let told = told(play, State::new(), &String::from_utf8_lossy(&output.stdout));
    if output.status.signal() == Some(9) {
        return Ended::Killed(told);
    }
    ended_well(&output, &format!("{what} at {point}"));
    Ended::ByItself(told)
}

/// How a run ended, and what it had said by then.
pub enum Ended {
    Killed(Told),
    ByItself(Told),
}

fn ended_well(output: &Output, what: &str) {
    let (said, cried) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}: {said}{cried}");
}

/// All of them, or about `sample` of them, evenly.
pub fn chosen(points: &[Point], sample: usize) -> Vec<&Point> {
    let step = if allowed::full() { 1 } else { points.len().div_ceil(sample).max(1) };
    points.iter().step_by(step).collect()
}

/// Calls that were hit, and calls that a run did not come to.
#[derive(Debug, Default)]
pub struct Count {
    pub points: usize,
    missed: usize,
}

impl Count {
    pub fn add(&mut self, reached: bool) {
        self.points += usize::from(reached);
        self.missed += usize::from(!reached);
    }

    /// A buffer is flushed once a second as well, and on a slow machine that is one call less for the others to make.
    pub fn is_fair(&self) {
        assert!(self.missed * 20 <= self.points, "{} calls of {} were not come to", self.missed, self.points);
    }
}
