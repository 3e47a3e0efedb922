//! What every disk promises, tried on the machine's and on the simulated one.
//!
//! A promise that only one of them keeps would let a store pass its tests and fail its users, so each test here runs on
//! both. What only one of them has (modes, pipes, crashes) is tested beside it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{ErrorKind, Result};
use std::path::Path;

use super::{Disk, EntryKind, ReadFile, WriteFile, cannot_share};

/// Makes one test a promise and disk; a promise is a function of a disk and an empty directory on it.
macro_rules! both_disks {
    ($($promise:ident)*) => {
        mod real {
            $(#[test]
            fn $promise() {
                let dir = tempfile::tempdir().unwrap();
                super::$promise(&crate::disk::RealDisk, dir.path());
            })*
        }
        mod sim {
            $(#[test]
            fn $promise() {
                let disk = crate::disk::sim::SimDisk::new();
                disk.insert_dir("/home").unwrap();
                super::$promise(&disk, "/home".as_ref());
            })*
        }
    };
}

both_disks! {
    what_is_written_is_read
    writing_past_the_end_leaves_zeros
    reading_stops_at_the_end
    a_reader_sees_later_writes
    set_len_cuts_and_extends_with_zeros
    create_refuses_what_exists
    create_needs_a_directory
    opening_needs_a_regular_file
    rename_replaces
    rename_refuses_directories_as_targets
    rename_onto_itself_changes_nothing
    rename_moves_a_directory_with_what_is_in_it
    rename_puts_a_directory_in_place_of_an_empty_one_only
    a_second_name_means_the_same_file
    a_link_replaces_nothing_and_needs_a_file
    a_clone_has_the_bytes_and_goes_its_own_way
    a_clone_replaces_nothing_and_needs_a_file
    remove_dir_takes_empty_directories_only
    free_space_is_of_a_directory_that_exists
    a_removed_file_stays_readable
    remove_takes_files_only
    list_tells_names_kinds_and_lengths
    entry_is_what_list_says
    identity_follows_the_file_not_the_name
    a_lock_excludes_until_it_is_dropped
    a_lock_goes_although_a_reader_stays
    a_lock_file_keeps_its_text
    locking_a_directory_is_refused
    syncing_succeeds
    syncing_names_needs_a_directory
    a_handle_of_the_reading_half_sees_the_same_files
}

fn put(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> std::sync::Arc<dyn WriteFile> {
    let file = disk.create(path).unwrap();
    assert_eq!(file.write_at(bytes, 0).unwrap(), bytes.len());
    file
}

fn text(file: &(impl ReadFile + ?Sized)) -> String {
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    assert_eq!(file.read_full_at(&mut bytes, 0).unwrap(), bytes.len());
    String::from_utf8(bytes).unwrap()
}

fn text_at(disk: &dyn Disk, path: &Path) -> String {
    text(&*disk.open_read(path).unwrap())
}

fn kind<T>(result: Result<T>) -> ErrorKind {
    result.err().expect("an error").kind()
}

fn names(disk: &dyn Disk, dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        disk.list(dir).unwrap().into_iter().map(|entry| entry.name.into_string().unwrap()).collect();
    names.sort();
    names
}

fn what_is_written_is_read(disk: &dyn Disk, dir: &Path) {
    let file = put(disk, &dir.join("a"), b"hello world");
    file.write_at(b"W", 6).unwrap();
    assert_eq!(text(&*file), "hello World");
    disk.open_write(&dir.join("a")).unwrap().write_at(b"H", 0).unwrap();
    assert_eq!(text_at(disk, &dir.join("a")), "Hello World");
    assert_eq!(file.write_at(b"", 99).unwrap(), 0);
    assert_eq!(file.len().unwrap(), 11);
}

fn writing_past_the_end_leaves_zeros(disk: &dyn Disk, dir: &Path) {
    let file = put(disk, &dir.join("a"), b"x");
    file.write_at(b"y", 3).unwrap();
    assert_eq!(text(&*file), "x\0\0y");
}

fn reading_stops_at_the_end(disk: &dyn Disk, dir: &Path) {
    let file = put(disk, &dir.join("a"), b"0123456789");
    let mut buf = [b'.'; 4];
    assert_eq!(file.read_at(&mut buf, 8).unwrap(), 2);
    assert_eq!(&buf, b"89..");
    for past in [10, 11, 1 << 40, i64::MAX as u64, u64::MAX] {
        assert_eq!(file.read_at(&mut buf, past).unwrap(), 0, "at {past}");
    }
    assert_eq!(file.read_at(&mut [], 0).unwrap(), 0);
    assert_eq!(file.read_full_at(&mut buf, 7).unwrap(), 3);
    assert!(!file.is_empty().unwrap());
}

fn a_reader_sees_later_writes(disk: &dyn Disk, dir: &Path) {
    let file = put(disk, &dir.join("a"), b"one");
    let readers = [file.reader(), disk.open_read(&dir.join("a")).unwrap()];
    file.write_at(b"two", 3).unwrap();
    for reader in readers {
        assert_eq!(text(&*reader), "onetwo");
    }
}

fn set_len_cuts_and_extends_with_zeros(disk: &dyn Disk, dir: &Path) {
    let file = put(disk, &dir.join("a"), b"0123456789");
    file.set_len(2).unwrap();
    file.set_len(4).unwrap();
    assert_eq!(text(&*file), "01\0\0");
}

fn create_refuses_what_exists(disk: &dyn Disk, dir: &Path) {
    put(disk, &dir.join("file"), b"kept");
    disk.create_dir(&dir.join("dir")).unwrap();
    for name in ["file", "dir"] {
        assert_eq!(kind(disk.create(&dir.join(name))), ErrorKind::AlreadyExists);
        assert_eq!(kind(disk.create_dir(&dir.join(name))), ErrorKind::AlreadyExists);
    }
    assert_eq!(text_at(disk, &dir.join("file")), "kept");
}

fn create_needs_a_directory(disk: &dyn Disk, dir: &Path) {
    put(disk, &dir.join("file"), b"");
    assert_eq!(kind(disk.create(&dir.join("missing/a"))), ErrorKind::NotFound);
    assert_eq!(kind(disk.create_dir(&dir.join("missing/a"))), ErrorKind::NotFound);
    assert_eq!(kind(disk.lock(&dir.join("missing/LOCK"))), ErrorKind::NotFound);
    assert_eq!(kind(disk.create(&dir.join("file/a"))), ErrorKind::NotADirectory);
}

fn opening_needs_a_regular_file(disk: &dyn Disk, dir: &Path) {
    assert_eq!(kind(disk.open_read(&dir.join("missing"))), ErrorKind::NotFound);
    assert_eq!(kind(disk.open_write(&dir.join("missing"))), ErrorKind::NotFound);
    assert_eq!(kind(disk.open_read(dir)), ErrorKind::IsADirectory);
    assert_eq!(kind(disk.open_write(dir)), ErrorKind::IsADirectory);
}

fn rename_replaces(disk: &dyn Disk, dir: &Path) {
    put(disk, &dir.join("new"), b"new");
    let old = put(disk, &dir.join("name"), b"old");
    disk.rename(&dir.join("new"), &dir.join("name")).unwrap();
    assert_eq!(names(disk, dir), ["name"]);
    assert_eq!(text_at(disk, &dir.join("name")), "new");
    assert_eq!(text(&*old), "old");
    assert_eq!(kind(disk.rename(&dir.join("new"), &dir.join("name"))), ErrorKind::NotFound);
    assert_eq!(kind(disk.rename(&dir.join("name"), &dir.join("missing/name"))), ErrorKind::NotFound);
    disk.create_dir(&dir.join("dir")).unwrap();
    disk.rename(&dir.join("name"), &dir.join("dir/moved")).unwrap();
    assert_eq!(names(disk, dir), ["dir"]);
    assert_eq!(text_at(disk, &dir.join("dir/moved")), "new");
}

fn rename_refuses_directories_as_targets(disk: &dyn Disk, dir: &Path) {
    put(disk, &dir.join("file"), b"");
    disk.create_dir(&dir.join("dir")).unwrap();
    assert_eq!(kind(disk.rename(&dir.join("file"), &dir.join("dir"))), ErrorKind::IsADirectory);
    assert_eq!(names(disk, dir), ["dir", "file"]);
}

fn rename_onto_itself_changes_nothing(disk: &dyn Disk, dir: &Path) {
    put(disk, &dir.join("a"), b"x");
    disk.rename(&dir.join("a"), &dir.join("a")).unwrap();
    assert_eq!(text_at(disk, &dir.join("a")), "x");
}

fn rename_moves_a_directory_with_what_is_in_it(disk: &dyn Disk, dir: &Path) {
    let (from, to) = (dir.join("from"), dir.join("to"));
    disk.create_dir(&from).unwrap();
    put(disk, &from.join("a"), b"moved");
    disk.rename(&from, &to).unwrap();
    assert_eq!(names(disk, dir), ["to"]);
    assert_eq!(text_at(disk, &to.join("a")), "moved");
    disk.rename(&to, &to).unwrap();
    assert_eq!(text_at(disk, &to.join("a")), "moved");
    assert_eq!(kind(disk.rename(&to, &to.join("inside"))), ErrorKind::InvalidInput);
    assert_eq!(names(disk, dir), ["to"]);
}

fn rename_puts_a_directory_in_place_of_an_empty_one_only(disk: &dyn Disk, dir: &Path) {
    for name in ["new", "empty", "full"] {
        disk.create_dir(&dir.join(name)).unwrap();
    }
    put(disk, &dir.join("new/a"), b"new");
    put(disk, &dir.join("full/b"), b"kept");
    put(disk, &dir.join("file"), b"");
    assert_eq!(kind(disk.rename(&dir.join("new"), &dir.join("full"))), ErrorKind::DirectoryNotEmpty);
    assert_eq!(kind(disk.rename(&dir.join("new"), &dir.join("file"))), ErrorKind::NotADirectory);
    disk.rename(&dir.join("new"), &dir.join("empty")).unwrap();
    assert_eq!(names(disk, dir), ["empty", "file", "full"]);
    assert_eq!(text_at(disk, &dir.join("empty/a")), "new");
    assert_eq!(text_at(disk, &dir.join("full/b")), "kept");
}

fn a_second_name_means_the_same_file(disk: &dyn Disk, dir: &Path) {
    let file = put(disk, &dir.join("a"), b"one");
    disk.hard_link(&dir.join("a"), &dir.join("b")).unwrap();
    file.write_at(b"two", 3).unwrap();
    assert_eq!(text_at(disk, &dir.join("b")), "onetwo");
    assert_eq!(file.identity().unwrap(), disk.open_read(&dir.join("b")).unwrap().identity().unwrap());
    disk.remove(&dir.join("a")).unwrap();
    assert_eq!(names(disk, dir), ["b"]);
    assert_eq!(text_at(disk, &dir.join("b")), "onetwo");
}

fn a_link_replaces_nothing_and_needs_a_file(disk: &dyn Disk, dir: &Path) {
    put(disk, &dir.join("a"), b"a");
    put(disk, &dir.join("b"), b"b");
    disk.create_dir(&dir.join("dir")).unwrap();
    assert_eq!(kind(disk.hard_link(&dir.join("a"), &dir.join("b"))), ErrorKind::AlreadyExists);
    assert_eq!(kind(disk.hard_link(&dir.join("a"), &dir.join("dir"))), ErrorKind::AlreadyExists);
    assert_eq!(kind(disk.hard_link(&dir.join("missing"), &dir.join("c"))), ErrorKind::NotFound);
    assert_eq!(kind(disk.hard_link(&dir.join("a"), &dir.join("missing/c"))), ErrorKind::NotFound);
    assert_eq!(kind(disk.hard_link(&dir.join("dir"), &dir.join("c"))), ErrorKind::IsADirectory);
    assert_eq!(names(disk, dir), ["a", "b", "dir"]);
    assert_eq!(text_at(disk, &dir.join("b")), "b");
}

/// Not every file system of a machine that runs this can; there, nothing is left behind.
fn a_clone_has_the_bytes_and_goes_its_own_way(disk: &dyn Disk, dir: &Path) {
    let file = put(disk, &dir.join("a"), b"one");
    match disk.clone_file(&dir.join("a"), &dir.join("b")) {
        Err(e) => {
            assert!(cannot_share(&e), "{e}");
            assert_eq!(names(disk, dir), ["a"]);
        }
        Ok(clone) => {
            file.write_at(b"two", 3).unwrap();
            clone.write_at(b"O", 0).unwrap();
            clone.sync_data().unwrap();
            assert_eq!(text_at(disk, &dir.join("b")), "One");
            assert_eq!(text_at(disk, &dir.join("a")), "onetwo");
            assert_ne!(file.identity().unwrap(), clone.identity().unwrap());
        }
    }
}

fn a_clone_replaces_nothing_and_needs_a_file(disk: &dyn Disk, dir: &Path) {
    put(disk, &dir.join("a"), b"a");
    put(disk, &dir.join("b"), b"b");
    disk.create_dir(&dir.join("dir")).unwrap();
    assert_eq!(kind(disk.clone_file(&dir.join("a"), &dir.join("b"))), ErrorKind::AlreadyExists);
    assert_eq!(kind(disk.clone_file(&dir.join("missing"), &dir.join("c"))), ErrorKind::NotFound);
    assert_eq!(kind(disk.clone_file(&dir.join("dir"), &dir.join("c"))), ErrorKind::IsADirectory);
    assert_eq!(names(disk, dir), ["a", "b", "dir"]);
    assert_eq!(text_at(disk, &dir.join("b")), "b");
}

fn remove_dir_takes_empty_directories_only(disk: &dyn Disk, dir: &Path) {
    disk.create_dir(&dir.join("dir")).unwrap();
    put(disk, &dir.join("dir/a"), b"kept");
    put(disk, &dir.join("file"), b"kept");
    assert_eq!(kind(disk.remove_dir(&dir.join("dir"))), ErrorKind::DirectoryNotEmpty);
    assert_eq!(kind(disk.remove_dir(&dir.join("file"))), ErrorKind::NotADirectory);
    assert_eq!(kind(disk.remove_dir(&dir.join("missing"))), ErrorKind::NotFound);
    assert_eq!(text_at(disk, &dir.join("dir/a")), "kept");
    disk.remove(&dir.join("dir/a")).unwrap();
    disk.remove_dir(&dir.join("dir")).unwrap();
    assert_eq!(names(disk, dir), ["file"]);
}

fn free_space_is_of_a_directory_that_exists(disk: &dyn Disk, dir: &Path) {
    assert_ne!(disk.free_space(dir), Some(0));
    assert_eq!(disk.free_space(&dir.join("missing")), None);
}

fn a_removed_file_stays_readable(disk: &dyn Disk, dir: &Path) {
    let file = put(disk, &dir.join("a"), b"still here");
    let reader = disk.open_read(&dir.join("a")).unwrap();
    disk.remove(&dir.join("a")).unwrap();
    assert_eq!(kind(disk.open_read(&dir.join("a"))), ErrorKind::NotFound);
    put(disk, &dir.join("a"), b"another");
    file.write_at(b"S", 0).unwrap();
    assert_eq!(text(&*reader), "Still here");
}

fn remove_takes_files_only(disk: &dyn Disk, dir: &Path) {
    disk.create_dir(&dir.join("dir")).unwrap();
    assert_eq!(kind(disk.remove(&dir.join("missing"))), ErrorKind::NotFound);
    assert!(disk.remove(&dir.join("dir")).is_err());
    assert_eq!(names(disk, dir), ["dir"]);
}

fn list_tells_names_kinds_and_lengths(disk: &dyn Disk, dir: &Path) {
    assert_eq!(disk.list(dir).unwrap(), []);
    put(disk, &dir.join("file"), b"12345");
    disk.create_dir(&dir.join("dir")).unwrap();
    let mut entries = disk.list(dir).unwrap();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let told: Vec<_> = entries.iter().map(|entry| (entry.name.to_str().unwrap(), entry.kind, entry.len)).collect();
    assert_eq!(told, [("dir", EntryKind::Dir, 0), ("file", EntryKind::File, 5)]);
    assert_eq!(kind(disk.list(&dir.join("missing"))), ErrorKind::NotFound);
    assert_eq!(kind(disk.list(&dir.join("file"))), ErrorKind::NotADirectory);
}

fn entry_is_what_list_says(disk: &dyn Disk, dir: &Path) {
    put(disk, &dir.join("file"), b"12345");
    assert_eq!(disk.list(dir).unwrap(), [disk.entry(&dir.join("file")).unwrap()]);
    assert_eq!(disk.entry(dir).unwrap().kind, EntryKind::Dir);
    assert_eq!(kind(disk.entry(&dir.join("missing"))), ErrorKind::NotFound);
}

fn identity_follows_the_file_not_the_name(disk: &dyn Disk, dir: &Path) {
    let first = put(disk, &dir.join("a"), b"");
    let second = put(disk, &dir.join("b"), b"");
    assert_ne!(first.identity().unwrap(), second.identity().unwrap());
    disk.rename(&dir.join("b"), &dir.join("a")).unwrap();
    let found = disk.open_read(&dir.join("a")).unwrap();
    assert_eq!(found.identity().unwrap(), second.identity().unwrap());
}

fn a_lock_excludes_until_it_is_dropped(disk: &dyn Disk, dir: &Path) {
    let path = dir.join("LOCK");
    let held = disk.lock(&path).unwrap().expect("nobody holds it");
    assert!(disk.lock(&path).unwrap().is_none());
    assert!(disk.lock(&path).unwrap().is_none(), "the attempt must not have taken the lock away");
    // Locks of the older POSIX kind go when any descriptor of the file is closed.
    drop((held.reader(), disk.open_read(&path).unwrap(), disk.open_write(&path).unwrap()));
    assert!(disk.lock(&path).unwrap().is_none(), "only the holder's handle counts");
    drop(held);
    assert!(disk.lock(&path).unwrap().is_some());
}

fn a_lock_goes_although_a_reader_stays(disk: &dyn Disk, dir: &Path) {
    let held = disk.lock(&dir.join("LOCK")).unwrap().expect("nobody holds it");
    held.write_at(b"me", 0).unwrap();
    let reader = held.reader();
    drop(held);
    assert!(disk.lock(&dir.join("LOCK")).unwrap().is_some());
    assert_eq!(text(&*reader), "me");
}

fn a_lock_file_keeps_its_text(disk: &dyn Disk, dir: &Path) {
    put(disk, &dir.join("LOCK"), b"pid 7");
    let held = disk.lock(&dir.join("LOCK")).unwrap().expect("nobody holds it");
    assert_eq!(text(&*held), "pid 7");
    assert_eq!(text_at(disk, &dir.join("LOCK")), "pid 7");
    held.set_len(0).unwrap();
    held.write_at(b"pid 8", 0).unwrap();
    held.sync_data().unwrap();
    assert_eq!(held.len().unwrap(), 5);
    assert_eq!(held.identity().unwrap(), disk.open_read(&dir.join("LOCK")).unwrap().identity().unwrap());
    assert_eq!(text_at(disk, &dir.join("LOCK")), "pid 8");
}

fn locking_a_directory_is_refused(disk: &dyn Disk, dir: &Path) {
    assert_eq!(kind(disk.lock(dir)), ErrorKind::IsADirectory);
}

fn syncing_succeeds(disk: &dyn Disk, dir: &Path) {
    let file = put(disk, &dir.join("a"), b"x");
    file.sync_data().unwrap();
    file.sync_data().unwrap();
    disk.sync_dir(dir).unwrap();
}

fn syncing_names_needs_a_directory(disk: &dyn Disk, dir: &Path) {
    put(disk, &dir.join("file"), b"");
    assert_eq!(kind(disk.sync_dir(&dir.join("missing"))), ErrorKind::NotFound);
    assert_eq!(kind(disk.sync_dir(&dir.join("file"))), ErrorKind::NotADirectory);
}

fn a_handle_of_the_reading_half_sees_the_same_files(disk: &dyn Disk, dir: &Path) {
    let reader = disk.reader();
    put(disk, &dir.join("a"), b"x");
    assert_eq!(reader.list(dir).unwrap(), disk.list(dir).unwrap());
    assert_eq!(text(&*reader.open_read(&dir.join("a")).unwrap()), "x");
}
