//! An interface whose workers are done when a key press returns, on a terminal that is a buffer.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use logkv::disk::Disk;
use logkv::disk::sim::SimDisk;
use logkv::store::{Clock, Options};
use logkv::tui::Settings;
use logkv::tui::action::{Action, Size};
use logkv::tui::app::App;
use logkv::tui::effect::Effect;
use logkv::tui::jobs::Desk;
use logkv::tui::key::Key;
use logkv::tui::keymap;
use logkv::tui::layout::Area;
use logkv::tui::theme::Theme;
use logkv::tui::update::{start, update};
use logkv::tui::view::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;

/// 2023-11-14 22:13:20 UTC, always.
pub const NOW: u64 = 1_700_000_000_000_000;

#[derive(Debug)]
pub struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> u64 {
        NOW
    }
}

/// Options under which two runs write the same bytes.
pub fn options() -> Options {
    Options { clock: Arc::new(StoppedClock), seed: 7, threads: 1, max_segment_bytes: 600, ..Options::default() }
}

/// Settings under which nothing waits.
pub fn settings(read_only: bool) -> Settings {
    Settings { read_only, color: true, ascii: false, mouse: false, rest: std::time::Duration::ZERO }
}

pub struct Screen {
    pub app: App,
    pub left: bool,
    /// What was asked of the workers since the last look.
    pub effects: Vec<Effect>,
    /// Effects that wait, while the workers are slow.
    slow: Option<Vec<Effect>>,
    /// Workers find that something newer is wanted as soon as they look.
    pub overtaken: bool,
    pub disk: SimDisk,
    desk: Desk,
    answers: Receiver<Action>,
    size: Size,
    pub theme: Theme,
}

impl Screen {
    /// Opens what lies at `path` on the disk.
    pub fn open(disk: &SimDisk, path: &str, size: (u16, u16), settings: Settings) -> Self {
        let mut screen = Self::begin(disk, path, size, settings);
        screen.speed_up();
        screen
    }

    /// Begins to open what lies at `path`, with workers that are slow.
    pub fn begin(disk: &SimDisk, path: &str, size: (u16, u16), settings: Settings) -> Self {
        let (send, answers) = channel();
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let theme = Theme { color: settings.color, ascii: settings.ascii };
        let desk = Desk::new(shared, options(), settings, Arc::new(move |action| drop(send.send(action))));
        let size = Size { width: size.0, height: size.1 };
        let app = App::new(Path::new(path).to_owned(), size, NOW + 90_000_000);
        let effects = start(&app, false);
        let mut screen = Self {
            app,
            left: false,
            effects: Vec::new(),
            slow: Some(Vec::new()),
            overtaken: false,
            disk: disk.clone(),
            desk,
            answers,
            size,
            theme,
        };
        screen.carry_out(effects);
        screen
    }

    /// Another interface that looks at the same store.
    pub fn open_again(&self) -> Self {
        let size = (self.size.width, self.size.height);
        Self::open(&self.disk, self.app.path.to_str().unwrap(), size, settings(true))
    }

    /// An interface on a store with these keys.
    pub fn with_keys(keys: &[(&[u8], &[u8])], size: (u16, u16)) -> Self {
        let disk = SimDisk::new();
        let store =
            logkv::Store::open_on(Arc::new(disk.clone()), Path::new("data"), Options { create: true, ..options() });
        let store = store.unwrap();
        for (key, value) in keys {
            store.put(key, value).unwrap();
        }
        store.close().unwrap();
        Self::open(&disk, "data", size, settings(false))
    }

    pub fn act(&mut self, action: Action) {
        let effects = update(&mut self.app, action);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.left |= effect == Effect::Quit;
            self.effects.push(effect.clone());
            let overtaken = self.overtaken;
            match &mut self.slow {
                Some(waiting) => waiting.push(effect),
                None => self.desk.perform(effect, &|| overtaken),
            }
        }
        while let Ok(action) = self.answers.try_recv() {
            let effects = update(&mut self.app, action);
            self.carry_out(effects);
        }
    }

    /// From now on the workers do nothing until they are told to.
    pub fn slow_down(&mut self) {
        self.slow.get_or_insert_default();
    }

    /// Lets the workers do one of the things that wait, in any order.
    pub fn catch_up_with(&mut self, which: usize) {
        let Some(waiting) = self.slow.as_mut().filter(|waiting| !waiting.is_empty()) else { return };
        let effect = waiting.remove(which % waiting.len());
        self.desk.perform(effect, &|| false);
        self.carry_out(Vec::new());
    }

    /// The workers are quick again: what waits is done in its order.
    pub fn speed_up(&mut self) {
        let waiting = self.slow.take().unwrap_or_default();
        self.carry_out(waiting);
    }

    /// Takes what arrives by itself, until something is so.
    pub fn wait_until(&mut self, so: impl Fn(&App) -> bool) {
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !so(&self.app) {
            assert!(std::time::Instant::now() < patience, "it never came to be");
            if let Ok(action) = self.answers.recv_timeout(std::time::Duration::from_millis(100)) {
                self.act(action);
            }
        }
    }

    pub fn press(&mut self, keys: &str) {
        for name in keys.split(' ').filter(|name| !name.is_empty()) {
            let key = Key::by_name(name).unwrap_or_else(|| panic!("there is no key {name}"));
            self.key(key);
        }
    }

    pub fn key(&mut self, key: Key) {
        if let Some(action) = keymap::action(&self.app, key) {
            self.act(action);
        }
    }

    pub fn type_text(&mut self, text: &str) {
        text.chars().for_each(|c| self.key(Key::Char(c)));
    }

    /// Types a command and runs it.
    pub fn command(&mut self, line: &str) {
        self.press(":");
        self.type_text(line);
        self.press("enter");
    }

    pub fn size(&self) -> (u16, u16) {
        (self.size.width, self.size.height)
    }

    pub fn resize(&mut self, width: u16, height: u16) {
        self.size = Size { width, height };
        self.act(Action::Resized(self.size));
    }

    pub fn said(&self) -> String {
        self.app.said.as_ref().map(|said| said.text.clone()).unwrap_or_default()
    }

    /// The cells.
    pub fn buffer(&self) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(self.size.width, self.size.height)).unwrap();
        terminal.draw(|frame| view(&self.app, self.theme, frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// The screen's text, a line a row. What differs from run to run is a `#`.
    pub fn text(&self) -> String {
        let Size { width, height } = self.size;
        self.rows(Area { x: 0, y: 0, width, height }).join("\n")
    }

    /// The text of a part of the screen.
    pub fn rows(&self, area: Area) -> Vec<String> {
        let buffer = self.buffer();
        let row = |y| {
            let mut line = String::new();
            let mut x = area.x;
            while x < area.x + area.width {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += u16::try_from(symbol.width()).unwrap().max(1);
            }
            without_times(redact(line.trim_end(), &["synced in ", ", in ", "held by process "]))
        };
        (area.y..area.y + area.height).map(row).collect()
    }
}

/// Puts a `#` for each short time, and one space for those around it, whose number goes with its length.
fn without_times(mut line: String) -> String {
    for unit in [" ns", " µs", " ms"] {
        while let Some(at) = line.find(unit).filter(|at| line[..*at].ends_with(|c: char| c.is_ascii_digit())) {
            let before = line[..at].trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').trim_end().to_owned();
            let after = line[at + unit.len()..].trim_start().to_owned();
            line = format!("{before} # {after}").trim_end().to_owned();
        }
    }
    line
}

/// Puts a `#` for what follows each of the words, up to a double space, a bracket or the end.
fn redact(line: &str, words: &[&str]) -> String {
    let mut line = line.to_owned();
    for word in words {
        if let Some(at) = line.find(word) {
            let start = at + word.len();
            let end =
                line[start..].find(['(', ';']).or_else(|| line[start..].find("  ")).map_or(line.len(), |n| start + n);
            line.replace_range(start..end, "#");
        }
    }
    line
}
