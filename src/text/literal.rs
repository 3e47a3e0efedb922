//! What a person types for a key or a value, on the command line, in the interface and in batch files alike.
//!
//! | typed | means |
//! |---|---|
//! | `\xff` `\n` `\t` `\r` `\\` `\"` | one byte |
//! | `\u{e9}` | a character, as UTF-8 |
//! | `0x00ff`, keys only | bytes in hexadecimal |
//! | `b64:AP8`, keys only | bytes in base64, padded or not |
//! | `"…"` | a value that is read with the escapes above; any other value is taken as it stands |
//! | `@FILE` | a value that a file holds, where [`FilesAllowed`] |
//!
//! It reads no file and knows no store. Invariants: [`parse_key`] reads back what [`escape`] shows, and every key has a
//! literal, [`key_literal`]; an error names the column and what to type instead.

use std::path::PathBuf;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::escape::escape;
use super::literal_error::{LiteralError, LiteralProblem};

const HEX: &str = "0x";
const BASE64: &str = "b64:";
const PADDED_OR_NOT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads a key. The empty text is the empty key.
pub fn parse_key(text: &str) -> Result<Vec<u8>, LiteralError> {
    if let Some(digits) = text.strip_prefix(HEX) {
        unhex(digits).map_err(|e| e.shifted(HEX.len()))
    } else if let Some(digits) = text.strip_prefix(BASE64) {
        unbase64(digits).map_err(|e| e.shifted(BASE64.len()))
    } else {
        unescape(text)
    }
}

/// A key as [`parse_key`] reads it back. It is what [`escape`] shows, but for keys that begin with the text `0x` or
/// `b64:`, whose first character is spelled out.
pub fn key_literal(key: &[u8]) -> String {
    match key.split_first() {
        Some((first, rest)) if key.starts_with(HEX.as_bytes()) || key.starts_with(BASE64.as_bytes()) => {
            format!("\\x{first:02x}{}", escape(rest))
        }
        _ => escape(key).to_string(),
    }
}

/// A value as [`parse_value`] reads it back, whatever it is: in quotes, because outside of them a backslash is one.
pub fn value_literal(value: &[u8]) -> String {
    format!("\"{}\"", escape(value).to_string().replace('"', "\\\""))
}

/// Whether `@FILE` names a file. In batch files it does not: they may come from strangers, and are taken as they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilesAllowed {
    /// On the command line and in the interface.
    Yes,
    /// In batch files.
    No,
}

/// A value, or where to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueLiteral {
    /// The value.
    Bytes(Vec<u8>),
    /// The file that holds it, which is for the caller to read.
    File(PathBuf),
}

/// Reads a value: as it stands, unless it begins with `"` or, where allowed, with `@`.
pub fn parse_value(text: &str, files: FilesAllowed) -> Result<ValueLiteral, LiteralError> {
    if let Some(after_quote) = text.strip_prefix('"') {
        return parse_quoted(after_quote).map(ValueLiteral::Bytes).map_err(|e| e.shifted(1));
    }
    match (text.strip_prefix('@'), files) {
        (Some(""), FilesAllowed::Yes) => Err(LiteralProblem::NoFileName.at(1)),
        (Some(name), FilesAllowed::Yes) => Ok(ValueLiteral::File(PathBuf::from(name))),
        _ => Ok(ValueLiteral::Bytes(text.as_bytes().to_vec())),
    }
}

/// Reads to the closing quote, after which only spaces may follow.
fn parse_quoted(after_quote: &str) -> Result<Vec<u8>, LiteralError> {
    let Some((inner, rest)) = split_at_closing_quote(after_quote) else {
        return Err(LiteralProblem::QuoteNotClosed.at(after_quote.chars().count() + 1));
    };
    if !rest.trim_start_matches(' ').is_empty() {
        return Err(LiteralProblem::TextAfterQuote.at(inner.chars().count() + 2));
    }
    unescape(inner)
}

/// What is inside the quotes, and what follows them. `None`: they are never closed.
pub(super) fn split_at_closing_quote(after_quote: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let close = after_quote.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })?;
    Some((after_quote.get(..close)?, after_quote.get(close + 1..)?))
}

/// Replaces every escape by its bytes.
pub(super) fn unescape(text: &str) -> Result<Vec<u8>, LiteralError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        rest = unescape_one(escaped, &mut bytes)
            .map_err(|problem| problem.at(text.chars().count() - escaped.chars().count()))?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// Reads what follows a backslash; returns what follows that.
fn unescape_one<'a>(escaped: &'a str, bytes: &mut Vec<u8>) -> Result<&'a str, LiteralProblem> {
    let mut chars = escaped.chars();
    let byte = match chars.next() {
        Some('n') => b'\n',
        Some('t') => b'\t',
        Some('r') => b'\r',
        Some('\\') => b'\\',
        Some('"') => b'"',
        Some('x') => return unescape_byte(chars.as_str(), bytes),
        Some('u') => return unescape_char(chars.as_str(), bytes),
        Some(c) => return Err(LiteralProblem::UnknownEscape(c)),
        None => return Err(LiteralProblem::LoneBackslash),
    };
    bytes.push(byte);
    Ok(chars.as_str())
}

fn unescape_byte<'a>(digits: &'a str, bytes: &mut Vec<u8>) -> Result<&'a str, LiteralProblem> {
    let (pair, rest) = digits.split_at_checked(2).ok_or(LiteralProblem::BadByte)?;
    bytes.push(hex_byte(pair.as_bytes()).ok_or(LiteralProblem::BadByte)?);
    Ok(rest)
}

fn unescape_char<'a>(braced: &'a str, bytes: &mut Vec<u8>) -> Result<&'a str, LiteralProblem> {
    let read = || {
        let (digits, rest) = braced.strip_prefix('{')?.split_once('}')?;
        // `from_str_radix` would take a sign.
        let plain = (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let code = u32::from_str_radix(digits, 16).ok().filter(|_| plain)?;
        Some((char::from_u32(code)?, rest))
    };
    let (c, rest) = read().ok_or(LiteralProblem::BadChar)?;
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(rest)
}

fn unhex(digits: &str) -> Result<Vec<u8>, LiteralError> {
    if let Some((before, c)) = digits.chars().enumerate().find(|(_, c)| !c.is_ascii_hexdigit()) {
        return Err(LiteralProblem::BadHexDigit(c).at(before + 1));
    }
    let bytes = digits.as_bytes().chunks(2).map(hex_byte).collect::<Option<Vec<u8>>>();
    bytes.ok_or_else(|| LiteralProblem::OddHex.at(digits.len() + 1))
}

/// Two hexadecimal digits.
fn hex_byte(pair: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    }
}

fn unbase64(digits: &str) -> Result<Vec<u8>, LiteralError> {
    PADDED_OR_NOT.decode(digits).map_err(|e| {
        let before = match e {
            base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => at,
            _ => digits.len(),
        };
        LiteralProblem::BadBase64.at(digits.get(..before).unwrap_or(digits).chars().count() + 1)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use super::*;
    use proptest::prelude::*;

    fn problem(text: &str) -> (usize, LiteralProblem) {
        match parse_key(text) {
            Ok(key) => panic!("{text:?} was read as {key:?}"),
            Err(e) => (e.column, e.problem),
        }
    }

    fn value(text: &str) -> Result<ValueLiteral, LiteralError> {
        parse_value(text, FilesAllowed::Yes)
    }

    fn bytes(bytes: &[u8]) -> Result<ValueLiteral, LiteralError> {
        Ok(ValueLiteral::Bytes(bytes.to_vec()))
    }

    #[test]
    fn a_key_takes_escapes_hexadecimal_and_base64() {
        assert_eq!(parse_key("user:1 ü"), Ok("user:1 ü".as_bytes().to_vec()));
        assert_eq!(parse_key(r#"\xff\n\t\r\\\"\u{1F600}"#), Ok(b"\xff\n\t\r\\\"\xf0\x9f\x98\x80".to_vec()));
        assert_eq!(parse_key("0x00fF"), Ok(vec![0, 255]));
        assert_eq!(parse_key("b64:AP8="), Ok(vec![0, 255]));
        assert_eq!(parse_key("b64:AP8"), Ok(vec![0, 255]));
        assert_eq!([parse_key(""), parse_key("0x"), parse_key("b64:")], [Ok(vec![]), Ok(vec![]), Ok(vec![])]);
    }

    #[test]
    fn an_escape_of_the_first_character_names_a_key_that_looks_like_a_prefix() {
        assert_eq!(parse_key(r"\x30x41"), Ok(b"0x41".to_vec()));
        assert_eq!(parse_key(r"\x6264:AP8"), Ok(b"b64:AP8".to_vec()));
        assert_eq!(key_literal(b"0x41"), r"\x30x41");
        assert_eq!(key_literal(b"b64:AP8"), r"\x6264:AP8");
    }

    #[test]
    fn an_error_names_the_column() {
        use LiteralProblem::*;
        assert_eq!(problem(r"ü\q"), (2, UnknownEscape('q')));
        assert_eq!(problem(r"a\n\"), (4, LoneBackslash));
        assert_eq!(problem(r"\x1"), (1, BadByte));
        assert_eq!(problem(r"\x+1"), (1, BadByte));
        assert_eq!(problem(r"\xé"), (1, BadByte));
        for not_a_char in [r"\u{}", r"\u{d800}", r"\u{110000}", r"\u{+41}", r"\u{0000041}", r"\u41", r"\u{41"] {
            assert_eq!(problem(not_a_char), (1, BadChar), "{not_a_char}");
        }
        assert_eq!(problem("0x0g"), (4, BadHexDigit('g')));
        assert_eq!(problem("0x0"), (4, OddHex));
        assert_eq!(problem("b64:AP!8"), (7, BadBase64));
        assert_eq!(problem("b64:A"), (6, BadBase64));
    }

    #[test]
    fn an_error_shows_no_control_character() {
        let e = parse_key("\\\x1b").map_err(|e| e.to_string());
        assert_eq!(e, Err(r"column 1: \\x1b is no escape; type \\ for a backslash".to_owned()));
    }

    #[test]
    fn a_value_is_taken_as_it_stands() {
        for text in [r#"{"n":2}"#, r"C:\new", " spaces ", "0x41", "b64:AP8", "", r#"a"b"#, "\\"] {
            assert_eq!(value(text), bytes(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_quoted_value_is_read_with_escapes() {
        assert_eq!(value(r#""a\x00 \"b\" \\""#), bytes(b"a\0 \"b\" \\"));
        assert_eq!(value(r#""""#), bytes(b""));
        assert_eq!(value(r#""@a"  "#), bytes(b"@a"));
        assert_eq!(value(r#""é\q""#), Err(LiteralProblem::UnknownEscape('q').at(3)));
        assert_eq!(value(r#""é\""#), Err(LiteralProblem::QuoteNotClosed.at(5)));
        assert_eq!(value(r#""é" b"#), Err(LiteralProblem::TextAfterQuote.at(4)));
    }

    #[test]
    fn a_file_is_named_only_where_files_are_allowed() {
        assert_eq!(value("@a b.json"), Ok(ValueLiteral::File("a b.json".into())));
        assert_eq!(value("@"), Err(LiteralProblem::NoFileName.at(1)));
        assert_eq!(parse_value("@a", FilesAllowed::No), bytes(b"@a"));
    }

    proptest! {
        #[test]
        fn every_key_has_a_literal(key: Vec<u8>, prefix in "(0x|b64:|)") {
            let key = [prefix.as_bytes(), &key].concat();
            prop_assert_eq!(parse_key(&key_literal(&key)), Ok(key));
        }

        #[test]
        fn every_value_has_a_literal(value: Vec<u8>, prefix in "(@|\"|\\\\|)") {
            let value = [prefix.as_bytes(), &value].concat();
            prop_assert_eq!(parse_value(&value_literal(&value), FilesAllowed::Yes), bytes(&value));
        }

        #[test]
        fn hexadecimal_and_base64_are_read_back(key: Vec<u8>) {
            let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            prop_assert_eq!(parse_key(&format!("0x{digits}")), Ok(key.clone()));
            prop_assert_eq!(parse_key(&format!("b64:{}", PADDED_OR_NOT.encode(&key))), Ok(key));
        }

        #[test]
        fn any_text_is_answered_within_its_columns(text in "(0x|b64:|\"|@|)[\\\\xun0-9a-f{}\"é ]{0,12}") {
            let columns = 1..=text.chars().count() + 1;
            for error in [parse_key(&text).err(), value(&text).err()].into_iter().flatten() {
                prop_assert!(columns.contains(&error.column), "{error}");
            }
        }
    }
}
