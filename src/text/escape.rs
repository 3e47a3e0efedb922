//! The one door from untrusted bytes to a terminal, a title, the clipboard, a message.
//!
//! It *shows* what a terminal would obey or hide, and never emits or drops it. It must not know who asks. Invariants:
//!
//! 1. What comes out holds only printable characters of one or two cells, none of which joins its neighbour.
//! 2. Different bytes come out differently: a composed and a decomposed é, the byte ff and the character U+00FF.
//! 3. [`super::literal`] reads the output back to the same bytes.
//! 4. Nothing is allocated for the input, and a window costs no more than its own cells, however long the input.
//!
//! Classes follow [`char::escape_debug`], which knows what is unassigned, private, a format character, a separator or
//! grapheme-extending. It is stricter in three ways: see `joins_or_hides`.

use std::fmt::{self, Write};
use std::path::Path;

use unicode_width::UnicodeWidthChar;

/// Bytes as a person may see them. Made by [`escape`]; writes as it goes.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a> {
    bytes: &'a [u8],
}

/// Shows any bytes: printable characters as they are, `\\`, `\n`, `\t`, `\r`, other ASCII controls as `\x1b`, other
/// characters that do not stand for themselves as `\u{202e}`, bytes that are not UTF-8 as `\xff`.
pub fn escape(bytes: &[u8]) -> Escaped<'_> {
    Escaped { bytes }
}

/// [`escape`] for text, as from a system's message.
pub fn escape_str(text: &str) -> Escaped<'_> {
    escape(text.as_bytes())
}

/// [`escape`] for a file's name, which may be any bytes.
pub fn path(path: &Path) -> Escaped<'_> {
    escape(path.as_os_str().as_encoded_bytes())
}

/// [`escape`] onto the end of `out`.
pub fn escape_into(bytes: &[u8], out: &mut String) {
    for shown in Pieces::of(bytes) {
        shown.push_to(out);
    }
}

impl fmt::Display for Escaped<'_> {
    /// Ignores fill and width, which count characters: [`escape_to_width`] counts cells.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Pieces::of(self.bytes).try_for_each(|shown| shown.write_to(f))
    }
}

/// The beginning of some bytes, escaped to fit a number of cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clipped {
    /// What to print.
    pub text: String,
    /// The cells that `text` takes.
    pub cells: usize,
    /// Something was left out; `text` then ends in `…`.
    pub truncated: bool,
}

/// [`escape`] for a column of `max_cells`. An escape is shown whole or not at all. Looks at no more input than could
/// fit, so that the first line of a 1 GiB value costs as much as a short one.
pub fn escape_to_width(bytes: &[u8], max_cells: usize) -> Clipped {
    let mut clipped = Clipped::default();
    let mut room_for_ellipsis = (0, 0);
    for shown in Pieces::of(bytes) {
        if clipped.cells.saturating_add(shown.cells()) > max_cells {
            clipped.cut_at(room_for_ellipsis, max_cells);
            break;
        }
        shown.push_to(&mut clipped.text);
        clipped.cells += shown.cells();
        if clipped.cells < max_cells {
            room_for_ellipsis = (clipped.text.len(), clipped.cells);
        }
    }
    clipped
}

impl Clipped {
    fn cut_at(&mut self, (len, cells): (usize, usize), max_cells: usize) {
        self.text.truncate(len);
        self.cells = cells;
        self.truncated = true;
        if max_cells > 0 {
            self.text.push('…');
            self.cells += 1;
        }
    }
}

/// One step of the input and how it is shown.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shown {
    /// As it is.
    Plain { c: char, cells: usize },
    /// A backslash and a letter.
    Letter(char),
    /// A byte in hexadecimal: an ASCII control, or no part of UTF-8.
    Byte(u8),
    /// A character in hexadecimal.
    Code(char),
}

impl Shown {
    fn of(c: char) -> Self {
        match c {
            '\\' => Self::Letter('\\'),
            '\n' => Self::Letter('n'),
            '\t' => Self::Letter('t'),
            '\r' => Self::Letter('r'),
            ' '..='~' => Self::Plain { c, cells: 1 },
            '\0'..='\x7f' => Self::Byte(u8::try_from(c).unwrap_or(b'?')),
            _ => match c.width() {
                Some(cells @ 1..) if !joins_or_hides(c) => Self::Plain { c, cells },
                _ => Self::Code(c),
            },
        }
    }

    fn write_to(self, out: &mut impl Write) -> fmt::Result {
        match self {
            Self::Plain { c, .. } => out.write_char(c),
            Self::Letter(c) => write!(out, "\\{c}"),
            Self::Byte(byte) => write!(out, "\\x{byte:02x}"),
            Self::Code(c) => write!(out, "\\u{{{:x}}}", u32::from(c)),
        }
    }

    pub(super) fn push_to(self, out: &mut String) {
        match self {
            Self::Plain { c, .. } => out.push(c),
            other => drop(other.write_to(out)), // a String takes everything
        }
    }

    pub(super) fn cells(self) -> usize {
        match self {
            Self::Plain { cells, .. } => cells,
            Self::Letter(_) => 2,
            Self::Byte(_) => 4,
            // Backslash, u, braces and at least one digit for every four bits.
            Self::Code(c) => 4 + (u32::BITS - u32::from(c).leading_zeros()).div_ceil(4) as usize,
        }
    }
}

/// Whether a character that is not ASCII and takes a cell still does not stand for itself. Beyond std's judgement:
/// characters without a width (conjoining jamo, fillers; the caller asks for the width), skin tones, which change the
/// emoji before them, regional indicators, two of which make a flag, and two that take cells but show nothing.
fn joins_or_hides(c: char) -> bool {
    c.escape_debug().len() > 1
        || matches!(c, '\u{1f1e6}'..='\u{1f1ff}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{115f}' | '\u{2800}')
}

/// The input, a character or stray byte at a time.
pub(super) fn pieces(bytes: &[u8]) -> impl Iterator<Item = Shown> + '_ {
    Pieces::of(bytes)
}

struct Pieces<'a> {
    rest: &'a [u8],
}

impl<'a> Pieces<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Shown;

    fn next(&mut self) -> Option<Self::Item> {
        let first = *self.rest.first()?;
        let (len, shown) = match first_char(self.rest) {
            Some(c) => (c.len_utf8(), Shown::of(c)),
            None => (1, Shown::Byte(first)),
        };
        self.rest = self.rest.get(len..).unwrap_or_default();
        Some(shown)
    }
}

/// The character that the bytes begin with, looking at four of them.
fn first_char(bytes: &[u8]) -> Option<char> {
    let head = bytes.get(..4).unwrap_or(bytes);
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(e) => std::str::from_utf8(head.get(..e.valid_up_to())?).ok()?,
    };
    valid.chars().next()
}

#[cfg(test)]
mod tests {
    use super::super::literal::parse_key;
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    fn shown(bytes: impl AsRef<[u8]>) -> String {
        escape(bytes.as_ref()).to_string()
    }

    /// Bytes that are mostly text, with every kind of trouble in them.
    fn troubled() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            any::<char>().prop_map(|c| c.to_string().into_bytes()),
            "[a-z\\\\\"{}ux0]{1,4}".prop_map(String::into_bytes),
            proptest::collection::vec(any::<u8>(), 1..4),
        ];
        proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    #[test]
    fn printable_text_is_shown_as_it_is() {
        for text in ["user:0001", "Straße 日本語 🚀 ❤ é", "\"quotes\" and 'quotes'", "a b", "~{}[]$`"] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        assert_eq!(shown("\x1b[2J\u{9b}31m\x07\x7f\0"), r"\x1b[2J\u{9b}31m\x07\x7f\x00");
        assert_eq!(shown("a\nb\tc\rd\\n"), r"a\nb\tc\rd\\n");
    }

    #[test]
    fn what_hides_or_turns_text_is_spelled_out() {
        let hidden = [
            ('\u{202e}', "right-to-left override"),
            ('\u{2066}', "isolate"),
            ('\u{200b}', "zero-width space"),
            ('\u{feff}', "byte order mark"),
            ('\u{ad}', "soft hyphen"),
            ('\u{a0}', "no-break space"),
            ('\u{2028}', "line separator"),
            ('\u{301}', "combining acute"),
            ('\u{fe0f}', "variation selector"),
            ('\u{e0041}', "tag"),
            ('\u{e000}', "private use"),
            ('\u{378}', "unassigned"),
            ('\u{1161}', "conjoining jamo"),
            ('\u{3164}', "Hangul filler"),
            ('\u{ffa0}', "halfwidth filler"),
            ('\u{115f}', "choseong filler"),
            ('\u{1f3fd}', "skin tone"),
            ('\u{1f1e9}', "regional indicator"),
            ('\u{2800}', "blank Braille pattern"),
        ];
        for (c, name) in hidden {
            assert_eq!(shown(c.to_string()), format!("\\u{{{:x}}}", u32::from(c)), "{name}");
        }
    }

    #[test]
    fn look_alikes_come_out_differently() {
        assert_ne!(shown("é"), shown("e\u{301}"));
        assert_ne!(shown([0xff]), shown("ÿ"));
        assert_ne!(shown("\x1b"), shown(r"\x1b"));
        assert_ne!(shown("\u{9b}"), shown([0x9b]));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_shown_one_by_one() {
        assert_eq!(shown(b"\xff\x00\x01blob"), r"\xff\x00\x01blob");
        assert_eq!(shown(b"\xe2\x82"), r"\xe2\x82");
        assert_eq!(shown(b"\xed\xa0\x80"), r"\xed\xa0\x80"); // a surrogate
        assert_eq!(shown(b"\xc0\xaf"), r"\xc0\xaf"); // an overlong slash
    }

    #[test]
    fn no_character_breaks_the_width_or_reaches_the_terminal_unseen() {
        for c in '\0'..=char::MAX {
            let mut buffer = [0; 4];
            let clipped = escape_to_width(c.encode_utf8(&mut buffer).as_bytes(), 20);
            assert_eq!(clipped.cells, clipped.text.width(), "{c:?}");
            assert!(clipped.cells > 0 && !clipped.text.chars().any(char::is_control), "{c:?}");
        }
    }

    #[test]
    fn a_cut_ends_in_an_ellipsis_and_fits() {
        let cut = |text: &str, cells| escape_to_width(text.as_bytes(), cells);
        let clipped = |text: &str, cells, truncated| Clipped { text: text.into(), cells, truncated };
        assert_eq!(cut("abcd", 4), clipped("abcd", 4, false));
        assert_eq!(cut("abcde", 4), clipped("abc…", 4, true));
        assert_eq!(cut("日本語", 6), clipped("日本語", 6, false));
        assert_eq!(cut("日本語", 5), clipped("日本…", 5, true));
        assert_eq!(cut("日本語", 4), clipped("日…", 3, true));
        assert_eq!(cut("a\x1bb", 4), clipped("a…", 2, true));
        assert_eq!(cut("a", 0), clipped("", 0, true));
        assert_eq!(cut("", 0), clipped("", 0, false));
    }

    #[test]
    fn a_window_reads_only_what_fits() {
        // Were it all read, this would be 64 GiB and take minutes.
        let huge = vec![0_u8; 64 << 20];
        for _ in 0..1_000 {
            let clipped = escape_to_width(&huge, 9);
            assert_eq!(clipped, Clipped { text: r"\x00\x00…".into(), cells: 9, truncated: true });
        }
    }

    #[test]
    fn a_path_of_any_bytes_is_shown() {
        assert_eq!(path(Path::new("data\x1b/a")).to_string(), r"data\x1b/a");
    }

    proptest! {
        #[test]
        fn the_key_reader_reads_back_what_is_shown(bytes in troubled()) {
            let text = shown(&bytes);
            prop_assume!(!text.starts_with("0x") && !text.starts_with("b64:"));
            prop_assert_eq!(parse_key(&text), Ok(bytes));
        }

        #[test]
        fn a_window_is_the_beginning_of_the_whole(bytes in troubled(), cells in 0..60_usize) {
            let whole = shown(&bytes);
            let clipped = escape_to_width(&bytes, cells);
            prop_assert!(clipped.cells <= cells);
            if clipped.truncated {
                prop_assert!(whole.starts_with(clipped.text.trim_end_matches('…')));
                prop_assert!(whole.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>() > cells);
            } else {
                prop_assert_eq!(clipped.text, whole);
            }
        }

        #[test]
        fn both_ways_of_writing_agree(bytes in troubled()) {
            let mut text = String::from("> ");
            escape_into(&bytes, &mut text);
            prop_assert_eq!(text, format!("> {}", escape(&bytes)));
        }
    }
}
