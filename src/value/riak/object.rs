//! The objects of Riak, version 1, part by part; and whether a term is one of version 0.

use crate::value::numbers::{take, take_counted, take_number};
use crate::value::sink::{Outline, Stop};
use crate::value::term::{self, Token, VERSION, take_token};

/// The first bytes of an object of version 1.
const MAGIC: &[u8] = &[0x35, 1];
/// A tag of this one byte stands for none.
const NO_TAG: &[u8] = b"e";

/// An object of version 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object<'a> {
    /// The vector clock: a term, see [`super::clock`].
    pub clock: &'a [u8],
    /// How many siblings it says that it has.
    pub claimed: u64,
    /// Those that are at hand, in stored order.
    pub siblings: Vec<Sibling<'a>>,
}

/// Bytes and what kind they are: 0 a term, 1 just bytes, else of the application's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the line above says it")]
pub struct Typed<'a> {
    pub kind: u8,
    pub bytes: &'a [u8],
}

/// One of the values that an object has at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sibling<'a> {
    /// The value; `None`: only the metadata was kept.
    pub value: Option<Typed<'a>>,
    /// Bytes of the value, of which only the first may be at hand.
    pub value_len: u64,
    /// What is known of it; `None` where the bytes end before.
    pub metadata: Option<Metadata<'a>>,
}

/// What is known of a sibling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// Microseconds since 1970, if it says.
    pub last_modified: Option<u64>,
    /// The tag of this version of it, if it has one.
    pub vtag: Option<&'a [u8]>,
    /// It is a tombstone of Riak's (which is none of Bitcask's).
    pub deleted: bool,
    /// Everything else, in stored order.
    pub pairs: Vec<(Typed<'a>, Typed<'a>)>,
}

/// Reads an object of version 1 to the last byte. If the bytes are only the head of it, what is cut off is left out.
pub fn object(bytes: &[u8], is_whole: bool) -> Result<Object<'_>, Stop> {
    let mut rest = bytes.strip_prefix(MAGIC).ok_or(Stop::Malformed)?;
    let clock = take_counted(&mut rest, 4)?;
    term::walk(clock, &mut Outline::default())?;
    let claimed = take_number(&mut rest, 4)?;
    let mut siblings = Vec::new();
    while (siblings.len() as u64) < claimed {
        let mut ahead = rest;
        match sibling(&mut ahead) {
            Ok(sibling) => siblings.push(sibling),
            Err(Stop::Cut) if !is_whole => {
                siblings.extend(cut_sibling(rest));
                return Ok(Object { clock, claimed, siblings });
            }
            Err(stop) => return Err(stop),
        }
        rest = ahead;
    }
    if rest.is_empty() { Ok(Object { clock, claimed, siblings }) } else { Err(Stop::Malformed) }
}

fn sibling<'a>(rest: &mut &'a [u8]) -> Result<Sibling<'a>, Stop> {
    let value = take_counted(rest, 4)?;
    let metadata = metadata(take_counted(rest, 4)?).map_err(|_| Stop::Malformed)?;
    let value = typed(value);
    Ok(Sibling { value, value_len: value.map_or(0, |value| value.bytes.len() as u64), metadata: Some(metadata) })
}

/// What is there of a value whose end is not.
fn cut_sibling(mut rest: &[u8]) -> Option<Sibling<'_>> {
    let len = take_number(&mut rest, 4).ok()?;
    let there = usize::try_from(len).unwrap_or(usize::MAX).min(rest.len());
    let value = typed(rest.get(..there)?);
    Some(Sibling { value, value_len: len.saturating_sub(1), metadata: None })
}

fn typed(bytes: &[u8]) -> Option<Typed<'_>> {
    bytes.split_first().map(|(kind, bytes)| Typed { kind: *kind, bytes })
}

fn metadata(mut rest: &[u8]) -> Result<Metadata<'_>, Stop> {
    let rest = &mut rest;
    let (mega, seconds, micros) = (take_number(rest, 4)?, take_number(rest, 4)?, take_number(rest, 4)?);
    let vtag = take_counted(rest, 1)?;
    let deleted = take(rest, 1)? == [1];
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        let mut part = || typed(take_counted(rest, 4)?).ok_or(Stop::Malformed);
        pairs.push((part()?, part()?));
    }
    // Three numbers of 32 bits do not leave 64.
    let micros = (mega * 1_000_000 + seconds).checked_mul(1_000_000).and_then(|whole| whole.checked_add(micros));
    Ok(Metadata {
        last_modified: micros.filter(|micros| *micros > 0),
        vtag: Some(vtag).filter(|vtag| *vtag != NO_TAG),
        deleted,
        pairs,
    })
}

/// Whether a value is an object of version 0: a term `{r_object, …}` of seven parts.
pub fn is_term_object(bytes: &[u8]) -> bool {
    let Some((&VERSION, mut rest)) = bytes.split_first() else { return false };
    let rest = &mut rest;
    take_token(rest) == Ok(Token::Tuple(7))
        && matches!(take_token(rest), Ok(Token::Atom(atom)) if atom.name == b"r_object")
}
