//! The window of a long value: how much of it is at hand, and when another part is wanted.
//!
//! Invariant: windows begin at multiples of [`STEP`], so that lines of text are broken at the same bytes in each.

use super::action::ValuePart;

/// Bytes of a value that are at hand at most.
pub const WINDOW: usize = 1 << 20;
/// Windows begin at multiples of this; where a long line of text is broken, too.
pub const STEP: u64 = 4096;
/// Bytes around what is shown that are at hand, lest scrolling stop.
const MARGIN: u64 = 64 << 10;

/// Where the window should begin to show what follows byte `at`; the one that is there does if it can.
pub fn window_from(part: &ValuePart, at: u64) -> u64 {
    if part.view.is_structured() || part.compressed || part.whole <= WINDOW as u64 {
        return 0;
    }
    let end = part.from + part.bytes.len() as u64;
    let is_before = part.from > 0 && at < part.from + MARGIN;
    let is_behind = end < part.whole && at + MARGIN > end;
    if !is_before && !is_behind {
        return part.from;
    }
    let last = part.whole.saturating_sub(WINDOW as u64).next_multiple_of(STEP);
    (at.saturating_sub(WINDOW as u64 / 2) / STEP * STEP).min(last)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::value::View;

    fn part(from: u64, whole: u64) -> ValuePart {
        let len = usize::try_from(whole - from).unwrap().min(WINDOW);
        ValuePart {
            bytes: vec![0; len],
            from,
            whole,
            known: None,
            view: View::Hex,
            lines: Vec::new(),
            unchecked: true,
            compressed: false,
        }
    }

    #[test]
    fn a_short_value_and_one_that_is_compressed_have_one_window() {
        assert_eq!(window_from(&part(0, 1000), 999), 0);
        let compressed = ValuePart { compressed: true, ..part(0, 1 << 30) };
        assert_eq!(window_from(&compressed, 1 << 29), 0);
    }

    proptest! {
        #[test]
        fn the_window_holds_what_is_shown_and_stays_while_it_does(whole in 1..3_u64 << 30, at in 0..3_u64 << 30) {
            let at = at.min(whole - 1);
            let from = window_from(&part(0, whole), at);
            let moved = part(from, whole);
            prop_assert!(from.is_multiple_of(STEP) && from <= at && at < from + moved.bytes.len() as u64);
            prop_assert_eq!(window_from(&moved, at), from, "asked for once");
        }
    }
}
