//! The words of pane 3: the field and the byte under the cursor, the checks, and why the record is what it is; what
//! matters most comes first, because a small pane shows no more.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::View;
use super::subject::Subject;
use crate::format::Encoding;
use crate::inspect::anatomy::both_orders;
use crate::inspect::{Anatomy, FieldAnatomy, RecordRow, RowKind, RowState, SumAnatomy};
use crate::text;
use crate::tui::dump::{DumpCursor, byte};
use crate::tui::wrap;

/// Bytes of a field that are repeated beside its name.
const BYTES: usize = 8;

/// The words on what is taken apart, in lines of so many cells.
pub(super) fn words(
    view: &View<'_>,
    subject: Subject<'_>,
    anatomy: &Anatomy,
    cursor: DumpCursor,
    cells: usize,
) -> Vec<Line<'static>> {
    let theme = view.theme;
    let mut lines = Vec::new();
    let field = anatomy.fields.get(cursor.field);
    lines.extend(field.map(|field| field_line(view, anatomy, field, cells)));
    let mut say = |words: String, style: Style| {
        let broken = wrap::words(&words, cells.saturating_sub(4));
        lines.extend(broken.into_iter().map(|words| Line::styled(format!("   {words}"), style)));
    };
    let (good, bad): (Vec<_>, Vec<_>) = anatomy.sums.iter().partition(|sum| sum.holds());
    // Of those that hold, the one under the cursor is the one that was asked about.
    let (asked, good): (Vec<_>, Vec<_>) = good.into_iter().partition(|sum| anatomy.sum_in(cursor.field) == Some(*sum));
    let told = |sum: &&SumAnatomy| {
        let is_underlined = anatomy.sum_in(cursor.field) == Some(*sum) && !sum.covers.is_empty();
        sum_words(subject, anatomy, sum) + if is_underlined { " (underlined)" } else { "" }
    };
    bad.iter().for_each(|sum| say(told(sum), theme.bad()));
    if let Some(check) = subject.check().filter(|_| bad.is_empty()) {
        say(format!("BAD: {check}"), theme.bad());
    }
    if !view.app.record.is_whole {
        say(format!("its checksums are being computed over {}", text::size(anatomy.len)), theme.notice());
    }
    if anatomy.missing > 0 {
        say(missing(subject, anatomy), theme.bad());
    }
    if let Some(field) = field {
        say(field.field.meaning.to_owned(), theme.plain());
        asked.iter().for_each(|sum| say(told(sum), theme.live()));
        field_numbers(field).into_iter().for_each(|words| say(words, theme.plain()));
        byte_words(anatomy, cursor).into_iter().for_each(|words| say(words, theme.plain()));
        let more = field.len.saturating_sub(field.bytes.len() as u64);
        if more > 0 {
            say(format!("{} more follow and are not shown here", text::size(more)), theme.notice());
        }
    }
    good.iter().for_each(|sum| say(told(sum), theme.live()));
    say(subject.reason(), theme.dim());
    lines
}

/// Bytes that the lengths claim and that are not there.
fn missing(subject: Subject<'_>, anatomy: &Anatomy) -> String {
    let missing = text::size(anatomy.missing);
    match subject {
        Subject::Record(RecordRow { kind: RowKind::Gap, state: RowState::Damaged, .. }) => {
            format!("its lengths claim {missing} more than there are before the next record")
        }
        _ => format!("{missing} that its lengths claim are not in the file"),
    }
}

/// The byte under the cursor in every way that one writes a byte.
fn byte_words(anatomy: &Anatomy, cursor: DumpCursor) -> Option<String> {
    let (byte, _) = byte(anatomy, cursor.at)?;
    let place = anatomy.offset.saturating_add(cursor.at);
    let character = match byte {
        b' ' => "a space".to_owned(),
        _ => text::escape(&[byte]).to_string(),
    };
    Some(format!("byte {place:#x}: hex {byte:02x}, decimal {byte}, binary {byte:08b}, character {character}"))
}

/// `▸ value length  0x6c..0x6f  214 B  d6 00 00 00`, with as many of the bytes as there is room for.
fn field_line(view: &View<'_>, anatomy: &Anatomy, field: &FieldAnatomy, cells: usize) -> Line<'static> {
    let start = anatomy.offset + field.start;
    let range = match field.len {
        0 => "  no bytes".to_owned(),
        1 => format!("  {start:#x}"),
        len => format!("  {start:#x}..{:#x}", start + len - 1),
    };
    let mut line = Line::from(vec![
        Span::styled(" ▸ ", view.theme.key()),
        Span::styled(field.field.name, view.theme.role(field.field.role).patch(view.theme.strong())),
        Span::styled(range, view.theme.dim()),
        Span::styled(format!("  {}", field.value), view.theme.strong()),
    ]);
    let room = cells.saturating_sub(line.width() + 1);
    let mut shown = field.bytes.len().min(BYTES);
    if shown * 3 > room || (shown as u64) < field.len && shown * 3 + 2 > room {
        shown = room.saturating_sub(2) / 3;
    }
    let mut bytes: String = field.bytes.iter().take(shown).map(|byte| format!(" {byte:02x}")).collect();
    if (shown as u64) < field.len {
        bytes.push_str(" …");
    }
    line.push_span(Span::styled(format!(" {bytes}"), view.theme.dim()));
    line
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

fn sum_words(subject: Subject<'_>, anatomy: &Anatomy, sum: &SumAnatomy) -> String {
    let SumAnatomy { stored, computed, covers, .. } = sum;
    let name = sum.sum.field;
    let salt = if sum.sum.salted { ", the file's salt and the offset" } else { "" };
    let over = match covers.is_empty() {
        true => format!("over no bytes{salt}"),
        false => format!("over {:#x}..{:#x}{salt}", covers.start, covers.end.saturating_sub(1)),
    };
    match sum.holds() {
        true => format!("{name} ok: stored and computed {stored:08x} {over}"),
        false if is_cut_short(anatomy, sum) => {
            format!("{name} BAD: stored {stored:08x}, but what is there of its bytes gives {computed:08x}, {over}")
        }
        false => {
            let what = subject.name();
            format!("{name} BAD: stored {stored:08x}, a good {what} would read {computed:08x} {over}")
        }
    }
}

/// Whether bytes that the checksum covers are not there: then nobody knows what a good one would be.
fn is_cut_short(anatomy: &Anatomy, sum: &SumAnatomy) -> bool {
    anatomy.missing > 0 && sum.covers.end >= anatomy.offset.saturating_add(anatomy.len)
}
