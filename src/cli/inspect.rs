//! `inspect`: one file by itself, with or without the store that it came from: a segment here, a checkpoint in
//! [`checkpoint`]. The rows are those of `records`,
//! the findings those of `verify`. No lock, no other file opened, no byte changed.

use std::path::Path;
use std::sync::Arc;

use anyhow::anyhow;

use super::args::Inspect;
use super::exit::Exit;
use super::session::Session;
use super::{checkpoint, records, verify};
use crate::disk::RealDisk;
use crate::error::Error;
use crate::format::SegmentId;
use crate::inspect::{self, Detected, Report};
use crate::store::Store;
use crate::text;

/// `logkv inspect`
pub(super) fn inspect(session: &mut Session, args: &Inspect) -> anyhow::Result<Exit> {
    if let Ok(Detected::Checkpoint) = inspect::detect(&RealDisk, &args.file) {
        return checkpoint::inspect(session, &args.file);
    }
    let opened = inspect::open_file(Arc::new(RealDisk), &args.file, session.options());
    let (store, id) = opened.map_err(|error| refusal(&args.file, error))?;
    if !session.out.is_json() && !session.global.quiet {
        session.out.line(&format!("{}: a segment file of the {} format", text::path(&args.file), store.format()))?;
    }
    // A file whose header is damaged has been refused: then there are findings, and no segment.
    if store.segments().iter().any(|info| info.id == id) {
        records::head(&mut session.out)?;
        records::print(&mut session.out, &store, id, 0, usize::MAX)?;
    }
    let report = about_file(verify::read(session, &store)?, &store, id, &args.file);
    verify::print(&mut session.out, &report)?;
    Ok(verify::exit(&report))
}

/// The engine's words are about stores, and here a file was asked for.
fn refusal(file: &Path, error: Error) -> anyhow::Error {
    match error {
        Error::Missing { .. } => anyhow!("{} does not exist", text::path(file)),
        Error::NotAStore { reason, .. } => anyhow!("{} cannot be inspected: {reason}", text::path(file)),
        _ => error.into(),
    }
}

/// What the report says of the file, and not of a directory around it. The engine knows the file under the name that its
/// format gives it; people are told the one that they gave.
fn about_file(mut report: Report, store: &Store, id: SegmentId, file: &Path) -> Report {
    let known_as = store.dir().join(store.format().format().segment_name(id));
    report.findings.retain(|finding| finding.path == known_as);
    for finding in &mut report.findings {
        file.clone_into(&mut finding.path);
    }
    report
}
