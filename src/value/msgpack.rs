//! MessagePack, by its specification: every type, extensions and timestamps included.

use std::fmt::{self, Display};

use super::numbers::{Float, Single, take, take_counted, take_number};
use super::pen::Class;
use super::sink::{Bracket, Sink, Stop};
use super::text::{HexBytes, Quoted};
use crate::text;

/// Brackets within brackets that are looked into.
const NESTED: usize = 1024;
/// The extension that is a time.
const TIMESTAMP: i8 = -1;

/// Goes over one item; the bytes must end with it.
pub(super) fn walk(bytes: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
    let mut rest = bytes;
    // Items that are still to come, of each bracket that is open.
    let mut open: Vec<u64> = Vec::new();
    loop {
        if let Some(items) = item(&mut rest, sink)? {
            open.push(items);
        }
        if open.len() > NESTED {
            return Err(Stop::Deep);
        }
        while open.last() == Some(&0) {
            open.pop();
            sink.close()?;
        }
        match open.last_mut() {
            Some(left) => *left -= 1,
            None if rest.is_empty() => return Ok(()),
            None => return Err(Stop::Malformed),
        }
    }
}

/// One item. `Some`: it opened a bracket around so many others.
fn item(rest: &mut &[u8], sink: &mut dyn Sink) -> Result<Option<u64>, Stop> {
    let first = *take(rest, 1)?.first().ok_or(Stop::Cut)?;
    let low = u64::from(first & 0x0f);
    match first {
        0x00..=0x7f => sink.leaf(Class::Number, &first)?,
        0x80..=0x8f => return map(sink, low),
        0x90..=0x9f => return array(sink, low),
        0xa0..=0xbf => string(sink, take(rest, usize::from(first & 0x1f))?)?,
        0xc0 => sink.leaf(Class::Literal, &"nil")?,
        0xc1 => return Err(Stop::Malformed),
        0xc2 => sink.leaf(Class::Literal, &"false")?,
        0xc3 => sink.leaf(Class::Literal, &"true")?,
        0xc4..=0xc6 => sink.leaf(Class::Bytes, &HexBytes(take_counted(rest, 1 << (first - 0xc4))?))?,
        0xc7..=0xc9 => {
            let len = take_number(rest, 1 << (first - 0xc7))?;
            extension(rest, sink, usize::try_from(len).map_err(|_| Stop::Cut)?)?;
        }
        0xca => sink.leaf(Class::Number, &Single(f32::from_bits(take_number(rest, 4)? as u32)))?,
        0xcb => sink.leaf(Class::Number, &Float(f64::from_bits(take_number(rest, 8)?)))?,
        0xcc..=0xcf => sink.leaf(Class::Number, &take_number(rest, 1 << (first - 0xcc))?)?,
        0xd0..=0xd3 => sink.leaf(Class::Number, &take_signed(rest, 1 << (first - 0xd0))?)?,
        0xd4..=0xd8 => extension(rest, sink, 1 << (first - 0xd4))?,
        0xd9..=0xdb => string(sink, take_counted(rest, 1 << (first - 0xd9))?)?,
        0xdc | 0xdd => return array(sink, take_number(rest, 2 << (first - 0xdc))?),
        0xde | 0xdf => return map(sink, take_number(rest, 2 << (first - 0xde))?),
        0xe0..=0xff => sink.leaf(Class::Number, &(first as i8))?,
    }
    Ok(None)
}

fn map(sink: &mut dyn Sink, pairs: u64) -> Result<Option<u64>, Stop> {
    sink.open(Bracket::Map, &"{").map(|()| Some(pairs * 2))
}

fn array(sink: &mut dyn Sink, items: u64) -> Result<Option<u64>, Stop> {
    sink.open(Bracket::Array, &"[").map(|()| Some(items))
}

fn string(sink: &mut dyn Sink, bytes: &[u8]) -> Result<(), Stop> {
    sink.leaf(Class::Text, &Quoted(bytes))
}

fn take_signed(rest: &mut &[u8], len: usize) -> Result<i64, Stop> {
    let unused = 64 - 8 * len as u32;
    Ok(((take_number(rest, len)? << unused) as i64) >> unused)
}

fn extension(rest: &mut &[u8], sink: &mut dyn Sink, len: usize) -> Result<(), Stop> {
    let kind = take_signed(rest, 1)? as i8;
    let bytes = take(rest, len)?;
    match time(kind, bytes) {
        Some(time) => sink.leaf(Class::Number, &time),
        None => sink.leaf(Class::Bytes, &format_args!("ext {kind} {}", HexBytes(bytes))),
    }
}

/// A moment, to the nanosecond.
struct Time {
    seconds: i64,
    nanos: u64,
}

fn time(kind: i8, bytes: &[u8]) -> Option<Time> {
    let number = |range: std::ops::Range<usize>| {
        bytes.get(range).map(|bytes| bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
    };
    let (seconds, nanos) = match (kind, bytes.len()) {
        (TIMESTAMP, 4) => (number(0..4)?, 0),
        (TIMESTAMP, 8) => (number(0..8)? & 0x3_ffff_ffff, number(0..8)? >> 34),
        (TIMESTAMP, 12) => (number(4..12)?, number(0..4)?),
        _ => return None,
    };
    (nanos < 1_000_000_000).then_some(Time { seconds: seconds as i64, nanos })
}

impl Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = u64::try_from(self.seconds).ok().and_then(|seconds| seconds.checked_mul(1_000_000));
        match micros {
            Some(micros) => {
                let whole = text::timestamp(micros);
                write!(f, "time {}", whole.split('.').next().unwrap_or_default())?;
            }
            None => write!(f, "time {} s", self.seconds)?,
        }
        if self.nanos > 0 { write!(f, " and {} ns", self.nanos) } else { Ok(()) }
    }
}
