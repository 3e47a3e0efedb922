//! Riak's data types: values that Riak itself merges.
//!
//! ```text
//! 45 02  name length:32  name  tag  02  term        counter, set, map, grow-only set; the term may be compressed
//! 45 01  47 01  length:32  46 01 term  length:32  46 01 term        the counter of Riak 1.4: added, taken away
//! ```
//!
//! Values of applications may begin alike, so the rest must fit, too.

use crate::value::numbers::{take, take_counted};
use crate::value::sink::{Outline, Stop};
use crate::value::term;

/// A value of a data type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataType<'a> {
    /// The module that it belongs to; `None`: the counter of Riak 1.4.
    pub module: Option<&'a [u8]>,
    /// What it holds: a term, or two.
    pub terms: Vec<&'a [u8]>,
}

/// Reads a value of a data type; `None` if it is none.
pub fn data_type(bytes: &[u8]) -> Option<DataType<'_>> {
    let found = match bytes {
        [0x45, 2, rest @ ..] => current(rest).ok()?,
        [0x45, 1, 0x47, 1, rest @ ..] => counter(rest).ok()?,
        _ => return None,
    };
    let fits = |term: &&[u8]| term::walk(term, &mut Outline::default()).is_ok();
    found.terms.iter().all(fits).then_some(found)
}

fn current(mut rest: &[u8]) -> Result<DataType<'_>, Stop> {
    let module = take_counted(&mut rest, 4)?;
    match take(&mut rest, 2)? {
        [_, 2] => Ok(DataType { module: Some(module), terms: vec![rest] }),
        _ => Err(Stop::Malformed),
    }
}

fn counter(mut rest: &[u8]) -> Result<DataType<'_>, Stop> {
    let mut half = || take_counted(&mut rest, 4)?.strip_prefix(&[0x46, 1]).ok_or(Stop::Malformed);
    let terms = vec![half()?, half()?];
    if rest.is_empty() { Ok(DataType { module: None, terms }) } else { Err(Stop::Malformed) }
}
