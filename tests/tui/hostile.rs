//! Bytes that a terminal would obey, and keys pressed at random: nothing panics, nothing gets through, nothing is
//! written that was not asked for, and keys that differ look different.
//!
//! `LOGKV_HOSTILE_CASES=1000 cargo test --test tui hostile` walks so many times through each kind of store.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use logkv::Store;
use logkv::disk::sim::SimDisk;
use logkv::store::Options;
use logkv::tui::action::Action;
use logkv::tui::app::Pane;
use logkv::tui::layout::layout;
use proptest::prelude::*;

use super::crop;
use super::screen::{Screen, options, settings};
use super::stores::prepared;
use super::support::fixture;
use super::walk::{HOSTILE, any_steps, any_text, assert_harmless, walk};
use super::wire::Wire;

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
        (b"\\x1b", b"{\"\\u001b[2J\":\"\\u009b31m \\u202e\",\"e\\u0301\":[\"\\u0000\"]}"),
        (b"\x1b", b"\x82\xa5\x1b[31m\xa4\x1b]0;\xa3\xc2\x9bm\xc0"),
        (b"\xc3\xa9", "é".as_bytes()),
        ("e\u{301}".as_bytes(), b"decomposed"),
    ];
    Screen::with_keys(&keys, (120, 40))
}

#[test]
fn no_byte_of_data_is_obeyed_by_the_terminal() {
    let mut screen = hostile_store();
    let mut wire = Wire::default();
    let mut look = |screen: &Screen| {
        assert_harmless(screen);
        wire.assert_only_text(screen);
    };
    for size in [(120, 40), (80, 24), (200, 60), (40, 10)] {
        screen.resize(size.0, size.1);
        for pane in ["1", "2", "2 enter", "3", "4", "x", "x", "5", "6", "7"] {
            screen.press(pane);
            for _ in 0..12 {
                look(&screen);
                screen.press("1 j");
            }
            screen.press("g");
        }
    }
    screen.press("1 g d");
    look(&screen);
    screen.press("n");
    for line in [":", "/", "/ r e :", "/ ~", "? /"] {
        screen.press(line);
        for text in HOSTILE {
            screen.act(Action::Paste(text.into()));
            look(&screen);
        }
        screen.press("enter");
        look(&screen);
        screen.press("esc esc esc");
    }
}

#[test]
fn different_keys_look_different() {
    let screen = hostile_store();
    let text = screen.text();
    for shown in ["the empty key", "  \\x1b ", "  \\\\x1b ", "  é ", "  e\\u{301} "] {
        assert!(text.lines().filter(|line| line.contains(shown)).count() >= 1, "{shown:?} in\n{text}");
    }
}

/// The stores that are only looked at: of each format, and each kind of damage.
const ONLY_READ: [&str; 12] = [
    "riak/riak-edge",
    "riak/riak-tombstones",
    "riak/riak-corrupt",
    "riak/riak-torn",
    "riak/riak-badlen",
    "logkv-go/logkv-edge",
    "logkv-go/logkv-small",
    "flipped-value",
    "flipped-length",
    "damaged-header",
    "damaged-hint",
    "torn-tail",
];

/// A copy of one of these; each is made once.
fn only_read(which: usize) -> (SimDisk, &'static str) {
    static DISKS: OnceLock<BTreeMap<&'static str, SimDisk>> = OnceLock::new();
    let make = |name: &&'static str| {
        let disk = prepared(name).unwrap_or_else(|| SimDisk::from_real_dir(&fixture(name)).unwrap());
        (*name, disk)
    };
    let name = ONLY_READ[which];
    let disk = DISKS.get_or_init(|| ONLY_READ.iter().map(make).collect())[name].fork();
    (disk, if name.contains('/') { "" } else { "data" })
}

/// Keys of a few characters, as they stand in a pane that has room for them.
fn shown(keys: &BTreeSet<Vec<u8>>) -> (Vec<String>, String) {
    let disk = SimDisk::new();
    let options = Options { create: true, max_segment_bytes: 1 << 20, ..options() };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("data"), options).unwrap();
    for key in keys {
        store.put(key, b"v").unwrap();
    }
    store.close().unwrap();
    let mut screen = Screen::open(&disk, "data", (80, 24), settings(true));
    screen.press("G");
    assert_eq!(layout(&screen.app).page(Pane::Keys), 16, "all of them are on the screen");
    let pane = crop::part(&screen, "keys").unwrap();
    let rows = pane.lines().skip(2).map(|row| row.replace('›', " ")).filter(|row| row.contains("1 B")).collect();
    (rows, pane)
}

fn cases() -> u32 {
    std::env::var("LOGKV_HOSTILE_CASES").ok().map_or(32, |cases| cases.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_keys_pastes_or_sizes_panic(steps in any_steps()) {
        walk(&mut hostile_store(), None, steps);
    }

    #[test]
    fn nothing_is_written_to_a_store_that_is_only_read(which in 0..ONLY_READ.len(), steps in any_steps()) {
        let (disk, path) = only_read(which);
        let before = disk.image();
        let mut screen = Screen::open(&disk, path, (120, 40), settings(true));
        walk(&mut screen, None, steps);
        prop_assert_eq!(disk.image(), before, "{}", ONLY_READ[which]);
    }

    #[test]
    fn a_foreign_store_is_only_read_without_being_told(steps in any_steps()) {
        let (disk, path) = only_read(0);
        let before = disk.image();
        let mut screen = Screen::open(&disk, path, (120, 40), settings(false));
        walk(&mut screen, None, steps);
        prop_assert_eq!(disk.image(), before);
    }

    #[test]
    fn each_key_looks_different(keys in proptest::collection::btree_set(any_short_key(), 1..17)) {
        let (rows, pane) = shown(&keys);
        prop_assert_eq!(rows.len(), keys.len(), "{}", pane);
        prop_assert_eq!(rows.iter().collect::<BTreeSet<_>>().len(), keys.len(), "{}", pane);
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

proptest! {
    // Each waits for the watcher's next look.
    #![proptest_config(ProptestConfig { cases: cases().div_ceil(4), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn beside_a_writer_all_that_it_put_is_there_in_the_end(steps in any_steps()) {
        let disk = SimDisk::new();
        let options = Options { create: true, ..options() };
        let store = Store::open_on(Arc::new(disk.clone()), Path::new("data"), options).unwrap();
        store.put(b"first", b"1").unwrap();
        let mut screen = Screen::open(&disk, "data", (120, 40), settings(false));
        walk(&mut screen, Some(&store), steps);
        if screen.left {
            return Ok(());
        }
        if screen.app.follow.paused {
            screen.press("esc esc esc esc p");
        }
        let keys = store.stats().keys;
        screen.wait_until(|app| app.figures.as_ref().is_some_and(|figures| figures.stats.keys == keys));
    }
}

/// Bytes of any kind, and text that misleads.
fn any_short_key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..5),
        proptest::sample::select(&HOSTILE[..]).prop_map(|text| text.as_bytes().iter().copied().take(4).collect()),
        any_text().prop_map(|text| text.into_bytes().into_iter().take(4).collect()),
    ]
}
