//! The real program, as a shell runs it: sessions that can be read as an introduction, and the contract with scripts.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

#[path = "cli/bench.rs"]
mod bench;
#[path = "cli/contract.rs"]
mod contract;
#[path = "cli/looking.rs"]
mod looking;
#[path = "cli/manual.rs"]
mod manual;
#[path = "cli/moving.rs"]
mod moving;
#[path = "cli/program.rs"]
mod program;
#[path = "cli/sessions.rs"]
mod sessions;
