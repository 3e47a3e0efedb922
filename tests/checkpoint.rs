//! The checkpoint of the keydir is a cache: a store opened from it is the store that reading everything gives, whatever
//! was done since it was written, and whatever was done to it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use logkv::disk::sim::{Image, SimDisk};
use logkv::format::Checkpoint;
use logkv::inspect::verify;
use logkv::store::{
    Batch, Compression, Event, FindingKind, MergeChoice, MergeControl, Mode, Observer, Recovery, Severity, Stats,
    SyncPolicy,
};
use logkv::{Options, Store};
use support::workload::{Op, workload};
use support::{ManualClock, Rng};

const DIR: &str = "data";
const KEYDIR: &str = "data/KEYDIR";

fn options(clock: &Arc<ManualClock>) -> Options {
    Options {
        create: true,
        max_segment_bytes: 2000,
        threads: 2,
        seed: 7,
        clock: clock.clone(),
        compression: Compression::Lz4,
        sync: SyncPolicy::Interval(Duration::from_secs(3600)),
        ..Options::default()
    }
}

fn open(disk: &SimDisk, clock: &Arc<ManualClock>) -> Store {
    Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options(clock)).unwrap()
}

fn reader(disk: &SimDisk, clock: &Arc<ManualClock>, checkpoint: bool) -> Store {
    let options = Options { checkpoint, ..options(clock) };
    Store::open_read_only_on(Arc::new(disk.clone()), Path::new(DIR), options).unwrap()
}

/// Everything that a store says of itself.
fn all_of(store: &Store) -> String {
    let mut told = String::new();
    for (key, entry) in store.scan(b"") {
        let answer = store.get(&key).map(|answer| (answer.suspect, answer.into_value()));
        told += &format!("{key:?} {entry:?} {answer:?}\n");
    }
    for key in [&b"nothing"[..], b"", b"k7", b"gone"] {
        told += &format!("{key:?} {:?}\n", store.get(key).map(|answer| (answer.suspect, answer.into_value())));
    }
    // How much memory it takes is not the same, nor for how long it has counted what expired.
    let stats = Stats { keydir_bytes: 0, expired: 0, ..store.stats() };
    told += &format!("{stats:?}\n{:#?}\n{:#?}\n", store.segments(), store.findings());
    let counted = store.segments().into_iter().filter(|segment| segment.live_records > 0);
    let counted: Vec<_> = counted.map(|segment| (segment.id, segment.live_records, segment.live_bytes)).collect();
    assert_eq!(store.recount(), counted);
    told
}

/// Opens with and without the checkpoint and compares. Whether the checkpoint was used.
#[track_caller]
fn same_either_way(disk: &SimDisk, clock: &Arc<ManualClock>, what: &str) -> bool {
    let (with, without) = (reader(disk, clock, true), reader(disk, clock, false));
    assert!(!without.is_from_checkpoint());
    let (left, right) = (all_of(&with), all_of(&without));
    let differs = left.lines().zip(right.lines()).find(|(left, right)| left != right);
    assert_eq!((differs, left.len()), (None, right.len()), "{what}");
    with.is_from_checkpoint()
}

fn keydir(disk: &SimDisk) -> Option<Vec<u8>> {
    disk.image().remove(Path::new(KEYDIR))
}

/// Puts with and without expiry, overwrites, deletes, batches.
fn write(store: &Store, random: &mut Rng, steps: u64) {
    let key = |random: &mut Rng| format!("k{}", random.below(60)).into_bytes();
    for _ in 0..steps {
        let value = vec![random.below(256) as u8; random.below(200) as usize];
        match random.below(8) {
            0 | 1 => drop(store.delete(&key(random)).unwrap()),
            2 => {
                let mut batch = Batch::new();
                batch.put(&key(random), &value).unwrap();
                batch.delete(&key(random)).unwrap();
                batch.put(&key(random), b"of a batch").unwrap();
                store.write(&batch).unwrap();
            }
            3 => {
                let ttl = logkv::store::PutOptions::ttl(Duration::from_secs(1 + random.below(100)));
                store.put_with(&key(random), &value, &ttl).unwrap();
            }
            4 => store.sync().unwrap(),
            _ => drop(store.put(&key(random), &value).unwrap()),
        }
    }
}

/// Lives of a store: sessions of writing, merging and reopening, ended by closing or by a kill. What was in the directory
/// at the end of each.
fn lives(seed: u64, mut each: impl FnMut(&SimDisk, &Arc<ManualClock>)) {
    let (mut disk, clock, mut random) = (SimDisk::new(), Arc::<ManualClock>::default(), Rng::new(seed));
    for session in 0..12 {
        let store = open(&disk, &clock);
        let steps = random.below(150);
        write(&store, &mut random, steps);
        if random.below(4) == 0 {
            store.merge(&MergeChoice::All, &MergeControl::default()).unwrap();
            let steps = random.below(20);
            write(&store, &mut random, steps);
        }
        if random.below(4) == 0 {
            disk = disk.kill();
        } else {
            store.close().unwrap();
        }
        if session % 3 == 2 {
            clock.advance(Duration::from_secs(20));
        }
        each(&disk, &clock);
    }
}

#[test]
fn a_store_is_the_same_with_its_checkpoint_and_without() {
    let mut used = 0;
    for seed in 1..=20 {
        lives(seed, |disk, clock| used += u64::from(same_either_way(disk, clock, &format!("seed {seed}"))));
    }
    assert!(used > 150, "only {used} of 240 were opened from a checkpoint");
}

/// A backup of one file, a copy that took hours, a power cut that took a name away: whichever checkpoint lies there, it is
/// replayed or passed over.
#[test]
fn a_checkpoint_of_an_earlier_time_never_brings_anything_back() {
    let mut used = 0;
    for seed in 1..=12 {
        let mut earlier: Vec<Vec<u8>> = Vec::new();
        lives(seed, |disk, clock| {
            for old in &earlier {
                let disk = disk.fork();
                let _ = disk.delete(KEYDIR);
                disk.insert(KEYDIR, old.clone()).unwrap();
                used += u64::from(same_either_way(&disk, clock, &format!("seed {seed}")));
                drop(open(&disk, clock));
                same_either_way(&disk, clock, &format!("seed {seed}, opened and closed"));
            }
            let now = keydir(disk).filter(|now| earlier.last() != Some(now));
            earlier.extend(now);
        });
    }
    assert!(used > 20, "{used}");
}

/// Bytes that LZ4 makes nothing of.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut random = Rng::new(seed + 1);
    (0..len).map(|_| random.below(256) as u8).collect()
}

fn small(clock: &Arc<ManualClock>) -> SimDisk {
    of_keys(20, clock)
}

/// Each put twice, but for one that is gone.
fn of_keys(keys: u8, clock: &Arc<ManualClock>) -> SimDisk {
    let disk = SimDisk::new();
    let store = open(&disk, clock);
    for i in 0..2 * keys {
        store.put(&[b'k', i % keys], &noise(i.into(), 90)).unwrap();
    }
    store.delete(b"k\x03").unwrap();
    store.close().unwrap();
    disk
}

#[test]
fn a_checkpoint_that_was_changed_or_cut_anywhere_is_not_used_and_the_next_close_writes_it_anew() {
    let clock = Arc::<ManualClock>::default();
    let disk = of_keys(4, &clock);
    assert!(same_either_way(&disk, &clock, "whole"));
    let whole = keydir(&disk).unwrap();
    let expected = all_of(&reader(&disk, &clock, false));
    let with = |bytes: Vec<u8>, what: &str| {
        let disk = disk.fork();
        disk.delete(KEYDIR).unwrap();
        disk.insert(KEYDIR, bytes).unwrap();
        let store = reader(&disk, &clock, true);
        assert!(!store.is_from_checkpoint(), "{what}");
        assert_eq!(all_of(&store), expected, "{what}");
        disk
    };
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        with(bytes, &format!("byte {at} changed"));
    }
    for len in 0..whole.len() {
        with(whole[..len].to_vec(), &format!("cut at {len}"));
    }
    let disk = with([&whole[..], b"more"].concat(), "longer");
    drop(open(&disk, &clock));
    assert!(same_either_way(&disk, &clock, "written anew"));
}

fn without_lock(disk: &SimDisk) -> Image {
    let mut image = disk.image();
    image.remove(Path::new("data/LOCK"));
    image
}

#[test]
fn few_records_are_replayed_and_many_make_a_new_checkpoint() {
    let clock = Arc::<ManualClock>::default();
    let disk = small(&clock);
    let first = keydir(&disk).unwrap();
    let before = without_lock(&disk);
    drop(open(&disk, &clock));
    assert!(without_lock(&disk) == before, "nothing was written, and nothing is");

    let session = |puts: u64| {
        let store = open(&disk, &clock);
        assert!(store.is_from_checkpoint());
        for i in 0..puts {
            store.put(&[b'n', i as u8], b"new").unwrap();
        }
        store.close().unwrap();
    };
    session(60);
    assert_eq!(keydir(&disk), Some(first.clone()), "60 records are replayed");
    assert!(same_either_way(&disk, &clock, "60 records behind it"));
    session(5);
    assert_ne!(keydir(&disk), Some(first), "65 are not");
    assert!(same_either_way(&disk, &clock, "a new one"));
    assert_eq!(disk.image().keys().filter(|path| path.to_string_lossy().contains("KEYDIR")).count(), 1);
}

/// A segment that a merge took away long ago was put back from a copy. The checkpoint no longer has the tombstone of its
/// key, and only the tombstone's record tells that the value is older.
#[test]
fn a_segment_from_a_copy_brings_no_deleted_key_back() {
    let clock = Arc::<ManualClock>::default();
    let disk = SimDisk::new();
    let store = open(&disk, &clock);
    store.put(b"gone", &noise(1, 900)).unwrap();
    store.put(b"stays", &noise(2, 1900)).unwrap();
    store.close().unwrap();
    let old = disk.image();
    let store = open(&disk, &clock);
    store.put(b"pad", &noise(3, 1900)).unwrap();
    store.delete(b"gone").unwrap();
    let first = store.segments()[0].id;
    store.merge(&MergeChoice::Segments(vec![first]), &MergeControl::default()).unwrap().unwrap();
    store.close().unwrap();
    assert!(same_either_way(&disk, &clock, "merged"));
    let path = Path::new("data/0000000001.data");
    assert!(!disk.image().contains_key(path));
    disk.insert(path, old[path].clone()).unwrap();
    assert!(!same_either_way(&disk, &clock, "put back"), "it may not count");
    assert_eq!(reader(&disk, &clock, true).get(b"gone").unwrap().value(), None);
}

#[test]
fn evidence_of_damage_is_told_with_a_checkpoint_as_without() {
    let clock = Arc::<ManualClock>::default();
    let whole = small(&clock);
    let data: Vec<PathBuf> =
        whole.image().into_keys().filter(|path| path.extension().is_some_and(|end| end == "data")).collect();
    assert!(data.len() > 1);
    for path in &data {
        let hint = path.with_extension("hint");
        let len = whole.image()[path].len() as u64;
        let what = path.display();

        let disk = whole.fork();
        disk.truncate(path, len - 10).unwrap();
        assert!(!same_either_way(&disk, &clock, &format!("{what} cut")));
        disk.delete(&hint).unwrap();
        assert!(!same_either_way(&disk, &clock, &format!("{what} cut, and no hint")));

        let disk = whole.fork();
        disk.flip_bit(path, 8 * 16).unwrap();
        assert!(!same_either_way(&disk, &clock, &format!("{what}: its header damaged")));

        let disk = whole.fork();
        disk.delete(path).unwrap();
        assert!(!same_either_way(&disk, &clock, &format!("{what} gone")));

        let disk = whole.fork();
        let longer = [&whole.image()[path][..], &[0x5a; 50]].concat();
        disk.delete(path).unwrap();
        disk.insert(path, longer).unwrap();
        same_either_way(&disk, &clock, &format!("{what} longer"));

        let disk = whole.fork();
        disk.delete(&hint).unwrap();
        assert!(!same_either_way(&disk, &clock, &format!("{what}: no hint")));
        let store = open(&disk, &clock);
        assert_eq!(store.mode(), Mode::ReadWrite);
        store.close().unwrap();
        assert!(disk.image().contains_key(&hint), "it is written anew");
    }
}

#[test]
fn a_damaged_store_gets_no_checkpoint() {
    let clock = Arc::<ManualClock>::default();
    let disk = small(&clock);
    disk.delete(KEYDIR).unwrap();
    disk.delete("data/0000000001.hint").unwrap();
    disk.flip_bit("data/0000000001.data", 8 * 100).unwrap();
    let store = open(&disk, &clock);
    assert!(store.findings().iter().any(|finding| finding.kind == FindingKind::DamagedRecord));
    store.put(b"more", b"of it").unwrap();
    store.close().unwrap();
    assert_eq!(keydir(&disk), None);
}

#[test]
fn salvage_reads_everything_and_writes_no_checkpoint() {
    let clock = Arc::<ManualClock>::default();
    let disk = small(&clock);
    let options = Options { recovery: Recovery::Salvage, ..options(&clock) };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options).unwrap();
    assert!(!store.is_from_checkpoint());
}

#[test]
fn a_merge_takes_the_checkpoint_away_before_it_takes_a_segment() {
    let clock = Arc::<ManualClock>::default();
    let disk = small(&clock);
    let store = open(&disk, &clock);
    let first = disk.trace().len();
    store.merge(&MergeChoice::All, &MergeControl::default()).unwrap().unwrap();
    assert_eq!(keydir(&disk), None);
    let steps = disk.trace().split_off(first);
    let at = |what: &str, of: &str| {
        steps.iter().position(|step| step.contains(&format!(": {what} ")) && step.contains(of)).unwrap()
    };
    let (gone, segment) = (at("remove", "KEYDIR"), at("remove", "1.data"));
    let synced = steps[gone..].iter().position(|step| step.contains(": sync_dir ")).unwrap() + gone;
    assert!(synced < segment, "{steps:#?}");
    store.close().unwrap();
    assert!(same_either_way(&disk, &clock, "closed after the merge"));
}

#[derive(Debug, Default)]
struct Told(Mutex<Vec<Event>>);

impl Observer for Told {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

#[test]
fn a_disk_without_room_costs_the_checkpoint_and_nothing_else() {
    let clock = Arc::<ManualClock>::default();
    let disk = SimDisk::new();
    let told = Arc::new(Told::default());
    let options = Options { observers: vec![told.clone()], ..options(&clock) };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options).unwrap();
    for i in 0..30u8 {
        store.put(&[i], &[i; 20]).unwrap();
    }
    store.sync().unwrap();
    let used: usize = disk.image().values().map(Vec::len).sum();
    // Room for the hint, and for some of the keydir.
    disk.set_capacity(Some(used as u64 + 2000));
    store.close().unwrap();
    let failed = |event: &&Event| matches!(event, Event::CheckpointFailed { .. });
    assert_eq!(told.0.lock().unwrap().iter().filter(failed).count(), 1);
    assert!(!disk.image().keys().any(|path| path.to_string_lossy().contains("KEYDIR")));
    disk.set_capacity(None);
    same_either_way(&disk, &clock, "without one");
}

#[test]
fn a_reader_opens_from_the_checkpoint_beside_a_writer_and_follows_it() {
    let clock = Arc::<ManualClock>::default();
    let disk = small(&clock);
    let writer = open(&disk, &clock);
    writer.put(b"new", b"1").unwrap();
    writer.delete(b"k\x05").unwrap();
    let reader = reader(&disk, &clock, true);
    assert!(reader.is_from_checkpoint());
    assert_eq!(reader.get(b"new").unwrap().value(), Some(&b"1"[..]));
    assert_eq!(reader.get(b"k\x05").unwrap().value(), None);
    writer.put(b"new", b"2").unwrap();
    reader.refresh().unwrap();
    assert_eq!(reader.get(b"new").unwrap().value(), Some(&b"2"[..]));
    writer.merge(&MergeChoice::All, &MergeControl::default()).unwrap();
    reader.refresh().unwrap();
    assert!(!reader.is_from_checkpoint(), "it went with the merge");
    assert_eq!(all_of(&reader).lines().next(), all_of(&writer).lines().next());
}

/// The workload of the crash and fault tests goes through all of this at each disk operation: it must be among them.
#[test]
fn the_life_that_crash_tests_live_writes_and_reads_checkpoints() {
    let (disk, clock) = (SimDisk::new(), Arc::<ManualClock>::default());
    let mut store = open(&disk, &clock);
    let mut read = 0;
    for op in workload() {
        if let Op::Reopen = op {
            store.close().unwrap();
            store = open(&disk, &clock);
            read += u64::from(store.is_from_checkpoint());
        }
        op.run(&store).unwrap();
    }
    store.close().unwrap();
    let written = disk.trace().iter().filter(|step| step.contains(": rename ") && step.contains("KEYDIR")).count();
    assert!(read >= 2 && written >= 2, "{read} read, {written} written");
    let bytes = keydir(&disk).unwrap();
    assert!(Checkpoint::decode(&bytes, bytes.len() as u64).is_ok());
}

fn verified(disk: &SimDisk, clock: &Arc<ManualClock>, checkpoint: bool) -> Vec<(FindingKind, Severity)> {
    let report = verify(&reader(disk, clock, checkpoint), &mut |_, _| ControlFlow::Continue(())).unwrap();
    report.findings.iter().map(|finding| (finding.kind, finding.severity)).collect()
}

#[test]
fn verify_tells_a_checkpoint_that_is_damaged_one_of_another_time_and_one_that_lies() {
    let clock = Arc::<ManualClock>::default();
    let disk = small(&clock);
    let put = |bytes: Vec<u8>| {
        let disk = disk.fork();
        disk.delete(KEYDIR).unwrap();
        disk.insert(KEYDIR, bytes).unwrap();
        [verified(&disk, &clock, true), verified(&disk, &clock, false)]
    };
    let whole = keydir(&disk).unwrap();
    assert_eq!(put(whole.clone()), [[], []]);
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(put(damaged), [[(FindingKind::DamagedCheckpoint, Severity::Warning)]; 2]);
    let other = keydir(&of_keys(60, &clock)).unwrap();
    assert_eq!(put(other), [[(FindingKind::StaleCheckpoint, Severity::Note)]; 2]);

    // Of a store of the same lengths, salts and times, with another key in it.
    let twin = SimDisk::new();
    let store = open(&twin, &clock);
    for i in 0..40u8 {
        store.put(&[if i == 4 || i == 24 { b'x' } else { b'k' }, i % 20], &noise(i.into(), 90)).unwrap();
    }
    store.delete(b"k\x03").unwrap();
    store.close().unwrap();
    assert_eq!(put(keydir(&twin).unwrap()), [[(FindingKind::WrongCheckpoint, Severity::Damage)]; 2]);
}

/// The clock was set back between two opens: a key that had expired, and so was not in the checkpoint, has not expired yet.
#[test]
fn a_clock_that_was_set_back_shows_what_reading_everything_shows() {
    let clock = Arc::<ManualClock>::default();
    let disk = SimDisk::new();
    let store = open(&disk, &clock);
    store.put(b"stays", b"1").unwrap();
    store.put_with(b"k7", b"2", &logkv::store::PutOptions::ttl(Duration::from_secs(10))).unwrap();
    clock.advance(Duration::from_secs(20));
    assert_eq!((store.get(b"k7").unwrap().value(), store.stats().expired), (None, 1));
    store.close().unwrap();
    assert!(same_either_way(&disk, &clock, "expired"));
    clock.set_back(Duration::from_secs(15));
    assert!(!same_either_way(&disk, &clock, "not any more"));
}
