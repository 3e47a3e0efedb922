//! The interface without a terminal: what one key costs the thread that draws, and when its answer is on the screen.
//!
//! The parts are those that the program runs, put together as in `tests/tui/screen.rs`: `update`, `view`, the desk that
//! does the work, and the backend that writes escape sequences, here into memory. The work is done in line, so that a key
//! is over when [`Desktop::press`] returns; what the program does in other threads meanwhile is measured apart from the
//! frames.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use logkv::Options;
use logkv::disk::RealDisk;
use logkv::tui::Settings;
use logkv::tui::action::{Action, Arrived, Size};
use logkv::tui::app::{App, Pane};
use logkv::tui::effect::Effect;
use logkv::tui::jobs::Desk;
use logkv::tui::key::Key;
use logkv::tui::keymap;
use logkv::tui::theme::Theme;
use logkv::tui::update::{start, update};
use logkv::tui::view::view;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::SIZE;
use super::figures::{judged, runs, spread, told};
use super::machine::own_bytes;

const FRAME: Option<Duration> = Some(Duration::from_millis(5));
/// From a letter to the first keys that it leaves, and to all of them.
const FIRST: Duration = Duration::from_millis(30);
const WHOLE: Duration = Duration::from_millis(300);

/// Scrolls, jumps, filters and sorts.
pub fn measure(dir: &Path, thorough: bool) {
    let began = Instant::now();
    let mut desktop = Desktop::open(dir);
    told("opened, and the first keys shown", &logkv::text::duration(desktop.first_keys.unwrap_or_default()));
    told("and the strips of all segments beside them", &logkv::text::duration(began.elapsed()));
    let times = if thorough { 2_000 } else { 100 };
    desktop.rounds("keys by lines", &["down"], times);
    desktop.rounds("keys by pages", &["pgdn"], times / 4);
    desktop.rounds("keys from end to end", &["G", "g"], times / 10);
    desktop.press("g");
    desktop.press("2");
    desktop.press("enter");
    assert_eq!(desktop.app.focus, Pane::Records);
    desktop.rounds("records by lines", &["down"], times);
    desktop.rounds("records by pages", &["pgdn"], times / 4);
    desktop.rounds("records from end to end", &["G", "g"], times / 100);
    desktop.press("esc");
    desktop.press("1");
    filter(&mut desktop);
    sort(&mut desktop, if thorough { 3 } else { 1 });
}

/// From a letter of the filter to the keys that it leaves, and back again: the name of the last key is typed; then what
/// has to look at every key.
fn filter(desktop: &mut Desktop) {
    desktop.press("G");
    let last = desktop.app.keys.selected.clone().unwrap_or_default();
    let letters: Vec<u8> = last.iter().copied().filter(u8::is_ascii_graphic).take(10).collect();
    let end: Vec<u8> = last.iter().copied().filter(u8::is_ascii_digit).rev().take(4).collect();
    filtered(desktop, "a prefix", b"", &letters);
    filtered(desktop, "letters in this order", b"~", &end);
    filtered(desktop, "a pattern", b"re:", b"7.*3$");
}

fn filtered(desktop: &mut Desktop, what: &str, sign: &[u8], letters: &[u8]) {
    let (mut first, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        desktop.press("/");
        for letter in sign {
            desktop.press(&char::from(*letter).to_string());
        }
        for letter in letters {
            whole.push(desktop.press(&char::from(*letter).to_string()));
            first.extend(desktop.first_keys);
        }
        desktop.press("esc");
    }
    runs(&format!("filter, {what}: to the first keys left"), &first, FIRST);
    runs(&format!("filter, {what}: to all of them"), &whole, WHOLE);
}

/// Each order in turn; a list is made anew for every one but that by name.
fn sort(desktop: &mut Desktop, times: usize) {
    let mut orders = [("size", Vec::new(), Vec::new()), ("age", Vec::new(), Vec::new())];
    for _ in 0..times {
        for (_, first, whole) in &mut orders {
            whole.push(desktop.press("s"));
            first.extend(desktop.first_keys);
        }
        desktop.press("s");
    }
    for (order, first, whole) in &orders {
        spread(&format!("sorting by {order}: to the first keys"), first, None);
        spread(&format!("sorting by {order}: to all of them"), whole, None);
    }
}

/// A segment of so many records, from end to end, and what knowing its rows takes: all that the process has more than
/// `before` the segment was made, as what its making gave back is taken again.
pub fn records(dir: &Path, before: Option<u64>, thorough: bool) {
    let mut desktop = Desktop::open(dir);
    // The newest segment is selected, and its records are beside the keys.
    told(
        "opened, and the first of its records shown",
        &logkv::text::duration(desktop.first_records.unwrap_or_default()),
    );
    told("until all of them are counted", &logkv::text::duration(desktop.counted.unwrap_or_default()));
    told("records", &logkv::text::count(desktop.app.records.window.total as u64));
    assert!(desktop.app.figures.as_ref().is_some_and(|figures| figures.segments.len() == 1), "one segment");
    desktop.press("2");
    desktop.press("enter");
    assert_eq!(desktop.app.focus, Pane::Records);
    let times = if thorough { 100 } else { 10 };
    desktop.rounds("its records from end to end", &["G", "g"], times);
    desktop.rounds("its records by pages", &["pgdn"], times);
    if let Some((before, after)) = before.zip(own_bytes(std::process::id())) {
        let more = after.saturating_sub(before);
        judged("memory, with what was left of making it", &logkv::text::size(more), "< 16 MiB", more < 16 << 20);
    }
}

/// What the backend writes to: it keeps one frame.
#[derive(Default)]
struct Frame(Vec<u8>);

impl Write for Frame {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.clear();
        Ok(())
    }
}

struct Desktop {
    app: App,
    desk: Desk,
    answers: Receiver<(Instant, Action)>,
    terminal: Terminal<CrosstermBackend<Frame>>,
    /// What the drawing thread spent on each change and its picture.
    frames: Vec<Duration>,
    /// From the last key to the first rows that it led to.
    first_keys: Option<Duration>,
    first_records: Option<Duration>,
    /// And to the end of a list of records.
    counted: Option<Duration>,
    pressed: Instant,
}

impl Desktop {
    fn open(dir: &Path) -> Self {
        let (send, answers) = channel();
        let settings = Settings { read_only: true, color: true, mouse: false, ..Settings::default() };
        let send = Arc::new(move |action| drop(send.send((Instant::now(), action))));
        let desk = Desk::new(Arc::new(RealDisk), Options::default(), settings, send);
        let (width, height) = SIZE;
        let app = App::new(dir.to_owned(), Size { width, height }, 0);
        let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
        let backend = CrosstermBackend::new(Frame::default());
        let terminal = Terminal::with_options(backend, TerminalOptions { viewport }).expect("no terminal is asked");
        let effects = start(&app, false);
        let mut desktop = Self {
            app,
            desk,
            answers,
            terminal,
            frames: Vec::new(),
            first_keys: None,
            first_records: None,
            counted: None,
            pressed: Instant::now(),
        };
        desktop.carry_out(effects);
        assert!(desktop.app.figures.is_some(), "{:?}", desktop.app.stage);
        desktop
    }

    /// Presses keys in turn, and tells of the frames and of the answers.
    fn rounds(&mut self, what: &str, keys: &[&str], times: usize) {
        self.frames.clear();
        let whole: Vec<_> = (0..times).map(|i| self.press(keys[i % keys.len()])).collect();
        spread(&format!("{what}: a frame"), &self.frames, FRAME);
        spread(&format!("{what}: to the end of the answer"), &whole, None);
    }

    /// Presses a key, and returns when everything that it led to is on the screen.
    fn press(&mut self, name: &str) -> Duration {
        let began = Instant::now();
        (self.pressed, self.first_keys, self.first_records, self.counted) = (began, None, None, None);
        let key = Key::by_name(name).unwrap_or_else(|| panic!("there is no key {name}"));
        if let Some(action) = keymap::action(&self.app, key) {
            let effects = self.frame([action]);
            self.carry_out(effects);
        }
        began.elapsed()
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            // A selection that moves on never rests, and what is read after a rest is asked for by nobody here.
            if matches!(effect, Effect::Rest(_) | Effect::History(_)) {
                continue;
            }
            // The program has a thread of its own for what goes through whole segments.
            if matches!(effect, Effect::Maps(_)) && effects.iter().any(|effect| !matches!(effect, Effect::Maps(_))) {
                effects.push_back(effect);
                continue;
            }
            self.desk.perform(effect, &|| false);
            let arrived: Vec<_> = self.answers.try_iter().collect();
            let arrived: Vec<_> = arrived.into_iter().map(|(at, action)| self.note(at, action)).collect();
            if !arrived.is_empty() {
                effects.extend(self.frame(arrived));
            }
        }
    }

    fn note(&mut self, at: Instant, action: Action) -> Action {
        let took = at - self.pressed;
        match &action {
            Action::Arrived(Arrived::Keys(_)) => _ = self.first_keys.get_or_insert(took),
            Action::Arrived(Arrived::Records(seen)) => {
                self.first_records.get_or_insert(took);
                if seen.is_counted {
                    self.counted.get_or_insert(took);
                }
            }
            _ => {}
        }
        action
    }

    /// Lets things happen and draws what has become of it, as the program's own loop does.
    fn frame(&mut self, actions: impl IntoIterator<Item = Action>) -> Vec<Effect> {
        let began = Instant::now();
        let mut effects = Vec::new();
        for action in actions.into_iter().chain([Action::Clock(1_800_000_000_000_000)]) {
            effects.extend(update(&mut self.app, action));
        }
        let app = &self.app;
        self.terminal
            .draw(|frame| view(app, Theme { color: true, ascii: false }, frame))
            .expect("memory takes everything");
        self.frames.push(began.elapsed());
        effects
    }
}
