//! Merges that promised what they did not keep.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use logkv::disk::sim::{CrashPolicy, Fault, SimDisk};
use logkv::store::{Clock, Event, MergeChoice, MergeControl, Observer, PutOptions};
use logkv::{Options, Store};

use super::{open, options};

/// A store with a dead record and a live one in each of three segments, of which no two live ones fit into one segment.
fn bulky() -> Store {
    let store = open(&SimDisk::new(), Options { max_segment_bytes: 300, ..options() }).unwrap();
    for key in [b"a", b"b", b"c"] {
        store.put(key, &[0; 20]).unwrap();
        store.put(key, &[1; 150]).unwrap();
    }
    store
}

/// The plan divided the bytes that stay by the size of a segment, as if outputs were filled to the last byte: it promised
/// fewer of them than the merge wrote, and so a gain where there was none. A merge in the background would have rewritten
/// such segments for ever.
#[test]
fn a_plan_counts_outputs_as_they_will_be_filled() {
    let store = bulky();
    store.merge(&MergeChoice::All, &MergeControl::default()).unwrap();
    let ids: Vec<_> = store.segments().iter().filter(|segment| !segment.active).map(|segment| segment.id).collect();
    assert_eq!(ids.len(), 3);
    let again = store.merge_plan(&MergeChoice::Segments(ids)).unwrap();
    assert_eq!(again.input_ids(), [0; 0], "nothing is gained: {again:?}");

    let store = bulky();
    let ids: Vec<_> = store.segments().iter().filter(|segment| !segment.active).map(|segment| segment.id).collect();
    let choice = MergeChoice::Segments(ids);
    let plan = store.merge_plan(&choice).unwrap();
    let merged = store.merge(&choice, &MergeControl::default()).unwrap().expect("dead records are there");
    let promised = (plan.outputs, plan.written_bytes, plan.freed_bytes);
    assert_eq!(promised, (merged.outputs.len() as u64, merged.written_bytes, merged.freed_bytes));
}

/// A sync of the directory failed when a merge had taken its inputs away. The next open found nothing left to take away,
/// believed the sync that said so, and forgot the merge; the key was deleted, and another merge let its tombstone go. Then
/// the power was cut, and the inputs were back, with the key. Names must be made durable anew, whichever sync failed.
#[test]
fn a_sync_of_the_directory_that_failed_in_a_merge_brings_nothing_back_later() {
    let merge = |store: &Store| store.merge(&MergeChoice::All, &MergeControl::default()).map(drop);
    let filled = |disk: &SimDisk| {
        let store = open(disk, options()).unwrap();
        store.put(b"gone", b"old").unwrap();
        store.put(b"kept", b"1").unwrap();
        store.put(b"kept", b"2").unwrap();
        store
    };
    let dry = SimDisk::new();
    let store = filled(&dry);
    let first = dry.ops() + 1;
    merge(&store).unwrap();
    let syncs: Vec<u64> = (first..=dry.ops()).filter(|op| dry.trace()[*op as usize - 1].contains("sync_dir")).collect();
    assert!(syncs.len() >= 4, "{:?}", dry.trace());
    for op in syncs {
        let disk = SimDisk::new();
        let store = filled(&disk);
        disk.fail_at(op, Fault::Io);
        merge(&store).expect_err("its sync failed");
        drop(store);
        let store = open(&disk, options()).unwrap();
        assert!(store.delete(b"gone").unwrap().is_some());
        merge(&store).unwrap();
        let after = open(&disk.crash(CrashPolicy::Drop, 0), options()).unwrap();
        let found: Vec<_> = after.scan(b"").map(|(key, _)| key.to_vec()).collect();
        assert_eq!(found, [b"kept"], "{}", dry.trace()[op as usize - 1]);
        assert_eq!(after.get(b"kept").unwrap().value(), Some(&b"2"[..]));
    }
}

/// Somebody who moves the clock on while a merge is at work, and asks for the figures.
#[derive(Debug, Default)]
struct Busybody {
    now: AtomicU64,
    store: OnceLock<Arc<Store>>,
}

impl Clock for Busybody {
    fn now(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }
}

impl Observer for Busybody {
    fn event(&self, event: &Event) {
        if let Event::Merging { .. } = event {
            self.now.store(10_000_000, Ordering::SeqCst);
            self.store.get().expect("the store is open").stats();
        }
    }
}

/// The time of a value ran out while a merge was at work, and whoever asked for figures swept the key out of the keydir.
/// The merge, which went by the time at which it had begun, took the value for a superseded one and let it go without a
/// tombstone: at the next open the older value, in a segment that had not been merged, was back.
#[test]
fn a_value_that_expires_while_it_is_merged_keeps_older_ones_hidden() {
    let (disk, busybody) =
        (SimDisk::new(), Arc::new(Busybody { now: AtomicU64::new(1_000_000), store: OnceLock::new() }));
    let options =
        || Options { max_segment_bytes: 300, clock: busybody.clone(), observers: vec![busybody.clone()], ..options() };
    let store = busybody.store.get_or_init(|| Arc::new(open(&disk, options()).unwrap()));
    store.put(b"k", &[0; 230]).unwrap();
    // One that is dead, so that there is something to gain, and two that are copied before the value's turn comes.
    for n in [b'a', b'a', b'b', b'c'] {
        store.put(&[n], &[n; 230]).unwrap();
    }
    let short = PutOptions::ttl(Duration::from_secs(2));
    store.put_with(b"k", &[1; 230], &short).unwrap().unwrap();
    store.put(b"last", &[2; 230]).unwrap();
    let ids = store.segments().iter().filter(|segment| !segment.active && segment.id > 1).map(|it| it.id).collect();
    store.merge(&MergeChoice::Segments(ids), &MergeControl::default()).unwrap().expect("a record is dead");
    assert_eq!(store.get(b"k").unwrap().value(), None);
    let plain = Options { clock: busybody.clone(), ..super::options() };
    let after = open(&disk.crash(CrashPolicy::Keep, 0), plain).unwrap();
    assert_eq!(after.get(b"k").unwrap().value(), None, "it had expired");
}

/// The end of a sealed segment was gone, and its hint told of it: the key that had stood there answered with an error. A
/// merge took the segment for whole, since all bytes that were left of it held, and the hint went with it: then an older
/// value of the key was its answer.
#[test]
fn a_segment_that_is_shorter_than_its_hint_says_is_left_out_of_merges() {
    for cut in [1, 60] {
        let disk = SimDisk::new();
        let store = open(&disk, options()).unwrap();
        store.put(b"k", &[0; 230]).unwrap();
        store.put(b"a", &[1; 20]).unwrap();
        store.put(b"a", &[2; 20]).unwrap();
        let lost = store.put(b"k", &[3; 100]).unwrap().location;
        store.put(b"b", &[4; 230]).unwrap();
        store.close().unwrap();
        let name = format!("{:010}.data", lost.segment);
        let (path, bytes) = disk.image().into_iter().find(|(path, _)| path.ends_with(&name)).unwrap();
        let end = if cut == 1 { lost.offset } else { bytes.len() as u64 - cut };
        disk.insert(&path, &bytes[..end as usize]).unwrap();
        let store = open(&disk, options()).unwrap();
        assert!(store.get(b"k").is_err());
        store.merge(&MergeChoice::All, &MergeControl::default()).unwrap();
        assert!(store.get(b"k").is_err(), "nobody knows its newest value");
        store.close().unwrap();
        assert!(open(&disk, options()).unwrap().get(b"k").is_err(), "nor ever will: cut at {end}");
    }
}
