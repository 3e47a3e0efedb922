//! `export`: a store's keys and values as text or as commands. No lock, no byte of the store changed.

use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use serde::Serialize;

use super::args::{Export, ExportArg};
use super::exit::{Exit, Usage};
use super::output;
use super::progress::Progress;
use super::session::Session;
use super::words;
use crate::disk::RealDisk;
use crate::store::Store;
use crate::text;
use crate::transfer::{self, ExportError, ExportNews, Exported, NewFile};

/// `logkv export`
pub(super) fn export(session: &mut Session, args: &Export) -> anyhow::Result<Exit> {
    let prefix = args.prefix.as_deref().map(words::key).transpose()?.unwrap_or_default();
    let store = session.read()?;
    let started = Instant::now();
    let exported = match &args.output {
        Some(path) => to_file(session, &store, args, &prefix, path)?,
        None => to_standard_output(session, &store, args.format, &prefix)?,
    };
    session.warn_of_damage(&store);
    warn(session, &exported);
    if let Some(path) = &args.output {
        report(session, &exported, path, started)?;
    }
    Ok(if exported.damaged > 0 { Exit::Damaged } else { Exit::Yes })
}

fn to_standard_output(
    session: &mut Session,
    store: &Store,
    format: ExportArg,
    prefix: &[u8],
) -> anyhow::Result<Exported> {
    if session.out.is_terminal() && format != ExportArg::Jsonl {
        let sentence = "values as they are could do anything to a terminal; write a file with -o FILE, or into a pipe";
        return Err(Usage(sentence.into()).into());
    }
    let mut progress = Progress::new(session);
    let notes = &session.notes;
    let to = session.out.writer();
    let result = transfer::export(store, format.format(), prefix, to, &mut |news| tell(notes, &mut progress, news));
    progress.erase();
    result.map_err(|error| match error {
        ExportError::Store(error) => error.into(),
        ExportError::Write(error) => output::failed(error),
    })
}

fn to_file(session: &Session, store: &Store, args: &Export, prefix: &[u8], path: &Path) -> anyhow::Result<Exported> {
    let mut progress = Progress::new(session);
    let mut to = BufWriter::with_capacity(1 << 20, NewFile::create(Arc::new(RealDisk), path, args.force)?);
    let format = args.format.format();
    let result =
        transfer::export(store, format, prefix, &mut to, &mut |news| tell(&session.notes, &mut progress, news));
    progress.erase();
    let failed =
        |error: std::io::Error| anyhow!("cannot write {}: {error}; there is no such file now", text::path(path));
    let exported = result.map_err(|error| match error {
        ExportError::Store(error) => error.into(),
        ExportError::Write(error) => failed(error),
    })?;
    to.into_inner().map_err(|error| failed(error.into_error()))?.finish()?;
    Ok(exported)
}

fn tell(notes: &super::session::Notes, progress: &mut Progress, news: ExportNews<'_>) {
    match news {
        ExportNews::Done(done, total) => progress.count(done, total, "keys"),
        ExportNews::Damaged(key, error) => {
            progress.erase();
            notes.error(&anyhow!("left out {}: {error}", text::key_word(key)));
        }
    }
}

fn warn(session: &Session, exported: &Exported) {
    if exported.suspect > 0 {
        session.notes.warn(&format!(
            "damage elsewhere in the store may hide newer versions of {} of the keys; `logkv verify` lists it",
            text::count(exported.suspect)
        ));
    }
}

/// Only for a file: standard output is the rows and nothing else.
fn report(session: &mut Session, exported: &Exported, path: &Path, started: Instant) -> anyhow::Result<()> {
    if session.out.is_json() {
        return session.out.json(&Row {
            file: path.display().to_string(),
            exported: exported.exported,
            bytes: exported.bytes,
            damaged: exported.damaged,
            suspect: exported.suspect,
            took_ms: started.elapsed().as_secs_f64() * 1e3,
        });
    }
    if session.global.quiet {
        return Ok(());
    }
    let damaged = match exported.damaged {
        0 => String::new(),
        some => format!(", left out {} that are damaged", text::count(some)),
    };
    session.out.line(&format!(
        "exported {} keys, {} of keys and values, to {} in {}{damaged}",
        text::count(exported.exported),
        text::size(exported.bytes),
        text::path(path),
        text::duration(started.elapsed())
    ))
}

#[derive(Serialize)]
struct Row {
    file: String,
    exported: u64,
    bytes: u64,
    damaged: u64,
    suspect: u64,
    took_ms: f64,
}
