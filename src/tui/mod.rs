//! The terminal interface: looks into a store and writes to it.
//!
//! This file is the only user of a real terminal and of signals. Everything else is data and functions on it:
//!
//! ```text
//! event → keymap → Action → update(&mut App, Action) → Effects → jobs → Action::Arrived → update → view(&App, frame)
//! ```
//!
//! Invariants:
//!
//! 1. The thread that draws waits for nothing but its channel: no disk, no lock of the store, no tick.
//! 2. The screen is drawn only after something happened, at most once in 10 ms, inside a synchronised update.
//! 3. Whatever ends the program (a key, a signal, an error, a panic), the terminal is given back as it was.

pub mod action;
pub mod app;
pub mod ascii;
pub mod command;
pub mod difference;
pub mod dump;
pub mod effect;
pub mod field;
pub mod filter;
pub mod findings;
pub mod help;
pub mod input;
pub mod jobs;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod list;
pub mod merging;
pub mod strip;
pub mod theme;
pub mod trace;
pub mod update;
pub mod view;
pub mod window;
pub mod wrap;

use std::io::{self, BufWriter, Stdout, Write};
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, SetTitle,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, CrosstermBackend};

use self::action::{Action, Size};
use self::app::{App, Stage};
use self::effect::Effect;
use self::input::Input;
use self::jobs::{Desk, Jobs};
use self::key::Key;
use self::theme::Theme;
use self::update::{start, update};
use crate::disk::RealDisk;
use crate::store::{Clock, Options};
use crate::text;

/// How the interface behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Never write, whoever holds the store.
    pub read_only: bool,
    /// Use colours. Default: unless `NO_COLOR` is set and not empty.
    pub color: bool,
    /// Use no glyphs but ASCII.
    pub ascii: bool,
    /// Take clicks and the wheel; the terminal's own selection then needs Shift.
    pub mouse: bool,
    /// How long a selection must rest before all segments are read for its history.
    pub rest: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { read_only: false, color: !no_color, ascii: false, mouse: true, rest: Duration::from_millis(150) }
    }
}

/// The least time from one drawing to the next.
const FRAME: Duration = Duration::from_millis(10);

/// Opens the interface on a store's directory, on one that holds several, or on one segment file, and returns when its
/// user leaves. The store is closed in order, even after an error.
pub fn run(path: PathBuf, options: Options, settings: Settings) -> anyhow::Result<()> {
    let (sender, inputs) = channel();
    let (clock, create) = (Arc::clone(&options.clock), options.create);
    let theme = Theme { color: settings.color, ascii: settings.ascii };
    let mouse = settings.mouse;
    let answers = sender.clone();
    // When nobody listens any more, nobody needs the answer.
    let send = Arc::new(move |action| drop(answers.send(Incoming::Input(Input::Action(action)))));
    let desk = Desk::new(Arc::new(RealDisk), options, settings, send);
    let jobs = Jobs::start(desk).context("cannot start a thread")?;
    let result = Screen::enter(&path, mouse).context("cannot set up the terminal").and_then(|screen| {
        listen(sender)?;
        let (width, height) = crossterm::terminal::size()?;
        let app = App::new(path, Size { width, height }, clock.now());
        Running { app, theme, screen, jobs: &jobs, clock: &*clock }.go(&inputs, create)
    });
    // From here on a signal finds nobody, and does what it does to any program: closing may hang on a disk that hangs.
    drop(inputs);
    match result {
        // Nothing is open that could be closed in order, and recovery is made to be stopped at any point.
        Ok(Left::WhileLoading) => Ok(()),
        result => result.map(drop).and(jobs.close().map_err(Into::into)),
    }
}

/// What the drawing thread waits for.
enum Incoming {
    Input(Input),
    /// The process is to end.
    End,
    /// The process is to sleep.
    Sleep,
    /// It was woken by somebody else.
    Woken,
}

/// Starts the threads that wait for keys and for signals. They end with the process.
fn listen(sender: Sender<Incoming>) -> io::Result<()> {
    signals(sender.clone())?;
    std::thread::Builder::new().name("logkv-keys".into()).spawn(move || {
        while let Ok(event) = crossterm::event::read() {
            let Some(input) = input::input(event) else { continue };
            if sender.send(Incoming::Input(input)).is_err() {
                return;
            }
        }
        // The terminal is gone. If the other side is too, so be it.
        let _ = sender.send(Incoming::End);
    })?;
    Ok(())
}

#[cfg(unix)]
fn signals(sender: Sender<Incoming>) -> io::Result<()> {
    use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};

    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGHUP, SIGINT, SIGTSTP, SIGCONT])?;
    std::thread::Builder::new().name("logkv-signals".into()).spawn(move || {
        for signal in signals.forever() {
            let incoming = match signal {
                SIGTSTP => Incoming::Sleep,
                SIGCONT => Incoming::Woken,
                _ => Incoming::End,
            };
            if sender.send(incoming).is_err() {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        }
    })?;
    Ok(())
}

#[cfg(not(unix))]
fn signals(_: Sender<Incoming>) -> io::Result<()> {
    Ok(())
}

/// Stops the process until it is woken.
#[cfg(unix)]
fn sleep() -> io::Result<()> {
    signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
}

#[cfg(not(unix))]
fn sleep() -> io::Result<()> {
    Ok(())
}

/// The interface while it runs.
struct Running<'a> {
    app: App,
    theme: Theme,
    screen: Screen,
    jobs: &'a Jobs,
    clock: &'a dyn Clock,
}

/// How the interface was left.
enum Left {
    /// Whatever was open is to be closed.
    InOrder,
    /// A store was still being loaded.
    WhileLoading,
}

/// Whether to go on.
#[derive(PartialEq, Eq)]
enum Next {
    Go,
    Leave,
}

impl Running<'_> {
    fn go(mut self, inputs: &Receiver<Incoming>, create: bool) -> anyhow::Result<Left> {
        // The first frame is there before opening a store takes all of the machine.
        self.draw()?;
        let mut drawn = Instant::now();
        let mut changed = false;
        self.carry_out(start(&self.app, create))?;
        loop {
            let wait = FRAME.saturating_sub(drawn.elapsed());
            if changed && wait.is_zero() {
                self.draw()?;
                (changed, drawn) = (false, Instant::now());
                continue;
            }
            let incoming = match changed {
                true => match inputs.recv_timeout(wait) {
                    Err(RecvTimeoutError::Timeout) => continue,
                    other => other.ok(),
                },
                false => inputs.recv().ok(),
            };
            let Some(incoming) = incoming else { return Ok(Left::InOrder) };
            if self.take(incoming)? == Next::Leave {
                return self.outcome();
            }
            changed = true;
        }
    }

    /// What could not be opened is said again where it stays, and is a failure.
    fn outcome(self) -> anyhow::Result<Left> {
        match self.app.stage {
            Stage::Refused(reason) => Err(anyhow::Error::msg(reason)),
            Stage::Loading { .. } => Ok(Left::WhileLoading),
            _ => Ok(Left::InOrder),
        }
    }

    fn take(&mut self, incoming: Incoming) -> anyhow::Result<Next> {
        let action = match incoming {
            Incoming::Input(Input::Key(key)) => match keymap::action(&self.app, key) {
                Some(action) => action,
                None => return Ok(Next::Go),
            },
            Incoming::Input(Input::Escaped(key)) => return self.take_escaped(key),
            Incoming::Input(Input::Action(action)) => action,
            Incoming::End => return Ok(Next::Leave),
            Incoming::Sleep => return self.suspend(),
            Incoming::Woken => return self.wake(),
        };
        let effects = update(&mut self.app, action);
        self.carry_out(effects)
    }

    /// Esc, and then the key. Where a line is typed it is Alt that was meant, as editors of lines have it, and nothing is
    /// lost.
    fn take_escaped(&mut self, key: Key) -> anyhow::Result<Next> {
        if self.app.typing.is_some() {
            return Ok(Next::Go);
        }
        match self.take(Incoming::Input(Input::Key(Key::Esc)))? {
            Next::Go => self.take(Incoming::Input(Input::Key(key))),
            Next::Leave => Ok(Next::Leave),
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> anyhow::Result<Next> {
        for effect in effects {
            match effect {
                Effect::Quit => return Ok(Next::Leave),
                Effect::Redraw => self.screen.forget()?,
                Effect::Copy(text) => copy(&text)?,
                Effect::Suspend => return self.suspend(),
                effect => self.jobs.post(effect),
            }
        }
        Ok(Next::Go)
    }

    fn draw(&mut self) -> anyhow::Result<()> {
        let effects = update(&mut self.app, Action::Clock(self.clock.now()));
        self.carry_out(effects)?;
        let (app, theme) = (&self.app, self.theme);
        self.screen.draw(|frame| view::view(app, theme, frame))?;
        Ok(())
    }

    fn suspend(&mut self) -> anyhow::Result<Next> {
        restore();
        sleep()?;
        self.wake()
    }

    /// Whoever had the terminal meanwhile may have left it in any state, and of any size.
    fn wake(&mut self) -> anyhow::Result<Next> {
        restore();
        take_over(&self.app.path, self.screen.mouse)?;
        let (width, height) = crossterm::terminal::size()?;
        let effects = update(&mut self.app, Action::Resized(Size { width, height }));
        self.screen.forget()?;
        self.carry_out(effects)
    }
}

/// The terminal while it is ours.
struct Screen {
    /// Never dropped: it would try to show the cursor, which [`restore`] does, and panic over a terminal that is gone and
    /// a standard error that went with it.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<BufWriter<Stdout>>>>,
    /// The mouse is taken, too.
    mouse: bool,
}

impl Screen {
    fn enter(path: &std::path::Path, mouse: bool) -> io::Result<Self> {
        restore_on_panic();
        take_over(path, mouse)?;
        // A frame is one write, or few: a terminal then shows it whole.
        let out = BufWriter::with_capacity(1 << 16, io::stdout());
        // From here on dropping the screen gives the terminal back.
        let terminal = Terminal::new(CrosstermBackend::new(out)).inspect_err(|_| restore())?;
        Ok(Self { terminal: ManuallyDrop::new(terminal), mouse })
    }

    /// Nothing is known of what the terminal shows: the next drawing paints every cell. (`Terminal::clear` would ask
    /// the terminal for its cursor, and the thread that reads keys would take the answer.)
    fn forget(&mut self) -> io::Result<()> {
        self.terminal.backend_mut().clear_region(ClearType::All)?;
        self.terminal.swap_buffers();
        Ok(())
    }

    fn draw(&mut self, paint: impl FnOnce(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(paint)?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Takes the terminal: raw keys, a screen of our own, pastes in one piece, a title.
fn take_over(path: &std::path::Path, mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    // The title that was there is put on the terminal's stack of titles.
    execute!(
        io::stdout(),
        Print("\x1b[22;2t"),
        SetTitle(format!("logkv {}", text::path(path))),
        EnterAlternateScreen,
        EnableBracketedPaste,
        cursor::Hide
    )
    .and_then(|()| if mouse { execute!(io::stdout(), EnableMouseCapture) } else { Ok(()) })
    .inspect_err(|_| restore())
}

/// Hands a text to the terminal for its clipboard (OSC 52), in base64, of which no byte means anything to a terminal.
fn copy(text: &str) -> io::Result<()> {
    execute!(io::stdout(), Print(format!("\x1b]52;c;{}\x07", BASE64.encode(text))))
}

/// Gives the terminal back. Each part is tried whatever became of the others; there is nobody left to tell of a failure.
fn restore() {
    let mut out = io::stdout();
    let _ = execute!(out, DisableMouseCapture);
    let _ = execute!(out, EndSynchronizedUpdate, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
    let _ = execute!(out, Print("\x1b[23;2t"));
    let _ = disable_raw_mode();
    let _ = out.flush();
}

/// A panic's message belongs on the terminal as it was. Of a worker's panic the interface is told by the worker's lane.
fn restore_on_panic() {
    let drawing = std::thread::current().id();
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == drawing {
            restore();
            previous(info);
        }
    }));
}
