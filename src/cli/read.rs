//! `get` and `list`: answers from the keydir and the values behind it. No lock, no byte changed.

use std::ops::Bound;

use serde::Serialize;

use super::args::{Get, List};
use super::exit::Exit;
use super::output::{KeyField, Out, ValueField};
use super::session::Session;
use super::words;
use crate::error::{Error, Result};
use crate::store::{Answer, Entry, Scan, Store, prefix_end};
use crate::text;

/// `logkv get`: every key is answered, whatever became of the others.
pub(super) fn get(session: &mut Session, args: &Get) -> anyhow::Result<Exit> {
    let keys = words::keys(&args.keys)?;
    let looked_up = session.look_up(&keys)?;
    let style = Style { raw: args.raw || !session.out.is_terminal(), lines: keys.len() > 1 };
    let mut exit = Exit::Yes;
    for (key, found) in keys.iter().zip(looked_up.answers) {
        exit = exit.max(answer(session, style, key, found)?);
    }
    if session.notes.verbose {
        let opened = || "the whole store was opened".to_owned();
        session.notes.hint(&looked_up.effort.map_or_else(opened, |effort| effort.to_string()));
    }
    Ok(exit)
}

/// How values are printed as text.
#[derive(Clone, Copy)]
struct Style {
    /// As they are, not escaped.
    raw: bool,
    /// A line each.
    lines: bool,
}

fn answer(session: &mut Session, style: Style, key: &[u8], answer: Result<Answer>) -> anyhow::Result<Exit> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return failed(session, key, error),
    };
    if answer.suspect {
        session.notes.warn(&format!(
            "damage elsewhere in the store may hide a newer version of {}; `logkv verify` lists it",
            text::key_word(key)
        ));
    }
    let found = answer.found.is_some();
    if session.out.is_json() {
        session.out.json(&GetRow::new(key, answer))?;
    } else if let Some(value) = answer.value() {
        print(&mut session.out, style, value)?;
    }
    Ok(if found { Exit::Yes } else { session.notes.no(&format!("not found: {}", text::key_word(key))) })
}

fn print(out: &mut Out, style: Style, value: &[u8]) -> anyhow::Result<()> {
    if !style.raw {
        return out.line(&text::escape(value).to_string());
    }
    out.raw(value)?;
    if style.lines { out.raw(b"\n") } else { Ok(()) }
}

/// One key's failure is told, and the others are still answered; only what would fail for every key ends the command.
fn failed(session: &mut Session, key: &[u8], error: Error) -> anyhow::Result<Exit> {
    let exit = Exit::of_store(&error);
    if exit != Exit::Damaged {
        return Err(error.into());
    }
    if session.out.is_json() {
        session.out.json(&DamagedRow::new(key, &error))?;
    }
    session.notes.error(&anyhow::anyhow!("{}: {error}", text::key_word(key)));
    Ok(exit)
}

#[derive(Serialize)]
struct GetRow {
    #[serde(flatten)]
    key: KeyField,
    found: bool,
    #[serde(flatten)]
    value: ValueField,
    segment: Option<u64>,
    offset: Option<u64>,
    len: Option<u64>,
    tstamp: Option<u64>,
    expires_at: Option<u64>,
    suspect: bool,
}

impl GetRow {
    fn new(key: &[u8], answer: Answer) -> Self {
        let entry = answer.found.as_ref().map(|found| found.entry);
        Self {
            key: key.into(),
            found: entry.is_some(),
            segment: entry.map(|entry| entry.location.segment),
            offset: entry.map(|entry| entry.location.offset),
            len: entry.map(|entry| entry.location.len),
            tstamp: entry.map(|entry| entry.tstamp),
            expires_at: entry.and_then(|entry| entry.expires_at),
            suspect: answer.suspect,
            value: answer.into_value().into(),
        }
    }
}

#[derive(Serialize)]
struct DamagedRow {
    #[serde(flatten)]
    key: KeyField,
    error: String,
    segment: Option<u64>,
    offset: Option<u64>,
}

impl DamagedRow {
    fn new(key: &[u8], error: &Error) -> Self {
        let place = match error {
            Error::Damaged { segment, offset, .. } => Some((*segment, *offset)),
            _ => None,
        };
        Self {
            key: key.into(),
            error: error.to_string(),
            segment: place.map(|(segment, _)| segment),
            offset: place.map(|(_, offset)| offset),
        }
    }
}

/// `logkv list`
pub(super) fn list(session: &mut Session, args: &List) -> anyhow::Result<Exit> {
    let prefix = args.prefix.as_deref().map(words::key).transpose()?.unwrap_or_default();
    let after = args.after.as_deref().map(words::key).transpose()?;
    let store = session.read()?;
    for (key, entry) in keys(&store, &prefix, after.as_deref()).take(args.limit.unwrap_or(usize::MAX)) {
        if session.out.is_json() {
            session.out.json(&ListRow::new(&key, &entry, &store))?;
        } else if session.notes.verbose {
            session.out.line(&verbose_line(&key, &entry, &store))?;
        } else {
            // Keys are escaped in a pipe too: a line is a key, and each can be given back to `get` as it stands.
            session.out.line(&text::key_literal(&key))?;
        }
    }
    session.warn_of_damage(&store);
    Ok(Exit::Yes)
}

/// The live keys with this prefix that come after a key, in byte order.
fn keys(store: &Store, prefix: &[u8], after: Option<&[u8]>) -> Scan {
    let start = match after {
        Some(after) if after >= prefix => Bound::Excluded(after),
        _ => Bound::Included(prefix),
    };
    let end = prefix_end(prefix);
    store.range((start, end.as_deref().map_or(Bound::Unbounded, Bound::Excluded)))
}

fn verbose_line(key: &[u8], entry: &Entry, store: &Store) -> String {
    let key = text::key_literal(key);
    let at = entry.location;
    format!(
        "{key}  {}  segment {} offset {} len {}  {}",
        store.value_len(entry).map_or_else(|_| "unreadable".to_owned(), text::size),
        at.segment,
        at.offset,
        at.len,
        text::timestamp(entry.tstamp)
    )
}

#[derive(Serialize)]
struct ListRow {
    #[serde(flatten)]
    key: KeyField,
    segment: u64,
    offset: u64,
    len: u64,
    /// `null` where the file does not tell it.
    value_len: Option<u64>,
    tstamp: u64,
    expires_at: Option<u64>,
}

impl ListRow {
    fn new(key: &[u8], entry: &Entry, store: &Store) -> Self {
        Self {
            key: key.into(),
            segment: entry.location.segment,
            offset: entry.location.offset,
            len: entry.location.len,
            value_len: store.value_len(entry).ok(),
            tstamp: entry.tstamp,
            expires_at: entry.expires_at,
        }
    }
}
