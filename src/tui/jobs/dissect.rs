//! Taking one row of a list apart: a record, a file header, a part of a hint, or what may have been a record.
//!
//! Holds no more than [`SHOWN`] bytes of any field.

use std::sync::Arc;

use super::session::Session;
use crate::error::Result;
use crate::format::{Encoding, Field, Role, Width};
use crate::inspect::anatomy::SHOWN;
use crate::inspect::{Anatomy, FieldAnatomy, HintFile, HintPart, anatomy, file_header_anatomy};
use crate::tui::action::RecordSeen;
use crate::tui::effect::{RecordWanted, Stretch};

static GAP: Field = Field {
    name: "bytes that do not decode",
    width: Width::Value,
    encoding: Encoding::Bytes,
    role: Role::Value,
    meaning: "No record that holds begins here; the next one that does comes after them.",
};

static TORN: Field = Field {
    name: "torn tail",
    width: Width::Value,
    encoding: Encoding::Bytes,
    role: Role::Value,
    meaning: "These bytes were being written when writing stopped; nothing in them was durable.",
};

/// Takes apart what stands at a place.
pub(super) fn dissect(session: &Session, wanted: RecordWanted) -> RecordSeen {
    let anatomy = match wanted.stretch {
        None => anatomy(session.store(), wanted.segment, wanted.offset).map_err(|e| e.to_string()),
        Some(Stretch::Header) => file_header_anatomy(session.store(), wanted.segment).map_err(|e| e.to_string()),
        Some(Stretch::Hint(part)) => hint(session, &wanted, part),
        Some(Stretch::Gap) => stretch(session, &wanted, &GAP).map_err(|e| e.to_string()),
        Some(Stretch::Torn) => stretch(session, &wanted, &TORN).map_err(|e| e.to_string()),
    };
    RecordSeen { wanted, anatomy: anatomy.map(Arc::new) }
}

fn hint(session: &Session, wanted: &RecordWanted, part: HintPart) -> std::result::Result<Anatomy, String> {
    match HintFile::open(session.store(), wanted.segment).map_err(|e| e.to_string())? {
        Some(hint) => hint.anatomy(part, wanted.offset, wanted.len).map_err(|e| e.to_string()),
        None => Err("the hint is gone".to_owned()),
    }
}

/// A stretch that is no record, taken for one as far as its own lengths reach and fit; what is left of it has no meaning.
fn stretch(session: &Session, wanted: &RecordWanted, rest: &'static Field) -> Result<Anatomy> {
    let RecordWanted { segment, offset, len, .. } = *wanted;
    let mut anatomy = anatomy(session.store(), segment, offset)?;
    let claimed = anatomy.len.saturating_add(anatomy.missing);
    anatomy.fields.retain(|field| field.start < len);
    for field in &mut anatomy.fields {
        field.len = field.len.min(len - field.start);
        field.bytes.truncate(usize::try_from(field.len).unwrap_or(usize::MAX));
    }
    anatomy.missing = claimed.saturating_sub(len);
    let start = anatomy.fields.last().map_or(0, |field| field.start + field.len);
    if start < len {
        let most = usize::try_from(len - start).unwrap_or(SHOWN).min(SHOWN);
        let bytes = session.store().bytes(segment, offset.saturating_add(start), most)?;
        let (number, value) = (None, String::new());
        anatomy.fields.push(FieldAnatomy { field: rest, start, len: len - start, bytes, number, value });
    }
    Ok(Anatomy { len, ..anatomy })
}
