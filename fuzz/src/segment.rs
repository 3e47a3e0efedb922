//! One segment file of any layout, as somebody may hand it to us: opened by itself and looked at from every side.

use std::path::Path;

use logkv::disk::Disk;
use logkv::disk::sim::SimDisk;
use logkv::inspect;

use super::look::{self, Trust};
use super::seal;

const NAMES: [&str; 4] = ["0000000001.data", "1.bitcask.data", "segment_1.log", "found.bin"];

/// The first byte says by which name the rest goes (modulo 4; `found.bin` says nothing, so the bytes must), and with bit
/// 2 that its checksums are put right.
pub fn file(input: &[u8]) {
    let Some((choice, bytes)) = input.split_first() else { return };
    let name = NAMES[usize::from(choice & 3)];
    let mut bytes = bytes.to_vec();
    if choice & 4 != 0 {
        sealed(name, &mut bytes);
    }
    let disk = SimDisk::from_files([(name, bytes)]).unwrap();
    match inspect::open_file(disk.reader(), Path::new(name), look::options()) {
        Ok((store, id)) => {
            assert!(store.segments().iter().all(|segment| segment.id == id));
            look::at(&store, Trust::Records);
        }
        Err(e) => assert!(name == "found.bin", "the name says what it is, but: {e}"),
    }
}

/// Puts the checksums of a file of this name right.
pub fn sealed(name: &str, bytes: &mut [u8]) {
    if name.ends_with(".bitcask.data") {
        seal::riak_segment(bytes);
    } else if name.ends_with(".bitcask.hint") {
        seal::riak_hint(bytes);
    } else if name.ends_with(".hint") {
        seal::native_hint(bytes);
    } else if name == "MERGE" {
        seal::merge_file(bytes);
    } else if !name.ends_with(".log") {
        seal::native_segment(bytes);
    }
}
