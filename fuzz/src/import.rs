//! Texts that rows are imported from: the same rows and faults however the text comes in pieces, agreeing with another
//! reader of JSON, and equal when they are exported and read again.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use logkv::disk::sim::SimDisk;
use logkv::store::{Expiry, PutOptions, SyncPolicy};
use logkv::transfer::{CsvReader, ExportFormat, JsonlReader, Place, Row, Source, Step, export};
use logkv::{Options, Store};
use serde_json::Value;

use super::text::printable;

/// Short enough for rows that are too long.
const LIMIT: usize = 1000;
/// The year 2100, in microseconds since 1970: nothing expires while this runs.
const LATER: u64 = 4_102_444_800_000_000;

/// Lines of JSON.
pub fn jsonl(input: &[u8]) {
    let rows = rows(input, &jsonl_reader);
    let text = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    for (line, row) in &rows {
        let line = lines[usize::try_from(*line).unwrap() - 1];
        let object: Value = match serde_json::from_slice(line) {
            Ok(object) => object,
            Err(e) if is_of_what_is_passed_over(&e.to_string()) => continue,
            Err(e) => panic!("{e}"),
        };
        for (name, bytes) in [("key", &row.key), ("value", &row.value)] {
            if let Value::String(text) = &object[name] {
                assert_eq!(text.as_bytes(), bytes);
            }
        }
        assert_eq!(object.get("expires_at").and_then(Value::as_u64), row.expires_at);
    }
    comes_back(rows);
}

/// Other fields are passed over without being built: how deep they are, and what their letters are, nobody looks at.
fn is_of_what_is_passed_over(fault: &str) -> bool {
    const OVERLOOKED: [&str; 4] =
        ["recursion limit", "invalid unicode code point", "lone leading surrogate", "unexpected end of hex escape"];
    OVERLOOKED.iter().any(|overlooked| fault.starts_with(overlooked))
}

/// CSV, by a head of its own or by one that is put before it.
pub fn csv(input: &[u8]) {
    let head: &[u8] = if input.starts_with(b"key") { b"" } else { b"key,value,key_b64,value_b64,expires_at\n" };
    comes_back(rows(&[head, input].concat(), &csv_reader));
}

fn jsonl_reader<'a>(text: &'a [u8], buffer: usize, limit: usize) -> Box<dyn Source + 'a> {
    let text = BufReader::with_capacity(buffer, text);
    Box::new(JsonlReader::with_limit(text, Path::new("text"), 1, limit).expect("memory can be read"))
}

fn csv_reader<'a>(text: &'a [u8], buffer: usize, limit: usize) -> Box<dyn Source + 'a> {
    let text = BufReader::with_capacity(buffer, text);
    Box::new(CsvReader::with_limit(text, Path::new("text"), 1, limit).expect("memory can be read"))
}

type Reader = dyn for<'a> Fn(&'a [u8], usize, usize) -> Box<dyn Source + 'a>;

/// The rows of a text by line.
fn rows(text: &[u8], reader: &Reader) -> Vec<(u64, Row)> {
    let steps = steps(&mut *reader(text, 4096, LIMIT), text.len());
    for buffer in [1, 7] {
        assert_eq!(self::steps(&mut *reader(text, buffer, LIMIT), text.len()), steps, "pieces of {buffer}");
    }
    let mut rows = Vec::new();
    let mut before = 0;
    for step in steps {
        let (Step::Row { place, .. } | Step::Fault(logkv::transfer::Fault { place, .. })) = &step;
        let Place::Line(line) = *place else { panic!("a text has lines: {place}") };
        assert!(line > before);
        before = line;
        match step {
            Step::Row { row, .. } => rows.push((line, row)),
            Step::Fault(fault) => {
                printable(&fault.to_string());
                assert!(fault.to_string().len() < 2000, "{fault}");
            }
        }
    }
    rows
}

fn steps(source: &mut dyn Source, len: usize) -> Vec<Step> {
    let steps = std::iter::from_fn(|| source.next_step().expect("memory can be read")).collect();
    assert!(source.bytes_read() <= len as u64);
    source.ignored().iter().for_each(|(name, _)| assert!(name.len() < 1000));
    steps
}

/// Put into a store, exported and read again, the rows are the same.
fn comes_back(rows: Vec<(u64, Row)>) {
    let store = store();
    let mut held: BTreeMap<Vec<u8>, Row> = BTreeMap::new();
    for (_, mut row) in rows {
        row.expires_at = row.expires_at.map(|at| at.max(LATER));
        let expiry = row.expires_at.map_or(Expiry::Never, Expiry::At);
        let options = PutOptions { expiry, ..PutOptions::default() };
        store.put_with(&row.key, &row.value, &options).expect("there is room").expect("no condition");
        held.insert(row.key.clone(), row);
    }
    let held: Vec<Row> = held.into_values().collect();
    for (format, reader) in [(ExportFormat::Jsonl, &jsonl_reader as &Reader), (ExportFormat::Csv, &csv_reader)] {
        let mut text = Vec::new();
        export(&store, format, b"", &mut text, &mut |_| {}).expect("memory can be written");
        let mut source = reader(&text, 4096, 1 << 20);
        let again = steps(&mut *source, text.len()).into_iter().map(|step| match step {
            Step::Row { row, .. } => row,
            Step::Fault(fault) => panic!("{fault}"),
        });
        assert!(again.eq(held.iter().cloned()), "{}", format.name());
    }
}

fn store() -> Store {
    let options = Options { create: true, sync: SyncPolicy::Buffered, threads: 1, seed: 1, ..Options::default() };
    Store::open_on(Arc::new(SimDisk::new()), Path::new("data"), options).expect("an empty disk")
}
