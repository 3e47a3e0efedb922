//! The real program in a real pseudo-terminal: what a person types, what a terminal shows, and how it is left behind.
#![cfg(all(unix, feature = "tui"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at the first surprise")]
#![allow(clippy::print_stdout, reason = "what was measured is told")]
#![allow(unreachable_pub, reason = "the modules of a test are its own")]

mod support;

#[path = "terminal/beside.rs"]
mod beside;
#[path = "terminal/pty.rs"]
mod pty;

use std::time::Duration;

use pty::Terminal;

/// A directory with a store of some keys.
fn store(keys: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = logkv::Store::open(dir.path(), logkv::Options::default()).unwrap();
    for (key, value) in keys {
        store.put(key.as_bytes(), value.as_bytes()).unwrap();
    }
    store.close().unwrap();
    dir
}

fn three_users() -> tempfile::TempDir {
    store(&[("user:1", "Ada"), ("user:2", "Grace"), ("cfg:theme", "dark")])
}

fn get(dir: &tempfile::TempDir, key: &str) -> Option<Vec<u8>> {
    let store = logkv::Store::open_read_only(dir.path(), logkv::Options::default()).unwrap();
    store.get(key.as_bytes()).unwrap().into_value()
}

#[test]
fn a_session_from_start_to_end() {
    let dir = three_users();
    let mut terminal = Terminal::start(dir.path(), (120, 40));
    terminal.wait_for("READ-WRITE");
    terminal.wait_for("cfg:theme");
    terminal.wait_for(" dark");

    terminal.send("j");
    terminal.wait_for(" Ada");
    terminal.send("/user:2\r");
    terminal.wait_for("1 Keys 1 of 3");
    terminal.wait_for(" Grace");
    terminal.send("\x1b");
    terminal.wait_for("1 Keys 3");

    terminal.send(":put user:3 {\"name\": \"Edsger\"}\r");
    terminal.wait_for("✓ put user:3 → segment 1 @");
    terminal.wait_for("1 Keys 4");
    terminal.wait_for("4 entries");
    assert_eq!(get(&dir, "user:3").as_deref(), Some(&b"{\"name\": \"Edsger\"}"[..]), "durable before it was told");

    terminal.send("d");
    terminal.wait_for("delete user:3? y yes  n no");
    terminal.send("y");
    terminal.wait_for("✓ delete user:3 → tombstone in segment 1");
    terminal.wait_for("1 Keys 3");
    assert_eq!(get(&dir, "user:3"), None);

    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn a_key_is_copied_in_letters_that_no_terminal_obeys() {
    let dir = store(&[("\x1b]52;c;Zm9v\x07", "hostile")]);
    let mut terminal = Terminal::start(dir.path(), (80, 24));
    terminal.wait_for("hostile");
    terminal.send("y");
    terminal.wait_for("copied \\x1b]52;c;Zm9v\\x07");
    // base64 of the escaped key.
    let copied = b"\x1b]52;c;XHgxYl01MjtjO1ptOXZceDA3\x07";
    assert!(terminal.raw().windows(copied.len()).any(|bytes| bytes == copied));
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn the_mouse_selects_unless_it_is_left_to_the_terminal() {
    let dir = three_users();
    let mut terminal = Terminal::start(dir.path(), (80, 24));
    terminal.wait_for(" dark");
    // A press on the second key, in SGR coordinates, which count from 1.
    terminal.send("\x1b[<0;5;5M");
    terminal.wait_for(" Ada");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);

    let mut terminal = Terminal::start_with(&["--no-mouse", dir.path().to_str().unwrap()], (80, 24));
    terminal.wait_for(" dark");
    let capture = b"\x1b[?1000h";
    assert!(!terminal.raw().windows(capture.len()).any(|bytes| bytes == capture));
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
}

/// tmux holds Esc back for half a second, to see whether it is Alt: a key that was pressed meanwhile was lost with it.
#[test]
fn esc_and_a_key_in_quick_succession_are_both_obeyed() {
    let dir = three_users();
    let mut terminal = Terminal::start(dir.path(), (80, 24));
    terminal.wait_for("cfg:theme");
    terminal.send("/user");
    terminal.wait_for("2 of 3");
    terminal.send("\r");
    terminal.send("\x1b:");
    terminal.wait_until("the filter is gone and a command begun", |screen| {
        screen.contains("1 Keys 3") && screen.contains("put get delete")
    });
    terminal.send("list\x1bb");
    std::thread::sleep(Duration::from_millis(200));
    terminal.wait_for(":list");
    terminal.send("\x1b");
    terminal.send("q");
}

#[test]
fn a_new_directory_is_made_after_a_yes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new");
    let mut terminal = Terminal::start_with(&["--dir", path.to_str().unwrap()], (80, 24));
    terminal.wait_for("Make an empty store there?");
    assert!(!path.exists());
    terminal.send("y");
    terminal.wait_for("no keys yet");
    terminal.send(":put a 1\r");
    terminal.wait_for("✓ put a");
    terminal.send("\x03\x03");
    assert_eq!(terminal.exit_code(), 0);
    assert!(path.join("0000000001.data").exists());
}

#[test]
fn the_screen_follows_the_size_of_the_terminal() {
    let dir = three_users();
    let mut terminal = Terminal::start(dir.path(), (120, 40));
    terminal.wait_for("3 Record");
    terminal.resize(80, 24);
    terminal
        .wait_until("the record's pane is gone", |screen| !screen.contains("3 Record") && screen.contains("4 Value"));
    terminal.resize(30, 4);
    terminal.wait_for("logkv 40x10 is needed");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn it_sleeps_and_wakes() {
    let dir = three_users();
    let mut terminal = Terminal::start(dir.path(), (80, 24));
    terminal.wait_for("cfg:theme");
    terminal.send("\x1a");
    terminal.wait_for_state('T');
    terminal.assert_restored();
    terminal.signal("CONT");
    terminal.wait_for("cfg:theme");
    terminal.send("j");
    terminal.wait_for(" Ada");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn a_signal_to_end_is_obeyed_in_order() {
    for signal in ["TERM", "HUP", "INT"] {
        let dir = three_users();
        let mut terminal = Terminal::start_with(&["--sync", "buffered", dir.path().to_str().unwrap()], (80, 24));
        terminal.wait_for("cfg:theme");
        terminal.send(":put late 1\r");
        terminal.wait_for("✓ put late");
        terminal.signal(signal);
        assert_eq!(terminal.exit_code(), 0, "{signal}");
        terminal.assert_restored();
        assert_eq!(get(&dir, "late").as_deref(), Some(&b"1"[..]), "what was buffered is written on the way out");
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let dir = three_users();
    let mut terminal = Terminal::start(dir.path(), (80, 24));
    terminal.wait_for("cfg:theme");
    terminal.send(":put last words\r");
    terminal.wait_for("✓ put last");
    terminal.signal("KILL");
    terminal.exit_code();

    let mut terminal = Terminal::start(dir.path(), (80, 24));
    terminal.wait_for("READ-WRITE");
    terminal.wait_for("keys 4");
    terminal.send(":get last\r");
    terminal.wait_for("last = words");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn a_second_interface_only_reads_and_follows_the_first() {
    let dir = three_users();
    let mut writer = Terminal::start(dir.path(), (80, 24));
    writer.wait_for("READ-WRITE");
    let mut reader = Terminal::start(dir.path(), (120, 40));
    reader.wait_for(&format!("held by process {}", writer.pid()));
    reader.send(":put a b\r");
    reader.wait_for("nothing can be written until its writer has ended");
    reader.send("\x1b");
    writer.send(":put user:9 nine\r");
    writer.wait_for("✓ put user:9");
    reader.wait_for("user:9");
    reader.wait_for("1 Keys 4");
    writer.signal("KILL");
    writer.exit_code();
    reader.wait_for("the process that wrote here has ended");
    reader.wait_until("nobody holds the store", |screen| !screen.contains("held by"));
    reader.send("q");
    assert_eq!(reader.exit_code(), 0);
}

#[test]
fn an_idle_interface_writes_nothing() {
    let dir = three_users();
    for args in [&[][..], &["--read-only"]] {
        let args: Vec<&str> = args.iter().copied().chain([dir.path().to_str().unwrap()]).collect();
        let mut terminal = Terminal::start_with(&args, (80, 24));
        terminal.wait_for("cfg:theme");
        terminal.wait_for(" dark");
        std::thread::sleep(Duration::from_millis(700));
        let before = terminal.bytes_seen();
        std::thread::sleep(Duration::from_millis(1500));
        assert_eq!(terminal.bytes_seen(), before, "{args:?}");
        terminal.send("q");
        assert_eq!(terminal.exit_code(), 0);
    }
}

#[test]
fn hostile_keys_do_not_reach_the_terminal() {
    let dir = store(&[("\x1b]0;owned\x07", "\x1b[2J\x1b]52;c;Zm9v\x07")]);
    let mut terminal = Terminal::start(dir.path(), (120, 40));
    terminal.wait_for("\\x1b]0;owned\\x07");
    terminal.wait_for("1b 5b 32 4a");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    let raw = terminal.raw();
    for bad in [&b"\x1b]0;owned"[..], b"\x1b]52", b"\x1b[2J\x1b]52"] {
        assert!(!raw.windows(bad.len()).any(|bytes| bytes == bad), "{bad:?}");
    }
}
