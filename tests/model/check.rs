//! The comparisons: all answers with the map, all figures with a walk over the files.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use logkv::Store;
use logkv::disk::Disk;
use logkv::format::Kind;
use logkv::store::scan::What;
use logkv::store::{Clock, MergeChoice, MergePlan, Merged, SegmentInfo, Severity, SyncPolicy};

use super::op::KEYS;
use super::round::{Round, Shown};
use super::support::KEPT;

/// Everything that a store shows.
pub fn listed(store: &Store) -> Shown {
    let value = |key: &[u8]| store.get(key).unwrap().into_value().expect("what is listed is there");
    store.scan(b"").map(|(key, _)| (key.to_vec(), value(&key))).collect()
}

/// Records but marks.
pub fn records(store: &Store) -> u64 {
    store.segments().iter().map(|segment| segment.records - segment.marks).sum()
}

/// The store against the map.
pub fn store(round: &Round) {
    let (store, now) = (round.store(), round.clock.now());
    let live = round.state().live(now);
    let expected: Shown = live.iter().map(|(key, value)| (key.to_vec(), value.bytes.clone())).collect();
    assert_eq!(listed(store), expected, "the listing");
    for (key, answer) in KEYS.iter().zip(store.get_many(&KEYS)) {
        let answer = answer.unwrap();
        assert!(!answer.suspect, "nothing is damaged: {:?}", store.findings());
        assert_eq!(answer.value(), live.get(key).map(|value| value.bytes.as_slice()), "{key:?}");
    }
    let stats = store.stats();
    let live_bytes: u64 = live.values().map(|value| value.len).sum();
    assert_eq!(stats.keys, live.len() as u64, "keys");
    assert_eq!(stats.live_bytes, live_bytes, "live bytes");
    assert_eq!(stats.disk_bytes, live_bytes + stats.dead_bytes + 40 * stats.segments, "bytes on disk");
    assert_eq!((stats.damaged_bytes, damage(store)), (0, 0), "nothing is wrong");
    ledger(store);
}

/// A fold shows what a listing and gets show.
fn fold(store: &Store) {
    let mut folded = Shown::new();
    let visit = |key: &[u8], _: &_, answer: logkv::Result<logkv::store::Answer>| {
        folded.insert(key.to_vec(), answer.unwrap().into_value().expect("what a view holds is there"));
        ControlFlow::Continue(())
    };
    store.fold(b"", visit).unwrap();
    assert_eq!(folded, listed(store), "the fold");
}

fn damage(store: &Store) -> usize {
    store.findings().iter().filter(|found| found.severity == Severity::Damage).count()
}

fn ledger(store: &Store) {
    let live = store.segments().into_iter().filter(|segment| segment.live_records > 0);
    let ledger: Vec<_> = live.map(|segment| (segment.id, segment.live_records, segment.live_bytes)).collect();
    assert_eq!(store.recount(), ledger, "the ledger");
}

/// Each segment's line in the ledger against its file.
pub fn files(round: &Round) {
    let store = round.store();
    fold(store);
    for segment in store.segments() {
        let (mut records, mut tombstones, mut marks) = (0, 0, 0);
        let mut walk = store.walk(segment.id, 0).unwrap();
        while let Some(item) = walk.scanner.next_item().unwrap() {
            let What::Record(record, Ok(())) = &item.what else { panic!("{item:?}") };
            records += 1;
            tombstones += u64::from(record.kind == Kind::Tombstone);
            marks += u64::from(record.kind == Kind::Mark);
        }
        let counted = (segment.records, segment.tombstones, segment.marks);
        assert_eq!(counted, (records, tombstones, marks), "the ledger of {segment:?}");
        assert!(marks == 0 || round.sync != SyncPolicy::Always, "no marks are needed under always");
    }
    let ledger: BTreeMap<_, _> = store.segments().into_iter().map(|segment| (segment.file, segment.bytes)).collect();
    let image = round.disk.image();
    let files =
        image.iter().filter(|(path, _)| path.starts_with("data") && path.extension().is_some_and(|end| end == "data"));
    let name = |path: &std::path::Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let len = |name: &str, bytes: &[u8]| match ledger.get(name).map(|len| *len as usize) {
        // Space that is reserved for what comes next.
        Some(len) if round.sync == SyncPolicy::Always && bytes.iter().skip(len).all(|byte| *byte == 0) => len,
        _ => bytes.len(),
    };
    let files: BTreeMap<_, _> = files
        .map(|(path, bytes)| {
            let name = name(path);
            let len = len(&name, bytes) as u64;
            (name, len)
        })
        .collect();
    assert_eq!(files, ledger, "the files");
    assert!(!image.keys().any(|path| path.ends_with("MERGE")), "a merge has come to its end");
}

/// The last snapshots show what they showed.
pub fn copies(round: &Round) {
    for (dest, state) in round.copies.iter().rev().take(2) {
        let disk = Disk::reader(&round.disk);
        let copy = Store::open_read_only_on(disk, dest, round.options()).unwrap();
        let found = listed(&copy);
        assert!(state.explains(&found, round.clock.now()), "{dest:?} shows {found:?}, not {state:?}");
        assert_eq!(damage(&copy), 0, "{dest:?}");
        ledger(&copy);
    }
}

/// What is left after a merge: the figures are those of the plan, and of everything only what is live.
pub fn merged(round: &Round, choice: &MergeChoice, plan: &MergePlan, merged: Option<&Merged>) {
    let segments = round.store().segments();
    let ids: Vec<_> = segments.iter().map(|segment| segment.id).collect();
    if let Some(merged) = merged {
        assert!(!merged.inputs.iter().any(|id| ids.contains(id)), "inputs are gone: {merged:?}");
        let written: u64 = segments.iter().filter(|s| merged.outputs.contains(&s.id)).map(|s| s.bytes).sum();
        assert_eq!(merged.written_bytes, written, "written bytes of {merged:?}");
    }
    if *choice != MergeChoice::All {
        let figures = merged.map(|m| (m.inputs.clone(), m.written_bytes, m.freed_bytes, m.tombstones_dropped));
        let planned = (plan.input_ids(), plan.written_bytes, plan.freed_bytes, plan.tombstones_dropped);
        assert_eq!(figures.unwrap_or_default(), planned, "the plan");
        return;
    }
    // Where records are longer than a segment, fewer bytes than the header of another output may stay dead.
    let stats = round.store().stats();
    let left = if merged.is_some() { 0 } else { 40 * stats.segments };
    assert!(stats.dead_bytes <= left, "{} dead bytes are left: {segments:?}", stats.dead_bytes);
    assert!(merged.is_none() || stats.tombstones == 0, "tombstones are left: {segments:?}");
}

/// A reader beside the store, after it has looked again.
pub fn reader(round: &Round) {
    let Some(reader) = &round.reader else { return };
    reader.refresh().unwrap();
    let (found, now) = (listed(reader), round.clock.now());
    assert!(round.states().iter().any(|state| state.explains(&found, now)), "the reader shows {found:?}");
    ledger(reader);
    if ![KEPT, SyncPolicy::Buffered].contains(&round.sync) {
        let ledger = |store: &Store| {
            // An empty one that a dead writer left is not gone on with, which only the next writer can know.
            let is_active = |segment: &SegmentInfo| segment.active && segment.records > 0;
            let plain = |segment| SegmentInfo { has_hint: false, active: is_active(&segment), ..segment };
            store.segments().into_iter().map(plain).collect::<Vec<_>>()
        };
        assert_eq!(ledger(reader), ledger(round.store()), "the reader's ledger");
    }
}
