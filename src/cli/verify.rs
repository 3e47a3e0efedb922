//! `verify`: every byte read, every finding told. Changes nothing; what to do about damage is the finding's advice.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::exit::Exit;
use super::output::{KeyField, Out, Tone};
use super::session::Session;
use crate::inspect::{self, Report};
use crate::store::{Finding, Severity};
use crate::text;

/// `logkv verify`
pub(super) fn verify(session: &mut Session) -> anyhow::Result<Exit> {
    let store = session.inspect()?;
    let mut progress = Progress::new(session.notes.terminal && !session.global.quiet);
    let report = inspect::verify(&store, &mut |done, total| progress.show(done, total));
    progress.erase();
    let report = report?;
    if !session.global.quiet {
        print(&mut session.out, &report)?;
    }
    let damaged = report.findings.iter().any(|finding| finding.severity == Severity::Damage);
    Ok(if damaged { Exit::No } else { Exit::Yes })
}

fn print(out: &mut Out, report: &Report) -> anyhow::Result<()> {
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
    format!("{line}: {}; {}", finding.message, finding.advice())
}

fn summary(report: &Report) -> String {
    let damaged = report.findings.iter().filter(|finding| finding.severity == Severity::Damage).count();
    format!(
        "read {} in {}: {} sound, {}, {} of them damage",
        text::size(report.bytes),
        several(report.segments, "segment"),
        several(report.records, "record"),
        several(report.findings.len() as u64, "finding"),
        text::count(damaged as u64),
    )
}

/// `1 finding`, `2 findings`.
fn several(number: u64, what: &str) -> String {
    format!("{} {what}{}", text::count(number), if number == 1 { "" } else { "s" })
}

#[derive(Serialize)]
struct Row<'a> {
    severity: &'static str,
    kind: &'static str,
    file: String,
    segment: Option<u64>,
    offset: Option<u64>,
    len: Option<u64>,
    #[serde(flatten)]
    key: KeyField,
    message: &'a str,
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
            advice: finding.advice(),
        }
    }
}

/// One line on standard error that is redrawn in place and taken away at the end.
struct Progress {
    visible: bool,
    drawn: Option<Instant>,
}

impl Progress {
    /// Often enough to look alive, seldom enough to cost nothing.
    const PERIOD: Duration = Duration::from_millis(100);

    fn new(visible: bool) -> Self {
        Self { visible, drawn: None }
    }

    fn show(&mut self, done: u64, total: u64) -> ControlFlow<()> {
        if self.visible && self.drawn.is_none_or(|at| at.elapsed() >= Self::PERIOD) {
            self.drawn = Some(Instant::now());
            let share = if total == 0 { 1.0 } else { done as f64 / total as f64 };
            Self::write(&format!("{:3.0}% of {}", share * 100.0, text::size(total)));
        }
        ControlFlow::Continue(())
    }

    fn erase(&self) {
        if self.drawn.is_some() {
            Self::write("");
        }
    }

    /// A progress line that cannot be written is no reason to stop.
    fn write(words: &str) {
        let mut stderr = io::stderr().lock();
        let _ = write!(stderr, "\r\x1b[K{words}").and_then(|()| stderr.flush());
    }
}
