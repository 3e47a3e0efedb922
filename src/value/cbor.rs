//! CBOR, by RFC 8949, in its diagnostic notation: every type, tags, indefinite lengths, half floats, big numbers.

use super::numbers::{Big, Float, Single, half, take, take_number};
use super::pen::Class;
use super::sink::{Bracket, Sink, Stop};
use super::text::{HexBytes, Quoted};

/// Brackets and tags within each other that are looked into.
const NESTED: usize = 1024;
/// The tag that says of what follows that it is CBOR.
pub(super) const SELF_DESCRIBED: &[u8] = &[0xd9, 0xd9, 0xf7];
/// The tags of whole numbers of any length, at and below zero.
const BIG: [u64; 2] = [2, 3];
const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const BREAK: u8 = 0xff;

/// What is still to come of something that is open.
enum Open {
    /// So many items.
    Items(u64),
    /// Items up to a break; for a map an even number of them.
    Endless { is_map: bool, odd: bool },
    /// Strings of this major type up to a break.
    Chunks(u8),
}

/// Goes over one item; the bytes must end with it.
pub(super) fn walk(bytes: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
    let mut rest = bytes;
    let mut open: Vec<Open> = Vec::new();
    loop {
        if take_break(&mut rest, open.last())? {
            open.pop();
            sink.close()?;
        } else {
            if let Some(Open::Endless { odd, .. }) = open.last_mut() {
                *odd = !*odd;
            }
            let chunk = match open.last() {
                Some(Open::Chunks(major)) => Some(*major),
                _ => None,
            };
            open.extend(item(&mut rest, sink, chunk)?);
        }
        if open.len() > NESTED {
            return Err(Stop::Deep);
        }
        while let Some(Open::Items(0)) = open.last() {
            open.pop();
            sink.close()?;
        }
        match open.last_mut() {
            Some(Open::Items(left)) => *left -= 1,
            Some(_) => {}
            None if rest.is_empty() => return Ok(()),
            None => return Err(Stop::Malformed),
        }
    }
}

/// Takes the break that ends what is open without a length, if it is next.
fn take_break(rest: &mut &[u8], open: Option<&Open>) -> Result<bool, Stop> {
    if rest.first() != Some(&BREAK) {
        return Ok(false);
    }
    match open {
        Some(Open::Chunks(_) | Open::Endless { is_map: false, .. } | Open::Endless { odd: false, .. }) => {
            take(rest, 1).map(|_| true)
        }
        _ => Err(Stop::Malformed),
    }
}

/// One item; what it opened. `chunk`: it must be a piece of a string of this major type.
fn item(rest: &mut &[u8], sink: &mut dyn Sink, chunk: Option<u8>) -> Result<Option<Open>, Stop> {
    let first = *take(rest, 1)?.first().ok_or(Stop::Cut)?;
    let (major, info) = (first >> 5, first & 0x1f);
    if chunk.is_some_and(|wanted| wanted != major || info == 31) {
        return Err(Stop::Malformed);
    }
    let argument = match info {
        0..=23 => u64::from(info),
        24..=27 => take_number(rest, 1 << (info - 24))?,
        31 if matches!(major, BYTES..=MAP) => return endless(major, sink).map(Some),
        _ => return Err(Stop::Malformed),
    };
    match major {
        UNSIGNED => sink.leaf(Class::Number, &argument)?,
        NEGATIVE => sink.leaf(Class::Number, &(-1 - i128::from(argument)))?,
        BYTES => sink.leaf(Class::Bytes, &HexBytes(take_long(rest, argument)?))?,
        TEXT => sink.leaf(Class::Text, &Quoted(take_long(rest, argument)?))?,
        ARRAY => return sink.open(Bracket::Array, &"[").map(|()| Some(Open::Items(argument))),
        MAP => {
            let items = argument.checked_mul(2).ok_or(Stop::Cut)?;
            return sink.open(Bracket::Map, &"{").map(|()| Some(Open::Items(items)));
        }
        TAG => return tag(argument, rest, sink),
        _ => simple(info, argument, sink)?,
    }
    Ok(None)
}

fn endless(major: u8, sink: &mut dyn Sink) -> Result<Open, Stop> {
    match major {
        ARRAY => sink.open(Bracket::Array, &"[_").map(|()| Open::Endless { is_map: false, odd: false }),
        MAP => sink.open(Bracket::Map, &"{_").map(|()| Open::Endless { is_map: true, odd: false }),
        _ => sink.open(Bracket::Call, &"(_ ").map(|()| Open::Chunks(major)),
    }
}

fn take_long<'a>(rest: &mut &'a [u8], len: u64) -> Result<&'a [u8], Stop> {
    take(rest, usize::try_from(len).map_err(|_| Stop::Cut)?)
}

/// A tag around the next item; a big number is shown as the number.
fn tag(tag: u64, rest: &mut &[u8], sink: &mut dyn Sink) -> Result<Option<Open>, Stop> {
    let mut after = *rest;
    if BIG.contains(&tag)
        && let Some(bytes) = short_bytes(&mut after)
    {
        *rest = after;
        let negative = tag == 3;
        return sink.leaf(Class::Number, &Big { negative, plus_one: negative, bytes }).map(|()| None);
    }
    sink.open(Bracket::Call, &format_args!("{tag}(")).map(|()| Some(Open::Items(1)))
}

/// The string of up to 255 bytes that is next.
fn short_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let first = *take(rest, 1).ok()?.first()?;
    let len = match first {
        0x40..=0x57 => u64::from(first & 0x1f),
        0x58 => take_number(rest, 1).ok()?,
        _ => return None,
    };
    take_long(rest, len).ok()
}

fn simple(info: u8, argument: u64, sink: &mut dyn Sink) -> Result<(), Stop> {
    match (info, argument) {
        (25, bits) => sink.leaf(Class::Number, &Float(half(bits as u16))),
        (26, bits) => sink.leaf(Class::Number, &Single(f32::from_bits(bits as u32))),
        (27, bits) => sink.leaf(Class::Number, &Float(f64::from_bits(bits))),
        (24, 0..=31) => Err(Stop::Malformed),
        (_, 20) => sink.leaf(Class::Literal, &"false"),
        (_, 21) => sink.leaf(Class::Literal, &"true"),
        (_, 22) => sink.leaf(Class::Literal, &"null"),
        (_, 23) => sink.leaf(Class::Literal, &"undefined"),
        (_, number) => sink.leaf(Class::Literal, &format_args!("simple({number})")),
    }
}
