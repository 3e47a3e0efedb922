//! Comparing two versions of a key, by the lines of one view that fits both.
//!
//! Costs no more than two windows of bytes, twice the lines that a view makes, and [`PATIENCE`]: a comparison that takes
//! longer becomes a coarser one.

use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline, group_diff_ops};

use super::session::Session;
use super::value::{Read, of_record};
use crate::error::Result;
use crate::store::Location;
use crate::text;
use crate::tui::difference::{DiffLine, DiffPage, Side};
use crate::tui::effect::DiffWanted;
use crate::value::{Class, Known, Line, Span, View, lines, recognise};

/// How long the shortest difference is looked for.
const PATIENCE: Duration = Duration::from_millis(300);
/// Lines that both have, shown before and after one that they have not.
const AROUND: usize = 3;

/// Reads both and compares them.
pub(super) fn compare(session: &Session, wanted: &DiffWanted) -> Result<DiffPage> {
    let read = |place: Location| of_record(session.store(), &wanted.key, place, 0);
    let (older, newer) = (read(wanted.older)?, read(wanted.newer)?);
    let view = common_view(wanted.view, &recognise(older.head()), &recognise(newer.head()));
    let (old, new) = (lines(view, older.head()), lines(view, newer.head()));
    let place = |place: Location| format!("{}:{}", place.segment, place.offset);
    let title = format!("difference  {}  - {}  + {}", view.name(), place(wanted.older), place(wanted.newer));
    let mut page = difference(&old, &new);
    if page.is_empty() {
        page.push(alike(&older, &newer));
    }
    Ok(DiffPage { title, lines: page })
}

/// The view that was asked for, or what the newer one is, if both can be shown so.
fn common_view(asked: Option<View>, older: &Known, newer: &Known) -> View {
    let fits = |view: &View| older.fitting.contains(view) && newer.fitting.contains(view);
    let is_text = older.detected != View::Hex && newer.detected != View::Hex;
    let either = if is_text { View::Text } else { View::Hex };
    asked
        .filter(fits)
        .or(Some(newer.detected).filter(fits))
        .filter(|view| *view != View::Text || is_text)
        .unwrap_or(either)
}

fn alike(older: &Read, newer: &Read) -> DiffLine {
    words(match (older.bytes == newer.bytes, older.head().is_whole && newer.head().is_whole) {
        (true, true) => "the two values are the same".to_owned(),
        (true, false) => format!("the first {} of both are the same", text::size(newer.bytes.len() as u64)),
        (false, _) => "the bytes differ, but not in this view: x in the value's pane goes to another".to_owned(),
    })
}

fn words(text: String) -> DiffLine {
    DiffLine { side: Side::Neither, line: Line { spans: vec![Span { class: Class::Note, text }] } }
}

/// What a line says. That something follows it, which its comma says, is a change of what follows.
fn says(line: &Line) -> String {
    let text = line.to_string();
    text.strip_suffix(',').map_or(text.clone(), str::to_owned)
}

fn difference(old: &[Line], new: &[Line]) -> Vec<DiffLine> {
    let says = |lines: &[Line]| -> Vec<String> { lines.iter().map(says).collect() };
    let until = Instant::now() + PATIENCE;
    let ops = capture_diff_slices_deadline(Algorithm::Myers, &says(old), &says(new), Some(until));
    let mut page = Vec::new();
    let mut shown = 0;
    for group in group_diff_ops(ops, AROUND) {
        for op in group {
            skip(&mut page, new.get(shown..op.new_range().start));
            shown = op.new_range().end;
            show(&mut page, op, old, new);
        }
    }
    if !page.is_empty() {
        skip(&mut page, new.get(shown..));
    }
    page
}

/// Leaves out lines that both have, and says how many; one is as short as what would be said of it.
fn skip(page: &mut Vec<DiffLine>, lines: Option<&[Line]>) {
    match lines.unwrap_or_default() {
        [] => {}
        [line] => page.push(DiffLine { side: Side::Both, line: line.clone() }),
        lines => page.push(words(format!("{} lines are the same", text::count(lines.len() as u64)))),
    }
}

fn show(page: &mut Vec<DiffLine>, op: DiffOp, old: &[Line], new: &[Line]) {
    let mut push = |side, lines: Option<&[Line]>| {
        page.extend(lines.unwrap_or_default().iter().map(|line| DiffLine { side, line: line.clone() }));
    };
    match op {
        DiffOp::Equal { .. } => push(Side::Both, new.get(op.new_range())),
        DiffOp::Delete { .. } | DiffOp::Insert { .. } | DiffOp::Replace { .. } => {
            push(Side::Older, old.get(op.old_range()));
            push(Side::Newer, new.get(op.new_range()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Head;

    fn shown(old: &str, new: &str) -> Vec<String> {
        let text = |text: &str| lines(View::Text, Head { bytes: text.as_bytes(), is_whole: true });
        let page = difference(&text(old), &text(new));
        page.iter().map(|line| format!("{}{}", line.side.sign(), line.line)).collect()
    }

    #[test]
    fn what_both_have_is_left_out_but_for_a_few_lines() {
        let old: String = (0..20).map(|n| format!("{n}\n")).collect();
        let new = old.replace("10\n", "ten\n");
        let expected =
            ["·7 lines are the same", " 7", " 8", " 9", "-10", "+ten", " 11", " 12", " 13", "·6 lines are the same"];
        assert_eq!(shown(&old, &new), expected);
        assert_eq!(shown(&old, &old), [""; 0]);
        assert_eq!(shown("0\n1\n2\n3\nx", "0\n1\n2\n3\ny"), [" 0", " 1", " 2", " 3", "-x", "+y"]);
        assert_eq!(shown("", "a"), ["+a"]);
        assert_eq!(shown("a\nb", "a\nb,\nc"), [" a", " b,", "+c"], "a comma is no change of its line");
    }
}
