//! Snapshots and archives that somebody made up, or that a disk did: nothing of them becomes a store, nothing is written
//! outside, and memory and disk take no more than the archive admits to.

use std::io::Write;

use logkv::Error;
use logkv::disk::ReadDisk;
use logkv::transfer::{MANIFEST, Manifest, ManifestFile};
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use tar::{EntryType, Header};

use super::*;

fn frame_info() -> FrameInfo {
    FrameInfo::new()
        .block_size(BlockSize::Max256KB)
        .block_mode(BlockMode::Independent)
        .block_checksums(true)
        .content_checksum(true)
}

fn framed(tar: &[u8], info: FrameInfo) -> Vec<u8> {
    let mut frame = FrameEncoder::with_frame_info(info, Vec::new());
    frame.write_all(tar).unwrap();
    frame.finish().unwrap()
}

fn unframed(archive: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    std::io::Read::read_to_end(&mut FrameDecoder::new(archive), &mut tar).unwrap();
    tar
}

/// An entry of a tar stream: what it is called, its kind, the length that it claims, and its bytes.
#[derive(Clone, Debug)]
struct Entry {
    name: Vec<u8>,
    kind: EntryType,
    link: &'static str,
    len: u64,
    bytes: Vec<u8>,
}

impl Entry {
    fn file(name: &str, bytes: &[u8]) -> Self {
        let len = bytes.len() as u64;
        Self { name: name.into(), kind: EntryType::Regular, link: "", len, bytes: bytes.to_vec() }
    }
}

const CREATED: u64 = 1_700_000_000_000_000;

fn tar_of(entries: &[Entry]) -> Vec<u8> {
    let mut tar = Vec::new();
    for entry in entries {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..entry.name.len()].copy_from_slice(&entry.name);
        header.as_old_mut().linkname[..entry.link.len()].copy_from_slice(entry.link.as_bytes());
        header.set_entry_type(entry.kind);
        header.set_size(entry.len);
        header.set_mode(0o600);
        header.set_mtime(CREATED / 1_000_000);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        tar.extend_from_slice(header.as_bytes());
        tar.extend_from_slice(&entry.bytes);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// The segments of a sound store, and the manifest that names them.
fn sound() -> (Vec<Entry>, Manifest) {
    let disk = SimDisk::new();
    filled(&disk).close().unwrap();
    let mut manifest = Manifest { created: CREATED, files: Vec::new() };
    let mut entries = Vec::new();
    for name in files(&disk, DIR).into_iter().filter(|name| name.ends_with(".data")) {
        let bytes = disk.image()[&Path::new(DIR).join(&name)].clone();
        manifest.files.push(ManifestFile { name: name.clone(), len: bytes.len() as u64, crc: crc32fast::hash(&bytes) });
        entries.push(Entry::file(&name, &bytes));
    }
    (entries, manifest)
}

fn packed(manifest: &Manifest, entries: &[Entry]) -> Vec<u8> {
    let first = Entry::file(MANIFEST, &manifest.encode());
    framed(&tar_of(&[&[first], entries].concat()), frame_info())
}

/// Nothing is there afterwards that was not there before.
fn refused(archive: &[u8], what: &str) -> Error {
    let disk = SimDisk::new();
    disk.insert(ARCHIVE, archive).unwrap();
    let before = disk.image();
    let error = restore(&disk, ARCHIVE, AGAIN).err().unwrap_or_else(|| panic!("{what}: it was taken"));
    assert_eq!(disk.image(), before, "{what}");
    assert!(disk.entry(Path::new("again.logkv-partial")).is_err(), "{what}");
    assert!(transfer::check(&disk, Path::new(ARCHIVE), &mut never_stop).is_err() || what.contains("record"), "{what}");
    error
}

fn bad(archive: &[u8], what: &str) -> String {
    let error = refused(archive, what);
    assert!(matches!(error, Error::BadSnapshot { .. }), "{what}: {error}");
    error.to_string()
}

#[test]
fn what_these_tests_take_apart_is_sound() {
    let (entries, manifest) = sound();
    let disk = SimDisk::new();
    disk.insert(ARCHIVE, packed(&manifest, &entries)).unwrap();
    restore(&disk, ARCHIVE, AGAIN).unwrap();
    let other = SimDisk::new();
    let store = filled(&other);
    assert_eq!(held(&disk, AGAIN), contents(&store));
}

#[test]
fn an_archive_is_the_tar_stream_that_these_tests_make() {
    let disk = SimDisk::new();
    archive(&filled(&disk), &disk, ARCHIVE).unwrap();
    let tar = unframed(&disk.image()[Path::new(ARCHIVE)]);
    let mut manifest = Manifest::decode(&tar[512..512 + manifest_len(&tar)]).unwrap();
    let (entries, other) = sound();
    assert_eq!(manifest.files, other.files);
    manifest.created = CREATED + 500; // the same second
    let first = Entry::file(MANIFEST, &manifest.encode());
    let expected = tar_of(&[&[first], &entries[..]].concat());
    assert_eq!(expected.len(), tar.len());
    let header = |tar: &[u8]| tar[..136].to_vec();
    assert_eq!(header(&expected), header(&tar), "but for its time");
}

fn manifest_len(tar: &[u8]) -> usize {
    Header::from_byte_slice(&tar[..512]).entry_size().unwrap() as usize
}

#[test]
fn an_archive_that_is_cut_anywhere_is_refused() {
    let (entries, manifest) = sound();
    let whole = packed(&manifest, &entries);
    for len in 0..whole.len() {
        bad(&whole[..len], &format!("cut at {len} of {}", whole.len()));
    }
    bad(&[&whole[..], b"\0"].concat(), "a byte behind it");
    bad(&[&whole[..], &whole[..]].concat(), "twice");
}

#[test]
fn an_archive_with_a_flipped_bit_in_any_byte_is_refused() {
    let (entries, manifest) = sound();
    let whole = packed(&manifest, &entries);
    for at in 0..whole.len() {
        let mut archive = whole.clone();
        archive[at] ^= 1 << (at % 8);
        bad(&archive, &format!("byte {at}"));
    }
}

/// The first block is read for the manifest, the others for the files, and what was wrong with those was once taken for a
/// failure of the disk.
#[test]
fn a_flipped_bit_in_a_later_block_is_told_as_the_archives_too() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    let next = |seed: &u64| Some(seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    let noise: Vec<u8> = std::iter::successors(Some(1u64), next).map(|seed| (seed >> 56) as u8).take(600_000).collect();
    store.put(b"long", &noise).unwrap();
    archive(&store, &disk, ARCHIVE).unwrap();
    let whole = disk.image()[Path::new(ARCHIVE)].to_vec();
    assert!(whole.len() > 2 * 256 * 1024, "several blocks: {}", whole.len());
    for at in [whole.len() / 2, whole.len() - 1_000] {
        let mut archive = whole.clone();
        archive[at] ^= 1;
        let said = bad(&archive, &format!("byte {at}"));
        assert!(said.contains("do not have their checksum"), "{said}");
    }
}

/// Checksums of blocks and frame are right here: what lies behind them must hold by itself.
#[test]
fn a_tar_stream_with_any_byte_changed_or_cut_is_refused() {
    let (entries, manifest) = sound();
    let first = Entry::file(MANIFEST, &manifest.encode());
    let tar = tar_of(&[&[first], &entries[..]].concat());
    for at in 0..tar.len() {
        let mut changed = tar.clone();
        changed[at] = changed[at].wrapping_add(1);
        bad(&framed(&changed, frame_info()), &format!("byte {at}"));
    }
    for len in (0..tar.len()).step_by(64) {
        bad(&framed(&tar[..len], frame_info()), &format!("cut at {len}"));
    }
    bad(&framed(&[&tar[..], &[0; 512]].concat(), frame_info()), "more zeros at its end");
}

#[test]
fn entries_that_are_no_regular_files_or_are_called_otherwise_are_refused() {
    let (entries, manifest) = sound();
    let name = entries[1].name.clone();
    let of_kind =
        |kind: EntryType, link: &'static str| Entry { kind, link, len: 0, bytes: Vec::new(), ..entries[1].clone() };
    let called = |name: &[u8]| Entry { name: name.to_vec(), ..entries[1].clone() };
    let strange = [
        of_kind(EntryType::Symlink, "/etc/passwd"),
        of_kind(EntryType::Link, "0000000001.data"),
        of_kind(EntryType::Directory, ""),
        of_kind(EntryType::Fifo, ""),
        of_kind(EntryType::Char, ""),
        of_kind(EntryType::Block, ""),
        Entry { kind: EntryType::Symlink, link: "/etc/passwd", ..entries[1].clone() },
        Entry { kind: EntryType::GNULongName, ..entries[1].clone() },
        Entry { kind: EntryType::XHeader, ..entries[1].clone() },
        Entry { kind: EntryType::GNUSparse, ..entries[1].clone() },
        Entry { link: "elsewhere", ..entries[1].clone() },
        called(&[b"../", &name[..]].concat()),
        called(&[b"/", &name[..]].concat()),
        called(&[b"./", &name[..]].concat()),
        called(&[b"sub/", &name[..]].concat()),
        called(&[&name[..], b"\0x"].concat()),
        called(b"LOCK"),
        called(b"MERGE"),
        called(b""),
    ];
    for entry in strange {
        let mut changed = entries.clone();
        changed[1] = entry.clone();
        bad(&packed(&manifest, &changed), &format!("{entry:?}"));
        let mut added = entries.clone();
        added.insert(1, entry.clone());
        bad(&packed(&manifest, &added), &format!("one more: {entry:?}"));
    }
}

#[test]
fn entries_that_are_missing_twice_there_or_in_another_order_are_refused() {
    let (entries, manifest) = sound();
    let mut reordered = entries.clone();
    reordered.swap(0, 1);
    let doubled = [&entries[..], &entries[..1]].concat();
    for (what, entries) in
        [("reordered", &reordered[..]), ("doubled", &doubled), ("missing", &entries[1..]), ("none", &[])]
    {
        bad(&packed(&manifest, entries), what);
    }
    let tar = tar_of(&entries);
    assert!(bad(&framed(&tar, frame_info()), "no manifest").contains("manifest"));
}

#[test]
fn lengths_that_do_not_match_are_refused_before_anything_that_long_is_written() {
    let (entries, manifest) = sound();
    for len in [0, 1, entries[0].len - 1, entries[0].len + 1, 1 << 20, 1 << 33, u64::MAX] {
        let mut changed = entries.clone();
        changed[0].len = len;
        bad(&packed(&manifest, &changed), &format!("an entry of {len}"));
        let mut told = manifest.clone();
        told.files[0].len = len;
        bad(&packed(&told, &entries), &format!("a manifest of {len}"));
    }
    let mut long = Entry::file(MANIFEST, &manifest.encode());
    long.len = transfer::MAX_MANIFEST_BYTES + 1;
    bad(&framed(&tar_of(&[long]), frame_info()), "a long manifest");
}

/// A small archive of a huge file: no more is written than fits, and nothing is left.
#[test]
fn a_bomb_fills_neither_disk_nor_memory() {
    let len = 8 << 20;
    let zeros = Entry::file("0000000001.data", &vec![0; len]);
    let files =
        vec![ManifestFile { name: "0000000001.data".into(), len: len as u64, crc: crc32fast::hash(&zeros.bytes) }];
    let archive = packed(&Manifest { created: CREATED, files }, &[zeros]);
    assert!(archive.len() * 100 < len, "{}", archive.len());
    let disk = SimDisk::new();
    disk.insert(ARCHIVE, archive.clone()).unwrap();
    disk.set_capacity(Some(4 << 20));
    let ops = disk.ops();
    assert!(matches!(restore(&disk, ARCHIVE, AGAIN), Err(Error::NoSpace { .. })));
    assert_eq!(disk.ops(), ops, "what it admits to is compared with what is free");
    assert!(bad(&archive, "no record is in it").contains("damaged at offset 0"));
}

/// The frames of other programs have blocks of up to 8 MiB, two of which are held in memory.
#[test]
fn other_kinds_of_frames_are_refused() {
    let (entries, manifest) = sound();
    let tar = unframed(&packed(&manifest, &entries));
    let info = frame_info;
    for other in [
        info().block_size(BlockSize::Max8MB),
        info().block_mode(BlockMode::Linked),
        info().block_checksums(false),
        info().content_checksum(false),
        info().content_size(Some(tar.len() as u64)),
    ] {
        assert!(bad(&framed(&tar, other), "another frame").contains("does not begin like an archive"));
    }
    for junk in [&b""[..], b"x", b"\x02\x21\x4c\x18", b"\x04\x22\x4d\x18", &[0; 4096]] {
        bad(junk, "junk");
    }
}

#[test]
fn records_that_do_not_hold_are_refused_though_every_checksum_of_files_is_right() {
    let (mut entries, mut manifest) = sound();
    let at = entries[1].bytes.len() / 2;
    entries[1].bytes[at] ^= 1;
    manifest.files[1].crc = crc32fast::hash(&entries[1].bytes);
    assert!(bad(&packed(&manifest, &entries), "a damaged record").contains("0000000002.data is damaged at offset"));
    let (mut entries, mut manifest) = sound();
    let other = entries[0].bytes.clone();
    (manifest.files[1].len, manifest.files[1].crc) = (other.len() as u64, crc32fast::hash(&other));
    entries[1] = Entry::file("0000000002.data", &other);
    assert!(bad(&packed(&manifest, &entries), "a record of another segment").contains("names another segment"));
}

/// A hint with every checksum right could hide keys; none is taken over.
#[test]
fn a_hint_that_lies_hides_nothing() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    snapshot(&store, &disk, COPY).unwrap();
    let names = files(&disk, COPY);
    let hints: Vec<_> = names.iter().filter(|name| name.ends_with(".hint")).collect();
    let image = disk.image();
    let first = image[&Path::new(COPY).join(hints[0])].clone();
    for hint in hints {
        disk.insert(format!("{COPY}/{hint}"), first.clone()).unwrap();
    }
    restore(&disk, COPY, AGAIN).unwrap();
    assert_eq!(held(&disk, AGAIN), contents(&store));
}

type Change<'a> = &'a dyn Fn(&SimDisk);

#[test]
fn a_directory_that_is_not_what_its_manifest_says_is_refused() {
    let disk = SimDisk::new();
    let store = filled(&disk);
    snapshot_with(&store, &disk, COPY, &SnapshotOptions { copy: true, earlier: None }).unwrap();
    let path = format!("{COPY}/0000000002.data");
    let changes: [(&str, Change<'_>); 8] = [
        ("a flipped bit", &|disk| disk.flip_bit(&path, 8 * 100).unwrap()),
        ("a cut", &|disk| disk.truncate(&path, 50).unwrap()),
        ("a growth", &|disk| disk.truncate(&path, 500).unwrap()),
        ("a loss", &|disk| disk.delete(&path).unwrap()),
        ("a link", &|disk| disk.insert_other(&path).unwrap()),
        ("no manifest", &|disk| disk.delete("copy/SNAPSHOT").unwrap()),
        ("a bad manifest", &|disk| disk.flip_bit("copy/SNAPSHOT", 8 * 60).unwrap()),
        ("a manifest that is a link", &|disk| disk.insert_other("copy/SNAPSHOT").unwrap()),
    ];
    for (what, change) in changes {
        let disk = disk.fork();
        change(&disk);
        let before = disk.image();
        assert!(restore(&disk, COPY, AGAIN).is_err(), "{what}");
        assert_eq!(disk.image(), before, "{what}");
    }
    disk.insert_other("pipe").unwrap();
    assert!(restore(&disk, "pipe", AGAIN).is_err());
    assert!(restore(&disk, "nowhere", AGAIN).is_err());
}
