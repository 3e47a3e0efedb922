//! The store that is looked at.

use std::path::{Path, PathBuf};
use std::time::Instant;

use logkv::store::SyncPolicy;
use logkv::text::{count, duration, size};
use logkv::{Options, Store};

const VALUE_LEN: usize = 100;
/// With fewer keys or records than so many it is only seen that everything runs.
pub const THOROUGH: u64 = 100_000;

/// A store, and what there is to say of it.
pub struct Measured {
    dir: PathBuf,
    /// The directory, if it goes again.
    _made: Option<tempfile::TempDir>,
    is_ours: bool,
    pub keys: u64,
    /// What the index over it takes.
    pub keydir_bytes: u64,
    pub description: String,
}

impl Measured {
    /// As the environment asks for it.
    pub fn from_environment() -> Self {
        match std::env::var_os("LOGKV_BENCH_DIR") {
            Some(dir) if Path::new(&dir).exists() => Self::of(PathBuf::from(dir), None, "as it was found"),
            Some(dir) => {
                make(Path::new(&dir), keys());
                Self { is_ours: true, ..Self::of(PathBuf::from(dir), None, "made, and kept") }
            }
            None => {
                let made = tempfile::tempdir().expect("a temporary directory");
                let began = Instant::now();
                make(made.path(), keys());
                let how = format!("values of {VALUE_LEN} B, made in {}", duration(began.elapsed()));
                Self::of(made.path().to_owned(), Some(made), &how)
            }
        }
    }

    fn of(dir: PathBuf, made: Option<tempfile::TempDir>, how: &str) -> Self {
        let store = Store::open_read_only(&dir, Options::default()).expect("a store");
        let stats = store.stats();
        let description = format!(
            "{} keys, {} in {} segments, format {}, {how}",
            count(stats.keys),
            size(stats.disk_bytes),
            count(stats.segments),
            stats.format
        );
        Self {
            dir,
            is_ours: made.is_some(),
            _made: made,
            keys: stats.keys,
            keydir_bytes: stats.keydir_bytes,
            description,
        }
    }

    /// Whether it may be written: nobody else's is touched.
    pub fn is_ours(&self) -> bool {
        self.is_ours
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Records of the one segment.
pub fn records() -> u64 {
    number("LOGKV_BENCH_RECORDS").unwrap_or(1_000_000)
}

fn keys() -> u64 {
    number("LOGKV_BENCH_KEYS").unwrap_or(1_000_000)
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.replace(['_', ','], "").parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// One segment of `LOGKV_BENCH_RECORDS` records of 107 bytes: 2 GiB for 20,000,000.
pub fn one_segment() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = Options { sync: SyncPolicy::Buffered, max_segment_bytes: 4_000_000_000, ..Options::default() };
    let store = Store::open(dir.path(), options).expect("an empty directory");
    let value = [b'v'; 75];
    for i in 0..records() {
        store.put(format!("key:{:04}", i % 1000).as_bytes(), &value).expect("a put");
    }
    store.close().expect("a close");
    dir
}

/// Keys of 16 bytes, put in another order than that of their names.
fn make(dir: &Path, keys: u64) {
    let options = Options { sync: SyncPolicy::Buffered, create: true, ..Options::default() };
    let store = Store::open(dir, options).expect("an empty directory");
    let mut value = [0; VALUE_LEN];
    for i in 0..keys {
        // A prime that divides no round number: each key comes once.
        let key = format!("user:{:011}", i.wrapping_mul(7_368_787) % keys);
        value.fill(b'a' + (i % 26) as u8);
        store.put(key.as_bytes(), &value).expect("a put");
    }
    store.close().expect("a close");
}
