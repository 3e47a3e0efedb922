//! `stats` and `segments`: the figures of a store and of its files. No lock, no byte changed.

use serde::Serialize;

use super::exit::Exit;
use super::session::Session;
use crate::format::SegmentId;
use crate::store::{self, SegmentInfo};
use crate::text;

/// `logkv stats`
pub(super) fn stats(session: &mut Session) -> anyhow::Result<Exit> {
    let store = session.inspect()?;
    let stats = store.stats();
    if session.out.is_json() {
        session.out.json(&StatsRow::from(&stats))?;
    } else {
        for (name, figure) in stats_lines(&stats) {
            session.out.line(&format!("{name:<14} {figure}"))?;
        }
    }
    session.warn_of_damage(&store);
    Ok(Exit::Yes)
}

fn stats_lines(stats: &store::Stats) -> [(&'static str, String); 15] {
    let last = if stats.last_tstamp == 0 { "none".into() } else { text::timestamp(stats.last_tstamp) };
    [
        ("directory", text::path(&stats.dir).to_string()),
        ("format", stats.format.to_string()),
        ("mode", stats.mode.name().into()),
        ("keys", text::count(stats.keys)),
        ("live", text::size(stats.live_bytes)),
        ("dead", format!("{} ({})", text::size(stats.dead_bytes), text::percent(stats.dead_share()))),
        ("on disk", text::size(stats.disk_bytes)),
        ("segments", text::count(stats.segments)),
        ("keydir", text::size(stats.keydir_bytes)),
        ("bytes a key", format!("{:.1}", stats.bytes_per_key())),
        ("tombstones", text::count(stats.tombstones)),
        ("expired", text::count(stats.expired)),
        ("damaged", text::size(stats.damaged_bytes)),
        ("findings", text::count(stats.findings)),
        ("last write", last),
    ]
}

#[derive(Serialize)]
struct StatsRow {
    dir: String,
    format: &'static str,
    mode: &'static str,
    keys: u64,
    live_bytes: u64,
    dead_bytes: u64,
    disk_bytes: u64,
    segments: u64,
    keydir_bytes: u64,
    bytes_per_key: f64,
    tombstones: u64,
    expired: u64,
    damaged_bytes: u64,
    findings: u64,
    last_tstamp: u64,
}

impl From<&store::Stats> for StatsRow {
    fn from(stats: &store::Stats) -> Self {
        Self {
            dir: stats.dir.display().to_string(),
            format: stats.format.name(),
            mode: stats.mode.name(),
            keys: stats.keys,
            live_bytes: stats.live_bytes,
            dead_bytes: stats.dead_bytes,
            disk_bytes: stats.disk_bytes,
            segments: stats.segments,
            keydir_bytes: stats.keydir_bytes,
            bytes_per_key: stats.bytes_per_key(),
            tombstones: stats.tombstones,
            expired: stats.expired,
            damaged_bytes: stats.damaged_bytes,
            findings: stats.findings,
            last_tstamp: stats.last_tstamp,
        }
    }
}

/// `logkv segments`
pub(super) fn segments(session: &mut Session) -> anyhow::Result<Exit> {
    let store = session.inspect()?;
    if !session.out.is_json() {
        session.out.line(
            "   id  file                  origin       size     records        live  dead  tombstones  hint  damaged",
        )?;
    }
    for info in store.segments() {
        if session.out.is_json() {
            session.out.json(&SegmentRow::from(&info))?;
        } else {
            session.out.line(&segment_line(&info))?;
        }
    }
    Ok(Exit::Yes)
}

fn segment_line(info: &SegmentInfo) -> String {
    format!(
        "{:>5}{} {:<21} {:<6} {:>10} {:>11} {:>11} {:>5} {:>11}  {:<4}  {:>7}",
        info.id,
        if info.active { '*' } else { ' ' },
        text::escape_str(&info.file).to_string(),
        info.origin.name(),
        text::size(info.bytes),
        text::count(info.records),
        text::count(info.live_records),
        text::percent(info.dead_share()),
        text::count(info.tombstones),
        if info.has_hint { "yes" } else { "no" },
        if info.damaged_bytes == 0 { "-".into() } else { text::size(info.damaged_bytes) },
    )
}

#[derive(Serialize)]
struct SegmentRow<'a> {
    id: SegmentId,
    file: &'a str,
    origin: &'static str,
    bytes: u64,
    records: u64,
    live_records: u64,
    dead_records: u64,
    tombstones: u64,
    live_bytes: u64,
    dead_bytes: u64,
    has_hint: bool,
    active: bool,
    damaged_bytes: u64,
    min_tstamp: Option<u64>,
    max_tstamp: Option<u64>,
}

impl<'a> From<&'a SegmentInfo> for SegmentRow<'a> {
    fn from(info: &'a SegmentInfo) -> Self {
        Self {
            id: info.id,
            file: &info.file,
            origin: info.origin.name(),
            bytes: info.bytes,
            records: info.records,
            live_records: info.live_records,
            dead_records: info.dead_records,
            tombstones: info.tombstones,
            live_bytes: info.live_bytes,
            dead_bytes: info.dead_bytes,
            has_hint: info.has_hint,
            active: info.active,
            damaged_bytes: info.damaged_bytes,
            min_tstamp: info.min_tstamp,
            max_tstamp: info.max_tstamp,
        }
    }
}
