//! Looking in from outside, and doing damage.

use super::*;
use crate::disk::EntryKind;

#[test]
fn damage_is_no_operation_and_outlives_a_crash() {
    let disk = SimDisk::from_files([("d/a", "abcdef"), ("b", "B")]).unwrap();
    disk.poke("d/a", 1, b"XY").unwrap();
    disk.flip_bit("b", 5).unwrap();
    disk.truncate("d/a", 5).unwrap();
    disk.insert("new/c", "c").unwrap();
    assert_eq!(disk.ops(), 0);
    assert_eq!(show(&disk), "b=b d/a=aXYde new/c=c");
    assert_eq!(after(&disk, CrashPolicy::Drop), "b=b d/a=aXYde new/c=c");
    disk.delete("b").unwrap();
    assert_eq!(disk.durable_image(), disk.image());
    assert_eq!(show(&disk), "d/a=aXYde new/c=c");
}

#[test]
fn damage_hits_both_what_is_synced_and_what_is_not() {
    let disk = SimDisk::with_geometry(Geometry { page: 4, sector: 4 });
    put_durably(&disk, "a", "abcdefghij").write_at(b"EFG", 4).unwrap();
    disk.poke("a", 3, b"___").unwrap();
    assert_eq!(show(&disk), "a=abc___Ghij");
    assert_eq!(after(&disk, CrashPolicy::Drop), "a=abc___ghij");
}

#[test]
fn damage_past_the_end_is_refused() {
    let disk = SimDisk::from_files([("a", "abc")]).unwrap();
    assert!(disk.poke("a", 2, b"XY").is_err());
    assert!(disk.flip_bit("a", 24).is_err());
    assert!(disk.flip_bit("missing", 0).is_err());
    assert_eq!(show(&disk), "a=abc");
}

#[test]
fn an_unreadable_place_can_be_damaged_too() {
    let disk = SimDisk::from_files([("a", "abc")]).unwrap();
    disk.fail_reads_at("a", 0..3).unwrap();
    disk.flip_bit("a", 5).unwrap();
    assert_eq!(show(&disk), "a=Abc");
}

#[test]
fn what_is_neither_file_nor_directory_is_seen_and_never_opened() {
    let disk = SimDisk::new();
    disk.insert_other("link").unwrap();
    assert_eq!(disk.entry("link".as_ref()).unwrap().kind, EntryKind::Other);
    for result in [disk.open_read("link".as_ref()).err(), disk.lock("link".as_ref()).err()] {
        assert_eq!(result.unwrap().kind(), std::io::ErrorKind::InvalidInput);
    }
    disk.remove("link".as_ref()).unwrap();
    assert_eq!(disk.list("/".as_ref()).unwrap(), []);
}

#[test]
fn a_real_directory_is_copied_with_what_lies_below() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("d/empty")).unwrap();
    std::fs::write(dir.path().join("a"), "x").unwrap();
    std::fs::write(dir.path().join("d/b"), "y").unwrap();
    let disk = SimDisk::from_real_dir(dir.path()).unwrap();
    assert_eq!(show(&disk), "a=x d/b=y");
    assert_eq!(disk.entry("d/empty".as_ref()).unwrap().kind, EntryKind::Dir);
    assert_eq!(after(&disk, CrashPolicy::Drop), "a=x d/b=y");
}

#[test]
fn paths_begin_at_the_root_with_a_slash_or_without() {
    let disk = SimDisk::from_files([("/d/a", "x")]).unwrap();
    for path in ["d/a", "/d/a", "./d/../d/./a"] {
        assert_eq!(disk.open_read(path.as_ref()).unwrap().len().unwrap(), 1, "{path}");
    }
}
