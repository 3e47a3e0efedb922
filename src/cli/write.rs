//! `put`: takes the lock. What was acknowledged is closed properly, so that the next open reads a hint instead of the
//! values.

use serde::Serialize;

use super::args::{Put, Ttl};
use super::exit::Exit;
use super::output::KeyField;
use super::session::Session;
use super::words;
use crate::store::{Condition, Expiry, PutOptions, Store, Written, check_limits};
use crate::text;

/// `logkv put`
pub(super) fn put(session: &mut Session, args: &Put) -> anyhow::Result<Exit> {
    let key = words::key(&args.key)?;
    let value = words::value(args.value.as_deref(), &session.notes)?;
    // Before a missing directory is made for something that cannot be written to it.
    check_limits(&key, value.len() as u64)?;
    let store = session.write(true)?;
    let Some(written) = store.put_with(&key, &value, &options(args))? else {
        let why = refusal(&store, &key, args.if_tstamp);
        store.close()?;
        return Ok(session.notes.no(&format!("{why}; nothing was written")));
    };
    store.close()?;
    report(session, &key, &written)?;
    Ok(Exit::Yes)
}

fn options(args: &Put) -> PutOptions {
    let condition = match args.if_tstamp {
        Some(tstamp) => Condition::Tstamp(tstamp),
        None if args.if_absent => Condition::Absent,
        None => Condition::Always,
    };
    PutOptions { expiry: args.ttl.map_or(Expiry::Default, Ttl::expiry), condition }
}

/// Why a condition did not hold.
pub(super) fn refusal(store: &Store, key: &[u8], if_tstamp: Option<u64>) -> String {
    let key_word = text::key_word(key);
    match (if_tstamp, store.entry(key)) {
        (None, _) => format!("{key_word} has a value already"),
        (Some(_), None) => format!("{key_word} has no value"),
        (Some(_), Some(entry)) => format!("{key_word} has another value by now, with tstamp {}", entry.tstamp),
    }
}

/// A put that worked is silent, as cp is.
fn report(session: &mut Session, key: &[u8], written: &Written) -> anyhow::Result<()> {
    let at = written.location;
    if session.out.is_json() {
        let row =
            PutRow { key: key.into(), segment: at.segment, offset: at.offset, len: at.len, tstamp: written.tstamp };
        return session.out.json(&row);
    }
    if session.notes.verbose {
        let key = text::key_word(key);
        let line = format!("{key}  segment {} offset {} len {}", at.segment, at.offset, at.len);
        return session.out.line(&line);
    }
    Ok(())
}

#[derive(Serialize)]
struct PutRow {
    #[serde(flatten)]
    key: KeyField,
    segment: u64,
    offset: u64,
    len: u64,
    tstamp: u64,
}
