//! Single losses, one by one: what repair says of each, and what it leaves.

use logkv::Options;
use logkv::disk::sim::SimDisk;

use super::{is_in_order, plan, read, repair, write};

fn options() -> Options {
    Options { create: true, max_segment_bytes: 128, threads: 1, ..Options::default() }
}

/// `k` is written in segment 1 and again in segment 3; `other` lies in between, `last` behind.
fn store() -> SimDisk {
    let disk = SimDisk::new();
    let store = write(&disk, options()).unwrap();
    for (key, value) in [("k", "old"), ("other", "other"), ("k", "new"), ("last", "last")] {
        store.put(key.as_bytes(), &[value.as_bytes(), &[b'.'; 70]].concat()).unwrap();
    }
    assert_eq!(store.segments().len(), 4);
    store.close().unwrap();
    disk
}

fn value(disk: &SimDisk, key: &str) -> Option<String> {
    let answer = read(disk, options()).unwrap().get(key.as_bytes()).unwrap();
    assert!(!answer.suspect, "{key}");
    answer.into_value().map(|value| String::from_utf8(value).unwrap().trim_end_matches('.').to_owned())
}

#[test]
fn an_older_value_does_not_pass_for_the_one_that_is_lost_and_is_told_of() {
    let disk = store();
    disk.flip_bit("/data/0000000003.data", 90 * 8).unwrap();
    let planned = plan(&disk, options()).unwrap();
    let [lost] = &planned.lost[..] else { panic!("{planned:#?}") };
    assert_eq!((&lost.key[..], lost.place.segment, lost.place.offset), (&b"k"[..], 3, 40));
    assert_eq!(lost.older.map(|older| older.place.segment), Some(1));
    assert!(planned.unknown.is_empty() && planned.saved_records == 0);
    assert_eq!(repair(&disk, options()).unwrap(), planned);
    assert_eq!((value(&disk, "k"), value(&disk, "other")), (None, Some("other".into())));
    is_in_order(&disk, &options(), "a flipped bit");
    assert!(disk.image().keys().any(|path| path.to_string_lossy().contains("quarantine/0000000003-")));
}

#[test]
fn a_segment_that_is_gone_is_told_key_by_key_from_its_hint() {
    let disk = store();
    disk.delete("/data/0000000003.data").unwrap();
    let done = repair(&disk, options()).unwrap();
    assert_eq!(done.lost.iter().map(|lost| &lost.key[..]).collect::<Vec<_>>(), [b"k"]);
    assert_eq!(done.unknown.len(), 1, "whether there was more than the hint names is not known");
    assert_eq!(value(&disk, "k"), None);
    is_in_order(&disk, &options(), "a missing segment");
}

#[test]
fn records_behind_a_damaged_header_are_saved() {
    let disk = store();
    disk.flip_bit("/data/0000000003.data", 3).unwrap();
    let done = repair(&disk, options()).unwrap();
    assert_eq!((done.saved_records, done.lost.len(), done.unknown.len()), (1, 0, 0), "{done:#?}");
    assert_eq!(value(&disk, "k"), Some("new".into()));
    is_in_order(&disk, &options(), "a damaged header");
}

#[test]
fn a_segment_under_another_name_is_known_by_its_hint() {
    let disk = store();
    let bytes = disk.image()[std::path::Path::new("data/0000000003.data")].clone();
    disk.insert("/data/0000000009.data", bytes).unwrap();
    disk.delete("/data/0000000003.data").unwrap();
    let done = repair(&disk, options()).unwrap();
    assert_eq!((done.saved_records, done.lost.len(), done.unknown.len()), (1, 0, 0), "{done:#?}");
    assert_eq!(value(&disk, "k"), Some("new".into()));
    is_in_order(&disk, &options(), "a renamed segment");
}

/// It may be from another store, or one that was merged away long ago: its values could be ghosts.
#[test]
fn a_segment_of_which_nobody_knows_is_set_aside_and_its_values_are_not_taken() {
    let disk = store();
    let other = SimDisk::new();
    let store = write(&other, options()).unwrap();
    store.put(b"ghost", b"boo").unwrap();
    store.close().unwrap();
    let bytes = other.image()[std::path::Path::new("data/0000000001.data")].clone();
    disk.insert("/data/0000000009.data", bytes.clone()).unwrap();
    let done = repair(&disk, options()).unwrap();
    assert_eq!((done.saved_records, done.unknown.len()), (0, 1));
    assert_eq!((value(&disk, "ghost"), value(&disk, "k")), (None, Some("new".into())));
    assert!(disk.image().values().any(|kept| *kept == bytes));
}

#[test]
fn a_deleted_key_whose_tombstone_was_hit_stays_deleted() {
    let disk = store();
    let store = write(&disk, options()).unwrap();
    store.delete(b"k").unwrap();
    store.put(b"filler", &[b'.'; 70]).unwrap();
    store.close().unwrap();
    // The frame of the tombstone: only the hint still says whose it was.
    disk.flip_bit("/data/0000000005.data", (40 + 17) * 8).unwrap();
    let done = repair(&disk, options()).unwrap();
    assert!(done.lost.is_empty() && done.unknown.is_empty() && done.set_aside.len() == 1, "{done:#?}");
    assert_eq!((value(&disk, "k"), value(&disk, "filler")), (None, Some(String::new())));
    is_in_order(&disk, &options(), "a damaged tombstone");
}

#[test]
fn nothing_in_quarantine_is_ever_replaced() {
    let disk = store();
    let path = "/data/0000000003.data";
    let whole = disk.image()[std::path::Path::new("data/0000000003.data")].clone();
    let mut kept = Vec::new();
    for bit in [90 * 8, 91 * 8, 92 * 8] {
        // Somebody puts the file back from a copy, and the copy rots too.
        disk.insert(path, whole.clone()).unwrap();
        disk.flip_bit(path, bit).unwrap();
        kept.push(disk.image()[std::path::Path::new("data/0000000003.data")].clone());
        repair(&disk, options()).unwrap();
    }
    let image = disk.image();
    assert!(kept.iter().all(|bytes| image.values().any(|there| there == bytes)));
}

#[test]
fn a_store_in_order_has_nothing_to_repair() {
    let disk = store();
    let before = disk.image();
    assert!(plan(&disk, options()).unwrap().is_empty());
    assert!(repair(&disk, options()).unwrap().is_empty());
    let unlocked = |image: logkv::disk::sim::Image| {
        image.into_iter().filter(|(path, _)| !path.ends_with("LOCK")).collect::<Vec<_>>()
    };
    assert_eq!(unlocked(disk.image()), unlocked(before));
}

/// Where zeros cannot be read, zeros in their place make every checksum right. The segment goes all the same, and closing
/// must not leave a hint behind for a segment that is gone.
#[test]
fn what_was_set_aside_gets_no_hint_afterwards() {
    let disk = SimDisk::new();
    let options = || Options { create: true, ..Options::default() };
    let store = write(&disk, options()).unwrap();
    store.put(b"zeros", &[0; 4000]).unwrap();
    store.close().unwrap();
    let store = write(&disk, options()).unwrap();
    store.put(b"more", b"after the hint").unwrap();
    let disk = disk.kill();
    drop(store);
    disk.fail_reads_at("/data/0000000001.data", 1000..1600).unwrap();
    let done = repair(&disk, options()).unwrap();
    assert_eq!((done.set_aside.len(), done.saved_records, done.lost.len()), (1, 2, 0), "{done:#?}");
    is_in_order(&disk, &options(), "unreadable zeros");
    let store = read(&disk, options()).unwrap();
    assert_eq!(store.get(b"zeros").unwrap().value(), Some(&[0; 4000][..]));
    assert_eq!(store.get(b"more").unwrap().value(), Some(&b"after the hint"[..]));
}
