//! Running commands, and telling in one line what came of them.
//!
//! The answer to a command carries the figures and the windows that the screen shows, made after the write, so that
//! everything moves in one step. It must not know how they are painted.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::findings;
use super::keys::KeyChange;
use super::pace::Pace;
use super::session::{Session, despite_merges};
use crate::error::Error;
use crate::format::record::MAX_VALUE_LEN;
use crate::inspect::{self, reading};
use crate::store::{Event, Location, Severity, Stats, Written};
use crate::text::{self, ValueLiteral};
use crate::tui::action::{Progress, Ran};
use crate::tui::app::{Content, Report, Said, Step, Tone};
use crate::tui::command::Command;
use crate::tui::effect::{KeyPlace, RecordPlace, RecordsWanted, Run};

/// Cells that a key takes in an answer.
const KEY_CELLS: usize = 40;

/// What a command leads to.
struct Outcome {
    said: Said,
    /// The key to select.
    select: Option<Arc<[u8]>>,
    /// The record to show.
    show: Option<Location>,
    page: Option<Content>,
    /// What the engine did.
    steps: Vec<Step>,
}

impl Outcome {
    fn said(tone: Tone, text: impl Into<String>) -> Self {
        Self { said: Said { tone, text: text.into() }, select: None, show: None, page: None, steps: Vec::new() }
    }
}

impl From<Error> for Outcome {
    fn from(e: Error) -> Self {
        Self::said(Tone::Bad, e.to_string())
    }
}

/// Runs a command.
pub(super) fn run(session: &Session, run: Run, progress: &dyn Fn(Progress), stopped: &dyn Fn() -> bool) -> Ran {
    let was_long = run.command == Command::Verify;
    let outcome = match run.command {
        Command::Put { key, value } => put(session, &key, value),
        Command::PutBack { key, from } => put_back(session, &key, from),
        Command::Get { key } => get(session, &key),
        Command::Delete { keys } => delete(session, &keys),
        Command::Stats => stats(&session.store().stats()),
        Command::Sync => sync(session),
        Command::Verify => verify(session, progress, stopped),
        // The interface answers these itself.
        Command::List { .. } | Command::Help { .. } | Command::Quit | Command::Merge { .. } => {
            Outcome::said(Tone::Plain, "")
        }
    };
    let mut keys = run.keys;
    if let Some(key) = outcome.select.filter(|key| keys.view.filter.matcher().passes(key)) {
        keys.view = session.revealing(keys.view, &key);
        keys.at = KeyPlace::Key { key, or: 0 };
    }
    let records = outcome.show.and_then(|place| {
        let rows = run.records.as_ref().map_or(keys.rows, |wanted| wanted.rows);
        let wanted = RecordsWanted { segment: place.segment, at: RecordPlace::Offset(place.offset), rows };
        // What cannot be read is told by the next look at it.
        session.records_now(&wanted).ok().flatten()
    });
    Ran {
        said: outcome.said,
        // By the time that a long one ends somebody may have gone on to other keys.
        keys: if was_long { None } else { session.keys_now(keys) },
        records,
        figures: session.figures(),
        page: outcome.page,
        was_long,
        line: run.line,
        steps: outcome.steps,
    }
}

fn show(key: &[u8]) -> String {
    if key.is_empty() {
        return "\"\"".to_owned();
    }
    text::escape_to_width(key, KEY_CELLS).text
}

fn put(session: &Session, key: &[u8], value: ValueLiteral) -> Outcome {
    let value = match value {
        ValueLiteral::Bytes(bytes) => bytes,
        ValueLiteral::File(path) => match read_file(&path) {
            Ok(bytes) => bytes,
            Err(e) => return e.into(),
        },
    };
    put_bytes(session, key, &value, "")
}

/// Reads all of an old value, checks it, and puts it anew.
fn put_back(session: &Session, key: &[u8], from: Location) -> Outcome {
    match reading::whole_value(session.store(), key, from.segment, from.offset) {
        Ok(value) => put_bytes(session, key, &value, &format!(" back from {}:{}", from.segment, from.offset)),
        Err(e) => e.into(),
    }
}

/// `source` says where the value is from, if that need be said.
fn put_bytes(session: &Session, key: &[u8], value: &[u8], source: &str) -> Outcome {
    let before = session.store().entry(key);
    let (result, steps) = session.recorder().record(|| session.store().put(key, value));
    let written = match result {
        Ok(written) => written,
        Err(e) => return Outcome { steps, ..e.into() },
    };
    let key: Arc<[u8]> = key.into();
    let after = session.store().entry(&key);
    session.changed(KeyChange::One { key: Arc::clone(&key), before, after });
    let text = format!("put {}{source} → {}", show(&key), went(&written, &steps));
    let said = Said { tone: Tone::Good, text };
    Outcome { said, select: Some(key), show: Some(written.location), page: None, steps }
}

/// Reads at most as much as a value may hold, and one byte to tell that there is more.
/// Only a regular file: a pipe may never end, and a terminal would take the keys that are meant for the interface.
fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |e| Error::io("read", path, e);
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(failed(std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is not a regular file")));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_VALUE_LEN + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// `segment 7 @ 96, 247 B; superseded 4:12 (+221 B dead in segment 4); synced in 1.1 ms`.
fn went(written: &Written, steps: &[Step]) -> String {
    let Location { segment, offset, len } = written.location;
    let mut told = format!("segment {segment} @ {offset}, {}", text::size(len));
    if let Some(old) = written.superseded {
        told.push_str(&format!("; superseded {}:{}", old.segment, old.offset));
    }
    for Step { event, .. } in steps {
        if let Event::BytesDied { segment, bytes } = event {
            told.push_str(&format!(" (+{} dead in segment {segment})", text::size(*bytes)));
        }
    }
    for Step { event, .. } in steps {
        match event {
            Event::SegmentCreated { segment } => told.push_str(&format!("; segment {segment} begun")),
            Event::Synced { took, .. } => told.push_str(&format!("; synced in {}", text::duration(*took))),
            _ => {}
        }
    }
    told
}

fn get(session: &Session, key: &[u8]) -> Outcome {
    let (answer, steps) = session.recorder().record(|| session.store().get(key));
    let answer = match answer {
        Ok(answer) => answer,
        Err(e) => return Outcome { select: Some(key.into()), steps, ..e.into() },
    };
    let doubt = if answer.suspect { "; damage may have hidden a newer version" } else { "" };
    let Some(found) = answer.found else {
        return Outcome { steps, ..Outcome::said(Tone::Bad, format!("there is no key {}{doubt}", show(key))) };
    };
    let place = found.entry.location;
    let value = text::escape_to_width(&found.value, KEY_CELLS).text;
    let said = format!("{} = {value}  segment {} @ {}{doubt}", show(key), place.segment, place.offset);
    let tone = if answer.suspect { Tone::Bad } else { Tone::Plain };
    Outcome { select: Some(key.into()), steps, ..Outcome::said(tone, said) }
}

fn delete(session: &Session, keys: &[Vec<u8>]) -> Outcome {
    let mut last = Outcome::said(Tone::Plain, "");
    let mut existed = 0;
    let mut done = Vec::new();
    for key in keys {
        let before = session.store().entry(key);
        let (result, steps) = session.recorder().record(|| session.store().delete(key));
        done.extend(steps.iter().cloned());
        match result {
            Err(e) => return Outcome { show: last.show, steps: done, ..e.into() },
            Ok(None) => last.said = Said { tone: Tone::Bad, text: format!("there is no key {}", show(key)) },
            Ok(Some(written)) => {
                existed += 1;
                session.changed(KeyChange::One { key: key.as_slice().into(), before, after: None });
                let text = format!("delete {} → tombstone in {}", show(key), went(&written, &steps));
                last = Outcome { show: Some(written.location), ..Outcome::said(Tone::Good, text) };
            }
        }
    }
    if keys.len() > 1 {
        let text = format!("{existed} of {} keys existed and are deleted", keys.len());
        last.said = Said { tone: if existed == 0 { Tone::Bad } else { Tone::Good }, text };
    }
    Outcome { steps: done, ..last }
}

fn sync(session: &Session) -> Outcome {
    let (result, steps) = session.recorder().record(|| session.store().sync());
    if let Err(e) = result {
        return Outcome { steps, ..e.into() };
    }
    let took = steps.iter().find_map(|step| match &step.event {
        Event::Synced { took, segment, stable_len } => {
            let stable = text::size(*stable_len);
            Some(format!("; segment {segment} up to {stable}, in {}", text::duration(*took)))
        }
        _ => None,
    });
    let said = format!("sync: everything is durable{}", took.unwrap_or_default());
    Outcome { steps, ..Outcome::said(Tone::Good, said) }
}

fn stats(stats: &Stats) -> Outcome {
    let line = |name: &str, value: String| format!("{name:<16}{value:>16}");
    let lines = vec![
        format!("{:<16}{}", "directory", text::path(&stats.dir)),
        line("format", stats.format.to_string()),
        line("mode", stats.mode.name().to_owned()),
        line("sync", stats.sync.to_string()),
        line("keys", text::count(stats.keys)),
        line("live bytes", text::size(stats.live_bytes)),
        line("dead bytes", format!("{} ({})", text::size(stats.dead_bytes), text::percent(stats.dead_share()))),
        line("on disk", text::size(stats.disk_bytes)),
        line("segments", text::count(stats.segments)),
        line("keydir", text::size(stats.keydir_bytes)),
        line("keydir per key", format!("{:.0} B", stats.bytes_per_key())),
        line("tombstones", text::count(stats.tombstones)),
        line("expired", text::count(stats.expired)),
        line("damaged bytes", text::count(stats.damaged_bytes)),
        line("findings", text::count(stats.findings)),
    ];
    let said = format!("{} keys, {} live", text::count(stats.keys), text::size(stats.live_bytes));
    let page = Some(Content::Report(Report { title: "stats".into(), lines }));
    Outcome { page, ..Outcome::said(Tone::Plain, said) }
}

fn verify(session: &Session, progress: &dyn Fn(Progress), stopped: &dyn Fn() -> bool) -> Outcome {
    let mut was_stopped = false;
    let mut pace = Pace::default();
    // A merge in this process waits with taking files away until all of them are read.
    let _files = session.store().pin();
    let mut told = |done, total| {
        if pace.is_due(done, total) {
            progress(Progress { what: "verify", done, total });
        }
        was_stopped = stopped();
        if was_stopped { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    };
    let report = match despite_merges(|| inspect::verify(session.store(), &mut told)) {
        Ok(report) => report,
        Err(e) => return e.into(),
    };
    let damage = report.findings.iter().filter(|finding| finding.severity == Severity::Damage);
    damage.cloned().for_each(|finding| session.store().note(finding));
    let read = format!("{} records in {}", text::count(report.records), text::size(report.bytes));
    let found = findings::number(report.findings.len());
    if was_stopped {
        return Outcome::said(Tone::Plain, format!("verify was stopped after {read}; {found} so far"));
    }
    if report.findings.is_empty() {
        return Outcome::said(Tone::Good, format!("verify: {read}, nothing to find"));
    }
    let tone = if report.is_damaged() { Tone::Bad } else { Tone::Plain };
    let page = findings::page(session, "verify", report.findings);
    Outcome { page: Some(Content::Findings(page)), ..Outcome::said(tone, format!("verify: {read}, {found}")) }
}
