//! Screens as text: scripts that press keys and show what a person then sees.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use logkv::disk::sim::SimDisk;
use logkv::store::Options;
use logkv::tui::Settings;
use logkv::{Store, text};

use super::screen::{Screen, options, settings};
use super::support::fixture;

#[test]
fn sessions() -> std::io::Result<()> {
    let mut ran = 0;
    for entry in std::fs::read_dir("tests/scripts/tui")? {
        goldenscript::run(&mut Session::default(), entry?.path())?;
        ran += 1;
    }
    assert!(ran >= 8, "only {ran} scripts were found");
    Ok(())
}

#[derive(goldenscript::Command)]
enum Command {
    /// Takes a copy of a fixture as the disk. Example: fixture riak/riak-small
    Fixture(String),
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
    },
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
}

#[derive(Default)]
struct Session {
    disk: SimDisk,
    screen: Option<Screen>,
    held: Vec<Store>,
}

impl Session {
    fn screen(&mut self) -> Result<&mut Screen, Box<dyn Error>> {
        self.screen.as_mut().ok_or_else(|| "nothing is open".into())
    }

    fn store(&self, dir: &str) -> Result<Store, Box<dyn Error>> {
        let disk = Arc::new(self.disk.clone());
        Ok(Store::open_on(disk, Path::new(dir), Options { create: true, ..options() })?)
    }
}

fn size(text: &str) -> Result<(u16, u16), Box<dyn Error>> {
    let (width, height) = text.split_once('x').ok_or("a size is WIDTHxHEIGHT")?;
    Ok((width.parse()?, height.parse()?))
}

impl goldenscript::Runner for Session {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &goldenscript::Context) -> Result<String, Box<dyn Error>> {
        match command {
            Command::Fixture(name) => self.disk = SimDisk::from_real_dir(&fixture(name))?,
            Command::Store { dir, steps } => {
                let store = self.store(dir)?;
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
            Command::Open { path, size: cells, read_only, ascii } => {
                let settings = Settings { ascii: ascii.unwrap_or(false), ..settings(read_only.unwrap_or(false)) };
                self.screen = Some(Screen::open(&self.disk, path, size(cells)?, settings));
            }
            Command::Press(keys) => self.screen()?.press(keys),
            Command::Type(typed) => self.screen()?.type_text(typed),
            Command::Run(line) => self.screen()?.command(line),
            Command::Resize(cells) => {
                let (width, height) = size(cells)?;
                self.screen()?.resize(width, height);
            }
            Command::Overtake(so) => self.screen()?.overtaken = *so,
            Command::Screen => return Ok(self.screen()?.text()),
            Command::Bottom => {
                let text = self.screen()?.text();
                let lines: Vec<&str> = text.lines().collect();
                return Ok(lines[lines.len().saturating_sub(3)..].join("\n"));
            }
        }
        Ok(String::new())
    }
}
