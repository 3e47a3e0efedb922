//! The words of pane 3: the field under the cursor, the checks of the record, and why the record is what it is; what
//! matters most comes first, because a small pane shows no more.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::View;
use crate::format::Encoding;
use crate::inspect::anatomy::both_orders;
use crate::inspect::{Anatomy, FieldAnatomy, RecordRow, RowState, SumAnatomy};
use crate::text;
use crate::tui::wrap;

/// Bytes of a field that are repeated beside its name.
const BYTES: usize = 8;

/// The words on a record, in lines of so many cells.
pub(super) fn words(
    view: &View<'_>,
    row: &RecordRow,
    anatomy: &Anatomy,
    field: usize,
    cells: usize,
) -> Vec<Line<'static>> {
    let theme = view.theme;
    let mut lines = Vec::new();
    let field = anatomy.fields.get(field);
    lines.extend(field.map(|field| field_line(view, anatomy, field)));
    let mut say = |words: String, style: Style| {
        let broken = wrap::words(&words, cells.saturating_sub(4));
        lines.extend(broken.into_iter().map(|words| Line::styled(format!("   {words}"), style)));
    };
    let (good, bad): (Vec<_>, Vec<_>) = anatomy.sums.iter().partition(|sum| sum.holds());
    bad.iter().for_each(|sum| say(sum_words(anatomy, sum), theme.bad()));
    if let Some(check) = row.check.filter(|_| bad.is_empty()) {
        say(format!("BAD: {check}"), theme.bad());
    }
    if anatomy.missing > 0 {
        say(format!("{} that its lengths claim are not in the file", text::size(anatomy.missing)), theme.bad());
    }
    if let Some(field) = field {
        say(field.field.meaning.to_owned(), theme.plain());
        field_numbers(field).into_iter().for_each(|words| say(words, theme.plain()));
        let more = field.len.saturating_sub(field.bytes.len() as u64);
        if more > 0 {
            say(format!("{} more follow and are not shown here", text::size(more)), theme.notice());
        }
    }
    good.iter().for_each(|sum| say(sum_words(anatomy, sum), theme.live()));
    say(format!("{}: {}", row.state.name(), reason(row)), theme.dim());
    lines
}

/// `▸ value length  0x6c..0x6f  214 B  d6 00 00 00`
fn field_line(view: &View<'_>, anatomy: &Anatomy, field: &FieldAnatomy) -> Line<'static> {
    let start = anatomy.offset + field.start;
    let range = match field.len {
        0 => "  no bytes".to_owned(),
        1 => format!("  {start:#x}"),
        len => format!("  {start:#x}..{:#x}", start + len - 1),
    };
    let mut bytes: String = field.bytes.iter().take(BYTES).map(|byte| format!(" {byte:02x}")).collect();
    if field.len > BYTES as u64 {
        bytes.push_str(" …");
    }
    Line::from(vec![
        Span::styled(" ▸ ", view.theme.key()),
        Span::styled(field.field.name, view.theme.role(field.field.role).patch(view.theme.strong())),
        Span::styled(range, view.theme.dim()),
        Span::styled(format!("  {}", field.value), view.theme.strong()),
        Span::styled(format!(" {bytes}"), view.theme.dim()),
    ])
}

/// The number in both orders of its bytes, as stored first.
fn field_numbers(field: &FieldAnatomy) -> Option<String> {
    let (little, big) = both_orders(field).filter(|_| field.field.encoding != Encoding::Bytes)?;
    let bits = field.bytes.len() * 8;
    Some(match field.field.encoding {
        _ if bits == 8 => format!("u8 {little}"),
        Encoding::BigEndian => {
            format!("u{bits} big-endian {}; little-endian it would be {}", text::count(big), text::count(little))
        }
        _ => format!("u{bits} little-endian {}; big-endian it would be {}", text::count(little), text::count(big)),
    })
}

fn sum_words(anatomy: &Anatomy, sum: &SumAnatomy) -> String {
    let SumAnatomy { stored, computed, covers, .. } = sum;
    let name = sum.sum.field;
    let salt = if sum.sum.salted { ", the file's salt and the offset" } else { "" };
    let over = match covers.is_empty() {
        true => format!("over no bytes{salt}"),
        false => {
            let (start, end) = (anatomy.offset + covers.start, anatomy.offset + covers.end - 1);
            format!("over {start:#x}..{end:#x}{salt}")
        }
    };
    match sum.holds() {
        true => format!("{name} ok: stored and computed {stored:08x} {over}"),
        false => format!("{name} BAD: stored {stored:08x}, a good record would read {computed:08x} {over}"),
    }
}

/// Why the record is in the state that it is in.
fn reason(row: &RecordRow) -> &'static str {
    match row.state {
        RowState::Live => "the keydir points here",
        RowState::Superseded => "a newer record of this key, or its tombstone, took its place",
        RowState::Tombstone => "says that the key is gone; it stays until no older version can come back",
        RowState::Expired => "its time ran out",
        RowState::Mark => "says how far this file is on stable storage",
        RowState::Damaged => "fails a check; what it held is not served",
        RowState::Torn => "was being written when writing stopped",
        RowState::Unknown => "a later version wrote this",
    }
}
