//! What goes to the clipboard: the key, the value, the bytes of the record, or its place.
//!
//! Invariant: nothing that a terminal or a shell would obey: what is not plain text goes as the letters that the command
//! line takes for it.

use crate::text;
use crate::tui::action::Part;
use crate::tui::app::{App, Lead, Tone};
use crate::tui::dump::held;
use crate::tui::effect::Effect;

/// Bytes that terminals take for their clipboard; beyond that many drop all of it without a word.
const MOST: usize = 64 << 10;
/// Cells of the text that the answer repeats.
const SHOWN: usize = 60;

/// Copies a part of what is selected, or says why not.
pub(super) fn copy(app: &mut App, part: Part) -> Vec<Effect> {
    match taken(app, part) {
        Ok(copied) if copied.len() > MOST => {
            let long = text::size(copied.len() as u64);
            app.say(
                Tone::Bad,
                format!("{long} are more than the clipboard of a terminal takes; logkv get prints them"),
            );
            Vec::new()
        }
        Ok(copied) => {
            let shown = match part {
                Part::Key => text::escape_to_width(key(app).unwrap_or_default(), SHOWN).text,
                Part::Value => text::escape_to_width(value(app).unwrap_or_default(), SHOWN).text,
                Part::Record | Part::Place => text::escape_to_width(copied.as_bytes(), SHOWN).text,
            };
            app.say(Tone::Plain, format!("copied {shown}, if the terminal lets programs use the clipboard"));
            vec![Effect::Copy(copied)]
        }
        Err(why) => {
            app.say(Tone::Bad, why);
            Vec::new()
        }
    }
}

fn taken(app: &App, part: Part) -> Result<String, &'static str> {
    match part {
        Part::Key => key(app).map(text::key_word).ok_or("there is no key to copy"),
        Part::Value => value(app).map(value_text),
        Part::Record => record(app),
        Part::Place => {
            let row = app.records.row().ok_or("there is no record to copy the place of")?;
            Ok(format!("{} {}", row.segment, row.offset))
        }
    }
}

fn key(app: &App) -> Option<&[u8]> {
    match app.lead {
        Lead::Keys => app.keys.selected.as_deref(),
        Lead::Segments | Lead::Records => app.records.row().and_then(|row| row.key.as_deref()),
    }
}

fn value(app: &App) -> Result<&[u8], &'static str> {
    let part = app.value.part().ok_or("there is no value to copy")?;
    let value = &part.bytes;
    if (value.len() as u64) < part.whole || value.len() > MOST {
        return Err("the value is more than the clipboard of a terminal takes; logkv get prints it");
    }
    Ok(value)
}

/// As it is, if it is text; else as a literal.
fn value_text(value: &[u8]) -> String {
    let stands_for_itself = |piece: &str| text::escape_str(piece).to_string() == piece;
    let is_plain = |text: &&str| text.split(['\n', '\t', '\\']).all(stands_for_itself);
    std::str::from_utf8(value).ok().filter(is_plain).map_or_else(|| text::value_literal(value), str::to_owned)
}

/// In hexadecimal.
fn record(app: &App) -> Result<String, &'static str> {
    let Some(Ok(anatomy)) = &app.record.anatomy else { return Err("show the record first: 3") };
    if (held(anatomy) as u64) < anatomy.len {
        return Err("the record is more than the clipboard of a terminal takes; logkv dump prints it");
    }
    let bytes = anatomy.fields.iter().flat_map(|field| &field.bytes);
    Ok(bytes.map(|byte| format!("{byte:02x}")).collect())
}
