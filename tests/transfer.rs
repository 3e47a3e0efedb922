//! What is moved is equal, wherever it is stopped: rows out of a store and into another one, through each format, from the
//! real directories of other programs, on disks that fail, fill up and stop at every operation.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "transfer/directories.rs"]
mod directories;
#[path = "transfer/interrupted.rs"]
mod interrupted;
#[path = "transfer/resp.rs"]
mod resp;
#[path = "transfer/round_trip.rs"]
mod round_trip;
mod support;

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use logkv::disk::sim::SimDisk;
use logkv::store::{Expiry, PutOptions, SyncPolicy};
use logkv::transfer::{
    self, CsvReader, ExportFormat, ImportOptions, Imported, JsonlReader, Source, Stopped, TextFormat, sniff,
};
use logkv::{Options, Store};

/// What a store holds: values with their expiry, by key.
type Contents = BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>;

/// A store on a disk in memory, as `import` opens it.
fn store(disk: &SimDisk) -> Store {
    Store::open_on(Arc::new(disk.clone()), Path::new("data"), options()).unwrap()
}

fn options() -> Options {
    Options { create: true, sync: SyncPolicy::Buffered, seed: 1, threads: 1, ..Options::default() }
}

/// A value with its expiry.
fn put_until(store: &Store, key: &[u8], value: &[u8], expires_at: Option<u64>) {
    let options = PutOptions { expiry: expires_at.map_or(Expiry::Never, Expiry::At), ..PutOptions::default() };
    store.put_with(key, value, &options).unwrap();
}

fn contents(store: &Store) -> Contents {
    let found = |key: &[u8]| {
        let found = store.get(key).unwrap().found.unwrap();
        (found.value, found.entry.expires_at)
    };
    store.scan(b"").map(|(key, _)| (key.to_vec(), found(&key))).collect()
}

fn exported(store: &Store, format: ExportFormat) -> Vec<u8> {
    let mut text = Vec::new();
    let exported = transfer::export(store, format, b"", &mut text, &mut |_| {}).unwrap();
    assert_eq!((exported.damaged, exported.exported), (0, store.scan(b"").count() as u64));
    text
}

/// A reader of the format that the text begins like, with a small buffer.
fn reader(text: &[u8]) -> Box<dyn Source + '_> {
    let name = Path::new("text");
    let from = BufReader::with_capacity(7, text);
    match sniff(text).unwrap() {
        TextFormat::Jsonl => Box::new(JsonlReader::new(from, name, 1).unwrap()),
        TextFormat::Csv => Box::new(CsvReader::new(from, name, 1).unwrap()),
    }
}

fn import(store: &Store, source: &mut dyn Source) -> Result<Imported, Box<Stopped>> {
    transfer::import(store, source, ImportOptions::default(), &mut |_| {})
}
