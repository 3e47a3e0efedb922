//! `repair`: what cannot be saved is said, key by key where keys are known; then it is done, unless only the plan was asked
//! for.

use serde::Serialize;

use super::args::Repair as Args;
use super::exit::{Exit, Usage};
use super::output::{KeyField, Out};
use super::place::explain;
use super::session::Session;
use super::verify;
use crate::store::repair::{LostBytes, LostKey, SetAside};
use crate::store::{Repair, plan_repair, repair as do_repair};
use crate::text;

/// `logkv repair`
pub(super) fn repair(session: &mut Session, args: &Args) -> anyhow::Result<Exit> {
    if session.global.read_only && !args.dry_run {
        return Err(
            Usage("--read-only forbids what this command does; --dry-run only says what it would do".into()).into()
        );
    }
    let dir = &session.global.dir;
    let run = if args.dry_run { plan_repair } else { do_repair };
    let done = run(dir, session.options()).map_err(|error| explain(dir, error))?;
    if !session.global.quiet {
        print(&mut session.out, &done)?;
    }
    let said = match (done.is_empty(), args.dry_run) {
        (true, _) => "nothing to repair",
        (false, true) => "nothing was changed; without --dry-run this is done",
        (false, false) if done.set_aside.is_empty() => "repaired",
        (false, false) => "repaired; what was set aside is in quarantine/, to be deleted by hand",
    };
    session.notes.hint(said);
    Ok(Exit::Yes)
}

fn print(out: &mut Out, done: &Repair) -> anyhow::Result<()> {
    for finding in &done.mended {
        if out.is_json() {
            out.json(&Row { action: "mend", what: verify::Row::from(finding) })?;
        } else {
            out.line(&format!("mend: {}: {}", text::path(&finding.path), finding.message))?;
        }
    }
    for file in &done.set_aside {
        let what = SetAsideRow::from(file);
        if out.is_json() {
            out.json(&Row { action: "set-aside", what })?;
        } else {
            // Of a segment that is gone there is the hint alone.
            let size = if file.bytes > 0 { format!(", {}", text::size(file.bytes)) } else { String::new() };
            out.line(&format!("set aside: {}{size}: {}", text::path(&file.path), file.why))?;
        }
    }
    let (records, bytes) = (done.saved_records, done.saved_bytes);
    if records > 0 && out.is_json() {
        out.json(&Row { action: "save", what: Saved { records, bytes } })?;
    } else if records > 0 {
        let noun = if records == 1 { "record that is" } else { "records that are" };
        out.line(&format!("save: {} {noun} intact, {}", text::count(records), text::size(bytes)))?;
    }
    for lost in &done.lost {
        if out.is_json() {
            out.json(&Row { action: "lose-key", what: LostKeyRow::from(lost) })?;
        } else {
            out.line(&lost_key(lost))?;
        }
    }
    for lost in &done.unknown {
        if out.is_json() {
            out.json(&Row { action: "lose-bytes", what: LostBytesRow::from(lost) })?;
        } else {
            out.line(&lost_bytes(lost))?;
        }
    }
    Ok(())
}

fn lost_key(lost: &LostKey) -> String {
    let older = match &lost.older {
        Some(older) => format!(
            "the one before it, of {}, is in segment {} at offset {}, and no answer",
            text::timestamp(older.tstamp),
            older.place.segment,
            older.place.offset
        ),
        None => "no older one is on disk".to_owned(),
    };
    format!(
        "lose: the value of {} of {}, in segment {} at offset {}; {older}",
        text::key_word(&lost.key),
        text::timestamp(lost.tstamp),
        lost.place.segment,
        lost.place.offset,
    )
}

fn lost_bytes(lost: &LostBytes) -> String {
    let bytes = lost.len.map_or_else(|| "what may have been".to_owned(), |len| format!("{} bytes", text::count(len)));
    format!(
        "lose: {bytes} in segment {} from offset {} on, of keys that nobody knows; a value from before {} may have been superseded or deleted there",
        lost.segment,
        lost.offset,
        text::timestamp(lost.stale_before)
    )
}

#[derive(Serialize)]
struct Row<T> {
    action: &'static str,
    #[serde(flatten)]
    what: T,
}

#[derive(Serialize)]
struct Saved {
    records: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct SetAsideRow<'a> {
    file: String,
    segment: u64,
    bytes: u64,
    why: &'a str,
}

impl<'a> From<&'a SetAside> for SetAsideRow<'a> {
    fn from(file: &'a SetAside) -> Self {
        Self { file: file.path.display().to_string(), segment: file.segment, bytes: file.bytes, why: &file.why }
    }
}

#[derive(Serialize)]
struct LostKeyRow {
    #[serde(flatten)]
    key: KeyField,
    segment: u64,
    offset: u64,
    len: u64,
    tstamp: u64,
    older: Option<OlderRow>,
}

#[derive(Serialize)]
struct OlderRow {
    segment: u64,
    offset: u64,
    len: u64,
    tstamp: u64,
}

impl From<&LostKey> for LostKeyRow {
    fn from(lost: &LostKey) -> Self {
        let older = lost.older.map(|older| OlderRow {
            segment: older.place.segment,
            offset: older.place.offset,
            len: older.place.len,
            tstamp: older.tstamp,
        });
        Self {
            key: lost.key.as_slice().into(),
            segment: lost.place.segment,
            offset: lost.place.offset,
            len: lost.place.len,
            tstamp: lost.tstamp,
            older,
        }
    }
}

#[derive(Serialize)]
struct LostBytesRow {
    segment: u64,
    offset: u64,
    len: Option<u64>,
    stale_before: u64,
}

impl From<&LostBytes> for LostBytesRow {
    fn from(lost: &LostBytes) -> Self {
        Self { segment: lost.segment, offset: lost.offset, len: lost.len, stale_before: lost.stale_before }
    }
}
