//! What a finding says of answers is what the store answers.

use logkv::disk::Disk;
use logkv::disk::sim::SimDisk;
use logkv::store::{Finding, FindingKind};
use logkv::{Error, Options, Store};

use super::support::{broken::DIR, fixture};
use super::{read, verified, write};

/// Segments of one record each, all with hints: `first`, `twice`, `hit`, `twice` again, `last`.
fn store() -> SimDisk {
    let disk = SimDisk::new();
    let store = write(&disk, options()).unwrap();
    for key in ["first", "twice", "hit", "twice", "last"] {
        store.put(key.as_bytes(), &[key.as_bytes(), &[b'.'; 60]].concat()).unwrap();
    }
    assert_eq!(store.segments().len(), 5);
    store.close().unwrap();
    disk
}

fn options() -> Options {
    Options { create: true, max_segment_bytes: 128, threads: 1, ..Options::default() }
}

/// How a key answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Found,
    Missing,
    FoundSuspect,
    MissingSuspect,
    Failed,
}
use How::{Failed, Found, FoundSuspect, Missing, MissingSuspect};

const KEYS: [&str; 5] = ["first", "twice", "hit", "last", "never"];
const AS_BEFORE: [How; 5] = [Found, Found, Found, Found, Missing];
/// What came before the damage, or is missing, may be wrong.
const HIDDEN: [How; 5] = [FoundSuspect, Found, MissingSuspect, Found, MissingSuspect];
const ERROR: [How; 5] = [Found, Found, Failed, Found, Missing];

fn answers(store: &Store) -> [How; 5] {
    KEYS.map(|key| match store.get(key.as_bytes()) {
        Ok(answer) => {
            let value = answer.value().map(|value| value.starts_with(key.as_bytes()));
            match (value, answer.suspect) {
                (Some(true), false) => Found,
                (Some(true), true) => FoundSuspect,
                (None, false) => Missing,
                (None, true) => MissingSuspect,
                (Some(false), _) => panic!("a wrong value"),
            }
        }
        Err(Error::Damaged { .. } | Error::Io { .. } | Error::NeedsNewer { .. }) => Failed,
        Err(e) => panic!("{e}"),
    })
}

const HIT: &str = "/data/0000000003.data";
const HINT: &str = "/data/0000000003.hint";
/// In the value of the record in [`HIT`], and in its frame.
const VALUE: u64 = (40 + 24 + 3 + 5) * 8;
const FRAME: u64 = (40 + 16) * 8;

fn found(store: &Store, kind: FindingKind) -> Finding {
    let report = verified(store);
    let found = report.findings.iter().find(|finding| finding.kind == kind);
    found.unwrap_or_else(|| panic!("no {kind:?} in {:#?}", report.findings)).clone()
}

fn case(kind: FindingKind, hurt: impl FnOnce(&SimDisk), expected: [How; 5], says: &str) {
    let disk = store();
    hurt(&disk);
    let store = read(&disk, Options { inspect: true, ..options() }).unwrap();
    let finding = found(&store, kind);
    assert_eq!(answers(&store), expected, "{kind:?}");
    assert!(finding.consequence().contains(says), "{kind:?}: {}", finding.consequence());
    assert!(!finding.advice().is_empty());
}

#[test]
fn each_finding_says_how_keys_answer_because_of_it() {
    use FindingKind::*;
    let copy = |disk: &SimDisk, from: &str, to: &str| {
        let bytes = disk.image()[std::path::Path::new(from.trim_start_matches('/'))].clone();
        disk.insert(to, bytes).unwrap();
    };
    case(DamagedRecord, |disk| disk.flip_bit(HIT, VALUE).unwrap(), ERROR, "the key answers with an error");
    case(
        DamagedRecord,
        |disk| disk.flip_bit(HIT, FRAME).unwrap(),
        ERROR,
        "keys that a hint names there answer with an",
    );
    let hidden = |disk: &SimDisk| {
        disk.delete(HINT).unwrap();
        disk.flip_bit(HIT, FRAME).unwrap();
    };
    case(DamagedRecord, hidden, HIDDEN, "without a hint, a key that is missing or has a value older");
    let superseded = |disk: &SimDisk| disk.flip_bit("/data/0000000002.data", VALUE).unwrap();
    case(DamagedRecord, superseded, AS_BEFORE, "if this is the newest version");
    case(DamagedHeader, |disk| disk.flip_bit(HIT, 8).unwrap(), HIDDEN, "is marked suspect");
    case(WrongId, |disk| copy(disk, "/data/0000000005.data", HIT), HIDDEN, "is marked suspect");
    case(MissingSegment, |disk| disk.delete(HIT).unwrap(), HIDDEN, "is marked suspect");
    case(DamagedHint, |disk| disk.flip_bit(HINT, 400).unwrap(), AS_BEFORE, "no answer changes");
    case(StaleHint, |disk| copy(disk, "/data/0000000005.hint", HINT), AS_BEFORE, "no answer changes");
    case(HintBeyondData, |disk| disk.truncate(HIT, 100).unwrap(), ERROR, "answers with an error");
    let junk = |path: &'static str| move |disk: &SimDisk| disk.insert(path, "junk").unwrap();
    case(ForeignFile, junk("/data/notes.txt"), AS_BEFORE, "no answer changes");
    case(Leftover, junk("/data/0000000009.data.tmp"), AS_BEFORE, "no answer changes");
    case(Quarantined, junk("/data/quarantine/0000000009-40-00000000.tail"), AS_BEFORE, "no answer changes");
    let torn = |disk: &SimDisk| {
        let active = "/data/0000000005.data";
        let len = disk.image()[std::path::Path::new("data/0000000005.data")].len() as u64;
        disk.truncate(active, len + 7).unwrap();
        disk.poke(active, len, b"torn").unwrap();
    };
    case(TornTail, torn, AS_BEFORE, "the records before it are served");
    let all_suspect = [FoundSuspect, FoundSuspect, FoundSuspect, FoundSuspect, MissingSuspect];
    case(UnfinishedMerge, junk("/data/MERGE"), all_suspect, "every answer is marked suspect");
    let sector = |disk: &SimDisk| disk.fail_reads_at(HIT, 70..90).unwrap();
    case(Unreadable, sector, ERROR, "keys that a hint names there answer with an error");
    let unread = |disk: &SimDisk| {
        disk.delete(HINT).unwrap();
        sector(disk);
    };
    case(Unreadable, unread, HIDDEN, "without a hint, a key that is missing or has a value older");
    let newer = |disk: &SimDisk| {
        let mut header = disk.image()[std::path::Path::new("data/0000000003.data")][..40].to_vec();
        header[8] = 2;
        let crc = crc32fast::hash(&header[..36]).to_le_bytes();
        header[36..].copy_from_slice(&crc);
        disk.poke(HIT, 0, &header).unwrap();
    };
    case(NeedsNewer, newer, [Failed; 5], "no key is answered");
}

#[test]
fn what_is_said_of_other_formats_is_so() {
    let go = Store::open_read_only(&fixture("logkv-go/go-basic"), Options::default());
    if let Ok(store) = go {
        let finding = found(&store, FindingKind::EmptyValue);
        assert!(finding.consequence().contains("answers as deleted"));
    }
}

/// Bitcask marks files for deletion by their mode.
#[cfg(unix)]
#[test]
fn a_file_that_bitcask_will_delete_is_not_served() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("riak");
    super::support::copy_dir(&fixture("riak/riak-multi"), &copy);
    let keys = || Store::open_read_only(&copy, Options::default()).unwrap().stats().keys;
    let before = keys();
    let marked = copy.join("13.bitcask.data");
    std::fs::set_permissions(&marked, std::fs::Permissions::from_mode(0o4600)).unwrap();
    let store = Store::open_read_only(&copy, Options::default()).unwrap();
    let finding = found(&store, FindingKind::PendingDelete);
    assert!(keys() != before && finding.consequence() == "none of its records is served");
}

#[test]
fn repair_refuses_what_it_never_writes() {
    let disk = SimDisk::from_real_dir(&fixture("riak/riak-multi")).unwrap();
    let disk = SimDisk::from_files(
        disk.image().into_iter().map(|(path, bytes)| (std::path::Path::new(DIR).join(path), bytes)),
    );
    let disk = disk.unwrap();
    let before = disk.image();
    for refused in [super::plan(&disk, options()), super::repair(&disk, options())] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, Error::ReadOnly { .. }) && refused.to_string().contains("import it"), "{refused}");
    }
    assert_eq!(disk.image(), before);
    let _ = disk.reader();
}
