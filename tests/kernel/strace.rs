//! Calls of the kernel: which ones a process makes in a directory, and how to make one of them go wrong.
//!
//! `strace` counts calls by name and thread. A dry run gives the counts; after that one call of one name is hit at a time.
//! A signal comes before its call is carried out, so killing at each call covers every state between two of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// All that can change a directory or make it durable. The question mark: not every machine has each.
const CALLS: &str = "?openat,?openat2,?creat,?write,?writev,?pwrite64,?pwritev,?pwritev2,?fdatasync,?fsync,?syncfs,\
    ?sync_file_range,?rename,?renameat,?renameat2,?unlink,?unlinkat,?rmdir,?ftruncate,?fallocate,?mkdir,?mkdirat,?link,\
    ?linkat,?symlink,?symlinkat,?copy_file_range,?sendfile,?ioctl";

/// One call of a dry run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    pub call: String,
    /// The how manieth of its name in its thread, from 1.
    pub nth: usize,
    /// As `strace` writes it.
    pub text: String,
    pub during: During,
}

/// What the process was about when it made a call, as far as that decides what a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum During {
    /// A store was opened or closed: there is no writer that could be stopped.
    Opening,
    Work,
    /// A merge that may still be given up.
    Merge,
    /// A merge that is decided.
    Commit,
    Snapshot,
}

impl During {
    /// What it is about after this call.
    fn after(self, call: &str, arguments: &str) -> Self {
        match call {
            "write" if arguments.contains("\"@clos") || arguments.contains("\"@opening") => Self::Opening,
            "write" if arguments.contains("\"@merging") => Self::Merge,
            "write" if arguments.contains("\"@snapshotting") => Self::Snapshot,
            "write"
                if ["opened", "done", "refused", "merged"]
                    .iter()
                    .any(|said| arguments.contains(&format!("\"@{said}"))) =>
            {
                Self::Work
            }
            _ if self == Self::Merge && call.starts_with("rename") && arguments.contains("/MERGE\"") => Self::Commit,
            _ => self,
        }
    }
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.call, self.nth, self.text)
    }
}

/// The words before a program that log its calls.
pub fn listening(log: &Path) -> Vec<String> {
    let trace = format!("trace={CALLS}");
    ["strace", "-f", "-y", "-s", "40", "-o", &log.to_string_lossy(), "-e", &trace, "--"].map(str::to_owned).to_vec()
}

/// The words before a program that do `what` to one of its calls: `signal=SIGKILL`, or `error=EIO`.
pub fn hitting(point: &Point, what: &str) -> Vec<String> {
    let trace = format!("trace={}", point.call);
    let inject = format!("inject={}:{what}:when={}", point.call, point.nth);
    ["strace", "-f", "-o", "/dev/null", "-e", &trace, "-e", &inject, "--"].map(str::to_owned).to_vec()
}

/// The calls of a dry run that matter to what is below `dir`, one of each name and number.
pub fn points(log: &Path, dir: &Path) -> Vec<Point> {
    let text = fs::read_to_string(log).unwrap();
    let dir = dir.to_string_lossy();
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let (mut points, mut seen) = (Vec::new(), BTreeSet::new());
    let mut during = During::Opening;
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        let Some((call, arguments)) = rest.split_once('(').filter(|(call, _)| !call.contains([' ', '<', '+', '-']))
        else {
            continue; // the end of a call that was counted where it began, a signal, the end of a thread
        };
        let nth = counts.entry((thread, call)).and_modify(|n| *n += 1).or_insert(1);
        if matters(call, arguments, &dir) && seen.insert((call, *nth)) {
            points.push(Point { call: call.to_owned(), nth: *nth, text: arguments.to_owned(), during });
        }
        during = during.after(call, arguments);
    }
    points
}

fn matters(call: &str, arguments: &str, dir: &str) -> bool {
    let changes = match call {
        "openat" => arguments.contains("O_CREAT"),
        "ioctl" => arguments.contains("FICLONE"),
        _ => true,
    };
    changes && arguments.contains(dir)
}

/// How many of each name, for people.
pub fn by_name(points: &[Point]) -> String {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for point in points {
        *names.entry(&point.call).or_default() += 1;
    }
    names.iter().map(|(name, n)| format!("{n} {name}")).collect::<Vec<_>>().join(", ")
}
