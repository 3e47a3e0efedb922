//! What this machine lets us do, and what was asked for. What cannot be done is said, not failed.

use std::process::{Command, Stdio};

/// Whether all points are wanted, not a sample: `LOGKV_KERNEL=full`.
pub fn full() -> bool {
    std::env::var("LOGKV_KERNEL").is_ok_and(|wanted| wanted == "full")
}

/// Says why nothing was done.
pub fn skipped(suite: &str, why: &str) {
    println!("{suite}: skipped: {why}");
}

/// Whether a command succeeds here.
pub fn works(words: &[&str]) -> bool {
    let command = Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).output();
    command.is_ok_and(|output| output.status.success())
}

/// Why calls of a process of ours cannot be made to fail, if they cannot.
pub fn no_strace() -> Option<&'static str> {
    if !cfg!(target_os = "linux") {
        return Some("it needs Linux");
    }
    let try_it = ["strace", "-f", "-o", "/dev/null", "-e", "inject=fsync:error=EIO:when=1", "true"];
    (!works(&try_it)).then_some("strace is not installed or may not trace here")
}
