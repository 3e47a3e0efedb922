//! A Riak object in words: its clock, then each sibling with its metadata and its value.

use std::fmt::Display;

use super::clock::{Tick, clock, tick};
use super::data_type::{DataType, data_type};
use super::object::{Metadata, Object, Sibling, Typed};
use crate::text;
use crate::value::pen::{Class, Pen};
use crate::value::printer::Printer;
use crate::value::sink::{Sink, Stop};
use crate::value::term::{self, VERSION};
use crate::value::text::Quoted;
use crate::value::view::{Head, show_plain};

/// Cells of one step.
const STEP: usize = 2;
const TERM: u8 = 0;
const PLAIN: u8 = 1;

/// Writes an object; how it ends early, if it does.
pub(in crate::value) fn show(object: &Object<'_>, pen: &mut Pen) -> Result<(), Stop> {
    let noun = if object.claimed == 1 { "sibling" } else { "siblings" };
    pen.write(Class::Note, &format_args!("Riak object, version 1, {} {noun}", object.claimed));
    show_clock(object.clock, pen)?;
    for (at, sibling) in object.siblings.iter().enumerate() {
        if pen.is_full() {
            return Err(Stop::Full);
        }
        show_sibling(at + 1, object.claimed, sibling, pen)?;
    }
    Ok(())
}

fn show_clock(bytes: &[u8], pen: &mut Pen) -> Result<(), Stop> {
    pen.next_line(0);
    pen.write(Class::Key, &"vclock");
    match clock(bytes) {
        Ok(ticks) => {
            for tick in &ticks {
                next_line(pen)?;
                show_tick(tick, pen);
            }
        }
        Err(_) => {
            pen.next_line(STEP);
            show_term(bytes, STEP, pen)?;
        }
    }
    Ok(())
}

fn show_tick(tick: &Tick<'_>, pen: &mut Pen) {
    let actor: String = tick.actor.iter().map(|byte| format!("{byte:02x}")).collect();
    pen.write(Class::Bytes, &actor);
    pen.write(Class::Punctuation, &": ");
    pen.write(Class::Number, &tick.counter);
    match tick.micros() {
        Some(micros) => pen.write(Class::Note, &format_args!("  {}", seconds(micros))),
        None => pen.write(Class::Note, &format_args!("  {} s after year 0", tick.timestamp)),
    }
}

/// Another line of a list that may be as long as the bytes allow.
fn next_line(pen: &mut Pen) -> Result<(), Stop> {
    if pen.is_full() {
        return Err(Stop::Full);
    }
    pen.next_line(STEP);
    Ok(())
}

/// A time without its microseconds, which a clock does not have.
fn seconds(micros: u64) -> String {
    let whole = text::timestamp(micros);
    whole.split('.').next().unwrap_or_default().to_owned()
}

fn show_sibling(number: usize, of: u64, sibling: &Sibling<'_>, pen: &mut Pen) -> Result<(), Stop> {
    pen.next_line(0);
    pen.write(Class::Key, &"sibling ");
    pen.write(Class::Number, &number);
    pen.write(Class::Note, &format_args!(" of {of}"));
    if let Some(metadata) = &sibling.metadata {
        show_metadata(metadata, pen)?;
    }
    field(&"value", pen);
    let Some(value) = &sibling.value else {
        pen.write(Class::Note, &"only the metadata was kept");
        return Ok(());
    };
    pen.write(Class::Note, &text::size(sibling.value_len));
    show_value(value, sibling.metadata.is_some(), pen)
}

fn field(name: &dyn Display, pen: &mut Pen) {
    pen.next_line(STEP);
    pen.write(Class::Key, name);
    pen.write(Class::Punctuation, &": ");
}

fn show_metadata(metadata: &Metadata<'_>, pen: &mut Pen) -> Result<(), Stop> {
    if metadata.deleted {
        pen.write(Class::Stop, &", deleted");
    }
    if let Some(micros) = metadata.last_modified {
        field(&"last modified", pen);
        pen.write(Class::Number, &text::timestamp(micros));
    }
    if let Some(vtag) = metadata.vtag {
        field(&"vtag", pen);
        pen.write(Class::Text, &text::escape(vtag));
    }
    for (key, value) in &metadata.pairs {
        next_line(pen)?;
        show_key(key, pen)?;
        pen.write(Class::Punctuation, &": ");
        show_pair_value(key, value, pen)?;
    }
    Ok(())
}

fn show_key(key: &Typed<'_>, pen: &mut Pen) -> Result<(), Stop> {
    if key.kind == TERM {
        return show_term(key.bytes, STEP, pen);
    }
    pen.write(Class::Key, &text::escape(key.bytes));
    Ok(())
}

fn show_pair_value(key: &Typed<'_>, value: &Typed<'_>, pen: &mut Pen) -> Result<(), Stop> {
    if key.bytes == b"dot"
        && let Some((&VERSION, mut rest)) = value.bytes.split_first()
        && let Ok(tick) = tick(&mut rest)
    {
        show_tick(&tick, pen);
        return Ok(());
    }
    if value.kind == TERM {
        return show_term(value.bytes, STEP, pen);
    }
    pen.write(Class::Text, &Quoted(value.bytes));
    Ok(())
}

/// A term; one that is none is shown as a string of bytes.
fn show_term(bytes: &[u8], base: usize, pen: &mut Pen) -> Result<(), Stop> {
    match term::walk(bytes, &mut Printer::new(pen, base)) {
        Err(Stop::Malformed | Stop::Cut) => Printer::new(pen, base).leaf(Class::Bytes, &Quoted(bytes)),
        other => other,
    }
}

fn show_value(value: &Typed<'_>, is_whole: bool, pen: &mut Pen) -> Result<(), Stop> {
    let base = 2 * STEP;
    match value.kind {
        TERM => pen.write(Class::Note, &", an Erlang term"),
        PLAIN => {}
        kind => pen.write(Class::Note, &format_args!(", encoding {kind} of the application's own")),
    }
    if value.bytes.is_empty() {
        return Ok(());
    }
    if let Some(found) = data_type(value.bytes).filter(|_| value.kind == PLAIN) {
        return show_data_type(&found, base, pen);
    }
    pen.next_line(base);
    if value.kind == TERM {
        return show_term(value.bytes, base, pen);
    }
    show_plain(Head { bytes: value.bytes, is_whole }, base, pen)
}

fn show_data_type(found: &DataType<'_>, base: usize, pen: &mut Pen) -> Result<(), Stop> {
    match found.module {
        Some(module) => pen.write(Class::Note, &format_args!(", data type {}", text::escape(module))),
        None => pen.write(Class::Note, &", a counter of Riak 1.4: added, taken away"),
    }
    for term in &found.terms {
        pen.next_line(base);
        show_term(term, base, pen)?;
    }
    Ok(())
}
