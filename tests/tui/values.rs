//! Pane 4 and 5: values that are longer than what is at hand, views that were asked for, versions that were chosen.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

use logkv::disk::sim::SimDisk;
use logkv::format::{Codec, Origin, record};
use logkv::store::{Location, Options};
use logkv::tui::action::{Action, Arrived, ValueSeen, Verb};
use logkv::tui::effect::{Effect, Portion, ValueOf, ValueWanted};
use logkv::tui::jobs::Desk;
use logkv::tui::update::update;
use logkv::tui::window::WINDOW;
use logkv::value::View;
use logkv::{Store, inspect};

use super::screen::{NOW, Screen, options, settings};

fn store(disk: &SimDisk) -> Store {
    Store::open_on(Arc::new(disk.clone()), Path::new("data"), Options { create: true, ..options() }).unwrap()
}

/// A disk with one long value, and where its record is.
fn with_value(value: &[u8]) -> (SimDisk, Location) {
    let disk = SimDisk::new();
    let store = store(&disk);
    let written = store.put(b"long:1", value).unwrap();
    store.close().unwrap();
    (disk, written.location)
}

fn open(value: &[u8], size: (u16, u16)) -> Screen {
    let mut screen = Screen::open(&with_value(value).0, "data", size, settings(true));
    screen.press("4 +");
    screen
}

fn lines_of(count: usize) -> Vec<u8> {
    (0..count).flat_map(|n| format!("line {n:07}\n").into_bytes()).collect()
}

/// The pane's rows without their frame, when it has the whole screen.
fn rows(screen: &Screen) -> Vec<String> {
    let text = screen.text();
    let inner = text.lines().filter_map(|line| line.strip_prefix('│')?.strip_suffix('│'));
    inner.map(|line| line.trim().to_owned()).collect()
}

fn title(screen: &Screen) -> String {
    screen.text().lines().find(|line| line.contains("4 Value")).unwrap().to_owned()
}

#[test]
fn of_a_long_value_no_more_than_a_window_is_read_or_held() {
    let (disk, location) = with_value(&lines_of(1 << 19));
    let (send, answers) = channel();
    let desk = Desk::new(Arc::new(disk.clone()), options(), settings(true), Arc::new(move |it| drop(send.send(it))));
    desk.perform(Effect::Open { path: "data".into(), create: false }, &|| false);
    let file = format!("data/{:010}.data", location.segment);
    let window = location.offset + WINDOW as u64 + 100;
    disk.fail_reads_at(file, window..location.offset + location.len).unwrap();
    let (key, of) = (b"long:1"[..].into(), ValueOf::Key);
    desk.perform(Effect::Value(ValueWanted { key, location, of, view: None, portion: Portion::Start }), &|| false);
    let seen = answers.try_iter().find_map(|action| match action {
        Action::Arrived(Arrived::Value(seen)) => Some(seen),
        _ => None,
    });
    let part = seen.unwrap().value.unwrap().unwrap();
    assert_eq!((part.bytes.len(), part.whole, part.unchecked), (WINDOW, 13 << 19, true));
}

#[test]
fn the_title_says_what_was_not_done_for_a_long_value() {
    let screen = open(&lines_of(1 << 19), (120, 40));
    assert_eq!(rows(&screen)[..2], ["line 0000000", "line 0000001"]);
    assert!(title(&screen).contains("text  6.5 MiB  crc not computed"), "{}", title(&screen));
}

#[test]
fn a_long_value_can_be_scrolled_over_from_end_to_end() {
    let value = lines_of(1 << 18);
    let mut screen = open(&value, (80, 24));
    screen.press("G");
    let last = rows(&screen);
    assert_eq!(last.last().unwrap(), "line 0262143");
    screen.press("g");
    let page = last.len();
    for turn in 0..(1 << 18) / page / 4 {
        assert_eq!(rows(&screen)[0], format!("line {:07}", turn * page), "page {turn}");
        screen.press("pgdn");
    }
    let reads = screen.effects.iter().filter(|effect| matches!(effect, Effect::Value(_))).count();
    assert!(reads < 10, "{reads} windows");
    let here = rows(&screen)[0].clone();
    screen.press("pgup pgup pgdn pgdn");
    assert_eq!(rows(&screen)[0], here);
    screen.press("G k");
    assert_eq!(rows(&screen).last().unwrap(), "line 0262142");
}

#[test]
fn hexadecimal_goes_to_any_byte_of_a_long_value() {
    let value: Vec<u8> = (0..3 * WINDOW as u32).flat_map(u32::to_be_bytes).collect();
    let mut screen = open(&value, (120, 40));
    screen.press("G");
    let last = rows(&screen).last().unwrap().clone();
    assert!(last.starts_with("bffff0  00 2f ff fc"), "{last}");
    screen.press("g pgdn");
    let page = rows(&screen).len();
    assert!(rows(&screen)[0].contains(&format!("{:x}  ", page * 16)), "{}", rows(&screen)[0]);
}

#[test]
fn a_window_that_is_not_wanted_any_more_is_dropped() {
    let value = lines_of(1 << 19);
    let mut screen = open(&value, (80, 24));
    let first = screen.app.value.clone();
    let late = ValueSeen { wanted: first.asked.unwrap(), value: first.value.unwrap(), suspect: false };
    screen.press("G");
    screen.act(Action::Arrived(Arrived::Value(late)));
    assert_eq!(rows(&screen).last().unwrap(), "line 0524287");
}

#[test]
fn json_that_is_longer_than_a_window_is_shown_as_far_as_that_goes() {
    let value = format!("[{}0]", "\"some item of a list\",\n".repeat(200_000));
    let mut screen = open(value.as_bytes(), (120, 40));
    assert!(title(&screen).contains("json  first 1.0 MiB of 4.4 MiB  crc not computed"), "{}", title(&screen));
    screen.press("G");
    assert!(rows(&screen).last().unwrap().starts_with("… more than 20,000 lines"), "{:?}", rows(&screen).last());
}

#[test]
fn a_compressed_value_is_undone_no_further_than_a_window() {
    let raw = vec![b'a'; 64 << 20];
    let compressed = lz4(&raw);
    assert!(compressed.len() < WINDOW);
    let (salt, mut file) = (9, Vec::new());
    record::encode_file_header(1, salt, NOW, Origin::Puts, &mut file);
    let offset = file.len() as u64;
    let put = record::NewRecord { codec: Codec::Lz4, ..record::NewRecord::put(b"k", &compressed, NOW) };
    record::encode(&put, salt, offset, &mut file);
    let disk = SimDisk::from_files([("data/0000000001.data", file)]).unwrap();
    let mut screen = Screen::open(&disk, "data", (120, 40), settings(true));
    screen.press("4 + G");
    let part = screen.app.value.part().unwrap();
    assert_eq!((part.bytes.len(), part.whole), (WINDOW, 64 << 20));
    assert!(title(&screen).contains("text  first 1.0 MiB of 64.0 MiB"), "{}", title(&screen));
    assert!(rows(&screen).last().unwrap().ends_with("aaaa"));
}

/// One literal, and one match that repeats it for the rest.
fn lz4(raw: &[u8]) -> Vec<u8> {
    let mut stored = u32::try_from(raw.len()).unwrap().to_le_bytes().to_vec();
    stored.extend([0x1f, raw[0], 1, 0]);
    // The last five bytes are literals.
    let more = raw.len() - 1 - 5 - 4 - 15;
    stored.extend(std::iter::repeat_n(255, more / 255));
    stored.push(u8::try_from(more % 255).unwrap());
    stored.push(0x50);
    stored.extend(&raw[raw.len() - 5..]);
    stored
}

#[test]
fn a_view_is_remembered_for_related_keys_alone() {
    let keys: Vec<(&[u8], &[u8])> =
        vec![(b"a:1", b"[1]"), (b"a:2", b"[2]"), (b"a:3", b"\xff"), (b"b:1", b"[3]"), (b"c", b"[4]")];
    let mut screen = Screen::with_keys(&keys, (120, 40));
    let view = |screen: &Screen| screen.app.value.part().unwrap().view;
    assert_eq!(view(&screen), View::Json);
    screen.press("4 x");
    assert_eq!(view(&screen), View::Text);
    assert!(title(&screen).contains("text (forced)"));
    screen.press("1 j");
    assert_eq!(view(&screen), View::Text, "a key like the one before");
    screen.press("4 x 1 j");
    assert_eq!(view(&screen), View::Hex);
    screen.press("j");
    assert_eq!(view(&screen), View::Json, "a key unlike it");
    screen.press("1 g 4 x");
    assert_eq!(view(&screen), View::Json, "around the end");
    screen.press("1 j j");
    assert_eq!(view(&screen), View::Hex, "what is asked for does not fit");
    assert!(!title(&screen).contains("forced"), "{}", title(&screen));
    screen.press("1 g 4 x X");
    assert_eq!(view(&screen), View::Json);
    assert!(screen.app.value.forced.is_empty() && !title(&screen).contains("forced"));
}

#[test]
fn a_chosen_version_is_shown_until_the_selection_goes_elsewhere() {
    let keys: Vec<(&[u8], &[u8])> = vec![(b"a", b"one"), (b"a", b"two"), (b"b", b"other"), (b"a", b"three")];
    let mut screen = Screen::with_keys(&keys, (200, 60));
    let shown = |screen: &Screen| String::from_utf8(screen.app.value.part().unwrap().bytes.clone()).unwrap();
    assert_eq!(shown(&screen), "three");
    screen.press("5 j");
    assert_eq!(shown(&screen), "two");
    assert!(title(&screen).contains("superseded 1:"), "{}", title(&screen));
    screen.press("j");
    assert_eq!(shown(&screen), "one");
    screen.press("4");
    assert_eq!(shown(&screen), "one", "another pane of the same key");
    screen.press("1");
    assert_eq!(shown(&screen), "three");
    screen.press("5 G 1 j");
    assert_eq!(shown(&screen), "other");
    screen.press("5 k");
    assert_eq!(screen.app.value.asked.as_ref().unwrap().of, ValueOf::Record);
    screen.command("put b newer");
    assert_eq!(shown(&screen), "newer", "what was just written");
}

#[test]
fn a_chosen_version_stays_when_another_process_writes_a_newer_one() {
    let disk = SimDisk::new();
    let writer = store(&disk);
    writer.put(b"a", b"one").unwrap();
    writer.put(b"a", b"two").unwrap();
    let mut screen = Screen::open(&disk, "data", (200, 60), settings(false));
    screen.wait_until(|app| app.history.versions.len() == 2);
    screen.press("5 j");
    writer.put(b"a", b"three").unwrap();
    screen.wait_until(|app| app.history.versions.len() == 3);
    assert_eq!(screen.app.value.part().unwrap().bytes, b"one");
    assert_eq!(screen.app.history.cursor.at, 2);
}

#[test]
fn a_damaged_version_is_neither_shown_nor_put_back() {
    let disk = SimDisk::new();
    let store = store(&disk);
    let old = store.put(b"a", b"the old value").unwrap().location;
    store.put(b"a", b"the new value").unwrap();
    store.close().unwrap();
    disk.poke("data/0000000001.data", old.offset + old.len - 1, b"X").unwrap();
    let mut screen = Screen::open(&disk, "data", (200, 60), settings(false));
    screen.press("5 j");
    assert!(screen.app.value.part().is_none());
    screen.press("u");
    assert!(!screen.app.is_asking() && screen.said().contains("damaged"), "{}", screen.said());
    screen.press("=");
    assert!(screen.app.page.is_none() && screen.said().contains("damaged"), "{}", screen.said());
}

#[test]
fn a_long_old_value_is_put_back_whole() {
    let value = lines_of(1 << 17);
    let disk = SimDisk::new();
    let store = store(&disk);
    store.put(b"a", &value).unwrap();
    store.delete(b"a").unwrap();
    store.put(b"b", b"other").unwrap();
    store.close().unwrap();
    let mut screen = Screen::open(&disk, "data", (200, 60), settings(false));
    screen.press("2 enter g j 5");
    let row = &screen.app.history.selected().unwrap().row;
    assert_eq!(row.state, inspect::RowState::Tombstone);
    screen.press("j u y");
    assert!(screen.said().starts_with("put a back from 1:40 →"), "{}", screen.said());
    let store = self::store(&disk.kill());
    assert_eq!(store.get(b"a").unwrap().value(), Some(&value[..]));
}

#[test]
fn nothing_is_put_back_without_a_yes() {
    let keys: Vec<(&[u8], &[u8])> = vec![(b"a", b"one"), (b"a", b"two")];
    let mut screen = Screen::with_keys(&keys, (200, 60));
    screen.press("5 j");
    for no in ["n", "esc", "ctrl-c"] {
        screen.press("u");
        assert!(screen.app.is_asking() && screen.text().contains("put a back as it was at 1:40?"));
        screen.effects.clear();
        screen.press(no);
        assert!(!screen.effects.iter().any(|effect| matches!(effect, Effect::Run(_))));
    }
    let asked = update(&mut screen.app, Action::Verb(Verb::PutBack));
    assert!(!asked.iter().any(|effect| matches!(effect, Effect::Run(_))), "{asked:?}");
}
