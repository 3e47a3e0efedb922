//! A suite in a process of its own with mounts of its own: they go when it does, however it ends, and so do their loop
//! devices. Nobody else on the machine sees them.

use std::path::Path;
use std::process::{Command, Stdio};

use super::allowed::works;

const VARIABLE: &str = "LOGKV_KERNEL_SUITE";

const AS_ROOT: &[&str] = &["unshare", "--mount", "--propagation", "private", "--"];
/// Where the kernel lets anybody be root among his own mounts.
const AS_ANYBODY: &[&str] = &["unshare", "--map-root-user", "--mount", "--propagation", "private", "--"];

/// The words before a program that give it mounts of its own, if they may be had.
pub fn with_own_mounts(root: bool) -> Option<&'static [&'static str]> {
    let try_it = |words: &'static [&'static str]| {
        works(&[words, &["mount", "-t", "tmpfs", "tmpfs", "/mnt"]].concat()).then_some(words)
    };
    try_it(AS_ROOT).or_else(|| if root { None } else { try_it(AS_ANYBODY) })
}

/// Runs a suite of this program behind such words; it fails where that fails.
pub fn run(words: &[&str], suite: &str, quietly: bool) {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "process", "--ignored", "--nocapture"]).env(VARIABLE, suite);
    let output = if quietly { Stdio::piped() } else { Stdio::inherit() };
    let output = command.stdout(output).spawn().unwrap().wait_with_output().unwrap();
    print!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{suite} failed");
}

/// The suite that this process is to run.
pub fn asked_for() -> Option<String> {
    std::env::var(VARIABLE).ok()
}

pub fn mount(words: &[&str], at: &Path) {
    let output = Command::new("mount").args(words).arg(at).output().unwrap();
    assert!(output.status.success(), "mount {words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

pub fn unmount(at: &Path) {
    let output = Command::new("umount").arg(at).output().unwrap();
    assert!(output.status.success(), "umount: {}", String::from_utf8_lossy(&output.stderr));
}
