//! The house keeps its shape: dependencies point one way, platform calls stay behind their doors, and every file says what
//! it is for. Reads the sources as text, so that nothing needs to be built with a feature to be checked.
//!
//! Each rule is proved on made-up sources below it: a rule that cannot fail keeps nothing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;

#[path = "layers/reading.rs"]
mod reading;

use reading::{Source, module_path, paths, root_names, sources, test_modules};

/// The layers, lowest first. What stands on one line may not use each other; everything may use the lines above.
///
/// `error` stands above `format` because its words name a segment and the check that failed; `cli` stands above the
/// other faces because it opens them.
const LAYERS: &[&[&str]] = &[
    &["text", "primitives"],
    &["format"],
    &["error"],
    &["disk"],
    &["store"],
    &["inspect", "value", "transfer", "sample"],
    &["learn"],
    &["tui", "http"],
    &["cli"],
    &["main"],
];

/// Where calls of the operating system and of the terminal are at home.
const PLATFORM_HOMES: &[&str] = &["disk/real.rs", "disk/real/", "tui/mod.rs", "cli/interrupt.rs"];

/// What counts as such a call. The event types of crossterm are plain data and may be read anywhere in the interface.
const PLATFORM_PATHS: &[&str] = &[
    "rustix",
    "libc",
    "signal_hook",
    "std::os",
    "crossterm::terminal",
    "crossterm::cursor",
    "crossterm::execute",
    "crossterm::queue",
    "crossterm::style",
    "crossterm::event::read",
    "crossterm::event::poll",
    "crossterm::event::Enable",
    "crossterm::event::Disable",
];

/// The part of the interface that is plain data and pure functions.
const PURE: &[&str] = &["tui/app", "tui/update", "tui/action"];

// ---- The rules ------------------------------------------------------------------------------------------------------

fn layer_faults(sources: &[Source]) -> Vec<String> {
    let roots = root_names(sources);
    let mut faults = BTreeSet::new();
    for source in sources.iter().filter(|source| source.path != "lib.rs") {
        let own = module_path(&source.path);
        let Some(rank) = rank(&own[0]) else {
            faults.insert(format!("{}: has no place among the layers", source.path));
            continue;
        };
        for used in paths(&source.text).iter().filter_map(|path| outside(path, own.len())) {
            let used = roots.get(used).map_or(used, String::as_str);
            if used != own[0] && self::rank(used).is_none_or(|used| used >= rank) {
                faults.insert(format!("{}: uses {used}, which is not below it", source.path));
            }
        }
    }
    Vec::from_iter(faults)
}

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|line| line.contains(&layer))
}

/// The layer that a path names, if it leads out of the module that it stands in, `depth` steps below the root.
fn outside(path: &str, depth: usize) -> Option<&str> {
    let mut steps = path.split("::").peekable();
    if matches!(steps.peek(), Some(&"crate" | &"logkv")) {
        return steps.nth(1);
    }
    let mut climbed = 0;
    while steps.next_if_eq(&"super").is_some() {
        climbed += 1;
    }
    if climbed >= depth { steps.next() } else { None }
}

fn platform_faults(sources: &[Source]) -> Vec<String> {
    let outside = sources.iter().filter(|source| !PLATFORM_HOMES.iter().any(|home| source.path.starts_with(home)));
    let calls = |path: &String| PLATFORM_PATHS.iter().any(|call| path.starts_with(call));
    outside
        .flat_map(|source| paths(&source.text).into_iter().filter(calls).map(|path| format!("{}: {path}", source.path)))
        .collect()
}

fn pure_faults(sources: &[Source]) -> Vec<String> {
    let pure = sources.iter().filter(|source| PURE.iter().any(|start| source.path.starts_with(start)));
    pure.filter(|source| paths(&source.text).iter().any(|path| path.split("::").next() == Some("ratatui")))
        .map(|source| format!("{}: names ratatui", source.path))
        .collect()
}

fn opening_faults(sources: &[Source]) -> Vec<String> {
    let silent = sources.iter().filter(|source| !source.text.starts_with("//! "));
    silent.map(|source| format!("{}: does not open with what it is for", source.path)).collect()
}

// ---- The rules hold -------------------------------------------------------------------------------------------------

#[test]
fn dependencies_point_one_way() {
    assert_eq!(layer_faults(&sources()), [""; 0]);
}

#[test]
fn platform_calls_stay_behind_their_doors() {
    assert_eq!(platform_faults(&sources()), [""; 0]);
}

#[test]
fn the_state_of_the_interface_knows_no_widgets() {
    assert_eq!(pure_faults(&sources()), [""; 0]);
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    assert_eq!(opening_faults(&sources()), [""; 0]);
}

// ---- The rules can fail ---------------------------------------------------------------------------------------------

fn source(path: &str, text: &str) -> Source {
    Source { path: path.into(), text: text.into() }
}

#[test]
fn looking_up_is_a_fault_however_it_is_spelled() {
    let spellings = [
        "use crate::store::Store;",
        "use crate::{text, store::{Store, Options}};",
        "use super::super::store;",
        "fn f() -> crate::store::Store { todo!() }",
        "fn f() { crate :: store :: open() }",
        "use crate::Store;",
        "use crate::store as engine;",
        "use crate::{format::{self as f, Record}, store::*};",
        "const QUOTE: char = '\"'; use crate::store; const OTHER: char = '\"';",
    ];
    for spelling in spellings {
        let sources = [source("lib.rs", "pub use store::{Options, Store};"), source("disk/sim.rs", spelling)];
        assert_eq!(layer_faults(&sources), ["disk/sim.rs: uses store, which is not below it"], "{spelling}");
    }
}

#[test]
fn looking_down_or_within_the_layer_is_no_fault() {
    let allowed = [
        "use crate::format::Record; use super::ReadDisk; use crate::{error::Error, text};",
        "use crate::Error; use super::super::text;",
        "pub(crate) fn f() {} pub(in crate::disk) fn g() {}",
        "//! See [`crate::store`].\nfn f() { g(\"crate::store\") } // crate::store",
        "fn f() {}\n#[cfg(test)]\nmod tests {\n use crate::store::Store; }",
    ];
    for text in allowed {
        let sources = [source("lib.rs", "pub use error::{Error, Result};"), source("disk/sim.rs", text)];
        assert_eq!(layer_faults(&sources), [""; 0], "{text}");
    }
}

#[test]
fn neighbours_do_not_use_each_other_and_strangers_have_no_place() {
    assert_eq!(layer_faults(&[source("value/mod.rs", "use crate::inspect;")]).len(), 1);
    assert_eq!(layer_faults(&[source("util.rs", "")]), ["util.rs: has no place among the layers"]);
    assert_eq!(layer_faults(&[source("main.rs", "fn main() { logkv::cli::main() }")]), [""; 0]);
}

#[test]
fn a_platform_call_outside_its_door_is_a_fault() {
    let calls = [
        "use rustix::fs::OFlags;",
        "use std::os::unix::fs::FileExt;",
        "use std::{io, os::fd::AsFd};",
        "use crossterm::{event::KeyEvent, terminal::enable_raw_mode};",
        "fn f() { crossterm::event::read(); }",
        "use crossterm::event::{self, KeyCode, read};",
        "use signal_hook::consts::SIGTERM;",
    ];
    for call in calls {
        assert_eq!(platform_faults(&[source("store/lock.rs", call)]).len(), 1, "{call}");
        assert_eq!(platform_faults(&[source("disk/real/unix.rs", call)]), [""; 0], "{call}");
    }
    assert_eq!(platform_faults(&[source("tui/keymap.rs", "use crossterm::event::{KeyCode, KeyEvent};")]), [""; 0]);
}

#[test]
fn a_widget_in_the_state_is_a_fault() {
    let text = "use std::fmt; use ratatui::layout::Rect;";
    assert_eq!(pure_faults(&[source("tui/app.rs", text)]).len(), 1);
    assert_eq!(pure_faults(&[source("tui/update/keys.rs", text)]).len(), 1);
    assert_eq!(pure_faults(&[source("tui/view/mod.rs", text)]), [""; 0]);
}

#[test]
fn a_silent_file_is_a_fault() {
    assert_eq!(opening_faults(&[source("text.rs", "use std::fmt;")]).len(), 1);
    assert_eq!(opening_faults(&[source("text.rs", "//! Words for people.")]), [""; 0]);
}

#[test]
fn files_that_are_only_tests_are_told_from_others() {
    let found = test_modules(&source("store/mod.rs", "mod open;\n#[cfg(test)]\nmod crash_tests;\n"));
    assert_eq!(found, ["store/crash_tests.rs", "store/crash_tests/"]);
}
