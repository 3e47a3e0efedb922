//! `--recovery salvage` serves what the others leave out, and says that it is not to be relied on.

use logkv::disk::sim::SimDisk;
use logkv::store::{FindingKind, Recovery};
use logkv::{Error, Options};

use super::{read, write};

fn options() -> Options {
    Options { create: true, threads: 1, ..Options::default() }
}

fn salvage() -> Options {
    Options { recovery: Recovery::Salvage, ..options() }
}

fn key(n: u32) -> Vec<u8> {
    format!("key {n}").into_bytes()
}

/// One segment of 100 records of about 1 KiB.
fn store() -> SimDisk {
    let disk = SimDisk::new();
    let store = write(&disk, options()).unwrap();
    for n in 0..100 {
        store.put(&key(n), &[n as u8; 1000]).unwrap();
    }
    store.close().unwrap();
    disk
}

const DATA: &str = "/data/0000000001.data";

#[test]
fn one_unreadable_sector_hides_one_record_and_not_the_rest_of_its_segment() {
    for with_hint in [true, false] {
        let disk = store();
        if !with_hint {
            disk.delete("/data/0000000001.hint").unwrap();
        }
        disk.fail_reads_at(DATA, 20_000..20_100).unwrap();
        let served = |options| {
            let store = read(&disk, options).unwrap();
            (0..100)
                .filter(|n| store.get(&key(*n)).is_ok_and(|answer| answer.value() == Some(&[*n as u8; 1000])))
                .count()
        };
        let before = served(options());
        assert!(served(salvage()) >= 98, "{}", served(salvage()));
        assert!(with_hint || before < 50, "else this test would prove nothing: {before}");
        let findings = read(&disk, salvage()).unwrap().findings();
        assert!(with_hint || findings.iter().any(|finding| finding.kind == FindingKind::Unreadable), "{findings:?}");
    }
}

#[test]
fn records_behind_a_header_that_does_not_hold_are_served_as_suspect() {
    for (with_hint, at) in [(true, 3), (true, 17), (false, 3)] {
        let disk = store();
        if !with_hint {
            disk.delete("/data/0000000001.hint").unwrap();
        }
        disk.flip_bit(DATA, at * 8).unwrap();
        assert_eq!(read(&disk, options()).unwrap().stats().keys, 0);
        let store = read(&disk, salvage()).unwrap();
        for n in 0..100 {
            let answer = store.get(&key(n)).unwrap();
            assert!(answer.suspect && answer.value() == Some(&[n as u8; 1000]), "byte {at}, key {n}");
        }
        assert!(store.get(b"never").unwrap().suspect);
    }
}

#[test]
fn salvage_never_writes() {
    let disk = store();
    disk.flip_bit(DATA, 24).unwrap();
    let before = disk.image();
    let store = write(&disk, salvage()).unwrap();
    assert!(matches!(store.put(b"k", b"v"), Err(Error::ReadOnly { .. })));
    store.close().unwrap();
    assert_eq!(disk.image(), before);
}

/// Later than all that lies around it, a record of another store is newer than any bound of what damage hides.
#[test]
fn a_segment_of_another_name_is_served_as_suspect_however_new_it_is() {
    let small = || Options { max_segment_bytes: 128, ..options() };
    let (disk, later) = (SimDisk::new(), SimDisk::new());
    for (disk, names) in [(&disk, ["a", "b", "c"]), (&later, ["x", "ghost", "z"])] {
        let store = write(disk, small()).unwrap();
        for name in names {
            store.put(name.as_bytes(), &[b'.'; 70]).unwrap();
        }
        store.close().unwrap();
    }
    let ghost = later.image()[std::path::Path::new("data/0000000002.data")].clone();
    disk.insert("/data/0000000001.data", ghost).unwrap();
    assert_eq!(read(&disk, small()).unwrap().get(b"ghost").unwrap().value(), None);
    let store = read(&disk, Options { recovery: Recovery::Salvage, ..small() }).unwrap();
    let answer = store.get(b"ghost").unwrap();
    assert!(answer.suspect && answer.value().is_some());
    assert!(!store.get(b"c").unwrap().suspect);
}
