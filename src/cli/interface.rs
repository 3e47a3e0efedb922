//! `logkv [PATH]`: which directory or segment file the interface opens, and what to say where it cannot.

use std::path::{Path, PathBuf};

use super::exit::{Exit, Usage};
use super::nearest;
use super::place::is_missing;
use super::session::Session;
use crate::store::Options;
use crate::text;

/// Opens the interface on the one path given, or on `--dir`.
pub(super) fn run(session: &mut Session, paths: &[PathBuf]) -> anyhow::Result<Exit> {
    let dir = match paths {
        [] => session.global.dir.clone(),
        [path] => path.clone(),
        [first, ..] => return Err(several(first).into()),
    };
    if !paths.is_empty() && !session.global.create && is_missing(&dir) {
        return Err(unknown(&dir).into());
    }
    session.need_terminal()?;
    let options = session.options();
    open(session, &dir, options)
}

/// Words that clap could not tell from paths: a misspelled command with its arguments, or a directory too many.
fn several(first: &Path) -> Usage {
    if is_missing(first) {
        return unknown(first);
    }
    let path = text::path(first);
    Usage(format!("one path at a time; a command on it is `logkv -d {path} COMMAND`"))
}

/// A word that is neither a command nor an existing path.
fn unknown(word: &Path) -> Usage {
    let meant = [
        word.to_str().and_then(nearest::command).map(|name| format!("the command `{name}`")),
        nearest::path(word).map(|path| format!("the path `{}`", text::escape_str(&path))),
    ];
    let meant: Vec<String> = meant.into_iter().flatten().collect();
    let advice = if meant.is_empty() {
        "`logkv --help` lists the commands, and --create makes an empty store at a path".to_owned()
    } else {
        format!("did you mean {}?", meant.join(" or "))
    };
    Usage(format!("{} is neither a command nor an existing path: {advice}", text::path(word)))
}

#[cfg(feature = "tui")]
pub(super) fn open(session: &mut Session, dir: &Path, options: Options) -> anyhow::Result<Exit> {
    let settings = crate::tui::Settings {
        read_only: session.global.read_only,
        mouse: !session.global.no_mouse,
        ascii: session.global.ascii,
        color: super::output::wants_color(session.global.color, true),
        ..Default::default()
    };
    crate::tui::run(dir.to_owned(), options, settings)?;
    Ok(Exit::Yes)
}

#[cfg(not(feature = "tui"))]
pub(super) fn open(_: &mut Session, _: &Path, _: Options) -> anyhow::Result<Exit> {
    Err(Usage("this logkv was built without the interface; `logkv --help` lists the commands".into()).into())
}
