//! `restore`: a store from a snapshot, or a look at whether it could be made.

use serde::Serialize;

use super::args;
use super::exit::{Exit, Usage};
use super::progress::Progress;
use super::session::Session;
use super::snapshot::segments;
use crate::disk::RealDisk;
use crate::text;
use crate::transfer::{self, RestoreOptions, Restored};

/// `logkv restore`
pub(super) fn restore(session: &mut Session, args: &args::Restore) -> anyhow::Result<Exit> {
    if session.global.read_only && !args.dry_run {
        return Err(Usage("--read-only forbids what this command does".into()).into());
    }
    let dir = session.global.dir.clone();
    let mut progress = Progress::new(session);
    let mut watch = |done, total| progress.show(done, total);
    let restored = match args.dry_run {
        true => transfer::check(&RealDisk, &args.source, &mut watch),
        false => {
            let options = RestoreOptions { keep_damage: args.keep_damage };
            transfer::restore(&RealDisk, &args.source, &dir, options, &mut watch)
        }
    };
    progress.erase();
    let restored = restored?;
    if restored.damaged > 0 && !args.dry_run {
        session.notes.warn(&format!(
            "{} of the snapshot damaged, and so is the store; `logkv verify` lists where",
            if restored.damaged == 1 {
                "1 segment is".to_owned()
            } else {
                format!("{} are", segments(restored.damaged))
            }
        ));
    }
    report(session, args, &restored)?;
    Ok(Exit::Yes)
}

fn report(session: &mut Session, args: &args::Restore, restored: &Restored) -> anyhow::Result<()> {
    let dir = (!args.dry_run).then(|| session.global.dir.clone());
    if session.out.is_json() {
        return session.out.json(&Row {
            source: args.source.display().to_string(),
            dir: dir.map(|dir| dir.display().to_string()),
            files: restored.segments,
            bytes: restored.bytes,
            records: restored.records,
            damaged: restored.damaged,
            created: restored.created,
            took: u64::try_from(restored.took.as_micros()).unwrap_or(u64::MAX),
        });
    }
    if session.global.quiet {
        return Ok(());
    }
    let what = format!(
        "{} of {} as of {}",
        segments(restored.segments),
        text::size(restored.bytes),
        text::timestamp(restored.created)
    );
    session.out.line(&match dir {
        Some(dir) => format!(
            "{}: {what}, {} records read in {}",
            text::path(&dir),
            text::count(restored.records),
            text::duration(restored.took)
        ),
        None => format!("{}: {what}, every checksum is right", text::path(&args.source)),
    })
}

#[derive(Serialize)]
struct Row {
    source: String,
    dir: Option<String>,
    files: u64,
    bytes: u64,
    records: u64,
    damaged: u64,
    created: u64,
    took: u64,
}
