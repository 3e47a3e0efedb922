//! Snapshots while segments are merged, by this process and by another.

use logkv::store::{MergeChoice, MergeControl};

use super::*;

fn merge_all(store: &Store) {
    store.merge(&MergeChoice::All, &MergeControl::default()).unwrap().expect("something to merge");
}

fn image_of(disk: &SimDisk, dir: &str) -> logkv::disk::sim::Image {
    let mut image = disk.image();
    image.retain(|path, _| path.starts_with(dir));
    image
}

#[test]
fn a_merge_changes_no_byte_of_a_snapshot() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    let expected = contents(&store);
    snapshot(&store, &disk, COPY).unwrap();
    let before = image_of(&disk, COPY);
    merge_all(&store);
    assert_eq!(image_of(&disk, COPY), before);
    assert_eq!(held(&disk, COPY), expected);
    // And the other way round.
    let copy = open(&disk, COPY);
    let before = image_of(&disk, DIR);
    merge_all(&copy);
    copy.put(b"only", b"there").unwrap();
    drop(copy);
    assert_eq!(image_of(&disk, DIR), before);
    assert_eq!(contents(&store), expected);
}

#[test]
fn a_snapshot_after_a_merge_links_what_the_merge_wrote() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    merge_all(&store);
    for i in 0..8u8 {
        store.put(&[b'm', i], &[i; 50]).unwrap();
    }
    let made = snapshot(&store, &disk, COPY).unwrap();
    assert!(made.linked > 0, "{made:?}");
    assert_eq!(held(&disk, COPY), contents(&store));
    restore(&disk, COPY, AGAIN).unwrap();
    assert_eq!(held(&disk, AGAIN), contents(&store));
}

#[test]
fn an_incremental_snapshot_after_a_merge_reuses_what_was_not_merged() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    snapshot(&store, &disk, COPY).unwrap();
    let segments = store.segments();
    let some = segments.iter().filter(|segment| segment.live_records > 0 && !segment.active).map(|segment| segment.id);
    let choice = MergeChoice::Segments(some.take(1).collect());
    store.merge(&choice, &MergeControl::default()).unwrap().expect("something to merge");
    let options = SnapshotOptions { earlier: Some(COPY.into()), ..SnapshotOptions::default() };
    let made = snapshot_with(&store, &disk, AGAIN, &options).unwrap();
    assert!(made.reused > 0 && made.linked > 0, "{made:?}");
    assert_eq!(held(&disk, AGAIN), contents(&store));
}

/// The writer merges, to the reader, in another process: between the look and each piece that is copied.
#[test]
fn a_merge_beside_a_reader_at_any_moment_spoils_no_snapshot() {
    for moment in 1..20 {
        for pack in [false, true] {
            let disk = SimDisk::new();
            let store = filled(&disk);
            let expected = contents(&store);
            let beside = reader(&disk, DIR);
            let mut calls = 0;
            let mut watch = |_: u64, _: u64| {
                calls += 1;
                if calls == moment {
                    merge_all(&store);
                    store.put(b"later", b"not in it").unwrap();
                }
                ControlFlow::Continue(())
            };
            if pack {
                let shared: Arc<dyn Disk> = Arc::new(disk.clone());
                transfer::archive(&beside, &shared, Path::new(ARCHIVE), &mut watch).unwrap();
                restore(&disk, ARCHIVE, COPY).unwrap();
            } else {
                let options = SnapshotOptions::default();
                transfer::snapshot(&beside, &disk, Path::new(COPY), &options, &mut watch).unwrap();
            }
            assert_eq!(held(&disk, COPY), expected, "at {moment}, packed {pack}");
        }
    }
}

/// A writer that died in the middle of a merge left `MERGE` behind: the snapshot is of the state that the next open makes.
#[test]
fn an_interrupted_merge_gives_a_snapshot_of_one_side_of_it() {
    use logkv::disk::sim::CrashPolicy;
    let disk = SimDisk::new();
    let store = filled(&disk);
    let expected = contents(&store);
    store.close().unwrap();
    let before = disk.crash(CrashPolicy::Drop, 0);
    let dry = before.fork();
    merge_all(&open(&dry, DIR));
    for op in 1..=dry.ops() {
        let disk = before.fork();
        disk.crash_at(op);
        if let Ok(store) = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options()) {
            let _ = store.merge(&MergeChoice::All, &MergeControl::default());
        }
        for (policy, seed) in
            [(CrashPolicy::Drop, 0), (CrashPolicy::Keep, 0), (CrashPolicy::Torn, 1), (CrashPolicy::Torn, 2)]
        {
            let disk = disk.crash(policy, seed);
            let what = format!("stopped at {}, {policy:?} {seed}", dry.trace()[op as usize - 1]);
            snapshot(&reader(&disk, DIR), &disk, COPY).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(held(&disk, COPY), expected, "{what}");
            assert_eq!(contents(&open(&disk, DIR)), expected, "{what}");
            assert_eq!(held(&disk, COPY), expected, "{what}: after the store was opened");
        }
    }
}
