//! What the columns mean: from the fields of a row to a key and a value.
//!
//! Keeps: nothing of the text stands in a message unescaped or at length.

use crate::text;
use crate::transfer::row::{Row, from_base64};

const NAMES: [&str; 5] = ["key", "value", "key_b64", "value_b64", "expires_at"];
/// Names of other columns that are kept.
const MAX_IGNORED: usize = 8;
/// How much of a field a message repeats.
const MAX_SHOWN: usize = 80;

/// Which field of a row is what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    /// Places of [`NAMES`].
    places: [Option<usize>; NAMES.len()],
    len: usize,
}

impl Columns {
    /// Reads the first row, and says which columns are none of ours. `Err`: what is wrong with it.
    pub(super) fn of<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Result<(Self, Vec<String>), String> {
        let mut columns = Self { places: [None; NAMES.len()], len: 0 };
        let mut ignored = Vec::new();
        for (i, field) in fields.enumerate() {
            columns.len = i + 1;
            let place = NAMES.iter().zip(&mut columns.places).find(|(name, _)| name.as_bytes() == field.trim_ascii());
            match place {
                Some((name, Some(_))) => return Err(format!("it names the column `{name}` twice")),
                Some((_, place)) => *place = Some(i),
                None if ignored.len() < MAX_IGNORED => ignored.push(shown(field)),
                None => {}
            }
        }
        let [key, value, key_b64, value_b64, _] = columns.places;
        if key.or(key_b64).is_none() || value.or(value_b64).is_none() {
            return Err("the first row must name the columns, at least `key` and `value`".to_owned());
        }
        Ok((columns, ignored))
    }

    /// Reads a row. `Err`: what is wrong with it.
    pub(super) fn row<'a>(&self, fields: impl Iterator<Item = &'a [u8]>) -> Result<Row, String> {
        let mut ours: [&[u8]; NAMES.len()] = Default::default();
        let mut len = 0;
        for (i, field) in fields.enumerate() {
            len = i + 1;
            for (_, ours) in self.places.iter().zip(&mut ours).filter(|(place, _)| **place == Some(i)) {
                *ours = field;
            }
        }
        if len != self.len {
            return Err(format!("it has {len} fields, and the first row names {}", self.len));
        }
        let [key, value, key_b64, value_b64, expires_at] = ours;
        Ok(Row {
            key: bytes("key", key, key_b64)?,
            value: bytes("value", value, value_b64)?,
            expires_at: moment(expires_at.trim_ascii())?,
        })
    }
}

/// Of the two forms the one that is not empty; if both are, so are the bytes.
fn bytes(name: &str, text: &[u8], base64: &[u8]) -> Result<Vec<u8>, String> {
    match (text, base64.trim_ascii()) {
        (text, []) if std::str::from_utf8(text).is_ok() => Ok(text.to_vec()),
        (_, []) => Err(format!("`{name}` is not UTF-8; bytes go as base64, in a column `{name}_b64`")),
        ([], base64) => from_base64(&format!("{name}_b64"), base64),
        _ => Err(format!("it has both `{name}` and `{name}_b64`")),
    }
}

fn moment(field: &[u8]) -> Result<Option<u64>, String> {
    if field.is_empty() {
        return Ok(None);
    }
    let digits = std::str::from_utf8(field).ok().filter(|field| field.bytes().all(|byte| byte.is_ascii_digit()));
    let at = digits.and_then(|digits| digits.parse().ok());
    at.map(Some).ok_or_else(|| format!("`expires_at` is {}, and should be microseconds since 1970", shown(field)))
}

fn shown(field: &[u8]) -> String {
    text::escape(field.get(..MAX_SHOWN).unwrap_or(field)).to_string()
}
