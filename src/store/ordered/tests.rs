//! The order of the keys against a map: what scans show while everything moves, and what it costs.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::{Batch, Clock, Expiry, MergeChoice, MergeControl, Options, PutOptions};
use super::*;
use crate::disk::Disk;
use crate::disk::sim::SimDisk;

/// Some that make scans long enough to look at their keys in several goes.
const KEYS: u64 = 2_000;

#[derive(Debug, Default)]
struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// Some share long beginnings, some are beginnings of others.
    fn key(&mut self) -> Vec<u8> {
        let n = self.below(KEYS);
        match n % 4 {
            0 => format!("user:{n:06}").into_bytes(),
            1 => format!("u{n}").into_bytes(),
            2 => n.to_be_bytes()[5..].to_vec(),
            _ => vec![b'z'; (n % 700) as usize],
        }
    }
}

fn open(clock: Arc<Hand>) -> Store {
    let options = Options { create: true, seed: 1, max_segment_bytes: 64 << 10, clock, ..Options::default() };
    Store::open_on(Arc::new(SimDisk::new()), Path::new("/data"), options).unwrap()
}

fn wait_until_kept(store: &Store) -> Arc<KeyList> {
    loop {
        store.keep_order();
        if let Order::Kept(list) = store.order(Duration::from_secs(9)) {
            return list;
        }
    }
}

/// A key and its tstamp.
type Seen = (Vec<u8>, u64);

/// Keys, with tstamp and expiry.
type Map = BTreeMap<Vec<u8>, (u64, Option<u64>)>;

fn live(map: &Map, now: u64) -> Vec<Seen> {
    let is_live = |expires_at: &Option<u64>| expires_at.is_none_or(|at| at > now);
    map.iter().filter(|(_, (_, at))| is_live(at)).map(|(key, (tstamp, _))| (key.clone(), *tstamp)).collect()
}

fn shown(scan: impl Iterator<Item = (Arc<[u8]>, Entry)>) -> Vec<Seen> {
    scan.map(|(key, entry)| (key.to_vec(), entry.tstamp)).collect()
}

/// A store and the map that it should be, with scans that are still under way and what they are to show.
struct Both {
    store: Store,
    clock: Arc<Hand>,
    map: Map,
    under_way: Vec<(Scan, std::vec::IntoIter<Seen>)>,
}

impl Both {
    fn step(&mut self, random: &mut Random) {
        let Self { store, clock, map, .. } = self;
        match random.below(20) {
            0..8 => {
                let (key, now) = (random.key(), clock.now());
                let at = (random.below(5) == 0).then(|| now + random.below(50));
                let expiry = at.map_or(Expiry::Never, Expiry::At);
                let options = PutOptions { expiry, ..PutOptions::default() };
                let written = store.put_with(&key, b"value", &options).unwrap().unwrap();
                map.insert(key, (written.tstamp, at));
            }
            8..11 => {
                let key = random.key();
                store.delete(&key).unwrap();
                map.remove(&key);
            }
            11..14 => self.batch(random),
            14 => drop(clock.0.fetch_add(random.below(30), Ordering::SeqCst)),
            15 => drop(store.stats()),
            16 if random.below(8) == 0 => {
                store.merge(&MergeChoice::All, &MergeControl::default()).unwrap();
            }
            17 if random.below(40) == 0 => store.drop_order(),
            17 if random.below(10) == 0 => store.keep_order(),
            18 => self.begin(random),
            _ => self.look(random),
        }
    }

    fn batch(&mut self, random: &mut Random) {
        let mut batch = Batch::new();
        let mut puts = Vec::new();
        for _ in 0..random.below(40) {
            let key = random.key();
            match random.below(3) {
                0 => {
                    batch.delete(&key).unwrap();
                    puts.push((key, false));
                }
                _ => {
                    batch.put(&key, b"batch").unwrap();
                    puts.push((key, true));
                }
            }
        }
        self.store.write(&batch).unwrap();
        for (key, is_put) in puts {
            match is_put {
                true => {
                    let tstamp = self.store.entry(&key).map_or(0, |entry| entry.tstamp);
                    self.map.insert(key, (tstamp, None));
                }
                false => drop(self.map.remove(&key)),
            }
        }
    }

    /// Begins a scan that goes on while the store changes.
    fn begin(&mut self, random: &mut Random) {
        let prefix: &[u8] = [&b""[..], b"u", b"z"][random.below(3) as usize];
        let mut expected = live(&self.map, self.clock.now());
        expected.retain(|(key, _)| key.starts_with(prefix));
        self.under_way.push((self.store.scan(prefix), expected.into_iter()));
        if self.under_way.len() > 3 {
            self.end();
        }
    }

    fn end(&mut self) {
        let (scan, expected) = self.under_way.remove(0);
        assert_eq!(shown(scan), expected.collect::<Vec<_>>(), "as of the moment when it began");
    }

    /// Goes a little on with a scan, or looks at a range.
    fn look(&mut self, random: &mut Random) {
        if let Some((scan, expected)) = self.under_way.first_mut() {
            let count = random.below(600) as usize;
            assert_eq!(shown(scan.by_ref().take(count)), expected.by_ref().take(count).collect::<Vec<_>>());
        }
        let (mut a, mut b) = (random.key(), random.key());
        if a > b {
            (a, b) = (b, a);
        }
        let range = match random.below(3) {
            0 => (Bound::Included(&a[..]), Bound::Excluded(&b[..])),
            1 => (Bound::Excluded(&a[..]), Bound::Included(&b[..])),
            _ => (Bound::Unbounded, Bound::Included(&b[..])),
        };
        if a == b {
            return;
        }
        let mut expected = live(&self.map, self.clock.now());
        expected.retain(|(key, _)| std::ops::RangeBounds::<[u8]>::contains(&range, key.as_slice()));
        assert_eq!(shown(self.store.range(range)), expected);
    }
}

#[test]
fn scans_show_what_a_map_did_when_they_began_however_much_moves_since() {
    for seed in 1..5 {
        let clock = Arc::new(Hand(AtomicU64::new(1_000_000)));
        let store = open(Arc::clone(&clock));
        let mut both = Both { store, clock, map: Map::new(), under_way: Vec::new() };
        let mut random = Random(seed);
        if seed % 2 == 0 {
            wait_until_kept(&both.store);
        }
        for _ in 0..6_000 {
            both.step(&mut random);
        }
        while !both.under_way.is_empty() {
            both.end();
        }
        let expected = live(&both.map, both.clock.now());
        let listed: Vec<Vec<u8>> = both.store.keys(b"").map(|key| key.to_vec()).collect();
        let list = wait_until_kept(&both.store);
        let mut walk = list.walk(0);
        let keys: Vec<Vec<u8>> = std::iter::from_fn(|| walk.next().map(<[u8]>::to_vec)).collect();
        assert_eq!(keys, expected.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(listed, keys);
    }
}

/// A batch puts or deletes the same numbers under two prefixes, so that whoever sees one without the other saw half of it.
#[test]
fn a_scan_beside_writers_shows_no_half_of_a_batch() {
    for kept in [true, false] {
        let store = open(Arc::default());
        if kept {
            wait_until_kept(&store);
        }
        let done = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for writer in 0..2 {
                let (store, done) = (&store, &done);
                scope.spawn(move || {
                    let mut random = Random(writer + 1);
                    for _ in 0..400 {
                        let mut batch = Batch::new();
                        for _ in 0..20 {
                            // Each writer has numbers of its own.
                            let n = random.below(600) * 2 + writer;
                            let is_put = random.below(3) > 0;
                            for side in ["a", "b"] {
                                let key = format!("{side}{n:05}").into_bytes();
                                match is_put {
                                    true => batch.put(&key, &n.to_le_bytes()).unwrap(),
                                    false => batch.delete(&key).unwrap(),
                                }
                            }
                        }
                        store.write(&batch).unwrap();
                        store.put(format!("c{}", random.below(99)).as_bytes(), b"").unwrap();
                    }
                    done.fetch_add(1, Ordering::SeqCst);
                });
            }
            while done.load(Ordering::SeqCst) < 2 {
                let keys: Vec<String> =
                    store.scan(b"").map(|(key, _)| String::from_utf8_lossy(&key).into_owned()).collect();
                assert!(keys.is_sorted_by(|a, b| a < b));
                let of = |side: char| keys.iter().filter_map(move |key| key.strip_prefix(side)).collect::<Vec<_>>();
                assert_eq!(of('a'), of('b'), "kept: {kept}");
            }
        });
        assert_eq!(matches!(store.order(Duration::ZERO), Order::Absent), !kept);
    }
}

fn numbered(keys: u64) -> Store {
    let store = open(Arc::default());
    let mut batch = Batch::new();
    (0..keys).for_each(|n| batch.put(format!("user:{n:08}").as_bytes(), b"").unwrap());
    store.write(&batch).unwrap();
    store
}

#[test]
fn the_second_range_has_the_order_made_and_dropping_it_gives_its_memory_back() {
    let store = numbered(FEW_KEYS);
    assert_eq!(store.scan(b"user:0000").count(), FEW_KEYS as usize);
    assert!(matches!(store.order(Duration::ZERO), Order::Absent));
    assert_eq!(store.scan(b"user:000010").count(), 100);
    let Order::Kept(list) = store.order(Duration::from_secs(9)) else { panic!("it is made") };
    assert_eq!((list.len() as u64, list.get(7)), (FEW_KEYS, Some(b"user:00000007".to_vec())));
    let bytes = store.order_bytes();
    assert!(bytes >= list.bytes() as u64 && bytes < FEW_KEYS * 5, "{bytes}");
    store.drop_order();
    assert!(matches!(store.order(Duration::ZERO), Order::Absent));
    assert_eq!(store.order_bytes(), 0);
    assert_eq!(store.scan(b"user:000010").count(), 100);
    assert!(matches!(store.order(Duration::ZERO), Order::Absent), "the first one from here on");
}

#[test]
fn an_order_that_nobody_asks_for_is_given_up_when_much_moves() {
    let store = numbered(FEW_KEYS);
    let list = wait_until_kept(&store);
    for n in 0..100 {
        store.put(format!("new {n}").as_bytes(), b"").unwrap();
    }
    let noted = store.order_bytes();
    assert!(noted > list.bytes() as u64, "notes are counted");
    let mut batch = Batch::new();
    (0..FEW_CHANGES * 2).for_each(|n| batch.put(format!("more {n}").as_bytes(), b"").unwrap());
    store.write(&batch).unwrap();
    assert!(matches!(store.order(Duration::ZERO), Order::Absent));
    assert_eq!(store.scan(b"").count() as u64, store.stats().keys);
    assert_eq!(wait_until_kept(&store).len() as u64, store.stats().keys);
}

#[test]
fn overwriting_notes_nothing_and_a_long_scan_keeps_what_it_still_needs() {
    let store = numbered(FEW_KEYS);
    let before = wait_until_kept(&store).bytes() as u64;
    let overwrite = || {
        for n in 0..FEW_KEYS {
            store.put(format!("user:{n:08}").as_bytes(), b"").unwrap();
        }
    };
    overwrite();
    assert_eq!(store.order_bytes(), before);
    let mut scan = store.scan(b"");
    assert_eq!(scan.by_ref().take(1_000).count(), 1_000);
    overwrite();
    assert!(store.order_bytes() > before);
    let newest = |scan: &mut Scan| scan.map(|(_, entry)| entry.tstamp).max();
    let last = store.stats().last_tstamp;
    assert!(newest(&mut scan).is_some_and(|tstamp| tstamp <= last - FEW_KEYS), "as it was");
    assert_eq!(store.order_bytes(), before, "a scan that has ended holds nothing");
}

#[test]
fn a_reader_that_loads_anew_has_the_order_of_what_it_loaded() {
    let disk = SimDisk::new();
    let options = Options { create: true, seed: 1, ..Options::default() };
    let open = || Store::open_on(Arc::new(disk.clone()), Path::new("/data"), options.clone()).unwrap();
    let store = open();
    store.put(b"a", b"1").unwrap();
    store.put(b"b", b"2").unwrap();
    let reader = Store::open_read_only_on(disk.reader(), Path::new("/data"), options.clone()).unwrap();
    assert_eq!(wait_until_kept(&reader).len(), 2);
    store.delete(b"a").unwrap();
    store.put(b"c", b"3").unwrap();
    reader.refresh().unwrap();
    let keys = |reader: &Store| reader.scan(b"").map(|(key, _)| key.to_vec()).collect::<Vec<_>>();
    assert_eq!(keys(&reader), [b"b", b"c"]);
    assert_eq!(wait_until_kept(&reader).len(), 2);
    store.merge(&MergeChoice::All, &MergeControl::default()).unwrap();
    store.put(b"d", b"4").unwrap();
    assert!(reader.refresh().unwrap().vanished_segments > 0);
    assert_eq!(keys(&reader), [b"b", b"c", b"d"]);
    assert_eq!(wait_until_kept(&reader).len(), 3);
}
