//! Screens as text: scripts that press keys and show what a person then sees.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use logkv::disk::sim::SimDisk;
use logkv::store::Options;
use logkv::tui::Settings;
use logkv::tui::action::{Action, Arrived};
use logkv::tui::app::App;
use logkv::{Store, text};

use super::coverage::{Shot, assert_complete};
use super::crop::{SIZES, part};
use super::screen::{Screen, options, settings};
use super::stores::prepared;
use super::support::fixture;

#[test]
fn sessions_show_every_pane_and_state() -> std::io::Result<()> {
    let mut shots = Vec::new();
    for entry in std::fs::read_dir("tests/scripts/tui")? {
        let mut session = Session::default();
        goldenscript::run(&mut session, entry?.path())?;
        shots.append(&mut session.shots);
    }
    assert_complete(&shots);
    Ok(())
}

#[derive(goldenscript::Command)]
enum Command {
    /// Takes a copy of a fixture as the disk. Example: fixture riak/riak-small
    Fixture(String),
    /// Takes a store with something rare in it as the disk. Example: prepared flipped-value
    Prepared(String),
    /// Writes to a store, before anybody looks; 0x and hexadecimal is a value of any bytes. Example: store data "a=1" "a=2" "-a"
    Store { dir: String, steps: Vec<String> },
    /// Takes the last bytes of a file away. Example: cut data/0000000001.data 5
    Cut { file: String, bytes: usize },
    /// Takes a file away. Example: remove data/0000000001.hint
    Remove(String),
    /// Writes over one byte of a file. Example: poke data/0000000001.data 100
    Poke { file: String, offset: u64 },
    /// Opens a store for writing and keeps it, as another process would. Example: hold data
    Hold(String),
    /// Opens the interface. Example: open data 80x24
    Open {
        path: String,
        size: String,
        #[arg(key)]
        read_only: Option<bool>,
        #[arg(key)]
        ascii: Option<bool>,
        /// The workers do nothing until told to.
        #[arg(key)]
        slow: Option<bool>,
    },
    /// So many bytes of so many have been loaded.
    Loaded(u64, u64),
    /// Has the workers do nothing, or all that waits. Example: slow true
    Slow(bool),
    /// The merge that runs has written so many bytes of so many in a second.
    Merging(u64, u64),
    /// Puts a value into the store that is held, and waits until the screen knows, or how much if it pauses. Example:
    /// beside "b=2"
    Beside(String),
    /// Presses keys. Example: press "down down enter"
    Press(String),
    /// Types text. Example: type "user:"
    Type(String),
    /// Types a command and runs it. Example: run "put a 1"
    Run(String),
    /// Changes the screen's size. Example: resize 40x10
    Resize(String),
    /// Has workers give up whatever takes more than a step, until told otherwise. Example: overtake true
    Overtake(bool),
    /// Shows the screen.
    Screen,
    /// Shows the last lines of the screen.
    Bottom,
    /// Shows parts of the screen. Example: part keys value
    Part(Vec<String>),
    /// Shows parts of the screen at the three sizes. Example: sizes value
    Sizes(Vec<String>),
}

#[derive(Default)]
struct Session {
    disk: SimDisk,
    /// What lies on the disk.
    on_disk: String,
    screen: Option<Screen>,
    held: Vec<Store>,
    shots: Vec<Shot>,
}

impl Session {
    fn screen(&mut self) -> Result<&mut Screen, Box<dyn Error>> {
        self.screen.as_mut().ok_or_else(|| "nothing is open".into())
    }

    fn store(&self, dir: &str) -> Result<Store, Box<dyn Error>> {
        let disk = Arc::new(self.disk.clone());
        Ok(Store::open_on(disk, Path::new(dir), Options { create: true, ..options() })?)
    }

    /// Keeps what is shown for the question whether everything was.
    fn show(&mut self, text: String) -> Result<String, Box<dyn Error>> {
        let screen = self.screen()?;
        let format = screen.app.figures.as_ref().map(|figures| figures.stats.format);
        let shot = Shot {
            size: screen.size(),
            format,
            on_disk: self.on_disk.clone(),
            text: text.replace(['┌', '├', '┬', '┼'], "─"),
        };
        self.shots.push(shot);
        Ok(text)
    }

    fn parts(&mut self, names: &[String]) -> Result<String, Box<dyn Error>> {
        let screen = self.screen()?;
        let parts: Vec<String> = names.iter().map(|name| part(screen, name)).collect::<Result<_, _>>()?;
        self.show(parts.join("\n"))
    }

    /// The parts at the three sizes, each behind the size's name.
    fn sizes(&mut self, names: &[String]) -> Result<String, Box<dyn Error>> {
        let before = self.screen()?.size();
        let mut shown = Vec::new();
        for (width, height) in SIZES {
            self.screen()?.resize(width, height);
            shown.push(format!("{width}x{height}\n{}", self.parts(names)?));
        }
        self.screen()?.resize(before.0, before.1);
        Ok(shown.join("\n"))
    }
}

/// Takes steps as `KEY=VALUE` or `-KEY`.
fn write(store: &Store, steps: &[String]) -> Result<(), Box<dyn Error>> {
    for step in steps {
        match (step.split_once('='), step.strip_prefix('-')) {
            (Some((key, value)), _) => {
                let hex = value.starts_with("0x").then(|| text::parse_key(value)).transpose()?;
                store.put(&text::parse_key(key)?, &hex.unwrap_or_else(|| value.as_bytes().to_vec()))?;
            }
            (None, Some(key)) => drop(store.delete(&text::parse_key(key)?)?),
            (None, None) => return Err("a step is KEY=VALUE or -KEY".into()),
        }
    }
    Ok(())
}

fn size(text: &str) -> Result<(u16, u16), Box<dyn Error>> {
    let (width, height) = text.split_once('x').ok_or("a size is WIDTHxHEIGHT")?;
    Ok((width.parse()?, height.parse()?))
}

impl goldenscript::Runner for Session {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &goldenscript::Context) -> Result<String, Box<dyn Error>> {
        match command {
            Command::Fixture(name) => {
                self.disk = SimDisk::from_real_dir(&fixture(name))?;
                self.on_disk.clone_from(name);
            }
            Command::Prepared(name) => {
                self.disk = prepared(name).ok_or_else(|| format!("no store {name} is prepared"))?;
                self.on_disk.clone_from(name);
            }
            Command::Store { dir, steps } => {
                let store = self.store(dir)?;
                write(&store, steps)?;
                store.close()?;
            }
            Command::Cut { file, bytes } => {
                let image = self.disk.image();
                let len = image.get(Path::new(file)).ok_or("there is no such file")?.len();
                self.disk.truncate(file, len.saturating_sub(*bytes) as u64)?;
            }
            Command::Remove(file) => self.disk.delete(file)?,
            Command::Poke { file, offset } => self.disk.poke(file, *offset, b"\x1b")?,
            Command::Hold(dir) => self.held.push(self.store(dir)?),
            Command::Open { path, size: cells, read_only, ascii, slow } => {
                let settings = Settings { ascii: ascii.unwrap_or(false), ..settings(read_only.unwrap_or(false)) };
                let open = if slow.unwrap_or(false) { Screen::begin } else { Screen::open };
                self.screen = Some(open(&self.disk, path, size(cells)?, settings));
            }
            Command::Loaded(done, total) => {
                self.screen()?.act(Action::Arrived(Arrived::Loading { done: *done, total: *total }));
            }
            Command::Slow(true) => self.screen()?.slow_down(),
            Command::Slow(false) => self.screen()?.speed_up(),
            Command::Merging(done, total) => {
                let screen = self.screen()?;
                screen.act(Action::Arrived(Arrived::MergeStarted(vec![1, 2])));
                let (done, total, took) = (*done, *total, Duration::from_secs(1));
                screen.act(Action::Arrived(Arrived::Merging { done, total, took }));
            }
            Command::Beside(step) => {
                let store = self.held.last().ok_or("no store is held")?;
                write(store, std::slice::from_ref(step))?;
                let keys = store.stats().keys;
                let knows = |app: &App| app.figures.as_ref().is_some_and(|figures| figures.stats.keys == keys);
                self.screen()?.wait_until(|app| if app.follow.paused { app.follow.behind > 0 } else { knows(app) });
            }
            Command::Press(keys) => self.screen()?.press(keys),
            Command::Type(typed) => self.screen()?.type_text(typed),
            Command::Run(line) => self.screen()?.command(line),
            Command::Resize(cells) => {
                let (width, height) = size(cells)?;
                self.screen()?.resize(width, height);
            }
            Command::Overtake(so) => self.screen()?.overtaken = *so,
            Command::Screen => {
                let text = self.screen()?.text();
                return self.show(text);
            }
            Command::Bottom => {
                let text = self.screen()?.text();
                let lines: Vec<&str> = text.lines().collect();
                return self.show(lines[lines.len().saturating_sub(3)..].join("\n"));
            }
            Command::Part(names) => return self.parts(names),
            Command::Sizes(names) => return self.sizes(names),
        }
        Ok(String::new())
    }
}
