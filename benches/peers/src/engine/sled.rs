//! sled: a tree over a log-structured page cache. Merges nothing on demand.

use std::path::Path;

use super::{Class, Engine, Opening, Store, copy};
use crate::Outcome;
use crate::key::Key;

pub(super) struct Sled;

impl Engine for Sled {
    fn name(&self) -> &'static str {
        "sled"
    }

    fn classes(&self) -> &'static [Class] {
        &[Class::U]
    }

    fn open(&self, dir: &Path, _: Opening) -> Outcome<Box<dyn Store>> {
        Ok(Box::new(Open { db: sled::open(dir)? }))
    }
}

struct Open {
    db: sled::Db,
}

impl Store for Open {
    fn put(&self, key: &Key, value: &[u8]) -> Outcome<()> {
        self.db.insert(key, value)?;
        Ok(())
    }

    fn put_batch(&self, items: &[(Key, &[u8])]) -> Outcome<()> {
        let mut batch = sled::Batch::default();
        for (key, value) in items {
            batch.insert(key.as_slice(), *value);
        }
        Ok(self.db.apply_batch(batch)?)
    }

    fn get(&self, key: &Key, value: &mut Vec<u8>) -> Outcome<bool> {
        Ok(self.db.get(key)?.is_some_and(|found| copy(&found, value)))
    }

    fn delete(&self, key: &Key) -> Outcome<()> {
        self.db.remove(key)?;
        Ok(())
    }

    fn list(&self, visit: &mut dyn FnMut(&[u8])) -> Outcome<()> {
        for key in self.db.iter().keys() {
            visit(&key?);
        }
        Ok(())
    }

    fn prefix(&self, prefix: &[u8], visit: &mut dyn FnMut(&[u8])) -> Outcome<()> {
        for key in self.db.scan_prefix(prefix).keys() {
            visit(&key?);
        }
        Ok(())
    }

    fn settle(&self) -> Outcome<()> {
        self.db.flush()?;
        Ok(())
    }

    fn merge(&self) -> Outcome<bool> {
        Ok(false)
    }
}
