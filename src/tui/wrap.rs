//! Rows of a value for a window of cells: text broken at line ends and at the pane's width, or sixteen bytes a row.
//!
//! Works on any bytes of any length and looks only at what the window shows, and a bounded stretch before it when it
//! goes backwards. It knows no terminal: a row is a place and a text. Invariant: rows follow each other without a gap,
//! so that every byte is on exactly one of them.

use unicode_width::UnicodeWidthChar;

use crate::text;

/// How far before a place a line's start is looked for. A line longer than this is broken at multiples of it.
const LOOK_BACK: usize = 4096;

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

/// Where the line that holds byte `at` starts, or the nearest multiple of [`LOOK_BACK`] before it.
fn line_start(bytes: &[u8], at: usize) -> usize {
    let floor = at / LOOK_BACK * LOOK_BACK;
    let stretch = bytes.get(floor..at).unwrap_or_default();
    stretch.iter().rposition(|byte| *byte == b'\n').map_or(floor, |end| floor + end + 1)
}

/// Bytes of the row that starts at `start`, its line end included.
fn row_len(bytes: &[u8], start: usize, cells: usize) -> usize {
    let barrier = (start / LOOK_BACK + 1) * LOOK_BACK;
    let end = barrier.min(bytes.len());
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

/// One row in hexadecimal: the offset, the bytes, and their characters.
pub fn hex_row(bytes: &[u8], start: usize, shape: HexShape) -> (String, String, String) {
    let HexShape { digits, bytes: per_row } = shape;
    let row = bytes.get(start..(start + per_row).min(bytes.len())).unwrap_or_default();
    let mut hex = String::with_capacity(per_row * 3 + 1);
    for (at, byte) in row.iter().enumerate() {
        let gap = if at == per_row / 2 { "  " } else { " " };
        hex.push_str(if at == 0 { "" } else { gap });
        hex.push_str(&format!("{byte:02x}"));
    }
    let ascii = row.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect();
    (format!("{start:digits$x}"), format!("{hex:<width$}", width = per_row * 3), ascii)
}

/// Whether bytes are better shown as text, judged by their beginning.
pub fn looks_like_text(bytes: &[u8]) -> bool {
    let head = bytes.get(..512).unwrap_or(bytes);
    let valid = match std::str::from_utf8(head) {
        Ok(_) => true,
        // A character cut by the end of the look is no fault.
        Err(e) => e.error_len().is_none() && head.len() < bytes.len(),
    };
    let odd = head.iter().filter(|byte| byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t')).count();
    valid && odd * 10 <= head.len()
}

#[cfg(test)]
mod tests {
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
        let (at, hex, ascii) = hex_row(b"01234567\x1bz", 8, hex_shape(10, 44));
        assert_eq!((at.as_str(), hex.trim_end(), ascii.as_str()), ("   8", "1b 7a", ".z"));
        assert_eq!((hex.len(), hex_shape(10, 71).bytes, hex_shape(1 << 30, 71).bytes), (24, 16, 8));
    }

    #[test]
    fn text_and_binary_are_told_apart() {
        assert!(looks_like_text(b"{\"a\": 1}\n") && looks_like_text("漢".repeat(1000).as_bytes()));
        assert!(looks_like_text(b"") && !looks_like_text(b"\x00\x01\x02") && !looks_like_text(b"\xff\xfe"));
    }

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(words("one two three", 7), ["one two", "three"]);
        assert_eq!(words("onetwothree four", 4), ["onet", "woth", "ree", "four"]);
        assert_eq!(words("漢字漢字", 5), ["漢字", "漢字"]);
        assert_eq!(words("", 5), [""]);
    }

    proptest! {
        #[test]
        fn going_back_finds_the_row_that_going_on_came_from(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..9000), cells in 8..100_usize,
        ) {
            let (mut row, mut steps) = (0, 0);
            while let Some(next) = next_row(&bytes, row, cells) {
                prop_assert!(next > row);
                prop_assert_eq!(previous_row(&bytes, next, cells), Some(row));
                (row, steps) = (next, steps + 1);
                if steps > 200 { break }
            }
        }

        #[test]
        fn a_row_fits_its_width(bytes in proptest::collection::vec(any::<u8>(), 1..500), cells in 10..100_usize) {
            let shown = row_text(&bytes, 0, cells);
            prop_assert!(unicode_width::UnicodeWidthStr::width(shown.as_str()) <= cells.max(10));
        }
    }
}
