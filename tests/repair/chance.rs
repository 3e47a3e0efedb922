//! Random stores, random damage, and the model: afterwards every key is right, or listed as lost, or something was said
//! of unknown bytes that could have changed it.

use logkv::Options;
use std::path::Path;

use logkv::disk::sim::SimDisk;
use logkv::format::FormatKind;
use logkv::store::{FindingKind, MergeChoice, MergeControl, Repair};

use super::support::Rng;
use super::support::broken::{Written, damage, files, keys, written};
use super::{is_in_order, plan, read, repair, write};

const STORES: u64 = 400;

/// What was lost without a trace: a segment that was cut, deleted, or overwritten with zeros at its end, and for which no
/// hint vouches, looks like one that never was longer.
fn leaves_no_trace(before: &SimDisk, after: &SimDisk, what: &str) -> bool {
    let is_short = ["cut at", "deleted", "zeros at"].iter().any(|cause| what.contains(cause));
    let vouches = |path: &Path| {
        let bytes = after.image().get(&path.with_extension("hint")).cloned().unwrap_or_default();
        let hint = FormatKind::Native.format().hint(&bytes).and_then(Result::ok);
        let len = before.image()[path].len() as u64;
        hint.and_then(|hint| hint.coverage).is_some_and(|coverage| coverage.len >= len)
    };
    let changed =
        files(before, "data").into_iter().filter(|(path, _)| before.image().get(path) != after.image().get(path));
    is_short && changed.into_iter().any(|(path, _)| !vouches(&path))
}

/// How the answers differ from the model, each with its excuse; panics where there is none.
fn excused(written: &Written, disk: &SimDisk, done: &Repair, no_trace: bool, what: &str) -> [u64; 4] {
    let store = read(disk, written.options()).unwrap();
    let [mut right, mut lost, mut stale, mut silent] = [0; 4];
    let torn = done.mended.iter().any(|finding| finding.kind == FindingKind::TornTail);
    for key in keys() {
        let answer = store.get(&key).unwrap_or_else(|e| panic!("{what}: {key:?}: {e}"));
        assert!(!answer.suspect, "{what}: {key:?} is suspect");
        let versions = written.versions.get(&key).cloned().unwrap_or_default();
        let told = done.lost.iter().find(|lost| lost.key == key);
        if let Some(told) = told {
            assert_eq!(answer.value(), None, "{what}: {key:?} is lost and has a value");
            let at = versions.iter().position(|(tstamp, value)| *tstamp == told.tstamp && value.is_some());
            let at = at.unwrap_or_else(|| panic!("{what}: {key:?} never had a value of {}", told.tstamp));
            let older = versions[..at].iter().rev().map(|(tstamp, _)| *tstamp);
            let older: Vec<_> = older.collect();
            assert!(told.older.is_none_or(|told| older.contains(&told.tstamp)), "{what}: {told:?}");
        }
        if answer.value() == written.value(&key) {
            // The tombstone of what is told as lost may itself be lost without a trace.
            let newest = versions.last().map(|(tstamp, _)| *tstamp);
            assert!(told.is_none_or(|told| Some(told.tstamp) < newest), "{what}: {key:?} is right and told as lost");
            right += 1;
            continue;
        }
        let answered = answer.found.as_ref().map_or(0, |found| found.entry.tstamp);
        let was_one =
            answer.value().is_none_or(|found| versions.iter().any(|(_, value)| value.as_deref() == Some(found)));
        assert!(was_one, "{what}: {key:?} has a value that it never had");
        if told.is_some() {
            lost += 1;
        } else if torn || done.unknown.iter().any(|unknown| answered < unknown.stale_before) {
            stale += 1;
        } else {
            assert!(no_trace, "{what}: {key:?} changed without a word: {done:#?}");
            silent += 1;
        }
    }
    [right, lost, stale, silent]
}

#[test]
fn after_a_repair_every_key_is_right_or_its_loss_was_told() {
    let mut sums = [0; 4];
    let (mut refused, mut repaired) = (0, 0);
    for seed in 0..STORES {
        let rng = &mut Rng::new(seed);
        let written = written(rng);
        let (disk, options) = (written.disk.fork(), written.options());
        if rng.below(4) == 0 {
            merged(&disk, &options);
        }
        let before = disk.fork();
        let mut what = format!("seed {seed}");
        for _ in 0..1 + rng.below(3) {
            what = format!("{what}, {}", damage(rng, &disk));
        }
        let damaged = disk.image();
        let planned = plan(&disk, options.clone());
        assert_eq!(disk.image(), damaged, "a plan changes nothing");
        let Ok(planned) = planned else {
            refused += 1;
            continue;
        };
        let done = repair(&disk, options.clone()).unwrap_or_else(|e| panic!("{what}: {e}"));
        // Reserved space may be cut before the file is set aside.
        let without_bytes = |mut repair: Repair| {
            repair.set_aside.iter_mut().for_each(|it| it.bytes = 0);
            repair
        };
        assert_eq!(without_bytes(done.clone()), without_bytes(planned), "{what}: the plan is what is done");
        repaired += u64::from(!done.set_aside.is_empty());
        let after = disk.image();
        for gone in damaged.iter().filter(|(path, _)| !path.ends_with("LOCK")).filter(|(_, bytes)| bytes.len() > 40) {
            let is_data = gone.0.extension().is_some_and(|extension| extension == "data");
            // Zeros at the end of the log are space that was reserved, and no data.
            let trimmed = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte != 0);
            let data = &gone.1[..trimmed(gone.1).map_or(0, |at| at + 1)];
            let is_kept = after.values().any(|bytes| bytes.starts_with(data));
            let is_torn = done.mended.iter().any(|finding| finding.kind == FindingKind::TornTail);
            assert!(!is_data || is_kept || is_torn, "{what}: {} is destroyed", gone.0.display());
        }
        let no_trace = leaves_no_trace(&before, &SimDisk::from_files(damaged.clone()).unwrap(), &what);
        let some = excused(&written, &disk, &done, no_trace, &what);
        sums.iter_mut().zip(some).for_each(|(sum, some)| *sum += some);
        is_in_order(&disk, &options, &what);
    }
    let [right, lost, stale, silent] = sums;
    println!(
        "{repaired} stores repaired, {refused} refused; keys: {right} right, {lost} lost, {stale} stale as was told, {silent} lost without a trace"
    );
    assert!(repaired > STORES / 2 && lost > 150 && stale > 20 && refused < STORES / 20);
    assert!(silent < right / 50, "only what was cut or deleted together with what vouched for it");
}

fn merged(disk: &SimDisk, options: &Options) {
    let store = write(disk, options.clone()).unwrap();
    let segments = store.segments().iter().filter(|it| !it.active).map(|it| it.id).step_by(2).collect();
    store.merge(&MergeChoice::Segments(segments), &MergeControl::default()).unwrap();
    store.close().unwrap();
}

/// Merges leave a damaged segment out, and take it again when it is repaired.
#[test]
fn a_merge_and_a_repair_in_turn_lose_and_revive_nothing_more() {
    let mut merges = 0;
    for seed in 0..STORES / 3 {
        let rng = &mut Rng::new(seed);
        let written = written(rng);
        let (disk, options) = (written.disk.fork(), written.options());
        let before = disk.fork();
        let what = format!("seed {seed}, {}", damage(rng, &disk));
        let no_trace = leaves_no_trace(&before, &disk, &what);
        let merge = |disk: &SimDisk| {
            let Ok(store) = write(disk, options.clone()) else { return false };
            let merged = store.merge(&MergeChoice::All, &MergeControl::default());
            store.close().is_ok() && merged.is_ok_and(|merged| merged.is_some())
        };
        // The writer's open has cut a torn tail before the repair could tell.
        let torn = write(&disk, options.clone()).map(|store| {
            let torn = store.findings().iter().any(|finding| finding.kind == FindingKind::TornTail);
            store.close().map(|()| torn)
        });
        let Ok(Ok(torn)) = torn else { continue };
        merge(&disk);
        let Ok(done) = repair(&disk, options.clone()) else { continue };
        merges += u64::from(merge(&disk));
        excused(&written, &disk, &done, no_trace || torn, &what);
        is_in_order(&disk, &options, &what);
    }
    println!("{merges} merges of what was repaired");
    assert!(merges > STORES / 10);
}
