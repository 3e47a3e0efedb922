//! What every store here can do, and which promise of durability each of its settings keeps.
//!
//! Three classes, never mixed in one comparison:
//!
//! | class | on return a put | ours | redb 4 | fjall 3 | sled 0.34 | LMDB | emdb 1 | armdb 0.15 | RocksDB |
//! |---|---|---|---|---|---|---|---|---|---|
//! | U | may be in the process still | `Buffered` | `Durability::None` | `manual_journal_persist` | default | — | — | default | `manual_wal_flush` |
//! | K | is with the kernel, survives kill -9 | `Interval` | — | default | — | `NO_SYNC` | default | put, then `flush_buffers` | default |
//! | D | is on stable storage | `Always` | `Durability::Immediate` | put, then `SyncData` | — | default | `WriteThrough` | `sync_batch_size` 1 | `sync` |
//!
//! Why, by their sources. redb: a commit without durability writes its root into the header in memory alone
//! (`write_secondary_slot`), so that another process finds the last durable one. fjall: an insert passes its journal's
//! buffer on to the system (`PersistMode::Buffer`) unless told not to. sled: a background thread writes the log's buffer
//! out every half a second; its `flush` waits for `sync_file_range`, which does not flush the device, so it is in no
//! class above U. LMDB: a commit writes pages and root by `pwrite`, into the page cache; nothing stays in the process.
//! emdb: `fsys` writes each frame by `pwrite`. armdb: 1 MiB a shard is held back in the process.
//!
//! A store stands in the row of the weakest setting that it has at all, and in the rows above none: what is safer than
//! asked for is slower than asked for, which is no fair comparison either.

mod armdb;
mod emdb;
mod fjall;
mod lmdb;
mod ours;
mod redb;
#[cfg(feature = "rocksdb")]
mod rocks;
mod sled;

use std::path::Path;

use crate::Outcome;
use crate::key::Key;

/// What is promised when a write returns: see the table above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    U,
    K,
    D,
}

/// How a store is opened.
#[derive(Clone, Copy)]
pub struct Opening {
    pub class: Class,
    /// Keys are going to be listed in order; some stores keep that order only if they are told to.
    pub ordered: bool,
}

/// A kind of store.
pub trait Engine: Sync {
    fn name(&self) -> &'static str;

    /// The classes that it has a setting for.
    fn classes(&self) -> &'static [Class];

    /// Opens what is in a directory, or begins anew.
    fn open(&self, dir: &Path, opening: Opening) -> Outcome<Box<dyn Store>>;

    /// K where it has it; what reads are measured with.
    fn usual(&self) -> Class {
        if self.classes().contains(&Class::K) { Class::K } else { Class::U }
    }
}

/// An open store. Dropping it closes it cleanly.
pub trait Store: Send + Sync {
    fn put(&self, key: &Key, value: &[u8]) -> Outcome<()>;

    /// Puts as one transaction.
    fn put_batch(&self, items: &[(Key, &[u8])]) -> Outcome<()>;

    /// The newest value, copied into `value` (whose memory is used again). `false`: there is none.
    fn get(&self, key: &Key, value: &mut Vec<u8>) -> Outcome<bool>;

    fn delete(&self, key: &Key) -> Outcome<()>;

    /// Every key, in order where `ordered` said so.
    fn list(&self, visit: &mut dyn FnMut(&[u8])) -> Outcome<()>;

    /// The keys that begin with these bytes.
    fn prefix(&self, prefix: &[u8], visit: &mut dyn FnMut(&[u8])) -> Outcome<()>;

    /// Has the order of the keys made, where it is made on demand, and waits for it.
    fn keep_order(&self) -> Outcome<()> {
        Ok(())
    }

    /// Writes out whatever is held back.
    fn settle(&self) -> Outcome<()>;

    /// Frees the space of what was superseded while others go on writing. `false`: it cannot.
    fn merge(&self) -> Outcome<bool>;
}

/// Copies a value to where the caller wants it.
fn copy(from: &[u8], to: &mut Vec<u8>) -> bool {
    to.clear();
    to.extend_from_slice(from);
    true
}

/// Ours first.
pub fn all() -> Vec<&'static dyn Engine> {
    vec![
        &ours::Ours,
        &emdb::Emdb,
        &armdb::Armdb,
        &fjall::Fjall,
        &lmdb::Lmdb,
        &redb::Redb,
        &sled::Sled,
        #[cfg(feature = "rocksdb")]
        &rocks::Rocks,
    ]
}

/// Which of them is measured against the others.
pub const OURS: &str = "logkv";
