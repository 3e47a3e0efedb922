//! The promises on the machine's own kernel: processes killed at each of their calls, calls that fail, disks that are full,
//! power that is cut.
//!
//! ```text
//! cargo test --test kernel                                     a sample of all but power cuts, in seconds
//! LOGKV_KERNEL=full cargo test --test kernel -- --nocapture    every call of the workloads; prints how many
//! LOGKV_POWER_CYCLES=300 cargo test --test kernel power -- --nocapture    so many power cuts, as root
//! ```
//!
//! The simulated disk of `crash.rs` and `faults.rs` knows the same rules, but from us; here nobody is taken at his word. What
//! a machine does not permit is skipped with a message.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]
#![allow(unreachable_pub, reason = "what files of one test share")]

mod support;

#[path = "kernel/allowed.rs"]
mod allowed;
#[path = "kernel/alone.rs"]
mod alone;
#[path = "kernel/ext4.rs"]
mod ext4;
#[path = "kernel/fail.rs"]
mod fail;
#[path = "kernel/full_disk.rs"]
mod full_disk;
#[path = "kernel/history.rs"]
mod history;
#[path = "kernel/kill.rs"]
mod kill;
#[path = "kernel/look.rs"]
mod look;
#[path = "kernel/play.rs"]
mod play;
#[path = "kernel/power.rs"]
mod power;
#[path = "kernel/runs.rs"]
mod runs;
#[path = "kernel/scratch.rs"]
mod scratch;
#[path = "kernel/strace.rs"]
mod strace;
#[path = "kernel/workload.rs"]
mod workload;
#[path = "kernel/writeback.rs"]
mod writeback;

#[test]
#[ignore = "the others run this, in a process of its own"]
fn process() {
    play::run_if_asked();
    full_disk::run_if_asked();
    power::run_if_asked();
}
