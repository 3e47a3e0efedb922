//! Rows of a value for a window of cells: text broken at line ends and at the pane's width, lines of words broken at that
//! width, or sixteen bytes a row.
//!
//! Works on any bytes of any length and looks only at what the window shows, and a bounded stretch before it when it
//! goes backwards. It knows no terminal: a row is a place and a text. Invariant: rows follow each other without a gap,
//! so that every byte is on exactly one of them.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::window::STEP;
use crate::text;
use crate::value::{Class, Line, Span};

/// Bytes of a block. A line that has no end in a whole block is broken at the end of that, so that its start need not be
/// looked for any further back.
const BLOCK: usize = STEP as usize;

/// How a value is laid out in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HexShape {
    /// Digits of an offset.
    pub digits: usize,
    /// Bytes of a row.
    pub bytes: usize,
}

/// The widest rows that fit: sixteen bytes, or eight.
pub fn hex_shape(len: usize, cells: usize) -> HexShape {
    let digits = (usize::BITS - len.leading_zeros()).div_ceil(4).max(4) as usize;
    // Offset, gap, three cells a byte and one for the middle, characters.
    let fits = |bytes: usize| digits + 2 + bytes * 3 + 1 + bytes <= cells;
    HexShape { digits, bytes: if fits(16) { 16 } else { 8 } }
}

/// Where the row after the one that starts at `start` begins. `None` at the end of the value.
pub fn next_row(bytes: &[u8], start: usize, cells: usize) -> Option<usize> {
    let next = start + row_len(bytes, start, cells);
    (next < bytes.len() && next > start).then_some(next)
}

/// Where the row before the one that starts at `start` begins. `None` at the start of the value.
pub fn previous_row(bytes: &[u8], start: usize, cells: usize) -> Option<usize> {
    if start == 0 {
        return None;
    }
    let mut row = line_start(bytes, start - 1);
    while let Some(next) = next_row(bytes, row, cells).filter(|next| *next < start) {
        row = next;
    }
    Some(row)
}

/// The row that starts at `start`, escaped. The line feed that ends it shows as the end of the row; a carriage return
/// before that is a byte like any other.
pub fn row_text(bytes: &[u8], start: usize, cells: usize) -> String {
    let row = bytes.get(start..start + row_len(bytes, start, cells)).unwrap_or_default();
    text::escape(row.strip_suffix(b"\n").unwrap_or(row)).to_string()
}

/// Where the line that holds byte `at` starts, or where it is broken before that.
fn line_start(bytes: &[u8], at: usize) -> usize {
    let floor = at / BLOCK * BLOCK;
    let after_end = |from: usize, to: usize| {
        let stretch = bytes.get(from..to).unwrap_or_default();
        stretch.iter().rposition(|byte| *byte == b'\n').map(|end| from + end + 1)
    };
    after_end(floor, at).or_else(|| after_end(floor.saturating_sub(BLOCK), floor)).unwrap_or(floor)
}

/// Whether a line that goes on over the end of a block is broken there.
fn breaks_at(bytes: &[u8], end: usize) -> bool {
    !bytes.get(end.saturating_sub(BLOCK)..end).unwrap_or_default().contains(&b'\n')
}

/// Bytes of the row that starts at `start`, its line end included.
fn row_len(bytes: &[u8], start: usize, cells: usize) -> usize {
    let block = (start / BLOCK + 1) * BLOCK;
    // No row is longer than a block.
    let end = if breaks_at(bytes, block) { block } else { block + BLOCK }.min(bytes.len());
    let rest = bytes.get(start..end).unwrap_or_default();
    let line = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
    let rest = rest.get(..line).unwrap_or_default();
    let mut taken = 0;
    let mut used = 0;
    for len in pieces(rest) {
        let piece = rest.get(taken..taken + len).unwrap_or_default();
        if piece == b"\n" {
            return taken + len;
        }
        // As wide as escaped, whatever the piece is; four cells a byte are always enough.
        used += text::escape_to_width(piece, 4 * len.max(3)).cells;
        if used > cells.max(8) {
            break;
        }
        taken += len;
    }
    taken.max(usize::from(!rest.is_empty()))
}

/// The lengths of the characters, and of bytes that are none.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = usize> {
    bytes.utf8_chunks().flat_map(|chunk| {
        let stray = chunk.invalid().len();
        chunk.valid().chars().map(char::len_utf8).chain(std::iter::repeat_n(1, stray))
    })
}

/// A text that is escaped already, in lines of at most `cells` cells: broken at spaces, and within a word only where the
/// word alone is too wide.
pub fn words(text: &str, cells: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text.trim_end();
    loop {
        let fits = fitting(rest, cells.max(2));
        let (head, tail) = rest.split_at_checked(fits).unwrap_or((rest, ""));
        if tail.is_empty() {
            lines.push(rest.to_owned());
            return lines;
        }
        let space = if tail.starts_with(' ') { Some(fits) } else { head.rfind(' ') };
        let end = space.filter(|at| *at > 0).unwrap_or(fits);
        lines.push(rest.get(..end).unwrap_or_default().trim_end().to_owned());
        rest = rest.get(end..).unwrap_or_default().trim_start();
    }
}

/// Bytes of the characters that fit into so many cells, one at least.
fn fitting(text: &str, cells: usize) -> usize {
    let mut used = 0;
    let over = text.char_indices().find(|(at, c)| {
        used += c.width().unwrap_or(0);
        used > cells && *at > 0
    });
    over.map_or(text.len(), |(at, _)| at)
}

/// The rows of one line of words. Those after the first are indented as it is, where there is room.
pub fn line_rows(line: &Line, cells: usize) -> Vec<Vec<Span>> {
    let cells = cells.max(2);
    let indent = line.spans.first().map_or(0, |span| span.text.len() - span.text.trim_start_matches(' ').len());
    let indent = if indent * 2 < cells { indent } else { 0 };
    let mut rows = vec![Vec::new()];
    let mut used = 0;
    for span in &line.spans {
        let mut rest = span.text.as_str();
        while let Some((piece, after)) = rest.split_at_checked(whole_len(rest)).filter(|(piece, _)| !piece.is_empty()) {
            let wide = piece.width();
            if used + wide > cells && used > indent {
                rows.push(vec![Span { class: Class::Plain, text: " ".repeat(indent) }]);
                used = indent;
            }
            used += wide;
            push(&mut rows, span.class, piece);
            rest = after;
        }
    }
    rows
}

/// Bytes of what stays together at the start of a text: an escape, or one character.
fn whole_len(text: &str) -> usize {
    let len = match text.as_bytes() {
        [b'\\', b'x', ..] => 4,
        [b'\\', b'u', b'{', ..] => text.find('}').map_or(3, |end| end + 1),
        [b'\\', b'u', ..] => 6,
        [b'\\', _, ..] => 2,
        _ => 1,
    };
    (len..=text.len()).find(|len| text.is_char_boundary(*len)).unwrap_or(text.len())
}

fn push(rows: &mut [Vec<Span>], class: Class, piece: &str) {
    let Some(row) = rows.last_mut() else { return };
    match row.last_mut() {
        Some(last) if last.class == class => last.text.push_str(piece),
        _ => row.push(Span { class, text: piece.to_owned() }),
    }
}

/// One row in hexadecimal: the offset, the bytes, and their characters. `from` is the offset of the first of the bytes.
pub fn hex_row(bytes: &[u8], from: u64, start: usize, shape: HexShape) -> (String, String, String) {
    let HexShape { digits, bytes: per_row } = shape;
    let row = bytes.get(start..(start + per_row).min(bytes.len())).unwrap_or_default();
    let mut hex = String::with_capacity(per_row * 3 + 1);
    for (at, byte) in row.iter().enumerate() {
        let gap = if at == per_row / 2 { "  " } else { " " };
        hex.push_str(if at == 0 { "" } else { gap });
        hex.push_str(&format!("{byte:02x}"));
    }
    let ascii = row.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect();
    (format!("{:digits$x}", from + start as u64), format!("{hex:<width$}", width = per_row * 3), ascii)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_carriage_return_is_shown() {
        assert_eq!(row_text(b"one\r\ntwo", 0, 10), "one\\r");
    }

    #[test]
    fn text_is_broken_at_line_ends_and_at_the_width() {
        let value = b"short\nlonger than ten\n\x1b[0m";
        let mut rows = vec![0];
        while let Some(next) = rows.last().and_then(|last| next_row(value, *last, 10)) {
            rows.push(next);
        }
        let texts: Vec<String> = rows.iter().map(|row| row_text(value, *row, 10)).collect();
        assert_eq!(texts, ["short", "longer tha", "n ten", "\\x1b[0m"]);
    }

    #[test]
    fn a_row_of_hex_keeps_its_columns() {
        let (at, hex, ascii) = hex_row(b"01234567\x1bz", 0, 8, hex_shape(10, 44));
        assert_eq!((at.as_str(), hex.trim_end(), ascii.as_str()), ("   8", "1b 7a", ".z"));
        assert_eq!((hex.len(), hex_shape(10, 71).bytes, hex_shape(1 << 30, 71).bytes), (24, 16, 8));
    }

    #[test]
    fn a_line_of_words_is_broken_at_the_width_and_keeps_its_indent_and_classes() {
        let span = |class, text: &str| Span { class, text: text.to_owned() };
        let line =
            Line { spans: vec![span(Class::Plain, "  "), span(Class::Key, "\"k\""), span(Class::Text, "漢字 ab")] };
        let rows = line_rows(&line, 8);
        assert_eq!(rows[0], [span(Class::Plain, "  "), span(Class::Key, "\"k\""), span(Class::Text, "漢")]);
        assert_eq!(rows[1], [span(Class::Plain, "  "), span(Class::Text, "字 ab")]);
        assert_eq!((rows.len(), line_rows(&Line::default(), 8).len()), (2, 1));
        let line = Line { spans: vec![span(Class::Text, "abc\\xffd\\u{202e}\\u00e9é\\")] };
        let rows = line_rows(&line, 6);
        let texts: Vec<String> = rows.iter().map(|row| row.iter().map(|span| span.text.as_str()).collect()).collect();
        assert_eq!(texts, ["abc", "\\xffd", "\\u{202e}", "\\u00e9", "é\\"], "escapes stay whole");
    }

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(words("one two three", 7), ["one two", "three"]);
        assert_eq!(words("onetwothree four", 4), ["onet", "woth", "ree", "four"]);
        assert_eq!(words("漢字漢字", 5), ["漢字", "漢字"]);
        assert_eq!(words("", 5), [""]);
    }

    #[test]
    fn only_a_line_without_an_end_is_broken_within() {
        let short = b"0123456789abcde\n".repeat(600)[1..].to_vec();
        let rows =
            |bytes: &[u8]| -> Vec<usize> { std::iter::successors(Some(0), |row| next_row(bytes, *row, 100)).collect() };
        assert!(rows(&short).windows(2).skip(1).all(|pair| pair[1] - pair[0] == 16));
        assert!(rows(&[b'x'; 9000]).contains(&4096) && rows(&[b'x'; 9000]).contains(&8192));
    }

    /// Lines of a few bytes, of many, or of more than a block.
    fn long_text() -> impl Strategy<Value = Vec<u8>> {
        let bytes = |ends: u32, others: u32| {
            let byte = prop_oneof![ends => Just(b'\n'), others => any::<u8>()];
            proptest::collection::vec(byte, 0..14_000)
        };
        prop_oneof![bytes(1, 1), bytes(1, 300), bytes(1, 6000)]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn going_back_finds_the_row_that_going_on_came_from(
            bytes in long_text(), cells in 8..100_usize,
        ) {
            let (mut row, mut steps) = (0, 0);
            while let Some(next) = next_row(&bytes, row, cells) {
                prop_assert!(next > row);
                prop_assert_eq!(previous_row(&bytes, next, cells), Some(row));
                (row, steps) = (next, steps + 1);
                if steps > 2000 { break }
            }
        }

        #[test]
        fn a_row_fits_its_width(bytes in proptest::collection::vec(any::<u8>(), 1..500), cells in 10..100_usize) {
            let shown = row_text(&bytes, 0, cells);
            prop_assert!(unicode_width::UnicodeWidthStr::width(shown.as_str()) <= cells.max(10));
        }
    }
}
