//! How fast the interface is on a large store, in the process and through a pseudo-terminal: `cargo bench --bench
//! interface`.
//!
//! It makes a store of `LOGKV_BENCH_KEYS` keys (default 1,000,000) in a temporary directory, or takes the directory in
//! `LOGKV_BENCH_DIR` (made there and kept, if there is none), and a store of one segment with `LOGKV_BENCH_RECORDS` records
//! (default 1,000,000; 20,000,000 are 2 GiB). It prints what it measured beside what is aimed at, with the machine named.
//! Nothing here is a test: a figure that misses its goal is printed as that, and the program ends well.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(unreachable_pub, reason = "the modules of a benchmark are its own")]

#[path = "interface/desk.rs"]
mod desk;
#[path = "interface/figures.rs"]
mod figures;
#[path = "interface/machine.rs"]
mod machine;
#[path = "interface/program.rs"]
mod program;
#[path = "interface/store.rs"]
mod store;

/// The terminal: columns and rows.
const SIZE: (u16, u16) = (200, 60);

fn main() {
    let store = store::Measured::from_environment();
    println!("machine  {}, load {} at first", machine::name(), machine::load());
    {
        let before = machine::own_bytes(std::process::id());
        let one = store::one_segment();
        figures::heading("a long segment, 200x60, without a terminal");
        desk::records(one.path(), before, store::records() >= store::THOROUGH);
    }
    println!("\nstore    {}", store.description);
    let thorough = store.keys >= store::THOROUGH;
    figures::heading("in the process, 200x60, without a terminal");
    desk::measure(store.dir(), thorough);
    if cfg!(unix) {
        figures::heading("the program in a pseudo-terminal, 200x60");
        program::measure(&store, thorough);
    }
    println!("\nload {} at last", machine::load());
}
