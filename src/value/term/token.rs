//! One step of Erlang's external term format: a term, or the head of one that holds others.
//!
//! Every tag that OTP writes today or wrote, but for the funs of before R8. Lengths are checked against the bytes at hand.

use std::fmt;

use crate::text;
use crate::value::numbers::{take, take_counted, take_number};
use crate::value::sink::Stop;

/// One step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token<'a> {
    /// A whole number of up to 32 bits.
    Int(i64),
    /// A longer one: its magnitude, little-endian.
    Big {
        /// It is below zero.
        negative: bool,
        /// The magnitude.
        bytes: &'a [u8],
    },
    /// A float.
    Float(f64),
    /// A float written as text.
    FloatText(&'a [u8]),
    /// An atom.
    Atom(Atom<'a>),
    /// The empty list.
    Nil,
    /// A list of bytes.
    String(&'a [u8]),
    /// A binary.
    Binary(&'a [u8]),
    /// A binary whose last byte counts only so many bits.
    Bits(&'a [u8], u8),
    /// A list of so many terms, and its tail after them.
    List(u64),
    /// A tuple of so many terms.
    Tuple(u64),
    /// A map of so many keys and values.
    Map(u64),
    /// Something that has a name and no notation: so many terms, and so many bytes after them.
    Named(&'static str, u64, usize),
}

/// An atom's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Atom<'a> {
    /// Its bytes.
    pub name: &'a [u8],
    /// They are Latin-1, not UTF-8.
    pub latin1: bool,
}

impl Atom<'_> {
    /// Whether it stands without quotes.
    fn is_plain(&self) -> bool {
        let mut bytes = self.name.iter();
        bytes.next().is_some_and(u8::is_ascii_lowercase)
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@'))
    }
}

impl fmt::Display for Atom<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = if self.is_plain() { "" } else { "'" };
        f.write_str(quote)?;
        if self.latin1 {
            let name: String = self.name.iter().map(|byte| char::from(*byte)).collect();
            text::escape_str(&name).fmt(f)?;
        } else {
            text::escape(self.name).fmt(f)?;
        }
        f.write_str(quote)
    }
}

/// Takes one step from the front.
pub fn take_token<'a>(rest: &mut &'a [u8]) -> Result<Token<'a>, Stop> {
    let tag = *take(rest, 1)?.first().ok_or(Stop::Cut)?;
    let atom = |name, latin1| Token::Atom(Atom { name, latin1 });
    Ok(match tag {
        70 => Token::Float(f64::from_bits(take_number(rest, 8)?)),
        77 => bits(rest)?,
        97 => Token::Int(take_number(rest, 1)? as i64),
        98 => Token::Int(i64::from(take_number(rest, 4)? as u32 as i32)),
        99 => Token::FloatText(take(rest, 31)?),
        100 => atom(take_counted(rest, 2)?, true),
        115 => atom(take_counted(rest, 1)?, true),
        118 => atom(take_counted(rest, 2)?, false),
        119 => atom(take_counted(rest, 1)?, false),
        104 => Token::Tuple(take_number(rest, 1)?),
        105 => Token::Tuple(take_number(rest, 4)?),
        106 => Token::Nil,
        107 => Token::String(take_counted(rest, 2)?),
        108 => Token::List(take_number(rest, 4)?),
        109 => Token::Binary(take_counted(rest, 4)?),
        110 => big(rest, 1)?,
        111 => big(rest, 4)?,
        116 => Token::Map(take_number(rest, 4)? * 2),
        _ => named(tag, rest)?,
    })
}

fn big<'a>(rest: &mut &'a [u8], width: usize) -> Result<Token<'a>, Stop> {
    let len = usize::try_from(take_number(rest, width)?).map_err(|_| Stop::Cut)?;
    let negative = take_number(rest, 1)? != 0;
    Ok(Token::Big { negative, bytes: take(rest, len)? })
}

fn bits<'a>(rest: &mut &'a [u8]) -> Result<Token<'a>, Stop> {
    let len = usize::try_from(take_number(rest, 4)?).map_err(|_| Stop::Cut)?;
    let in_last = take_number(rest, 1)? as u8;
    Ok(Token::Bits(take(rest, len)?, in_last))
}

/// Processes, ports, references and functions.
fn named<'a>(tag: u8, rest: &mut &'a [u8]) -> Result<Token<'a>, Stop> {
    Ok(match tag {
        103 => Token::Named("pid", 1, 9),
        88 => Token::Named("pid", 1, 12),
        102 => Token::Named("port", 1, 5),
        89 => Token::Named("port", 1, 8),
        120 => Token::Named("port", 1, 12),
        101 => Token::Named("reference", 1, 5),
        114 => Token::Named("reference", 1, 1 + 4 * take_number(rest, 2)? as usize),
        90 => Token::Named("reference", 1, 4 + 4 * take_number(rest, 2)? as usize),
        113 => Token::Named("fun", 3, 0),
        112 => {
            let len = take_number(rest, 4)?.checked_sub(4).ok_or(Stop::Malformed)?;
            Token::Named("fun", 0, usize::try_from(len).map_err(|_| Stop::Cut)?)
        }
        _ => return Err(Stop::Malformed),
    })
}
