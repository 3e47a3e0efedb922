//! Walks through the interface at random: keys of the whole table, pastes into every line that is typed, sizes, clicks,
//! answers that arrive in any order, a writer beside.
//!
//! After every step the screen is looked at, as cells and as what a terminal is sent.

use logkv::Store;
use logkv::tui::action::Action;
use logkv::tui::key::Key;
use logkv::tui::keymap::BINDINGS;
use proptest::prelude::*;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::screen::Screen;
use super::wire::{Wire, is_obeyed};

/// Pieces of text that a terminal would obey or show in a way that misleads.
pub const HOSTILE: [&str; 16] = [
    "\x1b[2J",
    "\x1b[31m",
    "\x1b]52;c;Zm9v\x07",
    "\x1b]0;owned\x1b\\",
    "\u{9b}31m",
    "\u{9d}0;x\u{9c}",
    "\0",
    "\u{7f}",
    "\r\n",
    "\t\x08",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "e\u{301}",
    "👩\u{200d}👩",
    "漢",
];

/// Ways to places that keys pressed at random seldom reach.
const WAYS: [&str; 32] = [
    "1 g enter",
    "1 G d y",
    "1 s t G right right",
    "1 t left left t",
    "2 ] ] enter",
    "2 i down 3 l",
    "2 i o",
    "2 enter x",
    "2 enter X K",
    "2 enter ! 3 .",
    "2 enter @ o",
    "2 enter g 3 l l ,",
    "4 x x G",
    "4 X + pgdn",
    "5 down space g =",
    "5 G u y",
    "5 down enter",
    "6 + G",
    "7 + G",
    "F down enter",
    "v enter",
    "Y v",
    "Y r",
    "f p p",
    "m G",
    "m enter",
    "m a enter",
    "m s enter",
    "2 g space j space m enter",
    "m a enter c",
    "m enter esc q n",
    "m enter esc m",
];

/// Commands, as one types them.
const COMMANDS: [&str; 15] = [
    "put a \x1b",
    "put long:1 0x1b5b324a00ff",
    "delete a",
    "get \\xff",
    "get a",
    "list",
    "stats",
    "sync",
    "verify",
    "put",
    "delete \\x1b",
    "merge",
    "merge all",
    "merge 1,2",
    "merge --dry-run 1",
];

#[derive(Clone, Debug)]
pub enum Step {
    Key(Key),
    Way(&'static str),
    Paste(String),
    /// Opens a line with these keys and pastes into it.
    PasteInto(&'static str, String, bool),
    Resize(u16, u16),
    Click(u16, u16),
    Drag(u16, u16),
    Wheel(u16, u16, bool),
    SlowDown,
    CatchUp(usize),
    SpeedUp,
    Command(&'static str),
    /// The writer beside the interface, where there is one, puts a value.
    Beside(String, String),
}

fn any_key() -> impl Strategy<Value = Key> {
    let table: Vec<Key> = BINDINGS.iter().flat_map(|binding| binding.keys.iter().copied()).collect();
    prop_oneof![4 => proptest::sample::select(table), 1 => any::<char>().prop_map(Key::Char)]
}

pub fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![3 => proptest::sample::select(&HOSTILE[..]).prop_map(str::to_owned), 1 => "\\PC{0,6}"];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

pub fn any_step() -> impl Strategy<Value = Step> {
    let lines = [":", ": p u t space", "/", "/ r e :", "/ ~", "? /"];
    let place = || (0..220_u16, 0..70_u16);
    prop_oneof![
        10 => any_key().prop_map(Step::Key),
        4 => proptest::sample::select(&WAYS[..]).prop_map(Step::Way),
        1 => any_text().prop_map(Step::Paste),
        2 => (proptest::sample::select(lines.to_vec()), any_text(), any::<bool>())
            .prop_map(|(line, text, enter)| Step::PasteInto(line, text, enter)),
        2 => (1..220_u16, 1..70_u16).prop_map(|(width, height)| Step::Resize(width, height)),
        2 => place().prop_map(|(x, y)| Step::Click(x, y)),
        1 => place().prop_map(|(x, y)| Step::Drag(x, y)),
        1 => (place(), any::<bool>()).prop_map(|((x, y), down)| Step::Wheel(x, y, down)),
        1 => Just(Step::SlowDown),
        4 => any::<usize>().prop_map(Step::CatchUp),
        1 => Just(Step::SpeedUp),
        1 => proptest::sample::select(&COMMANDS[..]).prop_map(Step::Command),
        1 => (any_text(), any_text()).prop_map(|(key, value)| Step::Beside(key, value)),
    ]
}

pub fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(any_step(), 1..60)
}

/// Takes the steps, and looks at the screen after each.
pub fn walk(screen: &mut Screen, writer: Option<&Store>, steps: Vec<Step>) {
    let mut wire = Wire::default();
    for step in steps {
        take(screen, writer, step);
        assert_harmless(screen);
        wire.assert_only_text(screen);
    }
    screen.speed_up();
    assert_harmless(screen);
    wire.assert_only_text(screen);
}

fn take(screen: &mut Screen, writer: Option<&Store>, step: Step) {
    match step {
        Step::Key(key) => screen.key(key),
        Step::Way(keys) => {
            to_the_panes(screen);
            screen.press(keys);
        }
        Step::Paste(text) => screen.act(Action::Paste(text)),
        Step::PasteInto(line, text, enter) => {
            to_the_panes(screen);
            screen.press(line);
            screen.act(Action::Paste(text));
            screen.press(if enter { "enter" } else { "" });
        }
        Step::Resize(width, height) => screen.resize(width, height),
        Step::Click(x, y) => screen.act(Action::Click { x, y }),
        Step::Drag(x, y) => screen.act(Action::Drag { x, y }),
        Step::Wheel(x, y, down) => screen.act(Action::Wheel { x, y, down }),
        Step::SlowDown => screen.slow_down(),
        Step::CatchUp(which) => screen.catch_up_with(which),
        Step::SpeedUp => screen.speed_up(),
        Step::Command(line) => {
            to_the_panes(screen);
            screen.command(line);
        }
        Step::Beside(key, value) => {
            if let Some(writer) = writer {
                writer.put(key.as_bytes(), value.as_bytes()).unwrap();
            }
        }
    }
}

fn to_the_panes(screen: &mut Screen) {
    screen.press("esc esc esc esc");
}

/// Every cell holds characters that a terminal shows, each as wide as it counts.
pub fn assert_harmless(screen: &Screen) {
    for cell in screen.buffer().content() {
        let symbol = cell.symbol();
        assert!(!symbol.contains(is_obeyed), "{symbol:?} reached a cell");
        let alone: usize = symbol.chars().map(|c| c.width().unwrap_or(0).max(1)).sum();
        assert_eq!(symbol.width(), alone, "{symbol:?} is not as wide as its characters");
    }
}
