//! The program under test, in a directory of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `logkv` with nothing of the caller's surroundings but the path.
pub(crate) struct Program {
    home: tempfile::TempDir,
}

impl Program {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    /// Where it runs.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs the program to its end, without a terminal and without input.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The program, to be started.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.clean(env!("CARGO_BIN_EXE_logkv"));
        command.args(args);
        command
    }

    /// Runs a line in a shell that finds `logkv` and, under `$FIXTURES`, directories of other programs.
    pub(crate) fn shell(&self, line: &str) -> Output {
        self.clean("sh").args(["-c", line]).output().unwrap()
    }

    fn clean(&self, program: &str) -> Command {
        let bin = Path::new(env!("CARGO_BIN_EXE_logkv")).parent().unwrap();
        let system = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .current_dir(self.home())
            .env_clear()
            .env("PATH", format!("{}:{system}", bin.display()))
            .env("FIXTURES", fixtures())
            .stdin(Stdio::null());
        command
    }
}

/// Directories that other programs wrote.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// `output` with what differs from run to run replaced: times of today, process ids, checksums (they depend on a salt).
pub(crate) fn masked(output: &str) -> String {
    let words = split(output);
    let mut masked = String::new();
    for (at, word) in words.iter().enumerate() {
        let before = |back: usize| at.checked_sub(back).and_then(|at| words.get(at)).copied().unwrap_or_default();
        masked.push_str(match *word {
            word if is_recent_micros(word) => "TSTAMP",
            word if is_recent_time(word) => "TIME",
            word if before(2) == "process" && word.parse::<u32>().is_ok() => "PID",
            // How far into an archive depends on how well salts and tstamps compress.
            word if [6, 4, 2].map(before) == ["bytes", "before", "offset"] && word.parse::<u32>().is_ok() => "OFFSET",
            word if word.len() == 8
                && matches!(before(2), "is" | "stored" | "computed")
                && u32::from_str_radix(word, 16).is_ok() =>
            {
                "CRC"
            }
            word => word,
        });
    }
    masked
}

/// Words and what stands between them; a date and the time after it are one word.
fn split(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let len = match rest.get(..26) {
            Some(time) if humantime::parse_rfc3339_weak(time).is_ok() => 26,
            _ if c.is_alphanumeric() => rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len()),
            _ => c.len_utf8(),
        };
        let (word, after) = rest.split_at(len);
        words.push(word);
        rest = after;
    }
    words
}

fn is_recent_micros(word: &str) -> bool {
    word.len() == 16 && word.parse().is_ok_and(|micros| is_recent(UNIX_EPOCH + Duration::from_micros(micros)))
}

fn is_recent_time(word: &str) -> bool {
    word.len() == 26 && humantime::parse_rfc3339_weak(word).is_ok_and(is_recent)
}

/// Near enough to be of this test, whatever a `--ttl` added to it. Times in fixtures are whole seconds.
fn is_recent(time: SystemTime) -> bool {
    const HOUR: Duration = Duration::from_secs(3600);
    let now = SystemTime::now();
    let whole_second = time.duration_since(UNIX_EPOCH).is_ok_and(|since| since.subsec_micros() == 0);
    !whole_second && time > now - HOUR && time < now + 2 * HOUR
}
