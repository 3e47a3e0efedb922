//! A record taken apart, as rows of bytes with a cursor on one byte and one field.
//!
//! Plain data and its geometry; it must not know colours, or how the record was read. Only bytes that were handed over
//! have rows: of a huge value that is its beginning. Invariant: after [`DumpCursor::settle`] the cursor is on a byte that
//! has a row, if there is one, and that row is on the screen.

use super::action::Motion;
use super::list::Cursor;
use super::wrap::{HexShape, hex_shape};
use crate::inspect::{Anatomy, FieldAnatomy};

/// Lines below the bytes that explain them, where there is room.
const WORDS: usize = 7;

/// Where in a record one looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DumpCursor {
    /// The byte, counted from the start of the record.
    pub at: u64,
    /// The field, by its number; one without bytes can be under the cursor too.
    pub field: usize,
    /// The first row on the screen.
    pub top: usize,
}

/// Rows of bytes in a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DumpShape {
    /// A row.
    pub hex: HexShape,
    /// Rows of the record.
    pub rows: usize,
    /// Rows on the screen; what is left of the pane is for words.
    pub page: usize,
}

impl DumpShape {
    /// The shape for a pane with so many lines and cells inside.
    pub fn of(anatomy: &Anatomy, lines: usize, cells: usize) -> Self {
        let end = usize::try_from(anatomy.offset.saturating_add(anatomy.len)).unwrap_or(usize::MAX);
        let hex = hex_shape(end, cells);
        let rows = held(anatomy).div_ceil(hex.bytes);
        let words = lines.div_ceil(2).min(WORDS);
        Self { hex, rows, page: lines.saturating_sub(words).min(rows) }
    }
}

/// Bytes from the start of the record on that were handed over.
pub fn held(anatomy: &Anatomy) -> usize {
    let mut held = 0;
    for field in &anatomy.fields {
        held += field.bytes.len();
        if (field.bytes.len() as u64) < field.len {
            break;
        }
    }
    held
}

/// The byte at a place of the record, and the number of its field.
pub fn byte(anatomy: &Anatomy, at: u64) -> Option<(u8, usize)> {
    let within = |field: &FieldAnatomy| (field.start..field.start + field.len).contains(&at);
    let number = anatomy.fields.iter().position(within)?;
    let field = anatomy.fields.get(number)?;
    let byte = field.bytes.get(usize::try_from(at - field.start).ok()?)?;
    Some((*byte, number))
}

impl DumpCursor {
    /// Moves by a key: sideways over fields, else over rows.
    pub fn go(&mut self, anatomy: &Anatomy, shape: DumpShape, motion: Motion) {
        let row = shape.hex.bytes as u64;
        let page = row * shape.page.max(1) as u64;
        let half = row * shape.page.div_ceil(2).max(1) as u64;
        match motion {
            Motion::Left => return self.previous_field(anatomy, shape),
            Motion::Right => return self.go_to_field(anatomy, shape, self.field + 1),
            Motion::Up => self.at = self.at.checked_sub(row).unwrap_or(self.at),
            Motion::Down => self.at += row,
            Motion::PageUp => self.at = self.at.saturating_sub(page),
            Motion::PageDown => self.at += page,
            Motion::HalfUp => self.at = self.at.saturating_sub(half),
            Motion::HalfDown => self.at += half,
            Motion::First => self.at = 0,
            Motion::Last => self.at = u64::MAX,
        }
        self.at = self.at.min((held(anatomy) as u64).saturating_sub(1));
        self.field = byte(anatomy, self.at).map_or(0, |(_, field)| field);
        self.settle(anatomy, shape);
    }

    /// One byte back or on.
    pub fn step(&mut self, anatomy: &Anatomy, shape: DumpShape, forward: bool) {
        self.at = if forward { self.at.saturating_add(1) } else { self.at.saturating_sub(1) };
        self.at = self.at.min((held(anatomy) as u64).saturating_sub(1));
        self.field = byte(anatomy, self.at).map_or(0, |(_, field)| field);
        self.settle(anatomy, shape);
    }

    /// To the start of the field, from there to the one before.
    fn previous_field(&mut self, anatomy: &Anatomy, shape: DumpShape) {
        let starts_here = anatomy.fields.get(self.field).is_none_or(|field| field.start == self.at || field.len == 0);
        self.go_to_field(anatomy, shape, self.field.saturating_sub(usize::from(starts_here)));
    }

    fn go_to_field(&mut self, anatomy: &Anatomy, shape: DumpShape, number: usize) {
        if let Some(field) = anatomy.fields.get(number) {
            self.field = number;
            self.at = field.start;
            self.settle(anatomy, shape);
        }
    }

    /// Brings the cursor onto a byte that is there, and its row onto the screen.
    pub fn settle(&mut self, anatomy: &Anatomy, shape: DumpShape) {
        self.at = self.at.min((held(anatomy) as u64).saturating_sub(1));
        self.field = self.field.min(anatomy.fields.len().saturating_sub(1));
        let row = usize::try_from(self.at).unwrap_or(usize::MAX) / shape.hex.bytes;
        let mut rows = Cursor { at: row, top: self.top };
        rows.settle(shape.rows, shape.page);
        self.top = rows.top;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::format::FormatKind;

    /// A record whose fields have these many bytes, the last of them only begun.
    fn record(lens: &[usize], more: u64) -> Anatomy {
        let table = FormatKind::Native.format().record_fields().iter().cycle();
        let mut start = 0;
        let mut fields = Vec::new();
        for (len, field) in lens.iter().zip(table) {
            let bytes = vec![7; *len];
            fields.push(FieldAnatomy { field, start, len: *len as u64, bytes, number: None, value: String::new() });
            start += *len as u64;
        }
        fields.iter_mut().next_back().into_iter().for_each(|last| last.len += more);
        Anatomy { segment: 1, offset: 40, len: start + more, fields, sums: Vec::new(), missing: 0 }
    }

    #[test]
    fn sideways_goes_over_fields_the_empty_ones_too() {
        let record = record(&[4, 2, 0, 3], 0);
        let shape = DumpShape::of(&record, 10, 80);
        let mut cursor = DumpCursor::default();
        let mut seen = Vec::new();
        for motion in [Motion::Right, Motion::Right, Motion::Right, Motion::Right, Motion::Left] {
            cursor.go(&record, shape, motion);
            seen.push((cursor.field, cursor.at));
        }
        assert_eq!(seen, [(1, 4), (2, 6), (3, 6), (3, 6), (2, 6)]);
    }

    #[test]
    fn byte_by_byte_every_byte_is_passed_and_its_field_named() {
        let record = record(&[4, 0, 3], 0);
        let shape = DumpShape::of(&record, 10, 80);
        let mut cursor = DumpCursor::default();
        let mut step = |forward| {
            cursor.step(&record, shape, forward);
            (cursor.at, cursor.field)
        };
        let on: Vec<_> = (0..7).map(|_| step(true)).collect();
        assert_eq!(on, [(1, 0), (2, 0), (3, 0), (4, 2), (5, 2), (6, 2), (6, 2)]);
        let back: Vec<_> = (0..7).map(|_| step(false)).collect();
        assert_eq!(back, [(5, 2), (4, 2), (3, 0), (2, 0), (1, 0), (0, 0), (0, 0)]);
    }

    #[test]
    fn the_rest_of_a_huge_value_has_no_rows() {
        let record = record(&[4, 64], 1 << 40);
        assert_eq!((held(&record), DumpShape::of(&record, 10, 80).rows), (68, 5));
        assert_eq!(byte(&record, 67), Some((7, 1)));
        assert_eq!(byte(&record, 68), None);
    }

    proptest! {
        #[test]
        fn the_cursor_is_on_a_byte_that_is_shown(
            lens in proptest::collection::vec(0..70_usize, 0..8), more in 0..2_u64, lines in 2..20_usize,
            cells in 20..120_usize, motions in proptest::collection::vec(0..10_usize, 1..30),
        ) {
            let record = record(&lens, more);
            let shape = DumpShape::of(&record, lines, cells);
            let mut cursor = DumpCursor::default();
            for motion in motions.iter().filter_map(|at| Motion::ALL.get(*at)) {
                cursor.go(&record, shape, *motion);
                prop_assert!(held(&record) == 0 || byte(&record, cursor.at).is_some());
                let row = cursor.at as usize / shape.hex.bytes;
                prop_assert!(shape.page == 0 || (cursor.top..cursor.top + shape.page).contains(&row));
            }
        }
    }
}
