//! What is in a directory, and whether it is what may be there: promises 1, 2 and 4 after an end of any kind.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use logkv::disk::RealDisk;
use logkv::format::{FormatKind, MergeFile, merge_file};
use logkv::store::{Finding, Mode, Severity};
use logkv::{Options, Store};

use super::history::{End, History};
use super::play::Told;
use super::workload::{State, Workload};

/// Every file below a directory, by path.
pub type Image = BTreeMap<PathBuf, Vec<u8>>;

pub fn image(dir: &Path) -> Image {
    let mut image = Image::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            image.extend(self::image(&path));
        } else {
            image.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    image
}

/// All keys with their values, each read by itself.
pub fn contents(store: &Store, what: &str) -> State {
    let read = |key: &[u8]| {
        let answer = store.get(key).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert!(!answer.suspect, "{what}: {key:?} is suspect");
        let found = answer.found.unwrap_or_else(|| panic!("{what}: {key:?} is listed and not there"));
        (found.value, found.entry.expires_at.is_some())
    };
    store.scan(b"").map(|(key, _)| (key.to_vec(), read(&key))).collect()
}

/// Opens what a process left behind, for reading and for writing, and works on with it. Returns what is there then.
pub fn check(dir: &Path, workload: &Workload, history: &History, end: End, what: &str) -> State {
    let before = image(dir);
    let seen = for_reading(dir, workload, what);
    if let Some(seen) = &seen {
        is_allowed(seen, history, end, &format!("{what}, for reading"));
    }
    assert!(image(dir) == before, "{what}: looking changed a byte");
    let store = for_writing(dir, workload, what);
    let found = contents(&store, what);
    is_allowed(&found, history, end, what);
    assert!(seen.is_none_or(|seen| seen == found), "{what}: readers saw something else");
    nothing_is_destroyed(&before, &image(dir), what);
    ledger_is_right(&store, what);
    drop(store);
    opens_the_same_again(dir, workload, &found, what);
    goes_on(dir, workload, found, what)
}

/// Each snapshot is whole or absent, and those that were finished are there.
pub fn check_snapshots(told: &Told, what: &str) {
    for (dir, state, finished) in &told.snapshots {
        assert!(dir.exists() || !finished, "{what}: {dir:?} is gone");
        if dir.exists() {
            snapshot_is_whole(dir, state, what);
        }
    }
}

/// Every byte is as the manifest says, and the store in it is the one of that moment.
pub fn snapshot_is_whole(dir: &Path, state: &State, what: &str) {
    let checked = logkv::transfer::check(&RealDisk, dir, &mut |_, _| ControlFlow::Continue(()));
    checked.unwrap_or_else(|e| panic!("{what}: {e}"));
    let store = Store::open_read_only(dir, Options::default()).unwrap_or_else(|e| panic!("{what}: {e}"));
    let found = contents(&store, what);
    assert!(found == *state, "{what}: {dir:?}: {:?}", difference(&found, state));
}

fn is_allowed(found: &State, history: &History, end: End, what: &str) {
    let allowed = history.allowed(end);
    let differences: Vec<_> = allowed.iter().map(|state| difference(found, state)).collect();
    assert!(history.find(found, end).is_some(), "{what}: none of {} states: {differences:#?}", allowed.len());
}

/// What was found and what should have been, key by key, for messages.
fn difference(found: &State, state: &State) -> Vec<String> {
    let short = |value: Option<&(Vec<u8>, bool)>| {
        value.map(|(value, _)| (value.len(), String::from_utf8_lossy(&value[..value.len().min(24)]).into_owned()))
    };
    let keys: BTreeSet<_> = found.keys().chain(state.keys()).collect();
    let differ = keys.into_iter().filter(|key| found.get(*key) != state.get(*key));
    differ
        .map(|key| {
            let (found, state) = (short(found.get(key)), short(state.get(key)));
            format!("{}: {found:?}, not {state:?}", String::from_utf8_lossy(key))
        })
        .collect()
}

/// `None`: the process had not come as far as a directory.
fn for_reading(dir: &Path, workload: &Workload, what: &str) -> Option<State> {
    if !dir.exists() {
        return None;
    }
    let store = Store::open_read_only(dir, workload.options()).unwrap_or_else(|e| panic!("{what}: {e}"));
    no_damage(&store.findings(), what);
    Some(contents(&store, what))
}

fn for_writing(dir: &Path, workload: &Workload, what: &str) -> Store {
    let store = Store::open(dir, workload.options()).unwrap_or_else(|e| panic!("{what}: {e}"));
    no_damage(&store.findings(), what);
    assert_eq!(store.mode(), Mode::ReadWrite, "{what}: {:?}", store.findings());
    store
}

fn no_damage(findings: &[Finding], what: &str) {
    let damage: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Damage).collect();
    assert!(damage.is_empty(), "{what}: an end is no damage: {damage:?}");
}

/// Promise 4: what a segment lost is a tail, and all of it that is not zero is in the quarantine. A segment may go if a merge
/// was decided that says so.
fn nothing_is_destroyed(before: &Image, after: &Image, what: &str) {
    let in_quarantine = |path: &Path| path.to_string_lossy().contains("/quarantine/");
    let saved: Vec<_> = after.iter().filter(|(path, _)| in_quarantine(path)).map(|(_, bytes)| bytes).collect();
    let merged = merged(before);
    for (path, bytes) in before.iter().filter(|(path, _)| path.extension().is_some_and(|ext| ext == "data")) {
        let Some(now) = after.get(path) else {
            assert!(merged.contains(path.file_name().unwrap().to_str().unwrap()), "{what}: {path:?} is gone");
            continue;
        };
        let kept = now.len().min(bytes.len());
        assert!(bytes[..kept] == now[..kept], "{what}: {path:?} was rewritten");
        let cut = bytes[kept..].to_vec();
        let is_saved = cut.iter().all(|byte| *byte == 0) || saved.contains(&&cut);
        assert!(is_saved, "{what}: {} bytes of {path:?} are lost", cut.len());
    }
    let kept =
        before.iter().filter(|(path, _)| in_quarantine(path) && path.extension().is_some_and(|ext| ext != "tmp"));
    for (path, bytes) in kept {
        assert!(after.get(path) == Some(bytes), "{what}: {path:?} was set aside and is not there any more");
    }
}

/// The names of all segments of a merge that was decided: its inputs if it is to be finished, else its outputs may go.
fn merged(before: &Image) -> BTreeSet<String> {
    let decided = before.iter().find(|(path, _)| path.ends_with(merge_file::NAME));
    let merge = decided.map(|(_, bytes)| MergeFile::decode(bytes).expect("it is whole"));
    let parts = merge.into_iter().flat_map(|merge| merge.inputs.into_iter().chain(merge.outputs));
    parts.map(|part| FormatKind::Native.format().segment_name(part.id)).collect()
}

fn ledger_is_right(store: &Store, what: &str) {
    let live = store.segments().into_iter().filter(|segment| segment.live_records > 0);
    let ledger: Vec<_> = live.map(|segment| (segment.id, segment.live_records, segment.live_bytes)).collect();
    assert_eq!(store.recount(), ledger, "{what}: the ledger");
}

fn opens_the_same_again(dir: &Path, workload: &Workload, found: &State, what: &str) {
    let without_lock = |mut image: Image| {
        image.retain(|path, _| !path.ends_with("LOCK"));
        image
    };
    let settled = without_lock(image(dir));
    let store = for_writing(dir, workload, what);
    assert_eq!(&contents(&store, what), found, "{what}: the second open");
    drop(store);
    let again = without_lock(image(dir));
    assert!(settled.keys().eq(again.keys()), "{what}: {:?} became {:?}", settled.keys(), again.keys());
    assert!(settled == again, "{what}: the second open changed a byte");
}

fn goes_on(dir: &Path, workload: &Workload, mut state: State, what: &str) -> State {
    let store = for_writing(dir, workload, what);
    store.put(b"after", b"all that").unwrap();
    store.delete(b"key-1").unwrap();
    state.insert(b"after".to_vec(), (b"all that".to_vec(), false));
    state.remove(b"key-1".as_slice());
    store.close().unwrap();
    let store = for_writing(dir, workload, what);
    assert_eq!(contents(&store, what), state, "{what}: working on");
    state
}
