//! Directories of other programs, imported: what the originals said of them is what is in the store, and it survives two
//! more moves.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use logkv::disk::sim::SimDisk;
use logkv::transfer::{self, ExportFormat, Fault, ImportNews, ImportOptions, Imported, Place, StoreReader};
use logkv::{Options, Store};

use crate::support::{fixture, go_oracle, riak_node_oracle, riak_oracle, sha256_hex};
use crate::{contents, exported, import, put_until, reader, store};

fn open(dir: &Path) -> Store {
    Store::open_read_only(dir, Options::default()).unwrap()
}

/// Imports directories, and says what was wrong with them.
fn moved(dirs: &[PathBuf]) -> (Store, Imported, Vec<Fault>) {
    let to = store(&SimDisk::new());
    let mut faults = Vec::new();
    let mut source = StoreReader::new(dirs.iter().map(|dir| open(dir)).collect());
    let bytes = source.bytes_to_read();
    let options = ImportOptions { keep_going: true, ..ImportOptions::default() };
    let imported = transfer::import(&to, &mut source, options, &mut |news| {
        if let ImportNews::Fault(fault) = news {
            faults.push(fault.clone());
        }
    });
    let imported = imported.unwrap();
    assert_eq!((imported.bytes, imported.faults), (bytes, faults.len() as u64));
    (to, imported, faults)
}

/// Value's SHA-256 by key.
fn sums(store: &Store) -> BTreeMap<Vec<u8>, String> {
    contents(store).into_iter().map(|(key, (value, _))| (key, sha256_hex(&value))).collect()
}

fn every_format_carries_it_on(from: &Store) {
    for format in [ExportFormat::Jsonl, ExportFormat::Csv] {
        let to = store(&SimDisk::new());
        import(&to, &mut *reader(&exported(from, format))).unwrap();
        assert!(contents(&to) == contents(from), "{}", format.name());
    }
    let millis = contents(from).into_iter().map(|(key, (value, at))| (key, (value, at.map(|at| at / 1000)))).collect();
    assert!(crate::resp::replayed(&exported(from, ExportFormat::Resp)) == millis);
}

#[test]
fn every_whole_directory_of_riak_is_as_bitcask_saw_it() {
    for name in ["riak-small", "riak-multi", "riak-merged", "riak-tombstones", "riak-edge", "riak-expiry", "riak-torn"]
    {
        let (to, _, faults) = moved(&[fixture("riak").join(name)]);
        assert_eq!(faults, [], "{name}");
        let oracle = riak_oracle(&fixture("riak").join(format!("{name}.oracle.jsonl")));
        // Where Bitcask lists a key and then does not find it, its value begins like a tombstone.
        let oracle = oracle.into_iter().filter_map(|line| Some((line.key, line.value.ok()?.0)));
        assert_eq!(sums(&to), oracle.collect(), "{name}");
        every_format_carries_it_on(&to);
    }
    let (to, ..) = moved(&[fixture("riak/riak-open-crash")]);
    let oracle = riak_oracle(&fixture("riak/riak-open-crash.writer.oracle.jsonl"));
    assert_eq!(sums(&to), oracle.into_iter().map(|line| (line.key, line.value.unwrap().0)).collect());
}

#[test]
fn every_directory_of_logkv_store_is_as_it_was_after_its_restart() {
    for name in ["logkv-small", "logkv-multi", "logkv-edge"] {
        let (to, _, faults) = moved(&[fixture("logkv-go").join(name)]);
        let oracle = go_oracle(&fixture("logkv-go").join(format!("{name}.oracle.jsonl")));
        // Its keys may be of any length. One that is too long for a record of ours is a fault.
        let (fits, too_long): (Vec<_>, Vec<_>) = oracle.into_iter().partition(|line| line.key.len() <= 65_535);
        let told: Vec<String> = faults.iter().map(|fault| fault.what.clone()).collect();
        let refused = |len: usize| format!("the key has {len} bytes; at most 65535 are allowed");
        assert_eq!(told, too_long.iter().map(|line| refused(line.key.len())).collect::<Vec<_>>(), "{name}");
        assert_eq!(sums(&to), fits.into_iter().map(|line| (line.key, line.value_sha256)).collect(), "{name}");
        every_format_carries_it_on(&to);
    }
}

#[test]
fn no_fixture_is_forgotten() {
    let dirs = |name: &str| {
        let entries = fs::read_dir(fixture(name)).unwrap().map(|entry| entry.unwrap());
        entries.filter(|entry| entry.path().is_dir()).count()
    };
    assert_eq!((dirs("riak"), dirs("logkv-go")), (10, 3));
}

#[test]
fn the_order_of_writing_is_kept() {
    let dir = fixture("riak/riak-multi");
    let from = open(&dir);
    let mut written: Vec<_> = from.scan(b"").map(|(key, entry)| (entry.location, key)).collect();
    written.sort();
    let (to, ..) = moved(&[dir]);
    let mut again: Vec<_> = to.scan(b"").map(|(key, entry)| (entry.tstamp, key)).collect();
    again.sort();
    let keys = |keys: Vec<_>| keys.into_iter().map(|(_, key)| key).collect::<Vec<_>>();
    assert!(written.into_iter().map(|(_, key)| key).collect::<Vec<_>>() == keys(again));
}

#[test]
fn a_damaged_record_is_told_with_its_place_and_the_rest_is_imported() {
    let (to, imported, faults) = moved(&[fixture("riak/riak-corrupt")]);
    let oracle = riak_oracle(&fixture("riak/riak-multi.oracle.jsonl"));
    let others = oracle.into_iter().filter(|line| line.key != b"user:00238");
    assert_eq!(sums(&to), others.map(|line| (line.key, line.value.unwrap().0)).collect());
    assert_eq!(imported.suspect, 0);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(matches!(faults[0].place, Place::Record { segment: 8, offset: Some(18368), .. }));
    let told = faults[0].to_string();
    assert!(
        told.contains("segment 8 of") && told.contains("at offset 18368: key user:00238: the record is damaged"),
        "{told}"
    );
}

#[test]
fn damage_that_hides_its_key_is_told_and_what_it_makes_suspect_is_counted() {
    let (to, imported, faults) = moved(&[fixture("riak/riak-badlen")]);
    let whole = riak_oracle(&fixture("riak/riak-small.oracle.jsonl"));
    let others = whole.into_iter().filter(|line| line.key != b"cart:128:items");
    assert_eq!(sums(&to), others.map(|line| (line.key, line.value.unwrap().0)).collect());
    assert!(matches!(&faults[0].place, Place::Record { segment: 1, offset: Some(9878), .. }), "{faults:?}");
    assert!(faults[0].key.is_none() && faults.len() == 1);
    assert!(imported.suspect > 0 && imported.suspect < imported.imported, "{imported:?}");
}

#[test]
fn of_the_partitions_of_a_node_each_key_comes_once_in_its_newest_version() {
    let root = fixture("riak-node");
    let dirs = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let mut dirs: Vec<PathBuf> = dirs.collect();
    dirs.sort();
    let mut newest: BTreeMap<Vec<u8>, (u64, String)> = BTreeMap::new();
    let mut versions = 0;
    for dir in &dirs {
        let name = dir.file_name().unwrap().to_str().unwrap();
        let plain = root.join(format!("{name}.plain-bitcask.oracle.jsonl"));
        let oracle = match plain.exists() {
            true => riak_oracle(&plain),
            false => riak_node_oracle(&root.join(format!("{name}.oracle.jsonl"))),
        };
        for line in oracle {
            let Ok((sum, _)) = line.value else { continue };
            versions += 1;
            let best = newest.entry(line.key).or_insert((line.tstamp, sum.clone()));
            if line.tstamp >= best.0 {
                *best = (line.tstamp, sum);
            }
        }
    }
    let (to, imported, faults) = moved(&dirs);
    assert_eq!(faults, []);
    assert_eq!(sums(&to), newest.into_iter().map(|(key, (_, sum))| (key, sum)).collect());
    assert_eq!((imported.imported, imported.imported + imported.older), (to.scan(b"").count() as u64, versions));
}

#[test]
fn of_two_versions_in_two_directories_the_newer_one_counts_wherever_it_is_named() {
    let disk = tempfile::tempdir().unwrap();
    let dirs = ["older", "newer"].map(|name| disk.path().join(name));
    for dir in &dirs {
        let store = Store::open(dir, Options { create: true, ..Options::default() }).unwrap();
        let name = dir.file_name().unwrap().as_encoded_bytes();
        store.put(b"in both", name).unwrap();
        store.put(name, b"").unwrap();
        store.close().unwrap();
    }
    for order in [[0, 1], [1, 0]] {
        let (to, imported, _) = moved(&order.map(|i| dirs[i].clone()));
        assert_eq!((imported.imported, imported.older), (3, 1));
        assert_eq!(to.get(b"in both").unwrap().value(), Some(&b"newer"[..]));
    }
}

#[test]
fn a_store_of_our_own_is_imported_with_its_expiry() {
    let disk = tempfile::tempdir().unwrap();
    let dir = disk.path().join("data");
    let from = Store::open(&dir, Options { create: true, ..Options::default() }).unwrap();
    put_until(&from, b"a", b"1", Some(u64::MAX));
    put_until(&from, b"expired", b"2", Some(1));
    from.put(b"deleted", b"3").unwrap();
    from.delete(b"deleted").unwrap();
    from.close().unwrap();
    let (to, ..) = moved(&[dir]);
    assert_eq!(contents(&to), [(b"a".to_vec(), (b"1".to_vec(), Some(u64::MAX)))].into());
}
