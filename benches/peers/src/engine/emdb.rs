//! emdb: Bitcask's design over one journal, read through a mapping. A get verifies no checksum.

use std::path::Path;

use super::{Class, Engine, Opening, Store, copy};
use crate::Outcome;
use crate::key::Key;

pub(super) struct Emdb;

impl Engine for Emdb {
    fn name(&self) -> &'static str {
        "emdb"
    }

    fn classes(&self) -> &'static [Class] {
        &[Class::K, Class::D]
    }

    fn open(&self, dir: &Path, opening: Opening) -> Outcome<Box<dyn Store>> {
        std::fs::create_dir_all(dir)?;
        let policy =
            if opening.class == Class::D { emdb::FlushPolicy::WriteThrough } else { emdb::FlushPolicy::OnEachFlush };
        let builder = emdb::Emdb::builder().path(dir.join("store.emdb")).flush_policy(policy);
        Ok(Box::new(Open { db: builder.enable_range_scans(opening.ordered).build()?, ordered: opening.ordered }))
    }
}

struct Open {
    db: emdb::Emdb,
    ordered: bool,
}

impl Store for Open {
    fn put(&self, key: &Key, value: &[u8]) -> Outcome<()> {
        Ok(self.db.insert(key.as_slice(), value)?)
    }

    fn put_batch(&self, items: &[(Key, &[u8])]) -> Outcome<()> {
        Ok(self.db.insert_many(items.iter().map(|(key, value)| (key.as_slice(), *value)))?)
    }

    fn get(&self, key: &Key, value: &mut Vec<u8>) -> Outcome<bool> {
        Ok(self.db.get_zerocopy(key)?.is_some_and(|found| copy(found.as_slice(), value)))
    }

    fn delete(&self, key: &Key) -> Outcome<()> {
        self.db.remove(key)?;
        Ok(())
    }

    fn list(&self, visit: &mut dyn FnMut(&[u8])) -> Outcome<()> {
        if self.ordered {
            self.db.range_iter::<std::ops::RangeFull>(..)?.for_each(|(key, _)| visit(&key));
        } else {
            self.db.keys()?.for_each(|key| visit(&key));
        }
        Ok(())
    }

    fn prefix(&self, prefix: &[u8], visit: &mut dyn FnMut(&[u8])) -> Outcome<()> {
        self.db.range_prefix_iter(prefix)?.for_each(|(key, _)| visit(&key));
        Ok(())
    }

    fn settle(&self) -> Outcome<()> {
        Ok(self.db.flush()?)
    }

    fn merge(&self) -> Outcome<bool> {
        self.db.compact()?;
        Ok(true)
    }
}
