//! `put` and `delete`: the only commands here that take the lock. What was acknowledged is closed properly, so that the
//! next open reads a hint instead of the values.

use serde::Serialize;

use super::args::{Delete, Put};
use super::exit::Exit;
use super::output::KeyField;
use super::session::Session;
use super::words;
use crate::store::{Condition, Expiry, PutOptions, Written, check_limits};
use crate::text;

/// `logkv put`
pub(super) fn put(session: &mut Session, args: &Put) -> anyhow::Result<Exit> {
    let key = words::key(&args.key)?;
    let value = words::value(args.value.as_deref(), &session.notes)?;
    // Before a missing directory is made for something that cannot be written to it.
    check_limits(&key, value.len() as u64)?;
    let store = session.write(true)?;
    let written = store.put_with(&key, &value, &options(args))?;
    store.close()?;
    let Some(written) = written else {
        return Ok(session.notes.no(&format!("{} has a value already; nothing was written", text::key_word(&key))));
    };
    report(session, &key, &written)?;
    Ok(Exit::Yes)
}

fn options(args: &Put) -> PutOptions {
    PutOptions {
        expiry: args.ttl.map_or(Expiry::Default, Expiry::After),
        condition: if args.if_absent { Condition::Absent } else { Condition::Always },
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

/// `logkv delete`: one key after the other. A failure on the way leaves the earlier ones deleted.
pub(super) fn delete(session: &mut Session, args: &Delete) -> anyhow::Result<Exit> {
    let keys = words::keys(&args.keys)?;
    let store = session.write(false)?;
    let mut deleted = 0;
    for key in &keys {
        deleted += u64::from(store.delete(key)?.is_some());
    }
    store.close()?;
    let of = keys.len() as u64;
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
