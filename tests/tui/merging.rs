//! Merging from the interface: the plan first, what is on the screen meanwhile, and that everything points at the right
//! places afterwards.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use logkv::Store;
use logkv::disk::sim::SimDisk;
use logkv::inspect::RowState;
use logkv::store::{MergeChoice, MergeControl, Options};
use logkv::tui::action::{Action, Arrived};
use logkv::tui::app::{Content, Lead, MergeStage, Pane};
use logkv::tui::effect::Effect;

use super::screen::{Screen, options, settings};
use super::support::fixture;

/// Forty keys in many small segments; every second one is deleted, the others were put twice.
fn half_deleted() -> (SimDisk, BTreeMap<Vec<u8>, Vec<u8>>) {
    let disk = SimDisk::new();
    let store = open(&disk);
    let mut model = BTreeMap::new();
    for round in 0..2 {
        for n in 0..40 {
            let (key, value) =
                (format!("key:{n:02}").into_bytes(), format!("value {n} of {round}").repeat(4).into_bytes());
            store.put(&key, &value).unwrap();
            model.insert(key, value);
        }
    }
    for n in (0..40).step_by(2) {
        let key = format!("key:{n:02}").into_bytes();
        store.delete(&key).unwrap();
        model.remove(&key);
    }
    store.close().unwrap();
    (disk, model)
}

fn open(disk: &SimDisk) -> Store {
    Store::open_on(Arc::new(disk.clone()), Path::new("data"), Options { create: true, ..options() }).unwrap()
}

fn screen(disk: &SimDisk) -> Screen {
    Screen::open(disk, "data", (120, 40), settings(false))
}

fn stage(screen: &Screen) -> Option<&MergeStage> {
    match screen.app.page.as_ref().map(|page| &page.content) {
        Some(Content::Merge(page)) => Some(&page.stage),
        _ => None,
    }
}

fn bytes(screen: &Screen) -> u64 {
    screen.app.figures.as_ref().unwrap().stats.disk_bytes
}

fn merges(screen: &Screen) -> usize {
    screen.effects.iter().filter(|effect| matches!(effect, Effect::Merge(_))).count()
}

/// Whatever is selected is where the screen says it is.
fn assert_points_right(screen: &Screen, model: &BTreeMap<Vec<u8>, Vec<u8>>) {
    let figures = screen.app.figures.as_ref().unwrap();
    let there: Vec<u64> = figures.segments.iter().map(|segment| segment.id).collect();
    assert_eq!(figures.stats.keys, model.len() as u64);
    let key = screen.app.keys.selected.clone().unwrap();
    let entry = screen.app.keys.row().and_then(|row| row.entry).unwrap();
    let record = screen.app.records.row().unwrap();
    assert_eq!((record.segment, record.offset), (entry.location.segment, entry.location.offset));
    assert_eq!(record.key.as_deref(), Some(&*key));
    assert!(there.contains(&record.segment) && screen.app.records.segment == Some(record.segment));
    assert_eq!(screen.app.value.part().map(|part| &part.bytes), model.get(&*key));
    for (id, strip) in &figures.maps {
        let segment = figures.segments.iter().find(|segment| segment.id == *id).unwrap();
        assert!(strip.map.len() == segment.bytes || segment.records == 0, "{id}");
    }
    for version in &screen.app.history.versions {
        assert!(there.contains(&version.row.segment), "{:?}", version.row);
    }
}

#[test]
fn the_plan_changes_nothing_and_enter_brings_the_bytes_back() {
    let (disk, model) = half_deleted();
    let mut screen = screen(&disk);
    let before = bytes(&screen);
    screen.press("m");
    let Some(MergeStage::Planned(seen)) = stage(&screen) else { panic!("{:?}", stage(&screen)) };
    let freed = seen.plan.freed_bytes;
    screen.press("a a p G g esc");
    assert_eq!((bytes(&screen), merges(&screen)), (before, 0));
    assert!(freed > before / 3, "{freed} of {before}");
    screen.press("m enter");
    let Some(MergeStage::Ended(outcome)) = stage(&screen) else { panic!("{:?}", stage(&screen)) };
    assert_eq!(outcome.merged.freed_bytes, freed, "what was planned");
    assert!(outcome.before.len() > outcome.after.len() && !outcome.after.is_empty());
    let longest = outcome.after.iter().map(|strip| strip.bytes).max();
    assert!(longest.is_some_and(|bytes| bytes <= 600));
    screen.press("esc");
    assert_eq!(bytes(&screen) + freed, before);
    assert_points_right(&screen, &model);
}

#[test]
fn a_selection_finds_its_key_again_wherever_it_was() {
    for keys in
        ["1 down down down", "2 down enter down", "2 enter 3", "2 down", "5 down", "t right", "2 ] ] ]", "6", "f"]
    {
        let (disk, model) = half_deleted();
        let mut screen = screen(&disk);
        screen.press(keys);
        screen.command("merge all");
        screen.press("esc");
        let figures = screen.app.figures.as_ref().unwrap();
        let is_there = |id: u64| figures.segments.iter().any(|segment| segment.id == id);
        assert!(screen.app.records.segment.is_some_and(is_there), "{keys}: {:?}", screen.app.records.segment);
        assert!(screen.app.records.row().is_some_and(|row| is_there(row.segment)), "{keys}");
        let text = screen.text();
        assert!(!text.contains("has no segment") && !text.contains('✗'), "{keys}:\n{text}");
        screen.press("1 g t t g");
        if screen.app.keys.tree {
            screen.press("t");
        }
        screen.press("down up");
        assert_points_right(&screen, &model);
    }
}

/// It led to the key that was selected before the records were looked through.
#[test]
fn a_record_that_was_merged_away_leads_to_its_key() {
    let (disk, model) = half_deleted();
    let mut screen = screen(&disk);
    screen.press("1 g 2 G up up up enter g down");
    let row = |screen: &Screen| screen.app.records.row().unwrap().clone();
    while row(&screen).state != RowState::Live {
        screen.press("down");
    }
    let key = row(&screen).key.unwrap();
    assert!(screen.app.lead == Lead::Records && screen.app.keys.selected.as_deref() != Some(&*key));
    screen.command("merge all");
    screen.press("esc");
    assert_eq!((row(&screen).key, row(&screen).state), (Some(key), RowState::Live));
    assert_eq!(screen.app.focus, Pane::Records);
    assert_points_right(&screen, &model);
}

#[test]
fn a_merge_that_is_told_to_stop_before_it_begins_changes_nothing() {
    let (disk, _) = half_deleted();
    let mut screen = screen(&disk);
    let before = bytes(&screen);
    screen.press("m");
    screen.slow_down();
    screen.press("enter c");
    screen.catch_up_with(1);
    screen.speed_up();
    assert_eq!((bytes(&screen), screen.said().as_str()), (before, "merge: cancelled; nothing has changed"));
    assert!(screen.app.page.is_none() && screen.app.merge.running.is_none());
    screen.press("m enter");
    assert!(matches!(stage(&screen), Some(MergeStage::Ended(_))), "the next one runs: {}", screen.said());
}

#[test]
fn a_stop_that_comes_too_late_says_so() {
    let (disk, _) = half_deleted();
    let mut screen = screen(&disk);
    screen.press("m");
    screen.slow_down();
    screen.press("enter");
    screen.act(Action::Arrived(Arrived::MergeStarted(vec![1])));
    screen.act(Action::Arrived(Arrived::Committing));
    screen.press("c");
    assert!(screen.said().contains("too late"), "{}", screen.said());
    assert!(!screen.effects.iter().any(|effect| matches!(effect, Effect::StopMerge(_))));
    screen.press("esc q");
    assert!(screen.left, "what cannot be stopped is waited for, and needs no question");
}

#[test]
fn leaving_during_a_merge_asks() {
    let (disk, _) = half_deleted();
    let mut screen = screen(&disk);
    screen.slow_down();
    screen.command("merge all");
    screen.press("esc q n q esc");
    screen.command("quit");
    assert!(!screen.left && screen.app.asked_quit);
    screen.speed_up();
    assert!(screen.app.merge.running.is_none() && screen.app.asked_quit, "a question stays until it is answered");
    assert!(screen.text().contains("the merge has ended: leave?"), "{}", screen.text());
    screen.press("y");
    assert!(screen.left);
}

#[test]
fn keys_and_commands_work_while_a_merge_runs_and_its_end_disturbs_nobody() {
    let (disk, mut model) = half_deleted();
    let mut screen = screen(&disk);
    screen.slow_down();
    screen.command("merge all");
    screen.act(Action::Arrived(Arrived::MergeStarted(vec![1])));
    screen.act(Action::Arrived(Arrived::Merging { done: 1, total: 2, took: Duration::from_secs(1) }));
    screen.press("esc");
    screen.command("put key:01 anew");
    model.insert(b"key:01".to_vec(), b"anew".to_vec());
    screen.press(": g e t");
    screen.speed_up();
    assert!(screen.app.page.is_none() && screen.app.typing.is_some(), "somebody types");
    assert!(screen.app.merge.unseen.is_some());
    screen.press("esc m");
    assert!(matches!(stage(&screen), Some(MergeStage::Ended(_))));
    screen.press("esc 1 g");
    assert_points_right(&screen, &model);
    screen.press("m");
    assert!(matches!(stage(&screen), Some(MergeStage::Planned(_))), "it was looked at");
}

#[test]
fn segments_are_merged_by_name_and_by_mark() {
    let (disk, _) = half_deleted();
    let mut screen = screen(&disk);
    let before = screen.app.segment_rows().len();
    screen.press("2 g space down space m");
    let Some(MergeStage::Planned(seen)) = stage(&screen) else { panic!("{:?}", stage(&screen)) };
    assert_eq!(seen.plan.input_ids(), [1, 2]);
    screen.press("enter esc");
    assert!(screen.app.segment_rows().len() < before && screen.app.merge.marked.is_empty());
    assert!(screen.app.segment_rows().iter().all(|segment| segment.id > 2));
    screen.press("2 g m");
    let Some(MergeStage::Planned(seen)) = stage(&screen) else { panic!("{:?}", stage(&screen)) };
    assert_eq!(seen.plan.input_ids(), [3], "the selected one");
    screen.press("esc G space");
    assert!(screen.said().contains("appended to") && screen.app.merge.marked.is_empty(), "{}", screen.said());
    screen.command("merge 1");
    assert!(matches!(stage(&screen), Some(MergeStage::Refused(reason)) if reason.contains("no segment 1")));
}

#[test]
fn what_may_not_be_merged_says_why() {
    let (disk, _) = half_deleted();
    let mut screen = Screen::open(&disk, "data", (120, 40), settings(true));
    screen.press("m enter");
    assert!(screen.said().contains("read-only") && merges(&screen) == 0, "{}", screen.said());
    screen.press("esc");
    screen.command("merge all");
    assert!(screen.said().contains("read-only") && merges(&screen) == 0, "{}", screen.said());
    let disk = SimDisk::from_real_dir(&fixture("riak/riak-small")).unwrap();
    let mut screen = Screen::open(&disk, "", (120, 40), settings(false));
    screen.press("m");
    assert!(matches!(stage(&screen), Some(MergeStage::Refused(reason)) if reason.contains("riak")));
}

#[test]
fn a_screen_beside_another_process_goes_along_with_its_merge() {
    for keys in ["1 g", "2 g enter down", "5 down", "2 G enter G", "f"] {
        let (disk, model) = half_deleted();
        let held = open(&disk);
        let mut screen = screen(&disk);
        screen.press(keys);
        let was = screen.app.segment_rows().len();
        let merged = held.merge(&MergeChoice::All, &MergeControl::default()).unwrap().unwrap();
        screen.wait_until(|app| app.segment_rows().len() < was && !app.keys.waiting && !app.records.waiting);
        assert!(merged.inputs.iter().all(|id| app_has_not(&screen, *id)), "{keys}");
        let text = screen.text();
        assert!(!text.contains("has no segment") && !text.contains('✗'), "{keys}:\n{text}");
        if keys.ends_with('f') || keys.starts_with("2 G") {
            continue;
        }
        screen.press("1 g down up");
        assert_points_right(&screen, &model);
        screen.press("m enter");
        assert!(screen.said().contains("nothing"), "{}", screen.said());
    }
}

fn app_has_not(screen: &Screen, id: u64) -> bool {
    let figures = screen.app.figures.as_ref().unwrap();
    let in_lists =
        figures.segments.iter().any(|segment| segment.id == id) || figures.last.is_some_and(|at| at.segment == id);
    !in_lists && screen.app.records.segment != Some(id) && screen.app.strip(id).is_none()
}

#[test]
fn the_trace_of_a_merge_stays_readable() {
    let (disk, _) = half_deleted();
    let mut screen = screen(&disk);
    screen.command("merge all");
    let run = screen.app.trace.runs.front().unwrap();
    assert_eq!(run.line, "merge all");
    assert!(run.steps.len() < 20, "{:?}", run.steps);
    screen.press("esc 7 +");
    let text = screen.text();
    assert!(text.contains("merge begins") && text.contains(" more") && text.contains("merge done"), "{text}");
}

/// A verify that ends later took the selection back to the key that was selected when it began.
#[test]
fn the_end_of_a_verify_leaves_the_selection_where_it_is() {
    let (disk, _) = half_deleted();
    let mut screen = screen(&disk);
    screen.press("1 g");
    screen.slow_down();
    screen.press("v");
    screen.press("down down down");
    let selected = screen.app.keys.selected.clone();
    screen.speed_up();
    assert_eq!((screen.app.keys.selected.clone(), screen.app.keys.cursor.at), (selected, 3));
}
