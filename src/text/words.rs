//! A command line, word by word: what is typed in the interface, and each line of a batch file.
//!
//! A word ends at a space unless it begins with `"`; then it ends at the closing quote, and escapes count in it. The
//! last argument of `put` is [`CommandLine::take_value`], everything to the end of the line. Which commands there are,
//! and what their words mean, is not known here. Invariant: columns in errors count characters of the whole line.

use std::borrow::Cow;

use super::literal::{
    FilesAllowed, ValueLiteral, key_literal, parse_key, parse_value, split_at_closing_quote, unescape, value_literal,
};
use super::literal_error::{LiteralError, LiteralProblem};

/// A line and how far it has been read.
#[derive(Clone, Debug)]
pub struct CommandLine<'a> {
    line: &'a str,
    at: usize,
}

/// One word as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    /// What was typed, without the quotes around it.
    pub typed: &'a str,
    /// It stood in quotes: escapes count, the prefixes `0x` and `b64:` do not.
    pub quoted: bool,
    /// Its first byte in the line; with quotes, the opening one.
    pub start: usize,
    /// The column of the first character of `typed`.
    pub column: usize,
}

impl<'a> CommandLine<'a> {
    /// Begins at the line's first word.
    pub fn new(line: &'a str) -> Self {
        Self { line, at: 0 }
    }

    /// The next word. `None` at the end of the line.
    pub fn take_word(&mut self) -> Result<Option<Word<'a>>, LiteralError> {
        let Some(span) = Span::after(self.line, self.at) else { return Ok(None) };
        if let Some(problem) = span.problem {
            return Err(problem.at(self.column(span.end)));
        }
        self.at = span.end;
        let (typed, quoted) = (span.typed, span.quoted);
        let column = self.column(span.start) + usize::from(quoted);
        Ok(Some(Word { typed, quoted, start: span.start, column }))
    }

    /// Everything from the next word to the end of the line, as a value. `None` when nothing is left: the empty value
    /// is typed `""`, and one that begins with a space in quotes.
    pub fn take_value(&mut self, files: FilesAllowed) -> Result<Option<ValueLiteral>, LiteralError> {
        let text = self.rest();
        if text.is_empty() {
            return Ok(None);
        }
        let before = self.column(self.line.len() - text.len()) - 1;
        self.at = self.line.len();
        parse_value(text, files).map(Some).map_err(|e| e.shifted(before))
    }

    /// What has not been read, from its first word on.
    pub fn rest(&self) -> &'a str {
        self.line.get(self.at..).unwrap_or_default().trim_start_matches(' ')
    }

    /// Refuses words that nobody asked for.
    pub fn finish(mut self) -> Result<(), LiteralError> {
        match self.take_word()? {
            Some(word) => {
                Err(LiteralProblem::WordTooMany(word.typed.to_owned()).at(word.column - usize::from(word.quoted)))
            }
            None => Ok(()),
        }
    }

    /// The word that a cursor before byte `cursor` is in, at the end of, or about to begin. Never fails: a person is
    /// still typing.
    pub fn word_at(line: &'a str, cursor: usize) -> CursorWord<'a> {
        let (mut index, mut at) = (0, 0);
        while let Some(span) = Span::after(line, at).filter(|span| span.start <= cursor) {
            if cursor <= span.end {
                let inner = span.start + usize::from(span.quoted);
                let typed = line.get(inner..cursor.max(inner)).unwrap_or(span.typed);
                let typed = typed.get(..span.typed.len()).unwrap_or(typed);
                return CursorWord { index, start: span.start, end: span.end, typed, quoted: span.quoted };
            }
            (index, at) = (index + 1, span.end);
        }
        let place = cursor.min(line.len());
        CursorWord { index, start: place, end: place, typed: "", quoted: false }
    }

    fn column(&self, at: usize) -> usize {
        self.line.get(..at).unwrap_or(self.line).chars().count() + 1
    }
}

impl<'a> Word<'a> {
    /// The word as a key.
    pub fn key(&self) -> Result<Vec<u8>, LiteralError> {
        let read = if self.quoted { unescape(self.typed) } else { parse_key(self.typed) };
        read.map_err(|e| e.shifted(self.column - 1))
    }

    /// The word as text: a command, an option, a file's name. Escapes count only in quotes.
    pub fn text(&self) -> Result<Cow<'a, str>, LiteralError> {
        if !self.quoted {
            return Ok(Cow::Borrowed(self.typed));
        }
        let bytes = unescape(self.typed).map_err(|e| e.shifted(self.column - 1))?;
        String::from_utf8(bytes).map(Cow::Owned).map_err(|_| LiteralProblem::NotText.at(self.column))
    }
}

/// What completion needs to know of the word that is being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CursorWord<'a> {
    /// How many words stand before it; 0 is the command.
    pub index: usize,
    /// Where to begin replacing it: a byte of the line; with quotes, the opening one.
    pub start: usize,
    /// Where to end replacing it.
    pub end: usize,
    /// What was typed of it before the cursor, without quotes.
    pub typed: &'a str,
    /// It begins with a quote.
    pub quoted: bool,
}

impl CursorWord<'_> {
    /// The bytes that keys must begin with to complete it. `None` in the midst of an escape.
    pub fn key_prefix(&self) -> Option<Vec<u8>> {
        if self.quoted { unescape(self.typed).ok() } else { parse_key(self.typed).ok() }
    }
}

/// A key as a word of a command line that [`Word::key`] reads back: its literal, in quotes where a word needs them.
pub fn key_word(key: &[u8]) -> String {
    let needs_quotes = key.is_empty() || key.starts_with(b"\"") || key.starts_with(b"--") || key.contains(&b' ');
    // In quotes the escapes of keys are those of values.
    if needs_quotes { value_literal(key) } else { key_literal(key) }
}

/// A word's place in its line.
struct Span<'a> {
    start: usize,
    end: usize,
    typed: &'a str,
    quoted: bool,
    /// Why it cannot be taken; `end` is then where.
    problem: Option<LiteralProblem>,
}

impl<'a> Span<'a> {
    /// The first word from byte `at` on.
    fn after(line: &'a str, at: usize) -> Option<Self> {
        let text = line.get(at..)?.trim_start_matches(' ');
        let start = line.len() - text.len();
        match text.strip_prefix('"') {
            Some(after_quote) => Some(Self::quoted(start, after_quote)),
            None if text.is_empty() => None,
            None => {
                let typed = text.split(' ').next().unwrap_or(text);
                Some(Self { start, end: start + typed.len(), typed, quoted: false, problem: None })
            }
        }
    }

    fn quoted(start: usize, after_quote: &'a str) -> Self {
        let (typed, quotes, problem) = match split_at_closing_quote(after_quote) {
            None => (after_quote, 1, Some(LiteralProblem::QuoteNotClosed)),
            Some((inner, rest)) if rest.is_empty() || rest.starts_with(' ') => (inner, 2, None),
            Some((inner, _)) => (inner, 2, Some(LiteralProblem::TextAfterQuote)),
        };
        Self { start, end: start + quotes + typed.len(), typed, quoted: true, problem }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use proptest::prelude::*;

    fn words(line: &str) -> Result<Vec<String>, LiteralError> {
        let mut line = CommandLine::new(line);
        let mut words = Vec::new();
        while let Some(word) = line.take_word()? {
            words.push(word.text()?.into_owned());
        }
        Ok(words)
    }

    fn key_and_value(line: &str) -> Result<(Vec<u8>, Option<ValueLiteral>), LiteralError> {
        let mut line = CommandLine::new(line);
        assert_eq!(line.take_word()?.unwrap().typed, "put");
        let key = line.take_word()?.unwrap().key()?;
        let value = line.take_value(FilesAllowed::No)?;
        line.finish()?;
        Ok((key, value))
    }

    fn bytes(value: &str) -> Option<ValueLiteral> {
        Some(ValueLiteral::Bytes(value.into()))
    }

    #[test]
    fn words_end_at_spaces_unless_quoted() {
        assert_eq!(words("  get  a \"b c\" d\"e "), Ok(vec!["get".into(), "a".into(), "b c".into(), "d\"e".into()]));
        assert_eq!(
            words(r#"x "a\"\x20b" "" C:\tmp"#),
            Ok(vec!["x".into(), "a\" b".into(), "".into(), r"C:\tmp".into()])
        );
        assert_eq!(words("   "), Ok(vec![]));
    }

    #[test]
    fn the_value_runs_to_the_end_of_the_line() {
        assert_eq!(key_and_value(r#"put k {"n": 2} "x" "#), Ok((b"k".to_vec(), bytes(r#"{"n": 2} "x" "#))));
        assert_eq!(key_and_value(r#"put "a b" "c\n""#), Ok((b"a b".to_vec(), bytes("c\n"))));
        assert_eq!(key_and_value("put k @f"), Ok((b"k".to_vec(), bytes("@f"))));
    }

    #[test]
    fn no_value_and_the_empty_value_differ() {
        assert_eq!(key_and_value("put k  "), Ok((b"k".to_vec(), None)));
        assert_eq!(key_and_value(r#"put k """#), Ok((b"k".to_vec(), bytes(""))));
    }

    #[test]
    fn prefixes_count_only_without_quotes() {
        assert_eq!(key_and_value(r#"put 0x41 v"#).unwrap().0, b"A");
        assert_eq!(key_and_value(r#"put "0x41" v"#).unwrap().0, b"0x41");
    }

    #[test]
    fn columns_count_characters_of_the_whole_line() {
        let at = |line: &str| key_and_value(line).unwrap_err().column;
        assert_eq!(at(r"put é\q v"), 6);
        assert_eq!(at(r#"put "é\q" v"#), 7);
        assert_eq!(at(r#"put éé "é\q""#), 10);
        assert_eq!(at(r#"put "é v"#), 9);
        assert_eq!(at(r#"put "é"v"#), 8);
    }

    #[test]
    fn a_word_too_many_is_named() {
        let mut line = CommandLine::new("get a \"b");
        line.take_word().unwrap();
        assert_eq!(line.rest(), "a \"b");
        let message = line.clone().finish().unwrap_err().to_string();
        assert_eq!(message, r#"column 5: a is one word too many; put a word that holds spaces in "quotes""#);
        line.take_word().unwrap();
        assert_eq!(line.finish().unwrap_err().problem, LiteralProblem::QuoteNotClosed);
    }

    #[test]
    fn a_word_that_must_be_text_is_refused_when_it_is_not() {
        assert_eq!(words(r#"é "\xff""#), Err(LiteralProblem::NotText.at(4)));
    }

    #[test]
    fn the_word_under_the_cursor_is_found() {
        let at = |line: &'static str, cursor| {
            let word = CommandLine::word_at(line, cursor);
            (word.index, word.start, word.end, word.typed)
        };
        assert_eq!(at("", 0), (0, 0, 0, ""));
        assert_eq!(at("get user:1 b", 3), (0, 0, 3, "get"));
        assert_eq!(at("get user:1 b", 8), (1, 4, 10, "user"));
        assert_eq!(at("get user:1 b", 4), (1, 4, 10, ""));
        assert_eq!(at("get ", 4), (1, 4, 4, ""));
        assert_eq!(at("get   b", 5), (1, 5, 5, ""));
        assert_eq!(at("get \"a b", 8), (1, 4, 8, "a b"));
        assert_eq!(at("get \"a b\" c", 9), (1, 4, 9, "a b"));
        assert_eq!(at("get é", 99), (2, 6, 6, ""));
    }

    #[test]
    fn completion_waits_for_the_end_of_an_escape() {
        let prefix = |line| CommandLine::word_at(line, line.len()).key_prefix();
        assert_eq!(prefix(r"get \xff\x0"), None);
        assert_eq!(prefix(r"get \xff\x00"), Some(vec![255, 0]));
        assert_eq!(prefix(r#"get "0x4"#), Some(b"0x4".to_vec()));
        assert_eq!(prefix("get 0x4"), None);
    }

    #[test]
    fn the_empty_key_is_typed_as_quotes() {
        assert_eq!(key_word(b""), r#""""#);
        assert_eq!(key_and_value(r#"put "" v"#), Ok((vec![], bytes("v"))));
    }

    proptest! {
        #[test]
        fn every_key_can_be_typed_as_a_word(key: Vec<u8>, prefix in "(0x|b64:|\"| |)") {
            let key = [prefix.as_bytes(), &key].concat();
            let line = format!("put {} v", key_word(&key));
            prop_assert_eq!(key_and_value(&line), Ok((key, bytes("v"))));
        }

        #[test]
        fn any_line_and_cursor_are_answered(line in "[ \"\\\\aéx0]{0,12}", cursor in 0..30_usize) {
            if let Err(e) = words(&line) {
                prop_assert!((1..=line.chars().count() + 1).contains(&e.column), "{e}");
            }
            let word = CommandLine::word_at(&line, cursor);
            prop_assert!(word.start <= word.end && word.end <= line.len());
            prop_assert!(line[word.start..word.end].contains(word.typed));
        }
    }
}
