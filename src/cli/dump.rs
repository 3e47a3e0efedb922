//! `dump`: one record or file header, byte by byte. No lock, no byte changed.
//!
//! The bytes are taken apart by [`inspect::anatomy`]; here is only how that is laid out for people and for programs, and
//! what to say of a place where no record starts.

use std::ops::Range;

use serde::Serialize;

use super::args::Dump;
use super::exit::Exit;
use super::output::{Out, Tone};
use super::records::{no_such_segment, tone};
use super::session::Session;
use crate::format::{Role, SegmentId};
use crate::inspect::{self, Anatomy, FieldAnatomy, RecordRow, RowKind, RowState, SumAnatomy};
use crate::store::Store;
use crate::text;

/// Bytes in a row of the dump.
const ROW: usize = 16;

/// `logkv dump`
pub(super) fn dump(session: &mut Session, args: &Dump) -> anyhow::Result<Exit> {
    let store = session.inspect()?;
    // A segment whose header cannot be believed is in no list, and can be looked at.
    let mut ids: Vec<SegmentId> = store.segments().iter().map(|info| info.id).chain(store.unloaded()).collect();
    ids.sort_unstable();
    if !ids.contains(&args.segment) {
        return Ok(session.notes.no(&no_such_segment(args.segment, &ids)));
    }
    let Some(row) = row_at(&store, args.segment, args.offset)? else {
        let (segment, offset) = (args.segment, args.offset);
        let nothing = format!("segment {segment} ends before offset {offset}; `logkv records` lists its records");
        return Ok(session.notes.no(&nothing));
    };
    let starts_here = row.offset == args.offset;
    if !starts_here {
        session.notes.warn(&no_start(&row, args.offset));
    }
    let row = starts_here.then_some(&row);
    let anatomy = match row {
        Some(row) if row.kind == RowKind::Header => inspect::file_header_anatomy(&store, args.segment)?,
        _ => inspect::anatomy(&store, args.segment, args.offset)?,
    };
    if session.out.is_json() {
        session.out.json(&Row::new(&anatomy, row))?;
    } else {
        print(&mut session.out, &anatomy, row)?;
    }
    Ok(Exit::Yes)
}

/// The file header, record or stretch that the byte at `offset` belongs to.
fn row_at(store: &Store, segment: SegmentId, offset: u64) -> anyhow::Result<Option<RecordRow>> {
    let header = inspect::header_row(store, segment)?.map(Ok);
    for row in header.into_iter().chain(inspect::records(store, segment, 0)?) {
        let row = row?;
        if (row.offset..row.offset.saturating_add(row.len)).contains(&offset) {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

/// Bytes can be taken for a record anywhere; whoever did not mean to is told.
fn no_start(row: &RecordRow, offset: u64) -> String {
    match row.kind {
        RowKind::Record(_) => format!("no record starts at {offset}; the one around it starts at {}", row.offset),
        RowKind::Header => format!("no record starts at {offset}; the file's header is around it, and starts at 0"),
        RowKind::Gap => format!("{offset} lies in a {} stretch that starts at {}", row.state.name(), row.offset),
    }
}

// ---- For people -----------------------------------------------------------------------------------------------------

fn print(out: &mut Out, anatomy: &Anatomy, row: Option<&RecordRow>) -> anyhow::Result<()> {
    let what = match row {
        Some(row) if row.state == RowState::Header => "the file's header".to_owned(),
        Some(row) => format!("{}, {}", row.kind.name(), out.paint(tone(row.state), row.state.name())),
        None => out.paint(Tone::Warning, "taken for a record"),
    };
    let Anatomy { segment, offset, len, .. } = anatomy;
    out.line(&format!("segment {segment}, offset {offset}, {} bytes: {what}", text::count(*len)))?;
    for field in &anatomy.fields {
        print_field(out, anatomy.offset, field)?;
    }
    if anatomy.missing > 0 {
        let missing = format!("{} more bytes are claimed by the lengths and not there", text::count(anatomy.missing));
        let missing = out.paint(Tone::Warning, &missing);
        out.line(&format!("\n{missing}"))?;
    }
    print_sums(out, anatomy)
}

fn print_field(out: &mut Out, record: u64, field: &FieldAnatomy) -> anyhow::Result<()> {
    let meaning = out.paint(Tone::Faint, field.field.meaning);
    out.line(&format!("\n{:<13} {}\n  {meaning}", field.field.name, value(field)))?;
    for (number, bytes) in field.bytes.chunks(ROW).enumerate() {
        let at = record + field.start + (number * ROW) as u64;
        out.line(&hex_row(at, bytes))?;
    }
    match field.len.saturating_sub(field.bytes.len() as u64) {
        0 => Ok(()),
        more => out.line(&format!("{:>12}  {} more bytes", "…", text::count(more))),
    }
}

/// A size in words has lost its last digits.
fn value(field: &FieldAnatomy) -> String {
    match field.number {
        _ if field.len == 0 => "(empty)".to_owned(),
        Some(number) if field.field.role == Role::Length && number >= 1024 => {
            format!("{} ({})", field.value, text::count(number))
        }
        _ => field.value.clone(),
    }
}

fn hex_row(at: u64, bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x} ")).collect();
    let plain: String =
        bytes.iter().map(|byte| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '.' }).collect();
    format!("{at:>12}  {hex:<width$} {plain}", width = ROW * 3)
}

fn print_sums(out: &mut Out, anatomy: &Anatomy) -> anyhow::Result<()> {
    for sum in &anatomy.sums {
        let verdict = if sum.holds() { out.paint(Tone::Good, "ok ") } else { out.paint(Tone::Bad, "BAD") };
        out.line(&format!(
            "\n{:<13} {verdict} stored {:08x}, computed {:08x}\n  over {}",
            sum.sum.field,
            sum.stored,
            sum.computed,
            covered(sum)
        ))?;
    }
    Ok(())
}

fn covered(sum: &SumAnatomy) -> String {
    let Range { start, end } = &sum.covers;
    let bytes = match end.saturating_sub(*start) {
        0 => "no bytes".to_owned(),
        len => format!("the {} bytes from offset {}", text::count(len), start),
    };
    if sum.sum.salted { format!("the file's salt, the record's offset, and {bytes}") } else { bytes }
}

// ---- For programs ---------------------------------------------------------------------------------------------------

/// Without kind and state where no record starts.
#[derive(Serialize)]
struct Row<'a> {
    segment: SegmentId,
    offset: u64,
    len: u64,
    missing: u64,
    kind: Option<&'static str>,
    state: Option<&'static str>,
    fields: Vec<FieldRow<'a>>,
    checksums: Vec<SumRow>,
}

/// `raw_hex` holds the first bytes of a long value; `len` is the length of all of it.
#[derive(Serialize)]
struct FieldRow<'a> {
    name: &'static str,
    start: u64,
    len: u64,
    raw_hex: String,
    value: &'a str,
    number: Option<u64>,
    meaning: &'static str,
}

#[derive(Serialize)]
struct SumRow {
    name: &'static str,
    stored: String,
    computed: String,
    ok: bool,
    salted: bool,
    start: u64,
    len: u64,
}

impl<'a> Row<'a> {
    fn new(anatomy: &'a Anatomy, row: Option<&RecordRow>) -> Self {
        Self {
            segment: anatomy.segment,
            offset: anatomy.offset,
            len: anatomy.len,
            missing: anatomy.missing,
            kind: row.map(|row| row.kind.name()),
            state: row.map(|row| row.state.name()),
            fields: anatomy.fields.iter().map(FieldRow::from).collect(),
            checksums: anatomy.sums.iter().map(|sum| SumRow::new(sum, anatomy.offset)).collect(),
        }
    }
}

impl<'a> From<&'a FieldAnatomy> for FieldRow<'a> {
    fn from(field: &'a FieldAnatomy) -> Self {
        Self {
            name: field.field.name,
            start: field.start,
            len: field.len,
            raw_hex: field.bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            value: &field.value,
            number: field.number,
            meaning: field.field.meaning,
        }
    }
}

impl SumRow {
    /// What it covers is told from the start of the record, which it never precedes.
    fn new(sum: &SumAnatomy, record: u64) -> Self {
        Self {
            name: sum.sum.field,
            stored: format!("{:08x}", sum.stored),
            computed: format!("{:08x}", sum.computed),
            ok: sum.holds(),
            salted: sum.sum.salted,
            start: sum.covers.start.saturating_sub(record),
            len: sum.covers.end.saturating_sub(sum.covers.start),
        }
    }
}
