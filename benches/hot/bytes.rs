//! Bytes to records and hints and back, checksums, compression. No store, no file.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use logkv::format::record::{self, NewRecord};
use logkv::format::{Decoded, FormatKind, lz4};
use logkv::store::SyncPolicy;
use logkv::{Options, Store};

const SALT: u32 = 0x5a17;
const KEY: &[u8] = b"user:1234567890a";

/// Bytes of values: a usual one, a page, and one that no first-level cache holds.
const LENGTHS: [usize; 3] = [100, 4096, 1 << 16];

fn encoded(value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    record::encode(&NewRecord::put(KEY, value, 1), SALT, 40, &mut bytes);
    bytes
}

#[divan::bench(args = LENGTHS)]
fn encode_record(bencher: Bencher<'_, '_>, len: usize) {
    let (value, mut bytes) = (vec![7; len], Vec::with_capacity(len + 64));
    bencher.counter(BytesCount::new(len)).bench_local(|| {
        bytes.clear();
        record::encode(&NewRecord::put(KEY, black_box(&value), 1), SALT, 40, &mut bytes);
        black_box(bytes.len())
    });
}

/// With both checksums, as a get does it.
#[divan::bench(args = LENGTHS)]
fn decode_record(bencher: Bencher<'_, '_>, len: usize) {
    let (value, bytes) = (vec![7; len], encoded(&vec![7; len]));
    bencher.counter(BytesCount::new(len)).bench_local(|| {
        let Decoded::Record(record) = record::decode(SALT, 40, black_box(&bytes)) else { panic!("no record") };
        record.check_value(&value).unwrap();
    });
}

#[divan::bench]
fn decode_hint(bencher: Bencher<'_, '_>) {
    const ENTRIES: u64 = 10_000;
    let bytes = hint(ENTRIES);
    let native = FormatKind::Native.format();
    bencher.counter(ItemsCount::new(ENTRIES)).bench_local(|| {
        let hint = native.hint(black_box(&bytes)).unwrap().unwrap();
        let mut seen = 0;
        for entry in hint.entries() {
            black_box(&entry);
            seen += 1;
        }
        assert_eq!(seen, ENTRIES);
    });
}

/// The hint of a segment, as the store writes it.
fn hint(entries: u64) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { sync: SyncPolicy::Buffered, create: true, ..Options::default() };
    let store = Store::open(dir.path(), options).unwrap();
    let key = |i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes().repeat(2);
    for i in 0..entries {
        store.put(&key(i), &[7; 100]).unwrap();
    }
    store.close().unwrap();
    std::fs::read(dir.path().join("0000000001.hint")).unwrap()
}

#[divan::bench(args = LENGTHS)]
fn crc32(bencher: Bencher<'_, '_>, len: usize) {
    let bytes = vec![7; len];
    bencher.counter(BytesCount::new(len)).bench_local(|| crc32fast::hash(black_box(&bytes)));
}

/// Text that becomes about half as long.
fn text(len: usize) -> Vec<u8> {
    let words = (0_u64..).flat_map(|i| format!("{{\"id\":{},\"name\":\"Ada\"}}\n", i * 7919).into_bytes());
    words.take(len).collect()
}

#[divan::bench(args = [4096, 1 << 16])]
fn lz4_compress(bencher: Bencher<'_, '_>, len: usize) {
    let value = text(len);
    bencher.counter(BytesCount::new(len)).bench_local(|| lz4::compress(black_box(&value)).unwrap());
}

#[divan::bench(args = [4096, 1 << 16])]
fn lz4_decompress(bencher: Bencher<'_, '_>, len: usize) {
    let stored = lz4::compress(&text(len)).unwrap();
    bencher.counter(BytesCount::new(len)).bench_local(|| lz4::decompress(black_box(&stored)).unwrap());
}
