//! Erlang's external term format, in Erlang's own notation.
//!
//! What is compressed is opened up to [`INFLATED`] bytes, and only where it may stand: right after the first byte.

mod token;

pub use token::{Atom, Token, take_token};

use std::fmt;

use super::numbers::{Big, Float, take, take_number};
use super::pen::Class;
use super::sink::{Bracket, Sink, Stop};
use super::text::{HexBytes, Quoted, looks_like_text};
use crate::text;

/// The first byte of every term.
pub const VERSION: u8 = 131;
const COMPRESSED: u8 = 80;
const NIL: u8 = 106;
/// Bytes that are made of a compressed term.
pub const INFLATED: usize = 1 << 20;
/// Terms within terms that are looked into.
const NESTED: usize = 1024;

/// What is still to come of something that is open.
enum Open {
    /// So many terms.
    Items(u64),
    /// So many terms, and the tail.
    List(u64),
    /// So many terms, and so many bytes.
    Named(u64, usize),
}

/// Goes over one term, its version byte included; the bytes must end with it.
pub fn walk(bytes: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
    match bytes {
        [VERSION, COMPRESSED, deflated @ ..] => walk_compressed(deflated, sink),
        [VERSION, body @ ..] => walk_body(body, sink),
        _ => Err(Stop::Malformed),
    }
}

fn walk_compressed(mut deflated: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
    let len = take_number(&mut deflated, 4)?;
    let (body, is_all) = match miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(deflated, INFLATED) {
        Ok(body) => (body, true),
        Err(e) if e.status == miniz_oxide::inflate::TINFLStatus::HasMoreOutput => (e.output, false),
        Err(_) => return Err(Stop::Malformed),
    };
    if is_all && body.len() as u64 != len {
        return Err(Stop::Malformed);
    }
    walk_body(&body, sink)
}

fn walk_body(mut rest: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
    let mut open: Vec<Open> = Vec::new();
    loop {
        open.extend(item(&mut rest, sink)?);
        if open.len() > NESTED {
            return Err(Stop::Deep);
        }
        close(&mut rest, &mut open, sink)?;
        match open.last_mut() {
            Some(Open::Items(left) | Open::List(left) | Open::Named(left, _)) => *left -= 1,
            None if rest.is_empty() => return Ok(()),
            None => return Err(Stop::Malformed),
        }
    }
}

/// Closes what has no term to come.
fn close(rest: &mut &[u8], open: &mut Vec<Open>, sink: &mut dyn Sink) -> Result<(), Stop> {
    loop {
        match open.last_mut() {
            Some(Open::Items(0)) => {}
            Some(Open::List(0)) if rest.first() == Some(&NIL) => drop(take(rest, 1)?),
            Some(list @ Open::List(0)) => {
                sink.tail();
                *list = Open::Items(1);
                return Ok(());
            }
            Some(Open::Named(0, len)) => {
                let bytes = take(rest, *len)?;
                if !bytes.is_empty() {
                    sink.leaf(Class::Bytes, &HexBytes(bytes))?;
                }
            }
            _ => return Ok(()),
        }
        open.pop();
        sink.close()?;
    }
}

/// One term; what it opened.
fn item(rest: &mut &[u8], sink: &mut dyn Sink) -> Result<Option<Open>, Stop> {
    match take_token(rest)? {
        Token::List(items) => return sink.open(Bracket::Array, &"[").map(|()| Some(Open::List(items))),
        Token::Tuple(items) => return sink.open(Bracket::Tuple, &"{").map(|()| Some(Open::Items(items))),
        Token::Map(items) => return sink.open(Bracket::TermMap, &"#{").map(|()| Some(Open::Items(items))),
        Token::Named(name, items, len) => {
            return sink.open(Bracket::Call, &format_args!("{name}(")).map(|()| Some(Open::Named(items, len)));
        }
        Token::Int(number) => sink.leaf(Class::Number, &number)?,
        Token::Big { negative, bytes } => {
            let bytes: Vec<u8> = bytes.iter().rev().copied().collect();
            sink.leaf(Class::Number, &Big { negative, plus_one: false, bytes: &bytes })?;
        }
        Token::Float(number) => sink.leaf(Class::Number, &Float(number))?,
        Token::FloatText(digits) => sink.leaf(Class::Number, &text::escape(without_fill(digits)))?,
        Token::Atom(atom) => sink.leaf(Class::Literal, &atom)?,
        Token::Nil => {
            sink.open(Bracket::Array, &"[")?;
            sink.close()?;
        }
        Token::String(bytes) => sink.leaf(Class::Text, &Quoted(bytes))?,
        Token::Binary(bytes) if looks_like_text(bytes) => sink.leaf(Class::Text, &BinaryText(bytes))?,
        Token::Binary(bytes) => sink.leaf(Class::Bytes, &HexBytes(bytes))?,
        Token::Bits(bytes, bits) => {
            sink.leaf(Class::Bytes, &format_args!("{}, {bits} bits of the last", HexBytes(bytes)))?;
        }
    }
    Ok(None)
}

/// The text of a float is filled up with zero bytes.
fn without_fill(digits: &[u8]) -> &[u8] {
    digits.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A binary that is text, as Erlang writes it: `<<"text">>`.
struct BinaryText<'a>(&'a [u8]);

impl fmt::Display for BinaryText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<<{}>>", Quoted(self.0))
    }
}
