//! A directory of files, as a crash, another program or somebody with a hex editor left it: opened for reading, then for
//! writing, written to, and opened again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use logkv::disk::Disk;
use logkv::disk::sim::{Image, SimDisk};
use logkv::format::{FormatKind, MergeFile, MergePart, merge_file};
use logkv::store::{Mode, Recovery, Store};
use logkv::{Error, Options};

use super::look::{self, Trust};
use super::segment::sealed;

const DIR: &str = "data";
/// The key that is put.
const WRITTEN: &[u8] = b"written";

const NATIVE: &[&str] =
    &["0000000001.data", "0000000001.hint", "0000000002.data", "0000000002.hint", "0000000003.hint", "LOCK", "MERGE"];
const RIAK: &[&str] =
    &["1.bitcask.data", "1.bitcask.hint", "2.bitcask.data", "2.bitcask.hint", "bitcask.write.lock", "version.txt"];
const GO: &[&str] = &["segment_1.log", "segment_2.log", "segment_3.log"];
const MIXED: &[&str] = &["0000000001.data", "1.bitcask.data", "segment_1.log", "notes.txt"];

/// The first byte chooses the names (modulo 4), and with its other bits: 2, checksums are put right; 3, what only a later
/// version could answer for is opened all the same; 4, damage is refused. Then come the files: which name, a length of 16
/// bits (little-endian), so many bytes; the last one has what is left.
pub fn directory(input: &[u8]) {
    let Some((choice, files)) = input.split_first() else { return };
    let names = [NATIVE, RIAK, GO, MIXED][usize::from(choice & 3)];
    let disk = disk(names, files, choice & 4 != 0);
    let recovery = if choice & 16 != 0 { Recovery::Strict } else { Recovery::Tail };
    let options = || Options { inspect: choice & 8 != 0, recovery, create: true, ..look::options() };
    let before = disk.image();
    let trust = if names.iter().any(|name| has_hint(&before, name)) { Trust::Hints } else { Trust::Records };
    let read = Store::open_read_only_on(disk.reader(), Path::new(DIR), options());
    match &read {
        Ok(store) => look::at(store, trust),
        Err(e) => assert!(!e.to_string().is_empty()),
    }
    assert_eq!(disk.image(), before, "looking changes nothing");
    written(&disk, &before, trust, &options);
}

fn disk(names: &[&str], mut files: &[u8], seal: bool) -> SimDisk {
    let disk = SimDisk::new();
    disk.insert_dir(DIR).unwrap();
    while let [name, low, high, rest @ ..] = files {
        let len = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (bytes, more) = rest.split_at(len);
        let name = names[usize::from(*name) % names.len()];
        let mut bytes = bytes.to_vec();
        if seal {
            sealed(name, &mut bytes);
        }
        disk.insert(Path::new(DIR).join(name), bytes).unwrap();
        files = more;
    }
    disk
}

fn has_hint(image: &Image, name: &str) -> bool {
    name.ends_with(".hint") && image.contains_key(&Path::new(DIR).join(name))
}

/// Opened for writing, a store answers as it did for reading, takes a key, and has it after the next open; and whatever
/// was cut from the log is in the quarantine.
fn written(disk: &SimDisk, before: &Image, trust: Trust, options: &dyn Fn() -> Options) {
    let open = || Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options());
    let Ok(store) = open() else { return };
    let mut answers = self::answers(&store);
    if store.mode() == Mode::ReadOnly {
        assert!(matches!(store.put(b"k", b"v"), Err(Error::ReadOnly { .. })));
        drop(store);
        return keeps(before, &disk.image());
    }
    let written = store.put(WRITTEN, b"value");
    store.close().unwrap();
    keeps(before, &disk.image());
    // A hint with every checksum right is believed, until the segment is read for the next one: then all may be otherwise.
    let store = match open() {
        Ok(store) => store,
        Err(e) => return assert!(trust == Trust::Hints, "what was opened for writing is opened again, but: {e}"),
    };
    let mut again = self::answers(&store);
    if written.is_ok() {
        assert_eq!(again.get(WRITTEN), Some(&Some(b"value".to_vec())));
    }
    if trust == Trust::Records {
        again.remove(WRITTEN);
        answers.remove(WRITTEN);
        assert_eq!(again, answers, "a second open answers like the first");
    }
}

type Answers = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Each key with its value, or without one where it could not be read.
fn answers(store: &Store) -> Answers {
    let value = |key: &[u8]| store.get(key).ok().and_then(logkv::store::Answer::into_value);
    store.scan(b"").map(|(key, _)| (key.to_vec(), value(&key))).collect()
}

/// Promise 4: a data file is still there, as long as it was or with its end in the quarantine; zeros may go, and so may
/// what a merge that was decided names.
fn keeps(before: &Image, after: &Image) {
    let merged = merged(before);
    let kept = |path: &PathBuf| path.extension().is_some_and(|end| end == "data") && !merged.contains(path);
    for (path, bytes) in before.iter().filter(|(path, _)| kept(path)) {
        let now = after.get(path).unwrap_or_else(|| panic!("{} is gone", path.display()));
        let kept = now.len().min(bytes.len());
        if bytes[..kept] == now[..kept] && kept == bytes.len() {
            continue;
        }
        let common = bytes.iter().zip(now).take_while(|(a, b)| a == b).count();
        let saved = |cut: &[u8]| {
            after.iter().any(|(path, bytes)| path.to_string_lossy().contains("quarantine") && bytes == cut)
        };
        let cut_at = (0..=common).rev().find(|at| saved(&bytes[*at..]));
        assert!(cut_at.is_some() || bytes[common..].iter().all(|byte| *byte == 0), "{} lost bytes", path.display());
    }
}

fn merged(before: &Image) -> Vec<PathBuf> {
    let merge = before.iter().find(|(path, _)| path.ends_with(merge_file::NAME));
    let merge = merge.and_then(|(_, bytes)| MergeFile::decode(bytes).ok()).unwrap_or_default();
    let name = |part: &MergePart| FormatKind::Native.format().segment_name(part.id);
    let parts = merge.inputs.iter().chain(&merge.outputs);
    before.keys().filter(|path| parts.clone().any(|part| path.ends_with(name(part)))).cloned().collect()
}
