//! `records`: a segment, one line a record. No lock, no byte changed.

use serde::Serialize;

use super::args::Records;
use super::exit::{Exit, Usage};
use super::output::{KeyField, Out, Tone};
use super::session::Session;
use crate::format::SegmentId;
use crate::inspect::{self, RecordRow, RowState};
use crate::store::Store;
use crate::text;

/// `logkv records`
pub(super) fn records(session: &mut Session, args: &Records) -> anyhow::Result<Exit> {
    if args.segment.is_none() && !args.all {
        return Err(Usage(
            "which segment? `logkv records 1` lists the records of segment 1, --all those of all".into(),
        )
        .into());
    }
    let store = session.inspect()?;
    let ids: Vec<SegmentId> = store.segments().iter().map(|info| info.id).collect();
    let wanted: &[SegmentId] = match &args.segment {
        Some(id) if !ids.contains(id) => return Ok(session.notes.no(&no_such_segment(*id, &ids))),
        Some(id) => std::slice::from_ref(id),
        None => &ids,
    };
    head(&mut session.out)?;
    let mut left = args.limit.unwrap_or(usize::MAX);
    for id in wanted {
        left = print(&mut session.out, &store, *id, args.offset.unwrap_or(0), left)?;
    }
    Ok(Exit::Yes)
}

/// What stands above the rows, for people.
pub(super) fn head(out: &mut Out) -> anyhow::Result<()> {
    if out.is_json() {
        return Ok(());
    }
    out.line("  segment       offset         len  kind       crc   state       key")
}

/// Prints at most `left` rows and says how many are left of that.
pub(super) fn print(out: &mut Out, store: &Store, id: SegmentId, from: u64, left: usize) -> anyhow::Result<usize> {
    let mut left = left;
    for row in inspect::records(store, id, from)?.take(left) {
        let row = row?;
        left -= 1;
        if out.is_json() {
            out.json(&Row::from(&row))?;
        } else {
            out.line(&line(out, &row))?;
        }
    }
    Ok(left)
}

/// What to answer where there is no such segment.
pub(super) fn no_such_segment(id: SegmentId, ids: &[SegmentId]) -> String {
    match ids {
        [] => format!("no segment {id}: this store has none yet"),
        [only] => format!("no segment {id}: this store has only segment {only}"),
        [first, .., last] => format!("no segment {id}: this store has {first} to {last}; `logkv segments` lists them"),
    }
}

fn line(out: &Out, row: &RecordRow) -> String {
    let key = match (&row.key, &row.check) {
        (Some(key), None) => text::escape(key).to_string(),
        (Some(key), Some(check)) => format!("{}  ({check})", text::escape(key)),
        (None, Some(check)) => format!("({check})"),
        (None, None) => String::new(),
    };
    let state = out.paint(tone(row.state), &format!("{:<10}", row.state.name()));
    let line = format!(
        "{:>9} {:>12} {:>11}  {:<9}  {:<4}  {state}  {key}",
        row.segment,
        text::count(row.offset),
        text::count(row.len),
        row.kind.name(),
        row.crc.name(),
    );
    line.trim_end().to_owned()
}

/// How a state is coloured.
pub(super) fn tone(state: RowState) -> Tone {
    match state {
        RowState::Live => Tone::Good,
        RowState::Damaged => Tone::Bad,
        RowState::Torn | RowState::Unknown => Tone::Warning,
        RowState::Superseded | RowState::Tombstone | RowState::Expired | RowState::Mark | RowState::Header => {
            Tone::Faint
        }
    }
}

#[derive(Serialize)]
struct Row {
    segment: SegmentId,
    offset: u64,
    len: u64,
    kind: &'static str,
    #[serde(flatten)]
    key: KeyField,
    value_len: Option<u64>,
    stored_len: Option<u64>,
    tstamp: Option<u64>,
    expires_at: Option<u64>,
    codec: Option<&'static str>,
    crc: &'static str,
    state: &'static str,
}

impl From<&RecordRow> for Row {
    fn from(row: &RecordRow) -> Self {
        Self {
            segment: row.segment,
            offset: row.offset,
            len: row.len,
            kind: row.kind.name(),
            key: row.key.as_deref().into(),
            value_len: row.value_len,
            stored_len: row.stored_len,
            tstamp: row.tstamp,
            expires_at: row.expires_at,
            codec: row.codec.map(|codec| codec.name()),
            crc: row.crc.name(),
            state: row.state.name(),
        }
    }
}
