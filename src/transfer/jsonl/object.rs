//! One line as a row: which fields it may have, and what is said of one that does not hold.
//!
//! Keeps: nothing of the line stands in a message unescaped or at length.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::text;
use crate::transfer::row::{Row, from_base64};

/// Names of other fields that are kept; there may be as many as bytes.
const MAX_IGNORED: usize = 8;
/// How much of a text from the line a message repeats.
const MAX_SHOWN: usize = 160;

/// Reads a line. `Err`: what is wrong with it.
pub(super) fn read(line: &[u8]) -> Result<(Row, Vec<String>), String> {
    let object: Object<'_> = serde_json::from_slice(line).map_err(|error| explain(&error))?;
    let key = bytes("key", object.key, object.key_b64)?;
    let value = bytes("value", object.value, object.value_b64)?;
    Ok((Row { key, value, expires_at: object.expires_at }, object.ignored))
}

/// Keeps a name with the line where it came first.
pub(super) fn remember(names: &mut Vec<(String, u64)>, name: String, line: u64) {
    if names.len() < MAX_IGNORED && names.iter().all(|(known, _)| *known != name) {
        names.push((name, line));
    }
}

fn bytes(name: &str, text: Option<Cow<'_, str>>, base64: Option<Cow<'_, str>>) -> Result<Vec<u8>, String> {
    match (text, base64) {
        (Some(text), None) => Ok(text.into_owned().into_bytes()),
        (None, Some(base64)) => from_base64(&format!("{name}_b64"), base64.as_bytes()),
        (None, None) => Err(format!("it has no `{name}`, and no `{name}_b64` in its place")),
        (Some(_), Some(_)) => Err(format!("it has both `{name}` and `{name}_b64`")),
    }
}

/// The parser counts lines too, and for it this is the first.
fn explain(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let message = message.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&message);
    let shown: String = message.chars().take(MAX_SHOWN).collect();
    let shown = text::escape_str(&shown);
    if error.is_eof() {
        return format!("it ends within the object ({shown})");
    }
    if column == 0 { shown.to_string() } else { format!("{shown}, at column {column}") }
}

#[derive(Default)]
struct Object<'a> {
    key: Option<Cow<'a, str>>,
    key_b64: Option<Cow<'a, str>>,
    value: Option<Cow<'a, str>>,
    value_b64: Option<Cow<'a, str>>,
    expires_at: Option<u64>,
    ignored: Vec<String>,
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
        Err(E::custom("it is a string, not an object"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = Object::default();
        let mut has_expiry = false;
        while let Some(Text(name)) = map.next_key()? {
            let slot = match &*name {
                "key" => &mut object.key,
                "key_b64" => &mut object.key_b64,
                "value" => &mut object.value,
                "value_b64" => &mut object.value_b64,
                "expires_at" => {
                    refuse_twice(&name, std::mem::replace(&mut has_expiry, true))?;
                    object.expires_at = map.next_value::<Moment>()?.0;
                    continue;
                }
                _ => {
                    ignore(&mut object.ignored, &name);
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            refuse_twice(&name, slot.is_some())?;
            *slot = Some(map.next_value::<Text<'de>>()?.0);
        }
        Ok(object)
    }
}

fn refuse_twice<E: serde::de::Error>(name: &str, is_there: bool) -> Result<(), E> {
    if is_there { Err(E::custom(format_args!("`{name}` stands there twice"))) } else { Ok(()) }
}

fn ignore(ignored: &mut Vec<String>, name: &str) {
    if ignored.len() < MAX_IGNORED {
        ignored.push(name.chars().take(MAX_SHOWN).collect());
    }
}

/// A string, borrowed from the line where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

/// Microseconds since 1970, or null.
struct Moment(Option<u64>);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(MomentVisitor)
    }
}

struct MomentVisitor;

impl Visitor<'_> for MomentVisitor {
    type Value = Moment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`expires_at` as microseconds since 1970, or null")
    }

    fn visit_u64<E: serde::de::Error>(self, at: u64) -> Result<Moment, E> {
        Ok(Moment(Some(at)))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Moment, E> {
        Ok(Moment(None))
    }

    /// The default would repeat the string in full.
    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Moment, E> {
        Err(E::custom("`expires_at` is a string, and should be microseconds since 1970, or null"))
    }
}
