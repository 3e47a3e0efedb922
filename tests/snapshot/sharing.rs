//! What a snapshot shares with its store and with earlier snapshots.

use std::io::ErrorKind;

use logkv::disk::{FileIdentity, ReadDisk};

use super::*;

fn identity(disk: &SimDisk, dir: &str, name: &str) -> FileIdentity {
    disk.open_read(&Path::new(dir).join(name)).unwrap().identity().unwrap()
}

fn data_files(disk: &SimDisk, dir: &str) -> Vec<String> {
    files(disk, dir).into_iter().filter(|name| name.ends_with(".data")).collect()
}

#[test]
fn sealed_segments_and_their_hints_are_linked_and_the_newest_is_not() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    snapshot(&store, &disk, COPY).unwrap();
    let names = data_files(&disk, COPY);
    let (newest, sealed) = names.split_last().unwrap();
    for name in sealed {
        assert_eq!(identity(&disk, COPY, name), identity(&disk, DIR, name), "{name}");
        let hint = name.replace(".data", ".hint");
        assert_eq!(identity(&disk, COPY, &hint), identity(&disk, DIR, &hint), "{hint}");
    }
    assert_ne!(identity(&disk, COPY, newest), identity(&disk, DIR, newest));
}

#[test]
fn nothing_is_shared_when_copies_are_asked_for_or_links_are_impossible() {
    for can_share in [true, false] {
        let disk = SimDisk::new();
        let store = filled(&disk);
        disk.set_sharing(can_share);
        let options = SnapshotOptions { copy: can_share, ..SnapshotOptions::default() };
        let made = snapshot_with(&store, &disk, COPY, &options).unwrap();
        assert_eq!((made.linked, made.reused), (0, 0), "{made:?}");
        assert_eq!(made.cloned > 0, can_share);
        for name in files(&disk, COPY).into_iter().filter(|name| name != "SNAPSHOT") {
            let hint_of_newest = disk.entry(&Path::new(DIR).join(&name)).is_err();
            assert!(hint_of_newest || identity(&disk, COPY, &name) != identity(&disk, DIR, &name), "{name}");
        }
        assert_eq!(held(&disk, COPY), contents(&store));
    }
}

#[test]
fn an_incremental_snapshot_links_what_the_earlier_one_has() {
    for can_share_with_store in [true, false] {
        let disk = SimDisk::new();
        let store = filled(&disk);
        let copy = SnapshotOptions { copy: !can_share_with_store, ..SnapshotOptions::default() };
        let first = snapshot_with(&store, &disk, COPY, &copy).unwrap();
        for i in 0..20u8 {
            store.put(&[b'n', i], &[i; 40]).unwrap();
        }
        let second = SnapshotOptions { earlier: Some(COPY.into()), ..copy };
        let made = snapshot_with(&store, &disk, AGAIN, &second).unwrap();
        assert_eq!(made.reused, first.segments - 1, "all that were sealed then");
        assert!(made.written_bytes < made.bytes);
        assert_eq!(held(&disk, AGAIN), contents(&store));
        let name = &data_files(&disk, COPY)[0];
        assert_eq!(identity(&disk, AGAIN, name), identity(&disk, COPY, name));
    }
}

#[test]
fn what_differs_from_the_earlier_snapshot_in_any_byte_is_not_taken_from_it() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    let copy = SnapshotOptions { copy: true, ..SnapshotOptions::default() };
    snapshot_with(&store, &disk, COPY, &copy).unwrap();
    // Another store's segment under the same name, of the same length, in a snapshot that is whole in itself.
    let name = &data_files(&disk, COPY)[1];
    let path = format!("{COPY}/{name}");
    let len = disk.image()[Path::new(&path)].len();
    disk.poke(&path, len as u64 - 1, b"!").unwrap();
    let bytes = disk.image()[Path::new(&path)].clone();
    let mut manifest = transfer::Manifest::decode(&disk.image()[Path::new("copy/SNAPSHOT")]).unwrap();
    manifest.files.iter_mut().filter(|file| file.name == *name).for_each(|file| file.crc = crc32fast::hash(&bytes));
    disk.insert("copy/SNAPSHOT", manifest.encode()).unwrap();
    let second = SnapshotOptions { earlier: Some(COPY.into()), ..copy };
    let made = snapshot_with(&store, &disk, AGAIN, &second).unwrap();
    assert_eq!(made.reused, made.segments - 2);
    assert_eq!(held(&disk, AGAIN), contents(&store));
}

#[test]
fn what_is_no_snapshot_is_no_earlier_one() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    for (earlier, why) in [(DIR, "no manifest"), ("nowhere", "no manifest")] {
        let options = SnapshotOptions { earlier: Some(earlier.into()), ..SnapshotOptions::default() };
        let refused = snapshot_with(&store, &disk, COPY, &options).unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
        assert_eq!(disk.entry(Path::new(COPY)).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
