//! What a snapshot shows: one moment, whatever goes on.

use super::*;

#[test]
fn a_snapshot_is_a_store_with_the_keys_of_its_moment() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    let before = contents(&store);
    let made = snapshot(&store, &disk, COPY).unwrap();
    store.put(b"later", b"not in it").unwrap();
    store.delete(&[b'k', 1]).unwrap();
    assert_eq!(held(&disk, COPY), before);
    assert_eq!(made.segments, made.linked + made.copied);
    assert_eq!(made.copied, 1, "only the segment that may still be written");
    assert_eq!(held(&disk, DIR), contents(&store));
}

#[test]
fn a_snapshot_that_is_opened_and_written_leaves_the_store_as_it_was() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    snapshot(&store, &disk, COPY).unwrap();
    let before = contents(&store);
    let copy = open(&disk, COPY);
    for i in 0..40u8 {
        copy.put(&[b'k', i % 11], &[200; 30]).unwrap();
    }
    copy.close().unwrap();
    assert_eq!(contents(&store), before);
    store.close().unwrap();
    assert_eq!(held(&disk, DIR), before);
}

#[test]
fn writing_on_never_changes_a_snapshot() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    snapshot(&store, &disk, COPY).unwrap();
    let of_copy = |disk: &SimDisk| {
        let mut image = disk.image();
        image.retain(|path, _| path.starts_with(COPY));
        image
    };
    let before = of_copy(&disk);
    let mut store = store;
    for round in 0..4 {
        for i in 0..40u8 {
            store.put(&[b'k', i % 11], &[round; 30]).unwrap();
        }
        store.close().unwrap();
        store = open(&disk, DIR);
    }
    assert_eq!(of_copy(&disk), before);
}

#[test]
fn a_snapshot_is_durable_when_it_is_told() {
    use logkv::disk::sim::CrashPolicy;
    let disk = SimDisk::new();
    let store = Store::open_on(
        Arc::new(disk.clone()),
        Path::new(DIR),
        Options { sync: SyncPolicy::Buffered, buffer_bytes: 100, ..options() },
    )
    .unwrap();
    for i in 0..20u8 {
        store.put(&[i], &[i; 30]).unwrap();
    }
    let before = contents(&store);
    snapshot(&store, &disk, COPY).unwrap();
    let after = disk.crash(CrashPolicy::Drop, 0);
    assert_eq!(held(&after, COPY), before, "what was only in the buffer is in it too");
    assert_eq!(held(&after, DIR), before);
}

#[test]
fn the_end_of_a_snapshot_is_vouched_for_so_that_a_bad_last_record_is_damage_and_not_the_end_of_the_log() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    snapshot(&store, &disk, COPY).unwrap();
    let newest = files(&disk, COPY).into_iter().rfind(|name| name.ends_with(".data")).unwrap();
    let path = format!("{COPY}/{newest}");
    let len = disk.image()[Path::new(&path)].len() as u64;
    disk.flip_bit(&path, (len - 1) * 8).unwrap();
    let copy = open(&disk, COPY);
    assert!(copy.get(b"").is_err());
    assert_eq!(disk.image()[Path::new(&path)].len() as u64, len, "nothing was cut");
}

#[test]
fn an_empty_store_has_an_empty_snapshot() {
    let disk = SimDisk::new();
    let store = open(&disk, DIR);
    snapshot(&store, &disk, COPY).unwrap();
    archive(&store, &disk, ARCHIVE).unwrap();
    assert_eq!(held(&disk, COPY), State::new());
    for source in [COPY, ARCHIVE] {
        let target = format!("{source}-restored");
        restore(&disk, source, &target).unwrap();
        open(&disk, &target).put(b"k", b"v").unwrap();
    }
}

#[test]
fn a_reader_beside_a_writer_makes_one_of_what_it_sees() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    let beside = reader(&disk, DIR);
    store.put(b"written after the reader opened", b"seen").unwrap();
    snapshot(&beside, &disk, COPY).unwrap();
    assert_eq!(held(&disk, COPY), contents(&store));
}

#[test]
fn a_reader_copies_no_part_of_a_record() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    let expected = contents(&store);
    drop(store);
    let newest = files(&disk, DIR).into_iter().rfind(|name| name.ends_with(".data")).unwrap();
    let path = format!("{DIR}/{newest}");
    let len = disk.image()[Path::new(&path)].len() as u64;
    let file = disk.open_write(Path::new(&path)).unwrap();
    file.write_at(&[1, 2, 3, 4, 5], len).unwrap();
    disk.delete(path.replace(".data", ".hint")).unwrap();
    let before = disk.image();
    snapshot(&reader(&disk, DIR), &disk, COPY).unwrap();
    assert_eq!(held(&disk, COPY), expected);
    let mut after = disk.image();
    after.retain(|path, _| path.starts_with(DIR));
    assert_eq!(after, before, "a reader changes nothing");
}

/// What a merge in another process does, and the worst moment for it: after the reader has looked.
#[test]
fn files_that_are_taken_away_after_the_look_are_copied_all_the_same() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    let expected = contents(&store);
    let beside = reader(&disk, DIR);
    let moment = beside.moment().unwrap();
    assert!(moment.segments.iter().any(|segment| segment.sealed));
    drop(moment);
    let taken = std::cell::Cell::new(false);
    let mut take = |_: u64, _: u64| {
        if !taken.replace(true) {
            for name in files(&disk, DIR).into_iter().filter(|name| name.ends_with(".data")) {
                disk.delete(format!("{DIR}/{name}")).unwrap();
            }
        }
        ControlFlow::Continue(())
    };
    let made = transfer::snapshot(&beside, &disk, Path::new(COPY), &SnapshotOptions::default(), &mut take).unwrap();
    assert!(taken.get() && made.copied > 1, "{made:?}");
    assert_eq!(held(&disk, COPY), expected);
}

#[test]
fn a_damaged_store_has_a_snapshot_that_is_as_damaged() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    store.close().unwrap();
    disk.flip_bit(format!("{DIR}/0000000002.data"), 60 * 8).unwrap();
    disk.delete(format!("{DIR}/0000000002.hint")).unwrap();
    disk.delete(format!("{DIR}/0000000001.data")).unwrap();
    let store = reader(&disk, DIR);
    let damage = |store: &Store| -> Vec<_> {
        let found = store.findings().into_iter().filter(|finding| finding.severity == Severity::Damage);
        found.map(|finding| (finding.kind, finding.segment, finding.offset)).collect()
    };
    assert_eq!(damage(&store).len(), 2, "{:?}", store.findings());
    snapshot(&store, &disk, COPY).unwrap();
    assert_eq!(damage(&reader(&disk, COPY)), damage(&store));
    archive(&store, &disk, ARCHIVE).unwrap();
    for source in [COPY, ARCHIVE] {
        let refused = restore(&disk, source, AGAIN).unwrap_err().to_string();
        assert!(refused.contains("--keep-damage"), "{refused}");
        assert!(disk.image().keys().all(|path| !path.starts_with(AGAIN)));
        let target = format!("{source}-restored");
        let options = RestoreOptions { keep_damage: true };
        let restored =
            transfer::restore(&disk, Path::new(source), Path::new(&target), options, &mut never_stop).unwrap();
        assert_eq!(restored.damaged, 2);
        assert_eq!(damage(&reader(&disk, &target)), damage(&store), "{source}");
    }
}

#[test]
fn other_formats_are_refused_with_a_sentence() {
    let disk = SimDisk::from_real_dir(&support::fixture("logkv-go")).unwrap();
    let dir = files(&disk, "/").into_iter().find(|name| disk.list_dir(name)).unwrap();
    let store = Store::open_read_only_on(Disk::reader(&disk), Path::new(&dir), options()).unwrap();
    let refused = snapshot(&store, &disk, COPY).unwrap_err().to_string();
    assert!(refused.contains("its format is logkv-go"), "{refused}");
}

trait ListDir {
    fn list_dir(&self, name: &str) -> bool;
}

impl ListDir for SimDisk {
    fn list_dir(&self, name: &str) -> bool {
        files_of(self, name).iter().any(|name| name.starts_with("segment_"))
    }
}

fn files_of(disk: &SimDisk, dir: &str) -> Vec<String> {
    let entries = logkv::disk::ReadDisk::list(disk, Path::new(dir)).unwrap_or_default();
    entries.into_iter().map(|entry| entry.name.into_string().unwrap()).collect()
}

/// Keys are numbered in the order in which they are put, so a prefix of the history is one that has no gap.
#[test]
fn snapshots_beside_a_thread_that_writes_are_prefixes() {
    for sync in [SyncPolicy::Always, SyncPolicy::Buffered] {
        let disk = SimDisk::new();
        let options = Options { sync, buffer_bytes: 3000, max_segment_bytes: 4000, ..options() };
        let store = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options).unwrap();
        let stop = std::sync::atomic::AtomicBool::new(false);
        // Some puts for each copy: a store that grows faster than it is copied would keep the test from its end.
        let allowed = std::sync::atomic::AtomicU32::new(0);
        let copies: Vec<String> = (0..12).map(|n| format!("copy-{n}")).collect();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut number = 0u32;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    if number == allowed.load(std::sync::atomic::Ordering::Relaxed) {
                        std::thread::yield_now();
                        continue;
                    }
                    store.put(&number.to_be_bytes(), &[7; 20]).unwrap();
                    number += 1;
                }
                number
            });
            // Also when what follows fails: else the test would not end.
            let _stop = OnDrop(|| stop.store(true, std::sync::atomic::Ordering::Relaxed));
            for copy in &copies {
                allowed.fetch_add(300, std::sync::atomic::Ordering::Relaxed);
                let before = store.stats().keys;
                snapshot(&store, &disk, copy).unwrap();
                let keys: Vec<_> = held(&disk, copy).into_keys().collect();
                assert!(keys.len() as u64 >= before, "{sync}: what was there before is in it");
                let expected: Vec<_> = (0..keys.len() as u32).map(|number| number.to_be_bytes().to_vec()).collect();
                assert_eq!(keys, expected, "{sync}");
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(u64::from(writer.join().unwrap()) >= held(&disk, "copy-11").len() as u64);
        });
    }
}

struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0();
    }
}
