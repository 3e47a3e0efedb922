//! Groups that fail half-way, locks, and the order of tstamps.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use logkv::disk::sim::{CrashPolicy, Fault, SimDisk};
use logkv::store::{Condition, Event, Observer, PutOptions, SyncPolicy, Written};
use logkv::{Error, Options, Store};

use super::{ABSENT, Hand, certain, open, options, segment_path, shown, used};

/// A put with an expiry locked its part of the keydir and then the list of expiries; `stats` let keys expire and took
/// the two locks in the other order. Sooner or later both waited for good. Both must always get through.
#[test]
fn puts_that_expire_and_figures_do_not_wait_for_each_other() {
    const PUTS: usize = 40_000;
    // Without a disk between them the threads meet often.
    let options = Options { sync: SyncPolicy::Buffered, max_segment_bytes: 64 << 20, ..options() };
    let store = Arc::new(open(&SimDisk::new(), options).unwrap());
    let over = Arc::new(AtomicBool::new(false));
    let (done, finished) = mpsc::channel();
    for _ in 0..2 {
        let (putting, looking) = (store.clone(), store.clone());
        let (done, over) = (done.clone(), over.clone());
        thread::spawn(move || {
            let soon = PutOptions::ttl(Duration::from_micros(1));
            (0..PUTS).for_each(|_| assert!(putting.put_with(b"k", b"v", &soon).unwrap().is_some()));
            done.send(()).unwrap();
        });
        thread::spawn(move || {
            while !over.load(Ordering::SeqCst) {
                looking.stats();
            }
        });
    }
    for _ in 0..2 {
        // Threads that wait for each other for good are left behind; the test ends all the same.
        finished.recv_timeout(Duration::from_secs(60)).expect("a put and a look at the figures wait for each other");
    }
    over.store(true, Ordering::SeqCst);
}

/// Stops the first writer after its write and before its sync, so that others queue up behind it.
#[derive(Debug)]
struct Gate {
    armed: AtomicBool,
    met: Barrier,
}

impl Default for Gate {
    fn default() -> Self {
        Self { armed: AtomicBool::new(false), met: Barrier::new(2) }
    }
}

impl Observer for Gate {
    fn event(&self, event: &Event) {
        if matches!(event, Event::Appended { .. }) && self.armed.swap(false, Ordering::SeqCst) {
            self.met.wait();
            self.met.wait();
        }
    }
}

type Op = fn(&Store) -> logkv::Result<Option<Written>>;

/// Lets the operations queue behind a writer, in this order, lets something go wrong, and then lets the writer go on:
/// the next leader takes them all as one group. Nothing tells when a thread has queued, so `patience` makes that likely,
/// not certain: what is asserted of the outcomes must hold for operations that came one by one too.
fn as_one_group(
    store: &Store,
    gate: &Gate,
    patience: Duration,
    ops: &[Op],
    go_wrong: impl FnOnce(),
) -> Vec<logkv::Result<Option<Written>>> {
    thread::scope(|scope| {
        gate.armed.store(true, Ordering::SeqCst);
        let leader = scope.spawn(|| store.put(b"leader", b"x"));
        gate.met.wait();
        let queued = ops.iter().map(|op| {
            let queued = scope.spawn(|| op(store));
            thread::sleep(patience);
            queued
        });
        let queued: Vec<_> = queued.collect();
        go_wrong();
        gate.met.wait();
        leader.join().unwrap().unwrap();
        queued.into_iter().map(|op| op.join().unwrap()).collect()
    })
}

fn gated(max_segment_bytes: u64) -> (SimDisk, Arc<Gate>, Store) {
    let (disk, gate) = (SimDisk::new(), Arc::new(Gate::default()));
    let options = Options { max_segment_bytes, observers: vec![gate.clone()], ..options() };
    let store = open(&disk, options).unwrap();
    store.put(b"k", b"v").unwrap();
    (disk, gate, store)
}

const PATIENCE: Duration = Duration::from_millis(40);

fn put_if_absent(store: &Store) -> logkv::Result<Option<Written>> {
    store.put_with(b"new", b"v", &PutOptions::only(Condition::Absent))
}

/// Two deletes of one key in one group: the second was told "there is no such key" on the strength of the first, whose
/// write then failed, and the key was still there. Likewise two puts if absent. Neither may be answered by what may
/// still fail.
const TWICE: [[Op; 2]; 2] = [[|store| store.delete(b"k"); 2], [put_if_absent; 2]];

#[test]
fn no_conditional_write_is_answered_by_one_whose_sync_then_fails() {
    for ops in TWICE {
        let (disk, gate, store) = gated(1 << 20);
        // The leader's sync, the group's write, the group's sync.
        let outcomes = as_one_group(&store, &gate, PATIENCE, &ops, || disk.fail_at(disk.ops() + 3, Fault::Io));
        let unknown = outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Indeterminate { .. }))).count();
        let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Poisoned { .. }))).count();
        assert_eq!((unknown, refused), (1, 1), "{outcomes:?}");
        assert_eq!((shown(&store, b"k"), shown(&store, b"new")), (certain("v"), ABSENT));
        let store = open(&disk.crash(CrashPolicy::Drop, 1), options()).unwrap();
        assert_eq!((shown(&store, b"k"), shown(&store, b"new")), (certain("v"), ABSENT));
    }
}

#[test]
fn no_conditional_write_is_answered_by_one_that_has_no_room() {
    for ops in TWICE {
        let (disk, gate, store) = gated(1 << 20);
        let outcomes = as_one_group(&store, &gate, PATIENCE, &ops, || disk.set_capacity(Some(used(&disk))));
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Error::NoSpace { .. }))), "{outcomes:?}");
        assert_eq!((shown(&store, b"k"), shown(&store, b"new")), (certain("v"), ABSENT));
        disk.set_capacity(None);
        assert!(ops[0](&store).unwrap().is_some(), "the store goes on");
    }
}

/// A group met a full disk and was tried again record by record, under new tstamps, just before its last record, whose
/// tstamp had been taken earlier, went to a new segment: an older version of the key had the higher tstamp, and was back
/// after reopening. tstamps must rise in the order of appends, whatever is tried again.
#[test]
fn a_group_that_is_tried_again_keeps_tstamps_rising() {
    let ops: [Op; 3] = [
        |store| store.put(b"k", b"first").map(Some),
        |store| store.put(b"j", b"second").map(Some),
        |store| store.put(b"k", &[b'z'; 250]).map(Some),
    ];
    let mut patience = Duration::from_millis(20);
    loop {
        let (disk, gate, store) = gated(400);
        // The leader's sync, the write of what fits into the segment.
        let outcomes = as_one_group(&store, &gate, patience, &ops, || disk.fail_at(disk.ops() + 2, Fault::NoSpace));
        let live = (shown(&store, b"k"), shown(&store, b"j"));
        assert_tstamps_rise(&store);
        store.close().unwrap();
        let store = open(&disk, options()).unwrap();
        assert_eq!((shown(&store, b"k"), shown(&store, b"j")), live);
        // A put alone is not tried again: all of them went well, so two at least were one group.
        if outcomes.iter().all(Result::is_ok) {
            return;
        }
        patience *= 2;
        assert!(patience < Duration::from_secs(5), "no group has ever formed: {outcomes:?}");
    }
}

fn assert_tstamps_rise(store: &Store) {
    let mut last = 0;
    for segment in store.segments() {
        for row in logkv::inspect::records(store, segment.id, 0).unwrap() {
            let tstamp = row.unwrap().tstamp.unwrap();
            assert!(tstamp > last, "{tstamp} after {last} in segment {}", segment.id);
            last = tstamp;
        }
    }
}

/// After a record with the highest tstamp that there is, the next put got one beyond 2^63: acknowledged, read back, and
/// at the next open it did not decode. A put that cannot be kept must be refused.
#[test]
fn no_put_is_acknowledged_after_the_highest_tstamp() {
    let bytes = Hand::begin(1).put(b"a", b"v", (1 << 63) - 1).bytes;
    let disk = SimDisk::from_files([(segment_path(1), bytes)]).unwrap();
    let store = open(&disk, options()).unwrap();
    let refused = store.put(b"b", b"acknowledged");
    assert!(matches!(refused, Err(Error::ReadOnly { .. })), "{refused:?}");
    assert!(matches!(store.delete(b"a"), Err(Error::ReadOnly { .. })));
    store.close().unwrap();
    let store = open(&disk, options()).unwrap();
    assert_eq!((shown(&store, b"a"), shown(&store, b"b")), (certain("v"), ABSENT));
    assert_eq!(store.findings(), []);
}
