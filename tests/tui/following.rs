//! Going along with a writer, and the maps: what arrives by itself, and what a pause holds back.

use std::path::Path;
use std::sync::Arc;

use logkv::Store;
use logkv::disk::sim::SimDisk;
use logkv::inspect::RowState;
use logkv::store::Options;
use logkv::tui::action::{Action, Arrived, Pulse};
use logkv::tui::app::{App, Pane};
use logkv::tui::effect::Effect;
use logkv::tui::update::update;

use super::screen::{Screen, options, settings};
use super::support::fixture;

/// A writer, and an interface that found the store held.
fn beside_a_writer() -> (Store, Screen) {
    let disk = SimDisk::new();
    let options = Options { create: true, ..options() };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("data"), options).unwrap();
    store.put(b"first", b"1").unwrap();
    let screen = Screen::open(&disk, "data", (120, 40), settings(false));
    (store, screen)
}

/// A map that was made while records came quickly missed some of them, and stayed so.
#[test]
fn maps_made_in_motion_are_made_again_at_rest() {
    let (_writer, mut screen) = beside_a_writer();
    let mut figures = screen.app.figures.clone().unwrap();
    figures.maps.iter_mut().for_each(|(_, strip)| strip.exact = false);
    let mut asks = |records| {
        let pulse = Pulse { records, ..Pulse::default() };
        figures.generation += 1;
        let arrived = Arrived::Pulse { figures: Box::new(figures.clone()), pulse };
        update(&mut screen.app, Action::Arrived(arrived)).iter().any(|effect| matches!(effect, Effect::Maps(_)))
    };
    assert!(asks(1));
    assert!(!asks(1), "once, while it moves");
    assert!(asks(0));
}

fn selected(app: &App) -> Option<Vec<u8>> {
    app.records.row().and_then(|row| row.key.clone())
}

#[test]
fn beside_a_writer_the_newest_record_is_shown_as_it_comes_over_rotations_too() {
    let (store, mut screen) = beside_a_writer();
    assert!(screen.app.follow.on && screen.text().contains("FOLLOWING"), "{}", screen.text());
    assert_eq!(selected(&screen.app).as_deref(), Some(&b"first"[..]));
    for n in 0..60u32 {
        store.put(format!("key:{n}").as_bytes(), &[b'v'; 40]).unwrap();
    }
    screen.wait_until(|app| selected(app).as_deref() == Some(b"key:59"));
    let last = store.segments().last().map(|segment| segment.id);
    assert!(last > Some(3) && screen.app.records.segment == last, "{last:?}");
    assert_eq!(screen.app.follow.records, 60, "none is missed and none is counted twice");
    screen.wait_until(|app| app.follow.rate() == 0);
    assert!(screen.app.follow.rates.iter().any(|rate| *rate > 0), "{:?}", screen.app.follow);
}

#[test]
fn a_move_in_a_list_ends_following_and_f_begins_it_again() {
    let (store, mut screen) = beside_a_writer();
    (0..9u8).for_each(|n| drop(store.put(&[b'k', n], b"v")));
    screen.wait_until(|app| selected(app).as_deref() == Some(&[b'k', 8]));
    screen.press("2 enter g");
    let here = selected(&screen.app);
    store.put(b"more", b"v").unwrap();
    screen.wait_until(|app| app.figures.as_ref().is_some_and(|figures| figures.stats.keys == 11));
    assert_eq!((screen.app.follow.on, selected(&screen.app)), (false, here));
    screen.press("f");
    assert_eq!(selected(&screen.app).as_deref(), Some(&b"more"[..]));
}

#[test]
fn a_pause_holds_everything_back_and_loses_nothing() {
    let (store, mut screen) = beside_a_writer();
    screen.press("p");
    assert!(screen.text().contains("PAUSED"));
    for n in 0..50u32 {
        store.put(format!("key:{n}").as_bytes(), &[b'v'; 40]).unwrap();
    }
    screen.wait_until(|app| app.follow.behind > 2000);
    let keys = |app: &App| app.figures.as_ref().map_or(0, |figures| figures.stats.keys);
    assert_eq!(keys(&screen.app), 1, "nothing moves during the pause");
    screen.press("p");
    screen.wait_until(|app| keys(app) == 51);
    assert_eq!(screen.app.follow.records, 50);
    assert_eq!(selected(&screen.app).as_deref(), Some(&b"key:49"[..]));
}

#[test]
fn a_pause_from_the_start_counts_nothing_that_was_read_by_opening() {
    let (_store, mut screen) = beside_a_writer();
    screen.press("p");
    let begun = std::time::Instant::now();
    screen.wait_until(|app| app.follow.behind > 0 || begun.elapsed() > std::time::Duration::from_millis(1_200));
    assert_eq!(screen.app.follow.behind, 0, "{}", screen.text());
}

#[test]
fn nothing_is_touched_by_following() {
    let disk = SimDisk::new();
    let options = Options { create: true, ..options() };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("data"), options).unwrap();
    store.put(b"first", b"1").unwrap();
    let mut screen = Screen::open(&disk, "data", (120, 40), settings(false));
    let before = disk.ops();
    screen.press("f f p p 2 ] enter 7 5 v");
    screen.command("put a 1");
    assert_eq!(disk.ops(), before, "not one writing operation");
}

#[test]
fn in_a_store_of_one_s_own_there_is_nothing_to_pause() {
    let mut screen = Screen::with_keys(&[(b"a", b"1"), (b"b", b"2")], (120, 40));
    screen.effects.clear();
    screen.press("p");
    assert!(screen.said().contains("nobody else writes") && screen.effects.is_empty());
    screen.press("f");
    screen.command("put c 3");
    assert_eq!(selected(&screen.app).as_deref(), Some(&b"c"[..]));
}

fn live(screen: &Screen, segment: u64) -> u64 {
    screen.app.strip(segment).map_or(0, |strip| strip.map.bytes(RowState::Live))
}

#[test]
fn a_put_and_a_delete_are_in_the_map_when_their_answer_is_on_the_screen() {
    let mut screen = Screen::with_keys(&[(b"a", b"1"), (b"b", b"2")], (120, 40));
    assert!(screen.app.strip(1).is_some_and(|strip| strip.exact));
    let before = live(&screen, 1);
    screen.command("put a 22");
    assert_eq!(live(&screen, 1), before + 1);
    screen.command("delete b");
    let strip = screen.app.strip(1).unwrap();
    assert_eq!((live(&screen, 1), strip.map.bytes(RowState::Tombstone)), (27, 25));
    let walked = Screen::open_again(&screen);
    assert_eq!(walked.app.strip(1), screen.app.strip(1), "kept up to date, it equals one made anew");
}

#[test]
fn a_click_and_a_drag_on_the_map_show_the_records_there() {
    let keys: Vec<(Vec<u8>, Vec<u8>)> = (0..12u8).map(|n| (vec![b'k', b'a' + n], vec![b'v'; 10])).collect();
    let keys: Vec<(&[u8], &[u8])> = keys.iter().map(|(key, value)| (&key[..], &value[..])).collect();
    let mut screen = Screen::with_keys(&keys, (120, 40));
    let text = screen.text();
    let (y, row) = text.lines().enumerate().find(|(_, line)| line.contains("1*")).unwrap();
    let x = row.chars().position(|c| c == '█').unwrap();
    let (x, y) = (u16::try_from(x).unwrap(), u16::try_from(y).unwrap());
    screen.act(Action::Click { x: x + 1, y });
    assert_eq!(screen.app.focus, Pane::Segments);
    let first = selected(&screen.app);
    screen.act(Action::Drag { x: x + 9, y });
    let second = selected(&screen.app);
    assert!(first < second && first.is_some(), "{first:?} {second:?}");
    screen.act(Action::Drag { x: x + 500, y });
    assert_eq!(selected(&screen.app), second, "there is no such cell");
}

#[test]
fn a_map_that_is_lost_is_asked_for_again() {
    let mut screen = Screen::with_keys(&[(b"a", b"1")], (120, 40));
    let mut figures = screen.app.figures.clone().unwrap();
    figures.maps.clear();
    figures.generation += 1;
    screen.slow_down();
    screen.effects.clear();
    screen.act(Action::Arrived(Arrived::Followed(Box::new(figures))));
    assert!(screen.effects.iter().any(|effect| matches!(effect, Effect::Maps(_))), "{:?}", screen.effects);
}

#[test]
fn a_map_is_asked_for_once() {
    let mut screen = Screen::with_keys(&[(b"a", b"1"), (b"b", b"2")], (120, 40));
    screen.effects.clear();
    screen.press("2 down up 1 down up ? esc");
    assert!(!screen.effects.iter().any(|effect| matches!(effect, Effect::Maps(_))), "{:?}", screen.effects);
}

/// The file of another program's store, and how long it is up to half of its records.
fn half_written(name: &str, file: &str) -> (SimDisk, Vec<u8>, usize) {
    let whole = SimDisk::from_real_dir(&fixture(name)).unwrap();
    let bytes = whole.image()[Path::new(file)].clone();
    let store = Store::open_read_only_on(Arc::new(whole), Path::new(""), Options::default()).unwrap();
    let rows: Vec<_> = logkv::inspect::records(&store, 1, 0).unwrap().map(|row| row.unwrap().offset).collect();
    let half = usize::try_from(rows[rows.len() / 2]).unwrap();
    let disk = SimDisk::from_files([(file, &bytes[..half])]).unwrap();
    (disk, bytes, half)
}

#[test]
fn stores_of_other_programs_are_followed_too_and_end_as_they_are_when_opened_anew() {
    for (name, file) in [("riak/riak-small", "1.bitcask.data"), ("logkv-go/logkv-small", "segment_1.log")] {
        let (disk, bytes, half) = half_written(name, file);
        let mut screen = Screen::open(&disk, "", (120, 40), settings(false));
        screen.press("f");
        let before = screen.app.figures.as_ref().map_or(0, |figures| figures.stats.keys);
        // One piece ends in the middle of a record.
        for end in [half + 3, half + 400, bytes.len()] {
            disk.insert(file, bytes[..end].to_vec()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(150));
        }
        let fresh = Screen::open(&disk, "", (120, 40), settings(true));
        let stats = &fresh.app.figures.as_ref().unwrap().stats;
        let same = |app: &App| app.figures.as_ref().is_some_and(|figures| figures.stats.live_bytes == stats.live_bytes);
        screen.wait_until(same);
        let keys = screen.app.figures.as_ref().map_or(0, |figures| figures.stats.keys);
        assert_eq!((keys, keys > before), (stats.keys, true), "{name}");
        screen.wait_until(|app| app.records.row().is_some_and(|row| row.offset + row.len == bytes.len() as u64));
    }
}

#[test]
fn files_that_vanish_while_following_leave_the_screen_and_nothing_else() {
    let disk = SimDisk::new();
    let options = Options { create: true, ..options() };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("data"), options).unwrap();
    (0..40u8).for_each(|n| drop(store.put(&[b'k', n % 5], &[n; 60])));
    let mut screen = Screen::open(&disk, "data", (120, 40), settings(false));
    screen.press("2 g enter");
    assert_eq!(screen.app.records.segment, Some(1));
    for file in ["data/0000000001.data", "data/0000000001.hint"] {
        disk.delete(file).unwrap();
    }
    screen.wait_until(|app| app.segment_rows().iter().all(|segment| segment.id != 1));
    assert_ne!(screen.app.records.segment, Some(1), "its records went with it");
    store.put(b"after", b"all is well").unwrap();
    screen.press("f");
    screen.wait_until(|app| selected(app).as_deref() == Some(b"after"));
}

/// The screen said FOLLOWING and stood still.
#[test]
fn a_writer_that_cannot_be_read_any_more_is_told() {
    let disk = SimDisk::new();
    let options = Options { create: true, ..options() };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("data"), options).unwrap();
    let first = store.put(b"first", b"1").unwrap().location;
    let mut screen = Screen::open(&disk, "data", (120, 40), settings(false));
    screen.wait_until(|app| app.follow.on);
    disk.fail_reads_at("data/0000000001.data", first.offset + first.len..u64::MAX).unwrap();
    store.put(b"second", b"2").unwrap();
    screen.wait_until(|app| app.said.as_ref().is_some_and(|said| said.text.contains("nothing more can be read")));
}

/// The map showed damage under a good hint, and the list of findings said that nothing is amiss.
#[test]
fn damage_that_a_map_shows_is_a_finding_too_and_is_found_once() {
    let disk = SimDisk::from_real_dir(&fixture("riak/riak-corrupt")).unwrap();
    let mut screen = Screen::open(&disk, "", (120, 40), settings(true));
    screen.press("2 G g F");
    let text = screen.text();
    assert!(text.contains("findings 1 ") && text.contains("damaged-record"), "{text}");
    screen.press("enter");
    assert!(screen.app.records.row().is_some_and(|row| row.state == RowState::Damaged));
    screen.press("v");
    assert!(screen.text().contains("findings 1 "), "{}", screen.text());
}
