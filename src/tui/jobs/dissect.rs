//! Taking one row of a list apart: a record, a file header, a part of a hint, or what may have been a record.
//!
//! Holds no more than [`SHOWN`] bytes of any field. Checksums over a long value are given up when somebody asks for
//! something else.

use std::sync::Arc;

use super::session::Session;
use crate::error::Result;
use crate::format::{Encoding, Field, Role, Width};
use crate::inspect::anatomy::{SHOWN, anatomy_unless, fields_alone};
use crate::inspect::{Anatomy, FieldAnatomy, HintFile, HintPart, file_header_anatomy};
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

/// Bytes from which on the fields of a record are answered before its checksums are computed.
const LONG: u64 = 8 << 20;

/// Takes apart what stands at a place; answers twice if it is long.
pub(super) fn dissect(
    session: &Session,
    wanted: &RecordWanted,
    overtaken: &dyn Fn() -> bool,
    answer: &dyn Fn(RecordSeen),
) {
    let answer = |anatomy: Result<Anatomy>, is_whole| {
        let anatomy = anatomy.map(Arc::new).map_err(|e| e.to_string());
        answer(RecordSeen { wanted: wanted.clone(), anatomy, is_whole });
    };
    let RecordWanted { segment, offset, len, stretch: part } = *wanted;
    let store = session.store();
    if len > LONG && part.is_none() {
        answer(fields_alone(store, segment, offset), false);
    }
    let anatomy = match part {
        None => anatomy_unless(store, segment, offset, overtaken),
        Some(Stretch::Header) => file_header_anatomy(store, segment),
        Some(Stretch::Hint(part)) => hint(session, wanted, part),
        Some(Stretch::Gap) => stretch(session, wanted, &GAP, overtaken),
        Some(Stretch::Torn) => stretch(session, wanted, &TORN, overtaken),
    };
    // What was stopped is not what it would have been, and the one who asks now waits for another answer.
    if !overtaken() {
        answer(anatomy, true);
    }
}

fn hint(session: &Session, wanted: &RecordWanted, part: HintPart) -> Result<Anatomy> {
    let RecordWanted { segment, offset, len, .. } = *wanted;
    match HintFile::open(session.store(), segment)? {
        Some(hint) => hint.anatomy(part, offset, len),
        None => Ok(Anatomy { segment, offset, len: 0, fields: Vec::new(), sums: Vec::new(), missing: len }),
    }
}

/// A stretch that is no record, taken for one as far as its own lengths reach and fit; what is left of it has no meaning.
fn stretch(
    session: &Session,
    wanted: &RecordWanted,
    rest: &'static Field,
    overtaken: &dyn Fn() -> bool,
) -> Result<Anatomy> {
    let RecordWanted { segment, offset, len, .. } = *wanted;
    let mut anatomy = anatomy_unless(session.store(), segment, offset, overtaken)?;
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
