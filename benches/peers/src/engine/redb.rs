//! redb: a copy-on-write B-tree. Its compaction needs the store for itself, so it has none here.

use std::path::Path;

use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};

use super::{Class, Engine, Opening, Store, copy};
use crate::Outcome;
use crate::key::Key;

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("bench");

pub(super) struct Redb;

impl Engine for Redb {
    fn name(&self) -> &'static str {
        "redb"
    }

    fn classes(&self) -> &'static [Class] {
        &[Class::U, Class::D]
    }

    fn open(&self, dir: &Path, opening: Opening) -> Outcome<Box<dyn Store>> {
        std::fs::create_dir_all(dir)?;
        let db = Database::create(dir.join("store.redb"))?;
        let durability = if opening.class == Class::D { Durability::Immediate } else { Durability::None };
        let open = Open { db, durability };
        open.write(|_| Ok(()))?; // makes the table
        Ok(Box::new(open))
    }
}

struct Open {
    db: Database,
    durability: Durability,
}

impl Open {
    fn write(
        &self,
        change: impl FnOnce(&mut redb::Table<'_, &'static [u8], &'static [u8]>) -> Outcome<()>,
    ) -> Outcome<()> {
        let mut transaction = self.db.begin_write()?;
        transaction.set_durability(self.durability)?;
        change(&mut transaction.open_table(TABLE)?)?;
        Ok(transaction.commit()?)
    }
}

impl Store for Open {
    fn put(&self, key: &Key, value: &[u8]) -> Outcome<()> {
        self.put_batch(&[(*key, value)])
    }

    fn put_batch(&self, items: &[(Key, &[u8])]) -> Outcome<()> {
        self.write(|table| {
            for (key, value) in items {
                table.insert(key.as_slice(), *value)?;
            }
            Ok(())
        })
    }

    fn get(&self, key: &Key, value: &mut Vec<u8>) -> Outcome<bool> {
        let table = self.db.begin_read()?.open_table(TABLE)?;
        Ok(table.get(key.as_slice())?.is_some_and(|found| copy(found.value(), value)))
    }

    fn delete(&self, key: &Key) -> Outcome<()> {
        self.write(|table| {
            table.remove(key.as_slice())?;
            Ok(())
        })
    }

    fn list(&self, visit: &mut dyn FnMut(&[u8])) -> Outcome<()> {
        for item in self.db.begin_read()?.open_table(TABLE)?.iter()? {
            visit(item?.0.value());
        }
        Ok(())
    }

    fn prefix(&self, prefix: &[u8], visit: &mut dyn FnMut(&[u8])) -> Outcome<()> {
        for item in self.db.begin_read()?.open_table(TABLE)?.range(prefix..)? {
            let item = item?;
            let key = item.0.value();
            if !key.starts_with(prefix) {
                break;
            }
            visit(key);
        }
        Ok(())
    }

    fn settle(&self) -> Outcome<()> {
        Ok(self.db.begin_write()?.commit()?)
    }

    fn merge(&self) -> Outcome<bool> {
        Ok(false)
    }
}
