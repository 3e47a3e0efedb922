//! What keys lead to.

use std::path::Path;
use std::sync::Arc;

use logkv::disk::sim::SimDisk;
use logkv::store::Options;
use logkv::tui::action::{Action, Arrived, Motion, Verb};
use logkv::tui::app::{Pane, Stage};
use logkv::tui::effect::Effect;
use logkv::tui::keymap::{BINDINGS, contexts};
use logkv::tui::update::update;
use logkv::{Store, inspect};

use super::screen::{Screen, options, settings};

fn ten_keys() -> Screen {
    let keys: Vec<(Vec<u8>, Vec<u8>)> =
        (0..10).map(|n| (format!("key:{n}").into_bytes(), format!("value {n}").into_bytes())).collect();
    let keys: Vec<(&[u8], &[u8])> = keys.iter().map(|(key, value)| (&key[..], &value[..])).collect();
    Screen::with_keys(&keys, (120, 40))
}

fn selected(screen: &Screen) -> String {
    screen.app.keys.selected.as_deref().map(|key| String::from_utf8_lossy(key).into_owned()).unwrap_or_default()
}

#[test]
fn the_selection_follows_its_key_when_rows_move() {
    let mut screen = ten_keys();
    screen.press("down down down");
    assert_eq!(selected(&screen), "key:3");
    screen.press("s s");
    assert_eq!(selected(&screen), "key:3", "newest first, it is somewhere else");
    assert_eq!(screen.app.keys.cursor.at, 6);
    screen.press("s");
    assert_eq!(screen.app.keys.cursor.at, 3);
}

#[test]
fn a_put_shows_the_key_the_record_and_the_figures_in_one_step() {
    let mut screen = ten_keys();
    screen.command("put key:55 new");
    assert_eq!(selected(&screen), "key:55");
    let record = screen.app.records.row().unwrap();
    assert_eq!(record.key.as_deref(), Some(&b"key:55"[..]));
    assert_eq!(screen.app.figures.as_ref().unwrap().stats.keys, 11);
    assert_eq!(screen.app.keys.window.total, 11);
    assert_eq!(screen.app.value.part().unwrap().bytes, b"new");
}

#[test]
fn the_answer_to_a_write_carries_all_that_moved() {
    let mut screen = ten_keys();
    screen.effects.clear();
    screen.command("put key:5 again");
    let looks = screen.effects.iter().filter(|effect| matches!(effect, Effect::Keys(_) | Effect::Records(_))).count();
    assert_eq!(looks, 0, "{:?}", screen.effects);
}

#[test]
fn what_is_on_the_screen_is_not_asked_for_again() {
    let mut screen = ten_keys();
    screen.effects.clear();
    screen.act(Action::Clock(screen.app.now + 1_000_000));
    screen.press("? esc");
    assert_eq!(screen.effects, []);
    screen.press("down");
    assert!(
        screen.effects.iter().all(|effect| matches!(effect, Effect::Value(_) | Effect::Record(_) | Effect::Slot(_))),
        "{:?}",
        screen.effects
    );
}

#[test]
fn nothing_is_deleted_without_a_yes() {
    let mut screen = ten_keys();
    screen.press("d n d esc d");
    screen.press("ctrl-c");
    assert_eq!(screen.app.figures.as_ref().unwrap().stats.keys, 10);
    screen.press("d y");
    assert_eq!(screen.app.figures.as_ref().unwrap().stats.keys, 9);
    assert_eq!(selected(&screen), "key:1");
    assert!(screen.said().contains("tombstone"), "{}", screen.said());
}

#[test]
fn pasted_text_goes_to_the_line_and_does_not_run() {
    let mut screen = ten_keys();
    screen.act(Action::Paste("delete key:1\n".into()));
    screen.press(":");
    screen.act(Action::Paste("delete key:1\ndelete key:2\n".into()));
    assert_eq!(screen.app.command.field.text(), "delete key:1\ndelete key:2");
    assert_eq!(screen.app.figures.as_ref().unwrap().stats.keys, 10);
}

#[test]
fn ctrl_c_leaves_only_the_second_time() {
    let mut screen = ten_keys();
    screen.press("ctrl-c down ctrl-c");
    assert!(!screen.left, "a key in between starts the count anew");
    screen.press("ctrl-c");
    assert!(screen.left);
}

#[test]
fn escape_goes_back_the_way_one_came() {
    let mut screen = ten_keys();
    screen.press("2 enter enter");
    assert_eq!(screen.app.focus, Pane::Record);
    screen.press("+ esc");
    assert_eq!((screen.app.zoomed, screen.app.focus), (false, Pane::Record));
    screen.press("esc");
    assert_eq!(screen.app.focus, Pane::Records);
    screen.press("esc esc");
    assert_eq!(screen.app.focus, Pane::Keys);
}

#[test]
fn an_answer_about_an_older_state_is_dropped() {
    let mut screen = ten_keys();
    let before = screen.app.figures.clone().unwrap();
    screen.command("put key:99 x");
    screen.act(Action::Arrived(Arrived::Followed(Box::new(before))));
    assert_eq!(screen.app.figures.as_ref().unwrap().stats.keys, 11);
}

#[test]
fn keys_work_while_a_store_is_loading() {
    let mut screen = ten_keys();
    screen.app.figures = None;
    screen.app.stage = Stage::Opening;
    screen.act(Action::Arrived(Arrived::Loading { done: 30, total: 100 }));
    assert_eq!(screen.app.stage, Stage::Loading { done: 30, total: 100 });
    screen.press("down / : q");
    assert!(screen.left);
}

#[test]
fn the_next_record_of_a_key_is_found() {
    let keys: Vec<(&[u8], &[u8])> = vec![(b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"b", b"2"), (b"a", b"3")];
    let mut screen = Screen::with_keys(&keys, (120, 40));
    screen.press("2 enter g down n");
    let offset = |screen: &Screen| screen.app.records.row().map(|row| (row.key.clone(), row.offset)).unwrap();
    let second = offset(&screen);
    assert_eq!(second.0.as_deref(), Some(&b"a"[..]));
    screen.press("n");
    let third = offset(&screen);
    assert!(third.1 > second.1 && third.0 == second.0, "{third:?}");
    screen.press("N");
    assert_eq!(offset(&screen), second);
    screen.press("N N");
    assert_eq!(offset(&screen), third, "around the start of the store");
    assert!(screen.said().ends_with("around the start of the first segment"), "{}", screen.said());
}

#[test]
fn every_row_of_the_table_does_something_somewhere() {
    // Moves and edits are tried by the hostile test; these must change the state or ask for an effect at once.
    for binding in BINDINGS.iter().filter(|binding| !matches!(binding.verb, Verb::Move(_) | Verb::Edit(_))) {
        let mut any = false;
        for prepare in [
            "", "2", "2 enter", "3", "3 l", "4", "5", "7", ":", "/", "d", "Y", "?", "? /", "? / k", "F", "+", "2 +",
            "ctrl-c", ": x", ": s t", "/ k", ": up", "m", "m a",
        ] {
            let mut screen = ten_keys();
            screen.command("stats");
            screen.press("esc");
            screen.press(prepare);
            if !contexts(&screen.app).contains(&binding.context) {
                continue;
            }
            screen.effects.clear();
            let before = format!("{:?}", screen.app);
            screen.key(binding.keys[0]);
            any |= format!("{:?}", screen.app) != before || !screen.effects.is_empty();
        }
        let elsewhere = ["Choosing a store", "While opening", "A merge that runs"].contains(&binding.context.title());
        assert!(any || elsewhere, "{binding:?}");
    }
}

#[test]
fn a_superseded_record_shows_its_own_value() {
    let keys: Vec<(&[u8], &[u8])> = vec![(b"a", b"the first"), (b"a", b"\x1bsecond"), (b"b", b"other")];
    let mut screen = Screen::with_keys(&keys, (120, 40));
    let shown = |screen: &Screen| screen.app.value.part().unwrap().bytes.clone();
    assert_eq!(shown(&screen), b"\x1bsecond", "the key's own");
    screen.press("2 enter g down");
    assert_eq!(shown(&screen), b"the first");
    assert!(screen.text().contains("9 B  superseded 1:40"), "{}", screen.text());
    screen.press("down");
    assert_eq!(shown(&screen), b"\x1bsecond");
    screen.press("1");
    assert_eq!(shown(&screen), b"\x1bsecond");
}

fn readings(screen: &Screen) -> usize {
    screen.effects.iter().filter(|effect| matches!(effect, Effect::History(_))).count()
}

#[test]
fn a_history_is_read_when_its_pane_is_seen_and_when_its_key_moves() {
    let keys: Vec<(&[u8], &[u8])> = vec![(b"a", b"1"), (b"b", b"1"), (b"a", b"2")];
    let mut screen = Screen::with_keys(&keys, (120, 40));
    screen.press("down up 3 2 1");
    assert_eq!(readings(&screen), 0, "it is not to be seen");
    screen.press("5");
    let places = |screen: &Screen| -> Vec<String> {
        screen.app.history.versions.iter().map(|version| version.reason.to_string()).collect()
    };
    assert_eq!(places(&screen), ["the keydir points here", "superseded by 1:92"]);
    screen.press("down up x ? esc");
    assert_eq!(readings(&screen), 1, "nothing moved");
    screen.command("put a 3");
    assert_eq!((readings(&screen), places(&screen).len()), (2, 3));
    screen.press("5 down enter");
    let row = screen.app.records.row().unwrap();
    assert_eq!((screen.app.focus, row.offset), (Pane::Records, 92));
}

#[test]
fn a_history_says_how_many_segments_their_filters_spared_it() {
    let disk = SimDisk::new();
    let options = || Options { create: true, max_segment_bytes: 200, ..options() };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("/data"), options()).unwrap();
    for key in ["a", "b", "c"] {
        store.put(key.as_bytes(), &[b'v'; 120]).unwrap();
    }
    store.close().unwrap();
    let mut screen = Screen::open(&disk, "/data", (160, 40), settings(true));
    screen.press("5");
    assert!(screen.text().contains("filters denied 2 of 3"), "{}", screen.text());
    screen.resize(80, 24);
    assert!(!screen.text().contains("filters denied"), "there is no room");
}

#[test]
fn a_history_waits_until_the_selection_rests() {
    let mut screen = ten_keys();
    screen.resize(200, 60);
    let asked = screen.app.history.asked.clone().unwrap();
    screen.effects.clear();
    // As if the rest had not ended: the worker is not asked, only the state is changed.
    let moved = update(&mut screen.app, Action::Verb(Verb::Move(Motion::Down)));
    assert!(moved.iter().any(|effect| matches!(effect, Effect::Rest(_))), "{moved:?}");
    assert!(screen.app.history.resting && screen.app.history.versions.is_empty());
    let late = update(&mut screen.app, Action::Arrived(Arrived::Rested(asked)));
    assert!(!late.iter().any(|effect| matches!(effect, Effect::History(_))), "{late:?}");
    let wanted = screen.app.history.asked.clone().unwrap();
    let now = update(&mut screen.app, Action::Arrived(Arrived::Rested(wanted.clone())));
    assert!(now.contains(&Effect::History(wanted)), "{now:?}");
    let stopped = update(&mut screen.app, Action::Verb(Verb::Leave));
    assert!(stopped.contains(&Effect::StopHistory) && screen.app.history.reading.is_none());
}

#[test]
fn the_key_of_the_leading_list_is_copied() {
    let mut screen = Screen::with_keys(&[(b"a", b"1"), (b"b \xff", b"1")], (120, 40));
    let copied = |screen: &Screen| match screen.effects.last() {
        Some(Effect::Copy(text)) => text.clone(),
        other => panic!("{other:?}"),
    };
    screen.press("down y");
    assert_eq!(copied(&screen), "\"b \\xff\"");
    screen.press("2 enter g down y");
    assert_eq!(copied(&screen), "a");
}

/// A value that is no text was copied as `\xff` without quotes, which `put` takes for four characters.
#[test]
fn a_copied_value_is_what_put_reads() {
    let mut screen = Screen::with_keys(&[(b"a", b"\xff\"\x1b"), (b"b", b"plain \\x41")], (120, 40));
    let copied = |screen: &Screen| match screen.effects.last() {
        Some(Effect::Copy(text)) => text.clone(),
        other => panic!("{other:?}"),
    };
    screen.press("Y v");
    assert_eq!(copied(&screen), r#""\xff\"\x1b""#);
    screen.press("down Y v");
    assert_eq!(copied(&screen), r"plain \x41");
}

/// The map says what enter does; elsewhere enter does something else.
#[test]
fn words_on_a_cell_go_when_the_map_is_left() {
    let mut screen = ten_keys();
    screen.press("2 ]");
    assert!(screen.text().contains("enter goes to the records there"));
    screen.press("4");
    assert!(!screen.text().contains("enter goes to the records there"));
}

#[test]
fn a_read_only_store_offers_nothing_that_writes() {
    let mut screen = ten_keys().open_again();
    for pane in ["1", "5"] {
        screen.press(pane);
        let hints = screen.text().lines().last().unwrap_or_default().to_owned();
        assert!(hints.contains("? help") && !hints.contains("delete") && !hints.contains("put back"), "{hints}");
    }
}

#[test]
fn a_click_goes_to_the_row_under_it_and_the_wheel_scrolls_its_pane() {
    let mut screen = ten_keys();
    // Below the border and the headings.
    screen.act(Action::Click { x: 5, y: 3 + 4 });
    assert_eq!((selected(&screen), screen.app.focus), ("key:4".to_owned(), Pane::Keys));
    let records = screen.text().lines().position(|line| line.contains("Records of segment")).unwrap();
    let y = u16::try_from(records).unwrap() + 2;
    screen.act(Action::Click { x: 60, y });
    assert_eq!(screen.app.focus, Pane::Records);
    let top = screen.app.records.cursor.at;
    screen.act(Action::Wheel { x: 60, y, down: true });
    assert_eq!(screen.app.records.cursor.at, top + 3);
    screen.act(Action::Wheel { x: 5, y: 5, down: false });
    assert_eq!((selected(&screen), screen.app.focus), ("key:1".to_owned(), Pane::Keys));
    screen.press("d");
    screen.act(Action::Click { x: 60, y });
    assert!(screen.app.is_asking() && screen.app.focus == Pane::Keys, "a question is answered with a key");
}

#[test]
fn a_finding_leads_to_its_record() {
    let disk = SimDisk::new();
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("data"), Options { create: true, ..options() });
    let store = store.unwrap();
    for key in [b"a", b"b", b"c"] {
        store.put(key, b"value").unwrap();
    }
    let second = store.entry(b"b").unwrap().location;
    store.close().unwrap();
    disk.poke("data/0000000001.data", second.offset + 25, b"\xff").unwrap();

    let mut screen = Screen::open(&disk, "data", (120, 40), settings(false));
    screen.press("v enter");
    assert_eq!((screen.app.page.is_none(), screen.app.focus), (true, Pane::Records));
    let row = screen.app.records.row().unwrap();
    assert_eq!((row.segment, row.offset, row.state), (1, second.offset, inspect::RowState::Damaged));
}

#[test]
fn a_long_record_list_is_the_same_through_any_window() {
    let disk = SimDisk::new();
    let options = Options { create: true, max_segment_bytes: 1 << 20, ..options() };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("data"), options).unwrap();
    for n in 0..3000_u32 {
        store.put(&n.to_be_bytes(), b"v").unwrap();
    }
    let rows = inspect::records(&store, 1, 0).unwrap().map(|row| row.unwrap().offset);
    let all: Vec<_> = std::iter::once(0).chain(rows).collect();
    store.close().unwrap();

    let mut screen = Screen::open(&disk, "data", (80, 24), settings(true));
    let at = |screen: &Screen| screen.app.records.row().map(|row| (screen.app.records.cursor.at, row.offset));
    screen.press("2 enter g");
    for (keys, row) in [("", 0), ("down", 1), ("G", 3000), ("up", 2999), ("ctrl-u pgup", 2993)] {
        screen.press(keys);
        let (found, offset) = at(&screen).unwrap();
        assert!(found.abs_diff(row) < 8, "{keys}: {found}");
        assert_eq!(offset, all[found], "{keys}");
    }
    for _ in 0..760 {
        screen.press("pgup");
        let (found, offset) = at(&screen).unwrap();
        assert_eq!(offset, all[found]);
    }
    assert_eq!(screen.app.records.cursor.at, 0);
    screen.press("1 G");
    assert_eq!(at(&screen), Some((3000, all[3000])), "from the key to its record");
}

#[test]
fn a_writer_beside_is_followed() {
    let disk = SimDisk::new();
    let open = || Store::open_on(Arc::new(disk.clone()), Path::new("data"), Options { create: true, ..options() });
    let writer = open().unwrap();
    writer.put(b"a", b"1").unwrap();
    let mut screen = Screen::open(&disk, "data", (80, 24), settings(false));
    assert!(screen.app.writer.is_some());
    writer.put(b"b", b"2").unwrap();
    screen.wait_until(|app| app.keys.window.total == 2);
    assert_eq!(screen.app.figures.as_ref().unwrap().stats.keys, 2);
    writer.delete(b"a").unwrap();
    screen.wait_until(|app| app.keys.window.total == 1);
    assert_eq!(selected(&screen), "b", "its key is gone, and the one after it took its place");
}

#[test]
fn an_escape_that_is_half_there_is_told_of_until_it_is_whole_and_not_taken_before() {
    let mut screen = ten_keys();
    screen.press("/");
    screen.type_text("\\x6");
    assert!(screen.said().contains("hexadecimal"), "{}", screen.said());
    screen.press("enter");
    assert!(screen.app.typing.is_some(), "it stays, to be finished");
    screen.type_text("b");
    assert_eq!(screen.said(), "");
    screen.press("enter");
    assert_eq!((screen.app.typing, screen.app.keys.filter.prefix()), (None, &b"k"[..]));
}

#[test]
fn the_empty_key_has_a_name_in_what_is_said_of_it() {
    let mut screen = ten_keys();
    screen.command("put \"\" something");
    assert!(screen.said().starts_with("put \"\" →"), "{}", screen.said());
}

#[test]
fn a_store_whose_only_segment_cannot_be_read_does_not_look_new() {
    let disk = SimDisk::new();
    let store =
        Store::open_on(Arc::new(disk.clone()), Path::new("data"), Options { create: true, ..options() }).unwrap();
    store.put(b"key", b"value").unwrap();
    store.close().unwrap();
    disk.flip_bit("data/0000000001.data", 9).unwrap();
    let screen = Screen::open(&disk, "data", (120, 40), super::screen::settings(false));
    let text = screen.text();
    assert!(text.contains("no keys could be read; F says why"), "{text}");
    assert!(text.contains("no segment could be read; F says why"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_value_is_read_from_a_regular_file_only() {
    let scratch = tempfile::tempdir().unwrap();
    let pipe = scratch.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut screen = ten_keys();
    screen.command(&format!("put k @{}", pipe.display()));
    assert!(screen.said().contains("not a regular file"), "{}", screen.said());
}

#[test]
fn damage_that_verify_found_stays_on_the_screen() {
    let disk = SimDisk::new();
    let store =
        Store::open_on(Arc::new(disk.clone()), Path::new("data"), Options { create: true, ..options() }).unwrap();
    let written = store.put(b"key", b"value").unwrap();
    store.close().unwrap();
    disk.flip_bit("data/0000000001.data", (written.location.offset + written.location.len - 1) * 8).unwrap();
    // There is no room for the map, whose making would find it, too.
    let mut screen = Screen::open(&disk, "data", (40, 10), super::screen::settings(false));
    let found = |screen: &Screen| {
        let stats = &screen.app.figures.as_ref().unwrap().stats;
        (stats.findings, stats.damaged_bytes)
    };
    assert_eq!(found(&screen), (0, 0), "the hint vouches for the value");
    screen.command("verify");
    screen.press("esc");
    assert_eq!(found(&screen), (1, written.location.len));
    screen.resize(120, 40);
    assert!(screen.text().contains("findings 1"), "{}", screen.text());
    screen.command("verify");
    assert_eq!(found(&screen), (1, written.location.len), "found again, it is not counted again");
}

#[test]
fn a_put_into_a_held_store_is_told_who_holds_it() {
    let disk = SimDisk::new();
    let _writer =
        Store::open_on(Arc::new(disk.clone()), Path::new("data"), Options { create: true, ..options() }).unwrap();
    let mut screen = Screen::open(&disk, "data", (120, 40), super::screen::settings(false));
    for line in ["put key value", "delete key"] {
        screen.command(line);
        let expected = format!("held by process {}", std::process::id());
        assert!(screen.said().ends_with(&expected), "{}", screen.said());
    }
}
