//! LMDB, through heed: a copy-on-write B-tree in one mapped file. It uses freed pages again by itself; its merge here is
//! the copy of a store without its free pages.

#![allow(unsafe_code, reason = "heed leaves it to the caller that nobody else changes a mapped file")]

use std::path::{Path, PathBuf};

use heed::types::Bytes;
use heed::{CommitOrAbort, CompactionOption, Database, Env, EnvFlags, EnvOpenOptions};

use super::{Class, Engine, Opening, Store, copy};
use crate::Outcome;
use crate::key::Key;

/// Address space, not memory or disk.
const MAP: usize = 64 << 30;

pub(super) struct Lmdb;

impl Engine for Lmdb {
    fn name(&self) -> &'static str {
        "lmdb"
    }

    fn classes(&self) -> &'static [Class] {
        &[Class::K, Class::D]
    }

    fn open(&self, dir: &Path, opening: Opening) -> Outcome<Box<dyn Store>> {
        std::fs::create_dir_all(dir)?;
        let mut options = EnvOpenOptions::new();
        options.map_size(MAP);
        // SAFETY: each store is in a fresh directory of this benchmark, and nobody else opens it.
        let env = unsafe {
            if opening.class == Class::K {
                options.flags(EnvFlags::NO_SYNC);
            }
            options.open(dir)?
        };
        let transaction = env.write_txn()?;
        let made = env.create_databases_and_commit(transaction, |options, transaction| {
            options.create_database::<Bytes, Bytes>(transaction, None).map(CommitOrAbort::<_, ()>::Commit)
        })?;
        Ok(Box::new(Open { db: made.unwrap_commit(), env, dir: dir.to_owned() }))
    }
}

struct Open {
    env: Env,
    db: Database<'static, Bytes, Bytes>,
    dir: PathBuf,
}

impl Store for Open {
    fn put(&self, key: &Key, value: &[u8]) -> Outcome<()> {
        self.put_batch(&[(*key, value)])
    }

    fn put_batch(&self, items: &[(Key, &[u8])]) -> Outcome<()> {
        let mut transaction = self.env.write_txn()?;
        for (key, value) in items {
            self.db.put(&mut transaction, key, value)?;
        }
        Ok(transaction.commit()?)
    }

    fn get(&self, key: &Key, value: &mut Vec<u8>) -> Outcome<bool> {
        let transaction = self.env.read_txn()?;
        Ok(self.db.get(&transaction, key)?.is_some_and(|found| copy(found, value)))
    }

    fn delete(&self, key: &Key) -> Outcome<()> {
        let mut transaction = self.env.write_txn()?;
        self.db.delete(&mut transaction, key)?;
        Ok(transaction.commit()?)
    }

    fn list(&self, visit: &mut dyn FnMut(&[u8])) -> Outcome<()> {
        let transaction = self.env.read_txn()?;
        for item in self.db.iter(&transaction)? {
            visit(item?.0);
        }
        Ok(())
    }

    fn prefix(&self, prefix: &[u8], visit: &mut dyn FnMut(&[u8])) -> Outcome<()> {
        let transaction = self.env.read_txn()?;
        for item in self.db.prefix_iter(&transaction, prefix)? {
            visit(item?.0);
        }
        Ok(())
    }

    fn settle(&self) -> Outcome<()> {
        Ok(self.env.force_sync()?)
    }

    fn merge(&self) -> Outcome<bool> {
        let path = self.dir.join("copy");
        let mut file = std::fs::File::create(&path)?;
        self.env.copy_to_file(&mut file, CompactionOption::Enabled)?;
        file.sync_data()?;
        std::fs::remove_file(path)?;
        Ok(true)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // As the other stores do when they are closed; in class K nothing has told the disk yet.
        let _ = self.env.force_sync();
    }
}
