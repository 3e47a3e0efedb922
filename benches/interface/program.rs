//! The program itself in a pseudo-terminal: from a key to painted bytes, and what it costs when nothing happens.
//!
//! A frame has arrived when the end of its synchronised update has. The clock is stopped where the bytes are read, so the
//! way through the kernel is in every figure, and the terminal emulator's own work in none.

use std::fs;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::SIZE;
use super::figures::{judged, quantile, runs, spread, told};
use super::machine::{own_bytes, switches};
use super::store::Measured;

const FRAME_END: &[u8] = b"\x1b[?2026l";
const PATIENCE: Duration = Duration::from_secs(120);
const FIRST: Duration = Duration::from_millis(100);
const KEY: Option<Duration> = Some(Duration::from_millis(16));
/// What it may take beside the index over the keys.
const MEMORY: u64 = 100 << 20;
/// As fast as a keyboard repeats.
const REPEAT: Duration = Duration::from_millis(33);
const PAGE_DOWN: &str = "\x1b[6~";

/// Starts, scrolls, rests.
pub fn measure(store: &Measured, thorough: bool) {
    starts(store, if thorough { 5 } else { 2 });
    let rest = Duration::from_secs(if thorough { 10 } else { 1 });
    follows(store, rest);
    let mut program = Program::start(store, store.is_ours());
    program.wait_for("keydir ");
    program.wait_for_quiet(Duration::from_millis(300));
    let times = if thorough { 300 } else { 30 };
    spread("a key to its frame, by lines", &program.keys(&["j"], times), KEY);
    spread("a key to its frame, by pages", &program.keys(&[PAGE_DOWN], times / 2), KEY);
    spread("a key to its frame, from end to end", &program.keys(&["G", "g"], times / 3), KEY);
    program.wait_for_rest();
    idle(&program, rest, store.is_ours());
    memory(&program, store);
    program.send("q");
    let _ = program.child.wait();
}

/// From exec to the first frame, which is there before the store is.
fn starts(store: &Measured, times: usize) {
    let (mut first, mut whole, mut early) = (Vec::new(), Vec::new(), 0);
    for _ in 0..times {
        let began = Instant::now();
        let mut program = Program::start(store, false);
        first.push(program.frame_after(0) - began);
        early += usize::from(!program.shows("keydir "));
        program.wait_for("keydir ");
        whole.push(began.elapsed());
        program.send("q");
        let _ = program.child.wait();
    }
    runs(&format!("exec to the first frame ({early} of {times} while loading)"), &first, FIRST);
    told("exec to the store's figures", &logkv::text::duration(quantile(&whole, 50)));
}

/// What only reads looks at names and lengths twice a second: somebody else may write.
fn follows(store: &Measured, time: Duration) {
    let mut program = Program::start(store, false);
    program.wait_for("keydir ");
    program.wait_for_rest();
    let before = program.ticks().zip(program.switches());
    std::thread::sleep(time);
    if let Some((before, after)) = before.zip(program.ticks().zip(program.switches())) {
        let figures = format!("{} ticks, {} switches", after.0 - before.0, after.1 - before.1);
        told(&format!("processor time in {} s as a reader", time.as_secs()), &figures);
    }
    program.send("q");
    let _ = program.child.wait();
}

/// A reader looks after the writer that there may be.
fn idle(program: &Program, time: Duration, writable: bool) {
    let before = (program.bytes(), program.ticks().zip(program.switches()));
    std::thread::sleep(time);
    let bytes = program.bytes() - before.0;
    let seconds = time.as_secs();
    judged(&format!("bytes written in {seconds} s of rest"), &bytes.to_string(), "0", bytes == 0);
    match before.1.zip(program.ticks().zip(program.switches())) {
        Some((before, after)) => {
            let (ticks, switches) = (after.0 - before.0, after.1 - before.1);
            let what = format!("ticks of processor time in {seconds} s; wake-ups");
            match writable {
                true => judged(&what, &format!("{ticks}; {switches}"), "0; 0", ticks == 0 && switches == 0),
                false => told(&format!("{what} as a reader"), &format!("{ticks}; {switches}")),
            }
        }
        None => told("ticks of processor time", "not to be had on this system"),
    }
}

/// Files that are mapped are not counted: the system takes them back when it likes.
fn memory(program: &Program, store: &Measured) {
    let own = program.child.process_id().and_then(own_bytes);
    let Some(own) = own else { return told("memory", "not to be had on this system") };
    let size = logkv::text::size;
    let above = own.saturating_sub(store.keydir_bytes);
    let figures = format!("{} beside {} of keydir", size(above), size(store.keydir_bytes));
    judged("memory", &figures, "< 100 MiB", above < MEMORY);
}

#[derive(Default)]
struct Seen {
    raw: Vec<u8>,
    /// When each frame was whole.
    frames: Vec<Instant>,
    /// How much of `raw` was searched for frames.
    searched: usize,
}

struct Program {
    seen: Arc<(Mutex<Seen>, Condvar)>,
    _master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    emulator: vt100::Parser,
    emulated: usize,
}

impl Program {
    fn start(store: &Measured, writable: bool) -> Self {
        let (cols, rows) = SIZE;
        let pair = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_logkv"));
        if !writable {
            command.arg("--read-only");
        }
        command.arg(store.dir());
        command.env("TERM", "xterm-256color");
        ["LOGKV_DIR", "LOGKV_CONFIG", "NO_COLOR"].iter().for_each(|name| command.env_remove(name));
        let child = pair.slave.spawn_command(command).unwrap();
        let seen = Arc::new((Mutex::new(Seen::default()), Condvar::new()));
        let mut output = pair.master.try_clone_reader().unwrap();
        let theirs = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut bytes = [0; 1 << 16];
            while let Ok(len @ 1..) = output.read(&mut bytes) {
                theirs.0.lock().take(&bytes[..len]);
                theirs.1.notify_all();
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { seen, _master: pair.master, keys, child, emulator: vt100::Parser::new(rows, cols, 0), emulated: 0 }
    }

    fn send(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn bytes(&self) -> usize {
        self.seen.0.lock().raw.len()
    }

    /// When the next frame after the first `count` was whole.
    fn frame_after(&self, count: usize) -> Instant {
        let mut seen = self.seen.0.lock();
        loop {
            if let Some(at) = seen.frames.get(count) {
                return *at;
            }
            assert!(!self.seen.1.wait_for(&mut seen, PATIENCE).timed_out(), "no frame came");
        }
    }

    /// Presses keys as fast as a keyboard repeats; the time from each to the next frame.
    fn keys(&mut self, keys: &[&str], times: usize) -> Vec<Duration> {
        let press = |i: usize| {
            let frames = self.seen.0.lock().frames.len();
            let began = Instant::now();
            self.send(keys[i % keys.len()]);
            let took = self.frame_after(frames) - began;
            std::thread::sleep(REPEAT.saturating_sub(began.elapsed()));
            took
        };
        (0..times).map(press).collect()
    }

    fn shows(&mut self, text: &str) -> bool {
        let seen = self.seen.0.lock();
        self.emulator.process(&seen.raw[self.emulated..]);
        self.emulated = seen.raw.len();
        drop(seen);
        self.emulator.screen().contents().contains(text)
    }

    fn wait_for(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.shows(text) {
            assert!(Instant::now() < end, "{text:?} never came:\n{}", self.emulator.screen().contents());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn wait_for_quiet(&self, time: Duration) {
        let mut before = self.bytes();
        loop {
            std::thread::sleep(time);
            let now = self.bytes();
            if now == before {
                return;
            }
            before = now;
        }
    }

    /// Until it neither writes nor works: what a selection that rests asks for has been read.
    fn wait_for_rest(&self) {
        let end = Instant::now() + PATIENCE;
        loop {
            let before = (self.bytes(), self.ticks());
            std::thread::sleep(Duration::from_secs(1));
            if before == (self.bytes(), self.ticks()) || Instant::now() > end {
                return;
            }
        }
    }

    /// Processor time, in the system's ticks.
    fn ticks(&self) -> Option<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.process_id()?)).ok()?;
        // The name in brackets may hold anything; behind it utime and stime are the 12th and 13th.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
    }

    fn switches(&self) -> Option<u64> {
        switches(self.child.process_id()?)
    }
}

impl Seen {
    fn take(&mut self, bytes: &[u8]) {
        let now = Instant::now();
        self.raw.extend_from_slice(bytes);
        while let Some(at) = self.raw[self.searched..].windows(FRAME_END.len()).position(|each| each == FRAME_END) {
            self.searched += at + FRAME_END.len();
            self.frames.push(now);
        }
        self.searched = self.searched.max((self.raw.len() + 1).saturating_sub(FRAME_END.len()));
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
