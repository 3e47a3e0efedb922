//! `bench`: what it tells, what it refuses, and that nothing of it is left. No figure of it is judged: machines differ.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::Program;

/// A short run in a directory of its own, `here`.
fn short(program: &Program, more: &[&str]) -> std::process::Output {
    std::fs::create_dir_all(program.home().join("here")).unwrap();
    program.run(&[&["bench", "--keys", "300", "--time", "20ms", "--sync", "buffered", "--in", "here"], more].concat())
}

fn entries(dir: &Path) -> Vec<String> {
    let names = dir.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn it_tells_of_every_work_and_leaves_nothing() {
    let program = Program::new();
    let told = short(&program, &["--threads", "2"]);
    assert!(told.status.success() && told.stderr.is_empty(), "{told:?}");
    let told = String::from_utf8(told.stdout).unwrap();
    let works = [
        "put ",
        "get ",
        "get, 2 threads ",
        "get of no such key ",
        "open, closed cleanly ",
        "open from hints ",
        "merge ",
    ];
    for (line, work) in told.lines().skip(2).zip(works) {
        assert!(line.starts_with(work), "{work:?} in {told}");
    }
    assert!(told.starts_with("300 keys of 16 B, values of 100 B, sync buffered, "), "{told}");
    assert!(told.lines().last().unwrap().starts_with("keydir "), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    assert_eq!((entries(program.home()), entries(&program.home().join("here"))), (vec!["here".to_owned()], vec![]));
}

#[test]
fn programs_get_one_object_with_every_work() {
    let program = Program::new();
    let told = short(&program, &["--threads", "1", "--value-bytes", "1KiB", "--format", "json"]);
    assert!(told.status.success(), "{told:?}");
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let figures = ["keys", "value_bytes", "sync", "dir"].map(|field| told[field].clone());
    assert_eq!(figures, [Value::from(300), 1024.into(), "buffered".into(), "here".into()]);
    assert!(told["keydir_bytes"].as_u64().unwrap() > 300 * 16 && told["disk_bytes"].as_u64().unwrap() > 300 * 1024);
    let works = told["works"].as_array().unwrap();
    let names: Vec<&str> = works.iter().map(|work| work["work"].as_str().unwrap()).collect();
    assert_eq!(names, ["put", "get", "miss", "open", "open-hints", "merge"]);
    for work in works {
        let [p50, p99] = ["p50", "p99"].map(|field| work[field].as_u64().unwrap());
        assert!(work["operations"].as_u64().unwrap() > 0 && 0 < p50 && p50 <= p99, "{work}");
    }
}

#[test]
fn nonsense_is_refused_before_anything_is_made() {
    let program = Program::new();
    let cases: [(&[&str], i32, &str); 8] = [
        (&["--keys", "0"], 2, "1 or more"),
        (&["--keys", "many"], 2, "1 or more"),
        (&["--threads", "0"], 2, "1..=256"),
        (&["--time", "0s"], 2, "longer than nothing"),
        (&["--value-bytes", "2GiB"], 2, "1073741824"),
        (&["--read-only"], 2, "--read-only"),
        (&["--keys", "1000000000000"], 5, "are free"),
        (&["--in", "nowhere"], 5, "cannot make a directory in nowhere"),
    ];
    for (args, code, sentence) in cases {
        let within: &[&str] = if args.contains(&"--in") { &[] } else { &["--in", "."] };
        let words = [&["bench"], args, within].concat().join(" ");
        // What is not refused must not fill the disk.
        let refused = program.shell(&format!("ulimit -f 1000; logkv {words}"));
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(code), 0), "{args:?}: {refused:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains(sentence), "{args:?}: {refused:?}");
    }
    assert_eq!(entries(program.home()), [""; 0]);
}

#[test]
fn a_signal_ends_it_and_nothing_is_left() {
    for (name, number) in [("INT", 2), ("TERM", 15)] {
        let program = Program::new();
        let mut command =
            program.command(&["bench", "--keys", "5000", "--time", "1h", "--in", ".", "--sync", "buffered"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Once its directory is there, it listens.
        let end = Instant::now() + Duration::from_secs(30);
        while entries(program.home()).is_empty() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let ended = child.wait_with_output().unwrap();
        assert_eq!((ended.status.signal(), ended.stdout.len()), (Some(number), 0), "{name}: {ended:?}");
        assert_eq!(entries(program.home()), [""; 0], "{name}");
    }
}
