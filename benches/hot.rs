//! The functions that most of the time goes into, each by itself: `cargo bench --bench hot`, or a part of it by name as
//! in `cargo bench --bench hot -- get`.
//!
//! To see whether a change makes one of them slower, before and after it on one machine. How the whole compares with
//! other stores and with the machine, `benches/peers` tells.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(unreachable_pub, reason = "the modules of a benchmark are its own")]

#[path = "hot/bytes.rs"]
mod bytes;
#[path = "hot/stores.rs"]
mod stores;

fn main() {
    divan::main();
}
