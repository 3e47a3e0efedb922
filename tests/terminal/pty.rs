//! A pseudo-terminal with the program in it, and a terminal emulator that remembers what it was sent.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
}

pub struct Terminal {
    seen: Arc<Mutex<Seen>>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
}

fn pty_size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

impl Terminal {
    /// Starts `logkv PATH`.
    pub fn start(path: &Path, size: (u16, u16)) -> Self {
        Self::start_with(&[path.to_str().unwrap()], size)
    }

    /// Starts `logkv ARGS`.
    pub fn start_with(args: &[&str], size: (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(pty_size(size)).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_logkv"));
        command.args(args);
        command.env("TERM", "xterm-256color");
        for name in ["LOGKV_DIR", "LOGKV_CONFIG", "NO_COLOR"] {
            command.env_remove(name);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let parser = vt100::Parser::new(size.1, size.0, 0);
        let seen = Arc::new(Mutex::new(Seen { parser, raw: Vec::new() }));
        let mut output = pair.master.try_clone_reader().unwrap();
        let theirs = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(len @ 1..) = output.read(&mut bytes) {
                let mut seen = theirs.lock().unwrap();
                seen.parser.process(&bytes[..len]);
                seen.raw.extend_from_slice(&bytes[..len]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { seen, master: pair.master, keys, child }
    }

    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    pub fn send(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    pub fn signal(&self, name: &str) {
        let status = std::process::Command::new("kill").args(["-s", name, &self.pid().to_string()]).status();
        assert!(status.unwrap().success());
    }

    pub fn resize(&mut self, cols: u16, rows: u16) {
        self.seen.lock().unwrap().parser.screen_mut().set_size(rows, cols);
        self.master.resize(pty_size((cols, rows))).unwrap();
    }

    /// The text on the screen.
    pub fn screen(&self) -> String {
        self.seen.lock().unwrap().parser.screen().contents()
    }

    /// Every byte that the program wrote.
    pub fn raw(&self) -> Vec<u8> {
        self.seen.lock().unwrap().raw.clone()
    }

    pub fn bytes_seen(&self) -> usize {
        self.seen.lock().unwrap().raw.len()
    }

    pub fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |screen| screen.contains(text));
    }

    pub fn wait_until(&mut self, what: &str, so: impl Fn(&str) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !so(&self.screen()) {
            assert!(Instant::now() < end, "{what:?} never came:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the process is in a state, as `ps` names it.
    pub fn wait_for_state(&self, state: char) {
        let end = Instant::now() + PATIENCE;
        loop {
            let output = std::process::Command::new("ps").args(["-o", "stat=", "-p", &self.pid().to_string()]).output();
            if String::from_utf8(output.unwrap().stdout).unwrap().starts_with(state) {
                return;
            }
            assert!(Instant::now() < end, "the process never came to state {state}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn exit_code(&mut self) -> u32 {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(Instant::now() < end, "it does not end:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The terminal is as it was: the first screen, a cursor, pastes as plain text, the mouse its own.
    pub fn assert_restored(&self) {
        let end = Instant::now() + PATIENCE;
        loop {
            let seen = self.seen.lock().unwrap();
            let screen = seen.parser.screen();
            let mouse = screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
            if !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste() && !mouse {
                return;
            }
            drop(seen);
            assert!(Instant::now() < end, "the terminal was not given back");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that failed leaves nobody behind; one that did not has waited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
