//! Many operations in one list: written as one step by [`super::Store::write`], or each for itself by
//! [`super::Store::put_many`].
//!
//! Keeps keys and values behind one another in one piece of memory, so that a batch of many small operations takes little
//! more than its bytes. Must not know the log, the keydir or a clock: how long a value lives is resolved when it is
//! written. A copy of a batch shares its memory.
//!
//! # Invariants
//!
//! 1. Its records never take more than [`MAX_BATCH_LEN`] bytes: what would go beyond that is refused when it is added.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::format::{Codec, record};

use super::check_limits;
use super::op::{Action, Op};
use super::{Compression, Condition, Expiry, Location, PutOptions};

/// The most bytes that the records of a batch may take (1 GiB). A segment can always hold them.
pub const MAX_BATCH_LEN: u64 = record::MAX_VALUE_LEN;

/// A list of operations, at most [`MAX_BATCH_LEN`] bytes.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    ops: Arc<Ops>,
}

#[derive(Clone, Debug, Default)]
struct Ops {
    /// Key and value of each operation, one behind the other.
    bytes: Vec<u8>,
    slots: Vec<Slot>,
    encoded_len: u64,
}

/// One operation; its bytes begin where those of the one before end.
#[derive(Clone, Copy, Debug)]
struct Slot {
    key_len: usize,
    value_len: usize,
    what: What,
    condition: Condition,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Put(Expiry, Codec),
    Delete,
}

impl Ops {
    fn push(&mut self, key: &[u8], value: &[u8], what: What, condition: Condition) {
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        self.slots.push(Slot { key_len: key.len(), value_len: value.len(), what, condition });
    }

    /// The operations with their keys and values.
    fn iter(&self) -> impl Iterator<Item = (&Slot, &[u8], &[u8])> {
        let mut bytes = self.bytes.as_slice();
        let mut take = move |len| {
            let (taken, rest) = bytes.split_at_checked(len).unwrap_or_default();
            bytes = rest;
            taken
        };
        self.slots.iter().map(move |slot| (slot, take(slot.key_len), take(slot.value_len)))
    }
}

impl Batch {
    /// A batch without operations.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a put. Errors: [`Error::KeyTooLong`], [`Error::ValueTooLong`], [`Error::BatchTooLong`]; the batch is then as it
    /// was.
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.put_with(key, value, &PutOptions::default())
    }

    /// Adds a put with an expiry or a condition. The time to live is counted from the write.
    pub fn put_with(&mut self, key: &[u8], value: &[u8], options: &PutOptions) -> Result<()> {
        self.push(key, value, What::Put(options.expiry, Codec::Raw), options.condition)
    }

    /// Adds a delete. Of a key that has no value it is done with nothing to do.
    pub fn delete(&mut self, key: &[u8]) -> Result<()> {
        self.push(key, &[], What::Delete, Condition::Always)
    }

    /// Adds a delete of a certain version: [`Condition::Tstamp`].
    pub fn delete_if(&mut self, key: &[u8], tstamp: u64) -> Result<()> {
        self.push(key, &[], What::Delete, Condition::Tstamp(tstamp))
    }

    fn push(&mut self, key: &[u8], value: &[u8], what: What, condition: Condition) -> Result<()> {
        check_limits(key, value.len() as u64)?;
        let may_expire = matches!(what, What::Put(expiry, _) if expiry != Expiry::Never);
        let len = self.ops.encoded_len + record::encoded_len(key.len(), value.len() as u64, may_expire);
        if len > MAX_BATCH_LEN {
            return Err(Error::BatchTooLong { len, max: MAX_BATCH_LEN });
        }
        let ops = Arc::make_mut(&mut self.ops);
        ops.encoded_len = len;
        ops.push(key, value, what, condition);
        Ok(())
    }

    /// How many operations it has.
    pub fn len(&self) -> usize {
        self.ops.slots.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.ops.slots.is_empty()
    }

    /// Bytes that its records take at most: those of deletes that find nothing to do are not written, nor an expiry where
    /// there is none.
    pub fn encoded_len(&self) -> u64 {
        self.ops.encoded_len
    }

    /// Forgets its operations.
    pub fn clear(&mut self) {
        self.ops = Arc::default();
    }

    /// The operations with their values as they are to be stored. Done before the writers' lock is taken.
    pub(super) fn stored(&self, compression: Compression) -> Self {
        if compression == Compression::None {
            return self.clone();
        }
        let mut ops = Ops { encoded_len: self.ops.encoded_len, ..Ops::default() };
        for (slot, key, value) in self.ops.iter() {
            match slot.what {
                What::Put(expiry, _) => {
                    let (value, codec) = compression.store(value);
                    ops.push(key, &value, What::Put(expiry, codec), slot.condition);
                }
                What::Delete => ops.push(key, value, slot.what, slot.condition),
            }
        }
        Self { ops: Arc::new(ops) }
    }

    /// The operations in order; `expires_at` says when a value expires.
    pub(super) fn ops(&self, expires_at: impl Fn(Expiry) -> Option<u64>) -> Vec<Op<'_>> {
        let op = |(slot, key, value): (&Slot, _, _)| {
            let action = match slot.what {
                What::Put(expiry, codec) => Action::Put { value, codec, expires_at: expires_at(expiry) },
                What::Delete => Action::Delete,
            };
            Op { key, action, condition: slot.condition }
        };
        self.ops.iter().map(op).collect()
    }
}

/// What a batch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchWritten {
    /// All its records, back to back. `None`: there was nothing to write.
    pub location: Option<Location>,
    /// The tstamp of its last record; those before it have lower ones. `None` without records.
    pub last_tstamp: Option<u64>,
    /// Values put.
    pub puts: u64,
    /// Values deleted.
    pub deletes: u64,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;

    #[test]
    fn operations_come_back_in_order_with_their_bytes() {
        let mut batch = Batch::new();
        batch.put(b"a", b"one").unwrap();
        batch.delete(b"").unwrap();
        batch.put_with(b"", b"", &PutOptions::ttl(Duration::from_secs(9))).unwrap();
        batch.delete_if(b"bb", 7).unwrap();
        let shown = |op: &Op<'_>| match op.action {
            Action::Put { value, expires_at, .. } => (op.key.to_vec(), Some(value.to_vec()), expires_at, op.condition),
            Action::Delete => (op.key.to_vec(), None, None, op.condition),
        };
        let expires_at = |expiry| (expiry == Expiry::After(Duration::from_secs(9))).then_some(11);
        let ops: Vec<_> = batch.ops(expires_at).iter().map(shown).collect();
        let put = |key: &[u8], value: &[u8], at| (key.to_vec(), Some(value.to_vec()), at, Condition::Always);
        let delete = |key: &[u8], condition| (key.to_vec(), None, None, condition);
        assert_eq!(
            ops,
            [
                put(b"a", b"one", None),
                delete(b"", Condition::Always),
                put(b"", b"", Some(11)),
                delete(b"bb", Condition::Tstamp(7)),
            ]
        );
        assert_eq!((batch.len(), batch.encoded_len()), (4, 36 + 24 + 32 + 26));
        let copy = batch.clone();
        batch.clear();
        assert!(batch.is_empty() && batch.encoded_len() == 0 && copy.len() == 4);
    }

    #[test]
    fn what_is_too_long_is_refused_and_the_batch_stays_as_it_was() {
        let mut batch = Batch::new();
        assert!(matches!(batch.put(&vec![0; 70_000], b""), Err(Error::KeyTooLong { .. })));
        let value = vec![0; 1 << 29];
        batch.put(b"a", &value).unwrap();
        assert!(matches!(batch.put(b"b", &value), Err(Error::BatchTooLong { len, .. }) if len > MAX_BATCH_LEN));
        assert_eq!((batch.len(), batch.encoded_len()), (1, (1 << 29) + 24 + 8 + 1));
    }
}
