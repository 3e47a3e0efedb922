//! The real program with little address space.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// KiB: the program, its threads and their stacks, and a fraction of what the files claim.
pub const LIMIT: u64 = 56 << 10;

pub fn run(program: &Path, arguments: &[&str]) -> Output {
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -v {LIMIT} && exec \"$@\""), "sh"]).arg(program).args(arguments);
    // Each thread of glibc's would reserve 64 MiB of its own.
    limited.env("MALLOC_ARENA_MAX", "1").env("NO_COLOR", "1").stdin(Stdio::null()).output().unwrap()
}

/// Whether it ended with one of the program's exit codes, and not by a signal as its own abort is.
pub fn answers(output: &Output) -> bool {
    output.status.code().is_some_and(|code| code <= 5)
}

/// Ways to look at a directory, and then a write.
const LOOKS: &[&[&str]] =
    &[&["dump", "1", "40", "--read-only"], &["get", "k", "--read-only"], &["put", "another", "value"], &["verify"]];

/// All of them.
pub fn looked_at(dir: &Path, what: &str) {
    let dir = dir.to_string_lossy();
    for command in LOOKS {
        let output = run(Path::new(env!("CARGO_BIN_EXE_logkv")), &[&["-d", &dir], *command].concat());
        let cried = String::from_utf8_lossy(&output.stderr);
        assert!(answers(&output), "{what}: {command:?}: {}: {cried}", output.status);
    }
}
