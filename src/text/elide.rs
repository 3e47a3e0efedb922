//! Long bytes in a narrow column, without their middle: names that begin alike are told apart by how they go on.
//!
//! What is shown goes through [`super::escape`]. Invariant: no more is read than could fit, however long the input.

use super::escape::{Clipped, Shown, escape_to_width, pieces};

/// [`escape_to_width`] that leaves out the middle rather than the end.
pub fn escape_ends(bytes: &[u8], max_cells: usize) -> Clipped {
    let clipped = escape_to_width(bytes, max_cells);
    if !clipped.truncated || max_cells < 5 {
        return clipped;
    }
    let room = (max_cells - 1) / 2;
    // No character is longer than four bytes, and none takes less than a cell.
    let near_end = boundary(bytes, bytes.len().saturating_sub(room * 4));
    let last: Vec<Shown> = pieces(bytes.get(near_end..).unwrap_or_default()).collect();
    let mut cells = 0;
    let fits = |piece: &&Shown| {
        cells += piece.cells();
        cells <= room
    };
    let end = last.iter().rev().take_while(fits).count();
    join(bytes, last.iter().skip(last.len() - end).copied(), max_cells)
}

/// The same, but behind the gap comes what stands at `at`, and there may be another gap at the end.
pub fn escape_around(bytes: &[u8], at: usize, max_cells: usize) -> Clipped {
    let clipped = escape_to_width(bytes, max_cells);
    if !clipped.truncated || max_cells < 5 {
        return clipped;
    }
    let room = max_cells - 1 - max_cells / 4;
    let from = boundary(bytes, at);
    let there = escape_to_width(bytes.get(from..).unwrap_or_default(), room);
    let mut around = escape_to_width(bytes, max_cells - there.cells);
    around.text.push_str(&there.text);
    around.cells += there.cells;
    around
}

/// The beginning as far as there is room for it, a gap, and the end.
fn join(bytes: &[u8], end: impl Iterator<Item = Shown> + Clone, max_cells: usize) -> Clipped {
    let cells: usize = end.clone().map(Shown::cells).sum();
    let mut joined = escape_to_width(bytes, max_cells - cells);
    end.for_each(|piece| piece.push_to(&mut joined.text));
    joined.cells += cells;
    joined
}

/// The next place, if this one is within a character.
fn boundary(bytes: &[u8], at: usize) -> usize {
    let is_within = |byte: &&u8| **byte & 0xc0 == 0x80;
    at + bytes.get(at..).unwrap_or_default().iter().take(3).take_while(is_within).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn the_end_stays_to_be_seen() {
        assert_eq!(escape_ends(b"session:0123456789:a", 13).text, "sessio…6789:a");
        assert_eq!(escape_ends(b"session:0123456789:b", 13).text, "sessio…6789:b");
        assert_eq!(escape_ends("日本語の長い名前です".as_bytes(), 11).text, "日本語…です");
        assert_eq!(escape_ends(b"a\x1b\x1b\x1b\x1bz", 9).text, "a\\x1b…z");
        assert_eq!(escape_ends(b"short", 5).text, "short");
        assert_eq!(escape_ends(b"longer", 4).text, "lon…");
    }

    #[test]
    fn what_differs_in_the_middle_can_be_shown() {
        let a = escape_around(b"session:000000000000:1:000000000000000", 21, 16);
        let b = escape_around(b"session:000000000000:2:000000000000000", 21, 16);
        assert_eq!((a.text.as_str(), b.text.as_str()), ("sess…1:00000000…", "sess…2:00000000…"));
    }

    proptest! {
        #[test]
        fn it_fits_and_begins_and_ends_like_the_whole(
            bytes in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..60),
                "\\PC{0,40}".prop_map(String::into_bytes),
            ],
            at in 0..60_usize,
            cells in 0..40_usize,
        ) {
            let whole = super::super::escape(&bytes).to_string();
            for clipped in [escape_ends(&bytes, cells), escape_around(&bytes, at.min(bytes.len()), cells)] {
                prop_assert!(clipped.cells <= cells && clipped.cells == clipped.text.width());
                let beginning = clipped.text.split('…').next().unwrap_or_default();
                prop_assert!(whole.starts_with(beginning), "{} {}", whole, clipped.text);
                prop_assert_eq!(clipped.truncated, whole.width() > cells);
            }
        }
    }
}
