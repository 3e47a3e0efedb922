//! What lies at a path that is not a store, and which path would do instead. Looks, and opens nothing.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::disk::RealDisk;
use crate::error::Error;
use crate::format::FormatKind;
use crate::inspect::{self, Detected};
use crate::text;

/// Whether nothing lies at the path; a dangling link is something.
pub(super) fn is_missing(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// A refusal to open, with the path that would open where there is one.
pub(super) fn explain(dir: &Path, error: Error) -> anyhow::Error {
    match error {
        Error::NotAStore { .. } => instead(dir).map_or_else(|| error.into(), |sentence| anyhow!(sentence)),
        _ => error.into(),
    }
}

/// What to say of a path that leads to stores without being one.
pub(super) fn instead(path: &Path) -> Option<String> {
    match inspect::detect(&RealDisk, path).ok()? {
        Detected::Root(members) => Some(root(path, &members)),
        Detected::SegmentFile(format, _) => Some(segment_file(path, format)),
        Detected::Checkpoint => {
            let shown = text::path(path);
            Some(format!("{shown} is the checkpoint of a store; `logkv inspect {shown}` shows what is in it"))
        }
        _ => None,
    }
}

fn root(dir: &Path, members: &[PathBuf]) -> String {
    let members: Vec<String> = members.iter().map(|member| format!("-d {}", text::path(member))).collect();
    format!(
        "{} is not a store but a directory of {} stores; choose one: {}",
        text::path(dir),
        members.len(),
        members.join(", ")
    )
}

fn segment_file(path: &Path, format: FormatKind) -> String {
    let shown = text::path(path);
    let sentence = format!("{shown} is a segment file; `logkv inspect {shown}` shows what is in it");
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match inspect::detect(&RealDisk, dir) {
        Ok(Detected::Store(found)) if found == format => {
            format!("{sentence}, and the {format} store beside it is -d {}", text::path(dir))
        }
        _ => sentence,
    }
}
