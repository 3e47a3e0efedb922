//! The real program beside a writer in another process, which is killed in the end: what the screen shows then is what the
//! store holds. `LOGKV_FOLLOW_SECONDS=60 cargo test --test terminal beside -- --nocapture` goes on for a minute.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use logkv::store::SyncPolicy;
use logkv::{Options, Store};

use super::pty::Terminal;
use super::support::Rng;

/// Tells the process that this test starts where to write.
const WRITER_DIR: &str = "LOGKV_TEST_BESIDE_DIR";
const KEYS: u64 = 5_000;
const SIZE: (u16, u16) = (120, 40);

/// Not a test of its own: the process that the others start. Writes until it is killed, in bursts.
#[test]
fn beside_writer() {
    let Ok(dir) = std::env::var(WRITER_DIR) else { return };
    let sync = SyncPolicy::Interval(Duration::from_millis(20));
    let options = Options { sync, create: true, max_segment_bytes: 256 << 10, ..Options::default() };
    let store = Store::open(Path::new(&dir), options).unwrap();
    let mut random = Rng::new(7);
    loop {
        for _ in 0..200 {
            let key = format!("key:{:05}", random.below(KEYS));
            let n = random.below(6);
            if n == 0 {
                store.delete(key.as_bytes()).unwrap();
            } else {
                store.put(key.as_bytes(), &vec![b'a' + n as u8; (n * 40) as usize]).unwrap();
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Killed with the test that started it, whatever becomes of that.
struct Writer(Child);

impl Writer {
    fn start(dir: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "beside::beside_writer"]).env(WRITER_DIR, dir);
        let writer = Self(command.stdout(Stdio::null()).spawn().unwrap());
        let end = Instant::now() + Duration::from_secs(30);
        while Store::open_read_only(dir, Options::default()).map_or(0, |store| store.stats().keys) < 100 {
            assert!(Instant::now() < end, "the writer writes nothing");
            std::thread::sleep(Duration::from_millis(20));
        }
        writer
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn seconds() -> u64 {
    std::env::var("LOGKV_FOLLOW_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

fn keys_in(dir: &Path) -> u64 {
    Store::open_read_only(dir, Options::default()).unwrap().stats().keys
}

/// The key browser, without its border on the right, where the list is marked that is scrolled.
fn key_list(screen: &str) -> Vec<String> {
    let rows = screen.lines().skip(1).take(24);
    rows.map(|line| line.chars().take(47).collect::<String>().replace(['›', '┃', '│', '├', '┤'], " ")).collect()
}

/// Presses the keys in both and waits until both show the same keys.
fn assert_same(followed: &mut Terminal, fresh: &mut Terminal, keys: &str) {
    [&mut *followed, &mut *fresh].into_iter().for_each(|terminal| terminal.send(keys));
    let end = Instant::now() + Duration::from_secs(30);
    while key_list(&followed.screen()) != key_list(&fresh.screen()) {
        assert!(Instant::now() < end, "after {keys:?}:\n{}\n{}", followed.screen(), fresh.screen());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_a_follower_shows_in_the_end_is_what_the_store_holds() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    std::fs::create_dir(&dir).unwrap();
    let writer = Writer::start(&dir);
    let mut followed = Terminal::start(&dir, SIZE);
    followed.wait_for("FOLLOWING");
    followed.wait_for("records/s");
    let (mut random, end) = (Rng::new(11), Instant::now() + Duration::from_secs(seconds()));
    while Instant::now() < end {
        let key = ["f", "j", "G", "g", "\x1b[6~", "1", "2", "\r", "]", "5", "n", "s", "p", "p", "\x1b"];
        followed.send(key[random.below(key.len() as u64) as usize]);
        std::thread::sleep(Duration::from_millis(30));
    }
    writer.kill();
    let stats = Store::open_read_only(&dir, Options::default()).unwrap().stats();
    let mut fresh = Terminal::start_with(&["--read-only", dir.to_str().unwrap()], SIZE);
    fresh.wait_for("READ-ONLY");
    // Out of whatever the keys led to: a page, a zoom, a filter, a pause.
    followed.send("\x1b\x1b\x1b");
    std::thread::sleep(Duration::from_millis(500));
    if followed.screen().contains("PAUSED") {
        followed.send("p");
    }
    while !followed.screen().contains("name↑") {
        followed.send("1s");
        std::thread::sleep(Duration::from_millis(300));
    }
    let count = logkv::text::count(stats.keys);
    followed.wait_for(&format!("keys {count} "));
    println!("{} keys, {} segments, {} on disk", stats.keys, stats.segments, logkv::text::size(stats.disk_bytes));
    for keys in ["1g", "\x1b[6~\x1b[6~\x1b[6~", "G", "\x1b[5~\x1b[5~k"] {
        assert_same(&mut followed, &mut fresh, keys);
    }
    for terminal in [&mut followed, &mut fresh] {
        terminal.send("q");
        assert_eq!(terminal.exit_code(), 0);
    }
}

#[test]
fn a_follower_that_is_killed_leaves_the_writer_and_the_directory_alone() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    std::fs::create_dir(&dir).unwrap();
    let writer = Writer::start(&dir);
    let mut followed = Terminal::start(&dir, SIZE);
    followed.wait_for("records/s");
    followed.signal("KILL");
    followed.exit_code();
    let tstamp = || Store::open_read_only(&dir, Options::default()).unwrap().stats().last_tstamp;
    let (before, end) = (tstamp(), Instant::now() + Duration::from_secs(30));
    while tstamp() == before {
        assert!(Instant::now() < end, "the writer stands still");
        std::thread::sleep(Duration::from_millis(20));
    }
    writer.kill();
    let names: Vec<String> =
        std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    // A hint is written under another name first, and the writer may have been killed right then.
    let endings = [".data", ".hint", ".hint.tmp"];
    let is_ours = |name: &String| name == "LOCK" || name == "TAIL" || endings.iter().any(|end| name.ends_with(end));
    assert!(names.iter().all(is_ours), "{names:?}");
    let keys = keys_in(&dir);
    let store = Store::open(&dir, Options::default()).unwrap();
    assert_eq!(store.stats().keys, keys, "the next writer finds what a reader found");
}
