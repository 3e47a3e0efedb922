//! logkv.

use std::path::Path;
use std::time::Duration;

use logkv::store::{Batch, MergeChoice, MergeControl, Order, SyncPolicy};
use logkv::{Options, Store as Logkv};

use super::{Class, Engine, Opening, Store, copy};
use crate::Outcome;
use crate::key::Key;

pub(super) struct Ours;

impl Engine for Ours {
    fn name(&self) -> &'static str {
        super::OURS
    }

    fn classes(&self) -> &'static [Class] {
        &[Class::U, Class::K, Class::D]
    }

    fn open(&self, dir: &Path, opening: Opening) -> Outcome<Box<dyn Store>> {
        let sync = match opening.class {
            Class::U => SyncPolicy::Buffered,
            Class::K => SyncPolicy::Interval(Duration::from_secs(1)),
            Class::D => SyncPolicy::Always,
        };
        Ok(Box::new(Open {
            store: Logkv::open(dir, Options { sync, create: true, ..Options::default() })?,
            ordered: opening.ordered,
        }))
    }
}

struct Open {
    store: Logkv,
    ordered: bool,
}

impl Store for Open {
    fn put(&self, key: &Key, value: &[u8]) -> Outcome<()> {
        self.store.put(key, value)?;
        Ok(())
    }

    fn put_batch(&self, items: &[(Key, &[u8])]) -> Outcome<()> {
        let mut batch = Batch::new();
        for (key, value) in items {
            batch.put(key, value)?;
        }
        self.store.write(&batch)?;
        Ok(())
    }

    fn get(&self, key: &Key, value: &mut Vec<u8>) -> Outcome<bool> {
        Ok(self.store.get_with(key, |found, _| copy(found, value))?.found.is_some())
    }

    fn delete(&self, key: &Key) -> Outcome<()> {
        self.store.delete(key)?;
        Ok(())
    }

    fn list(&self, visit: &mut dyn FnMut(&[u8])) -> Outcome<()> {
        if self.ordered {
            self.prefix(b"", visit)?;
        } else {
            self.store.key_parts().visit_all(|key, _| visit(key));
        }
        Ok(())
    }

    fn prefix(&self, prefix: &[u8], visit: &mut dyn FnMut(&[u8])) -> Outcome<()> {
        let mut keys = self.store.keys(prefix);
        while let Some(key) = keys.next_key() {
            visit(key);
        }
        Ok(())
    }

    fn keep_order(&self) -> Outcome<()> {
        self.store.keep_order();
        match self.store.order(Duration::from_secs(600)) {
            Order::Kept(_) => Ok(()),
            order => Err(format!("the order of the keys is not kept: {order:?}").into()),
        }
    }

    fn settle(&self) -> Outcome<()> {
        Ok(self.store.sync()?)
    }

    fn merge(&self) -> Outcome<bool> {
        self.store.merge(&MergeChoice::All, &MergeControl::default())?;
        Ok(true)
    }
}
