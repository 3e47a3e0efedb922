//! Riak's vector clock: who wrote how often, and when last.

use crate::value::sink::Stop;
use crate::value::term::{Token, VERSION, take_token};

/// Seconds from year 0, from which Riak counts, to 1970.
const EPOCH: u64 = 62_167_219_200;

/// One writer's part of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick<'a> {
    /// Who.
    pub actor: &'a [u8],
    /// How often.
    pub counter: u64,
    /// Seconds since year 0, as stored.
    pub timestamp: u64,
}

impl Tick<'_> {
    /// When it wrote last: microseconds since 1970. `None`: before that, or beyond what can be told.
    pub fn micros(&self) -> Option<u64> {
        self.timestamp.checked_sub(EPOCH)?.checked_mul(1_000_000)
    }
}

/// Reads a clock, in stored order: a term `[{Actor, {Counter, Timestamp}}]` with binaries for actors.
pub fn clock(bytes: &[u8]) -> Result<Vec<Tick<'_>>, Stop> {
    let (first, mut rest) = bytes.split_first().ok_or(Stop::Cut)?;
    if *first != VERSION {
        return Err(Stop::Malformed);
    }
    let mut ticks = Vec::new();
    if let Token::List(count) = take_token(&mut rest)? {
        for _ in 0..count {
            ticks.push(tick(&mut rest)?);
        }
        expect(&mut rest, Token::Nil)?;
    }
    if rest.is_empty() { Ok(ticks) } else { Err(Stop::Malformed) }
}

/// One part: `{Actor, {Counter, Timestamp}}`.
pub(super) fn tick<'a>(rest: &mut &'a [u8]) -> Result<Tick<'a>, Stop> {
    expect(rest, Token::Tuple(2))?;
    let Token::Binary(actor) = take_token(rest)? else { return Err(Stop::Malformed) };
    expect(rest, Token::Tuple(2))?;
    Ok(Tick { actor, counter: number(rest)?, timestamp: number(rest)? })
}

fn expect(rest: &mut &[u8], wanted: Token<'_>) -> Result<(), Stop> {
    if take_token(rest)? == wanted { Ok(()) } else { Err(Stop::Malformed) }
}

/// A whole number from zero up.
fn number(rest: &mut &[u8]) -> Result<u64, Stop> {
    match take_token(rest)? {
        Token::Int(number) => u64::try_from(number).map_err(|_| Stop::Malformed),
        Token::Big { negative: false, bytes } if bytes.len() <= 8 => {
            Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
        }
        _ => Err(Stop::Malformed),
    }
}
