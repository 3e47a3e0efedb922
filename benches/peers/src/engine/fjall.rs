//! fjall: a log-structured merge tree.

use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::{Class, Engine, Opening, Store, copy};
use crate::Outcome;
use crate::key::Key;

/// Room for what the work reads: the other stores have the system's cache.
const CACHE: u64 = 1 << 30;

pub(super) struct Fjall;

impl Engine for Fjall {
    fn name(&self) -> &'static str {
        "fjall"
    }

    fn classes(&self) -> &'static [Class] {
        &[Class::U, Class::K, Class::D]
    }

    fn open(&self, dir: &Path, opening: Opening) -> Outcome<Box<dyn Store>> {
        let manual = opening.class == Class::U;
        let db = Database::builder(dir).cache_size(CACHE).manual_journal_persist(manual).open()?;
        let keys = db.keyspace("bench", || KeyspaceCreateOptions::default().manual_journal_persist(manual))?;
        Ok(Box::new(Open { db, keys, durable: opening.class == Class::D }))
    }
}

struct Open {
    db: Database,
    keys: Keyspace,
    durable: bool,
}

impl Open {
    fn persist(&self) -> Outcome<()> {
        if self.durable {
            self.db.persist(PersistMode::SyncData)?;
        }
        Ok(())
    }
}

impl Store for Open {
    fn put(&self, key: &Key, value: &[u8]) -> Outcome<()> {
        self.keys.insert(key.as_slice(), value)?;
        self.persist()
    }

    fn put_batch(&self, items: &[(Key, &[u8])]) -> Outcome<()> {
        let mut batch = self.db.batch();
        for (key, value) in items {
            batch.insert(&self.keys, key.as_slice(), *value);
        }
        batch.commit()?;
        self.persist()
    }

    fn get(&self, key: &Key, value: &mut Vec<u8>) -> Outcome<bool> {
        Ok(self.keys.get(key)?.is_some_and(|found| copy(&found, value)))
    }

    fn delete(&self, key: &Key) -> Outcome<()> {
        self.keys.remove(key.as_slice())?;
        self.persist()
    }

    fn list(&self, visit: &mut dyn FnMut(&[u8])) -> Outcome<()> {
        for item in self.keys.iter() {
            visit(&item.key()?);
        }
        Ok(())
    }

    fn prefix(&self, prefix: &[u8], visit: &mut dyn FnMut(&[u8])) -> Outcome<()> {
        for item in self.keys.prefix(prefix) {
            visit(&item.key()?);
        }
        Ok(())
    }

    fn settle(&self) -> Outcome<()> {
        Ok(self.db.persist(PersistMode::SyncAll)?)
    }

    fn merge(&self) -> Outcome<bool> {
        self.keys.rotate_memtable_and_wait()?;
        self.keys.major_compact()?;
        Ok(true)
    }
}
