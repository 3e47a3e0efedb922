//! What scripts depend on: exit codes, the two streams, and what a terminal gets instead.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use logkv::store::SyncPolicy;
use logkv::{Options, Store};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use serde_json::Value;

use crate::program::Program;

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Every line as an object.
fn rows(output: &Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A store in `data` with these keys, each with its own name as its value.
fn store_of(program: &Program, keys: &[&str]) -> PathBuf {
    for key in keys {
        assert_eq!(code(&program.run(&["put", key, key])), 0);
    }
    program.home().join("data")
}

/// Turns a bit of the value of a key that [`store_of`] wrote.
fn flip_value(data: &Path, key: &str) {
    let file = data.join("0000000001.data");
    let mut bytes = fs::read(&file).unwrap();
    let both = [key, key].concat().into_bytes();
    let at = bytes.windows(both.len()).position(|window| window == both).unwrap();
    bytes[at + key.len()] ^= 1;
    fs::write(&file, bytes).unwrap();
}

#[test]
fn a_second_writer_is_refused_and_readers_are_not() {
    let program = Program::new();
    let data = store_of(&program, &["k"]);
    let holder = Store::open(&data, Options::default()).unwrap();

    let refused = program.run(&["put", "k", "v"]);
    assert_eq!(code(&refused), 3, "{refused:?}");
    assert!(stderr(&refused).contains(&format!("process {}", std::process::id())), "{refused:?}");
    assert_eq!(code(&program.run(&["delete", "k"])), 3);

    let read = program.run(&["get", "k"]);
    assert_eq!((code(&read), stdout(&read).as_str()), (0, "k"));
    holder.close().unwrap();
    assert_eq!(code(&program.run(&["put", "k", "v"])), 0);
}

#[test]
fn a_damaged_value_is_exit_4_with_its_place_and_the_other_keys_are_answered() {
    let program = Program::new();
    flip_value(&store_of(&program, &["first", "second", "third"]), "first");

    let text = program.run(&["get", "second", "first", "third"]);
    assert_eq!((code(&text), stdout(&text).as_str()), (4, "second\nthird\n"), "{text:?}");
    assert!(stderr(&text).contains("segment 1 is damaged at offset 40"), "{text:?}");

    let json = program.run(&["get", "first", "second", "--format", "json"]);
    let rows = rows(&json);
    assert_eq!(code(&json), 4);
    assert_eq!((&rows[0]["key"], &rows[0]["segment"], &rows[0]["offset"]), (&"first".into(), &1.into(), &40.into()));
    assert!(rows[0]["error"].is_string() && rows[0].get("value").is_none(), "{rows:?}");
    assert_eq!(rows[1]["value"], "second");
}

#[test]
fn damage_wins_over_a_missing_key() {
    let program = Program::new();
    flip_value(&store_of(&program, &["first", "second"]), "first");
    assert_eq!(code(&program.run(&["get", "first", "missing"])), 4);
    assert_eq!(code(&program.run(&["get", "missing", "first"])), 4);
    assert_eq!(code(&program.run(&["get", "missing", "second"])), 1);
}

#[test]
fn strict_recovery_refuses_damage_with_exit_4() {
    let program = Program::new();
    flip_value(&store_of(&program, &["first", "second"]), "first");
    assert_eq!(code(&program.run(&["get", "second", "--recovery", "tail"])), 0);
    fs::remove_file(program.home().join("data/0000000001.hint")).unwrap();
    let strict = program.run(&["get", "second", "--recovery", "strict"]);
    assert_eq!(code(&strict), 4, "{strict:?}");
}

#[test]
fn verify_says_no_to_damage_alone() {
    let program = Program::new();
    let data = store_of(&program, &["first", "second"]);
    fs::write(data.join("notes.txt"), "not ours").unwrap();
    let foreign = program.run(&["verify", "--format", "json"]);
    assert_eq!(code(&foreign), 0, "{foreign:?}");
    assert_eq!(rows(&foreign)[0]["kind"], "foreign-file");

    flip_value(&data, "first");
    let damaged = program.run(&["verify", "--format", "json"]);
    assert_eq!(code(&damaged), 1, "{damaged:?}");
    let row = rows(&damaged).into_iter().find(|row| row["severity"] == "damage").unwrap();
    assert_eq!((&row["segment"], &row["offset"], &row["key"]), (&1.into(), &40.into(), &"first".into()));
    for field in ["kind", "len", "message", "advice"] {
        assert!(!row[field].is_null(), "{field} in {row}");
    }

    let quiet = program.run(&["verify", "--quiet"]);
    assert_eq!((code(&quiet), quiet.stdout.len(), quiet.stderr.len()), (1, 0, 0), "{quiet:?}");
}

#[test]
fn a_reader_that_went_away_is_success() {
    let program = Program::new();
    let options = Options { create: true, sync: SyncPolicy::Buffered, ..Options::default() };
    let store = Store::open(&program.home().join("data"), options).unwrap();
    // More than a pipe holds, so that the program must notice.
    for n in 0..20_000 {
        store.put(format!("a key of some length {n:05}").as_bytes(), b"v").unwrap();
    }
    store.close().unwrap();

    for args in [&["list"][..], &["list", "--format", "json"]] {
        let mut child = program.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut seen = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut seen).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!((code(&ended), stderr(&ended).as_str()), (0, ""), "{args:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let program = Program::new();
    store_of(&program, &["k"]);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let ended = program.command(&["list"]).stdout(full).output().unwrap();
    assert_eq!(code(&ended), 5);
    assert!(stderr(&ended).starts_with("logkv: cannot write to standard output"), "{ended:?}");
}

/// What a person at a terminal sees.
fn at_a_terminal(program: &Program, args: &[&str]) -> String {
    let pty = native_pty_system().openpty(PtySize { rows: 24, cols: 80, ..PtySize::default() }).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_logkv"));
    command.args(args);
    command.cwd(program.home());
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut reader = pty.master.try_clone_reader().unwrap();
    let mut seen = Vec::new();
    // Linux ends the reading of a terminal that everybody has left with an error.
    let _ = reader.read_to_end(&mut seen);
    child.wait().unwrap();
    String::from_utf8(seen).unwrap()
}

#[test]
fn a_terminal_gets_values_escaped_unless_raw_is_asked_for() {
    let program = Program::new();
    assert_eq!(code(&program.run(&["put", "k", "\"\\x1b[31mred\\n\""])), 0);
    assert_eq!(at_a_terminal(&program, &["get", "k"]), "\\x1b[31mred\\n\r\n");
    assert_eq!(at_a_terminal(&program, &["get", "k", "--raw"]), "\x1b[31mred\r\n");
    assert_eq!(stdout(&program.run(&["get", "k"])), "\x1b[31mred\n");
}

#[test]
fn colours_are_for_terminals_and_for_those_who_insist() {
    let program = Program::new();
    store_of(&program, &["k"]);
    let records = |color: &str| stdout(&program.run(&["records", "1", "--color", color]));
    assert!(!records("auto").contains('\x1b'));
    assert!(!records("never").contains('\x1b'));
    assert!(records("always").contains('\x1b'));
    assert!(at_a_terminal(&program, &["records", "1"]).contains('\x1b'));
}

#[test]
fn the_demo_leaves_its_store_only_where_it_is_told() {
    let program = Program::new();
    let made = program.run(&["demo", "--keep", "sample"]);
    assert_eq!(code(&made), 0, "{made:?}");
    let stats: Value = rows(&program.run(&["-d", "sample", "stats", "--format", "json"])).remove(0);
    for (figure, at_least) in [("keys", 1000), ("dead_bytes", 1), ("tombstones", 1), ("segments", 3)] {
        assert!(stats[figure].as_u64().unwrap() >= at_least, "{figure} in {stats}");
    }
    assert_eq!(code(&program.run(&["-d", "sample", "verify"])), 0);

    let again = program.run(&["demo", "--keep", "sample"]);
    assert_eq!(code(&again), 5, "{again:?}");
    assert_eq!(program.home().read_dir().unwrap().count(), 1);
}
