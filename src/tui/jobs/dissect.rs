//! Taking one row of a record list apart. What is no record is handed over as bytes without meaning.
//!
//! Holds no more than [`SHOWN`] bytes of any field.

use std::sync::Arc;

use super::session::Session;
use crate::error::Result;
use crate::format::{Encoding, Field, Role, Width};
use crate::inspect::anatomy::SHOWN;
use crate::inspect::{Anatomy, FieldAnatomy, anatomy};
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
        None => anatomy(session.store(), wanted.segment, wanted.offset),
        Some(Stretch::Gap) => bytes(session, &wanted, &GAP),
        Some(Stretch::Torn) => bytes(session, &wanted, &TORN),
    };
    RecordSeen { wanted, anatomy: anatomy.map(Arc::new).map_err(|e| e.to_string()) }
}

fn bytes(session: &Session, wanted: &RecordWanted, field: &'static Field) -> Result<Anatomy> {
    let RecordWanted { segment, offset, len, .. } = *wanted;
    let bytes = session.store().bytes(segment, offset, usize::try_from(len).unwrap_or(SHOWN).min(SHOWN))?;
    let field = FieldAnatomy { field, start: 0, len, bytes, number: None, value: String::new() };
    Ok(Anatomy { segment, offset, len, fields: vec![field], sums: Vec::new(), missing: 0 })
}
