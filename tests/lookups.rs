//! Questions that hints answer: they cost less than reading everything, and the answer is the same.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod support;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use logkv::disk::Disk;
use logkv::disk::sim::SimDisk;
use logkv::inspect::{History, newest_versions};
use logkv::store::{Effort, FindingKind, look_up_on};
use logkv::{Options, Store};
use support::Rng;
use support::broken::{DIR, Written, damage, files, keys, written};

const STORES: u64 = 200;

fn asked() -> Vec<Vec<u8>> {
    keys().chain((0..20).map(|n| format!("never {n}").into_bytes())).collect()
}

fn read(disk: &SimDisk, options: Options) -> logkv::Result<Store> {
    Store::open_read_only_on(Disk::reader(disk), Path::new(DIR), options)
}

fn look_up(disk: &SimDisk, keys: &[&[u8]], options: Options) -> logkv::Result<logkv::store::LookedUp> {
    look_up_on(Disk::reader(disk), Path::new(DIR), keys, options)
}

/// What a full open answers to each key, in words.
fn told(store: &logkv::Result<Store>, keys: &[&[u8]]) -> Vec<String> {
    match store {
        Ok(store) => keys.iter().map(|key| in_words(&store.get(key))).collect(),
        Err(e) => keys.iter().map(|_| e.to_string()).collect(),
    }
}

fn in_words(answer: &logkv::Result<logkv::store::Answer>) -> String {
    answer.as_ref().map_or_else(ToString::to_string, |answer| format!("{answer:?}"))
}

#[test]
fn a_look_up_answers_what_a_full_open_answers_whatever_was_damaged() {
    let (mut by_hints, mut opened, mut effort) = (0, 0, Effort::default());
    for seed in 0..STORES {
        let rng = &mut Rng::new(seed);
        let Written { disk, clock, .. } = &written(rng);
        let options = || Options { clock: clock.clone(), threads: 1 + seed as usize % 2, ..Options::default() };
        let mut what = format!("seed {seed}");
        for _ in 0..rng.below(3) {
            what = format!("{what}, {}", damage(rng, disk));
        }
        if rng.below(4) == 0 {
            clock.advance(std::time::Duration::from_secs(4000));
        }
        let keys = asked();
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let before = disk.image();
        let truth = told(&read(disk, options()), &keys);
        let mut ask = |keys: &[&[u8]]| match look_up(disk, keys, options()) {
            Ok(found) => {
                by_hints += u64::from(found.effort.is_some());
                opened += u64::from(found.effort.is_none());
                effort += found.effort.unwrap_or_default();
                found.answers.iter().map(in_words).collect()
            }
            Err(e) => vec![e.to_string(); keys.len()],
        };
        assert_eq!(ask(&keys), truth, "{what}: all at once");
        for (key, truth) in keys.iter().zip(&truth) {
            assert_eq!(ask(&[key]), [truth.as_str()], "{what}: {key:?}");
        }
        assert_eq!(disk.image(), before, "a look changes nothing");
    }
    println!("{by_hints} questions answered by hints, {opened} by opening: {effort}");
    assert!(by_hints > 500 && opened > 500 && effort.denied > 1000 && effort.walked > 100);
}

#[test]
fn no_flipped_bit_in_a_hint_makes_its_filter_deny_a_key() {
    let rng = &mut Rng::new(5);
    let written = written(rng);
    for (path, len) in files(&written.disk, "hint") {
        for bit in (0..len * 8).step_by(7) {
            let flipped = written.disk.fork();
            flipped.flip_bit(&path, bit).unwrap();
            for key in keys() {
                let found = look_up(&flipped, &[&key], written.options()).unwrap();
                let answer = found.answers[0].as_ref().unwrap();
                assert_eq!(answer.value(), written.value(&key), "{} bit {bit}: {key:?}", path.display());
            }
        }
    }
}

fn history(store: &Store, key: &[u8]) -> logkv::Result<History> {
    newest_versions(store, key, usize::MAX, &mut |_, _| ControlFlow::Continue(()))
}

/// Without hints every segment is read.
#[test]
fn hints_change_what_a_history_costs_and_not_what_it_finds() {
    let mut effort = Effort::default();
    for seed in 0..STORES {
        let rng = &mut Rng::new(seed);
        let written = written(rng);
        let disk = &written.disk;
        let mut what = format!("seed {seed}");
        let before = read(disk, written.options()).unwrap();
        for _ in 0..rng.below(3) {
            what = format!("{what}, {}", damage(rng, disk));
        }
        let bare = disk.fork();
        files(disk, "hint").iter().for_each(|(path, _)| bare.delete(path).unwrap());
        let (Ok(store), Ok(bare)) = (read(disk, written.options()), read(&bare, written.options())) else { continue };
        // Without its hint nothing vouches for the end of the log: what does not decode there is no version, but torn.
        if bare.findings().iter().any(|finding| finding.kind == FindingKind::TornTail) {
            continue;
        }
        for key in asked() {
            let (Ok(with), Ok(without)) = (history(&store, &key), history(&bare, &key)) else { continue };
            let rows = |history: &History| history.versions.iter().map(|it| it.row.clone()).collect::<Vec<_>>();
            let places =
                |history: &History| rows(history).iter().map(|row| (row.segment, row.offset)).collect::<Vec<_>>();
            assert_eq!(places(&with), places(&without), "{what}: {key:?}");
            assert_eq!(with.total, without.total);
            assert_eq!((without.effort.denied, without.effort.named), (0, 0));
            assert_eq!(with.effort.segments, with.effort.denied + with.effort.named + with.effort.walked);
            effort += with.effort;
            // Damage that came after the store was opened makes no difference either.
            if let (Ok(late), true) = (history(&before, &key), what.matches(',').count() == 0) {
                assert_eq!(places(&late), places(&with));
            }
        }
    }
    println!("{effort}");
    assert!(effort.denied > 500 && effort.named > 500 && effort.walked > 500);
}

/// The interface asks for days; a disk that forgets a bit meanwhile must not make a version vanish.
#[test]
fn a_hint_that_rots_while_the_store_is_open_hides_no_version() {
    let rng = &mut Rng::new(11);
    let written = written(rng);
    let store = read(&written.disk, written.options()).unwrap();
    let count = |key: &[u8]| history(&store, key).unwrap().total;
    let (path, len) = files(&written.disk, "hint")[0].clone();
    for bit in (0..len * 8).step_by(5) {
        written.disk.flip_bit(&path, bit).unwrap();
        for (key, versions) in &written.versions {
            assert_eq!(count(key), versions.len(), "bit {bit}: {key:?}");
        }
        written.disk.flip_bit(&path, bit).unwrap();
    }
}

#[test]
fn a_key_that_was_never_there_costs_the_hints_and_nothing_more() {
    let disk = SimDisk::new();
    let options = || Options { create: true, max_segment_bytes: 10_000, ..Options::default() };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options()).unwrap();
    for n in 0..200 {
        store.put(format!("key {n}").as_bytes(), &[7; 400]).unwrap();
    }
    store.close().unwrap();
    let total = |extension| files(&disk, extension).iter().map(|(_, len)| len).sum::<u64>();
    let found = look_up(&disk, &[b"nowhere"], options()).unwrap();
    let effort = found.effort.unwrap();
    assert_eq!((effort.segments, effort.denied, effort.walked), (9, 9, 0), "{effort}");
    assert_eq!((effort.read_bytes, effort.spared_bytes), (total("hint"), total("data")));
    let store = read(&disk, options()).unwrap();
    assert_eq!(history(&store, b"nowhere").unwrap().effort, effort);
    let one = look_up(&disk, &[b"key 7"], options()).unwrap();
    assert_eq!(one.answers[0].as_ref().unwrap().value(), Some(&[7; 400][..]));
    let place = one.answers[0].as_ref().unwrap().found.as_ref().unwrap().entry.location;
    assert_eq!(one.effort.unwrap().read_bytes, total("hint") + place.len);
}
