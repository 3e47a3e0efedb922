//! From a record to others like it, through all segments, and to the keydir's entry of its key.
//!
//! What is found is selected only if nobody asked for something else meanwhile.

use std::sync::Arc;

use crate::format::SegmentId;
use crate::inspect::Sought;
use crate::store::Entry;
use crate::text;
use crate::tui::action::{Progress, SeekSeen, Target};
use crate::tui::app::{App, Lead, Pane, Tone};
use crate::tui::effect::{Effect, LookUpWanted, SeekWanted};

use super::records::show_record;
use super::verbs::focus;
use super::{follow, keys};

/// Cells that a key takes in an answer.
const KEY_CELLS: usize = 40;

/// A record to start from.
struct Here {
    /// Segment and offset.
    place: (SegmentId, u64),
    key: Option<Arc<[u8]>>,
}

/// The record that is selected; of a hint's entry, the one that it points at.
fn selected(app: &App) -> Option<Here> {
    let segment = app.records.segment?;
    let (offset, key) = match &app.records.hint {
        Some(hint) => {
            let row = hint.row()?;
            (row.points_at.as_ref().map_or(0, |place| place.start), row.key.as_deref())
        }
        None => app.records.row().map(|row| (row.offset, row.key.as_deref()))?,
    };
    Some(Here { place: (segment, offset), key: key.map(Arc::from) })
}

/// Looks for the next or previous one of a kind.
pub(super) fn seek(app: &mut App, target: Target, forward: bool) -> Vec<Effect> {
    let Some(Here { place: from, key }) = selected(app) else { return Vec::new() };
    let sought = match (target, key) {
        (Target::Version, Some(key)) => Sought::Version(key.to_vec()),
        (Target::Version, None) => {
            app.say(Tone::Plain, "there is no key here whose versions could be looked for");
            return Vec::new();
        }
        (Target::Tombstone, _) => Sought::Tombstone,
        (Target::Damage, _) => Sought::Damage,
    };
    let wanted = SeekWanted { from, forward, sought };
    follow::moved(app);
    app.said = None;
    app.records.sought = Some(wanted.clone());
    vec![Effect::Seek(wanted)]
}

pub(super) fn progress(app: &mut App, wanted: &SeekWanted, progress: Progress) {
    if app.records.sought.as_ref() == Some(wanted) {
        app.records.seeking = Some(progress);
    }
}

/// Stops looking; says whether anybody did.
pub(super) fn stop(app: &mut App) -> Option<Effect> {
    app.records.seeking = None;
    app.records.sought.take().map(|_| Effect::StopSeek)
}

pub(super) fn sought(app: &mut App, seen: SeekSeen) {
    if app.records.sought.as_ref() != Some(&seen.wanted) {
        return;
    }
    (app.records.sought, app.records.seeking) = (None, None);
    let SeekWanted { forward, sought, .. } = &seen.wanted;
    let way = if *forward { "next" } else { "previous" };
    match seen.found {
        Err(e) => app.say(Tone::Bad, e),
        Ok(None) => app.say(Tone::Plain, format!("there is no {}", other(sought))),
        Ok(Some(found)) => {
            app.records.hint = None;
            focus(app, Pane::Records);
            show_record(app, found.segment, Some(found.offset));
            let around = match (found.wrapped, forward) {
                (false, _) => "",
                (true, true) => ", around the end of the last segment",
                (true, false) => ", around the start of the first segment",
            };
            let place = format!("segment {} @ {}", found.segment, text::count(found.offset));
            app.say(Tone::Plain, format!("{way} {}: {place}{around}", one(sought)));
        }
    }
}

fn one(sought: &Sought) -> &'static str {
    match sought {
        Sought::Version(_) => "version of this key",
        Sought::Tombstone => "tombstone",
        Sought::Damage => "damage",
    }
}

fn other(sought: &Sought) -> &'static str {
    match sought {
        Sought::Version(_) => "other version of this key on disk",
        Sought::Tombstone => "other tombstone",
        Sought::Damage => "other damage",
    }
}

/// Asks where the keydir points for the key of the selected record.
pub(super) fn look_up(app: &mut App) -> Vec<Effect> {
    match selected(app) {
        Some(Here { place: from, key: Some(key) }) => vec![Effect::LookUp(LookUpWanted { key, from })],
        _ => {
            app.say(Tone::Plain, "there is no key here that the keydir could know");
            Vec::new()
        }
    }
}

/// Selects the key in the keydir; the record list stays where it is.
pub(super) fn looked_up(app: &mut App, wanted: LookUpWanted, entry: Option<Entry>) -> Vec<Effect> {
    if selected(app).is_none_or(|here| here.place != wanted.from) {
        return Vec::new();
    }
    let key = match &*wanted.key {
        [] => "the empty key".to_owned(),
        key => text::escape_to_width(key, KEY_CELLS).text,
    };
    let Some(entry) = entry else {
        app.say(Tone::Plain, format!("the keydir has no entry of {key}: it was deleted, expired or never loaded"));
        return Vec::new();
    };
    follow::moved(app);
    let effects = keys::select(app, wanted.key);
    app.lead = Lead::Keys;
    focus(app, Pane::Keydir);
    app.records.pinned = true;
    let at = entry.location;
    app.say(
        Tone::Plain,
        match (at.segment, at.offset) == wanted.from {
            true => format!("the keydir points at this record of {key}"),
            false => {
                format!("the keydir points elsewhere for {key}: segment {} @ {}", at.segment, text::count(at.offset))
            }
        },
    );
    effects
}
