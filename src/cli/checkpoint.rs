//! `inspect` of a store's `KEYDIR`: a line a part, with its fields read. No lock, no other file opened, no byte changed.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use super::exit::Exit;
use super::output::{Out, Tone};
use super::session::Session;
use crate::disk::RealDisk;
use crate::format::HeaderFault;
use crate::inspect::{Anatomy, CheckpointFile, CheckpointPart, CheckpointRow, FieldAnatomy};
use crate::text;

/// Shows what is in a checkpoint, and says whether it holds.
pub(super) fn inspect(session: &mut Session, path: &Path) -> anyhow::Result<Exit> {
    let file = CheckpointFile::open(&RealDisk, path)?;
    let out = &mut session.out;
    if !out.is_json() && !session.global.quiet {
        out.line(&format!("{}: a checkpoint of the native format", text::path(path)))?;
    }
    if !out.is_json() {
        out.line("      offset         len  part        crc   fields")?;
    }
    for row in file.rows() {
        let anatomy = file.anatomy(&row)?;
        if out.is_json() {
            out.json(&Row::of(&row, &anatomy))?;
        } else {
            out.line(&line(out, &row, &anatomy))?;
        }
    }
    let fault = file.fault()?;
    if !out.is_json() {
        out.line(&match &fault {
            None => "it holds".to_owned(),
            Some(HeaderFault::Incomplete) => {
                "it ends before its head does: it is not used, and written anew".to_owned()
            }
            Some(HeaderFault::Damaged(check)) => {
                format!("it does not hold ({check}): it is not used, and written anew")
            }
            Some(HeaderFault::NeedsNewer(what)) => format!("it is {what}: it is not used"),
        })?;
    }
    Ok(if fault.is_none() { Exit::Yes } else { Exit::No })
}

/// What the checksums of a part come to; empty where it has none.
fn crc(anatomy: &Anatomy) -> &'static str {
    match anatomy.sums.iter().map(|sum| sum.holds()).reduce(|all, holds| all && holds) {
        None => "",
        Some(true) => "ok",
        Some(false) => "bad",
    }
}

/// The bytes of an image are many, and say nothing to anybody.
fn shown<'a>(row: &CheckpointRow, anatomy: &'a Anatomy) -> impl Iterator<Item = &'a FieldAnatomy> {
    let has_fields = !matches!(row.part, CheckpointPart::Image | CheckpointPart::Rest);
    anatomy.fields.iter().filter(move |_| has_fields)
}

fn line(out: &Out, row: &CheckpointRow, anatomy: &Anatomy) -> String {
    let fields: Vec<String> =
        shown(row, anatomy).map(|field| format!("{} {}", field.field.name, field.value)).collect();
    let crc = match crc(anatomy) {
        "bad" => out.paint(Tone::Bad, "bad "),
        other => format!("{other:<4}"),
    };
    let (offset, len) = (text::count(row.offset), text::count(row.len));
    format!("{offset:>12} {len:>11}  {:<10}  {crc}  {}", row.part.name(), fields.join(", ")).trim_end().to_owned()
}

#[derive(Serialize)]
struct Row {
    offset: u64,
    len: u64,
    part: &'static str,
    crc: Option<&'static str>,
    fields: Map<String, Value>,
}

impl Row {
    fn of(row: &CheckpointRow, anatomy: &Anatomy) -> Self {
        let value = |field: &FieldAnatomy| match field.number {
            Some(number) => Value::from(number),
            None => Value::from(field.value.as_str()),
        };
        let fields = shown(row, anatomy).map(|field| (field.field.name.replace(' ', "_"), value(field))).collect();
        let crc = Some(crc(anatomy)).filter(|crc| !crc.is_empty());
        Self { offset: row.offset, len: row.len, part: row.part.name(), crc, fields }
    }
}
