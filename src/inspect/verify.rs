//! Reads every byte of a store's segments and says what it found.
//!
//! What opening noticed is only part of it: a segment that was loaded from its hint has not been read until now. Changes
//! nothing, decides nothing.

use std::ops::ControlFlow;
use std::path::PathBuf;

use super::checkpoint::checkpoint_findings;
use super::records::{RecordRow, RowKind};
use crate::error::{Error, Result};
use crate::format::{Check, Kind, SegmentId};
use crate::store::scan::What;
use crate::store::{Finding, FindingKind, SegmentInfo, Severity, Store, Walk};

/// The outcome of a verify.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Everything worth knowing, in the order of segments and offsets; what is about files comes last.
    pub findings: Vec<Finding>,
    /// Segments read.
    pub segments: u64,
    /// Records that hold.
    pub records: u64,
    /// Bytes read.
    pub bytes: u64,
}

impl Report {
    /// Whether any byte that should be data is not.
    pub fn is_damaged(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Damage)
    }
}

/// Reads everything; `progress` is told bytes done and in all, and may stop it: then the report is about what was read.
pub fn verify(store: &Store, progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>) -> Result<Report> {
    let segments = store.segments();
    let total = segments.iter().map(|segment| segment.bytes).sum();
    let mut report = Report::default();
    // Damaged records are found again, with the same words, by reading.
    report.findings.extend(store.findings().into_iter().filter(|finding| finding.kind != FindingKind::DamagedRecord));
    // A store that was opened from its checkpoint has not read its hints.
    let anew = if store.is_from_checkpoint() { Some(store.opened_anew(false)?) } else { None };
    let plain = anew.as_ref().unwrap_or(store);
    let is_about_hint = |finding: &Finding| matches!(finding.kind, FindingKind::DamagedHint | FindingKind::StaleHint);
    report.findings.extend(anew.iter().flat_map(Store::findings).filter(is_about_hint));
    for segment in &segments {
        if read_segment(store, segment, &mut report, total, progress)?.is_break() {
            break;
        }
    }
    report.findings.sort_by_key(|finding| (finding.segment, finding.offset));
    report.findings.extend(checkpoint_findings(store, plain)?);
    report.findings.extend(store.directory_findings()?);
    Ok(report)
}

const STEP: u64 = 4 << 20;

fn read_segment(
    store: &Store,
    segment: &SegmentInfo,
    report: &mut Report,
    total: u64,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<ControlFlow<()>> {
    let mut walk = store.walk(segment.id, 0)?;
    let before = report.bytes;
    let mut told = 0;
    let mut empty_values = 0u64;
    report.segments += 1;
    loop {
        let at = walk.scanner.position();
        let item = match walk.scanner.next_item() {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(e) => {
                report.findings.push(unreadable(segment.id, &walk, at, &e));
                break;
            }
        };
        let finding = |severity, kind, key: Option<&[u8]>, message| Finding {
            severity,
            kind,
            path: walk.path.clone(),
            segment: Some(segment.id),
            offset: Some(item.offset),
            len: Some(item.len),
            key: key.map(<[u8]>::to_vec),
            message,
        };
        let damage = |key, message| finding(Severity::Damage, FindingKind::DamagedRecord, key, message);
        match &item.what {
            What::Record(record, Ok(())) => {
                report.records += 1;
                let is_note = record.kind == Kind::Tombstone && !walk.format.has_checksum();
                empty_values += u64::from(is_note);
                if let Some(oddity) = record.oddity.filter(|_| !is_note) {
                    let key = Some(record.key);
                    report.findings.push(finding(Severity::Note, FindingKind::OddTombstone, key, oddity.to_owned()));
                }
            }
            What::Record(record, Err(check)) => {
                report.findings.push(damage(Some(record.key), does_not_hold(check)));
            }
            What::Gap(gap) => report.findings.push(damage(None, does_not_decode(item.len, &gap.check))),
        }
        let done = item.offset + item.len;
        if done - told >= STEP {
            told = done;
            if progress(before + done, total).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    report.bytes = before + segment.bytes;
    report.findings.extend(deletions(segment.id, &walk, empty_values));
    Ok(progress(report.bytes, total))
}

/// What there is to find in a row that does not hold; the same as a verify finds there.
pub fn damage_in(row: &RecordRow, path: PathBuf) -> Option<Finding> {
    let check = row.check?;
    let message = match row.kind {
        RowKind::Record(_) => does_not_hold(&check),
        RowKind::Gap => does_not_decode(row.len, &check),
        RowKind::Header => return None,
    };
    Some(Finding {
        severity: Severity::Damage,
        kind: FindingKind::DamagedRecord,
        path,
        segment: Some(row.segment),
        offset: Some(row.offset),
        len: Some(row.len),
        key: row.key.clone(),
        message,
    })
}

fn does_not_hold(check: &Check) -> String {
    format!("the record does not hold: {check}")
}

fn does_not_decode(len: u64, check: &Check) -> String {
    format!("{len} bytes do not decode: {check}")
}

/// One finding a segment: the format cannot say more about any single record.
fn deletions(segment: SegmentId, walk: &Walk, count: u64) -> Option<Finding> {
    let message = format!("{count} records have no value bytes: deletions and empty values are stored alike");
    (count > 0).then(|| about(segment, walk, Severity::Note, FindingKind::EmptyValue, None, message))
}

fn unreadable(segment: SegmentId, walk: &Walk, offset: u64, e: &std::io::Error) -> Finding {
    let message = Error::io_at("read", &walk.path, offset, std::io::Error::new(e.kind(), e.to_string())).to_string();
    about(segment, walk, Severity::Damage, FindingKind::Unreadable, Some(offset), message)
}

fn about(
    segment: SegmentId,
    walk: &Walk,
    severity: Severity,
    kind: FindingKind,
    offset: Option<u64>,
    message: String,
) -> Finding {
    let path = walk.path.clone();
    Finding { severity, kind, path, segment: Some(segment), offset, len: None, key: None, message }
}
