//! `snapshot`: a copy of the store as of one moment. Opens it for reading, so a writer in another process goes on.

use std::sync::Arc;

use serde::Serialize;

use super::args;
use super::exit::Exit;
use super::progress::Progress;
use super::session::Session;
use crate::disk::{Disk, RealDisk};
use crate::text;
use crate::transfer::{self, Snapshot, SnapshotOptions};

/// `logkv snapshot`
pub(super) fn snapshot(session: &mut Session, args: &args::Snapshot) -> anyhow::Result<Exit> {
    let store = session.read()?;
    session.warn_of_damage(&store);
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let mut progress = Progress::new(session);
    let mut watch = |done, total| progress.show(done, total);
    let made = match args.archive {
        true => transfer::archive(&store, &disk, &args.dest, &mut watch),
        false => {
            let options = SnapshotOptions { copy: args.copy, earlier: args.earlier.clone() };
            transfer::snapshot(&store, &*disk, &args.dest, &options, &mut watch)
        }
    };
    progress.erase();
    report(session, args, &made?)?;
    Ok(Exit::Yes)
}

fn report(session: &mut Session, args: &args::Snapshot, made: &Snapshot) -> anyhow::Result<()> {
    if session.out.is_json() {
        return session.out.json(&Row {
            dest: args.dest.display().to_string(),
            files: made.segments,
            bytes: made.bytes,
            linked: made.linked,
            cloned: made.cloned,
            copied: made.copied,
            reused: made.reused,
            written_bytes: made.written_bytes,
            created: made.created,
            took: u64::try_from(made.took.as_micros()).unwrap_or(u64::MAX),
        });
    }
    if session.global.quiet {
        return Ok(());
    }
    let ways = [("linked", made.linked), ("reused", made.reused), ("cloned", made.cloned), ("copied", made.copied)];
    let ways: Vec<String> = ways
        .iter()
        .filter(|(_, number)| *number > 0)
        .map(|(way, number)| format!("{} {way}", text::count(*number)))
        .collect();
    let how = if args.archive || ways.is_empty() { String::new() } else { format!(" ({})", ways.join(", ")) };
    session.out.line(&format!(
        "{}: {} of {}{how}, {} written in {}",
        text::path(&args.dest),
        segments(made.segments),
        text::size(made.bytes),
        text::size(made.written_bytes),
        text::duration(made.took),
    ))
}

/// `1 segment`, `2 segments`.
pub(super) fn segments(number: u64) -> String {
    format!("{} segment{}", text::count(number), if number == 1 { "" } else { "s" })
}

#[derive(Serialize)]
struct Row {
    dest: String,
    files: u64,
    bytes: u64,
    linked: u64,
    cloned: u64,
    copied: u64,
    reused: u64,
    written_bytes: u64,
    created: u64,
    took: u64,
}
