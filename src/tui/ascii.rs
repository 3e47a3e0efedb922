//! The screen in ASCII, for terminals and fonts that have nothing else: frames, marks, maps and arrows get a stand-in of
//! one cell. Letters of keys and values stay what they are.

use ratatui::buffer::Buffer;

/// What stands for what. States stay distinct from each other.
const STAND_INS: &[(&str, &str)] = &[
    ("█", "#"),
    ("░", "."),
    ("✕", "x"),
    ("◌", "o"),
    ("▏", "|"),
    ("·", "."),
    ("›", ">"),
    ("▸", ">"),
    ("▾", "v"),
    ("▲", "^"),
    ("✓", "+"),
    ("✗", "!"),
    ("●", "*"),
    ("…", "~"),
    ("←", "<"),
    ("→", ">"),
    ("↑", "^"),
    ("↓", "v"),
    ("─", "-"),
    ("━", "="),
    ("│", "|"),
    ("┃", "I"),
    ("┌", "+"),
    ("┐", "+"),
    ("└", "+"),
    ("┘", "+"),
    ("├", "+"),
    ("┤", "+"),
    ("┬", "+"),
    ("┴", "+"),
    ("┼", "+"),
    ("▁", "_"),
    ("▂", "_"),
    ("▃", "."),
    ("▄", "-"),
    ("▅", "-"),
    ("▆", "="),
    ("▇", "^"),
    ("µ", "u"),
];

/// Puts the stand-ins into all cells.
pub fn stand_in(buf: &mut Buffer) {
    for cell in &mut buf.content {
        if let Some((_, plain)) = STAND_INS.iter().find(|(glyph, _)| *glyph == cell.symbol()) {
            cell.set_symbol(plain);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::inspect::RowState;
    use crate::tui::theme::glyph;

    #[test]
    fn states_stay_distinct() {
        use RowState::{Damaged, Expired, Live, Superseded, Tombstone, Torn, Unknown};
        let states = [Live, Superseded, Tombstone, Expired, Damaged, Torn, Unknown];
        let shown: HashSet<String> = states
            .iter()
            .map(|state| {
                let glyph = glyph(*state).to_string();
                let plain = STAND_INS.iter().find(|(from, _)| *from == glyph).map(|(_, to)| (*to).to_owned());
                plain.unwrap_or(glyph)
            })
            .collect();
        assert_eq!(shown.len(), states.len(), "{shown:?}");
        assert!(shown.iter().all(|glyph| glyph.is_ascii()));
    }
}
