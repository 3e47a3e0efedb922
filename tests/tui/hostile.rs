//! Bytes that a terminal would obey, and keys pressed at random: nothing panics, nothing gets through, nothing is
//! written that was not asked for.

use std::sync::OnceLock;

use logkv::disk::sim::SimDisk;
use logkv::tui::action::Action;
use logkv::tui::key::Key;
use logkv::tui::keymap::BINDINGS;
use proptest::prelude::*;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::screen::{Screen, settings};
use super::support::fixture;

/// Keys and values that try to be more than text.
fn hostile_store() -> Screen {
    let long = vec![b'k'; 65_535];
    let wide = "漢字".repeat(300);
    let keys: Vec<(&[u8], &[u8])> = vec![
        (b"", b""),
        (b"\x1b[2J\x1b]0;owned\x07", b"\x1b[31mred\x1b[0m\r\n\x08\x7f\x00"),
        (b"\x1b]52;c;Zm9v\x07", b"\x9b31m \xc2\x9b31m \xff\xfe"),
        ("\u{202e}rtl\u{2066}".as_bytes(), "e\u{301}\u{200d}👩\u{200d}👩 \u{feff}".as_bytes()),
        (&long, b"long key"),
        (wide.as_bytes(), wide.as_bytes()),
        (b"\\x1b", b"a backslash and letters"),
        (b"\x1b", b"one escape"),
        (b"\xc3\xa9", "é".as_bytes()),
        ("e\u{301}".as_bytes(), b"decomposed"),
    ];
    Screen::with_keys(&keys, (120, 40))
}

fn assert_harmless(screen: &Screen) {
    for cell in screen.buffer().content() {
        let symbol = cell.symbol();
        let bad = |c: char| {
            c.is_control() || ('\u{200b}'..='\u{200f}').contains(&c) || ('\u{202a}'..='\u{202e}').contains(&c)
        };
        assert!(!symbol.chars().any(bad), "{symbol:?} reached a cell");
        let alone: usize = symbol.chars().map(|c| c.width().unwrap_or(0).max(1)).sum();
        assert_eq!(symbol.width(), alone, "{symbol:?} is not as wide as its characters");
    }
}

#[test]
fn no_byte_of_data_is_obeyed_by_the_terminal() {
    let mut screen = hostile_store();
    for size in [(120, 40), (80, 24), (200, 60), (40, 10)] {
        screen.resize(size.0, size.1);
        for pane in ["1", "2", "2 enter", "3", "4", "x", "x", "5", "6", "7"] {
            screen.press(pane);
            for _ in 0..12 {
                assert_harmless(&screen);
                screen.press("1 j");
            }
            screen.press("g");
        }
    }
    screen.press("1 g d");
    assert_harmless(&screen);
    screen.press("n :");
    screen.act(Action::Paste("put \x1b[2J \u{202e}\u{9b}31m".into()));
    assert_harmless(&screen);
    screen.press("enter");
    assert_harmless(&screen);
    screen.press("/");
    screen.act(Action::Paste("\x1b\u{7f}".into()));
    assert_harmless(&screen);
}

#[test]
fn different_keys_look_different() {
    let screen = hostile_store();
    let text = screen.text();
    for shown in ["the empty key", "  \\x1b ", "  \\\\x1b ", "  é ", "  e\\u{301} "] {
        assert!(text.lines().filter(|line| line.contains(shown)).count() >= 1, "{shown:?} in\n{text}");
    }
}

fn any_key() -> impl Strategy<Value = Key> {
    let table: Vec<Key> = BINDINGS.iter().flat_map(|binding| binding.keys.iter().copied()).collect();
    // Leaving and sleeping end the story.
    let table: Vec<Key> = table.into_iter().filter(|key| !matches!(key, Key::Ctrl('z'))).collect();
    prop_oneof![4 => proptest::sample::select(table), 1 => any::<char>().prop_map(Key::Char)]
}

#[derive(Clone, Debug)]
enum Step {
    Key(Key),
    Paste(String),
    Resize(u16, u16),
    Click(u16, u16),
    Drag(u16, u16),
    Wheel(u16, u16, bool),
    SlowDown,
    CatchUp(usize),
    SpeedUp,
    Command(&'static str),
}

fn any_step() -> impl Strategy<Value = Step> {
    let commands = ["put a \x1b", "delete a", "get \\xff", "list", "stats", "sync", "verify", "put", "delete \\x1b"];
    prop_oneof![
        10 => any_key().prop_map(Step::Key),
        1 => "\\PC{0,20}".prop_map(Step::Paste),
        2 => (1..220_u16, 1..70_u16).prop_map(|(width, height)| Step::Resize(width, height)),
        2 => (0..220_u16, 0..70_u16).prop_map(|(x, y)| Step::Click(x, y)),
        1 => (0..220_u16, 0..70_u16).prop_map(|(x, y)| Step::Drag(x, y)),
        1 => Just(Step::SlowDown),
        4 => any::<usize>().prop_map(Step::CatchUp),
        1 => Just(Step::SpeedUp),
        1 => (0..220_u16, 0..70_u16, any::<bool>()).prop_map(|(x, y, down)| Step::Wheel(x, y, down)),
        1 => proptest::sample::select(commands.to_vec()).prop_map(Step::Command),
    ]
}

fn walk(screen: &mut Screen, steps: Vec<Step>) {
    for step in steps {
        match step {
            Step::Key(key) => screen.key(key),
            Step::Paste(text) => screen.act(Action::Paste(text)),
            Step::Click(x, y) => screen.act(Action::Click { x, y }),
            Step::Drag(x, y) => screen.act(Action::Drag { x, y }),
            Step::SlowDown => screen.slow_down(),
            Step::CatchUp(which) => screen.catch_up_with(which),
            Step::SpeedUp => screen.speed_up(),
            Step::Wheel(x, y, down) => screen.act(Action::Wheel { x, y, down }),
            Step::Resize(width, height) => screen.resize(width, height),
            Step::Command(line) => {
                screen.press("esc esc esc");
                screen.press("esc");
                screen.key(Key::Char(':'));
                screen.type_text(line);
                screen.key(Key::Enter);
            }
        }
        assert_harmless(screen);
    }
    screen.speed_up();
    assert_harmless(screen);
}

/// A copy of a foreign store, made once.
fn foreign() -> SimDisk {
    static DISK: OnceLock<SimDisk> = OnceLock::new();
    DISK.get_or_init(|| SimDisk::from_real_dir(&fixture("riak/riak-edge")).unwrap()).fork()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_keys_pastes_or_sizes_panic(steps in proptest::collection::vec(any_step(), 1..60)) {
        walk(&mut hostile_store(), steps);
    }

    #[test]
    fn nothing_is_written_to_a_store_that_is_only_read(steps in proptest::collection::vec(any_step(), 1..60)) {
        let disk = foreign();
        let before = disk.image();
        let mut screen = Screen::open(&disk, "", (120, 40), settings(true));
        walk(&mut screen, steps);
        prop_assert_eq!(disk.image(), before);
    }

    #[test]
    fn every_size_can_be_drawn(width in 1..250_u16, height in 1..90_u16, pane in 0..8_usize) {
        let mut screen = hostile_store();
        screen.press(["1", "2", "2 enter", "3", "4", "5", "6", "7"][pane]);
        screen.resize(width, height);
        assert_harmless(&screen);
        screen.press("?");
        assert_harmless(&screen);
    }
}
