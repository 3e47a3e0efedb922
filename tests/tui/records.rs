//! The record list while it is not counted yet, and jumps from record to record.

use std::path::Path;
use std::sync::Arc;

use logkv::disk::sim::SimDisk;
use logkv::inspect::{RecordRow, RowKind};
use logkv::store::{Options, Store};
use logkv::tui::action::{Action, Arrived, Motion, RecordSeen, RecordsSeen, Verb};
use logkv::tui::app::{App, Pane};
use logkv::tui::effect::{Effect, RecordPlace, RecordsWanted};
use logkv::tui::update::update;

use super::screen::{Screen, options, settings};

/// A segment of forty records, of which the screen knows nothing yet, and all of its rows.
fn forty(size: (u16, u16)) -> (Screen, Vec<RecordRow>) {
    let disk = SimDisk::new();
    let options = Options { create: true, max_segment_bytes: 1 << 20, ..options() };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("data"), options).unwrap();
    for n in 0..40_u32 {
        store.put(&n.to_be_bytes(), b"value").unwrap();
    }
    let header = logkv::inspect::header_row(&store, 1).unwrap().into_iter();
    let rows = header.chain(logkv::inspect::records(&store, 1, 0).unwrap().map(|row| row.unwrap())).collect();
    store.close().unwrap();
    let mut screen = Screen::open(&disk, "data", size, settings(true));
    screen.press("2 enter");
    screen.app.records = Default::default();
    screen.app.records.segment = Some(1);
    (screen, rows)
}

/// What a worker would answer to a look.
fn answer(app: &App, rows: &[RecordRow], from: usize, total: usize, is_counted: bool) -> Action {
    let wanted = app.records.asked.clone().unwrap();
    let place = match wanted.at {
        RecordPlace::Offset(offset) => rows.iter().position(|row| row.offset == offset).unwrap() + from,
        RecordPlace::Row(row) => row,
        RecordPlace::Last => total - 1,
    };
    let generation = app.figures.as_ref().unwrap().generation;
    let rows = rows.to_vec();
    let (is_numbered, has_header) = (from > 0 || is_counted, true);
    let seen = RecordsSeen { wanted, generation, total, from, rows, place, is_numbered, is_counted, has_header };
    Action::Arrived(Arrived::Records(seen))
}

fn go(app: &mut App, motion: Motion) -> Vec<Effect> {
    update(app, Action::Verb(Verb::Move(motion)))
}

fn looks(effects: &[Effect]) -> Vec<RecordPlace> {
    let place = |effect: &Effect| match effect {
        Effect::Records(RecordsWanted { at, .. }) => Some(at.clone()),
        _ => None,
    };
    effects.iter().filter_map(place).collect()
}

#[test]
fn a_list_that_gets_its_numbers_keeps_its_selection_and_its_line() {
    let (mut screen, rows) = forty((120, 40));
    let app = &mut screen.app;
    app.records.offset = Some(rows[20].offset);
    assert_eq!(looks(&update(app, Action::Clock(1))), [RecordPlace::Offset(rows[20].offset)]);
    let first = answer(app, &rows[20..], 0, 20, false);
    update(app, first);
    assert_eq!((app.records.cursor.at, app.records.window.total), (0, 20), "numbers begin with the window");
    go(app, Motion::Down);
    go(app, Motion::Down);
    let line = app.records.cursor.at - app.records.cursor.top;
    let all = answer(app, &rows, 0, 41, true);
    update(app, all);
    let records = &app.records;
    assert_eq!((records.row().map(|row| row.offset), records.cursor.at), (Some(rows[22].offset), 22));
    assert_eq!((records.cursor.at - records.cursor.top, records.window.total), (line, 41));
}

#[test]
fn what_is_not_known_of_a_list_is_shown_as_not_known() {
    let (mut screen, rows) = forty((120, 40));
    screen.app.records.offset = Some(rows[20].offset);
    update(&mut screen.app, Action::Clock(1));
    let first = answer(&screen.app, &rows[20..30], 0, 10, false);
    update(&mut screen.app, first);
    let counting = |rows, done| Action::Arrived(Arrived::Counting { segment: 1, rows, done, total: 100 });
    update(&mut screen.app, counting(15, 30));
    let text = screen.text();
    assert!(text.contains("Records of segment 1  …  counting 30%"), "{text}");
    assert_eq!(screen.app.records.window.total, 10, "rows before the window do not lengthen it");
    screen.app.records.is_numbered = true;
    update(&mut screen.app, counting(31, 70));
    let text = screen.text();
    assert!(text.contains("Records of segment 1  30…  counting 70%"), "{text}");
}

#[test]
fn the_end_of_a_list_that_is_not_counted_is_waited_for_until_somebody_moves_on() {
    let (mut screen, rows) = forty((120, 40));
    let app = &mut screen.app;
    update(app, Action::Clock(1));
    let mut first = answer(app, &rows[..30], 0, 30, false);
    if let Action::Arrived(Arrived::Records(seen)) = &mut first {
        seen.is_numbered = true;
    }
    update(app, first);
    let selected = app.records.cursor.at;
    assert_eq!(looks(&go(app, Motion::Last)), [RecordPlace::Last]);
    assert_eq!(app.records.cursor.at, selected, "it stays until the end is known");
    let moved = looks(&go(app, Motion::Down));
    assert_eq!(moved, [RecordPlace::Offset(rows[selected + 1].offset)], "nobody waits for the end any more");
    assert_eq!(looks(&go(app, Motion::Last)), [RecordPlace::Last]);
    let end = answer(app, &rows, 0, 41, true);
    update(app, end);
    assert_eq!(app.records.cursor.at, 40);
}

#[test]
fn a_place_within_a_record_leads_to_that_record() {
    let (mut screen, rows) = forty((120, 40));
    for row in [0, 1, 17, 40] {
        screen.app.records.offset = Some(rows[row].offset + rows[row].len - 1);
        screen.act(Action::Clock(1));
        assert_eq!(screen.app.records.row().map(|row| row.offset), Some(rows[row].offset));
    }
    screen.app.records.offset = Some(u64::MAX);
    screen.act(Action::Clock(1));
    assert_eq!(screen.app.records.cursor.at, 40, "behind the end there is the last one");
}

#[test]
fn rows_that_cannot_be_read_are_asked_for_once() {
    let (mut screen, _) = forty((120, 40));
    let app = &mut screen.app;
    assert_eq!(looks(&update(app, Action::Clock(1))).len(), 1);
    assert_eq!(looks(&update(app, Action::Arrived(Arrived::Failed("gone".into())))), []);
    let mut figures = app.figures.clone().unwrap();
    figures.generation += 1;
    assert_eq!(looks(&update(app, Action::Arrived(Arrived::Followed(Box::new(figures))))).len(), 1, "something moved");
}

#[test]
fn a_segment_that_is_not_loaded_stays_on_the_screen_while_others_move() {
    let disk = SimDisk::new();
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("data"), Options { create: true, ..options() });
    let store = store.unwrap();
    for n in 0..40_u32 {
        store.put(&n.to_be_bytes(), b"value").unwrap();
    }
    store.close().unwrap();
    disk.flip_bit("data/0000000001.data", 8 * 30).unwrap();
    let mut screen = Screen::open(&disk, "data", (120, 40), settings(false));
    screen.press("F enter");
    let kind = |screen: &Screen| screen.app.records.row().map(|row| row.kind);
    assert_eq!((kind(&screen), screen.app.records.segment), (Some(RowKind::Header), Some(1)));
    let figures = screen.app.figures.clone().unwrap();
    screen.act(Action::Arrived(Arrived::Followed(Box::new(figures))));
    assert_eq!((kind(&screen), screen.app.records.segment), (Some(RowKind::Header), Some(1)));
}

#[test]
fn a_record_leads_to_its_hint_entry_and_back() {
    let (mut screen, rows) = forty((120, 40));
    for row in [1, 20, 40] {
        screen.app.records.offset = Some(rows[row].offset);
        screen.act(Action::Clock(1));
        screen.press("o");
        let hint = screen.app.records.hint.as_ref().unwrap();
        assert_eq!(hint.row().and_then(|row| row.key.clone()), rows[row].key);
        screen.press("o");
        assert_eq!(screen.app.records.row().map(|row| row.offset), Some(rows[row].offset));
    }
    screen.press("g o");
    assert_eq!(screen.said(), "only a record with a key has an entry in the hint");
}

#[test]
fn a_hint_that_could_not_be_read_is_asked_for_again_when_something_moves() {
    let (mut screen, _) = forty((120, 40));
    screen.slow_down();
    screen.press("i");
    let is_hints = |effect: &Effect| matches!(effect, Effect::Hints(_));
    assert!(screen.effects.iter().any(is_hints));
    screen.effects.clear();
    screen.act(Action::Arrived(Arrived::Failed("no".to_owned())));
    assert!(!screen.effects.iter().any(is_hints), "nothing has moved");
    let mut figures = screen.app.figures.clone().unwrap();
    figures.generation += 1;
    screen.act(Action::Arrived(Arrived::Followed(Box::new(figures))));
    assert!(screen.effects.iter().any(is_hints), "{:?}", screen.effects);
}

#[test]
fn the_keydir_is_not_gone_to_by_somebody_who_went_on() {
    let mut screen = Screen::with_keys(&[(b"a", b"1"), (b"b", b"2"), (b"c", b"3")], (120, 40));
    screen.press("2 enter down");
    screen.slow_down();
    screen.press("K up");
    screen.catch_up_with(0);
    assert_eq!(screen.app.focus, Pane::Records);
    screen.speed_up();
    screen.press("K");
    assert_eq!(screen.app.focus, Pane::Keydir);
}

#[test]
fn what_was_found_is_left_alone_if_somebody_stopped_looking() {
    let keys: Vec<(&[u8], &[u8])> = vec![(b"a", b"1"), (b"b", b"1"), (b"a", b"2")];
    let mut screen = Screen::with_keys(&keys, (120, 40));
    screen.press("2 enter");
    let app = &mut screen.app;
    let asked = update(app, Action::Verb(Verb::NextMatch));
    let Some(Effect::Seek(wanted)) = asked.first().cloned() else { panic!("{asked:?}") };
    assert_eq!(update(app, Action::Verb(Verb::Leave)), [Effect::StopSeek]);
    let found = Some(logkv::inspect::Found { segment: 1, offset: 99, wrapped: false });
    let seen = logkv::tui::action::SeekSeen { wanted, found: Ok(found) };
    let before = app.records.offset;
    update(app, Action::Arrived(Arrived::Sought(seen)));
    assert_eq!((app.records.offset, app.focus), (before, Pane::Records));
}

#[test]
fn the_fields_of_a_long_record_are_shown_before_its_checksums() {
    let disk = SimDisk::new();
    let options = Options { create: true, max_segment_bytes: 64 << 20, ..options() };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("data"), options).unwrap();
    store.put(b"key", &vec![b'v'; 9 << 20]).unwrap();
    store.close().unwrap();
    let mut screen = Screen::open(&disk, "data", (120, 40), settings(true));
    screen.press("3 l");
    let wanted = screen.app.record.asked.clone().unwrap();
    let whole = screen.app.record.anatomy.clone().unwrap().unwrap();
    assert!(screen.app.record.is_whole && whole.sums.iter().all(logkv::inspect::SumAnatomy::holds));
    let fields = logkv::inspect::Anatomy { sums: Vec::new(), ..(*whole).clone() };
    screen.app.record.anatomy = None;
    let seen = |anatomy: logkv::inspect::Anatomy, is_whole| {
        let seen = RecordSeen { wanted: wanted.clone(), anatomy: Ok(Arc::new(anatomy)), is_whole };
        Action::Arrived(Arrived::Record(seen))
    };
    screen.act(seen(fields, false));
    assert!(screen.text().contains("its checksums are being computed over 9.0 MiB"), "{}", screen.text());
    screen.press("l l");
    let cursor = screen.app.record.cursor;
    screen.act(seen((*whole).clone(), true));
    assert_eq!(screen.app.record.cursor, cursor, "the cursor stays where it went meanwhile");
    assert!(!screen.text().contains("being computed"));
}

#[test]
fn an_answer_about_records_that_are_not_wanted_any_more_is_dropped() {
    let keys: Vec<Vec<u8>> = (0..60).map(|n| format!("key:{n:02}").into_bytes()).collect();
    let keys: Vec<(&[u8], &[u8])> = keys.iter().map(|key| (&key[..], &[b'v'; 40][..])).collect();
    let in_turn = |backwards: bool| {
        let mut screen = Screen::with_keys(&keys, (120, 40));
        screen.press("2 g");
        screen.slow_down();
        let before = screen.effects.len();
        screen.press("j j");
        let asked = screen.effects.len() - before;
        (0..asked).for_each(|n| screen.catch_up_with(if backwards { asked - 1 - n } else { 0 }));
        screen.speed_up();
        screen.text()
    };
    assert!(in_turn(false).contains("Records of segment 3"), "{}", in_turn(false));
    assert_eq!(in_turn(true), in_turn(false));
}

/// "no records" stood there as long as ten million keys were being read.
#[test]
fn while_no_key_is_known_nothing_is_said_of_records() {
    let (screen, _) = forty((120, 40));
    let mut screen = Screen::begin(&screen.disk, "data", (120, 40), settings(true));
    screen.catch_up_with(0);
    assert!(screen.app.figures.is_some() && screen.app.records.segment.is_none(), "opened, and the keys are asked for");
    assert!(!screen.text().contains("no records"), "{}", screen.text());
    screen.speed_up();
    assert!(screen.app.records.segment.is_some() && !screen.text().contains("no records"));
}
