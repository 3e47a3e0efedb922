//! Each call of the kernel fails once, with an error of the device or for want of space: promise 6.
//!
//! The process itself checks at each step that gets go on, that what was refused is not there and that errors name a file;
//! what it left is judged here, and whether its writer stopped when it must and only then.

use std::fs;

use super::history::End;
use super::play::Then;
use super::runs::{Count, Ended, POLICIES, chosen, dry_run, hit, play, workload};
use super::scratch::Scratch;
use super::strace::{During, Point};
use super::{allowed, look};

const ERRORS: [&str; 2] = ["EIO", "ENOSPC"];

/// Whether the writer must stop when this call fails so. `all`: the calls of the whole run.
fn must_stop(point: &Point, error: &str, all: &[Point]) -> bool {
    let full = error == "ENOSPC";
    let is_about = |name: &str| point.text.contains(name);
    match (point.during, point.call.as_str()) {
        (During::Opening, _) => false,
        // From here on a merge is done, whatever happens.
        (During::Commit, _) => true,
        // The record of a merge, before it counts.
        _ if is_about("MERGE.tmp") => !full,
        // A snapshot is no part of the store.
        (During::Snapshot, _) if !is_about("/data/") => false,
        // What a merge writes is thrown away.
        (During::Merge, "fdatasync") if is_about(".data.tmp>") => is_of_puts(point, all),
        // A sync is never tried again, whatever it says.
        (_, "fdatasync") => is_about(".data>") || is_about(".data.tmp>"),
        // What is sealed next would end in something else than records.
        (_, "ftruncate") => is_about(".data>"),
        (_, "fsync") => true,
        // A full disk is no reason to stop, and a header is written under a temporary name and thrown away.
        (_, "pwrite64") => is_about(".data>") && !full,
        _ => false,
    }
}

/// Whether the segment got its name before the merge was decided: then it is the new active one.
fn is_of_puts(point: &Point, all: &[Point]) -> bool {
    let later = all.iter().skip_while(|other| *other != point).take_while(|other| other.during == During::Merge);
    let name = point.text.split(['<', '>']).nth(1).unwrap();
    later.filter(|other| other.call.starts_with("rename")).any(|other| other.text.contains(name))
}

#[test]
fn a_call_that_fails_loses_nothing_acknowledged_and_stops_the_writer_only_when_it_must() {
    if let Some(why) = allowed::no_strace() {
        return allowed::skipped("calls that fail", why);
    }
    for sync in POLICIES {
        let scratch = Scratch::in_memory();
        let (whole, points) = dry_run(&play(&scratch.dir("dry"), workload(sync), Then::GoOn), &scratch.path("log"));
        assert!(
            whole.done == workload(sync).len && whole.merges > 2 && !whole.stopped,
            "the workload itself goes through"
        );
        let (mut count, mut stops) = (Count::default(), 0);
        for (point, error) in chosen(&points, 10).into_iter().flat_map(|point| ERRORS.map(|error| (point, error))) {
            let dir = scratch.dir("run");
            let play = play(&dir, workload(sync), Then::GoOn);
            let what = format!("{sync}, {error} at {point}");
            let Ended::ByItself(told) = hit(&play, point, &format!("error={error}")) else {
                panic!("{what}: nobody kills it")
            };
            assert_eq!(told.stopped, must_stop(point, error, &points), "{what}: whether it stopped");
            look::check_snapshots(&told, &what);
            look::check(&play.dir, &play.workload, &told.history, End::Killed, &what);
            count.add(true);
            stops += usize::from(told.stopped);
            fs::remove_dir_all(&dir).unwrap();
        }
        println!(
            "calls that fail, {sync}: {} faults at {} calls, {stops} stopped the writer",
            count.points,
            points.len()
        );
    }
}
