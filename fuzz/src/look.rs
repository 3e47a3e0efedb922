//! What holds of every store that can be opened, whatever its files hold: the promises of `logkv::inspect`.
//!
//! Must not know: how the bytes came to be. Keeps: nothing is asserted that another program's lying hint could break,
//! unless `Trust::Records` says that there is none.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use logkv::format::{Codec, Kind};
use logkv::inspect::map::STATES;
use logkv::inspect::{self, CrcState, Reason, RecordRow, RowKind, RowState, reading};
use logkv::store::{SegmentInfo, Store};

/// Keys whose history is read; each costs a walk over everything.
const HISTORIES: usize = 4;

/// More than any file of an input.
const FILE: usize = 1 << 16;

/// What the keydir was made from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The records themselves.
    Records,
    /// Perhaps a hint, which may lie.
    Hints,
}

/// A clock that stands still: nothing expires between two looks.
#[derive(Debug)]
pub struct Still;

impl logkv::store::Clock for Still {
    fn now(&self) -> u64 {
        1_800_000_000_000_000
    }
}

/// Options under which the same bytes give the same store.
pub fn options() -> logkv::Options {
    logkv::Options { threads: 1, seed: 1, clock: std::sync::Arc::new(Still), ..logkv::Options::default() }
}

/// Looks at everything that there is to be seen, from every side, and finds the same.
pub fn at(store: &Store, trust: Trust) {
    let segments = store.segments();
    let rows: Vec<RecordRow> = segments.iter().flat_map(|segment| rows(store, segment)).collect();
    for row in &rows {
        anatomy(store, row);
        value(store, row);
    }
    for id in segments.iter().map(|segment| segment.id).chain(store.unloaded()) {
        header(store, id);
        hint(store, id);
    }
    keys(store, &rows, trust);
    histories(store, &rows, trust);
    verify(store, &segments, &rows);
    strips(store, &segments, &rows);
    let keys = store.scan(b"").count() as u64;
    assert_eq!(store.stats().keys, keys);
    let live = |segment: &SegmentInfo| (segment.id, segment.live_records, segment.live_bytes);
    let live = segments.iter().map(live).filter(|(_, records, _)| *records > 0);
    assert!(live.eq(store.recount()), "the ledger is what a recount gives");
}

/// Rows follow each other without a gap from the file's header to the end of the data, where a torn tail may follow; and
/// they are the same at each look.
fn rows(store: &Store, segment: &SegmentInfo) -> Vec<RecordRow> {
    let read = |from| inspect::records(store, segment.id, from).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    let rows = read(0);
    let mut at = store.file_header(segment.id).unwrap().len.min(segment.bytes);
    for row in &rows {
        assert_eq!((row.segment, row.offset), (segment.id, at), "rows are contiguous");
        assert!(row.len > 0 && (row.state == RowState::Torn) == (row.offset >= segment.bytes), "{row:?}");
        at += row.len;
    }
    assert!(at >= segment.bytes, "rows cover the data");
    let behind = store.bytes(segment.id, at, FILE).unwrap();
    assert!(behind.iter().all(|byte| *byte == 0), "what has no row is reserved space");
    assert_eq!(read(0), rows);
    if let Some(row) = rows.get(rows.len() / 2) {
        assert!(read(row.offset).iter().eq(&rows[rows.len() / 2..]));
        let first = inspect::records_from(store, segment.id, row.offset).unwrap().next();
        assert!(row.kind == RowKind::Gap || first.is_some_and(|first| first.unwrap() == *row));
    }
    rows
}

/// Fields are contiguous and within the file, and the checksums hold exactly if the row says so.
fn anatomy(store: &Store, row: &RecordRow) {
    let anatomy = inspect::anatomy(store, row.segment, row.offset).unwrap();
    let mut at = 0;
    for field in &anatomy.fields {
        assert_eq!(field.start, at, "fields are contiguous");
        assert_eq!(field.bytes.len() as u64, field.len.min(inspect::anatomy::SHOWN as u64));
        at += field.len;
    }
    assert_eq!(at, anatomy.len);
    for sum in &anatomy.sums {
        assert!(anatomy.offset <= sum.covers.start && sum.covers.start <= sum.covers.end);
        assert!(sum.covers.end <= anatomy.offset + anatomy.len);
    }
    let holds = anatomy.missing == 0 && anatomy.sums.iter().all(inspect::SumAnatomy::holds);
    match (row.kind, row.crc) {
        (RowKind::Record(_), CrcState::Ok | CrcState::None) => {
            assert!(holds && anatomy.len == row.len, "{row:?}\n{anatomy:?}");
        }
        (RowKind::Record(_), CrcState::Bad) => assert!(!holds, "{row:?}\n{anatomy:?}"),
        (RowKind::Gap, _) => {}
        (RowKind::Header, _) | (_, CrcState::Unread) => panic!("nobody asked for it: {row:?}"),
    }
}

/// The header has a row and fields wherever the format has one, and whoever counts finds the rows that whoever lists does.
fn header(store: &Store, id: u64) {
    let row = inspect::header_row(store, id).unwrap();
    let anatomy = inspect::file_header_anatomy(store, id).unwrap();
    assert_eq!(row.is_some(), !anatomy.fields.is_empty() || anatomy.missing > 0);
    let listed =
        inspect::records(store, id, 0).unwrap().map(|row| row.unwrap()).map(|row| row.offset..row.offset + row.len);
    assert!(listed.eq(inspect::boundaries(store, id, 0).unwrap().map(|place| place.unwrap())));
}

/// Rows of a hint follow each other from the start to the end of its file, and so do the fields of each.
fn hint(store: &Store, id: u64) {
    let Some(hint) = inspect::HintFile::open(store, id).unwrap() else { return };
    let mut at = 0;
    for row in hint.rows_from(0) {
        let row = row.unwrap();
        assert_eq!(row.offset, at, "rows are contiguous");
        let anatomy = hint.anatomy(row.part, row.offset, row.len).unwrap();
        assert_eq!(anatomy.fields.iter().map(|field| field.len).sum::<u64>(), anatomy.len);
        at += row.len;
    }
    assert_eq!(at, hint.len(), "rows fill the file");
    hint.standing(&|| false).unwrap();
}

/// The value of any put is read whole exactly if it holds, and its beginning is the beginning of that.
fn value(store: &Store, row: &RecordRow) {
    let Some(key) = row.key.as_deref().filter(|_| row.kind == RowKind::Record(Kind::Put)) else { return };
    let whole = reading::whole_value(store, key, row.segment, row.offset);
    let Ok(value) = whole else {
        assert!(row.crc == CrcState::Bad || row.codec == Some(Codec::Lz4), "{whole:?} of {row:?}");
        return;
    };
    assert!(row.crc != CrcState::Bad && row.value_len == Some(value.len() as u64), "{row:?}");
    let placed = reading::placed(store, key, row.segment, row.offset).unwrap();
    assert_eq!(placed.raw_len, value.len() as u64);
    let head = reading::window(store, &placed, 0, 16).unwrap();
    assert!(value.starts_with(&head));
}

/// The keydir points at rows of the very key, live or damaged; and every live row has its entry.
fn keys(store: &Store, rows: &[RecordRow], trust: Trust) {
    let at: BTreeMap<_, _> = rows.iter().map(|row| ((row.segment, row.offset), row)).collect();
    let mut live = rows.iter().filter(|row| row.state == RowState::Live).count();
    for (key, entry) in store.scan(b"") {
        let place = (entry.location.segment, entry.location.offset);
        let row = at.get(&place).filter(|row| row.key.as_deref() == Some(&*key));
        match row {
            Some(row) if row.state == RowState::Live => live -= 1,
            Some(row) if row.state == RowState::Damaged => assert!(store.get(&key).is_err()),
            _ => assert!(trust == Trust::Hints, "{key:?} at {place:?}: {row:?}"),
        }
        assert!(store.keydir_slot(&key).is_some_and(|slot| slot.slot < slot.slots && slot.entries <= slot.slots));
        if let Ok(answer) = store.get(&key) {
            let found = answer.found.expect("a key that is listed has a value, or an error");
            assert_eq!(found.entry, entry);
            // A hint may know of a record in the midst of what passes for another one's value: that has no row.
            let len = row.and_then(|row| row.value_len);
            assert!(len.is_none_or(|len| len == found.value.len() as u64), "{place:?}: {row:?}");
        }
    }
    assert_eq!(live, 0, "rows that are live, but not for the keydir");
    let absent = store.get(b"\0 a key that no input holds").map(|answer| answer.found);
    assert!(matches!(absent, Ok(None) | Err(logkv::Error::NeedsNewer { .. })), "{absent:?}");
}

/// A key's history is its rows, and says of the live one that it is live.
fn histories(store: &Store, rows: &[RecordRow], trust: Trust) {
    let mut keys: Vec<_> = rows.iter().filter_map(|row| row.key.as_deref()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys.into_iter().take(HISTORIES) {
        let versions = inspect::history(store, key, &mut |_, _| ControlFlow::Continue(())).unwrap();
        let count = rows.iter().filter(|row| row.key.as_deref() == Some(key)).count();
        // What a hint names of the key is taken for all that the segment has of it.
        assert!(trust == Trust::Hints || versions.len() == count, "{versions:?}");
        for version in &versions {
            assert!(version.row.key.as_deref() == Some(key));
            assert!(trust == Trust::Hints || rows.contains(&version.row), "{version:?}");
        }
        let live = versions.iter().filter(|version| version.row.state == RowState::Live);
        let said = versions.iter().filter(|version| version.reason == Reason::Live);
        assert!(trust == Trust::Hints || live.eq(said), "{versions:?}");
    }
}

/// Reading everything finds what the rows show, within the files, and the same again.
fn verify(store: &Store, segments: &[SegmentInfo], rows: &[RecordRow]) {
    let read = || inspect::verify(store, &mut |_, _| ControlFlow::Continue(())).unwrap();
    let report = read();
    let whole = |row: &&RecordRow| matches!(row.kind, RowKind::Record(_)) && row.crc != CrcState::Bad;
    assert_eq!(report.records, rows.iter().filter(whole).count() as u64);
    assert_eq!(report.segments, segments.len() as u64);
    assert_eq!(report.bytes, segments.iter().map(|segment| segment.bytes).sum::<u64>());
    assert!(report.is_damaged() || rows.iter().all(|row| row.state != RowState::Damaged));
    assert_eq!(read(), report);
}

/// A strip has each byte of the file once, whether the records were walked or the keydir was asked.
fn strips(store: &Store, segments: &[SegmentInfo], rows: &[RecordRow]) {
    let ids: Vec<_> = segments.iter().map(|segment| segment.id).collect();
    let outlines = inspect::map::outlines(store, &ids);
    for id in ids {
        let walked = inspect::map::strip(store, id, &|| false, &mut |_| {}).unwrap().expect("nobody stopped it");
        for strip in [&walked, &outlines[&id]] {
            assert_eq!(STATES.iter().map(|state| strip.bytes(*state)).sum::<u64>(), strip.len());
            assert_eq!(strip.cells(37).count(), 37);
        }
        let state = |state| rows.iter().filter(move |row| row.segment == id && row.state == state);
        for each in STATES.into_iter().filter(|each| *each != RowState::Mark) {
            assert_eq!(walked.bytes(each), state(each).map(|row| row.len).sum::<u64>());
        }
    }
}
