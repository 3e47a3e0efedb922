//! What was measured, as a table for people or one object for programs. Must not measure.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::data::KEY_BYTES;
use super::work::{Bench, Measured, Row};
use crate::cli::output::Tone;
use crate::cli::session::Session;
use crate::text;

pub(super) fn show(session: &mut Session, bench: &Bench, within: &Path, measured: &Measured) -> anyhow::Result<()> {
    if session.out.is_json() {
        return session.out.json(&Object::new(bench, within, measured));
    }
    session.out.line(&format!(
        "{} of {KEY_BYTES} B, values of {}, sync {}, {}, in {}",
        text::several(bench.keys, "key"),
        text::size(bench.value_bytes),
        bench.options.sync,
        text::several(cores(), "core"),
        text::path(within)
    ))?;
    let head = line(["", "operations", "a second", "bytes/s", "p50", "p99"].map(str::to_owned));
    let head = session.out.paint(Tone::Faint, &head);
    session.out.line(&head)?;
    for row in &measured.rows {
        session.out.line(&line(cells(row)))?;
    }
    session.out.line(&format!(
        "keydir {}, {:.1} B a key; segments {}, {:.1} B a key",
        text::size(measured.keydir_bytes),
        measured.keydir_bytes as f64 / bench.keys as f64,
        text::size(measured.disk_bytes),
        measured.disk_bytes as f64 / bench.keys as f64
    ))
}

fn cores() -> u64 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}

fn line([what, rest @ ..]: [String; 6]) -> String {
    let [operations, per_second, bytes, p50, p99] = rest;
    format!("{what:<22}{operations:>13}{per_second:>12}{bytes:>11}{p50:>11}{p99:>11}").trim_end().to_owned()
}

fn cells(row: &Row) -> [String; 6] {
    let name = match (row.work, row.threads) {
        ("get", 2..) => format!("get, {} threads", row.threads),
        ("miss", _) => "get of no such key".to_owned(),
        ("open", _) => "open, closed cleanly".to_owned(),
        ("open-hints", _) => "open from hints".to_owned(),
        (work, _) => work.to_owned(),
    };
    let whole = |figure: f64| figure.round() as u64;
    [
        name,
        text::count(row.operations),
        row.per_second.map_or_else(String::new, |rate| text::count(whole(rate))),
        row.bytes_per_second.map_or_else(String::new, |bytes| text::size(whole(bytes))),
        text::duration(row.p50),
        text::duration(row.p99),
    ]
}

#[derive(Serialize)]
struct Object {
    keys: u64,
    key_bytes: usize,
    value_bytes: u64,
    sync: String,
    compression: String,
    cores: u64,
    dir: String,
    keydir_bytes: u64,
    disk_bytes: u64,
    works: Vec<RowObject>,
}

#[derive(Serialize)]
struct RowObject {
    work: &'static str,
    threads: u64,
    operations: u64,
    per_second: Option<f64>,
    bytes_per_second: Option<f64>,
    p50: u64,
    p99: u64,
}

impl Object {
    fn new(bench: &Bench, within: &Path, measured: &Measured) -> Self {
        Self {
            keys: bench.keys,
            key_bytes: KEY_BYTES,
            value_bytes: bench.value_bytes,
            sync: bench.options.sync.to_string(),
            compression: bench.options.compression.to_string(),
            cores: cores(),
            dir: within.display().to_string(),
            keydir_bytes: measured.keydir_bytes,
            disk_bytes: measured.disk_bytes,
            works: measured.rows.iter().map(RowObject::from).collect(),
        }
    }
}

impl From<&Row> for RowObject {
    fn from(row: &Row) -> Self {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let Row { work, threads, operations, per_second, bytes_per_second, p50, p99 } = *row;
        Self { work, threads, operations, per_second, bytes_per_second, p50: nanos(p50), p99: nanos(p99) }
    }
}
