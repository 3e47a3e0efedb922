//! `import` and `export` as scripts use them: exit codes, the two streams, files that are complete or absent, and imports
//! that are killed.

use std::fs;
use std::io::{Read, Write};
use std::process::{Child, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::program::{Program, fixtures};

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn row(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).unwrap()
}

fn program_with(file: &str, text: impl AsRef<[u8]>) -> Program {
    let program = Program::new();
    fs::write(program.home().join(file), text).unwrap();
    program
}

/// So many rows with values that differ.
fn rows(range: std::ops::Range<usize>) -> String {
    range.map(|n| format!("{{\"key\":\"key-{n:06}\",\"value\":\"{}\"}}\n", "v".repeat(n % 300))).collect()
}

fn piped(program: &Program, args: &[&str]) -> Child {
    program.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Gives the program an input to its end.
fn fed(program: &Program, args: &[&str], input: &[u8]) -> Output {
    let mut child = piped(program, args);
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

#[test]
fn the_row_of_an_import_says_what_became_of_each_line() {
    let program = Program::new();
    let text = "{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"b\",\"value\":\"\",\"expires_at\":1}\n";
    let done = fed(&program, &["import", "-", "--format", "json"], text.as_bytes());
    assert_eq!((code(&done), stderr(&done).as_str()), (0, ""));
    let row = row(&done);
    for (field, expected) in
        [("imported", 1), ("skipped", 2), ("unchanged", 1), ("expired", 1), ("older", 0), ("faults", 0), ("suspect", 0)]
    {
        assert_eq!(row[field], expected, "{field} in {row}");
    }
    assert_eq!((&row["bytes"], &row["durable_line"], &row["complete"]), (&text.len().into(), &3.into(), &true.into()));
    assert!(row["took_ms"].is_number());
}

#[test]
fn a_bad_line_is_exit_4_with_its_number_and_what_is_in_already() {
    let program = program_with(
        "rows.jsonl",
        "{\"key\":\"a\",\"value\":\"1\"}\n\n{\"key\":\"b\"}\n{\"key\":\"c\",\"value\":\"3\"}\n",
    );
    let stopped = program.run(&["import", "rows.jsonl", "--format", "json"]);
    assert_eq!(code(&stopped), 4);
    assert_eq!((&row(&stopped)["complete"], &row(&stopped)["durable_line"]), (&false.into(), &1.into()));
    let told = stderr(&stopped);
    assert!(
        told.starts_with("logkv: line 3: it has no `value`") && told.contains("everything up to line 1 is in data"),
        "{told}"
    );
    assert_eq!(stdout(&program.run(&["list"])), "a\n");

    let went_on = program.run(&["import", "rows.jsonl", "--keep-going"]);
    assert_eq!(code(&went_on), 4);
    assert!(stderr(&went_on).contains("line 3: ") && stdout(&went_on).contains("1 fault;"), "{went_on:?}");
    assert_eq!(stdout(&program.run(&["list"])), "a\nc\n");

    let behind = program.run(&["import", "rows.jsonl", "--from-line", "4", "-d", "other"]);
    assert_eq!((code(&behind), stdout(&program.run(&["list", "-d", "other"]))), (0, "c\n".to_owned()));
}

#[test]
fn nothing_is_made_for_a_source_that_cannot_be_read() {
    let program = program_with("text", "neither\n");
    for (args, exit, words) in [
        (&["import", "text"][..], 5, "text cannot be imported: it begins neither"),
        (&["import", "missing"], 5, "cannot read missing"),
        (&["import", "text", "--from", "riak"], 5, "is a file"),
        (&["import", "text", "--from", "xml"], 2, "one of jsonl, csv, native, riak, logkv-go"),
        (&["import", "-", "--from", "riak"], 2, "from its directory"),
        (&["import", "text", "--read-only"], 2, "--read-only forbids"),
        (&["import", "text", "--from-line", "0"], 2, "--from-line"),
    ] {
        let refused = program.run(args);
        assert_eq!(code(&refused), exit, "{args:?}: {refused:?}");
        assert!(stderr(&refused).contains(words), "{args:?}: {refused:?}");
    }
    assert!(!program.home().join("data").exists());
    let segment = fixtures().join("riak/riak-small/1.bitcask.data");
    let refused = program.run(&["import", segment.to_str().unwrap()]);
    assert!(stderr(&refused).contains("import the directory that it lies in"), "{refused:?}");
    let same = program.run(&["import", ".", "-d", "."]);
    assert_eq!(code(&same), 2, "{same:?}");
}

#[test]
fn the_format_of_an_export_is_chosen_with_as() {
    let program = Program::new();
    for format in ["resp", "csv", "jsonl"] {
        let refused = program.run(&["export", "--format", format]);
        assert_eq!(code(&refused), 2);
        assert!(stderr(&refused).contains(&format!("what export writes is chosen with --as {format}")), "{refused:?}");
    }
    assert!(!stderr(&program.run(&["export", "--format", "xml"])).contains("--as"));
}

#[test]
fn an_export_is_a_file_that_is_complete_or_absent() {
    let program = program_with("rows.jsonl", rows(0..50));
    assert_eq!(code(&program.run(&["import", "rows.jsonl"])), 0);
    let done = program.run(&["export", "-o", "out.csv", "--as", "csv", "--format", "json"]);
    assert_eq!((code(&done), row(&done)["exported"].as_u64()), (0, Some(50)));
    let first = fs::read_to_string(program.home().join("out.csv")).unwrap();
    assert_eq!(first.lines().count(), 51);

    let refused = program.run(&["export", "-o", "out.csv"]);
    assert_eq!(code(&refused), 5);
    assert!(stderr(&refused).contains("--force"), "{refused:?}");
    assert_eq!(fs::read_to_string(program.home().join("out.csv")).unwrap(), first);
    assert_eq!(code(&program.run(&["export", "-o", "out.csv", "--force"])), 0);
    assert!(fs::read_to_string(program.home().join("out.csv")).unwrap().starts_with('{'));
    let device = program.run(&["export", "-o", "/dev/null", "--force"]);
    assert!(stderr(&device).contains("not a regular file"), "{device:?}");
    let names: Vec<_> = program.home().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn a_damaged_value_is_exit_4_and_the_others_are_exported() {
    let program = program_with("rows.jsonl", "{\"key\":\"a\",\"value\":\"one\"}\n{\"key\":\"b\",\"value\":\"two\"}\n");
    assert_eq!(code(&program.run(&["import", "rows.jsonl"])), 0);
    let segment = program.home().join("data/0000000001.data");
    let mut bytes = fs::read(&segment).unwrap();
    let at = bytes.windows(3).position(|three| three == b"one").unwrap();
    bytes[at] ^= 1;
    fs::write(&segment, bytes).unwrap();
    for args in [&["export"][..], &["export", "-o", "out", "-q"]] {
        let done = program.run(args);
        assert_eq!(code(&done), 4, "{done:?}");
        assert!(stderr(&done).contains("left out a: segment 1 is damaged at offset 40"), "{done:?}");
    }
    let expected = "{\"key\":\"b\",\"value\":\"two\"}\n";
    assert_eq!(stdout(&program.run(&["export"])), expected);
    assert_eq!(fs::read_to_string(program.home().join("out")).unwrap(), expected);
}

#[test]
fn a_reader_of_an_export_that_went_away_is_success() {
    let program = program_with("rows.jsonl", rows(0..5000));
    assert_eq!(code(&program.run(&["import", "rows.jsonl", "-q"])), 0);
    for format in ["jsonl", "csv", "resp"] {
        let mut child = piped(&program, &["export", "--as", format]);
        let mut seen = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut seen).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!((code(&ended), stderr(&ended).as_str()), (0, ""), "{format}");
    }
}

/// What `get` and `list` print for programs can be imported as it is.
#[test]
fn the_rows_of_get_are_rows() {
    let program = Program::new();
    for (key, value) in [("a", "1"), ("\\xff", "\"\\x00\\xfe\"")] {
        assert_eq!(code(&program.run(&["put", key, value, "--ttl", "1h"])), 0);
    }
    let answers = program.run(&["get", "a", "\\xff", "--format", "json"]);
    let done = fed(&program, &["import", "-", "-d", "other"], &answers.stdout);
    assert_eq!(code(&done), 0, "{done:?}");
    assert!(stderr(&done).contains("found is no field of a row and was left out, first on line 1"), "{done:?}");
    assert_eq!(program.run(&["export"]).stdout, program.run(&["export", "-d", "other"]).stdout);
}

/// Killed again and again, each time a little later, it comes to its end all the same, and what it said was durable is there.
#[test]
fn an_import_that_is_killed_goes_on() {
    const ROWS: usize = 4000;
    let value = "v".repeat(4000);
    let text: String = (0..ROWS).map(|n| format!("{{\"key\":\"{n:04}\",\"value\":\"{value}{n}\"}}\n")).collect();
    let program = program_with("rows.jsonl", &text);
    let (mut kills, mut least, mut wait) = (0, 0, 20);
    loop {
        let mut child = piped(&program, &["import", "rows.jsonl", "-v"]);
        std::thread::sleep(Duration::from_millis(wait));
        let _ = child.kill();
        let ended = child.wait_with_output().unwrap();
        let told = stderr(&ended);
        let durable = told.lines().filter_map(|line| line.split("durable up to line ").nth(1)).next_back();
        least = least.max(durable.map_or(0, |line| line.parse().unwrap()));
        if ended.status.success() {
            break;
        }
        (kills, wait) = (kills + 1, wait * 3 / 2);
        if program.home().join("data").exists() {
            let there = stdout(&program.run(&["list"])).lines().count();
            assert!(there >= least, "{there} keys, and {least} were durable");
        }
    }
    assert!(kills > 0);
    assert!(program.run(&["export"]).stdout == text.into_bytes());
    let again = program.run(&["import", "rows.jsonl", "--format", "json"]);
    assert_eq!((row(&again)["imported"].as_u64(), row(&again)["unchanged"].as_u64()), (Some(0), Some(ROWS as u64)));
    assert_eq!(code(&program.run(&["verify"])), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn an_export_that_cannot_be_written_is_a_failure() {
    let program = program_with("rows.jsonl", rows(0..5000));
    assert_eq!(code(&program.run(&["import", "rows.jsonl"])), 0);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let ended = program.command(&["export"]).stdout(full).output().unwrap();
    assert_eq!(code(&ended), 5, "{ended:?}");
    assert_eq!(code(&program.run(&["export", "-o", "no/such/dir/out"])), 5);
}
