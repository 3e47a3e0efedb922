//! Stores that scripts and hostile walks begin with: all kinds of records, one part damaged, a value that is long.
//!
//! Their bytes are the same in every run.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use logkv::Store;
use logkv::disk::sim::SimDisk;
use logkv::format::record::{self, NewRecord};
use logkv::format::{Kind, Origin};
use logkv::store::{Options, PutOptions};

use super::screen::{NOW, options};

/// What is wrong with a store of three keys: a name for scripts, the file that is hit, and how.
const DAMAGE: [(&str, &str, Hit); 5] = [
    ("flipped-value", "data/0000000001.data", Hit::Flip(SECOND + 24 + 6)),
    ("flipped-length", "data/0000000001.data", Hit::FlipUnvouched(SECOND + 12)),
    ("damaged-header", "data/0000000001.data", Hit::Flip(28)),
    ("damaged-hint", "data/0000000001.hint", Hit::Flip(66)),
    ("torn-tail", "data/0000000001.data", Hit::Cut(3)),
];

/// Where the second record begins: behind the file header and `user:1=Ada`.
const SECOND: u64 = 40 + 24 + 6 + 3;

enum Hit {
    Flip(u64),
    /// The segment has no hint, so that opening reads it.
    FlipUnvouched(u64),
    Cut(u64),
}

/// The names of all stores with damage.
pub fn damaged() -> impl Iterator<Item = &'static str> {
    DAMAGE.iter().map(|(name, ..)| *name)
}

/// A disk with the store of this name in `data`.
pub fn prepared(name: &str) -> Option<SimDisk> {
    match name {
        "kinds" => Some(kinds()),
        "huge" => Some(huge()),
        _ => DAMAGE.iter().find(|(hit, ..)| *hit == name).map(|(_, file, hit)| hurt(file, hit)),
    }
}

fn written(write: impl FnOnce(&Store)) -> SimDisk {
    let disk = SimDisk::new();
    let options = Options { create: true, ..options() };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("data"), options).unwrap();
    write(&store);
    store.close().unwrap();
    disk
}

fn hurt(file: &str, hit: &Hit) -> SimDisk {
    let disk = written(|store| {
        for (key, value) in [("user:1", "Ada"), ("user:2", "Grace"), ("user:3", "Joan")] {
            store.put(key.as_bytes(), value.as_bytes()).unwrap();
        }
    });
    match hit {
        Hit::Flip(at) | Hit::FlipUnvouched(at) => disk.flip_bit(file, at * 8 + 1).unwrap(),
        Hit::Cut(bytes) => {
            let len = disk.image()[Path::new(file)].len() as u64;
            disk.truncate(file, len - bytes).unwrap();
        }
    }
    if !matches!(hit, Hit::Flip(_)) {
        disk.delete("data/0000000001.hint").unwrap();
    }
    // With it, opening would not look at what was hit.
    disk.delete("data/KEYDIR").unwrap();
    disk
}

/// Every kind of record, a value whose time ran out among them.
fn kinds() -> SimDisk {
    let (salt, past) = (0x00c0_ffee, NOW - 1);
    let mut file = Vec::new();
    record::encode_file_header(1, salt, NOW, Origin::Puts, &mut file);
    let stable = 40_u64.to_le_bytes();
    let records = [
        NewRecord::put(b"live", b"a value", NOW),
        NewRecord::put(b"old", b"one version", NOW + 1),
        NewRecord::put(b"old", b"another version", NOW + 2),
        NewRecord { expires_at: Some(past), ..NewRecord::put(b"session", b"its time ran out", NOW + 3) },
        NewRecord { kind: Kind::Tombstone, ..NewRecord::put(b"gone", b"", NOW + 4) },
        NewRecord::mark(&stable, NOW + 5),
        NewRecord { expires_at: Some(NOW * 2), ..NewRecord::put(b"token", b"its time will come", NOW + 6) },
    ];
    for new in records {
        let offset = file.len() as u64;
        record::encode(&new, salt, offset, &mut file);
    }
    SimDisk::from_files([("data/0000000001.data", file)]).unwrap()
}

/// A value that is longer than what is held of it.
fn huge() -> SimDisk {
    let lines: String = (0..200_000).map(|n| format!("line {n:07}\n")).collect();
    written(|store| {
        store.put(b"long:lines", lines.as_bytes()).unwrap();
        store.put_with(b"long:zeros", &vec![0; 3 << 20], &PutOptions::ttl(Duration::from_secs(90))).unwrap();
    })
}
