//! `verify`: every byte read, every finding told. Changes nothing; what to do about damage is the finding's advice.

use serde::Serialize;

use super::exit::Exit;
use super::output::{KeyField, Out, Tone};
use super::progress::Progress;
use super::session::Session;
use crate::inspect::{self, Report};
use crate::store::{Finding, Severity, Store};
use crate::text;

/// `logkv verify`
pub(super) fn verify(session: &mut Session) -> anyhow::Result<Exit> {
    let store = session.inspect_all()?;
    let report = read(session, &store)?;
    if !session.global.quiet {
        print(&mut session.out, &report)?;
    }
    Ok(exit(&report))
}

/// Reads every byte of the store, and shows how far it is.
pub(super) fn read(session: &Session, store: &Store) -> anyhow::Result<Report> {
    let mut progress = Progress::new(session);
    let report = inspect::verify(store, &mut |done, total| progress.show(done, total));
    progress.erase();
    Ok(report?)
}

/// Only damage is a no.
pub(super) fn exit(report: &Report) -> Exit {
    if report.is_damaged() { Exit::No } else { Exit::Yes }
}

/// A line a finding and, for people, one about the whole.
pub(super) fn print(out: &mut Out, report: &Report) -> anyhow::Result<()> {
    for finding in &report.findings {
        if out.is_json() {
            out.json(&Row::from(finding))?;
        } else {
            out.line(&line(out, finding))?;
        }
    }
    if out.is_json() { Ok(()) } else { out.line(&summary(report)) }
}

fn line(out: &Out, finding: &Finding) -> String {
    let tone = match finding.severity {
        Severity::Note => Tone::Faint,
        Severity::Warning => Tone::Warning,
        Severity::Damage => Tone::Bad,
    };
    let mut line =
        format!("{} {}: {}", out.paint(tone, finding.severity.name()), finding.kind.name(), text::path(&finding.path));
    if let Some(offset) = finding.offset {
        line.push_str(&format!(" at offset {offset}"));
    }
    if let Some(len) = finding.len {
        line.push_str(&format!(", {} bytes", text::count(len)));
    }
    if let Some(key) = &finding.key {
        line.push_str(&format!(", key {}", text::escape(key)));
    }
    format!("{line}: {}; {}; {}", finding.message, finding.consequence(), finding.advice())
}

fn summary(report: &Report) -> String {
    let damaged = report.findings.iter().filter(|finding| finding.severity == Severity::Damage).count();
    let findings = match report.findings.len() as u64 {
        0 => "no findings".to_owned(),
        some => format!("{}, {} of them damage", text::several(some, "finding"), text::count(damaged as u64)),
    };
    format!(
        "read {} in {}: {} sound, {findings}",
        text::size(report.bytes),
        text::several(report.segments, "segment"),
        text::several(report.records, "record"),
    )
}

#[derive(Serialize)]
pub(super) struct Row<'a> {
    severity: &'static str,
    kind: &'static str,
    file: String,
    segment: Option<u64>,
    offset: Option<u64>,
    len: Option<u64>,
    #[serde(flatten)]
    key: KeyField,
    message: &'a str,
    consequence: &'static str,
    advice: &'static str,
}

impl<'a> From<&'a Finding> for Row<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            severity: finding.severity.name(),
            kind: finding.kind.name(),
            file: finding.path.display().to_string(),
            segment: finding.segment,
            offset: finding.offset,
            len: finding.len,
            key: finding.key.as_deref().into(),
            message: &finding.message,
            consequence: finding.consequence(),
            advice: finding.advice(),
        }
    }
}
