//! An archive or a snapshot that somebody hands to us: restored, it is a sound store; refused, nothing is left of it.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use logkv::disk::Disk;
use logkv::disk::sim::SimDisk;
use logkv::store::{Severity, Store};
use logkv::transfer::{self, MANIFEST, Manifest, ManifestFile, RestoreOptions};
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use tar::{EntryType, Header};

use super::look::{self, Trust};
use super::seal;

const SOURCE: &str = "source";
const TARGET: &str = "target";
/// What the simulated disk has room for: it is memory.
const ROOM: u64 = 512 << 10;

/// The first byte chooses (modulo 4) what follows: 0, an archive; 1, a tar stream that is put into a frame; 2, a manifest;
/// 3, segment files, each a length of 16 bits (little-endian) and so many bytes, which are packed with a manifest that is
/// right, and with bit 2 their checksums are put right before.
pub fn archive(input: &[u8]) {
    let Some((choice, bytes)) = input.split_first() else { return };
    match choice & 3 {
        0 => restored(bytes),
        1 => restored(&framed(bytes)),
        2 => manifest(bytes),
        _ => restored(&framed(&packed(bytes, choice & 4 != 0))),
    }
}

/// What is understood is spelled in one way.
fn manifest(bytes: &[u8]) {
    match Manifest::decode(bytes) {
        Ok(manifest) => assert_eq!(manifest.encode(), bytes),
        Err(why) => assert!(!why.is_empty()),
    }
}

fn restored(archive: &[u8]) {
    let disk = SimDisk::from_files([(SOURCE, archive)]).unwrap();
    disk.set_capacity(Some(ROOM + archive.len() as u64));
    let before = disk.image();
    let mut watch = |done: u64, total: u64| {
        assert!(done <= total);
        ControlFlow::Continue(())
    };
    let checked = transfer::check(&disk, Path::new(SOURCE), &mut watch);
    let options = RestoreOptions::default();
    match transfer::restore(&disk, Path::new(SOURCE), Path::new(TARGET), options, &mut watch) {
        Ok(made) => {
            let checked = checked.expect("what is restored passes the check");
            assert_eq!((made.segments, made.bytes, made.created), (checked.segments, checked.bytes, checked.created));
            let store = Store::open_read_only_on(disk.reader(), Path::new(TARGET), look::options()).unwrap();
            let damage = store.findings().into_iter().find(|finding| finding.severity == Severity::Damage);
            assert!(damage.is_none(), "{damage:?}");
            look::at(&store, Trust::Records);
        }
        Err(e) => {
            assert!(!e.to_string().is_empty());
            assert_eq!(disk.image(), before, "nothing is left of what is refused");
        }
    }
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    let info = FrameInfo::new()
        .block_size(BlockSize::Max256KB)
        .block_mode(BlockMode::Independent)
        .block_checksums(true)
        .content_checksum(true);
    let mut frame = FrameEncoder::with_frame_info(info, Vec::new());
    frame.write_all(bytes).unwrap();
    frame.finish().unwrap()
}

fn packed(mut files: &[u8], seal: bool) -> Vec<u8> {
    let mut manifest = Manifest::default();
    let mut entries = Vec::new();
    while let [low, high, rest @ ..] = files {
        let len = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (bytes, more) = rest.split_at(len);
        let (name, mut bytes) = (format!("{:010}.data", entries.len() + 1), bytes.to_vec());
        if seal {
            seal::native_segment(&mut bytes);
        }
        manifest.files.push(ManifestFile { name: name.clone(), len: len as u64, crc: crc32fast::hash(&bytes) });
        entries.push((name, bytes));
        files = more;
    }
    entries.insert(0, (MANIFEST.to_owned(), manifest.encode()));
    let mut tar = Vec::new();
    for (name, bytes) in entries {
        tar.extend_from_slice(header(&name, bytes.len() as u64).as_bytes());
        tar.extend_from_slice(&bytes);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

fn header(name: &str, len: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_path(name).unwrap();
    header.set_entry_type(EntryType::Regular);
    header.set_size(len);
    header.set_mode(0o600);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    header
}
