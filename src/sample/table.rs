//! Reads the tables of `assets/sample/`: lines of tab-separated cells, `#` before a remark.
//!
//! The tables are part of the binary, so a short row is an oversight of ours that a test finds, not an error to handle:
//! missing cells are empty.

use serde_json::{Number, Value};

/// The rows of a table, each cut into its cells.
pub(super) fn rows<const CELLS: usize>(table: &'static str) -> impl Iterator<Item = [&'static str; CELLS]> {
    table.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut cells = line.split('\t');
        std::array::from_fn(|_| cells.next().unwrap_or_default())
    })
}

/// A cell as a JSON number; null where there is none.
pub(super) fn number(cell: &str) -> Value {
    cell.parse::<Number>().map_or(Value::Null, Value::Number)
}

/// A cell as a JSON string; null where there is none.
pub(super) fn text(cell: &str) -> Value {
    if cell.is_empty() { Value::Null } else { Value::from(cell) }
}

/// A cell that holds the number of a character in hexadecimal.
pub(super) fn character(cell: &str) -> char {
    u32::from_str_radix(cell, 16).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_at_tabs_and_remarks_left_out() {
        let table = "# a remark\na\tb\nc\n";
        assert_eq!(rows::<2>(table).collect::<Vec<_>>(), [["a", "b"], ["c", ""]]);
    }

    #[test]
    fn cells_become_values() {
        assert_eq!((number("1.5"), number("-2"), number("")), (1.5.into(), (-2).into(), Value::Null));
        assert_eq!((text("x"), text("")), ("x".into(), Value::Null));
        assert_eq!(character("1F600"), '😀');
    }
}
