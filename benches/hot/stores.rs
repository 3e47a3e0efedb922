//! A store of 100,000 keys in a temporary directory: its index, its reads, its writes.

use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use logkv::store::{Batch, Order, SyncPolicy};
use logkv::{Options, Store};
use tempfile::TempDir;

const KEYS: u64 = 100_000;

/// Keys in one batch, one multi-get, one prefix.
const MANY: u64 = 1000;

const INTERVAL: SyncPolicy = SyncPolicy::Interval(Duration::from_secs(1));

/// Sixteen bytes; those of a thousand neighbours begin alike.
fn key(i: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&(i / MANY).to_be_bytes());
    key[8..].copy_from_slice(&i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    key
}

/// The `n`th index, each far from the one before.
fn index(n: &mut u64) -> u64 {
    *n = n.wrapping_add(618_033_988_751);
    *n % KEYS
}

fn batch(from: u64) -> Batch {
    let mut batch = Batch::new();
    (from..from + MANY).for_each(|i| batch.put(&key(i % KEYS), &[7; 100]).unwrap());
    batch
}

fn store(sync: SyncPolicy) -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("data"), Options { sync, create: true, ..Options::default() }).unwrap();
    for from in (0..KEYS).step_by(MANY as usize) {
        store.write(&batch(from)).unwrap();
    }
    store.sync().unwrap();
    (dir, store)
}

/// From files to the first answer, with the keydir's own file or from hints; closing is not timed.
#[divan::bench(args = [true, false], sample_size = 1)]
fn open(bencher: Bencher<'_, '_>, checkpoint: bool) {
    let (dir, store) = store(INTERVAL);
    store.close().unwrap();
    let dir = dir.path().join("data");
    let options = Options { checkpoint, ..Options::default() };
    bencher.counter(ItemsCount::new(KEYS)).bench_local(|| {
        let store = Store::open_read_only(&dir, options.clone()).unwrap();
        assert!(store.get(&key(KEYS / 2)).unwrap().value().is_some());
        store
    });
}

/// The keydir alone.
#[divan::bench(sample_size = 1000)]
fn entry_hit(bencher: Bencher<'_, '_>) {
    let ((_dir, store), mut n) = (store(INTERVAL), 0);
    bencher.bench_local(|| store.entry(black_box(&key(index(&mut n)))).unwrap());
}

#[divan::bench(sample_size = 1000)]
fn entry_miss(bencher: Bencher<'_, '_>) {
    let ((_dir, store), mut n) = (store(INTERVAL), 0);
    bencher.bench_local(|| assert!(store.entry(black_box(&key(KEYS + index(&mut n)))).is_none()));
}

#[divan::bench(threads = [1, 2], sample_size = 1000)]
fn get_hit(bencher: Bencher<'_, '_>) {
    let (_dir, store) = store(INTERVAL);
    let n = std::sync::atomic::AtomicU64::new(0);
    let next = || n.fetch_add(618_033_988_751, std::sync::atomic::Ordering::Relaxed) % KEYS;
    bencher.with_inputs(|| key(next())).bench_refs(|key| store.get(key).unwrap());
}

#[divan::bench(sample_size = 1000)]
fn get_miss(bencher: Bencher<'_, '_>) {
    let ((_dir, store), mut n) = (store(INTERVAL), 0);
    bencher.bench_local(|| store.get(black_box(&key(KEYS + index(&mut n)))).unwrap());
}

#[divan::bench]
fn get_many(bencher: Bencher<'_, '_>) {
    let ((_dir, store), mut n) = (store(INTERVAL), 0);
    let keys: Vec<_> = (0..MANY).map(|_| key(index(&mut n))).collect();
    let keys: Vec<&[u8]> = keys.iter().map(<[u8; 16]>::as_slice).collect();
    bencher.counter(ItemsCount::new(MANY)).bench_local(|| store.get_many(black_box(&keys)));
}

#[divan::bench(sample_size = 1000)]
fn put_interval(bencher: Bencher<'_, '_>) {
    let ((_dir, store), mut n) = (store(INTERVAL), 0);
    bencher.bench_local(|| store.put(&key(index(&mut n)), black_box(&[7; 100])).unwrap());
}

#[divan::bench(sample_size = 1000)]
fn put_buffered(bencher: Bencher<'_, '_>) {
    let ((_dir, store), mut n) = (store(SyncPolicy::Buffered), 0);
    bencher.bench_local(|| store.put(&key(index(&mut n)), black_box(&[7; 100])).unwrap());
}

#[divan::bench]
fn write_batch(bencher: Bencher<'_, '_>) {
    let ((_dir, store), batch) = (store(INTERVAL), batch(0));
    bencher.counter(ItemsCount::new(MANY)).bench_local(|| store.write(black_box(&batch)).unwrap());
}

/// Names alone, in the order that the store keeps of them.
#[divan::bench]
fn keys_in_order(bencher: Bencher<'_, '_>) {
    let (_dir, store) = store(INTERVAL);
    store.keep_order();
    assert!(matches!(store.order(Duration::from_secs(60)), Order::Kept(_)));
    bencher.counter(ItemsCount::new(KEYS)).bench_local(|| {
        let (mut keys, mut seen) = (store.keys(b""), 0);
        while let Some(key) = keys.next_key() {
            black_box(key);
            seen += 1;
        }
        assert_eq!(seen, KEYS);
    });
}

#[divan::bench]
fn scan_prefix(bencher: Bencher<'_, '_>) {
    let ((_dir, store), mut n) = (store(INTERVAL), 0);
    let prefix = |n: &mut u64| (index(n) / MANY).to_be_bytes();
    bencher.counter(ItemsCount::new(MANY)).bench_local(|| store.scan(&prefix(&mut n)).count());
}

#[divan::bench]
fn scan_all(bencher: Bencher<'_, '_>) {
    let (_dir, store) = store(INTERVAL);
    bencher.counter(ItemsCount::new(KEYS)).bench_local(|| store.scan(b"").count());
}
