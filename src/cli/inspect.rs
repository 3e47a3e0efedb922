//! `inspect`: one segment file by itself, with or without the store that it came from. The rows are those of `records`,
//! the findings those of `verify`. No lock, no other file opened, no byte changed.

use std::path::Path;
use std::sync::Arc;

use super::args::Inspect;
use super::exit::Exit;
use super::session::Session;
use super::{records, verify};
use crate::disk::RealDisk;
use crate::format::SegmentId;
use crate::inspect::{self, Report};
use crate::store::Store;
use crate::text;

/// `logkv inspect`
pub(super) fn inspect(session: &mut Session, args: &Inspect) -> anyhow::Result<Exit> {
    let (store, id) = inspect::open_file(Arc::new(RealDisk), &args.file, session.options())?;
    if !session.out.is_json() && !session.global.quiet {
        session.out.line(&title(&args.file, &store, id))?;
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

fn title(file: &Path, store: &Store, id: SegmentId) -> String {
    format!("{}: segment {id} of the {} format", text::path(file), store.format())
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
