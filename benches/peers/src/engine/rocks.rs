//! RocksDB as the system has it.

use std::path::Path;

use rocksdb::{DB, Direction, IteratorMode, Options, WriteBatch, WriteOptions};

use super::{Class, Engine, Opening, Store, copy};
use crate::Outcome;
use crate::key::Key;

/// Room for what the work reads: the other stores have the system's cache.
const CACHE: usize = 1 << 30;

pub(super) struct Rocks;

impl Engine for Rocks {
    fn name(&self) -> &'static str {
        "rocksdb"
    }

    fn classes(&self) -> &'static [Class] {
        &[Class::U, Class::K, Class::D]
    }

    fn open(&self, dir: &Path, opening: Opening) -> Outcome<Box<dyn Store>> {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_manual_wal_flush(opening.class == Class::U);
        options.increase_parallelism(2);
        let mut table = rocksdb::BlockBasedOptions::default();
        table.set_block_cache(&rocksdb::Cache::new_lru_cache(CACHE));
        table.set_bloom_filter(10.0, false);
        options.set_block_based_table_factory(&table);
        let mut write = WriteOptions::default();
        write.set_sync(opening.class == Class::D);
        Ok(Box::new(Open { db: DB::open(&options, dir)?, write }))
    }
}

struct Open {
    db: DB,
    write: WriteOptions,
}

impl Store for Open {
    fn put(&self, key: &Key, value: &[u8]) -> Outcome<()> {
        Ok(self.db.put_opt(key, value, &self.write)?)
    }

    fn put_batch(&self, items: &[(Key, &[u8])]) -> Outcome<()> {
        let mut batch = WriteBatch::default();
        for (key, value) in items {
            batch.put(key, value);
        }
        Ok(self.db.write_opt(batch, &self.write)?)
    }

    fn get(&self, key: &Key, value: &mut Vec<u8>) -> Outcome<bool> {
        Ok(self.db.get_pinned(key)?.is_some_and(|found| copy(&found, value)))
    }

    fn delete(&self, key: &Key) -> Outcome<()> {
        Ok(self.db.delete_opt(key, &self.write)?)
    }

    fn list(&self, visit: &mut dyn FnMut(&[u8])) -> Outcome<()> {
        for item in self.db.iterator(IteratorMode::Start) {
            visit(&item?.0);
        }
        Ok(())
    }

    fn prefix(&self, prefix: &[u8], visit: &mut dyn FnMut(&[u8])) -> Outcome<()> {
        for item in self.db.iterator(IteratorMode::From(prefix, Direction::Forward)) {
            let (key, _) = item?;
            if !key.starts_with(prefix) {
                break;
            }
            visit(&key);
        }
        Ok(())
    }

    fn settle(&self) -> Outcome<()> {
        self.db.flush_wal(true)?;
        Ok(())
    }

    fn merge(&self) -> Outcome<bool> {
        self.db.compact_range::<&[u8], &[u8]>(None, None);
        Ok(true)
    }
}
