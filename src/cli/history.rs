//! `history`: every version of a key that is still on disk. No lock, no byte changed.

use serde::Serialize;

use super::args;
use super::exit::Exit;
use super::output::{KeyField, Out};
use super::progress::Progress;
use super::records::tone;
use super::session::Session;
use super::words;
use crate::format::SegmentId;
use crate::inspect::{self, History, Version};
use crate::text;

/// `logkv history`
pub(super) fn history(session: &mut Session, args: &args::History) -> anyhow::Result<Exit> {
    let key = words::key(&args.key)?;
    let store = session.inspect()?;
    let mut progress = Progress::new(session);
    let history = inspect::newest_versions(&store, &key, usize::MAX, &mut |done, total| progress.show(done, total));
    progress.erase();
    let History { versions, effort, .. } = history?;
    session.warn_of_damage(&store);
    if session.notes.verbose {
        session.notes.hint(&effort.to_string());
    }
    if versions.is_empty() {
        return Ok(session.notes.no(&format!("no version of {} is on disk", text::key_word(&key))));
    }
    print(&mut session.out, &versions)?;
    Ok(Exit::Yes)
}

fn print(out: &mut Out, versions: &[Version]) -> anyhow::Result<()> {
    if !out.is_json() {
        out.line("time                         segment       offset         len  kind       state       why")?;
    }
    for version in versions {
        if out.is_json() {
            out.json(&Row::from(version))?;
        } else {
            out.line(&line(out, version))?;
        }
    }
    Ok(())
}

fn line(out: &Out, version: &Version) -> String {
    let row = &version.row;
    format!(
        "{:<26}  {:>8} {:>12} {:>11}  {:<9}  {}  {}",
        row.tstamp.map(text::timestamp).unwrap_or_default(),
        row.segment,
        text::count(row.offset),
        text::count(row.len),
        row.kind.name(),
        out.paint(tone(row.state), &format!("{:<10}", row.state.name())),
        version.reason,
    )
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    key: KeyField,
    segment: SegmentId,
    offset: u64,
    len: u64,
    kind: &'static str,
    state: &'static str,
    reason: String,
    tstamp: Option<u64>,
    value_len: Option<u64>,
    expires_at: Option<u64>,
}

impl From<&Version> for Row {
    fn from(version: &Version) -> Self {
        let row = &version.row;
        Self {
            key: row.key.as_deref().into(),
            segment: row.segment,
            offset: row.offset,
            len: row.len,
            kind: row.kind.name(),
            state: row.state.name(),
            reason: version.reason.to_string(),
            tstamp: row.tstamp,
            value_len: row.value_len,
            expires_at: row.expires_at,
        }
    }
}
