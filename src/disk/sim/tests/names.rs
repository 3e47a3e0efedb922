//! Names after a crash.

use super::*;

#[test]
fn a_file_is_gone_if_its_directory_was_not_synced() {
    let disk = SimDisk::new();
    put(&disk, "a", "data").sync_data().unwrap();
    assert_eq!(after(&disk.fork(), CrashPolicy::Drop), "");
    assert_eq!(after(&disk.fork(), CrashPolicy::Keep), "a=data");
    assert_eq!(torn(&disk), set(["", "a=data"]));
}

#[test]
fn a_durable_name_does_not_make_bytes_durable() {
    let disk = SimDisk::new();
    put(&disk, "a", "data");
    disk.sync_dir("/".as_ref()).unwrap();
    assert_eq!(after(&disk, CrashPolicy::Drop), "a=");
}

#[test]
fn a_directory_goes_with_all_that_is_in_it() {
    let disk = SimDisk::new();
    disk.create_dir("d".as_ref()).unwrap();
    put_durably(&disk, "d/a", "data");
    assert_eq!(after(&disk.fork(), CrashPolicy::Drop), "");
    disk.sync_dir("/".as_ref()).unwrap();
    assert_eq!(after(&disk, CrashPolicy::Drop), "d/a=data");
}

#[test]
fn an_unsynced_removal_is_undone_with_the_durable_bytes() {
    let disk = SimDisk::new();
    put_durably(&disk, "a", "old").write_at(b"new", 0).unwrap();
    disk.remove("a".as_ref()).unwrap();
    assert_eq!(after(&disk.fork(), CrashPolicy::Drop), "a=old");
    assert_eq!(after(&disk.fork(), CrashPolicy::Keep), "");
    disk.sync_dir("/".as_ref()).unwrap();
    assert_eq!(torn(&disk), set([""]));
    let nodes = disk.crash(CrashPolicy::Drop, 0).machine.lock().tree.nodes_mut().count();
    assert_eq!(nodes, 1, "what nothing leads to is not carried through crash after crash");
}

#[test]
fn a_rename_leaves_the_old_name_or_the_new_one() {
    let disk = SimDisk::new();
    put_durably(&disk, "new", "new");
    put_durably(&disk, "name", "old");
    disk.rename("new".as_ref(), "name".as_ref()).unwrap();
    assert_eq!(torn(&disk.fork()), set(["name=old new=new", "name=new"]));
    disk.sync_dir("/".as_ref()).unwrap();
    assert_eq!(torn(&disk), set(["name=new"]));
}

#[test]
fn a_rename_does_not_sync_the_bytes() {
    let disk = untorn(512);
    put(&disk, "new", "new");
    put_durably(&disk, "name", "old");
    disk.rename("new".as_ref(), "name".as_ref()).unwrap();
    disk.sync_dir("/".as_ref()).unwrap();
    assert_eq!(after(&disk, CrashPolicy::Drop), "name=");
    assert!(torn(&disk).is_superset(&set(["name=", "name=...", "name=new"])));
}

#[test]
fn operations_that_share_a_name_keep_their_order() {
    let disk = untorn(512);
    put_durably(&disk, "tmp", "1");
    disk.rename("tmp".as_ref(), "name".as_ref()).unwrap();
    put(&disk, "tmp", "2").sync_data().unwrap();
    // "tmp=2" without "name=1" would have lost the first file.
    assert_eq!(torn(&disk), set(["tmp=1", "name=1", "name=1 tmp=2"]));
}

#[test]
fn other_operations_survive_in_any_combination() {
    let disk = SimDisk::new();
    for name in ["a", "b", "c"] {
        put(&disk, name, "").sync_data().unwrap();
    }
    assert_eq!(torn(&disk), set(["", "a=", "b=", "c=", "a= b=", "a= c=", "b= c=", "a= b= c="]));
}

#[test]
fn a_move_between_directories_is_durable_once_both_are_synced() {
    let disk = SimDisk::new();
    disk.insert_dir("from").unwrap();
    disk.insert_dir("to").unwrap();
    put_durably(&disk, "from/a", "x");
    disk.rename("from/a".as_ref(), "to/a".as_ref()).unwrap();
    assert_eq!(torn(&disk.fork()), set(["from/a=x", "to/a=x"]));
    for first in ["from", "to"] {
        let disk = disk.fork();
        disk.sync_dir(first.as_ref()).unwrap();
        assert_eq!(after(&disk.fork(), CrashPolicy::Drop), "from/a=x");
        disk.sync_dir("from".as_ref()).unwrap();
        disk.sync_dir("to".as_ref()).unwrap();
        assert_eq!(after(&disk, CrashPolicy::Drop), "to/a=x");
    }
}

#[test]
fn a_moved_directory_is_whole_under_the_old_name_or_the_new_one() {
    let disk = SimDisk::new();
    disk.insert_dir("old").unwrap();
    put_durably(&disk, "old/a", "x");
    disk.rename("old".as_ref(), "new".as_ref()).unwrap();
    assert_eq!(torn(&disk.fork()), set(["old/a=x", "new/a=x"]));
    disk.sync_dir("/".as_ref()).unwrap();
    assert_eq!(torn(&disk), set(["new/a=x"]));
}

#[test]
fn a_second_name_is_durable_once_its_directory_is_synced() {
    let disk = SimDisk::new();
    disk.insert_dir("d").unwrap();
    put_durably(&disk, "a", "x");
    disk.hard_link("a".as_ref(), "d/b".as_ref()).unwrap();
    assert_eq!(torn(&disk.fork()), set(["a=x", "a=x d/b=x"]));
    disk.sync_dir("d".as_ref()).unwrap();
    disk.remove("a".as_ref()).unwrap();
    assert_eq!(torn(&disk.fork()), set(["a=x d/b=x", "d/b=x"]));
}

#[test]
fn a_second_name_does_not_sync_the_bytes() {
    let disk = SimDisk::new();
    put(&disk, "a", "x");
    disk.hard_link("a".as_ref(), "b".as_ref()).unwrap();
    disk.sync_dir("/".as_ref()).unwrap();
    assert_eq!(after(&disk, CrashPolicy::Drop), "a= b=");
}

#[test]
fn a_clone_is_durable_once_it_is_synced_whatever_its_source() {
    let disk = SimDisk::new();
    put(&disk, "a", "x");
    let clone = disk.clone_file("a".as_ref(), "b".as_ref()).unwrap();
    disk.sync_dir("/".as_ref()).unwrap();
    assert_eq!(after(&disk.fork(), CrashPolicy::Drop), "a= b=");
    clone.sync_data().unwrap();
    assert_eq!(after(&disk, CrashPolicy::Drop), "a= b=x");
}

#[test]
fn a_removed_directory_comes_back_until_its_parent_is_synced() {
    let disk = SimDisk::new();
    disk.insert_dir("d").unwrap();
    disk.remove_dir("d".as_ref()).unwrap();
    assert!(disk.fork().crash(CrashPolicy::Drop, 0).list("d".as_ref()).is_ok());
    disk.sync_dir("/".as_ref()).unwrap();
    assert!(disk.crash(CrashPolicy::Drop, 0).list("d".as_ref()).is_err());
}

#[test]
fn syncing_one_directory_leaves_the_others() {
    let disk = SimDisk::new();
    disk.insert_dir("d").unwrap();
    put(&disk, "d/a", "").sync_data().unwrap();
    put(&disk, "b", "").sync_data().unwrap();
    disk.sync_dir("d".as_ref()).unwrap();
    assert_eq!(after(&disk, CrashPolicy::Drop), "d/a=");
}
