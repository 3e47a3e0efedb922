//! `demo`: the interface on a store made for it, so that a newcomer has something to look at within a second.

use std::path::Path;

use anyhow::{Context, bail};

use super::args::Demo;
use super::exit::Exit;
use super::interface;
use super::session::Session;
use crate::sample;
use crate::store::{Options, Store};
use crate::text;

/// `logkv demo`
pub(super) fn demo(session: &mut Session, args: &Demo) -> anyhow::Result<Exit> {
    match &args.keep {
        Some(dir) => keep(session, dir),
        None => scratch(session),
    }
}

/// In a directory of the system's for temporary things, gone with the end of the program.
fn scratch(session: &mut Session) -> anyhow::Result<Exit> {
    session.need_terminal().context("the demo needs a terminal; logkv demo --keep DIR makes its store without one")?;
    let scratch = tempfile::Builder::new().prefix("logkv-demo-").tempdir()?;
    let dir = scratch.path().join("demo");
    fill(&dir)?;
    interface::open(session, &dir, options(session))
}

/// Where the caller wants it, for scripts and for a second look.
fn keep(session: &mut Session, dir: &Path) -> anyhow::Result<Exit> {
    if dir.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty; --keep makes the sample store in a new directory", text::path(dir));
    }
    let figures = fill(dir)?;
    if session.has_terminal() {
        return interface::open(session, dir, options(session));
    }
    session.out.line(&figures)?;
    session.notes.hint(&format!("on a terminal, `logkv {}` opens the interface on it", text::path(dir)));
    Ok(Exit::Yes)
}

/// Small segments as the sample has them, but writes as safe as the command line says.
fn options(session: &Session) -> Options {
    Options { max_segment_bytes: sample::options().max_segment_bytes, ..session.options() }
}

/// Makes the store and says what is in it.
fn fill(dir: &Path) -> anyhow::Result<String> {
    let store = Store::open(dir, sample::options())?;
    let done = sample::fill(&store)?;
    let stats = store.stats();
    store.close()?;
    Ok(format!(
        "{}: {} puts, {} of them over an older value, and {} deletes left {} keys in {} segments",
        text::path(dir),
        text::count(done.puts),
        text::count(done.overwrites),
        text::count(done.deletes),
        text::count(stats.keys),
        text::count(stats.segments),
    ))
}
