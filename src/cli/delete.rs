//! `delete`: keys by name, one after the other, or all keys of a range, which can be looked at first.
//!
//! Nobody deletes a store by a variable that is not set: what would name every key asks for `--all`.

use std::ops::Bound;

use serde::Serialize;

use super::args::Delete;
use super::exit::{Exit, Usage};
use super::output::KeyField;
use super::session::Session;
use super::{words, write};
use crate::store::{Entry, RangeDeleted, Store, prefix_end};
use crate::text;

/// `logkv delete`
pub(super) fn delete(session: &mut Session, args: &Delete) -> anyhow::Result<Exit> {
    match (Range::of(args)?, args.if_tstamp) {
        (Some(range), _) => delete_range(session, &range, args.dry_run),
        (None, Some(tstamp)) => delete_version(session, args, tstamp),
        (None, None) => delete_keys(session, args),
    }
}

/// A failure on the way leaves the earlier keys deleted.
fn delete_keys(session: &mut Session, args: &Delete) -> anyhow::Result<Exit> {
    let keys = words::keys(&args.keys)?;
    let store = session.write(false)?;
    let mut deleted = 0;
    for key in &keys {
        deleted += u64::from(store.delete(key)?.is_some());
    }
    store.close()?;
    told(session, deleted, keys.len() as u64)
}

/// The key, if its value is still the one that was seen.
fn delete_version(session: &mut Session, args: &Delete, tstamp: u64) -> anyhow::Result<Exit> {
    let keys = words::keys(&args.keys)?;
    let [key] = keys.as_slice() else {
        return Err(Usage("--if-tstamp is about one key; delete the others on their own".into()).into());
    };
    let store = session.write(false)?;
    if store.delete_if(key, tstamp)?.is_none() {
        let why = write::refusal(&store, key, Some(tstamp));
        store.close()?;
        return Ok(session.notes.no(&format!("{why}; nothing was deleted")));
    }
    store.close()?;
    told(session, 1, 1)
}

fn told(session: &mut Session, deleted: u64, of: u64) -> anyhow::Result<Exit> {
    if session.out.is_json() {
        session.out.json(&DeleteRow { deleted, of })?;
    } else {
        session.out.line(&format!("deleted {} of {}", text::count(deleted), text::count(of)))?;
    }
    Ok(if deleted == 0 { Exit::No } else { Exit::Yes })
}

#[derive(Serialize)]
struct DeleteRow {
    deleted: u64,
    of: u64,
}

/// All keys from `start` on and before `end`.
struct Range {
    start: Vec<u8>,
    end: Option<Vec<u8>>,
}

impl Range {
    /// The range that was asked for; `None` where keys were named.
    fn of(args: &Delete) -> anyhow::Result<Option<Self>> {
        let key = |word: &Option<std::ffi::OsString>| word.as_deref().map(words::key).transpose();
        let (prefix, start, end) = (key(&args.prefix)?, key(&args.start)?, key(&args.end)?);
        let range = match (prefix, start, end) {
            (Some(prefix), ..) => Self { end: prefix_end(&prefix), start: prefix },
            (None, None, None) if args.all => return Ok(Some(Self { start: Vec::new(), end: None })),
            (None, None, None) => return Ok(None),
            (None, start, end) => Self { start: start.unwrap_or_default(), end },
        };
        if range.start.is_empty() && range.end.is_none() {
            return Err(Usage("that would be every key of the store; say --all if you mean it".into()).into());
        }
        Ok(Some(range))
    }

    fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        (Bound::Included(&self.start), self.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded))
    }
}

fn delete_range(session: &mut Session, range: &Range, dry_run: bool) -> anyhow::Result<Exit> {
    if dry_run {
        return plan(session, range);
    }
    let store = session.write(false)?;
    let done = store.delete_range(range.bounds())?;
    store.close()?;
    sum(session, &done, "deleted")
}

/// What would go, key by key, and how much that is. Like every look it takes no lock.
fn plan(session: &mut Session, range: &Range) -> anyhow::Result<Exit> {
    let store: Store = session.read()?;
    for (key, entry) in store.range(range.bounds()) {
        if session.out.is_json() {
            session.out.json(&PlanRow::new(&key, &entry))?;
        } else {
            session.out.line(&text::key_literal(&key))?;
        }
    }
    let plan = store.delete_range_plan(range.bounds())?;
    sum(session, &plan, "would delete")
}

fn sum(session: &mut Session, done: &RangeDeleted, verb: &str) -> anyhow::Result<Exit> {
    if session.out.is_json() {
        let (keys, bytes, steps) = (done.keys, done.bytes, done.steps);
        session.out.json(&SumRow { action: verb, keys, bytes, steps })?;
    } else {
        session.out.line(&format!(
            "{verb} {}, {} of records",
            text::several(done.keys, "key"),
            text::size(done.bytes)
        ))?;
    }
    Ok(if done.keys == 0 { Exit::No } else { Exit::Yes })
}

#[derive(Serialize)]
struct PlanRow {
    #[serde(flatten)]
    key: KeyField,
    segment: u64,
    offset: u64,
    len: u64,
    tstamp: u64,
}

impl PlanRow {
    fn new(key: &[u8], entry: &Entry) -> Self {
        let at = entry.location;
        Self { key: key.into(), segment: at.segment, offset: at.offset, len: at.len, tstamp: entry.tstamp }
    }
}

#[derive(Serialize)]
struct SumRow<'a> {
    action: &'a str,
    keys: u64,
    bytes: u64,
    steps: u64,
}
