//! Which keys the list shows: those that begin with something, that a regular expression finds something in, or that
//! have the letters of a word in order.
//!
//! It reads what is typed and judges keys; it knows no list. A pattern from anybody is bounded in the memory and the
//! time that it may take. Invariant: a filter that was read can be made into a [`Matcher`].

mod judge;

use regex::bytes::{Regex, RegexBuilder};

pub use self::judge::Judge;

use crate::text;

/// What a regular expression begins with.
const PATTERN: &str = "re:";
/// What a fuzzy word begins with.
const WORD: &str = "~";
/// Bytes that a compiled pattern may take, and again as many while it is used.
const PATTERN_BYTES: usize = 1 << 20;
/// Groups in groups that a pattern may have.
const PATTERN_NESTING: u32 = 64;

/// Which keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFilter {
    /// Those that begin with these bytes.
    Prefix(Vec<u8>),
    /// Those in which this regular expression finds something.
    Pattern(String),
    /// Those that have these bytes in this order, with any others between. ASCII letters are alike in both cases,
    /// unless the word has a capital.
    Word(Vec<u8>),
}

impl Default for KeyFilter {
    fn default() -> Self {
        Self::Prefix(Vec::new())
    }
}

impl KeyFilter {
    /// Reads what was typed: `re:PATTERN`, `~WORD`, or the beginning of a key. An error is a sentence, escaped.
    pub fn read(typed: &str) -> Result<Self, String> {
        if let Some(pattern) = typed.strip_prefix(PATTERN) {
            compile(pattern)?;
            return Ok(Self::Pattern(pattern.to_owned()));
        }
        let key = |typed| text::parse_key(typed).map_err(|e| e.to_string());
        match typed.strip_prefix(WORD) {
            Some(word) => key(word).map(Self::Word),
            None => key(typed).map(Self::Prefix),
        }
    }

    /// What to type for the keys that begin with `prefix`, given as a literal: one that looks like another kind of filter
    /// has its first character spelled out.
    pub fn typed(prefix: &str) -> String {
        match prefix.split_at_checked(1) {
            Some((first, rest)) if prefix.starts_with(PATTERN) || prefix.starts_with(WORD) => {
                format!("\\x{:02x}{rest}", first.bytes().next().unwrap_or_default())
            }
            _ => prefix.to_owned(),
        }
    }

    /// Whether it lets every key pass.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Prefix(bytes) | Self::Word(bytes) => bytes.is_empty(),
            Self::Pattern(pattern) => pattern.is_empty(),
        }
    }

    /// What every key that passes begins with.
    pub fn prefix(&self) -> &[u8] {
        match self {
            Self::Prefix(prefix) => prefix,
            Self::Pattern(_) | Self::Word(_) => &[],
        }
    }

    /// The filter, ready to judge keys.
    pub fn matcher(&self) -> Matcher {
        match self {
            Self::Prefix(prefix) => Matcher::Prefix(prefix.clone()),
            Self::Pattern(pattern) => compile(pattern).map_or(Matcher::Nothing, Matcher::Pattern),
            Self::Word(word) => Matcher::Word { word: word.clone(), exact: word.iter().any(u8::is_ascii_uppercase) },
        }
    }
}

/// Judges keys.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// See [`KeyFilter::Prefix`].
    Prefix(Vec<u8>),
    /// See [`KeyFilter::Pattern`].
    Pattern(Regex),
    /// See [`KeyFilter::Word`].
    Word {
        /// What is looked for.
        word: Vec<u8>,
        /// Capitals are not small letters.
        exact: bool,
    },
    /// What a pattern that was never read lets pass.
    Nothing,
}

impl Matcher {
    /// Whether a key passes.
    pub fn passes(&self, key: &[u8]) -> bool {
        match self {
            Self::Prefix(prefix) => key.starts_with(prefix),
            Self::Pattern(pattern) => pattern.is_match(key),
            Self::Word { word, exact } => has_in_order(key, word, *exact),
            Self::Nothing => false,
        }
    }
}

fn has_in_order(key: &[u8], word: &[u8], exact: bool) -> bool {
    let mut rest = key.iter();
    let is = |a: &u8, b: &u8| if exact { a == b } else { a.eq_ignore_ascii_case(b) };
    word.iter().all(|wanted| rest.any(|byte| is(byte, wanted)))
}

/// Keys are bytes: a dot is any byte, a class is of ASCII, and what is not ASCII stands for its UTF-8.
fn compile(pattern: &str) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(pattern);
    builder.unicode(false).dot_matches_new_line(true);
    builder.size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES).nest_limit(PATTERN_NESTING);
    builder.build().map_err(|e| match e {
        regex::Error::CompiledTooBig(_) => "the pattern is too big; take smaller repetitions".to_owned(),
        e => {
            // The parser draws the pattern with a mark below; its last line says what is wrong.
            let told = e.to_string();
            let told = told.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("not a pattern yet: {}", text::escape_str(told))
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn passing<'a>(typed: &str, keys: &[&'a str]) -> Vec<&'a str> {
        let matcher = KeyFilter::read(typed).unwrap().matcher();
        keys.iter().copied().filter(|key| matcher.passes(key.as_bytes())).collect()
    }

    #[test]
    fn each_kind_of_filter_finds_what_it_promises() {
        let keys = ["user:1", "user:22", "cfg:user", "Über"];
        assert_eq!(passing("user:", &keys), ["user:1", "user:22"]);
        assert_eq!(passing("re:user", &keys), ["user:1", "user:22", "cfg:user"]);
        assert_eq!(passing("re:^user:\\d$", &keys), ["user:1"]);
        assert_eq!(passing("re:Ü.+r", &keys), ["Über"]);
        assert_eq!(passing("~ur2", &keys), ["user:22"]);
        assert_eq!(passing("~CF", &keys), [""; 0]);
        assert_eq!(passing("~\\x3a1", &keys), ["user:1"]);
        assert_eq!(passing("re:", &keys).len() + passing("~", &keys).len() + passing("", &keys).len(), 12);
    }

    #[test]
    fn a_pattern_judges_bytes_that_are_not_text() {
        let matcher = KeyFilter::read("re:^\\xff.\\x00$").unwrap().matcher();
        assert!(matcher.passes(b"\xff\n\x00") && !matcher.passes(b"\xc3\xbf\n\x00"));
    }

    #[test]
    fn a_bad_pattern_is_told_in_a_sentence() {
        assert_eq!(KeyFilter::read("re:a(b").unwrap_err(), "not a pattern yet: unclosed group");
        assert!(KeyFilter::read("re:\u{202e}[").unwrap_err().contains("unclosed"));
        for hostile in ["((a{1000}){1000}){1000}", &"(".repeat(100_000), &"(a?){500}".repeat(200)] {
            let told = KeyFilter::read(&format!("re:{hostile}")).unwrap_err();
            assert!(told.len() < 200 && !told.contains('\n'), "{told}");
        }
    }

    #[test]
    fn a_prefix_that_looks_like_another_filter_can_be_typed() {
        for prefix in ["re:x", "~home", "plain", "", "\\xff"] {
            let bytes = text::parse_key(prefix).unwrap();
            assert_eq!(KeyFilter::read(&KeyFilter::typed(prefix)), Ok(KeyFilter::Prefix(bytes)));
        }
    }
}
