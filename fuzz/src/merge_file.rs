//! The file that commits a merge: as it is, and with its checksum right.

use logkv::format::MergeFile;

use super::seal;

/// What decodes is encoded to what decodes to the same, and names as many segments as the file has room for.
pub fn file(input: &[u8]) {
    decodes(input);
    let mut sealed = input.to_vec();
    seal::merge_file(&mut sealed);
    decodes(&sealed);
}

fn decodes(bytes: &[u8]) {
    let Ok(merge) = MergeFile::decode(bytes) else { return };
    assert_eq!(bytes.len(), 24 + 16 * (merge.inputs.len() + merge.outputs.len()) + 4);
    assert_eq!(MergeFile::decode(&merge.encode()), Ok(merge));
}
