//! Merging: what goes, what stays and why, and that nothing is lost, invented or brought back.
//!
//! The stores lie on the simulated disk, so that a test can look at every byte. Crashes at every step are `tests/crash.rs`'s,
//! random histories `tests/model.rs`'s.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use logkv::disk::sim::{CrashPolicy, Fault, SimDisk};
use logkv::format::{MergeFile, Origin};
use logkv::store::scan::What;
use logkv::store::{
    AutoMerge, Batch, Event, FindingKind, LeftOut, MergeChoice, MergeControl, MergePolicy, Merged, Mode, Observer,
    PutOptions, WhyMerged,
};
use logkv::{Error, Options, Store};
use support::ManualClock;

const DIR: &str = "/data";
const FIRST: &str = "/data/0000000001.data";

fn options(clock: &Arc<ManualClock>) -> Options {
    Options { create: true, max_segment_bytes: 400, seed: 7, clock: clock.clone(), threads: 1, ..Options::default() }
}

fn open(disk: &SimDisk, clock: &Arc<ManualClock>) -> Store {
    Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(clock)).unwrap()
}

fn read(disk: &SimDisk, clock: &Arc<ManualClock>) -> Store {
    Store::open_read_only_on(Arc::new(disk.clone()), Path::new(DIR), options(clock)).unwrap()
}

/// A store with a clock that stands still.
struct Scene {
    disk: SimDisk,
    clock: Arc<ManualClock>,
    store: Store,
}

impl Scene {
    fn new() -> Self {
        Self::with_threads(1)
    }

    fn with_threads(threads: usize) -> Self {
        let (disk, clock) = (SimDisk::new(), Arc::new(ManualClock::default()));
        let options = Options { threads, ..options(&clock) };
        let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options).unwrap();
        Self { disk, clock, store }
    }

    fn reopen(self) -> Self {
        self.store.close().unwrap();
        let store = open(&self.disk, &self.clock);
        assert_eq!(store.findings(), []);
        Self { store, ..self }
    }

    fn put(&self, key: &str, value: &str) {
        self.store.put(key.as_bytes(), value.as_bytes()).unwrap();
    }

    fn get(&self, key: &str) -> Option<String> {
        let answer = self.store.get(key.as_bytes()).unwrap();
        assert!(!answer.suspect);
        answer.into_value().map(|value| String::from_utf8(value).unwrap())
    }

    fn merge(&self, choice: &MergeChoice) -> Option<Merged> {
        let merged = self.store.merge(choice, &MergeControl::default()).unwrap();
        self.is_consistent();
        merged
    }

    /// The ledger is what a recount over the keydir gives, and no file is left that nobody knows.
    fn is_consistent(&self) {
        let ledger: Vec<_> = self
            .store
            .segments()
            .iter()
            .filter(|segment| segment.live_records > 0)
            .map(|segment| (segment.id, segment.live_records, segment.live_bytes))
            .collect();
        assert_eq!(ledger, self.store.recount());
        assert_eq!(self.store.directory_findings().unwrap(), []);
        let on_disk: u64 = self.data_files().iter().map(|(_, len)| len).sum();
        assert_eq!(on_disk, self.store.stats().disk_bytes);
    }

    fn data_files(&self) -> Vec<(String, u64)> {
        let image = self.disk.image();
        let names = image.iter().map(|(path, bytes)| (path.display().to_string(), bytes.len() as u64));
        names.filter(|(name, _)| name.ends_with(".data")).collect()
    }

    /// Fills segments until `count` are sealed.
    fn fill(&self, prefix: &str, count: usize) {
        let sealed = |store: &Store| store.segments().iter().filter(|segment| !segment.active).count();
        let before = sealed(&self.store);
        for i in 0.. {
            if sealed(&self.store) >= before + count {
                return;
            }
            self.put(&format!("{prefix}{i}"), &"v".repeat(60));
        }
    }
}

fn by_hand(ids: &[u64]) -> MergeChoice {
    MergeChoice::Segments(ids.to_vec())
}

#[test]
fn a_merge_gives_the_dead_bytes_back_and_every_key_keeps_its_value() {
    let scene = Scene::new();
    for round in 0..6 {
        for key in 0..8 {
            scene.put(&format!("key{key}"), &format!("value {key} of round {round}"));
        }
    }
    for key in 0..4 {
        scene.store.delete(format!("key{key}").as_bytes()).unwrap();
    }
    let before = scene.store.stats();
    let plan = scene.store.merge_plan(&MergeChoice::All).unwrap();
    let merged = scene.merge(&MergeChoice::All).unwrap();
    assert_eq!((merged.written_bytes, merged.freed_bytes), (plan.written_bytes, plan.freed_bytes), "as planned");
    assert_eq!((merged.records, merged.tombstones_dropped, merged.tombstones_kept), (4, 4, 0));
    let after = scene.store.stats();
    assert_eq!((after.keys, after.tombstones, after.dead_bytes), (4, 0, 0));
    assert!(after.disk_bytes < before.disk_bytes / 4, "{} of {}", after.disk_bytes, before.disk_bytes);
    check_eight_keys(&scene);
    let scene = scene.reopen();
    check_eight_keys(&scene);
    assert_eq!(scene.merge(&MergeChoice::All), None, "nothing is left to gain");
}

fn check_eight_keys(scene: &Scene) {
    for key in 0..8 {
        let expected = (key >= 4).then(|| format!("value {key} of round 5"));
        assert_eq!(scene.get(&format!("key{key}")), expected);
    }
}

#[test]
fn a_tombstone_stays_while_a_segment_outside_may_hold_what_it_hides() {
    let scene = Scene::new();
    scene.put("ghost", "old");
    scene.fill("a", 1);
    scene.store.delete(b"ghost").unwrap();
    scene.put("a0", "superseded");
    scene.put("a0", "now");
    scene.fill("b", 1);
    let plan = scene.store.merge_plan(&by_hand(&[2])).unwrap();
    assert_eq!((plan.tombstones_dropped, plan.tombstones_kept()), (0, 1));
    assert_eq!(plan.tombstones_held_by.get(&1), Some(&1), "segment 1 holds the old value");
    let mut told = Vec::new();
    let tell = &mut |kept: logkv::store::KeptTombstone<'_>| told.push((kept.key.to_vec(), kept.segment, kept.held_by));
    scene.store.kept_tombstones(&plan, tell).unwrap();
    assert_eq!(told, [(b"ghost".to_vec(), 2, 1)]);
    scene.merge(&MergeChoice::Segments(vec![2]));
    let scene = scene.reopen();
    assert_eq!(scene.get("ghost"), None);
    // Together with the segment that it was kept for, it goes.
    let ids: Vec<u64> = scene.store.segments().iter().filter(|s| !s.active).map(|s| s.id).collect();
    let merged = scene.merge(&by_hand(&ids)).unwrap();
    assert_eq!((merged.tombstones_dropped, merged.tombstones_kept), (1, 0));
    assert_eq!(scene.reopen().get("ghost"), None);
}

#[test]
fn a_bloom_filter_lets_a_tombstone_go_and_the_saved_reads_are_counted() {
    let scene = Scene::new();
    scene.fill("a", 2);
    scene.put("ghost", "old");
    scene.store.delete(b"ghost").unwrap();
    scene.fill("b", 1);
    let of_ghost = scene.store.segments().iter().find(|segment| segment.tombstones > 0).unwrap().id;
    let plan = scene.store.merge_plan(&by_hand(&[of_ghost])).unwrap();
    assert_eq!((plan.tombstones_dropped, plan.tombstones_kept(), plan.let_go_by_filter), (1, 0, 1));
}

#[test]
fn without_the_hint_of_an_older_segment_the_tombstone_stays() {
    let scene = Scene::new();
    scene.fill("a", 2);
    scene.put("ghost", "old");
    scene.store.delete(b"ghost").unwrap();
    scene.fill("b", 1);
    let of_ghost = scene.store.segments().iter().find(|segment| segment.tombstones > 0).unwrap().id;
    scene.disk.flip_bit("/data/0000000001.hint", 70 * 8).unwrap();
    let plan = scene.store.merge_plan(&by_hand(&[of_ghost])).unwrap();
    assert_eq!((plan.tombstones_dropped, plan.tombstones_kept()), (0, 1));
}

#[test]
fn what_expired_is_a_tombstone_to_a_merge_and_does_not_let_an_older_version_back() {
    let scene = Scene::new();
    scene.put("k", "for ever");
    scene.fill("a", 1);
    let ttl = PutOptions::ttl(Duration::from_secs(10));
    scene.store.put_with(b"k", &[b'x'; 150], &ttl).unwrap();
    scene.fill("b", 1);
    scene.clock.advance(Duration::from_secs(11));
    assert_eq!(scene.get("k"), None);
    let before = scene.store.segments()[1].bytes;
    let merged = scene.merge(&by_hand(&[2])).unwrap();
    assert_eq!((merged.tombstones_kept, merged.tombstones_dropped), (1, 0));
    assert!(merged.written_bytes < before - 150, "its value went all the same");
    let scene = scene.reopen();
    assert_eq!(scene.get("k"), None);
    // A clock that was set back does not bring it back either.
    scene.clock.set_back(Duration::from_secs(3600));
    assert_eq!(scene.reopen().get("k"), None);
}

#[test]
fn an_expired_put_goes_for_good_when_nothing_older_is_left() {
    let scene = Scene::new();
    let ttl = PutOptions::ttl(Duration::from_secs(10));
    scene.store.put_with(b"k", b"soon gone", &ttl).unwrap();
    scene.store.put_with(b"longer", b"stays", &PutOptions::ttl(Duration::from_secs(99))).unwrap();
    scene.fill("a", 1);
    scene.clock.advance(Duration::from_secs(11));
    let merged = scene.merge(&MergeChoice::All).unwrap();
    assert_eq!((merged.tombstones_kept, merged.tombstones_dropped), (0, 1));
    let scene = scene.reopen();
    assert_eq!((scene.get("k"), scene.get("longer").as_deref()), (None, Some("stays")));
    scene.clock.advance(Duration::from_secs(90));
    assert_eq!(scene.get("longer"), None, "the copy keeps its expiry");
}

#[test]
fn the_active_segment_and_damaged_ones_are_left_out_and_said_so() {
    let scene = Scene::new();
    scene.fill("a", 3);
    let third = scene.store.segments()[2].id;
    let scene = {
        scene.store.close().unwrap();
        scene.disk.flip_bit(FIRST, (40 + 24 + 2 + 5) * 8).unwrap();
        scene.disk.delete("/data/0000000001.hint").unwrap();
        let store = open(&scene.disk, &scene.clock);
        Scene { store, ..scene }
    };
    for i in 0..20 {
        scene.store.delete(format!("a{i}").as_bytes()).unwrap();
    }
    let plan =
        scene.store.merge_plan(&MergeChoice::Policy(MergePolicy { small_bytes: 0, ..MergePolicy::default() })).unwrap();
    assert!(plan.left_out.contains(&(1, LeftOut::Damaged)), "{plan:?}");
    assert!(plan.left_out.iter().any(|(_, why)| *why == LeftOut::Active), "{plan:?}");
    assert!(plan.inputs.iter().any(|input| input.segment == third && input.why == WhyMerged::Dead), "{plan:?}");
    assert!(plan.tombstones_held_by.keys().all(|id| *id == 1), "what is damaged may hold anything: {plan:?}");
    let bytes = scene.disk.image()[Path::new(&FIRST[1..])].clone();
    scene.merge(&MergeChoice::All).unwrap();
    assert_eq!(scene.disk.image()[Path::new(&FIRST[1..])], bytes);
    let active = scene.store.segments().into_iter().find(|segment| segment.active).unwrap().id;
    for refused in [by_hand(&[1]), by_hand(&[active])] {
        let error = scene.store.merge(&refused, &MergeControl::default()).unwrap_err();
        assert!(matches!(error, Error::BadOption { .. }), "{error:?}");
    }
}

#[test]
fn a_damaged_segment_holds_tombstones_back_however_new_its_records_are() {
    let scene = Scene::new();
    scene.put("ghost", "old");
    scene.store.delete(b"ghost").unwrap();
    scene.put("a0", "superseded");
    scene.fill("a", 2);
    scene.store.close().unwrap();
    // A value of the second segment, which is newer than the tombstone in the first.
    scene.disk.flip_bit("/data/0000000002.data", (40 + 24 + 2 + 5) * 8).unwrap();
    scene.disk.delete("/data/0000000002.hint").unwrap();
    let scene = Scene { store: open(&scene.disk, &scene.clock), ..scene };
    assert!(scene.store.segments()[1].damaged_bytes > 0);
    let plan = scene.store.merge_plan(&by_hand(&[1])).unwrap();
    assert_eq!((plan.tombstones_dropped, plan.tombstones_held_by.get(&2)), (0, Some(&1)), "{plan:?}");
}

/// A batch bit would tie the copy to whatever follows it, a barrier bit would vouch for bytes of another file.
#[test]
fn copies_say_nothing_of_the_records_that_stood_around_them() {
    let scene = Scene::new();
    scene.put("superseded", "1");
    scene.put("superseded", "2");
    let mut batch = Batch::new();
    for key in [b"a", b"b", b"c"] {
        batch.put(key, b"of a batch").unwrap();
    }
    scene.store.write(&batch).unwrap();
    let said = |store: &Store| -> Vec<(bool, bool)> {
        let mut said = Vec::new();
        for segment in store.segments() {
            let mut walk = store.walk(segment.id, 0).unwrap();
            while let Some(item) = walk.scanner.next_item().unwrap() {
                let What::Record(record, Ok(())) = item.what else { panic!("{item:?}") };
                said.push((record.batch_continues, record.barrier));
            }
        }
        said
    };
    assert!(said(&scene.store).iter().any(|said| said.0) && said(&scene.store).iter().any(|said| said.1));
    scene.merge(&MergeChoice::All).unwrap();
    assert_eq!(said(&scene.store), [(false, false); 4]);
}

/// Basho's Bitcask answered ok, deleted the input, and 100 undamaged records of 200 were gone.
#[test]
fn one_flipped_bit_that_only_the_merge_meets_costs_no_other_record() {
    let scene = Scene::new();
    scene.fill("a", 3);
    let keys: Vec<_> = scene.store.scan(b"").map(|(key, entry)| (key.to_vec(), entry)).collect();
    let (hit, entry) = keys.iter().find(|(_, entry)| entry.location.segment == 2).unwrap();
    // Turned while the store is open, behind a hint that holds.
    let at = entry.location.offset + 24 + hit.len() as u64 + 3;
    scene.disk.flip_bit("/data/0000000002.data", at * 8).unwrap();
    for i in 0..3 {
        scene.store.delete(format!("a{i}").as_bytes()).unwrap();
    }
    let merged = scene.store.merge(&MergeChoice::All, &MergeControl::default()).unwrap().unwrap();
    assert!(!merged.inputs.contains(&2), "{merged:?}");
    let found = scene.store.findings();
    assert!(found.iter().any(|f| f.kind == FindingKind::DamagedRecord && f.segment == Some(2)), "{found:?}");
    for (key, _) in keys.iter().filter(|(key, _)| ![&b"a0"[..], b"a1", b"a2"].contains(&&key[..])) {
        match scene.store.get(key) {
            Ok(answer) => assert_eq!(answer.value(), Some(&[b'v'; 60][..])),
            Err(error) => assert!(matches!(error, Error::Damaged { segment: 2, .. }) && key == hit, "{error}"),
        }
    }
}

#[test]
fn small_segments_become_one_and_that_comes_to_an_end() {
    let scene = Scene::new();
    for i in 0..5 {
        scene.put(&format!("k{i}"), "small");
        let scene_store = &scene.store;
        scene_store.merge(&MergeChoice::All, &MergeControl::default()).unwrap();
    }
    let scene = scene.reopen();
    let rounds = (0..10).take_while(|_| scene.merge(&MergeChoice::default()).is_some()).count();
    assert!(rounds < 3, "{rounds}");
    assert!((0..5).all(|i| scene.get(&format!("k{i}")).is_some()));
}

#[test]
fn a_merge_without_room_refuses_before_it_begins() {
    let scene = Scene::new();
    scene.fill("a", 3);
    scene.store.delete(b"a0").unwrap();
    let used: usize = scene.disk.image().values().map(Vec::len).sum();
    scene.disk.set_capacity(Some(used as u64 + 60));
    let before = scene.disk.image();
    let refused = scene.store.merge(&by_hand(&[1, 2, 3]), &MergeControl::default()).unwrap_err();
    assert!(matches!(refused, Error::NoSpace { .. }), "{refused:?}");
    assert_eq!(scene.disk.image(), before);
    scene.disk.set_capacity(None);
    scene.put("goes", "on");
    assert!(scene.merge(&by_hand(&[1, 2, 3])).is_some());
}

#[test]
fn a_cancelled_merge_changes_nothing_and_the_next_one_works() {
    let scene = Scene::new();
    scene.fill("a", 4);
    scene.store.delete(b"a0").unwrap();
    let before = scene.data_files();
    let control = MergeControl::default();
    control.cancel();
    let refused = scene.store.merge(&by_hand(&[1, 2]), &control).unwrap_err();
    assert!(matches!(refused, Error::MergeCancelled { .. }), "{refused:?}");
    assert_eq!(scene.data_files(), before);
    scene.is_consistent();
    assert!(scene.merge(&by_hand(&[1, 2])).is_some());
}

/// Writes and reads in the middle of a merge, on the thread that merges.
#[derive(Debug, Default)]
struct InBetween {
    store: std::sync::Mutex<Option<Arc<Store>>>,
    when: When,
}

/// In the middle of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum When {
    /// Before a record is copied.
    #[default]
    Copying,
    /// After all are copied, when the first entry of the keydir has moved to its copy.
    HandingOver,
}

impl Observer for InBetween {
    fn event(&self, event: &Event) {
        let is_now = match self.when {
            When::Copying => matches!(event, Event::MergeStarted { .. }),
            When::HandingOver => {
                matches!(event, Event::KeydirMoved { from: Some(from), to: Some(to) } if to.segment > from.segment + 2)
            }
        };
        if !is_now {
            return;
        }
        let Some(store) = self.store.lock().unwrap().take() else { return };
        for key in [b"a1", b"a4"] {
            store.put(key, b"overwritten").unwrap();
        }
        store.delete(b"a2").unwrap();
        store.put(b"new", b"come lately").unwrap();
        let again = store.merge(&MergeChoice::default(), &MergeControl::default());
        assert!(matches!(again, Err(Error::Merging { .. })), "one merge at a time: {again:?}");
    }
}

#[test]
fn puts_and_deletes_that_come_while_records_are_copied_win() {
    come_between(When::Copying);
}

/// Moved without comparing, the keydir pointed at copies again that had been overwritten or deleted since.
#[test]
fn puts_and_deletes_that_come_while_the_keydir_moves_win() {
    come_between(When::HandingOver);
}

fn come_between(when: When) {
    let (disk, clock) = (SimDisk::new(), Arc::new(ManualClock::default()));
    let watcher = Arc::new(InBetween { when, ..InBetween::default() });
    let options = Options { observers: vec![watcher.clone()], ..options(&clock) };
    let store = Arc::new(Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options).unwrap());
    for i in 0..12 {
        store.put(format!("a{i}").as_bytes(), &[b'v'; 60]).unwrap();
    }
    store.delete(b"a0").unwrap();
    *watcher.store.lock().unwrap() = Some(store.clone());
    store.merge(&by_hand(&[1, 2]), &MergeControl::default()).unwrap().unwrap();
    assert!(watcher.store.lock().unwrap().is_none(), "it came between");
    let value = |store: &Store, key: &[u8]| store.get(key).unwrap().into_value();
    let check = |store: &Store| {
        assert_eq!(value(store, b"a0"), None);
        assert_eq!(value(store, b"a1").as_deref(), Some(&b"overwritten"[..]));
        assert_eq!(value(store, b"a4").as_deref(), Some(&b"overwritten"[..]));
        assert_eq!(value(store, b"a2"), None);
        assert_eq!(value(store, b"a3").as_deref(), Some(&[b'v'; 60][..]));
        assert_eq!(value(store, b"new").as_deref(), Some(&b"come lately"[..]));
    };
    check(&store);
    let ledger: Vec<_> = store
        .segments()
        .iter()
        .filter(|segment| segment.live_records > 0)
        .map(|segment| (segment.id, segment.live_records, segment.live_bytes))
        .collect();
    assert_eq!(ledger, store.recount());
    drop(watcher);
    Arc::into_inner(store).unwrap().close().unwrap();
    check(&open(&disk, &clock));
}

#[test]
fn a_reader_beside_the_merge_answers_before_and_after_the_same() {
    let scene = Scene::new();
    for i in 0..30 {
        scene.put(&format!("k{}", i % 9), &format!("value {i}"));
    }
    scene.store.delete(b"k3").unwrap();
    scene.fill("z", 1);
    let reader = read(&scene.disk, &scene.clock);
    let all = |store: &Store| -> Vec<_> {
        store.scan(b"k").map(|(key, _)| (key.to_vec(), store.get(&key).unwrap().into_value())).collect()
    };
    let before = all(&reader);
    scene.merge(&MergeChoice::All).unwrap();
    assert_eq!(all(&reader), before, "files that are gone are still open");
    let seen = reader.refresh().unwrap();
    assert!(seen.vanished_segments > 0 && seen.new_segments > 0, "{seen:?}");
    assert_eq!(all(&reader), before);
    assert_eq!(all(&read(&scene.disk, &scene.clock)), before);
}

#[test]
fn a_pinned_store_keeps_its_files_and_the_merge_waits() {
    let scene = Scene::new();
    scene.fill("a", 3);
    scene.store.delete(b"a0").unwrap();
    let before = scene.data_files();
    std::thread::scope(|scope| {
        let pin = scene.store.pin();
        let control = MergeControl::default();
        let merge = scope.spawn(|| scene.store.merge(&by_hand(&[1, 2, 3]), &MergeControl::default()));
        std::thread::sleep(Duration::from_millis(50));
        assert!(!control.is_committing());
        let still: Vec<_> = scene.data_files().into_iter().filter(|file| before.contains(file)).collect();
        assert_eq!(still, before);
        drop(pin);
        assert!(merge.join().unwrap().unwrap().is_some());
    });
    scene.is_consistent();
}

#[test]
fn outputs_are_known_by_their_origin_and_carry_hints_that_hold() {
    let scene = Scene::new();
    scene.fill("a", 4);
    scene.store.delete(b"a0").unwrap();
    let merged = scene.merge(&by_hand(&[1, 2, 3])).unwrap();
    for id in &merged.outputs {
        let info = scene.store.segments().into_iter().find(|segment| segment.id == *id).unwrap();
        assert_eq!((info.origin, info.has_hint, info.active), (Origin::Merge, true, false));
        assert!(info.bytes <= 400);
    }
    let by_hints = scene.store.segments();
    let scene = scene.reopen();
    assert_eq!(scene.store.segments()[0], by_hints[0]);
    // Without the hints, the same by reading the records.
    scene.store.close().unwrap();
    let names: Vec<_> =
        scene.disk.image().keys().filter(|path| path.extension().is_some_and(|e| e == "hint")).cloned().collect();
    names.iter().for_each(|name| scene.disk.delete(name).unwrap());
    let store = open(&scene.disk, &scene.clock);
    assert_eq!(store.findings(), []);
    assert!((1..12).all(|i| store.get(format!("a{i}").as_bytes()).unwrap().found.is_some()));
}

/// Which thread makes an output durable is nothing that anybody could tell from the store.
#[test]
fn two_threads_write_the_same_bytes_as_one() {
    let [one, two] = [1, 2].map(|threads| {
        let scene = Scene::with_threads(threads);
        scene.fill("a", 6);
        for i in (0..20).step_by(3) {
            scene.store.delete(format!("a{i}").as_bytes()).unwrap();
        }
        let plan = scene.store.merge_plan(&MergeChoice::All).unwrap();
        let merged = scene.merge(&MergeChoice::All).unwrap();
        assert!(merged.outputs.len() > 2, "{merged:?}");
        assert_eq!((plan.written_bytes, plan.outputs), (merged.written_bytes, merged.outputs.len() as u64));
        (plan, Merged { took: Duration::ZERO, ..merged }, scene.disk.image())
    });
    assert!(one == two, "{:?} {:?}", one.1, two.1);
}

/// An output goes to the disk before it is whole: a failure of that is one of the merge.
#[test]
fn a_sync_that_fails_before_an_output_is_whole_stops_the_merge_and_nothing_else() {
    let scene = || {
        let (disk, clock) = (SimDisk::new(), Arc::new(ManualClock::default()));
        let options = Options { threads: 2, max_segment_bytes: 64 << 20, ..options(&clock) };
        let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options).unwrap();
        store.put(b"long", &vec![7; 10 << 20]).unwrap();
        store.put(b"long", &vec![8; 10 << 20]).unwrap();
        Scene { disk, clock, store }
    };
    let clean = scene();
    let from = clean.disk.ops();
    clean.merge(&MergeChoice::All).unwrap();
    let is_sync = |op: &String| op.contains("sync_data") && op.contains(".data.tmp");
    let ops = clean.disk.trace();
    let first = ops.iter().skip(from as usize + 10).position(is_sync).unwrap() as u64 + from + 10;
    let mut syncs = 0;
    // At which operation the other thread syncs is its own affair.
    for n in (first..first + 4).cycle().take(200) {
        let scene = scene();
        scene.disk.fail_at(n, Fault::Io);
        assert!(scene.store.merge(&MergeChoice::All, &MergeControl::default()).is_err());
        syncs += usize::from(is_sync(&scene.disk.trace()[n as usize - 1]));
        scene.is_consistent();
        scene.put("goes", "on");
        assert!(scene.merge(&MergeChoice::All).is_some());
        assert_eq!(scene.store.get(b"long").unwrap().into_value(), Some(vec![8; 10 << 20]));
        if syncs > 1 {
            return;
        }
    }
    panic!("no fault met a sync");
}

#[test]
fn a_failure_on_temporary_files_stops_the_merge_and_nothing_else() {
    failing_on_temporary_files(1);
}

#[test]
fn a_failure_on_temporary_files_in_another_thread_stops_the_merge_and_nothing_else() {
    failing_on_temporary_files(2);
}

fn failing_on_temporary_files(threads: usize) {
    let clean = Scene::with_threads(threads);
    clean.fill("a", 4);
    clean.store.delete(b"a0").unwrap();
    let from = clean.disk.ops();
    clean.merge(&by_hand(&[1, 2, 3])).unwrap();
    let trace = clean.disk.trace();
    let decided = trace.iter().position(|op| op.contains("MERGE")).unwrap() as u64;
    let mut refused = 0;
    for n in from..decided {
        let scene = Scene::with_threads(threads);
        scene.fill("a", 4);
        scene.store.delete(b"a0").unwrap();
        assert_eq!(scene.disk.ops(), from);
        scene.disk.fail_at(n + 1, Fault::Io);
        let keys: Vec<_> = scene.store.scan(b"").map(|(key, _)| key.to_vec()).collect();
        if scene.store.merge(&by_hand(&[1, 2, 3]), &MergeControl::default()).is_err() {
            refused += 1;
            // The sync of the active segment before the decision is the store's own.
            if scene.store.put(b"on", b"it goes").is_ok() {
                scene.store.delete(b"on").unwrap();
                assert!(scene.merge(&by_hand(&[1, 2, 3])).is_some(), "at operation {n}");
            }
        }
        let after: Vec<_> = scene.store.scan(b"").map(|(key, _)| key.to_vec()).collect();
        assert_eq!(after, keys, "at operation {n}");
    }
    assert!(refused >= 5, "{refused}");
}

#[test]
fn a_merge_that_stops_anywhere_ends_at_the_next_open() {
    stopping_anywhere(1);
}

#[test]
fn a_merge_in_two_threads_that_stops_anywhere_ends_at_the_next_open() {
    stopping_anywhere(2);
}

/// Stops a merge at every operation and lets a reader look and a writer recover.
fn stopping_anywhere(threads: usize) {
    let build = || {
        let scene = Scene::with_threads(threads);
        scene.put("ghost", "old");
        scene.fill("a", 2);
        scene.store.delete(b"ghost").unwrap();
        scene.fill("b", 1);
        scene
    };
    let clean = build();
    let from = clean.disk.ops();
    clean.merge(&MergeChoice::All).unwrap();
    let keys = |store: &Store| -> Vec<_> {
        store.scan(b"").map(|(key, _)| (key.to_vec(), store.get(&key).unwrap().into_value())).collect()
    };
    let expected = keys(&clean.store);
    let mut stops = 0;
    for n in from..clean.disk.ops() {
        let scene = build();
        scene.disk.crash_at(n + 1);
        let _ = scene.store.merge(&MergeChoice::All, &MergeControl::default());
        let policies =
            [(CrashPolicy::Drop, 0), (CrashPolicy::Keep, 0), (CrashPolicy::Torn, n), (CrashPolicy::Torn, n + 999)];
        for disk in policies.map(|(policy, seed)| scene.disk.crash(policy, seed)) {
            let reader = read(&disk, &scene.clock);
            assert_eq!(keys(&reader), expected, "a reader after a stop at {n}");
            assert!(!reader.is_suspect(b"ghost"), "at {n}: {:?}", reader.findings());
            let store = open(&disk, &scene.clock);
            assert_eq!((store.mode(), keys(&store)), (Mode::ReadWrite, expected.clone()), "stopped at {n}");
            assert_eq!(store.directory_findings().unwrap(), [], "stopped at {n}");
            store.merge(&MergeChoice::All, &MergeControl::default()).unwrap();
            assert_eq!(keys(&store), expected, "merged again after a stop at {n}");
            stops += 1;
        }
    }
    assert!(stops > 50, "{stops}");
}

#[test]
fn a_merge_of_a_later_version_is_refused() {
    let scene = Scene::new();
    scene.fill("a", 1);
    scene.store.close().unwrap();
    let mut bytes = MergeFile::default().encode();
    bytes.truncate(bytes.len() - 4);
    bytes[8] = 9;
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    scene.disk.insert("/data/MERGE", bytes).unwrap();
    let opened = Store::open_on(Arc::new(scene.disk.clone()), Path::new(DIR), options(&scene.clock));
    assert!(matches!(opened.unwrap_err(), Error::NeedsNewer { .. }));
}

#[test]
fn long_values_are_copied_in_pieces_and_stay_what_they_are() {
    let (disk, clock) = (SimDisk::new(), Arc::new(ManualClock::default()));
    let options = Options { max_segment_bytes: 8 << 20, ..options(&clock) };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options.clone()).unwrap();
    let value = |seed: usize, len: usize| -> Vec<u8> { (0..len).map(|i| (i * seed / 7) as u8).collect() };
    let lens = [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (3 << 20) + 17, 9 << 20];
    for (n, len) in lens.iter().enumerate() {
        store.put(&[n as u8], b"superseded").unwrap();
        store.put(&[n as u8], &value(n + 1, *len)).unwrap();
    }
    let merged = store.merge(&MergeChoice::All, &MergeControl::default()).unwrap().unwrap();
    assert_eq!(merged.records, lens.len() as u64);
    store.close().unwrap();
    let store = Store::open_on(Arc::new(disk), Path::new(DIR), options).unwrap();
    for (n, len) in lens.iter().enumerate() {
        assert!(store.get(&[n as u8]).unwrap().value() == Some(&value(n + 1, *len)[..]), "{len} bytes");
    }
}

/// Waits for what another thread does. Not a measure of time: it fails only if it never happens.
fn comes_true(what: &str, is_true: impl Fn() -> bool) {
    for _ in 0..2000 {
        if is_true() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{what}: it never came true");
}

fn merging_by_itself(clock: &Arc<ManualClock>, window: (u8, u8)) -> Options {
    let policy = MergePolicy { small_bytes: 0, ..MergePolicy::default() };
    let auto = AutoMerge { policy, every: Duration::from_millis(5), window, bytes_per_second: None };
    Options { auto_merge: Some(auto), ..options(clock) }
}

#[test]
fn a_store_that_was_opened_for_it_merges_by_itself_and_only_in_its_hours() {
    let (disk, clock) = (SimDisk::new(), Arc::new(ManualClock::default()));
    let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), merging_by_itself(&clock, (3, 4))).unwrap();
    for round in 0..40 {
        store.put(b"k", format!("value of round {round}").as_bytes()).unwrap();
    }
    std::thread::sleep(Duration::from_millis(100));
    let before = store.segments().len();
    assert!(before > 3, "it is midnight, and nothing is merged");
    clock.advance(Duration::from_secs(3 * 3600 + 60));
    comes_true("the merge of three o'clock", || store.segments().len() < 4);
    assert_eq!(store.get(b"k").unwrap().value(), Some(&b"value of round 39"[..]));
    store.close().unwrap();
    assert_eq!(open(&disk, &clock).findings(), []);
}

#[test]
fn looking_at_a_store_never_merges_it() {
    let (disk, clock) = (SimDisk::new(), Arc::new(ManualClock::default()));
    let store = open(&disk, &clock);
    for round in 0..40 {
        store.put(b"k", format!("value of round {round}").as_bytes()).unwrap();
    }
    store.close().unwrap();
    let before = disk.image();
    let reader = merging_by_itself(&clock, (0, 0));
    let reader = Store::open_read_only_on(Arc::new(disk.clone()), Path::new(DIR), reader).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let refused = reader.merge(&MergeChoice::All, &MergeControl::default());
    assert!(matches!(refused, Err(Error::ReadOnly { .. })), "{refused:?}");
    assert!(reader.merge_plan(&MergeChoice::All).unwrap().freed_bytes > 0, "a plan may be looked at");
    reader.close().unwrap();
    assert_eq!(disk.image(), before);
}

/// Keys and their values.
type Pairs = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// Stops a merge of everything right after its outputs got their names, with every input still there.
fn stopped_after_the_outputs_are_named() -> (SimDisk, Arc<ManualClock>, Pairs) {
    let build = || {
        let scene = Scene::new();
        scene.put("ghost", "old");
        scene.fill("a", 2);
        scene.store.delete(b"ghost").unwrap();
        scene
    };
    let clean = build();
    clean.merge(&MergeChoice::All).unwrap();
    let expected =
        clean.store.scan(b"").map(|(key, _)| (key.to_vec(), clean.store.get(&key).unwrap().into_value())).collect();
    let first_removal =
        clean.disk.trace().iter().rposition(|op| op.contains("remove") && op.contains(".hint")).unwrap();
    let removals = clean.disk.trace().iter().filter(|op| op.contains("remove") && op.contains(".hint")).count();
    assert!(removals >= 2, "{:?}", clean.disk.trace());
    let scene = build();
    let mut n = first_removal;
    while clean.disk.trace()[n - 1].contains("remove") {
        n -= 1;
    }
    scene.disk.crash_at(n as u64 + 1);
    let _ = scene.store.merge(&MergeChoice::All, &MergeControl::default());
    (scene.disk.crash(CrashPolicy::Keep, 0), scene.clock, expected)
}

fn keys(store: &Store) -> Pairs {
    store.scan(b"").map(|(key, _)| (key.to_vec(), store.get(&key).unwrap().into_value())).collect()
}

#[test]
fn an_output_that_does_not_hold_is_undone_as_long_as_the_inputs_are_there() {
    let (disk, clock, expected) = stopped_after_the_outputs_are_named();
    let output = disk.image().into_keys().filter(|path| path.extension().is_some_and(|e| e == "data")).max().unwrap();
    let middle = disk.image()[&output].len() as u64 / 2;
    disk.flip_bit(&output, middle * 8).unwrap();
    let store = open(&disk, &clock);
    assert_eq!((store.mode(), keys(&store)), (Mode::ReadWrite, expected));
    assert_eq!((store.findings(), store.directory_findings().unwrap()), (vec![], vec![]));
    assert!(!disk.image().contains_key(&output) && !disk.image().contains_key(Path::new("data/MERGE")));
}

#[test]
fn with_neither_all_inputs_nor_whole_outputs_nothing_is_changed_and_nothing_written() {
    let (disk, clock, _) = stopped_after_the_outputs_are_named();
    let output = disk.image().into_keys().filter(|path| path.extension().is_some_and(|e| e == "data")).max().unwrap();
    let middle = disk.image()[&output].len() as u64 / 2;
    disk.flip_bit(&output, middle * 8).unwrap();
    disk.delete(FIRST).unwrap();
    let before = disk.image();
    let store = open(&disk, &clock);
    assert_eq!(store.mode(), Mode::ReadOnly);
    assert!(store.findings().iter().any(|finding| finding.kind == FindingKind::UnfinishedMerge));
    assert!(matches!(store.put(b"k", b"v"), Err(Error::ReadOnly { .. })));
    store.close().unwrap();
    let data = |image: std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>| -> Vec<_> {
        image.into_iter().filter(|(path, _)| !path.ends_with("LOCK")).collect()
    };
    assert_eq!(data(disk.image()), data(before));
}
