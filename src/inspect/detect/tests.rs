//! Detection, on real directories and on ones made up here.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::sync::Arc;

use super::*;
use crate::disk::{ReadFile, RealDisk};
use crate::format::Origin;
use crate::format::record::encode_file_header;

/// The machine's files, except that one directory cannot be listed.
#[derive(Debug, Default)]
struct TestDisk {
    refused: Option<PathBuf>,
}

impl ReadDisk for TestDisk {
    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        if self.refused.as_deref() == Some(dir) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        RealDisk.list(dir)
    }

    fn entry(&self, path: &Path) -> io::Result<DirEntry> {
        RealDisk.entry(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        RealDisk.open_read(path)
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn at(path: &Path) -> Detected {
    detect(&TestDisk::default(), path).unwrap()
}

/// A directory of empty files; a name that ends in `/` makes a directory.
fn dir_of(names: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in names {
        let path = dir.path().join(name);
        fs::create_dir_all(if name.ends_with('/') { &path } else { path.parent().unwrap() }).unwrap();
        if !name.ends_with('/') {
            fs::write(path, b"").unwrap();
        }
    }
    dir
}

fn other(found: Detected) -> String {
    let Detected::Other(reason) = found else { panic!("{found:?}") };
    reason
}

#[test]
fn real_directories_are_known_by_their_format() {
    assert_eq!(at(&fixture("riak/riak-multi")), Detected::Store(FormatKind::Riak));
    assert_eq!(at(&fixture("riak/riak-open-crash")), Detected::Store(FormatKind::Riak));
    assert_eq!(at(&fixture("logkv-go/logkv-edge")), Detected::Store(FormatKind::LogkvGo));
}

#[test]
fn a_riak_data_root_lists_its_partitions_in_numeric_order() {
    let Detected::Root(found) = at(&fixture("riak-node")) else { panic!() };
    let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "0",
            "365375409332725729550921208179070754913983135744",
            "753586781748746817198774991869333432010090217472",
            "1141798154164767904846628775559596109106197299200",
            "1438665674247607560106752257205091097473808596992"
        ]
    );
}

#[test]
fn a_partition_that_was_never_written_is_a_member_all_the_same() {
    let dir =
        dir_of(&["b/1.bitcask.data", "9/version.txt", "10/1.bitcask.data", "a/notes.txt", "quarantine/1.bitcask.data"]);
    let expected = ["9", "10", "b"].map(|name| dir.path().join(name)).to_vec();
    assert_eq!(at(dir.path()), Detected::Root(expected));
}

#[test]
fn a_member_that_cannot_be_listed_is_no_silent_omission() {
    let dir = dir_of(&["1/1.bitcask.data", "2/1.bitcask.data", "3/a.txt"]);
    let refuse = |name: &str| TestDisk { refused: Some(dir.path().join(name)) };
    assert!(matches!(detect(&refuse("2"), dir.path()), Err(Error::Io { path, .. }) if path.ends_with("2")));
    // Where nothing else is a store, a locked subdirectory is none of our business.
    fs::remove_file(dir.path().join("1/1.bitcask.data")).unwrap();
    assert!(other(detect(&refuse("2"), dir.path()).unwrap()).contains("3 directories (1, 2, 3)"));
}

#[test]
fn segments_of_two_formats_are_mixed_and_foreign_files_do_not_matter() {
    let dir = dir_of(&["1.bitcask.data", "1.bak.data", "notes.old.data", "a.txt", "sub/"]);
    assert_eq!(at(dir.path()), Detected::Store(FormatKind::Riak));
    fs::write(dir.path().join("0000000001.data"), b"").unwrap();
    assert_eq!(at(dir.path()), Detected::Mixed(vec![FormatKind::Native, FormatKind::Riak]));
}

#[test]
fn a_native_directory_without_segments_is_empty_unless_a_hint_remembers_one() {
    assert_eq!(at(dir_of(&[]).path()), Detected::Empty);
    assert_eq!(at(dir_of(&["LOCK", "KEYDIR", "0000000001.data.tmp", "quarantine/a"]).path()), Detected::Empty);
    assert_eq!(at(dir_of(&["LOCK", "0000000001.hint"]).path()), Detected::Store(FormatKind::Native));
}

#[test]
fn a_riak_directory_without_data_files_is_a_riak_store_without_keys() {
    assert_eq!(at(dir_of(&["version.txt"]).path()), Detected::Store(FormatKind::Riak));
    assert_eq!(at(dir_of(&["version.txt", "3.bitcask.hint"]).path()), Detected::Store(FormatKind::Riak));
}

#[test]
fn anything_else_is_named() {
    let dir = dir_of(&["d.txt", "LOCK", "c\u{1b}[31m.txt", "sub/x", "b.txt"]);
    symlink("b.txt", dir.path().join("0000000001.data")).unwrap();
    let reason = other(at(dir.path()));
    assert!(reason.starts_with("it holds no segment, but 4 other files (LOCK, b.txt, "), "{reason}");
    assert!(reason.contains(", …) and 1 directory (sub) and 1 link or special file (0000000001.data); --create"));
}

#[test]
fn missing_paths_are_missing() {
    assert_eq!(at(&fixture("riak/riak-none")), Detected::Missing);
}

#[test]
fn a_link_to_a_directory_is_followed_and_one_to_a_file_is_not() {
    let dir = dir_of(&["store/segment_1.log"]);
    symlink("store", dir.path().join("link")).unwrap();
    assert_eq!(at(&dir.path().join("link")), Detected::Store(FormatKind::LogkvGo));
    symlink("store/segment_1.log", dir.path().join("segment_1.log")).unwrap();
    assert!(other(at(&dir.path().join("segment_1.log"))).contains("without following links"));
    symlink("nowhere", dir.path().join("dangling")).unwrap();
    assert!(other(at(&dir.path().join("dangling"))).contains("symbolic link"));
}

#[test]
fn a_segment_file_is_known_by_its_name() {
    let dir = dir_of(&["0000000007.data", "12.bitcask.data", "segment_3.log", "3.bitcask.hint"]);
    let found = |name| at(&dir.path().join(name));
    assert_eq!(found("0000000007.data"), Detected::SegmentFile(FormatKind::Native, 7));
    assert_eq!(found("12.bitcask.data"), Detected::SegmentFile(FormatKind::Riak, 12));
    assert_eq!(found("segment_3.log"), Detected::SegmentFile(FormatKind::LogkvGo, 3));
    assert!(other(found("3.bitcask.hint")).contains("riak"));
}

#[test]
fn a_renamed_segment_file_is_known_by_its_first_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("copy");
    let found = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        at(&path)
    };
    let mut native = Vec::new();
    encode_file_header(9, 1, 2, Origin::Puts, &mut native);
    assert_eq!(found(&native), Detected::SegmentFile(FormatKind::Native, 9));
    native[20] ^= 1;
    assert_eq!(found(&native), Detected::SegmentFile(FormatKind::Native, 0));

    let mut riak = fs::read(fixture("riak/riak-small/1.bitcask.data")).unwrap();
    assert_eq!(found(&riak), Detected::SegmentFile(FormatKind::Riak, 0));
    riak[14] ^= 1;
    other(found(&riak));

    let go = fs::read(fixture("logkv-go/logkv-small/segment_1.log")).unwrap();
    assert_eq!(found(&go), Detected::SegmentFile(FormatKind::LogkvGo, 0));
    assert_eq!(found(&go[..12 + 10 + 67]), Detected::SegmentFile(FormatKind::LogkvGo, 0));
    other(found(&go[..12 + 10 + 66]));
    // Eight records are enough, if the last of them is whole.
    let number = |at: usize| u32::from_le_bytes(go[at..at + 4].try_into().unwrap()) as usize;
    let eight = (0..8).fold(0, |at, _| at + 12 + number(at + 4) + number(at + 8));
    assert_eq!(found(&go[..eight + 5]), Detected::SegmentFile(FormatKind::LogkvGo, 0));
    other(found(&go[..eight - 1]));
}

#[test]
fn other_files_are_no_segments() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let text = "A file of text, none of whose words makes a plausible length.".repeat(9);
    let early = [&[1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0][..], b"kv"].concat();
    for bytes in [&b""[..], b"LOGKV", &[0; 4096], text.as_bytes(), &early, &[0xff; 64]] {
        fs::write(&path, bytes).unwrap();
        assert!(other(at(&path)).contains(&format!("{} bytes", bytes.len())));
    }
}

#[test]
fn a_checkpoint_is_known_by_its_name_and_under_any_other_by_its_first_bytes() {
    let dir = dir_of(&["KEYDIR"]);
    assert_eq!(at(&dir.path().join("KEYDIR")), Detected::Checkpoint);
    fs::write(dir.path().join("old.bak"), b"LOGKVKEY and more").unwrap();
    assert_eq!(at(&dir.path().join("old.bak")), Detected::Checkpoint);
}
