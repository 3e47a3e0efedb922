//! The interface without a terminal: keys in, screen text out, on a simulated disk.
//!
//! `UPDATE_GOLDENFILES=1 cargo test --test tui` writes the screens of `tests/scripts/tui` anew.
#![cfg(feature = "tui")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at the first surprise")]
#![allow(unreachable_pub, reason = "the modules of a test are its own")]

mod support;

#[path = "tui/behaviour.rs"]
mod behaviour;
#[path = "tui/coverage.rs"]
mod coverage;
#[path = "tui/crop.rs"]
mod crop;
#[path = "tui/following.rs"]
mod following;
#[path = "tui/hostile.rs"]
mod hostile;
#[path = "tui/merging.rs"]
mod merging;
#[path = "tui/picture.rs"]
mod picture;
#[path = "tui/records.rs"]
mod records;
#[path = "tui/screen.rs"]
mod screen;
#[path = "tui/scripts.rs"]
mod scripts;
#[path = "tui/stores.rs"]
mod stores;
#[path = "tui/values.rs"]
mod values;
#[path = "tui/walk.rs"]
mod walk;
#[path = "tui/wire.rs"]
mod wire;
