//! The manifest of a snapshot: which files belong to it, how long they are, and what their checksums are.
//!
//! ```text
//! logkv snapshot 1
//! created 1764120000000000
//! file 0000000001.data 67108864 9ae0daaf
//! file 0000000007.data 40960 00c0ffee
//! end 2 6f0e1122
//! ```
//!
//! Lines of text, so that a person and `crc32` can check it. The last line has the number of files and the CRC-32 of all
//! lines before it. Segments are named, and hints only where their segment is gone: a hint is made again from records.
//!
//! # Invariants
//!
//! 1. What decodes is exactly what encodes to the same bytes: one spelling, names in rising order, so none twice.
//! 2. Every name is that of a segment or a hint of the native format, and so leads nowhere but into one directory.
//! 3. It knows no files: what the names lead to is for others to check.

use crate::format::{FileRole, Format, record};

/// The name of the manifest, beside the files that it names.
pub const MANIFEST: &str = "SNAPSHOT";

/// More than the manifest of any store that can be made takes; a longer file is refused before it is read.
pub const MAX_MANIFEST_BYTES: u64 = 16 << 20;

/// No segment is as long as this.
const MAX_FILE: u64 = 1 << 32;

const FIRST: &str = "logkv snapshot 1";

/// What belongs to a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The moment that it shows: microseconds since 1970.
    pub created: u64,
    /// The files, by name.
    pub files: Vec<ManifestFile>,
}

/// One file of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFile {
    /// Its name in the directory.
    pub name: String,
    /// Its bytes.
    pub len: u64,
    /// Their CRC-32 (IEEE).
    pub crc: u32,
}

impl ManifestFile {
    /// Whether it is what is left of a segment that was gone when the snapshot was made.
    pub fn is_orphan(&self) -> bool {
        matches!(record::Native.role(&self.name), Some(FileRole::Hint(_)))
    }
}

impl Manifest {
    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.len))
    }

    /// The file of this name.
    pub fn file(&self, name: &str) -> Option<&ManifestFile> {
        self.files.iter().find(|file| file.name == name)
    }

    /// The bytes of the manifest.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = format!("{FIRST}\ncreated {}\n", self.created);
        for ManifestFile { name, len, crc } in &self.files {
            text.push_str(&format!("file {name} {len} {crc:08x}\n"));
        }
        let crc = crc32fast::hash(text.as_bytes());
        text.push_str(&format!("end {} {crc:08x}\n", self.files.len()));
        text.into_bytes()
    }

    /// Reads a manifest; otherwise says in a few words what is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(bytes).map_err(|_| "the manifest is not text")?;
        let mut lines = text.lines();
        if lines.next() != Some(FIRST) {
            return Err("the manifest does not begin with `logkv snapshot 1`");
        }
        let created = lines.next().and_then(|line| line.strip_prefix("created ")).and_then(|word| word.parse().ok());
        let mut manifest =
            Self { created: created.ok_or("the manifest does not say when it was made")?, files: Vec::new() };
        for line in lines {
            match line.strip_prefix("file ") {
                Some(words) => {
                    manifest.files.push(file(words).ok_or("a line of the manifest names no file of a store")?)
                }
                None => break,
            }
        }
        let ordered = manifest.files.is_sorted_by(|a, b| a.name < b.name);
        if !ordered {
            return Err("the manifest names its files out of order, or one twice");
        }
        // Also covers the last line, what may follow it, and every way to spell a number but one.
        if manifest.encode() != bytes { Err("the manifest's checksum is wrong") } else { Ok(manifest) }
    }
}

fn file(words: &str) -> Option<ManifestFile> {
    let mut words = words.split(' ');
    let (name, len, crc) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
    let known = matches!(record::Native.role(name), Some(FileRole::Segment(_) | FileRole::Hint(_)));
    let crc = u32::from_str_radix(crc, 16).ok()?;
    (known && len < MAX_FILE && words.next().is_none()).then(|| ManifestFile { name: name.to_owned(), len, crc })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn manifest(names: &[&str]) -> Manifest {
        let file = |name: &&str| ManifestFile { name: (*name).to_owned(), len: 40, crc: 0xdead_beef };
        Manifest { created: 17, files: names.iter().map(file).collect() }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for names in [&[][..], &["0000000001.data"], &["0000000001.data", "0000000003.hint", "4294967295.data"]] {
            let manifest = manifest(names);
            assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
        }
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_noticed() {
        let bytes = manifest(&["0000000001.data", "0000000002.data"]).encode();
        for len in 0..bytes.len() {
            assert!(Manifest::decode(&bytes[..len]).is_err(), "cut at {len}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Manifest::decode(&bytes).is_err(), "bit {bit}");
        }
        assert!(Manifest::decode(&[&bytes[..], b"more\n"].concat()).is_err());
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_no_name_even_under_a_right_checksum() {
        for name in [
            "../0000000001.data",
            "/0000000001.data",
            "sub/0000000001.data",
            "0000000001.data\0",
            "0000000001.data.tmp",
            "SNAPSHOT",
            "LOCK",
            "MERGE",
            "KEYDIR",
            "1.bitcask.data",
            "..",
            "",
        ] {
            assert!(Manifest::decode(&manifest(&[name]).encode()).is_err(), "{name}");
        }
        for names in [["0000000001.data", "0000000001.data"], ["0000000002.data", "0000000001.data"]] {
            assert!(Manifest::decode(&manifest(&names).encode()).is_err(), "{names:?}");
        }
    }

    #[test]
    fn a_length_that_no_segment_has_is_refused() {
        let mut manifest = manifest(&["0000000001.data"]);
        manifest.files[0].len = 1 << 32;
        assert!(Manifest::decode(&manifest.encode()).is_err());
    }
}
