//! Characters, their names and encodings; colours; letters as they are spelled over the radio.

use serde_json::json;

use super::Step;
use super::table::{character, rows};

const UNICODE: &str = include_str!("../../assets/sample/unicode.tsv");
const ENTITIES: &str = include_str!("../../assets/sample/entities.tsv");
const COLORS: &str = include_str!("../../assets/sample/colors.tsv");
const LETTERS: &str = include_str!("../../assets/sample/letters.tsv");

/// The name alone, as plain text.
pub(super) fn names() -> Vec<Step> {
    rows(UNICODE).map(|[code, _, name]| Step::put(format!("unicode:{code}"), name)).collect()
}

/// The full edition, and of emoticons, which need them most, the encodings as bytes.
pub(super) fn characters() -> Vec<Step> {
    rows(UNICODE)
        .flat_map(|[code, category, name]| {
            let c = character(code);
            let full = json!({ "char": c, "name": name, "category": category, "utf8_bytes": c.len_utf8() });
            let emoticon = c >= '\u{1f600}';
            [Step::json(format!("unicode:{code}"), &full)]
                .into_iter()
                .chain(emoticon.then(|| encodings(code, c)).into_iter().flatten())
        })
        .collect()
}

fn encodings(code: &str, c: char) -> [Step; 2] {
    let utf16: Vec<_> = c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()).collect();
    [Step::put(format!("utf8:{code}"), c.to_string()), Step::put(format!("utf16:{code}"), utf16)]
}

/// The character itself, as plain text.
pub(super) fn entities() -> Vec<Step> {
    rows(ENTITIES).map(|[name, code]| Step::put(format!("entity:{name}"), character(code).to_string())).collect()
}

/// Three bytes each: red, green, blue.
pub(super) fn colors() -> Vec<Step> {
    let color = |[name, hex]: [&str; 2]| Step::put(format!("color:{name}"), rgb(hex));
    rows(COLORS).map(color).collect()
}

/// A colour by its name.
pub(super) fn color(name: &str) -> Option<[u8; 3]> {
    rows(COLORS).find(|[found, _]| *found == name).map(|[_, hex]| rgb(hex))
}

fn rgb(hex: &str) -> [u8; 3] {
    let [_, rgb @ ..] = u32::from_str_radix(hex, 16).unwrap_or_default().to_be_bytes();
    rgb
}

/// Plain text.
pub(super) fn letters() -> Vec<Step> {
    let letter = |[letter, word, morse]: [&str; 3]| Step::put(format!("letter:{letter}"), format!("{word} {morse}"));
    rows(LETTERS).map(letter).collect()
}
