//! The file that holds a keydir: as it is, and with the checksums of its head right.

use std::path::Path;

use logkv::disk::sim::SimDisk;
use logkv::format::Checkpoint;
use logkv::inspect::CheckpointFile;

use super::seal;

/// A head that decodes is encoded to the same bytes, and its images end with the file; the rows of any file fill it.
pub fn file(input: &[u8]) {
    decodes(input);
    let mut sealed = input.to_vec();
    seal::checkpoint(&mut sealed);
    decodes(&sealed);
}

fn decodes(bytes: &[u8]) {
    let len = bytes.len() as u64;
    if let Ok(checkpoint) = Checkpoint::decode(bytes, len) {
        let head = checkpoint.encode();
        assert_eq!(bytes.get(..head.len()), Some(&head[..]));
        let end = checkpoint.places().last().map_or(head.len() as u64, |(at, image)| at + image.len());
        assert_eq!(end, len);
    }
    let disk = SimDisk::from_files([("KEYDIR", bytes)]).expect("a file");
    let file = CheckpointFile::open(&disk, Path::new("KEYDIR")).expect("it can be read");
    let filled: u64 = file.rows().map(|row| row.len).sum();
    assert_eq!(filled, len);
    for row in file.rows().take(64) {
        file.anatomy(&row).expect("it can be read");
    }
}
