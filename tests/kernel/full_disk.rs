//! A small file system in memory that is filled to its last page: what was refused is not there, gets and what still fits
//! go on, and when there is space again so does all else.

use std::fs;
use std::path::Path;

use logkv::format::SegmentId;
use logkv::store::{MergeChoice, MergeControl, Merged};
use logkv::{Error, Options, Store};

use super::history::{End, History};
use super::look::{self, contents};
use super::runs::POLICIES;
use super::scratch::Scratch;
use super::workload::{Op, Shape, State, Workload};
use super::{allowed, alone};

const SUITE: &str = "full disk";
const BALLAST: usize = 100 << 10;
/// Space runs out where a segment is begun, and in the midst of one.
const SEGMENTS: [u64; 2] = [16 << 10, 1 << 20];

#[test]
fn a_full_disk_costs_what_was_refused_and_nothing_else() {
    match alone::with_own_mounts(false) {
        Some(words) => alone::run(words, SUITE, true),
        None => allowed::skipped(SUITE, "no file system may be mounted here"),
    }
}

pub fn run_if_asked() {
    if alone::asked_for().as_deref() != Some(SUITE) {
        return;
    }
    let scratch = Scratch::in_memory();
    let at = scratch.dir("small");
    for (sync, max_segment_bytes) in POLICIES.into_iter().flat_map(|sync| SEGMENTS.map(|bytes| (sync, bytes))) {
        alone::mount(&["-t", "tmpfs", "-o", "size=400k", "tmpfs"], &at);
        let workload = Workload { seed: 4, len: 0, shape: Shape::Large, sync };
        fs::write(at.join("ballast"), vec![0; BALLAST]).unwrap();
        let filled = Filled::new(&at.join("data"), workload, max_segment_bytes);
        filled.go(&at.join("ballast"));
        alone::unmount(&at);
    }
}

/// A store on a disk that fills up.
struct Filled {
    dir: std::path::PathBuf,
    workload: Workload,
    max_segment_bytes: u64,
    history: History,
    done: usize,
    refused: usize,
}

impl Filled {
    fn new(dir: &Path, workload: Workload, max_segment_bytes: u64) -> Self {
        let history = History::new(workload.sync, State::new());
        Self { dir: dir.to_owned(), workload, max_segment_bytes, history, done: 0, refused: 0 }
    }

    fn open(&self) -> Store {
        let options =
            Options { max_segment_bytes: self.max_segment_bytes, buffer_bytes: 8 << 10, ..self.workload.options() };
        Store::open(&self.dir, options).unwrap()
    }

    fn go(mut self, ballast: &Path) {
        let store = self.open();
        let mut i = 0;
        while self.refused < 20 {
            self.step(&store, &Op::Put(format!("key-{i}").into_bytes(), vec![i as u8; 900 + i * 37 % 800]));
            i += 1;
        }
        let (put, refused) = (self.done, self.refused);
        for key in (0..i).step_by(3) {
            self.step(&store, &Op::Delete(format!("key-{key}").into_bytes()));
        }
        let (deleted, kept) = (self.done - put, self.refused - refused);
        println!("full disk, {}: {put} puts, {refused} refused; {deleted} deletes, {kept} refused", self.workload.sync);
        self.a_merge_is_refused(&store);
        let store = self.reopened_while_full(store);
        fs::remove_file(ballast).unwrap();
        let before = self.refused;
        for key in 0..10 {
            self.step(&store, &Op::Put(format!("key-{key}").into_bytes(), vec![key; 1000]));
        }
        self.step(&store, &Op::Sync);
        assert_eq!(self.refused, before, "{}: there is space again", self.workload.sync);
        if let Some(merged) = merge(&store).unwrap() {
            assert!(merged.freed_bytes > 0, "deleted keys go: {merged:?}");
        }
        assert_eq!(&contents(&store, "merged"), self.history.current());
        store.close().unwrap();
        look::check(&self.dir, &self.workload, &self.history, End::Killed, "with space again");
    }

    fn step(&mut self, store: &Store, op: &Op) {
        self.history.asked(op);
        let outcome = match op {
            Op::Put(key, value) => store.put(key, value).map(drop),
            Op::Delete(key) => store.delete(key).map(drop),
            _ => store.sync(),
        };
        match outcome {
            Ok(()) => {
                self.history.done(op);
                self.done += 1;
            }
            Err(e) => {
                assert!(matches!(e, Error::NoSpace { .. }), "{e}");
                assert!(e.to_string().contains(self.dir.to_str().unwrap()), "{e} names no file");
                self.history.refused();
                self.refused += 1;
            }
        }
        assert_eq!(&contents(store, "full"), self.history.current(), "{}: after {op:?}", self.workload.sync);
    }

    /// Before it begins, and nothing of it is left behind.
    fn a_merge_is_refused(&self, store: &Store) {
        let names = || look::image(&self.dir).into_keys().collect::<Vec<_>>();
        let before = names();
        let Err(refused) = merge(store) else { return assert!(sealed(store).is_empty()) };
        assert!(matches!(refused, Error::NoSpace { .. }), "{refused}");
        assert_eq!(names(), before, "{refused}");
        assert_eq!(&contents(store, "not merged"), self.history.current());
    }

    /// What a buffer still held is lost with it; the rest is there, for readers too.
    fn reopened_while_full(&mut self, store: Store) -> Store {
        if let Err(e) = store.close() {
            assert!(matches!(e, Error::NoSpace { .. }), "{e}");
        }
        let reader = Store::open_read_only(&self.dir, self.workload.options()).unwrap();
        let seen = contents(&reader, "full, for reading");
        let store = self.open();
        let found = contents(&store, "full, again");
        assert_eq!(found, seen);
        let place = self.history.find(&found, End::Killed).expect("it is what was acknowledged");
        self.history.reopened(place);
        store
    }
}

/// The oldest segments, as many as there is space for when there is some.
fn sealed(store: &Store) -> Vec<SegmentId> {
    store.segments().iter().filter(|segment| !segment.active).map(|segment| segment.id).take(4).collect()
}

fn merge(store: &Store) -> logkv::Result<Option<Merged>> {
    store.merge(&MergeChoice::Segments(sealed(store)), &MergeControl::default())
}
