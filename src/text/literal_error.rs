//! What is wrong with a literal or a command line, where, and what to type instead.
//!
//! It must not know who reads: the same sentence stands under the interface's command line, on standard error, and
//! behind a batch file's line number. Invariant: what was typed is escaped before it is repeated.

use std::fmt;

use super::escape::{escape, escape_to_width};

/// Why a literal cannot be read, and where. Its text says what to type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiteralError {
    /// The character where it stops making sense, from 1: of the literal, or of the whole command line.
    pub column: usize,
    /// What is wrong there.
    pub problem: LiteralProblem,
}

impl LiteralError {
    /// The same, told of a longer text in which the literal stands after `columns` characters.
    pub(super) fn shifted(self, columns: usize) -> Self {
        Self { column: self.column.saturating_add(columns), ..self }
    }
}

/// What is wrong with a literal or a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their texts below say more")]
pub enum LiteralProblem {
    LoneBackslash,
    UnknownEscape(char),
    BadByte,
    BadChar,
    BadHexDigit(char),
    OddHex,
    BadBase64,
    QuoteNotClosed,
    TextAfterQuote,
    NoFileName,
    NotText,
    WordTooMany(String),
}

impl LiteralProblem {
    pub(super) fn at(self, column: usize) -> LiteralError {
        LiteralError { column, problem: self }
    }
}

impl fmt::Display for LiteralProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |c: &char| escape(c.encode_utf8(&mut [0; 4]).as_bytes()).to_string();
        match self {
            Self::LoneBackslash => f.write_str(r"a backslash at the end escapes nothing; type \\ for a backslash"),
            Self::UnknownEscape('0') => f.write_str(r"\0 is no escape; type \x00 for the zero byte"),
            Self::UnknownEscape(' ') => f.write_str(r#"a backslash does not keep a space; put the word in "quotes""#),
            Self::UnknownEscape(c) => write!(f, r"\{} is no escape; type \\ for a backslash", show(c)),
            Self::BadByte => f.write_str(r"\x takes two hexadecimal digits, as in \x0a; type \\ for a backslash"),
            Self::BadChar => f.write_str(r"\u takes the number of a character in braces, as in \u{e9}"),
            Self::BadHexDigit(c) => {
                write!(f, r"{} is no hexadecimal digit; for the text 0x itself type \x30x", show(c))
            }
            Self::OddHex => f.write_str(r"0x takes two digits a byte, as in 0x0a; for the text 0x itself type \x30x"),
            Self::BadBase64 => f.write_str(r"this is not base64; for the text b64: itself type \x6264:"),
            Self::QuoteNotClosed => {
                f.write_str(r#"the quote is not closed; end it with ", and type \" for one inside"#)
            }
            Self::TextAfterQuote => f.write_str(r#"text follows the closing quote; type \" for a quote inside"#),
            Self::NoFileName => f.write_str(r#"@ wants the name of a file; for the text itself type "@""#),
            Self::NotText => f.write_str("this word must be text, and its escapes make bytes that are not UTF-8"),
            Self::WordTooMany(word) => {
                write!(
                    f,
                    r#"{} is one word too many; put a word that holds spaces in "quotes""#,
                    escape_to_width(word.as_bytes(), 40).text
                )
            }
        }
    }
}

impl fmt::Display for LiteralError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.problem)
    }
}

impl std::error::Error for LiteralError {}
