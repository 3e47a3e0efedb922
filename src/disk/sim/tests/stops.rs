//! Machines that stop: at an operation, by a kill, by a crash; and the machines that follow them.

use super::*;

#[test]
fn a_stopped_machine_answers_nothing() {
    let disk = SimDisk::new();
    let file = put_durably(&disk, "a", "x");
    disk.crash_at(disk.ops() + 1);
    assert!(!disk.is_crashed());
    assert_eq!(file.len().unwrap(), 1);
    assert!(disk.remove("a".as_ref()).is_err());
    assert!(disk.is_crashed());

    let ops = disk.ops();
    let errors = [
        file.len().err(),
        file.read_at(&mut [0], 0).err(),
        file.write_at(b"y", 0).err(),
        file.set_len(0).err(),
        file.sync_data().err(),
        file.identity().err(),
        disk.list("/".as_ref()).err(),
        disk.entry("a".as_ref()).err(),
        disk.open_read("a".as_ref()).err(),
        disk.open_write("a".as_ref()).err(),
        disk.create("b".as_ref()).err(),
        disk.create_dir("b".as_ref()).err(),
        disk.rename("a".as_ref(), "b".as_ref()).err(),
        disk.hard_link("a".as_ref(), "b".as_ref()).err(),
        disk.clone_file("a".as_ref(), "b".as_ref()).err(),
        disk.remove("a".as_ref()).err(),
        disk.remove_dir("b".as_ref()).err(),
        disk.sync_dir("/".as_ref()).err(),
        disk.lock("a".as_ref()).err(),
    ];
    for (call, error) in errors.into_iter().enumerate() {
        assert_eq!(
            error.unwrap_or_else(|| panic!("call {call} works")).to_string(),
            "the simulated machine has stopped"
        );
    }
    assert_eq!(disk.ops(), ops, "what a stopped machine refuses is no operation");
    assert_eq!(show(&disk), "a=x", "looking in from outside still works, and nothing was removed");
}

#[test]
fn the_operation_it_stops_at_does_not_happen() {
    type Operation = fn(&SimDisk, &dyn WriteFile) -> std::io::Result<()>;
    let operations: [Operation; 8] = [
        |disk, _| disk.create("b".as_ref()).map(|_| ()),
        |disk, _| disk.rename("a".as_ref(), "b".as_ref()),
        |disk, _| disk.hard_link("a".as_ref(), "b".as_ref()),
        |disk, _| disk.clone_file("a".as_ref(), "b".as_ref()).map(|_| ()),
        |disk, _| disk.remove("a".as_ref()),
        |disk, _| disk.lock("LOCK".as_ref()).map(|_| ()),
        |disk, _| disk.sync_dir("/".as_ref()),
        |_, file| file.set_len(0),
    ];
    for (n, operation) in operations.into_iter().enumerate() {
        let disk = SimDisk::new();
        let file = put_durably(&disk, "a", "x");
        disk.crash_at(disk.ops() + 1);
        assert!(operation(&disk, &*file).is_err());
        assert_eq!(after(&disk, CrashPolicy::Keep), "a=x", "operation {n}");
    }
}

#[test]
fn a_sync_it_stops_at_makes_nothing_durable() {
    let disk = SimDisk::new();
    let file = put_durably(&disk, "a", "old");
    file.write_at(b"new", 0).unwrap();
    disk.crash_at(disk.ops() + 1);
    assert!(file.sync_data().is_err());
    assert_eq!(after(&disk, CrashPolicy::Drop), "a=old");
    assert_eq!(after(&disk, CrashPolicy::Keep), "a=new");
}

#[test]
fn of_the_write_it_stops_at_the_crash_decides_how_much_happened() {
    let disk = untorn(2);
    let file = put_durably(&disk, "a", "ab");
    disk.crash_at(disk.ops() + 1);
    assert!(file.write_at(b"CDEF", 2).is_err());
    assert_eq!(show(&disk), "a=ab");
    assert_eq!(show(&disk.kill()), "a=ab");
    assert_eq!(after(&disk, CrashPolicy::Drop), "a=ab");
    assert_eq!(after(&disk, CrashPolicy::Keep), "a=abCDEF");
    assert!(torn(&disk).is_superset(&set(["a=ab", "a=abCD", "a=ab..EF", "a=abCDEF"])));
}

#[test]
fn a_kill_keeps_what_was_written_but_syncs_nothing() {
    let disk = SimDisk::new();
    let file = put_durably(&disk, "a", "old");
    file.write_at(b"new", 0).unwrap();
    put(&disk, "b", "b");
    let next = disk.kill();
    assert!(file.len().is_err(), "the program is gone");
    assert_eq!(show(&next), "a=new b=b");
    assert_eq!(after(&next, CrashPolicy::Drop), "a=old");
}

#[test]
fn the_next_machine_holds_no_locks_and_plans_nothing() {
    let disk = SimDisk::new();
    let held = disk.lock("LOCK".as_ref()).unwrap().expect("nobody holds it");
    disk.sync_dir("/".as_ref()).unwrap();
    disk.fail_at(3, Fault::Io);
    disk.crash_at(4);
    for next in [disk.fork(), disk.kill(), disk.crash(CrashPolicy::Drop, 0)] {
        assert_eq!((next.ops(), next.trace().len()), (0, 0));
        let again = next.lock("LOCK".as_ref()).unwrap().expect("the holder is gone");
        (0..5).for_each(|_| assert_eq!(again.write_at(b"x", 0).unwrap(), 1));
        assert!(next.lock("LOCK".as_ref()).unwrap().is_none());
    }
    drop(held);
}

#[test]
fn an_old_lock_does_not_release_a_new_one() {
    let disk = SimDisk::new();
    let old = disk.lock("LOCK".as_ref()).unwrap();
    let next = disk.kill();
    let new = next.lock("LOCK".as_ref()).unwrap();
    drop(old);
    assert!(next.lock("LOCK".as_ref()).unwrap().is_none());
    drop(new);
}

#[test]
fn a_fork_shares_nothing_that_changes() {
    let disk = SimDisk::new();
    let file = put_durably(&disk, "a", "same");
    file.write_at(b"S", 0).unwrap();
    let fork = disk.fork();
    fork.open_write("a".as_ref()).unwrap().write_at(b"fork", 0).unwrap();
    fork.create("b".as_ref()).unwrap();
    file.sync_data().unwrap();
    assert_eq!(show(&disk), "a=Same");
    assert_eq!(show(&fork), "a=fork b=");
    assert_eq!(after(&disk, CrashPolicy::Drop), "a=Same");
    assert_eq!(after(&fork, CrashPolicy::Drop), "a=same");
}

#[test]
fn clones_are_one_disk() {
    let disk = SimDisk::new();
    put(&disk.clone(), "a", "x");
    assert_eq!(show(&disk), "a=x");
}
