//! armdb: Bitcask's design, its hash map (`VarMap`); with an order of keys beside it where keys are listed. It has no
//! batches across shards: puts follow one another, and in class K one flush of the buffers ends them.

use std::path::Path;

use armdb::{Config, VarMap};

use super::{Class, Engine, Opening, Store, copy};
use crate::Outcome;
use crate::key::Key;

/// Its default of 1 MiB, and room for the frame of a value of 1 MiB: it refuses what is longer than its buffer.
const BUFFER: usize = (1 << 20) + (4 << 10);

pub(super) struct Armdb;

impl Engine for Armdb {
    fn name(&self) -> &'static str {
        "armdb"
    }

    fn classes(&self) -> &'static [Class] {
        &[Class::U, Class::K, Class::D]
    }

    fn open(&self, dir: &Path, opening: Opening) -> Outcome<Box<dyn Store>> {
        std::fs::create_dir_all(dir)?;
        let config = Config::balanced()
            .max_file_size(64 << 20) // as ours; it merges full files alone
            .write_buffer_size(BUFFER)
            .sync_batch_size(u32::from(opening.class == Class::D))
            .iterable(opening.ordered)
            .reversed(false)
            .compaction_max_files_per_pass(0)
            .build();
        Ok(Box::new(Open {
            map: VarMap::open(dir, config)?,
            flushes: opening.class == Class::K,
            ordered: opening.ordered,
        }))
    }
}

struct Open {
    map: VarMap<Key>,
    flushes: bool,
    ordered: bool,
}

impl Open {
    fn flush(&self) -> Outcome<()> {
        if self.flushes {
            self.map.flush_buffers()?;
        }
        Ok(())
    }
}

impl Store for Open {
    fn put(&self, key: &Key, value: &[u8]) -> Outcome<()> {
        self.map.put(key, value)?;
        self.flush()
    }

    fn put_batch(&self, items: &[(Key, &[u8])]) -> Outcome<()> {
        for (key, value) in items {
            self.map.put(key, value)?;
        }
        self.flush()
    }

    fn get(&self, key: &Key, value: &mut Vec<u8>) -> Outcome<bool> {
        Ok(self.map.try_get(key)?.is_some_and(|found| copy(&found, value)))
    }

    fn delete(&self, key: &Key) -> Outcome<()> {
        self.map.delete(key)?;
        self.flush()
    }

    fn list(&self, visit: &mut dyn FnMut(&[u8])) -> Outcome<()> {
        if self.ordered {
            self.map.iter_view().ok_or("not opened for listing")?.keys().for_each(|key| visit(&key));
        } else {
            self.map.for_each(|key, _| visit(&key));
        }
        Ok(())
    }

    fn prefix(&self, prefix: &[u8], visit: &mut dyn FnMut(&[u8])) -> Outcome<()> {
        self.map.iter_view().ok_or("not opened for listing")?.keys_prefix(prefix).for_each(|key| visit(&key));
        Ok(())
    }

    fn settle(&self) -> Outcome<()> {
        Ok(self.map.flush_buffers()?)
    }

    fn merge(&self) -> Outcome<bool> {
        self.map.compact()?;
        Ok(true)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // What `close` does; it takes the map by value. An error here shows when the store is opened again.
        let _ = self.map.clean_shutdown();
    }
}
