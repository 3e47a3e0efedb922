//! Bytes and lengths after a crash.

use proptest::prelude::*;

use super::*;

#[test]
fn only_synced_bytes_are_sure() {
    let disk = SimDisk::new();
    let file = put_durably(&disk, "a", "synced");
    file.write_at(b"S", 0).unwrap();
    file.write_at(b"+more", 6).unwrap();
    assert_eq!(disk.durable_image(), disk.fork().crash(CrashPolicy::Drop, 0).image());
    assert_eq!(after(&disk.fork(), CrashPolicy::Drop), "a=synced");
    assert_eq!(after(&disk, CrashPolicy::Keep), "a=Synced+more");
}

#[test]
fn what_survived_a_crash_is_durable() {
    let disk = SimDisk::new();
    put_durably(&disk, "a", "old").write_at(b"new", 0).unwrap();
    let disk = disk.crash(CrashPolicy::Keep, 0);
    assert_eq!(after(&disk, CrashPolicy::Drop), "a=new");
}

#[test]
fn pages_survive_in_any_combination() {
    let disk = untorn(1);
    put_durably(&disk, "a", "abc").write_at(b"ABC", 0).unwrap();
    assert_eq!(torn(&disk), set(["a=abc", "a=Abc", "a=aBc", "a=abC", "a=ABc", "a=AbC", "a=aBC", "a=ABC"]));
}

#[test]
fn a_page_is_torn_between_sectors_and_not_within() {
    let disk = SimDisk::with_geometry(Geometry { page: 4, sector: 2 });
    put_durably(&disk, "a", "abcd").write_at(b"ABCD", 0).unwrap();
    assert_eq!(torn(&disk), set(["a=abcd", "a=ABcd", "a=abCD", "a=ABCD"]));
}

#[test]
fn a_file_that_grew_has_zeros_where_a_page_was_lost() {
    let disk = untorn(2);
    put_durably(&disk, "a", "ab").write_at(b"cdef", 2).unwrap();
    let outcomes = torn(&disk);
    for outcome in ["a=ab", "a=ab..ef", "a=abcd..", "a=ab....", "a=abcdef", "a=abcde", "a=abc", "a=ab..", "a=ab."] {
        assert!(outcomes.contains(outcome), "{outcome} of {outcomes:?}");
    }
    assert!(outcomes.iter().all(|outcome| outcome.starts_with("a=ab")), "synced bytes are not torn: {outcomes:?}");
}

#[test]
fn an_unsynced_cut_is_done_or_not() {
    let disk = untorn(2);
    put_durably(&disk, "a", "abcdef").set_len(2).unwrap();
    assert_eq!(after(&disk.fork(), CrashPolicy::Drop), "a=abcdef");
    assert_eq!(after(&disk.fork(), CrashPolicy::Keep), "a=ab");
    assert_eq!(torn(&disk), set(["a=ab", "a=abcdef"]));
}

#[test]
fn a_synced_cut_stays() {
    let disk = SimDisk::new();
    let file = put_durably(&disk, "a", "abcdef");
    file.set_len(2).unwrap();
    file.sync_data().unwrap();
    file.set_len(4).unwrap();
    assert_eq!(torn(&disk), set(["a=ab", "a=ab.", "a=ab.."]));
}

#[test]
fn each_length_of_a_cut_and_regrown_file_may_remain() {
    let disk = untorn(2);
    let file = put_durably(&disk, "a", "abcdef");
    file.set_len(2).unwrap();
    file.write_at(b"XY", 2).unwrap();
    let outcomes = torn(&disk);
    for outcome in ["a=abcdef", "a=ab", "a=abXY", "a=abXYef", "a=abcd"] {
        assert!(outcomes.contains(outcome), "{outcome} of {outcomes:?}");
    }
}

#[test]
fn one_seed_is_one_crash() {
    let disk = SimDisk::with_geometry(Geometry { page: 8, sector: 2 });
    put_durably(&disk, "a", &"-".repeat(100)).write_at(&[b'+'; 150], 20).unwrap();
    let crash = |seed| show(&disk.crash(CrashPolicy::Torn, seed));
    assert_eq!(SEEDS.map(crash).collect::<Vec<_>>(), SEEDS.map(crash).collect::<Vec<_>>());
    assert!(torn(&disk).len() > 500, "seeds hardly matter");
}

/// One step of a random workload on one file.
#[derive(Clone, Debug)]
enum Step {
    Write { offset: u64, len: usize },
    SetLen(u64),
    Sync,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..60_u64, 1..30_usize).prop_map(|(offset, len)| Step::Write { offset, len }),
        2 => (0..80_u64).prop_map(Step::SetLen),
        1 => Just(Step::Sync),
    ];
    prop::collection::vec(step, 0..25)
}

proptest! {
    /// The pages that are kept for a crash say the same as two plain copies of the file would.
    #[test]
    fn both_images_agree_with_plain_copies(steps in steps(), page in 1..20_u64, sector in 1..9_u64, seed: u64) {
        let disk = SimDisk::with_geometry(Geometry { page, sector });
        let file = put_durably(&disk, "a", "");
        let (mut live, mut durable) = (Vec::new(), Vec::new());
        let mut lengths = vec![0];
        for (fill, step) in (1..).zip(steps) {
            match step {
                Step::Write { offset, len } => {
                    file.write_at(&vec![fill; len], offset).unwrap();
                    let start = usize::try_from(offset).unwrap();
                    live.resize(live.len().max(start + len), 0);
                    live[start..start + len].fill(fill);
                }
                Step::SetLen(len) => {
                    file.set_len(len).unwrap();
                    live.resize(usize::try_from(len).unwrap(), 0);
                }
                Step::Sync => {
                    file.sync_data().unwrap();
                    durable.clone_from(&live);
                    lengths.clear();
                }
            }
            lengths.push(live.len());
        }
        let bytes = |disk: SimDisk| disk.image().into_values().next().unwrap();
        prop_assert_eq!(&bytes(disk.fork()), &live);
        prop_assert_eq!(&bytes(disk.crash(CrashPolicy::Drop, 0)), &durable);
        prop_assert_eq!(&bytes(disk.crash(CrashPolicy::Keep, 0)), &live);

        let torn = bytes(disk.crash(CrashPolicy::Torn, seed));
        lengths.push(durable.len());
        prop_assert!((lengths.iter().min().unwrap()..=lengths.iter().max().unwrap()).contains(&&torn.len()));
        for (at, byte) in torn.into_iter().enumerate() {
            let possible = [live.get(at), durable.get(at)].map(|byte| byte.copied().unwrap_or(0));
            prop_assert!(possible.contains(&byte), "{byte} at {at}, not one of {possible:?}");
        }
    }
}
