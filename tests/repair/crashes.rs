//! A repair that is stopped at any of its disk operations: the store is as it was, or repaired, and a second repair ends
//! what the first began.

use logkv::disk::sim::{CrashPolicy, Fault, SimDisk};
use logkv::store::FindingKind;
use logkv::{Error, Options};

use super::support::Rng;
use super::support::broken::{damage, keys, written};
use super::{is_in_order, read, repair};

/// What each key answers. `None`: an error, or an answer that says of itself that it may be wrong.
type Answers = Vec<Option<Option<Vec<u8>>>>;

fn answers(disk: &SimDisk, options: &Options) -> Answers {
    let store = read(disk, options.clone()).unwrap();
    let certain = |key: Vec<u8>| match store.get(&key) {
        Ok(answer) if answer.suspect => None,
        Ok(answer) => Some(answer.into_value()),
        Err(Error::Damaged { .. } | Error::Io { .. }) => None,
        Err(e) => panic!("{e}"),
    };
    keys().map(certain).collect()
}

const POLICIES: [CrashPolicy; 3] = [CrashPolicy::Drop, CrashPolicy::Keep, CrashPolicy::Torn];

#[test]
fn a_repair_that_is_stopped_anywhere_is_as_good_as_none_or_done() {
    let (mut points, mut again) = (0, 0);
    let mut seed = 0;
    let mut stores = 0;
    while stores < 6 {
        seed += 1;
        let rng = &mut Rng::new(seed);
        let written = written(rng);
        let (disk, options) = (written.disk.fork(), written.options());
        let what = format!("seed {seed}, {}, {}", damage(rng, &disk), damage(rng, &disk));
        // All of it durable: what a crash takes is what the repair did.
        let disk = SimDisk::from_files(disk.image()).unwrap();
        let whole = disk.fork();
        let start = whole.ops();
        let Ok(done) = repair(&whole, options.clone()) else { continue };
        if done.set_aside.is_empty() || done.mended.iter().any(|finding| finding.kind == FindingKind::TornTail) {
            continue;
        }
        stores += 1;
        let (before, after) = (answers(&disk, &options), answers(&whole, &options));
        for op in start..whole.ops() {
            let stopped = disk.fork();
            stopped.crash_at(op);
            let _ = repair(&stopped, options.clone());
            for (nth, policy) in POLICIES.into_iter().enumerate() {
                let what = format!("{what}, stopped at {op}, {policy:?}");
                let left = stopped.crash(policy, seed + nth as u64);
                for (found, (before, after)) in answers(&left, &options).iter().zip(before.iter().zip(&after)) {
                    assert!(
                        found.is_none() || found == before || found == after,
                        "{what}: {found:?}, before {before:?}, after {after:?}"
                    );
                }
                points += 1;
                if op % 9 == 0 {
                    again += stop_again(&left, &options, &after, &what);
                }
                repair(&left, options.clone()).unwrap_or_else(|e| panic!("{what}: {e}"));
                assert_eq!(answers(&left, &options), after, "{what}");
                is_in_order(&left, &options, &what);
            }
        }
    }
    println!("{points} crash images of {stores} repairs, and {again} of repairs after them");
    assert!(points > 500 && again > 500);
}

/// A disk that fails, or is full, at any of the operations.
#[test]
fn a_repair_that_fails_anywhere_is_as_good_as_none_or_done() {
    let mut points = 0;
    let mut seed = 100;
    while points < 300 {
        seed += 1;
        let rng = &mut Rng::new(seed);
        let written = written(rng);
        let (disk, options) = (written.disk.fork(), written.options());
        let what = format!("seed {seed}, {}", damage(rng, &disk));
        let disk = SimDisk::from_files(disk.image()).unwrap();
        let whole = disk.fork();
        let start = whole.ops();
        let Ok(done) = repair(&whole, options.clone()) else { continue };
        if done.set_aside.is_empty() || done.mended.iter().any(|finding| finding.kind == FindingKind::TornTail) {
            continue;
        }
        let (before, after) = (answers(&disk, &options), answers(&whole, &options));
        for op in start..whole.ops() {
            for fault in [Fault::Io, Fault::NoSpace] {
                let failing = disk.fork();
                failing.fail_at(op, fault);
                let _ = repair(&failing, options.clone());
                for (found, (before, after)) in answers(&failing, &options).iter().zip(before.iter().zip(&after)) {
                    assert!(found.is_none() || found == before || found == after, "{what}, {fault:?} at {op}");
                }
                repair(&failing, options.clone()).unwrap_or_else(|e| panic!("{what}, {fault:?} at {op}: {e}"));
                assert_eq!(answers(&failing, &options), after, "{what}, {fault:?} at {op}");
                is_in_order(&failing, &options, &what);
                points += 1;
            }
        }
    }
    println!("{points} faults");
}

/// The second repair is stopped too.
fn stop_again(disk: &SimDisk, options: &Options, after: &Answers, what: &str) -> u64 {
    let whole = disk.fork();
    let start = whole.ops();
    repair(&whole, options.clone()).unwrap();
    for op in start..whole.ops() {
        let stopped = disk.fork();
        stopped.crash_at(op);
        let _ = repair(&stopped, options.clone());
        let left = stopped.crash(CrashPolicy::Torn, op);
        repair(&left, options.clone()).unwrap_or_else(|e| panic!("{what}, and again at {op}: {e}"));
        assert_eq!(answers(&left, options), *after, "{what}, and again at {op}");
    }
    whole.ops() - start
}
