//! Directories of every format with a file in them that is not what it should be.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use logkv::{Options, Store};
use tempfile::TempDir;

/// More than a process may have here.
pub const HUGE: u64 = 64 << 20;
/// The most that 32 bits hold.
pub const LONGEST: u64 = u32::MAX as u64;

/// A closed store with one key, `k`, in one segment.
pub fn native() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Options { create: true, ..Options::default() }).unwrap();
    store.put(b"k", b"value").unwrap();
    store.close().unwrap();
    dir
}

/// A directory of Bitcask with one key, `k`, and its hint.
pub fn riak() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut record = [&[0, 0, 0, 1][..], &1u16.to_be_bytes(), &5u32.to_be_bytes(), b"kvalue"].concat();
    record.splice(0..0, crc32fast::hash(&record).to_be_bytes());
    fs::write(dir.path().join("1.bitcask.data"), &record).unwrap();
    let size = u32::try_from(record.len()).unwrap();
    fs::write(dir.path().join("1.bitcask.hint"), riak_hint(size)).unwrap();
    dir
}

/// A hint that says that `k` is a record of this size at the start of the file. The last entry carries the checksum.
pub fn riak_hint(size: u32) -> Vec<u8> {
    let entry = [&[0, 0, 0, 1][..], &1u16.to_be_bytes(), &size.to_be_bytes(), &0u64.to_be_bytes(), b"k"].concat();
    let crc = crc32fast::hash(&entry);
    [&entry[..], &[0; 4], &0u16.to_be_bytes(), &crc.to_be_bytes(), &(u64::MAX >> 1).to_be_bytes()].concat()
}

/// A directory of logkv-store with one key, `k`.
pub fn go() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let record = [&[1, 0, 0, 0][..], &1u32.to_le_bytes(), &5u32.to_le_bytes(), b"kvalue"].concat();
    fs::write(dir.path().join("segment_1.log"), record).unwrap();
    dir
}

pub fn write_at(path: &Path, offset: u64, bytes: &[u8]) {
    File::options().write(true).open(path).unwrap().write_all_at(bytes, offset).unwrap();
}

/// Makes the file as long as that, with zeros that take no space.
pub fn stretch(path: &Path, len: u64) {
    File::options().create(true).append(true).open(path).unwrap().set_len(len).unwrap();
}

/// The first record of a native segment claims a value of so many bytes; its header checksum is right. Its hint goes, so that
/// the record is read.
pub fn claim_native_value(dir: &TempDir, len: u64) {
    const RECORD: usize = 40;
    let path = dir.path().join("0000000001.data");
    let mut bytes = fs::read(&path).unwrap();
    bytes[RECORD + 12..RECORD + 16].copy_from_slice(&u32::try_from(len).unwrap().to_le_bytes());
    let mut crc = crc32fast::Hasher::new();
    crc.update(&bytes[16..20]);
    crc.update(&(RECORD as u64).to_le_bytes());
    crc.update(&bytes[RECORD + 4..RECORD + 25]);
    bytes[RECORD..RECORD + 4].copy_from_slice(&crc.finalize().to_le_bytes());
    fs::write(&path, bytes).unwrap();
    fs::remove_file(path.with_extension("hint")).unwrap();
}
