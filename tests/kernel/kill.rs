//! kill -9 at every call: what was acknowledged is there, and the rest of the history is not torn, wherever the process
//! was stopped, and the one that recovered after it too.

use std::fs;
use std::path::Path;

use logkv::store::SyncPolicy;

use super::history::End;
use super::play::{Play, Then, Told};
use super::runs::{Count, Ended, POLICIES, chosen, dry_run, hit, play, workload};
use super::scratch::Scratch;
use super::strace::{self, Point};
use super::support::copy_dir;
use super::workload::Workload;
use super::{allowed, look};

/// The process, killed at this call. `None`: it did not come to it.
fn killed_at(play: &Play, point: &Point) -> Option<Told> {
    match hit(play, point, "signal=SIGKILL") {
        Ended::Killed(told) => Some(told),
        Ended::ByItself(_) => None,
    }
}

#[test]
fn a_process_killed_at_any_call_leaves_a_prefix_with_all_that_was_acknowledged() {
    if let Some(why) = allowed::no_strace() {
        return allowed::skipped("kill -9", why);
    }
    for sync in POLICIES {
        let scratch = Scratch::in_memory();
        let (whole, points) = dry_run(&play(&scratch.dir("dry"), workload(sync), Then::Stop), &scratch.path("log"));
        assert!(
            whole.done == workload(sync).len && whole.merges > 2 && whole.snapshots.len() > 1,
            "the workload itself goes through"
        );
        let mut count = Count::default();
        for point in chosen(&points, 10) {
            let dir = scratch.dir("run");
            let play = play(&dir, workload(sync), Then::Stop);
            let told = killed_at(&play, point);
            if let Some(told) = &told {
                let what = format!("{sync}, killed at {point}, {} done", told.done);
                look::check_snapshots(told, &what);
                look::check(&play.dir, &play.workload, &told.history, End::Killed, &what);
            }
            count.add(told.is_some());
            fs::remove_dir_all(&dir).unwrap();
        }
        println!("kill -9, {sync}: {} points of {} ({})", count.points, points.len(), strace::by_name(&points));
        count.is_fair();
    }
}

#[test]
fn a_process_killed_at_any_call_of_its_recovery_loses_nothing_more() {
    if let Some(why) = allowed::no_strace() {
        return allowed::skipped("kill -9 while recovering", why);
    }
    for sync in POLICIES {
        let scratch = Scratch::in_memory();
        let (_, points) = dry_run(&play(&scratch.dir("dry"), workload(sync), Then::Stop), &scratch.path("log"));
        let mut count = Count::default();
        for first in chosen(&points, 3) {
            let left = scratch.dir("left");
            if let Some(told) = killed_at(&play(&left, workload(sync), Then::Stop), first) {
                let what = format!("{sync}, killed at {first}, {} done", told.done);
                recovery_is_killed(&scratch, &left, sync, &told, &what, &mut count);
            }
            fs::remove_dir_all(&left).unwrap();
        }
        println!("kill -9 while recovering, {sync}: {} points", count.points);
        count.is_fair();
    }
}

/// Kills, at each of its calls, a process that only opens and closes what another one left.
fn recovery_is_killed(scratch: &Scratch, left: &Path, sync: SyncPolicy, told: &Told, what: &str, count: &mut Count) {
    let copy = scratch.path("copy");
    let recovery = play(&copy, Workload { len: 0, ..workload(sync) }, Then::Stop);
    copy_dir(left, &copy);
    let (_, steps) = dry_run(&recovery, &scratch.path("log"));
    fs::remove_dir_all(&copy).unwrap();
    for step in chosen(&steps, 3) {
        copy_dir(left, &copy);
        let reached = killed_at(&recovery, step).is_some();
        if reached {
            let what = format!("{what}, recovery killed at {step}");
            look::check(&recovery.dir, &workload(sync), &told.history, End::Killed, &what);
        }
        count.add(reached);
        fs::remove_dir_all(&copy).unwrap();
    }
}
